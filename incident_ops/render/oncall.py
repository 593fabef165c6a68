"""Who is on call, coming shifts, the load of people and what nobody covers, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from incident_ops.domain.record import Unread
from incident_ops.domain.time import TimeSpan, spell_duration, stamp
from incident_ops.oncall.answers import ComingShift, OnCallAnswer, OnCallNow
from incident_ops.oncall.load import LoadRow
from incident_ops.oncall.shifts import Shift
from incident_ops.render.findings import inert, json_text
from incident_ops.render.sla import unread_data
from incident_ops.render.text import DEFAULT_WIDTH, aligned, fold

NOBODY = "nobody"
MOST_GAPS = 20


def local_time(at: datetime, zone: str) -> str:
    """`Mon 2025-01-27 09:00 CET`."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M %Z}"


def who_text(answer: OnCallAnswer, at: datetime, width: int = DEFAULT_WIDTH) -> str:
    """A table of the schedules, times in the zone of each; schedules that cannot be used below it."""
    rows = [
        (
            inert(one.schedule),
            inert(one.who or NOBODY),
            local_time(one.until, one.zone) if one.until else "-",
            inert(one.then or NOBODY) if one.until else "-",
        )
        for one in answer.rows
    ]
    lines = [f"On call at {at:%Y-%m-%d %H:%M} UTC:"]
    lines += aligned(("SCHEDULE", "ON CALL", "UNTIL", "THEN"), rows, width=width) if rows else []
    lines += [line for one in answer.rows for line in _why(one, width)]
    return "\n".join([*lines, *_unread(answer.unread, width)]) + "\n"


def _why(row: OnCallNow, width: int) -> list[str]:
    """That somebody is on call by an override, and what it says of itself."""
    one = row.instead
    if one is None:
        return []
    by = f" by {one.by}" if one.by else ""
    reason = f": {one.reason}" if one.reason else ""
    return fold(inert(f"{row.schedule}: {one.who} by an override{by}{reason}"), "  ", "    ", width)


def who_json(answer: OnCallAnswer, at: datetime) -> str:
    """The same for scripts; `who` and `then` null = nobody, `until` null = no change in 90 days."""
    rows = [
        {
            **one._asdict(),
            "until": stamp(one.until) if one.until else None,
            "instead": {"by": one.instead.by, "reason": one.instead.reason} if one.instead else None,
        }
        for one in answer.rows
    ]
    return json_text({"schema": 1, "at": stamp(at), "on_call": rows, "unread": unread_data(answer.unread)})


def next_text(
    who: str, coming: Sequence[ComingShift], at: datetime, unread: Sequence[Unread], width: int = DEFAULT_WIDTH
) -> str:
    """The shifts of a person, the first of them going on where it has begun."""
    head = f"{inert(who)} is not on call in the next 90 days."
    if coming:
        wait = spell_duration(_seconds(at, coming[0].shift.begin))
        head = f"{inert(who)} is on call {'now' if coming[0].shift.begin <= at else f'next in {wait}'}:"
    cells = [
        (
            inert(one.schedule),
            local_time(one.shift.begin, one.zone),
            local_time(one.shift.end, one.zone),
            spell_duration(_seconds(one.shift.begin, one.shift.end)),
        )
        for one in coming
    ]
    table = aligned(("SCHEDULE", "FROM", "TO", "LASTS"), cells, width=width) if cells else []
    return "\n".join([head, *table, *_unread(unread, width)]) + "\n"


def next_json(who: str, coming: Sequence[ComingShift], at: datetime, unread: Sequence[Unread]) -> str:
    """The same for scripts."""
    rows = [{"schedule": one.schedule, "zone": one.zone, **_span(one.shift)} for one in coming]
    data = {"schema": 1, "at": stamp(at), "who": who, "shifts": rows, "unread": unread_data(unread)}
    return json_text(data)


def gaps_text(gaps: Mapping[str, Sequence[TimeSpan]], zones: Mapping[str, str]) -> str:
    """Every stretch of the next 60 days that nobody covers, schedule by schedule; "" where there is none."""
    lines = []
    for name, missing in sorted(gaps.items()):
        lines += ["", f"Nobody is on call by {inert(name)}, within the next 60 days:"]
        lines += [
            f"  {local_time(begin, zones[name])} to {local_time(end, zones[name])}  "
            f"({spell_duration(_seconds(begin, end))})"
            for begin, end in missing[:MOST_GAPS]
        ]
        more = len(missing) - MOST_GAPS
        lines += [f"  and {more} more: --format json has them all"] if more > 0 else []
    return "\n".join(lines) + "\n" if lines else ""


def gaps_data(gaps: Mapping[str, Sequence[TimeSpan]]) -> list[dict[str, str]]:
    """The same for scripts."""
    return [
        {"schedule": name, "from": stamp(begin), "to": stamp(end)}
        for name, missing in sorted(gaps.items())
        for begin, end in missing
    ]


def load_text(
    rows: Sequence[LoadRow], period: TimeSpan, unread: Sequence[Unread] = (), width: int = DEFAULT_WIDTH
) -> str:
    """A table of people, the heaviest load first."""
    header = ("WHO", "ON CALL", "NIGHTS", "WEEKENDS", "ESCALATIONS", "AT NIGHT")
    cells = [
        (
            inert(one.load.who),
            *(_hours(seconds) for seconds in (one.load.on_call, one.load.night, one.load.weekend)),
            str(one.escalations),
            str(one.at_night),
        )
        for one in rows
    ]
    head = f"On call from {period[0]:%Y-%m-%d} to {period[1]:%Y-%m-%d}, in hours:"
    note = "Nights are 22:00 to 06:00 in the schedule's zone. Escalations are those that records say reached them."
    table = aligned(header, cells, range(1, 6), width) if cells else ["  nobody"]
    return "\n".join([head, *table, "", *fold(note, width=width), *_unread(unread, width)]) + "\n"


def load_json(rows: Sequence[LoadRow], period: TimeSpan, unread: Sequence[Unread] = ()) -> str:
    """The same for scripts, in seconds."""
    people = [
        {
            "who": one.load.who,
            "on_call_seconds": one.load.on_call,
            "night_seconds": one.load.night,
            "weekend_seconds": one.load.weekend,
            "escalations": one.escalations,
            "escalations_at_night": one.at_night,
        }
        for one in rows
    ]
    head = {"schema": 1, "from": stamp(period[0]), "to": stamp(period[1])}
    return json_text({**head, "people": people, "unread": unread_data(unread)})


def _unread(unread: Iterable[Unread], width: int) -> list[str]:
    rows = [inert(f"{one.path}: {one.why}") for one in unread]
    return ["", "Cannot be used, so nobody knows who is on call by it:", *_set_in(rows, width)] if rows else []


def _set_in(rows: Iterable[str], width: int) -> list[str]:
    return [line for row in rows for line in fold(row, "  ", "    ", width)]


def _hours(seconds: int) -> str:
    return f"{seconds / 3600:.1f}".removesuffix(".0")


def _seconds(begin: datetime, end: datetime) -> int:
    return int((end - begin).total_seconds())


def _span(shift: Shift) -> dict[str, Any]:
    return {"from": stamp(shift.begin), "to": stamp(shift.end)}
