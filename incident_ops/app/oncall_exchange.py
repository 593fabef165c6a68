"""Swaps of people on call: overrides in a schedule, in the work tree or on a branch with a pull request."""

from __future__ import annotations

from typing import NamedTuple

from incident_ops.adapters.files import replace_if_unchanged
from incident_ops.app.edit_record import clean, shown_path
from incident_ops.app.oncall import usable_schedules
from incident_ops.app.planned_changes import WrittenFile, committing
from incident_ops.app.send_file import FileToSend, send_file
from incident_ops.app.workspace import Workspace, demand_work_tree
from incident_ops.documents.sent_text import exchange_message, exchange_pull
from incident_ops.domain.oncall import OnCallSchedule
from incident_ops.domain.record import Unread
from incident_ops.domain.sending import ONCALL_BRANCHES, SentRecord
from incident_ops.edits.oncall import ExchangeRequest, exchange_people, swapped_shifts
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.editor import edit, key_order
from incident_ops.records.oncall import ONCALL, Schedules, schedule_path
from incident_ops.records.planned_changes import read_document
from incident_ops.records.schema import schema


class _Exchange(NamedTuple):
    """A schedule with the overrides of a swap: before and after."""

    path: str
    before: bytes
    after: bytes
    step: Step


def exchange_shifts(workspace: Workspace, name: str | None, wanted: ExchangeRequest) -> WrittenFile:
    """Writes the overrides by which two people swap -> what was written. UserError where they cannot."""
    demand_work_tree(workspace)
    made = _exchanged(workspace, name, wanted)
    path = made.path
    if not replace_if_unchanged(workspace.root / path, made.before, made.after, workspace.state / "records.lock"):
        raise UserError("it was changed meanwhile", where=shown_path(workspace, path), hint="run the command again")
    return WrittenFile(path, made.step.messages, made.step.warnings, (committing(workspace, path),))


def send_exchange(workspace: Workspace, name: str | None, wanted: ExchangeRequest) -> tuple[WrittenFile, SentRecord]:
    """The same on a branch of the remote, from the tip of its default branch, with a pull request.

    The checkout stays as it is. UserError where they cannot swap, Incomplete or WriteFailed where the remote does not
    answer or does not take it: then nothing is written. What hinders the pull request is in the answer.
    """
    made: list[_Exchange] = []

    def swapped(merged: Workspace) -> FileToSend:
        one = _exchanged(merged, name, wanted)
        made.append(one)
        message = exchange_message(one.step.messages, wanted.reason)
        title, body = exchange_pull(one.path, one.step.messages, wanted.reason, wanted.first, wanted.second)
        return FileToSend(one.path, one.after, ONCALL_BRANCHES, one.after, message, title, body)

    sent = send_file(workspace, swapped)
    return WrittenFile(sent.path, made[0].step.messages, made[0].step.warnings), sent


def _exchanged(workspace: Workspace, name: str | None, wanted: ExchangeRequest) -> _Exchange:
    found = usable_schedules(workspace, name)
    wanted = _spelled(workspace, found, wanted)
    schedule = _concerned(found, name, wanted)
    step = exchange_people(schedule, workspace.now, wanted._replace(reason=clean(wanted.reason)))
    path = schedule_path(schedule.name)
    raw = workspace.store.read(path)
    if not isinstance(raw, bytes):
        raise UserError("it is not there any more", where=path, hint="run the command again")
    text = edit(raw.decode(), step.edits, order=key_order(schema(ONCALL)), file=path).encode()
    checked = read_document(text, path, ONCALL)
    if isinstance(checked, Unread):
        raise UserError(f"nothing was written: {checked.reason}", where=path)
    return _Exchange(path, raw, text, step)


def _concerned(found: Schedules, name: str | None, wanted: ExchangeRequest) -> OnCallSchedule:
    """The schedule that is meant. UserError where it is unread, or several would do."""
    if name is not None and name in found.by_name:
        return found.by_name[name]
    if found.unread:
        one = found.unread[0]
        raise UserError(one.reason, where=one.path, hint="fix it first: incident-ops oncall lint")
    swapped = {one.name: swapped_shifts(one, wanted) for one in found.by_name.values()}
    of_first = [name for name, given in swapped.items() if any(one.who == wanted.second for one in given)]
    several = of_first or [name for name, given in swapped.items() if given]
    if len(several) > 1:
        names = ", ".join(several)
        raise UserError(f"more than one schedule is meant: {names}", hint="say which: --schedule NAME")
    return found.by_name[several[0]] if several else next(iter(found.by_name.values()))


def _spelled(workspace: Workspace, found: Schedules, wanted: ExchangeRequest) -> ExchangeRequest:
    """The two as the files spell them. UserError where there are contacts, and one of them is nowhere."""
    contacts = workspace.judged_by[0].contacts.people
    every = [*(who for one in found.by_name.values() for who in one.people), *contacts]
    names = {who.casefold(): who for who in every}
    for who in (wanted.first, wanted.second):
        if contacts and who.casefold() not in names:
            raise UserError(f"{who} is in no contacts", hint=did_you_mean(who, names.values()))
    first, second = (names.get(who.casefold(), who) for who in (wanted.first, wanted.second))
    return wanted._replace(first=first, second=second)
