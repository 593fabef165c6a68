"""Which issues records ask for."""

from __future__ import annotations

import pytest

from incident_ops.documents.issue_bodies import IssueBodies
from incident_ops.reconcile.desired import desired_issues
from tests.reconcile.builders import NOW, POLICY, item, record


def wanted(*records):
    return desired_issues(records, POLICY, IssueBodies(records, POLICY, NOW), NOW)


def test_an_incident_and_each_item_ask_for_one_issue() -> None:
    """Keys, labels and assignees follow from the record."""
    issues = wanted(record(1, item(1), item(2, "in_progress", owner="@org/team", priority="P1"))).issues
    assert list(issues) == ["INC-1", "INC-1/AI-1", "INC-1/AI-2"]
    assert [one.labels for one in issues.values()] == [
        ("incident", "SEV1", "state:in-progress"),
        ("action-item",),
        ("action-item", "priority:P1"),
    ]
    assert [one.assignees for one in issues.values()] == [("alice",), ("bob",), ()]


@pytest.mark.parametrize(
    ("state", "status", "incident_ends", "item_ends"),
    [
        ("closed", "done", "completed", "completed"),
        ("closed", "wont_do", "completed", "not_planned"),
        ("closed", "open", None, None),
        ("resolved", "done", None, "completed"),
    ],
)
def test_what_is_over_is_to_be_closed(
    state: str, status: str, incident_ends: str | None, item_ends: str | None
) -> None:
    """A tracking issue ends with the incident and its last item, an item's issue with the item."""
    issues = wanted(record(1, item(1, status), state=state)).issues
    assert (issues["INC-1"].closed_as, issues["INC-1/AI-1"].closed_as) == (incident_ends, item_ends)


def test_the_worst_and_oldest_come_first() -> None:
    """Severity, then age, then the tracking issue before its items in their order."""
    records = [record(3, severity="SEV2"), record(2, item(2), item(10)), record(1), record(9, severity="SEV0")]
    assert list(wanted(*records).issues) == ["INC-9", "INC-1", "INC-2", "INC-2/AI-2", "INC-2/AI-10", "INC-3"]


def test_a_key_claimed_twice_belongs_to_nobody() -> None:
    """Neither of two records with one id decides about its issues; nor does either of two items."""
    made = wanted(record(1, item(1)), record(1, item(2)), record(2, item(1), item(1)))
    assert list(made.issues) == ["INC-2"]
    assert made.clashes == {"INC-1", "INC-2/AI-1"}


def test_a_title_pings_nobody_and_is_not_too_long() -> None:
    """A title is one line, at most 250 characters, without a live mention or number."""
    title = wanted(record(1, title="@everyone fixes #1 " + "x" * 300)).issues["INC-1"].title
    assert title.startswith("INC-1: @\u200beveryone fixes #\u200b1 ")
    assert len(title) <= 250
    hidden = wanted(record(1, title="GH-9 https://e.x\x02 \u202e\x1b[31m ok")).issues["INC-1"].title
    assert hidden == "INC-1: GH-\u200b9 https:/\u200b/e.x [31m ok"
