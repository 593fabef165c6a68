"""What a notice says: one spelling of times, how late it comes, and the command that does what is due."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from textwrap import shorten

from incident_ops.domain.impact import affected_users, spell_share
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import UNTAKEN
from incident_ops.domain.notification import ISSUE_LINK, RECORD_LINK, NoticeFacts, NoticePlaces
from incident_ops.domain.policy import LevelPolicy, Policy, Service
from incident_ops.domain.ticket import is_ticket
from incident_ops.domain.time import instant, spell_clock, spell_duration
from incident_ops.sla.clocks import (
    DEADLINE,
    DIAGNOSIS,
    POSTMORTEM_FINAL,
    POSTMORTEM_MEETING,
    RESOLUTION,
    RESPONSE,
    UPDATE_INTERNAL,
    UPDATE_PUBLIC,
)
from incident_ops.sla.obligations import (
    BREACH,
    DECLARED_NOTICE,
    ESCALATION_NOTICE,
    ITEM_MARK,
    RAISED_NOTICE,
    REOPENED_NOTICE,
    WARNING,
    Obligation,
)

_INSTANT = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9.]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_SOON = 60  # seconds within which nobody calls it late
_BEGINS = (DECLARED_NOTICE, RAISED_NOTICE, REOPENED_NOTICE)
_LOCK_SCREEN, _SHORTEST_TITLE, _LONGEST_IMPACT = 60, 20, 240
_TICK = (("From a phone", 'tick "I have it" on the issue'),)
_DUTIES = (WARNING, BREACH, ITEM_MARK)


def _cut(text: str, most: int) -> str:
    """The text on one line, cut at a word where it is longer than `most`."""
    line = " ".join(text.split())
    return line if len(line) <= most else shorten(line, most, placeholder="...")


def spell_instants(text: str, now: datetime) -> str:
    """A sentence with its instants as people read them: `12:20 UTC`, with the day where that is not that of `now`."""

    def spelled(found: re.Match[str]) -> str:
        try:
            at = instant(found[0])
        except ValueError:
            at = None
        return found[0] if at is None else f"{spell_clock(at, dated=at.date() != now.date())} UTC"

    return _INSTANT.sub(spelled, text)


def spelled_level(incident: Incident, policy: Policy) -> str:
    """The level in force, with the major one beside it where there is one: `P1/SEV-1`; "" where it has none."""
    label, severity = policy.label_of(incident) or "", incident.severity
    if severity is None or severity == label or severity not in policy.major_labels:
        return label
    return f"{label}/{severity}"


def headline(incident: Incident, policy: Policy, now: datetime) -> str:
    """How bad, and what is broken, short enough for a locked screen: `SEV0 Login fails for most users`.

    Of a restricted incident only the id.
    """
    drill = "[DRILL] " if incident.drill else ""
    if incident.visibility == "restricted":
        return f"{drill}{incident.id}"
    ticket = "ticket: " if is_ticket(incident, policy, now) else ""
    level = spelled_level(incident, policy)
    first = f"{drill}{level} {ticket}" if level else f"{drill}{ticket}"
    return first + _cut(incident.title, max(_LOCK_SCREEN - len(first), _SHORTEST_TITLE))


def notice_subject(obligation: Obligation, incident: Incident, policy: Policy) -> str:
    """The subject of what is due."""
    said = "Declared" if _is_plain_declaration(obligation) else obligation.reason
    return subject_line(incident, policy, obligation.noticed_at, said)


def subject_line(incident: Incident, policy: Policy, now: datetime, said: str) -> str:
    """One line: the headline, what is said, the id; of a restricted incident the headline alone."""
    head = headline(incident, policy, now)
    return head if incident.visibility == "restricted" else f"{head} - {spell_instants(said, now)} ({incident.id})"


def _is_plain_declaration(obligation: Obligation) -> bool:
    return obligation.kind == DECLARED_NOTICE and obligation.reason == f"Declared {obligation.level}"


def notice_facts(
    incident: Incident, policy: Policy, services: Mapping[str, Service], places: NoticePlaces, now: datetime
) -> NoticeFacts:
    """What a page says beside its own words: services, impact, commander, and where to click; of a restricted incident
    only where."""
    home = [(ISSUE_LINK, places.issue), (RECORD_LINK, places.record)]
    if incident.visibility == "restricted":
        return NoticeFacts(links=tuple(one for one in home if one[1]))
    commander = (incident.roles.commander or "nobody yet").removeprefix("@")
    is_cut = headline(incident, policy, now).endswith("...")
    rows = [
        ("Title", incident.title if is_cut else ""),
        ("Services", ", ".join(incident.services)),
        ("Impact", _impact(incident)),
        ("Commander", "" if is_ticket(incident, policy, now) else commander),
    ]
    links = [*home, *places.runbooks, ("Bridge", incident.links.bridge or ""), ("Chat", incident.links.channel or "")]
    known = (services.get(name) for name in incident.services)
    return NoticeFacts(
        tuple((name, " ".join(value.split())) for name, value in rows if value),
        tuple((name, value) for name, value in links if value),
        tuple(incident.services),
        tuple(dict.fromkeys(service.owner.removeprefix("@") for service in known if service)),
        _TICK if places.issue and incident.state in UNTAKEN else (),
    )


def _impact(incident: Incident) -> str:
    """What it does to users, in the record's words and in numbers; "" while nobody has said."""
    users = affected_users(incident)
    share = spell_share(users.percent)
    count = f"{users.count:,} users" if isinstance(users.count, int | float) else ""
    numbers = f"{count} ({share})" if count and share else count or (f"{share} of users" if share else "")
    said = _cut(incident.impact.summary or "", _LONGEST_IMPACT)
    return "; ".join(part for part in (said.removesuffix("."), numbers) if part)


def notice_lines(
    obligation: Obligation, incident: Incident, level: LevelPolicy, policy: Policy, *, is_internal: bool
) -> tuple[str, ...]:
    """The lines of a notice: what is due, in whose words, when and how late, and what to do about it."""
    now = obligation.noticed_at
    is_plain = _is_plain_declaration(obligation)
    said = f"Declared {spelled_level(incident, policy)}" if is_plain else spell_instants(obligation.reason, now)
    lines = [said, *([obligation.text] if obligation.text else [])]
    lines.append(_when(obligation, now))
    if obligation.kind in _BEGINS and level.team:
        lines.append(f"Team: {level.team}")
    if is_internal:
        lines += _steps(obligation, incident, policy)
    return tuple(lines)


def _when(obligation: Obligation, now: datetime) -> str:
    lag = int((now - obligation.due).total_seconds())
    at = f"{spell_clock(obligation.due, dated=obligation.due.date() != now.date())} UTC"
    word = "Due" if obligation.kind in _DUTIES else "Since" if obligation.kind in _BEGINS else "At"
    if lag < _SOON:
        return f"{word} {at}"
    late = "late" if obligation.kind in _DUTIES else "later"
    return f"{word} {at}, noticed {spell_clock(now)} UTC, {spell_duration(lag, in_words=True)} {late}"


def _steps(obligation: Obligation, incident: Incident, policy: Policy) -> Iterator[str]:
    """The commands that do what an obligation asks for; the next tier only where somebody else could help."""
    name, kind, clock = incident.id, obligation.kind, obligation.clock
    if kind == ITEM_MARK:
        yield f"When it is done: incident-ops action done {obligation.item} {name}"
        yield f'To postpone it: incident-ops action edit {obligation.item} {name} --due DATE --reason "..."'
    elif clock == DEADLINE:
        yield f'Once it is made: incident-ops deadline done {obligation.item} {name} --ref "..."'
    elif kind in (*_BEGINS, ESCALATION_NOTICE) or clock == RESPONSE:
        if incident.times.acknowledged is None or kind == REOPENED_NOTICE:
            yield f"To take it: incident-ops ack {name}"
    elif kind in (WARNING, BREACH):
        yield from _step_of_clock(clock, name)
    has_tiers = kind in (WARNING, BREACH) and bool(policy.escalation.tiers)
    if has_tiers and clock in (RESPONSE, DIAGNOSIS, RESOLUTION):
        yield f'To get help from the next tier: incident-ops escalate {name} --reason "..."'


def _step_of_clock(clock: str, name: str) -> Iterator[str]:
    if clock in (UPDATE_INTERNAL, UPDATE_PUBLIC):
        audience = "public" if clock == UPDATE_PUBLIC else "internal"
        yield f'To write it: incident-ops update {name} --{audience} "..."'
    elif clock == DIAGNOSIS:
        yield f'When the cause is found: incident-ops timeline "..." {name} --kind diagnosis --mark diagnosed'
    elif clock == POSTMORTEM_MEETING:
        yield f'When it is set: incident-ops postmortem edit {name} --meeting "WHEN"'
    elif clock == POSTMORTEM_FINAL:
        yield f"When it is reviewed: incident-ops postmortem final {name} --approved-by WHO"
