"""Schedules as PagerDuty and Opsgenie export them (JSON of their REST interfaces) -> what a file of ours says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from incident_ops.domain.oncall import DAY_NAMES, OnCallSchedule
from incident_ops.domain.time import stamp
from incident_ops.errors import UserError
from incident_ops.oncall.shifts import Shift, layer_shifts
from incident_ops.records.oncall_people import PeopleMap
from incident_ops.records.oncall_source import (
    DAY,
    ImportedSchedule,
    as_list,
    override_row,
    source_instant,
    source_zone,
    turn_text,
    turning_layer,
    week_hours,
)

Export = Mapping[str, Any]
_SECONDS_OF = {"hourly": 3600, "daily": 86_400, "weekly": 604_800}
_EVERY_DAY = range(7)
_LOOK_AT = timedelta(days=60)


def is_pagerduty(data: Export) -> bool:
    """True for a schedule of PagerDuty, alone or under `schedule`."""
    inner = data.get("schedule", data)
    return isinstance(inner, dict) and "schedule_layers" in inner


def is_opsgenie(data: Export) -> bool:
    """True for a schedule of Opsgenie, alone or under `data`."""
    inner = data.get("data", data)
    return isinstance(inner, dict) and "rotations" in inner


def pagerduty_schedule(data: Export, people: PeopleMap, now: datetime) -> ImportedSchedule:
    """`GET /schedules/{id}`. The layer that wins stands first there, and last here. UserError where it is broken."""
    found = data.get("schedule", data)
    zone = source_zone(found.get("time_zone"))
    notes: list[str] = []
    layers: list[dict[str, Any]] = []
    for layer in reversed(as_list(found["schedule_layers"], "schedule_layers")):
        name = str(layer.get("name") or f"layer {len(layers) + 1}")
        if _is_over(layer.get("end"), name, now, notes):
            continue
        users = [_pagerduty_user(one.get("user") or {}, people) for one in as_list(layer.get("users"), "users")]
        first = source_instant(layer.get("rotation_virtual_start") or layer.get("start"), f"layer {name!r}")
        start = source_instant(layer.get("start"), f"layer {name!r}")
        rotate = turn_text(int(layer.get("rotation_turn_length_seconds") or 0), name)
        made = _layer(name, users, rotate, (first, start), zone, notes)
        spans = [span for one in as_list(layer.get("restrictions"), "restrictions") for span in _pagerduty_hours(one)]
        layers.append({**made, **({"restrict": week_hours(spans)} if spans else {})})
    rendered = (found.get("overrides_subschedule") or {}).get("rendered_schedule_entries")
    rows = [*as_list(rendered, "overrides"), *as_list(data.get("overrides", found.get("overrides")), "overrides")]
    overrides = [_pagerduty_entry(one, people) for one in rows]
    final = as_list((found.get("final_schedule") or {}).get("rendered_schedule_entries"), "final_schedule")
    expected = [_pagerduty_entry(one, people) for one in final]
    return ImportedSchedule(str(zone), layers, _rows(overrides), tuple(notes), tuple(expected))


def _pagerduty_entry(entry: Export, people: PeopleMap) -> Shift:
    begin, end = (source_instant(entry.get(key), key) for key in ("start", "end"))
    return Shift(begin, end, _pagerduty_user(entry.get("user") or {}, people), "")


def _pagerduty_user(user: Export, people: PeopleMap) -> str:
    return people.handle([user.get(key) for key in ("email", "summary", "name", "id")])


def _pagerduty_hours(restriction: Export) -> list[tuple[int, int]]:
    begins, lasts = _clock(restriction.get("start_time_of_day")), int(restriction.get("duration_seconds") or 0) // 60
    if restriction.get("type") == "weekly_restriction":
        return [((int(restriction.get("start_day_of_week") or 1) - 1) * DAY + begins, lasts)]
    return [(day * DAY + begins, min(lasts, DAY)) for day in _EVERY_DAY]


def _clock(text: Any) -> int:
    try:
        hour, minute, *_ = (int(part) for part in str(text).split(":"))
    except ValueError as error:
        raise UserError(f"{text!r} is not a time of day", hint="export it again; it may be cut off") from error
    return hour * 60 + minute


def opsgenie_schedule(data: Export, people: PeopleMap, now: datetime) -> ImportedSchedule:
    """`GET /v2/schedules/{id}`, with `overrides` beside it. UserError where it is broken or has an empty turn."""
    found = data.get("data", data)
    zone = source_zone(found.get("timezone"))
    notes = [] if found.get("enabled", True) else ["it is switched off in Opsgenie; here it counts"]
    layers: list[dict[str, Any]] = []
    for rotation in as_list(found["rotations"], "rotations"):
        name = str(rotation.get("name") or f"rotation {len(layers) + 1}")
        if _is_over(rotation.get("endDate"), name, now, notes):
            continue
        who = [_participant(one, name, people) for one in as_list(rotation.get("participants"), "participants")]
        start = source_instant(rotation.get("startDate"), f"rotation {name!r}")
        seconds = _SECONDS_OF.get(str(rotation.get("type")), 0) * int(rotation.get("length") or 1)
        made = _layer(name, who, turn_text(seconds, name), (start, start), zone, notes)
        spans = _opsgenie_hours(rotation.get("timeRestriction") or {})
        layers.append({**made, **({"restrict": week_hours(spans)} if spans else {})})
    rows = as_list(data.get("overrides", found.get("overrides")), "overrides")
    overrides = [_opsgenie_override(one, people) for one in rows]
    if len(layers) > 1 and any(one.get("rotations") for one in rows):
        notes.append("an override of one rotation counts for the whole schedule here")
    whole = ImportedSchedule(str(zone), layers, _rows(overrides), tuple(notes))
    return whole._replace(notes=(*notes, *_both_at_once(whole, now)))


def _both_at_once(made: ImportedSchedule, now: datetime) -> list[str]:
    """Said where two rotations put two people on call at once: there both are notified, here the later one."""
    schedule = msgspec.convert({"name": "imported", "zone": made.zone, "layers": made.layers}, OnCallSchedule)
    said = [layer_shifts(layer, schedule, now, now + _LOOK_AT) for layer in schedule.layers]
    for later, upper in enumerate(said):
        for number, lower in enumerate(said[:later]):
            if any(one.begin < two.end and two.begin < one.end for one in lower for two in upper):
                names = f"{schedule.layers[number].name!r} and {schedule.layers[later].name!r}"
                return [f"rotations {names} overlap: Opsgenie notifies both people, here the later one is on call"]
    return []


def _opsgenie_override(entry: Export, people: PeopleMap) -> Shift:
    begin, end = (source_instant(entry.get(key), key) for key in ("startDate", "endDate"))
    return Shift(begin, end, _opsgenie_user(entry.get("user") or {}, people), "")


def _participant(entry: Export, rotation: str, people: PeopleMap) -> str:
    kind = entry.get("type", "user")
    if kind != "user":
        what = "an empty turn" if kind == "none" else f"a turn of a {kind}"
        hint = "put a person there before you export it, or write the file by hand"
        raise UserError(f"rotation {rotation!r} has {what}, and a turn here is a person's", hint=hint)
    return _opsgenie_user(entry, people)


def _opsgenie_user(user: Export, people: PeopleMap) -> str:
    return people.handle([user.get(key) for key in ("username", "fullName", "name", "id")])


def _opsgenie_hours(restriction: Export) -> list[tuple[int, int]]:
    one = restriction.get("restriction")
    every = as_list([one] if isinstance(one, dict) else restriction.get("restrictions"), "timeRestriction")
    spans = []
    for part in every:
        begin, end = _opsgenie_clock(part, "start"), _opsgenie_clock(part, "end")
        if "startDay" in part:
            first, last = (_weekday(part.get(key)) * DAY for key in ("startDay", "endDay"))
            spans.append((first + begin, (last + end - first - begin) % (7 * DAY) or 7 * DAY))
        else:
            spans += [(day * DAY + begin, (end - begin) % DAY or DAY) for day in _EVERY_DAY]
    return spans


def _opsgenie_clock(part: Export, key: str) -> int:
    return int(part.get(f"{key}Hour") or 0) * 60 + int(part.get(f"{key}Min") or 0)


def _weekday(name: Any) -> int:
    short = str(name)[:3].lower()
    if short not in DAY_NAMES:
        raise UserError(f"{name!r} is not a day of the week", hint="export it again; it may be cut off")
    return DAY_NAMES.index(short)


def _layer(
    name: str, people: Sequence[str], rotate: str, times: tuple[datetime, datetime], zone: ZoneInfo, notes: list[str]
) -> dict[str, Any]:
    if not people:
        raise UserError(f"{name!r} has nobody in it", hint="put somebody there, or take it out of the export")
    layer, begins = turning_layer(name, people, rotate, *times, zone)
    if times[1] - begins > timedelta(minutes=1):
        began = stamp(times[1])
        notes.append(f"{name!r} begins with its whole turn here, at {stamp(begins)}; there it began at {began}")
    return layer


def _is_over(end: Any, name: str, now: datetime, notes: list[str]) -> bool:
    """Whether a layer has ended; one that will end is kept, and said."""
    if end is None:
        return False
    at = source_instant(end, f"the end of {name!r}")
    is_over = at <= now
    ended = f"{name!r} ended at {stamp(at)} and is left out"
    notes.append(ended if is_over else f"{name!r} ends at {stamp(at)}, and nothing here ends it: take it out then")
    return is_over


def _rows(overrides: Sequence[Shift]) -> list[dict[str, Any]]:
    return [override_row(one.begin, one.end, one.who) for one in sorted(set(overrides))]
