"""Any legal sequence of steps leaves a record without an error, and a diff that shows only what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import path_faults
from incident_ops.domain.record import Set
from incident_ops.domain.time import stamp
from incident_ops.edits.action_items import NewItem, add_item, drop_item, edit_item, finish_item, start_item
from incident_ops.edits.communicate import (
    AUDIENCES,
    TIMELINE_KINDS,
    TimelineEntry,
    add_entry,
    publish_update,
    relabel_all,
)
from incident_ops.edits.finish import (
    ResolutionFacts,
    close_incident,
    reopen_incident,
    resolve_incident,
    withdraw_incident,
)
from incident_ops.edits.respond import ROLES, acknowledge, assign_incident, assign_role, end_pause, pause_incident
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from tests.edits.scene import ITIL, SEV, Page, after
from tests.support.laws import law

EXAMPLES, SAMPLE = 2_000, 40
TEXT = st.text(st.sampled_from(list("ab :#-{}[]'\"\n\t!&*|>%@`,?é🔥")), min_size=1, max_size=30).filter(str.strip)
LINE = TEXT.map(lambda text: " ".join(text.split()))
WHO = st.sampled_from(["@a", "@b", "@org/team", "QA team"])
Door = Callable[[Incident, datetime], Step]

# a commented record as a person would have left it: flow style, an empty list, odd quotes
BY_HAND = """\
# kept by hand
id: INC-1   # the first
title: 'Login: fails'
severity: SEV1  # by the on-call
state: new
services: [api]  # only one
times: {declared: 2025-01-26T12:05:00Z}
timeline: []  # empty yet
# the rest is to come
tags: [a, 'b']
"""


@st.composite
def doors(draw: st.DrawFn, judge: Any) -> Door:
    """One door with its answers; many are not legal where they are tried."""
    by = draw(st.none() | WHO)
    text, line, who = draw(TEXT), draw(LINE), draw(WHO)
    restored = st.sampled_from(["unknown", "now"])
    label = draw(st.sampled_from(judge.labels))
    number = f"AI-{draw(st.integers(1, 4))}"

    def resolving(one: Incident, now: datetime) -> Step:
        given = ResolutionFacts(back if back == "unknown" else stamp(now), "deploy", text, None)
        return resolve_incident(one, judge, now, by, given)

    back = draw(restored)
    return draw(
        st.sampled_from(
            [
                lambda one, now: acknowledge(one, judge, now, by),
                lambda one, now: assign_incident(one, judge, now, by, who, 2),
                lambda one, now: assign_role(one, now, by, ROLES[0], who),
                lambda one, now: assign_role(one, now, by, "database", who),
                lambda one, now: publish_update(one, now, by, dict.fromkeys(AUDIENCES[:2], text), None, "unknown"),
                lambda one, now: relabel_all(one, judge, now, by, {judge.drives: label}, text),
                lambda one, now: add_entry(one, now, by, TimelineEntry(text, TIMELINE_KINDS[5], line, text)),
                lambda one, now: add_entry(one, now, by, TimelineEntry(text, marks=("restored",))),
                lambda one, now: add_item(one, judge, now, NewItem(line, who, "2025-02-01", "P1")),
                lambda one, now: edit_item(one, judge, now, by, number, {"due": "2025-02-15", "owner": who}, text),
                lambda one, now: edit_item(one, judge, now, by, number, {"owner": "-", "title": line}),
                lambda one, now: start_item(one, number),
                lambda one, now: finish_item(one, now, by, number, text, None),
                lambda one, now: drop_item(one, number, text),
                resolving,
                resolving,
                lambda one, now: close_incident(one, judge, now, by, verified=True, stood_down=True),
                lambda one, now: close_incident(one, judge, now, by),
                lambda one, now: reopen_incident(one, judge, now, by, text),
                lambda one, now: pause_incident(one, judge, now, by, "vendor", text),
                lambda one, now: end_pause(one, judge, now, by),
                lambda one, now: withdraw_incident(one, judge, now, by, "false_alarm", text, None),
            ]
        )
    )


def walk(page: Page, steps: list[Door]) -> int:
    """Takes every step that is legal -> how many were."""
    legal = 0
    for minute, door in enumerate(steps):
        before = page.text
        try:
            step = page.take(minute, door)
        except UserError:
            assert page.text == before
            page.now = after(minute)
            continue
        legal += bool(step.edits)
        incident = page.incident
        assert path_faults(incident.changes, incident.state, incident.outcome, page.policy.states.moves) == []
        sets = sum(isinstance(one, Set) for one in step.edits)
        only_meant(before, page.text, sets)
    return legal


def only_meant(before: str, now: str, sets: int) -> None:
    """At most a line for each value that was set, and the opening of a list, is taken away; the rest is added."""
    old, new = before.splitlines(), now.splitlines()
    gone = old[:]
    for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        gone[block.a : block.a + block.size] = [""] * block.size
    gone = [line for line in gone if line.strip()]
    assert len(gone) <= sets + 2, gone
    kept = [comment for line in before.splitlines() for comment in [line.partition("  # ")[2]] if comment]
    assert all(f"# {comment}" in now for comment in kept)


@law("lives of incidents", whole=EXAMPLES, sample=SAMPLE)
@given(st.lists(doors(SEV), min_size=1, max_size=15), st.sampled_from([None, BY_HAND]))
def test_any_legal_life_is_a_valid_record(steps: list[Door], text: str | None) -> None:
    """Schema and rules find no error after any step, and no step takes away what it did not mean to."""
    walk(Page(text), steps)


@law("lives of incidents", whole=EXAMPLES // 4, sample=SAMPLE // 4)
@given(st.lists(doors(ITIL), min_size=1, max_size=15))
def test_so_it_is_where_priorities_rule(steps: list[Door]) -> None:
    """The same in the scheme with two scales."""
    walk(Page(judge=ITIL, severity=None, priority="P2"), steps)


def test_the_walk_gets_somewhere() -> None:
    """The property above is not empty: a plain life is all legal, and the tail of it is refused."""
    life: list[Door] = [
        lambda one, now: acknowledge(one, SEV, now, "@a"),
        lambda one, now: resolve_incident(one, SEV, now, None, ResolutionFacts(stamp(now), "deploy")),
        lambda one, now: close_incident(one, SEV, now, None, verified=True),
        lambda one, now: acknowledge(one, SEV, now, "@a"),
    ]
    assert walk(Page(), life) == 3
