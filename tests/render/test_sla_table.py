"""The clocks as people and programs read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.model.unread import Unread
from incident_ops.records.policy import load_policy
from incident_ops.render.sla import rows, to_json, to_text
from incident_ops.sla.clocks import Report, report

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2025, 1, 22, 14, 0, tzinfo=UTC)
LOST = Unread("incidents/INC-9/incident.yaml", "incidents/INC-9/incident.yaml: line 3: not YAML")


def policy() -> Policy:
    loaded = load_policy("extends: sev0-3\nlevels:\n- id: SEV2\n  warn_at: 75%\n")
    assert loaded.policy is not None
    return loaded.policy


def record(day_and_time: str, severity: str, times: dict[str, str] | None = None, **fields: Any) -> Record:
    stamp = f"2025-01-{day_and_time}Z"
    name = "INC-" + stamp.rstrip("Z").replace("-", "").replace(":", "").replace("T", "-")
    given = {"id": name, "title": "t", "services": ["auth"], "state": "new", "severity": severity, **fields}
    given["times"] = {"declared": stamp, **(times or {})}
    return Record(f"incidents/{name}/incident.yaml", msgspec.convert(given, Incident), given)


def sample() -> Report:
    acknowledged = "2025-01-22T13:05:00Z"
    return report(
        [
            record("22T13:01:00", "SEV0"),
            record("21T18:00:00", "SEV2", {"acknowledged": "2025-01-21T18:10:00Z"}, state="in_progress"),
            record(
                "22T13:00:00",
                "SEV1",
                {"acknowledged": acknowledged, "resolved": "2025-01-22T13:40:00Z"},
                state="resolved",
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
        ],
        policy(),
        NOW,
        [LOST],
    )


@pytest.mark.parametrize(
    ("name", "text"), [("sla_check.txt", to_text(sample())), ("sla_check.json", to_json(sample()))]
)
def test_the_output_is_the_one_that_was_approved(name: str, text: str) -> None:
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_table_fits_80_columns() -> None:
    assert max(map(len, to_text(sample()).splitlines())) <= 80


def test_the_most_urgent_comes_first() -> None:
    words = [row.status for row in rows(sample())]
    assert words[:2] == ["breached", "breached"]
    assert words == sorted(
        words, key=["breached", "at risk", "ok", "paused", "no due", "missed", "met", "cancelled"].index
    )


def test_a_style_sees_each_line_with_its_word() -> None:
    seen: list[str] = []
    to_text(sample(), lambda word, line: (seen.append(word), line)[1])
    assert seen == [row.status for row in rows(sample())]


def test_json_has_the_fields_of_the_contract_in_their_order() -> None:
    data = json.loads(to_json(sample(), lag_seconds=7))
    assert list(data) == ["schema", "at", "lag_seconds", "clocks", "obligations", "unread"]
    assert (data["schema"], data["at"], data["lag_seconds"], data["obligations"]) == (1, "2025-01-22T14:00:00Z", 7, [])
    times = ["start", "due", "state", "risk", "elapsed_seconds", "remaining_seconds", "paused_seconds", "stopped_at"]
    assert list(data["clocks"][0]) == ["incident", "clock", "cycle", "level", *times]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert to_json(sample()) == to_json(sample())


def test_nothing_to_list_is_said() -> None:
    empty = Report(NOW, ())
    assert to_text(empty) == "Clocks at 2025-01-22 14:00 UTC\nno clock runs\n"
    assert "unread" not in json.loads(to_json(empty))
