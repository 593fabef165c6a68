"""assign: roles, and who works on it."""

from __future__ import annotations

import pytest

from incident_ops.edits.respond import assign_incident, assign_role
from incident_ops.errors import UserError
from tests.edits.scene import SEV, Page
from tests.edits.steps import go


def test_assigning_moves_to_assigned_and_is_told() -> None:
    """New goes by way of triaged."""
    page = Page()
    go(page, 1, "assign")
    assert page.states == ["new", "triaged", "assigned"]
    assert page.incident.assignments[0].to == "@b"
    assert page.events == ["Assigned to @b"]


def test_a_higher_tier_is_an_escalation_and_moves_nothing() -> None:
    """R248: escalate to tier 2."""
    page = Page()
    go(page, 1, "ack")
    page.take(2, lambda one, now: assign_incident(one, SEV, now, "@a", "@c", 2))
    assert page.incident.state == "in_progress"
    assert page.incident.assignments[-1].tier == 2
    assert (page.incident.timeline[-1].kind, page.events[-1]) == ("escalation", "Escalated to tier 2: @c")


def test_the_same_again_changes_nothing() -> None:
    """Reassignments are counted: a repetition is none."""
    page = Page()
    go(page, 1, "assign")
    assert go(page, 2, "assign").edits == ()


def test_closed_is_refused_but_a_role_is_not() -> None:
    """Nobody works on what is closed; a role can be put right."""
    page = Page()
    go(page, 1, "withdraw")
    with pytest.raises(UserError) as told:
        go(page, 2, "assign")
    assert "reopen" in told.value.hint
    page.take(2, lambda one, now: assign_role(one, now, None, "commander", "@a"))
    assert page.incident.roles.commander == "@a"


@pytest.mark.parametrize("role", ["commander", "technical-lead", "Communications Lead", "scribe"])
def test_the_four_roles(role: str) -> None:
    """However they are typed."""
    page = Page()
    page.take(1, lambda one, now: assign_role(one, now, None, role, "@a"))
    assert getattr(page.incident.roles, role.lower().replace("-", "_").replace(" ", "_")) == "@a"
    assert page.events[0].startswith("@a is now ")


def test_a_role_of_your_own_and_a_handover() -> None:
    """Others go to roles.others; the one before is told."""
    page = Page()
    page.take(1, lambda one, now: assign_role(one, now, None, "database", "@a"))
    step = page.take(2, lambda one, now: assign_role(one, now, None, "database", "@b"))
    assert page.incident.roles.others == {"database": "@b"}
    assert step.messages == ("@b is now database, taking over from @a",)
    assert page.take(3, lambda one, now: assign_role(one, now, None, "database", "@b")).edits == ()


@pytest.mark.parametrize("role", ["", "1st", "others", "a: b", "x" * 80])
def test_what_is_no_role_is_refused(role: str) -> None:
    """The hint names the four."""
    with pytest.raises(UserError) as told:
        Page().take(1, lambda one, now: assign_role(one, now, None, role, "@a"))
    assert "technical_lead" in told.value.hint
