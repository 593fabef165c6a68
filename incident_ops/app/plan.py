"""What `sla` owes at this run: the records it is a question of, the edits that follow, and whom the tracker heard.

Which tracker, what it holds, and the plan: what `plan`, `apply` and `demo` have in common.

What `sla check` looks at: the records alone, or with them what a tracker shows, asked now or read from a file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from incident_ops.adapters.files import write_text
from incident_ops.app.channels import NoticeSetting, ledger_lines, local_ledger, shared_ledger, told_now
from incident_ops.app.channels import wanted as wanted_notices
from incident_ops.app.edit_record import record_of
from incident_ops.app.workspace import Opened, at_commit, local_tracker, read_text_file, remote_of, served
from incident_ops.app.write_back import PROPOSAL_BRANCH, edited_texts, proposals
from incident_ops.documents.issue_bodies import IssueBodies
from incident_ops.domain.fence import alone, each
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import CLOSED
from incident_ops.domain.notification import Ledger
from incident_ops.domain.policy import Policy
from incident_ops.domain.ports import IssueTracker
from incident_ops.domain.record import Edit, Record
from incident_ops.domain.time import duration, instant, parse_instant, shift
from incident_ops.domain.tracker import GITHUB, LOCAL, Issue, Snapshot
from incident_ops.edits.escalate import escalate_due
from incident_ops.edits.finish import automatic
from incident_ops.edits.step import Step
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.notifications.plan import PlannedNotice
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.changes import EDIT, Kept, KeyDecision, PlannedChange
from incident_ops.reconcile.desired import Desired, desired
from incident_ops.reconcile.diff import keepers, key_of, numbers, owned
from incident_ops.reconcile.generated_block import owner
from incident_ops.reconcile.observe import load_snapshot, observe, save_snapshot
from incident_ops.reconcile.plan import Plan, make_plan, together, waiting, without
from incident_ops.records.history import deletions, every_record, read_record
from incident_ops.records.store import is_record
from incident_ops.sla.automatic_states import watched_since
from incident_ops.sla.incident_at import NOTHING_SEEN, Seen, seen_of
from incident_ops.sla.obligations import Obligation, Owed, SeenOf, obligations

if TYPE_CHECKING:
    from incident_ops.adapters.github.issues import GitHubTracker


_RECENT = timedelta(days=7)
"""So long after its last instant a settled incident still has pages to take back and news to send."""
_LATE = timedelta(days=1)
"""How late a run may find what a person said within the window of `auto_reopen`."""


def recent(opened: Opened, records: Iterable[Record]) -> list[Record]:
    """Of all records those that may owe something: what is not settled, and what was settled not long ago."""
    every, live = list(records), set(opened.catalogue.live_paths())
    late = _length(opened.judged_by[0].states.auto_reopen) + _LATE
    since = shift(opened.now, -max(_RECENT, late).total_seconds())
    since = min(since, _patterns_from(opened, [record for record in every if record.path in live]) or since)
    wanted = live.union(opened.catalogue.settled_after(int(since.timestamp())))
    return [record for record in every if record.path in wanted]


def live_ones(opened: Opened) -> list[Record]:
    """The records that are not settled, and those declared near them where the policy looks for a pattern."""
    found = list(opened.catalogue.live())
    since = _patterns_from(opened, found)
    if since is None:
        return found
    return found + [read_record(opened.store, path) for path in opened.catalogue.settled_after(int(since.timestamp()))]


def _patterns_from(opened: Opened, live: Sequence[Record]) -> datetime | None:
    """Since when incidents may make a pattern with one of these; None where the policy looks for none."""
    pattern = opened.judged_by[0].escalation.pattern
    begins = [parse_instant(one.incident.times.declared) for one in live if not one.incident.is_closed]
    if not pattern.count or not begins:
        return None
    return shift(min(begins), -_length(pattern.window).total_seconds())


def watched(records: Iterable[Record], policy: Policy, now: datetime) -> Mapping[str, datetime]:
    """The incidents whose comments matter, and since when."""
    found = each(records, lambda one: (one.incident.id, watched_since(one.incident, policy, now)))
    return {name: at for name, at in found if at is not None}


def tracking(wanted: Desired, snapshot: Snapshot) -> Mapping[str, Issue]:
    """Incident -> its tracking issue, as far as the tracker shows one."""
    stay = keepers(owned(wanted, snapshot), numbers(wanted, snapshot))
    return {key: issue for key, issue in stay.items() if "/" not in key}


def seen_in(snapshot: Snapshot, issues: Mapping[str, Issue]) -> SeenOf:
    """What a snapshot shows of each incident: what was said under its issue, and whether a person opened it again."""

    def seen(incident: Incident) -> Seen:
        issue = issues.get(incident.id)
        if issue is None:
            return NOTHING_SEEN
        back = incident.state == CLOSED and issue.is_open and generated_block.parse_body(issue.body).was_closed
        return seen_of(incident, snapshot, {issue.number} if back else (), issue.number)

    return seen


def owed_by(records: Sequence[Record], policy: Policy, now: datetime, seen: SeenOf, noticed: Mapping[str, str]) -> Owed:
    """Everything owed; what waits in our proposal is of the run that wrote it there."""
    made = obligations(records, policy, now, seen)
    return made._replace(obligations=tuple(_noticed(one, noticed) for one in made.obligations))


def due_edits(owed: Owed, records: Mapping[str, Record], policy: Policy) -> KeyDecision:
    """Escalations and moves of the state as edits of their records; one that is not legal is kept and told."""
    changes: list[PlannedChange] = []
    kept: list[Kept] = []
    for one in owed.obligations:
        record = records.get(one.incident)
        if record is None or record.pending:
            continue
        number = record.incident.links.tracking_issue
        try:
            step = alone(record, partial(_step, one, policy))
        except UserError as error:
            kept.append(Kept(one.key, one.kind, number, f"{one.reason}, but {error}"))
            continue
        if step is not None and step.edits:
            reason = "; ".join((*step.told, *step.warnings))
            changes.append(PlannedChange(EDIT, one.kind, one.key, number, reason, path=record.path, edits=step.edits))
    return KeyDecision(tuple(changes), tuple(kept))


def written(incidents: Iterable[Incident]) -> Mapping[str, str]:
    """Key -> the instant that records in our proposal give it: when an escalation was noticed, when one came back."""
    return {key: at for incident in incidents for key, at in _written(incident) if instant(at) is not None}


def _written(incident: Incident) -> Iterator[tuple[str, str]]:
    yield from ((one.key, one.noticed_at) for one in incident.escalations if one.noticed_at)
    for number, cycle in enumerate(incident.cycles, 1):
        if cycle.reopened:
            yield f"{incident.id}/state/{number}/reopened", cycle.reopened


def _noticed(one: Obligation, noticed: Mapping[str, str]) -> Obligation:
    at = instant(noticed.get(one.key))
    if at is None:
        return one
    if one.move is not None and one.move.due == one.noticed_at:  # nobody knows when it came back but by our look
        return one._replace(due=at, noticed_at=at, move=one.move._replace(due=at))
    return one._replace(noticed_at=at)


def _step(one: Obligation, policy: Policy, record: Record) -> Step | None:
    incident = record.incident
    if one.escalation is not None:
        return escalate_due(incident, one.escalation, policy, one.noticed_at)
    return None if one.move is None else automatic(incident, one.move, policy)


def _length(text: str | None) -> timedelta:
    return timedelta(seconds=duration(text)) if text else timedelta()


tracker_option: Callable[[Any], Any] = click.option(
    "--tracker",
    type=click.Choice([LOCAL, GITHUB]),
    help="The tracker embedded in this clone, or the repository's issues. Default: github inside Actions, else local.",
)
observed_option: Callable[[Any], Any] = click.option(
    "--observed",
    metavar="FILE",
    help="Plan against a tracker as --save-observed wrote it down, without asking the tracker.",
)
recreate_option: Callable[[Any], Any] = click.option(
    "--recreate",
    metavar="KEY",
    multiple=True,
    help="Open a new issue in place of one that was deleted or moved away, e.g. INC-1/AI-2.",
)
requests_option: Callable[[Any], Any] = click.option(
    "--show-requests", is_flag=True, help="Print each request to the tracker, and their number, on the error stream."
)
no_notify_option: Callable[[Any], Any] = click.option(
    "--no-notify", is_flag=True, help="Leave the notices to another run; edits and issues go on."
)
max_requests_option: Callable[[Any], Any] = click.option(
    "--max-requests", type=click.IntRange(min=1), metavar="N", help="Send at most so many requests in this run."
)


@dataclass(frozen=True)
class Look:
    """What a command saw: the records' wishes, the tracker, and the difference.

    `github` is the tracker where it is one on GitHub; `waiting` are the edits, by path, that our proposal holds;
    `planned` every notice and what is done about it; `unread` why the ledger was not read.
    """

    opened: Opened
    tracker: IssueTracker
    github: GitHubTracker | None
    wanted: Desired
    snapshot: Snapshot
    made: Plan
    waiting: Mapping[str, tuple[Edit, ...]]
    records: Mapping[str, Record]
    planned: tuple[PlannedNotice, ...] = ()
    unread: IncidentOpsError | None = None

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.opened.judged_by[0]


def source_of(tracker: str | None) -> str:
    """The tracker that is meant where none is named."""
    return tracker or (GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" else LOCAL)


def records_for(opened: Opened, source: str) -> Opened:
    """The records that a tracker is kept in step with: those of HEAD on GitHub, else those of the work tree."""
    git = opened.git
    if source == LOCAL or opened.store.revision:
        return opened
    if git is None or git.head is None:
        hint = "commit the records, or use --tracker local"
        raise UserError("there is no commit, and GitHub is kept in step with committed records", hint=hint)
    return at_commit(opened, git.head)


def connect_github(opened: Opened, most: int | None, show: bool) -> GitHubTracker:
    """The issues of the repository that the environment or the clone names."""
    from incident_ops.adapters.github.connect import connect as dial

    policy = opened.judged_by[0]
    names = policy.tracker.labels
    remote = remote_of(opened.git)
    return dial(
        os.environ,
        remote.url if remote else None,
        (names.incident, names.action_item),
        tuple(policy.tracker.identities),
        requests=most or policy.tracker.limits.requests,
        owner_of=owner,
        log=_show if show else None,
    )


def look(opened: Opened, source: str, options: Mapping[str, Any]) -> Look:
    """Records against the tracker of a source; with `observed` (a file) nothing is asked of it.

    `options` are those of the command: observed, recreate, max_requests, show_requests. Raises Incomplete where the
    tracker or the remote's proposal cannot be read whole.
    """
    opened = records_for(opened, source)
    github = (
        connect_github(opened, options.get("max_requests"), bool(options.get("show_requests")))
        if source == GITHUB
        else None
    )
    tracker: IssueTracker = github or local_tracker(opened)
    return served(opened, lambda: _look(opened, source, options, github, tracker))


def _look(
    opened: Opened,
    source: str,
    options: Mapping[str, Any],
    github: GitHubTracker | None,
    tracker: IssueTracker,
) -> Look:
    policy, services = opened.judged_by
    records = list(every_record(opened.store, opened.catalogue))
    wanted = desired(records, policy, IssueBodies(records, policy, opened.now))
    matter = [record for record in recent(opened, records) if record.incident.id not in wanted.clashes]
    snapshot = observed(opened, tracker, wanted, matter, options.get("observed"))
    gone = _deleted(opened, snapshot, wanted, records)
    made = make_plan(wanted, snapshot, opened.catalogue.unreadable(), gone, options.get("recreate", ()))
    seen = seen_in(snapshot, tracking(wanted, snapshot))
    owed = owed_by(matter, policy, opened.now, seen, snapshot.noticed)
    by_id = {record.incident.id: record for record in matter}
    made = together(made, due_edits(owed, by_id, policy))
    planned: tuple[PlannedNotice, ...] = ()
    unread = None
    if not options.get("no_notify"):
        setting = NoticeSetting(policy, services, opened.now)
        asked = wanted_notices(matter, owed, setting, seen)
        if options.get("observed") is None:
            ledger, unread = _ledger(opened, source)
            snapshot = replace(snapshot, ledger=None if ledger is None else ledger_lines(ledger, asked.pairs()))
        planned, told = told_now(asked, snapshot.ledger, setting)
        made = together(made, told)
    made, waits = _writable(opened, made)
    return Look(opened, tracker, github, wanted, snapshot, made, waits, by_id, planned, unread)


def _writable(opened: Opened, made: Plan) -> tuple[Plan, Mapping[str, tuple[Edit, ...]]]:
    """A plan less the edits that cannot be made and those that wait in our proposal, and the latter by path."""
    spelled, refused = _spelled(opened, made.changes)
    made = without(made, refused)
    due = made.record_edits
    if made.proposed:
        made = waiting(made, spelled)
    return made, {path: edits for path, edits in due.items() if path not in made.record_edits}


def _ledger(opened: Opened, source: str) -> tuple[Ledger | None, IncidentOpsError | None]:
    if source == LOCAL:
        return local_ledger(opened).read(), None
    _, ledger, unread = shared_ledger(opened)
    return ledger, unread


def _spelled(opened: Opened, changes: Sequence[PlannedChange]) -> tuple[dict[str, str], dict[str, str]]:
    """Path -> sha256 of the record that its edits lead to, and key -> why its edits would make none.

    One edit that cannot be made keeps no other back.
    """
    by_path: dict[str, list[PlannedChange]] = {}
    for change in changes:
        if change.action == EDIT and change.path is not None:
            by_path.setdefault(change.path, []).append(change)
    spelled: dict[str, str] = {}
    refused: dict[str, str] = {}
    for path, of in by_path.items():
        try:
            spelled[path] = _digest(opened, path, of)
        except UserError:
            good: list[PlannedChange] = []
            for change in of:
                try:
                    spelled[path] = _digest(opened, path, [*good, change])
                    good.append(change)
                except UserError as error:
                    refused[change.key] = str(error)
    return spelled, refused


def _digest(opened: Opened, path: str, changes: Sequence[PlannedChange]) -> str:
    edits = tuple(one for change in changes for one in change.edits)
    return sha256(edited_texts(opened, {path: edits})[path]).hexdigest()


def observed(
    opened: Opened, tracker: IssueTracker, wanted: Desired, records: Sequence[Record], file: str | None
) -> Snapshot:
    """What a tracker holds, or held when `file` was written; of `records` also what people said, where it matters."""
    if file is None:
        hears = watched(records, opened.judged_by[0], opened.now)
        if tracker.source != GITHUB:
            return observe(tracker, wanted, None, hears)
        files = _proposed(opened)
        snapshot = observe(tracker, wanted, {path: _sum(content) for path, content in files.items()}, hears)
        return replace(snapshot, noticed=dict(written(_proposed_incidents(files))))
    snapshot = observed_in(file)
    if snapshot.source != tracker.source:
        hint = f"use --tracker {snapshot.source}"
        raise UserError(
            f"it tells of a {snapshot.source} tracker, not of a {tracker.source} one", where=file, hint=hint
        )
    return snapshot


def observed_in(file: str) -> Snapshot:
    """A tracker as --save-observed wrote it down. UserError for any other file."""
    return load_snapshot(read_text_file(file, "write one with --save-observed FILE"), file)


def _deleted(opened: Opened, snapshot: Snapshot, wanted: Desired, records: Sequence[Record]) -> Mapping[str, str]:
    """What git history says of the open issues that no record names."""
    keys = {key for issue in snapshot.issues if issue.is_open and (key := key_of(issue, wanted.identities))}
    orphans = keys.difference(wanted.issues, wanted.clashes)
    if not orphans or opened.git is None or opened.store.commit is None:
        return {}
    return deletions(opened.git, opened.store.commit, orphans, records)


def has_issues(seen: Look) -> bool:
    """True where the tracker holds an issue of ours."""
    return any(key_of(issue, seen.wanted.identities) for issue in seen.snapshot.issues)


def keep_observed(seen: Look, file: str) -> None:
    """Writes the snapshot down. WriteFailed where the system refuses."""
    write_text(Path(file), save_snapshot(seen.snapshot))


def _proposed(opened: Opened) -> Mapping[str, bytes | None]:
    """What our open proposal holds; nothing where the clone has no remote."""
    remote = remote_of(opened.git)
    if remote is None or opened.store.commit is None:
        return {}
    return proposals(remote).files(PROPOSAL_BRANCH, opened.store.commit)


def _proposed_incidents(files: Mapping[str, bytes | None]) -> Iterator[Incident]:
    """The records among the files of our proposal; what people broke there is none."""
    for path, content in files.items():
        if content is not None and is_record(path):
            try:
                yield record_of(path, content).incident
            except UserError:
                continue


def _sum(content: bytes | None) -> str:
    return "" if content is None else sha256(content).hexdigest()


def _show(request: Any) -> None:
    click.echo(f"{request.method} {request.path} {request.status} {request.seconds:.2f}s", err=True)


def sighting(opened: Opened, options: Mapping[str, Any]) -> tuple[Opened, Owed]:
    """(the records that were looked at, what is owed of them). `options`: tracker, observed, save_observed.

    Without any of them the records of the work tree decide alone. Raises as `tracking.look`.
    """
    tracker, file, keep = options["tracker"], options["observed"], options["save_observed"]
    policy = opened.judged_by[0]
    if tracker is None and file is None and keep is None:
        return opened, served(opened, lambda: obligations(live_ones(opened), policy, opened.now))
    if file is not None and keep is not None:
        raise UserError("--observed and --save-observed together say nothing new", hint="leave one of them out")
    kept = observed_in(file) if file is not None else None
    source = tracker or (kept.source if kept else source_of(None))
    if kept is not None and kept.source != source:
        hint = f"use --tracker {kept.source}"
        raise UserError(f"it tells of a {kept.source} tracker, not of a {source} one", where=file, hint=hint)
    opened = records_for(opened, source)
    return opened, served(opened, lambda: _with_tracker(opened, source, kept, keep))


def _with_tracker(opened: Opened, source: str, kept: Snapshot | None, keep: str | None) -> Owed:
    policy = opened.judged_by[0]
    records = list(every_record(opened.store, opened.catalogue))
    wanted = desired(records, policy, {})
    matter = [record for record in recent(opened, records) if record.incident.id not in wanted.clashes]
    snapshot = kept
    if snapshot is None:
        tracker: IssueTracker = connect_github(opened, None, show=False) if source == GITHUB else local_tracker(opened)
        snapshot = observed(opened, tracker, wanted, matter, None)
    if keep is not None:
        write_text(Path(keep), save_snapshot(snapshot))
    return owed_by(matter, policy, opened.now, seen_in(snapshot, tracking(wanted, snapshot)), snapshot.noticed)
