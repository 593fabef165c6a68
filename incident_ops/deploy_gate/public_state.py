"""gate.json, for pipelines of other repositories: what holds deploys (docs/contract.md#gate), nothing internal.

Titles, reasons, people and restricted ids stay out. What changes with the clock alone (windows, freezes, hours, a
budget that runs out) is given as periods of time, so that a reader judges for its own instant.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

import msgspec

from incident_ops.deploy_gate.check import DeployFacts, DeployRequest, all_holds, missing_figures, released
from incident_ops.deploy_gate.holds import (
    HOURS_AHEAD,
    deploy_calendar,
    environments_of,
    is_on,
    opening_hours,
    shifted_back,
)
from incident_ops.deploy_gate.release import is_same_commit
from incident_ops.deploy_gate.verdict import (
    DEPLOY_FREEZE,
    ERROR_BUDGET,
    FROZEN,
    HOLDING,
    INCONCLUSIVE,
    MAINTENANCE_WINDOW,
    NO_DATA,
    OF_A_FILE,
    OF_A_RECORD,
    OFF_WINDOW,
    OK,
    OPEN_INCIDENT,
    PASS,
    UNREADABLE_RECORD,
    HeldRelease,
    Hold,
    Verdict,
)
from incident_ops.domain.fence import evaluate_plan
from incident_ops.domain.planned_changes import Span, planned_freeze
from incident_ops.domain.record import Unread
from incident_ops.domain.time import SKEW, duration, parse_instant, spell_duration, stamp
from incident_ops.errors import Incomplete, UserError
from incident_ops.findings import did_you_mean

GATE_JSON_SCHEMA = 1
_SHOWN = 5
_NONE = timedelta()
_DOUBTS = (UNREADABLE_RECORD, NO_DATA)
_NO_FIGURES = "the error budget needs figures that gate.json lacks: ask the records, --records URL@BRANCH --requests N"


class HeldSpan(msgspec.Struct, frozen=True, rename={"begin": "from", "end": "until"}):
    """A period of time in which deploys are held (or, in `deploy_hours`, allowed); null = no such end."""

    begin: str | None
    end: str | None
    id: str = ""
    environments: list[str] = []


class PublicOverride(msgspec.Struct, frozen=True, rename={"begin": "from", "end": "until"}):
    """One commit that an override lets through, in which environments, and what it releases from: reason codes, and the
    open incident where that may be named."""

    sha: str
    environments: list[str]
    begin: str
    end: str
    releases: list[str] = []
    id: str = ""


class ServiceState(msgspec.Struct, frozen=True):
    """One service as it stood when the file was written.

    `reasons` are reason codes, `ids` the open incidents that may be named; `budget` is when its error
    budget is spent.
    """

    held: bool
    reasons: list[str]
    ids: list[str]
    windows: list[HeldSpan]
    freezes: list[HeldSpan]
    budget: HeldSpan | None
    overrides: list[PublicOverride]


class PublicState(msgspec.Struct, frozen=True):
    """The whole file. `deploy_hours` null = at any time; else nothing may be deployed outside them."""

    schema: int
    revision: str
    written_at: str
    max_age: str
    environments: list[str]
    services: dict[str, ServiceState]
    deploy_hours: list[HeldSpan] | None


def public_state(known: Mapping[str, DeployFacts], revision: str, now: datetime) -> PublicState:
    """The state of every service: `known` by service name, each as `check` takes it. At least one service."""
    policy = next(iter(known.values())).policy
    calendar = deploy_calendar(policy)
    hours = None
    if calendar is not None:
        hours = [_held_span("", span) for span in opening_hours(calendar, now, now + HOURS_AHEAD)]
    services = {name: _service(name, facts, now) for name, facts in sorted(known.items())}
    environments = environments_of(policy)
    return PublicState(GATE_JSON_SCHEMA, revision, stamp(now), policy.gate.max_age, environments, services, hours)


def to_json(state: PublicState) -> bytes:
    """The file's bytes."""
    return msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n"


def parse_state(raw: bytes, where: str) -> PublicState:
    """The bytes of gate.json as a value. Incomplete where they are damaged: nothing may be concluded from them."""
    try:
        json.loads(raw, object_pairs_hook=_each_key_once)
        state = msgspec.json.decode(raw, type=PublicState)
        if state.schema != GATE_JSON_SCHEMA:
            raise ValueError(f"schema {state.schema} is not known")
        if not state.environments:
            raise ValueError("it names no environment")
        if not 0 < duration(state.max_age) <= HOURS_AHEAD.total_seconds():
            raise ValueError(f"max_age {state.max_age} is not within {HOURS_AHEAD.days} days")
        for text in _instants(state):
            parse_instant(text)
        unknown = {reason for service in state.services.values() for reason in service.reasons} - {*HOLDING, *_DOUBTS}
        if unknown:
            raise ValueError(f"reason {min(unknown)!r} is not known")
        for name, service in state.services.items():
            _must_hold_together(name, service, state)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        hint = "read the records themselves (--records URL@BRANCH), or publish it again"
        raise Incomplete(f"gate.json is damaged: {error}", where=where, hint=hint) from error
    return state


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """ValueError for a key that stands twice: readers differ in which one they take."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)!r} stands twice")
    return found


def _must_hold_together(name: str, service: ServiceState, state: PublicState) -> None:
    """ValueError for a service that is held without a reason, or with one that nothing in the file supports."""
    at = parse_instant(state.written_at)
    here = (one for one in service.freezes if not one.environments or state.environments[0] in one.environments)
    supported = {
        OPEN_INCIDENT: True,
        MAINTENANCE_WINDOW: any(_span(one).covers(at) for one in service.windows),
        DEPLOY_FREEZE: any(_span(one).covers(at) for one in here),
        OFF_WINDOW: state.deploy_hours is not None and not any(_span(one).covers(at) for one in state.deploy_hours),
        ERROR_BUDGET: service.budget is not None and _span(service.budget).covers(at),
    }
    if service.held != bool(service.reasons):
        raise ValueError(f"held of {name} is {json.dumps(service.held)}, and its reasons are {service.reasons}")
    if service.ids and OPEN_INCIDENT not in service.reasons:
        raise ValueError(f"{name} has incidents, and they are no reason")
    for reason in service.reasons:
        if not supported.get(reason, True):
            raise ValueError(f"{name} is held for {reason}, and nothing in the file says when")


def verdict_of_state(state: PublicState, asked: DeployRequest) -> Verdict:
    """The verdict that the file gives. UserError for a service or an environment that it does not know."""
    if asked.service not in state.services:
        hint = did_you_mean(asked.service, state.services)
        raise UserError(f"service {asked.service!r} is not in gate.json", hint=hint)
    if asked.environment not in state.environments:
        hint = did_you_mean(asked.environment, state.environments)
        raise UserError(f"environment {asked.environment!r} is not in gate.json", hint=hint)
    service = state.services[asked.service]
    every = _holds(service, state, asked)
    holds = tuple(hold for hold in every if is_on(hold, asked.now))
    if holds:
        verdict, reason = FROZEN, holds[0].reason_code
    elif doubts := [reason for reason in _DOUBTS if reason in service.reasons]:
        verdict, reason = INCONCLUSIVE, doubts[0]
    else:
        return Verdict(asked.service, PASS, OK, environment=asked.environment)
    notes = (_NO_FIGURES,) if reason == NO_DATA else ()
    lost = Unread("gate.json", "a record cannot be used, see its repository")
    unread = (lost,) if UNREADABLE_RECORD in service.reasons else ()
    held = Verdict(asked.service, verdict, reason, holds, unread, asked.environment, notes=notes)
    return released(held, _releases(service, asked))


def why_not_current(state: PublicState, head: str | None, now: datetime) -> str | None:
    """Why the file may not be trusted at `now`; None where it may.

    `head` is the commit the repository is at; None where that cannot be read: then its age decides.
    """
    age = now - parse_instant(state.written_at)
    if age < -SKEW:
        return f"gate.json was written at {state.written_at}, after the instant of this check"
    if age > HOURS_AHEAD:
        return f"gate.json was written at {state.written_at}, more than {HOURS_AHEAD.days} days ago"
    if head is not None:
        if state.revision == head:
            return None
        return f"gate.json is of commit {state.revision[:12]}, and the repository is at {head[:12]}"
    if age > timedelta(seconds=duration(state.max_age)):
        old = spell_duration(int(age.total_seconds()))
        return f"gate.json is {old} old, and the limit is {state.max_age}"
    return None


def why_replaced(theirs: PublicState, ours: PublicState) -> str | None:
    """Why `theirs`, which is published, is to be replaced by `ours`, which says how things stand now.

    None while it says the same and has most of its `max_age` left: then a reader loses nothing by it.
    """
    if theirs.revision != ours.revision:
        return f"the last one is of commit {theirs.revision[:12]}"
    age = parse_instant(ours.written_at) - parse_instant(theirs.written_at)
    if age < -SKEW:
        return f"the last one was written at {theirs.written_at}, which is in the future"
    news = [name for name, state in ours.services.items() if theirs.services.get(name) != state]
    if news:
        return f"things have changed for {', '.join(news[:_SHOWN])}"
    is_old = 3 * age > timedelta(seconds=duration(ours.max_age))
    return f"the last one is {spell_duration(int(age.total_seconds()), exact=True)} old" if is_old else None


def _service(name: str, known: DeployFacts, now: datetime) -> ServiceState:
    main = known.policy.gate.environment
    holds, unread = all_holds(DeployRequest(name, main, now), known)
    on = [hold for hold in holds if is_on(hold, now)]
    doubts = [UNREADABLE_RECORD] * bool(unread) + [NO_DATA] * bool(
        missing_figures(DeployRequest(name, main, now), known)
    )
    reasons = [*dict.fromkeys(hold.reason_code for hold in on), *doubts]
    ids = [hold.id for hold in on if hold.reason_code == OPEN_INCIDENT and not hold.is_restricted]
    windows = [hold for hold in holds if hold.reason_code == MAINTENANCE_WINDOW]
    budget = next((hold for hold in holds if hold.reason_code == ERROR_BUDGET), None)
    return ServiceState(
        bool(reasons),
        reasons,
        ids,
        [_held_span(hold.id, Span(hold.begin, hold.end)) for hold in windows],
        _freezes(name, known, now),
        _held_span("", Span(budget.begin, budget.end)) if budget else None,
        _overrides(name, known, now),
    )


def _freezes(name: str, known: DeployFacts, now: datetime) -> list[HeldSpan]:
    spans = []
    for path, freeze in known.freezes.items():
        if freeze.is_override or (freeze.services and name not in freeze.services):
            continue
        planned = evaluate_plan(path, freeze.name, partial(planned_freeze, freeze))
        # one whose times cannot be used holds until somebody fixes it
        span = Span(None, None) if isinstance(planned, Unread) else planned.span
        if span.end is None or span.end > now:
            spans.append(_held_span(freeze.name, span, freeze.environments))
    return spans


def _overrides(name: str, known: DeployFacts, now: datetime) -> list[PublicOverride]:
    overrides = []
    for record in known.records:
        if not record.incident.drill:
            entries = [entry for entry in record.incident.overrides if entry.service == name]
            shown = "" if record.incident.visibility == "restricted" else record.incident.id
            overrides += [
                PublicOverride(entry.sha, [entry.environment], entry.at, entry.expires, sorted(OF_A_RECORD), shown)
                for entry in entries
            ]
    for path, freeze in known.freezes.items():
        if not freeze.is_override or (freeze.services and name not in freeze.services):
            continue
        planned = evaluate_plan(path, freeze.name, partial(planned_freeze, freeze))
        if isinstance(planned, Unread):
            continue
        span = planned.span
        if span.begin is not None and span.end is not None and span.end > now:
            ends, frees = stamp(span.end), sorted(OF_A_FILE)
            overrides.append(PublicOverride(freeze.sha or "", freeze.environments, stamp(span.begin), ends, frees))
    return overrides


def _holds(service: ServiceState, state: PublicState, asked: DeployRequest) -> list[Hold]:
    """Everything that holds or will, the gravest kind first."""
    holds = [Hold(OPEN_INCIDENT, incident, None) for incident in service.ids]
    if OPEN_INCIDENT in service.reasons and not holds:
        holds = [Hold(OPEN_INCIDENT, "", None, is_restricted=True)]
    lead = asked.lead or timedelta()
    holds += [_hold(MAINTENANCE_WINDOW, window, lead) for window in service.windows]
    here = (freeze for freeze in service.freezes if not freeze.environments or asked.environment in freeze.environments)
    holds += [_hold(DEPLOY_FREEZE, freeze, lead) for freeze in here]
    if state.deploy_hours is not None and not any(_lasts(_span(one), asked.now, lead) for one in state.deploy_hours):
        holds.append(Hold(OFF_WINDOW, "", None))
    return holds + ([_hold(ERROR_BUDGET, service.budget)] if service.budget else [])


def _releases(service: ServiceState, asked: DeployRequest) -> list[HeldRelease]:
    releases = []
    for override in service.overrides if asked.sha is not None else ():
        span = Span(parse_instant(override.begin), parse_instant(override.end))
        here = not override.environments or asked.environment in override.environments
        if here and span.covers(asked.now) and is_same_commit(override.sha, asked.sha or ""):
            frees = frozenset(override.releases)
            releases.append(HeldRelease("", "", span.end, "gate.json", frees, override.id))
    return releases


def _lasts(open_hours: Span, now: datetime, lead: timedelta) -> bool:
    return open_hours.covers(now) and (open_hours.end is None or open_hours.end >= now + lead)


def _hold(reason: str, held: HeldSpan, lead: timedelta = _NONE) -> Hold:
    """As the file says it, and so long before that a deploy that takes `lead` does not run into it."""
    span = _span(held)
    return Hold(reason, held.id, None, begin=shifted_back(span.begin, lead), end=span.end)


def _span(held: HeldSpan) -> Span:
    return Span(
        None if held.begin is None else parse_instant(held.begin), None if held.end is None else parse_instant(held.end)
    )


def _held_span(name: str, span: Span, environments: Iterable[str] = ()) -> HeldSpan:
    begin, end = (None if at is None else stamp(at) for at in span)
    return HeldSpan(begin, end, name, [*environments])


def _instants(state: PublicState) -> Iterable[str]:
    """Every instant in the file."""
    yield state.written_at
    for service in state.services.values():
        for held in (*service.windows, *service.freezes, *([service.budget] if service.budget else [])):
            yield from (text for text in (held.begin, held.end) if text is not None)
        yield from (text for override in service.overrides for text in (override.begin, override.end))
    for hours in state.deploy_hours or ():
        yield from (text for text in (hours.begin, hours.end) if text is not None)
