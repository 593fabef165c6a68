"""Whether a gate's run can be long enough for a pass: in ticks that count, whatever the traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from incident_ops.canary.config import (
    LOOKBACK,
    counted_seconds,
    interval_of,
    seconds,
    warmup_of,
)
from incident_ops.canary.pass_test import FEWEST_ALONE, FEWEST_COUNTED
from incident_ops.canary.providers import grain_of, is_recorded
from incident_ops.domain.time import duration_text
from incident_ops.findings import Finding, Level, Route, Where

GATE_LENGTH_RULE = "gate-length"
"""Id of the finding; `records/file_findings.py` explains it."""


def too_few_ticks(spec: Mapping[str, Any]) -> Iterator[tuple[Route, str, str]]:
    """(route below spec, what is wrong, how to fix it) where no canary could pass."""
    ticks = _ticks(spec)
    if ticks is None:
        return
    alone = [index for index, metric in _compared(spec) if not _has_lookback(spec, metric)]
    fewest = FEWEST_ALONE if alone else FEWEST_COUNTED
    if ticks < fewest:
        why = " where no lookback shows how errors come" if alone else ""
        yield _place(spec), f"{_spelled(ticks)} after the warm-up, and a pass needs {fewest}{why}", _longer(spec)


def check_length(data: Mapping[str, Any], file: str) -> Iterator[Finding]:
    """A warning where few ticks count: errors that only the new version has in clumps may then pass."""
    spec = data["spec"]
    ticks = _ticks(spec)
    if ticks is not None and FEWEST_COUNTED <= ticks < FEWEST_ALONE:
        message = f"{_spelled(ticks)} after the warm-up: so few show little of whether errors come in clumps"
        yield Finding(GATE_LENGTH_RULE, Level.WARNING, Where(file, ("spec", *_place(spec))), message, _longer(spec))


def _ticks(spec: Mapping[str, Any]) -> int | None:
    """Ticks that count in the longest run; None where nothing is compared, or a recording says how many."""
    interval = interval_of(spec)
    if is_recorded(spec) or interval <= 0 or not _compared(spec):
        return None
    ticks = int(counted_seconds(spec) / interval + 1e-9)
    return ticks if ticks > 0 else None


def _compared(spec: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    return [
        (index, metric)
        for index, metric in enumerate(spec["metrics"])
        if metric["type"] == "errorRate" and "baseline" in metric and metric.get("dispersion") != "none"
    ]


def _has_lookback(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> bool:
    is_given = isinstance(metric.get("dispersion"), int | float)
    return is_given or seconds(metric, "lookback", LOOKBACK) >= FEWEST_ALONE * interval_of(spec)


def _place(spec: Mapping[str, Any]) -> Route:
    for key in ("interval", "duration"):
        if key in spec:
            return (key,)
    return ("steps", 0) if "steps" in spec else ()


def _spelled(ticks: int) -> str:
    return f"only {ticks} tick{'s' * (ticks != 1)} count{'s' * (ticks == 1)}"


_INTERVALS = (60, 30, 15, 10, 5, 1)


def _longer(spec: Mapping[str, Any]) -> str:
    longer = duration_text(int(FEWEST_ALONE * interval_of(spec) + warmup_of(spec)))
    lengthen = "lengthen the steps" if "steps" in spec else f"write duration: {longer}"
    shorter = next((one for one in _INTERVALS if one * FEWEST_ALONE <= counted_seconds(spec)), 0)
    if shorter <= grain_of(spec):
        return lengthen
    return f"write interval: {duration_text(shorter)} if the source is that fine, or {lengthen}"
