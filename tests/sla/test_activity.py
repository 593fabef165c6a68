"""What counts as something a person did, and what as an answer."""

from __future__ import annotations

import pytest

from incident_ops.domain.as_of import as_of
from incident_ops.domain.automation import is_automation
from incident_ops.domain.tracker import Issue, Snapshot
from incident_ops.sla.activity import activity, answers, seen_of
from tests.sla.escalating import ITIL, at, comment, incident, moved, note, text


@pytest.mark.parametrize("by", ["incident-ops", "@incident-ops", "github-actions[bot]", "renovate[bot]"])
def test_the_automation_never_counts(by: str) -> None:
    """Its lines, its changes and its comments keep nobody's silence from being seen."""
    record = incident(timeline=[note("1h", by)], changes=[moved("2h", "new", "triaged", by)])
    assert is_automation(by, ITIL)
    assert activity(as_of(record, at("5h")), ITIL, [comment("3h", by=by), comment("4h", is_bot=True)]) == ()


def test_everything_people_do_counts() -> None:
    """Timeline, updates, changes, corrections, assignments, milestones, comments; nothing from after now."""
    record = incident(
        {"acknowledged": "10m", "mitigated": "70m", "restored": "unknown"},
        timeline=[note("20m"), note("30m", None), note("9h")],
        updates=[{"at": text("40m"), "audience": "internal", "status": "investigating", "text": "x"}],
        changes=[moved("50m", "new", "triaged")],
        assignments=[{"at": text("1h"), "to": "@ann"}],
        corrections=[
            {
                "at": text("80m"),
                "field": "times.restored",
                "from": "unknown",
                "to": text("75m"),
                "by": "@ann",
                "reason": "x",
            }
        ],
    )
    spans = ("10m", "20m", "30m", "40m", "50m", "1h", "70m", "75m", "80m", "90m")
    assert activity(as_of(record, at("2h")), ITIL, [comment("90m")]) == tuple(map(at, spans))


def test_a_remark_is_no_answer() -> None:
    """A comment or a note of the timeline must not stop a page; taking, assigning and moving it does."""
    record = incident(
        {"acknowledged": "10m"},
        timeline=[note("20m")],
        changes=[moved("0s", "new", "triaged"), moved("30m", "triaged", "assigned")],
        assignments=[{"at": text("40m"), "to": "@ann"}],
    )
    assert answers(as_of(record, at("2h")), ITIL) == (at("10m"), at("30m"), at("40m"))


def test_an_incident_sees_the_comments_of_its_own_issue() -> None:
    """By the number that is given, else that in the record, else the key the tracker keeps."""
    named = incident(links={"tracking_issue": 7})
    snapshot = Snapshot(comments=(comment("1h"), comment("2h")), issues=(Issue(7, "t", "b", key="INC-1"),))
    assert len(seen_of(named, snapshot, {7}).comments) == 2
    assert seen_of(named, snapshot, {7}).reopened
    assert len(seen_of(incident(), snapshot).comments) == 2
    assert seen_of(incident(links={"tracking_issue": 8}), snapshot, {7}) == ((), False, None)
    assert seen_of(incident(links={"tracking_issue": 8}), snapshot, {7}, 7).reopened
    assert seen_of(named, None) == ((), False, None)
