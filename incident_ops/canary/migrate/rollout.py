"""The steps of a Rollout of Argo, and where in them which analysis runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from incident_ops.canary.config import DURATION, FULL
from incident_ops.canary.migrate.notebook import SourcePart
from incident_ops.canary.migrate.reading import duration_of, spelled, whole_number
from incident_ops.canary.migrate.sources import Migration

GATE_STEPS = 50

REVIEWERS = "for a person to decide end the job with the step: --step-state, and an environment with reviewers"
_ROUTING = "traffic is the pipeline's: --on-step CMD, with $INCIDENT_OPS_WEIGHT"
_STEPS = {
    "setCanaryScale": (_ROUTING, False),
    "setHeaderRoute": (_ROUTING, False),
    "setMirrorRoute": (_ROUTING, False),
    "plugin": ("run it by --on-step", False),
    "replicaProgressThreshold": (_ROUTING, False),
    "experiment": ("compare canary and baseline in the gate: type errorRate", True),
}

MeasureAnalysis = Callable[[SourcePart, float], float]
"""(where an analysis is named, seconds since the begin) -> for how many seconds it measures."""


@dataclass
class RolloutTimes:
    """The weights with their seconds so far, and the second at which each step of the source begins."""

    steps: list[tuple[int, float]] = field(default_factory=list)
    begins: list[float] = field(default_factory=list)
    weight: int = 0
    seconds: float = 0.0
    at: float = 0.0

    def wait(self, seconds: float) -> None:
        """Stays at the weight; before there is one, no time of the gate goes by."""
        if self.weight:
            self.seconds += seconds
            self.at += seconds

    def enter(self, weight: int) -> bool:
        """Goes to a weight; False where the one before had no time of its own."""
        had_time = not self.weight or self.seconds > 0
        if self.weight and self.seconds > 0:
            self.steps.append((self.weight, self.seconds))
        self.weight, self.seconds = weight, 0.0
        return had_time


def rollout_steps(rollout: SourcePart, migration: Migration, measure: MeasureAnalysis) -> list[dict[str, Any]]:
    """`steps` of the gate; analyses on the way are handed to `measure`."""
    for key in rollout.data:
        if key != "strategy":
            rollout.whole(key)  # what runs, not how it is judged
    strategy = rollout.part("strategy")
    if "blueGreen" in strategy:
        return _blue_green(strategy.part("blueGreen"), measure)
    canary = strategy.part("canary")
    _services(canary, migration)
    times = RolloutTimes()
    for step in canary.parts("steps"):
        times.begins.append(times.at)
        _step(step, migration, times, measure)
    times.enter(FULL)
    background = canary.part("analysis")
    if background.data:
        start = whole_number(background, "startingStep", migration.arguments) or 0
        known = 0 <= start < len(times.begins)
        measure(background, times.begins[start] if known else 0.0)
    return _rising(canary, times.steps)


def _blue_green(strategy: SourcePart, measure: MeasureAnalysis) -> list[dict[str, Any]]:
    for key in list(strategy.data):
        if key in ("prePromotionAnalysis", "postPromotionAnalysis"):
            measure(strategy.part(key), 0.0)
            strategy.differs(key, "duration", "one run, without steps", "run it before, or after, the switch")
        else:
            strategy.whole(key)
    return []


def _services(canary: SourcePart, migration: Migration) -> None:
    """The names of the two services say how a query changes from the new version to the old one."""
    new, old = canary.text("canaryService"), canary.text("stableService")
    if new and old:
        migration.pairs.append((re.compile(rf"(?<![A-Za-z0-9-]){re.escape(new)}(?![A-Za-z0-9-])"), old))
    for key in ("trafficRouting", "maxSurge", "maxUnavailable", "canaryMetadata", "stableMetadata", "antiAffinity"):
        if key in canary:
            canary.refused(key, "a gate moves no traffic", _ROUTING)
    for key in ("dynamicStableScale", "abortScaleDownDelaySeconds", "scaleDownDelaySeconds", "minPodsPerReplicaSet"):
        canary.whole(key)


def _step(step: SourcePart, migration: Migration, times: RolloutTimes, measure: MeasureAnalysis) -> None:
    if "setWeight" in step:
        weight = whole_number(step, "setWeight", migration.arguments)
        if weight is None or not 0 <= weight <= FULL:
            return
        if not times.enter(weight):
            step.differs("setWeight", "", "the step before it has no time of its own and is left out", "")
        else:
            step.same("setWeight", f"steps: weight: {weight}")
    elif "pause" in step:
        _pause(step, migration, times)
    elif "analysis" in step:
        times.wait(measure(step.part("analysis"), times.at))
    else:
        for key in step.data:
            way, weakens = _STEPS.get(key, (_ROUTING, False))
            step.refused(key, "a gate has no such step", way, weakens=weakens)


def _pause(step: SourcePart, migration: Migration, times: RolloutTimes) -> None:
    pause = step.part("pause")
    if "duration" in pause:
        found = duration_of(pause, "duration", migration.arguments)
        if found:
            times.wait(found)
            pause.same("duration", f"duration: {spelled(found)}")
        return
    times.wait(DURATION)
    step.differs(
        "pause", f"duration: {spelled(DURATION)}", "it waits for a person there, and ends by itself here", REVIEWERS
    )


def _rising(canary: SourcePart, steps: list[tuple[int, float]]) -> list[dict[str, Any]]:
    """The steps with rising weights below full traffic, and full traffic after them."""
    found: list[tuple[int, float]] = []
    for weight, seconds in steps:
        if found and weight == found[-1][0]:
            found[-1] = (weight, found[-1][1] + seconds)
        elif 0 < weight < FULL and (not found or weight > found[-1][0]):
            found.append((weight, seconds))
        elif weight and weight < FULL:
            text = f"weight {weight} comes after {found[-1][0]}: weights rise here, so it is left out"
            canary.differs("steps", "steps", text)
    return steps_of(canary, "steps", found)


def steps_of(part: SourcePart, key: str, steps: list[tuple[int, float]]) -> list[dict[str, Any]]:
    """`steps` of a gate from (weight, seconds), full traffic at the end; the fewer that a gate can have."""
    if not steps:
        return []
    joined = -(-len(steps) // (GATE_STEPS - 1))
    if joined > 1:
        text = f"{len(steps)} steps are more than {GATE_STEPS}: every {joined} of them are one, as long as all"
        part.differs(key, "steps", text)
        groups = [steps[at : at + joined] for at in range(0, len(steps), joined)]
        steps = [(group[-1][0], sum(seconds for _, seconds in group)) for group in groups]
    made = [{"weight": weight, "duration": spelled(seconds)} for weight, seconds in steps]
    return [*made, {"weight": FULL}]
