"""A plan as a reviewer reads it in a comment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from incident_ops.domain.record import Set
from incident_ops.domain.tracker import Issue, IssueEdit
from incident_ops.reconcile.changes import Kept, LeftAlone, NoticeDetails, PlannedChange
from incident_ops.reconcile.plan import Plan
from incident_ops.render.plan_preview import MOST_BYTES, plan_markdown
from tests.support.golden import assert_golden

GOLDEN = Path(__file__).parent / "golden" / "plan.md"
RENDERER = MarkdownIt("commonmark").enable("table")


def change(number: int = 1, action: str = "update", **fields: object) -> PlannedChange:
    """A step with texts of the test's choosing."""
    told = {"kind": "incident", "key": f"INC-{number}", "number": number, "reason": "the record changed"}
    return PlannedChange(**{"action": action, "edit": IssueEdit(title="t"), **told, **fields})


def made(*changes: PlannedChange, kept: tuple[Kept, ...] = (), unread: tuple[LeftAlone, ...] = ()) -> Plan:
    return Plan(changes=changes, kept=kept, unread=unread, checksum="c" * 64)


def sample() -> Plan:
    """A plan with one of everything."""
    return made(
        change(1, edit=IssueEdit(title="INC-1: Login fails", labels=("incident", "SEV0")), kind="incident"),
        change(4, "reopen", key="INC-6", edit=IssueEdit(body="new"), reason="the incident is reopened"),
        change(
            action="create",
            key="INC-4/AI-1",
            kind="action-item",
            number=None,
            edit=IssueEdit(
                title="INC-4/AI-1: Write a load test | twice the peak", labels=("action-item", "SEV1", "open")
            ),
            reason="the item is open and has no issue yet",
        ),
        change(
            3,
            "edit",
            key="INC-1/AI-3",
            kind="action-item",
            edits=(Set(("action_items", 2, "status"), "done"), Set(("action_items", 2, "done_at"), "2025-01-03")),
            path="incidents/INC-1/incident.yaml",
            reason="@bob closed it as completed",
        ),
        change(2, "close", key="INC-1/AI-1", edit=IssueEdit(), state_reason="completed", reason="the item is done"),
        kept=(
            Kept("INC-2", "incident", 7, "a person closed it, though the incident is resolved"),
            *(Kept(f"INC-{number}", "incident", None, "closed; it never had an issue") for number in range(10, 16)),
        ),
        unread=(
            LeftAlone("incidents/INC-3/incident.yaml", "line 7, column 3: this quote is never closed", (3, 5)),
            LeftAlone("incidents/INC-8/incident.yaml", "it is empty", ()),
        ),
    )


def cells(text: str) -> list[str]:
    """The cells of all tables, as a browser shows them."""
    return re.findall(r"<td>(.*?)</td>", RENDERER.render(text), re.DOTALL)


def test_the_comment_is_the_golden_one() -> None:
    """Summary, what could not be read, each action, what is kept, the checksum."""
    assert_golden(GOLDEN, plan_markdown(sample()))


def test_nothing_to_do_is_one_sentence_without_a_checksum() -> None:
    text = plan_markdown(made())
    assert text == "## Plan for the tracker\n\n**Nothing to do: the tracker matches the records.**\n"


def test_a_long_table_is_folded_and_a_short_one_is_not() -> None:
    assert "<details>" not in plan_markdown(made(*(change(number) for number in range(20))))
    text = plan_markdown(made(*(change(number) for number in range(21))))
    assert text.count("<details><summary>Issues to update: 21</summary>\n\n| ") == text.count("\n\n</details>\n") == 1
    assert len(cells(text)) == 21 * 4


def test_actions_and_kinds_not_known_here_are_shown_all_the_same() -> None:
    """A label to create has no title, a comment is no change of an issue."""
    label = change(action="create", kind="label", key="SEV1", number=None, edit=IssueEdit(), reason="no such label yet")
    text = plan_markdown(made(label, change(7, "comment", edit=IssueEdit())))
    assert "**1 label to create, 1 issue to comment.**" in text
    assert "### Issues to comment: 1" in text
    assert cells(text)[-2:] == ["<code>SEV1</code>", ""]


HOSTILE = [
    "@everyone",
    "fixes #1",
    "GH-1 o/r#2",
    "a | b | c",
    "</details><img src=x>",
    "![x](https://evil.example/p.png)",
    "`a",
    "a\nb\n\n# c",
    "\x1b[31mred\u202eder",
    "<!-- incident-ops end -->",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_records_and_trackers_do_nothing(text: str) -> None:
    """Whatever a title, a key, a path or a reason holds: the table keeps its shape and nothing is pinged or loaded."""
    seen = Issue(number=1, title="before", body=text)
    hostile = change(action=text, key=text, reason=text, edit=IssueEdit(title=text, body=f"{text}\n{text}"), seen=seen)
    notice = NoticeDetails("internal", text, (text,), text, is_urgent=False, words=f"{text}\n```\n{text}")
    many = made(
        change(action="create", key=text, reason=text, edit=IssueEdit(title=text, labels=(text,))),
        hostile,
        change(action="notify", key=text, reason=text, edit=IssueEdit(), notice=notice),
        kept=(Kept(text, "incident", 1, text),),
        unread=(LeftAlone(text, text, (1,)),),
    )
    shown = plan_markdown(many)
    html = RENDERER.render(shown)
    assert [len(row.split("<td>")) for row in html.split("<tr>") if "<td>" in row] == [4, 5, 5, 5, 4]
    prose = re.sub(r"<code[^>]*>.*?</code>", "", html, flags=re.DOTALL)
    assert not re.search(r"(?<![A-Za-z0-9_&])[@#][A-Za-z0-9]|GH-\d|<img|<!--", prose)
    assert prose.count("</details>") == prose.count("<details>")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", shown)


def test_numbers_are_code_so_that_no_issue_notes_the_comment() -> None:
    assert not re.search(r"(?<!&)#\d", re.sub(r"`[^`\n]*`", "", plan_markdown(sample())))


@pytest.mark.parametrize("count", [150, 400, 3_000])
def test_a_plan_too_long_for_a_comment_ends_on_a_whole_line_and_says_how_much_is_missing(count: int) -> None:
    changes = [change(number, reason="x" * 300) for number in range(count)]
    kept = tuple(Kept(f"INC-{number}", "incident", None, f"reason {number}") for number in range(500))
    text = plan_markdown(made(*changes, kept=kept))
    assert len(text) <= MOST_BYTES
    shown = len(re.findall(r"^\| (?!Issue|How|---)", text, re.MULTILINE))
    assert f"**{count + 500 - shown:,} rows did not fit here:**" in text
    assert text.endswith(f"`{'c' * 64}`\n")
    assert text.count("<details>") == text.count("</details>")
    assert MOST_BYTES - len(text) < 1_000


def test_the_same_plan_gives_the_same_text() -> None:
    assert plan_markdown(sample()) == plan_markdown(sample())
