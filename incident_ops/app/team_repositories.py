"""The repositories of teams that hold issues of action items: which are asked, and what they hold."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from incident_ops.adapters import clock
from incident_ops.app.issue_numbers import read_kept_issues
from incident_ops.app.workspace import Workspace
from incident_ops.domain.time import SKEW, instant
from incident_ops.domain.tracker import FAILED, GITHUB, NOT_ASKED, Snapshot, Unreached, WholeList
from incident_ops.errors import IncidentOpsError, Incomplete, Stopped, UserError
from incident_ops.reconcile.desired import Desired
from incident_ops.reconcile.diff import SideBySide, side_by_side
from incident_ops.reconcile.observe import DesiredOf, observe
from incident_ops.reconcile.places import asked_repositories, settle_places
from incident_ops.reconcile.stored_list import Increment, scope_of

if TYPE_CHECKING:
    from incident_ops.adapters.github.issues import GitHubTracker

UNREVIEWED_EVENTS = ("pull_request", "pull_request_target")
"""Events of GitHub Actions on which a change that nobody reviewed could steer the run."""


def observe_repositories(
    workspace: Workspace,
    github: GitHubTracker,
    asked_for: DesiredOf,
    watched: Mapping[str, datetime],
    records_at: str = "",
    *,
    may_be_incremental: bool = False,
) -> Snapshot:
    """What the repository with the tracking issues holds, with those of teams below `elsewhere`.

    `asked_for` is what the records ask for, as far as this much of a tracker names them. One of a team that does not
    answer hides no other: it is among `unreached`. Incomplete for the first one. `records_at` as of a snapshot;
    `may_be_incremental`: of a list that is remembered only what changed is read, as long as that leaves no doubt.
    """
    teams = _Teams(workspace, github, may_be_incremental=may_be_incremental)

    def settled(found: Snapshot) -> Desired:
        desired = asked_for(found)
        teams.ask(desired)
        return settle_places(desired, replace(teams.outline(), issues=found.issues))

    increment, kept = teams.increment(github), teams.kept_in(github)
    seen = observe(github, settled(Snapshot()), watched, kept, workspace.now, settled, increment, records_at)
    seen = _with_list(seen, github)
    done: set[int] = set()
    while todo := [number for number in teams.trackers if number not in done]:
        for number in todo:
            done.add(number)
            teams.observe(teams.trackers[number], asked_for, seen)
    whole = teams.outline()
    were = teams.names_of_records(github.records_id)
    return replace(seen, names=whole.names, records_were=were, elsewhere=tuple(teams.seen), unreached=whole.unreached)


class _Teams:
    """The repositories of teams: trackers by the id of their repository, the names under which each was asked for, what
    was seen of them, and what did not answer."""

    def __init__(self, workspace: Workspace, github: GitHubTracker, *, may_be_incremental: bool) -> None:
        self._may_be_incremental = may_be_incremental
        self._workspace, self._github, self._kept = workspace, github, read_kept_issues(workspace)
        self.trackers: dict[int, GitHubTracker] = {}
        self.seen: list[Snapshot] = []
        self._names: dict[int, list[str]] = {}
        self._unreached: list[Unreached] = []
        self._asked = {github.repository.casefold()}
        names, numbers = self._kept.names.items(), self._kept.by_id
        self._opened = {name: numbers.get(number, {}) for number, name in names if number != github.repository_id}

    def kept_in(self, tracker: GitHubTracker) -> dict[str, int]:
        """Key -> number of the issues that earlier runs opened or saw in a repository."""
        return dict(self._kept.by_id.get(tracker.repository_id, {}))

    def names_of_records(self, records_id: int) -> tuple[str, ...]:
        """The names that the repository with the records had in earlier runs."""
        return self._kept.records.get(records_id, ())

    def increment(self, tracker: GitHubTracker, home: SideBySide | None = None) -> Increment | None:
        """The list of a repository that is remembered, where it was read in the same way, a day ago at most."""
        known = self._kept.lists.get(tracker.repository_id) if self._may_be_incremental and self._kept.lists else None
        identities = self._workspace.judged_by[0].tracker.identities
        if known is None or known.scope != scope_of(tracker.listed_by, identities) or _is_old(known.whole):
            return None
        changed, former = partial(tracker.changed_since, known.whole), self.names_of_records(tracker.records_id)
        return Increment(known, tracker.listed_by, changed, home, former)

    def outline(self) -> Snapshot:
        """What is known before the issues are."""
        teams = (
            Snapshot(repository=one.repository, numbers=self.kept_in(one), names=self._names_of(one))
            for one in self.trackers.values()
        )
        return Snapshot(
            source=GITHUB,
            repository=self._github.repository,
            numbers=self.kept_in(self._github),
            names=self._names_of(self._github),
            unreached=tuple(self._unreached),
            elsewhere=tuple(teams),
        )

    def ask(self, desired: Desired) -> None:
        """Asks each repository once whether it takes issues; several names of one are one.

        Those that had an issue before are asked always: one may be there that no record names.
        """
        services = self._workspace.judged_by[1]
        trusted = {name.casefold() for name in (*self._opened, *(one.issues or "" for one in services.values()))}
        by_name = {name.casefold(): dict(numbers) for name, numbers in self._opened.items()}
        found = {name.casefold(): name for name in sorted({*self._opened, *asked_repositories(desired, self._opened)})}
        for folded, name in found.items():
            if folded not in self._asked:
                self._asked.add(folded)
                self._reach(name, by_name.get(folded, {}), is_trusted=folded in trusted)

    def observe(self, tracker: GitHubTracker, asked_for: DesiredOf, home: Snapshot) -> None:
        """Looks at one repository; `home` is that with the tracking issues, as seen."""
        known = self.kept_in(tracker)

        def settled(found: Snapshot) -> Desired:
            desired = asked_for(replace(home, elsewhere=(found,)))
            self.ask(desired)
            outline = self.outline()
            teams = (
                replace(one, issues=found.issues) if one.repository == tracker.repository else one
                for one in outline.elsewhere
            )
            whole = replace(outline, issues=home.issues, records_id=home.records_id, elsewhere=tuple(teams))
            return settle_places(desired, whole)._replace(repository=tracker.repository)

        there = settled(Snapshot())
        try:
            increment = self.increment(tracker, self._home_sides(asked_for, home) if self._kept.lists else None)
            seen = observe(tracker, there, None, known, self._workspace.now, settled, increment)
            listed = _with_list(seen, tracker)
            self.seen.append(replace(listed, names=self._names_of(tracker), tells_all=tracker.tells_all))
        except (Incomplete, UserError, Stopped) as error:
            self._unreached.append(_failed(tracker.repository, error, known, self._names_of(tracker)))

    def _home_sides(self, asked_for: DesiredOf, home: Snapshot) -> SideBySide:
        """The repository with the tracking issues, whose numbers the texts of a team's issues name."""
        return side_by_side(settle_places(asked_for(home), replace(home, elsewhere=())), home, frozenset())

    def _reach(self, name: str, numbers: dict[str, int], *, is_trusted: bool) -> None:
        if left := _not_asked(name, is_trusted=is_trusted):
            self._unreached.append(replace(left, numbers=numbers))
            return
        try:
            found = self._github.beside(name, self._workspace.judged_by[0].tracker.labels.action_item)
        except (Incomplete, Stopped) as error:
            self._unreached.append(_failed(name, error, numbers))
            return
        if isinstance(found, Unreached):
            self._unreached.append(replace(found, numbers=numbers))
            return
        self._names.setdefault(found.repository_id, []).append(name)
        if found.repository_id != self._github.repository_id:
            self.trackers.setdefault(found.repository_id, found)

    def _names_of(self, tracker: GitHubTracker) -> tuple[str, ...]:
        return tuple(self._names.get(tracker.repository_id, ()))


def _with_list(seen: Snapshot, tracker: GitHubTracker) -> Snapshot:
    """With the date of the list, where it was read whole; a date to come would hide what changes until then."""
    whole = None if seen.is_incremental else tracker.whole
    at = instant(whole.at) if whole else None
    return seen if at is None or at > clock.now() + SKEW else replace(seen, whole=whole)


def _is_old(whole: WholeList) -> bool:
    at = instant(whole.at)
    return at is None or clock.now() - at > timedelta(days=1)


def _not_asked(name: str, *, is_trusted: bool) -> Unreached | None:
    """Nothing that nobody reviewed decides where this token goes: neither a pull request, nor a record by itself."""
    if os.environ.get("GITHUB_EVENT_NAME") in UNREVIEWED_EVENTS:
        return Unreached(name, NOT_ASKED, "is not asked on a pull request, only after the merge")
    if not is_trusted:
        hint = f"`issues: {name}` of a service in services.yaml names it"
        return Unreached(name, NOT_ASKED, "is left alone, because no service has its issues there", hint)
    return None


def _failed(name: str, error: IncidentOpsError, numbers: Mapping[str, int], names: tuple[str, ...] = ()) -> Unreached:
    return Unreached(name, FAILED, f"did not answer: {error.message}", error.hint, names, dict(numbers))
