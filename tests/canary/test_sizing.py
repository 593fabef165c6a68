"""What traffic can decide, and in what time."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.canary.config import WARMUP, to_analysis
from incident_ops.canary.config_check import check_gate_file
from incident_ops.canary.counters import Counts
from incident_ops.canary.replay import RecordedTick, replay_ticks
from incident_ops.canary.sizing import SizingRequest, Traffic, plan_traffic
from incident_ops.domain.time import duration
from incident_ops.errors import UserError
from incident_ops.records.schema import fast_validator
from incident_ops.render.canary_sizing import sizing_json, sizing_text
from incident_ops.render.gate_draft import gate_file

ASKED = SizingRequest(2.0, 0.01, 0.05, 600.0)


BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture(name="batch")
def _batch(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """bench/gate_batch.py, the product's tests as arrays."""
    monkeypatch.syspath_prepend(str(BENCH))
    import gate_batch

    yield gate_batch
    for name in ("gate_batch", "gate_shapes"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("rate", "canary_rps", "ratio"),
    [(0.005, 10, 2), (0.005, 100, 2), (0.0005, 100, 1.5), (0.02, 1, 3), (0.02, 10, 5), (0.005, 1, 2), (0.02, 30, 1.5)],
)
def test_nine_of_ten_have_their_answer_in_the_time_told(
    batch: ModuleType, rate: float, canary_rps: float, ratio: float
) -> None:
    """At least 85 % of good canaries pass and of bad ones fail, and half the time would not do."""
    from gate_shapes import SHAPES, Setting

    found = plan_traffic(Traffic(rate, canary_rps * 10, 0.1), ASKED._replace(ratio=ratio))

    def failed_and_passed(seconds: float, true: float) -> tuple[float, float]:
        setting = Setting(rate, canary_rps, found.interval, horizon=seconds - WARMUP, ratio=true)
        runs = SHAPES["ideal"](batch.np.random.default_rng(20250126), setting, 600)
        fails = batch.by_own_span(batch.fails, runs, setting.tick).both
        failed = (fails >= -math.log(ASKED.alpha)).any(axis=1)
        passes = batch.look_by_own_span(runs, setting.tick, ratio).passes(ASKED.beta)
        return float(failed.mean()), float((passes & ~failed).mean())

    assert failed_and_passed(found.fail_seconds, ratio)[0] >= 0.85
    assert failed_and_passed(found.pass_seconds, 1.0)[1] >= 0.85
    half = WARMUP + found.interval * round((found.pass_seconds - WARMUP) / found.interval / 2)
    assert failed_and_passed(half, 1.0)[1] < 0.7


@pytest.mark.parametrize(("rate", "canary_rps"), [(0.0001, 10), (0.0002, 100), (0.00005, 30), (0.0005, 100)])
def test_nine_of_ten_quiet_ones_pass_by_their_rate_in_the_time_told(
    batch: ModuleType, rate: float, canary_rps: float
) -> None:
    """85 % at least, and half the time would not do."""
    from gate_shapes import SHAPES, Setting

    found = plan_traffic(Traffic(rate, canary_rps * 10, 0.1), ASKED)

    def passed(seconds: float) -> float:
        setting = Setting(rate, canary_rps, found.interval, horizon=seconds)
        runs = SHAPES["ideal"](batch.np.random.default_rng(20250126), setting, 600)
        ends = batch.look_by_own_span(runs, setting.tick)
        return float(ends.is_low(0.001, canary_rps * seconds, ASKED.beta).mean())

    counted = found.rate_seconds - WARMUP
    assert passed(counted) >= 0.85
    assert passed(found.interval * round(counted / found.interval / 2)) < 0.7
    assert math.isinf(plan_traffic(Traffic(0.001, 100, 0.1), ASKED).rate_seconds)


def test_the_proposed_gate_passes_good_canaries() -> None:
    """The gate as it is written, through the product's own replay, warm-up and all: 85 of 100 at least pass."""
    from random import Random

    found = plan_traffic(Traffic(0.005, 100, 0.1), ASKED)
    data = yaml.safe_load(gate_file(found))
    assert "onInconclusive" not in data["spec"]
    gate, draw = to_analysis(data), Random(20250126)

    def errors(mean: float) -> float:
        left, number = 1.0, -1
        while left > math.exp(-mean):
            left, number = left * draw.random(), number + 1
        return float(number)

    def outcome() -> str:
        lines = [
            RecordedTick(15.0 * tick, Counts(errors(0.75), 150.0), Counts(errors(6.75), 1350.0))
            for tick in range(-239, round(found.seconds / 15) + 1)
        ]
        return replay_ticks(gate, lines).verdict

    said = [outcome() for _run in range(100)]
    assert said.count("pass") >= 85
    assert said.count("fail") <= 3


@given(st.floats(0.0001, 0.1), st.floats(0.1, 1e5), st.floats(0.01, 0.9), st.floats(1.2, 9.0))
def test_more_traffic_never_sees_less(rate: float, rps: float, share: float, ratio: float) -> None:
    """Twice the traffic: no more time, and no larger least regression (but for the steps of the search)."""
    wanted = SizingRequest(ratio, 0.01, 0.05, 600.0)
    one, two = plan_traffic(Traffic(rate, rps, share), wanted), plan_traffic(Traffic(rate, 2 * rps, share), wanted)
    assert two.seconds <= one.seconds
    for before, after in zip(one.reaches, two.reaches, strict=True):
        assert after.least <= before.least * 1.001


@pytest.mark.parametrize("ratio", [1.15, 2.0, 5.0, 50.0])
def test_no_answer_comes_before_three_ticks_after_the_warm_up(ratio: float) -> None:
    """However much traffic; and what a time too short for that reaches is nothing."""
    found = plan_traffic(Traffic(0.015, 1e9, 0.5), SizingRequest(ratio, 0.01, 0.05, 90.0))
    assert min(found.fail_seconds, found.pass_seconds) >= WARMUP + 3 * found.interval
    assert math.isinf(found.reaches[0].least)
    assert not found.is_enough


@pytest.mark.parametrize(("share", "words"), [(0.999, "smaller share"), (0.001, "larger share"), (0.5, "larger ratio")])
def test_the_advice_goes_towards_equal_shares(share: float, words: str) -> None:
    """Evidence needs both sides; at one half no share is better."""
    told = " ".join(sizing_text(plan_traffic(Traffic(0.0001, 10, share), ASKED)).replace("\n# ", " ").split())
    assert words in told
    assert ("share" in told.partition("not enough")[2]) == (share != 0.5)


@pytest.mark.parametrize(
    "traffic",
    [
        Traffic(1e-6, 1e-3, 1e-5), Traffic(1e-6, 1, 0.1), Traffic(0.005, 1e4, 0.1), Traffic(0.005, 1e9, 0.999),
        Traffic(0.4, 1e9, 0.5), Traffic(0.005, 1e9, 0.99999), Traffic(0.005, 12_345.6, 0.00001),
    ],
)  # fmt: skip
def test_numbers_are_for_people(traffic: Traffic) -> None:
    """No exponents, no infinities, no `1x`, no days by the thousand, no long line; and JSON of numbers."""
    found = plan_traffic(traffic, ASKED)
    text = sizing_text(found)
    assert max(map(len, text.splitlines())) <= 80
    above = text.partition("# yaml-language-server")[0]
    assert not re.search(r"\de[+-]?\d|\binf\b|\bnan\b|\b1x|(?<![.\d])\d{4}", above)
    json.loads(sizing_json(found), parse_constant=pytest.fail)


@pytest.mark.parametrize(("share", "steps"), [(0.1, [10, 100]), (0.07, [7, 100]), (0.005, []), (0.999, [])])
def test_what_is_printed_is_a_gate_file_as_it_stands(share: float, steps: list[int]) -> None:
    """`canary plan > gates/x.yaml`: the words are comments, the share is its first step, and nothing is wrong in it."""
    text = sizing_text(plan_traffic(Traffic(0.005, 1000, share), ASKED), name="checkout")
    data = yaml.safe_load(text)
    assert fast_validator("gate").is_valid(data)
    assert list(check_gate_file(data, "gates/checkout.yaml")) == []
    assert data["metadata"]["name"] == "checkout"
    assert [step["weight"] for step in data["spec"].get("steps", [])] == steps
    assert to_analysis(data).horizon >= 600


@pytest.mark.parametrize(
    "traffic",
    [
        Traffic(0, 1, 0.1),
        Traffic(1, 1, 0.1),
        Traffic(0.6, 1, 0.1),
        Traffic(0.1, 0, 0.1),
        Traffic(0.1, 1, 1.0),
        Traffic(0.1, 1e308, 0.1),
    ],
)
def test_numbers_without_a_plan_are_refused(traffic: Traffic) -> None:
    """Each with the option that has to change."""
    with pytest.raises(UserError):
        plan_traffic(traffic, ASKED)


def test_the_table_of_the_docs_is_what_plan_says() -> None:
    """docs/evidence.md, "What ten minutes can see"."""
    text = (Path(__file__).resolve().parents[2] / "docs/evidence.md").read_text(encoding="utf-8")
    table = text.partition("| errors today |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(table) == 12
    for row in table:
        rate, rps, least, to_fail, to_pass = [cell.strip() for cell in row.strip("| ").split("|")]
        found = plan_traffic(Traffic(float(rate.removesuffix(" %")) / 100, float(rps.replace(",", "")), 0.1), ASKED)
        (ten,) = [one for one in found.reaches if one.seconds == 600]
        assert float(least.removesuffix("x")) == pytest.approx(ten.least, rel=0.01)
        read_back = [duration(text.replace(" ", "")) for text in (to_fail, to_pass)]
        assert read_back == [found.fail_seconds, found.pass_seconds]
