"""What an edit function returns: the edits of a record and the messages about them.

Also a change of state with all that belongs to it: every step of `changes`, instants, the end of a pause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import FIXED, INSTANTS_OF_CYCLE, NEEDS, OVER, PENDING, next_states, shortest_path
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Append, Edit, Insert, Remove, Route, Set
from incident_ops.domain.time import instant, parse_instant, stamp
from incident_ops.errors import UserError

NO_VALUE = "-"
"""In place of a value: it is taken away."""
LONGEST_EVENT = 2000
"""Characters of a timeline entry's text, as the schema allows them."""
LONGEST_QUOTE = 120
"""Characters of an update that its timeline entry repeats."""


@dataclass(frozen=True, slots=True)
class Step:
    """Edits to make (none where nothing changes), one message for each change, and warnings.

    `then` are the commands to run next where the step knows them better than the state of the record.
    """

    edits: tuple[Edit, ...]
    messages: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    then: tuple[str, ...] = ()


def join_steps(*steps: Step) -> Step:
    """Several steps as one, in this order."""
    return Step(
        tuple(edit for step in steps for edit in step.edits),
        tuple(line for step in steps for line in step.messages),
        tuple(line for step in steps for line in step.warnings),
        tuple(line for step in steps for line in step.then),
    )


def something_said(step: Step) -> Step:
    """The step, with the message that nothing changed where it has none."""
    return step if step.messages else replace(step, messages=("nothing changed",))


def given_fields(**fields: Any) -> dict[str, Any]:
    """The fields that have a value, in this order; a trailing `_` (for Python keywords) is removed from the name."""
    return {name.rstrip("_"): value for name, value in fields.items() if value is not None}


def change_row(
    now: datetime,
    field: str,
    old: str | None,
    new: str | None,
    by: str | None,
    reason: str | None = None,
    route: Route = ("changes",),
) -> Append:
    """A new last entry of `changes`, those of the record unless `route` says otherwise; None = no value."""
    entry = {"at": stamp(now), "field": field, "from": old, "to": new}
    return Append(route, entry | given_fields(by=by, reason=reason))


def timeline_row(now: datetime, kind: str, text: str, by: str | None = None, **more: Any) -> Append:
    """A new last entry of the timeline (C21)."""
    event = shorten(text, LONGEST_EVENT)
    return Append(("timeline",), given_fields(at=stamp(now), kind=kind, event=event, **more, by=by))


class PlacedEdits(NamedTuple):
    """Edits with late entries at their places, and what should give pause about those."""

    edits: tuple[Edit, ...]
    warnings: tuple[str, ...]


def in_order(incident: Incident, wanted: Sequence[Edit], merged: Callable[[], int]) -> PlacedEdits:
    """The edits with each late entry of the timeline at its place by time, below the `merged` ones, which stay.

    An entry that corrects another stays last, and names the new number of the one it corrects when that moves on.
    """
    rows = [_Row(event.at, event.corrects) for event in incident.timeline]
    edits: list[Edit] = []
    warnings: list[str] = []
    for edit in wanted:
        if not (isinstance(edit, Append) and edit.route == ("timeline",)):
            edits.append(edit)
            continue
        row = _Row(edit.value["at"], edit.value.get("corrects"))
        later = [place for place, other in enumerate(rows) if row.is_before(other)]
        first = merged() if later else 0
        place = next((place for place in later if place >= first), len(rows))
        if later and later[0] < first:
            warnings.append("it happened before entries that are merged, and those stay above it")
        edits += [edit] if place == len(rows) else [Insert(edit.route, place, edit.value), *_moved_on(rows, place)]
        rows.insert(place, row)
    return PlacedEdits(tuple(edits), tuple(dict.fromkeys(warnings)))


@dataclass
class _Row:
    """What gives an entry of the timeline its place; entries are counted from 1."""

    at: str
    corrects: int | None

    def is_before(self, other: _Row) -> bool:
        if self.corrects is not None or other.corrects is not None:
            return False
        return parse_instant(self.at) < parse_instant(other.at)


def _moved_on(rows: list[_Row], place: int) -> Iterator[Edit]:
    """Rows at `place` and below move on by one; those that correct one of them follow."""
    for index, row in enumerate(rows):
        if row.corrects is not None and row.corrects > place:
            row.corrects += 1
            yield Set(("timeline", index + (index >= place), "corrects"), row.corrects)


def list_edits(route: Route, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Edit]:
    """The edits that make one list of another, with as little as possible written anew."""
    if len(after) < len(before):
        yield Set(route, list(after)) if after else Remove(route)
        return
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        if isinstance(old, Mapping) and isinstance(new, Mapping) and old.keys() <= new.keys():
            yield from (Set((*route, place, name), value) for name, value in new.items() if old.get(name) != value)
        elif old != new:
            yield Set((*route, place), new)
    yield from (Append(route, value) for value in after[len(before) :])


def mapping_edits(route: Route, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Edit]:
    """The edits that make one mapping of another: value by value, or whole where something goes or none was there."""
    if before and before.keys() <= after.keys():
        yield from (Set((*route, name), value) for name, value in after.items() if before.get(name) != value)
    elif before != after:
        yield Set(route, dict(after)) if after else Remove(route)


def said_texts(route: Route, before: Sequence[str], said: Sequence[str], name: str) -> Step:
    """A list of texts: `TEXT` or `+TEXT` adds one, `-TEXT` takes away the one that is, or begins, so in any case.

    UserError where nothing, or more than one, is meant by a `-TEXT`.
    """
    after, messages = list(before), []
    for text in said:
        sign, bare = (text[0], text[1:].strip()) if text[:1] in ("+", "-") else ("+", text.strip())
        if sign == "-":
            gone = _meant(after, bare)
            after.remove(gone)
            messages.append(f"{name}: {quote(gone)}: taken away")
        elif bare in after:
            messages.append(f"{name}: {quote(bare)} already; nothing changed")
        else:
            after.append(bare)
            messages.append(f"{name}: {quote(bare)}")
    return Step(tuple(list_edits(route, before, after)), tuple(messages))


def _meant(texts: Sequence[str], said: str) -> str:
    word = said.casefold()
    found = [one for one in texts if one.casefold() == word] or [
        one for one in texts if one.casefold().startswith(word)
    ]
    if len(found) == 1 and said:
        return found[0]
    there = "; ".join(map(quote, found or texts)) or "nothing"
    raise UserError(
        f"{said!r} is {'several' if found else 'none'} of the texts that are there", hint=f"there is: {there}"
    )


def shorten(text: str, most: int) -> str:
    """The text, or its beginning where it has more than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def quote(text: str) -> str:
    """The first words of a text, on one line."""
    return shorten(" ".join(text.split()), LONGEST_QUOTE)


def state_words(state: str) -> str:
    """A state or outcome as people say it: `in_progress` -> `in progress`."""
    return state.replace("_", " ")


_ORDER = ("mitigated", "restored", "resolved", "closed")


def state_before_pending(incident: Incident) -> str | None:
    """The state before pending; None where the incident is not pending, or its history does not say."""
    if incident.state != PENDING:
        return None
    moves = (change for change in reversed(incident.changes) if change.field == "state")
    last = next(moves, None)
    return last.old if last is not None and last.new == PENDING else None


def field_of(incident: Incident, name: str) -> str:
    """The field that holds this instant of the cycle the incident is in, as `corrected_instants` names it."""
    cycle = len(incident.cycles)
    return f"cycles.{cycle}.{name}" if cycle and name in INSTANTS_OF_CYCLE else f"times.{name}"


def route_of(field: str) -> Route:
    """The route of an instant's field: `cycles.1.restored` -> ("cycles", 0, "restored")."""
    first, *rest = field.split(".")
    return (first, int(rest[0]) - 1, rest[1]) if len(rest) == 2 else (first, *rest)


def instant_edit(incident: Incident, name: str, at: str) -> Set:
    """Writes an instant of the current cycle. UserError where it exists already, or would be out of order."""
    field, instants = field_of(incident, name), corrected_instants(incident)
    present = instants.get(field)
    if present is not None and present != at:
        hint = f'leave it out, or put it right: incident-ops correct {incident.id} {name} {at} --reason "..."'
        raise UserError(f"{incident.id}: {field} is already {present}, so nothing was written", hint=hint)
    if name in _ORDER and (moment := instant(at)) is not None:
        for place, other in enumerate(_ORDER):
            known = instant(instants.get(field_of(incident, other)))
            if known is None or known == moment:
                continue
            if (known < moment) != (place < _ORDER.index(name)):
                message = f"{incident.id}: {name} cannot be {at}, {other} is {stamp(known)}"
                raise UserError(message, hint=f"the order is {', '.join(_ORDER)}")
    return Set(route_of(field), at)


def path(incident: Incident, policy: Policy, new: str, outcome: str = FIXED) -> tuple[str, ...]:
    """The states from the present one (excluded) to `new`; empty where no legal path leads there."""
    return shortest_path(incident.state, new, state_before_pending(incident), outcome, policy.states.moves)


def move(
    incident: Incident,
    policy: Policy,
    new: str,
    now: datetime,
    by: str | None,
    *,
    reason: str | None = None,
    outcome: str = FIXED,
) -> tuple[Edit, ...]:
    """The edits of a move to `new`, skipped steps included; the reason goes with the last step.

    UserError where no legal path leads there.
    """
    steps = path(incident, policy, new, outcome)
    if not steps:
        raise illegal_move(incident, policy, f"moved to {state_words(new)}")
    at = stamp(now)
    edits: list[Edit] = [Set(("state",), new)]
    for old, state in zip((incident.state, *steps), steps, strict=False):
        why = reason if state == new else None
        edits.append(Append(("changes",), given_fields(at=at, field="state", from_=old, to=state, by=by, reason=why)))
    edits += [Set(route_of(field), at) for field in _missing(incident, steps)]
    if incident.state == PENDING or new in OVER:
        edits += [Set(("pauses", index, "to"), at) for index, pause in enumerate(incident.pauses) if pause.end is None]
    return tuple(edits)


def spelled_move(incident: Incident, policy: Policy, new: str, outcome: str = FIXED) -> str:
    """The move in words: `triaged -> assigned -> in progress`."""
    return " -> ".join(state_words(state) for state in (incident.state, *path(incident, policy, new, outcome)))


def illegal_move(incident: Incident, policy: Policy, wanted: str, hint: str = "") -> UserError:
    """The error for a move that is not legal from here; the hint says where the incident may go."""
    waits = state_before_pending(incident)
    allowed = ", ".join(map(state_words, next_states(incident.state, waits, edges=policy.states.moves)))
    return UserError(
        f"{incident.id} is {state_words(incident.state)}: it cannot be {wanted}",
        hint=hint or f"from {state_words(incident.state)} it may go to: {allowed}",
    )


def _missing(incident: Incident, steps: tuple[str, ...]) -> list[str]:
    """Fields of the instants that the states on the path require and the record does not have."""
    instants = corrected_instants(incident)
    fields = []
    for state in steps:
        for name in NEEDS.get(state, ()):
            field = field_of(incident, name)
            if field not in instants and field not in fields:
                fields.append(field)
    return fields
