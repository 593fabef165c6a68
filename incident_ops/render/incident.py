"""One incident on one screen of 24 lines, and as the JSON of `show`.

Nothing here reads a clock or a file; `now` is an argument. Texts of the record are made inert and cut to fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from incident_ops.documents.incident_facts import NOBODY, hurt_for, hurt_services, impact_cycles, spell_amount
from incident_ops.domain.as_of import corrected_instants, current_instant, declared_at, phase
from incident_ops.domain.incident import ActionItem, Event, Incident, Update, Users
from incident_ops.domain.lifecycle import FIXED, OVER, PENDING, REOPENED
from incident_ops.domain.policy import Policy
from incident_ops.domain.public_updates import public_status
from incident_ops.domain.record import Record
from incident_ops.domain.ticket import TICKET, kind_of
from incident_ops.domain.time import (
    UNKNOWN,
    instant,
    parse_instant,
    spell_age,
    spell_ago,
    spell_clock,
    spell_duration,
    stamp,
)
from incident_ops.render.findings import json_text
from incident_ops.render.sla import ClockRow, clock_data, clock_rows
from incident_ops.render.text import DEFAULT_WIDTH, UNCUT, Style, cut_line, fit_line, pad, undated_lines, wrap
from incident_ops.sla.clocks import ACTION_ITEM, Clock
from incident_ops.sla.status import ClockReport

HEIGHT = 23  # the 24th line is the prompt's
MARGIN = 11
ROOM = DEFAULT_WIDTH - MARGIN
EVENTS, CLOCKS = 3, 4
HEAD_LINE, PLAIN_LINE, LATE_LINE, NEXT_LINE = "head", "", "late", "next"
WORST_RANKS = 2
"""Ranks that have a tone of their own, `rank 1` and `rank 2`."""
NOT_SHOWN = "not shown"
ENDED = ("missed", "met", "cancelled")


class IncidentView(NamedTuple):
    """What the screen is made of: the record, the policy, its clocks (or why there are none), the time (aware UTC), how
    many days each late action item is late (by its index), the next commands; the columns of the screen."""

    record: Record
    policy: Policy
    clocks: Sequence[Clock] | str
    now: datetime
    late: dict[int, int]
    next: Sequence[str]
    width: int = DEFAULT_WIDTH

    @property
    def room(self) -> int:
        """Columns right of the labels."""
        return self.width - MARGIN if self.width != UNCUT else UNCUT

    @property
    def kind(self) -> str:
        """`incident` or `ticket`."""
        return kind_of(self.record.incident, self.policy, self.now)

    @property
    def is_ticket(self) -> bool:
        return self.kind == TICKET


class ScreenLine(NamedTuple):
    """A line and its tone: HEAD_LINE, PLAIN_LINE, LATE_LINE, NEXT_LINE, or a word of `render.sla.URGENCY`."""

    tone: str
    text: str


def to_text(view: IncidentView, style: Style = lambda _, line: line) -> str:
    """The screen, of the view's columns and at most HEIGHT lines. Links take what is left of it.

    Only a pipe has room for all of them, and lines as long as they are.
    """
    incident = view.record.incident
    top = [
        *(ScreenLine(_head_tone(view), line) for line in wrap(_headline(view), view.width, "  ")),
        *(ScreenLine(PLAIN_LINE, line) for line in _on_two_lines(incident.title, view.width)),
        ScreenLine(PLAIN_LINE, ""),
    ]
    body = [*_people(view), *_clocks(view), *_timeline(view), *_items(view)]
    steps = [
        ScreenLine(PLAIN_LINE, ""),
        *_labelled("Next", view.next or [f"nothing: this {view.kind} is over"], NEXT_LINE),
    ]
    left_out = [ScreenLine(PLAIN_LINE, line) for line in undated_lines(view.record.undated, view.width)]
    height = HEIGHT if view.width != UNCUT else UNCUT
    room = max(height - len(top) - len(body) - len(left_out) - len(steps), 0)
    rest = [*_factors(incident), *_links(incident, room)][:room]
    whole = (*top, *body, *rest, *left_out)
    lines = [*(ScreenLine(tone, cut_line(text, view.width)) for tone, text in whole), *steps]
    return "".join(f"{style(tone, text)}\n" for tone, text in lines)


def level_labels(incident: Incident, policy: Policy) -> str:
    """The labels, the one that drives the clocks first: `SEV1`, `P1 SEV-1`."""
    both = (incident.priority, incident.severity)
    return " ".join(filter(None, both if policy.drives == "priority" else both[::-1])) or "no level"


def state_of(incident: Incident) -> str:
    """`in progress`, `pending (vendor)`, `closed (false alarm)`."""
    word = incident.state.replace("_", " ")
    if incident.outcome != FIXED:
        return f"{word} ({incident.outcome.replace('_', ' ')})"
    waits = incident.state == PENDING and incident.pauses
    return f"{word} ({incident.pauses[-1].waiting_for})" if waits else word


def cycle_began(incident: Incident) -> datetime:
    """When the current cycle began: declared, or reopened (aware UTC)."""
    if incident.cycles:
        return parse_instant(incident.cycles[-1].reopened)
    return declared_at(incident)


def impact_seconds(incident: Incident) -> int | None:
    """How long users were affected over all cycles, None while an end is unknown."""
    lengths = [length.seconds for length in impact_cycles(incident)]
    return sum(length for length in lengths if length is not None) if None not in lengths else None


def last_update(incident: Incident, now: datetime, audience: str | None = None) -> tuple[int, Update] | None:
    """(its age in seconds, the latest update that is not ahead of `now`), for one audience or any."""
    past = [
        (int((now - parse_instant(update.at)).total_seconds()), update)
        for update in incident.updates
        if audience in (None, update.audience) and parse_instant(update.at) <= now
    ]
    return min(past, key=lambda pair: pair[0], default=None)


def last_events(incident: Incident, now: datetime) -> list[Event]:
    """The last entries of the timeline by time; what is after `now` has not happened yet."""
    past = (event for event in incident.timeline if parse_instant(event.at) <= now)
    return sorted(past, key=lambda event: parse_instant(event.at))[-EVENTS:]


def next_item(incident: Incident) -> ActionItem | None:
    """The open action item that is due first; one without a date comes last."""
    return min(incident.open_items, key=lambda item: item.due or "9999", default=None)


def spell_impact(incident: Incident) -> str:
    """The impact on one line: what the record sums up, else its number of users."""
    impact = incident.impact
    if impact.summary:
        return impact.summary
    users = impact.users
    if isinstance(users, Users):
        share = f"{spell_amount(users.percent)} % of users" if users.percent not in (None, UNKNOWN) else ""
        count = f"{spell_amount(users.count)} users" if users.count not in (None, UNKNOWN) else ""
        return ", ".join(filter(None, (count, share))) or UNKNOWN
    return users or UNKNOWN


def _head_tone(view: IncidentView) -> str:
    """By the rank of its level while it is worked on."""
    incident = view.record.incident
    duties = view.policy.duties(incident.severity, incident.priority)
    is_live = duties is not None and incident.state not in OVER
    return f"rank {duties.rank}" if duties is not None and is_live and duties.rank <= WORST_RANKS else HEAD_LINE


def _headline(view: IncidentView) -> list[str]:
    incident = view.record.incident
    marks = [
        word
        for word, is_so in (
            ("not merged yet", view.record.pending),
            ("drill", incident.drill),
            ("restricted", incident.visibility == "restricted"),
        )
        if is_so
    ]
    level = level_labels(incident, view.policy)
    kind = "ticket " if view.is_ticket else ""
    parts = [incident.id, kind + level, state_of(incident), _age(view)]
    return [*parts, *(f"[{mark}]" for mark in marks)]


def _age(view: IncidentView) -> str:
    incident = view.record.incident
    if incident.state in OVER:
        felt = impact_seconds(incident)
        if felt is not None:
            return f"impact {spell_duration(felt)}"
        end = instant(current_instant(incident, "resolved") or current_instant(incident, "closed"))
        took = spell_duration(int((end - cycle_began(incident)).total_seconds())) if end else UNKNOWN
        return f"took {took}, impact {UNKNOWN}"
    word = REOPENED if incident.cycles else "open"
    return f"{phase(incident)}, {word} {spell_age(int((view.now - cycle_began(incident)).total_seconds()))}"


def _people(view: IncidentView) -> Iterator[ScreenLine]:
    incident, roles = view.record.incident, view.record.incident.roles
    yield from _labelled("Services", _on_two_lines(_services(view), view.room))
    if not view.is_ticket or last_update(incident, view.now, "public"):
        yield from _labelled("Public", [_public(view)])
    undated = view.record.undated
    yield from _labelled(
        "Impact", _on_two_lines(NOT_SHOWN if "impact" in undated else spell_impact(incident), view.room)
    )
    holders = {
        "commander": roles.commander,
        "technical lead": roles.technical_lead,
        "communications lead": roles.communications_lead,
        "scribe": roles.scribe,
        **{name.replace("_", " "): who for name, who in roles.others.items()},
        **({"assigned to": incident.assignments[-1].to} if incident.assignments else {}),
    }
    is_partial = "roles" in undated
    asked = {role: who for role, who in holders.items() if who or not (view.is_ticket or is_partial)}
    texts = [f"{role} {fit_line(who or NOBODY, max(40, view.room // 2))}" for role, who in asked.items()]
    texts += [f"others {NOT_SHOWN}" if texts else NOT_SHOWN] if is_partial else []
    room, most = (view.room, 2 if view.width >= DEFAULT_WIDTH else 4) if view.width != UNCUT else (ROOM, UNCUT)
    yield from _labelled("Roles", _most(wrap(texts, room, ", "), most))
    yield from _labelled("Update", _on_two_lines(_update(view), view.room))


def _services(view: IncidentView) -> str:
    incident = view.record.incident
    hurt = {
        name: ", ".join(hurt_for(one, view.now) for one in entries) for name, entries in hurt_services(incident).items()
    }
    return ", ".join(f"{name} ({hurt[name]})" if name in hurt else name for name in incident.services)


def _public(view: IncidentView) -> str:
    incident = view.record.incident
    latest = last_update(incident, view.now, "public")
    if latest:
        age, update = latest
        other = f" ({update.status})" if update.status != public_status(incident) else ""
        return f"{public_status(incident)}; last public update{other} {spell_ago(age)}"
    duties = view.policy.duties(incident.severity, incident.priority)
    is_required = duties is not None and duties.status_page
    return f"{public_status(incident)}; no public update yet{'' if is_required else ', none required'}"


def _update(view: IncidentView) -> str:
    latest = last_update(view.record.incident, view.now)
    if latest is None:
        return "none yet"
    age, update = latest
    return f"{spell_ago(age)}, {update.audience}, {update.status}: {update.text}"


def _clocks(view: IncidentView) -> Iterator[ScreenLine]:
    if isinstance(view.clocks, str):
        yield from _labelled("Clocks", [f"unknown: {view.clocks}"], LATE_LINE)
        return
    table = clock_rows(ClockReport(view.now, tuple(clock for clock in view.clocks if clock.clock != ACTION_ITEM)))
    running = [row for row in table if row.status not in ENDED]
    lines = [ScreenLine(row.status, _clock(row, view.now, view.room)) for row in running]
    for word in ENDED:
        names = [row.clock + (f" {row.left}" if word == "missed" else "") for row in table if row.status == word]
        lines += [ScreenLine(word, f"{word:<9} {', '.join(names)}")] if names else []
    if not lines:
        lines = [ScreenLine(PLAIN_LINE, "none: this level has no targets")]
    for number, (tone, text) in enumerate(lines[:CLOCKS]):
        yield ScreenLine(tone, pad("" if number else "Clocks", MARGIN) + text)


def _clock(row: ClockRow, now: datetime, room: int) -> str:
    today = spell_clock(now, dated=True).partition(" ")[0]
    due = row.due if row.due == "-" else f"due {row.due.removeprefix(today).strip()} UTC"
    line = f"{row.status:<9} {row.clock:<12} {row.time:<14} {due}"
    return next(
        (text for text in (line, f"{row.clock} {row.time}, {due}") if len(text) <= room), f"{row.clock} {row.time}"
    )


def _timeline(view: IncidentView) -> Iterator[ScreenLine]:
    last = last_events(view.record.incident, view.now)
    days = {parse_instant(event.at).date() for event in last} | {view.now.date()}
    lines = [f"{spell_clock(parse_instant(event.at), dated=len(days) > 1)}  {event.event}" for event in last]
    yield from _labelled("Timeline", lines or ["empty"])


def _items(view: IncidentView) -> Iterator[ScreenLine]:
    incident = view.record.incident
    if not incident.action_items:
        return
    count = f"{len(incident.open_items)} open of {len(incident.action_items)}"
    late = f", {len(view.late)} late" if view.late else ""
    item = next_item(incident)
    first = ""
    if item is not None:
        first = (
            f"; next {item.id}, {'due ' + item.due if item.due else 'no date'}, {item.owner or 'nobody'}: {item.title}"
        )
    yield from _labelled("Items", [count + late + first], LATE_LINE if view.late else PLAIN_LINE)


def _factors(incident: Incident) -> Iterator[ScreenLine]:
    if incident.cause is not None and incident.cause.contributing:
        yield from _labelled("Factors", ["; ".join(incident.cause.contributing)])


def _links(incident: Incident, room: int) -> list[ScreenLine]:
    links = incident.links
    texts = [f"{name.replace('_', ' ')} {link}" for name in links.__struct_fields__ if (link := getattr(links, name))]
    return list(_labelled("Links", _most(texts, room)))


def _on_two_lines(text: str, room: int = ROOM) -> list[str]:
    """Prose of at most `room` columns; what does not fit on two lines is cut."""
    return _most(wrap(fit_line(text, 2 * room if room != UNCUT else UNCUT).split(), room), 2)


def _most(texts: list[str], most: int) -> list[str]:
    """The first texts; the last line says that there are more."""
    if len(texts) <= most:
        return texts
    return [*texts[: most - 1], f"{texts[most - 1]} …"] if most else []


def _labelled(label: str, texts: Sequence[str], tone: str = PLAIN_LINE) -> Iterator[ScreenLine]:
    """Texts in the right column, the label before the first."""
    for number, text in enumerate(texts):
        yield ScreenLine(tone, pad("" if number else label, MARGIN) + fit_line(text, UNCUT))


def to_json(view: IncidentView) -> str:
    """What the screen shows, uncut, in a fixed order.

    `clocks_unknown` says why there are no clocks, `undated` what a view of an earlier time leaves out.
    """
    record, incident = view.record, view.record.incident
    data: dict[str, Any] = {
        "schema": 1,
        "at": stamp(view.now),
        "id": incident.id,
        "kind": view.kind,
        "file": record.path,
        "title": incident.title,
        "severity": incident.severity,
        "priority": incident.priority,
        "state": incident.state,
        "outcome": incident.outcome,
        "phase": phase(incident),
        "public_status": public_status(incident),
        "services": list(incident.services),
        "pending": record.pending,
        "drill": incident.drill,
        "visibility": incident.visibility,
        "declared": corrected_instants(incident)["times.declared"],
        **_impact_data(view),
        "roles": _roles(incident),
        "assigned_to": incident.assignments[-1].to if incident.assignments else None,
        "last_update": _update_data(view),
        "clocks": [] if isinstance(view.clocks, str) else [clock_data(clock) for clock in view.clocks],
        "timeline": _events(view),
        "action_items": _items_data(view),
        "links": {name: link for name in incident.links.__struct_fields__ if (link := getattr(incident.links, name))},
        "next": list(view.next),
    }
    if isinstance(view.clocks, str):
        data["clocks_unknown"] = view.clocks
    if record.undated:
        data["undated"] = list(record.undated)
    return json_text(data)


def _impact_data(view: IncidentView) -> dict[str, Any]:
    incident = view.record.incident
    over = incident.state in OVER
    return {
        "age_seconds": None if over else int((view.now - cycle_began(incident)).total_seconds()),
        "impact_seconds": impact_seconds(incident) if over else None,
        "impact": incident.impact.summary,
        "impact_services": msgspec.to_builtins(incident.impact.services),
        "contributing": list(incident.cause.contributing) if incident.cause else [],
    }


def _roles(incident: Incident) -> dict[str, Any]:
    roles = incident.roles
    return {name: getattr(roles, name) for name in roles.__struct_fields__ if name != "others"} | {
        "others": dict(roles.others)
    }


def _update_data(view: IncidentView) -> dict[str, Any] | None:
    latest = last_update(view.record.incident, view.now)
    if latest is None:
        return None
    age, update = latest
    return {
        "at": update.at,
        "age_seconds": age,
        "audience": update.audience,
        "status": update.status,
        "text": update.text,
        "eta": update.eta,
    }


def _events(view: IncidentView) -> list[dict[str, Any]]:
    last = last_events(view.record.incident, view.now)
    return [{"at": event.at, "kind": event.kind, "event": event.event, "by": event.by} for event in last]


def _items_data(view: IncidentView) -> dict[str, Any]:
    incident = view.record.incident
    item = next_item(incident)
    first = None if item is None else {"id": item.id, "title": item.title, "owner": item.owner, "due": item.due}
    return {
        "total": len(incident.action_items),
        "open": len(incident.open_items),
        "late": len(view.late),
        "next": first,
    }
