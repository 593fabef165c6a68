"""A level that is given late, raised, lowered or taken away, by the commands as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.scene import Done, Folder, call

TICKET = "INC-2025-00001"
ITIL = "extends: itil-p1-p4\ncontacts:\n  '@boss': {channels: [chat]}\n  roles: {cto: ['@boss']}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "r", policy=ITIL)
    made.put(
        TICKET, id=TICKET, title="Slow reports", severity="", priority="P3", times="{declared: 2025-01-26T12:00:00Z}"
    )
    made.commit()
    return made


def say(folder: Folder, clock: str, *words: str) -> Done:
    return call(*words, at=folder.path, clock=f"2025-01-26T{clock}:00Z")


def text(folder: Folder) -> str:
    return (folder.path / "incidents" / TICKET / "incident.yaml").read_text()


def test_a_ticket_declared_a_major_incident_later_tells_the_truth_of_its_time(folder: Folder) -> None:
    """A P3 at noon, found to lose data at 14:00."""
    assert say(folder, "14:00", "update", "--severity", "SEV-1", "--reason", "data loss found").code == 0
    changes = "changes:\n- at: 2025-01-26T14:00:00Z\n  field: severity\n  from: null\n  to: SEV-1\n"
    assert changes in text(folder)
    assert "Major incident SEV-1 declared" in text(folder)
    assert say(folder, "14:01", "validate").code == 0
    assert say(folder, "14:01", "validate", "--base", "HEAD").code == 0
    checked = json.loads(say(folder, "14:10", "sla", "check", "--format", "json").out)
    assert [one["clock"] for one in checked["clocks"] if one["risk"] != "ok"] == []
    shown = say(folder, "14:10", "render", TICKET)
    assert shown.code == 0
    page = (folder.path / "incidents" / TICKET / "timeline.md").read_text()
    assert "| 2025-01-26 14:00 UTC | Severity | – | SEV-1 |" in page


def test_the_cto_reads_what_it_is(folder: Folder) -> None:
    """The subject and the issue name the SEV, not only the priority."""
    say(folder, "14:00", "update", "--severity", "SEV-1")
    planned = json.loads(say(folder, "14:05", "plan", "--format", "json").out)
    notices = [one for one in planned["changes"] if one["action"] == "notify" and "@boss" in one["fields"]["recipient"]]
    assert [one["reason"] for one in notices] == ["Major incident SEV-1 declared"]
    (issue,) = (one for one in planned["changes"] if one["action"] == "create")
    assert {"P3", "SEV-1"} <= set(issue["fields"]["labels"])
    assert issue["fields"]["title"] == f"{TICKET}: SEV-1 Slow reports"


def test_a_severity_whose_clocks_are_too_mild_is_doubted_at_once(folder: Folder) -> None:
    """The priority drives response and resolution: a P3 keeps its hours."""
    done = say(folder, "14:00", "update", "--severity", "SEV-1")
    assert "response and resolution stay those of P3; the triage rules give SEV-1 a P1" in " ".join(done.err.split())
    assert f"incident-ops update {TICKET} --priority P1" in done.err
    assert "stay those of" not in say(folder, "14:01", "update", "--priority", "P1").err


def test_a_severity_given_by_mistake_is_taken_away_with_a_reason(folder: Folder) -> None:
    before = text(folder)
    say(folder, "14:00", "update", "--severity", "SEV-1")
    say(folder, "14:01", "update", "--severity", "none").told_once(2, "severity SEV-1 is taken away", "say why")
    done = say(folder, "14:02", "update", "--severity", "none", "--reason", "wrong incident")
    assert (done.code, "severity SEV-1 taken away" in done.out) == (0, True)
    assert "severity:" not in text(folder).partition("changes:")[0]
    assert all(line in text(folder).splitlines() for line in before.splitlines())
    assert say(folder, "14:03", "validate", "--base", "HEAD").code == 0
    again = say(folder, "14:04", "update", "--severity", "none", "--reason", "again")
    assert "severity is not set; nothing changed" in again.out


def test_the_level_itself_cannot_be_taken_away(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "r")
    folder.put()
    call("update", "--severity", "none", "--reason", "x", at=folder.path).told_once(2, "cannot be taken away")


def test_a_severity_without_a_priority_is_refused_in_plain_words(folder: Folder) -> None:
    folder.put(TICKET, id=TICKET, severity="", times="{declared: 2025-01-26T12:00:00Z}")
    done = say(folder, "14:00", "update", "--severity", "SEV-1")
    done.told_once(2, f"{TICKET} has no priority, and a severity goes with one")
    assert "--priority P1 --severity SEV-1" in done.err
    assert say(folder, "14:01", "update", "--severity", "SEV-1", "--priority", "P1").code == 0
    assert "field: priority\n  from: null\n  to: P1\n" in text(folder)


def test_a_merged_record_that_gets_a_severity_without_an_entry_is_a_finding(folder: Folder) -> None:
    path = folder.path / "incidents" / TICKET / "incident.yaml"
    path.write_text(path.read_text() + "severity: SEV-1\n")
    done = say(folder, "14:00", "validate", "--base", "HEAD")
    assert done.code == 1
    assert "severity was not set when it was merged, and no entry in changes records it" in done.out
    assert "from: null, to: SEV-1" in done.out


@pytest.mark.parametrize(
    ("preset", "old", "new", "audience"),
    [("p0-p3", "P1", "P2", "public"), ("sev0-3", "SEV1", "SEV2", "internal")],
)
def test_a_lowered_level_stops_the_reminders(tmp_path: Path, preset: str, old: str, new: str, audience: str) -> None:
    """Months later, too."""
    folder = Folder(tmp_path / "r", policy=f"extends: {preset}\n")
    folder.put(severity=old, times="{declared: 2025-01-26T10:21:00Z}")
    say(folder, "11:22", "update", "--severity", new, "--reason", "one region only")
    for clock in ("2025-01-26T15:51:00Z", "2025-06-26T15:51:00Z"):
        checked = json.loads(call("sla", "check", "--format", "json", at=folder.path, clock=clock).out)
        keys = [one["key"] for one in checked["obligations"] if f"/update_{audience}/" in one["key"]]
        assert keys == [], keys


def test_a_role_given_and_handed_over_is_in_the_history(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "r")
    path = folder.put()
    for who in ("@a", "@b"):
        assert call("assign", "commander", who, at=folder.path).code == 0
    assert "field: roles.commander\n  from: null\n  to: '@a'" in path.read_text().replace('"', "'")
    assert "field: roles.commander\n  from: '@a'\n  to: '@b'" in path.read_text().replace('"', "'")
    assert call("validate", at=folder.path).code == 0


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("services", "api", "'api, web'"),
        ("title", "Login fails", "Login fails for all"),
        ("visibility", "internal", "public"),
        ("roles.database", "null", "'@c'"),
    ],
)
def test_changes_of_other_fields_are_taken(tmp_path: Path, field: str, old: str, new: str) -> None:
    folder = Folder(tmp_path / "r")
    folder.put(changes=f"[{{at: 2025-01-26T12:30:00Z, field: {field}, from: {old}, to: {new}}}]")
    done = call("validate", at=folder.path)
    assert done.code == 0, done


def test_a_cadence_of_the_new_level_says_since_when_it_holds(tmp_path: Path) -> None:
    """No update was ever written: the last one cannot have been at 11:22."""
    folder = Folder(tmp_path / "r", policy="extends: p0-p3\n")
    folder.put(severity="P1", times="{declared: 2025-01-26T10:21:00Z}")
    say(folder, "11:22", "update", "--severity", "P2", "--reason", "one region only")
    checked = json.loads(say(folder, "15:51", "sla", "check", "--format", "json").out)
    assert "Internal update was due at 2025-01-26T15:22:00Z; P2 holds since 2025-01-26T11:22:00Z" in [
        one["reason"] for one in checked["obligations"]
    ]
