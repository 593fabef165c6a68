"""The last public update gives the public status, until an update says otherwise or the incident is resolved."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import Done, Folder, call

pytestmark = pytest.mark.usefixtures("somebody")

ID = "INC-20250126-120500"


def act(folder: Folder, clock: str, *args: str) -> Done:
    """A command at a time of the day, which must succeed."""
    done = call(*args, at=folder.path, clock=f"2025-01-26T{clock}:00Z")
    assert done.code == 0, (args, done)
    return done


def declare(folder: Folder, severity: str = "SEV1") -> None:
    act(folder, "12:05", "declare", "Login fails", "-s", "api", "--severity", severity)
    act(folder, "12:06", "assign", "commander", "@alice")
    act(folder, "12:07", "ack")


def public_status(folder: Folder, clock: str) -> str:
    status: str = json.loads(act(folder, clock, "show", ID, "--format", "json").out)["public_status"]
    return status


def resolve(folder: Folder, clock: str) -> Done:
    return act(folder, clock, "resolve", ID, "--restored", "now", "--cause", "deploy")


def warnings(folder: Folder, clock: str = "18:00") -> list[tuple[int, str]]:
    """Line and message of what the rule about the public status finds."""
    found = json.loads(act(folder, clock, "validate", "--format", "json").out)["findings"]
    return [(one["line"], one["message"]) for one in found if one["rule"] == "public-status"]


def test_a_public_update_without_a_status_keeps_the_last_one(folder: Folder) -> None:
    declare(folder)
    assert public_status(folder, "12:08") == "investigating"
    act(folder, "12:20", "update", "--public", "Cause known", "--status", "identified")
    said = act(folder, "12:30", "update", "--public", "Still working")
    assert "public update (identified)" in said.out
    assert public_status(folder, "12:31") == "identified"
    act(folder, "12:40", "update", "--public", "Fix is out", "--status", "monitoring")
    shown = act(folder, "12:41", "show", ID).out
    assert "Public     monitoring; last public update 1m ago" in shown


def test_it_goes_backwards_only_by_an_update_that_says_so(folder: Folder) -> None:
    declare(folder)
    act(folder, "12:20", "update", "--public", "Fix is out", "--status", "monitoring")
    act(folder, "12:21", "timeline", "Cause found", "--kind", "diagnosis", "--mark", "diagnosed")
    act(folder, "12:22", "update", "--internal", "The cause is a leap second", "--status", "identified")
    assert public_status(folder, "12:23") == "monitoring"
    act(folder, "12:30", "update", "--public", "It fails again", "--status", "investigating")
    assert public_status(folder, "12:31") == "investigating"


def test_news_for_the_responders_does_not_fall_back_either(folder: Folder) -> None:
    declare(folder)
    act(folder, "12:20", "update", "--internal", "The cache", "--status", "identified")
    assert "internal update (identified)" in act(folder, "12:30", "update", "--internal", "Rolling back").out


def test_after_resolve_the_next_step_is_the_last_public_word(folder: Folder) -> None:
    declare(folder)
    act(folder, "12:20", "update", "--public", "Cause known", "--status", "identified")
    done = resolve(folder, "13:00")
    steps = [line.strip() for line in done.out.splitlines() if line.strip().startswith("next:")]
    assert steps[0] == f'next: incident-ops update {ID} --public "..."'
    assert steps[-1].startswith("next: incident-ops close")
    said = act(folder, "13:05", "update", ID, "--public", "Login works again")
    assert "public update (resolved)" in said.out
    assert "--public" not in act(folder, "13:06", "show", ID).out


def test_a_required_public_word_that_was_never_said_is_asked_for(folder: Folder) -> None:
    """SEV1 requires the status page, SEV2 does not."""
    declare(folder)
    assert '--public "..."' in resolve(folder, "13:00").out


def test_where_no_status_page_is_required_no_public_word_is_asked_for(folder: Folder) -> None:
    declare(folder, "SEV2")
    assert "--public" not in resolve(folder, "13:00").out


def test_resolved_for_the_public_while_people_still_work_is_a_warning(folder: Folder) -> None:
    declare(folder)
    said = act(folder, "12:20", "update", "--public", "It is over", "--status", "resolved")
    assert "warning: the public update says resolved, and the incident is in progress" in said.err + said.out
    assert [message for _, message in warnings(folder)] == [
        "the last public update says resolved, and the incident is in progress"
    ]
    resolve(folder, "13:00")
    assert warnings(folder) == []


def test_a_resolved_incident_whose_last_public_word_is_another_is_a_warning(folder: Folder) -> None:
    declare(folder)
    act(folder, "12:20", "update", "--public", "Fix is out", "--status", "monitoring")
    resolve(folder, "13:00")
    assert [message for _, message in warnings(folder)] == [
        "the incident is resolved, and the last public update says monitoring"
    ]
    shown = act(folder, "13:10", "show", ID).out
    assert "Public     resolved; last public update (monitoring) 50m ago" in shown
    act(folder, "13:10", "render", ID)
    document = (folder.path / f"incidents/{ID}/incident.md").read_text(encoding="utf-8")
    assert "Updated: monitoring; resolved is not published yet" in document


def test_a_public_word_on_a_level_without_a_status_page_is_a_warning(folder: Folder) -> None:
    declare(folder, "SEV2")
    said = act(folder, "12:20", "update", "--public", "Some logins fail")
    assert "warning: SEV2 has no status page" in said.err + said.out
    assert [message for _, message in warnings(folder)] == ["a public update, and SEV2 has no status page"]
    act(folder, "12:30", "update", "--severity", "SEV1")
    act(folder, "12:50", "update", "--severity", "SEV2", "--reason", "only one region")
    assert warnings(folder) == []  # it was said under a level that has one


def test_an_incident_that_came_back_is_not_resolved_for_the_public_by_default(folder: Folder) -> None:
    declare(folder)
    act(folder, "12:20", "update", "--public", "Fix is out", "--status", "monitoring")
    resolve(folder, "13:00")
    act(folder, "13:05", "update", ID, "--public", "Login works again")
    again = act(folder, "14:00", "reopen", ID, "--reason", "It fails again")
    assert f'next: incident-ops update {ID} --public "..."' in again.out
    assert public_status(folder, "14:01") == "resolved"  # no update says otherwise yet
    assert "public update (investigating)" in act(folder, "14:05", "update", ID, "--public", "It is back").out
    assert public_status(folder, "14:06") == "investigating"
