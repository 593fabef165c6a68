"""The incident of a canary that failed: declared once for each service and commit, then gone on with while it is open.

Its timeline has the verdict, each metric's figures and the rollback that ran.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from incident_ops.app.declare import FirstEdit, declare_record
from incident_ops.app.edit_record import check_services, edit_record, record_of, who
from incident_ops.app.open_incident import find_open
from incident_ops.app.sent_state import is_unsent
from incident_ops.app.workspace import Workspace, demand_work_tree
from incident_ops.canary.replay import CanaryOutcome
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.record import Record
from incident_ops.domain.triage import triage_answers, worst_tier
from incident_ops.edits.cause import CauseFacts, write_cause
from incident_ops.edits.communicate import TimelineEntry, add_entry
from incident_ops.edits.declare import NO_ANSWERS, Declaration
from incident_ops.edits.step import Step, join_steps
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.render.canary import canary_headline, progress

_SOURCE, _KIND = "alert", "detection"


@dataclass(frozen=True)
class FailedCanary:
    """A failed canary as its incident tells it: the outcome, whose it is, and when it failed (aware UTC).

    `weight` is its share of the traffic in percent, 0 = unknown; `rolled_back` what became of the rollback, which was
    over at `rolled_back_at`.
    """

    outcome: CanaryOutcome
    service: str
    sha: str
    weight: int
    at: datetime
    rolled_back: str
    rolled_back_at: datetime

    def is_of(self, incident: Incident) -> bool:
        """True for the open incident of the same gate, service and commit."""
        if incident.state in OVER or self.service not in incident.services or incident.detection is None:
            return False
        if (incident.detection.source, incident.detection.detail) != (_SOURCE, self.outcome.gate):
            return False
        commits = {entry.ref for entry in incident.timeline if entry.kind == _KIND and entry.ref}
        return self.sha in commits if self.sha else not commits


def demand_declarable(
    workspace: Workspace, service: str | None, severity: str | None, weight: int, *, is_sent: bool
) -> None:
    """UserError where a failed canary could not be declared: better known before the rollout than after it."""
    policy, _ = workspace.judged_by
    if service is None:
        raise UserError("--declare needs the service that is hurt", hint="--service NAME")
    check_services(workspace, [service])
    demand_work_tree(workspace)
    if is_sent:
        from incident_ops.app.send import demand_repository

        demand_repository(workspace)
    if severity is not None and severity not in policy.labels:
        raise UserError(f"--severity {severity!r} is not in the policy", hint=", ".join(policy.labels))
    if severity is None and not weight:
        raise UserError("how bad is a failed canary? The gate names no steps", hint="--severity LABEL")


def record_failure(workspace: Workspace, failed: FailedCanary, severity: str | None, *, is_sent: bool) -> CanaryOutcome:
    """Declares the incident or goes on with the open one, and sends it where that is asked for -> the outcome with its
    id and what became of it.

    Nothing that goes wrong here changes the verdict; it is among the notes.
    """
    outcome = failed.outcome
    found = find_open(workspace, failed.is_of, asks_remote=is_sent)
    unknown = f"warning: unknown whether this canary has an open incident already: {found.problem}"
    notes = [unknown] if found.problem else []
    known = found.incident
    try:
        if not known:
            record = _declared(workspace, failed, severity)
        else:
            change = partial(_said_of, failed, who(workspace, None), is_again=True)
            record = edit_record(replace(workspace, now=failed.rolled_back_at), known, change).record
    except IncidentOpsError as error:
        return replace(outcome, notes=(*outcome.notes, *notes, f"error: the incident was not written: {error}"))
    incident, path = record.incident.id, record.path
    outcome = replace(outcome, incident_ids=(*outcome.incident_ids, incident))
    done = f"Written to {incident}, which is open" if known else f"Incident declared: {incident}"
    if not is_sent:
        raw = workspace.store.read(path)
        unsent = isinstance(raw, bytes) and is_unsent(workspace, record_of(path, raw))
        more = (f"not sent yet: incident-ops send {incident}",) if unsent else ()
        way = () if known else (f"next: incident-ops ack {incident}",)
        return replace(outcome, notes=(*outcome.notes, *notes, done, *way, *more))
    return _sent(workspace, path, replace(outcome, notes=(*outcome.notes, *notes, done)))


def _sent(workspace: Workspace, path: str, outcome: CanaryOutcome) -> CanaryOutcome:
    from incident_ops.app.send import RecordSender

    try:
        sent = RecordSender(workspace).send(path)
    except IncidentOpsError as error:
        return replace(outcome, notes=(*outcome.notes, f"error: not sent: {error}"))
    return replace(outcome, sent=sent)


def _declared(workspace: Workspace, failed: FailedCanary, severity: str | None) -> Record:
    """Declares the incident with all that is to be said. Without a label the share of the traffic answers the triage
    question."""
    by_priority = workspace.judged_by[0].drives == "priority"
    declaration = Declaration(
        title=f"Canary of {failed.service} failed",
        services=(failed.service,),
        severity=None if by_priority else severity,
        priority=severity if by_priority else None,
        description=canary_headline(failed.outcome),
        source=_SOURCE,
        detail=failed.outcome.gate,
        answers=NO_ANSWERS if severity else triage_answers({"users_percent": float(failed.weight)}),
        tier=worst_tier((failed.service,), workspace.judged_by[1]),
        by_machine=True,
    )
    by = who(workspace, None)
    first = FirstEdit(failed.rolled_back_at, partial(_said_of, failed, by, is_again=False))
    return declare_record(replace(workspace, now=failed.at), declaration, by, first=first).record


def _said_of(failed: FailedCanary, by: str | None, incident: Incident, *, is_again: bool) -> Step:
    """The verdict, the figures and the rollback in the timeline, and the commit as the cause."""
    headline = canary_headline(failed.outcome)
    rows = [f"It failed again: {headline}" if is_again else headline]
    rows += [f"{status.verdict}: {progress(status)}" for status in failed.outcome.metrics]
    ref = failed.sha or None
    entries = [
        *((failed.at, TimelineEntry(event=row, kind=_KIND, ref=ref)) for row in rows),
        (failed.rolled_back_at, TimelineEntry(event=failed.rolled_back, kind="action", ref=ref)),
    ]
    return join_steps(*(add_entry(incident, at, by, entry) for at, entry in entries), _blame(failed.sha, incident))


def _blame(sha: str, incident: Incident) -> Step:
    """The commit as the cause, so that no gate takes it for one to roll back to; what people wrote stays."""
    if not sha or incident.cause is not None:
        return Step((), ())
    return write_cause(incident, CauseFacts({"category": "deploy", "trigger": "Its canary failed", "ref": sha}, {}))
