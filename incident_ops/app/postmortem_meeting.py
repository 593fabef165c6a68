"""The review meeting of a postmortem, for the calendars of those who come."""

from __future__ import annotations

from incident_ops.app.edit_record import find_record
from incident_ops.app.file_changes import times_changed
from incident_ops.app.workspace import Workspace
from incident_ops.documents.postmortem_pull import at_work
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.time import instant
from incident_ops.errors import UserError
from incident_ops.records.history import read_record
from incident_ops.render.meeting_calendar import mail_of, meeting_file


def meeting_calendar(workspace: Workspace, asked: str) -> tuple[bytes, tuple[str, ...]]:
    """The iCalendar file of the meeting, and what should give pause.

    Invited are the authors and attendees of the postmortem, or while it has no attendees, those at work on the
    incident. UserError where no meeting is set.
    """
    path = find_record(workspace, asked)
    incident = evaluate_one(read_record(workspace.store, path), lambda record: record.incident)
    paper = incident.postmortem
    begin = instant(paper.meeting) if paper else None
    if paper is None or begin is None:
        hint = f'incident-ops postmortem {"edit" if paper else "new"} {incident.id} --meeting "tomorrow 14:00"'
        raise UserError(f"no meeting about the postmortem of {incident.id} is set", hint=hint)
    people = {one.casefold(): one for one in (*paper.authors, *(paper.attendees or at_work(incident)))}
    contacts = workspace.judged_by[0].for_incident(incident).contacts
    sequence, warnings = times_changed(workspace, path)
    unknown = [name for name in people.values() if not mail_of(name, contacts)]
    if unknown:
        who, hint = ", ".join(unknown), "write a mail address under `git` of the contact in policy.yaml"
        warnings = (*warnings, f"not invited, for no address is known: {who}; {hint}")
    return meeting_file(incident, people.values(), contacts, begin, sequence), warnings
