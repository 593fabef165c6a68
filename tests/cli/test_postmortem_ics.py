"""`postmortem ics`: the review meeting as other programs read it, whatever the record says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.scene import AT, CLOSED, Folder, call, ok, record
from tests.cli.test_oncall import read_by_others

pytestmark = pytest.mark.usefixtures("somebody")
MEETING = "postmortem: {status: draft, authors: ['@ann'], attendees: ['@bob', '@cy'], meeting: 2025-01-28T14:00:00Z}\n"
POLICY = """extends: sev0-3
contacts:
  "@ann": {git: [Ann Lee, ann@example.org]}
  "@bob": {git: [bob+work@example.org]}
"""
HOSTILE = 'Log\\in; fails, \u202efor\u200b "all": BEGIN:VEVENT\\nATTENDEE:mailto:x@example.org \U0001f525 ' + "ü" * 90


@pytest.fixture
def met(tmp_path: Path) -> Folder:
    """A postmortem with a meeting; two of the three who come have an address."""
    folder = Folder(tmp_path / "records", policy=POLICY)
    folder.put(text=record(**CLOSED) + MEETING)
    folder.commit()
    return folder


def lines(folder: Folder) -> list[str]:
    """The lines of the file, unfolded."""
    text = ok(folder, "postmortem", "ics", "INC-1").out
    return text.replace("\r\n ", "").split("\r\n")


def test_other_programs_read_the_meeting(met: Folder, tmp_path: Path) -> None:
    found = read_by_others(ok(met, "postmortem", "ics", "INC-1").out, tmp_path / "meeting.ics")
    assert found["mozilla"] == found["node"]
    (event,) = found["mozilla"]
    assert event == {
        "uid": "INC-1@postmortem.incident-ops",
        "sequence": 1,
        "summary": "Postmortem of INC-1: Login fails",
        "start": "2025-01-28T14:00:00.000Z",
        "end": "2025-01-28T15:00:00.000Z",
    }


def test_who_has_an_address_is_invited_and_all_are_named(met: Folder) -> None:
    done = call("postmortem", "ics", "INC-1", at=met.path)
    assert "warning: not invited, for no address is known: @cy" in done.err
    found = lines(met)
    assert "ORGANIZER;CN=@ann:mailto:ann@example.org" in found
    invited = [line for line in found if line.startswith("ATTENDEE")]
    assert invited == ["ATTENDEE;CN=@ann:mailto:ann@example.org", "ATTENDEE;CN=@bob:mailto:bob%2Bwork@example.org"]
    assert "Who comes: @ann\\, @bob\\, @cy" in "".join(found)


def test_the_same_record_gives_the_same_bytes(met: Folder) -> None:
    """Whenever it is asked; a moved meeting keeps its UID and raises SEQUENCE, so that calendars take it over."""
    before = lines(met)
    printed = {ok(met, "postmortem", "ics", "INC-1", clock=at).out for at in (AT, "2026-01-01T00:00:00Z")}
    assert len(printed) == 1
    ok(met, "postmortem", "edit", "INC-1", "--meeting", "2025-01-29T14:00:00Z")
    met.commit()
    after = lines(met)
    assert {"DTSTART:20250129T140000Z", "SEQUENCE:2", "UID:INC-1@postmortem.incident-ops"} <= set(after)
    assert [line for line in before if line.startswith("UID")] == [line for line in after if line.startswith("UID")]


def test_text_of_a_record_stays_text(met: Folder, tmp_path: Path) -> None:
    """Lines are folded at 75 bytes and end as they must."""
    met.put(text=record(**CLOSED, title=f"'{HOSTILE}'") + MEETING)
    done = call("postmortem", "ics", "INC-1", "--output", "meeting.ics", at=met.path)
    assert (done.code, done.out) == (0, "written: meeting.ics\n")
    raw = (met.path / "meeting.ics").read_bytes()
    assert raw.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 75
    found = read_by_others(raw.decode(), tmp_path / "read.ics")
    (event,) = found["mozilla"]
    shown = 'Log\\in; fails, for "all": BEGIN:VEVENT\\nATTENDEE:mailto:x@example.org \U0001f525 ' + "ü" * 90
    assert event["summary"] == f"Postmortem of INC-1: {shown}"
    assert raw.decode().replace("\r\n ", "").count("\r\nATTENDEE") == 2


@pytest.mark.parametrize(
    ("lines", "way"),
    [("", "new"), ("postmortem: {status: draft}\n", "edit")],
    ids=["not begun", "no meeting"],
)
def test_without_a_meeting_it_says_how_to_set_one(met: Folder, lines: str, way: str) -> None:
    met.put(text=record(**CLOSED) + lines)
    done = call("postmortem", "ics", "INC-1", at=met.path)
    done.told_once(2, "no meeting about the postmortem of INC-1 is set")
    assert f'incident-ops postmortem {way} INC-1 --meeting "tomorrow 14:00"' in done.err
    ok(met, "postmortem", way, "INC-1", "--meeting", "tomorrow 14:00")
    ok(met, "postmortem", "ics", "INC-1")
