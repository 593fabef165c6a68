"""Triage of a record that exists: its answers, the level that they lead to, and the move to triaged (R21, R25)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from incident_ops.domain.incident import Incident, Triage
from incident_ops.domain.lifecycle import NEW, TRIAGED
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Set
from incident_ops.domain.triage import Decision, decide_level, is_any_answered, share_in_words
from incident_ops.edits.communicate import relabel_each
from incident_ops.edits.step import Step, join_steps, move, spelled_move, state_words, timeline_row
from incident_ops.errors import UserError


def triage_incident(
    incident: Incident,
    policy: Policy,
    now: datetime,
    by: str | None,
    answers: Triage,
    reason: str | None,
    tier: int | None = None,
) -> Step:
    """The answers of a record, and what follows from them. A level is lowered only where a reason is given.

    `tier` is that of its most critical service. UserError where neither the record nor `answers` answers anything.
    """
    known = incident.triage or Triage()
    given = {name: value for name, value in msgspec.structs.asdict(answers).items() if value is not None}
    after = msgspec.structs.replace(known, **given)
    if after == Triage():
        hint = f"incident-ops triage {incident.id} --users 60 --feature core"
        raise UserError(f"{incident.id} has no triage answers, and none is given", hint=hint)
    changed = {name: value for name, value in given.items() if value != getattr(known, name)}
    steps = [_answered(now, by, changed)]
    if is_any_answered(after):
        steps += _levels(incident, policy, now, by, decide_level(policy, after, tier), reason)
    if incident.state == NEW:
        message = f"triaged ({spelled_move(incident, policy, TRIAGED)})"
        steps.append(Step(move(incident, policy, TRIAGED, now, by), (message,)))
    step = join_steps(*steps)
    return step if step.edits else Step((), (*step.messages, "nothing changed"), step.warnings)


def _answered(now: datetime, by: str | None, changed: dict[str, Any]) -> Step:
    """The new answers, and an entry of the timeline that names them."""
    if not changed:
        return Step((), ())
    said = answers_in_words(changed)
    edits = [Set(("triage", name), value) for name, value in changed.items()]
    return Step((*edits, timeline_row(now, "decision", f"Triage: {said}", by)), (f"triage: {said}",))


def _levels(
    incident: Incident, policy: Policy, now: datetime, by: str | None, decision: Decision, reason: str | None
) -> list[Step]:
    """The level and the severity beside it that the answers lead to, where they are not those of the record."""
    wanted = {policy.drives: (decision.level, policy.labels)}
    if decision.major is not None:
        wanted["severity"] = (decision.major, policy.major_labels)
    steps, fresh = [], {}
    for field, (label, ladder) in wanted.items():
        before = getattr(incident, field)
        if before == label:
            steps.append(Step((), (f"{field} stays {label}: {decision.reason}",)))
        elif before in ladder and ladder.index(label) > ladder.index(before) and reason is None:
            why = f"the answers give {label} ({decision.reason})"
            steps.append(Step((), (), (f"{field} stays {before}; {why}; to lower it: --reason TEXT",)))
        else:
            fresh[field] = label
    return [*steps, relabel_each(incident, policy, now, by, fresh, reason or decision.reason)]


def answers_in_words(answers: Mapping[str, Any]) -> str:
    """Answers by the names of the questions: `60 % of users, feature core, revenue yes`."""
    return ", ".join(_answer_words(name, value) for name, value in answers.items())


def _answer_words(name: str, value: Any) -> str:
    if name == "users_percent":
        return share_in_words(value)
    said = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    return f"{state_words(name)} {said}"
