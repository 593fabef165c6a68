"""What another policy would have done with the history: breaches, escalations, pages (R205 tells which were right).

Both policies are replayed over the records as they are: what people did stays, whatever they would have done instead.
Under the policy in force a record keeps the targets of its declaration; under the other one it takes that one's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.model.fence import each
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.model.time import parse_instant
from incident_ops.model.unread import Unread
from incident_ops.sla.activity import NOTHING_SEEN
from incident_ops.sla.clock import NAMES, Clock, State
from incident_ops.sla.clocks import clocks
from incident_ops.sla.escalation import MANUAL, Due
from incident_ops.sla.facts import declared_at, facts
from incident_ops.sla.obligations import SeenOf
from incident_ops.sla.outcomes import is_late, out_of_metrics
from incident_ops.sla.reach import Reach
from incident_ops.sla.replay import replay, retargeted
from incident_ops.sla.similar import Neighbours, neighbours, similar
from incident_ops.sla.targets import legs, no_level


class Breach(NamedTuple):
    """A clock late under one of two policies or both; `before` or `after` is None where it has no such clock."""

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


class Raised(NamedTuple):
    """An escalation told under one of two policies or both, and what a person judged of it (True, False or None)."""

    level: str
    before: Due | None
    after: Due | None
    appropriate: bool | None

    @property
    def due(self) -> Due:
        found = self.after or self.before
        assert found is not None  # noqa: S101
        return found

    @property
    def has_moved(self) -> bool:
        return self.before is not None and self.after is not None and self.before.due != self.after.due


class Recorded(NamedTuple):
    """How far the replay under the policy in force tells what records hold: of `n` escalations by rule all but
    `not_found` (their keys); `unrecorded` were found that no record holds."""

    n: int
    not_found: tuple[str, ...]
    unrecorded: int


class Backtest(NamedTuple):
    """The comparison at an instant (aware UTC) over incidents declared since `since` (None = all).

    `replayed` of the `incidents` are those the change can reach; breaches and escalations are theirs. `left_out` are
    not among the incidents, by reason. `unread` are records that could not be used under one of the two.
    """

    at: datetime
    since: datetime | None
    incidents: int
    replayed: int
    left_out: Mapping[str, int]
    breaches: tuple[Breach, ...]
    escalations: tuple[Raised, ...]
    recorded: Recorded
    unread: tuple[Unread, ...] = ()


class _Both(NamedTuple):
    """The two policies, the records a pattern is found among, and the tracker."""

    old: Policy
    new: Policy
    now: datetime
    around: Neighbours
    seen_of: SeenOf | None

    def told(self, incident: Incident, policy: Policy) -> dict[str, Due]:
        seen = self.seen_of(incident) if self.seen_of else NOTHING_SEEN
        pattern = similar(incident, self.around, policy, self.now) if self.around else ()
        return {one.key: one for one in replay(incident, policy, self.now, seen, pattern)}


def backtest(
    records: Iterable[Record],
    old: Policy,
    new: Policy,
    now: datetime,
    since: datetime | None = None,
    unread: Sequence[Unread] = (),
    seen_of: SeenOf | None = None,
) -> Backtest:
    """Replays the incidents declared from `since` to `now` under both policies, those that the change can reach.

    Patterns are found among all records given. UserError where one of the policies itself cannot be used.
    """
    found = [record for record in records if declared_at(record.incident) <= now]
    patterns = old.escalation.pattern.count or new.escalation.pattern.count
    around = neighbours(record.incident for record in found) if patterns else {}
    both, reach = _Both(old, new, now, around, seen_of), Reach(old, new)
    wanted = [one for one in found if since is None or declared_at(one.incident) >= since]
    left_out = Counter(reason for one in wanted if (reason := out_of_metrics(one.incident)))
    wanted = [one for one in wanted if not out_of_metrics(one.incident)]
    breaches: list[Breach] = []
    raised: list[Raised] = []
    missing, unusable = [], [*unread]
    recorded = replayed = 0
    usable = [one for one in wanted if not _unusable(one.incident, old, new)]
    unusable += [Unread(one.path, why) for one in wanted if (why := _unusable(one.incident, old, new))]
    reached = (one for one in usable if reach.covers(one.incident))
    for incident, late, theirs in each(reached, lambda one: _compared(one.incident, both)):
        replayed += 1
        breaches += late
        raised += theirs
        known = {one.key for one in incident.escalations if one.rule != MANUAL and parse_instant(one.at) <= now}
        recorded += len(known)
        missing += sorted(known - {one.due.key for one in theirs if one.before})
    return Backtest(
        now,
        since,
        len(wanted),
        replayed,
        dict(sorted(left_out.items())),
        tuple(sorted(breaches, key=lambda one: _place(one.clock))),
        tuple(sorted(raised, key=lambda one: (one.due.incident, one.due.due, one.due.key))),
        Recorded(recorded, tuple(missing), sum(one.before is not None for one in raised) - recorded + len(missing)),
        tuple(sorted(unusable)),
    )


def _compared(incident: Incident, both: _Both) -> tuple[Incident, list[Breach], list[Raised]]:
    return incident, _breaches(incident, both), _raised(incident, both)


def _unusable(incident: Incident, old: Policy, new: Policy) -> str:
    """Why an incident cannot be compared; "" where it can."""
    for policy, whose in ((old, ""), (new, "under the other policy: ")):
        if why := no_level(incident, policy):
            return f"{whose}{why}"
    return ""


def _breaches(incident: Incident, both: _Both) -> list[Breach]:
    before = _clocks(incident, both.old, both.now)
    after = _clocks(retargeted(incident), both.new, both.now)
    pairs = (Breach(before.get(name), after.get(name)) for name in {**before, **after})
    return [one for one in pairs if one.was or one.will_be]


def _clocks(incident: Incident, policy: Policy, now: datetime) -> dict[tuple[str, str | None], Clock]:
    found = clocks(incident, policy, now)
    return {(one.clock, one.item): one for one in found if one.state is not State.CANCELLED}


def _raised(incident: Incident, both: _Both) -> list[Raised]:
    before, after = both.told(incident, both.old), both.told(retargeted(incident), both.new)
    if not before and not after:
        return []
    judged = {one.key: one.appropriate for one in incident.escalations if isinstance(one.appropriate, bool)}
    found = []
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        told, policy = (new, both.new) if new else (old, both.old)
        assert told is not None  # noqa: S101
        level = legs(facts(incident, told.due), policy)[-1].label
        found.append(Raised(level, old, new, judged.get(key)))
    return found


def _place(clock: Clock) -> tuple[str, int, str]:
    return clock.incident, NAMES.index(clock.clock), clock.item or ""
