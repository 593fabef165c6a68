"""Teams of services.yaml against the policy: what they name and it does not have, and teams that no service has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from incident_ops.domain.policy import Policy
from incident_ops.findings import Finding, Route, did_you_mean
from incident_ops.records.file_findings import fault
from incident_ops.records.policy import PolicyAndServices

_ALWAYS = "24x7"


def team_faults(setting: PolicyAndServices) -> Iterator[Finding]:
    """The findings at their lines of services.yaml; none where one of the two files cannot be used."""
    policy, services, document = setting.policy.policy, setting.services.services, setting.services.document
    if policy is None or services is None or document is None:
        return
    held = {service.team for service in services.values()}
    for name, team in setting.services.teams.items():
        for route, message, hint in _unknown_names(name, team, policy):
            found = fault("team-names", document.file, message, hint, route=("teams", name, *route))
            yield found.at(document.locate(found.where))
        if name not in held:
            hint = f"give it to a service, `team: {name}`, or take it out"
            found = fault("team-unused", document.file, f"no service has team {name!r}", hint, route=("teams", name))
            yield found.at(document.locate(replace(found.where, on_key=True)))


def dependency_faults(setting: PolicyAndServices) -> Iterator[Finding]:
    """A finding at its line for each `depends_on` that names no service; none where services.yaml cannot be used."""
    services, document = setting.services.services, setting.services.document
    if services is None or document is None:
        return
    for name, service in services.items():
        for index, needed in enumerate(service.depends_on):
            if needed not in services:
                message, hint = f"service {needed!r} is not in services.yaml", did_you_mean(needed, services)
                route = ("services", name, "depends_on", index)
                found = fault("known-names", document.file, message, hint or "add it to services.yaml", route=route)
                yield found.at(document.locate(found.where))


def _unknown_names(name: str, team: Mapping[str, Any], policy: Policy) -> Iterator[tuple[Route, str, str]]:
    calendars = [_ALWAYS, *policy.calendars]
    if team.get("calendar", _ALWAYS) not in calendars:
        hint = did_you_mean(team["calendar"], calendars)
        yield ("calendar",), f"team {name!r} has calendar {team['calendar']!r}, which is not in the policy", hint
    labels = [*policy.labels, *policy.major_labels]
    for label in (one for one in team.get("levels", ()) if one not in labels):
        message = f"team {name!r} has clocks for {label!r}, which is not a level of the policy"
        yield ("levels", label), message, did_you_mean(label, labels)
    used = sorted({channel for level in (*policy.levels, *policy.scheme.major) for channel in level.channels})
    for channel in (one for one in team.get("channels", ()) if one not in used):
        message = f"team {name!r} has a channel in place of {channel!r}, which no level of the policy has"
        yield ("channels", channel), message, did_you_mean(channel, used)
