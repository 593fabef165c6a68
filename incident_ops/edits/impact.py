"""What the effect on users, the business and services was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.impact import DEGREES, affected_users, spell_amount, spell_hurt, spell_revenue, spell_users
from incident_ops.domain.incident import Amount, Incident, Revenue, ServiceImpact, Users
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.record import Set
from incident_ops.domain.time import UNKNOWN, parse_instant, spell_clock, stamp
from incident_ops.edits.step import (
    Step,
    given_fields,
    instant_edit,
    join_steps,
    list_edits,
    mapping_edits,
    quote,
    said_texts,
    something_said,
)
from incident_ops.errors import UserError

NOT_HURT = "none"
"""The word in place of a degree that takes every time of a service away."""


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """How badly a service was hurt (a word of DEGREES, or NOT_HURT) and when, in RFC 3339 text.

    Without `start` it begins now; without `end` it goes on.
    """

    service: str
    degree: str
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True)
class ImpactFacts:
    """What somebody reports; None and empty are left as they are.

    `users` and `revenue` hold parts of those fields; `qualitative` as `said_texts` takes them; `ended` are services
    that are well again, and since when; `started` is when it began, RFC 3339 text or `unknown`.
    """

    started: str | None = None
    summary: str | None = None
    users: Mapping[str, Amount] = field(default_factory=dict)
    failed_requests: Amount = None
    revenue: Mapping[str, Amount] = field(default_factory=dict)
    data_loss: str | None = None
    support_tickets: Amount = None
    support_tickets_increase_percent: Amount = None
    qualitative: Sequence[str] = ()
    budget_minutes: Amount = None
    times: Sequence[ServiceTime] = ()
    ended: Sequence[tuple[str, str]] = ()


_PLAIN = {
    "summary": "impact",
    "failed_requests": "failed requests",
    "data_loss": "data lost",
    "support_tickets": "support tickets",
    "support_tickets_increase_percent": "increase of support tickets",
    "budget_minutes": "error budget used, in minutes",
}
"""Fields with one value, and what a message calls them."""


def write_impact(incident: Incident, now: datetime, facts: ImpactFacts) -> Step:
    """The impact with what is reported. UserError where a time of a service, or `started`, contradicts the record."""
    steps = [
        _started(incident, facts.started),
        *(_plain(incident, name, getattr(facts, name)) for name in _PLAIN),
        _users(incident, facts.users),
        _revenue(incident, facts.revenue),
        said_texts(("impact", "qualitative"), incident.impact.qualitative, facts.qualitative, "also"),
        _services(incident, now, facts),
    ]
    return something_said(join_steps(*steps))


def _started(incident: Incident, at: str | None) -> Step:
    if at is None:
        return Step((), ())
    if corrected_instants(incident).get("times.started") == at:
        return Step((), (f"started at {at} already; nothing changed",))
    return Step((instant_edit(incident, "started", at),), (f"started at {at}",))


def _plain(incident: Incident, name: str, value: Amount) -> Step:
    said = quote(value) if isinstance(value, str) else spell_amount(value)
    return _written(("impact", name), f"{_PLAIN[name]}: {said}", getattr(incident.impact, name), value)


def _written(route: tuple[str, ...], message: str, before: Any, after: Any) -> Step:
    """A field that takes a new value; None = none was given."""
    if after is None:
        return Step((), ())
    if before == after:
        return Step((), (f"{message} already; nothing changed",))
    return Step((Set(route, after),), (message,))


def _users(incident: Incident, given: Mapping[str, Amount]) -> Step:
    if not given:
        return Step((), ())
    before = incident.impact.users
    known = msgspec.to_builtins(before) if isinstance(before, Users) else {}
    if given.get("count") == UNKNOWN and "percent" in known:
        given = {"percent": UNKNOWN, **given}
    merged = {**known, **given}
    fields = {name: merged[name] for name in Users.__struct_fields__ if name in merged}
    impact = msgspec.structs.replace(incident.impact, users=Users(**fields))
    spelled = spell_users(affected_users(msgspec.structs.replace(incident, impact=impact)))
    step = _written(("impact", "users"), f"users affected: {spelled}", known or before, fields)
    return Step(tuple(mapping_edits(("impact", "users"), known, fields)) if step.edits else (), step.messages)


def _revenue(incident: Incident, given: Mapping[str, Amount]) -> Step:
    if not given:
        return Step((), ())
    before = incident.impact.revenue
    if given == {"amount": UNKNOWN}:
        return _written(("impact", "revenue"), f"revenue lost: {UNKNOWN}", before, UNKNOWN)
    known = msgspec.to_builtins(before) if isinstance(before, Revenue) else {}
    merged: dict[str, Any] = {**known, **given}
    fields = {name: merged[name] for name in Revenue.__struct_fields__ if name in merged}
    message = f"revenue lost: {spell_revenue(Revenue(**fields))}"
    step = _written(("impact", "revenue"), message, known or before, fields)
    warned = () if "currency" in fields or not step.edits else ('in which currency? e.g. --revenue "2500 USD"',)
    edits = tuple(mapping_edits(("impact", "revenue"), known, fields)) if step.edits else ()
    return Step(edits, step.messages, warned)


def _services(incident: Incident, now: datetime, facts: ImpactFacts) -> Step:
    before = incident.impact.services
    after = list(before)
    touched: list[str] = []
    warnings = []
    for time in facts.times:
        touched.append(time.service)
        after = _with_time(incident, after, now, time)
        if time.degree != NOT_HURT and time.service not in incident.services:
            way = f"incident-ops edit {incident.id} --service +{time.service}"
            warnings.append(
                f"{time.service} is not among the services of {incident.id}, and gates go by those: `{way}`"
            )
    for service, at in facts.ended:
        touched.append(service)
        after = _with_end(incident, after, service, at)
    edits = list_edits(("impact", "services"), msgspec.to_builtins(before), msgspec.to_builtins(after))
    return Step(tuple(edits), tuple(_spelled(after, touched)), tuple(dict.fromkeys(warnings)))


def _spelled(times: Sequence[ServiceImpact], services: Sequence[str]) -> Iterator[str]:
    for name in dict.fromkeys(services):
        own = sorted((one for one in times if one.service == name), key=lambda one: parse_instant(one.start))
        yield f"{name}: {', '.join(map(spell_hurt, own)) or 'not hurt'}"


def _with_time(
    incident: Incident, times: list[ServiceImpact], now: datetime, given: ServiceTime
) -> list[ServiceImpact]:
    """One that begins when a time of this service does takes its place; one that still goes on ends there."""
    others = [one for one in times if one.service != given.service]
    if given.degree == NOT_HURT:
        return others
    if None in (given.start, given.end) and incident.state in OVER:
        form = f"--service {given.service}:{given.degree}:FROM..TO"
        raise UserError(f"{incident.id} is {incident.state}: from when until when was it?", hint=form)
    fields = given_fields(service=given.service, degree=given.degree, start=given.start or stamp(now), end=given.end)
    new, begin = ServiceImpact(**fields), parse_instant(fields["start"])
    result = []
    is_placed = False
    for one in times:
        if one.service != given.service:
            result.append(one)
        elif parse_instant(one.start) == begin:
            result.append(new)
            is_placed = True
        elif one.end is None and parse_instant(one.start) < begin:
            result.append(msgspec.structs.replace(one, end=new.start))
        else:
            result.append(one)
    result += [] if is_placed else [new]
    _must_not_overlap([one for one in result if one.service == given.service], new)
    return result


def _must_not_overlap(times: Sequence[ServiceImpact], new: ServiceImpact) -> None:
    begin, end = parse_instant(new.start), parse_instant(new.end) if new.end else None
    for one in times:
        if one == new:
            continue
        other_begin, other_end = parse_instant(one.start), parse_instant(one.end) if one.end else None
        if (end is None or other_begin < end) and (other_end is None or begin < other_end):
            again = f"--service {one.service}:{one.degree}:{spell_clock(other_begin, dated=False)}..TO"
            hint = f"to change that one, repeat its beginning: {again}"
            raise UserError(f"{one.service} already has a time that overlaps it: {spell_hurt(one)}", hint=hint)


def _with_end(incident: Incident, times: list[ServiceImpact], service: str, at: str) -> list[ServiceImpact]:
    """The time of a service that goes on ends. UserError where none does."""
    if not any(one.service == service and one.end is None for one in times):
        hint = f"--service {service}:{DEGREES[-1]}:FROM..TO"
        raise UserError(f"no time of {service} goes on in {incident.id}", hint=hint)
    is_open = [one.service == service and one.end is None for one in times]
    return [msgspec.structs.replace(one, end=at) if ends else one for one, ends in zip(times, is_open, strict=True)]
