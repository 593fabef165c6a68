"""The end of an incident: what `close` prints, and `show --final` again; and the sheet of a war room while it lasts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from incident_ops.app.demo import scenes
from incident_ops.errors import UserError
from incident_ops.render.text import columns
from tests.cli.scene import CLOSED, ROOT, Folder, call, ok
from tests.support.golden import assert_golden
from tests.support.html_page import HtmlPage

GOLDEN = Path(__file__).parent / "golden/incident_end"
SHEET = ("show", "INC-2025-05678", "--sheet")
IN_THE_ROOM = "2025-10-20T14:20:00Z"


def final(scene: Any, *words: str, width: int | None = None) -> str:
    folder = ROOT / "examples" / scene.preset
    done = call("show", scene.incident, "--final", *words, at=folder, clock=scene.clock, columns=width)
    assert (done.code, done.err) == (0, "")
    return done.out


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("scene", scenes(), ids=lambda scene: scene.preset)
def test_the_end_of_each_example_is_the_one_that_was_approved(scene: Any, width: int) -> None:
    shown = final(scene, width=width)
    assert max(map(columns, shown.splitlines())) <= width
    assert "\n\n\n" not in shown
    assert_golden(GOLDEN / f"{scene.preset}-{width}.txt", shown)


@pytest.mark.parametrize("scene", scenes(), ids=lambda scene: scene.preset)
def test_the_json_of_each_example_is_the_one_that_was_approved(scene: Any) -> None:
    assert_golden(GOLDEN / f"{scene.preset}.json", final(scene, "--format", "json"))


def test_the_numbers_are_those_of_the_playbook() -> None:
    """Derived, never typed: 20 minutes, 45 of 43.2 minutes of the budget, 10 items, 11 lessons and not 8."""
    shown = final(next(one for one in scenes() if one.preset == "p0-p3"))
    for line in (
        "Recovery time        20m (detected to restored, 10:15–10:35 UTC)",
        "SLO status           45 min, 1.8 min more than the whole budget",
        "Action items         10 (4 P0, 3 P1, 3 P2)",
        "Lessons              11 (4 technical, 4 process, 3 cultural)",
        "Review what came of it 30d after the postmortem is final",
    ):
        assert line in shown


def test_closing_says_so_first_then_sums_up_then_names_the_next_step(folder: Folder) -> None:
    folder.put()
    ok(folder, "resolve", "INC-1", "--restored", "now", "--cause", "unknown", "--by", "@me")
    done = call("close", "INC-1", "--by", "@me", at=folder.path)
    lines = done.out.splitlines()
    assert lines[0] == "INC-1: closed (resolved -> closed)"
    assert lines.index("Impact") < lines.index("Resolution") < lines.index("Next steps")
    assert "  Failed requests      unknown; ask the owners of api" in lines
    assert lines[-1] == "  undo: incident-ops undo INC-1"
    assert next(line for line in lines if line.startswith("  next: ")) in lines[lines.index("Next steps") :]
    again = call("close", "INC-1", "--by", "@me", at=folder.path)
    assert len(again.out.splitlines()) == 1


AGAIN = "[{reopened: 2025-01-28T10:00:00Z, restored: 2025-01-28T10:50:00Z, resolved: 2025-01-28T11:00:00Z, "
AGAIN += "closed: 2025-01-28T12:00:00Z}]"


def test_one_that_came_back_is_not_summed_up_by_its_first_outage(folder: Folder) -> None:
    folder.put(**CLOSED, cycles=AGAIN)
    lines = call("show", "INC-1", "--final", at=folder.path, clock="2025-01-29T12:00:00Z").out.splitlines()
    assert any(
        line.startswith("Came back  ") and line.endswith("50m (2025-01-28 10:00 to 2025-01-28 10:50 UTC)")
        for line in lines
    )
    assert any(line.startswith("  First recovery ") for line in lines)


def test_an_exercise_and_what_is_restricted_say_so(folder: Folder) -> None:
    folder.put(**CLOSED, drill="true", visibility="restricted")
    lines = call("show", "INC-1", "--final", at=folder.path).out.splitlines()
    assert lines[1:3] == [
        "Exercise               a drill, which counts nowhere",
        "Restricted             not for everybody",
    ]
    shown = json.loads(call("show", "INC-1", "--final", "--format", "json", at=folder.path).out)
    assert (shown["drill"], shown["visibility"]) == (True, "restricted")


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("documents.incident_end.incident_end", OverflowError("a length that no calendar has")),
        ("documents.incident_end.incident_end", OSError("the disk")),
        ("documents.incident_end.incident_end", UserError("a policy")),
        ("render.incident_end.to_text", OverflowError("a width that nothing has")),
    ],
)
def test_what_cannot_be_summed_up_is_closed_and_said(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception
) -> None:
    folder.put()
    ok(folder, "resolve", "INC-1", "--restored", "now", "--cause", "unknown", "--by", "@me")

    def broken(*_: Any) -> None:
        raise error

    monkeypatch.setattr(f"incident_ops.{where}", broken)
    done = call("close", "INC-1", "--by", "@me", at=folder.path)
    assert (done.code, done.out.splitlines()[0]) == (0, "INC-1: closed (resolved -> closed)")
    assert "It cannot be summed up: " in done.out
    assert "  undo: incident-ops undo INC-1" in done.out


def test_the_files_are_those_that_are_there(folder: Folder) -> None:
    folder.put("INC-1", **CLOSED)
    before = call("show", "--final", at=folder.path).out
    assert "  Write the documents: incident-ops render INC-1" in before
    call("render", at=folder.path)
    files = json.loads(call("show", "--final", "--format", "json", at=folder.path).out)["files"]
    names = ("incident.yaml", "incident.md", "timeline.md", "action-items.md", "postmortem.md")
    assert files == [f"incidents/INC-1/{name}" for name in names]


def test_what_goes_on_has_no_end(folder: Folder) -> None:
    folder.put()
    done = call("show", "--final", at=folder.path)
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: INC-1 is new: there is no end to sum up yet (incident-ops show INC-1)\n"


def test_a_false_alarm_has_no_impact_to_sum_up(folder: Folder) -> None:
    folder.put(state="closed", outcome="false_alarm")
    shown = call("show", "--final", at=folder.path).out
    assert "Status                 Closed, false alarm" in shown
    assert [line for line in shown.splitlines() if line in ("Impact", "Resolution", "Lessons", "Next steps")] == []


def test_hostile_text_reaches_no_terminal(folder: Folder) -> None:
    folder.put(**{**CLOSED, "title": "x\x1b[31m", "impact": {"users": {"count": 1}}})
    assert "\x1b" not in call("show", "--final", at=folder.path).out


def sheet(*words: str, at: str = IN_THE_ROOM) -> str:
    done = call("--at", at, *SHEET, *words, at=ROOT / "examples/itil-p1-p4")
    assert (done.code, done.err) == (0, "")
    return done.out


def test_the_sheet_of_a_war_room_is_the_one_that_was_approved() -> None:
    assert_golden(GOLDEN / "itil-p1-p4-sheet.md", sheet())
    assert sheet("--format", "md") == sheet()


def test_the_sheet_as_a_page_is_whole_and_says_the_same() -> None:
    page = HtmlPage(sheet("--format", "html").replace("<strong>", "<span>").replace("</strong>", "</span>"))
    assert [one for one in page.broken if "<em>" not in one] == []
    assert "War room: Memory leak takes the app down" in "".join(page.words)
    assert "☑ Assemble the team" in "".join(page.words)


def test_the_sheet_follows_the_clock() -> None:
    """What is known, what is due and the phase are those of the time."""
    early = sheet(at="2025-10-20T14:05:00Z")
    assert "**As of 2025-10-20 14:05 UTC.**" in early
    assert "Decided to restart" not in early
    assert "due 14:17 UTC, **overdue**" not in early


@pytest.mark.parametrize("scene", [one for one in scenes() if one.preset != "itil-p1-p4"], ids=lambda one: one.preset)
def test_a_level_without_a_war_room_has_no_sheet(scene: Any) -> None:
    done = call("show", scene.incident, "--sheet", at=ROOT / "examples" / scene.preset, clock=scene.clock)
    assert done.code == 2
    assert "has no bridge, and" in done.err
    assert f"incident-ops edit {scene.incident} --bridge" in done.err


def test_where_there_is_a_bridge_there_is_a_sheet(folder: Folder) -> None:
    folder.put(links={"bridge": "https://meet.example.invalid/1"})
    shown = call("show", "--sheet", at=folder.path).out
    assert "| Bridge | <https://meet.example.invalid/1> |" in shown


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--sheet", "--final"), "three views"),
        (("--sheet", "--format", "json"), "which has no JSON"),
        (("--format", "html"), "which has no JSON"),
        (("--final", "--format", "md"), "which has no JSON"),
    ],
)
def test_views_and_forms_that_do_not_go_together_are_refused(
    folder: Folder, words: tuple[str, ...], error: str
) -> None:
    folder.put()
    done = call("show", *words, at=folder.path)
    assert done.code == 2
    assert error in done.err
