"""What an incident showed to be missing from the runbooks, for its postmortem."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from incident_ops.domain.incident import Incident
from incident_ops.runbooks.progress import FAILED, RUNBOOK


def runbook_gaps(incident: Incident, has_runbook: Callable[[str], bool]) -> list[str]:
    """A sentence for each gap (R166, R167, R168): a service without a runbook, a step that failed, a runbook that was
    used and not improved since."""
    return list(_gaps(incident, has_runbook))


def _gaps(incident: Incident, has_runbook: Callable[[str], bool]) -> Iterator[str]:
    yield from (f"{name} has no runbook." for name in incident.services if not has_runbook(name))
    used = [event for event in incident.timeline if event.kind == RUNBOOK]
    failed = [event for event in used if (event.result or "").startswith(FAILED)]
    yield from (f"{event.event} {event.result}." for event in failed)
    follows = incident.links.runbook_updated or any(item.kind == RUNBOOK for item in incident.action_items)
    if failed and not follows:
        yield "No action item of kind runbook follows from it."
