"""The errors a person can meet, and the exit code each ends with (docs/contract.md#exit-codes).

    IncidentOpsError
    |-- UserError          2   usage or configuration: the person at the keyboard can fix it
    |   `-- NotSetUp           a channel has no address, key or token yet
    |-- Incomplete         4   a read that did not finish: it proves nothing
    |-- WriteFailed        4   a write that was refused by the system: nothing was changed
    |-- Ambiguous          4   a write that may or may not have happened: the next run checks
    |-- Unusable           3   (domain.fence) the values of a record break a calculation
    |-- Stopped            5   a safety limit: nothing is wrong, work remains
    `-- PlanChanged        6   the plan is out of date: plan again

Every other exception is a crash of ours and ends with 70 (`cli/main.py`), which nothing else does.

Findings about records are data (`incident_ops.findings`), never exceptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class IncidentOpsError(Exception):
    """Base of every error that is shown to a person without a traceback.

    `message` says what is wrong, `where` (optional) the file or position, `hint` (optional) how to fix it, `lines`
    (optional) what there is to choose from.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, *, hint: str = "", where: str = "", lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        self.lines = tuple(lines)

    def __str__(self) -> str:
        """One line: where, what, how to fix it."""
        place = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{hint}"


class UserError(IncidentOpsError):
    """The command line, the policy or the repository cannot be used as it is."""

    exit_code = 2


class NotSetUp(UserError):
    """A channel's variable is not set: nothing is sent there, nothing claimed, and a run says so once."""

    def __init__(self, channel: str, variable: str, hint: str) -> None:
        super().__init__(f"channel {channel} is not set up: set {variable}", hint=hint)
        self.channel, self.variable = channel, variable


class Incomplete(IncidentOpsError):
    """A read did not finish; it must never look like "nothing is there"."""


class WriteFailed(IncidentOpsError):
    """The system refused a write (permission, full disk, lock); what was there before is untouched.

    `is_final` where every other write would fail in the same way: no permission, no room.
    """

    def __init__(self, message: str, *, hint: str = "", where: str = "", is_final: bool = False) -> None:
        super().__init__(message, hint=hint, where=where)
        self.is_final = is_final


class NoIssueYet(WriteFailed):
    """A comment waits for the issue of its incident: the run that opens it writes both."""

    def __init__(self, incident: str) -> None:
        super().__init__(f"{incident} has no issue yet; the run that opens it writes the comment")


class Ambiguous(IncidentOpsError):
    """A write was sent and its answer lost; it is not sent again before a complete read has shown what came of it."""


class Stopped(IncidentOpsError):
    """A limit of this run is reached; what was done stays done, and the next run continues."""

    exit_code = 5


class PlanChanged(IncidentOpsError):
    """The current state needs another plan than the one to be applied; nothing was done."""

    exit_code = 6
