"""The public facts of an incident in the words of a text for customers; all times are in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from incident_ops.documents.incident_facts import ChecklistStep, spell_word
from incident_ops.documents.message_request import MessageRequest
from incident_ops.documents.promises import Promise
from incident_ops.domain.lifecycle import RESOLVED
from incident_ops.domain.public_facts import PublicFacts, PublicImpact
from incident_ops.domain.public_updates import STATUSES
from incident_ops.domain.time import UNKNOWN, duration, parse_instant, spell_clock, spell_duration, spell_minute


def public_view(
    facts: PublicFacts, wanted: MessageRequest, now: datetime, promise: Promise | None, *, reviews: bool
) -> dict[str, Any]:
    """What the public templates print; `reviews`: a postmortem will be written."""
    what = affected_services(facts)
    headline = public_headline(facts, wanted.status)
    return {
        "subject": f"RESOLVED: {headline}" if wanted.status == RESOLVED else headline,
        "headline": headline,
        "posted": spell_minute(now),
        "status": spell_word(wanted.status),
        "is_cancelled": facts.is_cancelled,
        "what": what,
        "works": _works(facts),
        "level": facts.level,
        "started": spell_minute(facts.started),
        "resolved": spell_minute(facts.resolved) if facts.resolved else "",
        "windows": [_window(one) for one in facts.impacts if one.end is not None],
        "today": [_window(one, now) for one in facts.impacts if one.end is not None],
        "duration": _duration(facts.impacts),
        "expected": _expected(facts, wanted, now),
        "promised": spell_near(promise.due, now) if promise else "",
        "every": promise.every if promise else "",
        "updates": _updates(facts),
        "summary": facts.summary or "",
        "steps": _steps(facts, wanted.status, reviews=reviews),
        "reviews": reviews,
        "has_cause": facts.has_cause,
        "has_fix": facts.has_fix,
        "has_measures": facts.has_measures,
        "is_cause_recorded": facts.is_cause_recorded,
        "is_fixed": facts.is_fixed,
        "is_restored": facts.is_restored,
    }


def spell_near(at: datetime, now: datetime) -> str:
    """`12:20 UTC`, on another day than `now` with its date."""
    return f"{spell_clock(at, dated=at.date() != now.date())} UTC"


def expected_at(eta: str | None, said_at: datetime, now: datetime) -> str:
    """When it may be over, as a record says it: an instant, or a duration from then on. "" where nobody knows, or that
    time has passed."""
    if eta is None or eta == UNKNOWN:
        return ""
    at = parse_instant(eta) if "T" in eta and eta[:1].isdigit() else said_at + timedelta(seconds=duration(eta))
    return spell_near(at, now) if at > now else ""


def public_headline(facts: PublicFacts, status: str) -> str:
    """What an incident is called outside: its title where that is public, else what is affected."""
    if facts.title is not None:
        return facts.title
    what = affected_services(facts)
    return f"We are investigating issues with {what}" if status == STATUSES[0] else f"Issues with {what}"


def affected_services(facts: PublicFacts) -> str:
    """The services in a sentence, by their public names: `Login and other services`."""
    if not facts.services:
        return "some of our services"
    return _joined([*facts.services, *(["other services"] if facts.has_others else [])])


def _works(facts: PublicFacts) -> str:
    if not facts.services:
        return "the affected services are"
    return f"{affected_services(facts)} {'are' if len(facts.services) + facts.has_others > 1 else 'is'}"


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _window(impact: PublicImpact, now: datetime | None = None) -> str:
    """`from 12:00 to 12:30 UTC (30 minutes)`, with the day where it is not that of `now`."""
    end = impact.end or impact.begin
    on_one_day = impact.begin.date() == end.date()
    dated = now is None or not on_one_day or end.date() != now.date()
    first = f"from {spell_clock(impact.begin, dated=dated)} to {spell_clock(end, dated=not on_one_day)} UTC"
    return f"{first} ({_length(end - impact.begin)})"


_MINUTE = 60


def _length(span: timedelta) -> str:
    """`12 minutes`: seconds are for no customer, unless there is nothing else."""
    seconds = int(span.total_seconds())
    return spell_duration(seconds - seconds % _MINUTE if seconds >= _MINUTE else seconds, in_words=True)


def _duration(impacts: Sequence[PublicImpact]) -> str:
    """How long users were affected in all; "" where that is not known."""
    spans = [one.end - one.begin for one in impacts if one.end is not None]
    if not spans or len(spans) < len(impacts):
        return ""
    return _length(sum(spans, timedelta()))


def _expected(facts: PublicFacts, wanted: MessageRequest, now: datetime) -> str:
    if wanted.eta is not None:
        return expected_at(wanted.eta, now, now)
    return expected_at(facts.updates[0].eta, facts.updates[0].at, now) if facts.updates else ""


class PublishedRow(NamedTuple):
    """An update on the page: when, as `12:15` in UTC, and what it says."""

    at: str
    status: str
    text: str


def _updates(facts: PublicFacts) -> list[PublishedRow]:
    """The updates, with the day where they are on several."""
    dated = len({one.at.date() for one in facts.updates} | {facts.started.date()}) > 1
    return [PublishedRow(spell_clock(one.at, dated), spell_word(one.status), one.text) for one in facts.updates]


def _steps(facts: PublicFacts, status: str, *, reviews: bool) -> list[ChecklistStep]:
    return list(_each_step(facts, STATUSES.index(status), reviews=reviews))


def _each_step(facts: PublicFacts, place: int, *, reviews: bool) -> Iterator[ChecklistStep]:
    is_over = place >= 3  # then all of the record counts; before, what it has of the outage that lasts
    yield ChecklistStep(facts.has_cause if is_over else place >= 1 and facts.is_cause_recorded, "Find the cause")
    yield ChecklistStep(facts.has_fix if is_over else place >= 2 and facts.is_fixed, "Put a fix in place")
    yield ChecklistStep(place >= 3, f"Confirm that {_works(facts)} operating normally")
    if reviews:
        yield ChecklistStep(facts.summary is not None, "Publish what happened and what we change")
