"""Who is notified of which obligation, where, and whether now (R63-R67, R72-R74, R128, R142). Pure.

Each notice has one recipient and one key that never changes: `INC/clock/cycle/mark/recipient/audience`. Whether a key
was sent already is recorded in the ledger. Nobody is left out silently: whoever cannot be reached is named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from incident_ops.domain.as_of import assignee_at
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import IN_PROGRESS, OVER, PENDING
from incident_ops.domain.notice_kinds import DIGEST, PAGE, PAGED_RANKS, TO_NOBODY
from incident_ops.domain.notification import EXECUTIVE, INCIDENT_CHANNEL, INTERNAL, Message
from incident_ops.domain.policy import LevelPolicy, Policy, Service
from incident_ops.domain.policy_sections import AROUND_THE_CLOCK, ON_CALL, Calendar
from incident_ops.domain.public_updates import PUBLIC
from incident_ops.domain.ticket import is_ticket
from incident_ops.domain.time import spell_duration, stamp
from incident_ops.domain.waits import snoozed_until
from incident_ops.notifications.kinds import answer_times, is_answered, notice_kind, way_now
from incident_ops.notifications.notice_text import notice_lines, notice_subject
from incident_ops.sla.calendar import due, end_of_day
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
from incident_ops.sla.escalation import MANUAL
from incident_ops.sla.escalation_ladder import NO_ANSWER, managers, nearest_people
from incident_ops.sla.handover import response_phase, takeovers
from incident_ops.sla.obligations import (
    BREACH,
    DECLARED_NOTICE,
    ESCALATION_NOTICE,
    HANDOVER_NOTICE,
    ITEM_MARK,
    NEWS_NOTICE,
    RAISED_NOTICE,
    REOPENED_NOTICE,
    RESOLVED_NOTICE,
    SNOOZE_NOTICE,
    STATE_NOTICE,
    WARNING,
    Obligation,
)

TEAM, EVERYBODY = "team", "public"
FALLBACK = "fallback"
NOBODY = "nobody on the ladder"
NO_CHANNEL = ""
NO_QUIET_CHANNEL = "no quiet channel"
REMINDERS = frozenset({WARNING, BREACH, ESCALATION_NOTICE, ITEM_MARK})
LATE_AFTER = timedelta(days=1)
"""What is over, and could go out longer ago than this, is reported; nobody is notified of it."""
LOW_RANK = 3
_TICK = timedelta(seconds=1)
_BEGINS = frozenset({DECLARED_NOTICE, RAISED_NOTICE, REOPENED_NOTICE, SNOOZE_NOTICE})
_NO_ALERT = frozenset({WARNING, ITEM_MARK, NEWS_NOTICE, RESOLVED_NOTICE, HANDOVER_NOTICE, STATE_NOTICE})
_ALERTING = frozenset({RESPONSE, DIAGNOSIS, RESOLUTION, DEADLINE})
_ONLY_PAGERS = "a pager rings for the incident's alert only: add chat, sms or phone"
_PAST = frozenset({NEWS_NOTICE, RESOLVED_NOTICE})


class Unreachable(NamedTuple):
    """Somebody who should be notified and cannot be: `whom` is a handle, a role or a tier; NOBODY where no step of the
    ladder has anybody."""

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
    way: str
    is_over: bool


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
        own = policy.for_incident(incident)
        level = own.level_of(incident)
        if obligation.superseded or level is None:
            continue
        answered = answer_times(incident, own, now)
        case = _Case(
            obligation,
            incident,
            level,
            own,
            services,
            now,
            is_ticket(incident, own, now),
            way_now(obligation, own, answered),
            obligation.kind in _PAST or (obligation.kind in _BEGINS and is_answered(obligation, answered)),
        )
        too_late = _too_late(case)
        for notice in _notices(case):
            if isinstance(notice, Unreachable):
                unreachable |= {} if too_late else {notice: None}
            else:
                found.setdefault((notice.key, notice.channel), notice)
    return merge_notices([Notices(tuple(found.values()), tuple(unreachable))])


def merge_notices(parts: Iterable[Notices]) -> Notices:
    """The notices of several incidents in the order of one run."""
    every = list(parts)
    found = (message for part in every for message in part.messages)
    ordered = sorted(found, key=lambda message: (message.rank, message.key, message.channel))
    return Notices(tuple(ordered), tuple(sorted({who for part in every for who in part.unreachable})))


def without_pagers(found: Notices, pagers: Collection[str]) -> Notices:
    """The notices but for what a pager has as an alert; what no alert is made of is held there, and says so. Whoever
    has nothing but pagers is named then."""
    held = "a pager rings for its alert only; let it go over sms or phone"
    kept = tuple(
        one._replace(held=one.held or held) if one.channel in pagers else one
        for one in found.messages
        if one.channel not in pagers or _opens_no_alert(one)
    )
    reached = {one.key for one in kept if one.channel not in pagers}
    missed = {Unreachable(one.obligation, one.recipient, _ONLY_PAGERS) for one in kept if one.key not in reached}
    left = tuple(one for one in kept if one.key in reached or one.held != held)
    return Notices(left, tuple(sorted({*found.unreachable, *missed})))


def _opens_no_alert(message: Message) -> bool:
    """True for a kind that never opens the alert, and for what is late beside the incident's own clocks."""
    clock = message.obligation.split("/")[1:2]
    return message.kind in _NO_ALERT or (message.kind == BREACH and not _ALERTING.intersection(clock))


def has_been_handled(before: Incident, after: Incident) -> bool:
    """True where somebody took, ended or snoozed an incident since `before` was read: pages made from it are stale."""
    took = after.times.acknowledged is not None and before.times.acknowledged is None
    moved = after.state != before.state and after.state in (IN_PROGRESS, PENDING, *OVER)
    ended = after.outcome != before.outcome or after.duplicate_of != before.duplicate_of
    snoozed = after.snooze is not None and after.snooze != before.snooze
    return took or moved or ended or snoozed or len(after.assignments) > len(before.assignments)


def _notices(case: _Case) -> Iterator[Message | Unreachable]:
    if case.obligation.kind == NEWS_NOTICE and case.obligation.audience == PUBLIC:
        yield from _messages(case, EVERYBODY, PUBLIC, (NO_CHANNEL,), "the status page shows it")
        return
    is_for_team = case.obligation.kind not in (ITEM_MARK, HANDOVER_NOTICE)
    if is_for_team and case.obligation.audience == INTERNAL and case.level.channels:
        yield from _messages(case, TEAM, INTERNAL, tuple(case.level.channels))
    found = list(_to_people(case, _recipients(case)))
    yield from found
    escalation = case.obligation.escalation
    if escalation is None:
        return
    for name in escalation.unreached:
        yield Unreachable(case.obligation.key, name, case.policy.contacts.why_nobody(name))
    is_ladder = escalation.rule == NO_ANSWER and case.obligation.rank <= PAGED_RANKS
    if is_ladder and not any(isinstance(one, Message) for one in found):
        yield from _to_nobody(case)


def _to_people(case: _Case, recipients: Iterable[tuple[str, str]]) -> Iterator[Message | Unreachable]:
    """The notices to these handles, roles and tiers, each with its audience; each person once."""
    seen: set[str] = set()
    for audience, name in recipients:
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


def _to_nobody(case: _Case) -> Iterator[Message | Unreachable]:
    """Nobody on the ladder can be reached: the policy's fallback is notified, and the run fails."""
    escalation, obligation = case.policy.escalation, case.obligation
    fallback, steps = escalation.fallback, [tier for tier in escalation.tiers if tier.is_own]
    roles = dict.fromkeys(name for tier in steps for name in (tier.notify or [tier.id]))
    mend = f"name somebody with a channel in `contacts` for {', '.join(roles)}"
    if fallback is None:
        yield Unreachable(obligation.key, NOBODY, f"{mend}, or set escalation.fallback")
        return
    alone = case._replace(obligation=obligation._replace(reason=f"{obligation.reason}, and {NOBODY} can be reached"))
    if fallback in case.policy.notify.channels:
        yield from _messages(alone, FALLBACK, INTERNAL, (fallback,))
    else:
        yield from _to_people(alone, [(INTERNAL, fallback)])
    yield Unreachable(obligation.key, NOBODY, f"the fallback {fallback} is notified; {mend}")


def _recipients(case: _Case) -> Iterator[tuple[str, str]]:
    """Who is to be notified, by audience: handles, roles and tiers, those closest to the work first."""
    obligation, incident, roles = case.obligation, case.incident, case.incident.roles
    assignee = assignee_at(incident, case.now)
    at_work = [name for name in (assignee, roles.commander) if name]
    if obligation.kind == HANDOVER_NOTICE:
        yield INTERNAL, obligation.whom
        return
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
        if obligation.kind in _BEGINS:  # who acknowledged it knows, and who took over since hears of that
            know = {one.whom for one in takeovers(incident, case.now) if one.at > obligation.due}
            know |= {one.to for one in incident.assignments if one.at == incident.times.acknowledged}
            at_work = [name for name in at_work if name not in know]
        first = _first_to_answer(case) if obligation.kind in _BEGINS else ()
        names = [*at_work, *(above if obligation.kind == BREACH else ()), *first, *_owners(case), *_routed(case)]
    yield from ((INTERNAL, name) for name in dict.fromkeys(names))
    if obligation.kind in (DECLARED_NOTICE, RAISED_NOTICE, REOPENED_NOTICE, RESOLVED_NOTICE):
        yield from ((EXECUTIVE, name) for name in _executives(case))


def _first_to_answer(case: _Case) -> tuple[str, ...]:
    """Whoever is on call, and who is on the first step of the ladder: told of the ranks that page, and of each level
    for which that step has a time to answer."""
    policy = case.policy
    first = min(policy.escalation.tiers, key=lambda tier: tier.tier, default=None)
    waits = first is not None and first.wait_at(policy.label_of(case.incident) or "") is not None
    if not waits and case.obligation.rank > PAGED_RANKS:
        return ()
    people = nearest_people(first.tier, policy, case.obligation.due)[0] if first else []
    nobody = (first.notify or [first.id]) if first else []
    return (*((ON_CALL,) if policy.contacts.handles(ON_CALL, case.obligation.due) else ()), *(people or nobody))


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


def _messages(
    case: _Case, recipient: str, audience: str, channels: Iterable[str], held: str = ""
) -> Iterator[Message | Unreachable]:
    """One message for each channel that it goes over: what does not page goes over quiet ones only. The team's go into
    the incident's own chat channel too, where it has one."""
    obligation, incident = case.obligation, case.incident
    subject, lines = _text(case, audience)
    asked = case.policy.notify.incident_channel.create and not case.is_ticket
    own = recipient == TEAM and audience == INTERNAL and asked
    every = dict.fromkeys((*channels, *((INCIDENT_CHANNEL,) if own else ())))
    going = [channel for channel in every if case.way in (PAGE, TO_NOBODY) or not case.policy.rings(channel)]
    if not going:
        yield Unreachable(obligation.key, recipient, NO_QUIET_CHANNEL)
    wait = _Wait(held) if held else _held(case)
    for channel in going:
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
            held=wait.why,
            kind=obligation.kind,
            obligation=obligation.key,
            way=case.way,
            held_until=wait.until,
        )


def _text(case: _Case, audience: str) -> tuple[str, tuple[str, ...]]:
    """Subject and lines. Of a restricted incident only the id is sent."""
    obligation, incident = case.obligation, case.incident
    mark = "[DRILL] " if incident.drill else ""
    if incident.visibility == "restricted":
        return f"{mark}{incident.id}", ()
    if audience == PUBLIC:
        return f"{mark}{incident.id}", (obligation.text,)
    lines = notice_lines(obligation, incident, case.level, case.policy, is_internal=audience == INTERNAL)
    return notice_subject(obligation, incident, case.policy), lines


class _Wait(NamedTuple):
    """Why a notice is not sent now, "" where it is; and until when, where it goes then."""

    why: str = ""
    until: datetime | None = None


def _held(case: _Case) -> _Wait:
    obligation, now = case.obligation, case.now
    if case.policy.mode == "observe":
        return _Wait("the policy's mode is observe")
    if obligation.no_page:
        return _Wait(obligation.no_page)
    rule = obligation.escalation.rule if obligation.escalation else ""
    snooze, until = case.incident.snooze, snoozed_until(case.incident, now)
    is_ours = rule != MANUAL and obligation.clock != DEADLINE
    if snooze and until and obligation.kind in REMINDERS and is_ours:
        return _Wait(f"snoozed until {stamp(until)} by {snooze.by}", until)
    if case.way == TO_NOBODY:
        return _Wait(f"the policy's notify.kinds tells nobody of {notice_kind(obligation)}")
    if late := _too_late(case):
        return _Wait(late)
    calendar = _hours(case)
    if calendar is None or rule == MANUAL:
        return _Wait()
    if case.way == DIGEST and (opens := _opens_after(calendar, obligation.due)) > now:
        return _Wait(f"it goes with the others of the day at {stamp(opens)}", opens)
    opens = _opens_from(calendar, now)
    return _Wait(f"quiet hours until {stamp(opens)}", opens) if opens > now else _Wait()


def _too_late(case: _Case) -> str:
    """Why what is over is not told any more; "" for what still stands, however old, and for what is fresh.

    It counts from when it could go first: quiet hours make nothing too late.
    """
    if not case.is_over:
        return ""
    calendar = _hours(case)
    first = _opens_from(calendar, case.obligation.due) if calendar else case.obligation.due
    late = case.now - first > LATE_AFTER
    return f"it is over, and older than {spell_duration(int(LATE_AFTER.total_seconds()))}" if late else ""


def _hours(case: _Case) -> Calendar | None:
    """The working hours that a notice waits for; None where it waits for none."""
    if case.way == PAGE:
        return None
    if case.way == DIGEST or case.obligation.kind == ITEM_MARK:
        return case.policy.calendar("business") or AROUND_THE_CLOCK
    return None if case.level.calendar == "24x7" else case.policy.calendar(case.level.calendar)


def _opens_from(calendar: Calendar, at: datetime) -> datetime:
    """When a calendar is open first from an instant on; that instant itself where it never opens."""
    worked = due(at, 1, calendar)
    return worked - _TICK if worked is not None and worked > at + _TICK else at


def _opens_after(calendar: Calendar, at: datetime) -> datetime:
    """When a calendar opens next, that very instant included; where it is open, on a later day."""
    opens = _opens_from(calendar, at - _TICK)
    return (
        opens
        if opens >= at
        else _opens_from(calendar, end_of_day(at.astimezone(ZoneInfo(calendar.tz)).date(), calendar))
    )
