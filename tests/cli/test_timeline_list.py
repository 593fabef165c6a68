"""timeline --list: the whole timeline to read, numbered as --corrects counts, and the decisions among it."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import Folder, call, contents

TIMELINE = """
- at: 2025-01-26T12:02:00Z
  kind: detection
  event: Alert on failed logins
- at: 2025-01-26T12:10:00Z
  kind: decision
  event: Roll back instead of a fix
  action: Rollback to abc1234
  result: Error rate falls
  by: "@maya"
- at: 2025-01-26T12:30:00Z
  kind: note
  event: The database was slow, too
- at: 2025-01-26T12:20:00Z
  kind: action
  event: Rolled back
  corrects: 3
  ref: abc1234
"""


@pytest.fixture
def written(folder: Folder) -> Folder:
    folder.put(timeline=TIMELINE)
    return folder


def test_the_whole_timeline_is_listed_by_time_with_the_numbers_that_corrects_takes(written: Folder) -> None:
    lines = call("timeline", "--list", "INC-1", at=written.path).out.splitlines()
    assert lines == [
        "Timeline of INC-1: Login fails (times in UTC)",
        "",
        "#  TIME              KIND       EVENT",
        "1  2025-01-26 12:02  detection  Alert on failed logins",
        "2  2025-01-26 12:10  decision   Roll back instead of a fix",
        "                                action: Rollback to abc1234",
        "                                result: Error rate falls",
        "                                noted by @maya",
        "4  2025-01-26 12:20  action     Rolled back",
        "                                corrects 3, ref abc1234",
        "3  2025-01-26 12:30  note       The database was slow, too",
        "                                corrected by 4",
        "",
        "4 events",
    ]
    assert call("timeline", "--list", at=written.path).out.splitlines() == lines


def test_the_decisions_alone_are_a_log_to_read(written: Folder) -> None:
    out = call("timeline", "--list", "--kind", "decision", at=written.path).out
    assert "Roll back instead of a fix" in out
    assert "Alert on failed logins" not in out
    assert out.endswith("\n\n1 event of 4: decision\n")
    none = call("timeline", "--list", "--kind", "runbook", at=written.path).out
    assert none.endswith("no event of 4 is of kind runbook\n")


def test_the_list_in_json(written: Folder) -> None:
    data = json.loads(call("timeline", "--list", "--format", "json", at=written.path).out)
    assert [one["number"] for one in data["entries"]] == [1, 2, 4, 3]
    assert data["entries"][2] == {
        "number": 4, "at": "2025-01-26T12:20:00Z", "kind": "action", "event": "Rolled back", "action": None,
        "result": None, "by": None, "ref": "abc1234", "corrects": 3, "corrected_by": None,
    }  # fmt: skip


def test_at_an_earlier_time_only_what_had_happened_is_listed_under_the_same_numbers(written: Folder) -> None:
    done = call("timeline", "--list", at=written.path, clock="2025-01-26T12:25:00Z")
    assert [line.split()[0] for line in done.out.splitlines() if line[:2].strip().isdigit()][:3] == ["1", "2", "4"]
    assert done.out.endswith("\n3 events\n")


def test_reading_changes_nothing_and_asks_for_no_name(written: Folder) -> None:
    before = contents(written.path)
    done = call("timeline", "--list", at=written.path)
    assert (done.code, done.err) == (0, "")
    assert contents(written.path) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--list", "a text"], "--list"),
        (["--list", "--ref", "abc"], "--ref"),
        ([], "one text is needed"),
        (["--list", "INC-9"], "INC-9"),
    ],
)
def test_a_slip_is_told(written: Folder, words: list[str], told: str) -> None:
    call("timeline", *words, at=written.path).told_once(2, told)


def test_show_names_the_command_where_there_is_more_to_read(written: Folder) -> None:
    assert "Earlier    1 event: incident-ops timeline --list INC-1" in call("show", at=written.path).out


def test_documents_tell_decisions_from_the_rest_and_a_postmortem_names_nobody(written: Folder) -> None:
    call("render", at=written.path)
    folder = written.path / "incidents/INC-1"
    timeline, postmortem = ((folder / f"{name}.md").read_text(encoding="utf-8") for name in ("timeline", "postmortem"))
    assert "| Time (UTC) | Event | Action taken | Result | Noted by |" in timeline
    assert "| 12:10 | **Decision:** Roll back instead of a fix | Rollback to abc1234 |" in timeline
    assert "## Decisions" in timeline
    assert "| Time (UTC) | Event |\n" in postmortem
    assert "**Decision:** Roll back instead of a fix. Rollback to abc1234. Error rate falls |" in postmortem
    assert "maya" not in postmortem.partition("## Timeline")[2].partition("## Root cause")[0]
