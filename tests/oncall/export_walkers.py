"""Who is on call by an export of another tool at an instant: written from what those tools say of their fields, with no
line of ours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAY, WEEK = 86_400, 604_800
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def pagerduty_who(export: dict[str, Any], at: datetime) -> str | None:
    """The summary of the user who has it: overrides first, then the first layer that counts."""
    schedule = export["schedule"]
    zone = ZoneInfo(schedule["time_zone"])
    for entry in reversed(schedule["overrides_subschedule"]["rendered_schedule_entries"]):
        if _time(entry["start"]) <= at < _time(entry["end"]):
            return str(entry["user"]["summary"])
    for layer in schedule["schedule_layers"]:
        if not _time(layer["start"]) <= at or (layer["end"] and at >= _time(layer["end"])):
            continue
        wall = _wall(at, zone)
        if layer["restrictions"] and not any(_allows(one, wall) for one in layer["restrictions"]):
            continue
        turn = timedelta(seconds=layer["rotation_turn_length_seconds"])
        number = (wall - _wall(_time(layer["rotation_virtual_start"]), zone)) // turn
        users = layer["users"]
        return str(users[number % len(users)]["user"]["summary"])
    return None


def _allows(restriction: dict[str, Any], wall: datetime) -> bool:
    hour, minute, second = map(int, restriction["start_time_of_day"].split(":"))
    begin, lasts = hour * 3600 + minute * 60 + second, restriction["duration_seconds"]
    if restriction["type"] == "daily_restriction":
        return (_second_of_week(wall) - begin) % DAY < lasts
    begin += (restriction["start_day_of_week"] - 1) * DAY
    return (_second_of_week(wall) - begin) % WEEK < lasts


def opsgenie_who(export: dict[str, Any], at: datetime) -> str | None:
    """The username of whoever has it: overrides first, then the one rotation that counts."""
    schedule = export["data"]
    zone = ZoneInfo(schedule["timezone"])
    for entry in export["overrides"]:
        if _time(entry["startDate"]) <= at < _time(entry["endDate"]):
            return str(entry["user"]["username"])
    for rotation in schedule["rotations"]:
        start, end = _time(rotation["startDate"]), rotation.get("endDate")
        if at < start or (end and at >= _time(end)):
            continue
        wall = _wall(at, zone)
        hours = rotation.get("timeRestriction")
        if hours and not any(_opsgenie_allows(one, wall) for one in hours["restrictions"]):
            continue
        turn = timedelta(days={"daily": 1, "weekly": 7}[rotation["type"]] * rotation["length"])
        people = rotation["participants"]
        return str(people[(wall - _wall(start, zone)) // turn % len(people)]["username"])
    return None


def _opsgenie_allows(one: dict[str, Any], wall: datetime) -> bool:
    begin, end = (
        WEEKDAYS.index(one[f"{key}Day"]) * DAY + one[f"{key}Hour"] * 3600 + one[f"{key}Min"] * 60
        for key in ("start", "end")
    )
    return (_second_of_week(wall) - begin) % WEEK < (end - begin) % WEEK


def _second_of_week(wall: datetime) -> int:
    return wall.weekday() * DAY + wall.hour * 3600 + wall.minute * 60 + wall.second


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)
