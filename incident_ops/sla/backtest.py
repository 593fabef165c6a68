"""What another policy would have done with the history: breaches, escalations, pages (R205 says which were right).

Both policies are replayed over the records as they are: what people did stays, including escalations by hand, whatever
they would have done instead; what rules found before is forgotten. Under the policy in force a record keeps the targets
of its declaration; under the other one it takes the targets of that policy. Incidents for which both policies say the
same are not replayed (`Reach`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

from msgspec import structs

from incident_ops.domain.as_of import MOMENT, as_of, declared_at
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import counts, exclusion
from incident_ops.domain.policy import LevelPolicy, Policy
from incident_ops.domain.record import Record, UndatedFields, Unread
from incident_ops.domain.time import parse_instant
from incident_ops.sla.activity import NOTHING_SEEN, Seen
from incident_ops.sla.clocks import Clock, ClockState, clocks
from incident_ops.sla.compliance import is_late
from incident_ops.sla.escalation import MANUAL, DueEscalation, due_escalations
from incident_ops.sla.escalation_rules import Neighbours, neighbours, similar
from incident_ops.sla.obligations import SeenOf
from incident_ops.sla.targets import business_calendar, level_periods, targets, why_no_level


class Reach:
    """What differs between two policies for clocks and escalations, worked out once for each pair of labels."""

    def __init__(self, old: Policy, new: Policy) -> None:
        self._old, self._new = old, new
        self._levels: dict[tuple[str | None, str | None], bool] = {}

    def covers(self, incident: Incident) -> bool:
        """False where clocks and escalations of the incident are certainly the same under both policies."""
        return self._everywhere or any(self._differs(incident, *pair) for pair in _labels(incident))

    def _differs(self, incident: Incident, severity: str | None, priority: str | None) -> bool:
        pair = severity, priority
        if pair not in self._levels:
            self._levels[pair] = _judged(self._old, *pair) != _judged(self._new, *pair)
        if self._levels[pair] or incident.policy is None:
            return self._levels[pair]
        before, after = self._old.duties(*pair), self._new.duties(*pair)
        if before is None or after is None:
            return before is not after
        return targets(incident, self._old, before) != targets(retargeted(incident), self._new, after)

    @cached_property
    def _everywhere(self) -> bool:
        return bool(_common(self._old) != _common(self._new))


def _labels(incident: Incident) -> product[tuple[str | None, str | None]]:
    """Every pair of labels the incident can have had."""
    had: dict[str, set[str | None]] = {"severity": {incident.severity}, "priority": {incident.priority}}
    for change in incident.changes:
        if change.field in had:
            had[change.field] |= {change.old, change.new}
    return product(had["severity"], had["priority"])


def _judged(policy: Policy, severity: str | None, priority: str | None) -> Any:
    level: LevelPolicy | None = policy.duties(severity, priority)
    return level, level and policy.calendar(level.calendar)


def _common(policy: Policy) -> Any:
    """What every incident is judged by, whatever its level."""
    contacts = policy.contacts
    above = {handle: person.manager for handle, person in contacts.people.items()}
    return (
        (policy.scheme.drives_clocks, policy.labels, policy.major_labels),
        (policy.escalation, above, contacts.roles, contacts.tiers, contacts.executive),
        (policy.action_items.due_by_priority, policy.releases, business_calendar(policy)),
        policy.tracker.identities,
        (policy.teams, policy.team_of),
        policy.deadlines,
    )


def replay_escalations(
    incident: Incident, policy: Policy, now: datetime, seen: Seen = NOTHING_SEEN, pattern: Sequence[str] = ()
) -> list[DueEscalation]:
    """The escalations by rule up to `now` (aware UTC) that somebody would have been notified of when they were due.

    UserError as `due_escalations`.
    """
    bare = structs.replace(incident, escalations=[one for one in incident.escalations if one.rule == MANUAL])
    notified: list[DueEscalation] = []
    found = due_escalations(as_of(bare, now), policy, seen, pattern)
    for at in sorted({one.due for one in found if one.recorded is None}):
        then = due_escalations(as_of(bare, at + MOMENT), policy, seen, pattern)
        notified += [one for one in then if one.due == at and not one.superseded and one.recorded is None]
    return notified


def retargeted(incident: Incident) -> Incident:
    """The incident without the targets of its declaration, as if it were declared under another policy."""
    return structs.replace(incident, policy=None)


class Breach(NamedTuple):
    """A clock that is late under either policy; `before` or `after` is None where there is no such clock."""

    before: Clock | None
    after: Clock | None

    @property
    def clock(self) -> Clock:
        found = self.after or self.before
        assert found is not None  # noqa: S101
        return found

    @property
    def was(self) -> bool:
        return self.before is not None and is_late(self.before)

    @property
    def will_be(self) -> bool:
        return self.after is not None and is_late(self.after)


class ComparedEscalation(NamedTuple):
    """An escalation notified under either policy, and whether a person judged it right (None: not judged)."""

    level: str
    before: DueEscalation | None
    after: DueEscalation | None
    appropriate: bool | None

    @property
    def due(self) -> DueEscalation:
        found = self.after or self.before
        assert found is not None  # noqa: S101
        return found

    @property
    def has_moved(self) -> bool:
        return self.before is not None and self.after is not None and self.before.due != self.after.due


class Recorded(NamedTuple):
    """How well the replay under the policy in force matches the records: of `n` recorded escalations by rule it found
    all but `not_found` (their keys); `unrecorded` were found that no record holds."""

    n: int
    not_found: tuple[str, ...]
    unrecorded: int


class Backtest(NamedTuple):
    """The comparison at an instant (aware UTC) over incidents declared since `since` (None = all).

    `replayed` of the `incidents` are those the change can affect; breaches and escalations are theirs. `left_out` are
    not among the incidents, by reason. `unread` are records that could not be used under one of the two policies;
    `undated` is what a view of an earlier time leaves out.
    """

    at: datetime
    since: datetime | None
    incidents: int
    replayed: int
    left_out: Mapping[str, int]
    breaches: tuple[Breach, ...]
    escalations: tuple[ComparedEscalation, ...]
    recorded: Recorded
    unread: tuple[Unread, ...] = ()
    undated: UndatedFields = ()


class _Both(NamedTuple):
    """The two policies, the records a pattern is found among, and the tracker."""

    old: Policy
    new: Policy
    now: datetime
    around: Neighbours
    seen_of: SeenOf | None

    def escalations(self, incident: Incident, policy: Policy) -> dict[str, DueEscalation]:
        seen = self.seen_of(incident) if self.seen_of else NOTHING_SEEN
        pattern = similar(incident, self.around, policy, self.now) if self.around else ()
        return {one.key: one for one in replay_escalations(incident, policy, self.now, seen, pattern)}


def compare_policies(
    records: Iterable[Record],
    old: Policy,
    new: Policy,
    now: datetime,
    since: datetime | None = None,
    unread: Sequence[Unread] = (),
    seen_of: SeenOf | None = None,
) -> Backtest:
    """Replays the incidents declared from `since` to `now` that the change can affect, under both policies.

    Patterns are found among all records view. UserError where one of the policies itself cannot be used.
    """
    found = [record for record in records if declared_at(record.incident) <= now]
    patterns = old.escalation.pattern.count or new.escalation.pattern.count
    around = neighbours(record.incident for record in found) if patterns else {}
    both, reach = _Both(old, new, now, around, seen_of), Reach(old, new)
    asked = [record for record in found if since is None or declared_at(record.incident) >= since]
    real = [record for record in asked if counts(record.incident)]
    problems = {record.path: _unusable(record.incident, old, new) for record in real}
    reached = [record for record in real if not problems[record.path] and reach.covers(record.incident)]
    compared = list(evaluate_each(reached, lambda record: _compared(record.incident, both)))
    breaches = [breach for one in compared for breach in one.breaches]
    escalations = [escalation for one in compared for escalation in one.escalations]
    unusable = (Unread(path, why) for path, why in problems.items() if why)
    return Backtest(
        now,
        since,
        len(real),
        len(compared),
        dict(sorted(Counter(reason for record in asked if (reason := exclusion(record.incident))).items())),
        tuple(sorted(breaches, key=lambda breach: _place(breach.clock))),
        tuple(sorted(escalations, key=lambda one: (one.due.incident, one.due.due, one.due.key))),
        _recorded(compared, now),
        tuple(sorted([*unread, *unusable])),
        tuple(sorted((record.incident.id, record.undated) for record in real if record.undated)),
    )


class _Compared(NamedTuple):
    incident: Incident
    breaches: list[Breach]
    escalations: list[ComparedEscalation]


def _compared(incident: Incident, both: _Both) -> _Compared:
    return _Compared(incident, _breaches(incident, both), _raised(incident, both))


def _recorded(compared: Iterable[_Compared], now: datetime) -> Recorded:
    """How well the escalations found under the policy in force match those in the records."""
    recorded = found = 0
    missing: list[str] = []
    for incident, _, escalations in compared:
        known = {entry.key for entry in incident.escalations if entry.rule != MANUAL and parse_instant(entry.at) <= now}
        before = {one.due.key for one in escalations if one.before}
        recorded += len(known)
        found += sum(one.before is not None for one in escalations)
        missing += sorted(known - before)
    return Recorded(recorded, tuple(missing), found - recorded + len(missing))


def _unusable(incident: Incident, old: Policy, new: Policy) -> str:
    """Why an incident cannot be compared; "" where it can."""
    for policy, whose in ((old, ""), (new, "under the other policy: ")):
        if why := why_no_level(incident, policy):
            return f"{whose}{why}"
    return ""


def _breaches(incident: Incident, both: _Both) -> list[Breach]:
    before = _clocks(incident, both.old, both.now)
    after = _clocks(retargeted(incident), both.new, both.now)
    pairs = (Breach(before.get(name), after.get(name)) for name in {**before, **after})
    return [one for one in pairs if one.was or one.will_be]


def _clocks(incident: Incident, policy: Policy, now: datetime) -> dict[tuple[str, str | None], Clock]:
    found = clocks(as_of(incident, now), policy)
    return {(one.clock, one.item): one for one in found if one.state is not ClockState.CANCELLED}


def _raised(incident: Incident, both: _Both) -> list[ComparedEscalation]:
    before, after = both.escalations(incident, both.old), both.escalations(retargeted(incident), both.new)
    if not before and not after:
        return []
    judged = {one.key: one.appropriate for one in incident.escalations if isinstance(one.appropriate, bool)}
    found = []
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        escalation, policy = (new, both.new) if new else (old, both.old)
        assert escalation is not None  # noqa: S101
        level = level_periods(as_of(incident, escalation.due), policy)[-1].label
        found.append(ComparedEscalation(level, old, new, judged.get(key)))
    return found


def _place(clock: Clock) -> tuple[str, int, str]:
    return clock.incident, clock.place, clock.item or ""
