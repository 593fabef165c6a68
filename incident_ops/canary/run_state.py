"""The evidence as a file that a re-run continues: versioned, and refused where it belongs to something else.

A run as a file that a re-run continues: versioned, and refused where it belongs to something else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import msgspec

from incident_ops.canary.config import Analysis, ErrorRate
from incident_ops.canary.evidence import Evidence
from incident_ops.canary.evidence_settings import MULTIPLES, EvidenceSettings
from incident_ops.canary.run import Run, stages
from incident_ops.canary.threshold import Totals
from incident_ops.canary.tick import MetricHistory
from incident_ops.errors import UserError

EVIDENCE_VERSION = 1
EVIDENCE_KIND = "canary-evidence"
_START_ANEW = "remove the state file to start anew"


class EvidenceState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds: whose evidence it is, what it was asked for, when the run began, and the evidence."""

    schema: int
    kind: str
    subject: str
    started_at: str
    settings: dict[str, str | float | bool | None]
    evidence: Evidence


def evidence_to_json(settings: EvidenceSettings, evidence: Evidence, subject: str, started_at: str) -> str:
    """The state file's text, the same for the same evidence. `subject` names what is judged: service, SHA, metric.

    `started_at` is the instant the run began, as text; the evidence counts its seconds from there.
    """
    state = EvidenceState(EVIDENCE_VERSION, EVIDENCE_KIND, subject, started_at, asdict(settings), evidence)
    return msgspec.json.format(msgspec.json.encode(state, order="deterministic"), indent=1).decode() + "\n"


def evidence_from_json(text: str | bytes, settings: EvidenceSettings, subject: str) -> tuple[Evidence, str]:
    """The evidence and the instant the run began. UserError for a file that is not one, or belongs to another run."""
    state = _decode(text)
    if state.subject != subject:
        raise UserError(f"the state file belongs to {state.subject!r}, not to {subject!r}", hint=_START_ANEW)
    now = asdict(settings)
    for name in sorted({*now, *state.settings}):
        was, wanted = state.settings.get(name), now.get(name)
        if was != wanted:
            raise UserError(
                f"the state file was written with {name} {was!r}, now it is {wanted!r}",
                hint=f"evidence cannot change its question: set it back, or {_START_ANEW}",
            )
    _demand_sound(settings, state.evidence)
    return state.evidence, state.started_at


def _decode(text: str | bytes) -> EvidenceState:
    try:
        head = msgspec.json.decode(text, type=dict[str, object])
        if head.get("kind") != EVIDENCE_KIND:
            raise UserError("the state file is not canary evidence", hint=_START_ANEW)
        if head.get("schema") != EVIDENCE_VERSION:
            raise UserError(
                f"the state file has version {head.get('schema')!r}, not {EVIDENCE_VERSION}", hint=_START_ANEW
            )
        return msgspec.json.decode(text, type=EvidenceState)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"the state file cannot be read: {error}", hint=_START_ANEW) from None


def _demand_sound(settings: EvidenceSettings, evidence: Evidence) -> None:
    asked = (settings.max_ratio, settings.max_error_rate, settings.min_error_rate)
    kept = (evidence.ratio, evidence.limit, evidence.floor)
    is_whole = all((one is None) == (other is None) for one, other in zip(asked, kept, strict=True))
    if evidence.ratio is not None:
        is_whole &= len(evidence.ratio.scores) == len(settings.grid.points)
    stakes = [evidence.ratio.worse, evidence.ratio.better] if evidence.ratio else []
    stakes += [one.above for one in (evidence.limit, evidence.floor) if one]
    for one in stakes:
        is_whole &= len(one.capitals) == len(MULTIPLES) and min(one.capitals) >= 0 and sum(one.capitals) > 0
    is_whole &= evidence.block_ticks >= 1
    if not is_whole or not all(map(math.isfinite, _numbers(msgspec.to_builtins(evidence)))):
        raise UserError("the state file is damaged: its evidence does not fit its settings", hint=_START_ANEW)


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _numbers(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one)


RUN_VERSION, RUN_KIND = 1, "canary-run"


class Owner(msgspec.Struct, frozen=True):
    """Whose run it is: what is deployed where, and the digest of the gate file that judges it."""

    service: str
    environment: str
    sha: str
    gate: str
    digest: str

    def subject(self, metric: str) -> str:
        """What the evidence of a metric is about."""
        return f"{self.gate}/{self.service}/{self.environment}/{self.sha}/{metric}"


class _Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    due: float
    errors: int
    told: str
    totals: Totals
    evidence: dict[str, Any] | None = None


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: int
    kind: str
    owner: Owner
    started_at: str
    verdict: str | None
    horizon: float
    at: float
    turns: int
    stage: int
    metrics: dict[str, _Metric]


def run_to_json(analysis: Analysis, run: Run, owner: Owner, started_at: str, verdict: str | None = None) -> str:
    """The state file's text. `verdict` is the run's last word; without one a re-run goes on."""
    metrics: dict[str, Any] = {}
    for metric in analysis.metrics:
        learnt = run.metrics[metric.name]
        kept = msgspec.to_builtins(msgspec.structs.replace(learnt, evidence=None))
        if isinstance(metric, ErrorRate) and learnt.evidence is not None:
            text = evidence_to_json(metric.settings, learnt.evidence, owner.subject(metric.name), started_at)
            kept["evidence"] = json.loads(text)
        metrics[metric.name] = kept
    head = {"schema": RUN_VERSION, "kind": RUN_KIND, "owner": msgspec.to_builtins(owner), "started_at": started_at}
    data = {**head, "verdict": verdict, "horizon": run.horizon, "at": run.at, "turns": run.turns, "stage": run.stage}
    return json.dumps({**data, "metrics": metrics}, indent=1) + "\n"


def run_from_json(text: str | bytes, analysis: Analysis, owner: Owner) -> tuple[Run, str]:
    """The run and the instant it began. UserError for a file that is none, is another run's, or has its verdict.

    A verdict is not said twice: evidence of an earlier deploy must never let a later one pass.
    """
    state = _decoded(text)
    for name, was, now in zip(Owner.__struct_fields__, _told(state.owner), _told(owner), strict=True):
        if was != now:
            what = "another version of the gate file" if name == "digest" else f"{name} {was!r}, not {now!r}"
            raise UserError(f"the state file belongs to {what}", hint=_START_ANEW)
    if state.verdict is not None:
        raise UserError(f"the run of the state file has ended: {state.verdict}", hint=_START_ANEW)
    if set(state.metrics) != {one.name for one in analysis.metrics}:
        raise UserError("the state file has other metrics than the gate", hint=_START_ANEW)
    metrics: dict[str, MetricHistory] = {}
    for metric in analysis.metrics:
        kept = state.metrics[metric.name]
        evidence: Evidence | None = None
        if isinstance(metric, ErrorRate):
            kept_text = json.dumps(kept.evidence or {})
            evidence, _ = evidence_from_json(kept_text, metric.settings, owner.subject(metric.name))
        metrics[metric.name] = MetricHistory(evidence, kept.totals, kept.due, kept.errors, kept.told)
    _run_state_demand_sound(state, len(stages(analysis)))
    return Run(state.horizon, metrics, state.at, state.turns, state.stage), state.started_at


def _decoded(text: str | bytes) -> _State:
    try:
        head = msgspec.json.decode(text, type=dict[str, object])
        if head.get("kind") != RUN_KIND or head.get("schema") != RUN_VERSION:
            raise UserError("the state file is not a canary run of this version", hint=_START_ANEW)
        return msgspec.json.decode(text, type=_State)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"the state file cannot be read: {error}", hint=_START_ANEW) from None


def _told(owner: Owner) -> tuple[str, ...]:
    return msgspec.structs.astuple(owner)


def _run_state_demand_sound(state: _State, steps: int) -> None:
    numbers = [state.horizon, state.at, *(one.due for one in state.metrics.values())]
    if not all(0 <= one < 1e9 for one in numbers) or not 0 <= state.stage < steps or state.turns < 0:
        raise UserError("the state file is damaged: its numbers are none of a run", hint=_START_ANEW)
