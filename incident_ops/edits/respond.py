"""Responding: acknowledging an incident, assigning roles and people, pauses while it waits (R82, C16)."""

from __future__ import annotations

import re
import shlex
from datetime import datetime

from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.incident import Incident, Roles
from incident_ops.domain.lifecycle import ASSIGNED, CLOSED, IN_PROGRESS, NEW, OVER, PENDING, TRIAGED
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Append, Edit, Set
from incident_ops.domain.time import shift, spell_minute, stamp
from incident_ops.domain.waits import WAITING, pending_after, user_wait
from incident_ops.edits.step import (
    Step,
    change_row,
    given_fields,
    illegal_move,
    move,
    path,
    spelled_move,
    state_before_pending,
    state_words,
    timeline_row,
)
from incident_ops.errors import UserError
from incident_ops.findings import closest


def acknowledge(incident: Incident, policy: Policy, now: datetime, by: str | None, said: str = "Acknowledged") -> Step:
    """Moves to in progress and writes `times.acknowledged` where it is missing (R76).

    Whoever acknowledges an unassigned incident becomes its assignee. Repeating it is not an error. `said` is what the
    timeline says.
    """
    if incident.state == IN_PROGRESS:
        at = corrected_instants(incident).get("times.acknowledged", "a time that was not recorded")
        return Step((), (f"was acknowledged already, at {at}; nothing changed",))
    if incident.state in OVER:
        raise illegal_move(incident, policy, "acknowledged", f"`incident-ops reopen {incident.id} --reason TEXT` first")
    if incident.state == PENDING:
        waits = state_words(state_before_pending(incident) or "before")
        hint = f"`incident-ops pause {incident.id} --end` first: it goes back to {waits}"
        raise illegal_move(incident, policy, "acknowledged", hint)
    edits: tuple[Edit, ...] = move(incident, policy, IN_PROGRESS, now, by)
    if ASSIGNED in path(incident, policy, IN_PROGRESS) and not incident.assignments and by is not None:
        edits = (*edits, Append(("assignments",), given_fields(at=stamp(now), to=by)))
    who = f" by {by}" if by else ""
    message = f"acknowledged{who} ({spelled_move(incident, policy, IN_PROGRESS)})"
    return Step((*edits, timeline_row(now, "status", said, by)), (message,))


ROLES = tuple(name for name in Roles.__struct_fields__ if name != "others")
ALIASES = {
    "ic": "commander",
    "incident_commander": "commander",
    "tl": "technical_lead",
    "tech_lead": "technical_lead",
    "comms": "communications_lead",
    "comms_lead": "communications_lead",
    "cl": "communications_lead",
    "communications": "communications_lead",
    "scribes": "scribe",
}
"""The words that people use for the four roles."""
NOBODY = "-"
"""In place of a name: the role is taken back."""
MISSPELLED = 0.8
"""So alike are a slip and the role that was meant; `deputy_commander` is a role of its own."""
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def role_named(text: str) -> str:
    """The role that a word means: `ic`, `Technical Lead`, `database`.

    UserError for a word that cannot be one, and for one that is nearly one of the four.
    """
    word = re.sub(r"[- ]+", "_", text.strip().lower())
    role = ALIASES.get(word, word)
    if not _ROLE.fullmatch(role) or role == "others":
        hint = f"{', '.join(ROLES)}, or a name of your own"
        raise UserError(f"{role!r} is not a valid name for a role", hint=hint)
    if role not in ROLES and (near := closest(role, ROLES, MISSPELLED)):
        raise UserError(f"{text!r} is not a role", hint=f"did you mean {near}?")
    return role


def assign_role(incident: Incident, now: datetime, by: str | None, role: str, who: str) -> Step:
    """Sets a role (R114); one that is not of the four goes to `roles.others`. `-` takes it back.

    UserError for an invalid role name, and for a role as a person.
    """
    role = role_named(role)
    before = getattr(incident.roles, role) if role in ROLES else incident.roles.others.get(role)
    if who == NOBODY:
        return _without_role(incident, now, by, role, before)
    must_be_somebody(who, f"incident-ops assign {role} @who {incident.id}")
    if before == who:
        return Step((), (f"{who} is {state_words(role)} already; nothing changed",))
    message = f"{who} is now {state_words(role)}" + (f", taking over from {before}" if before else "")
    changed = change_row(now, f"roles.{role}", before, who, by)
    return Step((Set(_role_route(role), who), changed, timeline_row(now, "status", message, by)), (message,))


def _role_route(role: str) -> tuple[str, ...]:
    return ("roles", role) if role in ROLES else ("roles", "others", role)


def _without_role(incident: Incident, now: datetime, by: str | None, role: str, before: str | None) -> Step:
    """Nobody has the role any more."""
    if before is None:
        return Step((), (f"nobody is {state_words(role)}; nothing changed",))
    roles = incident.roles
    others = {name: who for name, who in roles.others.items() if name != role}
    named = {name: who for name in ROLES if name != role and (who := getattr(roles, name)) is not None}
    left = {**named, **({"others": others} if others else {})}
    message = f"{before} is no longer {state_words(role)}"
    changed = change_row(now, f"roles.{role}", before, None, by)
    return Step((Set(("roles",), left), changed, timeline_row(now, "status", message, by)), (message,))


def must_be_somebody(who: str, hint: str) -> None:
    """UserError for the name of one of the four roles where a person or a team is wanted."""
    word = re.sub(r"[- ]+", "_", who.strip().lower())
    if word in ROLES or word in ALIASES:
        raise UserError(f"{who!r} is a role: who is to have it?", hint=hint)


def assign_incident(
    incident: Incident, policy: Policy, now: datetime, by: str | None, who: str, tier: int | None
) -> Step:
    """Assigns the incident to somebody, at a tier of the escalation ladder where one is given (R248).

    New and triaged become assigned; later states stay as they are. UserError for the name of a role.
    """
    must_be_somebody(who, f"incident-ops assign {shlex.quote(who)} @who {incident.id}")
    if who == NOBODY:
        raise UserError("`-` takes a role back", hint=f"incident-ops assign commander - {incident.id}")
    if incident.state == CLOSED:
        hint = f"`incident-ops reopen {incident.id} --reason TEXT` first; roles can be set at any time"
        raise illegal_move(incident, policy, "assigned", hint)
    last = incident.assignments[-1] if incident.assignments else None
    moves = incident.state in (NEW, TRIAGED)
    if last is not None and (last.to, last.tier) == (who, tier) and not moves:
        return Step((), (f"assigned to {who} already; nothing changed",))
    edits: list[Edit] = [Append(("assignments",), given_fields(at=stamp(now), to=who, tier=tier))]
    message = f"assigned to {who}" + (f" at tier {tier}" if tier else "")
    if moves and path(incident, policy, ASSIGNED):
        edits = [*move(incident, policy, ASSIGNED, now, by), *edits]
        climbed = f" ({spelled_move(incident, policy, ASSIGNED)})"
    else:
        climbed = ""
    up = tier is not None and tier > ((last.tier if last else None) or 1)
    event = f"Escalated to tier {tier}: {who}" if up else f"{message[0].upper()}{message[1:]}"
    return Step((*edits, timeline_row(now, "escalation" if up else "status", event, by)), (message + climbed,))


WAITING_FOR = ("user", "vendor", "approval")


def pause_incident(
    incident: Incident,
    policy: Policy,
    now: datetime,
    by: str | None,
    waiting_for: str,
    reason: str | None,
    at_once: bool = False,
) -> Step:
    """Begins a pause that says what is waited for, and moves to pending.

    A wait for the user leaves the state to the automation where the policy has `states.auto_pending`, unless `at_once`.
    """
    if incident.state == PENDING:
        waits = incident.pauses[-1].waiting_for if incident.pauses else "somebody"
        raise illegal_move(incident, policy, "paused again", f"it waits for {waits} already; `--end` ends that")
    if incident.state == CLOSED:
        raise illegal_move(incident, policy, "paused", f"`incident-ops reopen {incident.id} --reason TEXT` first")
    wait = user_wait(incident, policy)
    is_same = wait is not None and waiting_for == WAITING
    if wait is not None and is_same and not at_once:
        becomes = spell_minute(wait.pending_at)
        hint = f"`--now` makes it pending now, `--end` ends the wait; else that happens at {becomes}"
        raise UserError(f"{incident.id} waits for the user already, since {stamp(wait.since)}", hint=hint)
    begins = Append(("pauses",), given_fields(from_=stamp(now), waiting_for=waiting_for, reason=reason))
    said = f"Waiting for {'the user' if waiting_for == 'user' else waiting_for}" + (f": {reason}" if reason else "")
    event = timeline_row(now, "status", said, by)
    later = pending_after(incident, policy) if waiting_for == WAITING and not at_once else None
    if later is not None:
        message = f"waits for the user; becomes pending at {spell_minute(shift(now, later))}, until then the clocks run"
        return Step((begins, event), (message,))
    moved = move(incident, policy, PENDING, now, by, reason=reason)
    message = f"paused, waiting for {waiting_for} ({spelled_move(incident, policy, PENDING)})"
    started: list[Edit] = [] if is_same else [*_ended_waits(incident, now), begins]
    return Step((*moved, *started, event), (message,))


def _ended_waits(incident: Incident, now: datetime) -> list[Set]:
    """The ends of the pauses that are still open."""
    still_open = (index for index, pause in enumerate(incident.pauses) if pause.end is None)
    return [Set(("pauses", index, "to"), stamp(now)) for index in still_open]


def end_pause(incident: Incident, policy: Policy, now: datetime, by: str | None) -> Step:
    """Back to the state before pending; the pause ends. A wait for the user ends before it became pending."""
    if incident.state != PENDING and (waits := _ended_waits(incident, now)):
        event = timeline_row(now, "status", "The wait is over", by)
        return Step((*waits, event), (f"the wait is over; it is {state_words(incident.state)} as before",))
    if incident.state != PENDING:
        raise illegal_move(incident, policy, "resumed", "no pause is open")
    back = state_before_pending(incident)
    if back is None:
        hint = "fix the last entry of changes: it must end in pending"
        raise UserError(f"{incident.id} is pending, but its changes do not say which state was left", hint=hint)
    moved = move(incident, policy, back, now, by)
    message = f"the wait is over ({spelled_move(incident, policy, back)})"
    return Step((*moved, timeline_row(now, "status", f"The wait is over: back to {state_words(back)}", by)), (message,))
