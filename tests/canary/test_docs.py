"""The examples of docs/gate.md and gate-files.md: ours are sound gate files, and say what those beside them say."""

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

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = "".join((DOCS / name).read_text(encoding="utf-8") for name in ("gate.md", "gate-files.md"))
BLOCKS = [block for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if "kind: " in block]
OURS = [block for block in BLOCKS if "kind: CanaryAnalysis" in block]


def theirs(kind: str) -> Any:
    (block,) = (block for block in BLOCKS if f"kind: {kind}\n" in block)
    return yaml.safe_load(block)["spec"]


def ours(name: str) -> tuple[Any, Analysis]:
    (block,) = (block for block in OURS if yaml.safe_load(block)["metadata"]["name"] == name)
    loaded = load_gate(block.encode(), "gates/g.yaml", check_gate_file)
    assert isinstance(loaded, Document), loaded
    return loaded.data["spec"], to_analysis(loaded.data)


@pytest.mark.parametrize("block", OURS, ids=range(len(OURS)))
def test_every_gate_of_the_page_is_sound(block: str) -> None:
    """As `canary validate` sees it."""
    assert isinstance(load_gate(block.encode(), "gates/g.yaml", check_gate_file), Document)


def test_the_argo_example_is_the_same_metric_on_both_sides() -> None:
    """The same words; the query moves up into the metric, the provider to spec."""
    (before,), (spec, _) = theirs("AnalysisTemplate")["metrics"], ours("checkout-latency")
    (after,) = spec["metrics"]
    assert after["type"] == "threshold"
    for word in ("name", "interval", "count", "successCondition", "failureLimit"):
        assert after[word] == before[word]
    assert after["query"] == before["provider"]["prometheus"]["query"]
    assert spec["args"] == theirs("AnalysisTemplate")["args"]


def test_the_flagger_example_asks_for_the_same_limits() -> None:
    """Weights, numbers, and how many failed checks are borne."""
    before, (_, after) = theirs("Canary")["analysis"], ours("checkout-rollout")
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
    section = PAGE.partition("## Moving from Flagger")[2].partition("\n## Threshold metrics")[0]
    assert [word for word in words if word not in section] == []
