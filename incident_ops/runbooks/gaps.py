"""What an incident showed to be missing from the runbooks, for its postmortem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from incident_ops.domain.incident import Event, Incident
from incident_ops.runbooks.progress import FAILED, RUNBOOK

_NOBODY: Mapping[str, str] = MappingProxyType({})


def failed_steps(incident: Incident) -> list[Event]:
    """The entries of steps that failed."""
    used = (event for event in incident.timeline if event.kind == RUNBOOK)
    return [event for event in used if (event.result or "").startswith(FAILED)]


def runbook_gaps(incident: Incident, missing: Mapping[str, str] = _NOBODY) -> list[str]:
    """A sentence for each gap (R166, R167, R168): a step that failed, a runbook that nobody is to improve since, and a
    service without one. `missing`: service -> where its runbook would lie."""
    return list(_gaps(incident, missing))


def _gaps(incident: Incident, missing: Mapping[str, str]) -> Iterator[str]:
    failed = failed_steps(incident)
    yield from (f"{event.event}: {event.result}" for event in failed)
    yield from (f"{name} has no runbook at {path}" for name, path in missing.items())
    is_improved = incident.links.runbook_updated or any(item.kind == RUNBOOK for item in incident.action_items)
    if (failed or missing) and not is_improved:
        yield "No action item of kind runbook follows from it yet"
