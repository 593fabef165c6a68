"""Why an incident escalates, and since which instant (R58-R62, R68, C8, C9).

Each rule finds its instants from the times of events alone, so that a late run finds the same ones: a threshold that
work deferred is due at the first instant past it at which the silence had lasted long enough. `>` fires strictly after.

Incidents that are alike: perhaps one problem behind them all (R62, R69).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from incident_ops.domain.as_of import MOMENT, IncidentAt, as_of, declared_at
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import counts
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import UNKNOWN, PauseSpan, parse_instant, shift, spell_duration, stamp
from incident_ops.sla.activity import Seen, first_after, last_before, said_by_people
from incident_ops.sla.calendar import due
from incident_ops.sla.clocks import RESOLUTION
from incident_ops.sla.escalation_ladder import EscalationCause
from incident_ops.sla.targets import LevelPeriod, calendar_of, course, level_periods, seconds_of, targets

TIME_RULE, STAGNATION_RULE, REASSIGNMENT_RULE = "time", "stagnation", "reassignment"
VIP, KEYWORD, PATTERN = "vip", "keyword", "pattern"


class EscalationCycle(NamedTuple):
    """One cycle of an incident: seen from its end, or from now; what people did up to now, and the levels it had."""

    view: IncidentAt
    policy: Policy
    done: tuple[datetime, ...]
    path: list[LevelPeriod]
    rests: tuple[PauseSpan, ...]
    begin: datetime
    end: datetime

    def after(self, leg: LevelPeriod, seconds: int, start: datetime) -> datetime | None:
        """`start` and so much working time, in the level's calendar and outside the pauses."""
        return due(start, seconds, calendar_of(leg.level, self.policy), self.rests)

    def key(self, clock: str, mark: str) -> str:
        return f"{self.view.incident.id}/{clock}/{self.view.cycle}/{mark}"

    def legs(self) -> Iterator[tuple[LevelPeriod, datetime, datetime]]:
        """The levels of this cycle, with the part of it for which each held."""
        ends = [*(leg.since for leg in self.path[1:]), self.end]
        for leg, end in zip(self.path, ends, strict=True):
            begin, last = max(leg.since, self.begin), min(end, self.end)
            if begin < last:
                yield leg, begin, last


def mark_due(mark: str, leg: LevelPeriod, view: IncidentAt, policy: Policy) -> datetime | None:
    """The instant a mark of the resolution (`75%` of its target, or a duration) is reached under a level."""
    rests = view.closed_pauses
    seconds: float = 0 if mark.endswith("%") else seconds_of(mark)
    calendar = calendar_of(leg.level, policy)
    if mark.endswith("%"):
        target = targets(view.incident, policy, leg.level)[1]
        whole = course(target, view.declared, calendar, policy, rests).target if target else None
        if whole is None:
            return None
        seconds = whole * int(mark[:-1]) / 100
    return due(view.declared, int(seconds), calendar, rests)


def deferred(
    threshold: datetime, done: Sequence[datetime], silent: Callable[[datetime], datetime | None]
) -> datetime | None:
    """The first instant t >= threshold at which the silence since the last of `done` up to t is long enough (C9).

    `silent` tells until when a silence that begins at an instant must last; None: for ever, or nobody knows.
    """
    at: datetime | None = threshold
    while at is not None:
        last = last_before(done, at)
        free = silent(last) if last else at
        if free is None or free <= at:
            return at if free else None
        following = first_after(done, at)
        at = free if following is None or free < following else following
    return None


def escalation_cycles(view: IncidentAt, policy: Policy, done: tuple[datetime, ...]) -> list[EscalationCycle]:
    """The cycles of an incident that can escalate: none that was declared after the fact, or ended nobody knows when.

    `done` is what people did, as `activity` tells it.
    """
    found = (_case(view, policy, done, view.now) for view in _views(view) if not view.is_retroactive)
    return [case for case in found if case is not None]


def _views(view: IncidentAt) -> Iterator[IncidentAt]:
    """Each cycle as it was just before the next one began; the last one as it is."""
    for number in range(1, view.cycle):
        again = view.at(f"cycles.{number}.reopened")
        if again is not None:
            yield as_of(view.incident, again - MOMENT)
    yield view


def _case(view: IncidentAt, policy: Policy, done: tuple[datetime, ...], now: datetime) -> EscalationCycle | None:
    """None where nobody knows when the cycle ended."""
    over = view.resolved
    if over.ended and over.at is None:
        return None
    begin = view.cycle_start
    theirs = tuple(sorted({begin, *done}))
    return EscalationCycle(view, policy, theirs, level_periods(view, policy), view.closed_pauses, begin, over.at or now)


def causes(case: EscalationCycle, seen: Seen, pattern: Sequence[str]) -> Iterator[EscalationCause]:
    """Every cause of one cycle, in no order; a key may come twice, and the first instant counts."""
    yield from _time(case)
    yield from _stagnation(case)
    yield from _reassignment(case)
    yield from _customer(case, seen)
    yield from _pattern(case, pattern)


def _time(case: EscalationCycle) -> Iterator[EscalationCause]:
    """The threshold of each level the incident had (R36-R39, R58), deferred while work goes on (C9)."""
    for leg, begin, end in case.legs():
        level = leg.level
        reached = mark_due(level.escalate_at, leg, case.view, case.policy) if level.escalate_at else None
        if reached is None:
            continue
        at: datetime | None = max(reached, begin)
        if level.defer_if_active_within:
            silent = partial(case.after, leg, seconds_of(level.defer_if_active_within))
            at = deferred(max(reached, begin), case.done, silent)
        if at is not None and at < end:
            reason = f"Threshold of {level.escalate_at} of the resolution passed on {leg.label}"
            yield EscalationCause(at, TIME_RULE, case.key(RESOLUTION, f"escalate.{leg.label}"), reason, case.view.cycle)


def _stagnation(case: EscalationCycle) -> Iterator[EscalationCause]:
    """Each silence longer than its level allows (R59, R68); one that somebody ended is of the past."""
    for leg, begin, end in case.legs():
        text = leg.level.stagnation
        if not text:
            continue
        limit = seconds_of(text)
        for index, last in enumerate(case.done):
            following = case.done[index + 1] if index + 1 < len(case.done) else None
            free = case.after(leg, limit, last)
            if last < case.begin or free is None:
                continue
            at = max(free, begin)
            if at >= end or (following is not None and at >= following):
                continue
            lapsed = f"work went on at {stamp(following)}" if following else ""
            reason = f"No activity for {spell_duration(limit, in_words=True)} on {leg.label} ticket"
            key = case.key("activity", f"stagnation.{stamp(last)}")
            yield EscalationCause(at, STAGNATION_RULE, key, reason, case.view.cycle, lapsed)


def _reassignment(case: EscalationCycle) -> Iterator[EscalationCause]:
    """Handed on more often than the policy allows (R60): the first entry of `assignments` hands nothing on."""
    most = case.policy.escalation.reassignments_gt
    if most is None:
        return
    entries = case.view.incident.assignments
    handed = [parse_instant(new.at) for old, new in pairwise(entries) if new.to != old.to]
    if len(handed) > most and _is_within(case, handed[most]):
        key = case.key("assignments", f"reassigned.{most + 1}")
        yield EscalationCause(handed[most], REASSIGNMENT_RULE, key, f"Reassigned {most + 1} times", case.view.cycle)


def _customer(case: EscalationCycle, seen: Seen) -> Iterator[EscalationCause]:
    """A customer who counts, or a word that does (R61), as the record says or a person wrote."""
    incident, rules = case.view.incident, case.policy.escalation
    begin = case.view.declared
    texts = [(begin, incident.title), (begin, incident.description or "")]
    texts += said_by_people(seen.comments, case.policy, case.view.now)
    named = [(begin, name) for name in incident.customer.names]
    flag = [(begin, "")] if incident.customer.vip else []
    vips = flag + [hit for hit in _hits(rules.vip, [*named, *texts]) if _is_within(case, hit[0])]
    words = [hit for hit in _hits(rules.keywords, texts) if _is_within(case, hit[0])]
    for rule, hits, told in ((VIP, vips, "Important customer"), (KEYWORD, words, "Escalation keyword")):
        if hits:
            at, word = hits[0]
            reason = f"{told}: {word}" if word else told
            yield EscalationCause(at, rule, case.key("customer", rule), reason, case.view.cycle)


def _pattern(case: EscalationCycle, pattern: Sequence[str]) -> Iterator[EscalationCause]:
    at = case.view.declared
    if pattern and _is_within(case, at):
        others = [one for one in pattern if one != case.view.incident.id]
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        reason = f"{len(pattern)} similar incidents: with {', '.join(others[:5])}{more}"
        yield EscalationCause(at, PATTERN, case.key("pattern", "similar"), reason, case.view.cycle)


def _is_within(case: EscalationCycle, at: datetime) -> bool:
    return case.begin <= at <= case.view.now and (at < case.end or case.end == case.view.now)


def _hits(words: Iterable[str], texts: Iterable[tuple[datetime, str]]) -> list[tuple[datetime, str]]:
    """Where a word stands as a whole, whatever its case; the earliest first."""
    folded = [(at, _plain(text)) for at, text in texts]
    found = [(at, index, word) for index, word in enumerate(words) for at, text in folded if _holds(text, word)]
    return [(at, word) for at, _, word in sorted(found)]


def _holds(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(_plain(word))}(?!\w)", text) is not None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


Neighbours = Mapping[str, Sequence[tuple[datetime, Incident]]]
"""Incidents by service, each with the instant of its declaration, the earliest first."""


def neighbours(incidents: Iterable[Incident]) -> Neighbours:
    """Incidents by service, those left out that never make a pattern: drills, and what was no incident after all."""
    found: dict[str, list[tuple[datetime, Incident]]] = defaultdict(list)
    for incident in incidents:
        if counts(incident):
            at = declared_at(incident)
            for service in incident.services:
                found[service].append((at, incident))
    for of in found.values():
        of.sort(key=_when)
    return found


def similar(incident: Incident, among: Neighbours, policy: Policy, now: datetime) -> list[str]:
    """The ids of the incidents that make a pattern with this one, its own among them; empty below the policy's count.

    Same service and same cause category (or a tag in common), declared within the window that ends with this one.
    Whoever is linked to it, or belongs to a problem already, makes no pattern with it (R69).
    """
    pattern = policy.escalation.pattern
    if not pattern.count or not pattern.window or not counts(incident) or incident.problem:
        return []
    end = declared_at(incident)
    begin = shift(end, -seconds_of(pattern.window))
    found = {incident.id}
    for service in incident.services:
        there = among.get(service, ())
        first, last = bisect_left(there, begin, key=_when), bisect_right(there, min(end, now), key=_when)
        found.update(other.id for _, other in there[first:last] if _is_alike(incident, other))
    return sorted(found) if len(found) >= pattern.count else []


def _is_alike(one: Incident, other: Incident) -> bool:
    if other.problem or one.id in other.related or other.id in one.related:
        return False
    same = _category(one) is not None and _category(one) == _category(other)
    return same or not set(one.tags).isdisjoint(other.tags)


def _category(incident: Incident) -> str | None:
    category = incident.cause.category if incident.cause else None
    return None if category == UNKNOWN else category


def _when(pair: tuple[datetime, Incident]) -> datetime:
    return pair[0]
