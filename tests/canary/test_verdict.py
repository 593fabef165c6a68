"""Metrics joined into one verdict, and what a gate file makes of an inconclusive end."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.canary.counters import NO_SAMPLES, Counts
from incident_ops.canary.judgement import ERROR_RATE, TOO_FEW_SAMPLES
from incident_ops.canary.pass_test import BELOW_GOOD_RATE
from incident_ops.canary.threshold import DATASOURCE_ERROR, SOURCE_TIMEOUT, Totals
from incident_ops.canary.verdict import JoinedVerdict, MetricStatus, accepted, join_metrics, verdict_exit_code
from incident_ops.deploy_gate.verdict import FAIL, INCONCLUSIVE, OK, OVERRIDDEN, PASS
from incident_ops.errors import UserError
from tests.canary.analyses import analysis

FAILED = MetricStatus("failed", FAIL, ERROR_RATE, True)
ERRED = MetricStatus("erred", INCONCLUSIVE, DATASOURCE_ERROR, True)
OPEN = MetricStatus("open", INCONCLUSIVE, TOO_FEW_SAMPLES, False, canary=Counts(1, 100))
SILENT = MetricStatus("silent", INCONCLUSIVE, NO_SAMPLES, False)
PASSED = MetricStatus("passed", PASS, OK, True)
ORDER = (FAILED, ERRED, OPEN, PASSED)


@pytest.mark.parametrize("standings", list(itertools.permutations(ORDER)))
def test_fail_before_error_before_inconclusive_before_pass(standings: tuple[MetricStatus, ...]) -> None:
    """In whatever order the metrics stand; each reason code is that of the worst."""
    for many in range(1, 5):
        found = join_metrics(standings[:many], is_over=False)
        worst = min(standings[:many], key=ORDER.index)
        assert (found.verdict, found.reason_code) == (worst.verdict, worst.reason_code)


def test_a_final_fail_or_error_ends_the_run_and_a_pass_waits_for_the_others() -> None:
    """A pass alone ends nothing while another metric is open."""
    assert join_metrics([FAILED, OPEN], is_over=False).is_final
    assert join_metrics([ERRED, OPEN], is_over=False).is_final
    assert not join_metrics([PASSED, OPEN], is_over=False).is_final
    assert join_metrics([PASSED, OPEN], is_over=True).is_final
    assert join_metrics([PASSED], is_over=False).is_final


def test_dry_run_metrics_are_reported_only() -> None:
    """They neither fail nor end a run; a run of them alone would never fail, and is refused."""
    shown = replace(FAILED, dry_run=True)
    found = join_metrics([shown, PASSED], is_over=True)
    assert (found.verdict, found.metrics, found.deciding) == (PASS, (shown, PASSED), (PASSED,))
    with pytest.raises(UserError, match="nothing decides"):
        join_metrics([shown], is_over=True)


@pytest.mark.parametrize(
    ("verdict", "reason", "code"),
    [(PASS, OK, 0), (FAIL, ERROR_RATE, 1), (INCONCLUSIVE, SOURCE_TIMEOUT, 3), (INCONCLUSIVE, DATASOURCE_ERROR, 4)],
)
def test_exit_codes(verdict: str, reason: str, code: int) -> None:
    """Those of docs/contract.md#reason-codes."""
    assert verdict_exit_code(verdict, reason) == code


_ANY = st.lists(
    st.builds(
        lambda one, name: MetricStatus(name, one.verdict, one.reason_code, one.is_final, canary=one.canary),
        st.sampled_from(
            [*ORDER, SILENT, MetricStatus("late", INCONCLUSIVE, SOURCE_TIMEOUT, True, canary=Counts(0, 9))]
        ),
        st.text(max_size=3),
    ),
    min_size=1,
    max_size=5,
)


@given(_ANY, st.sampled_from([None, "fail", "pass"]), st.booleans(), st.booleans())
def test_nothing_but_a_measured_result_is_ever_let_through(
    standings: list[MetricStatus], accept: str | None, dry_run: bool, is_whole: bool
) -> None:
    """Whatever the file says: a pass stays one, nothing else becomes one, and what could not be measured never ends
    with 0."""
    joined = replace(join_metrics(standings, is_over=True), is_whole=is_whole)
    spec = {"onInconclusive": accept} if accept else {}
    found = accepted(analysis(dryRun=dry_run, **spec), joined)
    assert (found.verdict == PASS) == all(one.verdict == PASS for one in standings)
    if found.verdict == OVERRIDDEN:
        assert accept == "pass" or dry_run
        assert is_whole or joined.verdict == FAIL
    if any(one in (ERRED.reason_code, NO_SAMPLES, SOURCE_TIMEOUT) for one in {one.reason_code for one in standings}):
        assert dry_run or verdict_exit_code(found.verdict, found.reason_code) != 0
        if joined.verdict != FAIL:
            assert verdict_exit_code(found.verdict, found.reason_code) != 0


def test_an_accepted_end_is_overridden() -> None:
    """With its own reason code; fail is what the other word makes of it."""
    joined: JoinedVerdict = replace(join_metrics([OPEN, PASSED], is_over=True), is_whole=True)
    found = accepted(analysis(onInconclusive="pass"), joined)
    assert (found.verdict, found.reason_code) == (OVERRIDDEN, "inconclusive_accepted")
    assert accepted(analysis(onInconclusive="fail"), joined).verdict == FAIL
    assert accepted(analysis(), joined) == joined


def test_an_end_before_its_time_is_not_accepted() -> None:
    """A threshold metric that ended the run in its first seconds has let nothing be counted."""
    early = MetricStatus("p99", INCONCLUSIVE, TOO_FEW_SAMPLES, True, totals=Totals(count=1, inconclusive=1))
    joined = join_metrics([OPEN, early], is_over=False)
    for gate in (analysis(onInconclusive="pass"), analysis(dryRun=True)):
        assert accepted(gate, joined) == joined
    assert accepted(analysis(onInconclusive="fail"), joined).verdict == FAIL


def test_a_pass_by_the_good_rate_is_named_whichever_metric_it_is() -> None:
    """Nobody should read it as a comparison."""
    quiet = replace(PASSED, reason_code=BELOW_GOOD_RATE)
    for order in ([PASSED, quiet], [quiet, PASSED]):
        assert join_metrics(order, is_over=True).reason_code == BELOW_GOOD_RATE
    assert join_metrics([quiet, OPEN], is_over=True).reason_code == TOO_FEW_SAMPLES
