"""What git history says of keys that no record names any more: only a deletion in it closes issues."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from incident_ops.model.record import Record
from incident_ops.ports import Repository
from incident_ops.records.catalogue import to_record
from incident_ops.records.check import check
from incident_ops.records.read import Document, read_bytes
from incident_ops.records.store import record_path

Gone = dict[str, str]
"""Key -> the commit that took it away."""


def deletions(git: Repository, commit: str, keys: Iterable[str], records: Iterable[Record]) -> Gone:
    """Those of `keys` whose record, or whose item in it, a commit up to `commit` deleted.

    `keys` are ids of incidents and `<id>/<item>`; `records` are those that stand. An item of a deleted incident is
    deleted with it. What the work tree alone has taken away is not deleted, and history that a shallow clone lacks
    proves nothing: such keys are not in the answer.
    """
    paths = {record.incident.id: record.path for record in records}
    found: Gone = {}
    for key in sorted(keys):
        incident, _, item = key.partition("/")
        path = paths.get(incident)
        if path is None:
            if taken := _file_deleted(git, commit, record_path(incident)):
                found[key] = taken
        elif item and (taken := _item_deleted(git, commit, path, item)):
            found[key] = taken
    return found


def _file_deleted(git: Repository, commit: str, path: str) -> str | None:
    if git.read_path(commit, path) is not None:
        return None
    return next(iter(git.history(path, commit)), None)


def _item_deleted(git: Repository, commit: str, path: str, item: str) -> str | None:
    """The oldest commit since which no version has the item, where one before it had it."""
    taken = None
    for at, items in _versions(git, commit, path):
        if item in items:
            return taken
        taken = at
    return None


def _versions(git: Repository, commit: str, path: str) -> Iterator[tuple[str, Collection[str]]]:
    """Each readable version of a record, newest first: its commit and the ids of its items."""
    for at in git.history(path, commit):
        raw = git.read_path(at, path)
        document = None if raw is None else read_bytes(raw, path)
        if isinstance(document, Document) and not check(document, "incident"):
            incident = to_record(path, document.data).incident
            yield at, {one.id for one in incident.action_items}
