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
from functools import lru_cache, partial
from itertools import pairwise
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt, declared_at, each_cycle
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import counts
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import Calendar
from incident_ops.domain.time import UNKNOWN, PauseSpan, parse_instant, shift, spell_duration, stamp
from incident_ops.sla.activity import Seen, first_after, last_before, said_by_people
from incident_ops.sla.calendar import MergedPauses, due
from incident_ops.sla.clocks import RESOLUTION
from incident_ops.sla.escalation_ladder import EscalationCause
from incident_ops.sla.targets import LevelPeriod, calendar_of, course, seconds_of, targets

TIME_RULE, STAGNATION_RULE, REASSIGNMENT_RULE = "time", "stagnation", "reassignment"
VIP, KEYWORD, PATTERN = "vip", "keyword", "pattern"


class EscalationCycle(NamedTuple):
    """One cycle of an incident, seen from its end or from now: when people were active, and the levels it had.

    `end` is when it was resolved or a state stopped its resolution clock; now where neither has happened.
    """

    view: IncidentAt
    policy: Policy
    active: tuple[datetime, ...]
    periods: list[LevelPeriod]
    pauses: MergedPauses
    begin: datetime
    end: datetime

    def after(self, period: LevelPeriod, seconds: int, start: datetime) -> datetime | None:
        """`start` plus working time, in the level's calendar and outside the pauses."""
        return due(start, seconds, calendar_of(period.level, self.policy), self.pauses)

    def key(self, clock: str, mark: str) -> str:
        return f"{self.view.incident.id}/{clock}/{self.view.cycle}/{mark}"

    def parts(self) -> Iterator[tuple[LevelPeriod, datetime, datetime]]:
        """The levels of this cycle, each with the part of it for which it held."""
        ends = [*(period.since for period in self.periods[1:]), self.end]
        for period, end in zip(self.periods, ends, strict=True):
            begin, last = max(period.since, self.begin), min(end, self.end)
            if begin < last:
                yield period, begin, last


def mark_due(mark: str, period: LevelPeriod, view: IncidentAt, policy: Policy) -> datetime | None:
    """The instant a mark of the resolution (`75%` of its target, or a duration) is reached under a level."""
    pauses = view.closed_pauses(policy.states.pausing)
    target = targets(view.incident, policy, period.level)[1]
    return _mark_reached(mark, target, view.declared, calendar_of(period.level, policy), policy, pauses)


def response_mark_due(period: LevelPeriod, start: datetime, view: IncidentAt, policy: Policy) -> datetime | None:
    """The instant `response_warn_at` is reached under a level, counted from `start`; None where there is none."""
    mark, target = period.level.response_warn_at, targets(view.incident, policy, period.level)[0]
    if mark is None or target is None:
        return None
    return _mark_reached(mark, target, start, calendar_of(period.level, policy), policy, ())


def _mark_reached(
    mark: str, target: str | None, start: datetime, calendar: Calendar, policy: Policy, pauses: tuple[PauseSpan, ...]
) -> datetime | None:
    seconds: float = 0 if mark.endswith("%") else seconds_of(mark)
    if mark.endswith("%"):
        whole = course(target, start, calendar, policy, pauses).target if target else None
        if whole is None:
            return None
        seconds = whole * int(mark[:-1]) / 100
    return due(start, int(seconds), calendar, pauses)


def deferred(
    threshold: datetime,
    active: Sequence[datetime],
    silent: Callable[[datetime], datetime | None],
    before: datetime | None = None,
) -> datetime | None:
    """The first instant t >= threshold at which the silence since the last activity up to t is long enough (C9).

    `silent` gives the instant until which a silence that begins at an instant must last; None: for ever, or unknown.
    An instant that is not `before` is not looked for.
    """
    at: datetime | None = threshold
    while at is not None and (before is None or at < before):
        last = last_before(active, at)
        silent_until = silent(last) if last else at
        if silent_until is None or silent_until <= at:
            return at if silent_until else None
        following = first_after(active, at)
        at = silent_until if following is None or silent_until < following else following
    return None


def escalation_cycles(
    view: IncidentAt, policy: Policy, active: tuple[datetime, ...], periods: Sequence[LevelPeriod]
) -> list[EscalationCycle]:
    """The cycles of an incident that can escalate: not declared after the fact, and with a known end.

    `active` are the instants that `activity` gives, `periods` the levels up to now.
    """
    found = (_escalation_cycle(each, policy, active, periods) for each in each_cycle(view) if not each.is_retroactive)
    return [cycle for cycle in found if cycle is not None]


def _escalation_cycle(
    view: IncidentAt, policy: Policy, active: tuple[datetime, ...], periods: Sequence[LevelPeriod]
) -> EscalationCycle | None:
    """None where the end of the cycle is unknown."""
    over = view.resolved
    if over.ended and over.at is None:
        return None
    stopped = view.stopped(policy.states.stopping).at
    begin = view.cycle_start
    first, last = bisect_left(active, begin), bisect_right(active, view.now)
    # the first activity after the cycle says whether a silence at its end went on
    instants = tuple(sorted({begin, *active[first : last + 1]}))
    return EscalationCycle(
        view,
        policy,
        instants,
        [period for period in periods if period.since <= view.now] or list(periods[:1]),
        MergedPauses(view.closed_pauses(policy.states.pausing)),
        begin,
        min((at for at in (over.at, stopped) if at is not None), default=view.now),
    )


def causes(cycle: EscalationCycle, seen: Seen, pattern: Sequence[str]) -> Iterator[EscalationCause]:
    """Every cause of one cycle, in no order; if a key appears twice, the earlier instant counts."""
    yield from _time(cycle)
    yield from _stagnation(cycle)
    yield from _reassignment(cycle)
    yield from _customer(cycle, seen)
    yield from _pattern(cycle, pattern)


def _time(cycle: EscalationCycle) -> Iterator[EscalationCause]:
    """The threshold of each level the incident had (R36-R39, R58), deferred while work goes on (C9)."""
    marks: dict[str, datetime | None] = {}
    for period, begin, end in cycle.parts():
        level = period.level
        if level.escalate_at and period.name not in marks:
            marks[period.name] = mark_due(level.escalate_at, period, cycle.view, cycle.policy)
        reached = marks.get(period.name)
        if reached is None:
            continue
        at: datetime | None = max(reached, begin)
        if level.defer_if_active_within:
            silent = partial(cycle.after, period, seconds_of(level.defer_if_active_within))
            at = deferred(max(reached, begin), cycle.active, silent, end)
        if at is not None and at < end:
            reason = f"Threshold of {level.escalate_at} of the resolution passed on {period.label}"
            yield EscalationCause(
                at, TIME_RULE, cycle.key(RESOLUTION, f"escalate.{period.label}"), reason, cycle.view.cycle
            )


def _stagnation(cycle: EscalationCycle) -> Iterator[EscalationCause]:
    """Each silence longer than its level allows (R59, R68); one that somebody ended has lapsed."""
    for period, begin, end in cycle.parts():
        text = period.level.stagnation
        if not text:
            continue
        limit = seconds_of(text)
        # a silence counts in the part that it reaches: it began before the part's end and lasted past its begin
        first = max(bisect_right(cycle.active, begin) - 1, 0)
        for index in range(first, bisect_left(cycle.active, end)):
            last = cycle.active[index]
            following = cycle.active[index + 1] if index + 1 < len(cycle.active) else None
            silent_until = cycle.after(period, limit, last)
            if last < cycle.begin or silent_until is None:
                continue
            at = max(silent_until, begin)
            if at >= end or (following is not None and at >= following):
                continue
            lapsed = f"work went on at {stamp(following)}" if following else ""
            reason = f"No activity for {spell_duration(limit, in_words=True)} on {period.label} ticket"
            key = cycle.key("activity", f"stagnation.{stamp(last)}")
            yield EscalationCause(at, STAGNATION_RULE, key, reason, cycle.view.cycle, lapsed)


def _reassignment(cycle: EscalationCycle) -> Iterator[EscalationCause]:
    """Reassigned more often than the policy allows (R60); the first entry of `assignments` does not count."""
    most = cycle.policy.escalation.reassignments_gt
    if most is None:
        return
    entries = cycle.view.incident.assignments
    handed = [parse_instant(new.at) for old, new in pairwise(entries) if new.to != old.to]
    if len(handed) > most and _is_within(cycle, handed[most]):
        key = cycle.key("assignments", f"reassigned.{most + 1}")
        yield EscalationCause(handed[most], REASSIGNMENT_RULE, key, f"Reassigned {most + 1} times", cycle.view.cycle)


def _customer(cycle: EscalationCycle, seen: Seen) -> Iterator[EscalationCause]:
    """An important customer or an escalation keyword (R61), in the record or in a person's comment."""
    incident, rules = cycle.view.incident, cycle.policy.escalation
    begin = cycle.view.declared
    texts = [(begin, incident.title), (begin, incident.description or "")]
    texts += said_by_people(seen.comments, cycle.policy, cycle.view.now)
    named = [(begin, name) for name in incident.customer.names]
    flag = [(begin, "")] if incident.customer.vip else []
    vips = flag + [hit for hit in _hits(rules.vip, [*named, *texts]) if _is_within(cycle, hit[0])]
    words = [hit for hit in _hits(rules.keywords, texts) if _is_within(cycle, hit[0])]
    for rule, hits, label in ((VIP, vips, "Important customer"), (KEYWORD, words, "Escalation keyword")):
        if hits:
            at, word = hits[0]
            reason = f"{label}: {word}" if word else label
            yield EscalationCause(at, rule, cycle.key("customer", rule), reason, cycle.view.cycle)


def _pattern(cycle: EscalationCycle, pattern: Sequence[str]) -> Iterator[EscalationCause]:
    at = cycle.view.declared
    if pattern and _is_within(cycle, at):
        others = [incident_id for incident_id in pattern if incident_id != cycle.view.incident.id]
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        reason = f"{len(pattern)} similar incidents: with {', '.join(others[:5])}{more}"
        yield EscalationCause(at, PATTERN, cycle.key("pattern", "similar"), reason, cycle.view.cycle)


def _is_within(cycle: EscalationCycle, at: datetime) -> bool:
    return cycle.begin <= at <= cycle.view.now and (at < cycle.end or cycle.end == cycle.view.now)


def _hits(words: Iterable[str], texts: Iterable[tuple[datetime, str]]) -> list[tuple[datetime, str]]:
    """Where a word occurs as a whole word, in any case; the earliest first."""
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
    """Incidents by service; drills and what turned out to be no incident never make a pattern and are left out."""
    found: dict[str, list[tuple[datetime, Incident]]] = defaultdict(list)
    for incident in incidents:
        if counts(incident):
            at = declared_at(incident)
            for service in incident.services:
                found[service].append((at, incident))
    for incidents_of_service in found.values():
        incidents_of_service.sort(key=_when)
    return found


def similar(incident: Incident, among: Neighbours, policy: Policy, now: datetime) -> list[str]:
    """The ids of the incidents that make a pattern with this one, its own among them; empty below the policy's count.

    Same service, and the same category of cause or triage, a tag or a factor in common, or titles of mostly the same
    words; declared within the window that ends with this one.
    An incident that is linked to it, or belongs to a problem already, makes no pattern with it (R69).
    """
    pattern = policy.escalation.pattern
    if not pattern.count or not pattern.window or not counts(incident) or incident.problem:
        return []
    end = declared_at(incident)
    begin = shift(end, -seconds_of(pattern.window))
    found = {incident.id}
    for service in incident.services:
        dated = among.get(service, ())
        first, last = bisect_left(dated, begin, key=_when), bisect_right(dated, min(end, now), key=_when)
        found.update(other.id for _, other in dated[first:last] if _is_similar(incident, other))
    return sorted(found) if len(found) >= pattern.count else []


def _is_similar(incident: Incident, other: Incident) -> bool:
    if other.problem or _is_linked(incident, other) or _is_linked(other, incident):
        return False
    alike = _categories(incident) & _categories(other) or not set(incident.tags).isdisjoint(other.tags)
    return bool(alike) or not _factors(incident).isdisjoint(_factors(other)) or _is_retold(incident.title, other.title)


def _is_linked(incident: Incident, other: Incident) -> bool:
    return any(one.id == other.id for one in incident.relations)


def _categories(incident: Incident) -> set[str]:
    """The category of the cause, and what triage took it for: known long before."""
    found = (incident.cause and incident.cause.category, incident.triage and incident.triage.category)
    return {category for category in found if category and category != UNKNOWN}


def _factors(incident: Incident) -> set[tuple[str, str]]:
    return {(_plain(name), _plain(value)) for name, value in incident.factors.items()} if incident.factors else set()


def _is_retold(title: str, other: str) -> bool:
    """Titles of mostly the same words, in any order; one word in common says nothing, unless it is all there is."""
    words, others = _title_words(title), _title_words(other)
    common, every = len(words & others), len(words | others)
    return every > 0 and common * 2 >= every and common >= min(every, 2)


@lru_cache(maxsize=4096)
def _title_words(title: str) -> frozenset[str]:
    return frozenset(_WORD.findall(title.casefold())) - _FUNCTION_WORDS


_WORD = re.compile(r"[^\W\d_]{3,}")
_FUNCTION_WORDS = frozenset(("the", "and", "for", "with", "not", "are", "was", "from", "some", "all", "users"))
"""Words that stand in many titles and tell none apart."""


def _when(pair: tuple[datetime, Incident]) -> datetime:
    return pair[0]
