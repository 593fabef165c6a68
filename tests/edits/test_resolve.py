"""resolve: service is back, the cause is named."""

from __future__ import annotations

import pytest

from incident_ops.edits.finish import ResolutionFacts, missing_for_resolution
from incident_ops.errors import UserError
from tests.edits.scene import Page, policy
from tests.edits.steps import go


@pytest.mark.parametrize(
    ("before", "path"),
    [
        ([], ["new", "triaged", "assigned", "in_progress", "resolved"]),
        (["assign"], ["new", "triaged", "assigned", "in_progress", "resolved"]),
        (["ack"], ["new", "triaged", "assigned", "in_progress", "resolved"]),
        (["ack", "pause"], ["new", "triaged", "assigned", "in_progress", "pending", "in_progress", "resolved"]),
    ],
)
def test_every_step_skipped_is_spelled(before: list[str], path: list[str]) -> None:
    """And a pause that is open ends."""
    page = Page()
    for minute, name in enumerate(before):
        go(page, minute, name)
    go(page, 20, "resolve")
    incident = page.incident
    assert page.states == path
    assert incident.state == "resolved"
    assert incident.times.resolved == "2025-01-26T12:25:00Z"
    assert incident.times.acknowledged is not None
    assert all(pause.end == "2025-01-26T12:25:00Z" for pause in incident.pauses)
    assert page.events[-1] == "Resolved"


def test_what_was_never_said_is_asked_for() -> None:
    """Both options by name; unknown is an answer to both."""
    page = Page()
    with pytest.raises(UserError) as told:
        go(page, 20, "resolve", ResolutionFacts())
    assert "--restored and --cause" in told.value.message
    assert missing_for_resolution(page.incident, ResolutionFacts(cause="deploy")) == ("restored",)
    go(page, 20, "resolve", ResolutionFacts("unknown", "unknown"))
    assert (page.incident.times.restored, page.incident.state) == ("unknown", "resolved")


def test_the_cause_keeps_what_it_had() -> None:
    """Only what is said is written."""
    page = Page(cause={"category": "unknown", "where": "auth"})
    go(page, 20, "resolve", ResolutionFacts("2025-01-26T12:10:00Z", "deploy", "a: b", "- c"))
    cause = page.incident.cause
    assert cause is not None
    assert (cause.category, cause.what, cause.why, cause.where) == ("deploy", "a: b", "- c", "auth")


@pytest.mark.parametrize(("minutes", "warns"), [(9.9, True), (10, False), (60, False)])
def test_too_early_is_a_warning(minutes: float, warns: bool) -> None:
    """R87: ten minutes without an error, else it is told."""
    page = Page()
    assert bool(go(page, minutes, "resolve").warnings) is warns


def test_a_policy_without_that_time_does_not_warn() -> None:
    """stable_for: null."""
    page = Page(judge=policy("extends: sev0-3\nstates: {stable_for: null}\n"))
    assert go(page, 0, "resolve").warnings == ()


def test_a_second_cycle_has_instants_of_its_own() -> None:
    """times stays the first cycle; the cause is known already."""
    page = Page()
    go(page, 20, "resolve")
    go(page, 30, "reopen")
    go(page, 50, "resolve", ResolutionFacts("2025-01-26T12:45:00Z"))
    incident = page.incident
    assert (incident.cycles[0].restored, incident.cycles[0].resolved) == (
        "2025-01-26T12:45:00Z",
        "2025-01-26T12:55:00Z",
    )
    assert (incident.times.restored, incident.times.resolved) == ("2025-01-26T12:05:00Z", "2025-01-26T12:25:00Z")


def test_twice_changes_nothing_and_closed_is_refused() -> None:
    """The hint names reopen."""
    page = Page()
    go(page, 20, "resolve")
    assert go(page, 21, "resolve").edits == ()
    go(page, 22, "close")
    with pytest.raises(UserError) as told:
        go(page, 23, "resolve")
    assert "reopen" in told.value.hint


def test_an_instant_that_is_there_is_not_overwritten() -> None:
    """Another restored than the record's is refused."""
    page = Page(times={"declared": "2025-01-26T12:05:00Z", "restored": "2025-01-26T12:05:00Z"})
    with pytest.raises(UserError, match="already"):
        go(page, 20, "resolve", ResolutionFacts("2025-01-26T12:11:00Z", "deploy"))
