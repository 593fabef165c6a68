"""The next commit of a branch on which a record is sent: what it stands on, and the record that it holds.

Nothing of others is lost: every commit that the branch has on the remote stays below the new one, and the records are
joined as git's merge driver joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from incident_ops.adapters.git_outgoing import OutgoingBranches
from incident_ops.app.merge import joined_texts
from incident_ops.documents.document_mark import DOCUMENT_NAMES, is_as_rendered
from incident_ops.errors import UserError


class BranchState(NamedTuple):
    """A branch as it is: the `tip` of the default branch, the commit on the remote (`theirs`) and in this clone
    (`mine`, None where all of it is sent)."""

    branch: str
    tip: str
    theirs: str | None
    mine: str | None


class JoinedRecord(NamedTuple):
    """`text` is what the branch should hold, `before` what stands there, `began` what the work tree's began from;
    `parents` is what the commit goes on, `base` the commit whose other files it keeps; `merged` is the record of the
    default branch."""

    text: bytes
    began: bytes | None
    before: bytes | None
    parents: tuple[str, ...]
    base: str
    merged: bytes | None


class RecordJoiner:
    """Joins versions of the record at `path` (from the folder of records)."""

    def __init__(self, outgoing: OutgoingBranches, path: str) -> None:
        self._outgoing, self._path = outgoing, path
        self._git, self._objects = outgoing.git, outgoing.objects

    def join(self, state: BranchState, ours: bytes, base_of: Callable[[str], bytes | None]) -> JoinedRecord:
        """What the work tree says (`ours`) joined with what stands on the branch.

        `base_of` is given the commit that the branch goes on, and tells what `ours` began from. UserError where the two
        cannot be joined.
        """
        heads = self._heads(state)
        there = self._read(heads[0])
        for head in heads[1:]:
            shared = self._objects.merge_base(heads[0], head)
            there = self._joined(self._read(shared) if shared else None, there, head)
        began = base_of(heads[0])
        if began is None and heads == (state.mine,):
            began = there
        # what is sent already comes first: entries of the same second then follow each other on every side alike
        text = self._joined(began, there, heads[0], ours) or ours
        base = state.tip if state.tip in heads else heads[0]
        return JoinedRecord(text, began, there, heads, base, self._read(state.tip))

    def _heads(self, state: BranchState) -> tuple[str, ...]:
        """What the next commit goes on, its own branch first; with the default branch where that moved on."""
        tip, theirs, mine = state.tip, state.theirs, state.mine
        descends = self._objects.descends
        heads = [theirs] if theirs and not descends(tip, theirs) else []
        if mine and not any(descends(head, mine) for head in (*heads, tip)):
            heads = [*(head for head in heads if not descends(mine, head)), mine]
        if not heads:
            return (tip,)
        if mine in heads:
            self._demand_own(state, [tip, *([theirs] if theirs else [])])
        must_join = theirs is not None and not any(descends(head, theirs) for head in heads)
        if must_join or (self._moved_on(heads[0], tip) and not self._others(heads, tip)):
            heads.append(tip)
        base = tip if tip in heads else heads[0]
        if others := self._others([head for head in heads if head != base], base):
            hint = f"join them by hand: git switch {state.branch} && git pull --no-rebase && git push"
            what = f"branch {state.branch} has changes of other files as well ({sorted(others)[0]})"
            raise UserError(f"{what}, and it moved on elsewhere", hint=hint)
        return tuple(heads)

    def _demand_own(self, state: BranchState, known: Sequence[str]) -> None:
        """UserError where a branch of this clone holds commits of other files, which a person made there."""
        folder = f"{self._git.prefix}{self._path.rpartition('/')[0]}/"
        touched = self._outgoing.paths_new_in(state.mine or "", known)
        if others := sorted(path for path in touched if not path.startswith(folder)):
            named = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
            hint = f"only the record is sent; keep them on a branch of another name: git branch -m {state.branch} NAME"
            raise UserError(f"branch {state.branch} of this clone holds other files as well ({named})", hint=hint)

    def _moved_on(self, head: str, tip: str) -> bool:
        """True where the default branch says something else of the record than where a commit left it."""
        if self._objects.descends(head, tip):
            return False
        shared = self._objects.merge_base(head, tip)
        return bool(shared) and self._read(shared) != self._read(tip)

    def _others(self, heads: Sequence[str], base: str) -> set[str]:
        """The files that commits change beside the record, seen from `base`."""
        found: set[str] = set()
        for head in heads:
            shared = self._objects.merge_base(head, base)
            found |= self._outgoing.paths_between(shared, head) if shared else set()
        folder = self._path.rpartition("/")[0]
        documents = (f"{folder}/{name}" for name in DOCUMENT_NAMES)
        rendered = [path for path in documents if all(self._is_rendered(head, path) for head in heads)]
        return found - {f"{self._git.prefix}{path}" for path in (self._path, *rendered)}

    def _is_rendered(self, commit: str, path: str) -> bool:
        """True for a document without a word of people, and where there is none: it is made anew from the record."""
        content = self._git.read_path(commit, path)
        return content is None or is_as_rendered(content)

    def _read(self, commit: str) -> bytes | None:
        return self._git.read_path(commit, self._path)

    def _joined(self, base: bytes | None, ours: bytes | None, commit: str, theirs: bytes | None = None) -> bytes | None:
        """Ours and theirs as one: those of a commit, unless `theirs` is that with more joined to it."""
        theirs = theirs if theirs is not None else self._read(commit)
        if ours == theirs or theirs is None:
            return ours
        if ours is None:
            return theirs
        if base is None:
            hint = self._git.shallow_hint() or "fetch, and take what the remote has before you edit: git pull"
            raise UserError("the remote has another record of this id", hint=hint, where=self._path)
        hint = f"see what differs: git diff {commit[:12]} -- {self._path}; say the same in yours, then send it again"
        return joined_texts(self._path, base, ours, theirs, hint)
