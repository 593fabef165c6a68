"""Finding and loading records: the work tree as it is, or any revision without checking it out.

`load` gives the catalogue of all incident records. Between runs it may be kept (a `Keep`): then only what changed since
the kept commit is read again. What is kept is sealed and tied to the program, the policy and the commit, so losing it
or tampering with it costs time, never a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from incident_ops.findings import Finding
from incident_ops.model.blob import Blob
from incident_ops.ports import Repository
from incident_ops.records.catalogue import Catalogue, Row
from incident_ops.records.faults import fault
from incident_ops.records.files import list_folder, not_regular, read_regular

INCIDENTS = "incidents"
FOLDERS = {"maintenance": "maintenance", "problems": "problem", "freezes": "freeze", "gates": "gate"}
"""Folder -> kind of the other records in it."""

Raw = bytes | Finding
Examine = Callable[[str, str, Raw], Row]
"""(path, blob id, content or why there is none) -> the record's entry."""


class Keep(Protocol):
    """Where a catalogue is kept between runs."""

    def load(self) -> bytes | None:
        """What was kept, or None where nothing trustworthy is there."""

    def save(self, content: bytes) -> None:
        """Keeps it where possible; failing to is no error."""


@dataclass(frozen=True)
class Store:
    """The records below `root`: of the work tree, or of `revision` (a commit id) where one is given."""

    root: Path
    git: Repository | None
    revision: str | None = None

    @property
    def commit(self) -> str | None:
        """The commit these records are or rest on; None outside git and before the first commit."""
        return self.revision or (self.git.head if self.git else None)

    def read(self, path: str) -> Raw | None:
        """The content of a file, None where there is none."""
        if self.revision and self.git:
            return self.git.read_path(self.revision, path)
        return read_regular(self.root, path)

    def others(self) -> list[tuple[str, str]]:
        """(path, kind) of every record that is no incident, in order."""
        if self.revision and self.git:
            paths = [blob.path for blob in self.git.tree(self.revision, tuple(FOLDERS))]
        else:
            paths = [f"{folder}/{name}" for folder in FOLDERS for name in list_folder(self.root, folder)]
        return [(path, FOLDERS[folder]) for path in paths if (folder := other_folder(path))]


def record_path(incident_id: str) -> str:
    """Where the record of an id lies."""
    return f"{INCIDENTS}/{incident_id}/incident.yaml"


def is_record(path: str) -> bool:
    """True for `incidents/<id>/incident.yaml`, and for what was surely meant to be one (it gets a finding)."""
    parts = path.split("/")
    if parts[0] != INCIDENTS:
        return False
    if len(parts) == 3:
        return parts[2] == "incident.yaml" or parts[2].lower() in ("incident.yml", "incident.yaml")
    return len(parts) == 2 and parts[1].lower().endswith((".yaml", ".yml"))


def other_folder(path: str) -> str:
    """The folder of a record that is no incident, or ""."""
    folder, _, name = path.partition("/")
    return folder if folder in FOLDERS and "/" not in name and name.endswith((".yaml", ".yml")) else ""


def load(store: Store, examine: Examine, fingerprint: str, keep: Keep | None = None) -> Catalogue:
    """The catalogue of every incident record. `fingerprint` names all that an entry depends on but its own file."""
    if store.git is None or store.commit is None:
        catalogue = Catalogue()
        _put_files(store, catalogue, examine, _walk(store.root))
        return catalogue
    asked = None if store.revision else store.git.edited(store.commit, (INCIDENTS,))
    catalogue = _committed(store.git, store.commit, examine, fingerprint, keep)
    if asked is not None:
        edited = [path for path in asked() if is_record(path)]
        _put_files(store, catalogue, examine, [*edited, *_untracked(store.root, catalogue)])
    return catalogue


def load_some(store: Store, examine: Examine, paths: Iterable[str]) -> Catalogue:
    """A catalogue of `paths` and of what their links and ids lead to, without reading the rest."""
    catalogue, todo = Catalogue(), list(paths)
    while todo:
        path = todo.pop()
        if catalogue.has(path) or (raw := store.read(path)) is None:
            continue
        row = _examined(examine, path, "", raw)
        catalogue.put(row)
        todo += [record_path(link.target) for link in row.links if link.kind != "problem"]
        if row.id is not None:
            todo.append(record_path(row.id))
    return catalogue


def _committed(git: Repository, commit: str, examine: Examine, fingerprint: str, keep: Keep | None) -> Catalogue:
    kept = _kept(git, fingerprint, keep)
    if kept is None:
        catalogue = Catalogue()
        catalogue.set_header("fingerprint", fingerprint)
        blobs: Iterable[Blob] = git.tree(commit, (INCIDENTS,))
    else:
        catalogue, since = kept
        if since == commit:
            return catalogue
        blobs = git.changed(since, commit, (INCIDENTS,))
    _put_blobs(git, catalogue, examine, [blob for blob in blobs if is_record(blob.path)])
    catalogue.set_header("commit", commit)
    if keep is not None:
        keep.save(catalogue.to_bytes())
    return catalogue


def _kept(git: Repository, fingerprint: str, keep: Keep | None) -> tuple[Catalogue, str] | None:
    content = keep.load() if keep is not None else None
    if content is None:
        return None
    catalogue = Catalogue(content)
    since = catalogue.header("commit")
    if since is None or catalogue.header("fingerprint") != fingerprint or not git.knows(since):
        return None
    return catalogue, since


def _put_blobs(git: Repository, catalogue: Catalogue, examine: Examine, blobs: list[Blob]) -> None:
    present = [blob for blob in blobs if blob.id and blob.regular]
    for blob, raw in zip(present, git.read(blob.id for blob in present), strict=True):
        catalogue.put(_examined(examine, blob.path, blob.id, raw))
    for blob in blobs:
        if not blob.id:
            catalogue.drop(blob.path)
        elif not blob.regular:
            catalogue.put(examine(blob.path, blob.id, not_regular(blob.path, "no plain file")))


def _put_files(store: Store, catalogue: Catalogue, examine: Examine, paths: Iterable[str]) -> None:
    for path in paths:
        raw = store.read(path)
        if raw is None:
            catalogue.drop(path)
        else:
            catalogue.put(_examined(examine, path, "", raw))


def _examined(examine: Examine, path: str, blob: str, raw: Raw) -> Row:
    if not path.endswith("/incident.yaml") or path.count("/") != 2:
        folder = path.split("/")[1].rsplit(".", 1)[0] if path.count("/") == 1 else path.split("/")[1]
        raw = fault("file", path, "this is not where a record lies", f"rename it to {record_path(folder)}")
    return examine(path, blob, raw)


def _walk(root: Path) -> Iterator[str]:
    for name in list_folder(root, INCIDENTS):
        yield from _records_in(root, name)


def _records_in(root: Path, name: str) -> Iterator[str]:
    if is_record(f"{INCIDENTS}/{name}"):
        yield f"{INCIDENTS}/{name}"
        return
    yield from (
        path for file in list_folder(root, f"{INCIDENTS}/{name}") if is_record(path := f"{INCIDENTS}/{name}/{file}")
    )


def _untracked(root: Path, catalogue: Catalogue) -> Iterator[str]:
    unknown = {f"{INCIDENTS}/{name}/incident.yaml" for name in list_folder(root, INCIDENTS)}
    for path in catalogue.paths():
        unknown.discard(path)
    for path in sorted(unknown):
        yield from (found for found in _records_in(root, path.split("/")[1]) if not catalogue.has(found))
