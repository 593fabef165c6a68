"""Every layout of documents shows what its playbook lists, loses no fact, and a final form has no holes."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_ops.resources import preset_names
from tests.render.test_documents import made

LISTED = yaml.safe_load((Path(__file__).parent / "headings.yaml").read_text(encoding="utf-8"))
AT = "2025-03-01T10:00:00Z"
WORDS = {
    "summary": "Logins failed. A release did it.",
    "went_well": ["Seen at once"],
    "went_poorly": ["No canary"],
    "lucky": ["It was Sunday"],
    "narrative": "It went on for a while.",
    "lessons": {"technical": ["Try it first"], "process": ["Ask"], "cultural": ["Stay calm"]},
    "prevention": {"short": [{"text": "Alert"}], "medium": [{"text": "Canary"}], "long": [{"text": "Cells"}]},
    "conclusion": "It will not come back.",
    "authors": ["@ann"],
    "reviewers": ["@bob"],
    "approved_by": "@cy",
    "follow_up_on": "2025-04-01",
}
WHOLE: dict[str, Any] = {
    "severity": "SEV1",
    "state": "resolved",
    "description": "Logins fail",
    "detection": {"source": "alert"},
    "times": {"started": AT, "detected": AT, "declared": AT, "restored": "2025-03-01T10:20:00Z"},
    "roles": {"commander": "@ann", "technical_lead": "@bob", "communications_lead": "@cy"},
    "impact": {
        "users": {"count": 7},
        "revenue": {"amount": 3, "currency": "USD"},
        "support_tickets": 2,
        "qualitative": ["Trust was hurt"],
        "series": [{"name": "error_rate", "unit": "percent", "points": []}],
    },
    "timeline": [
        {"at": AT, "kind": "action", "event": "Seen", "action": "Rolled back", "result": "It held", "by": "@dee"}
    ],
    "cause": {
        "category": "deploy",
        "what": "A lock",
        "why": "No timeout",
        "contributing": ["No load test"],
        "five_whys": [{"why": "Why did it fail?", "because": "It was locked"}],
    },
    "resolution": {"immediate": "Rolled back"},
    "action_items": [{"id": "AI-1", "title": "Set timeouts", "owner": "@ann", "due": "2025-03-05", "priority": "P0"}],
    "links": {"dashboard": "https://example.invalid/d"},
}

ORDER = [
    "What happened?",
    "What happened in detail",
    "Impact",
    "Timeline",
    "Root cause",
    "Five whys",
    "Resolution",
    "What went well?",
    "What went poorly?",
    "Where we were lucky",
    "Action items",
    "Prevention measures",
    "Lessons learned",
    "Participants",
    "Supporting information",
    "Conclusion",
]
"""The sections of a postmortem in the layout sev0-3 that has everything: those of the playbook, and what is beyond."""


@cache
def documents(layout: str, status: str) -> dict[str, str]:
    return made(layout, **WHOLE, postmortem={**WORDS, "status": status})


def headings(text: str) -> list[str]:
    return re.findall(r"^##+ (.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("listed", LISTED, ids=lambda listed: f"{listed['layout']} {listed['document']}")
@pytest.mark.parametrize("status", ["draft", "final"])
def test_everything_that_the_playbook_lists_is_there(listed: Any, status: str) -> None:
    text = documents(listed["layout"], status)[listed["document"]]
    assert [one for one in listed["headings"] if one not in headings(text)] == []
    names = set(re.findall(r"^(?:\| |- |_|- \*\*|\*\*)([A-Z][^|:*]*?)(?: \||:)", text, re.MULTILINE))
    assert [one for one in listed["fields"] if one not in names] == []
    if listed["columns"]:
        assert f"| {' | '.join(listed['columns'])} |" in text


@pytest.mark.parametrize("layout", preset_names())
def test_no_layout_loses_a_word(layout: str) -> None:
    """What people wrote is in the postmortem of every layout, asked for there or not."""
    text = documents(layout, "final")["postmortem.md"]
    written = [WORDS[name] for name in ("went_well", "went_poorly", "lucky")]
    lessons = WORDS["lessons"].values()  # type: ignore[attr-defined]
    measures = [measure["text"] for entries in WORDS["prevention"].values() for measure in entries]  # type: ignore[attr-defined]
    expected = [*(line for entries in (*written, *lessons) for line in entries), *measures, "It will not come back."]
    expected += ["Logins failed. A release did it.", "Rolled back", "It held", "No load test", "It was locked", "7"]
    assert [one for one in expected if one not in text] == []


@pytest.mark.parametrize("layout", preset_names())
def test_a_draft_names_its_holes_and_the_final_form_has_none(layout: str) -> None:
    hollow = {"severity": "SEV1", "state": "resolved"}
    draft = made(layout, **hollow, postmortem={"status": "draft"})["postmortem.md"]
    assert draft.splitlines()[2].startswith("> **Draft.** Still to be written: ")
    assert "authors." in draft.splitlines()[2]
    assert "Unknown: users affected, failed requests, revenue, data loss; ask the owners of api." in draft
    assert "_Not written yet._" in draft
    final = made(layout, **hollow, postmortem={"status": "final"})["postmortem.md"]
    assert "Not written yet" not in final
    assert "> **" not in final
    assert headings(final)[-1] == "Review"


def test_the_first_screen_answers_a_director() -> None:
    """Five lines below the header, each one sentence."""
    lines = documents("sev0-3", "final")["postmortem.md"].splitlines()
    first = lines.index("- **What happened:** Logins failed.")
    assert lines[first : first + 5] == [
        "- **What happened:** Logins failed.",
        "- **Who was affected:** users of api: 7, for 20m (2025-03-01 10:00–10:20 UTC)",
        "- **Why:** A lock",
        "- **How it ended:** Rolled back",
        "- **What changes:** 1 of 1 action items are open, the next one due on 2025-03-05: Set timeouts",
    ]
    assert first < 22


def test_while_it_lasts_the_first_screen_says_so() -> None:
    lines = made(severity="SEV1", times={"started": AT, "declared": AT})["postmortem.md"].splitlines()
    assert "- **Who was affected:** users of api, how many is unknown, still since 2025-03-01 10:00 UTC" in lines
    assert "- **Why:** the cause is not known yet" in lines
    assert "- **How it ended:** it goes on" in lines
    assert "- **What changes:** no action items yet" in lines


def test_the_timeline_has_no_empty_column() -> None:
    rows = [{"at": AT, "kind": "note", "event": "Seen"}]
    text = made("p0-p3", severity="SEV1", timeline=rows)["postmortem.md"]
    assert "| Time (UTC) | Event |\n| --- | --- |\n| 10:00 | Seen |" in text


def test_what_a_layout_has_no_column_for_stands_behind_the_event() -> None:
    text = documents("sev0-3", "final")["postmortem.md"]
    assert "| 10:00 | Seen. Rolled back. It held |" in text


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        (("Seen.", "Rolled back", "It held"), "Seen. Rolled back. It held"),
        (("Really?", "Asked again!", "80 % failed"), "Really? Asked again! 80 % failed"),
        (("Seen", "kubectl rollout undo", "It held"), "Seen; kubectl rollout undo. It held"),
        (("Seen:", "a lock", None), "Seen: a lock"),
        (("Seen", None, "It held"), "Seen. It held"),
    ],
)
def test_an_entry_reads_as_sentences(parts: tuple[str | None, ...], shown: str) -> None:
    event, action, result = parts
    entry = {"at": AT, "kind": "note", "event": event, "action": action, "result": result}
    row = {name: text for name, text in entry.items() if text is not None}
    assert f"| 10:00 | {shown} |" in made("sev0-3", severity="SEV1", timeline=[row])["postmortem.md"]


def test_what_goes_beyond_a_layout_stands_where_it_belongs() -> None:
    shown = [one for one in headings(documents("sev0-3", "final")["postmortem.md"]) if one in ORDER]
    assert shown == ORDER


def test_a_release_has_the_time_that_people_read() -> None:
    """`resolution.deployed` is an instant, or the version that people name."""
    times = {"deployed": "2025-03-01T10:15:00Z"}
    text = made("sev0-3", severity="SEV1", state="resolved", resolution=times)["postmortem.md"]
    assert "- **Deployed:** 2025-03-01 10:15 UTC\n" in text


def test_what_lacks_an_owner_is_counted_apart_from_what_lacks_a_date() -> None:
    """An item whose priority gives its date lacks no date, and one that will not be done lacks nothing."""
    items = [
        {"id": "AI-1", "title": "a", "priority": "P0"},
        {"id": "AI-2", "title": "b", "owner": "@ann", "due": "2025-03-05"},
        {"id": "AI-3", "title": "c", "status": "wont_do", "reason": "not worth it"},
    ]
    dated = made("p0-p3", severity="SEV1", state="resolved", action_items=items[:1])["action-items.md"]
    assert "Without an owner: 1._" in dated
    assert "Without" not in made("p0-p3", severity="SEV1", state="resolved", action_items=items[1:])["action-items.md"]
