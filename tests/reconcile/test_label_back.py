"""The label that brings a closed incident back: what is said where nobody who counts set it."""

from __future__ import annotations

import pytest

from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.people import Acts, ignored_label
from incident_ops.reconcile.plan import make_plan
from tests.reconcile.builders import record, run, wanted
from tests.support.memory_tracker import MemoryTracker

AT, LABEL = "2025-02-28T12:00:00Z", "came-back"


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("bob", []),
        ("mallory", ["is not an owner"]),
        ("renovate[bot]", ["only what people do counts"]),
        ("github-actions[bot]", ["only what people do counts"]),
    ],
)
def test_a_label_that_brings_nothing_back_is_said_on_the_issue(by: str, said: list[str]) -> None:
    records, tracker = [record(1)], MemoryTracker(can_be_assigned={"alice", "bob"})
    run(make_plan(wanted(records), observe(tracker, wanted(records))), tracker)
    tracker.label_by(by, 1, LABEL, AT)
    asked = wanted(records)
    issue = asked.issues["INC-1"]._replace(back_by=LABEL)
    seen = observe(tracker, asked._replace(issues={"INC-1": issue}))
    kept = ignored_label(issue, tracker.issues[1], Acts(seen, asked.identities)).kept
    assert len(kept) == len(said)
    for one, why in zip(kept, said, strict=True):
        assert one.said.startswith(f"@{by} set the label {LABEL}, but ")
        assert why in one.said
        assert one.said.endswith("`incident-ops reopen INC-1` brings it back.")
