"""Drafts of what is written about an incident, and the update that one of them becomes."""

from __future__ import annotations

import msgspec

from incident_ops.app.edit_record import RecordEdit
from incident_ops.app.observed_tracker import records_address
from incident_ops.app.views import record_at
from incident_ops.app.workspace import Workspace
from incident_ops.documents.document_mark import POSTMORTEM_NAME
from incident_ops.documents.duty_reports import DutyReport, duty_report
from incident_ops.documents.message_request import ANNOUNCEMENT, UPDATE, MessageRequest, MessageSources
from incident_ops.documents.messages import Message, message_for
from incident_ops.domain.as_of import IDENTIFIED
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER, RESOLVED
from incident_ops.domain.policy import Deadline, Policy
from incident_ops.domain.public_updates import PUBLIC, has_status_page, is_founded, is_restored
from incident_ops.edits import communicate
from incident_ops.edits.step import Step, join_steps, state_words
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.deadline_blocks import BLOCKS, block


def draft_message(workspace: Workspace, path: str, wanted: MessageRequest) -> Message:
    """The text that is wanted about the record at a path. UserError where it may not be written for that audience."""
    record = record_at(workspace, path)
    return evaluate_one(record, lambda one: _message(workspace, one.incident, wanted))


def draft_doubts(workspace: Workspace, path: str, wanted: MessageRequest) -> tuple[str, ...]:
    """What should give pause before the text is published."""
    return _doubts(record_at(workspace, path).incident, workspace.judged_by[0], wanted).warnings


def posted_message(workspace: Workspace, by: str | None, wanted: MessageRequest, kept: list[Message]) -> RecordEdit:
    """An edit that appends the text to `updates`, as `incident-ops update` does; the text itself goes into `kept`.

    UserError as `draft_message`, and for a text that shows more than one update.
    """
    if wanted.kind != UPDATE:
        hint = "leave out --post, or --as"
        raise UserError(f"--post writes one update, and --as {wanted.kind} shows more than that", hint=hint)

    def posted(current: Incident) -> Step:
        message = _message(workspace, current, wanted)
        kept[:] = [message]
        texts, status, now = {wanted.audience: message.update}, wanted.status or None, workspace.now
        return join_steps(
            _doubts(current, workspace.judged_by[0], wanted),
            communicate.publish_update(current, now, by, texts, status, wanted.eta),
        )

    return posted


def draft_report(workspace: Workspace, path: str, name: str) -> DutyReport:
    """The draft of a report that is owed to others, by the id of its deadline. UserError for an unknown one."""
    record, deadline = record_at(workspace, path), _deadline(workspace.judged_by[0], name)
    sources = _sources(workspace, record.incident)
    return evaluate_one(record, lambda one: duty_report(one.incident, sources, deadline))


def _doubts(incident: Incident, policy: Policy, wanted: MessageRequest) -> Step:
    of_update = communicate.public_doubts(incident, policy, {wanted.audience: ""}, wanted.status or None)
    status = wanted.status or communicate.next_status(incident, wanted.audience)
    known = () if wanted.kind == ANNOUNCEMENT or is_founded(incident, status) else (_unfounded(incident, status),)
    return join_steps(of_update, Step((), (), known))


def _unfounded(incident: Incident, status: str) -> str:
    """That the text does not say what its status does, and how it will."""
    lacks, field = ("cause", "--what") if status == IDENTIFIED else ("fix", "--immediate")
    way = f'cause {incident.id} {field} "..."'
    if incident.cycles:  # what `cause` writes is of the first outage
        said = "--kind diagnosis" if status == IDENTIFIED else "--mark restored"
        way = f'timeline "..." {incident.id} {said}'
    known = f"the status is {status}, and the record has no {lacks}: the text claims none"
    return f"{known}; once it is known: `incident-ops {way}`"


def _message(workspace: Workspace, incident: Incident, wanted: MessageRequest) -> Message:
    policy = workspace.judged_by[0]
    if wanted.audience == PUBLIC:
        _must_be_public(incident, policy)
    if wanted.kind == ANNOUNCEMENT and incident.state not in OVER:
        message = f"an announcement says that it is over, and {incident.id} is {state_words(incident.state)}"
        raise UserError(message, hint="--as update or --as page, or resolve the incident first")
    status = wanted.status or (
        RESOLVED if wanted.kind == ANNOUNCEMENT else communicate.next_status(incident, wanted.audience)
    )
    if status == RESOLVED and not is_restored(incident):
        message = f"the text would say that it is resolved, and {incident.id} is {state_words(incident.state)}"
        ways = f'`incident-ops resolve {incident.id}`, or `incident-ops timeline "..." {incident.id} --mark restored`'
        raise UserError(message, hint=f"if users are served again: {ways}; else --status monitoring")
    return message_for(incident, _sources(workspace, incident), wanted._replace(status=status))


def _must_be_public(incident: Incident, policy: Policy) -> None:
    """UserError where nothing about the incident may be written for the public."""
    if incident.drill:
        raise UserError(
            f"{incident.id} is an exercise, and exercises are not announced to the public", hint="--audience internal"
        )
    if incident.visibility == "restricted" and not policy.access.private:
        message = f"{incident.id} is restricted, and the policy does not say that this repository is private"
        raise UserError(message, hint="--audience internal, or set access.private: true in policy.yaml if it is")
    if incident.duplicate_of is not None:
        hint = f"incident-ops comms draft {incident.duplicate_of} --audience public"
        raise UserError(f"{incident.id} is a duplicate of {incident.duplicate_of}, which has the updates", hint=hint)
    if not has_status_page(incident, policy):
        label = policy.driving_label(incident.severity, incident.priority)
        raise UserError(f"{label} has no status page", hint="--audience internal or executive, or raise the level")


def _sources(workspace: Workspace, incident: Incident) -> MessageSources:
    policy, services = workspace.judged_by
    path = workspace.catalogue.path_of(incident.id) or ""
    beside = f"{path.rpartition('/')[0]}/{POSTMORTEM_NAME}"
    return MessageSources(policy, services, workspace.now, records_address(workspace) + beside)


def _deadline(policy: Policy, name: str) -> Deadline:
    of_blocks = [msgspec.convert(entry, Deadline) for block_name in BLOCKS for entry in block(block_name)]
    known = {one.id: one for one in (*of_blocks, *policy.deadlines)}
    if name not in known:
        hint = did_you_mean(name, known) or f"one of {', '.join(known)}"
        raise UserError(f"there is no report {name!r}", hint=hint)
    return known[name]
