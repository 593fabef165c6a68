"""A new incident: the record as it is first written (R95-R101), its id in the form the policy asks for (R92, R94, R95,
C20), and the next steps of an incident, the most urgent first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from incident_ops.domain.as_of import current_instant
from incident_ops.domain.deadlines import reports_due
from incident_ops.domain.incident import Incident, Triage
from incident_ops.domain.lifecycle import (
    ASSIGNED,
    IN_PROGRESS,
    NEW,
    OVER,
    PENDING,
    REOPENED,
    RESOLVED,
    TRIAGED,
    shortest_path,
)
from incident_ops.domain.policy import LevelPolicy, Policy, Service
from incident_ops.domain.public_updates import lacks_first_word, needs_public_word
from incident_ops.domain.record import ID_BY_TIME, is_incident_id
from incident_ops.domain.time import UNKNOWN, parse_instant, stamp
from incident_ops.domain.triage import Decision, decide_level, is_any_answered
from incident_ops.edits.missing_facts import steps_for_missing_facts
from incident_ops.edits.step import given_fields
from incident_ops.edits.triage import answers_in_words
from incident_ops.errors import UserError

SOURCES = {
    "alert": "Alert fired",
    "customer_report": "A customer reported it",
    "dashboard": "Seen on a dashboard",
    "team": "Noticed by the team",
}
"""What noticed the incident first, and what the first entry of the timeline says."""


PROGRAM = "pipeline"
"""The system that a declaration under a key came from."""
NO_ANSWERS = Triage()
MOST_STEPS = 4


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is known when somebody declares. Instants are RFC 3339 text; the label may be left to the triage answers.

    `by_rules`: somebody was asked, so the triage rules decide even if no answer was known. `tier` is that of the most
    critical service. `by_machine`: the answers were measured, so nobody has triaged yet. `declared`: when it was
    declared, if it is written up later; the rest is of that time, too. `key`: what a program declares it under.
    """

    title: str
    services: tuple[str, ...]
    severity: str | None = None
    priority: str | None = None
    description: str | None = None
    started: str | None = None
    detected: str | None = None
    source: str | None = None
    detail: str | None = None
    answers: Triage = NO_ANSWERS
    by_rules: bool = False
    drill: bool = False
    commander: str | None = None
    declared: str | None = None
    bridge: str | None = None
    channel: str | None = None
    tags: tuple[str, ...] = ()
    tier: int | None = None
    by_machine: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """The data of a new record in the schema's order, the triage decision, and warnings."""

    data: dict[str, Any]
    decision: Decision | None
    warnings: tuple[str, ...]


def declare_incident(
    incident_id: str, declaration: Declaration, policy: Policy, digest: str, now: datetime, by: str | None
) -> Declared:
    """The record of a declaration at `now`, under the policy in force. UserError where nothing gives the level.

    It has a label, so it is triaged; nobody has taken it yet.
    """
    severity, priority, decision = _labels(declaration, policy)
    at = stamp(now)
    steps = shortest_path(NEW, TRIAGED, edges=policy.states.moves)
    answers = msgspec.to_builtins(declaration.answers)
    moves = [
        given_fields(at=at, field="state", from_=old, to=new, by=by, reason=_triaged_by(declaration, answers))
        for old, new in zip((NEW, *steps), steps, strict=False)
    ]
    detected = declaration.detected or at
    data = given_fields(
        id=incident_id,
        title=declaration.title,
        description=declaration.description,
        severity=severity,
        priority=priority,
        state=steps[-1] if steps else NEW,
        services=list(dict.fromkeys(declaration.services)),
        policy=_in_force(policy, digest, severity, priority),
        detection=given_fields(source=declaration.source, detail=declaration.detail) if declaration.source else None,
        times=given_fields(started=declaration.started, detected=detected, declared=at),
        roles={"commander": declaration.commander} if declaration.commander else None,
        triage=answers or None,
        impact={"users": UNKNOWN, "revenue": UNKNOWN},
        timeline=_first_rows(declaration, detected, at, by, policy.duties(severity, priority)),
        changes=moves or None,
        tags=list(dict.fromkeys(declaration.tags)) or None,
        links=given_fields(channel=declaration.channel, bridge=declaration.bridge) or None,
        source={"system": PROGRAM, "dedup_key": declaration.key} if declaration.key else None,
        drill=declaration.drill or None,
    )
    return Declared(data, decision, _warnings(declaration, policy, severity, priority, decision))


def _triaged_by(declaration: Declaration, answers: Mapping[str, Any]) -> str | None:
    """Why the record is triaged: a person answered; None where its level was given, or assumed without an answer."""
    is_answered = is_any_answered(declaration.answers) and not declaration.by_machine
    return f"triage: {answers_in_words(answers)}" if is_answered else None


def runbook(service_name: str, services: Mapping[str, Service], policy: Policy) -> str:
    """Where the runbook of a service lies: as services.yaml says, else by the policy's pattern (R102)."""
    service = services.get(service_name)
    if service is not None and service.runbook:
        return service.runbook
    return policy.documents.runbook_path.replace("{service}", service_name)


def channel_name(incident: Incident, policy: Policy) -> str:
    """The name of the incident's chat channel, by the policy's pattern (R102, R123, R124)."""
    return "#" + fill_names(policy.notify.incident_channel.name, incident)


def fill_names(text: str, incident: Incident) -> str:
    """A text of the policy with what it leaves open: `{id}`, and `{timestamp}`, when the incident was declared."""
    by_time = ID_BY_TIME.fullmatch(incident.id)  # two of one second differ in their ids only
    timestamp = by_time[1] if by_time else f"{parse_instant(incident.times.declared):%Y%m%d-%H%M%S}"
    return text.replace("{timestamp}", timestamp).replace("{id}", incident.id)


def _labels(declaration: Declaration, policy: Policy) -> tuple[str | None, str | None, Decision | None]:
    severity, priority = declaration.severity, declaration.priority
    label = policy.driving_label(severity, priority)
    answered = declaration.by_rules or is_any_answered(declaration.answers)
    decision = decide_level(policy, declaration.answers, declaration.tier) if answered else None
    if label is not None:
        return severity or _major_met(policy, label, decision), priority, decision
    if decision is None:
        raise _no_level(policy, "severity" if policy.drives == "priority" else "priority", severity or priority)
    if policy.drives == "priority":
        return severity or decision.major, decision.level, decision
    return decision.level, priority, decision


def _no_level(policy: Policy, other: str, given: str | None) -> UserError:
    """What to say where nothing tells the level; `given` is what was given as `other`, such as a P1 as a severity."""
    meant = next((label for label in policy.labels if given and label.casefold() == given.casefold()), None)
    if meant is not None:
        message = f"how bad is it? {meant} is a {policy.drives} here, not a {other}"
        return UserError(message, hint=f"--{policy.drives} {meant}")
    hint = (
        f"--{policy.drives} {'|'.join(policy.labels)} (see `incident-ops triage --levels`), or answer:"
        " --users 60 --feature core --data-risk none"
    )
    return UserError(f"how bad is it? No {policy.drives} is given", hint=hint)


def _major_met(policy: Policy, label: str, decision: Decision | None) -> str | None:
    """The severity of a major incident that the answers meet, beside a priority that is bad enough for it (R20)."""
    if decision is None or decision.major is None or label not in policy.labels:
        return None
    return None if policy.wanted_priority(decision.major, label) else decision.major


def _in_force(policy: Policy, digest: str, severity: str | None, priority: str | None) -> dict[str, Any]:
    level = policy.duties(severity, priority)
    targets = given_fields(response=level.response, resolution=level.resolution) if level else {}
    return given_fields(scheme=policy.scheme.id, digest=digest, targets=targets or None)


def _first_rows(
    declaration: Declaration, detected: str, at: str, by: str | None, level: LevelPolicy | None
) -> list[dict[str, Any]]:
    is_incident = level is None or level.declare
    declared = "Incident declared" if is_incident else "Ticket opened"
    noticed = SOURCES.get(declaration.source or "", "Incident noticed" if is_incident else "Noticed")
    if detected in (at, UNKNOWN):
        row = given_fields(at=at, kind="detection", event=noticed, action=declared, result="Investigating", by=by)
        return [row]
    return [
        given_fields(at=detected, kind="detection", event=noticed),
        given_fields(at=at, kind="status", event=declared, result="Investigating", by=by),
    ]


def _warnings(
    declaration: Declaration,
    policy: Policy,
    severity: str | None,
    priority: str | None,
    decision: Decision | None,
) -> tuple[str, ...]:
    messages = [*_other_level(declaration, policy.driving_label(severity, priority), severity, decision)]
    if wanted := policy.wanted_priority(severity, priority):
        messages.append(f"{priority} beside {severity}: the triage rules give {severity} the priority {wanted}")
    if declaration.answers.ongoing is False:
        messages.append('it is over: when was service back? incident-ops timeline "..." --at WHEN --mark restored')
    return tuple(messages)


def _other_level(
    declaration: Declaration, label: str | None, severity: str | None, decision: Decision | None
) -> Iterator[str]:
    """What the triage rules say beside, or against, the labels that somebody typed."""
    if decision is None:
        return
    major = decision.major
    if decision.level != label:
        both = f"{decision.level} and {major}" if major else decision.level
        yield f"the triage rules would give {both} ({decision.reason})"
    elif major is not None and severity != major:
        yield f"the answers meet {major}, not {severity} ({decision.reason})"
    elif major is not None and declaration.priority is not None and declaration.severity is None:
        yield f"a major incident: the answers meet {major} ({decision.reason})"


BY_TIME = "INC-YYYYMMDD-HHMMSS"
BY_YEAR = "INC-YYYY-NNNNN"


def ids_by_time(now: datetime) -> Iterator[str]:
    """Ids to try in turn: by time from `now` on, second by second."""
    at = now.astimezone(UTC)
    return (f"{at + timedelta(seconds=more):INC-%Y%m%d-%H%M%S}" for more in itertools.count())


def id_series(policy: Policy, now: datetime) -> str | None:
    """What stands before the number of a new id, e.g. `INC-2025-`; None where ids go by time."""
    if policy.ids.incident == BY_TIME:
        return None
    return f"INC-{now.astimezone(UTC):%Y}-" if policy.ids.incident == BY_YEAR else "INC-"


def numbered_id(series: str, number: int) -> str:
    """The id with this number; those of a year have at least five digits."""
    return f"{series}{number:05d}" if series != "INC-" else f"{series}{number}"


def highest_number(ids: Iterable[str], series: str) -> int:
    """The highest number of a series, 0 where none is taken; ids of another form do not count."""
    tails = (one.removeprefix(series) for one in ids if one.startswith(series) and is_incident_id(one))
    return max((int(tail) for tail in tails if tail.isdecimal()), default=0)


def steps_of_write_up(incident: Incident) -> tuple[str, ...]:
    """The commands that write down what came after the declaration, each at its own time."""
    name = incident.id
    return (
        f"incident-ops ack {name} --at WHEN",
        f'incident-ops timeline "..." {name} --at WHEN',
        f"incident-ops resolve {name} --at WHEN --restored WHEN --cause CATEGORY",
        f"incident-ops close {name} --at WHEN --verified",
    )


def next_steps(incident: Incident, policy: Policy, *, is_whole: bool = True) -> tuple[str, ...]:
    """Commands to run next, by state, roles, instants and what is unknown: at most MOST_STEPS, none where none is left.

    `@who`, `"..."`, `WHEN` and `N` are placeholders that only a person can fill in; commands refuse them as they are.
    `is_whole`: nothing was left out of the incident, as it is of a view of an earlier time.
    """
    level = policy.level_of(incident)
    steps_left = []
    working = incident.state in (NEW, TRIAGED, ASSIGNED, IN_PROGRESS, REOPENED)
    if working and not incident.roles.commander and level is not None and level.ic_after is not None:
        steps_left.append(f"incident-ops assign commander @who {incident.id}")
    by_state = {
        **dict.fromkeys((NEW, TRIAGED, ASSIGNED, REOPENED), f"incident-ops ack {incident.id}"),
        PENDING: f"incident-ops pause {incident.id} --end",
        RESOLVED: f"incident-ops close {incident.id} --verified",
    }
    if needs_public_word(incident, policy):
        steps_left.append(f'incident-ops update {incident.id} --public "..."')
    steps_left += steps_for_missing_facts(incident, policy) if is_whole else ()
    if incident.state in by_state:
        steps_left.append(by_state[incident.state])
    if incident.state == IN_PROGRESS:
        steps_left += _progress(incident, policy)
    owes = next(reports_due(incident, policy), None)
    if owes is not None:
        steps_left.append(f"incident-ops deadline done {owes.id} {incident.id}")
    if incident.state in OVER and policy.requires_postmortem(incident):
        steps_left += _postmortem_step(incident)
    return tuple(dict.fromkeys(steps_left))[:MOST_STEPS]


def _postmortem_step(incident: Incident) -> tuple[str, ...]:
    """What brings the postmortem on; nothing once it is final."""
    paper, command = incident.postmortem, "incident-ops postmortem"
    if paper is None:
        return (f"{command} new {incident.id}",)
    if paper.status == "final":
        return ()
    if not paper.summary:
        return (f'{command} edit {incident.id} --summary "..."',)
    if paper.status == "draft":
        return (f"{command} review {incident.id} --reviewer @who",)
    return (f"{command} final {incident.id} --approved-by @who",)


def _progress(incident: Incident, policy: Policy) -> tuple[str, ...]:
    """The first or the next update, where the level asks for updates, and the first to the public, where it tells it;
    then the end, once people know of it."""
    update = f'incident-ops update {incident.id} --internal "..."'
    is_back = current_instant(incident, "restored") is not None
    public = (f'incident-ops update {incident.id} --public "..."',) if lacks_first_word(incident, policy) else ()
    if not (is_back or incident.updates):
        return (update, *public)
    level = policy.level_of(incident)
    is_asked = level is not None and level.update.internal is not None and not is_back
    return (*([update] if is_asked else []), *public, f"incident-ops resolve {incident.id}")
