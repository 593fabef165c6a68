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


@pytest.mark.parametrize(
    ("word", "role"),
    [("ic", "commander"), ("IC", "commander"), ("tl", "technical_lead"), ("Tech Lead", "technical_lead"),
     ("comms", "communications_lead"), ("incident commander", "commander")],
)  # fmt: skip
def test_the_words_that_people_use(word: str, role: str) -> None:
    """The commander is then not still missing."""
    page = Page()
    step = page.take(1, lambda one, now: assign_role(one, now, None, word, "@a"))
    assert getattr(page.incident.roles, role) == "@a"
    assert step.messages == (f"@a is now {role.replace('_', ' ')}",)


@pytest.mark.parametrize(
    ("word", "meant"), [("comander", "commander"), ("technical-led", "technical_lead"), ("scrib", "scribe")]
)
def test_a_misspelled_role_is_refused(word: str, meant: str) -> None:
    """It would be a role of its own, and the real one would stay empty."""
    with pytest.raises(UserError) as told:
        Page().take(1, lambda one, now: assign_role(one, now, None, word, "@a"))
    assert told.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize("word", ["customer_lead", "deputy_commander", "support_lead", "dba"])
def test_a_role_of_its_own_is_no_slip(word: str) -> None:
    page = Page()
    page.take(1, lambda one, now: assign_role(one, now, None, word, "@a"))
    assert page.incident.roles.others == {word: "@a"}


def test_a_role_is_taken_back() -> None:
    """One of the four, one of your own, the last one; once."""
    page = Page()
    for role in ("commander", "scribe", "database"):
        page.take(1, lambda one, now, role=role: assign_role(one, now, None, role, "@a"))
    step = page.take(2, lambda one, now: assign_role(one, now, "@a", "ic", "-"))
    assert step.messages == ("@a is no longer commander",)
    assert page.events[-1] == "@a is no longer commander"
    assert (page.incident.roles.commander, page.incident.roles.scribe) == (None, "@a")
    page.take(3, lambda one, now: assign_role(one, now, None, "database", "-"))
    assert page.incident.roles.others == {}
    page.take(4, lambda one, now: assign_role(one, now, None, "scribe", "-"))
    assert page.incident.roles.scribe is None
    assert page.take(5, lambda one, now: assign_role(one, now, None, "scribe", "-")).edits == ()


@pytest.mark.parametrize("who", ["commander", "ic", "Technical Lead", "scribe"])
def test_a_role_is_nobody(who: str) -> None:
    """`assign commander 1303` forgot who: nobody is called commander."""
    for assign in (
        lambda one, now: assign_incident(one, SEV, now, "@a", who, None),
        lambda one, now: assign_role(one, now, "@a", "database", who),
    ):
        with pytest.raises(UserError, match="is a role: who is to have it"):
            Page().take(1, assign)


def test_nobody_cannot_work_on_it() -> None:
    with pytest.raises(UserError, match="takes a role back"):
        Page().take(1, lambda one, now: assign_incident(one, SEV, now, "@a", "-", None))
