"""Edits of records on a remote: proposed on branches of ours, one commit each, or committed on the default branch.

The commit is made here, or by whoever hosts the remote, who signs it. Either way git moves the branch, and only from
where it was seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple, Protocol

from incident_ops.adapters.git import BOT, Identity
from incident_ops.adapters.git_log import Log
from incident_ops.adapters.git_remote import Move, Remote, Stay, compare_and_set
from incident_ops.errors import UserError, WriteFailed

PUSHED, SAME, DELETED, NOTHING, PEOPLES = "pushed", "same", "deleted", "nothing", "people's"

Files = Mapping[str, bytes | None]
Read = Callable[[str], bytes | None]

_NONE = "000000"  # git's mode of a file that is not there
_TRAILER = "Incident-Ops-Proposal: 1"
_EDITS = "Incident-Ops-Edits: "


class ChangedFile(NamedTuple):
    """A file as it is to be: path from the top of the repository, git's mode, bytes (None: it is taken out)."""

    path: str
    mode: str
    content: bytes | None


class CommitMaker(Protocol):
    """Whoever hosts the remote and makes commits there that it signs, on no branch."""

    def signed(self, base_tree: str, tree: str, changed: Sequence[ChangedFile], parent: str, message: str) -> str:
        """A signed commit of `tree`, which is `base_tree` with these files -> its id, "" where it signs none for us.

        An empty `base_tree` has no files, and without a `parent` it is the first commit of a history.
        """


def bring_signed(remote: Remote, commit: str, tree: str, parents: tuple[str, ...]) -> str:
    """The same commit ("" stays), fetched from the host that made it. WriteFailed where it is another one."""
    if commit:
        remote.bring(commit)
        if (remote.objects.tree_of(commit), remote.objects.parents(commit)) != (tree, parents):
            hint = "nothing was moved; the next run tries again"
            raise WriteFailed(f"commit {commit[:12]} of {remote.name} is not what was asked for", hint=hint)
    return commit


class SeenBranch(NamedTuple):
    """A branch of ours as it is: its commit, and by path the bytes of each file before and after (None: not there).

    `holds` are the words that it was proposed with; `is_ours` False where somebody's own commit is on it.
    """

    branch: str
    commit: str
    files: Mapping[str, tuple[bytes | None, bytes | None]]
    holds: tuple[str, ...]
    is_ours: bool


class Proposed(NamedTuple):
    """What became of a proposal, and the commit that holds it ("" where none does).

    PUSHED; SAME: it was there already; DELETED: nothing differs any more and the branch is gone; NOTHING: nothing
    differs, and no branch was there; PEOPLES: somebody's own commit is on the branch, which is left as it is.
    """

    outcome: str
    commit: str = ""


class Proposals:
    """Edits as commits on a remote. Paths are relative to the records' folder; None takes a file out.

    `maker` makes the commits where it can sign them; the others are made here, by `identity`.

    Reads raise `Incomplete`, pushes `WriteFailed`, or `Ambiguous` where the answer was lost. A path that leaves the
    records' folder or is not a regular file is a `UserError`.
    """

    def __init__(self, remote: Remote, maker: CommitMaker | None = None, identity: Identity = BOT) -> None:
        self._remote = remote
        self._maker = maker
        self._objects = remote.objects
        self._identity = identity

    def propose(
        self,
        base: str,
        onto: str,
        files: Files,
        message: str,
        branch: str,
        now: datetime,
        holds: Collection[str] = (),
    ) -> Proposed:
        """Makes `branch` hold one commit on top of `base` with these files; the branch goes where nothing differs.

        The branch moves once, from the commit it is at to the finished one. `holds` are words by which the edits are
        known again. `base` is the commit that the files were made from, `onto` the remote's branch that it must be
        part of (UserError where it is not: what nobody pushed is not proposed). Files elsewhere are as at `base`.
        """
        self._check_pushed(base, onto, branch)
        tree = self._objects.changed_tree(base, files)
        differs = tree != self._objects.tree_of(base)
        trailers = [_TRAILER, *([_EDITS + " ".join(holds)] if holds else [])]

        @cache
        def new() -> str:
            return self._commit(tree, base, "\n".join([message.strip(), "", *trailers]), now)

        def decide(seen: str | None) -> Move[Proposed] | Stay[Proposed]:
            if seen is None and not differs:
                return Stay(Proposed(NOTHING))
            if seen is not None and self._our_commit(seen, base) is None:
                return Stay(Proposed(PEOPLES, seen))
            if seen is not None and differs and self._says_the_same(seen, base, tree):
                return Stay(Proposed(SAME, seen))
            return Move(new(), Proposed(PUSHED, new())) if differs else Move(None, Proposed(DELETED))

        return compare_and_set(self._remote, branch, decide, f"nothing was proposed on {branch}")

    def seen(self, base: str, names: tuple[str, ...]) -> list[SeenBranch]:
        """The branches of these names, or below one that ends in `/`, each against where it left `base`."""
        return [self._seen(name, tip, base) for name, tip in sorted(self._remote.tips(names).items())]

    def merged_since(self, since: datetime, folder: str, base: str) -> set[str]:
        """The paths below `folder` that proposals changed which were made since then and are part of `base` by now."""
        return Log(self._remote.git).changed_since(since, _TRAILER, folder, base)

    def _seen(self, branch: str, tip: str, base: str) -> SeenBranch:
        """One of them, at its commit `tip`; one that shares no history with `base` is a person's."""
        left = self._left(tip, base)
        if left is None:
            return SeenBranch(branch, tip, {}, (), is_ours=False)
        ours = self._our_commit(tip, base)
        trailers = self._objects.message(ours).split("\n") if ours else []
        holds = next((line.removeprefix(_EDITS).split() for line in trailers if line.startswith(_EDITS)), [])
        return SeenBranch(branch, tip, self._changed(left, tip), tuple(holds), is_ours=ours is not None)

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
        signed = self._signed(tree, parent, message)
        return signed or self._objects.commit(tree, (parent,), message, now, self._identity)

    def _signed(self, tree: str, parent: str, message: str) -> str:
        """The commit as the host makes it, fetched; "" where it signs none. WriteFailed where it made another one."""
        if self._maker is None:
            return ""
        before = self._objects.tree_of(parent)
        commit = self._maker.signed(before, tree, self._files(before, tree), parent, message)
        return bring_signed(self._remote, commit, tree, (parent,))

    def _files(self, old: str, new: str) -> list[ChangedFile]:
        fields = iter(os.fsdecode(self._objects.difference(old, new)).split("\0"))
        rows = [(head.split(" "), next(fields)) for head in fields if head]
        there = [blob for (_, mode, _, blob, _), _ in rows if mode != _NONE]
        content = iter(self._remote.git.read(there))
        return [
            ChangedFile(path, was.lstrip(":"), None) if mode == _NONE else ChangedFile(path, mode, next(content))
            for (was, mode, *_), path in rows
        ]

    def _reader(self, commit: str) -> Read:
        return lambda path: self._remote.git.read_path(commit, path)

    def _check_pushed(self, base: str, onto: str, branch: str) -> None:
        if branch == onto:
            raise UserError(f"a proposal cannot be the branch {onto} itself", hint="name another branch")
        tip = self._remote.tip(onto)
        if tip is None or not self._objects.descends(tip, base):
            hint = f"run it on a commit of {onto}; `git push` first where the work is yours"
            raise UserError(f"commit {base[:12]} is not on {onto} of {self._remote.name}", hint=hint)

    def _our_commit(self, tip: str, base: str) -> str | None:
        """The commit that says what a branch of ours holds, or where it meets the base; None where a person's would be
        lost. Merges of the base into the branch hold no work."""
        commit = tip
        while not self._objects.descends(base, commit):
            parents = self._objects.parents(commit)
            if len(parents) < 2:
                return commit if _TRAILER in self._objects.message(commit).split("\n") else None
            commit = parents[0]
        return commit

    def _says_the_same(self, seen: str, base: str, tree: str) -> bool:
        """True where the commit there changes the same bytes into the same: what else moved does not count."""
        parents = self._objects.parents(seen)
        if len(parents) != 1 or not self._objects.descends(base, parents[0]):
            return False
        return self._objects.difference(parents[0], seen) == self._objects.difference(base, tree)

    def _left(self, tip: str, base: str) -> str | None:
        """Where a branch left the base; in a shallow clone, where that is out of sight, what its commit stands on."""
        return self._objects.merge_base(base, tip) or next(iter(self._objects.parents(tip)), None)

    def _changed(self, old: str, new: str) -> dict[str, tuple[bytes | None, bytes | None]]:
        """By path the bytes of each file that differs, before and after, read in one go."""
        git = self._remote.git
        changed = [blob for blob in git.changed(old, new, ()) if blob.regular or not blob.id]
        there = {blob.path: blob.id for blob in git.tree(old)} if changed else {}
        sides = {blob.path: (there.get(blob.path, ""), blob.id) for blob in changed}
        ids = sorted({one for pair in sides.values() for one in pair if one})
        content = dict(zip(ids, git.read(ids), strict=True)) if ids else {}
        return {path: (content.get(before), content.get(after)) for path, (before, after) in sides.items()}
