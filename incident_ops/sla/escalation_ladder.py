"""The escalation ladder: from tier to tier until somebody answers (R63, R65). Pure.

A cause moves the incident up one tier. Whoever is notified has `wait` to answer; then they are notified again,
`repeat_max` times, and then the next tier is. An answer stops that; if nothing happens for `ack_timeout` after an
answer, it starts again. All instants follow from what happened and when, never from when somebody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import Contacts, Tier
from incident_ops.domain.time import parse_instant, spell_duration, stamp
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.sla.targets import seconds_of

NO_ANSWER, ACK_TIMEOUT = "no_answer", "ack_timeout"
LADDER = "ladder"
ALL_MANAGERS = 20

_ASSIGNED, _ANSWERED, _BEGAN, _CAUSED, _END = range(5)
"""What happens on the ladder, in the order that counts within one instant."""


class EscalationCause(NamedTuple):
    """Why an incident escalates: at which instant (aware UTC) and by which rule; `key` is its permanent name.

    `lapsed` says why it no longer matters. `climb` fills in the tiers between which the incident moves, None where the
    policy has no ladder; before that `to_tier` is set only where the record gives it.
    """

    at: datetime
    rule: str
    key: str
    reason: str
    cycle: int
    lapsed: str = ""
    from_tier: int | None = None
    to_tier: int | None = None


class LadderInputs(NamedTuple):
    """What a ladder needs to know of an incident.

    `begins` are the instants at which it was declared or reopened. `is_open` says whether anybody is to be notified at
    an instant, `after` adds working time, `quiet` finds the end of the first silence of that length since an instant.
    """

    incident: Incident
    tiers: Sequence[Tier]
    begins: Sequence[datetime]
    answers: Sequence[datetime]
    cycle_at: Callable[[datetime], int]
    is_open: Callable[[datetime], bool]
    after: Callable[[datetime, int], datetime | None]
    quiet: Callable[[datetime, int], datetime | None]


class _Position(NamedTuple):
    """Where the incident is on the ladder: its tier, and the deadline that is running, by which rule and since when.

    `number` counts the steps since `origin`, `repeats` how often the tier was notified again.
    """

    tier: int | None
    deadline: datetime | None = None
    rule: str = NO_ANSWER
    origin: datetime | None = None
    number: int = 0
    repeats: int = 0


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
            position = _wait_for_answer(_Position(steps[-1].to_tier), at, at, inputs)
        elif isinstance(payload, int):
            position = position._replace(tier=payload)
        elif kind == _ANSWERED:
            position = _answered(position, at, inputs)
        elif kind == _BEGAN:
            position = _wait_for_answer(_Position(position.tier), at, at, inputs)
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
    """As `people_of_tier`; where a tier has no contact, the people of the next lower one: somebody must be notified."""
    handles, missing = people_of_tier(tier, policy, at)
    tiers = {entry.tier for entry in policy.escalation.tiers}
    for lower in sorted((one for one in tiers if tier is not None and one < tier), reverse=True):
        if not handles:
            handles = people_of_tier(lower, policy, at)[0]
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
    return cause._replace(from_tier=position.tier, to_tier=above)


def _overdue(position: _Position, inputs: LadderInputs) -> tuple[_Position, EscalationCause | None]:
    """What happens at the deadline: the same tier again, the next one, or the end of the ladder."""
    at, origin = position.deadline, position.origin
    assert at is not None  # noqa: S101
    assert origin is not None  # noqa: S101
    stopped = _Position(position.tier)
    if not inputs.is_open(at):
        return stopped, None
    entry = _entry(position.tier, inputs.tiers)
    above = next_tier(position.tier, inputs.tiers)
    number = position.number + 1
    again = position.rule == ACK_TIMEOUT or position.repeats < (entry.repeat_max or 0 if entry else 0)
    if not again and above is None:
        return stopped, None
    tier = position.tier if again else above
    cycle = inputs.cycle_at(at)
    key = f"{inputs.incident.id}/{LADDER}/{cycle}/{position.rule}.{stamp(origin)}.{number}"
    cause = EscalationCause(
        at, position.rule, key, _reason(position, entry), cycle, from_tier=position.tier, to_tier=tier
    )
    repeats = position.repeats + 1 if again and position.rule == NO_ANSWER else 0
    following = _wait_for_answer(_Position(tier, number=number, repeats=repeats), at, origin, inputs)
    return following, cause


def _wait_for_answer(position: _Position, at: datetime, origin: datetime, inputs: LadderInputs) -> _Position:
    """Somebody was notified at `at`: an answer is expected from then on, where the tier says how soon."""
    entry = _entry(position.tier, inputs.tiers)
    deadline = inputs.after(at, seconds_of(entry.wait)) if entry and entry.wait else None
    return position._replace(deadline=deadline, rule=NO_ANSWER, origin=origin)


def _answered(position: _Position, at: datetime, inputs: LadderInputs) -> _Position:
    entry = _entry(position.tier, inputs.tiers)
    deadline = inputs.quiet(at, seconds_of(entry.ack_timeout)) if entry and entry.ack_timeout else None
    return _Position(position.tier, deadline, ACK_TIMEOUT, at)


def _reason(position: _Position, entry: Tier | None) -> str:
    is_quiet = position.rule == ACK_TIMEOUT
    limit = (entry.ack_timeout if is_quiet else entry.wait) if entry else None
    spelt = spell_duration(seconds_of(limit or "0s"))
    return f"Nothing happened for {spelt} after somebody answered" if is_quiet else f"Nobody answered within {spelt}"


def _entry(tier: int | None, tiers: Sequence[Tier]) -> Tier | None:
    return next((entry for entry in tiers if entry.tier == tier), None)


def _lowest(tiers: Sequence[Tier]) -> int | None:
    return min((entry.tier for entry in tiers), default=None)


def next_tier(tier: int | None, tiers: Sequence[Tier]) -> int | None:
    """The lowest tier above one; None at the top, and where there is no ladder."""
    return min((entry.tier for entry in tiers if tier is not None and entry.tier > tier), default=None)
