"""The escalation ladder: from tier to tier, again and again until somebody answers (R63, R65). Pure.

A cause lifts the incident one tier. Who is told has `wait` to answer; then they are told again, `repeat_max` times, and
then the next tier is. An answer stops that; where after an answer nothing happens for `ack_timeout`, it begins again.
All instants follow from what happened and when, never from when somebody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import Contacts, Tier
from incident_ops.domain.time import parse_instant, spell_duration, stamp
from incident_ops.sla.targets import seconds_of

NO_ANSWER, ACK_TIMEOUT = "no_answer", "ack_timeout"
LADDER = "ladder"
ALL_MANAGERS = 20


class EscalationCause(NamedTuple):
    """Why an incident climbs: at which instant (aware UTC), by which rule; `key` names it for ever.

    `lapsed` says why it is of no concern any more. `to_tier` is set where the tier is view, not the next one.
    """

    at: datetime
    rule: str
    key: str
    reason: str
    cycle: int
    lapsed: str = ""
    to_tier: int | None = None


class EscalationStep(NamedTuple):
    """A cause and the tiers between which the incident climbed; None where the policy has no ladder."""

    cause: EscalationCause
    from_tier: int | None
    to_tier: int | None


class LadderInputs(NamedTuple):
    """What a ladder must know of an incident.

    `begins` are the instants at which it was declared or came back. `is_open` says whether anybody is to be told at an
    instant, `after` adds working time, `quiet` finds the end of the first such silence since.
    """

    incident: Incident
    tiers: Sequence[Tier]
    begins: Sequence[datetime]
    answers: Sequence[datetime]
    cycle_at: Callable[[datetime], int]
    is_open: Callable[[datetime], bool]
    after: Callable[[datetime, int], datetime | None]
    quiet: Callable[[datetime, int], datetime | None]


class _Stand(NamedTuple):
    """Where the climb is: the tier, when the next word is due, by which rule, since when, and how often it was said."""

    tier: int | None
    deadline: datetime | None = None
    rule: str = NO_ANSWER
    origin: datetime | None = None
    number: int = 0
    repeats: int = 0


def climb(causes: Iterable[EscalationCause], road: LadderInputs, now: datetime) -> list[EscalationStep]:
    """Every rung up to `now`, in order: those of the causes, and those that nobody's answer brings about."""
    assigned = ((parse_instant(one.at), 0, one.tier) for one in road.incident.assignments)
    events: list[tuple[datetime, int, EscalationCause | int | None]] = [
        (at, 0, tier) for at, _, tier in assigned if at <= now
    ]
    events += [(at, 1, None) for at in road.answers] + [(at, 2, None) for at in road.begins]
    events += [(cause.at, 3, cause) for cause in causes]
    found: list[EscalationStep] = []
    stand = _Stand(_lowest(road.tiers))
    for at, order, what in (*sorted(events, key=lambda event: event[:2]), (now, 4, None)):
        while stand.deadline is not None and stand.deadline < at:
            stand, rung = _overdue(stand, road)
            found += [rung] if rung else []
        if isinstance(what, EscalationCause):
            found.append(_lifted(what, stand, found, road.tiers))
            stand = _armed(_Stand(found[-1].to_tier), at, at, road)
        elif isinstance(what, int):
            stand = stand._replace(tier=what)
        elif order == 1:
            stand = _answered(stand, at, road)
        elif order == 2:
            stand = _armed(_Stand(stand.tier), at, at, road)
    return found


def people_of_tier(tier: int | None, policy: Policy) -> tuple[list[str], list[str]]:
    """The handles behind a tier, and the words of the policy that nobody is behind."""
    entries = [one for one in policy.escalation.tiers if one.tier == tier]
    words = [word for one in entries for word in (*one.notify, *([one.id] if one.id in policy.contacts.tiers else []))]
    return handles_of(words, policy.contacts)


def nearest_people(tier: int | None, policy: Policy) -> tuple[list[str], list[str]]:
    """As `people`; where nobody is behind a tier, those of the next lower one: somebody must hear of it."""
    told, nobody = people_of_tier(tier, policy)
    lower = sorted({one.tier for one in policy.escalation.tiers if tier is not None and one.tier < tier}, reverse=True)
    for below in lower:
        if not told:
            told = people_of_tier(below, policy)[0]
    return told, nobody


def handles_of(words: Iterable[str], contacts: Contacts) -> tuple[list[str], list[str]]:
    """(handles, words that nobody is behind), each once, in order."""
    found: dict[str, None] = {}
    nobody: dict[str, None] = {}
    for word in words:
        handles = contacts.handles(word)
        found.update(dict.fromkeys(handles))
        if not handles:
            nobody[word] = None
    return [*found], [*nobody]


def managers(handle: str | None, rank: int, policy: Policy) -> list[str]:
    """The management chain above somebody, as far as the rank asks (R63): all of it for rank 1, two steps for rank 2,
    else one. A chain that leads back to itself ends there."""
    found: list[str] = []
    most = {1: ALL_MANAGERS, 2: 2}.get(rank, 1)
    while handle is not None and len(found) < most:
        person = policy.contacts.people.get(handle)
        handle = person.manager if person else None
        if handle is None or handle in found:
            break
        found.append(handle)
    return found


def _lifted(
    cause: EscalationCause, stand: _Stand, found: Sequence[EscalationStep], tiers: Sequence[Tier]
) -> EscalationStep:
    """One tier up; causes of one instant lift together, so that no tier is passed over."""
    if cause.to_tier is None and found and found[-1].cause.at == cause.at:
        return EscalationStep(cause, found[-1].from_tier, found[-1].to_tier)
    return EscalationStep(cause, stand.tier, cause.to_tier or _above(stand.tier, tiers) or stand.tier)


def _overdue(stand: _Stand, road: LadderInputs) -> tuple[_Stand, EscalationStep | None]:
    """What happens at the deadline: the same tier once more, the next one, or the end of the ladder."""
    at, origin = stand.deadline, stand.origin
    assert at is not None  # noqa: S101
    assert origin is not None  # noqa: S101
    nobody = _Stand(stand.tier)
    if not road.is_open(at):
        return nobody, None
    entry = _entry(stand.tier, road.tiers)
    above = _above(stand.tier, road.tiers)
    number = stand.number + 1
    again = stand.rule == ACK_TIMEOUT or stand.repeats < (entry.repeat_max or 0 if entry else 0)
    if not again and above is None:
        return nobody, None
    reached = stand.tier if again else above
    cycle = road.cycle_at(at)
    key = f"{road.incident.id}/{LADDER}/{cycle}/{stand.rule}.{stamp(origin)}.{number}"
    rung = EscalationStep(EscalationCause(at, stand.rule, key, _why(stand, entry), cycle), stand.tier, reached)
    repeats = stand.repeats + 1 if again and stand.rule == NO_ANSWER else 0
    return _armed(_Stand(reached, number=number, repeats=repeats), at, origin, road), rung


def _armed(stand: _Stand, at: datetime, origin: datetime, road: LadderInputs) -> _Stand:
    """Somebody was told at `at`: from now on an answer is waited for, where the tier says how long."""
    entry = _entry(stand.tier, road.tiers)
    deadline = road.after(at, seconds_of(entry.wait)) if entry and entry.wait else None
    return stand._replace(deadline=deadline, rule=NO_ANSWER, origin=origin)


def _answered(stand: _Stand, at: datetime, road: LadderInputs) -> _Stand:
    entry = _entry(stand.tier, road.tiers)
    deadline = road.quiet(at, seconds_of(entry.ack_timeout)) if entry and entry.ack_timeout else None
    return _Stand(stand.tier, deadline, ACK_TIMEOUT, at)


def _why(stand: _Stand, entry: Tier | None) -> str:
    is_quiet = stand.rule == ACK_TIMEOUT
    limit = (entry.ack_timeout if is_quiet else entry.wait) if entry else None
    spelt = spell_duration(seconds_of(limit or "0s"))
    return f"Nothing happened for {spelt} after somebody answered" if is_quiet else f"Nobody answered within {spelt}"


def _entry(tier: int | None, tiers: Sequence[Tier]) -> Tier | None:
    return next((one for one in tiers if one.tier == tier), None)


def _lowest(tiers: Sequence[Tier]) -> int | None:
    return min((one.tier for one in tiers), default=None)


def _above(tier: int | None, tiers: Sequence[Tier]) -> int | None:
    return min((one.tier for one in tiers if tier is not None and one.tier > tier), default=None)
