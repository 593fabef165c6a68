"""What nearly every command begins with: the folder, the revision, the clock, policy, records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from incident_ops.adapters import clock
from incident_ops.adapters.git import Git
from incident_ops.adapters.sealed import Sealed
from incident_ops.errors import UserError
from incident_ops.model.fence import Unusable
from incident_ops.model.policy import Policy
from incident_ops.model.service import Service
from incident_ops.model.time import YEARS, OutOfRange, parse_instant, stamp
from incident_ops.model.unread import Unread
from incident_ops.records.catalogue import Catalogue, Row
from incident_ops.records.setting import POLICY, Setting, load_setting
from incident_ops.records.store import INCIDENTS, Examine, Raw, Store, is_record, load

if TYPE_CHECKING:
    from incident_ops.adapters.local import LocalTracker

Made = TypeVar("Made")

STATE = "incident-ops"
STANDS_FOR = {"@who": "a person or team", "...": "a text", "TEXT": "a text"}
"""Words of our own hints that are no answer; a hint pasted as it is must not write them into a record."""


@dataclass(frozen=True)
class Opened:
    """A repository of records as one command sees it."""

    root: Path
    git: Git | None
    store: Store
    now: datetime

    @cached_property
    def setting(self) -> Setting:
        """Policy and services; UserError where there is no policy."""
        return load_setting(self.store)

    @cached_property
    def judged_by(self) -> tuple[Policy, Mapping[str, Service]]:
        """Policy and services; UserError where they cannot be used."""
        return self.setting.require()

    @cached_property
    def catalogue(self) -> Catalogue:
        """Every incident record."""
        keep = Sealed(self.state / "catalogue") if self.git else None
        return load(self.store, self._examine, self.setting.fingerprint, keep)

    def _examine(self, path: str, blob: str, raw: Raw) -> Row:
        return self._examiner(path, blob, raw)

    @cached_property
    def _examiner(self) -> Examine:
        from incident_ops.validate import examiner  # the rules, which nobody needs whose records are all known

        return examiner(self.setting, self.now)

    @property
    def state(self) -> Path:
        """Where this clone keeps what belongs to no commit; several records' folders never share it."""
        if self.git is None:
            return self.root / f".{STATE}"
        kept = self.git.directory / STATE
        return kept / "folders" / self.git.prefix if self.git.prefix else kept

    @property
    def unread(self) -> list[Unread]:
        """Every record that could not be read."""
        return self.catalogue.unreadable()


def open_repository(options: dict[str, Any]) -> Opened:
    """From the options before the command. UserError for a folder, instant or revision that is not there."""
    now = clock.now() if options["at"] is None else _instant(options["at"])
    root = _root(options["repo"])
    git = Git.around(root)
    revision = options["rev"]
    if revision is not None and git is None:
        raise UserError(
            "there is no git repository, so there are no revisions", where=str(root), hint="leave out --rev"
        )
    commit = git.resolve(revision) if git and revision is not None else None
    opened = Opened(root, git, Store(root, git, commit), now)
    if options.get("verbose"):
        source = f"commit {commit}" if commit else "the work tree"
        click.echo(f"Records of {root}, {source}; clock {stamp(now)}; state kept in {opened.state}", err=True)
    return opened


def served(opened: Opened, work: Callable[[], Made]) -> Made:
    """What `work` makes of the records; where one breaks a calculation, `work` begins again without it."""
    while True:
        try:
            return work()
        except Unusable as error:
            if not sum(opened.catalogue.leave_out(one) for one in error.unread):
                raise


def at_commit(opened: Opened, commit: str) -> Opened:
    """The same repository with the records of a commit instead of the work tree's."""
    return replace(opened, store=Store(opened.root, opened.git, commit))


def local_tracker(opened: Opened) -> LocalTracker:
    """The tracker embedded in this clone."""
    from incident_ops.adapters.local import LocalTracker

    return LocalTracker(opened.state / "tracker.db")


def with_repository(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the opened repository as its first argument; blank texts and the words of hints are refused."""
    from functools import update_wrapper

    @click.pass_context
    def opened(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        must_say_something(ctx.command, kwargs)
        return ctx.invoke(command, open_repository(ctx.find_root().obj), *args, **kwargs)

    return update_wrapper(opened, command)


def must_say_something(command: click.Command, given: Mapping[str, Any]) -> None:
    """UserError for an empty option or argument: a variable of a pipeline that was not set is no default."""
    for param in command.params:
        value = given.get(param.name or "")
        name = max(param.opts, key=len) if isinstance(param, click.Option) else param.human_readable_name.strip("[]")
        for text in value if isinstance(value, tuple) else (value,):
            if not isinstance(text, str):
                continue
            if not text.strip():
                raise UserError(f"{name} is empty", hint="write what is meant, or leave it out")
            if text in STANDS_FOR:
                raise UserError(f"{text!r} stands for {STANDS_FOR[text]}", hint="put in what is meant")


def no_records(opened: Opened, *, has_issues: bool | None = None) -> int:
    """The exit code without a single record: 3 where HEAD or the tracker has some, else 0 and a note.

    `has_issues` says it of the tracker; None = ask the embedded one.
    """
    git = opened.git
    if git and git.head and any(is_record(blob.path) for blob in git.tree(git.head, (INCIDENTS,))):
        click.echo("error: there is no record here, but HEAD has some (was the folder deleted?)", err=True)
        return 3
    if local_tracker(opened).owned() if has_issues is None else has_issues:
        click.echo("error: there is no record here, but the tracker has issues of some", err=True)
        return 3
    click.echo(f"No incident records yet below {opened.root / INCIDENTS}.", err=True)
    return 0


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except OutOfRange as error:
        raise UserError(f"--at {text} is not a year of incidents", hint=f"{YEARS[0]} to {YEARS[-1]}") from error
    except ValueError as error:
        raise UserError(f"--at {text!r} is not an instant", hint="e.g. 2025-01-26T13:00:00Z") from error


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
