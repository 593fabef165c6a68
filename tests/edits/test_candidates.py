"""A command takes an incident for the one that is meant exactly where it is legal, whatever came before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_ops.app.which_incident import (
    is_active,
    is_any,
    is_not_waiting,
    is_resolved,
    is_unacknowledged,
    is_waiting,
)
from incident_ops.domain.incident import Incident
from incident_ops.errors import UserError
from tests.edits.scene import Page
from tests.edits.steps import go

VERBS: dict[str, Callable[[Incident], bool]] = {
    "ack": is_unacknowledged,
    "resolve": is_active,
    "close": is_resolved,
    "pause": is_not_waiting,
    "end": is_waiting,
    "assign": is_any,
    "withdraw": is_any,
}


def does_something(page: Page, verb: str, minutes: int) -> bool:
    """True where the command changes the record: it is neither refused nor said already. The page stays as it is."""
    copy = Page()
    copy.text = page.text
    try:
        return bool(go(copy, minutes, verb).edits)
    except UserError:
        return False


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["ack", "assign", "resolve", "close", "reopen", "pause", "end"]), max_size=6))
def test_a_candidate_is_one_for_which_the_command_is_legal(course: list[str]) -> None:
    """And no open incident for which it is legal is left out."""
    page = Page()
    for minute, step in enumerate(course, 1):
        with suppress(UserError):
            go(page, minute, step)
    if page.incident.is_closed:
        return
    for verb in ("ack", "resolve", "close", "pause", "end", "withdraw"):
        fits = VERBS[verb](page.incident)
        assert does_something(page, verb, 10) == fits, (verb, page.incident.state)


@pytest.mark.parametrize("state", ["new", "resolved", "pending"])
def test_people_can_be_named_in_every_open_state(state: str) -> None:
    page = Page()
    for step in {"new": (), "resolved": ("resolve",), "pending": ("pause",)}[state]:
        go(page, 1, step)
    assert VERBS["assign"](page.incident)
    assert does_something(page, "assign", 10)
