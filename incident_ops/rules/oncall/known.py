"""Every schedule that policy and services name is there.

`oncall:primary` stands for whoever is on call by oncall/primary.yaml. Without that file nobody is notified.

    before: on_call: ["oncall:primry"]
    after:  on_call: ["oncall:primary"]
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from incident_ops.domain.oncall import REFERENCE, schedule_named
from incident_ops.findings import Finding, Level, Where, did_you_mean
from incident_ops.rules._support import text_values

ID = "oncall-known"
LEVEL = Level.ERROR
TIMED = False


def check_references(data: Any, file: str, names: Collection[str]) -> Iterator[Finding]:
    """Every `oncall:NAME` of policy.yaml or services.yaml whose schedule is not one of `names`."""
    for route, text, is_key in text_values(data):
        if is_key or not text.startswith(REFERENCE) or schedule_named(text) in names:
            continue
        near = did_you_mean(text.removeprefix(REFERENCE), sorted(names))
        hint = near or "write it: incident-ops init --on-call @handle, or see docs/oncall.md"
        message = f"{text!r} names no schedule: there is no file oncall/{text.removeprefix(REFERENCE)}.yaml"
        yield Finding(ID, LEVEL, Where(file, route), message, hint)
