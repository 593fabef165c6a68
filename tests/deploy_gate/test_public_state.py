"""gate.json: it says what the records say, nothing internal, and it is trusted only while it is current."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.deploy_gate.check import DeployFacts, DeployRequest
from incident_ops.deploy_gate.public_state import (
    PublicState,
    parse_state,
    public_state,
    to_json,
    verdict_of_state,
    why_not_current,
    why_replaced,
)
from incident_ops.domain.policy import REQUEST_BUDGET, Objective
from incident_ops.domain.record import Unread
from incident_ops.errors import Incomplete, UserError
from tests.deploy_gate.asking import NOW, SHA, ask, change, freeze, known, outcome, override, policy, record

REVISION = "a" * 40


def published(there: DeployFacts) -> PublicState:
    """What a reader gets."""
    return parse_state(to_json(public_state({"auth": there}, REVISION, NOW)), "gate.json")


def answer(state: PublicState, now: datetime = NOW, **words: Any) -> tuple[str, str, int]:
    return outcome(
        verdict_of_state(state, DeployRequest(**{"service": "auth", "environment": "production", "now": now, **words}))
    )


HOURS = policy("gate: {deploy_calendar: business, budget: hold}\n")
RUNNING = record(severity="SEV3", times={"declared": "2025-01-22T12:40:00Z", "started": "2025-01-22T12:40:00Z"})
SCENES = {
    "nothing": known(),
    "incident": known(record()),
    "needed": known(record(services=["database"])),
    "restricted": known(record(visibility="restricted")),
    "window": known(maintenance=change()),
    "freeze": known(freezes=freeze(until="2025-01-22T15:00:00Z")),
    "canary": known(freezes=freeze(environments=["production-canary"])),
    "later": known(freezes=freeze(**{"from": "2025-01-22T15:00:00Z"})),
    "hours": known(rules=HOURS),
    "budget": known(rules=HOURS, objective=Objective(99.9, 30 * 86_400), past=[RUNNING]),
    "requests": known(rules=HOURS, objective=Objective(99.9, 30 * 86_400, REQUEST_BUDGET), past=[RUNNING]),
    "unread": known(unread=[Unread("incidents/INC-9/incident.yaml", "secret words")]),
    "override": known(record(), freezes=override()),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
@given(st.integers(0, 14 * 24 * 60), st.sampled_from(["production", "production-canary"]), st.sampled_from([None, SHA]))
def test_a_reader_later_is_answered_as_the_records_would(name: str, minutes: int, place: str, sha: str | None) -> None:
    """A law: at every later instant the file answers as a check of the unchanged records, or holds where they pass."""
    there, now = SCENES[name], NOW + timedelta(minutes=minutes)
    from_file = answer(published(there), now, environment=place, sha=sha)
    from_records = outcome(ask(there, now=now, environment=place, sha=sha))
    if name != "budget":
        assert from_file[:2] == from_records[:2]
    assert from_file[2] >= from_records[2]


def test_nothing_internal_is_in_it() -> None:
    """No title, no reason, no person, no restricted id, no path."""
    there = known(
        record(visibility="restricted"),
        record(2),
        freezes={**freeze(), **override()},
        maintenance=change(),
        unread=[Unread("incidents/INC-9/incident.yaml", "secret words")],
    )
    text = to_json(public_state({"auth": there}, REVISION, NOW)).decode()
    for word in ("INC-1", "INC-9", "Login", "books", "Upgrade", "@alice", "@dana", "secret"):
        assert word not in text, word
    state = published(there).services["auth"]
    assert state.held
    assert state.ids == ["INC-2"]
    assert state.reasons == ["open_incident", "maintenance_window", "deploy_freeze", "unreadable_record"]
    assert [(one.id, one.begin, one.end) for one in state.freezes] == [("year-end", "2025-01-22T12:00:00Z", None)]
    assert [(one.id, one.end) for one in state.windows] == [("CHG-2025-0001", "2025-01-22T13:30:00Z")]


def test_a_restricted_incident_holds_without_its_id() -> None:
    verdict = verdict_of_state(published(SCENES["restricted"]), DeployRequest("auth", "production", NOW))
    assert outcome(verdict) == ("frozen", "open_incident", 3)
    assert verdict.incident_ids == []


@pytest.mark.parametrize(
    ("head", "age", "is_current"),
    [
        (REVISION, timedelta(days=9), True),
        (REVISION, timedelta(days=32), False),
        ("b" * 40, timedelta(0), False),
        (None, timedelta(hours=3), True),
        (None, timedelta(hours=3, seconds=1), False),
        (None, timedelta(seconds=-120), True),
        (None, timedelta(seconds=-121), False),
        (REVISION, timedelta(days=-1), False),
        (None, timedelta(days=-20000), False),
    ],
)
def test_it_is_current_by_its_revision_else_by_its_age(head: str | None, age: timedelta, is_current: bool) -> None:
    """3h where HEAD cannot be read; one from the future means that a clock is wrong."""
    assert (why_not_current(published(SCENES["nothing"]), head, NOW + age) is None) is is_current


@pytest.mark.parametrize(("limit", "is_current"), [("1h", False), ("3h", True)])
def test_the_policy_says_how_old_it_may_be(limit: str, is_current: bool) -> None:
    """`gate.max_age`, two hours later."""
    state = published(known(rules=policy(f"gate: {{max_age: {limit}}}\n")))
    assert (why_not_current(state, None, NOW + timedelta(hours=2)) is None) is is_current


GOOD = to_json(public_state({"auth": SCENES["window"]}, REVISION, NOW))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html>sign in</html>",
        GOOD[:-40],
        GOOD.replace(b'"schema": 1', b'"schema": 2'),
        GOOD.replace(b"2025-01-22T13:30:00Z", b"soon"),
        GOOD.replace(b'"held": true', b'"held": "no"'),
        GOOD.replace(b'"maintenance_window"', b'"moon_phase"'),
        GOOD.replace(b'"max_age": "3h"', b'"max_age": "for ever"'),
        GOOD.replace(b'"production",', b"").replace(b'"production-canary"', b""),
        GOOD.replace(b'"max_age": "3h"', b'"max_age": "9999d"'),
        GOOD.replace(b'"max_age": "3h"', b'"max_age": "0s"'),
        GOOD.replace(b'"schema": 1,', b'"schema": 1,\n  "revision": "x",'),
        GOOD.replace(b'"held": true,', b'"held": true,\n      "held": false,'),
        GOOD.replace(b'"held": true', b'"held": false'),
        GOOD.replace(b'"maintenance_window"', b""),
        GOOD.replace(b'"maintenance_window"', b'"deploy_freeze"'),
        GOOD.replace(b'"maintenance_window"', b'"off_window"'),
        GOOD.replace(b'"maintenance_window"', b'"error_budget"'),
        GOOD.replace(b"2025-01-22T13:30:00Z", b"2025-01-22T12:59:00Z"),
        GOOD.replace(b'"ids": []', b'"ids": ["INC-1"]'),
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_damaged_file_is_never_read_as_nothing_there(raw: bytes) -> None:
    assert raw != GOOD
    with pytest.raises(Incomplete):
        parse_state(raw, "gate.json")


def test_what_the_file_does_not_know_is_a_mistake() -> None:
    for words in ({"service": "aut"}, {"environment": "prod"}):
        with pytest.raises(UserError):
            answer(published(SCENES["nothing"]), **words)


def test_hours_beyond_those_told_are_held() -> None:
    """A month later nobody knows: held, not open."""
    state = published(SCENES["hours"])
    assert answer(state, datetime(2025, 1, 23, 12, tzinfo=UTC))[0] == "pass"
    assert answer(state, datetime(2025, 2, 27, 12, tzinfo=UTC)) == ("frozen", "off_window", 3)


@pytest.mark.parametrize(
    ("there", "ends"),
    [(known(freezes=freeze(**{"from": "2025-01-22T13:30:00Z"})), 30), (known(rules=HOURS), 240)],
)
def test_a_rollout_of_known_length_is_judged_to_its_end(there: DeployFacts, ends: int) -> None:
    """A freeze that begins meanwhile, hours that close: held; when it has ended, not."""
    state = published(there)
    assert answer(state, lead=timedelta(minutes=ends, seconds=1))[0] == "frozen"
    assert answer(state, lead=timedelta(minutes=ends, seconds=-1))[0] == "pass"


def test_a_budget_that_runs_out_later_is_told_ahead() -> None:
    """20 of 43.2 minutes are used and the impact goes on: spent at 13:23:12 at the latest."""
    state = published(known(objective=Objective(99.9, 30 * 86_400), past=[RUNNING]))
    assert answer(state, NOW + timedelta(minutes=23))[0] == "pass"
    assert answer(state, NOW + timedelta(minutes=24)) == ("frozen", "error_budget", 3)


def test_a_budget_that_needs_figures_is_no_pass_and_says_whom_to_ask() -> None:
    """Nobody tells a file how many requests there were: what the records answer there, it answers as well."""
    state = published(SCENES["requests"])
    noon = datetime(2025, 1, 23, 12, tzinfo=UTC)
    assert answer(state, noon) == ("inconclusive", "no_data", 3)
    assert "--requests N" in verdict_of_state(state, DeployRequest("auth", "production", noon)).notes[0]


@pytest.mark.parametrize(
    ("there", "revision", "minutes", "why"),
    [
        (known(), REVISION, 0, None),
        (known(), REVISION, 60, None),
        (known(), REVISION, 61, "the last one is 1h 1m old"),
        (known(), REVISION, -3, "in the future"),
        (known(), "b" * 40, 0, "the last one is of commit aaaaaaaaaaaa"),
        (known(record()), REVISION, 1, "things have changed for auth"),
    ],
)
def test_it_is_published_again_for_news_for_another_commit_and_well_before_it_is_too_old(
    there: DeployFacts, revision: str, minutes: int, why: str | None
) -> None:
    """A third of its three hours: two runs of the schedule may be lost before a reader distrusts it."""
    ours = public_state({"auth": there}, revision, NOW + timedelta(minutes=minutes))
    found = why_replaced(published(SCENES["nothing"]), ours)
    assert found is None if why is None else why in str(found)


def test_a_budget_that_came_to_burn_too_fast_is_news() -> None:
    """The same records, a while later: what was no hold then is one now, and no stretch of time told of it."""
    began = {"declared": "2025-01-22T12:56:00Z", "started": "2025-01-22T12:56:00Z"}
    past = [record(severity="SEV3", times=began)]
    there = known(rules=policy("gate: {budget: burn}\n"), objective=Objective(99.0, 30 * 86_400), past=past)
    calm, soon = published(there), NOW + timedelta(minutes=20)
    assert (answer(calm)[0], answer(calm, soon)[0], outcome(ask(there, now=soon))[0]) == ("pass", "pass", "frozen")
    assert why_replaced(calm, public_state({"auth": there}, REVISION, soon)) == "things have changed for auth"
