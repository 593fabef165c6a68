"""The branches of a remote that the automation keeps: the lock on creating issues, the ledger, gate.json.

The lock is a branch that only one run can make. In the ledger whoever pushes a claim first has it. gate.json is read
from an address, too, and whole records of another repository for one check. Edits of records: `git_proposals`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from incident_ops.adapters.git import SETTINGS, Git, Objects, quiet_environment
from incident_ops.adapters.git_proposals import ChangedFile, CommitMaker, bring_signed
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
from incident_ops.domain.run_reports import RunReports, add_sent, parse_reports, write_reports
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.errors import Incomplete, UserError, WriteFailed
from incident_ops.extras import demand

LOCK_BRANCH = "incident-ops/lock"
_LOCK_FILE = "lock.json"
_LONGEST_LOCK = timedelta(days=1)
_LEDGER_FILE, _RUNS_FILE = "ledger", "runs"


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

    def known(self) -> KnownLedger:
        """The ledger with what runs say of themselves; None of it where nobody ever claimed."""
        seen = self._remote.tip(LEDGER_BRANCH)
        return KnownLedger({}, RunReports()) if seen is None else _known_at(self._remote.objects, seen)

    def mark_complete(self, now: datetime) -> None:
        """Notes that a run has ended that did all that was due."""
        objects, message = self._remote.objects, "A complete run of incident-ops"

        def decide(seen: str | None) -> Move[None] | Stay[None]:
            runs = parse_reports(objects.content(seen, _RUNS_FILE) if seen else None)
            files = {
                _LEDGER_FILE: serialise(self._at(seen)),
                _RUNS_FILE: write_reports(runs._replace(complete=stamp(now))),
            }
            return Move(objects.commit(objects.files_tree(files), (seen,) if seen else (), message, now), None)

        compare_and_set(self._remote, LEDGER_BRANCH, decide, "the run is not noted as complete")

    def _change(self, change: Callable[[Ledger], Claim], now: datetime, failed: str) -> Claim:
        objects = self._remote.objects
        # two runs that claim the same at the same instant must not make the same commit
        message = f"Ledger of incident-ops\n\nrun: {secrets.token_hex(8)}"

        def decide(seen: str | None) -> Move[Claim] | Stay[Claim]:
            before = self._at(seen)
            made = change(before)
            if made.ledger == before:
                return Stay(made)
            runs = parse_reports(objects.content(seen, _RUNS_FILE) if seen else None)
            runs = add_sent(runs, before, made.ledger, now)
            files = {_LEDGER_FILE: serialise(compact(made.ledger, now)), _RUNS_FILE: write_reports(runs)}
            tree = objects.files_tree(files)
            return Move(objects.commit(tree, (seen,) if seen else (), message, now), made)

        return compare_and_set(self._remote, LEDGER_BRANCH, decide, failed)

    def _at(self, commit: str | None) -> Ledger:
        return {} if commit is None else _ledger_at(self._remote.objects, commit)


class KnownLedger(NamedTuple):
    """The ledger at some commit, and what runs say of themselves there; `at` is when it was written (None: now)."""

    ledger: Ledger
    reports: RunReports
    at: datetime | None = None


def fetched_ledger(git: Git) -> KnownLedger | None:
    """The remote's ledger as the last `git fetch` of this clone brought it; None where it did not. Incomplete where it
    cannot be read."""
    try:
        commit = git.resolve(f"refs/remotes/origin/{LEDGER_BRANCH}")
    except UserError:
        return None
    return _known_at(Objects(git), commit)._replace(at=git.committed_at(commit))


def _known_at(objects: Objects, commit: str) -> KnownLedger:
    return KnownLedger(_ledger_at(objects, commit), parse_reports(objects.content(commit, _RUNS_FILE)))


def _ledger_at(objects: Objects, commit: str) -> Ledger:
    content = objects.content(commit, _LEDGER_FILE)
    if content is None:
        hint = f"its history shows who took it out: git log origin/{LEDGER_BRANCH}"
        raise Incomplete(f"branch {LEDGER_BRANCH} has no file {_LEDGER_FILE!r}", hint=hint, where=LEDGER_BRANCH)
    return parse_ledger(content)


class RefLock:
    """A lock on a remote. It ends by itself, so that a run that was killed stops nobody for long."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def take(
        self, now: datetime, holder: str, seconds: int = 900, *, run: str = "", over: str = ""
    ) -> Lease | LockHolder:
        """Takes the lock for `seconds`, or tells who has it. `now` is the real time, whatever instant a run looks at.

        `run` is our run of Actions, `over` one that is known to have ended. A lock that has expired, is held by a run
        that is over, or cannot be understood, is taken over. WriteFailed where the remote refuses,
        Incomplete where it cannot be read, Ambiguous where its answer was lost.
        """
        lasting = timedelta(seconds=seconds)
        if not timedelta(0) < lasting <= _LONGEST_LOCK:
            raise UserError(f"a lock cannot last {seconds} s", hint="between 1 second and a day")
        objects, until = self._remote.objects, now + lasting
        # the nonce keeps two runs of the same holder at the same instant from making the same commit
        content = {"holder": holder, "nonce": secrets.token_hex(8), "taken": stamp(now), "until": stamp(until)}
        content |= {"run": run} if run else {}
        tree = objects.file_tree(_LOCK_FILE, json.dumps(content).encode())

        def decide(seen: str | None) -> Move[Lease | LockHolder] | Stay[Lease | LockHolder]:
            held = self._held(seen, now) if seen is not None else None
            if held is not None and not (over and held.run == over):
                return Stay(held)
            commit = objects.commit(tree, (seen,) if seen else (), "Lock of incident-ops", now)
            return Move(commit, Lease(commit, until), lambda other: Lease(other, until))

        return compare_and_set(self._remote, LOCK_BRANCH, decide, "the lock was not taken")

    def release(self, lease: Lease) -> bool:
        """Releases the lock; False, and nothing is changed, if somebody else holds it by now. WriteFailed as `take`."""

        def decide(seen: str | None) -> Move[bool] | Stay[bool]:
            return Move(None, True) if seen == lease.commit else Stay(False)

        return compare_and_set(self._remote, LOCK_BRANCH, decide, "the lock was not released; it expires by itself")

    def _held(self, commit: str, now: datetime) -> LockHolder | None:
        try:
            content = json.loads(self._remote.objects.content(commit, _LOCK_FILE) or b"")
            held = LockHolder(
                one_line(str(content["holder"]), 100), parse_instant(content["until"]), str(content.get("run", ""))
            )
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return held if now < held.until <= now + _LONGEST_LOCK else None


GATE_BRANCH, GATE_FILE = "incident-ops/public", "gate.json"
_GIT_SECONDS = 10.0
_HINT = "check the address and the network; or read the records: --records URL@GATE_BRANCH"


def publish_gate(
    remote: Remote, content: bytes, now: datetime, keeps: Callable[[bytes], bool], maker: CommitMaker | None = None
) -> bool:
    """Puts gate.json on its branch, which holds nothing else and only moves forward; False where theirs is kept.

    `keeps` tells of what is there already whether it stays: it is as new. `maker` makes the commit where it can sign
    it. Raises WriteFailed or Ambiguous where it cannot be put there, Incomplete where the branch cannot be read.
    """
    objects, message = remote.objects, "What holds deploys\n\nby incident-ops"

    @cache
    def made(parent: str) -> str:
        tree, file = objects.file_tree(GATE_FILE, content), ChangedFile(GATE_FILE, "100644", content)
        signed = maker.signed("", tree, [file], parent, message) if maker else ""
        parents = (parent,) if parent else ()
        return bring_signed(remote, signed, tree, parents) or objects.commit(tree, parents, message, now)

    def decide(seen: str | None) -> Move[bool] | Stay[bool]:
        theirs = objects.content(seen, GATE_FILE) if seen is not None else None
        if theirs is not None and keeps(theirs):
            return Stay(False)
        return Move(made(seen or ""), True)

    return compare_and_set(remote, GATE_BRANCH, decide, "gate.json was not published")


def published(remote: Remote) -> bytes | None:
    """gate.json as it lies on its branch; None where there is none. Incomplete where that cannot be read."""
    seen = remote.tip(GATE_BRANCH)
    return remote.objects.content(seen, GATE_FILE) if seen is not None else None


class PublishedFile(NamedTuple):
    """gate.json as it lies on its branch, the commit that put it there, and the one that the repository's HEAD is at.

    `is_alone` False where the commit holds something else as well, which none of ours does.
    """

    content: bytes
    commit: str
    head: str
    is_alone: bool


def read_branch(remote: Remote) -> PublishedFile:
    """gate.json of a repository. Incomplete where it or the repository's HEAD cannot be read."""
    commit = remote.tip(GATE_BRANCH)
    content = remote.objects.content(commit, GATE_FILE) if commit is not None else None
    if commit is None or content is None:
        hint = "its reconcile workflow publishes it: incident-ops gate publish"
        raise Incomplete(f"the repository has no {GATE_FILE} on branch {GATE_BRANCH}", where=remote.url, hint=hint)
    head = remote.head()
    if head is None:
        raise Incomplete("the repository does not report its HEAD", where=remote.url)
    is_alone = [one.path for one in remote.git.tree(commit)] == [GATE_FILE]
    return PublishedFile(content, commit, head, is_alone)


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
    demand("github", "an address in --records", "requests")
    try:
        answer = exchange("GET", url, seconds=seconds)
    except NoAnswer as error:
        raise Incomplete(str(error), where=where, hint=_HINT) from None
    if answer.status != 200:
        raise Incomplete(f"the server answered {answer.status}", where=where, hint=_HINT)
    return answer.body
