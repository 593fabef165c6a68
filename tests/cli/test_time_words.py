"""Times as a tired person types them, in the options that ask for one: what is written, and what is said back."""

from __future__ import annotations

import pytest

from tests.cli.scene import Done, Folder, call

CLOCK = "2025-01-26T14:00:00Z"  # a Sunday, 15:00 in Berlin
OPEN = {"state": "new"}


@pytest.fixture(autouse=True)
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    monkeypatch.setenv("INCIDENT_OPS_BY", "@alice")


def typed(folder: Folder, *args: str) -> Done:
    done = call(*args, at=folder.path, clock=CLOCK)
    assert done.code == 0, done
    return done


def record(folder: Folder) -> str:
    return (folder.path / "incidents/INC-1/incident.yaml").read_text(encoding="utf-8")


def test_a_time_of_the_wall_clock_is_said_back_with_its_zone(folder: Folder) -> None:
    """`--restored 14:50` of somebody in Berlin is 13:50 UTC, and both are said."""
    folder.put(**OPEN)
    done = typed(folder, "resolve", "--restored", "14:50", "--cause", "unknown")
    assert "restored: 2025-01-26T13:50:00Z" in record(folder)
    assert "  --restored 14:50: 2025-01-26 14:50 CET (13:50 UTC)\n" in done.err


@pytest.mark.parametrize("exact", ["10m", "10m ago", "2025-01-26T13:50:00Z", "13:50 UTC"])
def test_other_spellings_of_the_same_time(folder: Folder, exact: str) -> None:
    folder.put(**OPEN)
    typed(folder, "resolve", "--restored", exact, "--cause", "unknown")
    assert "restored: 2025-01-26T13:50:00Z" in record(folder)


def test_what_means_the_same_everywhere_is_not_said_back(folder: Folder) -> None:
    folder.put(**OPEN)
    assert typed(folder, "resolve", "--restored", "12m", "--cause", "unknown").err == ""


def test_a_timeline_entry_of_yesterday(folder: Folder) -> None:
    folder.put(**OPEN)
    typed(folder, "timeline", "First errors", "--at", "yesterday 14:00")
    assert "- at: 2025-01-25T13:00:00Z" in record(folder)


def test_a_declaration_of_what_began_last_night(folder: Folder) -> None:
    typed(folder, "declare", "Login fails", "-s", "api", "--severity", "SEV1", "--started", "23:40")
    text = next(folder.path.glob("incidents/*/incident.yaml")).read_text(encoding="utf-8")
    assert "started: 2025-01-25T22:40:00Z" in text


@pytest.mark.parametrize(
    ("due", "day"), [("14d", "2025-02-09"), ("friday", "2025-01-31"), ("2025-02-01", "2025-02-01")]
)
def test_an_item_is_due_on_a_day_that_people_say(folder: Folder, due: str, day: str) -> None:
    folder.put(**OPEN)
    done = typed(folder, "action", "add", "Add an alert", "--owner", "@a", "--due", due)
    assert f"due: {day}\n" in record(folder)
    assert ("  --due friday: Friday 2025-01-31\n" in done.err) == (due == "friday")


def test_a_due_day_that_has_passed_gives_pause(folder: Folder) -> None:
    folder.put(**OPEN)
    done = typed(folder, "action", "add", "Add an alert", "--owner", "@a", "--due", "2025-01-25")
    assert "warning: --due 2025-01-25 has passed\n" in done.err


def test_a_freeze_from_a_day_for_three_weeks(folder: Folder) -> None:
    done = typed(folder, "freeze", "year-end", "--reason", "x", "--from", "2025-12-20", "--until", "2026-01-05 08:00")
    text = (folder.path / "freezes/year-end.yaml").read_text(encoding="utf-8")
    assert "from: 2025-12-19T23:00:00Z" in text
    assert "until: 2026-01-05T07:00:00Z" in text
    assert "  --from 2025-12-20: 2025-12-20 00:00 CET (2025-12-19 23:00 UTC)\n" in done.err
    typed(folder, "freeze", "short", "--reason", "x", "--until", "3w")
    assert "until: 2025-02-16T14:00:00Z" in (folder.path / "freezes/short.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("eta", ["30m", "14:30 UTC", "15:30"])
def test_what_is_expected_is_kept_as_an_instant(folder: Folder, eta: str) -> None:
    """`30m` would say "in 30 minutes" the next morning, too."""
    folder.put(**OPEN)
    typed(folder, "update", "--internal", "Rolling back", "--eta", eta)
    assert "eta: 2025-01-26T14:30:00Z" in record(folder)


def test_lists_since_a_length_of_time(folder: Folder) -> None:
    folder.put(**OPEN)
    assert "INC-1" in typed(folder, "list", "--since", "2h").out
    assert "INC-1" not in typed(folder, "list", "--since", "1h").out


def test_the_clock_itself(folder: Folder) -> None:
    """`--at` before the command takes the same words."""
    folder.put(times="{declared: 2025-01-26T12:05:00Z}")
    assert "INC-1" in call("--at", "2025-01-26 14:10", "list", at=folder.path, clock=None).out


def test_a_word_that_is_no_time_names_what_would_be(folder: Folder) -> None:
    folder.put(**OPEN)
    call("timeline", "x", "--at", "noonish", at=folder.path).told_once(2, "--at 'noonish' is not a time", "02:56")
    call("freeze", "f", "--reason", "x", "--until", "later", at=folder.path).told_once(2, "is not a time", "friday")
    call("action", "add", "x", "--due", "someday", at=folder.path).told_once(2, "is not a date", "14d")
