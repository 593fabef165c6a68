"""The same cases through the whole engine: a record, a policy and an instant, as `sla check` judges them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import yaml

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import stamp
from incident_ops.records.policy import load_policy
from incident_ops.sla.clocks import Clock, ClockState, clocks
from tests.support.conformance import at, cases, hours, need_folder

need_folder()

FILES = ("zammad_ticket_sla", "zammad_specs", "erpnext_due")
NAMES = {"response": "response", "update": "update_internal", "resolution": "resolution"}
PAUSES_STRETCH_ONLY_THE_RESOLUTION = {
    *(f"z{number}-response" for number in range(15, 21)),
    *(f"z{number}-update" for number in range(17, 21)),
}
"""As docs/decisions/0008-clocks-and-gate.md says: their pauses stretch every clock, ours the resolution."""


def policy(case: dict[str, Any]) -> Policy:
    minutes = {clock: f"{count}m" if count else None for clock, count in case["targets_min"].items()}
    calendar = {"tz": case["calendar"]["tz"], "hours": hours(case), "holidays": case["calendar"]["holidays"]}
    calendar["tz"] = calendar["tz"].replace("UTC", "Etc/UTC")
    level = {
        "id": "SEV1",
        "calendar": "case",
        "response": minutes.get("response"),
        "resolution": minutes.get("resolution"),
        "update": {"internal": minutes.get("update")},
    }
    loaded = load_policy(yaml.safe_dump({"extends": "sev0-3", "calendars": {"case": calendar}, "levels": [level]}))
    assert loaded.policy is not None, loaded.findings
    return loaded.policy


def incident(case: dict[str, Any], stops: dict[str, str]) -> Incident:
    times = {"declared": case["start"]}
    times |= {
        field: stops[clock]
        for clock, field in (("response", "acknowledged"), ("resolution", "resolved"))
        if clock in stops
    }
    anchor = case.get("update_anchor")
    return msgspec.convert(
        {
            "id": "INC-1",
            "title": "t",
            "services": ["a"],
            "severity": "SEV1",
            "state": "resolved" if "resolution" in stops else "in_progress",
            "times": times,
            "pauses": [{"from": begin, "to": end, "waiting_for": "user"} for begin, end in case.get("pauses", [])],
            "updates": [{"at": anchor, "audience": "internal", "status": "investigating", "text": "t"}] * bool(anchor),
        },
        Incident,
    )


def judge(case: dict[str, Any], clock: str, stops: dict[str, str]) -> Clock:
    """The clock once everything the case tells has happened."""
    told = [case["start"], *stops.values(), case.get("update_anchor", case["start"])]
    told += [moment for pause in case.get("pauses", []) for moment in pause]
    now = max(map(at, told))
    return next(one for one in clocks(as_of(incident(case, stops), now), policy(case)) if one.clock == NAMES[clock])


def dues() -> Iterator[Any]:
    for case in (case for name in FILES for case in cases(name) if "start" in case):
        for clock, expected in case["expected"].get("due", {}).items():
            if clock in NAMES and case["targets_min"][clock]:
                yield pytest.param(case, clock, expected, id=f"{case['id']}-{clock}")


def stops() -> Iterator[Any]:
    for case in (case for name in FILES for case in cases(name)):
        for clock in case.get("stops", {}):
            yield pytest.param(case, clock, id=f"{case['id']}-{clock}")


def differs(case: dict[str, Any], clock: str) -> bool:
    return f"{case['id'].partition('-')[0]}-{clock}" in PAUSES_STRETCH_ONLY_THE_RESOLUTION


@pytest.mark.parametrize(("case", "clock", "expected"), list(dues()))
def test_a_record_is_due_when_the_source_says(case: dict[str, Any], clock: str, expected: str) -> None:
    """But for the documented difference, which must be one: an entry that agrees has no place in the list."""
    assert (judge(case, clock, {}).due == at(expected)) is not differs(case, clock)


@pytest.mark.parametrize(("case", "clock"), list(stops()))
def test_a_stopped_record_has_taken_what_the_source_says(case: dict[str, Any], clock: str) -> None:
    """Elapsed and remaining minutes, rounded down, and whether the target was met."""
    found = judge(case, clock, {clock: case["stops"][clock]})
    assert found.elapsed_seconds is not None
    assert found.remaining_seconds is not None
    assert found.elapsed_seconds + found.remaining_seconds == case["targets_min"][clock] * 60
    agrees = found.elapsed_seconds // 60 == case["expected"]["elapsed_min"][clock]
    assert agrees is not differs(case, clock)
    if agrees:
        assert found.state is (ClockState.MET if case["expected"]["diff_min"][clock] >= 0 else ClockState.MISSED)


def test_nothing_of_the_run_is_in_a_due_time() -> None:
    """A run ten years late finds the same."""
    case = cases("zammad_ticket_sla")[0]
    late = clocks(as_of(incident(case, {}), datetime(2035, 1, 1, tzinfo=UTC)), policy(case))
    assert {stamp(one.due) for one in late if one.due} == set(case["expected"]["due"].values())
