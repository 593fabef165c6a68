"""What became of a record that a person sends, and what waits to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

DECLARE_BRANCHES, EDIT_BRANCHES = "incident-ops/declare/", "incident-ops/edit/"
"""What the branches of people's records begin with: those that are not merged yet, and edits of those that are."""
ONCALL_BRANCHES = "incident-ops/oncall/"
"""The same of swaps in schedules."""
FREEZE_BRANCHES = "incident-ops/freeze/"
"""The same of freezes."""


class PullAddress(NamedTuple):
    """A pull request: its number, its address, and whether it was opened now."""

    number: int
    url: str
    is_new: bool


@dataclass(frozen=True)
class SentRecord:
    """What became of a record that was to be sent.

    `is_sent`: its last commit is on the remote. `is_new`: something was sent now. `branch` and `commit` are "" where
    none was made; `onto` is the branch it should be merged into. `pull` is its pull request, `open_at` the address at
    which a person opens it. `problem` says why something is left to do, `has_others` that it was joined with what
    others sent. `is_merged`: the default branch says all of it already. `is_ahead`: the commit goes on the tip of
    `onto`, so that git can push it there. `is_here`: the checkout has it.
    """

    incident: str
    path: str
    branch: str = ""
    commit: str = ""
    onto: str = ""
    is_sent: bool = False
    is_new: bool = False
    pull: PullAddress | None = None
    open_at: str = ""
    problem: str = ""
    has_others: bool = False
    is_merged: bool = False
    is_ahead: bool = False
    is_here: bool = False

    @property
    def exit_code(self) -> int:
        """4 where something is left to do that was asked for, else 0."""
        return 4 if self.problem else 0


@dataclass(frozen=True)
class WaitingRecord:
    """A record that waits to be sent, and why; `commit` is the one that waits on its branch, "" where none does."""

    incident: str
    path: str
    branch: str
    commit: str
    why: str
    is_gone: bool = False
