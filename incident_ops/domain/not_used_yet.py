"""Keys that are accepted and that nothing reads in this version, each with the capability it waits for.

A preset may set them, `policy show` lists them; a user's own file that sets one gets a warning. A key leaves this
table with the code that reads it: tests/house/test_every_key_acts.py holds both ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from incident_ops.domain.record import Route

_METRICS, _MAINTENANCE = "the metrics report", "maintenance windows with notices"
_SUSPECTS, _INTAKE, _PAGE = "the list of suspect changes", "alert intake", "the status page"
_BLOCKS = "checklists by minutes since the declaration"
_MAJOR = "clocks of major incidents by severity (the priority's level counts)"

POLICY: Mapping[str, str] = {
    "scheme.version": "upgrades of a scheme",
    **{
        f"scheme.major.[].{name}": _MAJOR
        for name in (
            *("response", "resolution", "response_warn_at", "warn_at", "escalate_at", "stagnation"),
            *("defer_if_active_within", "calendar", "goal_text"),
        )
    },
    "scheme.major.[].runbook_blocks": _BLOCKS,
    "levels.[].runbook_blocks": _BLOCKS,
    "triage.within": _METRICS,
    "triage.recent_changes": _SUSPECTS,
    "triage.causes": _SUSPECTS,
    "maintenance.notices": _MAINTENANCE,
    "maintenance.usual_window": _MAINTENANCE,
    "maintenance.approvals": _MAINTENANCE,
    "maintenance.checklist": _MAINTENANCE,
    "maintenance.checklist_due": _MAINTENANCE,
    "targets.detection": _METRICS,
    "targets.repeat_reduction_pct": _METRICS,
    "targets.mttr_trend": _METRICS,
    "targets.coordination": _METRICS,
    "targets.report": _METRICS,
    "contacts.*.name": "people's names in documents",
    "ingest": _INTAKE,
    "publish.enabled": _PAGE,
    "publish.title": _PAGE,
    "publish.url": _PAGE,
    "write_back.commands": "commands given in issues and forms",
}
SERVICES: Mapping[str, str] = {
    "services.*.paths": _SUSPECTS,
    "services.*.labels": _INTAKE,
}
NOT_USED_YET: dict[str, Mapping[str, str]] = {"policy": POLICY, "services": SERVICES, "gate": {}}
"""By kind of file: the path of a key or of a whole block (`[]` = each entry, `*` = each name) -> what it waits for."""


class Unused(NamedTuple):
    """A key that is set and not used yet: where it stands, its path in the table, what it waits for."""

    route: Route
    path: str
    capability: str


def unused(kind: str, data: Any) -> Iterator[Unused]:
    """Every key of a file's data that nothing reads yet; one that is null or empty sets nothing."""
    for path, capability in NOT_USED_YET[kind].items():
        for route in places(data, tuple(path.split("."))):
            if _sets_something(value_at(data, route)):
                yield Unused(route, path, capability)


def _sets_something(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_sets_something, value.values() if isinstance(value, dict) else value))
    return value is not None


def places(data: Any, path: tuple[str, ...]) -> Iterator[Route]:
    """Where in data a path leads to: `[]` stands for each entry of a list, `*` for each key of a mapping."""
    if not path:
        yield ()
        return
    step, rest = path[0], path[1:]
    if isinstance(data, list):
        entries: list[tuple[str | int, Any]] = list(enumerate(data)) if step == "[]" else []
    elif isinstance(data, dict):
        entries = [(name, value) for name, value in data.items() if step in ("*", name)]
    else:
        entries = []
    for name, value in entries:
        for further in places(value, rest):
            yield (name, *further)


def value_at(data: Any, route: Route) -> Any:
    """The value at a route of `places`."""
    for step in route:
        data = data[step]
    return data
