"""The alerts of an incident: one at each pager (routing key), and what it should be now. Pure.

A pager keeps state: what is open there rings nobody a second time. So an incident has one alert at each pager that it
reaches. What calls people opens it; an answer acknowledges it; the end of the incident, a level that pages nobody, and
a snooze end it; a reopening and the end of a snooze open it again, so that it rings. A step of the ladder with a pager
key of its own has an alert there.

Each event has a key of its own, `INC/alert/cycle/mark/route`, by the event's name and not by a number: a number would
shift with a policy that changes, and a page would be taken for one that was sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.domain.as_of import MOMENT, IncidentAt, as_of, corrected_instants, each_cycle
from incident_ops.domain.deadlines import Duty, duties_ever
from incident_ops.domain.incident import Incident, Snooze
from incident_ops.domain.lifecycle import FIXED
from incident_ops.domain.notice_kinds import ESCALATED, PAGE, pages_at_all
from incident_ops.domain.notification import ACKNOWLEDGED, INTERNAL, RESOLVED_EVENT, Message
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.time import instant, parse_instant, stamp
from incident_ops.notifications.alert_state import Alert
from incident_ops.notifications.kinds import answer_times, notice_kind
from incident_ops.notifications.notice_text import subject_line
from incident_ops.notifications.recipients import TEAM, notices
from incident_ops.sla.activity import NOTHING_SEEN, Seen
from incident_ops.sla.clocks import DEADLINE, clocks, main_clocks
from incident_ops.sla.escalation import MANUAL, due_escalations
from incident_ops.sla.obligations import (
    AHEAD_MARK,
    BREACH,
    SNOOZE_NOTICE,
    Case,
    Obligation,
    PassedMark,
    announcements,
    deadline_marks,
    snooze_end,
)
from incident_ops.sla.targets import LevelPeriod, level_periods

ALERT = "alert"
_REPORTED, _LOWERED = "reported.", "lowered."
_OPENS, _STEP, _ACKNOWLEDGES, _ENDS = range(4)
"""What happens to an alert, in the order that counts within one instant of a cycle."""


class _Event(NamedTuple):
    at: datetime
    cycle: int
    what: int
    mark: str
    obligation: Obligation | None = None
    pages: bool = False
    routes: tuple[str, ...] = ()


class _Life(NamedTuple):
    """What an alert is: the event that opened it, whether it is acknowledged, and the mark of its end."""

    opened: _Event | None = None
    is_acknowledged: bool = False
    ended: str = ""
    before: str = ""


def alerts(
    incident: Incident,
    policy: Policy,
    services: Mapping[str, Service],
    now: datetime,
    pagers: Collection[str],
    seen: Seen = NOTHING_SEEN,
    due: Iterable[Obligation] = (),
) -> list[Alert]:
    """The alerts of an incident as they should be at `now`. `due` are its obligations, `pagers` the channels that keep
    state. UserError as `sla.clocks`."""
    named = _routes_ever((policy, *policy.teams.values()), services)
    policy = policy.for_incident(incident)
    if not pagers or policy.level_of(incident) is None:
        return []
    view, own = as_of(incident, now), _routes(incident, services)
    events = _events(view, policy, own, seen, due)
    others = dict.fromkeys(route for event in events for route in event.routes)
    opened_by = dict.fromkeys((event.cycle, event.mark) for event in events if event.what in (_OPENS, _STEP))
    asked_for = dict.fromkeys(begin for begin in _reports_ever(view, policy) if begin not in opened_by)
    base = _Place("", TEAM, tuple(opened_by), tuple(sorted(pagers)), tuple(asked_for))
    before = _routes_before(incident, services)
    here = {*own, *others}
    gone = dict.fromkeys(route for _, routes in before for route in routes if route not in here)
    found = []
    opens = dict.fromkeys((event.cycle, event.mark) for event in events if event.what == _OPENS and event.pages)
    ever = dict.fromkeys(route for route in named if route not in here and route not in gone)
    swapped = base._replace(begins=tuple(opens))  # by hand, which is rare: what rings first is looked for there
    if gone or ever:
        over = _bare(incident, policy, now, _Life())
        found += [_alert(view, over, _Life(), _placed(base, route, before), {}) for route in gone]
        found += [_alert(view, over, _Life(), swapped._replace(route=route), {}) for route in ever]
    for route in (*own, *others):
        life = _life(events, route if route in others else "")
        wanted = _channels(life, view, policy, services, pagers)
        if route in others and not wanted and _rings(life) and not view.is_retroactive:
            wanted = {min(pagers): _bare(incident, policy, now, life)}
        name = route if route in others or len(own) > 1 else TEAM
        place = _placed(base, route, before)._replace(name=name)
        found.append(_alert(view, _bare(incident, policy, now, life), life, place, wanted))
    return found


def _events(
    view: IncidentAt, policy: Policy, own: Collection[str], seen: Seen, due: Iterable[Obligation]
) -> list[_Event]:
    """Everything that opens, acknowledges and ends the alerts of an incident, in order."""
    whole = _as_if_fixed(view)
    periods = level_periods(whole, policy)
    found = [*_beginnings(whole, policy, periods), *_snoozed(view, whole, policy, periods)]
    steps = _steps(whole, policy, periods, seen, due)
    found += (step._replace(routes=tuple(route for route in step.routes if route not in own)) for step in steps)
    found += (
        _Event(at, whole.then(at).cycle, _ACKNOWLEDGES, ACKNOWLEDGED)
        for at in answer_times(whole.incident, policy, view.now)
    )
    found += _reports(whole, policy, periods)
    for period in periods:
        if not pages_at_all(policy.notify.kinds, period.level.rank):
            found.append(_lowered(whole, period.since))
    for cycle in each_cycle(whole):
        if cycle.resolved.ended:
            found.append(_Event(cycle.resolved.at or cycle.now, cycle.cycle, _ENDS, RESOLVED_EVENT))
    if view.is_cancelled:
        found.append(_Event(view.now, view.cycle, _ENDS, RESOLVED_EVENT))
    return sorted((event for event in found if event.at <= view.now), key=lambda event: event[:4])


def _as_if_fixed(view: IncidentAt) -> IncidentAt:
    """The incident with all that rang; one that was withdrawn is over from its closing on."""
    incident = view.incident
    if incident.outcome == FIXED and incident.duplicate_of is None and not view.is_cancelled:
        return view
    times, cycles = incident.times, list(incident.cycles)
    if view.is_cancelled and cycles:
        cycles[-1] = replace(cycles[-1], resolved=cycles[-1].resolved or cycles[-1].closed)
    elif view.is_cancelled:
        times = replace(times, resolved=times.resolved or times.closed)
    return as_of(replace(incident, outcome=FIXED, duplicate_of=None, times=times, cycles=cycles), view.now)


def _beginnings(whole: IncidentAt, policy: Policy, periods: list[LevelPeriod]) -> Iterator[_Event]:
    for cycle in each_cycle(whole):
        until = [period for period in periods if period.since <= cycle.now] or periods[:1]
        for one in announcements(Case(cycle, policy, until)):
            yield _beginning(one, policy, periods)
    for clock in main_clocks(whole, policy, periods):
        if clock.due is not None and clock.due < (clock.stopped_at or whole.now):
            reason = f"{clock.name.capitalize()} of {clock.level} was due at {stamp(clock.due)}"
            case = Case(whole.then(clock.due), policy, periods)
            made = case.obligation(BREACH, clock.clock, f"{clock.clock}.due", clock.due, reason)
            yield _beginning(made, policy, periods)


def _reports(whole: IncidentAt, policy: Policy, periods: list[LevelPeriod]) -> Iterator[_Event]:
    """A deadline rings from hours before its end on, until its report is made; it ends there long after an incident,
    and at a level that pages nobody."""
    for clock in clocks(whole, policy) if policy.deadlines else ():
        if clock.clock != DEADLINE:
            continue
        for mark in _ringing_marks(clock.duty, clock.stopped_at or whole.now):
            case = Case(whole.then(mark.at), policy, periods)
            made = case.obligation(mark.kind, DEADLINE, mark.mark, mark.at, mark.reason, 1)
            yield _beginning(made._replace(item=clock.item), policy, periods)
        if clock.stopped_at is not None:
            then = whole.then(clock.stopped_at)
            what = _ENDS if then.resolved.ended else _ACKNOWLEDGES
            yield _Event(clock.stopped_at, then.cycle, what, f"{_REPORTED}{clock.item}")
            if not pages_at_all(policy.notify.kinds, _rank_at(periods, clock.stopped_at)):
                yield _lowered(whole, clock.stopped_at)


def _ringing_marks(duty: Duty | None, now: datetime) -> list[PassedMark]:
    """The marks of a report that ring: all but the first, long before its end."""
    marks = deadline_marks(duty, now) if duty else []
    return [one for one in marks if not one.mark.endswith(f".{AHEAD_MARK}")]


def _reports_ever(view: IncidentAt, policy: Policy) -> Iterator[tuple[int, str]]:
    """Cycle and mark of what may have rung for a report, owed now or not: a tag comes and goes, and so does the time
    from which it counts."""
    incident = view.incident
    if not policy.deadlines:
        return
    corrections = incident.corrections
    before = (replace(incident, corrections=corrections[:count]) for count in range(len(corrections)))
    readings = [view.instants, *map(corrected_instants, before)]
    for duty in duties_ever(incident, policy, readings, view.now):
        yield from ((1, mark.mark) for mark in _ringing_marks(duty, view.now))


def _lowered(whole: IncidentAt, at: datetime) -> _Event:
    return _Event(at, whole.then(at).cycle, _ENDS, f"{_LOWERED}{stamp(at)}")


def _beginning(obligation: Obligation, policy: Policy, periods: Sequence[LevelPeriod]) -> _Event:
    pages = policy.way(notice_kind(obligation), _rank_at(periods, obligation.due)) == PAGE
    return _Event(obligation.due, obligation.cycle, _OPENS, obligation.mark, obligation, pages)


def _rank_at(periods: Sequence[LevelPeriod], at: datetime) -> int:
    return next((one.level.rank for one in reversed(periods) if one.since <= at), periods[0].level.rank)


def _snoozed(view: IncidentAt, whole: IncidentAt, policy: Policy, periods: list[LevelPeriod]) -> Iterator[_Event]:
    """A snooze ends the alert; its own end opens it again."""
    snooze = view.incident.snooze
    until = instant(snooze.until) if snooze else None
    if snooze is None or until is None:
        return
    begun = _begun(snooze, view.now)
    yield _Event(begun, whole.then(begun).cycle, _ENDS, f"snoozed.{stamp(until)}")
    if snooze_end(whole) is not None:
        case = Case(whole, policy, periods)
        reason = f"Still open; the snooze ended at {stamp(until)}"
        again = case.obligation(SNOOZE_NOTICE, "snooze", f"snooze_ended.{stamp(until)}", until, reason)
        yield _beginning(again, policy, periods)


def _begun(snooze: Snooze, now: datetime) -> datetime:
    """When a snooze began: before its end, so that what ends with it comes after."""
    until = parse_instant(snooze.until)
    return min(instant(snooze.at) or now, until - MOMENT)


def _steps(
    whole: IncidentAt, policy: Policy, periods: list[LevelPeriod], seen: Seen, due: Iterable[Obligation]
) -> Iterator[_Event]:
    """The steps of the ladder; those of a snooze wait for its end."""
    case, snooze = Case(whole, policy, periods), whole.incident.snooze
    until = instant(snooze.until) if snooze else None
    begun = _begun(snooze, whole.now) if snooze and until else None
    given = {one.key: one for one in due if one.escalation is not None}
    for key, one in (
        {made.key: case.escalation(made) for made in due_escalations(whole, policy, seen)} | given
    ).items():
        escalation = one.escalation
        is_asleep = until is not None and begun is not None and begun < one.due < until
        if escalation is None or (is_asleep and escalation.rule != MANUAL):
            continue
        tiers = (tier for tier in policy.escalation.tiers if tier.tier == escalation.to_tier)
        routes = tuple(dict.fromkeys(tier.pager_key_env for tier in tiers if tier.pager_key_env))
        pages = policy.way(ESCALATED, _rank_at(periods, one.due)) == PAGE
        yield _Event(one.due, one.cycle, _STEP, key.split("/", 3)[-1], one, pages, routes)


def _life(events: Iterable[_Event], route: str) -> _Life:
    """What the alert at a pager is after these events; `route` "" = the pagers of the services, else a tier's."""
    life = _Life()
    is_open = False
    for event in events if route else _with_reports_due(events):
        if _reported(event) and not _report_asked(life.opened):
            continue
        if event.what == _ENDS:
            life, is_open = life._replace(ended=event.mark), False
        elif event.what == _ACKNOWLEDGES:
            life = life._replace(is_acknowledged=life.is_acknowledged or is_open)
        elif _calls(event, life, route, is_open=is_open):
            life, is_open = _Life(event, before=_end_mark(life)), True
    return life


def _with_reports_due(events: Iterable[_Event]) -> Iterator[_Event]:
    """All events but those that end nothing: while a report is owed neither another one nor a lower level does."""
    asked_for = set[str]()
    for event in events:
        if event.pages and (asked := _report_asked(event)):
            asked_for.add(asked)
        asked_for.discard(made := _reported(event))
        is_lowered = event.what == _ENDS and event.mark.startswith(_LOWERED)
        if not asked_for or not (made or is_lowered):
            yield event


def _report_asked(event: _Event | None) -> str:
    """The deadline whose report an event asks for; "" for anything else."""
    made = event.obligation if event else None
    return made.item or "" if made and made.clock == DEADLINE else ""


def _reported(event: _Event) -> str:
    """The deadline whose report was made; "" for anything else."""
    is_made = event.what in (_ACKNOWLEDGES, _ENDS) and event.mark.startswith(_REPORTED)
    return event.mark.removeprefix(_REPORTED) if is_made else ""


def _calls(event: _Event, life: _Life, route: str, *, is_open: bool) -> bool:
    """True where an event opens the alert: what is open and not acknowledged is not opened a second time."""
    rings_now = is_open and not life.is_acknowledged
    if not event.pages or rings_now:
        return False
    if event.what == _STEP:
        return route in event.routes if route else not event.routes and not is_open
    comes_again = event.obligation is not None and event.obligation.kind == SNOOZE_NOTICE
    return not route or (comes_again and life.opened is not None)


def _rings(life: _Life) -> bool:
    return life.opened is not None and not life.ended and not life.is_acknowledged


def _end_mark(life: _Life) -> str:
    """The event and the mark of the end before an opening; "" where the alert was not ended."""
    return f"{life.opened.cycle}/{_named(life)}" if life.opened and life.ended else ""


def _named(life: _Life) -> str:
    """The mark that an alert is known by: that of its opening, and of the snooze that ended it."""
    opened = life.opened.mark if life.opened else ""
    return opened if life.ended in ("", RESOLVED_EVENT) or not opened else f"{opened}.{life.ended}"


_RoutesBefore = tuple[str, tuple[str, ...]]
"""Until when (as text, UTC) services of an incident counted that were replaced, and the routes of them all."""


class _Place(NamedTuple):
    """A pager: the variable with its key, its name for people, what may have opened its alert, its channels, what may
    have opened it and does so no more; `since` when it came back after its service was replaced, `turns` when any
    service was replaced."""

    route: str
    name: str
    begins: tuple[tuple[int, str], ...]
    channels: tuple[str, ...]
    asked_for: tuple[tuple[int, str], ...] = ()
    since: str = ""
    turns: tuple[str, ...] = ()


def _placed(base: _Place, route: str, before: Sequence[_RoutesBefore]) -> _Place:
    """The place of a pager, which may have come and gone with its service."""
    since, was_there = "", False
    for until, routes in before:
        is_there = route in routes
        if was_there and not is_there:
            since = until
        was_there = was_there or is_there
    return base._replace(route=route, since=since, turns=tuple(until for until, _ in before))


def _alert(view: IncidentAt, bare: Message, life: _Life, place: _Place, wanted: Mapping[str, Message]) -> Alert:
    def key(cycle: int, mark: str, since: str = place.since) -> str:
        return "/".join((f"{view.incident.id}/{ALERT}/{cycle}/{mark}", *filter(None, (place.route, since))))

    def keys(begins: Iterable[tuple[int, str]]) -> tuple[str, ...]:
        return tuple(key(*begin, since) for begin in begins for since in ("", *place.turns))

    over = bool(life.ended) or life.opened is None
    named = key(life.opened.cycle, _named(life)) if life.opened else ""
    cycle, _, ended = life.before.partition("/")

    def made(message: Message, channel: str) -> Message:
        return message._replace(
            key=named, channel=channel, recipient=place.name, way=PAGE, is_alert=True, route=place.route
        )

    opened_by, asked_for = keys(place.begins), keys(place.asked_for)
    return Alert(
        message=made(bare, ""),
        mark=RESOLVED_EVENT if over else ACKNOWLEDGED if life.is_acknowledged else "",
        reaches=tuple(made(message, channel) for channel, message in sorted(wanted.items())),
        channels=place.channels,
        openings=(*opened_by, *asked_for),
        gone=asked_for if life.opened else (*opened_by, *asked_for),
        before=f"{key(int(cycle), ended)}#{RESOLVED_EVENT}" if life.before else "",
    )


def _channels(
    life: _Life, view: IncidentAt, policy: Policy, services: Mapping[str, Service], pagers: Collection[str]
) -> dict[str, Message]:
    """The pagers that an alert reaches, as the level's channels and those of the people to notify say."""
    if life.opened is None or life.opened.obligation is None or not _rings(life):
        return {}
    obligation = life.opened.obligation
    by_hand = obligation.escalation is not None and obligation.escalation.rule == MANUAL
    if view.is_retroactive and not by_hand and obligation.clock != DEADLINE:
        obligation = obligation._replace(no_page="It was declared after the fact")
    obligation = obligation._replace(noticed_at=view.now, superseded="")
    reached = notices([obligation], {view.incident.id: view.incident}, policy, services, view.now)
    found: dict[str, Message] = {}
    for message in sorted(reached.messages, key=lambda message: message.audience != INTERNAL):
        if message.channel in pagers:
            found.setdefault(message.channel, message)
    return found


def _bare(incident: Incident, policy: Policy, now: datetime, life: _Life) -> Message:
    """The message of an alert that tells nobody anything new: it acknowledges or ends one."""
    level = policy.level_of(incident)
    opened = life.opened.obligation if life.opened else None
    news = opened.reason if opened and _rings(life) else "over" if life.ended or not opened else "somebody has it"
    return Message(
        key="",
        incident=incident.id,
        rank=level.rank if level else 1,
        mark=opened.mark if opened else ALERT,
        audience=INTERNAL,
        recipient=TEAM,
        channel="",
        subject=subject_line(incident, policy, now, news),
        text=opened.reason if opened else "",
        drill=incident.drill,
        restricted=incident.visibility == "restricted",
        kind=opened.kind if opened else ALERT,
        obligation=opened.key if opened else "",
    )


def _routes(incident: Incident, services: Mapping[str, Service]) -> tuple[str, ...]:
    """The variables with the routing keys of an incident's services; one "" where none of them names any."""
    named = (services[name].pager_key_env for name in incident.services if name in services)
    return tuple(dict.fromkeys(env for env in named if env)) or ("",)


def _routes_ever(policies: Iterable[Policy], services: Mapping[str, Service]) -> list[str]:
    """Every variable with a routing key: an alert for which there is no reason any more may be open at one of them."""
    named = [service.pager_key_env for service in services.values()]
    named += [tier.pager_key_env for policy in policies for tier in policy.escalation.tiers]
    return [env for env in named if env]


def _routes_before(incident: Incident, services: Mapping[str, Service]) -> list[_RoutesBefore]:
    """The routes before each change of the services, in order of time."""
    made = [(parse_instant(one.at), one.old) for one in incident.changes if one.field == "services" and one.old]
    dated = sorted(made, key=lambda change: change[0])
    return [(stamp(at), _routes(replace(incident, services=old.split(", ")), services)) for at, old in dated]
