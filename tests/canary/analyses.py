"""Gate files as values, and answers for their metrics."""

from __future__ import annotations

from typing import Any

from incident_ops.canary.config import Analysis, to_analysis
from incident_ops.canary.counters import NO_CANARY_TRAFFIC, Counts, Gap
from incident_ops.canary.run import Run, advance
from incident_ops.canary.verdict import SideCounts, TickReading

GOOD = SideCounts(Counts(6, 300), Counts(54, 2700))
BAD = SideCounts(Counts(30, 300), Counts(54, 2700))
FEW = SideCounts(Counts(0, 5), Counts(0, 45))
SILENT = SideCounts(Gap(NO_CANARY_TRAFFIC, "canary: no requests"), Counts(54, 2700))
LATENCY = {"name": "p99", "type": "threshold", "query": "p99", "successCondition": "result < 0.5"}


def analysis(*metrics: dict[str, Any], **spec: Any) -> Analysis:
    """A gate of one error rate, or of `metrics`, read from a file with ticks of 15 s unless `spec` says otherwise."""
    found = metrics or ({"name": "errors", "type": "errorRate"},)
    return to_analysis({"metadata": {"name": "g"}, "spec": {"provider": {"file": {}}, "metrics": list(found), **spec}})


def fed(gate: Analysis, run: Run, *answers: TickReading, name: str = "errors", begin: float = 0.0) -> Run:
    """The run after these answers, one every 15 s."""
    for number, answer in enumerate(answers, start=1):
        run = advance(gate, run, begin + 15.0 * number, {name: answer})
    return run
