"""What the team wants to reach and what it reached, as far as clocks and escalations tell (R201, R204, R205).

Reported, never enforced. What nobody can judge yet is left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.policy_blocks import ResolutionShare
from incident_ops.sla.calendar import elapsed
from incident_ops.sla.causes import rests_of
from incident_ops.sla.clock import RESOLUTION, RESPONSE
from incident_ops.sla.facts import declared, facts, is_retroactive, resolved
from incident_ops.sla.outcomes import Outcome, out_of_metrics
from incident_ops.sla.statistics import percent
from incident_ops.sla.targets import calendar_of, level_of, seconds_of

COMPLIANCE, WITHIN, ACCURACY = "sla_compliance", "resolution_within", "escalation_accuracy"


class Goal(NamedTuple):
    """A goal of block `targets`: so many percent wanted, `good` of `n` reached it, `left_out` cannot be judged.

    `strict`: more than the wanted share is asked for, not just as much. `level` and `within` (a duration) say of whom.
    """

    name: str
    wanted: float
    good: int
    n: int
    left_out: int
    strict: bool
    level: str = ""
    within: str = ""

    @property
    def percent(self) -> float | None:
        """The share reached; None where nothing can be judged."""
        return percent(self.good, self.n)

    @property
    def is_reached(self) -> bool | None:
        """None where nothing can be judged."""
        if not self.n:
            return None
        share, wanted = 100 * self.good, self.wanted * self.n
        return share > wanted if self.strict else share >= wanted


def goals(found: Sequence[Outcome], incidents: Sequence[Incident], policy: Policy, now: datetime) -> tuple[Goal, ...]:
    """The goals the policy sets, in this order: compliance, resolution by level, accuracy of escalations.

    `found` are the clocks of the incidents at `now` (aware UTC).
    """
    wanted, out = policy.targets, []
    if wanted.sla_compliance_pct is not None:
        told = [one for one in found if one.clock.clock in (RESPONSE, RESOLUTION)]
        counts = [one for one in told if not one.excluded]
        good = sum(not one.late for one in counts)
        out.append(Goal(COMPLIANCE, wanted.sla_compliance_pct, good, len(counts), len(told) - len(counts), True))
    out += [_within(incidents, policy, now, share) for share in wanted.resolution]
    if wanted.escalation_accuracy_pct is not None:
        out.append(_accuracy(incidents, wanted.escalation_accuracy_pct))
    return tuple(out)


def _within(incidents: Iterable[Incident], policy: Policy, now: datetime, share: ResolutionShare) -> Goal:
    """By working time from declared to resolved, waiting aside; what still runs has failed once it is past the limit.

    The level need not have a resolution target for it. What was declared after the fact says nothing.
    """
    limit = seconds_of(share.within)
    good = n = left_out = 0
    for incident in incidents:
        if (level := level_of(incident, policy)).id != share.id:
            continue
        given = facts(incident, now)
        end = resolved(given)
        last = end.at if end.ended else now
        calendar = calendar_of(level, policy)
        spent = elapsed(declared(given), last, calendar, rests_of(given)) if last else None
        if out_of_metrics(incident) or is_retroactive(given) or spent is None or (not end.ended and spent <= limit):
            left_out += 1
        else:
            good, n = good + (spent <= limit), n + 1
    return Goal(WITHIN, share.pct, good, n, left_out, False, share.id, share.within)


def _accuracy(incidents: Iterable[Incident], wanted: float) -> Goal:
    entries = [entry for one in incidents if not out_of_metrics(one) for entry in one.escalations]
    judged = [entry.appropriate for entry in entries if isinstance(entry.appropriate, bool)]
    return Goal(ACCURACY, wanted, sum(judged), len(judged), len(entries) - len(judged), True)
