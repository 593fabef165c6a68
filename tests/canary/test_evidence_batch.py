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
    for name in ("gate", "gate_batch", "gate_shapes", "gate_starts"):
        sys.modules.pop(name, None)


def test_the_arrays_agree_with_the_product(gate: ModuleType) -> None:
    """Every shape, good and bad canaries, both tick lengths, robust and plain: same verdict at the same tick."""
    rows = list(gate.agreement(gate.Sizes(good=0, bad=0, checked=2)))
    assert len(rows) == len({**gate.SHAPES, **gate.SPANNING}) * 3 * 2
    assert max(row["largest difference of ln E"] for row in rows) < 1e-9


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
