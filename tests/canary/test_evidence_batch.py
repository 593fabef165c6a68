"""The simulation's arrays say what the product's own code says, and its promises hold in a small run of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture(name="gate")
def _gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """bench/gate.py, imported as the script it is."""
    monkeypatch.syspath_prepend(str(BENCH))
    import gate

    yield gate
    for name in ("gate", "gate_batch", "gate_pass", "gate_rollouts", "gate_shapes", "gate_starts"):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_the_arrays_agree_with_the_product(gate: ModuleType) -> None:
    """Every shape, good and bad canaries, both tick lengths, robust and plain: same verdict at the same tick."""
    rows = list(gate.agreement(gate.Sizes(good=0, bad=0, checked=2)))
    assert len(rows) == len({**gate.SHAPES, **gate.SPANNING}) * 3 * 2
    assert max(row["largest difference of ln E"] for row in rows) < 1e-9


@pytest.mark.slow
def test_the_arrays_agree_with_the_product_over_the_steps_of_rollouts(gate: ModuleType) -> None:
    """Every shape, steps of 10 to 90 %, half of the canaries break in the last: evidence and leaning, tick by tick."""
    rows = list(gate.rollouts.rollouts_agree(1, 1))
    assert len(rows) == len({**gate.SHAPES, **gate.SPANNING}) * 2
    assert max(row["largest difference of ln E"] for row in rows) < 1e-9
    assert max(row["of leaning"] for row in rows) < 1e-9


def test_good_rollouts_keep_alpha_in_a_small_run(gate: ModuleType) -> None:
    """At most 1 % of 1,000 (plus three standard errors), with clumps that are new, and few are held."""
    shape, rollouts = "clumps of 20, new with the run", gate.rollouts
    rollout = rollouts.Rollout(0.005, 1000.0, 15.0, shares=rollouts.ROLLOUTS["B"])
    row = rollouts._good(rollouts.drawn(2, gate.SHAPES[shape], rollout, 1_000, "small"), rollout, shape, "B")
    assert row["default"] <= 1.9
    assert row["held"] <= 9


@pytest.mark.parametrize(("factor", "tick"), [("dead", 15.0), ("dead", 5.0), (10.0, 15.0)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_canary_that_breaks_late_is_stopped_in_a_small_run(
    gate: ModuleType, factor: str | float, tick: float, share: float
) -> None:
    """Dead: within 60 s, with ticks of 5 s within 25 s; ten times 0.5 %: within three minutes."""
    rollouts = gate.rollouts
    worse = rollouts.DEAD if factor == "dead" else rollouts.TENFOLD
    rollout = rollouts.Rollout(0.005, 100.0, tick, shares=(*rollouts.BEFORE[share], share))
    row = rollouts._broken(2, 200, "ideal", rollout, worse)
    assert row["within"] >= 93
    assert row["auto and obvious, within"] >= (93 if factor == "dead" else 80)


def test_a_difference_ends_the_run(gate: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison can fail: arrays that bet a little more are found out."""
    monkeypatch.setattr(gate.starts, "BOLDEST", 0.96)
    with pytest.raises(SystemExit, match="the product and the arrays differ"):
        list(gate.agreement(gate.Sizes(good=0, bad=0, checked=2)))


@pytest.mark.parametrize(
    "shape", ["ideal", "heavy-tailed clumps, both", "clumps of 20, canary only", "noisy pods, cv 2"]
)
def test_good_canaries_keep_alpha_in_a_small_run(gate: ModuleType, shape: str) -> None:
    """At most 1 % of 1,000 (plus three standard errors), where counts alone fail up to half."""
    setting = gate.Setting(0.005, 10, 15.0)
    runs = gate.drawn(gate.SHAPES[shape], setting, 1_000, shape)
    assert gate.percent((gate.by_default(runs, setting).rule.both >= gate.FAIL_AT).any(axis=1)) <= 1.9


def test_bad_canaries_are_seen_in_a_small_run(gate: ModuleType) -> None:
    """0.5 %, twice as bad, 10 requests a second, polled every 5 s: three in four within ten minutes."""
    setting = gate.Setting(0.005, 10, 5.0, ratio=2.0)
    runs = gate.drawn(gate.SHAPES["ideal"], setting, 500, "bad")
    assert gate.percent((gate.by_default(runs, setting).rule.both >= gate.FAIL_AT).any(axis=1)) >= 72


@pytest.mark.slow
def test_good_canaries_pass_nearly_as_often_as_any_test_could(gate: ModuleType) -> None:
    """0.5 %, share 10 %, 600 s, at 1, 10 and 100 requests a second: 80 % of the best unbiased test's; twice is 5 %."""
    for row in gate.gate_pass.good_passes(gate.drawn, 1_000):
        assert row["passes"] >= 0.8 * row["bound"] - 2
        assert row["2x passes"] <= 6
        assert row["passes"] >= row["before"]


@pytest.mark.parametrize("shape", ["clumps of 5, both", "clumps of 20, both", "noisy pods, cv 2"])
def test_canaries_twice_as_bad_pass_in_one_of_twenty_at_most(gate: ModuleType, shape: str) -> None:
    """Whatever the errors look like on both sides: 5 % of 1,000 plus two standard errors."""
    for rate, rps in gate.gate_pass.CLUMP_SETTINGS[:4]:
        setting = gate.Setting(rate, rps, 15.0, ratio=2.0)
        runs = gate.drawn(gate.SHAPES[shape], setting, 1_000, shape)
        assert gate.percent(gate.batch.look_by_own_span(runs, setting.tick).passes(gate.BETA)) <= 6.4


def test_a_pass_takes_so_many_ticks_whatever_the_share(gate: ModuleType) -> None:
    """5 to 8, from a twentieth to half of the traffic."""
    rows = list(gate.gate_pass.ticks_to_pass(gate.np.random.default_rng(1), 200))
    assert [row["share"] for row in rows] == [0.05, 0.1, 0.2, 0.5]
    assert all(5 <= row["ticks"] <= 8 <= row["before"] for row in rows)


def test_a_canary_that_is_bad_in_the_last_step_only_does_not_pass(gate: ModuleType) -> None:
    """The whole run alone would let nearly all pass."""
    for row in gate.gate_pass.last_step(gate.np.random.default_rng(1), 500):
        assert row["whole run alone"] >= 95
        assert (
            row["with the last step"] >= 92
            if row["factor"] == 1
            else row["factor"] != 2 or row["with the last step"] <= 5
        )
