"""The error budget of a service: what an objective allows in its window, and what incidents have used (R209, R210).

Two ways to count (C19). In time, every minute of impact counts whole, however many requests failed: from `started` to
`restored` of each cycle (C18), minutes shared by two incidents once. Of a service that `impact.services` names, the
intervals there count, whatever their degree. `impact.budget_minutes` of a record wins over its instants. In requests,
failed ones over all of the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil, floor
from typing import NamedTuple

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import counts
from incident_ops.domain.policy import REQUEST_BUDGET, TIME_BUDGET, Objective
from incident_ops.domain.policy_sections import BurnRate
from incident_ops.domain.time import TimeSpan, duration, parse_instant, shift, spell_duration
from incident_ops.sla.calendar import merged_intervals

_NAMES = {7: "Weekly", 28: "Monthly", 30: "Monthly", 31: "Monthly", 90: "Quarterly", 365: "Yearly"}
_DAY = timedelta(days=1)


class Budget(NamedTuple):
    """`allowed` and `used` in minutes, or in failed requests (`mode`), over `window` seconds.

    `is_running`: impact goes on, so more is used every minute. `unknown` are the incidents without a known number of
    failed requests: then `used` is the least it can be.
    """

    mode: str
    window: int
    allowed: float
    used: float
    is_running: bool = False
    unknown: tuple[str, ...] = ()

    @property
    def over(self) -> float:
        """How much more was used than is allowed, 0 where it was not."""
        return max(0.0, round(self.used - self.allowed, 6))

    @property
    def left(self) -> float:
        """How much may be used still."""
        return max(0.0, round(self.allowed - self.used, 6))

    @property
    def is_exhausted(self) -> bool:
        """True once all of it is used."""
        return self.used > 0 and self.used >= self.allowed


def counted_spans(incident: Incident, since: datetime, now: datetime, service: str | None = None) -> list[TimeSpan]:
    """The impact of an incident, or that on a service, which ends after `since`; none of what does not count."""
    if not counts(incident):
        return []
    spans = as_of(incident, now).impact_spans()
    return [span for span in _spans_of(incident, service, spans, now) if span[1] > since]


def _spans_of(incident: Incident, service: str | None, spans: list[TimeSpan], now: datetime) -> list[TimeSpan]:
    """The intervals of a service, up to now; those of the whole incident where it has none of its own.

    One without an end lasts as long as the incident does.
    """
    own = [one for one in incident.impact.services if one.service == service]
    if not own:
        return spans
    over = max((end for _, end in spans), default=now)
    ended = ((parse_instant(one.start), parse_instant(one.end) if one.end else over) for one in own)
    return [(begin, min(end, now)) for begin, end in ended if begin < min(end, now)]


def time_budget(
    incidents: Iterable[Incident], objective: Objective, now: datetime, service: str | None = None
) -> Budget:
    """The budget in minutes, from the incidents of one service."""
    since = shift(now, -objective.window)
    stated, spans, runs = 0.0, [], False
    for incident in incidents:
        found = counted_spans(incident, since, now, service)
        minutes = incident.impact.budget_minutes
        if isinstance(minutes, int | float):
            stated += float(minutes) if found else 0.0
        else:
            spans += [(max(begin, since), end) for begin, end in found]
            runs = runs or any(end == now for _, end in found)
    used = stated + sum((end - begin).total_seconds() for begin, end in merged_intervals(spans)) / 60
    return Budget(TIME_BUDGET, objective.window, allowed(objective, objective.window / 60), round(used, 6), runs)


def request_budget(
    incidents: Iterable[Incident], objective: Objective, now: datetime, total: int, service: str | None = None
) -> Budget:
    """The budget in requests, of `total` requests in the window; the failed ones are those in the records."""
    since = shift(now, -objective.window)
    failed, unknown = 0.0, []
    for incident in incidents:
        if not counted_spans(incident, since, now, service):
            continue
        count = incident.impact.failed_requests
        if isinstance(count, int | float):
            failed += count
        else:
            unknown.append(incident.id)
    return Budget(REQUEST_BUDGET, objective.window, allowed(objective, total), failed, unknown=tuple(sorted(unknown)))


def allowed(objective: Objective, total: float) -> float:
    """What of `total` may be bad: 43.2 of the 43,200 minutes of 30 days at 99.9 % (R209)."""
    return float((100 - Decimal(str(objective.target_pct))) / 100 * Decimal(str(total)))


def burn_rate(
    incidents: Iterable[Incident], objective: Objective, now: datetime, window: int, service: str | None = None
) -> float:
    """How fast the budget burned in the last `window` seconds, 1 = just used up; infinite where none is allowed."""
    used = time_budget(incidents, objective._replace(window=window), now, service)
    return used.used / used.allowed if used.allowed else float("inf") if used.used else 0.0


def burning(
    incidents: Sequence[Incident],
    objective: Objective,
    now: datetime,
    rates: Iterable[BurnRate],
    service: str | None = None,
) -> BurnRate | None:
    """The first rate that is reached in its long and in its short window; None where none is."""
    for one in rates:
        windows = (duration(one.long), duration(one.short))
        if all(burn_rate(incidents, objective, now, window, service) >= one.rate for window in windows):
            return one
    return None


def status_line(budget: Budget) -> str:
    """`Monthly budget exhausted` (R210), or how much of it is left."""
    days = budget.window / _DAY.total_seconds()
    name = _NAMES.get(int(days)) if days.is_integer() else None
    head = f"{name} budget" if name else f"Budget of {spell_duration(budget.window)}"
    unit = "min" if budget.mode == TIME_BUDGET else "failed requests"
    if budget.is_exhausted:
        over = f", {_tenths(budget.over, ceil)} over" if budget.over else ""
        return f"{head} exhausted: {_tenths(budget.used, ceil)} of {_tenths(budget.allowed, round)} {unit}{over}"
    left = _tenths(budget.left, floor)
    stated = "under 0.1" if left == "0" and budget.left else left
    return f"{head}: {stated} of {_tenths(budget.allowed, round)} {unit} left"


def _tenths(value: float, rounded: Callable[[float], int]) -> str:
    """With one decimal at most. What is used rounds up, so that a spent budget never looks as if some were left."""
    return f"{rounded(round(value * 10, 5)) / 10:.1f}".removesuffix(".0")
