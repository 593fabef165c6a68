"""Escalations: by hand, or because a rule found one due (R58-R65, R70); and the review whether one was right (R205)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from incident_ops.domain.as_of import as_of, assignee_at
from incident_ops.domain.automation import AUTOMATION
from incident_ops.domain.incident import Escalation, Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import next_tier
from incident_ops.domain.record import Append, Edit, Remove, Set
from incident_ops.domain.time import UNKNOWN, stamp
from incident_ops.domain.waits import snoozed_until
from incident_ops.edits.step import Step, given_fields, illegal_move, quote, shorten, timeline_row
from incident_ops.errors import UserError
from incident_ops.sla.escalation import MANUAL, DueEscalation, tier_called
from incident_ops.sla.escalation_ladder import (
    handles_of,
    managers,
    people_of_tier,
    spell_tier,
    tier_named,
)

LONGEST_REASON = 2000


def escalate_incident(
    incident: Incident,
    policy: Policy,
    now: datetime,
    by: str | None,
    reason: str,
    to: str | None = None,
    notify: Sequence[str] = (),
) -> Step:
    """Escalates by hand: to the next tier, or to `to` (a tier's id or number), and notifies `notify` as well.

    UserError where it is over, where there is no such tier, or where there is none above the present one.
    """
    if incident.state in OVER:
        raise illegal_move(incident, policy, "escalated", f"`incident-ops reopen {incident.id} --reason TEXT` first")
    policy = policy.for_incident(incident)
    before = tier_called(as_of(incident, now), policy)
    after = tier_named(to, policy) if to is not None else next_tier(before, policy.escalation.tiers)
    level = policy.level_of(incident)
    of_tier, missing = people_of_tier(after, policy, now)
    named, unknown = handles_of(notify, policy.contacts, now)
    above = managers(assignee_at(incident, now), level.rank if level else 4, policy)
    people = [*dict.fromkeys((*of_tier, *named, *above))]
    if after is None and not people:
        tiers = policy.escalation.tiers
        again = f"call one again with --to {tiers[0].id}" if tiers else "give the policy `escalation.tiers`"
        hint = f"name somebody with --notify @who, or {again}"
        raise UserError(
            f"{incident.id} cannot go higher: there is no tier above {spell_tier(before, policy)}", hint=hint
        )
    entry = _entry(now, _manual_key(incident, now, by), MANUAL, reason, before, after, ([], people), now)
    where = f"escalated to {spell_tier(after, policy)}" if after is not None else "escalated"
    event = timeline_row(now, "escalation", f"{where[0].upper()}{where[1:]}: {reason}", by)
    return Step((entry, event), (where + _to(people),), _unreached([*missing, *unknown], people))


def _manual_key(incident: Incident, now: datetime, by: str | None) -> str:
    """The key of an escalation by hand; two clones may escalate in one second, and one person twice: then numbered."""
    whose = f".{by.removeprefix('@')}" if by else ""
    key = f"{incident.id}/escalation/{len(incident.cycles) + 1}/{MANUAL}.{stamp(now)}{whose}"
    used = {entry.key for entry in incident.escalations}
    further = (f"{key}.{number}" for number in range(2, len(used) + 2))
    return next(one for one in (key, *further) if one not in used)


def escalate_due(
    incident: Incident, due: DueEscalation, policy: Policy, now: datetime, reached: Collection[str] = ()
) -> Step:
    """Records an escalation that a rule found due: `at` is its due instant, `noticed_at` is now.

    Of its people those of `reached` were notified; the others stand under `failed`.

    No edits where the record has its key already, a higher one supersedes it, or somebody snoozed the incident.
    """
    if due.superseded or any(entry.key == due.key for entry in incident.escalations):
        return Step((), (f"{due.key}: nothing to write",))
    if until := snoozed_until(incident, now):
        return Step((), (f"{due.key}: snoozed until {stamp(until)}",))
    people = [*due.targets]
    parts = [one for one in people if one in reached], [one for one in people if one not in reached]
    entry = _entry(due.due, due.key, due.rule, due.reason, due.from_tier, due.to_tier, parts, now)
    where = "Escalated" if due.to_tier is None else f"Escalated to {spell_tier(due.to_tier, policy)}"
    event = timeline_row(now, "escalation", f"{where}: {due.reason} (due at {stamp(due.due)})", AUTOMATION)
    return Step((entry, event), (f"{where}: {due.reason}{_to(people)}",), _unreached(due.unreached, people))


def reach_later(incident: Incident, key: str, reached: Collection[str]) -> Step:
    """Moves those of `reached` from `failed` to `notified` in the escalation with this key; no edits for nobody."""
    place, entry = next((place, one) for place, one in enumerate(incident.escalations) if one.key == key)
    now = [one for one in dict.fromkeys(entry.failed) if one in reached]
    if not now:
        return Step((), (f"{key}: nobody else was reached",))
    left, route = [one for one in entry.failed if one not in now], ("escalations", place)
    rest = Set((*route, "failed"), left) if left else Remove((*route, "failed"))
    edits = (Set((*route, "notified"), [*entry.notified, *now]), rest)
    return Step(edits, (f"{', '.join(now)}: reached later by the escalation of {entry.at}",))


def _entry(
    at: datetime,
    key: str,
    rule: str,
    reason: str,
    before: int | None,
    after: int | None,
    people: tuple[list[str], list[str]],
    noticed_at: datetime,
) -> Edit:
    """`people`: who was reached, and who was not."""
    fields = given_fields(
        at=stamp(at),
        key=key,
        rule=rule,
        reason=shorten(reason, LONGEST_REASON),
        from_tier=before,
        to_tier=after,
        notified=people[0] or None,
        failed=people[1] or None,
        noticed_at=stamp(noticed_at),
        appropriate=UNKNOWN,
    )
    return Append(("escalations",), fields)


def _to(people: Sequence[str]) -> str:
    return f"; to be notified: {', '.join(people)}" if people else ""


def _unreached(names: Sequence[str], people: Sequence[str]) -> tuple[str, ...]:
    hint = "add one to `contacts` in policy.yaml"
    lines = [f"{name} has no contact: {hint}" for name in names]
    return (*lines, *(["nobody is notified of this escalation"] if not people else []))


JUDGEMENTS: dict[str, bool | str] = {"yes": True, "no": False, UNKNOWN: UNKNOWN}


def review_escalation(incident: Incident, number: int | None, judgement: str) -> Step:
    """Sets `appropriate` of an escalation, counted from 1; without a number, of the only one not judged yet.

    `judgement` is a key of JUDGEMENTS. UserError where it is not clear which escalation is meant.
    """
    index = _meant(incident, number)
    entry, value = incident.escalations[index], JUDGEMENTS[judgement]
    if entry.appropriate == value and type(entry.appropriate) is type(value):
        return Step((), (f"escalation {index + 1} is judged {judgement} already; nothing changed",))
    message = f"escalation {index + 1} ({_review_spelled(entry)}): appropriate {judgement}"
    return Step((Set(("escalations", index, "appropriate"), value),), (message,))


def _meant(incident: Incident, number: int | None) -> int:
    entries = incident.escalations
    if not entries:
        raise UserError(f"{incident.id} has no escalations", hint="there is nothing to review")
    if number is not None:
        if not 1 <= number <= len(entries):
            hint = f"they are counted from 1; there are {len(entries)}"
            raise UserError(f"{incident.id} has no escalation {number}", hint=hint)
        return number - 1
    waiting = [index for index, one in enumerate(entries) if one.appropriate in (None, UNKNOWN)]
    if len(waiting) != 1:
        listed = "; ".join(f"{index + 1}: {_review_spelled(one)}" for index, one in enumerate(entries))
        problem = "several are not judged yet" if waiting else "every one is judged already"
        raise UserError(f"{incident.id}: {problem}", hint=f"--number N: {listed}")
    return waiting[0]


def _review_spelled(entry: Escalation) -> str:
    return quote(f"{entry.rule} at {entry.at}: {entry.reason}")
