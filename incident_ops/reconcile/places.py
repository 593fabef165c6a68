"""Which repository has the issue of an action item: the one with the tracking issues, or that of a team. Pure.

An issue that is there stays where it is, whatever the services say by now. A new one goes to the repository that the
first of the incident's services names, if the token reaches it; else it stays with the tracking issue, and says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Set
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.domain.tracker import FAILED, GITHUB, NOT_ASKED, TAKES_NONE, Snapshot, Unreached
from incident_ops.reconcile.changes import Kept, KeyDecision, LeftAlone
from incident_ops.reconcile.desired import Desired, DesiredIssue
from incident_ops.reconcile.diff import key_of, new_numbers

_NOT_ASKED = "was not asked about when the tracker was observed; observe it again"
_NO_TEAM = "take `issues` of the service out of services.yaml"
_ANEW = "`--recreate KEY` opens a new one beside the tracking issue"


def settle_places(desired: Desired, snapshot: Snapshot, recreate: Collection[str] = ()) -> Desired:
    """Desired issues, each with the repository that has or gets it; a tracker other than GitHub is one for all.

    `recreate`: keys that get a new issue beside the tracking issue where their repository takes none any more.
    """
    places = _Places(desired, snapshot, frozenset(recreate))
    return desired._replace(issues={key: places.settled(wanted) for key, wanted in desired.issues.items()})


def asked_repositories(desired: Desired, kept: Mapping[str, Collection[str]]) -> frozenset[str]:
    """The repositories of teams that a run asks: those that have an issue, and those that open items are to go to.

    `kept`: repository -> the keys of which a run opened the issue there.
    """
    of_kept = {key: repository for repository, keys in kept.items() for key in keys}
    found = set()
    for key, wanted in desired.issues.items():
        there = wanted.repository if wanted.number is not None else of_kept.get(key, "")
        found.add(there or (wanted.team if wanted.closed_as is None else ""))
    return frozenset(found - {""})


def with_unseen_teams(snapshot: Snapshot, desired: Desired, keys: Set[str]) -> Snapshot:
    """A snapshot with the repositories that only another plan named, as if they were empty: where open items of `keys`
    that have no issue yet would go."""
    if snapshot.source != GITHUB:
        return snapshot
    seen: tuple[Snapshot | Unreached, ...] = (snapshot, *snapshot.elsewhere, *snapshot.unreached)
    names = {name.casefold() for one in seen for name in (one.repository, *one.names)}
    numbered = {key for one in seen for key in one.numbers}
    open_items = (one for one in desired.issues.values() if one.number is None and one.closed_as is None)
    teams = {one.team.casefold(): one.team for one in open_items if one.team and one.key in keys - numbered}
    new = tuple(Snapshot(source=GITHUB, repository=team) for name, team in sorted(teams.items()) if name not in names)
    return replace(snapshot, elsewhere=(*snapshot.elsewhere, *new))


class _Places:
    """What a snapshot tells about repositories: their names, and the keys that have an issue there."""

    def __init__(self, desired: Desired, snapshot: Snapshot, recreate: frozenset[str]) -> None:
        self._recreate = recreate
        self._is_hosted = snapshot.source == GITHUB
        self._names = _spellings("", (snapshot.repository, *snapshot.names))
        self._unreached: dict[str, Unreached] = {}
        self._has: dict[str, str] = {}
        for left in snapshot.unreached:
            self._unreached[left.repository] = left
            self._names |= _spellings(left.repository, (left.repository, *left.names))
            self._has |= dict.fromkeys(left.numbers, left.repository)
        for team in snapshot.elsewhere:
            self._names |= _spellings(team.repository, (team.repository, *team.names))
            self._has |= _marked(team, desired, team.repository) | dict.fromkeys(team.numbers, team.repository)
        self._has |= _marked(snapshot, desired, "") | dict.fromkeys(snapshot.numbers, "")

    def settled(self, wanted: DesiredIssue) -> DesiredIssue:
        if not self._is_hosted or wanted.item is None:
            return wanted._replace(repository="", stays="")
        if wanted.number is not None or wanted.key in self._has:
            recorded = self._names.get(wanted.repository.casefold(), wanted.repository)
            place = recorded if wanted.number is not None else self._has[wanted.key]
            is_anew = wanted.key in self._recreate or self._has.get(wanted.key) == ""
            if is_anew and self._takes_none(place):
                return wanted._replace(repository="", number=None, stays=self._why_here(wanted))
            return wanted._replace(repository=place, stays="" if place else self._why_here(wanted))
        why = self._why_here(wanted)
        is_here = bool(why) or wanted.closed_as is not None or not wanted.team
        team = self._names.get(wanted.team.casefold(), wanted.team)
        return wanted._replace(repository="" if is_here else team, stays=why)

    def _why_here(self, wanted: DesiredIssue) -> str:
        """Why an open item is not in the repository of its team, where that one takes no issues."""
        team = self._names.get(wanted.team.casefold(), wanted.team)
        is_here = wanted.closed_as is None and self._takes_none(team)
        return self._unreached[team].why(_NO_TEAM) if is_here else ""

    def _takes_none(self, repository: str) -> bool:
        return repository in self._unreached and self._unreached[repository].kind == TAKES_NONE


def _spellings(repository: str, names: Iterable[str]) -> dict[str, str]:
    return {name.casefold(): repository for name in names if name}


def _marked(snapshot: Snapshot, desired: Desired, repository: str) -> dict[str, str]:
    """The keys of the open issues of ours in a repository."""
    keys = (key_of(issue, desired.identities, snapshot.records_id) for issue in snapshot.issues if issue.is_open)
    return {key: repository for key in keys if key}


class LeftInTeams(NamedTuple):
    """What a plan says of items of which nothing is known: what is done and listed for them, the repositories that make
    the run incomplete, and the incidents whose items they are."""

    decision: KeyDecision
    alone: tuple[LeftAlone, ...]
    incidents: frozenset[str]


def left_in_teams(
    desired: Desired, planned: Collection[str], unreached: Iterable[Unreached], untouchable: frozenset[str]
) -> LeftInTeams:
    """`planned` are the repositories that were looked at. Items that stay with their tracking issue are listed too.

    A number that an earlier run kept still goes into its record.
    """
    known = {left.repository: left for left in unreached}
    kept: list[Kept] = []
    opened: dict[str, int] = {}
    numbers: dict[str, list[int]] = defaultdict(list)
    incidents: set[str] = set()
    for wanted in desired.issues.values():
        if not untouchable.isdisjoint((wanted.key, wanted.incident.id)):
            continue
        if wanted.stays:
            kept.append(Kept(wanted.key, wanted.kind, None, f"its issue stays with the tracking issue: {wanted.stays}"))
        place = wanted.repository
        if not place or place in planned:
            continue
        left = known.get(place, Unreached(place, NOT_ASKED, _NOT_ASKED))
        opened |= {wanted.key: left.numbers[wanted.key]} if wanted.key in left.numbers else {}
        number = wanted.number if wanted.number is not None else opened.get(wanted.key)
        incidents |= set() if number is None else {wanted.incident.id}
        is_incomplete = left.kind == FAILED or (left.kind == TAKES_NONE and wanted.closed_as is None)
        if is_incomplete:
            numbers[place] += [] if number is None else [number]
        if number is None or not is_incomplete:
            why = left.why() if number is not None else f"it has no issue yet: {left.why()}"
            kept.append(Kept(wanted.key, wanted.kind, number, why, repository=place))
    alone = (
        LeftAlone(name, known[name].why(_ANEW).removeprefix(f"{name} "), tuple(found))
        for name, found in numbers.items()
    )
    unnumbered = {key: number for key, number in opened.items() if desired.issues[key].number is None}
    decision = KeyDecision(new_numbers(desired, unnumbered), tuple(kept))
    return LeftInTeams(decision, tuple(alone), frozenset(incidents))
