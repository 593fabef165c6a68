"""What a plan is made of: changes, what is left unchanged and why, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from incident_ops.domain import record
from incident_ops.domain.issue_places import spell_issue
from incident_ops.domain.tracker import Issue, IssueEdit, Label, Milestone

CREATE, UPDATE, CLOSE, REOPEN, EDIT, NOTIFY = "create", "update", "close", "reopen", "edit", "notify"
LABEL, MILESTONE, ASSIGNEE, PROPOSAL = "label", "milestone", "assignee", "proposal"
"""Kinds beside those of issues."""

NUMBERS, PEOPLE, AUTOMATION, DOCUMENTS = "numbers", "people", "automation", "documents"
POSTMORTEM = "postmortem"
"""Topics of edits: the numbers of issues, what people did on issues, what the clock brought, the documents beside
records, and a postmortem that is to be begun. Each is proposed apart."""

_TURN = {REOPEN: 1, UPDATE: 1, CREATE: 2, EDIT: 3, CLOSE: 4, NOTIFY: 5}
_OF_THE_MOMENT = ("subject", "words", "timeline", "noticed_at")
"""Fields that depend on when a run looked: a minute later the same is to be done, and the checksum is the same."""

_DEEP = 3  # parts of a route up to which the last one is enough: `action_items`, a place, a field


class NoticeDetails(NamedTuple):
    """Who is notified, on which channels, of what; `held` says why it is only planned ("" = it is sent).

    `words` is the text below the subject, of one or more lines; "" where there is none.
    """

    audience: str
    recipient: str
    channels: tuple[str, ...]
    subject: str
    is_urgent: bool
    held: str = ""
    words: str = ""


class PlannedChange(NamedTuple):
    """One step on the tracker, or on a record (EDIT).

    `number` and `seen` (the issue the step was planned against) are None for a create; of an EDIT, `number` is the
    issue it follows from. `parent` is the key whose issue becomes the parent, `comment` what is written there first.
    A create of kind LABEL has `label` and nothing else, one of kind MILESTONE `milestone`; an EDIT has the `path` of
    the record, its `edits`, their `topic`, and `at` (text) where it is known when they were asked for; one of kind
    PROPOSAL has none of them, and the branch as its key. A NOTIFY has `notice` and the notice's key. `said` is what our
    comment on the issue says of it, "" where that says nothing of it. `repository` is that of the issue, "" = the
    one with the tracking issues. `naming` are the texts, by key, with a place for the number that a create gets.
    """

    action: str
    kind: str
    key: str
    number: int | None
    reason: str
    edit: IssueEdit = IssueEdit()
    state_reason: str | None = None
    seen: Issue | None = None
    parent: str | None = None
    comment: str | None = None
    label: Label | None = None
    milestone: Milestone | None = None
    path: str | None = None
    edits: tuple[record.Edit, ...] = ()
    topic: str = ""
    at: str | None = None
    notice: NoticeDetails | None = None
    said: str = ""
    repository: str = ""
    naming: tuple[tuple[str, str], ...] = ()

    @property
    def issue_name(self) -> str:
        """`#12`, or `acme/app#12` of another repository; "" where there is no issue."""
        return "" if self.number is None else spell_issue(self.number, self.repository)

    @property
    def is_on_tracker(self) -> bool:
        """True for a step on the tracker; False for an edit of a record and a notice."""
        return self.action not in (EDIT, NOTIFY)

    @property
    def opens_issue(self) -> bool:
        """True for a new issue; a new label or milestone is none."""
        return self.action == CREATE and self.kind not in (LABEL, MILESTONE)

    @property
    def fields(self) -> dict[str, object]:
        """What will be set, by the tracker's names or, of an EDIT, by the record's; JSON-like."""
        out: dict[str, Any] = {
            "title": self.edit.title,
            "labels": self.edit.labels,
            "assignees": self.edit.assignees,
            "add_labels": self.edit.add_labels,
            "remove_labels": self.edit.remove_labels,
            "add_assignees": self.edit.add_assignees,
            "remove_assignees": self.edit.remove_assignees,
            "milestone": self.edit.milestone,
            "parent": self.parent,
            "state_reason": self.state_reason,
            "comment": self.comment,
            "body": self.edit.body,
            "record": self.path,
        }
        if self.label:
            out |= {"color": self.label.color, "description": self.label.description}
        if self.milestone:
            out |= {"due": self.milestone.due}
        if self.notice:
            out |= {"audience": self.notice.audience, "recipient": self.notice.recipient}
            out |= {"channels": self.notice.channels, "subject": self.notice.subject}
            out |= {"words": self.notice.words or None, "held": self.notice.held or None}
        out |= {_field(edit.route): edit.value for edit in self.edits if not isinstance(edit, record.Remove)}
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in out.items() if value is not None
        }

    @property
    def bound(self) -> dict[str, object]:
        """What the checksum of a plan holds of `fields`: all but what depends on when a run looked."""
        lasting = {name: value for name, value in self.fields.items() if name not in _OF_THE_MOMENT}
        if self.repository:
            lasting["repository"] = self.repository
        return {
            name: {key: part for key, part in value.items() if key not in _OF_THE_MOMENT}
            if isinstance(value, dict)
            else value
            for name, value in lasting.items()
        }

    @property
    def turn(self) -> int:
        """Its place in a run: pages that cannot wait, labels and milestones, what people look at, what is new, records,
        closes, the rest of the notices."""
        if self.notice and self.notice.is_urgent:
            return -1
        return 0 if self.kind in (LABEL, MILESTONE) else _TURN[self.action]


def _field(route: record.Route) -> str:
    """What an edit sets, within what its key names; deep in a record by the whole route, which alone tells it apart."""
    return str(route[-1]) if len(route) <= _DEEP else ".".join(map(str, route))


class Kept(NamedTuple):
    """A key that is left unchanged, and why; `number` None where it has no issue.

    `said` is what our comment on the issue says of it and of the way on, "" where that says nothing of it;
    `repository` as of a change.
    """

    key: str
    kind: str
    number: int | None
    reason: str
    said: str = ""
    repository: str = ""

    @property
    def name(self) -> str:
        """The key, and its issue where it has one."""
        return self.key if self.number is None else f"{self.key} {spell_issue(self.number, self.repository)}"


class LeftAlone(NamedTuple):
    """A record that could not be used, or a repository that did not answer (`path` is its name), and the numbers of its
    issues, which stay as they are."""

    path: str
    reason: str
    numbers: tuple[int, ...]


class KeyDecision(NamedTuple):
    """What is to be done about one key, and what is not."""

    changes: tuple[PlannedChange, ...] = ()
    kept: tuple[Kept, ...] = ()


def located(decision: KeyDecision, repository: str) -> KeyDecision:
    """A decision about issues in another repository."""
    if not repository:
        return decision
    return KeyDecision(
        tuple(change._replace(repository=repository) for change in decision.changes),
        tuple(kept._replace(repository=repository) for kept in decision.kept),
    )


def join_decisions(decisions: Iterable[KeyDecision]) -> KeyDecision:
    """Many as one, in order."""
    parts = list(decisions)
    return KeyDecision(
        tuple(change for part in parts for change in part.changes), tuple(kept for part in parts for kept in part.kept)
    )
