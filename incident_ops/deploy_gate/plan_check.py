"""What is wrong with the times of a freeze, an override or a maintenance window, and at which key (R229, R245).

The functions that the gate reads them with decide: what it cannot use is an error, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import available_timezones

from incident_ops.domain.fence import why_broken
from incident_ops.domain.planned_changes import (
    Freeze,
    Maintenance,
    Window,
    local_instant,
    planned_change,
    planned_freeze,
)
from incident_ops.domain.time import zone_named
from incident_ops.findings import Finding, Level, Route, Where, closest

ID = "plan-times"
"""The id of the findings; `records/file_findings.py` explains it."""

_CLOCK = "an instant 2025-12-19T17:00:00Z, or a local time 2025-12-19T17:00:00 with a zone"


def check_plan(plan: Freeze | Maintenance, file: str, buffer: str | None = None) -> Iterator[Finding]:
    """An error, with a symbolic place, where the gate cannot use the times; `buffer` is the policy's."""
    try:
        planned_freeze(plan) if isinstance(plan, Freeze) else planned_change(plan, buffer)
    except ValueError as error:
        times, above = (plan, ()) if isinstance(plan, Freeze) else (plan.window, ("window",))
        below, hint = _place(times)
        route = (*above, *below) if below else ("buffer",)
        yield Finding(ID, Level.ERROR, Where(file, route, on_key=True), str(error), hint)
    except Exception as error:
        name, route = (plan.name, ("from",)) if isinstance(plan, Freeze) else (plan.id, ("window",))
        hint = "check its times; if they are right, this is a bug in incident-ops"
        yield Finding(ID, Level.ERROR, Where(file, route, on_key=True), why_broken(name, error), hint)


def _place(times: Freeze | Window) -> tuple[Route, str]:
    """The key to fix and how; no key where the times are sound by themselves, and their buffer is not."""
    begin = _reads(times.begin, times.zone)
    end = times.end is None or _reads(times.end, times.zone)
    if not (begin and end) and times.zone is not None and not _is_place(times.zone):
        near = closest(times.zone, [name for name in available_timezones() if _is_place(name)])
        return ("zone",), f"did you mean {near}?" if near else "a place such as Europe/Berlin, or UTC"
    if not begin:
        return ("from",), _CLOCK
    if not end:
        return ("until",), _CLOCK
    if times.end is not None and local_instant(times.end, times.zone, is_end=True) <= local_instant(
        times.begin, times.zone
    ):
        return ("until",), f"an `until` after {times.begin}, or change `from`"
    return (), "a shorter buffer"


def _reads(text: str, zone: str | None) -> bool:
    try:
        local_instant(text, zone)
    except ValueError:
        return False
    return True


def _is_place(zone: str) -> bool:
    try:
        zone_named(zone)
    except ValueError:
        return False
    return True
