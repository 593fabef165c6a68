"""oncall import: what PagerDuty, Opsgenie and calendars export is the same schedule here, at a thousand instants."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from incident_ops.domain.time import stamp
from incident_ops.oncall.shifts import on_call_at
from incident_ops.records.oncall import to_schedule
from incident_ops.records.yaml_reader import Document, read_yaml
from tests.cli.scene import ROOT, Folder, call, ok
from tests.oncall.export_walkers import opsgenie_who, pagerduty_who

EXPORTS = ROOT / "tests/oncall/exports"
AT = "2025-01-26T14:00:00Z"
FROM, UNTIL = datetime(2025, 1, 26, 14, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC)
CONTACTS = """extends: sev0-3
contacts:
  "@alice": {channels: [pagerduty], name: Alice Smith, git: [alice@example.org]}
  "@ben": {channels: [pagerduty], name: Ben Okoro, git: [ben@example.org]}
  "@cleo": {channels: [pagerduty], name: Cleo Park, git: [cleo@example.org]}
  "@dan": {channels: [pagerduty], name: Dan Ruiz, git: [dan@example.org]}
"""
HANDLES = {"alice": "@alice", "ben": "@ben", "cleo": "@cleo", "dan": "@dan"}


@pytest.fixture
def team(folder: Folder) -> Folder:
    """A repository that knows the people of the exports."""
    folder.write("policy.yaml", CONTACTS)
    return folder


def source(name: str) -> Any:
    """An export as data."""
    return json.loads((EXPORTS / name).read_text())


def instants(count: int, until: datetime = UNTIL) -> list[datetime]:
    """Instants of the coming year by chance, whole minutes."""
    chance = random.Random("instants")
    return [FROM + timedelta(minutes=chance.randrange((until - FROM) // timedelta(minutes=1))) for _ in range(count)]


def handle(name: str | None) -> str | None:
    """Who that is here."""
    return None if name is None else HANDLES[name.replace("@", " ").split()[0].lower()]


def rota_who(at: datetime) -> str:
    """Who has a week of rota.ics: three people in turn, and the week that Cleo took for Ben."""
    wall = at.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None)
    week = (wall - datetime(2025, 1, 6, 9)) // timedelta(days=7)
    return "cleo" if week == 7 else ("alice", "ben", "cleo")[week % 3]


SOURCES: dict[str, Callable[[datetime], str | None]] = {
    "pagerduty.json": lambda at: pagerduty_who(source("pagerduty.json"), at),
    "opsgenie.json": lambda at: opsgenie_who(source("opsgenie.json"), at),
    "rota.ics": rota_who,
}


@pytest.mark.parametrize("name", SOURCES)
def test_an_imported_schedule_says_what_its_source_says(team: Folder, name: str) -> None:
    """Written, without an error or a warning of `lint`, and the same person at 1,000 instants of the coming year."""
    done = ok(team, "oncall", "import", str(EXPORTS / name), "--name", "primary", "--write")
    assert "primary: written to oncall/primary.yaml" in done.out
    linted = call("oncall", "lint", at=team.path)
    assert (linted.code, linted.out) == (0, "1 file checked: all fine\n")
    document = read_yaml((team.path / "oncall/primary.yaml").read_text(), "primary")
    assert isinstance(document, Document)
    schedule = to_schedule(document)
    ours = {at: on_call_at(schedule, at) for at in instants(1000)}
    assert ours == {at: handle(SOURCES[name](at)) for at in ours}
    asked = FROM + timedelta(days=40)
    told = json.loads(ok(team, "oncall", "who", "primary", "--at", stamp(asked), "--format", "json").out)
    assert told["on_call"][0]["who"] == handle(SOURCES[name](asked))


def test_what_the_source_worked_out_is_compared(team: Folder) -> None:
    """PagerDuty sends its final schedule along: the same is said, and so is the first difference."""
    data = source("pagerduty.json")
    hours = [FROM + timedelta(hours=number) for number in range(24 * 60)]
    ids = {
        one["user"]["summary"]: one["user"] for layer in data["schedule"]["schedule_layers"] for one in layer["users"]
    }
    entries = [
        {"start": stamp(at), "end": stamp(at + timedelta(hours=1)), "user": ids[pagerduty_who(data, at) or ""]}
        for at in hours
    ]
    data["schedule"]["final_schedule"] = {"rendered_schedule_entries": entries}
    file = team.write("schedule.json", json.dumps(data))
    told = ok(team, "oncall", "import", str(file), "--name", "primary").err
    assert "note: the same as the source from 2025-01-26T14:00:00Z to 2025-03-27T14:00:00Z" in told
    entries[100]["user"] = next(one for name, one in ids.items() if name != entries[100]["user"]["summary"])
    file.write_text(json.dumps(data))
    told = ok(team, "oncall", "import", str(file), "--name", "primary").err
    assert f"note: from {entries[100]['start']} to" in told


def test_what_is_not_the_same_is_said(team: Folder) -> None:
    """A layer that has ended is left out, with a word."""
    told = ok(team, "oncall", "import", str(EXPORTS / "pagerduty.json"), "--name", "primary")
    assert "'Old' ended at 2024-09-04T16:00:00Z and is left out" in told.err
    assert "Gone" not in told.out
    told = ok(team, "oncall", "import", str(EXPORTS / "rota.ics"), "--name", "primary")
    assert "the rotation goes on after it in the same order" in told.err


def test_shifts_without_a_rotation_become_overrides(team: Folder) -> None:
    """Every shift is kept as it is."""
    events = "".join(
        f"BEGIN:VEVENT\nUID:{number}\nDTSTART:202502{day:02}T080000Z\nDTEND:202502{day + lasts:02}T080000Z\n"
        f"SUMMARY:{who}\nEND:VEVENT\n"
        for number, (day, lasts, who) in enumerate([(1, 2, "@alice"), (3, 1, "@ben"), (4, 5, "@alice")])
    )
    file = team.write("r.ics", f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{events}END:VCALENDAR\n")
    done = ok(team, "oncall", "import", str(file), "--name", "primary")
    assert done.out.count("- from:") == 3
    assert "layers" not in done.out
    assert "each of them is an override" in done.err


def test_days_without_hours_are_days_of_the_zone(team: Folder) -> None:
    """Whole-day events, as calendars of teams have them."""
    events = "".join(
        f"BEGIN:VEVENT\nUID:{number}\nDTSTART;VALUE=DATE:202502{3 + number:02}\n"
        f"DTEND;VALUE=DATE:202502{4 + number:02}\n"
        f"SUMMARY:{('@alice', '@ben')[number % 2]}\nEND:VEVENT\n"
        for number in range(8)
    )
    file = team.write("r.ics", f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{events}END:VCALENDAR\n")
    done = ok(team, "oncall", "import", str(file), "--name", "primary", "--zone", "Asia/Tokyo")
    assert "  rotate: 1d\n  at: 00:00" in done.out.replace('"', "")
    assert "zone: Asia/Tokyo" in done.out


def test_people_come_from_a_map_too(folder: Folder) -> None:
    """Names, addresses or ids of the other tool."""
    people = folder.write(
        "map.yaml", "PALICE1: '@a'\nBen Okoro: '@b'\nPCLEO01: '@c'\nDan Ruiz: '@d'\nGone Long: '@g'\n"
    )
    words = ("oncall", "import", str(EXPORTS / "pagerduty.json"), "--name", "primary")
    done = ok(folder, *words, "--people", str(people))
    assert all(f'- "{who}"' in done.out for who in ("@a", "@b", "@c", "@d"))
    call(*words, at=folder.path).told_once(2, "Alice Smith or PALICE1", "Ben Okoro", "--people")


BAD = {
    "empty": ("", "neither JSON nor a calendar"),
    "cut off": ((EXPORTS / "pagerduty.json").read_text()[:400], "neither JSON nor a calendar"),
    "another JSON": ('{"a": 1}', "neither schedule_layers nor rotations"),
    "a list": ("[]", "neither schedule_layers nor rotations"),
    "layers of text": ('{"schedule_layers": "x", "time_zone": "Etc/UTC"}', "schedule_layers is not a list"),
    "no zone": ('{"schedule_layers": []}', "time zone None"),
    "no numbers": (
        '{"time_zone": "Etc/UTC", "schedule_layers": [{"start": "2025-01-01T00:00:00Z", "users":'
        ' [{"user": {"id": "@a"}}], "rotation_turn_length_seconds": "x"}]}',
        "cannot be read as",
    ),
    "turns of minutes": (
        '{"time_zone": "Etc/UTC", "schedule_layers": [{"start": "2025-01-01T00:00:00Z", "users":'
        ' [{"user": {"id": "@a"}}], "rotation_turn_length_seconds": 60}]}',
        "last 60 seconds",
    ),
    "nobody": (
        '{"time_zone": "Etc/UTC", "schedule_layers": [{"start": "2025-01-01T00:00:00Z", "users": [],'
        ' "rotation_turn_length_seconds": 3600}]}',
        "has nobody in it",
    ),
    "an empty turn": (
        '{"timezone": "Etc/UTC", "rotations": [{"name": "r", "type": "daily", "startDate": "2025-01-01T00:00:00Z",'
        ' "participants": [{"type": "none"}]}]}',
        "an empty turn",
    ),
    "a calendar of nothing": ("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nEND:VCALENDAR\n", "no event"),
    "half a calendar": ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:2025", "calendar"),
    "an event without a time": (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nSUMMARY:@a\nEND:VEVENT\nEND:VCALENDAR\n",
        "cannot be read as",
    ),
    "every second for ever": (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nSUMMARY:@a\nDTSTART:20200101T000000Z\n"
        "DTEND:20200101T000001Z\nRRULE:FREQ=SECONDLY\nEND:VEVENT\nEND:VCALENDAR\n",
        "repeats SECONDLY",
    ),
    "every day for many people": (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n"
        + "".join(
            f"BEGIN:VEVENT\nUID:{number}\nSUMMARY:@a\nDTSTART:20200101T000000Z\nDTEND:20200101T000001Z\n"
            "RRULE:FREQ=DAILY\nEND:VEVENT\n"
            for number in range(9)
        )
        + "END:VCALENDAR\n",
        "over 5,000 shifts",
    ),
    "a deep hole": ("[" * 100_000, "cannot be read as"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_told_in_one_line(team: Folder, name: str) -> None:
    """Never a traceback, and nothing is written."""
    text, words = BAD[name]
    file = team.write("export", text)
    call("oncall", "import", str(file), "--name", "primary", "--write", at=team.path).told_once(2, words)
    assert not (team.path / "oncall/primary.yaml").exists()


def test_a_schedule_that_is_there_is_not_written_over(team: Folder) -> None:
    """Another name, or take the old one away."""
    words = ("oncall", "import", str(EXPORTS / "rota.ics"), "--name", "primary", "--write")
    ok(team, *words)
    call(*words, at=team.path).told_once(2, "is there already")
    call(*words[:-2], "../x", "--write", at=team.path).told_once(2, "not a valid name")
