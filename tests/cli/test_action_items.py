"""Action items from the command line: one due date in every view, edited and listed by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.scene import Folder, call

LATE = "2025-02-03T09:00:00Z"
ITEMS = """
- {id: AI-1, title: Add a test, owner: "@alice", priority: P0, status: open, added: 2025-01-26T12:30:00Z}
- {id: AI-2, title: Write it down, owner: "@bob", due: 2025-02-01, priority: P1, status: in_progress}
- {id: AI-3, title: Ask the vendor, owner: "@bob", priority: P3, status: open}"""
BY_PRIORITY = "2025-02-02 (by priority)"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """P0 items are due after seven days here, P3 items have no limit."""
    made = Folder(tmp_path / "records", policy="extends: p0-p3\n")
    made.put(severity="P1", action_items=ITEMS)
    return made


def row(text: str, *words: str) -> str:
    """The line of a table that has these words."""
    (line,) = (line for line in text.splitlines() if set(words) <= set(line.split()))
    return line


def test_every_view_gives_one_due_date_of_an_item_and_says_where_it_comes_from(folder: Folder) -> None:
    listed = call("list", "--overdue", at=folder.path, clock=LATE).out
    assert "2025-02-02*" in row(listed, "INC-1/AI-1")
    assert "DUE: * by priority" in listed
    data = json.loads(call("list", "--owner", "@alice", "--format", "json", at=folder.path, clock=LATE).out)
    assert [(one["due"], one["due_by"], one["days_late"]) for one in data["action_items"]] == [
        ("2025-02-02", "priority", 1)
    ]
    shown = call("show", "INC-1", at=folder.path, clock=LATE).out
    assert "3 open of 3, 2 late; next AI-2, due 2025-02-01, @bob" in shown
    checked = call("sla", "check", at=folder.path, clock=LATE).out
    assert "2025-02-02*" in row(checked, "breached", "AI-1")
    assert f"AI-1 was due on {BY_PRIORITY}" in checked
    assert "DUE: * by priority" in checked
    assert f"AI-1 was due on {BY_PRIORITY} and is open" in call("validate", at=folder.path, clock=LATE).out
    plan = call("plan", "--format", "json", at=folder.path, clock=LATE).out
    bodies = {one["key"]: one["fields"].get("body", "") for one in json.loads(plan)["changes"] if "fields" in one}
    assert f"{BY_PRIORITY}, **overdue**" in bodies["INC-1/AI-1"]
    assert f"due {BY_PRIORITY}, **overdue**" in bodies["INC-1"]
    assert "no due date" in bodies["INC-1"]
    call("render", at=folder.path, clock=LATE)
    for document in ("action-items.md", "postmortem.md"):
        assert f"| {BY_PRIORITY} | P0 |" in (folder.path / "incidents/INC-1" / document).read_text(encoding="utf-8")


def test_the_next_item_of_show_is_the_one_due_first_by_any_date(folder: Folder) -> None:
    folder.put(severity="P1", action_items="\n".join(ITEMS.splitlines()[:2]))
    assert f"next AI-1, due {BY_PRIORITY}, @alice: Add a" in call("show", "INC-1", at=folder.path).out


def test_an_item_added_today_to_an_old_incident_is_not_born_overdue(folder: Folder) -> None:
    later = "2025-08-01T12:00:00Z"
    done = call("action", "add", "Test it", "INC-1", "--owner", "@a", "--priority", "P0", at=folder.path, clock=later)
    assert "AI-4 added: Test it, due 2025-08-08 (by priority)" in done.out
    assert "forgotten" not in done.err
    assert "AI-4" not in call("list", "--overdue", at=folder.path, clock=later).out


def test_an_item_without_any_due_date_is_said_to_be_forgotten(folder: Folder) -> None:
    done = call("action", "add", "Test it", "INC-1", "--owner", "@a", at=folder.path)
    assert "no due date: it will be forgotten" in done.err


def test_an_item_without_priority_is_due_by_the_goal_of_the_policy(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "sev", policy="extends: sev0-3\n")
    folder.put()
    done = call("action", "add", "Test it", "INC-1", "--owner", "@a", at=folder.path)
    assert "AI-1 added: Test it, due 2025-02-25 (30-day goal)" in done.out
    assert done.err.count("warning") == 0
    listed = call("list", "--overdue", at=folder.path, clock="2025-02-27T00:00:00Z").out
    assert "2025-02-25+" in listed
    assert "DUE: + 30-day goal" in listed


def labels(folder: Folder, clock: str) -> dict[str, list[str]]:
    """The labels of every issue the plan would open, by key."""
    plan = json.loads(call("plan", "--format", "json", at=folder.path, clock=clock).out)
    return {one["key"]: one["fields"]["labels"] for one in plan["changes"] if one["action"] == "create"}


def test_the_issue_of_an_item_has_the_items_own_priority_and_never_the_incidents_level(folder: Folder) -> None:
    found = labels(folder, LATE)
    assert found["INC-1/AI-1"] == ["action-item", "priority:P0", "overdue", "open"]
    assert found["INC-1/AI-2"] == ["action-item", "priority:P1", "overdue", "in_progress"]
    assert found["INC-1/AI-3"] == ["action-item", "priority:P3", "open"]
    assert "P1" in found["INC-1"]
    assert labels(folder, "2025-02-01T12:00:00Z")["INC-1/AI-1"] == ["action-item", "priority:P0", "open"]


def test_the_policy_names_the_labels_of_items(folder: Folder) -> None:
    folder.write("policy.yaml", "extends: p0-p3\ntracker:\n  labels:\n    priority: 'prio/'\n    overdue: late\n")
    assert labels(folder, LATE)["INC-1/AI-1"] == ["action-item", "prio/P0", "late", "open"]


def test_a_priority_outside_the_policys_list_is_found(folder: Folder) -> None:
    done = call("action", "add", "Test it", "INC-1", "--owner", "@a", "--priority", "p9", at=folder.path)
    assert "P9 is not a priority of the policy: P0, P1, P2" in done.err
    found = call("validate", at=folder.path).out
    assert "AI-3 has priority P3, which the policy does not list" in found
    assert "item-priority" in found


def test_a_record_with_the_playbooks_word_for_a_status_is_told_the_records_word(folder: Folder) -> None:
    folder.put(action_items="\n- {id: AI-1, title: t, owner: '@a', due: 2025-02-01, status: Not Started}")
    out = call("validate", at=folder.path).out
    assert "status is 'Not Started', allowed: open, in_progress, done, wont_do" in out
    assert "fix: write open" in out


def test_documents_and_issues_use_the_policys_words_for_a_status(folder: Folder) -> None:
    words = "{Offen: open, In Arbeit: in_progress, Erledigt: done}"
    folder.write("policy.yaml", f"extends: sev0-3\naction_items: {{statuses: {words}}}\n")
    folder.put(action_items=ITEMS)
    call("render", at=folder.path)
    text = (folder.path / "incidents/INC-1/action-items.md").read_text(encoding="utf-8")
    assert "2 offen" in text
    assert "| In Arbeit |" in text
    plan = call("plan", "--format", "json", at=folder.path).out
    assert "| Status | In Arbeit |" in plan
    assert "in arbeit <!-- box:AI-2" in plan
