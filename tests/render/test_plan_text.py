"""A plan as people and programs read it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from incident_ops.domain.record import Unread
from incident_ops.domain.tracker import Issue
from incident_ops.reconcile.plan import Plan
from incident_ops.render.plan import plan_json, plan_text
from incident_ops.render.text import DEFAULT_WIDTH
from tests.reconcile.builders import Forgetful, item, plan_for, plan_from, record, sync
from tests.support.golden import assert_golden

GOLDEN = Path(__file__).parent / "golden/plan.txt"


def sample() -> Plan:
    """A plan with one of everything."""
    tracker = Forgetful()
    sync([record(1, item(1), item(2), item(3)), record(2), record(3), record(5), record(6)], tracker)
    sync([record(6, state="closed")], tracker)
    tracker.edit(4, state="closed")
    twin: Issue = tracker.issues[5]
    tracker.issues[9] = msgspec.structs.replace(twin, number=9, title="copy")
    records = [
        record(1, item(1, "done"), item(2, "wont_do"), item(3), severity="SEV0"),
        record(2, state="resolved"),
        record(4, item(1, title="Write a load test that covers at least twice the traffic of the last peak day")),
        record(6, state="reopened"),
        *(record(number, item(1, "done"), state="closed") for number in range(10, 16)),
    ]
    return plan_for(
        records, tracker, [Unread("incidents/INC-3/incident.yaml", "line 7, column 3: this quote is never closed")]
    )


def test_the_text_is_the_golden_one() -> None:
    """A reviewer sees what, where and why, the worst first."""
    assert_golden(GOLDEN, plan_text(sample()))


def test_no_line_is_wider_than_a_terminal() -> None:
    """Everything fits 80 columns."""
    assert max(len(line) for line in plan_text(sample()).splitlines()) <= DEFAULT_WIDTH


def test_nothing_to_do_is_one_line() -> None:
    """An empty plan says so and shows no checksum."""
    assert plan_text(plan_from([], [])) == "Nothing to do: the tracker matches the records.\n"


def test_the_json_has_the_shape_of_the_contract() -> None:
    """Keys as in docs/contract.md#json; `unread` only where something was, `was` where the old is known."""
    data = json.loads(plan_json(sample()))
    assert list(data) == ["schema", "checksum", "changes", "kept", "unread"]
    keys = ("action", "kind", "key", "number", "reason", "fields")
    assert {tuple(change) for change in data["changes"]} == {keys, (*keys, "was")}
    closed = next(change for change in data["changes"] if change["action"] == "close")
    assert closed["was"] == {"state": "open"}
    assert list(json.loads(plan_json(plan_from([], [])))) == [
        "schema",
        "checksum",
        "changes",
        "kept",
    ]


def test_the_same_plan_gives_the_same_bytes() -> None:
    """Two runs over the same inputs differ in nothing."""
    assert plan_json(sample()) == plan_json(sample())
