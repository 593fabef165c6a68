"""The repositories of teams that hold issues of action items: which are asked, and what they hold."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from incident_ops.app.issue_numbers import read_kept_issues
from incident_ops.app.workspace import Workspace
from incident_ops.domain.tracker import FAILED, GITHUB, NOT_ASKED, Snapshot, Unreached
from incident_ops.errors import IncidentOpsError, Incomplete, UserError
from incident_ops.reconcile.desired import Desired
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.places import asked_repositories, settle_places

if TYPE_CHECKING:
    from incident_ops.adapters.git_numbers import KeptIssues
    from incident_ops.adapters.github.issues import GitHubTracker

UNREVIEWED_EVENTS = ("pull_request", "pull_request_target")
"""Events of GitHub Actions on which a change that nobody reviewed could steer the run."""


class _Teams(NamedTuple):
    """Trackers by the id of their repository, the names under which each was asked for, and what did not answer."""

    trackers: dict[int, GitHubTracker]
    names: dict[int, list[str]]
    unreached: list[Unreached]


def observe_repositories(
    workspace: Workspace, github: GitHubTracker, desired: Desired, watched: Mapping[str, datetime]
) -> Snapshot:
    """What the repository with the tracking issues holds, with those of teams below `elsewhere`.

    One of a team that does not answer hides no other: it is among `unreached`. Incomplete for the first one.
    """
    kept = read_kept_issues(workspace)
    numbers = dict(kept.by_id.get(github.repository_id, {}))
    teams = _asked(workspace, github, desired, kept)
    outline = Snapshot(
        source=GITHUB,
        repository=github.repository,
        numbers=numbers,
        names=tuple(teams.names.get(github.repository_id, ())),
        unreached=tuple(teams.unreached),
        elsewhere=tuple(
            Snapshot(
                repository=tracker.repository, numbers=dict(kept.by_id.get(number, {})), names=_names(teams, number)
            )
            for number, tracker in teams.trackers.items()
        ),
    )
    settled = settle_places(desired, outline)
    seen = observe(github, settled, watched, numbers)
    elsewhere: list[Snapshot] = []
    unreached = list(teams.unreached)
    for number, tracker in teams.trackers.items():
        there = settled._replace(repository=tracker.repository)
        if not any(there.here):
            continue
        known = kept.by_id.get(number, {})
        try:
            elsewhere.append(replace(observe(tracker, there, None, known), names=_names(teams, number)))
        except (Incomplete, UserError) as error:
            unreached.append(_failed(tracker.repository, error, known, _names(teams, number)))
    return replace(seen, names=outline.names, elsewhere=tuple(elsewhere), unreached=tuple(unreached))


def _names(teams: _Teams, number: int) -> tuple[str, ...]:
    return tuple(teams.names.get(number, ()))


def _asked(workspace: Workspace, github: GitHubTracker, desired: Desired, kept: KeptIssues) -> _Teams:
    """Asks each repository once whether it takes issues; several names of one are one."""
    policy, services = workspace.judged_by
    opened = {name: kept.by_id.get(number, {}) for number, name in kept.names.items() if number != github.repository_id}
    trusted = {name.casefold() for name in (*opened, *(service.issues or "" for service in services.values()))}
    by_name = {name.casefold(): dict(numbers) for name, numbers in opened.items()}
    teams = _Teams({}, {}, [])
    asked = {name.casefold(): name for name in sorted(asked_repositories(desired, opened))}
    asked.pop(github.repository.casefold(), None)
    for folded, name in asked.items():
        numbers = by_name.get(folded, {})
        if left := _not_asked(name, is_trusted=folded in trusted):
            teams.unreached.append(replace(left, numbers=numbers))
            continue
        try:
            found = github.beside(name, policy.tracker.labels.action_item)
        except Incomplete as error:
            teams.unreached.append(_failed(name, error, numbers))
            continue
        if isinstance(found, Unreached):
            teams.unreached.append(replace(found, numbers=numbers))
            continue
        teams.names.setdefault(found.repository_id, []).append(name)
        if found.repository_id != github.repository_id:
            teams.trackers.setdefault(found.repository_id, found)
    return teams


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
