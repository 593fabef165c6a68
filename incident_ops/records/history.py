"""Reading records again: settled ones, whose content the index does not keep, and what a broken one was before.

Reading settled records again without reading their text again: what each blob held is kept between runs.

A blob's id names its content, and what is kept is signed and tied to the program, so keeping it saves time and changes
no result.

What git history says about keys that no record has any more: only a deletion in it closes issues.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from incident_ops.domain.incident import Incident
from incident_ops.domain.ports import Repository
from incident_ops.domain.record import Record
from incident_ops.errors import Incomplete
from incident_ops.records.index import RecordIndex, to_record
from incident_ops.records.schema import check_document
from incident_ops.records.store import IndexCache, Raw, Store, record_path
from incident_ops.records.yaml_reader import Document, read_bytes


def every_record(store: Store, index: RecordIndex) -> Iterator[Record]:
    """All readable records by path, settled ones included. Incomplete where one changed since then."""
    entries = index.entries()
    forgotten = [blob for _, blob, record in entries if record is None and blob]
    blobs = store.git.read(forgotten) if store.git and forgotten else iter(())
    for path, blob, record in entries:
        if record is not None:
            yield record
        else:
            yield _read_again(path, next(blobs) if blob else store.read(path))


def read_record(store: Store, path: str) -> Record:
    """One readable record of the store. Incomplete where it changed since the index was made."""
    return _read_again(path, store.read(path))


def merged_rows(git: Repository | None, commit: str | None, path: str, name: str) -> int:
    """How many entries a list of a record has at the commit that counts as merged; 0 where it is not there."""
    raw = git.read_path(commit, path) if git and commit else None
    document = read_bytes(raw, path) if raw is not None else None
    rows = document.data.get(name) if isinstance(document, Document) and isinstance(document.data, dict) else None
    return len(rows) if isinstance(rows, list) else 0


def merged_incident(git: Repository | None, commit: str | None, path: str) -> Incident | None:
    """A record as it is at the commit that counts as merged; None where it is not there, or cannot be read."""
    raw = git.read_path(commit, path) if git and commit else None
    return None if raw is None else incident_in(path, raw)


def incident_in(path: str, raw: bytes) -> Incident | None:
    """What the text of a record says; None where it cannot be read."""
    document = _valid(path, raw)
    return None if document is None else to_record(path, document.data).incident


def last_readable(git: Repository | None, path: str) -> Incident | None:
    """What a record was in the newest commit in which it can be read, or None where there is none."""
    document = last_document(git, path, "incident")
    return None if document is None else to_record(path, document.data).incident


def last_document(git: Repository | None, path: str, kind: str) -> Document | None:
    """A file of a kind as it was in the newest commit in which it can be read, or None where there is none."""
    if git is None:
        return None
    for commit in git.history(path):
        raw = git.read_path(commit, path)
        if raw is not None and (document := _valid(path, raw, kind)) is not None:
            return document
    return None


def _read_again(path: str, raw: Raw | None) -> Record:
    document = _valid(path, raw) if isinstance(raw, bytes) else None
    if document is None:
        raise Incomplete("the record changed while it was being read", where=path, hint="run the command again")
    return to_record(path, document.data)


def _valid(path: str, raw: bytes, kind: str = "incident") -> Document | None:
    document = read_bytes(raw, path)
    return document if isinstance(document, Document) and not check_document(document, kind) else None


_Kept = tuple[str, dict[str, msgspec.Raw]]


def records_from_cache(
    store: Store, index: RecordIndex, keep: IndexCache | None, stamp: str, wanted: Collection[str] | None = None
) -> Iterator[Record]:
    """All readable records by path, or those whose paths are `wanted`; Incomplete where one changed since.

    `stamp` names the program: what another one kept is not used.
    """
    entries = index.entries(wanted)
    known = _load(keep, stamp) if any(record is None for _, _, record in entries) else {}
    fresh: dict[str, msgspec.Raw] = {}
    for path, blob, record in entries:
        if record is not None:
            yield record
        elif blob in known:
            yield to_record(path, msgspec.msgpack.decode(known[blob]))
        else:
            record = read_record(store, path)
            if blob:
                fresh[blob] = msgspec.Raw(msgspec.msgpack.encode(record.data))
            yield record
    if fresh and keep is not None:
        keep.save(msgspec.msgpack.encode((stamp, {**known, **fresh})))


def _load(keep: IndexCache | None, stamp: str) -> Mapping[str, msgspec.Raw]:
    content = keep.load() if keep is not None else None
    if content is None:
        return {}
    try:
        cached_stamp, known = msgspec.msgpack.decode(content, type=_Kept)
    except msgspec.DecodeError:
        return {}
    return known if cached_stamp == stamp else {}


DeletedRecords = dict[str, str]
"""Key -> the commit that took it away."""


def deletions(git: Repository, commit: str, keys: Iterable[str], records: Iterable[Record]) -> DeletedRecords:
    """Those of `keys` whose record, or whose item in it, a commit up to `commit` deleted.

    `keys` are ids of incidents and `<id>/<item>`; `records` are those that stand. An item of a deleted incident is
    deleted with it. What the work tree alone has taken away is not deleted, and history that a shallow clone lacks
    proves nothing: such keys are not in the answer.
    """
    paths = {record.incident.id: record.path for record in records}
    deleted: DeletedRecords = {}
    for key in sorted(keys):
        incident, _, item = key.partition("/")
        path = paths.get(incident)
        if path is None:
            if deleting_commit := _file_deleted(git, commit, record_path(incident)):
                deleted[key] = deleting_commit
        elif item and (deleting_commit := _item_deleted(git, commit, path, item)):
            deleted[key] = deleting_commit
    return deleted


def _file_deleted(git: Repository, commit: str, path: str) -> str | None:
    if git.read_path(commit, path) is not None:
        return None
    return next(iter(git.history(path, commit)), None)


def _item_deleted(git: Repository, commit: str, path: str, item: str) -> str | None:
    """The oldest commit since which no version has the item, where one before it had it."""
    deleting_commit = None
    for at, items in _versions(git, commit, path):
        if item in items:
            return deleting_commit
        deleting_commit = at
    return None


def _versions(git: Repository, commit: str, path: str) -> Iterator[tuple[str, Collection[str]]]:
    """Each readable version of a record, newest first: its commit and the ids of its items."""
    for at in git.history(path, commit):
        raw = git.read_path(at, path)
        document = None if raw is None else read_bytes(raw, path)
        if isinstance(document, Document) and not check_document(document, "incident"):
            incident = to_record(path, document.data).incident
            yield at, {item.id for item in incident.action_items}
