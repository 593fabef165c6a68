"""Who is notified of which obligation, where, and whether now (R63-R67, R72-R74, R128, R142). Pure.

Each notice has one recipient and one key that never changes: `INC/clock/cycle/mark/recipient/audience`. Whether a key
was sent already is recorded in the ledger. Nobody is left out silently: whoever cannot be reached is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.as_of import assignee_at, known_status
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import ASSIGNED, IN_PROGRESS, NEW, OVER, PENDING, TRIAGED
from incident_ops.domain.notification import INCIDENT_CHANNEL, Message
from incident_ops.domain.policy import LevelPolicy, Policy, Service
from incident_ops.domain.policy_sections import AROUND_THE_CLOCK, Calendar
from incident_ops.domain.public_updates import PUBLIC
from incident_ops.domain.ticket import is_ticket
from incident_ops.domain.time import spell_duration, stamp
from incident_ops.domain.waits import snoozed_until
from incident_ops.notifications.notice_text import notice_lines, spell_instants
from incident_ops.sla.calendar import due
from incident_ops.sla.clocks import POSTMORTEM_FINAL, POSTMORTEM_MEETING, UPDATE_INTERNAL, UPDATE_PUBLIC
from incident_ops.sla.escalation import MANUAL
from incident_ops.sla.escalation_ladder import managers
from incident_ops.sla.obligations import (
    BREACH,
    DECLARED_NOTICE,
    ESCALATION_NOTICE,
    ITEM_MARK,
    NEWS_NOTICE,
    RAISED_NOTICE,
    REOPENED_NOTICE,
    RESOLVED_NOTICE,
    STATE_NOTICE,
    WARNING,
    Obligation,
)

INTERNAL, EXECUTIVE = "internal", "executive"
TEAM, EVERYBODY = "team", "public"
NO_CHANNEL = ""
REMINDERS = frozenset({WARNING, BREACH, ESCALATION_NOTICE, ITEM_MARK})
LATE_AFTER = timedelta(days=1)
"""What was due longer ago than this is reported; nobody is notified of it."""
LOW_RANK = 3
"""From this rank on nobody is notified outside the level's working hours."""
_TICK = timedelta(seconds=1)
_UNDATED = frozenset({"vip", "keyword", "pattern", MANUAL})


class Unreachable(NamedTuple):
    """Somebody who should be notified and cannot be: `whom` is a handle, a role or a tier."""

    obligation: str
    whom: str
    why: str


class Notices(NamedTuple):
    """The messages of one run, ordered by rank, key and channel, and who cannot be reached."""

    messages: tuple[Message, ...]
    unreachable: tuple[Unreachable, ...]

    @property
    def deliverable(self) -> tuple[Message, ...]:
        """The messages that go over a channel."""
        return tuple(message for message in self.messages if message.channel)


class _Case(NamedTuple):
    obligation: Obligation
    incident: Incident
    level: LevelPolicy
    policy: Policy
    services: Mapping[str, Service]
    now: datetime
    is_ticket: bool


def notices(
    obligations: Iterable[Obligation],
    incidents: Mapping[str, Incident],
    policy: Policy,
    services: Mapping[str, Service],
    now: datetime,
) -> Notices:
    """The notices of what is due; what is superseded makes none. `incidents` by id, those of the obligations."""
    found: dict[tuple[str, str], Message] = {}
    unreachable: dict[Unreachable, None] = {}
    for obligation in obligations:
        incident = incidents[obligation.incident]
        level = policy.level_of(incident)
        if obligation.superseded or level is None:
            continue
        ticket = is_ticket(incident, policy, now)
        for notice in _notices(_Case(obligation, incident, level, policy, services, now, ticket)):
            if isinstance(notice, Unreachable):
                unreachable[notice] = None
            else:
                found.setdefault((notice.key, notice.channel), notice)
    return merge_notices([Notices(tuple(found.values()), tuple(unreachable))])


def merge_notices(parts: Iterable[Notices]) -> Notices:
    """The notices of several incidents in the order of one run."""
    every = list(parts)
    found = (message for part in every for message in part.messages)
    ordered = sorted(found, key=lambda message: (message.rank, message.key, message.channel))
    return Notices(tuple(ordered), tuple(sorted({who for part in every for who in part.unreachable})))


def possible_notices(
    page: Obligation, incident: Incident, policy: Policy, services: Mapping[str, Service], now: datetime
) -> Iterator[Message]:
    """Every notice that a page may have caused, whoever had the incident and whatever its level was: the ledger knows
    which were sent."""
    level = policy.level_of(incident)
    if level is None:
        return
    case = _Case(page, incident, level, policy, services, now, is_ticket(incident, policy, now))
    every = (*policy.levels, *policy.scheme.major)
    yield from _messages(case, TEAM, INTERNAL, tuple(sorted({name for each in every for name in each.channels})))
    for handle, person in sorted(policy.contacts.people.items()):
        for audience in (INTERNAL, EXECUTIVE):
            yield from _messages(case, handle, audience, tuple(person.channels))


def has_been_handled(before: Incident, after: Incident) -> bool:
    """True where somebody took, ended or snoozed an incident since `before` was read: pages made from it are stale."""
    took = after.times.acknowledged is not None and before.times.acknowledged is None
    moved = after.state != before.state and after.state in (IN_PROGRESS, PENDING, *OVER)
    ended = after.outcome != before.outcome or after.duplicate_of != before.duplicate_of
    snoozed = after.snooze is not None and after.snooze != before.snooze
    return took or moved or ended or snoozed or len(after.assignments) > len(before.assignments)


def response_phase(incident: Incident) -> str:
    """The phase that `routing.by_phase` speaks of (R74): from the first response to the documentation."""
    if incident.state in OVER:
        return "documentation"
    if incident.state in (NEW, TRIAGED, ASSIGNED):
        return "initial_response"
    status = known_status(incident)
    if status == "identified":
        return "deployment" if incident.times.mitigated else "fix"
    return "investigation" if status == "investigating" else "deployment"


def _notices(case: _Case) -> Iterator[Message | Unreachable]:
    if case.obligation.kind == NEWS_NOTICE and case.obligation.audience == PUBLIC:
        yield from _messages(case, EVERYBODY, PUBLIC, (NO_CHANNEL,), "the status page shows it")
        return
    if case.obligation.kind != ITEM_MARK and case.obligation.audience == INTERNAL and case.level.channels:
        yield from _messages(case, TEAM, INTERNAL, tuple(case.level.channels))
    seen: set[str] = set()
    for audience, name in _recipients(case):
        handles = case.policy.contacts.handles(name, case.obligation.due)
        if not handles:
            yield Unreachable(case.obligation.key, name, case.policy.contacts.why_nobody(name))
        for handle in handles:
            if handle in seen:
                continue
            seen.add(handle)
            person = case.policy.contacts.people.get(handle)
            if person is None or not person.channels:
                yield Unreachable(case.obligation.key, handle, "no channel in `contacts`")
            else:
                yield from _messages(case, handle, audience, tuple(person.channels))
    for name in case.obligation.escalation.unreached if case.obligation.escalation else ():
        yield Unreachable(case.obligation.key, name, case.policy.contacts.why_nobody(name))


def _recipients(case: _Case) -> Iterator[tuple[str, str]]:
    """Who is to be notified, by audience: handles, roles and tiers, those closest to the work first."""
    obligation, incident, roles = case.obligation, case.incident, case.incident.roles
    assignee = assignee_at(incident, case.now)
    at_work = [name for name in (assignee, roles.commander) if name]
    above = managers(assignee, LOW_RANK, case.policy)
    if obligation.kind == NEWS_NOTICE:
        yield from ((EXECUTIVE, name) for name in _executives(case) if obligation.audience == EXECUTIVE)
        return
    if obligation.kind == ITEM_MARK:
        item = next((item for item in incident.action_items if item.id == obligation.item), None)
        owner = item.owner if item and item.owner else None
        late = obligation.mark.rpartition(".")[2].startswith("plus")
        names = [owner, *(managers(owner, LOW_RANK, case.policy) if late else [])] if owner else _owners(case)
    elif obligation.kind == ESCALATION_NOTICE:
        names = [*(obligation.escalation.targets if obligation.escalation else ()), *at_work]
    elif obligation.kind == WARNING:
        names = [*at_work, *above] or _owners(case)
    elif obligation.clock in (UPDATE_INTERNAL, UPDATE_PUBLIC):
        names = [name for name in (roles.communications_lead, *at_work) if name] or _owners(case)
    elif obligation.clock in (POSTMORTEM_FINAL, POSTMORTEM_MEETING):
        written = incident.postmortem
        names = [*(written.authors if written else ()), *at_work] or _owners(case)
    else:
        names = [*at_work, *(above if obligation.kind == BREACH else ()), *_owners(case), *_routed(case)]
    yield from ((INTERNAL, name) for name in dict.fromkeys(names))
    if obligation.kind in (DECLARED_NOTICE, RAISED_NOTICE, REOPENED_NOTICE, RESOLVED_NOTICE):
        yield from ((EXECUTIVE, name) for name in _executives(case))


def _executives(case: _Case) -> list[str]:
    """The executives and audiences to notify of an incident of this level (R66, R67)."""
    return [*case.level.audiences] or (["executive"] if case.obligation.kind == NEWS_NOTICE else [])


def _owners(case: _Case) -> list[str]:
    found = (case.services.get(name) for name in case.incident.services)
    return [*dict.fromkeys(service.owner for service in found if service)]


def _routed(case: _Case) -> list[str]:
    """Whom the routing names: by symptom (a tag or the triage category), category and phase (R21, R73, R74)."""
    incident, routing = case.incident, case.policy.routing
    category = incident.triage.category if incident.triage else None
    causes = [cause for cause in (category, incident.cause.category if incident.cause else None) if cause]
    names = [who for symptom in (*incident.tags, *causes) for who in routing.by_symptom.get(symptom, ())]
    names += [who for name in causes for who in routing.by_category.get(name, ())]
    phase = routing.by_phase.get(response_phase(incident))
    return [*names, *(phase.lead if phase else ()), *(phase.supporting if phase else ())]


def _messages(case: _Case, recipient: str, audience: str, channels: Iterable[str], held: str = "") -> Iterator[Message]:
    """One message for each channel. The team's go into the incident's own chat channel too, where it has one."""
    obligation, incident = case.obligation, case.incident
    subject, lines = _text(case, audience)
    asked = case.policy.notify.incident_channel.create and not case.is_ticket
    own = recipient == TEAM and audience == INTERNAL and asked
    for channel in dict.fromkeys((*channels, *((INCIDENT_CHANNEL,) if own else ()))):
        yield Message(
            key=f"{obligation.key}/{recipient}/{audience}",
            incident=incident.id,
            rank=obligation.rank,
            mark=obligation.mark,
            audience=audience,
            recipient=recipient,
            channel=channel,
            subject=subject,
            text="\n".join(lines),
            drill=incident.drill,
            restricted=incident.visibility == "restricted",
            held=held or _held(case),
            kind=obligation.kind,
            obligation=obligation.key,
        )


def _text(case: _Case, audience: str) -> tuple[str, tuple[str, ...]]:
    """Subject and lines. Of a restricted incident only the id is sent."""
    obligation, incident = case.obligation, case.incident
    mark = "[DRILL] " if incident.drill else ""
    if incident.visibility == "restricted":
        return f"{mark}{incident.id}", ()
    if audience == PUBLIC:
        return f"{mark}{incident.id}", (obligation.text,)
    ticket = "ticket " if case.is_ticket else ""
    level = _spelled_level(case)
    reason = spell_instants(obligation.reason, obligation.noticed_at)
    lines = notice_lines(obligation, incident, case.level, case.policy, is_internal=audience == INTERNAL)
    return f"{mark}{level} {ticket}{incident.id}: {incident.title} - {reason}", lines


def _spelled_level(case: _Case) -> str:
    """The level in force, with the major one beside it: `P1/SEV-1`."""
    severity = case.incident.severity
    is_major = severity is not None and severity in case.policy.major_labels
    return f"{case.obligation.level}/{severity}" if is_major else case.obligation.level


def _held(case: _Case) -> str:
    """Why a notice is not sent now; "" where it is."""
    obligation, now = case.obligation, case.now
    if case.policy.mode == "observe":
        return "the policy's mode is observe"
    if obligation.no_page:
        return obligation.no_page
    rule = obligation.escalation.rule if obligation.escalation else ""
    snooze, until = case.incident.snooze, snoozed_until(case.incident, now)
    if snooze and until and obligation.kind in REMINDERS and rule != MANUAL:
        return f"snoozed until {stamp(until)} by {snooze.by}"
    if now - obligation.due > LATE_AFTER and rule not in _UNDATED and obligation.kind != STATE_NOTICE:
        return f"it was due more than {spell_duration(int(LATE_AFTER.total_seconds()))} ago"
    calendar = _hours(case)
    opens = _next_opening(calendar, now) if calendar and rule != MANUAL else None
    return f"quiet hours until {stamp(opens)}" if opens else ""


def _hours(case: _Case) -> Calendar | None:
    """The working hours that a notice waits for; None where it waits for none."""
    if case.obligation.kind == ITEM_MARK:
        return case.policy.calendar("business") or AROUND_THE_CLOCK
    return case.policy.calendar(case.level.calendar) if case.obligation.rank >= LOW_RANK else None


def _next_opening(calendar: Calendar, now: datetime) -> datetime | None:
    """When a closed calendar opens next; None while it is open, or where it never opens."""
    worked = due(now, 1, calendar)
    return worked - _TICK if worked is not None and worked > now + _TICK else None
