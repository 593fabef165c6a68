"""update: news, and a change of the level."""

from __future__ import annotations

import pytest

from incident_ops.domain.incident import Triage
from incident_ops.edits.communicate import TimelineEntry, add_entry, publish_update, relabel_all
from incident_ops.edits.finish import ResolutionFacts
from incident_ops.edits.triage import triage_incident
from incident_ops.errors import UserError
from tests.edits.scene import ITIL, SEV, Page
from tests.edits.steps import go


def test_one_entry_an_audience_each_with_its_timeline_entry() -> None:
    """Internal first; the status is the derived one."""
    page = Page()
    texts = {"public": "We look into it", "internal": "Two\nlines: yes"}
    page.take(1, lambda one, now: publish_update(one, now, "@a", texts, None, "30m"))
    assert [(one.audience, one.status, one.text, one.eta) for one in page.incident.updates] == [
        ("internal", "investigating", "Two\nlines: yes", "30m"),
        ("public", "investigating", "We look into it", "30m"),
    ]
    assert page.events == ["Update (internal): Two lines: yes", "Update (public): We look into it"]
    assert {one.kind for one in page.incident.timeline} == {"communication"}


def test_the_status_follows_the_record() -> None:
    """Restored means monitoring, resolved means resolved."""
    page = Page()
    page.take(1, lambda one, now: add_entry(one, now, None, TimelineEntry("back", marks=("restored",))))
    page.take(2, lambda one, now: publish_update(one, now, None, {"public": "back"}, None, None))
    go(page, 20, "resolve", ResolutionFacts(cause="deploy"))
    page.take(21, lambda one, now: publish_update(one, now, None, {"public": "over"}, None, None))
    assert [one.status for one in page.incident.updates] == ["monitoring", "resolved"]


def test_a_long_text_is_whole_in_updates_and_short_in_the_timeline() -> None:
    """The timeline is to be read at a glance."""
    page = Page()
    page.take(1, lambda one, now: publish_update(one, now, None, {"internal": "x" * 5000}, None, None))
    assert len(page.incident.updates[0].text) == 5000
    assert len(page.events[0]) < 160


def test_the_level_s_history_is_kept() -> None:
    """R25: from, to, who, why; and the record's own label."""
    page = Page()
    page.take(1, lambda one, now: relabel_all(one, SEV, now, "@a", {"severity": "SEV0"}, None))
    page.take(2, lambda one, now: relabel_all(one, SEV, now, "@a", {"severity": "SEV2"}, "only one region"))
    assert page.incident.severity == "SEV2"
    assert [(one.old, one.new, one.by, one.reason) for one in page.incident.changes] == [
        ("SEV1", "SEV0", "@a", None),
        ("SEV0", "SEV2", "@a", "only one region"),
    ]
    assert page.events == ["Severity raised from SEV1 to SEV0", "Severity lowered from SEV0 to SEV2"]


def test_lowered_needs_a_reason() -> None:
    """And the option is named."""
    with pytest.raises(UserError) as told:
        Page().take(1, lambda one, now: relabel_all(one, SEV, now, None, {"severity": "SEV3"}, None))
    assert "--reason" in told.value.hint


@pytest.mark.parametrize(("field", "label"), [("severity", "SEV-1"), ("priority", "P1"), ("severity", "sev0")])
def test_a_foreign_label_is_refused(field: str, label: str) -> None:
    """No alias, no other field."""
    with pytest.raises(UserError):
        Page().take(1, lambda one, now: relabel_all(one, SEV, now, None, {field: label}, "why"))


def test_a_ticket_becomes_a_major_incident() -> None:
    """In the scheme with two scales a first severity has no label before it, and counts from its entry on."""
    page = Page(judge=ITIL, severity=None, priority="P1")
    page.take(1, lambda one, now: relabel_all(one, ITIL, now, None, {"severity": "SEV-1"}, None))
    page.take(2, lambda one, now: relabel_all(one, ITIL, now, None, {"severity": "SEV-2"}, "less"))
    assert page.incident.severity == "SEV-2"
    assert [(one.old, one.new) for one in page.incident.changes] == [(None, "SEV-1"), ("SEV-1", "SEV-2")]
    assert page.events[0] == "Major incident SEV-1 declared"


def test_a_severity_beside_a_priority_can_be_taken_away() -> None:
    """With a reason; what was given stays in the history."""
    page = Page(judge=ITIL, severity="SEV-1", priority="P1")
    with pytest.raises(UserError) as refused:
        page.take(1, lambda one, now: relabel_all(one, ITIL, now, None, {"severity": "none"}, None))
    assert "--reason" in refused.value.hint
    page.take(2, lambda one, now: relabel_all(one, ITIL, now, None, {"severity": "none"}, "the wrong incident"))
    assert (page.incident.severity, page.incident.changes[0].new) == (None, None)
    with pytest.raises(UserError, match="cannot be taken away"):
        page.take(3, lambda one, now: relabel_all(one, ITIL, now, None, {"priority": "none"}, "x"))


def test_the_same_label_changes_nothing() -> None:
    """No empty history."""
    assert Page().take(1, lambda one, now: relabel_all(one, SEV, now, None, {"severity": "SEV1"}, None)).edits == ()


def test_two_labels_that_get_worse_end_a_snooze_once() -> None:
    """One edit, one message; by the labels themselves, or by answers."""
    snooze = {"until": "2025-01-26T18:05:00Z", "by": "@a", "reason": "later"}
    labels = {"priority": "P1", "severity": "SEV-1"}
    answers = Triage(users_percent=100, feature="core")
    doors = (
        lambda one, now: relabel_all(one, ITIL, now, None, labels, None),
        lambda one, now: triage_incident(one, ITIL, now, None, answers, None),
    )
    for door in doors:
        page = Page(judge=ITIL, severity=None, priority="P3", snooze=snooze)
        step = page.take(1, door)
        assert [one.route for one in step.edits if one.route[0] == "snooze"] == [("snooze", "until")]
        assert sum("it got worse" in line for line in step.messages) == 1
        assert page.incident.snooze is not None
        assert page.incident.snooze.until == "2025-01-26T12:06:00Z"
