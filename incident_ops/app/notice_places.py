"""Where the readers of a notice can click: addresses that the clone and the run know, none that is guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from incident_ops.app.observed_tracker import records_address
from incident_ops.app.workspace import Workspace, leads_somewhere, remote_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import NoticePlaces


def places_of(
    workspace: Workspace, environment: Mapping[str, str], issues: Mapping[str, int], paths: Mapping[str, str]
) -> Callable[[Incident], NoticePlaces]:
    """A function from an incident to its places. `issues` are the numbers of tracking issues, `paths` those of the
    records that the default branch has; both by incident."""
    from incident_ops.adapters.github.connect import issues_address

    remote = remote_of(workspace.git)
    tracker = issues_address(environment, remote.url if remote else None)
    files = records_address(workspace)

    def found(incident: Incident) -> NoticePlaces:
        number, path = issues.get(incident.id), paths.get(incident.id)
        return NoticePlaces(
            issue=f"{tracker}/{number}" if tracker and number is not None else "",
            record=f"{files}{quote(path)}" if files and path else "",
            runbooks=tuple(_runbooks(workspace, incident, files)),
        )

    return found


def _runbooks(workspace: Workspace, incident: Incident, files: str) -> Iterator[tuple[str, str]]:
    """The record's own runbook, else those of its services that are there: an address, or the path of the file."""
    policy, services = workspace.judged_by
    named = [("Runbook", incident.links.runbook)] if incident.links.runbook else []
    for name in () if named else incident.services:
        service = services.get(name)
        usual = policy.documents.runbook_path.replace("{service}", name)
        named.append((f"Runbook of {name}", service.runbook if service and service.runbook else usual))
    for title, place in named:
        if "://" in place:
            yield title, place
        elif leads_somewhere(workspace, place):
            yield title, f"{files}{quote(place)}" if files else place
