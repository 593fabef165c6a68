"""The escalation ladder: from tier to tier until somebody answers (R63, R65). Pure.

A cause moves the incident up one tier. Whoever is notified has `wait` to answer; then they are notified again,
`repeat_max` times, and then the next tier is. At the top the ladder begins again, `repeat` times; then the last step is
notified again and again, each time after twice as long. An answer stops that; if nothing happens for `ack_timeout`
after an answer, it starts again. Where somebody has the incident and a rule moves it up, any work on it is an answer,
and the ladder ends at the top. All instants follow from what happened and when, never from when somebody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import Contacts, Tier, next_tier, step_after
from incident_ops.domain.time import parse_instant, spell_duration, stamp
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.sla.targets import seconds_of

NO_ANSWER, ACK_TIMEOUT = "no_answer", "ack_timeout"
LADDER = "ladder"
ALL_MANAGERS = 20

_ASSIGNED, _ANSWERED, _BEGAN, _RELEVELLED, _CAUSED, _END = range(6)
"""What happens on the ladder, in the order that counts within one instant."""
_DAY = 24 * 60 * 60
"""The last step is notified again after a day at the latest, in seconds."""


class EscalationCause(NamedTuple):
    """Why an incident escalates: at which instant (aware UTC) and by which rule; `key` is its permanent name.

    `lapsed` says why it no longer matters. `climb` fills in the tiers between which the incident moves, None where the
    policy has no ladder; before that `to_tier` is set only where the record gives it. `lap` counts how often the ladder
    has begun again.
    """

    at: datetime
    rule: str
    key: str
    reason: str
    cycle: int
    lapsed: str = ""
    from_tier: int | None = None
    to_tier: int | None = None
    lap: int = 0


class LadderInputs(NamedTuple):
    """What a ladder needs to know of an incident.

    `begins` are the instants at which it was declared or reopened. `is_open` says whether anybody is to be notified at
    an instant, `after` adds working time, `quiet` finds the end of the first silence of that length since an instant.
    `level_at` gives the level at an instant, `relevelled` are the instants at which it changed; `worked` finds the
    first work between two instants.
    """

    incident: Incident
    tiers: Sequence[Tier]
    repeat: int
    begins: Sequence[datetime]
    answers: Sequence[datetime]
    cycle_at: Callable[[datetime], int]
    is_open: Callable[[datetime], bool]
    after: Callable[[datetime, int], datetime | None]
    quiet: Callable[[datetime, int], datetime | None]
    level_at: Callable[[datetime], str]
    relevelled: Sequence[datetime]
    worked: Callable[[datetime, datetime], datetime | None]


class _Position(NamedTuple):
    """Where the incident is on the ladder: its tier, and the deadline that is running, by which rule and since when.

    `number` counts the steps since `origin`, `repeats` how often the tier was notified again, `begun` how often the
    ladder began again, `on` how often its last step was notified after that. `lap` counts all beginnings, of whatever
    origin; `wait` is the time to answer in seconds, from `since` on. `had_answer`: somebody had answered before.
    """

    tier: int | None
    deadline: datetime | None = None
    rule: str = NO_ANSWER
    origin: datetime | None = None
    number: int = 0
    repeats: int = 0
    begun: int = 0
    on: int = 0
    lap: int = 0
    wait: int | None = None
    since: datetime | None = None
    had_answer: bool = False

    def here(self, tier: int | None) -> _Position:
        """At a tier, with no deadline."""
        return _Position(tier, lap=self.lap, had_answer=self.had_answer)


def climb(causes: Iterable[EscalationCause], inputs: LadderInputs, now: datetime) -> list[EscalationCause]:
    """The causes up to `now` with their tiers, in order, and among them those that arise because nobody answered."""
    return _climbed(causes, inputs, now)[0]


def next_on_ladder(causes: Iterable[EscalationCause], inputs: LadderInputs, now: datetime) -> EscalationCause | None:
    """What happens next if nobody does anything: the same tier again or the one above; None where nothing does."""
    position = _climbed(causes, inputs, now)[1]
    return _overdue(position, inputs)[1] if position.deadline is not None else None


def _climbed(
    causes: Iterable[EscalationCause], inputs: LadderInputs, now: datetime
) -> tuple[list[EscalationCause], _Position]:
    steps: list[EscalationCause] = []
    position = _Position(_lowest(inputs.tiers))
    for at, kind, payload in (*_events(causes, inputs, now), (now, _END, None)):
        while position.deadline is not None and position.deadline < at:
            position, step = _overdue(position, inputs)
            steps += [step] if step else []
        if isinstance(payload, EscalationCause):
            steps.append(_step_up(payload, position, steps, inputs.tiers))
            position = _wait_for_answer(position.here(steps[-1].to_tier), at, at, inputs)
        elif isinstance(payload, int):
            position = position._replace(tier=payload)
        elif kind == _ANSWERED:
            position = _answered(position, at, inputs)
        elif kind == _BEGAN:
            position = _wait_for_answer(position.here(position.tier)._replace(had_answer=False), at, at, inputs)
        elif kind == _RELEVELLED and position.rule == NO_ANSWER:
            anew = _wait_for_answer(position.here(position.tier), at, at, inputs)
            position = position if anew.wait == position.wait else anew
    return steps, position


def _events(
    causes: Iterable[EscalationCause], inputs: LadderInputs, now: datetime
) -> list[tuple[datetime, int, EscalationCause | int | None]]:
    """Everything that happened, in order: assignments to a tier, answers, beginnings, causes."""
    assigned = ((parse_instant(entry.at), entry.tier) for entry in inputs.incident.assignments)
    events: list[tuple[datetime, int, EscalationCause | int | None]] = [
        (at, _ASSIGNED, tier) for at, tier in assigned if at <= now
    ]
    events += [(at, _ANSWERED, None) for at in inputs.answers] + [(at, _BEGAN, None) for at in inputs.begins]
    events += [(at, _RELEVELLED, None) for at in inputs.relevelled]
    events += [(cause.at, _CAUSED, cause) for cause in causes]
    return sorted(events, key=lambda event: event[:2])


def present_tier(incident: Incident, policy: Policy) -> int | None:
    """The tier that has the incident: the last one it went to, of one second the later entry, else the lowest."""
    reached = [(parse_instant(one.at), one.tier) for one in incident.assignments if one.tier is not None]
    reached += [(parse_instant(one.at), one.to_tier) for one in incident.escalations if one.to_tier is not None]
    if not reached:
        return _lowest(policy.for_incident(incident).escalation.tiers)
    return max(reversed(reached), key=lambda pair: pair[0])[1]


def spell_tier(tier: int | None, policy: Policy) -> str:
    """A tier as people say it: `tier 2 (Tier 2)`."""
    entry = _entry(tier, policy.escalation.tiers)
    return f"tier {tier} ({entry.label or entry.id})" if entry else "the current tier"


def tier_named(name: str, policy: Policy) -> int:
    """The tier of an id or a number. UserError where the policy has none."""
    tiers = policy.escalation.tiers
    found = next((one.tier for one in tiers if name in (one.id, str(one.tier))), None)
    if found is None:
        hint = did_you_mean(name, [one.id for one in tiers]) if tiers else "the policy has no `escalation.tiers`"
        raise UserError(f"unknown tier {name!r}", hint=hint)
    return found


def people_of_tier(tier: int | None, policy: Policy, at: datetime) -> tuple[list[str], list[str]]:
    """The handles of a tier at an instant, and the names in the policy that have no contact then."""
    entries = [entry for entry in policy.escalation.tiers if entry.tier == tier]
    tiers = policy.contacts.tiers
    names = [name for entry in entries for name in (*entry.notify, *([entry.id] if entry.id in tiers else []))]
    return handles_of(names, policy.contacts, at)


def nearest_people(tier: int | None, policy: Policy, at: datetime) -> tuple[list[str], list[str]]:
    """As `people_of_tier`; where a tier has no contact, the people of the next lower one, and below the first one those
    of the next higher: somebody must be notified."""
    handles, missing = people_of_tier(tier, policy, at)
    tiers = {entry.tier for entry in policy.escalation.tiers}
    lower = sorted((one for one in tiers if tier is not None and one < tier), reverse=True)
    higher = {
        entry.tier for entry in policy.escalation.tiers if tier is not None and entry.tier > tier and entry.is_own
    }
    for other in (*lower, *sorted(higher)):
        if not handles:
            handles = people_of_tier(other, policy, at)[0]
    return handles, missing


def handles_of(names: Iterable[str], contacts: Contacts, at: datetime) -> tuple[list[str], list[str]]:
    """(handles, names without a contact) at an instant, each once, in order."""
    found: dict[str, None] = {}
    missing: dict[str, None] = {}
    for name in names:
        handles = contacts.handles(name, at)
        found.update(dict.fromkeys(handles))
        if not handles:
            missing[name] = None
    return [*found], [*missing]


def managers(handle: str | None, rank: int, policy: Policy) -> list[str]:
    """The management chain above somebody, as far as the rank asks (R63): all of it for rank 1, two steps for rank 2,
    else one. A chain that leads back to itself ends there."""
    chain: list[str] = []
    most = {1: ALL_MANAGERS, 2: 2}.get(rank, 1)
    while handle is not None and len(chain) < most:
        person = policy.contacts.people.get(handle)
        handle = person.manager if person else None
        if handle is None or handle in chain:
            break
        chain.append(handle)
    return chain


def _step_up(
    cause: EscalationCause, position: _Position, steps: Sequence[EscalationCause], tiers: Sequence[Tier]
) -> EscalationCause:
    """One tier up; causes of one instant move up together, so that no tier is skipped."""
    if cause.to_tier is None and steps and steps[-1].at == cause.at:
        return cause._replace(from_tier=steps[-1].from_tier, to_tier=steps[-1].to_tier)
    above = cause.to_tier or next_tier(position.tier, tiers) or position.tier
    return cause._replace(from_tier=position.tier, to_tier=above, lap=position.lap)


def _overdue(position: _Position, inputs: LadderInputs) -> tuple[_Position, EscalationCause | None]:
    """What happens at the deadline: the same tier again, the next one, the first one, or the last one on and on."""
    at, origin = position.deadline, position.origin
    assert at is not None  # noqa: S101
    assert origin is not None  # noqa: S101
    if not inputs.is_open(at):
        return position.here(position.tier), None
    if position.had_answer and position.since and (work := inputs.worked(position.since, at)):
        return _answered(position, work, inputs), None
    following = _next_position(position, at, inputs)
    if following is None:
        return position.here(position.tier), None
    cycle, number = inputs.cycle_at(at), position.number + 1
    key = f"{inputs.incident.id}/{LADDER}/{cycle}/{position.rule}.{stamp(origin)}.{number}"
    reason = _reason(position, _entry(position.tier, inputs.tiers), is_anew=following.lap > position.lap)
    cause = EscalationCause(
        at, position.rule, key, reason, cycle, from_tier=position.tier, to_tier=following.tier, lap=following.lap
    )
    return _wait_for_answer(following._replace(number=number), at, origin, inputs), cause


def _next_position(position: _Position, at: datetime, inputs: LadderInputs) -> _Position | None:
    entry = _entry(position.tier, inputs.tiers)
    here = position._replace(repeats=0)
    if position.rule == ACK_TIMEOUT:
        return here._replace(had_answer=False)
    if position.repeats < (entry.repeat_max or 0 if entry else 0):
        return position._replace(repeats=position.repeats + 1)
    above = step_after(position.tier, inputs.tiers, inputs.level_at(at))
    if above is not None:
        return here._replace(tier=above)
    if position.had_answer:
        return None
    if position.begun < inputs.repeat:
        return here._replace(tier=_lowest(inputs.tiers), begun=position.begun + 1, lap=position.lap + 1)
    return position._replace(on=position.on + 1)


def _wait_for_answer(position: _Position, at: datetime, origin: datetime, inputs: LadderInputs) -> _Position:
    """Somebody was notified at `at`: an answer is expected from then on, where the tier says how soon."""
    entry = _entry(position.tier, inputs.tiers)
    limit = entry.wait_at(inputs.level_at(at)) if entry else None
    wait = seconds_of(limit) if limit else None
    deadline = None if wait is None else inputs.after(at, max(wait, min(wait << position.on, _DAY)))
    return position._replace(deadline=deadline, rule=NO_ANSWER, origin=origin, wait=wait, since=at)


def _answered(position: _Position, at: datetime, inputs: LadderInputs) -> _Position:
    entry = _entry(position.tier, inputs.tiers)
    deadline = inputs.quiet(at, seconds_of(entry.ack_timeout)) if entry and entry.ack_timeout else None
    return position.here(position.tier)._replace(deadline=deadline, rule=ACK_TIMEOUT, origin=at, had_answer=True)


def _reason(position: _Position, entry: Tier | None, *, is_anew: bool) -> str:
    if position.rule == ACK_TIMEOUT:
        limit = entry.ack_timeout if entry else None
        return f"Nothing happened for {spell_duration(seconds_of(limit or '0s'))} after somebody answered"
    wait = position.wait or 0
    waited = spell_duration(max(wait, min(wait << position.on, _DAY)))
    return f"Nobody answered within {waited}" + "; the ladder begins again" * is_anew


def _entry(tier: int | None, tiers: Sequence[Tier]) -> Tier | None:
    return next((entry for entry in tiers if entry.tier == tier), None)


def _lowest(tiers: Sequence[Tier]) -> int | None:
    return min((entry.tier for entry in tiers), default=None)
