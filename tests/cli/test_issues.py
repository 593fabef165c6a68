"""`issues`: what the embedded tracker holds, as a list and as the text of one issue."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters.local_tracker import LocalTracker
from tests.cli.scene import CLOSED, Folder, call, ok

ITEMS = "\n- {id: AI-1, title: Mend it, status: open, owner: '@bob'}\n- {id: AI-2, title: Test it, status: open}"


@pytest.fixture
def applied(folder: Folder) -> Folder:
    """INC-1 with two items is open, INC-2 was closed; the tracker is in step."""
    folder.put("INC-1", action_items=ITEMS, description="Users see an error page after they have typed it in twice")
    folder.put("INC-2", title="Search is slow")
    ok(folder, "apply")
    folder.put("INC-2", title="Search is slow", **CLOSED)
    ok(folder, "apply")
    return folder


def listed(folder: Folder, *words: str) -> list[dict[str, Any]]:
    data = json.loads(ok(folder, "issues", *words, "--format", "json").out)
    assert data["schema"] == 1
    return list(data["issues"])


def test_the_list(applied: Folder) -> None:
    """Number, state, labels, title; the open ones first, and filters."""
    text = ok(applied, "issues").out
    lines = text.splitlines()
    assert lines[0].split() == ["NUMBER", "STATE", "LABELS", "TITLE"]
    assert re.search(r"^#\d  +open  +incident, SEV1, state:new, escalated  +INC-1: Login fails$", text, re.MULTILINE)
    assert re.search(r"^#\d  +closed  .*INC-2: Search is slow$", text, re.MULTILINE)
    assert "closed" not in ok(applied, "issues", "--open").out
    assert [row["key"] for row in listed(applied, "--closed")] == ["INC-2"]
    assert list(listed(applied)[0]) == ["number", "key", "state", "state_reason", "labels", "assignees", "title"]


@pytest.mark.parametrize("columns", [80, 140])
def test_the_list_fits_a_terminal(applied: Folder, columns: int) -> None:
    out = call("issues", at=applied.path, columns=columns).out
    assert max(map(len, out.splitlines())) <= columns
    assert "INC-1: Login fails" in out


def test_one_issue_by_number_key_and_incident(applied: Folder) -> None:
    """Its text without what is hidden; of an incident also where its items' issues are."""
    row = next(one for one in listed(applied) if one["key"] == "INC-1")
    by_number = ok(applied, "issues", str(row["number"])).out
    assert by_number.startswith(f"#{row['number']} INC-1: Login fails\n")
    assert "open" in by_number.splitlines()[1]
    assert "Users see an error page" in by_number
    assert "<!--" not in by_number
    assert by_number == ok(applied, "issues", f"#{row['number']}").out == ok(applied, "issues", "INC-1").out
    assert ok(applied, "issues", "inc-1/ai-2").out.startswith("#")
    assert "Test it" in ok(applied, "issues", "INC-1/AI-2").out
    assert re.search(r"#\d +open +.*Mend it", by_number.splitlines()[-2])


@pytest.mark.parametrize("columns", [40, 80, 140])
def test_its_text_is_readable_in_a_terminal(applied: Folder, columns: int) -> None:
    """Paragraphs are wrapped, tables have columns, nothing is hidden, nothing is markup."""
    out = call("issues", "INC-1", at=applied.path, columns=columns).out
    assert max(map(len, out.splitlines())) <= columns
    for hidden in ("<!--", "<details", "<summary", "| ---", "&#8203;", "&lt;"):
        assert hidden not in out
    assert "[ ]" in out


def test_folded_parts_have_their_headings_at_a_terminal(applied: Folder) -> None:
    lines = [line.strip() for line in call("issues", "INC-1", at=applied.path, columns=80).out.splitlines()]
    assert "Times" in lines


def test_a_milestone_is_shown_where_an_issue_has_one(folder: Folder) -> None:
    with (folder.path / "policy.yaml").open("a") as policy:
        policy.write('releases:\n- {name: "Release 2025.2", on: 2025-02-05}\n')
    folder.put("INC-1", action_items="\n- {id: AI-1, title: Mend it, status: open, due: 2025-02-05}")
    ok(folder, "apply")
    for columns in (80, 140):
        head, *lines = call("issues", at=folder.path, columns=columns).out.splitlines()
        assert "MILESTONE" in head
        assert len([line for line in lines if "Release 2025.2" in line]) == 1
    assert "; milestone Release 2025.2" in ok(folder, "issues", "INC-1/AI-1").out.splitlines()[1]
    assert "milestone" not in ok(folder, "issues", "INC-1").out.splitlines()[1]


def test_its_comments_are_below(applied: Folder) -> None:
    number = next(row["number"] for row in listed(applied) if row["key"] == "INC-1")
    LocalTracker(applied.tracker).comment(number, "unsettled", "Merge **#7**, or close it\n<!-- hidden -->")
    out = ok(applied, "issues", "INC-1").out
    assert "Comment" in out
    assert "Merge **#7**, or close it" in out
    assert "<!--" not in out
    (row,) = listed(applied, str(number))
    assert row["comments"] == ["Merge **#7**, or close it\n<!-- hidden -->"]
    assert row["body"].startswith("<!-- incident-ops v1 key=INC-1")


def test_nothing_of_an_issue_steers_a_terminal(folder: Folder) -> None:
    folder.put(title=r'"\e[31mred\u202e"', description=r'"a\e]8;;http://evil\e\\ [x](http://evil.example)"')
    ok(folder, "apply")
    for words in (("issues",), ("issues", "1")):
        for columns in (None, 80):
            done = call(*words, "--color", "never", at=folder.path, columns=columns)
            assert done.code == 0, done
            assert "\x1b" not in done.out
            assert "\u202e" not in done.out


def test_before_the_first_apply_it_says_what_opens_issues(folder: Folder) -> None:
    folder.put()
    done = ok(folder, "issues")
    assert done.out == ""
    assert "no issue yet" in done.err
    assert "incident-ops apply" in done.err
    assert not folder.tracker.exists()
    assert listed(folder) == []


def test_what_is_not_there_is_an_error_with_the_way_on(applied: Folder) -> None:
    for asked in ("99", "INC-77", "INC-1/AI-9", "nonsense"):
        done = call("issues", asked, at=applied.path)
        done.told_once(2, asked.lstrip("#"))
        assert "incident-ops issues" in done.err


def test_a_filter_that_leaves_nothing_says_so(folder: Folder) -> None:
    folder.put()
    ok(folder, "apply")
    done = ok(folder, "issues", "--closed")
    assert "no closed issue" in done.err
    call("issues", "--open", "--closed", at=folder.path).told_once(2, "leave one of them out")


def test_a_file_that_is_no_tracker_is_said(folder: Folder, tmp_path: Path) -> None:
    folder.put()
    folder.tracker.parent.mkdir(parents=True)
    folder.tracker.write_bytes(b"x" * 5000)
    call("issues", at=folder.path).told_once(4, "tracker cannot be read")
