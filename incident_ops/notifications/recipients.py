"""Who is told what of which obligation, where, and whether now (R63-R67, R72-R74, R128, R142). Pure.

Each notice has one recipient and one key that never changes: `INC/clock/cycle/mark/recipient/audience`. Whether a key
was sent already is for the ledger to say. Nobody is left out in silence: who cannot be reached is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.domain.as_of import assignee_at, public_status
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import ASSIGNED, IN_PROGRESS, NEW, OVER, PENDING, TRIAGED
from incident_ops.domain.notification import INCIDENT_CHANNEL, Message
from incident_ops.domain.policy import LevelPolicy, Policy
from incident_ops.domain.policy_sections import AROUND_THE_CLOCK, Calendar
from incident_ops.domain.services import Service
from incident_ops.domain.time import instant, spell_duration, stamp
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

INTERNAL, EXECUTIVE, PUBLIC = "internal", "executive", "public"
TEAM, EVERYBODY = "team", "public"
NO_CHANNEL = ""
REMINDERS = frozenset({WARNING, BREACH, ESCALATION_NOTICE, ITEM_MARK})
LATE_AFTER = timedelta(days=1)
"""What was due longer ago than this is reported; nobody is called for it."""
LOW_RANK = 3
"""From this rank on nobody is disturbed outside the level's working hours."""
_TICK = timedelta(seconds=1)
_UNDATED = frozenset({"vip", "keyword", "pattern", MANUAL})


class Unreachable(NamedTuple):
    """Somebody who should be told and cannot be: `whom` is a handle or a word of the policy."""

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
    one: Obligation
    incident: Incident
    level: LevelPolicy
    policy: Policy
    services: Mapping[str, Service]
    now: datetime


def notices(
    obligations: Iterable[Obligation],
    incidents: Mapping[str, Incident],
    policy: Policy,
    services: Mapping[str, Service],
    now: datetime,
) -> Notices:
    """The notices of what is owed; what is superseded makes none. `incidents` by id, those of the obligations."""
    found: dict[tuple[str, str], Message] = {}
    missed: dict[Unreachable, None] = {}
    for one in obligations:
        incident = incidents[one.incident]
        level = policy.level_of(incident)
        if one.superseded or level is None:
            continue
        case = _Case(one, incident, level, policy, services, now)
        for made in _told(case):
            if isinstance(made, Unreachable):
                missed[made] = None
            else:
                found.setdefault((made.key, made.channel), made)
    return merge_notices([Notices(tuple(found.values()), tuple(missed))])


def merge_notices(parts: Iterable[Notices]) -> Notices:
    """The notices of several incidents in the order of one run."""
    every = list(parts)
    found = (message for part in every for message in part.messages)
    ordered = sorted(found, key=lambda message: (message.rank, message.key, message.channel))
    return Notices(tuple(ordered), tuple(sorted({one for part in every for one in part.unreachable})))


def possible_notices(
    one: Obligation, incident: Incident, policy: Policy, services: Mapping[str, Service], now: datetime
) -> Iterator[Message]:
    """Every notice that a call may have made, whoever had the incident and whatever its level was: the ledger knows
    which were sent."""
    level = policy.level_of(incident)
    if level is None:
        return
    case = _Case(one, incident, level, policy, services, now)
    every = (*policy.levels, *policy.scheme.major)
    yield from _messages(case, TEAM, INTERNAL, tuple(sorted({name for each in every for name in each.channels})))
    for handle, person in sorted(policy.contacts.people.items()):
        for audience in (INTERNAL, EXECUTIVE):
            yield from _messages(case, handle, audience, tuple(person.channels))


def has_been_handled(before: Incident, after: Incident) -> bool:
    """True where somebody took, ended or snoozed an incident since `before` was read: a call made of that is stale."""
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
    status = public_status(incident)
    if status == "identified":
        return "deployment" if incident.times.mitigated else "fix"
    return "investigation" if status == "investigating" else "deployment"


def _told(case: _Case) -> Iterator[Message | Unreachable]:
    if case.one.kind == NEWS_NOTICE and case.one.audience == PUBLIC:
        yield from _messages(case, EVERYBODY, PUBLIC, (NO_CHANNEL,), "the status page shows it")
        return
    if case.one.kind != ITEM_MARK and case.one.audience == INTERNAL and case.level.channels:
        yield from _messages(case, TEAM, INTERNAL, tuple(case.level.channels))
    seen: set[str] = set()
    for audience, word in _words(case):
        handles = case.policy.contacts.handles(word)
        if not handles:
            yield Unreachable(case.one.key, word, "no contact in `contacts`")
        for handle in handles:
            if handle in seen:
                continue
            seen.add(handle)
            person = case.policy.contacts.people.get(handle)
            if person is None or not person.channels:
                yield Unreachable(case.one.key, handle, "no channel in `contacts`")
            else:
                yield from _messages(case, handle, audience, tuple(person.channels))
    for word in case.one.escalation.unreached if case.one.escalation else ():
        yield Unreachable(case.one.key, word, "no contact in `contacts`")


def _words(case: _Case) -> Iterator[tuple[str, str]]:
    """Who is to be told, by audience: handles, roles and tiers, the nearest to the work first."""
    one, incident, roles = case.one, case.incident, case.incident.roles
    holder = assignee_at(incident, case.now)
    at_work = [word for word in (holder, roles.commander) if word]
    above = managers(holder, LOW_RANK, case.policy)
    if one.kind == NEWS_NOTICE:
        yield from ((EXECUTIVE, word) for word in _executives(case) if one.audience == EXECUTIVE)
        return
    if one.kind == ITEM_MARK:
        item = next((item for item in incident.action_items if item.id == one.item), None)
        owner = item.owner if item and item.owner else None
        late = one.mark.rpartition(".")[2].startswith("plus")
        words = [owner, *(managers(owner, LOW_RANK, case.policy) if late else [])] if owner else _owners(case)
    elif one.kind == ESCALATION_NOTICE:
        words = [*(one.escalation.targets if one.escalation else ()), *at_work]
    elif one.kind == WARNING:
        words = [*at_work, *above] or _owners(case)
    elif one.clock in (UPDATE_INTERNAL, UPDATE_PUBLIC):
        words = [word for word in (roles.communications_lead, *at_work) if word] or _owners(case)
    elif one.clock in (POSTMORTEM_FINAL, POSTMORTEM_MEETING):
        written = incident.postmortem
        words = [*(written.authors if written else ()), *at_work] or _owners(case)
    else:
        words = [*at_work, *(above if one.kind == BREACH else ()), *_owners(case), *_routed(case)]
    yield from ((INTERNAL, word) for word in dict.fromkeys(words))
    if one.kind in (DECLARED_NOTICE, RAISED_NOTICE, REOPENED_NOTICE, RESOLVED_NOTICE):
        yield from ((EXECUTIVE, word) for word in _executives(case))


def _executives(case: _Case) -> list[str]:
    """Who must hear of an incident of this level (R66, R67)."""
    return [*case.level.audiences] or (["executive"] if case.one.kind == NEWS_NOTICE else [])


def _owners(case: _Case) -> list[str]:
    found = (case.services.get(name) for name in case.incident.services)
    return [*dict.fromkeys(service.owner for service in found if service)]


def _routed(case: _Case) -> list[str]:
    """By symptom (a tag or the triage category that names one), category and phase (R21, R73, R74)."""
    incident, routing = case.incident, case.policy.routing
    category = incident.triage.category if incident.triage else None
    causes = [word for word in (category, incident.cause.category if incident.cause else None) if word]
    words = [who for symptom in (*incident.tags, *causes) for who in routing.by_symptom.get(symptom, ())]
    words += [who for name in causes for who in routing.by_category.get(name, ())]
    phase = routing.by_phase.get(response_phase(incident))
    return [*words, *(phase.lead if phase else ()), *(phase.supporting if phase else ())]


def _messages(case: _Case, recipient: str, audience: str, channels: Iterable[str], held: str = "") -> Iterator[Message]:
    """One message for each channel. The team's go into the incident's own chat channel too, where it has one."""
    obligation, incident = case.one, case.incident
    subject, lines = _text(case, audience)
    own = recipient == TEAM and audience == INTERNAL and case.policy.notify.incident_channel.create
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
    """Subject and lines. Of a restricted incident nothing leaves but its id."""
    one, incident = case.one, case.incident
    mark = "[DRILL] " if incident.drill else ""
    if incident.visibility == "restricted":
        return f"{mark}{incident.id}", ()
    if audience == PUBLIC:
        return f"{mark}{incident.id}", (one.text,)
    subject = f"{mark}{one.level} {incident.id}: {incident.title} - {one.reason}"
    lines = [one.reason, *([one.text] if one.text else [])]
    lag = int((one.noticed_at - one.due).total_seconds())
    lines.append(f"Due {stamp(one.due)}, noticed {stamp(one.noticed_at)}, {spell_duration(lag)} late")
    if one.kind in (DECLARED_NOTICE, RAISED_NOTICE, REOPENED_NOTICE) and case.level.team:
        lines.append(f"Team: {case.level.team}")
    if one.kind in (WARNING, BREACH) and audience == INTERNAL and case.policy.escalation.tiers:
        lines.append(f'To get help from the next tier: incident-ops escalate {incident.id} --reason "..."')
    return subject, tuple(lines)


def _held(case: _Case) -> str:
    """Why a notice is not sent now; "" where it is."""
    one, now = case.one, case.now
    if case.policy.mode == "observe":
        return "the policy's mode is observe"
    if one.no_page:
        return one.no_page
    rule = one.escalation.rule if one.escalation else ""
    snooze = case.incident.snooze
    until = instant(snooze.until) if snooze else None
    if snooze and until and now < until and one.kind in REMINDERS and rule != MANUAL:
        return f"snoozed until {stamp(until)} by {snooze.by}"
    if now - one.due > LATE_AFTER and rule not in _UNDATED and one.kind != STATE_NOTICE:
        return f"it was due more than {spell_duration(int(LATE_AFTER.total_seconds()))} ago"
    calendar = _hours(case)
    opens = _opening(calendar, now) if calendar and rule != MANUAL else None
    return f"quiet hours until {stamp(opens)}" if opens else ""


def _hours(case: _Case) -> Calendar | None:
    """The working hours that a notice waits for; None where it waits for none."""
    if case.one.kind == ITEM_MARK:
        return case.policy.calendar("business") or AROUND_THE_CLOCK
    return case.policy.calendar(case.level.calendar) if case.one.rank >= LOW_RANK else None


def _opening(calendar: Calendar, now: datetime) -> datetime | None:
    """When a calendar that is closed opens next; None while it is open, or where it never opens."""
    worked = due(now, 1, calendar)
    return worked - _TICK if worked is not None and worked > now + _TICK else None
