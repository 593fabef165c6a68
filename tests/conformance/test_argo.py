"""Argo Rollouts' own cases of a metric's standing, but for the one rule that is not followed: its early end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incident_ops.canary.conditions import parse_condition
from incident_ops.canary.threshold import RunEnd, Threshold, Totals, assess
from incident_ops.domain.time import duration
from tests.support.conformance import cases, need_folder

need_folder()

CASES = cases("argo_metric_status")
UNSETTLED = ("Pending", "Running")
TOTALS = {
    "successful": "successful",
    "failed": "failed",
    "inconclusive": "inconclusive",
    "count": "count",
    "consecutiveSuccess": "consecutive_success",
    "consecutiveError": "consecutive_error",
}
LIMITS = {
    "failureLimit": "failure_limit",
    "inconclusiveLimit": "inconclusive_limit",
    "consecutiveErrorLimit": "consecutive_error_limit",
    "consecutiveSuccessLimit": "consecutive_success_limit",
    "count": "count",
}


def inputs(case: dict[str, Any]) -> str:
    return json.dumps([case["metric"], case["result"], case["lastMeasurementPhase"]], sort_keys=True)


GOING_ON = {inputs(case): case["expect"] for case in CASES if not case["terminating"]}
"""What the same totals come to while the run goes on."""


def is_early_end(case: dict[str, Any]) -> bool:
    """The run is stopped before the metric has settled: Argo calls that Successful, or waits for the measurement."""
    return bool(case["terminating"]) and GOING_ON.get(inputs(case)) in UNSETTLED


def metric(case: dict[str, Any]) -> Threshold:
    given = dict(case["metric"])
    interval = given.pop("interval", None)
    named = {LIMITS[name]: value for name, value in given.items()}
    return Threshold(parse_condition("result < 1"), interval=duration(interval) if interval else None, **named)


def totals(case: dict[str, Any]) -> Totals:
    named = {TOTALS[name]: value for name, value in case["result"].items()}
    return Totals(**named, last=case["lastMeasurementPhase"] or "")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_metric_stands_where_argo_says(case: dict[str, Any]) -> None:
    """All 57 cases; only where the run is stopped before a metric has settled, that is Inconclusive here."""
    found = assess(metric(case), totals(case), RunEnd.EARLY if case["terminating"] else None)
    assert found.phase == ("Inconclusive" if is_early_end(case) else case["expect"])
    assert found.text == case.get("expectMessage", found.text)


def test_the_early_end_is_the_only_difference() -> None:
    """Of 57 cases nine are early ends; Argo calls eight of them Successful, and no more hide behind the rule."""
    early = [case["expect"] for case in CASES if is_early_end(case)]
    assert (len(CASES), len(early), early.count("Successful")) == (57, 9, 8)
