"""Action items: added, started, done, dropped (R189-R192)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from incident_ops.domain.incident import ActionItem, Incident
from incident_ops.domain.item_due import item_due
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Append, Edit, Set
from incident_ops.domain.time import stamp
from incident_ops.edits.step import Step, given_fields, quote, state_words
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean

ITEM_KINDS = ("preventative", "detective", "corrective", "runbook", "documentation")
HORIZONS = ("short", "medium", "long")


@dataclass(frozen=True, slots=True)
class NewItem:
    """A new action item; `due` is a date."""

    title: str
    owner: str | None = None
    due: str | None = None
    priority: str | None = None
    kind: str | None = None
    horizon: str | None = None


def add_item(incident: Incident, policy: Policy, now: datetime, item: NewItem) -> Step:
    """Appends an item under the next free id; an id that is in the record is never reused."""
    number = max((int(one.id.removeprefix("AI-")) for one in incident.action_items), default=0) + 1
    fields = given_fields(
        id=f"AI-{number}",
        title=item.title,
        owner=item.owner,
        due=item.due,
        priority=item.priority,
        kind=item.kind,
        status="open",
        horizon=item.horizon,
        added=stamp(now),
    )
    due = item_due(ActionItem(**fields), incident, policy)
    until = f", due {due}" if due is not None else ""
    return Step(
        (Append(("action_items",), fields),),
        (f"AI-{number} added: {quote(item.title)}{until}",),
        tuple(_doubts(incident, policy, f"AI-{number}", item, has_due=due is not None)),
    )


def _doubts(incident: Incident, policy: Policy, item_id: str, item: NewItem, *, has_due: bool) -> Iterator[str]:
    lacks = ["owner"] * (item.owner is None) + ["due date"] * (not has_due)
    if lacks:
        yield f"{item_id} has no {' and no '.join(lacks)}: it will be forgotten"
    if (listed := policy.action_items.priorities) and item.priority not in (None, *listed):
        yield f"{item.priority} is not a priority of the policy: {', '.join(listed)}"
    for other in incident.action_items:
        if other.title.casefold() == item.title.casefold():
            yield f"{other.id} has the same title and is {state_words(other.status)}"


def start_item(incident: Incident, item_id: str) -> Step:
    """Sets an open item to in progress."""
    index, item = _find(incident, item_id)
    if item.status == "in_progress":
        return Step((), (f"{item.id} was in progress already; nothing changed",))
    _must_be_open(incident, item, "started")
    return Step((Set(("action_items", index, "status"), "in_progress"),), (f"{item.id} started: {quote(item.title)}",))


def finish_item(
    incident: Incident, now: datetime, by: str | None, item_id: str, evidence: str | None, at: str | None
) -> Step:
    """Sets an item to done at `at` (a date, an instant or `unknown`; None = now), with a link to the evidence."""
    index, item = _find(incident, item_id)
    if item.status == "done":
        return Step((), (f"{item.id} was done already ({item.done_at or 'no date'}); nothing changed",))
    _must_be_open(incident, item, "done")
    fields = given_fields(status="done", done_at=at or stamp(now), done_by=by, evidence=evidence)
    return Step(_set(index, fields), (f"{item.id} done: {quote(item.title)}",))


def drop_item(incident: Incident, item_id: str, reason: str) -> Step:
    """Sets an item to wont_do, with the reason for those who asked for it."""
    index, item = _find(incident, item_id)
    _must_be_open(incident, item, "dropped")
    edits = _set(index, {"status": "wont_do", "reason": reason})
    return Step(edits, (f"{item.id} dropped: {quote(item.title)}",))


def _set(index: int, fields: dict[str, str]) -> tuple[Edit, ...]:
    return tuple(Set(("action_items", index, name), value) for name, value in fields.items())


def _find(incident: Incident, item_id: str) -> tuple[int, ActionItem]:
    wanted = item_id.upper()
    for index, item in enumerate(incident.action_items):
        if item.id in (wanted, f"AI-{wanted}"):
            return index, item
    hint = did_you_mean(item_id, [item.id for item in incident.action_items]) or "it has no action items"
    raise UserError(f"{incident.id} has no action item {item_id}", hint=hint)


def _must_be_open(incident: Incident, item: ActionItem, wanted: str) -> None:
    if not item.is_open:
        hint = f'write a new one: `incident-ops action add "..." {incident.id}`'
        said_of = "done" if item.status == "done" else state_words("will_not_be_done")
        raise UserError(f"{item.id} cannot be {wanted}: it is closed ({said_of})", hint=hint)
