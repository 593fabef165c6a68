"""The rules about merged records: appending is fine, whatever else is done to a merged history is found."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.records.merge_data import Choice, Versions, merge_data
from incident_ops.records.policy import load_policy
from incident_ops.records.schema import fast_validator
from incident_ops.rules import base
from tests.support.patience import patience
from tests.support.repository import NOW, POLICY, record

PATH = "incidents/INC-1/incident.yaml"
MINUTES = st.integers(0, 59)


def at(minute: int) -> str:
    return f"2025-01-26T12:{minute:02}:00Z"


def events(texts: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Timeline entries, some of them alike; their texts are of these letters."""
    entry = st.fixed_dictionaries(
        {"at": MINUTES.map(at), "kind": st.sampled_from(["note", "action"]), "event": st.sampled_from(texts)},
        optional={"by": st.just("@ann")},
    )
    return st.lists(entry, max_size=6)


def escalations() -> st.SearchStrategy[list[dict[str, Any]]]:
    entry = st.fixed_dictionaries({"at": MINUTES.map(at), "key": st.sampled_from("kl"), "rule": st.just("time")})
    return st.lists(entry.map(lambda one: {**one, "reason": "r"}), max_size=5)


def compared(was: dict[str, Any], now: dict[str, Any]) -> list[Finding]:
    assert fast_validator("incident").is_valid(was), was
    assert fast_validator("incident").is_valid(now), now
    return base.compare(*(Record(PATH, msgspec.convert(one, Incident), one) for one in (was, now)), None)


def errors(was: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [one.rule for one in compared(was, now) if one.level is Level.ERROR]


@given(events("abc"), events("xyz"))
def test_appending_is_fine(merged: list[Any], more: list[Any]) -> None:
    """Whatever is written below, in whatever order, nothing is found."""
    assert compared(record(timeline=merged), record(timeline=merged + more)) == []


@given(events("abc"), events("xyz"), st.data())
def test_a_removed_entry_is_found(merged: list[Any], more: list[Any], draw: st.DataObject) -> None:
    assume(merged)
    place = draw.draw(st.integers(0, len(merged) - 1))
    assert "append-only" in errors(
        record(timeline=merged), record(timeline=merged[:place] + merged[place + 1 :] + more)
    )


@given(events("abc"), events("xyz"), st.data())
def test_an_edited_entry_is_found(merged: list[Any], more: list[Any], draw: st.DataObject) -> None:
    """Any key, changed, added or taken out."""
    assume(merged)
    place = draw.draw(st.integers(0, len(merged) - 1))
    edit = draw.draw(
        st.sampled_from(
            [
                {"at": "2025-01-26T13:00:00Z"},
                {"kind": "decision"},
                {"event": "other"},
                {"ref": "abc"},
                {"by": "@bob"},
                {"corrects": 1},
            ]
        )
    )
    entry = {**merged[place], **edit}
    now = [*merged[:place], entry, *merged[place + 1 :], *more]
    found = [one for one in compared(record(timeline=merged), record(timeline=now)) if one.level is Level.ERROR]
    assert [one.rule for one in found] == ["append-only"]
    assert found[0].where.route[:2] == ("timeline", place)


@given(events("abc"), events("xyz"), st.randoms())
def test_another_order_is_found(merged: list[Any], more: list[Any], random: Any) -> None:
    shuffled = random.sample(merged, len(merged))
    assume(shuffled != merged)
    assert "append-only" in errors(record(timeline=merged), record(timeline=shuffled + more))


@given(escalations(), st.data())
def test_of_an_escalation_only_the_judgement_may_change(merged: list[Any], draw: st.DataObject) -> None:
    assume(merged)
    place = draw.draw(st.integers(0, len(merged) - 1))
    judged = [{**one, "appropriate": draw.draw(st.sampled_from([True, False, "unknown"]))} for one in merged]
    assert errors(record(escalations=merged), record(escalations=judged)) == []
    judged[place] = {**judged[place], "to_tier": 2}
    assert errors(record(escalations=merged), record(escalations=judged)) == ["append-only"]


@given(events("abc"), events("uvw"), events("xyz"), st.data())
def test_what_two_people_appended_merges_without_an_error(
    merged: list[Any], mine: list[Any], yours: list[Any], draw: st.DataObject
) -> None:
    """The merge driver puts both sides' entries in order: neither side, merged first, forbids the result."""

    def side(new: list[Any]) -> dict[str, Any]:
        whole = merged + new
        for place in range(len(merged), len(whole)):
            if place and draw.draw(st.booleans()):
                whole[place] = {**whole[place], "corrects": draw.draw(st.integers(1, place))}
        return record(timeline=whole)

    ours, theirs = side(mine), side(yours)
    choice = Choice()
    merged_data = merge_data(Versions(record(timeline=merged), ours, theirs), (), choice)
    assume(not choice.clashes)
    assert errors(ours, merged_data) == []
    assert errors(theirs, merged_data) == []


NOT_FREE = ["timeline", "updates", "changes", "corrections", "escalations", "cycles"]
FULL = record(
    timeline=[{"at": at(1), "kind": "note", "event": "e"}],
    updates=[{"at": at(1), "audience": "public", "status": "investigating", "text": "t"}],
    changes=[{"at": at(1), "field": "severity", "from": "SEV3", "to": "SEV2"}],
    corrections=[{"at": at(1), "field": "times.x", "from": at(1), "to": at(2), "by": "@a", "reason": "r"}],
    escalations=[{"at": at(1), "key": "k", "rule": "time", "reason": "r"}],
    cycles=[{"reopened": at(1)}],
    assignments=[{"at": at(1), "to": "@a"}],
    pauses=[{"from": at(1), "waiting_for": "user"}],
    tags=["a"],
    description="d",
)


@pytest.mark.parametrize("name", NOT_FREE)
def test_no_history_of_the_contract_may_lose_an_entry(name: str) -> None:
    """The six lists of docs/contract.md#record, whether emptied or taken out."""
    without = {key: value for key, value in FULL.items() if key != name}
    assert errors(FULL, without) == ["append-only"]
    assert errors(FULL, {**FULL, name: []}) == ["append-only"]


@pytest.mark.parametrize("name", ["assignments", "pauses", "tags", "description"])
def test_everything_else_may_change(name: str) -> None:
    assert errors(FULL, {key: value for key, value in FULL.items() if key != name}) == []


def test_a_finding_does_not_repeat_what_was_taken_out() -> None:
    """It may have been a secret, or a name."""
    was = record(timeline=[{"at": at(1), "kind": "note", "event": "Called Ann Example"}])
    for now in (record(), record(timeline=[{"at": at(1), "kind": "note", "event": "Called her"}])):
        assert "Example" not in " ".join(one.message + one.hint for one in compared(was, now))


def test_taking_out_a_secret_does_not_excuse_another_edit() -> None:
    was = record(timeline=[{"at": at(1), "kind": "note", "event": "AKIAIOSFODNN7EXAMPLE", "by": "@ann"}])
    entry = was["timeline"][0]
    assert errors(was, record(timeline=[{**entry, "event": "a key"}])) == []
    assert errors(was, record(timeline=[{**entry, "event": "a key", "by": "@bob"}])) == ["append-only"]


def test_two_labels_are_compared_each_with_its_own_history() -> None:
    """A change of the severity does not tell of one of the priority."""
    told = {"at": at(1), "field": "severity", "from": "SEV-2", "to": "SEV-1"}
    was = record(severity="SEV-2", priority="P2")
    now = record(severity="SEV-1", priority="P1", changes=[told])
    assert errors(was, now) == ["change-recorded"]


def test_a_deleted_record_names_every_issue() -> None:
    data = record(
        links={"tracking_issue": 41},
        action_items=[{"id": "AI-1", "title": "t", "issue": 42}, {"id": "AI-2", "title": "t"}],
    )
    (found,) = base.deleted(Record(PATH, msgspec.convert(data, Incident), data))
    assert found.level is Level.WARNING
    assert found.where.file == PATH
    assert "#41, #42 (AI-1)" in found.message


def test_a_long_rewritten_history_costs_no_minutes() -> None:
    """Entries that repeat, as many as a record can have."""
    entry = {"at": at(1), "kind": "note", "event": "a"}
    was = record(timeline=[entry] * 1000)
    now = record(timeline=[entry if place % 2 else {**entry, "event": f"b{place}"} for place in range(990)])
    with patience():
        found = errors(was, now)
    assert set(found) == {"append-only"}


CORRECTION = {"at": at(9), "field": "times.started", "from": at(1), "to": at(2), "by": "@a", "reason": "r"}


@pytest.mark.parametrize(
    ("corrections", "new", "hint"),
    [
        ([], at(3), f"add to corrections {{at: ..., field: times.started, from: {at(1)}, to: {at(3)}, "),
        ([CORRECTION], at(3), f"add to corrections {{at: ..., field: times.started, from: {at(2)}, to: {at(3)}, "),
        ([CORRECTION], at(2), f"started: {at(1)}; corrections already has {at(2)}"),
        ([], "2025-01-26T12:01:00+00:00", f"started: {at(1)}"),
        ([], "unknown", f"from: {at(1)}, to: unknown, "),
    ],
)
def test_the_hint_of_a_merged_instant_leads_to_a_valid_record(corrections: list[Any], new: str, hint: str) -> None:
    """A correction begins at the last one, and is not asked for twice, nor for the same instant."""
    times = {"started": at(1), "declared": at(5)}
    was = record(times=times, corrections=corrections)
    (found,) = compared(was, record(times={**times, "started": new}, corrections=corrections))
    assert found.rule == "merged-instant"
    assert hint in found.hint
    assert ("add to corrections" in found.hint) == ("from:" in hint)


@pytest.mark.parametrize("reason", [" ", "\u200b", "...", "-"])
def test_a_reason_that_says_nothing_is_none(reason: str) -> None:
    """A lowered severity, by a policy that knows the ranks."""
    entry = {"at": at(1), "field": "severity", "from": "SEV1", "to": "SEV2", "reason": reason}
    was, now = record(severity="SEV1"), record(severity="SEV2", changes=[entry])
    before, after = (Record(PATH, msgspec.convert(one, Incident), one) for one in (was, now))
    policy = load_policy(POLICY).policy
    assert policy is not None
    world = World(policy, {}, NOW)
    assert [one.rule for one in base.compare(before, after, world)] == ["lowered-reason"]
