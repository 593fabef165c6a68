"""Slow requests are counted from buckets, and judged by the very test that errors are judged by."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from incident_ops.canary.config import Analysis, ErrorRate, limited_by_policy, to_analysis
from incident_ops.canary.counters import NO_BASELINE, Counts, Gap, Meter, Reading, read_tick
from incident_ops.canary.replay import CanaryOutcome, RecordedTick, replay_ticks
from incident_ops.canary.slow_rate import as_error_rate, of_slow_requests, slow_reading
from incident_ops.canary.watch import watch_analysis
from incident_ops.deploy_gate.verdict import FAIL, PASS
from incident_ops.domain.latency import histogram_name, latency_text, spell_latency, to_latency
from incident_ops.domain.ports import Latencies, Sampled
from incident_ops.errors import UserError
from incident_ops.render.canary import to_text

TICKS = 36


def analysis(**metric: Any) -> Analysis:
    slow = metric.pop("type", "slowRate") == "slowRate"
    data = {"name": "latency", "type": "slowRate" if slow else "errorRate", **metric}
    if slow:
        data["slowerThan"] = "500ms"
    return to_analysis(
        {
            "metadata": {"name": "g"},
            "spec": {"provider": {"file": {}}, "interval": "15s", "duration": "9m", "metrics": [data]},
        }
    )


def binomial(rng: random.Random, number: int, share: float) -> float:
    """How many of so many; by the normal law where there are many."""
    mean = number * share
    if mean < 30:
        return float(sum(rng.random() < share for _ in range(number)))
    return float(max(0, round(rng.gauss(mean, math.sqrt(mean * (1 - share))))))


def rollout(rng: random.Random, ratio: float, share: float = 0.01, rps: int = 20, drift: float = 0.0) -> list[Any]:
    """Ticks of a canary whose requests are slow `ratio` times as often; `drift`: both become slow together at times."""
    lines = []
    for number in range(-39, TICKS + 1):
        usual = share * math.exp(drift * math.sin(number / 5))
        mine, theirs = 15 * rps, 9 * 15 * rps
        baseline = Counts(binomial(rng, theirs, usual), float(theirs))
        canary: Counts | Gap = Gap("no_data", "not yet")
        if number > 0:
            canary = Counts(binomial(rng, mine, min(1.0, ratio * usual)), float(mine))
        lines.append((15.0 * number, canary, baseline))
    return lines


def judged(gate: Analysis, lines: list[Any], *, as_errors: bool = False) -> CanaryOutcome:
    ticks = [RecordedTick(t, *both) if as_errors else RecordedTick(t, None, None, *both) for t, *both in lines]
    return replay_ticks(gate, ticks)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.5, 2.0, 5.0, 40.0])
def test_the_same_counts_give_the_same_verdict_and_evidence(ratio: float) -> None:
    """Whatever is proven of errors holds for slow requests: only the words differ."""
    rng = random.Random(int(10 * ratio))
    for limits in ({}, {"maxErrorRate": "4%", "goodErrorRate": "2%"}):
        words = {key.replace("Error", "Slow"): value for key, value in limits.items()}
        lines = rollout(rng, ratio, share=rng.choice((0.002, 0.01, 0.1)))
        errors = judged(analysis(type="errorRate", **{"goodErrorRate": "none", **limits}), lines, as_errors=True)
        slow = judged(analysis(**words), lines)
        assert (slow.verdict, slow.seconds, slow.needed) == (errors.verdict, errors.seconds, errors.needed)
        assert slow.curves == errors.curves
        assert slow.reason_code == errors.reason_code.replace("error_rate", "slow_rate")
        mine, theirs = slow.metrics[0].judgement, errors.metrics[0].judgement
        assert mine is not None
        assert theirs is not None
        assert (mine.ratio, mine.interval, mine.e_value) == (theirs.ratio, theirs.interval, theirs.e_value)
        assert of_slow_requests(theirs.assumption) in " ".join(to_text(slow, width=1_000).split())


@pytest.mark.slow
def test_good_canaries_are_not_rolled_back_and_slow_ones_are() -> None:
    """1 % of the requests are slow, 20 a second on the canary, with and without times at which both sides are slower.

    Where those are half as slow again (drift 0.5), a good canary is often inconclusive, and never rolled back.
    """
    rng, gate = random.Random(11), analysis()
    for drift, fewest in ((0.0, 23), (0.25, 22), (0.5, 0)):
        good = [judged(gate, rollout(rng, 1.0, drift=drift)) for _ in range(25)]
        assert sum(one.verdict == FAIL for one in good) == 0
        assert sum(one.verdict == PASS for one in good) >= fewest
        assert all(judged(gate, rollout(rng, 5.0, drift=drift)).verdict == FAIL for _ in range(10))


def latencies(**series: tuple[float, float | None]) -> Latencies:
    """name -> (all requests, those within the bound)."""
    within = {name: fast for name, (_, fast) in series.items() if fast is not None}
    return Latencies(Sampled({name: count for name, (count, _) in series.items()}, {}), within)


def read(**series: tuple[float, float | None]) -> Reading:
    found = slow_reading(latencies(**series), "canary", 0.5)
    assert isinstance(found, Reading), found
    return found


def test_slow_is_what_is_not_within_the_bucket_pod_by_pod() -> None:
    """A pod that restarts has counted since, one that ends has counted nothing more, a new one all it has."""
    before = read(a=(1000.0, 990.0), b=(1000.0, 900.0))
    after = read(a=(40.0, 38.0), c=(10.0, 7.0), b=(1100.0, 980.0))
    counted, _, _ = read_tick(Meter(before, before), after, after)
    assert counted == Counts(2.0 + 3.0 + 20.0, 40.0 + 10.0 + 100.0)


@pytest.mark.parametrize(
    ("series", "text"),
    [
        ({}, "baseline requests: no series"),
        ({"a": (10.0, 9.0), "b": (10.0, None)}, "baseline: 1 of 2 series have no bucket that ends at 500 ms"),
        ({"a": (10.0, None)}, "baseline: the histogram has no bucket that ends at 500 ms"),
        ({"a": (math.nan, 9.0)}, "baseline errors of a: not a number: NaN"),
        ({"a": (10.0, math.nan)}, "baseline errors of a: not a number: NaN"),
        ({"a": (10.0, math.inf)}, "baseline errors of a: infinite"),
        ({"a": (10.0, 12.0)}, "baseline errors of a: negative: -2"),
    ],
)
def test_what_cannot_be_counted_is_no_data(series: dict[str, Any], text: str) -> None:
    """Never a request that is fast, and never one that is slow."""
    assert slow_reading(latencies(**series), "baseline", 0.5) == Gap(NO_BASELINE, text)


def test_limits_and_objectives_of_errors_are_none_of_slow_requests() -> None:
    """`gate.max_error_pct` and the good error rate are about errors; at full traffic there is nothing to watch."""
    gate = limited_by_policy(analysis(), 0.5)
    metric = gate.metrics[0]
    assert isinstance(metric, ErrorRate)
    assert (metric.settings.max_error_rate, metric.settings.good_error_rate) == (None, None)
    with pytest.raises(UserError, match="no metric of type errorRate to watch"):
        watch_analysis(gate, 5.0)
    watched = watch_analysis(analysis(maxSlowRate="3%"), 5.0).metrics[0]
    assert isinstance(watched, ErrorRate)
    assert watched.settings.max_error_rate == 0.03


def test_its_words_are_those_of_an_error_rate() -> None:
    metric = {"type": "slowRate", "maxSlowRate": "1%", "minSlowRate": "0.1%", "canary": {"slow": "a", "requests": "b"}}
    found = as_error_rate(metric)
    assert found == as_error_rate(found)
    assert (found["maxErrorRate"], found["minErrorRate"], found["goodErrorRate"]) == ("1%", "0.1%", "none")
    assert found["canary"] == {"errors": "a", "requests": "b"}
    assert as_error_rate({"type": "errorRate"}) == {"type": "errorRate"}


def test_what_is_quoted_stays_as_it_is() -> None:
    text = 'canary errors of path="/errors": NaN, see maxErrorRate, the error rate, terrors'
    expected = 'canary slow requests of path="/errors": NaN, see maxSlowRate, the share of slow requests, terrors'
    assert of_slow_requests(text) == expected


@pytest.mark.parametrize(
    ("text", "seconds", "written", "spelled"),
    [("500ms", 0.5, "500ms", "500 ms"), ("0.5s", 0.5, "500ms", "500 ms"), ("1.5s", 1.5, "1.5s", "1.5 s"),
     ("2500ms", 2.5, "2.5s", "2.5 s"), ("62.5ms", 0.0625, "62.5ms", "62.5 ms")],
)  # fmt: skip
def test_a_latency_is_written_in_one_way(text: str, seconds: float, written: str, spelled: str) -> None:
    assert (to_latency(text), latency_text(seconds), spell_latency(seconds)) == (seconds, written, spelled)


@pytest.mark.parametrize(
    ("selector", "name", "labels"),
    [
        ("h", "h", ""),
        ('h_bucket{a="b"}', "h", 'a="b"'),
        ('h_count { a = "}", b=~"le=1|{" }', "h", ' a = "}", b=~"le=1|{" '),
        ("h{path='/a'}", "h", "path='/a'"),
        ('h{file="a"}', "h", 'file="a"'),
    ],
)
def test_a_histogram_is_known_by_its_name_and_labels(selector: str, name: str, labels: str) -> None:
    assert histogram_name(selector) == (name, labels)


@pytest.mark.parametrize(
    "selector", ["sum(h)", "rate(h[1m])", 'h{le="0.5"}', 'h{a="b", le=~"1"}', "h + h", "", "h[5m]"]
)
def test_anything_else_is_no_histogram(selector: str) -> None:
    assert histogram_name(selector) is None
