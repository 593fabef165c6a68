"""The records that a plan is made from: those of which something may be due, and those of which the tracker holds an
issue.

All others are settled and have no issue: nothing can be planned for them, so they are counted and not read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType

from incident_ops import resources
from incident_ops.adapters.cache import Cache
from incident_ops.app.due import as_active, recent_paths
from incident_ops.app.workspace import Workspace, leads_somewhere
from incident_ops.documents.issue_bodies import IssueBodies
from incident_ops.documents.issue_words import POSTMORTEM, Surroundings, beside
from incident_ops.domain.record import Record
from incident_ops.domain.tracker import Snapshot
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.desired import Desired, DesiredIssue, desired_issues, incident_of
from incident_ops.reconcile.places import settle_places
from incident_ops.records.history import records_from_cache

_NAMELESS = frozenset({""})  # how a record names the repository with the tracking issues


class ConcernedRecords:
    """The records that concern a tracker, and what they ask for; more are read as more of the tracker is seen.

    `keys` are wanted by somebody whatever the tracker holds. Incomplete where a record changes while it is read.
    """

    desired: Desired

    def __init__(self, workspace: Workspace, keys: Collection[str] = ()) -> None:
        self._workspace = workspace
        catalogue = workspace.catalogue
        self.recent_paths = recent_paths(workspace)
        clashing = {path for clash in catalogue.clashes() for path in clash.paths}
        self._paths = {*self.recent_paths, *clashing, *self._of_incidents(map(incident_of, keys))}
        self._read()

    def asked_for(self, seen: Snapshot) -> Desired:
        """What the records ask for, with those of which a tracker holds an issue, wherever its text names them."""
        more, names = self._named_by(seen) - self._paths, _NAMELESS | _names_of(seen)
        if more:
            self._paths |= more
            self._read()
        if names != _NAMELESS:
            settled = self._workspace.catalogue.settled_beside(self._paths, names)
            self.desired = self.desired._replace(beside=settled)
        return self.desired

    def placed(
        self,
        seen: Snapshot,
        recreate: Collection[str] = (),
        answered: Mapping[str, Record] = MappingProxyType({}),
        ticked: Collection[str] = (),
    ) -> Desired:
        """The same, each issue with the repository that has or gets it, and texts that say why where that is not its
        team's, and no more than they should where that is open to more people; `recreate` as in `settle_places`.

        Texts and labels of incidents in `answered` are those of the records there; `ticked` as of `Surroundings`.
        """
        wanted = settle_places(self.asked_for(seen), seen, recreate)
        stays = {key: issue.stays for key, issue in wanted.issues.items() if issue.stays}
        tells_all = {"", *(team.repository for team in seen.elsewhere if team.tells_all)}
        brief = frozenset(key for key, issue in wanted.issues.items() if issue.repository not in tells_all)
        if stays or brief or answered:
            wanted = wanted._replace(bodies=self._bodies(stays, brief, answered, ticked))
        return wanted._replace(issues={**wanted.issues, **self._answered(wanted, answered)}) if answered else wanted

    def _answered(self, wanted: Desired, answered: Mapping[str, Record]) -> dict[str, DesiredIssue]:
        workspace = self._workspace
        policy = as_active(workspace.judged_by[0])
        found = desired_issues(answered.values(), policy, {}, workspace.now, workspace.judged_by[1])
        known = {name: issue for name, issue in found.issues.items() if name in answered and name in wanted.issues}
        return {
            name: wanted.issues[name]._replace(labels=issue.labels, called=issue.called)
            for name, issue in known.items()
        }

    def recent(self) -> list[Record]:
        """The records of which something may be due; none whose id another one has, too."""
        clashes = self.desired.clashes
        recent = (record for record in self.records if record.path in self.recent_paths)
        return [record for record in recent if record.incident.id not in clashes]

    def _read(self) -> None:
        workspace, policy = self._workspace, as_active(self._workspace.judged_by[0])
        keep = Cache(workspace.state / "concerned") if workspace.git else None
        found = records_from_cache(
            workspace.store, workspace.catalogue, keep, resources.resource_stamp(), frozenset(self._paths)
        )
        self.records = list(found)
        services = workspace.judged_by[1]
        self._around = Surroundings(services, _is_there(workspace, self.records))
        settled = workspace.catalogue.settled_beside(self._paths, _NAMELESS)
        self.desired = desired_issues(self.records, policy, self._bodies(), workspace.now, services, settled)

    def _bodies(
        self,
        stays: Mapping[str, str] = MappingProxyType({}),
        brief: frozenset[str] = frozenset(),
        answered: Mapping[str, Record] = MappingProxyType({}),
        ticked: Collection[str] = (),
    ) -> IssueBodies:
        around = self._around._replace(stays=stays, brief=brief, ticked=ticked)
        records = [answered.get(record.incident.id, record) for record in self.records]
        return IssueBodies(records, as_active(self._workspace.judged_by[0]), self._workspace.now, around)

    def _named_by(self, seen: Snapshot) -> set[str]:
        """The records that an issue may belong to: by what the tracker keeps, its text, or its number."""
        keys: set[str] = set()
        paths: set[str] = set()
        for held in (seen, *seen.elsewhere):
            kept = {number: key for key, number in held.numbers.items()}
            names = _names_of(held) | (_NAMELESS if held is seen else frozenset())
            for issue in held.issues:
                owner = generated_block.owner(issue.body)
                keys |= {key for key in (issue.key, owner, kept.get(issue.number)) if key is not None}
                if owner is None:
                    paths.update(self._workspace.catalogue.naming(issue.number, names))
        return paths | self._of_incidents({incident_of(key) for key in keys})

    def _of_incidents(self, ids: Iterable[str]) -> set[str]:
        return {path for name in ids for path in self._workspace.catalogue.paths_of(name)}


def _names_of(held: Snapshot) -> frozenset[str]:
    return frozenset(name.casefold() for name in (held.repository, *held.names) if name)


def _is_there(workspace: Workspace, records: Sequence[Record]) -> Callable[[str], bool]:
    """Tells of a path whether there is a file; of a commit the postmortems of all open incidents are asked for at once,
    when the first of them is."""
    papers = frozenset(
        beside(record.path, POSTMORTEM)
        for record in records
        if record.incident.postmortem is not None and (not record.incident.is_closed or record.incident.open_items)
    )
    git, commit, elsewhere = workspace.git, workspace.store.revision, cache(partial(leads_somewhere, workspace))

    @cache
    def written() -> frozenset[str]:
        found = (git.tree(commit, part) for part in _parts(sorted(papers))) if git and commit else ()
        return frozenset(blob.path for blobs in found for blob in blobs if blob.regular)

    return lambda path: path in written() if git and commit and path in papers else elsewhere(path)


def _parts(paths: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    """In parts that a command line takes."""
    return (paths[at : at + size] for at in range(0, len(paths), size))
