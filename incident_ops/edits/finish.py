"""How an incident ends: resolved (R87), closed (R88, R89), reopened as a new cycle (C16), or withdrawn as a false alarm
or a duplicate. And an automatic state change, as the edits a person would have made (R79-R81).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime

from incident_ops.domain.as_of import corrected_instants, current_instant
from incident_ops.domain.automation import AUTOMATION
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import CLOSED, DUPLICATE, FIXED, OVER, REOPENED, RESOLVED
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Append, Edit, Remove, Set
from incident_ops.domain.time import duration, instant, parse_instant, spell_duration, spell_minute, stamp
from incident_ops.edits.step import (
    Step,
    given_fields,
    illegal_move,
    instant_edit,
    move,
    path,
    spelled_move,
    state_words,
    timeline_row,
)
from incident_ops.errors import UserError
from incident_ops.sla.activity import StateMove

CATEGORIES = ("deploy", "database", "third_party", "infrastructure", "configuration", "security", "unknown")
_CALLED = {"db": "database", "vendor": "third_party", "deployment": "deploy"}


def category_typed(word: str) -> str | None:
    """The category that a word, its beginning or what people call it stands for; None where it is none or several."""
    typed = word.strip().lower().replace("-", "_")
    found = [one for one in CATEGORIES if typed and one.startswith(typed)]
    return _CALLED.get(typed) or (found[0] if len(found) == 1 else None)


@dataclass(frozen=True, slots=True)
class ResolutionFacts:
    """`restored`: RFC 3339 text or `unknown`, when service was back; the cause by category, and what and why it was."""

    restored: str | None = None
    cause: str | None = None
    what: str | None = None
    why: str | None = None


def missing_for_resolution(incident: Incident, facts: ResolutionFacts) -> tuple[str, ...]:
    """What is still missing before the incident can be resolved: `restored`, `cause`."""
    no_instant = facts.restored is None and current_instant(incident, "restored") is None
    return ("restored",) * no_instant + ("cause",) * (facts.cause is None and incident.cause is None)


def resolve_incident(incident: Incident, policy: Policy, now: datetime, by: str | None, facts: ResolutionFacts) -> Step:
    """Moves to resolved, through every skipped state. UserError where `restored` or `cause` is missing."""
    if incident.state == RESOLVED:
        message = f"was resolved already, at {current_instant(incident, 'resolved')}; nothing changed"
        return Step((), (message,), _not_recorded(incident, facts))
    if incident.state == CLOSED:
        ways = _not_recorded(incident, facts)
        hint = "; ".join(ways) or f"`incident-ops reopen {incident.id} --reason TEXT` first"
        raise illegal_move(incident, policy, "resolved", hint)
    if missing := missing_for_resolution(incident, facts):
        options = " and ".join(f"--{name}" for name in missing)
        hint = "--restored now, 10m (ago), an instant or unknown; --cause " + "|".join(CATEGORIES)
        raise UserError(f"{incident.id} cannot be resolved without {options}", hint=hint)
    edits: list[Edit] = []
    if facts.restored is not None:
        _demand_possible(incident, now, facts.restored)
        edits.append(instant_edit(incident, "restored", facts.restored))
    moved = move(incident, policy, RESOLVED, now, by)
    messages = [f"resolved ({spelled_move(incident, policy, RESOLVED)})"]
    if any(isinstance(one, Set) and one.route == ("times", "acknowledged") for one in moved):
        messages.append("it had not been acknowledged: times.acknowledged is set to now")
    edits += [*moved, *_cause(incident, facts), timeline_row(now, "status", "Resolved", by)]
    restored = facts.restored or current_instant(incident, "restored")
    return Step(tuple(edits), tuple(messages), _unstable(policy, now, restored))


def _demand_possible(incident: Incident, now: datetime, restored: str) -> None:
    """UserError for a service that is back later than now, or before anybody noticed that it was gone."""
    at, noticed = instant(restored), instant(corrected_instants(incident).get("times.detected"))
    if at is not None and at > now:
        hint = "resolve it once service is back, or say when it came back: --restored now, --restored 10m (ago)"
        raise UserError(f"{incident.id}: restored at {spell_minute(at)} is in the future", hint=hint)
    if at is not None and noticed is not None and at < noticed and not incident.cycles:
        message = f"restored at {spell_minute(at)} is before it was noticed, {spell_minute(noticed)}"
        hint = f'if it was noticed earlier: incident-ops correct {incident.id} detected {restored} --reason "..."'
        raise UserError(f"{incident.id}: {message}", hint=hint)


def _not_recorded(incident: Incident, facts: ResolutionFacts) -> tuple[str, ...]:
    """The commands for what was said of a resolved incident and is not on its record."""
    ways = []
    if facts.restored not in (None, current_instant(incident, "restored")):
        ways.append(
            f'restored is not changed here: incident-ops correct {incident.id} restored {facts.restored} --reason "..."'
        )
    known = incident.cause
    given = {"category": facts.cause, "what": facts.what, "why": facts.why}
    fresh = {name: said for name, said in given.items() if said is not None and said != getattr(known, name, None)}
    if fresh:
        options = " ".join(f"--{name} {shlex.quote(said)}" for name, said in fresh.items())
        ways.append(f"the cause is not changed here: incident-ops cause {incident.id} {options}")
    return tuple(ways)


def _cause(incident: Incident, facts: ResolutionFacts) -> list[Edit]:
    fields = given_fields(category=facts.cause, what=facts.what, why=facts.why)
    if incident.cause is None:
        return [Set(("cause",), fields)]
    return [Set(("cause", name), value) for name, value in fields.items()]


def _unstable(policy: Policy, now: datetime, restored: str | None) -> tuple[str, ...]:
    stable_for, since = policy.states.stable_for, instant(restored)
    if stable_for is None or since is None:
        return ()
    seconds = int((now - since).total_seconds())
    if not 0 <= seconds < duration(stable_for):
        return ()
    ago = spell_duration(seconds)
    return (f"restored only {ago} ago: watch it for {stable_for}, `reopen` if it fails",)


def close_incident(
    incident: Incident,
    policy: Policy,
    now: datetime,
    by: str | None,
    *,
    verified: bool = False,
    stood_down: bool = False,
) -> Step:
    """Moves from resolved to closed; warns where nobody verified, or a required postmortem is not final."""
    if incident.state == CLOSED:
        return _close_again(incident, now, by, verified)
    if incident.state != RESOLVED:
        way = " -> ".join(map(state_words, (incident.state, *path(incident, policy, CLOSED))))
        hint = f"the path is {way}: `incident-ops resolve {incident.id}` first; if it was not an incident: `withdraw`"
        raise illegal_move(incident, policy, "closed", hint)
    at = stamp(now)
    edits: list[Edit] = []
    messages = [f"closed ({spelled_move(incident, policy, CLOSED)})"]
    if verified and current_instant(incident, "verified") is None:
        edits.append(instant_edit(incident, "verified", at))
        messages.append(f"restoration verified at {at}")
    if stood_down and "times.stood_down" not in corrected_instants(incident):
        edits.append(Set(("times", "stood_down"), at))
        messages.append(f"team stood down at {at}")
    edits += [*move(incident, policy, CLOSED, now, by), timeline_row(now, "status", "Closed", by)]
    return Step(tuple(edits), tuple(messages), _close_warnings(incident, policy, verified))


def _close_again(incident: Incident, now: datetime, by: str | None, verified: bool) -> Step:
    """What is closed stays closed; that somebody verified it is still taken."""
    if not verified or current_instant(incident, "verified") is not None:
        return Step((), (f"was closed already, at {current_instant(incident, 'closed')}; nothing changed",))
    at = stamp(now)
    edits = (instant_edit(incident, "verified", at), timeline_row(now, "status", "Restoration verified", by))
    return Step(edits, (f"restoration verified at {at}; it was closed already",))


def _close_warnings(incident: Incident, policy: Policy, verified: bool) -> tuple[str, ...]:
    messages = []
    if not verified and current_instant(incident, "verified") is None:
        way = f"incident-ops close {incident.id} --verified"
        messages.append(f"closed although nobody verified that the service is restored; once somebody has: `{way}`")
    status = incident.postmortem.status if incident.postmortem else None
    if policy.requires_postmortem(incident) and status != "final":
        label = incident.severity or incident.priority
        messages.append(
            f"{label} requires a postmortem, and it is " + (f"in status {status}" if status else "not started")
        )
    return tuple(messages)


def reopen_incident(incident: Incident, policy: Policy, now: datetime, by: str | None, reason: str) -> Step:
    """Moves from resolved or closed to reopened and begins an entry of `cycles`.

    UserError where the incident is not over, was closed longer ago than `states.auto_reopen`, or is a duplicate.
    """
    if incident.state not in OVER:
        raise illegal_move(
            incident, policy, "reopened", "it is still open: only a resolved or closed incident can be reopened"
        )
    if incident.duplicate_of is not None:
        hint = f"reopen {incident.duplicate_of}, of which it is a duplicate"
        raise UserError(f"{incident.id} is a duplicate", hint=hint)
    _must_be_recent(incident, policy, now)
    moved = move(incident, policy, REOPENED, now, by, reason=reason)
    edits: list[Edit] = [Append(("cycles",), {"reopened": stamp(now)})]
    if incident.outcome != FIXED:
        edits.append(Remove(("outcome",)))
    event = timeline_row(now, "status", f"Reopened: {reason}", by)
    return Step((*edits, *moved, event), (f"reopened ({spelled_move(incident, policy, REOPENED)})",))


def _must_be_recent(incident: Incident, policy: Policy, now: datetime) -> None:
    limit = policy.states.auto_reopen
    if limit is None or incident.state != CLOSED:
        return
    moves = (change for change in reversed(incident.changes) if change.field == "state")
    closed = next((change.at for change in moves if change.new == CLOSED), None)
    if closed is not None and (now - parse_instant(closed)).total_seconds() > duration(limit):
        raise UserError(
            f"{incident.id} was closed at {closed}, more than {limit} ago: it cannot be reopened",
            hint=f"declare a new incident, then: incident-ops relate {incident.id}",
        )


def withdraw_incident(
    incident: Incident, policy: Policy, now: datetime, by: str | None, outcome: str, reason: str, of: str | None
) -> Step:
    """Closes an open incident with an outcome that keeps it out of the metrics; `of` is the incident it duplicates."""
    if incident.state == CLOSED:
        first = f"`incident-ops reopen {incident.id} --reason TEXT` first"
        raise illegal_move(incident, policy, "withdrawn", f"it was closed as {state_words(incident.outcome)}; {first}")
    if (outcome == DUPLICATE) != (of is not None):
        raise UserError("--of INC goes with --as duplicate", hint="--as duplicate --of INC-...")
    if of == incident.id:
        raise UserError(f"{incident.id} cannot be a duplicate of itself", hint="name the other incident")
    edits: list[Edit] = [Set(("outcome",), outcome)]
    if of is not None:
        edits.append(Set(("duplicate_of",), of))
    edits += move(incident, policy, CLOSED, now, by, reason=reason, outcome=outcome)
    kind = f"duplicate of {of}" if of else state_words(outcome)
    message = f"closed as {kind} ({spelled_move(incident, policy, CLOSED, outcome)})"
    return Step((*edits, timeline_row(now, "status", f"Closed as {kind}: {reason}", by)), (message,))


def apply_due_move(incident: Incident, due: StateMove, policy: Policy) -> Step:
    """The edits of a due move, all dated at its due instant: a late run writes the same. UserError as `move`."""
    if due.state == REOPENED:
        return reopen_incident(incident, policy, due.due, AUTOMATION, due.reason)
    moved = move(incident, policy, due.state, due.due, AUTOMATION, reason=due.reason)
    event = timeline_row(due.due, "status", f"{due.state.capitalize()}: {due.reason}", AUTOMATION)
    return Step((*moved, event), (f"{due.state} ({spelled_move(incident, policy, due.state)}): {due.reason}",))
