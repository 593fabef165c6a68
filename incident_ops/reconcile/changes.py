"""What a plan is made of: changes, what is kept, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from incident_ops.model import edit as record
from incident_ops.model.observed import Edit, Issue, Label

CREATE, UPDATE, CLOSE, REOPEN, EDIT = "create", "update", "close", "reopen", "edit"
LABEL, ASSIGNEE, PROPOSAL = "label", "assignee", "proposal"
"""Kinds beside those of issues."""

_TURN = {REOPEN: 1, UPDATE: 1, CREATE: 2, EDIT: 3, CLOSE: 4}


class Change(NamedTuple):
    """One step on the tracker, or on a record (EDIT).

    `number` and `seen` (the issue the step was planned against) are None for a create; of an EDIT, `number` is the
    issue it follows from. `parent` is the key whose issue becomes the parent, `comment` what is said before closing.
    A create of kind LABEL has `label` and nothing else; an EDIT has the `path` of the record and its `edits`.
    """

    action: str
    kind: str
    key: str
    number: int | None
    reason: str
    edit: Edit = Edit()
    state_reason: str | None = None
    seen: Issue | None = None
    parent: str | None = None
    comment: str | None = None
    label: Label | None = None
    path: str | None = None
    edits: tuple[record.Edit, ...] = ()

    @property
    def fields(self) -> dict[str, object]:
        """What will be set, by the tracker's names or, of an EDIT, by the record's; JSON-like."""
        out: dict[str, Any] = {
            "title": self.edit.title,
            "labels": self.edit.labels,
            "assignees": self.edit.assignees,
            "parent": self.parent,
            "state_reason": self.state_reason,
            "comment": self.comment,
            "body": self.edit.body,
            "record": self.path,
        }
        if self.label:
            out |= {"color": self.label.color, "description": self.label.description}
        out |= {str(one.route[-1]): one.value for one in self.edits}
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in out.items() if value is not None
        }

    @property
    def turn(self) -> int:
        """Its place in a run: labels, then what people look at, then what is new, then records, then closes."""
        return 0 if self.kind == LABEL else _TURN[self.action]


class Kept(NamedTuple):
    """A key about which nothing is done, and why; `number` None where it has no issue."""

    key: str
    kind: str
    number: int | None
    reason: str


class LeftAlone(NamedTuple):
    """A record that could not be used, and the numbers of its issues, which stay as they are."""

    path: str
    reason: str
    numbers: tuple[int, ...]


class Verdict(NamedTuple):
    """What is to be done about one key, and what is not."""

    changes: tuple[Change, ...] = ()
    kept: tuple[Kept, ...] = ()


def joined(verdicts: Iterable[Verdict]) -> Verdict:
    """Many as one, in order."""
    parts = list(verdicts)
    return Verdict(
        tuple(one for part in parts for one in part.changes), tuple(one for part in parts for one in part.kept)
    )
