"""A run as a file that a re-run continues: versioned, and refused where it belongs to something else."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from incident_ops.errors import UserError
from incident_ops.gate import evidence_state
from incident_ops.gate.config import Analysis, ErrorRate
from incident_ops.gate.evidence import Evidence
from incident_ops.gate.run import Run
from incident_ops.gate.steps import stages
from incident_ops.gate.threshold import Totals
from incident_ops.gate.tick import Learnt

VERSION, KIND = 1, "canary-run"
_START_ANEW = "remove the state file to start anew"


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


def to_json(analysis: Analysis, run: Run, owner: Owner, started_at: str, verdict: str | None = None) -> str:
    """The state file's text. `verdict` is the run's last word; without one a re-run goes on."""
    metrics: dict[str, Any] = {}
    for metric in analysis.metrics:
        learnt = run.metrics[metric.name]
        kept = msgspec.to_builtins(msgspec.structs.replace(learnt, evidence=None))
        if isinstance(metric, ErrorRate) and learnt.evidence is not None:
            text = evidence_state.to_json(metric.settings, learnt.evidence, owner.subject(metric.name), started_at)
            kept["evidence"] = json.loads(text)
        metrics[metric.name] = kept
    head = {"schema": VERSION, "kind": KIND, "owner": msgspec.to_builtins(owner), "started_at": started_at}
    data = {**head, "verdict": verdict, "horizon": run.horizon, "at": run.at, "turns": run.turns, "stage": run.stage}
    return json.dumps({**data, "metrics": metrics}, indent=1) + "\n"


def from_json(text: str | bytes, analysis: Analysis, owner: Owner) -> tuple[Run, str]:
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
    metrics: dict[str, Learnt] = {}
    for metric in analysis.metrics:
        kept = state.metrics[metric.name]
        evidence: Evidence | None = None
        if isinstance(metric, ErrorRate):
            kept_text = json.dumps(kept.evidence or {})
            evidence, _ = evidence_state.from_json(kept_text, metric.settings, owner.subject(metric.name))
        metrics[metric.name] = Learnt(evidence, kept.totals, kept.due, kept.errors, kept.told)
    _demand_sound(state, len(stages(analysis)))
    return Run(state.horizon, metrics, state.at, state.turns, state.stage), state.started_at


def _decoded(text: str | bytes) -> _State:
    try:
        head = msgspec.json.decode(text, type=dict[str, object])
        if head.get("kind") != KIND or head.get("schema") != VERSION:
            raise UserError("the state file is not a canary run of this version", hint=_START_ANEW)
        return msgspec.json.decode(text, type=_State)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"the state file cannot be read: {error}", hint=_START_ANEW) from None


def _told(owner: Owner) -> tuple[str, ...]:
    return msgspec.structs.astuple(owner)


def _demand_sound(state: _State, steps: int) -> None:
    numbers = [state.horizon, state.at, *(one.due for one in state.metrics.values())]
    if not all(0 <= one < 1e9 for one in numbers) or not 0 <= state.stage < steps or state.turns < 0:
        raise UserError("the state file is damaged: its numbers are none of a run", hint=_START_ANEW)
