"""What nearly every use case begins with: the folder, the revision, the clock, policy, records.

The remote of the clone, opened with the token of the environment.

A file of text that an option names.

Instants and dates as people type them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from incident_ops.adapters import clock
from incident_ops.adapters.cache import Cache
from incident_ops.adapters.environment import in_actions
from incident_ops.adapters.git import Git
from incident_ops.app.on_call import with_on_call
from incident_ops.domain.fence import Unusable
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.record import Unread
from incident_ops.domain.time import (
    SKEW,
    UNKNOWN,
    YEARS,
    OutOfRange,
    parse_instant,
    shift,
    spell_duration,
    stamp,
)
from incident_ops.domain.time_words import (
    EXAMPLES_AHEAD,
    EXAMPLES_BEHIND,
    EXAMPLES_DAY,
    TypedTime,
    length_seconds,
    parse_day,
    parse_moment,
    spell_typed,
)
from incident_ops.domain.tracker import GITHUB, LOCAL
from incident_ops.errors import UserError
from incident_ops.findings import Finding, Level
from incident_ops.records.index import IndexEntry, RecordIndex
from incident_ops.records.policy import POLICY, PolicyAndServices, load_policy_and_services
from incident_ops.records.store import INCIDENTS, CheckRecord, Raw, Store, is_record, load_index
from incident_ops.records.team_faults import team_faults
from incident_ops.render.findings import inert

if TYPE_CHECKING:
    from incident_ops.adapters.git_proposals import CommitMaker
    from incident_ops.adapters.git_remote import Remote
    from incident_ops.adapters.local_tracker import LocalTracker


Made = TypeVar("Made")

STATE_FOLDER = "incident-ops"


@dataclass(frozen=True)
class Workspace:
    """A repository of records as one command sees it; `is_at_given`: `now` is a time that somebody asks about, and
    `at_typed` how it was typed; `rev_typed` is how a revision was.

    `policy_above`: a policy further up in the same git repository, where nobody said which of the two counts.
    `renders`: documents beside a record are written anew with it, where they are there already.
    `is_strict`: files that cannot be used are what the command is about, so no older ones stand in for them. `notes`
    collects what was used in their place.
    """

    root: Path
    git: Git | None
    store: Store
    now: datetime
    is_at_given: bool = False
    at_typed: str = ""
    rev_typed: str = ""
    is_strict: bool = False
    renders: bool = True
    policy_above: Path | None = None
    notes: list[str] = field(default_factory=list, compare=False)

    @cached_property
    def setting(self) -> PolicyAndServices:
        """Policy and services as they are; UserError where there is no policy."""
        return load_policy_and_services(self.store)

    @cached_property
    def in_force(self) -> PolicyAndServices:
        """The same; of a file that cannot be used the last version in git that can."""
        if self.is_strict or not self.setting.findings:
            return self.setting
        from incident_ops.records.merged_policies import last_usable  # the rare case

        usable, notes = last_usable(self.store, self.setting)
        self.notes.extend(note for note in notes if note not in self.notes)
        return usable

    @cached_property
    def judged_by(self) -> tuple[Policy, Mapping[str, Service]]:
        """Policy and services in force; UserError where there are none that can be used."""
        policy, services = self.in_force.require()
        if not self.is_strict:
            lines = (f"{one.where}: {one.message}; the policy's own holds instead" for one in self._wrong_in_teams)
            self.notes.extend(line for line in lines if line not in self.notes)
        return with_on_call(policy, self.store), services

    @property
    def _wrong_in_teams(self) -> list[Finding]:
        return [one for one in team_faults(self.in_force) if one.level is Level.ERROR]

    @cached_property
    def catalogue(self) -> RecordIndex:
        """Every incident record."""
        keep = Cache(self.state / "catalogue") if self.git else None
        return load_index(self.store, self._examine, self.in_force.fingerprint, keep)

    def _examine(self, path: str, blob: str, raw: Raw) -> IndexEntry:
        return self._examiner(path, blob, raw)

    @cached_property
    def _examiner(self) -> CheckRecord:
        from incident_ops.validation import record_checker  # the rules, which nobody needs whose records are all known

        return record_checker(self.in_force, self.now)

    @property
    def state(self) -> Path:
        """Where this clone keeps what belongs to no commit; several records' folders never share it."""
        if self.git is None:
            return self.root / f".{STATE_FOLDER}"
        kept = self.git.directory / STATE_FOLDER
        return kept / "folders" / self.git.prefix if self.git.prefix else kept

    @property
    def origin(self) -> str:
        """Where the records are read from, the clock, and where state is kept, as a line for people."""
        source = f"commit {self.store.revision}" if self.store.revision else "the work tree"
        return f"Records of {self.root}, {source}; clock {stamp(self.now)}; state kept in {self.state}"

    @property
    def unread(self) -> list[Unread]:
        """Every record that could not be read."""
        return self.catalogue.unreadable()


def open_workspace(options: Mapping[str, Any]) -> Workspace:
    """From `repo`, `rev` and `at`, each a text or None. UserError for a folder, instant or revision that is not there.

    Without `repo` it is the nearest folder upward that holds a policy or is a repository; without `at` it is now.
    """
    now = clock.now() if options["at"] is None else _instant(options["at"])
    root = _root(options["repo"])
    git = Git.around(root)
    revision = options["rev"]
    if revision is not None and git is None:
        raise UserError(
            "there is no git repository, so there are no revisions", where=str(root), hint="leave out --rev"
        )
    commit = git.resolve(revision) if git and revision is not None else None
    at = options["at"]
    above = _policy_above(root, git) if options["repo"] is None else None
    known = (root, git, Store(root, git, commit), now, at is not None, at or "", revision or "")
    return Workspace(*known, policy_above=above)


def _policy_above(root: Path, git: Git | None) -> Path | None:
    if git is None or not (root / POLICY).is_file():
        return None
    within = root.parents[: len(Path(git.prefix).parts)]
    return next((folder / POLICY for folder in within if (folder / POLICY).is_file()), None)


def served(workspace: Workspace, work: Callable[[], Made]) -> Made:
    """What `work` makes of the records; where one breaks a calculation, `work` begins again without it."""
    while True:
        try:
            return work()
        except Unusable as error:
            if not sum(workspace.catalogue.leave_out(one) for one in error.unread):
                raise


def strict(workspace: Workspace) -> Workspace:
    """The same for a command that is about the files themselves: what cannot be used is said, and nothing stands in."""
    return replace(workspace, is_strict=True)


CATCH_UP = timedelta(minutes=5)
"""A clock that is further behind the last commit is wrong, and not corrected in silence."""


def caught_up(workspace: Workspace) -> Workspace:
    """The same for a command that writes: where this machine's clock is a little behind that of the last commit, the
    time is the commit's, so that what is written now comes after what it answers."""
    git = workspace.git
    if workspace.is_at_given or git is None or git.head is None:
        return workspace
    last = git.committed_at(git.head)
    if not workspace.now < last <= workspace.now + CATCH_UP:
        return workspace
    behind = spell_duration(int((last - workspace.now).total_seconds()))
    workspace.notes.append(f"this machine's clock is {behind} behind the last commit's: {stamp(last)} is recorded")
    return replace(workspace, now=last)


def at_commit(workspace: Workspace, commit: str) -> Workspace:
    """The same repository with the records of a commit instead of the work tree's."""
    return replace(workspace, store=Store(workspace.root, workspace.git, commit))


def at_present(workspace: Workspace, now: datetime) -> Workspace:
    """The same repository as it is by now, for a command that runs for long."""
    git = Git.around(workspace.root)
    return replace(workspace, now=now, git=git, store=replace(workspace.store, git=git))


def source_of(tracker: str | None) -> str:
    """The tracker that is meant where none is named: GitHub's inside Actions, else the embedded one."""
    return tracker or (GITHUB if in_actions() else LOCAL)


def local_tracker(workspace: Workspace) -> LocalTracker:
    """The tracker embedded in this clone."""
    from incident_ops.adapters.local_tracker import LocalTracker

    return LocalTracker(workspace.state / "tracker.db")


class NoRecords(NamedTuple):
    """What it means that there is no record: `exit_code` 3 where some must have been lost, else 0, and why."""

    exit_code: int
    message: str


def judge_no_records(workspace: Workspace, *, has_issues: bool | None = None) -> NoRecords:
    """Whether a repository without a record is a new one, or HEAD or the tracker has some.

    `has_issues` says it of the tracker; None = ask the embedded one.
    """
    git = workspace.git
    if git and git.head and any(is_record(blob.path) for blob in git.tree(git.head, (INCIDENTS,))):
        if workspace.store.commit not in (None, git.head):
            at = f"commit {str(workspace.store.commit)[:12]}, which counts,"
            return NoRecords(3, f"error: {at} has no record, but HEAD has some (push and merge what is committed here)")
        return NoRecords(3, "error: there is no record here, but HEAD has some (was the folder deleted?)")
    if local_tracker(workspace).owned() if has_issues is None else has_issues:
        return NoRecords(3, "error: there is no record here, but the tracker has issues of some")
    return NoRecords(0, f"No incident records yet below {workspace.root / INCIDENTS}.")


def demand_work_tree(workspace: Workspace) -> None:
    """UserError where records are read as of a revision: nothing can be written there."""
    if workspace.store.revision:
        raise UserError("an old revision cannot be changed", hint="leave out --rev")


def _instant(text: str) -> datetime:
    try:
        return parse_moment(text, clock.now(), clock.local_zone(), ahead=False).at
    except OutOfRange as error:
        raise UserError(f"--at {text} is not a year of incidents", hint=f"{YEARS[0]} to {YEARS[-1]}") from error
    except ValueError as error:
        hint = "e.g. 2025-01-26T13:00:00Z, 02:56, yesterday 14:00, 10m (ago)"
        raise UserError(f"--at {inert(text)!r} is not an instant", hint=hint) from error


def _root(given: str | None) -> Path:
    if given is not None:
        root = Path(given).absolute()
        if not root.is_dir():
            raise UserError(
                "there is no such folder", where=given, hint="--repo takes the folder that holds policy.yaml"
            )
        return root
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / POLICY).is_file():
            return folder
        if (folder / ".git").exists():
            return folder
    return here


def token_and_server() -> tuple[str, str]:
    """(GITHUB_TOKEN else GH_TOKEN, "" without one; the server that it opens)."""
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or ""
    return token.strip(), os.environ.get("GITHUB_SERVER_URL") or "https://github.com"


def need_remote(
    git: Git | None,
    seconds: float = 60.0,
    *,
    by_person: bool = False,
    name: str = "origin",
    only_reads: bool = False,
) -> Remote:
    """The clone's remote, on which the lock, the ledger and the write-back live; one question takes `seconds` at most.

    `by_person`: where no token opens it, git's own credentials do, as it has them from the person's own settings.
    `only_reads`: it is asked where git fetches from, and nothing is written to it.
    UserError where there is none.
    """
    from incident_ops.adapters.git_remote import CREDENTIALS, Remote, own_settings
    from incident_ops.adapters.git_signing import signed_by_host

    if git is None:
        raise UserError("there is no git repository here", hint="run it in a clone of the repository of records")
    token, server = token_and_server()
    own = own_settings(git, CREDENTIALS) if by_person else ()
    remote = Remote.of(git, name, token=token, server=server, seconds=seconds, own=own, only_reads=only_reads)
    remote.signs = signed_by_host(remote, lambda: _commits_by_github(remote))
    return remote


def _commits_by_github(remote: Remote) -> CommitMaker | None:
    from incident_ops.adapters.github.connect import commits_of

    return commits_of(os.environ, remote.url)


def remote_of(git: Git | None) -> Remote | None:
    """The same; None where there is none."""
    try:
        return need_remote(git)
    except UserError:
        return None


def merged_commit(git: Git | None) -> str | None:
    """The commit whose records count as merged, as this clone knows it; None where there is none.

    It is the remote's default branch as last fetched. Without a remote it is HEAD: what is committed stays.
    """
    if git is None:
        return None
    for name in ("HEAD", "main", "master"):
        with contextlib.suppress(UserError):
            return git.resolve(f"refs/remotes/origin/{name}")
    return git.head if git.config("remote.origin.url") is None else None


def settled_commit(git: Git | None) -> str | None:
    """The commit whose records are not written over: the merged one.

    It is HEAD where this clone does not know what is merged: what is committed may be.
    """
    return merged_commit(git) or (git.head if git else None)


NO_DRIVER = "this clone has no merge driver for records; once: incident-ops init"


def clone_notes(workspace: Workspace) -> tuple[str, ...]:
    """What whoever writes here should know of the clone: that git cannot merge records in it yet."""
    git = workspace.git
    if git is None or git.config("remote.origin.url") is None:
        return ()
    return () if git.config("merge.incident-ops.driver", of_clone=False) else (NO_DRIVER,)


def leads_somewhere(workspace: Workspace, place: str) -> bool:
    """Whether a place to read on is an address, or a file that is there."""
    return "://" in place or isinstance(workspace.store.read(place), bytes)


def read_text_file(file: str, hint: str = "", name: str = "it") -> str:
    """The text of a file; UserError with `hint` where it is none. `name` is what the message calls it."""
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"{name} cannot be read: {why}", where=file, hint=hint) from error


def moment(text: str | None, now: datetime, option: str, *, may_be_unknown: bool = False) -> str | None:
    """What happened, as people type it, and `unknown` where that is an answer -> the text for a record."""
    if text is None or (text == UNKNOWN and may_be_unknown):
        return text
    at = typed_time(text, now, option, ahead=False, may_be_unknown=may_be_unknown).at
    return text if _is_instant(text) else stamp(at)


def must_have_come(workspace: Workspace, at: str, option: str) -> None:
    """UserError where an instant of an option, RFC 3339 text, is ahead of the clock of the workspace."""
    if parse_instant(at) > workspace.now + SKEW:
        raise UserError(f"{option} {at} has not come yet", hint=f"it is {stamp(workspace.now)}; check year and zone")


def typed_time(text: str, now: datetime, option: str, *, ahead: bool, may_be_unknown: bool = False) -> TypedTime:
    """A time as people type it, read in the zone of this machine. UserError with examples for anything else."""
    try:
        return parse_moment(text, now, clock.local_zone(), ahead=ahead)
    except OutOfRange as error:
        raise UserError(f"{option} {error}", hint="check the year") from error
    except ValueError as error:
        hint = (EXAMPLES_AHEAD if ahead else EXAMPLES_BEHIND) + "; or unknown" * may_be_unknown
        raise UserError(f"{option} {inert(text)!r} is not a time", hint=hint) from error


def spelled_time(text: str, now: datetime, option: str, *, ahead: bool) -> str:
    """A time of a wall clock in the zone in which it was read; "" for a text that means the same in every zone."""
    if text == UNKNOWN:
        return ""
    typed = typed_time(text, now, option, ahead=ahead)
    return spell_typed(typed.at, clock.local_zone()) if typed.is_wall else ""


def spelled_clock(workspace: Workspace, text: str) -> str:
    """The same of --at, which made the clock of the workspace."""
    is_wall = spelled_time(text, workspace.now, "--at", ahead=False)
    return spell_typed(workspace.now, clock.local_zone()) if is_wall else ""


def typed_day(text: str, now: datetime, option: str) -> date:
    """A day ahead as people type it, of the zone of this machine. UserError with examples for anything else."""
    try:
        return parse_day(text, now, clock.local_zone())
    except OutOfRange as error:
        raise UserError(f"{option} {error}", hint="check the year") from error
    except ValueError as error:
        raise UserError(f"{option} {inert(text)!r} is not a date", hint=EXAMPLES_DAY) from error


def day(text: str | None, option: str, now: datetime) -> datetime | None:
    """Where a period begins or ends: days are those of UTC, `30d` is that long ago; None where nothing is given."""
    if text is None:
        return None
    try:
        return parse_moment(text, now, ZoneInfo("UTC"), ahead=False).at
    except ValueError as error:
        hint = "e.g. 2025-01-26, 30d (ago), yesterday"
        raise UserError(f"{option} {inert(text)!r} is neither a day nor a time", hint=hint) from error


def day_ago(workspace: Workspace, text: str, option: str) -> datetime:
    """`30d` -> so long before now. UserError for anything but a length of time."""
    try:
        return shift(workspace.now, -length_seconds(text))
    except ValueError as error:
        raise UserError(f"{option} {inert(text)!r} is not a length of time", hint="e.g. 30d, 4w, 12h") from error


def month_of(workspace: Workspace, text: str | None, option: str) -> tuple[datetime, datetime]:
    """`2025-10` -> its first instant in UTC and that of the next month; None is the month before this one."""
    try:
        this = workspace.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        first = (
            _month_before(this) if text is None else parse_moment(f"{text}-01", this, ZoneInfo("UTC"), ahead=False).at
        )
    except ValueError as error:
        raise UserError(f"{option} {inert(text or '')!r} is not a month", hint="e.g. 2025-10") from error
    return first, _month_before(first + timedelta(days=63))


def _month_before(at: datetime) -> datetime:
    return (at.replace(day=1) - timedelta(days=1)).replace(day=1)


def _is_instant(text: str) -> bool:
    try:
        parse_instant(text)
    except ValueError:
        return False
    return True
