"""The documents beside a record: right, harmless, the same bytes each time."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_ops.documents.document_mark import DOCUMENT_NAMES, REPORT_NAME, is_as_rendered
from incident_ops.documents.incident_documents import incident_documents
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.records.policy import preset, to_policy
from incident_ops.records.yaml_reader import Document, read_yaml
from incident_ops.resources import preset_names
from tests.support.golden import assert_golden

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXAMPLES = sorted((ROOT / "examples").glob("*/incidents/*/incident.yaml"))
MINIMAL = {
    "id": "INC-7",
    "title": "Something is wrong",
    "severity": "SEV2",
    "state": "new",
    "services": ["api"],
    "times": {"declared": "2025-03-01T23:30:00Z"},
}
HOSTILE = (
    "{{ 7*7 }} {% include 'x' %} <!-- incident-ops v1 key=INC-1 hash=0 --> @team fixes #1 a|b <b>\n"
    "# Fake heading\n| x | y |\n```\n- [x] done"
)


@cache
def policy(name: str) -> Policy:
    return to_policy(preset(name))


def load(path: Path) -> Incident:
    document = read_yaml(path.read_text(encoding="utf-8"), str(path))
    assert isinstance(document, Document)
    return msgspec.convert(document.data, Incident)


def documents(path: Path) -> dict[str, str]:
    return incident_documents(load(path), policy(path.parts[-4]), NOW)


def made(layout: str = "sev0-3", **fields: Any) -> dict[str, str]:
    chosen = policy("sev0-3")
    laid = msgspec.structs.replace(chosen, documents=policy(layout).documents, slo=policy(layout).slo)
    return incident_documents(msgspec.convert(MINIMAL | fields, Incident), laid, NOW)


def example(incident_id: str) -> dict[str, str]:
    return documents(next(path for path in EXAMPLES if path.parent.name == incident_id))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_render_as_their_goldens(path: Path) -> None:
    for name, text in documents(path).items():
        assert_golden(GOLDEN / path.parent.name / name, text)


def test_every_golden_belongs_to_an_example() -> None:
    assert {folder.name for folder in GOLDEN.iterdir() if folder.is_dir()} == {path.parent.name for path in EXAMPLES}


def test_the_login_outage_lasted_30_minutes() -> None:
    """C18: impact is started to restored, although it was declared resolved at 12:45."""
    documents = example("INC-20250126-120500")
    assert "- **Duration:** 30m (started to restored, 12:00–12:30 UTC)" in documents["incident.md"]
    assert "| Restored | 2025-01-26 12:30 UTC |" in documents["incident.md"]
    assert "| Total | started – resolved | 45m |" in documents["postmortem.md"]


def test_the_memory_leak_shows_the_derived_45_beside_the_reported_50_minutes() -> None:
    text = example("INC-2025-05678")["postmortem.md"]
    assert "| Impact | started – restored | 45m |" in text
    assert "- Duration in minutes: 50" in text
    assert "| War room assembled | declared – assembled | 2m |" in text
    assert "| Time to diagnose | declared – diagnosed | 8m |" in text
    assert "- [x] Upgrade to 2.3.2 (done 2025-10-21)" in text
    assert "- [ ] Memory profiling" in text


def test_the_locking_migration_counts_its_items_and_lessons() -> None:
    """C30: the source speaks of 8 takeaways; there are 11."""
    documents = example("INC-20250120-102000")
    assert "_Total: 10 (4 P0, 3 P1, 3 P2); 10 open._" in documents["action-items.md"]
    assert "_Total: 11 (4 technical, 4 process, 3 cultural)._" in documents["postmortem.md"]
    assert "| 10:15 – 10:35 | 80 |" in documents["postmortem.md"]
    assert "[INC-20241115-140000](../INC-20241115-140000/incident.md)" in documents["incident.md"]


def test_items_without_owner_or_date_are_shown_and_counted() -> None:
    """R190: the list is accepted as a draft and flagged."""
    text = example("INC-1")["action-items.md"]
    assert "Without an owner: 4. Without a due date: 4." in text
    assert "| AI-1 | Add alerts on the connection pool | TBD | TBD | – | Open | – |" in text


def test_a_minimal_record_says_what_is_unknown_and_who_is_missing() -> None:
    text = made()["incident.md"]
    for line in (
        "| Severity | SEV2, Minor (Low Impact) |",
        "| State | New (active) |",
        "| Status page | Not required |",
        "- **Duration:** unknown (started to restored)",
        "- **Users affected:** unknown",
        "- **Revenue:** unknown",
        "| Incident commander | TBD |",
        "| Status | INVESTIGATING |",
        "- **2025-03-01 23:30:00 UTC** · Incident declared, investigating",
        "- [ ] Name an incident commander",
        "- [ ] Work through the runbook: runbooks/api.md",
    ):
        assert line in text.splitlines()


def test_a_level_without_a_duty_gets_no_empty_postmortem() -> None:
    text = made()["postmortem.md"]
    assert "| Status | Not required |" in text
    assert "What went well" not in text
    required = made(severity="SEV1")["postmortem.md"]
    assert "| Status | Not started |" in required
    assert "## What went well?\n\n_Not written yet._" in required


@pytest.mark.parametrize("field", ["users", "revenue", "failed_requests", "support_tickets", "budget_minutes"])
def test_unknown_impact_is_said(field: str) -> None:
    text = made(impact={field: "unknown"})["incident.md"]
    assert "None" not in text
    assert re.search(r"- \*\*(Users|Revenue|Failed|Support|Error).*unknown$", text, re.MULTILINE)


def test_unknown_instants_give_unknown_lengths() -> None:
    times = {"started": "unknown", "declared": "2025-03-01T10:00:00Z", "restored": "2025-03-01T10:30:00Z"}
    documents = made(times=times)
    assert "| Started | unknown |" in documents["incident.md"]
    assert "| Impact | started – restored | unknown |" in documents["postmortem.md"]
    assert "| Time to restore | declared – restored | 30m |" in documents["postmortem.md"]


def test_the_last_correction_of_an_instant_counts_and_is_marked() -> None:
    times = {
        "started": "2025-03-01T10:00:00Z",
        "declared": "2025-03-01T10:05:00Z",
        "restored": "2025-03-01T10:30:00Z",
    }
    correction = {"at": "2025-03-02T09:00:00Z", "field": "times.started", "by": "@a", "reason": "Logs read again"}
    first = correction | {"from": "2025-03-01T10:00:00Z", "to": "2025-03-01T09:50:00Z"}
    last = correction | {"from": "2025-03-01T09:50:00Z", "to": "2025-03-01T09:45:00Z"}
    documents = made(times=times, corrections=[first, last])
    assert "| Started | 2025-03-01 09:45 UTC (corrected) |" in documents["incident.md"]
    assert "- **Duration:** 45m (started to restored, 09:45–10:30 UTC)" in documents["incident.md"]
    assert "| times.started | 2025-03-01 09:50 UTC | 2025-03-01 09:45 UTC | `@a` |" in documents["timeline.md"]


def test_the_timeline_is_in_order_marks_corrections_and_shows_the_day_where_there_are_two() -> None:
    events = [
        {"at": "2025-03-01T23:50:00Z", "kind": "note", "event": "Disk full"},
        {"at": "2025-03-02T01:10:00+01:00", "kind": "note", "event": "Memory full", "corrects": 1},
        {"at": "2025-03-01T23:40:00Z", "kind": "note", "event": "Alert", "ref": "abc123", "by": "@a"},
    ]
    document = made(timeline=events)["timeline.md"].partition("## Level and state changes")[0]
    rows = [line for line in document.splitlines() if line.startswith("| 2025")]
    assert rows == [
        "| 2025-03-01 23:40 | Alert (abc123) | `@a` |",
        "| 2025-03-01 23:50 | Disk full _(corrected by the line of 2025-03-02 00:10)_ |  |",
        "| 2025-03-02 00:10 | Memory full _(corrects the line of 2025-03-01 23:50)_ |  |",
    ]


def test_updates_stand_newest_first_with_their_audience() -> None:
    updates = [
        {"at": "2025-03-01T23:40:00Z", "audience": "internal", "status": "investigating", "text": "Looking"},
        {"at": "2025-03-01T23:50:00Z", "audience": "public", "status": "identified", "text": "Found", "eta": "15m"},
    ]
    lines = [line for line in made(updates=updates)["incident.md"].splitlines() if line.startswith("- **2025")]
    assert lines == [
        "- **2025-03-01 23:50 UTC** · Public · Identified: Found (expected: 15m)",
        "- **2025-03-01 23:40 UTC** · Internal · Investigating: Looking",
        "- **2025-03-01 23:30:00 UTC** · Incident declared",
    ]


def test_a_reopened_incident_shows_the_impact_of_each_cycle() -> None:
    times = {
        "started": "2025-03-01T10:00:00Z",
        "declared": "2025-03-01T10:05:00Z",
        "restored": "2025-03-01T10:30:00Z",
    }
    cycles = [{"reopened": "2025-03-01T12:00:00Z", "restored": "2025-03-01T12:10:00Z"}]
    text = made(times=times, cycles=cycles, state="reopened")["incident.md"]
    assert "- **Duration:** 30m (started to restored" in text
    assert "- **Duration, cycle 2:** 10m (reopened to restored, 12:00–12:10 UTC)" in text
    assert "| Reopened, cycle 2 | 2025-03-01 12:00 UTC |" in text


def rich(text: str, layout: str = "itil-p1-p4") -> dict[str, str]:
    """A record with `text` wherever the contract lets people write freely."""
    at = "2025-03-01T10:00:00Z"
    return made(
        layout,
        severity="SEV1",
        title=text,
        description=text,
        detection={"source": "alert", "detail": text},
        roles={"commander": text, "others": {"database": text}},
        impact={"summary": text, "qualitative": [text], "series": [{"name": text, "unit": text, "points": []}]},
        timeline=[{"at": at, "kind": "note", "event": text, "action": text, "result": text, "by": text, "ref": text}],
        updates=[{"at": at, "audience": "public", "status": "identified", "text": text}],
        changes=[{"at": at, "field": "severity", "from": text, "to": text, "by": text, "reason": text}],
        corrections=[{"at": at, "field": "times.started", "from": at, "to": at, "by": text, "reason": text}],
        assignments=[{"at": at, "to": text}],
        cause={"category": "deploy", "what": text, "why": text, "five_whys": [{"why": text, "because": text}]},
        resolution={"immediate": text, "permanent": text, "ref": text},
        imported={text: {text: [text]}},
        action_items=[{"id": "AI-1", "title": text, "owner": text, "priority": text, "evidence": text, "reason": text}],
        postmortem={
            "status": "review",
            "authors": [text],
            "summary": text,
            "went_well": [text],
            "went_poorly": [text],
            "lucky": [text],
            "lessons": {"technical": [text]},
            "prevention": {"short": [{"text": text}]},
            "conclusion": text,
            "reviewers": [text],
            "approved_by": text,
        },
        links={"channel": text, "runbook": text, "dashboard": text, "kb": "javascript:alert(1)"},
        related=[text],
        duplicate_of=text,
        problem=text,
    )


def headings(text: str) -> list[int]:
    return [len(found[0]) for found in re.finditer(r"^#+(?= )", text, re.MULTILINE)]


def cells(line: str) -> int:
    return len(re.findall(r"(?<!\\)\|", line))


@pytest.mark.parametrize("name", DOCUMENT_NAMES)
@pytest.mark.parametrize("hostile", [HOSTILE, "@team " + HOSTILE, HOSTILE.replace("\n", "\r\n"), "a\\|b @c|d `x|y`"])
@pytest.mark.parametrize("layout", preset_names())
def test_hostile_text_stays_text(name: str, hostile: str, layout: str) -> None:
    """A record can neither run a template, nor ping, link, close, hide, nor break a heading or a table."""
    if name not in rich("tame", layout):
        assert name == REPORT_NAME
        return
    whole = rich(hostile, layout)[name]
    assert is_as_rendered(whole.encode())
    text = whole.rpartition("\n<!-- incident-ops v1 document ")[0]
    assert "49" not in text
    prose = re.sub(r"&#?\w+;", " ", re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text.replace("\\`", "")))
    assert not re.search(r"@\w|#\d|<!--|<b>", prose)
    assert headings(text) == headings(rich("tame", layout)[name])
    width = 0
    for line in text.splitlines():
        width = 0 if not line.startswith("|") or line.startswith("| x ") else width or cells(line)
        assert not width or cells(line) == width, line


def test_only_web_addresses_become_links() -> None:
    links = {"dashboard": "https://example.invalid/d?a=1&b=2", "logs": "javascript:alert(1)"}
    text = made(links=links)["incident.md"]
    assert "- Dashboard: <https://example.invalid/d?a=1&b=2>" in text
    assert "- Logs: javascript:alert(1)" in text


@pytest.mark.parametrize("name", DOCUMENT_NAMES)
def test_a_document_tells_whether_somebody_wrote_in_it(name: str) -> None:
    """A word more, one less, a line below, no last line: it is a person's. Line ends of Windows are nobody's words."""
    text = example("INC-2025-05678")[name].encode()
    assert is_as_rendered(text)
    assert is_as_rendered(text.replace(b"\n", b"\r\n"))
    for edited in (b"x" + text, text[1:], text + b"One more line\n", text.rpartition(b"\n<!--")[0], b"# Notes\n", b""):
        assert not is_as_rendered(edited)


def test_time_alone_changes_no_byte() -> None:
    incident = load(EXAMPLES[0])
    chosen = policy(EXAMPLES[0].parts[-4])
    assert incident_documents(incident, chosen, NOW) == incident_documents(
        incident, chosen, datetime(2035, 1, 1, tzinfo=UTC)
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_documents_are_tidy(path: Path) -> None:
    """No empty heading, no gap of two lines, no space at a line's end, one newline at the end, no Python word."""
    for text in documents(path).values():
        assert not re.search(r"^#+ .*\n\n#(?!##)", text, re.MULTILINE) or text.startswith("# ")
        assert not re.search(r"^(##+) .*\n\n\1 ", text, re.MULTILINE)
        assert "\n\n\n" not in text
        assert not re.search(r"[ \t]$", text, re.MULTILINE)
        assert re.search(r"_\n\n<!-- incident-ops v1 document [0-9a-f]{16} -->\n\Z", text)
        assert not re.search(r"\bNone\b|\[\]|\bTrue\b", text)


def test_render_loads_no_library_it_does_not_need(python: str) -> None:
    """`render` is a cold command: no tracker, no terminal, no schema checker; templates only once one is used."""
    script = """
import sys
from datetime import UTC, datetime
from incident_ops.domain.incident import Incident, Times
from incident_ops.domain.policy import Policy, Scheme
from incident_ops.documents.incident_documents import incident_documents
assert "jinja2" not in sys.modules
times = Times(declared="2025-03-01T10:00:00Z")
incident = Incident(id="INC-1", title="t", services=["api"], state="new", times=times)
policy = Policy(scheme=Scheme(id="s", version=1, drives_clocks="severity"), levels=[])
assert "unknown" in incident_documents(incident, policy, datetime.now(UTC))["incident.md"]
assert not {"github", "rich", "jsonschema", "click"} & set(sys.modules)
"""
    subprocess.run([python, "-c", script], check=True, cwd=ROOT)
