"""The branches of a remote that the automation keeps: the lock on creating issues, the ledger, its edits, gate.json.

The lock is a branch that only one run can make. In the ledger whoever pushes a claim first has it. Edits are proposed
on one branch, or committed on the default branch. gate.json is read from an address, too, and whole records of another
repository for one check.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from incident_ops.adapters.git import BOT, SETTINGS, Git, Identity, quiet_environment
from incident_ops.adapters.git_remote import Move, Remote, Stay, compare_and_set
from incident_ops.adapters.http import LONGEST, NoAnswer, exchange, is_https_or_local
from incident_ops.adapters.processes import one_line, run
from incident_ops.domain.notification import (
    LEDGER_BRANCH,
    Claim,
    Ledger,
    Pair,
    claim,
    compact,
    confirm,
    parse_ledger,
    serialise,
)
from incident_ops.domain.ports import Lease, LockHolder
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.errors import Incomplete, UserError, WriteFailed

PUSHED, SAME, DELETED, NOTHING, PEOPLES = "pushed", "same", "deleted", "nothing", "people's"

Files = Mapping[str, bytes | None]
Read = Callable[[str], bytes | None]

_TRAILER = "Incident-Ops-Proposal: 1"
LOCK_BRANCH = "incident-ops/lock"
_LOCK_FILE = "lock.json"
_LONGEST_LOCK = timedelta(days=1)
_LEDGER_FILE = "ledger"


class Proposed(NamedTuple):
    """What became of a proposal, and the commit that holds it ("" where none does).

    PUSHED; SAME: it was there already; DELETED: nothing differs any more and the branch is gone; NOTHING: nothing
    differs, and no branch was there; PEOPLES: somebody's own commit is on the branch, which is left as it is.
    """

    outcome: str
    commit: str = ""


class Proposals:
    """Edits as commits on a remote. Paths are relative to the records' folder; None takes a file out.

    Reads raise `Incomplete`, pushes `WriteFailed`, or `Ambiguous` where the answer was lost. A path that leaves the
    records' folder or is not a regular file is a `UserError`.
    """

    def __init__(self, remote: Remote, identity: Identity = BOT) -> None:
        self._remote = remote
        self._objects = remote.objects
        self._identity = identity

    def propose(self, base: str, onto: str, files: Files, message: str, branch: str, now: datetime) -> Proposed:
        """Makes `branch` hold one commit on top of `base` with these files; the branch goes where nothing differs.

        `base` is the commit that the files were made from, `onto` the remote's branch that it must be part of
        (UserError where it is not: what nobody pushed is not proposed). Files elsewhere are as at `base`.
        """
        self._check_pushed(base, onto, branch)
        tree = self._objects.changed_tree(base, files)
        differs = tree != self._objects.tree_of(base)
        new = self._commit(tree, base, f"{message.strip()}\n\n{_TRAILER}", now)

        def decide(seen: str | None) -> Move[Proposed] | Stay[Proposed]:
            if seen is None and not differs:
                return Stay(Proposed(NOTHING))
            if seen is not None and not self._is_ours(seen, base):
                return Stay(Proposed(PEOPLES, seen))
            if seen is not None and differs and self._says_the_same(seen, base, new):
                return Stay(Proposed(SAME, seen))
            return Move(new, Proposed(PUSHED, new)) if differs else Move(None, Proposed(DELETED))

        return compare_and_set(self._remote, branch, decide, f"nothing was proposed on {branch}")

    def proposed(self, branch: str, base: str) -> Mapping[str, str]:
        """What `branch` changes against where it left `base`: path -> sha256 of its bytes, "" where it is taken out."""
        files = self.files(branch, base)
        return {path: "" if content is None else sha256(content).hexdigest() for path, content in files.items()}

    def files(self, branch: str, base: str) -> Files:
        """The same as bytes, None where a file is taken out."""
        tip = self._remote.tip(branch)
        if tip is None:
            return {}
        git = self._remote.git
        blobs = [blob for blob in git.changed(self._left(tip, base), tip, ()) if blob.regular or not blob.id]
        contents = git.read([blob.id for blob in blobs if blob.id])
        return {blob.path: next(contents) if blob.id else None for blob in blobs}

    def land(self, branch: str, edit: Callable[[Read], Files], message: str, now: datetime) -> Proposed:
        """Commits on top of a branch by fast-forward -> PUSHED or NOTHING.

        `edit` is given the way to read a path at the branch's tip and gives the files; where somebody else was faster
        it is asked again, with theirs.
        """

        def decide(tip: str | None) -> Move[Proposed] | Stay[Proposed]:
            if tip is None:
                raise UserError(f"{self._remote.name} has no branch {branch}", hint="push it first")
            tree = self._objects.changed_tree(tip, edit(self._reader(tip)))
            if tree == self._objects.tree_of(tip):
                return Stay(Proposed(NOTHING))
            new = self._commit(tree, tip, message, now)
            return Move(new, Proposed(PUSHED, new))

        return compare_and_set(self._remote, branch, decide, f"nothing was written to {branch}")

    def _commit(self, tree: str, parent: str, message: str, now: datetime) -> str:
        return self._objects.commit(tree, (parent,), message, now, self._identity)

    def _reader(self, commit: str) -> Read:
        return lambda path: self._remote.git.read_path(commit, path)

    def _check_pushed(self, base: str, onto: str, branch: str) -> None:
        if branch == onto:
            raise UserError(f"a proposal cannot be the branch {onto} itself", hint="name another branch")
        tip = self._remote.tip(onto)
        if tip is None or not self._objects.descends(tip, base):
            hint = f"run it on a commit of {onto}; `git push` first where the work is yours"
            raise UserError(f"commit {base[:12]} is not on {onto} of {self._remote.name}", hint=hint)

    def _is_ours(self, tip: str, base: str) -> bool:
        """True where no commit of a person would be lost: merges of the base into the branch hold no work."""
        commit: str | None = tip
        while commit is not None and not self._objects.descends(base, commit):
            parents = self._objects.parents(commit)
            if len(parents) < 2:
                return _TRAILER in self._objects.message(commit).split("\n")
            commit = parents[0]
        return True

    def _says_the_same(self, seen: str, base: str, new: str) -> bool:
        """True where the commit there changes the same bytes into the same: what else moved does not count."""
        parents = self._objects.parents(seen)
        if len(parents) != 1 or not self._objects.descends(base, parents[0]):
            return False
        return self._objects.difference(parents[0], seen) == self._objects.difference(base, new)

    def _left(self, tip: str, base: str) -> str:
        """Where a branch left the base; in a shallow clone, where that is out of sight, what its commit stands on."""
        if shared := self._objects.merge_base(base, tip):
            return shared
        parents = self._objects.parents(tip)
        if not parents:
            raise UserError(f"a branch shares no history with {base[:12]}", hint="fetch with fetch-depth: 0")
        return parents[0]


class LedgerRef:
    """The ledger of a remote; each change is one commit on top of what was read, or read again and made anew.

    Reads raise `Incomplete`, changes `WriteFailed`, or `Ambiguous` where the answer was lost.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def read(self) -> Ledger:
        """The ledger as it is now; empty where nobody ever claimed."""
        return self._at(self._remote.tip(LEDGER_BRANCH))

    def claim(self, pairs: Collection[Pair], now: datetime, after: timedelta | None = None) -> frozenset[Pair]:
        """Claims pairs -> those that are ours to send; see `domain.notification.claim`."""
        return self._change(lambda ledger: claim(ledger, pairs, now, after), now, "the ledger took no claim").ours

    def confirm(self, pairs: Collection[Pair], now: datetime) -> None:
        """Marks pairs as sent."""

        def change(ledger: Ledger) -> Claim:
            return Claim(confirm(ledger, pairs, now), frozenset())

        self._change(change, now, "the ledger did not note what was sent")

    def _change(self, change: Callable[[Ledger], Claim], now: datetime, failed: str) -> Claim:
        objects = self._remote.objects
        # two runs that claim the same at the same instant must not make the same commit
        message = f"Ledger of incident-ops\n\nrun: {secrets.token_hex(8)}"

        def decide(seen: str | None) -> Move[Claim] | Stay[Claim]:
            before = self._at(seen)
            made = change(before)
            if made.ledger == before:
                return Stay(made)
            tree = objects.file_tree(_LEDGER_FILE, serialise(compact(made.ledger, now)))
            return Move(objects.commit(tree, (seen,) if seen else (), message, now), made)

        return compare_and_set(self._remote, LEDGER_BRANCH, decide, failed)

    def _at(self, commit: str | None) -> Ledger:
        if commit is None:
            return {}
        content = self._remote.objects.content(commit, _LEDGER_FILE)
        if content is None:
            hint = f"its history shows who took it out: git log origin/{LEDGER_BRANCH}"
            raise Incomplete(f"branch {LEDGER_BRANCH} has no file {_LEDGER_FILE!r}", hint=hint, where=LEDGER_BRANCH)
        return parse_ledger(content)


class RefLock:
    """A lock on a remote. It ends by itself, so that a run that was killed stops nobody for long."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def take(self, now: datetime, holder: str, seconds: int = 900) -> Lease | LockHolder:
        """Takes the lock for `seconds`, or tells who has it. `now` is the real time, whatever instant a run looks at.

        One that has expired, or that cannot be understood, is taken over. WriteFailed where the remote refuses,
        Incomplete where it cannot be read, Ambiguous where its answer was lost.
        """
        lasting = timedelta(seconds=seconds)
        if not timedelta(0) < lasting <= _LONGEST_LOCK:
            raise UserError(f"a lock cannot last {seconds} s", hint="between 1 second and a day")
        objects, until = self._remote.objects, now + lasting
        # the nonce keeps two runs of the same holder at the same instant from making the same commit
        content = {"holder": holder, "nonce": secrets.token_hex(8), "taken": stamp(now), "until": stamp(until)}
        tree = objects.file_tree(_LOCK_FILE, json.dumps(content).encode())

        def decide(seen: str | None) -> Move[Lease | LockHolder] | Stay[Lease | LockHolder]:
            if seen is not None and (held := self._held(seen, now)):
                return Stay(held)
            commit = objects.commit(tree, (seen,) if seen else (), "Lock of incident-ops", now)
            return Move(commit, Lease(commit, until))

        return compare_and_set(self._remote, LOCK_BRANCH, decide, "the lock was not taken")

    def release(self, lease: Lease) -> bool:
        """Releases the lock; False, and nothing is changed, if somebody else holds it by now. WriteFailed as `take`."""

        def decide(seen: str | None) -> Move[bool] | Stay[bool]:
            return Move(None, True) if seen == lease.commit else Stay(False)

        return compare_and_set(self._remote, LOCK_BRANCH, decide, "the lock was not given back; it ends by itself")

    def _held(self, commit: str, now: datetime) -> LockHolder | None:
        try:
            content = json.loads(self._remote.objects.content(commit, _LOCK_FILE) or b"")
            held = LockHolder(one_line(str(content["holder"]), 100), parse_instant(content["until"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return held if now < held.until <= now + _LONGEST_LOCK else None


GATE_BRANCH, GATE_FILE = "incident-ops/public", "gate.json"
_GIT_SECONDS = 10.0
_HINT = "check the address and the network; or read the records: --records URL@GATE_BRANCH"


def publish_gate(remote: Remote, content: bytes, now: datetime, keeps: Callable[[bytes], bool]) -> bool:
    """Puts gate.json on its branch, which holds nothing else and has no history; False where theirs is kept.

    `keeps` tells of what is there already whether it stays: it is as new. Raises WriteFailed or Ambiguous where it
    cannot be put there, Incomplete where the branch cannot be read.
    """
    objects = remote.objects

    def decide(seen: str | None) -> Move[bool] | Stay[bool]:
        theirs = objects.content(seen, GATE_FILE) if seen is not None else None
        if theirs is not None and keeps(theirs):
            return Stay(False)
        made = objects.commit(objects.file_tree(GATE_FILE, content), (), "What holds deploys\n\nby incident-ops", now)
        return Move(made, True)

    return compare_and_set(remote, GATE_BRANCH, decide, "gate.json was not published")


def published(remote: Remote) -> bytes | None:
    """gate.json as it lies on its branch; None where there is none. Incomplete where that cannot be read."""
    seen = remote.tip(GATE_BRANCH)
    return remote.objects.content(seen, GATE_FILE) if seen is not None else None


def read_branch(remote: Remote) -> tuple[bytes, str]:
    """gate.json of a repository, and the commit that its HEAD is at. Incomplete where one of them cannot be read."""
    content = published(remote)
    if content is None:
        hint = "its reconcile workflow publishes it: incident-ops gate publish"
        raise Incomplete(f"the repository has no {GATE_FILE} on branch {GATE_BRANCH}", where=remote.url, hint=hint)
    head = remote.head()
    if head is None:
        raise Incomplete("the repository does not tell its HEAD", where=remote.url)
    return content, head


def scratch_clone(folder: Path, url: str, token: str, server: str) -> Remote:
    """An empty clone in `folder` whose remote is `url`; nothing is fetched yet. UserError for another protocol."""
    for words in (("init", "--quiet"), ("remote", "add", "origin", url)):
        done = run(["git", *SETTINGS, "-C", str(folder), *words], quiet_environment(), _GIT_SECONDS)
        if done.code != 0:
            raise WriteFailed("git could not make a folder to read into", where=str(folder))
    git = Git.around(folder)
    if git is None:
        raise Incomplete("git cannot be run", hint="install git")
    return Remote.of(git, token=token, server=server)


def fetch(url: str, seconds: float = LONGEST) -> bytes:
    """The bytes at an https address, at most 2 MiB of them, within `seconds`; redirects are not followed.

    UserError for another protocol (http to this machine is taken). Incomplete for anything but a whole answer of 200;
    the address is named without its query, which may hold a key.
    """
    parts = urlsplit(url)
    where = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    if not is_https_or_local(url):
        raise UserError("gate.json is read over https only", where=where, hint="--records https://...")
    try:
        answer = exchange("GET", url, seconds=seconds)
    except NoAnswer as error:
        raise Incomplete(str(error), where=where, hint=_HINT) from None
    if answer.status != 200:
        raise Incomplete(f"the server answered {answer.status}", where=where, hint=_HINT)
    return answer.body
