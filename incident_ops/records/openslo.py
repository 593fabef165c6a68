"""An OpenSLO file (openslo/v1, kind SLO) -> the objective in it: target, window, and what is counted."""

from __future__ import annotations

import re
from typing import Any

from incident_ops.domain.policy import REQUEST_BUDGET, TIME_BUDGET, Objective
from incident_ops.errors import UserError
from incident_ops.findings import Finding
from incident_ops.records.store import Store
from incident_ops.records.yaml_reader import read_bytes

_DAY = 86_400
_UNITS = {"m": 60, "h": 3_600, "d": _DAY, "w": 7 * _DAY, "M": 30 * _DAY, "Q": 90 * _DAY, "Y": 365 * _DAY}
_DURATION = re.compile(r"([1-9][0-9]{0,4})([mhdwMQY])", re.ASCII)
_MODES = {"Occurrences": REQUEST_BUDGET, "Timeslices": TIME_BUDGET, "RatioTimeslices": TIME_BUDGET}


def load_objective(store: Store, path: str) -> Objective:
    """The first objective of the SLO in a file of the repository. UserError where there is none that can be used.

    A month is 30 days, a quarter 90: the window rolls. `Occurrences` counts requests, the two others time.
    """
    raw = store.read(path)
    document = read_bytes(raw, path) if isinstance(raw, bytes) else raw
    if document is None:
        raise UserError("there is no such OpenSLO file", where=path, hint="services.yaml names it in `slo`")
    if isinstance(document, Finding | list):
        first = document[0] if isinstance(document, list) else document
        raise UserError(first.message, where=str(first.where) or path, hint=first.hint)
    data = document.data
    if not isinstance(data, dict) or data.get("kind") != "SLO" or data.get("apiVersion") != "openslo/v1":
        raise UserError(
            "this is not an OpenSLO file", where=path, hint="it must begin with apiVersion: openslo/v1, kind: SLO"
        )
    spec = data.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    mode = _MODES.get(str(spec.get("budgetingMethod")))
    if mode is None:
        raise UserError("spec.budgetingMethod is unknown", where=path, hint=", ".join(_MODES))
    return Objective(_target(_first(spec, "objectives"), path), _window(_first(spec, "timeWindow"), path), mode)


def _first(spec: dict[str, Any], name: str) -> dict[str, Any]:
    entries = spec.get(name)
    return entries[0] if isinstance(entries, list) and entries and isinstance(entries[0], dict) else {}


def _target(objective: dict[str, Any], path: str) -> float:
    part, percent = objective.get("target"), objective.get("targetPercent")
    value = percent if part is None else part
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= (100 if part is None else 1):
        hint = "target: 0.999, or targetPercent: 99.9"
        raise UserError("spec.objectives has no usable target", where=path, hint=hint)
    return float(value) if part is None else round(float(value) * 100, 9)


def _window(window: dict[str, Any], path: str) -> int:
    match = _DURATION.fullmatch(str(window.get("duration")))
    if not match or window.get("isRolling") is False:
        hint = "timeWindow: [{duration: 30d, isRolling: true}]"
        raise UserError("spec.timeWindow has no usable rolling duration", where=path, hint=hint)
    return int(match[1]) * _UNITS[match[2]]
