"""Action items: added, changed, started, done, dropped (R189-R192)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from incident_ops.domain.incident import ITEM_FIELDS, ActionItem, Incident
from incident_ops.domain.item_due import item_due
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Append, Edit, Remove, Set
from incident_ops.domain.time import stamp
from incident_ops.edits.step import NO_VALUE, Step, change_row, given_fields, quote, state_words
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
    description: str | None = None
    acceptance: str | None = None


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
        description=item.description,
        acceptance=item.acceptance,
    )
    made = ActionItem(**fields)
    due = item_due(made, incident, policy)
    until = f", due {due}" if due is not None else ""
    return Step(
        (Append(("action_items",), fields),),
        (f"AI-{number} added: {quote(item.title)}{until}",),
        (*_doubts(incident, policy, made), *_passed(incident, policy, now, made)),
    )


def _doubts(incident: Incident, policy: Policy, item: ActionItem) -> Iterator[str]:
    """What should give pause about an item as it will be."""
    lacks = ["owner"] * (item.owner is None) + ["due date"] * (item_due(item, incident, policy) is None)
    if lacks:
        yield f"{item.id} has no {' and no '.join(lacks)}: it will be forgotten"
    if (listed := policy.action_items.priorities) and item.priority not in (None, *listed):
        yield f"{item.priority} is not a priority of the policy: {', '.join(listed)}"
    for other in incident.action_items:
        if other.id != item.id and other.title.casefold() == item.title.casefold():
            yield f"{other.id} has the same title and is {state_words(other.status)}"


def _passed(incident: Incident, policy: Policy, now: datetime, item: ActionItem) -> Iterator[str]:
    """That a date of its own is over, by the rule of every view."""
    due = item_due(item, incident, policy)
    if item.due and due is not None and due.days_late(now, policy):
        yield f"--due {item.due} has passed"


def edit_item(
    incident: Incident,
    policy: Policy,
    now: datetime,
    by: str | None,
    item_id: str,
    wanted: Mapping[str, str | int],
    reason: str | None = None,
) -> Step:
    """New values by field of an action item, NO_VALUE takes one away; changes of ITEM_FIELDS stay in its `changes`.

    UserError for an item that is not there, and a title that is taken away.
    """
    index, item = _find(incident, item_id)
    if wanted.get("title") == NO_VALUE:
        raise UserError(f"{item.id} needs a title", hint="write what is to be done")
    values = {name: None if typed == NO_VALUE else typed for name, typed in wanted.items()}
    changed = {name: new for name, new in values.items() if new != getattr(item, name)}
    if not changed:
        return Step((), (f"{item.id} says that already; nothing changed",))
    after = replace(item, **changed)
    edits: list[Edit] = []
    for name, new in changed.items():
        route = ("action_items", index, name)
        edits.append(Remove(route) if new is None else Set(route, new))
        if name in ITEM_FIELDS:
            old, now_is = getattr(item, name), getattr(after, name)
            edits.append(change_row(now, name, old, now_is, by, reason, route=("action_items", index, "changes")))
    is_doubted = after.is_open and not changed.keys().isdisjoint(ITEM_FIELDS)
    doubts = [*_doubts(incident, policy, after)] if is_doubted else []
    doubts += _passed(incident, policy, now, after) if is_doubted and "due" in changed else ()
    return Step(tuple(edits), tuple(_changed(incident, policy, item, after)), tuple(doubts))


def _changed(incident: Incident, policy: Policy, before: ActionItem, after: ActionItem) -> Iterator[str]:
    """A line for each value that changed; a due date as every view shows it."""
    was, is_now = (_shown(incident, policy, one) for one in (before, after))
    yield from (f"{before.id}: {name} {was[name]} -> {is_now[name]}" for name in was if was[name] != is_now[name])


def _shown(incident: Incident, policy: Policy, item: ActionItem) -> dict[str, str]:
    names = ("title", "owner", "priority", "kind", "horizon", "description", "acceptance", "issue")
    values = {name: value for name in names if (value := getattr(item, name)) is not None}
    due = item_due(item, incident, policy)
    shown = dict.fromkeys(names, "none") | {"owner": "nobody"} | {name: quote(str(one)) for name, one in values.items()}
    return {"due": str(due) if due else "none", **shown}


def set_status(
    incident: Incident, now: datetime, by: str | None, item_id: str, status: str, reason: str | None = None
) -> Step:
    """As `start_item`, `finish_item` and `drop_item`; an item that is closed can be opened again. A reason is kept.

    UserError for an item that is not there, and one that will not be done without a reason.
    """
    index, item = _find(incident, item_id)
    if item.status == status:
        return Step((), (f"{item.id} is {state_words(status)} already; nothing changed",))
    row = change_row(now, "status", item.status, status, by, reason, route=("action_items", index, "changes"))
    if status == "done":
        step = finish_item(incident, now, by, item_id, None, None)
        return step if reason is None else Step((*step.edits, row), step.messages)
    if status == "wont_do":
        if reason is None:
            raise UserError(f"{item.id} will not be done: why?", hint='--reason "..."')
        return drop_item(incident, item_id, reason)
    gone = [name for name in ("done_at", "done_by", "evidence", "reason") if getattr(item, name) is not None]
    edits: list[Edit] = [Set(("action_items", index, "status"), status)]
    edits += [Remove(("action_items", index, name)) for name in gone]
    if not item.is_open or reason is not None:
        edits.append(row)
    return Step(tuple(edits), (f"{item.id} is {state_words(status)}, no longer {state_words(item.status)}",))


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


def is_named(item: ActionItem, typed: str) -> bool:
    """Whether `AI-2`, `ai-2` or `2` names the item."""
    return item.id in (typed.upper(), f"AI-{typed.upper()}")


def _find(incident: Incident, item_id: str) -> tuple[int, ActionItem]:
    for index, item in enumerate(incident.action_items):
        if is_named(item, item_id):
            return index, item
    hint = did_you_mean(item_id, [item.id for item in incident.action_items]) or "it has no action items"
    raise UserError(f"{incident.id} has no action item {item_id}", hint=hint)


def _must_be_open(incident: Incident, item: ActionItem, wanted: str) -> None:
    if not item.is_open:
        hint = f"`incident-ops action edit {item.id} {incident.id} --status open` opens it again"
        said_of = "done" if item.status == "done" else "will not be done"
        raise UserError(f"{item.id} cannot be {wanted}: it is closed ({said_of})", hint=hint)
