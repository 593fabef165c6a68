"""Pictures of an incident over time: right, unbreakable by a record, the same on GitHub and in a page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.documents.html_page import html_page
from incident_ops.documents.page_pictures import MeasuredSpan, series_svg
from incident_ops.documents.pictures import MOST_LETTERS, TimePicture, gantt, harmless, read_gantt, time_picture
from incident_ops.domain.incident import Incident
from tests.render.test_documents import MINIMAL, example, made, policy

TWO_CYCLES: dict[str, Any] = {
    "times": {
        "started": "2025-03-01T23:30:00Z",
        "detected": "unknown",
        "declared": "2025-03-01T23:50:00Z",
        "restored": "2025-03-02T01:30:00Z",
    },
    "cycles": [{"reopened": "2025-03-02T03:00:00Z", "restored": "2025-03-02T04:00:00Z"}],
    "impact": {
        "services": [
            {"service": "api", "degree": "major", "from": "2025-03-01T23:30:00Z", "to": "2025-03-02T01:30:00Z"},
            {"service": "web", "degree": "partial", "from": "2025-03-02T03:00:00Z"},
        ]
    },
    "changes": [{"at": "2025-03-02T00:00:00Z", "field": "severity", "from": "SEV1", "to": "SEV2"}],
}
AT = [datetime(2025, 3, 1, 10, minute, tzinfo=UTC) for minute in (0, 15, 30, 45)]


def drawn(**fields: Any) -> TimePicture | None:
    return time_picture(msgspec.convert(MINIMAL | fields, Incident), policy("sev0-3"))


def labels(picture: TimePicture | None) -> dict[str, list[str]]:
    assert picture is not None
    return {lane.title: [bar.label for bar in lane.bars] for lane in picture.lanes}


def test_the_login_outage_is_drawn_above_its_timeline() -> None:
    text = example("INC-20250126-120500")["timeline.md"]
    assert text.index("```mermaid") < text.index("| Time (UTC) |")
    for line in (
        "    Started to detected, 2m :crit, 2025-01-26T12:00:00, 2025-01-26T12:02:00",
        "    Mitigated to restored, 10m :crit, 2025-01-26T12:20:00, 2025-01-26T12:30:00",
        "    Restored to resolved, 15m :done, 2025-01-26T12:30:00, 2025-01-26T12:45:00",
        "    Cause found :milestone, 2025-01-26T12:10:00, 2025-01-26T12:10:00",
        "_Started 12:00, detected 12:02, declared 12:05, acknowledged 12:05, cause found 12:10, mitigated 12:20, "
        "restored 12:30, resolved 12:45 (UTC)._",
    ):
        assert line in text.splitlines()
    assert "```mermaid" in example("INC-20250126-120500")["postmortem.md"]


def test_levels_services_and_later_cycles_have_their_rows() -> None:
    assert labels(drawn(**TWO_CYCLES)) == {
        "Phases": ["Started to restored, 2h"],
        "Phases of cycle 2": ["Reopened to restored, 1h"],
        "Moments": ["Declared"],
        "Severity": ["10m SEV1", "4h SEV2"],
        "api": ["2h major"],
        "web": ["Not over, partial"],
    }
    text = made(**TWO_CYCLES)["timeline.md"]
    assert "api: 2h major from 2025-03-01 23:30. web: Not over, partial from 2025-03-02 03:00._" in text


@pytest.mark.parametrize("times", [{}, {"acknowledged": "2025-03-01T23:40:00Z"}, {"detected": "unknown"}])
def test_what_would_be_one_mark_is_not_drawn(times: dict[str, str]) -> None:
    assert drawn(times=MINIMAL["times"] | times) is None
    assert "mermaid" not in made(times=MINIMAL["times"] | times)["timeline.md"]


@given(st.text(), st.text(), st.text())
def test_no_word_of_a_record_is_more_than_text(service: str, degree: str, level: str) -> None:
    hurt = [{"service": service, "degree": degree, "from": "2025-03-01T23:30:00Z"}]
    moved = [{"at": "2025-03-02T00:00:00Z", "field": "severity", "from": level, "to": "SEV2"}]
    picture = drawn(**{**TWO_CYCLES, "impact": {"services": hurt}, "changes": moved})
    assert picture is not None
    text = gantt(picture)
    assert read_gantt(text) == picture
    assert len(text.splitlines()) == len(text.split("\n"))
    for line in text.split("\n")[9:]:
        assert re.fullmatch(r"    (section \S.*|(Started|Reopened|Declared|Not over|\d).*)", line)
        words = line.partition(" :")[0]
        assert not set(words) & set(":;#%{}[]<>\"'`&|\\@")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("auth_api v1.2", "auth_api v1.2"),
        ("%%{init: {'theme': 'x'}}%%", "init theme x"),
        ("click me call alert(1)", "click me call alert(1)"),
        ("a --> b; c", "a b c"),
        ("größe 東京", "größe 東京"),
        ("\n\t", "unnamed"),
        ("x" * 100, "x" * (MOST_LETTERS - 3) + "..."),
    ],
)
def test_signs_of_mermaid_are_left_out(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize("text", ["", "gantt\n    section x", "flowchart LR\n a --> b"])
def test_another_drawing_is_not_read(text: str) -> None:
    assert read_gantt(text) is None
    assert "<svg" not in html_page(f"# T\n\n```mermaid\n{text}\n```\n", lambda _name: None)


def test_a_page_draws_the_timeline_and_each_series_above_its_table() -> None:
    page = html_page(example("INC-20250120-102000")["postmortem.md"], lambda _name: None)
    assert "accTitle" not in page
    for label in ("INC-20250120-102000 over time", "Error rate (percent)", "Latency p95 (ms)"):
        assert f'role="img" aria-label="{label}"' in page
    assert page.index('aria-label="Error rate (percent)"') < page.index("<td>10:15 – 10:35</td>")
    assert ">Restored to resolved, 10m</text>" in page
    assert page.count("<svg") == 3


def test_a_series_is_drawn_to_scale() -> None:
    spans = [
        MeasuredSpan(AT[0], AT[1], 0.0, "0"),
        MeasuredSpan(AT[1], AT[2], 50.0, "50 <b>"),
        MeasuredSpan(AT[2], AT[3], -50.0, "-50"),
    ]
    shown = series_svg("Errors", spans)
    tops = [float(top) for top in re.findall(r'class="step" d="M\S+ (\S+)H', shown)]
    assert tops[0] - tops[1] == pytest.approx(tops[2] - tops[0], abs=0.2)
    assert ">50 &lt;b&gt;</text>" in shown
    assert series_svg("Errors", spans[:1]) == ""


def test_unknown_values_of_a_series_are_left_out_of_its_picture() -> None:
    points = [
        {"from": f"2025-03-01T10:{at:02}:00Z", "to": f"2025-03-01T10:{at + 10:02}:00Z", "value": value}
        for at, value in ((0, 1_200), (10, "unknown"), (20, 3.5))
    ]
    paper = made(severity="SEV1", impact={"series": [{"name": "errors", "unit": "a minute", "points": points}]})
    page = html_page(paper["postmortem.md"], lambda _name: None)
    assert page.count('class="step"') == 2
    assert "<td>unknown</td>" in page
