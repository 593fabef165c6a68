"""Services and environments that nobody knows, in what would hold deploys: a freeze of `chekout` holds nothing, and
whoever wrote it believes that it does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from incident_ops.deploy_gate.holds import environments_of, is_worked_on
from incident_ops.domain.fence import consume, evaluate_each, evaluate_plan
from incident_ops.domain.planned_changes import Freeze, Maintenance, Span, planned_change, planned_freeze
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.record import Record, Unread
from incident_ops.findings import Finding, Level, Route, Where, did_you_mean

KNOWN_NAMES = "known-names"
"""The id of the findings; `records/file_findings.py` explains it."""

SERVICES_FILE = "services.yaml"


def check_plan_names(
    plan: Freeze | Maintenance, file: str, policy: Policy, services: Collection[str], now: datetime
) -> Iterator[Finding]:
    """An error, with a symbolic place, for each unknown name in something planned that is not over."""
    if not _is_over(plan, file, policy, now):
        for route, message, hint in _unknown_in_plan(plan, policy, services):
            yield Finding(KNOWN_NAMES, Level.ERROR, Where(file, route), message, hint)


def unknown_now(
    needed: Sequence[str],
    records: Iterable[Record],
    plans: Mapping[str, Freeze | Maintenance],
    policy: Policy,
    services: Mapping[str, Service],
    now: datetime,
) -> list[Unread]:
    """What is in force now and names something unknown, so that it may be meant for the service that is asked about.

    `needed` are that service and what it needs. Raises Unusable as `evaluate_each`.
    """
    found = [_dependency(name, services) for name in needed if name not in services]
    for path, plan in plans.items():
        unknown = _unknown_in_plan(plan, policy, services)
        if _may_hold(plan) and (first := next(unknown, None)) is not None and _is_on(plan, path, policy, now):
            found.append(_unclear(path, *first[1:]))
    return [*found, *_unknown_in_incidents(records, policy, services)]


def _unknown_in_incidents(records: Iterable[Record], policy: Policy, services: Collection[str]) -> list[Unread]:
    worst, found = policy.gate.block_on_open_rank, list[Unread]()

    def ask(record: Record) -> None:
        strange = next((name for name in record.incident.services if name not in services), None)
        if strange is None or worst is None or not is_worked_on(record.incident):
            return
        level = policy.duties(record.incident.severity, record.incident.priority)
        if level is None or level.rank <= worst:
            found.append(_unclear(record.path, *_no_service(strange, services)))

    consume(evaluate_each(records, ask))
    return found


def _unknown_in_plan(
    plan: Freeze | Maintenance, policy: Policy, services: Collection[str]
) -> Iterator[tuple[Route, str, str]]:
    for index, name in enumerate(plan.services):
        if name not in services:
            yield ("services", index), *_no_service(name, services)
    known = environments_of(policy)
    for index, name in enumerate(plan.environments if isinstance(plan, Freeze) else ()):
        if name not in known:
            hint = did_you_mean(name, known) or "name it in policy gate.environments"
            yield ("environments", index), f"environment {name!r} is not in policy gate", hint


def _no_service(name: str, services: Collection[str]) -> tuple[str, str]:
    return f"service {name!r} is not in services.yaml", did_you_mean(name, services) or "add it to services.yaml"


def _dependency(name: str, services: Mapping[str, Service]) -> Unread:
    needing = next(one for one, service in services.items() if name in service.depends_on)
    message, hint = _no_service(name, services)
    return _unclear(SERVICES_FILE, f"{needing} needs {name!r}: {message}", hint)


def _unclear(path: str, message: str, hint: str) -> Unread:
    return Unread(path, f"{message} ({hint})")


def _may_hold(plan: Freeze | Maintenance) -> bool:
    return plan.is_agreed if isinstance(plan, Maintenance) else not plan.is_override


def _is_on(plan: Freeze | Maintenance, path: str, policy: Policy, now: datetime) -> bool:
    """True where it holds now; also where its times cannot be used."""
    span = _kept(plan, path, policy)
    return span is None or span.covers(now)


def _is_over(plan: Freeze | Maintenance, path: str, policy: Policy, now: datetime) -> bool:
    if isinstance(plan, Maintenance) and plan.status in ("completed", "cancelled"):
        return True
    span = _kept(plan, path, policy)
    return span is not None and span.end is not None and span.end <= now


def _kept(plan: Freeze | Maintenance, path: str, policy: Policy) -> Span | None:
    """When it holds; None where its times cannot be used."""
    if isinstance(plan, Freeze):
        planned = evaluate_plan(path, plan.name, partial(planned_freeze, plan))
    else:
        planned = evaluate_plan(path, plan.id, partial(planned_change, plan, policy.maintenance.buffer))
    return None if isinstance(planned, Unread) else planned.kept
