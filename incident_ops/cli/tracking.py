"""Which tracker, what it holds, and the plan: what `plan`, `apply` and `demo` have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from incident_ops.adapters.files import write_text
from incident_ops.cli.editing import judged
from incident_ops.cli.opening import Opened, at_commit, local_tracker, served
from incident_ops.cli.owing import due_edits, owed_by, recent, seen_in, tracking, watched, written
from incident_ops.cli.remotes import remote_of
from incident_ops.cli.sending import local_ledger, shared_ledger
from incident_ops.cli.telling import Setting, lines_of, told_now
from incident_ops.cli.telling import wanted as wanted_notices
from incident_ops.cli.text_file import read_text
from incident_ops.cli.write_back import BRANCH, proposals, texts
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.model.edit import Edit
from incident_ops.model.incident import Incident
from incident_ops.model.ledger import Ledger
from incident_ops.model.observed import GITHUB, LOCAL, Snapshot
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.reconcile.changes import EDIT, Change
from incident_ops.reconcile.delivery import Planned
from incident_ops.reconcile.desired import Desired, desired
from incident_ops.reconcile.marker import owner
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.owners import key_of
from incident_ops.reconcile.plan import Plan, plan, together, waiting, without
from incident_ops.reconcile.saved import load, save
from incident_ops.records.deletions import deletions
from incident_ops.records.recall import every_record
from incident_ops.records.store import is_record
from incident_ops.render.issue_bodies import Bodies

if TYPE_CHECKING:
    from incident_ops.adapters.github.issues import GitHubTracker
    from incident_ops.ports import IssueTracker

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
    planned: tuple[Planned, ...] = ()
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


def connect(opened: Opened, most: int | None, show: bool) -> GitHubTracker:
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
        connect(opened, options.get("max_requests"), bool(options.get("show_requests"))) if source == GITHUB else None
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
    wanted = desired(records, policy, Bodies(records, policy, opened.now))
    matter = [record for record in recent(opened, records) if record.incident.id not in wanted.clashes]
    snapshot = observed(opened, tracker, wanted, matter, options.get("observed"))
    gone = _deleted(opened, snapshot, wanted, records)
    made = plan(wanted, snapshot, opened.catalogue.unreadable(), gone, options.get("recreate", ()))
    seen = seen_in(snapshot, tracking(wanted, snapshot))
    owed = owed_by(matter, policy, opened.now, seen, snapshot.noticed)
    by_id = {record.incident.id: record for record in matter}
    made = together(made, due_edits(owed, by_id, policy))
    planned: tuple[Planned, ...] = ()
    unread = None
    if not options.get("no_notify"):
        setting = Setting(policy, services, opened.now)
        asked = wanted_notices(matter, owed, setting, seen)
        if options.get("observed") is None:
            ledger, unread = _ledger(opened, source)
            snapshot = replace(snapshot, ledger=None if ledger is None else lines_of(ledger, asked.pairs()))
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


def _spelled(opened: Opened, changes: Sequence[Change]) -> tuple[dict[str, str], dict[str, str]]:
    """Path -> sha256 of the record that its edits lead to, and key -> why its edits would make none.

    One edit that cannot be made keeps no other back.
    """
    by_path: dict[str, list[Change]] = {}
    for change in changes:
        if change.action == EDIT and change.path is not None:
            by_path.setdefault(change.path, []).append(change)
    spelled: dict[str, str] = {}
    refused: dict[str, str] = {}
    for path, of in by_path.items():
        try:
            spelled[path] = _digest(opened, path, of)
        except UserError:
            good: list[Change] = []
            for change in of:
                try:
                    spelled[path] = _digest(opened, path, [*good, change])
                    good.append(change)
                except UserError as error:
                    refused[change.key] = str(error)
    return spelled, refused


def _digest(opened: Opened, path: str, changes: Sequence[Change]) -> str:
    edits = tuple(one for change in changes for one in change.edits)
    return sha256(texts(opened, {path: edits})[path]).hexdigest()


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
    return load(read_text(file, "write one with --save-observed FILE"), file)


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
    write_text(Path(file), save(seen.snapshot))


def _proposed(opened: Opened) -> Mapping[str, bytes | None]:
    """What our open proposal holds; nothing where the clone has no remote."""
    remote = remote_of(opened.git)
    if remote is None or opened.store.commit is None:
        return {}
    return proposals(remote).files(BRANCH, opened.store.commit)


def _proposed_incidents(files: Mapping[str, bytes | None]) -> Iterator[Incident]:
    """The records among the files of our proposal; what people broke there is none."""
    for path, content in files.items():
        if content is not None and is_record(path):
            try:
                yield judged(path, content).incident
            except UserError:
                continue


def _sum(content: bytes | None) -> str:
    return "" if content is None else sha256(content).hexdigest()


def _show(request: Any) -> None:
    click.echo(f"{request.method} {request.path} {request.status} {request.seconds:.2f}s", err=True)
