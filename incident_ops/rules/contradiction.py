"""Counts and intervals of an incident do not contradict each other.

An error: no users but a share of users above 0; no revenue lost but a loss per minute; an interval that ends before
it begins; two intervals of one series that overlap. A warning: a triage answer that differs from the measured impact,
because the answer decided the level; a service of `impact.services` that `services` does not name; an answer that says
it is over where nothing says since when.

    before: users: {count: 0, percent: 60}
    after:  users: {count: 5000, percent: 60}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.as_of import current_instant
from incident_ops.domain.incident import Amount, Impact, Incident, Revenue, Series, Users
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import later, rule_finding

ID = "contradiction"
LEVEL = (Level.ERROR, Level.WARNING)
TIMED = False


def check(record: Record, _world: World) -> Iterator[Finding]:
    """Users, revenue and series of the impact, and the triage answers."""
    incident = record.incident
    yield from _counts(incident.impact)
    for index, series in enumerate(incident.impact.series):
        yield from _series(index, series)
    yield from _services(incident)
    if incident.triage is None:
        return
    users, triage_percent = incident.impact.users, incident.triage.users_percent
    if isinstance(users, Users) and _differ(users.percent, triage_percent):
        message = f"triage says {triage_percent} % of users, impact says {users.percent} %"
        hint = "fix the one that is wrong; the triage answer decides the level"
        yield rule_finding(ID, Level.WARNING, ("triage", "users_percent"), message, hint)
    if incident.triage.ongoing is False and current_instant(incident, "restored") is None:
        message = "triage says it is over, but not when service was back"
        hint = f'incident-ops timeline "..." {incident.id} --at WHEN --mark restored'
        yield rule_finding(ID, Level.WARNING, ("triage", "ongoing"), message, hint)
    revenue = incident.impact.revenue
    if incident.triage.revenue is False and isinstance(revenue, Revenue) and _positive(revenue.amount):
        message = f"triage says no revenue is lost, impact says {revenue.amount}"
        yield rule_finding(ID, Level.WARNING, ("triage", "revenue"), message, "fix the one that is wrong")


def _counts(impact: Impact) -> Iterator[Finding]:
    users, revenue = impact.users, impact.revenue
    if isinstance(users, Users) and _zero(users.count) and _positive(users.percent):
        message = f"users.count is 0, but users.percent is {users.percent}"
        yield rule_finding(ID, Level.ERROR, ("impact", "users", "count"), message, "count: the number, or unknown")
    if isinstance(revenue, Revenue) and _zero(revenue.amount) and _positive(revenue.per_minute):
        message = f"revenue.amount is 0, but revenue.per_minute is {revenue.per_minute}"
        yield rule_finding(ID, Level.ERROR, ("impact", "revenue", "amount"), message, "amount: the sum, or unknown")


def _series(index: int, series: Series) -> Iterator[Finding]:
    before = None
    for number, point in enumerate(series.points):
        route = ("impact", "series", index, "points", number)
        if later(point.start, point.end):
            message = f"this interval of {series.name} ends at {point.end}, before it begins at {point.start}"
            yield rule_finding(ID, Level.ERROR, (*route, "to"), message, "swap from and to")
        elif before is not None and later(before.end, point.start):
            message = (
                f"this interval of {series.name} begins at {point.start}, before the one above ends at {before.end}"
            )
            yield rule_finding(ID, Level.ERROR, (*route, "from"), message, "intervals must not overlap")
        before = point


def _services(incident: Incident) -> Iterator[Finding]:
    for index, hurt in enumerate(incident.impact.services):
        route = ("impact", "services", index)
        if hurt.end is not None and later(hurt.start, hurt.end):
            message = f"this time of {hurt.service} ends at {hurt.end}, before it begins at {hurt.start}"
            yield rule_finding(ID, Level.ERROR, (*route, "to"), message, "swap from and to")
        if hurt.service not in incident.services:
            message = f"impact.services names {hurt.service}, which services does not list"
            hint = f"add {hurt.service} to services: gates and the status page go by it"
            yield rule_finding(ID, Level.WARNING, (*route, "service"), message, hint)


def _positive(amount: Amount) -> bool:
    return isinstance(amount, int | float) and amount > 0


def _zero(amount: Amount) -> bool:
    return isinstance(amount, int | float) and amount == 0


def _differ(first: Amount, second: Amount) -> bool:
    return isinstance(first, int | float) and isinstance(second, int | float) and first != second
