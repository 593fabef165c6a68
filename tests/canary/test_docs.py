"""The gates of docs/gate-files.md and examples/ are sound; those of examples/migrating say what is beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_ops.canary.config import Analysis, ThresholdMetric, to_analysis
from incident_ops.canary.config_check import check_gate_file
from incident_ops.records.gate_file import load_gate
from incident_ops.records.yaml_reader import Document

ROOT = Path(__file__).resolve().parents[2]
MIGRATING = ROOT / "examples/migrating"
PAGE = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("gate.md", "gate-files.md"))
BLOCKS = [
    block
    for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    if "kind: CanaryAnalysis" in block
]
FILES = sorted(ROOT.glob("examples/*/gates/*.yaml"))
OURS = [*BLOCKS, *(path.read_text(encoding="utf-8") for path in FILES)]


def theirs(name: str) -> Any:
    return yaml.safe_load((MIGRATING / f"{name}.yaml").read_text(encoding="utf-8"))["spec"]


def ours(name: str) -> tuple[Any, Analysis]:
    loaded = load_gate((MIGRATING / f"gates/{name}.yaml").read_bytes(), "gates/g.yaml", check_gate_file)
    assert isinstance(loaded, Document), loaded
    return loaded.data["spec"], to_analysis(loaded.data)


@pytest.mark.parametrize("block", OURS, ids=range(len(OURS)))
def test_every_gate_of_the_pages_and_the_examples_is_sound(block: str) -> None:
    """As `canary validate` sees it."""
    assert isinstance(load_gate(block.encode(), "gates/g.yaml", check_gate_file), Document)


def test_there_are_gates_in_both() -> None:
    """A page or a folder that moved is not silently left out."""
    assert BLOCKS
    assert {"toy.yaml", "checkout-latency.yaml", "checkout-rollout.yaml"} <= {path.name for path in FILES}


def test_the_argo_example_is_the_same_metric_on_both_sides() -> None:
    """The same words; the query moves up into the metric, the provider to spec."""
    (before,), (spec, _) = theirs("argo")["metrics"], ours("checkout-latency")
    (after,) = spec["metrics"]
    assert after["type"] == "threshold"
    for word in ("name", "interval", "count", "successCondition", "failureLimit"):
        assert after[word] == before[word]
    assert after["query"] == before["provider"]["prometheus"]["query"]
    assert spec["args"] == theirs("argo")["args"]


def test_the_flagger_example_asks_for_the_same_limits() -> None:
    """Weights, numbers, and how many failed checks are borne."""
    before, (_, after) = theirs("flagger")["analysis"], ours("checkout-rollout")
    assert [one.weight for one in after.steps] == [*before["stepWeights"], 100]
    assert [one.name for one in after.metrics] == [one["name"] for one in before["metrics"]]
    limits = {one["name"]: one["thresholdRange"] for one in before["metrics"]}
    for one in after.metrics:
        if isinstance(one, ThresholdMetric):
            assert one.threshold.failure_limit == before["threshold"] - 1
            assert one.threshold.failure is not None
            assert f"result > {limits[one.name]['max']}" in one.threshold.failure.text
        else:
            assert one.settings.max_error_rate == pytest.approx(1 - limits[one.name]["min"] / 100)
    words = ("stepWeight", "maxWeight", "iterations", "threshold:", "thresholdRange", "templateRef", "webhooks")
    page = (MIGRATING / "README.md").read_text(encoding="utf-8")
    assert [word for word in words if word not in page] == []
