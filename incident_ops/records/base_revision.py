"""What changed since a base revision: the files, and every changed record as it was and as it is.

The base is where the two histories diverged, so what others have merged since does not count as a change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from incident_ops.domain.incident import Incident
from incident_ops.domain.ports import Blob, Repository
from incident_ops.domain.record import Record, blocks
from incident_ops.errors import UserError
from incident_ops.records.index import to_record
from incident_ops.records.schema import check_document
from incident_ops.records.store import (
    INCIDENTS,
    KIND_OF_FOLDER,
    SETTINGS_FILES,
    Raw,
    Store,
    is_record,
    not_regular,
    record_path,
    spelled_path,
)
from incident_ops.records.yaml_reader import Document, read_bytes

_COMPARED = (INCIDENTS, *SETTINGS_FILES, *KIND_OF_FOLDER, "schemas")


@dataclass(frozen=True)
class Base:
    """Changed files by path as they were at `commit` and as they are; a path is missing where there was or is none.

    `tip` is the revision that was asked for: the default branch as it is now.
    """

    git: Repository
    commit: str
    tip: str
    before: Mapping[str, Raw]
    after: Mapping[str, Raw]
    has_records: bool

    @cached_property
    def changed(self) -> frozenset[str]:
        """Every path that differs."""
        return frozenset(self.before) | frozenset(self.after)

    @property
    def settings_changed(self) -> bool:
        """True where policy or services changed: every record may get other findings now."""
        return not self.changed.isdisjoint(SETTINGS_FILES)

    @cached_property
    def merged(self) -> dict[str, Record]:
        """Changed records as they were merged, by path; of one that was broken then, its last readable version."""
        records = {}
        for path, raw in self.before.items():
            if is_record(path):
                record = _record(path, raw) or self._last_readable(path)
                if record is not None:
                    records[path] = record
        return records

    @cached_property
    def current(self) -> dict[str, Record]:
        """Changed records as they are, by path; a broken one is left out."""
        read = ((path, _record(path, raw)) for path, raw in self.after.items() if is_record(path))
        return {path: record for path, record in read if record is not None}

    def pairs(self) -> Iterator[tuple[Record, Record | None]]:
        """Every merged record with what became of it, found by its id and then by its file; None: it is gone.

        A record that is there but broken is left out: reading it gives a finding of its own.
        """
        by_id: dict[str, Record] = {}
        for record in self.current.values():
            by_id.setdefault(record.incident.id, record)
        for path, was in self.merged.items():
            here = self.current.get(path)
            if here is None or here.incident.id != was.incident.id:
                here = by_id.get(was.incident.id, here)
            if here is not None or path not in self.after:
                yield was, here

    def renamed(self, was: Record) -> Record | None:
        """The new record of the same incident under another id; None where there is none.

        It was declared at the same instant and has the same title or an entry of the same timeline.
        """
        merged = {record.incident.id for record in self.merged.values()}
        for path, record in self.current.items():
            is_new = path not in self.before and record.incident.id not in merged
            if is_new and same_incident(record.incident, was.incident):
                return record
        return None

    def added(self) -> Iterator[Record]:
        """Every record whose id no merged record has, as far as it can be read."""
        merged = {record.incident.id for record in self.merged.values()}
        for path, record in self.current.items():
            if path not in self.before and record.incident.id not in merged:
                yield record

    def deleted_before(self, record: Record) -> tuple[Record, str] | None:
        """The record of the same id that the default branch once had, and the commit that deleted it; None where there
        was none, and where a shallow clone does not say."""
        commits = [*self.git.history(record_path(record.incident.id), self.commit)]
        was = self._last_readable(record_path(record.incident.id)) if commits else None
        return (was, commits[0]) if was else None

    def touches(self, path: str, line: int) -> bool:
        """True where this line of a file is not as it was."""
        if path not in self.changed:
            return False
        lines = self._lines.get(path)
        if lines is None:
            lines = self._lines[path] = _new_lines(_text(self.before.get(path)), _text(self.after.get(path)))
        return line in lines

    @cached_property
    def _lines(self) -> dict[str, frozenset[int]]:
        return {}

    def _last_readable(self, path: str) -> Record | None:
        for commit in self.git.history(path, self.commit):
            raw = self.git.read_path(commit, path)
            if raw is not None and (record := _record(path, raw)) is not None:
                return record
        return None


def changes_since(store: Store, revision: str, present: Collection[str]) -> Base:
    """What differs from where `revision` and the store diverged; `present` are the files there are now.

    UserError without git, for a revision that is not there, and where nothing is shared (fetch-depth).
    """
    git, commit = _git_of(store), base_commit(store, revision)
    tip = git.resolve(revision)
    tree = {blob.path: blob for blob in git.tree(commit, _COMPARED)}
    has_records = any(map(is_record, tree))
    if store.revision:
        differing = {blob.path: blob for blob in git.changed(commit, store.revision, _COMPARED)}
        before, after = map(_spelled, _read(git, tree, differing))
        return Base(git, commit, tip, before, after, has_records)
    paths = {*git.edited(commit, _COMPARED)(), *(path for path in present if path not in tree)}
    before, _ = _read(git, tree, dict.fromkeys(paths))
    now = {path: store.read(path) for path in sorted(paths)}
    # what is there but cannot be read by its printed name is new all the same
    now |= {path: not_regular(path) for path in present if path in now and path not in tree and now[path] is None}
    same = {path for path in before if before[path] == now[path]}
    after = {path: raw for path, raw in now.items() if raw is not None and path not in same}
    before = {path: raw for path, raw in before.items() if path not in same}
    return Base(git, commit, tip, _spelled(before), _spelled(after), has_records)


def base_commit(store: Store, revision: str) -> str:
    """The commit where `revision` and the store diverged. UserError as `changes_since`."""
    git, head = _git_of(store), store.commit
    if head is None:
        raise UserError("there is no commit yet, so there is nothing to compare with", hint="leave out --base")
    return git.merge_base(revision, head)


def _git_of(store: Store) -> Repository:
    if store.git is None:
        raise UserError("this is not a git repository, so there is nothing to compare with", hint="leave out --base")
    return store.git


def _spelled(side: Mapping[str, Raw]) -> dict[str, Raw]:
    return {spelled_path(path): raw for path, raw in side.items()}


def _read(
    git: Repository, tree: Mapping[str, Blob], differing: Mapping[str, Blob | None]
) -> tuple[dict[str, Raw], dict[str, Raw]]:
    """Both sides of the paths that differ, through one process; a side that is None is left out."""
    sides = [{path: tree[path] for path in sorted(differing) if path in tree}]
    sides.append({path: blob for path, blob in sorted(differing.items()) if blob is not None and blob.id})
    contents = git.read(blob.id for side in sides for blob in side.values() if blob.regular)
    before, after = (
        {path: next(contents) if blob.regular else not_regular(path) for path, blob in side.items()} for side in sides
    )
    return before, after


def _record(path: str, raw: Raw) -> Record | None:
    document = read_bytes(raw, path) if isinstance(raw, bytes) else None
    if not isinstance(document, Document) or check_document(document, "incident"):
        return None
    return to_record(path, document.data)


def same_incident(first: Incident, second: Incident) -> bool:
    """True where both were declared at the same time and have the same title or an entry of the same timeline."""
    alike = first.title == second.title or any(entry in second.timeline for entry in first.timeline)
    return alike and first.times.declared == second.times.declared


def _text(raw: Raw | None) -> list[str]:
    return raw.decode("utf-8", "replace").split("\n") if isinstance(raw, bytes) else []


def _new_lines(was: list[str], now: list[str]) -> frozenset[int]:
    return frozenset(place + 1 for block in blocks(was, now) if not block.same for place in block.now)
