"""Swaps of people on call: overrides in a schedule, in the work tree or on a branch with a pull request."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

from incident_ops.adapters import clock
from incident_ops.adapters.files import replace_if_unchanged
from incident_ops.adapters.git import Git
from incident_ops.adapters.git_outgoing import OutgoingBranches
from incident_ops.adapters.git_remote import Move, Remote, Stay, compare_and_set
from incident_ops.app.edit_record import clean, shown_path
from incident_ops.app.identity import actor
from incident_ops.app.observed_tracker import connect_github
from incident_ops.app.oncall import usable_schedules
from incident_ops.app.planned_changes import WrittenFile, committing
from incident_ops.app.pull_request import pull_site
from incident_ops.app.send import demand_repository
from incident_ops.app.workspace import Workspace, at_commit, demand_work_tree, need_remote
from incident_ops.documents.sent_text import exchange_message, exchange_pull
from incident_ops.domain.oncall import OnCallSchedule
from incident_ops.domain.record import Unread
from incident_ops.domain.sending import ONCALL_BRANCHES, PullAddress, SentRecord
from incident_ops.edits.oncall import ExchangeRequest, exchange_people, swapped_shifts
from incident_ops.edits.step import Step
from incident_ops.errors import IncidentOpsError, UserError, WriteFailed
from incident_ops.findings import did_you_mean
from incident_ops.records.editor import edit, key_order
from incident_ops.records.oncall import ONCALL, Schedules, schedule_path
from incident_ops.records.planned_changes import read_document
from incident_ops.records.schema import schema

_SECONDS = 30.0


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
    git = demand_repository(workspace)
    remote = need_remote(git, _SECONDS, by_person=True)
    main = remote.default_branch()
    tip = remote.tip(main)
    if tip is None:
        hint = f"once: git push -u {remote.name} HEAD:{main}"
        raise UserError(f"{remote.name} has no commit on {main} yet", hint=hint)
    made = _exchanged(at_commit(workspace, tip), name, wanted)
    stem = made.path.rpartition("/")[2].partition(".")[0]
    branch = f"{ONCALL_BRANCHES}{stem}-{sha256(made.after).hexdigest()[:8]}"
    commit, is_new = _pushed(workspace, git, remote, (branch, tip), made, wanted)
    sent = SentRecord("", made.path, branch, commit, main, is_sent=True, is_new=is_new)
    return WrittenFile(made.path, made.step.messages, made.step.warnings), _with_pull(
        workspace, remote, sent, made, wanted
    )


def _pushed(
    workspace: Workspace,
    git: Git,
    remote: Remote,
    onto: tuple[str, str],
    made: _Exchange,
    wanted: ExchangeRequest,
) -> tuple[str, bool]:
    """The commit that the branch is at, and whether it is new there; `onto` are the branch and the commit below it."""
    outgoing, (branch, tip) = OutgoingBranches(git), onto
    message = exchange_message(made.step.messages, wanted.reason)

    def decide(seen: str | None) -> Move[tuple[str, bool]] | Stay[tuple[str, bool]]:
        if seen is not None and git.read_path(seen, made.path) == made.after:
            return Stay((seen, False))
        tree = outgoing.objects.changed_tree(tip, {made.path: made.after})
        name = actor(workspace).name
        try:
            commit = outgoing.commit(tree, (tip,), message, clock.now(), name, sign=True)
        except WriteFailed as error:
            raise WriteFailed(error.message, hint="mend that and run it again, or leave out --send") from error
        return Move(commit, (commit, True))

    return compare_and_set(remote, branch, decide, f"nothing was sent: branch {branch} was not pushed")


def _with_pull(
    workspace: Workspace, remote: Remote, sent: SentRecord, made: _Exchange, wanted: ExchangeRequest
) -> SentRecord:
    site = pull_site(remote.url)
    if site is None:
        return replace(sent, is_ahead=True)
    open_at = site.compare(sent.onto, sent.branch)
    if not site.has_token:
        return replace(sent, open_at=open_at)
    title, body = exchange_pull(made.path, made.step.messages, wanted.reason, wanted.first, wanted.second)
    try:
        pulls = connect_github(workspace).pulls
        known = pulls.find(sent.branch)
        pull = known or pulls.create(sent.branch, sent.onto, title, body)
    except IncidentOpsError as error:
        return replace(sent, open_at=open_at, problem=str(error))
    return replace(sent, pull=PullAddress(pull.number, pull.url, known is None))


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
        raise UserError(one.reason, where=one.path, hint="mend it first: incident-ops oncall lint")
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
