"""Where the issue of a record is: in the repository with the tracking issues, or in the one of a team."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Service


class IssuePlace(NamedTuple):
    """The number of an issue, and its repository, `owner/name`; "" = the one with the tracking issues."""

    number: int
    repository: str = ""


def recorded_place(recorded: int | str | None) -> IssuePlace | None:
    """What a record says: a number alone, or `owner/name#number`; None where it says nothing."""
    if not isinstance(recorded, str):
        return None if recorded is None else IssuePlace(recorded)
    repository, _, number = recorded.rpartition("#")
    return IssuePlace(int(number), repository)


def spell_issue(number: int, repository: str = "") -> str:
    """`#12`, or `acme/app#12` of another repository."""
    return f"{repository}#{number}"


def spell_recorded(recorded: int | str) -> str:
    """The same for what stands in a record."""
    return recorded if isinstance(recorded, str) else spell_issue(recorded)


def team_repository(incident: Incident, services: Mapping[str, Service]) -> str:
    """Where items of an incident get their issues: as the first of its services says that names a repository.

    "" where none does, and for a restricted incident, whose items are for those who may read its record.
    """
    if incident.visibility == "restricted":
        return ""
    named = (services[name].issues for name in incident.services if name in services)
    return next((repository for repository in named if repository), "")


def have_one_owner(repository: str, other: str) -> bool:
    """GitHub links no sub-issues across owners; "" is the same repository."""
    owners = {name.partition("/")[0].casefold() for name in (repository, other) if name}
    return not other or len(owners) == 1
