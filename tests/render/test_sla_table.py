"""The clocks as people and programs read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record, Unread
from incident_ops.domain.time import parse_instant
from incident_ops.records.policy import load_policy
from incident_ops.records.yaml_reader import Document, read_bytes
from incident_ops.render.sla import clock_rows, to_json, to_text, warning
from incident_ops.sla.clocks import Clock, ClockState, Risk
from incident_ops.sla.status import ClockReport, clock_report
from tests.support.golden import assert_golden

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2025, 1, 22, 14, 0, tzinfo=UTC)
LOST = Unread("incidents/INC-9/incident.yaml", "incidents/INC-9/incident.yaml: line 3: not YAML")


def policy() -> Policy:
    marks = "levels:\n- id: SEV2\n  warn_at: 75%\n- id: SEV1\n  update: {public: 30m, public_max: 1h}\n"
    loaded = load_policy(f"extends: sev0-3\n{marks}")
    assert loaded.policy is not None
    return loaded.policy


def record(day_and_time: str, severity: str, times: dict[str, str] | None = None, **fields: Any) -> Record:
    stamp = f"2025-01-{day_and_time}Z"
    name = "INC-" + stamp.rstrip("Z").replace("-", "").replace(":", "").replace("T", "-")
    given = {"id": name, "title": "t", "services": ["auth"], "state": "new", "severity": severity, **fields}
    given["times"] = {"declared": stamp, **(times or {})}
    return Record(f"incidents/{name}/incident.yaml", msgspec.convert(given, Incident), given)


def sample() -> ClockReport:
    acknowledged = "2025-01-22T13:05:00Z"
    return clock_report(
        [
            record("22T13:01:00", "SEV0"),
            record(
                "21T18:00:00",
                "SEV2",
                {"acknowledged": "2025-01-21T18:10:00Z"},
                state="in_progress",
                assignments=[
                    {"at": "2025-01-21T18:10:00Z", "to": "@bob"},
                    {"at": "2026-01-01T00:00:00Z", "to": "@eve"},
                ],
            ),
            record(
                "22T13:00:00",
                "SEV1",
                {"acknowledged": acknowledged, "resolved": "2025-01-22T13:40:00Z"},
                state="resolved",
                action_items=[
                    {"id": "AI-1", "title": "a", "due": "2025-01-21"},
                    {"id": "AI-2", "title": "b"},
                    {"id": "AI-3", "title": "c", "due": "2025-01-21", "status": "done"},
                ],
            ),
            record("22T08:00:00", "SEV3"),
            record(
                "22T13:02:00",
                "SEV1",
                {"acknowledged": "unknown"},
                state="pending",
                pauses=[{"from": "2025-01-22T13:30:00Z", "waiting_for": "vendor"}],
                updates=[
                    {"at": "2025-01-22T13:58:45Z", "audience": "internal", "status": "investigating", "text": "t"}
                ],
            ),
            record("22T13:03:00", "SEV2", outcome="false_alarm"),
            record(
                "22T13:30:00",
                "SEV0",
                {"detected": "2025-01-20T09:00:00Z"},
                changes=[{"at": "2025-01-22T13:59:00Z", "field": "severity", "from": "SEV2", "to": "SEV0"}],
            ),
        ],
        policy(),
        NOW,
        [LOST],
    )


@pytest.mark.parametrize(
    ("name", "text"), [("sla_check.txt", to_text(sample())), ("sla_check.json", to_json(sample()))]
)
def test_the_output_is_the_one_that_was_approved(name: str, text: str) -> None:
    assert_golden(GOLDEN / name, text)


def test_the_table_fits_80_columns() -> None:
    assert max(map(len, to_text(sample()).splitlines())) <= 80


def test_the_most_urgent_comes_first() -> None:
    words = [row.status for row in clock_rows(sample())]
    assert words[:2] == ["breached", "breached"]
    assert words == sorted(
        words, key=["breached", "at risk", "ok", "paused", "no due", "missed", "met", "cancelled"].index
    )


def test_a_style_sees_each_line_with_its_word() -> None:
    seen: list[tuple[str, str]] = []
    to_text(sample(), lambda word, line: (seen.append((word, line)), line)[1])
    assert [word for word, _ in seen][-len(sample().clocks) :] == [row.status for row in clock_rows(sample())]
    assert all(line.startswith((word, "  ")) for word, line in seen if " to SLA breach" not in line)


def test_json_has_the_fields_of_the_contract_in_their_order() -> None:
    data = json.loads(to_json(sample(), lag_seconds=7))
    assert list(data) == ["schema", "at", "lag_seconds", "clocks", "obligations", "incidents", "commanders", "unread"]
    assert (data["schema"], data["at"], data["lag_seconds"], data["obligations"]) == (1, "2025-01-22T14:00:00Z", 7, [])
    times = ["start", "due", "state", "risk", "elapsed_seconds", "remaining_seconds", "paused_seconds", "stopped_at"]
    assert list(data["clocks"][0]) == ["incident", "clock", "cycle", "level", *times]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert to_json(sample()) == to_json(sample())


def test_nothing_to_list_is_said() -> None:
    empty = ClockReport(NOW, ())
    assert to_text(empty) == "Clocks at 2025-01-22 14:00 UTC\nno clock runs\n"
    assert "unread" not in json.loads(to_json(empty))


def near(seconds: int, **fields: Any) -> Clock:
    """A resolution with so much time left."""
    due = NOW + timedelta(seconds=seconds)
    given = {"state": ClockState.RUNNING, "risk": Risk.AT_RISK, "remaining_seconds": seconds, **fields}
    return Clock(
        incident="INC-1",
        clock="resolution",
        cycle=1,
        level="P2",
        start=NOW,
        due=due,
        elapsed_seconds=0,
        paused_seconds=0,
        stopped_at=None,
        **given,
    )


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (3600, "1 hour to SLA breach"),  # R54, word for word
        (3599, "59 minutes 59 seconds to SLA breach"),
        (5400, "1 hour 30 minutes to SLA breach"),
        (60, "1 minute to SLA breach"),
        (59, "59 seconds to SLA breach"),
        (2 * 86_400 + 3_660, "2 days 1 hour to SLA breach"),
    ],
)
def test_a_warning_says_how_long_it_is_to_the_breach(seconds: int, told: str) -> None:
    """R54; rounded down."""
    assert warning(near(seconds)) == told


def test_there_is_no_warning_without_a_risk_or_after_the_breach() -> None:
    assert warning(near(3600, risk=Risk.OK)) is None
    assert warning(near(-5, risk=Risk.BREACHED)) is None
    assert warning(near(0, remaining_seconds=None)) is None


def test_the_worked_tickets_are_told_as_the_playbook_tells_them() -> None:
    """R52-R54: every open P2 with time left, status and last update; 04890 is warned, 04567 is ok."""
    at = parse_instant("2025-10-21T18:00:00Z")
    rules = load_policy("extends: itil-p1-p4\n").policy
    assert rules is not None
    made = []
    for name in ("INC-2025-04567", "INC-2025-04890"):
        path = ROOT / "examples" / "itil-p1-p4" / "incidents" / name / "incident.yaml"
        document = read_bytes(path.read_bytes(), str(path))
        assert isinstance(document, Document)
        made.append(Record(name, msgspec.convert(document.data, Incident), document.data))
    text = to_text(clock_report(made, rules, at))
    assert "INC-2025-04890: 1 hour to SLA breach\n  resolution, due 2025-10-21 19:00 UTC; " in text
    assert "04567: 1" not in text
    assert "INC-2025-04567: escalates at 19:00 UTC unless somebody works on it (last" in text
    first = text.index("STATUS")
    assert text[first:].splitlines()[1:5:2] == [
        "at risk  INC-2025-04890  P2     7h   resolution 1h  30m ago",
        "ok       INC-2025-04567  P2     5h   resolution 3h  3h ago",
    ]


def test_hostile_names_do_nothing_to_the_terminal() -> None:
    """An assignee comes from a record: no control character, no second line, no line beyond 80 columns."""
    made = record(
        "22T08:00:00",
        "SEV2",
        assignments=[{"at": "2025-01-22T08:00:00Z", "to": "@x\x1b[31m\n" + "y" * 300}],
    )
    rules = load_policy("extends: sev0-3\nlevels:\n- id: SEV2\n  warn_at: 1m\n").policy
    assert rules is not None
    lines = to_text(clock_report([made], rules, NOW)).splitlines()
    assert all(line.isprintable() and len(line) <= 80 for line in lines)
    assert any("@x" in line for line in lines)


def test_an_item_and_a_retarget_are_named_in_json() -> None:
    found = json.loads(to_json(sample()))["clocks"]
    assert [one["item"] for one in found if one["clock"] == "action_item"] == ["AI-1", "AI-2"]
    assert {one["clock"] for one in found if one.get("breached_by_retarget")} == {"response"}
    assert all("item" not in one for one in found if one["clock"] != "action_item")
