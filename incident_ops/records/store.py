"""Finding and loading records: the work tree as it is, or any revision without checking it out.

`load` gives the index of all incident records. Between runs it may be kept (a `Keep`): then only what changed since
the kept commit is read again. What is kept is signed and tied to the program, the policy and the commit, so losing it
or tampering with it costs time, never a result.

The files of a work tree: read without following links, listed without surprises.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from incident_ops.domain.ports import Blob, Repository
from incident_ops.domain.record import is_incident_id
from incident_ops.errors import Incomplete
from incident_ops.findings import Finding
from incident_ops.records.file_findings import fault
from incident_ops.records.index import IndexEntry, RecordIndex
from incident_ops.records.near_names import HOLDING_FOLDERS, contained_folder, looks_like, meant_folder
from incident_ops.records.yaml_reader import MAX_BYTES

INCIDENTS = "incidents"
SETTINGS_FILES = ("policy.yaml", "services.yaml")
KIND_OF_FOLDER = {
    "maintenance": "maintenance",
    "problems": "problem",
    "freezes": "freeze",
    "gates": "gate",
    "oncall": "oncall",
}
"""Folder -> kind of the other records in it."""
_SUFFIXES = (".yaml", ".yml", ".json")
_RECORD_NAMES = tuple(f"incident{suffix}" for suffix in _SUFFIXES)
_BESIDE = (*SETTINGS_FILES, *KIND_OF_FOLDER, "schemas")

Raw = bytes | Finding
CheckRecord = Callable[[str, str, Raw], IndexEntry]
"""(path, blob id, content or why there is none) -> the record's entry."""


class IndexCache(Protocol):
    """Where an index is kept between runs."""

    def load(self) -> bytes | None:
        """What was kept, or None where nothing trustworthy is there."""

    def save(self, content: bytes) -> None:
        """Keeps it if possible; a failure is not an error."""


@dataclass(frozen=True)
class Store:
    """The records below `root`: of the work tree, or of `revision` (a commit id) where that is set."""

    root: Path
    git: Repository | None
    revision: str | None = None
    _early: list[Callable[[], list[str]]] = field(default_factory=list, init=False, repr=False, compare=False)

    def compare_early(self) -> None:
        """Lets git compare the work tree with its commit beside other work, for the index that is loaded next.

        For a command that begins with this and writes no record before it loads them.
        """
        if self.git and self.commit and not self.revision and not self._early:
            self._early.append(self.git.edited(self.commit, (INCIDENTS,)))

    def comparison(self) -> Callable[[], list[str]] | None:
        """What waits for the paths of records that differ from the commit: as begun early, or else begun now; None for
        the records of a revision, or without one."""
        if self._early:
            return self._early.pop()
        return self.git.edited(self.commit, (INCIDENTS,)) if self.git and self.commit and not self.revision else None

    @property
    def commit(self) -> str | None:
        """The commit these records are or rest on; None outside git and before the first commit."""
        return self.revision or (self.git.head if self.git else None)

    def read(self, path: str) -> Raw | None:
        """The content of a file, None where there is none."""
        if not self.revision or not self.git:
            return read_regular(self.root, path)
        beside = path.split("/")[0] in _BESIDE
        known = self._beside if beside else _by_path(self.git.tree(self.revision, (path,)))
        blob = known.get(path)
        if blob is None:
            return None
        return next(self.git.read((blob.id,))) if blob.regular else not_regular(path)

    @cached_property
    def _beside(self) -> dict[str, Blob]:
        """The files of a revision that are no incidents, so that asking for each of them costs no process."""
        return _by_path(self.git.tree(self.revision, _BESIDE)) if self.git and self.revision else {}

    def others(self) -> list[tuple[str, str]]:
        """(path, kind) of every record that is not an incident, in order; a link in place of a folder is one of them,
        so that reading it says why nothing in it counts."""
        if self.revision and self.git:
            found = [path for path in self._beside if _is_other(path)]
        else:
            found = [path for folder in KIND_OF_FOLDER for path in _others_below(self.root, folder)]
        meant = (path for path in sorted(found) if not _has_no_suffix(path) or self._holds(path.split("/")[0], path))
        return [(path, KIND_OF_FOLDER[path.split("/")[0]]) for path in meant]

    def near_names(self) -> list[Finding]:
        """A finding for each file or folder beside ours that was surely meant to be one: nothing in it counts."""
        if self.revision and self.git:
            tops = self.git.top(self.revision)
        else:
            tops = {name: is_folder(self.root, name) for name in sorted(names_in(self.root, "."))}
        near = {name: meant for name, is_dir in tops.items() if (meant := self._meant(name, is_dir=is_dir))}
        return [
            fault(
                "near-name", name, f"nothing in {name} counts", f"records lie in the folder {meant}/: move them there"
            )
            for name, meant in near.items()
        ]

    def _meant(self, name: str, *, is_dir: bool) -> str | None:
        """The folder that a name was meant to be: a folder of that spelling with such files at any depth, or one whose
        name has it as a word, and whose files have the keys of such records."""
        meant = meant_folder(name, is_dir=is_dir)
        if meant is not None:
            return meant if not is_dir or any(self._yaml_below(name)) else None
        other = contained_folder(name) if is_dir else None
        return other if other and any(self._holds(other, path) for path in self._yaml_below(name)) else None

    def _yaml_below(self, folder: str) -> Iterator[str]:
        return (path for path in self.paths_below(folder) if path.lower().endswith(_SUFFIXES))

    def paths_below(self, folder: str) -> list[str]:
        """The path of every file below a folder, at any depth; a link is one of them and is not followed."""
        if self.revision and self.git:
            return [blob.path for blob in self.git.tree(self.revision, (folder,))]
        return list(_files_below(self.root, folder))

    def _holds(self, folder: str, path: str) -> bool:
        """Whether a file of any name has the keys of a record of that folder; one that cannot be read may have them."""
        raw = self.read(path)
        return raw is not None and (not isinstance(raw, bytes) or looks_like(folder, raw))


def _by_path(blobs: Iterable[Blob]) -> dict[str, Blob]:
    return {blob.path: blob for blob in blobs}


def record_path(incident_id: str) -> str:
    """Where the record of an id lies."""
    return f"{INCIDENTS}/{incident_id}/incident.yaml"


def is_record(path: str) -> bool:
    """True for `incidents/<id>/incident.yaml`, and for what was surely meant to be one (it gets a finding)."""
    parts = path.split("/")
    if parts[0] != INCIDENTS:
        return False
    if len(parts) > 2 and (parts[-1] == "incident.yaml" or parts[-1].lower() in _RECORD_NAMES):
        return True
    if len(parts) < 2:
        return False
    stem, _, suffix = parts[-1].rpartition(".")
    if len(parts) > 2:  # named after its id: beside the folders of others, or in its own
        is_beside = not any(map(is_incident_id, parts[1:-1]))
        suffixes = ("yaml", "yml", "json") if is_beside else ("yaml", "yml")
        return (is_beside or parts[-2] == stem) and suffix.lower() in suffixes and is_incident_id(stem)
    return suffix.lower() in ("yaml", "yml") or (suffix.lower() == "json" and is_incident_id(stem))


def other_folder(path: str) -> str:
    """The folder of a record that is not an incident, or ""; what holds deploys may lie deeper, and a name without a
    suffix may be a record of it, or a link to a folder."""
    folder, _, name = path.partition("/")
    if folder not in KIND_OF_FOLDER or ("/" in name and folder not in HOLDING_FOLDERS):
        return ""
    may_hold = folder in HOLDING_FOLDERS and _has_no_suffix(path)
    suffixes = _SUFFIXES if folder in HOLDING_FOLDERS else _SUFFIXES[:2]
    return folder if name and (may_hold or name.lower().endswith(suffixes)) else ""


def _others_below(root: Path, folder: str) -> Iterator[str]:
    return (path for path in _files_below(root, folder) if _is_other(path))


def _is_other(path: str) -> bool:
    return path in KIND_OF_FOLDER or bool(other_folder(path))


def _has_no_suffix(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return bool(folder) and "." not in name


def _files_below(root: Path, path: str) -> Iterator[str]:
    """Everything below a folder but the folders; a link is not followed. A path that is a file is itself all."""
    if is_link(root, path) or not is_folder(root, path):
        yield from [path] if os.path.lexists(f"{root}/{path}") else []
        return
    for name in list_folder(root, path):
        yield from _files_below(root, f"{path}/{name}")


def is_folder(root: Path, path: str) -> bool:
    """True where this path below `root` is a folder; one that may not be looked at counts, for listing it says why."""
    try:
        return stat.S_ISDIR(os.lstat(f"{root}/{path}").st_mode)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def load_index(store: Store, examine: CheckRecord, fingerprint: str, keep: IndexCache | None = None) -> RecordIndex:
    """The index of every incident record. `fingerprint` names all that an entry depends on but its own file."""
    if store.git is None or store.commit is None:
        index = RecordIndex()
        _put_files(store, index, examine, _walk(store.root))
        return index
    edited_paths = store.comparison()
    index = _committed(store.git, store.commit, examine, fingerprint, keep)
    if edited_paths is not None:
        is_linked = is_link(store.root, INCIDENTS)
        listed = {INCIDENTS} if is_linked else names_in(store.root, INCIDENTS)  # both while git compares
        known = frozenset(index.names())
        if paths := edited_paths():
            _put_files(store, index, examine, (path for path in paths if is_record(path) or _may_be_link(path)))
            known = frozenset(index.names())
        found = listed if is_linked else _records_named(store.root, listed - known)
        _put_files(store, index, examine, [path for path in found if not index.has(spelled_path(path))])
    return index


def load_some(store: Store, examine: CheckRecord, paths: Iterable[str]) -> RecordIndex:
    """An index of `paths` and of what their links and ids lead to, without reading the rest."""
    index, todo = RecordIndex(), list(paths)
    while todo:
        path = todo.pop()
        if index.has(spelled_path(path)) or (raw := store.read(path)) is None:
            continue
        row = _examined(examine, path, "", raw)
        index.put(row)
        todo += [record_path(link.target) for link in row.links if link.kind != "problem"]
        if row.id is not None:
            todo.append(record_path(row.id))
    return index


def _committed(
    git: Repository, commit: str, examine: CheckRecord, fingerprint: str, keep: IndexCache | None
) -> RecordIndex:
    fingerprint = f"{fingerprint} {git.prefix}"
    kept = _kept(git, fingerprint, commit, keep)
    if kept is None:
        index, blobs = RecordIndex(), list(git.tree(commit, (INCIDENTS,)))
        index.set_header("fingerprint", fingerprint)
    else:
        index, blobs = kept
        if index.header("commit") == commit:
            return index
    _put_blobs(git, index, examine, [blob for blob in blobs if is_record(blob.path) or _may_be_link(blob.path)])
    index.set_header("commit", commit)
    if keep is not None:
        keep.save(index.to_bytes())
    return index


def _kept(
    git: Repository, fingerprint: str, commit: str, keep: IndexCache | None
) -> tuple[RecordIndex, list[Blob]] | None:
    """The kept index and what has changed since, or None where it cannot serve."""
    content = keep.load() if keep is not None else None
    if content is None:
        return None
    index = RecordIndex(content)
    since = index.header("commit")
    if since is None or index.header("fingerprint") != fingerprint or not git.knows(since):
        return None
    try:
        return index, [] if since == commit else list(git.changed(since, commit, (INCIDENTS,)))
    except Incomplete:
        return None  # the old commit is there, but not all of its trees: read everything again


def _may_be_link(path: str) -> bool:
    """True where a folder of records should be, but a link or a submodule may be instead."""
    parts = path.split("/")
    return parts[0] == INCIDENTS and (len(parts) <= 2 or not any(map(is_incident_id, parts[1:-1])))


def _put_blobs(git: Repository, index: RecordIndex, examine: CheckRecord, blobs: list[Blob]) -> None:
    present = [blob for blob in blobs if blob.id and blob.regular and is_record(blob.path)]
    for blob, raw in zip(present, git.read(blob.id for blob in present), strict=True):
        index.put(_examined(examine, blob.path, blob.id, raw))
    for blob in blobs:
        if not blob.id or (blob.regular and not is_record(blob.path)):
            index.drop(spelled_path(blob.path))
        elif not blob.regular:
            index.put(_examined(examine, blob.path, blob.id, not_regular(blob.path)))


def _put_files(store: Store, index: RecordIndex, examine: CheckRecord, paths: Iterable[str]) -> None:
    for path in paths:
        raw = store.read(path)
        if raw is None or (isinstance(raw, bytes) and not is_record(path)):
            index.drop(spelled_path(path))
        else:
            index.put(_examined(examine, path, "", raw))


def _examined(examine: CheckRecord, path: str, blob: str, raw: Raw) -> IndexEntry:
    if path != (printable_path := spelled_path(path)):
        path, raw = (
            printable_path,
            fault("encoding", printable_path, "the path is not UTF-8 text", "rename the file or its folder"),
        )
    elif isinstance(raw, bytes) and (not path.endswith("/incident.yaml") or path.count("/") < 2):
        folder, _, name = path.rpartition("/")
        stem = name.rsplit(".", 1)[0]
        is_beside = folder == INCIDENTS or (is_incident_id(stem) and folder.rpartition("/")[2] != stem)
        wanted = f"{folder}/{stem}/incident.yaml" if is_beside else f"{folder}/incident.yaml"
        raw = fault("file", path, "a record does not belong here", f"rename it to {wanted}")
    return examine(path, blob, raw)


def spelled_path(path: str) -> str:
    """A path as text that can be kept and printed; bytes that are no UTF-8 as `\\xff`."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _walk(root: Path) -> Iterator[str]:
    return _records_in(root, INCIDENTS)


def _records_in(root: Path, folder: str) -> Iterator[str]:
    """The records of a folder and of those in it, down to folders that bear an id; links are not followed."""
    if is_record(folder) or is_link(root, folder):
        yield folder
        return
    is_own = is_incident_id(folder.rpartition("/")[2])
    try:
        names = list_folder(root, folder)
    except Incomplete:
        if not is_own:
            raise
        names = ["incident.yaml"]  # reading it gives the finding
    for path in (f"{folder}/{name}" for name in names):
        if is_record(path):
            yield path
        elif not is_own and (is_link(root, path) or is_folder(root, path)):
            yield from _records_in(root, path)


def records_beside(root: Path, known: Collection[str]) -> Iterator[str]:
    """The records of a work tree that are in none of the folders `known`, each right below the folder of records."""
    if is_link(root, INCIDENTS):
        yield INCIDENTS
        return
    yield from _records_named(root, names_in(root, INCIDENTS).difference(known))


def _records_named(root: Path, names: Iterable[str]) -> Iterator[str]:
    """The records in folders of these names, each right below the folder of records."""
    for name in sorted(names):
        path = f"{INCIDENTS}/{name}"
        if is_record(path) or is_link(root, path) or is_folder(root, path):
            yield from _records_in(root, path)


_FLAGS = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
_AS_IT_IS = os.O_RDONLY | sum(getattr(os, name, 0) for name in _FLAGS)
"""A file's bytes, of no link, without waiting; of these no system has all."""


def read_regular(root: Path, path: str) -> bytes | Finding | None:
    """The bytes of a plain file below `root`; None where there is none; a finding where it may not be read."""
    end = path.find("/")
    while end != -1:
        if is_link(root, path[:end]):
            return not_regular(path)
        end = path.find("/", end + 1)
    if not hasattr(os, "O_NOFOLLOW") and is_link(root, path):
        return not_regular(path)
    try:
        handle = os.open(f"{root}/{path}", _AS_IT_IS)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return not_regular(path)
        return _unreadable(path, error)
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISREG(mode):
            return _content(handle)
        return None if stat.S_ISDIR(mode) else not_regular(path)
    except OSError as error:
        return _unreadable(path, error)
    finally:
        os.close(handle)


def _content(handle: int) -> bytes:
    content = os.read(handle, MAX_BYTES + 1)
    while content and len(content) <= MAX_BYTES and (more := os.read(handle, MAX_BYTES + 1 - len(content))):
        content += more
    return content


def _unreadable(path: str, error: OSError) -> Finding:
    return fault("file", path, f"cannot be read: {os.strerror(error.errno or 0)}", "check its permissions")


def not_regular(path: str) -> Finding:
    """The finding for what is not a regular file, the same for a work tree and for a commit."""
    return fault("file", path, "is not a regular file", "replace it with a regular file; links are not followed")


def is_link(root: Path, path: str) -> bool:
    """True where this path below `root` is a symbolic link."""
    try:
        return stat.S_ISLNK(os.lstat(f"{root}/{path}").st_mode)
    except OSError:
        return False  # reading or listing it gives the finding


def list_folder(root: Path, folder: str) -> list[str]:
    """Names in a folder below `root`, in order; empty where there is none. Incomplete where it may not be listed."""
    return sorted(names_in(root, folder))


def names_in(root: Path, folder: str) -> set[str]:
    """The same in no order, which of very many costs more than the listing."""
    try:
        return set(os.listdir(f"{root}/{folder}"))  # noqa: PTH208 - of a hundred thousand, twice as fast
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        hint = "check its permissions"
        raise Incomplete(
            f"the folder cannot be listed: {os.strerror(error.errno or 0)}", where=folder, hint=hint
        ) from error
