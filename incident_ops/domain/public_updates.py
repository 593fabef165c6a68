"""What was published about an incident, and where that contradicts its state (R83, R85, R103)."""

from __future__ import annotations

from incident_ops.domain.as_of import corrected_instants, current_instant, is_cause_recorded, labels_held
from incident_ops.domain.incident import Incident, Update
from incident_ops.domain.lifecycle import IN_PROGRESS, OVER, RESOLVED, counts
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import UNKNOWN, instant, parse_instant

PUBLIC = "public"
STATUSES = ("investigating", "identified", "monitoring", "resolved")
"""In the order in which an incident goes through them."""


def last_update_for(incident: Incident, audience: str, *, this_cycle: bool = False) -> Update | None:
    """The latest update for an audience; with `this_cycle` since the last reopening, if there was one."""
    since = instant(incident.cycles[-1].reopened) if this_cycle and incident.cycles else None
    updates = [
        (parse_instant(update.at), number)
        for number, update in enumerate(incident.updates)
        if update.audience == audience and (since is None or parse_instant(update.at) >= since)
    ]
    return incident.updates[max(updates)[1]] if updates else None


def public_status(incident: Incident) -> str:
    """What the last public update says: investigating, identified, monitoring or resolved (R83, R85).

    `public_status` of the record wins; an incident that is over is resolved; before any public update it is
    investigating.
    """
    if incident.public_status:
        return incident.public_status
    if incident.state in OVER:
        return RESOLVED
    last = last_update_for(incident, PUBLIC)
    return last.status if last else "investigating"


def has_status_page(incident: Incident, policy: Policy) -> bool:
    """True where a level that the incident has, or had before, has a status page or public updates.

    True, too, where no level is known: then nobody can tell.
    """
    policy = policy.for_incident(incident)
    levels = [policy.duties(severity, priority) for _, severity, priority in labels_held(incident)]
    return any(level is None or level.status_page or level.update.public is not None for level in levels)


def has_fix(incident: Incident) -> bool:
    """True where the record says what ended it."""
    done = incident.resolution
    return done is not None and any(text not in (None, UNKNOWN) for text in (done.immediate, done.permanent))


def is_fixed(incident: Incident) -> bool:
    """True where the record has a fix of the outage that lasts: what was done, or when it took the worst away.

    After a reopening those are of the first outage.
    """
    return not incident.cycles and (has_fix(incident) or "times.mitigated" in corrected_instants(incident))


def is_restored(incident: Incident) -> bool:
    """True where the service works again, by what the record says."""
    return incident.state in OVER or current_instant(incident, "restored") is not None


def is_founded(incident: Incident, status: str) -> bool:
    """True where the record knows what a status says."""
    founded = {
        "identified": is_cause_recorded(incident),
        "monitoring": is_fixed(incident) or is_restored(incident),
        RESOLVED: is_restored(incident),
    }
    return founded.get(status, True)


def is_called_resolved(incident: Incident) -> bool:
    """True where the last public update says resolved, and it is not."""
    last = last_update_for(incident, PUBLIC)
    return last is not None and last.status == RESOLVED and incident.state not in OVER


def lacks_last_word(incident: Incident) -> bool:
    """True where the incident is over, and the last public update says something else.

    A duplicate has no last word of its own: the original has it.
    """
    last = last_update_for(incident, PUBLIC)
    return last is not None and last.status != RESOLVED and incident.state in OVER and incident.duplicate_of is None


def needs_public_word(incident: Incident, policy: Policy) -> bool:
    """True where a public update is due: the last one, the first one that the level requires of
    a resolved incident, or that a resolved incident came back."""
    if lacks_last_word(incident) or is_called_resolved(incident):
        return True
    if incident.state != RESOLVED or not counts(incident) or last_update_for(incident, PUBLIC):
        return False
    return _tells_the_public(incident, policy)


def lacks_first_word(incident: Incident, policy: Policy) -> bool:
    """True where responders are at work, the level tells the public, and nobody has since the incident began, or came
    back."""
    is_known = last_update_for(incident, PUBLIC, this_cycle=True) is not None
    return incident.state == IN_PROGRESS and counts(incident) and not is_known and _tells_the_public(incident, policy)


def _tells_the_public(incident: Incident, policy: Policy) -> bool:
    level = policy.duties(incident.severity, incident.priority)
    return level is not None and level.status_page
