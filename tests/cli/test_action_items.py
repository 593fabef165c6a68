"""Action items from the command line: one due date in every view, edited and listed by command."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.scene import AT, Folder, call, contents

LATE = "2025-02-03T09:00:00Z"
ITEMS = """
- id: AI-1
  title: Add a test
  owner: "@alice"
  priority: P0
  status: open
  added: 2025-01-26T12:30:00Z
- id: AI-2
  title: Write it down
  owner: "@bob"
  due: 2025-02-01
  priority: P1
  status: in_progress
- id: AI-3
  title: Ask the vendor
  owner: "@bob"
  priority: P3
  status: open"""
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
    folder.put(severity="P1", action_items=ITEMS[: ITEMS.index("\n- id: AI-2")])
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
    assert found["INC-1/AI-1"] == ["action-item", "priority:P0", "overdue"]
    assert found["INC-1/AI-2"] == ["action-item", "priority:P1", "overdue"]
    assert found["INC-1/AI-3"] == ["action-item", "priority:P3"]
    assert "P1" in found["INC-1"]
    assert labels(folder, "2025-02-01T12:00:00Z")["INC-1/AI-1"] == ["action-item", "priority:P0"]


def test_the_policy_names_the_labels_of_items(folder: Folder) -> None:
    folder.write("policy.yaml", "extends: p0-p3\ntracker:\n  labels:\n    priority: 'prio/'\n    overdue: late\n")
    assert labels(folder, LATE)["INC-1/AI-1"] == ["action-item", "prio/P0", "late"]


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
    assert "- **Status:** In Arbeit" in plan
    assert "in arbeit <!-- box:AI-2" in plan


def test_postponing_an_item_leaves_who_and_why_in_the_record_and_in_its_document(folder: Folder) -> None:
    words = ["--due", "2025-02-15", "--reason", "the vendor is late", "--by", "@bob"]
    done = call("action", "edit", "AI-2", *words, at=folder.path)
    assert done.out.startswith("INC-1: AI-2: due 2025-02-01 -> 2025-02-15\n")
    item = folder.data()["action_items"][1]
    assert item["due"] == "2025-02-15"
    assert item["changes"] == [
        {
            "at": AT, "field": "due", "from": "2025-02-01", "to": "2025-02-15", "by": "@bob",
            "reason": "the vendor is late",
        }
    ]  # fmt: skip
    call("render", at=folder.path)
    text = (folder.path / "incidents/INC-1/action-items.md").read_text(encoding="utf-8")
    assert "- AI-2: due 2025-02-01 → 2025-02-15, 2025-01-26 14:00 UTC, by `@bob`: the vendor is late" in text
    assert " error" not in call("validate", at=folder.path).out


def test_everything_an_item_says_can_be_changed(folder: Folder) -> None:
    words = [
        *("--title", "Add two tests", "--owner", "@carol", "--priority", "p2", "--kind", "detective"),
        *("--horizon", "short", "--description", "Of the tokens", "--acceptance", "Both fail on the old code"),
        *("--status", "In Progress", "--issue", "77"),
    ]
    done = call("action", "edit", "INC-1/AI-1", *words, at=folder.path)
    assert done.code == 0, done
    item = folder.data()["action_items"][0]
    changes = item.pop("changes")
    assert item == {
        "id": "AI-1", "title": "Add two tests", "owner": "@carol", "priority": "P2", "status": "in_progress",
        "added": "2025-01-26T12:30:00Z", "kind": "detective", "horizon": "short", "description": "Of the tokens",
        "acceptance": "Both fail on the old code", "issue": 77,
    }  # fmt: skip
    assert [(one["field"], one["from"], one["to"]) for one in changes] == [
        ("title", "Add a test", "Add two tests"), ("owner", "@alice", "@carol"), ("priority", "P0", "P2"),
    ]  # fmt: skip
    assert "AI-1: owner @alice -> @carol" in done.out
    call("render", at=folder.path)
    text = (folder.path / "incidents/INC-1/action-items.md").read_text(encoding="utf-8")
    assert "Of the tokens" in text
    assert "Done when: Both fail on the old code" in text
    plan = call("plan", "--format", "json", at=folder.path).out
    assert "Of the tokens" in plan
    assert "Both fail on the old code" in plan


def test_a_new_item_says_what_it_is_about_and_when_it_is_done(folder: Folder) -> None:
    """Its owner reads both on the issue."""
    words = ["--description", "Of expired tokens", "--acceptance", "It fails on the old code"]
    done = call("action", "add", "Test the expiry", "INC-1", *words, at=folder.path)
    assert done.code == 0, done
    item = folder.data()["action_items"][3]
    assert (item["description"], item["acceptance"]) == ("Of expired tokens", "It fails on the old code")
    plan = call("plan", "--format", "json", at=folder.path).out
    assert "- **Done when:** It fails on the old code." in plan


def test_a_dash_takes_away_an_owner_and_what_is_left_is_doubted(folder: Folder) -> None:
    done = call("action", "edit", "AI-3", "--owner", "-", at=folder.path)
    assert "owner" not in folder.data()["action_items"][2]
    assert "AI-3 has no owner and no due date: it will be forgotten" in done.err
    assert "AI-3: owner @bob -> nobody" in done.out


def test_a_status_by_the_playbooks_word_does_what_the_command_of_that_status_does(folder: Folder) -> None:
    call("action", "edit", "AI-1", "--status", "completed", "--by", "@a", at=folder.path)
    item = folder.data()["action_items"][0]
    assert (item["status"], item["done_at"], item["done_by"]) == ("done", AT, "@a")
    call("action", "edit", "AI-1", "INC-1", "--status", "Not Started", at=folder.path)
    assert folder.data()["action_items"][0]["status"] == "open"
    assert "done_at" not in folder.data()["action_items"][0]
    call("action", "edit", "AI-1", "--status", "wont_do", at=folder.path).told_once(2, "--reason")
    call("action", "edit", "AI-1", "--status", "wont_do", "--reason", "too dear", at=folder.path)
    assert folder.data()["action_items"][0]["reason"] == "too dear"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["edit", "AI-9", "INC-1", "--due", "2025-03-01"], ["no action item AI-9", "did you mean AI-"]),
        (["edit", "AI-1"], ["nothing to change"]),
        (["edit", "AI-1", "--status", "finished"], ["'finished' is not a status", "Completed"]),
        (["edit", "AI-1", "--title", "-"], ["title"]),
        (["edit", "AI-1", "--due", "someday"], ["--due"]),
        (["edit", "AI-1", "--priority", "high"], ["priority"]),
        (["start", "AI-9", "INC-1"], ["no action item AI-9"]),
        (["list", "INC-7"], ["INC-7"]),
    ],
)
def test_a_slip_about_an_item_is_told_and_changes_nothing(folder: Folder, words: list[str], told: list[str]) -> None:
    before = contents(folder.path)
    done = call("action", *words, at=folder.path)
    assert done.code == 2, done
    for word in told:
        assert word in done.err, done
    assert contents(folder.path) == before


def test_an_edit_that_changes_nothing_says_so(folder: Folder) -> None:
    done = call("action", "edit", "AI-2", "--due", "2025-02-01", "--owner", "@bob", at=folder.path)
    assert "AI-2 says that already; nothing changed" in done.out


def test_a_due_date_that_has_passed_and_a_title_that_is_there_are_doubted(folder: Folder) -> None:
    done = call("action", "edit", "AI-2", "--due", "2025-01-20", at=folder.path)
    assert "--due 2025-01-20 has passed" in done.err
    again = call("action", "add", "add a TEST", "INC-1", "--owner", "@a", "--due", "2025-03-01", at=folder.path)
    assert "AI-1 has the same title and is open" in again.err


def test_items_are_listed_of_one_incident_or_of_all(folder: Folder) -> None:
    folder.put("INC-2", severity="P0", action_items="\n- {id: AI-1, title: اختبار النسخ الاحتياطي, status: open}")
    call("action", "done", "AI-2", "INC-1", at=folder.path)
    every = call("action", "list", at=folder.path).out
    assert [line.split()[0] for line in every.splitlines()[1:4]] == ["INC-1/AI-1", "INC-1/AI-3", "INC-2/AI-1"]
    title = every.splitlines()[0].index("TITLE")
    assert every.splitlines()[3][title:] == "اختبار النسخ الاحتياطي"
    one = call("action", "list", "INC-1", "--all", at=folder.path).out
    assert [line.split()[0] for line in one.splitlines()[1:4]] == ["AI-1", "AI-3", "AI-2"]
    assert "done" in row(one, "AI-2")
    assert "3 action items of INC-1\n" in one
    data = json.loads(call("action", "list", "INC-2", "--format", "json", at=folder.path).out)
    assert [item["key"] for item in data["action_items"]] == ["INC-2/AI-1"]


def test_the_two_hundredth_item_costs_no_more_than_the_twentieth(folder: Folder) -> None:
    """Counted in calls of functions, which is the same on any machine."""

    def listed(count: int) -> tuple[str, int]:
        lines = [f"- {{id: AI-{n}, title: Work {n}, owner: '@a', priority: P{n % 3}}}" for n in range(1, count + 1)]
        folder.put(action_items="\n" + "\n".join(lines))
        calls = Counter[str]()
        sys.setprofile(lambda _frame, event, _: calls.update([event]))
        try:
            out = call("action", "list", at=folder.path).out
        finally:
            sys.setprofile(None)
        return out, calls["call"]

    listed(20)  # the first run also imports
    (_, few), (_, more), (out, most) = listed(20), listed(110), listed(200)
    assert most - more <= 1.2 * (more - few)
    assert out.count("INC-1/AI-") == 200
    assert "200 action items" in out


@pytest.mark.parametrize("command", ["start", "done", "drop"])
def test_what_is_closed_already_is_said_to_be_so(folder: Folder, command: str) -> None:
    call("action", "drop", "AI-3", "--reason", "no", at=folder.path)
    words = ["--reason", "no"] if command == "drop" else []
    call("action", command, "AI-3", "INC-1", *words, at=folder.path).told_once(2, "AI-3", "will not be done")


def test_an_item_goes_by_its_number_everywhere(folder: Folder) -> None:
    folder.put("INC-2", severity="P1")
    assert call("action", "start", "1", at=folder.path).code == 0
    assert folder.data()["action_items"][0]["status"] == "in_progress"


@pytest.mark.parametrize("key", ["120500/AI-1", "INC-20250126-120500/AI-1"])
@pytest.mark.parametrize("incident", ["120500", "INC-20250126-120500", "inc-20250126-120500"])
def test_a_key_and_an_incident_may_name_the_same_in_their_own_way(folder: Folder, key: str, incident: str) -> None:
    folder.put("INC-20250126-120500", severity="P1", action_items=ITEMS)
    done = call("action", "start", key, incident, at=folder.path)
    assert (done.code, "INC-20250126-120500: AI-1 started" in done.out) == (0, True), done
    call("action", "start", key, "INC-1", at=folder.path).told_once(2, "is not an item of INC-1")


@pytest.mark.parametrize(("zone", "due"), [("Pacific/Auckland", "2025-01-26"), ("America/Los_Angeles", "2025-01-26")])
def test_whether_a_due_date_has_passed_is_the_same_in_every_zone(
    folder: Folder, zone: str, due: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is over at the end of the day where the policy's office is, as in every view."""
    monkeypatch.setenv("TZ", zone)
    for words in (("add", "Add an alert", "INC-1"), ("edit", "AI-2")):
        for clock, late in (("2025-01-26T14:00:00Z", False), ("2025-01-27T01:00:00Z", True)):
            done = call("action", *words, "--due", due, "--owner", "@a", at=folder.path, clock=clock)
            assert (done.code, f"--due {due} has passed" in done.err) == (0, late), (words, clock, done)
            folder.put(severity="P1", action_items=ITEMS)
