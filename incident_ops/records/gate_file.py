"""A gate file (`gates/*.yaml`): text -> checked data, or findings, each at its line and column.

What its schema cannot see is told by a `Judge`, which knows what a gate means (`gate.config_check`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from incident_ops.findings import Finding, Route, Where
from incident_ops.records.check import check
from incident_ops.records.faults import fault
from incident_ops.records.gate_hint import hint_of
from incident_ops.records.read import Document, read_bytes

KIND = "gate"

Judge = Callable[[Mapping[str, Any], str], Iterable[Finding]]
"""(data that fits the schema, file) -> findings with symbolic places."""

_COMMAND = re.compile(r"on(step|pass|fail|rollback)|cmd|commands?|exec|jobs?|run|scripts?|shell|(web)?hooks?")
_ADDRESS = re.compile(r"address|host|server|token|uri|url")


def load_gate(raw: bytes, file: str, judge: Judge) -> Document | list[Finding]:
    """The bytes of a gate file -> the document, or everything that is wrong with it. Never raises for bad content."""
    document = read_bytes(raw, file)
    if isinstance(document, list):
        return document
    return gate_findings(document, judge) or document


def gate_findings(document: Document, judge: Judge) -> list[Finding]:
    """Findings over a gate file that was read; what the file means is judged only where it fits the schema."""
    strange = list(_strangers(document.data, document.file, ()))
    if found := check(document, KIND):
        named = {one.where.route for one in strange}
        others = (_mended(document, one) for one in found if one.where.route not in named)
        return _placed(document, (*strange, *others))
    return _placed(document, judge(document.data, document.file))


def _mended(document: Document, found: Finding) -> Finding:
    return replace(found, hint=hint_of(found.rule, found.where.route, document.data) or found.hint)


def _placed(document: Document, found: Iterable[Finding]) -> list[Finding]:
    return sorted((one.at(document.locate(one.where)) for one in found), key=lambda one: one.sort_key)


def _strangers(data: Any, file: str, route: Route) -> Iterator[Finding]:
    """Keys that would name a command or an address; no key of the schema is among them."""
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, inner in steps:
        word = str(step).replace("-", "").replace("_", "").lower()
        where = Where(file, (*route, step), on_key=True)
        if _COMMAND.fullmatch(word):
            hint = "the caller names it: canary run --on-step, --on-pass or --on-fail COMMAND"
            yield fault("gate-command", file, f"{step!r}: a gate file holds no commands", hint).at(where)
        elif _ADDRESS.fullmatch(word):
            hint = "name a data source of policy.yaml: datasource: NAME"
            yield fault("gate-command", file, f"{step!r}: a gate file holds no addresses", hint).at(where)
        else:
            yield from _strangers(inner, file, (*route, step))
