"""A calendar of shifts (iCalendar) -> what a file of ours says.

A calendar knows single shifts and no rotation. Where the shifts are turns of equal length that people take in order,
the file has that rotation, and the shifts that are not of it are overrides; else every shift is an override.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from incident_ops.domain.oncall import OnCallSchedule
from incident_ops.errors import UserError
from incident_ops.extras import demand
from incident_ops.oncall.shifts import Shift, shifts
from incident_ops.records.oncall_people import PeopleMap
from incident_ops.records.oncall_source import ImportedSchedule, override_row, source_zone

EXPORTED_AHEAD = timedelta(days=366)
"""How far an event that repeats for ever is read."""
MOST_EVENTS = 5_000
_REPEATS = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_LEAST_ROUNDS = 3
"""So often everybody has had their turn before it is taken for a rotation."""
_MOST_ODD = 4
"""At most one shift of so many may be another one's in a rotation that is taken for one."""


def ical_schedule(text: str, people: PeopleMap, now: datetime, zone: str | None) -> ImportedSchedule:
    """A calendar file; `zone` stands in where the calendar names none. UserError where it is broken or has no shift."""
    demand("calendars", "an iCalendar file", "icalendar", "dateutil")
    from icalendar import Calendar  # takes long to load, and one command needs it

    try:
        calendar = Calendar.from_ical(text)
    except ValueError as error:
        message = f"the calendar cannot be read: {error}"
        raise UserError(message, hint="export it again as .ics; it may be cut off") from error
    where = source_zone(zone or calendar.get("x-wr-timezone") or _zone_of_events(calendar) or "UTC")
    events = [one for one in calendar.walk("VEVENT") if str(one.get("status", "")).upper() != "CANCELLED"]
    every = (shift for event in events for shift in _shifts(event, events, people, where, now + EXPORTED_AHEAD))
    found = sorted(islice(every, MOST_EVENTS + 1))
    people.demand_all()
    if not found:
        raise UserError("the calendar has no event", hint="export the calendar of the shifts, with its past")
    if len(found) > MOST_EVENTS:
        raise UserError(f"the calendar has over {MOST_EVENTS:,} shifts", hint="export a shorter time")
    flat, notes = _flattened(found)
    made = _rotation(flat, where)
    if made is None:
        notes.append("the shifts follow no rotation, so each of them is an override: add a layer for what comes after")
        made = ImportedSchedule(str(where), [], [override_row(one.begin, one.end, one.who) for one in flat])
    else:
        last = max(one.end for one in flat).astimezone(where)
        notes.append(f"the calendar ends on {last:%Y-%m-%d}; the rotation goes on after it in the same order")
    return made._replace(notes=tuple(notes), expected=tuple(flat))


def _zone_of_events(calendar: Any) -> str:
    zones = (one.get("dtstart").params.get("TZID") for one in calendar.walk("VEVENT") if one.get("dtstart"))
    return next((str(zone) for zone in zones if zone), "")


def _shifts(event: Any, events: Sequence[Any], people: PeopleMap, zone: ZoneInfo, horizon: datetime) -> Iterator[Shift]:
    """The shifts of an event, each repetition one, without those that another event of the same UID replaces."""
    begin = _instant(event.decoded("dtstart"), zone)
    if event.get("dtend"):
        lasts = _instant(event.decoded("dtend"), zone) - begin
    else:
        lasts = event.decoded("duration") if event.get("duration") else timedelta(days=1)
    who = people.handle(_names(event))
    if not event.get("rrule") or event.get("recurrence-id"):
        yield Shift(begin, begin + lasts, who, "")
        return
    replaced = {
        _instant(one.decoded("recurrence-id"), zone)
        for one in events
        if one.get("recurrence-id") and one.get("uid") == event.get("uid")
    }
    for start in _repetitions(event, zone, horizon):
        opens = _instant(start, zone)
        # the length of the wall clock: a week from Monday 09:00 ends on Monday 09:00, whatever the clocks did
        closes = _instant((_wall(event.decoded("dtend"), zone) - _wall(event.decoded("dtstart"), zone)) + start, zone)
        if opens not in replaced:
            yield Shift(opens, closes if event.get("dtend") else opens + lasts, who, "")


def _repetitions(event: Any, zone: ZoneInfo, horizon: datetime) -> list[datetime]:
    """The beginnings of an event that repeats, on the wall clock of the zone."""
    from dateutil.rrule import rrulestr

    first = _wall(event.decoded("dtstart"), zone)
    rule = event["rrule"]
    if (how_often := str(rule.get("FREQ", [""])[0]).upper()) not in _REPEATS:
        raise UserError(
            f"an event repeats {how_often or 'without saying how often'}",
            hint="a shift repeats daily, weekly, monthly or yearly",
        )
    until = rule.get("UNTIL")
    words = [part for part in rule.to_ical().decode().split(";") if not part.startswith("UNTIL=")]
    last = horizon.astimezone(zone).replace(tzinfo=None)
    if until:
        last = min(last, _wall(until[0], zone))
    left_out = event.get("exdate") or []
    every = left_out if isinstance(left_out, list) else [left_out]
    without = {_wall(day.dt, zone) for one in every for day in one.dts}
    found: list[datetime] = []
    for start in rrulestr(";".join(words), dtstart=first):
        if start > last or len(found) > MOST_EVENTS:
            break
        if start not in without:
            found.append(start)
    return found


def _names(event: Any) -> list[str]:
    """Who an event is about: the one who attends, by address and name, else the title, its leading words last."""
    attendees = event.get("attendee") or []
    names = []
    for one in attendees if isinstance(attendees, list) else [attendees]:
        address = str(one)
        names += [address.partition(":")[2] if address.lower().startswith("mailto:") else address]
        names += [str(one.params.get("CN", ""))]
    title = str(event.get("summary", ""))
    for lead in ("On call: ", "On call - ", "On Call - ", "On-call: "):
        if title.startswith(lead):
            rest = title.removeprefix(lead)
            return [*names, title, rest, rest.partition(" (")[0], rest.partition(" - ")[0]]
    return [*names, title]


def _instant(value: date | datetime, zone: ZoneInfo) -> datetime:
    """A time of an event -> aware UTC; without a zone it is the calendar's."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def _wall(value: date | datetime, zone: ZoneInfo) -> datetime:
    """The same on the wall clock of the zone."""
    return _instant(value, zone).astimezone(zone).replace(tzinfo=None)


def _flattened(found: Sequence[Shift]) -> tuple[list[Shift], list[str]]:
    """Shifts without overlaps, whoever begins later wins, and what is to be said of that."""
    flat: list[Shift] = []
    meets = 0
    for one in found:
        if one.begin >= one.end:
            continue
        if flat and flat[-1].end > one.begin:
            meets += flat[-1].who != one.who
            rest = flat[-1]._replace(begin=one.end) if flat[-1].end > one.end else None
            flat[-1] = flat[-1]._replace(end=one.begin)
            flat += [one, *([rest] if rest else [])]
        else:
            flat.append(one)
    flat = [one for one in flat if one.begin < one.end]
    notes = [f"{meets} shifts overlap with another person's: whoever begins later is on call"] if meets else []
    return flat, notes


def _rotation(flat: Sequence[Shift], zone: ZoneInfo) -> ImportedSchedule | None:
    """The rotation behind shifts, with overrides where they differ; None where there is none."""
    turns = _turns(flat, zone)
    if turns is None:
        return None
    first, days, whom = turns
    best: list[str] | None = None
    for count in range(2, len(whom) // _LEAST_ROUNDS + 1):
        people = [Counter(whom[place::count]).most_common(1)[0][0] for place in range(count)]
        odd = sum(who != people[number % count] for number, who in enumerate(whom))
        if odd * _MOST_ODD <= len(whom) and len(set(people)) > 1:
            best = people
            break
    if best is None:
        return None
    rotate = f"{days // 7}w" if days % 7 == 0 else f"{days}d"
    layer = {"name": "rotation", "people": best, "start": f"{first:%Y-%m-%d}", "rotate": rotate, "at": f"{first:%H:%M}"}
    bare: dict[str, Any] = {"name": "imported", "zone": str(zone), "layers": [layer]}
    said = shifts(msgspec.convert(bare, OnCallSchedule), flat[0].begin, max(one.end for one in flat))
    overrides = [row for one in flat for row in _differences(one, said)]
    return ImportedSchedule(str(zone), [layer], overrides)


def _turns(flat: Sequence[Shift], zone: ZoneInfo) -> tuple[datetime, int, list[str]] | None:
    """(the first beginning on the wall clock, days of a turn, who has most of each turn); None where shifts leave gaps,
    or no length of whole days divides them."""
    if any(one.end != two.begin for one, two in pairwise(flat)):
        return None
    walls = [_wall(one.begin, zone) for one in flat] + [_wall(flat[-1].end, zone)]
    first = walls[0]
    at_hour = [wall for wall in walls if wall.time() == first.time()]
    lengths = Counter((two - one).days for one, two in pairwise(at_hour))
    days = lengths.most_common(1)[0][0] if lengths else 0
    whole = (walls[-1] - first).days
    if days < 1 or walls[-1].time() != first.time() or whole % days or first.second:
        return None
    whom = []
    for number in range(whole // days):
        begin, end = (_instant(first + timedelta(days=days * turn), zone) for turn in (number, number + 1))
        held: Counter[str] = Counter()
        for one in flat:
            shared = min(end, one.end) - max(begin, one.begin)
            held[one.who] += max(int(shared.total_seconds()), 0)
        whom.append(held.most_common(1)[0][0])
    return first, days, whom


def _differences(one: Shift, said: Sequence[Shift]) -> Iterator[dict[str, Any]]:
    """Overrides for the parts of a shift that a rotation gives to somebody else."""
    for other in said:
        begin, end = max(one.begin, other.begin), min(one.end, other.end)
        if begin < end and other.who != one.who:
            yield override_row(begin, end, one.who)
