"""One incident on one screen of 24 lines.

Nothing here reads a clock or a file; `now` is an argument. Texts of the record are made inert and cut to fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.documents.incident_facts import NOBODY, impact_cycles
from incident_ops.domain.as_of import current_instant, declared_at, phase
from incident_ops.domain.commander import commander_due
from incident_ops.domain.impact import affected_users, hurt_for, hurt_services, spell_amount, spell_share
from incident_ops.domain.incident import ActionItem, Event, Incident, Relation, Update
from incident_ops.domain.item_due import ItemDue, item_due
from incident_ops.domain.lifecycle import FIXED, OVER, PENDING, REOPENED
from incident_ops.domain.policy import Policy
from incident_ops.domain.public_updates import public_status
from incident_ops.domain.record import Record
from incident_ops.domain.relations import spell_relation
from incident_ops.domain.ticket import TICKET, kind_of
from incident_ops.domain.time import (
    UNKNOWN,
    instant,
    parse_instant,
    spell_age,
    spell_ago,
    spell_clock,
    spell_duration,
)
from incident_ops.domain.waits import snoozed_until, user_wait
from incident_ops.render.deadlines import spell_duty
from incident_ops.render.findings import plural
from incident_ops.render.sla import (
    ClockRow,
    clock_of_day,
    clock_rows,
    missing_commander,
    phase_words,
    status_of,
)
from incident_ops.render.text import DEFAULT_WIDTH, UNCUT, Style, cut_line, fit_line, pad, undated_lines, wrap
from incident_ops.sla.clocks import ACTION_ITEM, DEADLINE, Clock, ClockState
from incident_ops.sla.status import ClockReport, PhaseStatus

HEIGHT = 23  # the 24th line is the prompt's
MARGIN = 11
ROOM = DEFAULT_WIDTH - MARGIN
EVENTS, CLOCKS, REPORTS = 3, 4, 3
HEAD_LINE, PLAIN_LINE, LATE_LINE, NEXT_LINE = "head", "", "late", "next"
RANK_TONES = ("rank 1", "rank 2")
"""Tones of the two worst ranks."""
NOT_SHOWN = "not shown"
ENDED = ("missed", "met", "cancelled")


class IncidentView(NamedTuple):
    """What the screen is made of: the record, the policy, its clocks (or why there are none), the time (aware UTC), how
    many days each late action item is late (by its index), the next commands, the related incidents, the phase of the
    response; the columns of the screen."""

    record: Record
    policy: Policy
    clocks: Sequence[Clock] | str
    now: datetime
    late: dict[int, int]
    next: Sequence[str]
    related: Sequence[Relation] = ()
    phase: PhaseStatus | None = None
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

    @property
    def commander_due(self) -> datetime | None:
        """As `domain.commander`; None where it is not known who commanded at the time."""
        is_known = "roles" not in self.record.undated
        return commander_due(self.record.incident, self.policy, self.now) if is_known else None


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
    steps = [
        ScreenLine(PLAIN_LINE, ""),
        *_labelled("Next", view.next or [f"nothing: this {view.kind} is over"], NEXT_LINE),
    ]
    left_out = [ScreenLine(PLAIN_LINE, line) for line in undated_lines(view.record.undated, view.width)]
    height = HEIGHT if view.width != UNCUT else UNCUT
    body = _body(view, max(height - len(top) - len(left_out) - len(steps), 0))
    room = max(height - len(top) - len(body) - len(left_out) - len(steps), 0)
    rest = [*_earlier(view), *_factors(incident), *_related(view), *_links(incident, room)][:room]
    whole = (*top, *body, *rest, *left_out)
    lines = [*(ScreenLine(tone, cut_line(text, view.width)) for tone, text in whole), *steps]
    return "".join(f"{style(tone, text)}\n" for tone, text in lines)


def _body(view: IncidentView, room: int) -> list[ScreenLine]:
    """Who, clocks, timeline and items; where there is no room for all of it, the oldest entries of the timeline go."""
    before, timeline, items = [*_people(view), *_clocks(view), *_reports(view)], [*_timeline(view)], [*_items(view)]
    shown = min(max(room - len(before) - len(items), 1), len(timeline))
    label, latest = timeline[0].text[:MARGIN], timeline[-shown:]
    first = ScreenLine(latest[0].tone, label + latest[0].text[MARGIN:])
    return [*before, first, *latest[1:], *items][:room]


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


def next_item(incident: Incident, policy: Policy) -> tuple[ActionItem, ItemDue | None] | None:
    """The open action item that is due first, and when; one without a date comes last."""
    dated = ((item, item_due(item, incident, policy)) for item in incident.open_items)
    return min(dated, key=lambda pair: str(pair[1].day) if pair[1] else "9999", default=None)


def spell_impact(incident: Incident) -> str:
    """The impact on one line: what the record sums up, else its number of users."""
    if incident.impact.summary:
        return incident.impact.summary
    users = affected_users(incident)
    count = f"{spell_amount(users.count)} users" if users.count not in (None, UNKNOWN) else ""
    share = spell_share(users.percent)
    return ", ".join(filter(None, (count, f"{share} of users" if share else ""))) or UNKNOWN


def _head_tone(view: IncidentView) -> str:
    """By the rank of its level while it is worked on."""
    incident = view.record.incident
    duties = view.policy.level_of(incident)
    is_live = duties is not None and incident.state not in OVER
    return (rank_tone(duties.rank) if duties is not None and is_live else "") or HEAD_LINE


def rank_tone(rank: int) -> str:
    """The tone of a level that is worked on: of the two worst ranks one each, of the others none."""
    return RANK_TONES[rank - 1] if 0 < rank <= len(RANK_TONES) else PLAIN_LINE


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
        return f"took {took}, impact time {UNKNOWN}"
    word = REOPENED if incident.cycles else "open"
    return f"{phase(incident)}, {word} {spell_age(int((view.now - cycle_began(incident)).total_seconds()))}"


def _people(view: IncidentView) -> Iterator[ScreenLine]:
    incident, roles = view.record.incident, view.record.incident.roles
    yield from _labelled("Services", _on_two_lines(_services(view), view.room))
    if not view.is_ticket or last_update(incident, view.now, "public"):
        yield from _labelled("Public", [_public(view)])
    undated = view.record.undated
    due = view.commander_due
    impact = NOT_SHOWN if "impact" in undated else spell_impact(incident)
    yield from _labelled("Impact", _on_two_lines(impact, view.room))
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
    missing = {"commander": missing_commander(due, view.now)} if due else {}
    most = max(40, view.room // 2)
    texts = [f"{role} {fit_line(who or missing.get(role, NOBODY), most)}" for role, who in asked.items()]
    texts += [f"others {NOT_SHOWN}" if texts else NOT_SHOWN] if is_partial else []
    room, most = (view.room, 2 if view.width >= DEFAULT_WIDTH else 4) if view.width != UNCUT else (ROOM, UNCUT)
    yield from _phase(view)
    yield from _waiting(view)
    yield from _snoozed(view)
    yield from _labelled("Roles", _most(wrap(texts, room, ", "), most))
    yield from _labelled("Update", _on_two_lines(_update(view), view.room))


def _phase(view: IncidentView) -> Iterator[ScreenLine]:
    if view.phase is not None and view.record.incident.state not in OVER:
        tone = LATE_LINE if view.phase.over_seconds else PLAIN_LINE
        yield from _labelled("Phase", _most(wrap(phase_words(view.phase, view.now).split(), view.room), 4), tone)


def _waiting(view: IncidentView) -> Iterator[ScreenLine]:
    incident, wait = view.record.incident, user_wait(view.record.incident, view.policy)
    if incident.state == PENDING and incident.pauses:
        pause = incident.pauses[-1]
        since = f"for the {pause.waiting_for} since {clock_of_day(parse_instant(pause.start), view.now)} UTC"
        yield from _labelled("Waiting", [f"{since}: {pause.reason}" if pause.reason else since])
    elif wait is not None:
        since, until = clock_of_day(wait.since, view.now), clock_of_day(wait.pending_at, view.now)
        yield from _labelled("Waiting", [f"for the user since {since} UTC, becomes pending at {until} UTC"])


def _snoozed(view: IncidentView) -> Iterator[ScreenLine]:
    snooze, until = view.record.incident.snooze, snoozed_until(view.record.incident, view.now)
    if snooze and until:
        begun = instant(snooze.at)
        since = f", since {clock_of_day(begun, view.now)} UTC" if begun else ""
        text = f"until {clock_of_day(until, view.now)} UTC by {snooze.by}{since}: {snooze.reason}"
        yield from _labelled("Snoozed", [text])


def _services(view: IncidentView) -> str:
    incident = view.record.incident
    hurt = {
        name: ", ".join(hurt_for(one, view.now) for one in entries) for name, entries in hurt_services(incident).items()
    }
    teams = {name: f"team {team}" for name, team in view.policy.team_of.items()}
    about = {name: [words for words in (teams.get(name), hurt.get(name)) if words] for name in incident.services}
    return ", ".join(f"{name} ({'; '.join(said)})" if said else name for name, said in about.items())


def _public(view: IncidentView) -> str:
    incident = view.record.incident
    latest = last_update(incident, view.now, "public")
    if latest:
        age, update = latest
        other = f" ({update.status})" if update.status != public_status(incident) else ""
        return f"{public_status(incident)}; last public update{other} {spell_ago(age)}"
    duties = view.policy.level_of(incident)
    is_required = duties is not None and duties.status_page
    return f"no public update yet{'' if is_required else ', none required'}"


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
    table = clock_rows(
        ClockReport(view.now, tuple(clock for clock in view.clocks if clock.clock not in (ACTION_ITEM, DEADLINE)))
    )
    running = [row for row in table if row.status not in ENDED]
    lines = [ScreenLine(row.status, _clock(row, view.now, view.room)) for row in running]
    for word in ENDED:
        names = [row.clock + (f" {row.left}" if word == "missed" else "") for row in table if row.status == word]
        lines += [ScreenLine(word, f"{word:<9} {', '.join(names)}")] if names else []
    if not lines:
        lines = [ScreenLine(PLAIN_LINE, "none: this level has no targets")]
    for number, (tone, text) in enumerate(lines[:CLOCKS]):
        yield ScreenLine(tone, pad("" if number else "Clocks", MARGIN) + text)


def _reports(view: IncidentView) -> Iterator[ScreenLine]:
    """The reports that are owed to others, what is due first on top; those that were made share the last line."""
    duties = [clock for clock in view.clocks if not isinstance(clock, str) and clock.duty]
    made = [clock.item or "" for clock in duties if clock.state in (ClockState.MET, ClockState.MISSED)]
    running = [clock for clock in duties if not clock.is_over]
    running.sort(key=lambda clock: (clock.due is None, clock.due or view.now))
    rows = [ScreenLine(status_of(clock), spell_duty(clock)) for clock in running[:REPORTS]]
    rows += [ScreenLine(PLAIN_LINE, f"reported: {', '.join(made)}")] if made else []
    folded = [(tone, wrap(text.split(), view.room - 2)) for tone, text in rows]
    lines = [(tone, "  " * bool(place) + part) for tone, parts in folded for place, part in enumerate(parts)]
    for number, (tone, text) in enumerate(lines):
        yield ScreenLine(tone, pad("" if number else "Owed", MARGIN) + text)


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
    first = ""
    if (following := next_item(incident, view.policy)) is not None:
        item, due = following
        first = f"; next {item.id}, {f'due {due}' if due else 'no date'}, {item.owner or 'nobody'}: {item.title}"
    yield from _labelled("Items", [count + late + first], LATE_LINE if view.late else PLAIN_LINE)


def _earlier(view: IncidentView) -> Iterator[ScreenLine]:
    incident = view.record.incident
    more = sum(parse_instant(event.at) <= view.now for event in incident.timeline) - EVENTS
    if more > 0:
        command = f"incident-ops timeline --list {incident.id}"
        yield from _labelled("Earlier", [f"{plural(more, 'event')}: {command}"])


def _factors(incident: Incident) -> Iterator[ScreenLine]:
    if incident.cause is not None and incident.cause.contributing:
        yield from _labelled("Factors", ["; ".join(incident.cause.contributing)])


def _related(view: IncidentView) -> Iterator[ScreenLine]:
    if view.related:
        yield from _labelled("Related", _most(wrap([*map(spell_relation, view.related)], view.room, ", "), 2))


def _links(incident: Incident, room: int) -> list[ScreenLine]:
    links = incident.links
    fields = [name for name in links.__struct_fields__ if name != "others"]
    texts = [f"{name.replace('_', ' ')} {link}" for name in fields if (link := getattr(links, name))]
    texts += [f"{one.name} {one.url}" for one in links.others]
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
