"""close: verified, stood down, the postmortem final."""

from __future__ import annotations

import pytest

from incident_ops.edits.finish import close_incident
from incident_ops.errors import UserError
from tests.edits.scene import SEV, Page
from tests.edits.steps import go


def resolved(**changes: object) -> Page:
    page = Page(**changes)
    go(page, 20, "resolve")
    return page


def test_closed_with_its_instants() -> None:
    """R88, R89: verified and stood down are two instants."""
    page = resolved()
    page.take(30, lambda one, now: close_incident(one, SEV, now, "@a", verified=True, stood_down=True))
    times = page.incident.times
    assert {times.verified, times.stood_down, times.closed} == {"2025-01-26T12:35:00Z"}
    assert page.states[-2:] == ["resolved", "closed"]
    assert page.events[-1] == "Closed"


def test_unverified_and_without_postmortem_it_warns() -> None:
    """Both are said; nothing is held."""
    step = resolved(severity="SEV0").take(30, lambda one, now: close_incident(one, SEV, now, None))
    assert len(step.warnings) == 2
    assert "--verified" in step.warnings[0]
    assert "SEV0" in step.warnings[1]


@pytest.mark.parametrize(
    ("changes", "warns"),
    [
        ({"severity": "SEV0", "drill": True}, False),
        ({"severity": "SEV3"}, False),
        ({"severity": "SEV0", "postmortem": {"status": "review"}}, True),
        ({"severity": "SEV0", "postmortem": {"status": "final", "reviewers": ["@b"], "approved_by": "@c"}}, False),
    ],
)
def test_who_owes_a_postmortem(changes: dict[str, object], warns: bool) -> None:
    """By level, not for drills, and only a final one will do."""
    assert bool(go(resolved(**changes), 30, "close").warnings) is warns


@pytest.mark.parametrize("before", ["ack", "pause", "assign"])
def test_what_is_not_resolved_is_refused_with_the_way(before: str) -> None:
    """The way is spelled, the command named."""
    page = Page()
    go(page, 1, before)
    with pytest.raises(UserError) as told:
        go(page, 2, "close")
    assert "resolved -> closed" in told.value.hint
    assert "incident-ops resolve" in told.value.hint


def test_twice_changes_nothing() -> None:
    """The first closing counts."""
    page = resolved()
    go(page, 30, "close")
    assert go(page, 31, "close").edits == ()
