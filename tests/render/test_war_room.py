"""The sheet of a war room holds whatever people wrote, and nothing of it acts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import cmarkgfm
import msgspec
import pytest

from incident_ops.documents.war_room import war_room_sheet
from incident_ops.domain.incident import Incident
from tests.render.test_documents import HOSTILE, MINIMAL, headings, policy

NOW = datetime(2025, 3, 2, tzinfo=UTC)


def sheet_with(text: str) -> str:
    """The sheet of an incident with `text` wherever people write freely."""
    at = "2025-03-01T23:40:00Z"
    lines: dict[str, Any] = {
        "severity": "SEV-1",
        "priority": "P1",
        "title": text,
        "description": text,
        "roles": {"commander": text, "others": {"database": text}},
        "impact": {"summary": text},
        "cause": {"category": "deploy", "what": text, "why": text},
        "timeline": [{"at": at, "kind": "decision", "event": text, "action": text, "by": text}],
        "updates": [{"at": at, "audience": "internal", "status": "identified", "text": text}],
        "action_items": [{"id": "AI-1", "title": text, "owner": text}],
        "links": {"channel": text, "bridge": text, "dashboard": "javascript:alert(1)"},
    }
    return war_room_sheet(msgspec.convert(MINIMAL | lines, Incident), policy("itil-p1-p4"), NOW)


@pytest.mark.parametrize("hostile", [HOSTILE, "@team " + HOSTILE, "a\\|b @c|d `x|y`"])
def test_hostile_text_stays_text(hostile: str) -> None:
    text = sheet_with(hostile)
    assert "49" not in text
    shown = re.sub(r"(?s)<code>.*?</code>", "", cmarkgfm.github_flavored_markdown_to_html(text))
    assert not re.search(r"@\w|#\d|<!--|<b>|href=.javascript", shown)
    assert headings(text) == headings(sheet_with("tame"))


def test_what_is_decided_and_open_stands_there() -> None:
    text = sheet_with("tame")
    assert "| 23:40 | tame | tame |" in text
    assert "- AI-1: tame (tame, no date)" in text
    assert "| Bridge | tame |" in text
    assert "Nobody yet | technical lead, communications lead, scribe" in text
