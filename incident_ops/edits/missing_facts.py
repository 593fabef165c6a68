"""What the documents of an incident that is over would print as unknown, and the commands that write it down."""

from __future__ import annotations

from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.impact import affected_users, spell_users
from incident_ops.domain.incident import Incident, Users
from incident_ops.domain.lifecycle import OVER, counts
from incident_ops.domain.policy import Policy
from incident_ops.domain.ticket import is_ticket
from incident_ops.domain.time import UNKNOWN

MOST_OPTIONS = 2
"""So many options a command is printed with, which fits a narrow terminal; the next one asks for the others."""


def steps_for_missing_facts(incident: Incident, policy: Policy) -> tuple[str, ...]:
    """A command for the impact and one for the cause, where they lack something.

    Nothing before the incident is over, for a ticket, and for what was no incident; what somebody wrote down as
    unknown is not asked for again.
    """
    if incident.state not in OVER or not counts(incident) or is_ticket(incident, policy):
        return ()
    impact = " ".join(_missing_impact(incident))
    cause = " ".join(_missing_cause(incident))
    return (
        *((f"incident-ops impact {incident.id} {impact}",) if impact else ()),
        *((f"incident-ops cause {incident.id} {cause}",) if cause else ()),
    )


def _missing_impact(incident: Incident) -> list[str]:
    began = "times.started" in corrected_instants(incident)
    users = affected_users(incident)
    is_answered = isinstance(incident.impact.users, Users) or spell_users(users) != UNKNOWN
    still_hurt = [f"--end-service {one.service} WHEN" for one in incident.impact.services if one.end is None]
    missing = ["--started WHEN"] * (not began) + ["--users N"] * (not is_answered) + still_hurt
    return missing[:MOST_OPTIONS]


def _missing_cause(incident: Incident) -> list[str]:
    """The cause first, then what ended it."""
    known = incident.cause
    asked = [f'--{name} "..."' for name in ("what", "why") if known is None or getattr(known, name) is None]
    return asked or ['--immediate "..."'] * (incident.resolution is None)
