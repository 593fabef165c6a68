"""An incident in the words of an update for the team, and of a mail to the management."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from incident_ops.documents.incident_facts import NOBODY, FactRow, first_impact, item_dates, levels, spell_word
from incident_ops.documents.message_request import MessageRequest, MessageSources
from incident_ops.documents.promises import Promise
from incident_ops.documents.public_view import expected_at, spell_near
from incident_ops.domain.as_of import as_of, declared_at
from incident_ops.domain.impact import affected_users, spell_amount, spell_revenue, spell_users
from incident_ops.domain.incident import Incident, Postmortem, Revenue
from incident_ops.domain.lifecycle import OVER, RESOLVED
from incident_ops.domain.policy import Policy
from incident_ops.domain.public_updates import STATUSES, is_fixed, is_restored
from incident_ops.domain.time import UNKNOWN, parse_instant, spell_clock, spell_duration, spell_instant, spell_minute
from incident_ops.sla.clocks import POSTMORTEM_MEETING, clocks

_LATEST = 3
_ITS_OWN_WORDS = "communication"


def internal_view(
    incident: Incident, sources: MessageSources, wanted: MessageRequest, promise: Promise | None
) -> dict[str, Any]:
    """What the templates of the team and of the management print."""
    policy, now = sources.policy.for_incident(incident), sources.now
    level = levels(incident, policy)[0].text
    label = policy.label_of(incident) or ""
    paper, description = incident.postmortem, incident.description or incident.title
    return {
        "incident": incident,
        "subject": f"{label} Incident - {incident.title} {_in_subject(wanted.status)}".strip(),
        "level": level,
        "status": spell_word(wanted.status),
        "is_resolved": wanted.status == RESOLVED,
        "is_investigating": wanted.status == STATUSES[0],
        "is_fixed": wanted.status == STATUSES[2] and is_fixed(incident),
        "is_restored": wanted.status == STATUSES[2] and is_restored(incident),
        "is_drill": incident.drill,
        "updated": spell_minute(now),
        "description": description,
        "summary": (paper and paper.summary) or incident.impact.summary or description,
        "impact": list(_impact(incident, now)),
        "hurt": list(_hurt(incident)),
        "progress": _progress(incident, now),
        "expected": _expected(incident, wanted, now),
        "promised": spell_near(promise.due, now) if promise else "",
        "every": promise.every if promise else "",
        "cause": _cause(incident),
        "resolution": _resolution(incident),
        "prevention": list(_prevention(incident, policy)),
        "postmortem": _postmortem(incident, policy, sources),
    }


def _in_subject(status: str) -> str:
    return spell_word(status) if status == RESOLVED else f"({status})"


def _impact(incident: Incident, now: datetime) -> Iterator[FactRow]:
    """Duration, users and revenue, for the management."""
    length = first_impact(incident)
    if length.finish is None and incident.state not in OVER:
        begin = length.begin or declared_at(incident)
        spent = spell_duration(int((now - begin).total_seconds()) // 60 * 60, in_words=True)
        yield FactRow("Duration", f"{spent} so far, since {spell_minute(begin)}")
    elif length.begin and length.finish:
        window = f"{spell_clock(length.begin)}–{spell_clock(length.finish)} UTC"
        dated = length.begin.date() != length.finish.date()
        shown = f"{spell_minute(length.begin)} to {spell_minute(length.finish)}" if dated else window
        yield FactRow("Duration", f"{spell_duration(length.seconds, in_words=True)} ({shown})")
    else:
        yield FactRow("Duration", UNKNOWN)
    yield FactRow("Users affected", spell_users(affected_users(incident)))
    yield FactRow("Revenue", spell_revenue(incident.impact.revenue))


def _hurt(incident: Incident) -> Iterator[FactRow]:
    """Users, functions and revenue a minute, for the team."""
    impact, revenue = incident.impact, incident.impact.revenue
    yield FactRow("Users", spell_users(affected_users(incident)))
    yield FactRow("Functionality", impact.summary or f"{', '.join(incident.services)} affected")
    minute = revenue.per_minute if isinstance(revenue, Revenue) else None
    currency = f" {revenue.currency}" if isinstance(revenue, Revenue) and revenue.currency else ""
    is_known = minute not in (None, UNKNOWN)
    yield FactRow("Revenue per minute", spell_amount(minute) + (currency if is_known else ""))


def _progress(incident: Incident, now: datetime) -> list[FactRow]:
    """The latest entries of the timeline that are no messages themselves, the newest first."""
    events = [(parse_instant(one.at), one) for one in incident.timeline if one.kind != _ITS_OWN_WORDS]
    latest = sorted((one for one in events if one[0] <= now), key=lambda one: one[0])[::-1][:_LATEST]
    return [
        FactRow(spell_near(at, now), "; ".join(text for text in (one.event, one.action, one.result) if text))
        for at, one in latest
    ]


def _expected(incident: Incident, wanted: MessageRequest, now: datetime) -> str:
    if wanted.eta is not None:
        return expected_at(wanted.eta, now, now)
    said = [(parse_instant(one.at), one.eta) for one in incident.updates if one.eta is not None]
    at, eta = max(said, key=lambda one: one[0], default=(now, None))
    return expected_at(eta, at, now)


def _cause(incident: Incident) -> str:
    cause = incident.cause
    parts = [text for text in (cause.what, cause.why) if text] if cause else []
    return ". ".join(text.rstrip(".") for text in parts) + "." if parts else ""


def _resolution(incident: Incident) -> str:
    done = incident.resolution
    parts = [text for text in (done.immediate, done.permanent) if text] if done else []
    return ". ".join(text.rstrip(".") for text in parts) + "." if parts else ""


def _prevention(incident: Incident, policy: Policy) -> Iterator[str]:
    """The action items, with who does them by when; where there are none, the measures of the postmortem."""
    dates, paper = item_dates(incident, policy), incident.postmortem
    for item in incident.action_items:
        if item.status == "wont_do":
            continue
        until = f", due {dates[item.id]}" if item.id in dates else ""
        who = (item.owner or NOBODY).removeprefix("@")
        yield f"{item.title} ({'done' if item.status == 'done' else who + until})"
    if not incident.action_items and paper:
        prevention = paper.prevention
        yield from (one.text for one in (*prevention.short, *prevention.medium, *prevention.long))


def _postmortem(incident: Incident, policy: Policy, sources: MessageSources) -> str:
    """When and where it can be read; "" where none is asked for. Without a date of its own it is due by its clock."""
    paper = incident.postmortem or Postmortem(status="")
    if not paper.status and not policy.requires_postmortem(incident):
        return ""
    running = clocks(as_of(incident, sources.now), policy)
    due = next((one.due for one in running if one.clock == POSTMORTEM_MEETING and one.due), None)
    dates = [
        f"final since {spell_instant(paper.final_at)}" if paper.final_at else "",
        f"meeting on {spell_instant(paper.meeting)}" if paper.meeting else "",
        f"due {spell_instant(paper.due)}" if paper.due else "",
        f"meeting by {spell_minute(due)}" if due else "",
    ]
    when = next((text for text in dates if text), "to follow")
    return f"{when}; {sources.postmortem}" if sources.postmortem else when
