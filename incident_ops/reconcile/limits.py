"""What one run may do of a plan. What is held back is listed, with the flag that lets it through. Pure.

What is cut off comes first next time: a run does the first of the plan's order, and what is done is not planned again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from incident_ops.domain.policy_sections import Limits
from incident_ops.reconcile.changes import CLOSE, NOTIFY, PlannedChange
from incident_ops.reconcile.plan import Plan

_BOUNDLESS = 2**31
WITHOUT_LIMITS = Limits(creates=_BOUNDLESS, closes=_BOUNDLESS, writes=_BOUNDLESS, requests=_BOUNDLESS)
"""For the embedded tracker, which nobody else uses."""


class LimitOverrides(NamedTuple):
    """What the command line says instead of the policy; None = nothing. `requests` is for the adapter to obey."""

    creates: int | None = None
    closes: int | None = None
    writes: int | None = None
    requests: int | None = None
    accept_empty: bool = False


NO_OVERRIDES = LimitOverrides()


@dataclass(frozen=True, slots=True)
class HeldChanges:
    """Changes that this run does not do: how many, why, the flag that lets them through ("" = none), what comes
    next."""

    reason: str
    count: int
    flag: str
    continues: bool

    @property
    def message(self) -> str:
        """One sentence or two for people."""
        after = "the next run continues" if self.continues else "the next run will not do it either"
        flag = f". {self.flag} lifts it" if self.flag else ""
        return f"{self.reason}; {after}{flag}"


class WithinLimits(NamedTuple):
    """`now` is done by this run, in order; every other change is in one of the `held` groups."""

    now: tuple[PlannedChange, ...]
    held: tuple[HeldChanges, ...]


def limits_in_force(limits: Limits, overrides: LimitOverrides) -> Limits:
    """The policy's limits with those that the command line sets instead."""

    def chosen(override: int | None, limit: int) -> int:
        return limit if override is None else override

    return Limits(
        creates=chosen(overrides.creates, limits.creates),
        closes=chosen(overrides.closes, limits.closes),
        closes_pct=limits.closes_pct,
        writes=chosen(overrides.writes, limits.writes),
        requests=chosen(overrides.requests, limits.requests),
    )


def allow(plan: Plan, limits: Limits, overrides: LimitOverrides = NO_OVERRIDES) -> WithinLimits:
    """Plan -> what this run does and what it holds back.

    A tracker without any issue of ours, while records carry numbers, holds back everything. More than `closes` closes
    that are also more than `closes_pct` % of our open issues are all held back: that many at once look like an
    accident. Creates and writes are cut to the first in order. Edits of records and notices are not writes on the
    tracker; nothing holds back a notice.
    """
    most = limits_in_force(limits, overrides)
    if plan.lost and not overrides.accept_empty and plan.changes:
        notices = tuple(change for change in plan.changes if change.action == NOTIFY)
        return WithinLimits(notices, (_lost(plan),) if len(notices) < len(plan.changes) else ())
    now, held = plan.changes, []
    for cut in (_closes, _creates, _writes):
        now, group = cut(now, most, plan)
        held += [group] if group else []
    return WithinLimits(now, tuple(held))


def _lost(plan: Plan) -> HeldChanges:
    reason = (
        f"the tracker has no issue of ours, but records name {plan.lost}: is it the right repository, and the token's?"
    )
    count = sum(1 for change in plan.changes if change.action != NOTIFY)
    return HeldChanges(reason, count, "--accept-empty-tracker", continues=False)


_Cut = tuple[tuple[PlannedChange, ...], HeldChanges | None]


def _closes(changes: tuple[PlannedChange, ...], most: Limits, plan: Plan) -> _Cut:
    """All closes or none."""
    count = sum(1 for change in changes if change.action == CLOSE)
    if count <= most.closes or count * 100 <= most.closes_pct * plan.owned_open:
        return changes, None
    reason = (
        f"{count} of {plan.owned_open} open issues would be closed, more than {most.closes} and more than "
        f"{most.closes_pct} %, so none is"
    )
    rest = tuple(change for change in changes if change.action != CLOSE)
    return rest, HeldChanges(reason, count, f"--max-closes {count}", continues=False)


def _creates(changes: tuple[PlannedChange, ...], most: Limits, _plan: Plan) -> _Cut:
    """The first new issues."""
    new = [change for change in changes if change.opens_issue]
    if len(new) <= most.creates:
        return changes, None
    late = {change.key for change in new[most.creates :]}
    rest = tuple(change for change in changes if not (change.opens_issue and change.key in late))
    return rest, _cut_off(len(new), most.creates, "issues to create", "--max-creates")


def _writes(changes: tuple[PlannedChange, ...], most: Limits, _plan: Plan) -> _Cut:
    """The first changes of the tracker; record edits and notices are all let through."""
    writes = [change for change in changes if change.is_on_tracker]
    if len(writes) <= most.writes:
        return changes, None
    first = set(map(id, writes[: most.writes]))
    rest = tuple(change for change in changes if not change.is_on_tracker or id(change) in first)
    return rest, _cut_off(len(writes), most.writes, "changes on the tracker", "--max-writes")


def _cut_off(count: int, most: int, what: str, flag: str) -> HeldChanges:
    reason = f"{count} {what}, {most} allowed in one run, {count - most} left"
    return HeldChanges(reason, count - most, f"{flag} {count}", continues=True)
