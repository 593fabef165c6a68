"""The evidence as a file that a re-run continues: versioned, and refused where it belongs to something else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict

import msgspec

from incident_ops.errors import UserError
from incident_ops.gate.evidence import Evidence
from incident_ops.gate.evidence_settings import Settings
from incident_ops.gate.ratio_grid import MULTIPLES

VERSION = 1
KIND = "canary-evidence"
_START_ANEW = "remove the state file to start anew"


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds: whose evidence it is, what it was asked for, when the run began, and the evidence."""

    schema: int
    kind: str
    subject: str
    started_at: str
    settings: dict[str, str | float | bool | None]
    evidence: Evidence


def to_json(settings: Settings, evidence: Evidence, subject: str, started_at: str) -> str:
    """The state file's text, the same for the same evidence. `subject` names what is judged: service, SHA, metric.

    `started_at` is the instant the run began, as text; the evidence counts its seconds from there.
    """
    state = State(VERSION, KIND, subject, started_at, asdict(settings), evidence)
    return msgspec.json.format(msgspec.json.encode(state, order="deterministic"), indent=1).decode() + "\n"


def from_json(text: str | bytes, settings: Settings, subject: str) -> tuple[Evidence, str]:
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


def _decode(text: str | bytes) -> State:
    try:
        head = msgspec.json.decode(text, type=dict[str, object])
        if head.get("kind") != KIND:
            raise UserError("the state file is not canary evidence", hint=_START_ANEW)
        if head.get("schema") != VERSION:
            raise UserError(f"the state file has version {head.get('schema')!r}, not {VERSION}", hint=_START_ANEW)
        return msgspec.json.decode(text, type=State)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"the state file cannot be read: {error}", hint=_START_ANEW) from None


def _demand_sound(settings: Settings, evidence: Evidence) -> None:
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
