"""What a status page should say of an incident: from its public facts alone, and the states of its components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from incident_ops.documents.public_view import affected_services, public_headline
from incident_ops.domain.as_of import current_instant, labels_held
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.public_facts import PublicUpdate, public_facts
from incident_ops.domain.status_page import COMPONENT_STATES, OPERATIONAL, PagePost, WantedOnPage
from incident_ops.domain.time import instant, parse_instant, spell_minute, stamp

LONGEST_NAME, LONGEST_BODY = 255, 25_000
"""So many characters Statuspage takes."""
_LATE = timedelta(minutes=15)
"""An update that is published later than this says when it was written."""
_NEWS = timedelta(hours=24)
"""An incident that is over is put on the page for so long, where it does not stand there yet."""
_DEGRADED, _PARTIAL, _MAJOR = COMPONENT_STATES[1:]
_OF_DEGREE = {"degraded": _DEGRADED, "partial": _PARTIAL, "major": _MAJOR}
_OF_RANK = {1: _MAJOR, 2: _PARTIAL}


def may_stand_on_page(incident: Incident, policy: Policy) -> bool:
    """True where a level that the incident has, or had before, has a status page; a lowered one is followed on."""
    policy = policy.for_incident(incident)
    levels = (policy.duties(severity, priority) for _, severity, priority in labels_held(incident))
    return any(level is not None and level.status_page for level in levels)


def ended_after(incident: Incident, since: datetime) -> bool:
    """True where the incident is open, or something of its end, or an update, is later than an instant."""
    if incident.state not in OVER:
        return True
    ends = (current_instant(incident, "resolved"), current_instant(incident, "closed"))
    said = (instant(text) for text in (*ends, *(update.at for update in incident.updates)))
    return any(at is not None and at >= since for at in said)


def wanted_on_page(
    incident: Incident, policy: Policy, services: Mapping[str, Service], ids: Mapping[str, str], now: datetime
) -> WantedOnPage:
    """What the page should say of an incident; `ids`: service -> its component on the page."""
    facts = public_facts(incident, policy, services)
    level = policy.for_incident(incident).duties(incident.severity, incident.priority)
    is_over, what = incident.state in OVER, affected_services(facts)
    since = parse_instant(incident.cycles[-1].reopened) if incident.cycles else None
    updates = [one for one in facts.updates[::-1] if since is None or one.at >= since]
    is_for_page = level is not None and level.status_page and not incident.drill and not facts.is_cancelled
    is_news = not is_over or bool(updates and facts.resolved and now - facts.resolved <= _NEWS)
    status = facts.status if updates or incident.public_status or is_over else "investigating"
    return WantedOnPage(
        key=incident.id,
        cycle=len(incident.cycles),
        name=_cut(public_headline(facts, status), LONGEST_NAME),
        status=status,
        posts=tuple(_post(one, updates[:number], now) for number, one in enumerate(updates)),
        components=_components(incident, level.rank if level else 1, ids, now),
        is_over=is_over,
        may_begin=is_for_page and is_news,
        is_hidden=incident.visibility == "restricted" or incident.drill,
        first_word=f"We are investigating issues with {what}.",
        last_word=_last_word(incident, what),
    )


def _components(incident: Incident, rank: int, ids: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Component of the page -> its state: the worst of the services that share it."""
    states: dict[str, str] = {}
    for service in incident.services:
        if service in ids:
            both = (_state(incident, service, rank, now), states.get(ids[service], OPERATIONAL))
            states[ids[service]] = max(both, key=COMPONENT_STATES.index)
    return states


def _last_word(incident: Incident, what: str) -> str:
    """What closes it where no update does; of one that is followed elsewhere nothing is claimed."""
    if incident.duplicate_of is not None or incident.outcome == "duplicate":
        return "We follow this under another incident."
    if incident.outcome == "false_alarm":
        return f"We have found no problem with {what} on our side."
    return "This incident is resolved." if incident.outcome == "fixed" else "We no longer follow this incident."


def _post(update: PublicUpdate, before: Sequence[PublicUpdate], now: datetime) -> PagePost:
    """An update is the one of its instant and status: a corrected text is not published, and nobody notified, again."""
    same = sum((one.at, one.status) == (update.at, update.status) for one in before)
    known = f"{stamp(update.at)}\n{update.status}\n{same}"
    late = f"\n\nWritten at {spell_minute(update.at)}." if now - update.at > _LATE else ""
    body = _cut(update.text, LONGEST_BODY - 200) + late
    return PagePost(sha256(known.encode()).hexdigest()[:12], update.at.timestamp(), update.status, body)


def _state(incident: Incident, service: str, rank: int, now: datetime) -> str:
    """The state of a component while the incident is open: its degrees that last, else its level; never operational."""
    impacts = [one for one in incident.impact.services if one.service == service] if incident.impact else []
    if not impacts:
        return _OF_RANK.get(rank, _DEGRADED)
    last = [one for one in impacts if (end := instant(one.end)) is None or end > now]
    return max((_OF_DEGREE[one.degree] for one in last), key=COMPONENT_STATES.index, default=_DEGRADED)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
