"""Reading records again: settled ones, whose content the catalogue does not keep, and what a broken one was before."""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.errors import Incomplete
from incident_ops.model.incident import Incident
from incident_ops.model.record import Record
from incident_ops.ports import Repository
from incident_ops.records.catalogue import Catalogue, to_record
from incident_ops.records.check import check
from incident_ops.records.read import Document, read_bytes
from incident_ops.records.store import Raw, Store


def every_record(store: Store, catalogue: Catalogue) -> Iterator[Record]:
    """All readable records by path, settled ones included. Incomplete where one changed since then."""
    entries = catalogue.entries()
    forgotten = [blob for _, blob, record in entries if record is None and blob]
    blobs = store.git.read(forgotten) if store.git and forgotten else iter(())
    for path, blob, record in entries:
        if record is not None:
            yield record
        else:
            yield _read_again(path, next(blobs) if blob else store.read(path))


def read_record(store: Store, path: str) -> Record:
    """One readable record of the store. Incomplete where it changed since the catalogue was made."""
    return _read_again(path, store.read(path))


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
        raise Incomplete("the record changed while it was read", where=path, hint="run the command again")
    return to_record(path, document.data)


def _valid(path: str, raw: bytes, kind: str = "incident") -> Document | None:
    document = read_bytes(raw, path)
    return document if isinstance(document, Document) and not check(document, kind) else None
