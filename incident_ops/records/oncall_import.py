"""`oncall import`: a file that another tool exported -> the text of a schedule of ours, and what is not the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from incident_ops.domain.oncall import OnCallSchedule
from incident_ops.domain.policy_sections import Contacts
from incident_ops.domain.record import Unread
from incident_ops.domain.time import stamp
from incident_ops.errors import UserError
from incident_ops.oncall.shifts import Shift, shifts
from incident_ops.records.oncall import ONCALL, schedule_path
from incident_ops.records.oncall_exports import is_opsgenie, is_pagerduty, opsgenie_schedule, pagerduty_schedule
from incident_ops.records.oncall_ical import ical_schedule
from incident_ops.records.oncall_people import PeopleMap
from incident_ops.records.oncall_source import ImportedSchedule
from incident_ops.records.planned_changes import read_document
from incident_ops.records.yaml_writer import to_yaml

ONCALL_HEADER = "# yaml-language-server: $schema=../schemas/oncall.schema.json\n"
_FORMATS = "a schedule of PagerDuty or Opsgenie as JSON, or a calendar of shifts (.ics)"


class ImportRequest(NamedTuple):
    """The name of the schedule, the map of people, the contacts, a zone for a calendar without one, and the present."""

    name: str
    people: Mapping[str, str]
    contacts: Contacts
    zone: str | None
    now: datetime


class ImportedText(NamedTuple):
    """The text of the file and what should give pause."""

    text: str
    notes: tuple[str, ...]


def import_schedule(text: str, wanted: ImportRequest) -> ImportedText:
    """The text of a file of ours. UserError where the export cannot be read or somebody in it is not known here."""
    people = PeopleMap(wanted.people, wanted.contacts)
    try:
        found = _read(text, people, wanted)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UserError(f"it cannot be read as {_FORMATS}", hint="export it again; it may be cut off") from error
    people.demand_all()
    data: dict[str, Any] = {"name": wanted.name, "zone": found.zone}
    data |= {"layers": found.layers} if found.layers else {}
    data |= {"overrides": found.overrides} if found.overrides else {}
    made = ONCALL_HEADER + to_yaml(data)
    checked = read_document(made.encode(), schedule_path(wanted.name), ONCALL)
    if isinstance(checked, Unread):
        raise UserError(f"what it says does not fit a schedule here: {checked.reason}", hint="see docs/oncall.md")
    schedule = msgspec.convert(checked.data, OnCallSchedule)
    return ImportedText(made, (*found.notes, *_compared(schedule, found)))


def _read(text: str, people: PeopleMap, wanted: ImportRequest) -> ImportedSchedule:
    if text.lstrip("\ufeff \r\n\t").startswith("BEGIN:VCALENDAR"):
        return ical_schedule(text.lstrip("\ufeff \r\n\t"), people, wanted.now, wanted.zone)
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UserError(f"it is neither JSON nor a calendar; it should be {_FORMATS}") from error
    if isinstance(data, dict) and is_pagerduty(data):
        return pagerduty_schedule(data, people, wanted.now)
    if isinstance(data, dict) and is_opsgenie(data):
        return opsgenie_schedule(data, people, wanted.now)
    raise UserError(f"it has neither schedule_layers nor rotations; it should be {_FORMATS}")


def _compared(schedule: OnCallSchedule, found: ImportedSchedule) -> list[str]:
    """How the schedule stands to what the source itself worked out: the time in which both are the same, or where they
    first differ."""
    if not found.expected:
        return []
    first, last = found.expected[0].begin, found.expected[-1].end
    said = shifts(schedule, first, last)
    for one in found.expected:
        for begin, end, who in _said_in(said, one):
            if who != one.who:
                there = f"the source has {one.who}, and this file {who or 'nobody'}"
                return [f"from {stamp(begin)} to {stamp(end)} {there}"]
    return [f"the same as the source from {stamp(first)} to {stamp(last)}"]


def _said_in(said: list[Shift], span: Shift) -> list[tuple[datetime, datetime, str]]:
    """Who is on call in a span, its gaps too ("" = nobody)."""
    parts, at = [], span.begin
    for one in said:
        begin, end = max(one.begin, span.begin), min(one.end, span.end)
        if begin < end:
            parts += [(at, begin, "")] if begin > at else []
            parts.append((begin, end, one.who))
            at = end
    return [*parts, *([(at, span.end, "")] if at < span.end else [])]
