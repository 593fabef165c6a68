"""One incident on one screen, 24 lines of 80 columns: what it is, what runs out, who has it, what comes next.

Nothing here looks at a clock or a file; `now` is an argument. Texts of the record are made inert and cut to fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.lifecycle import FIXED, OVER, PENDING, REOPENED, current, phase, public_status
from incident_ops.model.incident import ActionItem, Event, Incident, Update, Users
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.model.time import UNKNOWN, instant, parse_instant, spell_age, spell_ago, spell_duration
from incident_ops.render.dates import spell_clock
from incident_ops.render.facts import NOBODY, spell_amount
from incident_ops.render.figures import impacts
from incident_ops.render.fit import cut, fit, pad, wrap
from incident_ops.render.sla import Row, rows
from incident_ops.sla.clock import ACTION_ITEM, Clock
from incident_ops.sla.facts import declared_at
from incident_ops.sla.report import Report

WIDTH, HEIGHT = 80, 23  # the 24th line is the prompt's
MARGIN = 11
ROOM = WIDTH - MARGIN
EVENTS, CLOCKS = 3, 4
HEAD, PLAIN, LATE, NEXT = "head", "", "late", "next"
ENDED = ("missed", "met", "cancelled")

Style = Callable[[str, str], str]
"""(HEAD, PLAIN, LATE, NEXT or a word of `render.sla.URGENCY`, a whole line) -> the line as it is to be shown."""


class View(NamedTuple):
    """What a picture is made of: the record, the policy, its clocks (or why there are none), the instant (aware UTC),
    how many days each late action item is late (by its index), the commands that come next."""

    record: Record
    policy: Policy
    clocks: Sequence[Clock] | str
    now: datetime
    late: dict[int, int]
    next: Sequence[str]


class Line(NamedTuple):
    """A line and what it says: HEAD, PLAIN, LATE, NEXT, or a word of `render.sla.URGENCY`."""

    tone: str
    text: str


def to_text(view: View, style: Style = lambda _, line: line) -> str:
    """The picture, at most WIDTH columns and HEIGHT lines. Links take what is left of the screen."""
    incident = view.record.incident
    top = [Line(HEAD, cut(_headline(view), WIDTH)), Line(PLAIN, fit(incident.title, WIDTH)), Line(PLAIN, "")]
    body = [*_people(view), *_clocks(view), *_timeline(view), *_items(view)]
    steps = [Line(PLAIN, ""), *_labelled("Next", view.next[:2] or ["nothing: this incident is over"], NEXT)]
    links = _links(incident, max(HEIGHT - len(top) - len(body) - len(steps), 0))
    return "".join(f"{style(tone, text)}\n" for tone, text in (*top, *body, *links, *steps))


def level_of(incident: Incident, policy: Policy) -> str:
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


def begun(incident: Incident) -> datetime:
    """When the present cycle began: declared, or reopened (aware UTC)."""
    if incident.cycles:
        return parse_instant(incident.cycles[-1].reopened)
    return declared_at(incident)


def impact_seconds(incident: Incident) -> int | None:
    """How long users felt it over all cycles, None as long as an end is not known."""
    lengths = [length.seconds for length in impacts(incident)]
    return sum(length for length in lengths if length is not None) if None not in lengths else None


def last_update(incident: Incident, now: datetime, audience: str | None = None) -> tuple[int, Update] | None:
    """(its age in seconds, the latest update that is not ahead of `now`), for one audience or any."""
    told = [
        (int((now - parse_instant(one.at)).total_seconds()), one)
        for one in incident.updates
        if audience in (None, one.audience) and parse_instant(one.at) <= now
    ]
    return min(told, key=lambda pair: pair[0], default=None)


def last_events(incident: Incident, now: datetime) -> list[Event]:
    """The last entries of the timeline by time; what lies ahead of `now` has not happened yet."""
    past = (event for event in incident.timeline if parse_instant(event.at) <= now)
    return sorted(past, key=lambda event: parse_instant(event.at))[-EVENTS:]


def next_item(incident: Incident) -> ActionItem | None:
    """The open action item that is due first; one without a date comes last."""
    return min(incident.open_items, key=lambda item: item.due or "9999", default=None)


def spell_impact(incident: Incident) -> str:
    """The impact on one line: what the record sums up, else its number of users."""
    told = incident.impact
    if told.summary:
        return told.summary
    users = told.users
    if isinstance(users, Users):
        share = f"{spell_amount(users.percent)} % of users" if users.percent not in (None, UNKNOWN) else ""
        count = f"{spell_amount(users.count)} users" if users.count not in (None, UNKNOWN) else ""
        return ", ".join(filter(None, (count, share))) or UNKNOWN
    return users or UNKNOWN


def _headline(view: View) -> str:
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
    parts = [incident.id, level_of(incident, view.policy), state_of(incident), _age(view)]
    return "  ".join([*parts, *(f"[{mark}]" for mark in marks)])


def _age(view: View) -> str:
    incident = view.record.incident
    if incident.state in OVER:
        felt = impact_seconds(incident)
        if felt is not None:
            return f"impact {spell_duration(felt)}"
        end = instant(current(incident, "resolved") or current(incident, "closed"))
        took = spell_duration(int((end - begun(incident)).total_seconds())) if end else UNKNOWN
        return f"took {took}, impact {UNKNOWN}"
    word = REOPENED if incident.cycles else "open"
    return f"{phase(incident)}, {word} {spell_age(int((view.now - begun(incident)).total_seconds()))}"


def _people(view: View) -> Iterator[Line]:
    incident, held = view.record.incident, view.record.incident.roles
    yield from _labelled("Services", [", ".join(incident.services)])
    yield from _labelled("Public", [_public(view)])
    yield from _labelled("Impact", _on_two_lines(spell_impact(incident)))
    named = {
        "commander": held.commander,
        "technical lead": held.technical_lead,
        "communications lead": held.communications_lead,
        "scribe": held.scribe,
        **{name.replace("_", " "): who for name, who in held.others.items()},
        **({"assigned to": incident.assignments[-1].to} if incident.assignments else {}),
    }
    roles = [f"{role} {fit(who or NOBODY, 40)}" for role, who in named.items()]
    yield from _labelled("Roles", _most(wrap(roles, ROOM, ", "), 2))
    yield from _labelled("Update", _on_two_lines(_update(view)))


def _public(view: View) -> str:
    incident = view.record.incident
    told = last_update(incident, view.now, "public")
    if told:
        return f"{public_status(incident)}; last public update {spell_ago(told[0])}"
    duties = view.policy.duties(incident.severity, incident.priority)
    owed = duties is not None and duties.status_page
    return f"{public_status(incident)}; no public update yet{'' if owed else ', none is required'}"


def _update(view: View) -> str:
    told = last_update(view.record.incident, view.now)
    if told is None:
        return "none yet"
    age, update = told
    return f"{spell_ago(age)}, {update.audience}, {update.status}: {update.text}"


def _clocks(view: View) -> Iterator[Line]:
    if isinstance(view.clocks, str):
        yield from _labelled("Clocks", [f"not known: {view.clocks}"], LATE)
        return
    table = rows(Report(view.now, tuple(clock for clock in view.clocks if clock.clock != ACTION_ITEM)))
    running = [row for row in table if row.status not in ENDED]
    told = [Line(row.status, _clock(row, view.now)) for row in running]
    for word in ENDED:
        names = [row.clock + (f" {row.left}" if word == "missed" else "") for row in table if row.status == word]
        told += [Line(word, f"{word:<9} {', '.join(names)}")] if names else []
    if not told:
        told = [Line(PLAIN, "none: this level has no targets")]
    for number, (tone, text) in enumerate(told[:CLOCKS]):
        yield Line(tone, pad("" if number else "Clocks", MARGIN) + cut(text, ROOM))


def _clock(row: Row, now: datetime) -> str:
    today = spell_clock(now, dated=True).partition(" ")[0]
    due = row.due if row.due == "-" else f"due {row.due.removeprefix(today).strip()} UTC"
    return f"{row.status:<9} {row.clock:<12} {row.time:<14} {due}"


def _timeline(view: View) -> Iterator[Line]:
    last = last_events(view.record.incident, view.now)
    days = {parse_instant(event.at).date() for event in last} | {view.now.date()}
    told = [f"{spell_clock(parse_instant(event.at), dated=len(days) > 1)}  {event.event}" for event in last]
    yield from _labelled("Timeline", told or ["empty"])


def _items(view: View) -> Iterator[Line]:
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
    yield from _labelled("Items", [count + late + first], LATE if view.late else PLAIN)


def _links(incident: Incident, room: int) -> list[Line]:
    links = incident.links
    told = [f"{name.replace('_', ' ')} {link}" for name in links.__struct_fields__ if (link := getattr(links, name))]
    return list(_labelled("Links", _most(told, room)))


def _on_two_lines(text: str) -> list[str]:
    """Prose at the width of the right column; what two lines do not hold is cut."""
    return _most(wrap(fit(text, 2 * ROOM).split(), ROOM), 2)


def _most(texts: list[str], most: int) -> list[str]:
    """The first texts; the last line says that there are more."""
    if len(texts) <= most:
        return texts
    return [*texts[: most - 1], f"{texts[most - 1]} …"] if most else []


def _labelled(label: str, texts: Sequence[str], tone: str = PLAIN) -> Iterator[Line]:
    """Texts in the right column, the label before the first."""
    for number, text in enumerate(texts):
        yield Line(tone, pad("" if number else label, MARGIN) + fit(text, ROOM))
