"""From answers of a metric source to counts: resets are safe, and no bad value is ever counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.canary.counters import (
    NO_BASELINE,
    NO_CANARY_TRAFFIC,
    NO_NEW_SAMPLE,
    NO_SAMPLES,
    Counts,
    Gap,
    Meter,
    Reading,
    difference,
    read_tick,
    sample_distance,
    to_counts,
    to_reading,
)

TEXTS = ["NaN", "+Inf", "", "null", "1e999", "0x10", "1_000", "٣", " 3", "-1"]
BAD = [None, *TEXTS, math.nan, math.inf, -math.inf, -1, True, [1], {}, b"3", 1e300, complex(1)]


@pytest.mark.parametrize("value", BAD, ids=repr)
@pytest.mark.parametrize("place", ["errors", "requests"])
def test_a_bad_value_is_no_data_with_a_reason(value: object, place: str) -> None:
    """Neither success nor failure, on either side, as a count and as a counter."""
    pair = {"errors": 1.0, "requests": 10.0} | {place: value}
    for side, reason in (("canary", NO_SAMPLES), ("baseline", NO_BASELINE)):
        found = to_counts(pair["errors"], pair["requests"], side)
        assert isinstance(found, Gap)
        assert found.reason == reason
        assert found.text.startswith(f"{side} {place}: ")
        series = {name: {"pod-1": one} for name, one in pair.items()}
        read = to_reading(series["errors"], series["requests"], side)
        assert isinstance(read, Gap)
        assert read.reason == reason
        assert "pod-1" in read.text


@pytest.mark.parametrize("value", [3, 3.0, "3", "3.0", "+3", "3e0", ".3e1"])
def test_numbers_are_read_as_numbers_and_as_text(value: object) -> None:
    """Prometheus sends text."""
    assert to_counts(value, "10", "canary") == Counts(3.0, 10.0)


def test_more_errors_than_requests_and_no_requests_are_no_data() -> None:
    """Queries that do not belong together, and silence."""
    assert to_counts(11, 10, "canary") == Gap(NO_SAMPLES, "canary: 11 errors are more than 10 requests")
    assert to_counts(0, 0, "canary") == Gap(NO_CANARY_TRAFFIC, "canary: no requests")
    assert to_counts(0, 0, "baseline") == Gap(NO_BASELINE, "baseline: no requests")


def test_missing_request_series_are_no_data_and_missing_error_series_no_errors() -> None:
    """An error counter appears with the first error."""
    assert to_reading({}, {}, "canary") == Gap(NO_SAMPLES, "canary requests: no series")
    assert to_reading({"a": 1}, {}, "baseline") == Gap(NO_BASELINE, "baseline requests: no series")
    first, second = to_reading({}, {"a": 100}, "canary"), to_reading({"a": 2}, {"a": 150}, "canary")
    assert isinstance(first, Reading)
    assert isinstance(second, Reading)
    assert difference(first, second, "canary") == Counts(2.0, 50.0)


def test_a_reset_counts_the_new_value_only() -> None:
    """One pod of two restarts: its new value is what it counted since."""
    before, after = Reading({}, {"a": 1000.0, "b": 500.0}), Reading({}, {"a": 1010.0, "b": 7.0})
    assert difference(before, after, "canary") == Counts(0.0, 17.0)


def _requests(**values: float) -> Reading:
    return Reading({}, values)


def test_a_series_that_comes_back_is_not_new() -> None:
    """A pod that was not scraped once has not served its whole life in the next tick."""
    steps = [_requests(a=10.0, b=900.0), _requests(a=20.0), _requests(a=30.0, b=950.0)]
    meter, found = Meter(), []
    for one in steps:
        mine, theirs, meter = read_tick(meter, one, one)
        found.append(mine)
        assert isinstance(mine, Gap) == isinstance(theirs, Gap)
    assert found[1:] == [Counts(0.0, 10.0), Counts(0.0, 60.0)]
    assert found[0] == Gap(NO_SAMPLES, "canary: the first reading counts from here")


def test_both_sides_cover_the_same_time() -> None:
    """A canary that cannot be read keeps both meters; a baseline that cannot begins anew."""
    meter = Meter(_requests(a=100.0), _requests(z=1000.0))
    bad = Gap(NO_SAMPLES, "canary errors: not a number: NaN")
    assert read_tick(meter, bad, _requests(z=1900.0)) == (bad, bad, meter)
    assert read_tick(meter, _requests(a=300.0), _requests(z=2800.0))[:2] == (Counts(0.0, 200.0), Counts(0.0, 1800.0))
    gone = Gap(NO_BASELINE, "baseline requests: no series")
    mine, theirs, later = read_tick(meter, _requests(a=200.0), gone)
    assert (mine, theirs) == (Counts(0.0, 100.0), gone)
    mine, theirs, later = read_tick(later, _requests(a=300.0), _requests(z=2800.0))
    assert mine == Counts(0.0, 100.0)
    assert theirs == Gap(NO_BASELINE, "baseline: the first reading counts from here")
    assert read_tick(later, _requests(a=400.0), _requests(z=3700.0))[:2] == (Counts(0.0, 100.0), Counts(0.0, 900.0))


def _sampled(at: float, *, parts: int = 0, errors: float = 0.0, **values: float) -> Reading:
    return Reading({"e": errors} if errors else {}, values, dict.fromkeys(values, at), parts)


def test_a_sample_that_is_read_twice_is_no_tick() -> None:
    """Scraped every 60 s, read every 15 s: three readings wait, the fourth covers the whole minute, of both sides."""
    meter = Meter(_sampled(0, a=100.0), _sampled(-20, z=1000.0))
    for _ in range(3):
        mine, theirs, meter = read_tick(meter, _sampled(0, a=100.0), _sampled(40, z=1900.0))
        assert mine == theirs == Gap(NO_NEW_SAMPLE, "canary: no new sample yet")
    mine, theirs, later = read_tick(meter, _sampled(60, a=200.0), _sampled(40, z=1900.0))
    assert (mine, theirs) == (Counts(0.0, 100.0), Counts(0.0, 900.0))
    assert sample_distance(meter, later) == 60.0
    mine, theirs, _ = read_tick(later, _sampled(120, a=300.0), _sampled(40, z=1900.0))
    assert mine == theirs == Gap(NO_NEW_SAMPLE, "baseline: no new sample yet")


def test_no_traffic_in_a_new_sample_is_no_traffic() -> None:
    """The counter stands still although it was scraped again."""
    meter = Meter(_sampled(0, a=100.0), _sampled(0, z=1000.0))
    mine, _theirs, _ = read_tick(meter, _sampled(15, a=100.0), _sampled(15, z=1900.0))
    assert mine == Gap(NO_CANARY_TRAFFIC, "canary: no requests")


def test_a_replica_that_lies_behind_is_not_read() -> None:
    """Two servers behind one address, one with older samples: nothing falls, nothing is counted twice."""
    meter, total = Meter(_sampled(0, a=0.0), _sampled(0, z=0.0)), 0.0
    for at in range(5, 65, 5):
        seen = at - 7 if at % 10 else at
        mine, _, meter = read_tick(meter, _sampled(seen, a=10.0 * seen), _sampled(seen, z=90.0 * seen))
        total += mine.requests if isinstance(mine, Counts) else 0.0
    assert total == 600.0
    pods = Reading({}, {"a": 5.0, "b": 5.0}, {"a": 58.0, "b": 62.0})
    mine, _, _ = read_tick(Meter(_sampled(60, a=9.0, b=1.0), None), pods, _sampled(62, z=1.0))
    assert mine == Gap(NO_NEW_SAMPLE, "canary: older samples than before, of a replica that lags behind")


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (_sampled(0, parts=3, s=20_000.0), _sampled(15, parts=3, s=14_000.0), "requests fell from 20,000 to"),
        (_sampled(0, parts=3, s=20_000.0), _sampled(15, parts=3, s=200.0), "which is not a restart"),
        (_sampled(0, a=20_000.0), _sampled(15, a=14_000.0), "the requests fell from 20,000 to 14,000"),
        (
            _sampled(0, parts=3, errors=500, s=20_000.0),
            _sampled(15, parts=3, errors=300, s=20_900.0),
            "the errors fell from 500 to 300",
        ),
        (_sampled(0, parts=3, s=20_000.0), _sampled(15, parts=4, s=9e6), "the sum has 4 parts and had 3"),
        (_sampled(0, a=20_000.0), _sampled(15, a=20_900.0, b=9e6), "a series came late, with 9,000,000 requests"),
        (_sampled(0, a=20_000.0), _sampled(15, b=15_000.0), "a series came late"),
    ],
)
def test_a_fall_that_is_no_restart_and_a_late_series_are_no_evidence(
    before: Reading, after: Reading, text: str
) -> None:
    """One of several pods ends, an old pod is read for the first time: the tick has no data, and the next one has."""
    canary = _sampled(0, c=100.0)
    mine, theirs, meter = read_tick(Meter(canary, before), _sampled(15, c=200.0), after)
    assert mine == Counts(0.0, 100.0)
    assert isinstance(theirs, Gap)
    assert theirs.reason == NO_BASELINE
    assert text in theirs.text
    later = {name: value + 50 for name, value in after.requests.items()}
    grown = Reading(after.errors, later, dict.fromkeys(later, 30.0), after.parts)
    mine, theirs, _ = read_tick(meter, _sampled(30, c=300.0), grown)
    assert (mine, theirs) == (Counts(0.0, 100.0), Counts(0.0, 50.0 * len(after.requests)))


def test_a_restart_a_new_pod_and_a_canary_whose_pods_crash_are_counted() -> None:
    """A counter that began anew, one as young as the tick, and new ones again and again beside none that lives."""
    before = _sampled(0, errors=500, a=20_000.0)
    assert difference(before, _sampled(15, errors=2, a=400.0), "baseline") == Counts(2.0, 400.0)
    assert difference(before, _sampled(15, errors=500, a=20_900.0, b=900.0), "baseline") == Counts(0.0, 1800.0)
    crashed = Reading({"b": 40.0}, {"b": 40.0})
    assert difference(_sampled(0, a=40.0), crashed, "canary") == Counts(40.0, 40.0)


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=40))
def test_the_differences_add_up_to_what_was_counted(steps: list[tuple[int, bool]]) -> None:
    """Whatever the resets: nothing is counted twice, and nothing but the time before a reset is lost."""
    value, meter, total, counted = 0, Meter(_requests(a=0.0), _requests(a=0.0)), 0.0, 0
    for added, is_reset in steps:
        value = added + (0 if is_reset else value)
        mine, _theirs, meter = read_tick(meter, _requests(a=float(value)), _requests(a=float(value)))
        total += 0 if isinstance(mine, Gap) else mine.requests
        counted += added
    assert 0 <= total <= counted
    if not any(reset for _added, reset in steps):
        assert total == counted
