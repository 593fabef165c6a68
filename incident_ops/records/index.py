"""The table of all incident records: where each is, what was found in it, where its links lead.

An in-memory SQLite database, so that questions over 100,000 records (ids given twice, links that lead nowhere) cost
what their answer costs, and so that it can be kept between runs as bytes. It holds nothing that depends on the clock.
"""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from incident_ops.domain.incident import Incident
from incident_ops.domain.issue_places import IssuePlace
from incident_ops.domain.record import IdClash, Link, Record, SettledRecords, Silence, Unread
from incident_ops.findings import Finding, Level, Where
from incident_ops.records.file_findings import fault, line_and_message

_TABLES = """
CREATE TABLE header (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE record (
    key TEXT NOT NULL UNIQUE, blob BLOB, id TEXT, live INT, latest INT, findings TEXT, data BLOB, silences TEXT
);
CREATE INDEX by_id ON record (id) WHERE id IS NOT NULL;
CREATE INDEX by_life ON record (live) WHERE live > 0;
CREATE INDEX by_latest ON record (latest);
CREATE INDEX by_finding ON record (key) WHERE findings IS NOT NULL;
CREATE INDEX by_silence ON record (key) WHERE silences IS NOT NULL;
CREATE TABLE link (key TEXT, kind TEXT, source TEXT, target TEXT, route TEXT);
CREATE INDEX link_key ON link (key);
CREATE TABLE issue (key TEXT, number INT, repository TEXT);
CREATE INDEX issue_key ON issue (key);
CREATE INDEX issue_number ON issue (number);
"""
_HEAD, _TAIL = "incidents/", "/incident.yaml"
"""The parts of every record's path; only what is between them, the `key`, is stored: else an index is mostly paths."""
_NAMELESS = b""
"""The `id` of a record without one: equal to no text. An id that equals the folder's name is not stored (NULL)."""
UNREADABLE = 2


class IndexEntry(NamedTuple):
    """One record's entry.

    `live`: 0 settled, 1 live (its `data` is kept), 2 not readable. `latest`: the last instant in it, seconds of the
    epoch. `findings`: those that do not depend on the clock, with their positions. `issues`: those that a settled
    record names.
    """

    path: str
    blob: str
    id: str | None
    live: int
    latest: int
    findings: list[Finding]
    data: dict[str, Any] | None
    links: list[Link]
    silences: Sequence[Silence] = ()
    issues: Sequence[IssuePlace] = ()


class RecordIndex:
    """All records of one state of the repository, readable or not."""

    def __init__(self, content: bytes | None = None) -> None:
        """An empty index, or the one that `content` (from `to_bytes`) holds."""
        # the garbage collector may close it in another thread
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._db.close)
        if content is None:
            self._db.executescript(_TABLES)
        else:
            self._db.deserialize(content)
        self._db.execute("BEGIN")
        self._made: dict[str, Record] = {}  # by key: a command asks for what is live several times

    def to_bytes(self) -> bytes:
        """The whole index as bytes."""
        self._db.execute("COMMIT")
        content = self._db.serialize()
        self._db.execute("BEGIN")
        return content

    def header(self, name: str) -> str | None:
        """A value kept beside the records, e.g. the commit they were taken from."""
        row = self._db.execute("SELECT value FROM header WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set_header(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO header VALUES (?, ?)", (name, value))

    def put(self, row: IndexEntry) -> None:
        """Adds a record's entry, or replaces it."""
        key = _key(row.path)
        self._drop(key)
        findings = json.dumps([_pack(finding) for finding in row.findings]) if row.findings else None
        data = msgspec.msgpack.encode(row.data) if row.data is not None else None
        is_named_by_folder = row.id is not None and row.path == f"{_HEAD}{row.id}{_TAIL}"
        name = None if is_named_by_folder else row.id or _NAMELESS
        silences = json.dumps(row.silences) if row.silences else None
        values = (key, bytes.fromhex(row.blob), name, row.live, row.latest, findings, data, silences)
        self._db.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        if row.links:
            packed = [
                (_key(link.path), link.kind, link.source, link.target, json.dumps(link.route)) for link in row.links
            ]
            self._db.executemany("INSERT INTO link VALUES (?, ?, ?, ?, ?)", packed)
        issues = [(key, place.number, place.repository.casefold()) for place in row.issues]
        self._db.executemany("INSERT INTO issue VALUES (?, ?, ?)", issues)

    def drop(self, path: str) -> None:
        """Removes a record's entry where there is one."""
        self._drop(_key(path))

    def _drop(self, key: str) -> None:
        self._made.pop(key, None)
        self._db.execute("DELETE FROM record WHERE key = ?", (key,))
        self._db.execute("DELETE FROM link WHERE key = ?", (key,))
        self._db.execute("DELETE FROM issue WHERE key = ?", (key,))

    def leave_out(self, unread: Unread) -> bool:
        """From now on this record counts as one that could not be read; False where it does already, or is unknown."""
        key, finding = _key(unread.path), fault("calculation", unread.path, unread.reason)
        self._made.pop(key, None)
        self._db.execute("DELETE FROM issue WHERE key = ?", (key,))
        question = "UPDATE record SET live = ?, findings = ?, data = NULL WHERE key = ? AND live <> ?"
        values = (UNREADABLE, json.dumps([_pack(finding)]), key, UNREADABLE)
        return self._db.execute(question, values).rowcount > 0

    def count(self) -> int:
        """How many records there are, readable or not."""
        return self._number("SELECT count(*) FROM record")

    def has(self, path: str) -> bool:
        """True where this path has an entry."""
        return self._db.execute("SELECT 1 FROM record WHERE key = ?", (_key(path),)).fetchone() is not None

    def paths(self) -> Iterator[str]:
        """Every path, in order."""
        return (_path(key) for (key,) in self._db.execute("SELECT key FROM record ORDER BY key"))

    def uncommitted(self) -> list[str]:
        """The paths of records that were read from the work tree, as no commit has them, in order."""
        return [_path(key) for (key,) in self._db.execute("SELECT key FROM record WHERE blob = x'' ORDER BY key")]

    def names(self) -> list[str]:
        """The folders of records, and all else that has an entry right below `incidents`, in no order."""
        question = "SELECT group_concat(rtrim(key, '/'), '/') FROM record WHERE instr(key, '/') IN (0, length(key))"
        joined: str | None = self._db.execute(question).fetchone()[0]  # a hundred thousand rows take ten times as long
        return joined.split("/") if joined else []

    def findings(self) -> Iterator[Finding]:
        """Every finding that does not depend on the clock."""
        rows = self._db.execute("SELECT key, findings FROM record WHERE findings IS NOT NULL ORDER BY key")
        for key, packed in rows:
            path = _path(key)
            yield from (_unpack(path, finding) for finding in json.loads(packed))

    def silences(self) -> list[Silence]:
        """Every comment that silences a rule."""
        rows = self._db.execute("SELECT silences FROM record WHERE silences IS NOT NULL ORDER BY key")
        return [
            Silence(path, line, column, on, tuple(names), reason)
            for (packed,) in rows
            for path, line, column, on, names, reason in json.loads(packed)
        ]

    def unreadable(self) -> list[Unread]:
        """Every record that could not be read or does not fit the schema, with its first finding."""
        rows = self._db.execute("SELECT key, findings FROM record WHERE live = ? ORDER BY key", (UNREADABLE,))
        firsts = (_unpack(_path(key), json.loads(packed)[0]) for key, packed in rows)
        return [Unread(finding.where.file, line_and_message(finding)) for finding in firsts]

    def live(self) -> Iterator[Record]:
        """The records that are not settled, by path."""
        for key, data in self._db.execute("SELECT key, data FROM record WHERE live = 1 ORDER BY key"):
            yield self._record(key, data)

    def _record(self, key: str, data: bytes) -> Record:
        """A kept record, which nobody changes: the same value whenever it is asked for."""
        if (made := self._made.get(key)) is None:
            made = self._made[key] = to_record(_path(key), msgspec.msgpack.decode(data))
        return made

    def entries(self, paths: Collection[str] | None = None) -> list[tuple[str, str, Record | None]]:
        """Of readable records, all or those at `paths`: path, blob id, the record where its data is kept; by path."""
        question = "SELECT key, blob, data FROM record WHERE live <> ?"
        rows: Iterable[Any]
        if paths is None:
            rows = self._db.execute(f"{question} ORDER BY key", (UNREADABLE,))
        else:
            keys = sorted(map(_key, paths))
            rows = (row for key in keys for row in self._db.execute(f"{question} AND key = ?", (UNREADABLE, key)))
        return [(_path(key), blob.hex(), self._record(key, data) if data else None) for key, blob, data in rows]

    def settled_after(self, epoch: int) -> list[str]:
        """Paths of settled records that name an instant after `epoch` (seconds)."""
        rows = self._db.execute("SELECT key FROM record WHERE latest > ? AND live = 0 ORDER BY key", (epoch,))
        return [_path(key) for (key,) in rows]

    def naming(self, number: int, names: Collection[str]) -> list[str]:
        """Paths of the settled records that name the issue of this number in the repository of these names.

        "" is a name of the one with the tracking issues; the others are case-folded.
        """
        question = "SELECT DISTINCT key, repository FROM issue WHERE number = ?"
        return [_path(key) for key, repository in self._db.execute(question, (number,)) if repository in names]

    def settled_beside(self, paths: Collection[str], names: Collection[str]) -> SettledRecords:
        """How many settled records there are beside those at `paths`; of their issues those in the repository of these
        names, as above."""
        live = self._number("SELECT count(*) FROM record WHERE live > 0")
        keys = [*map(_key, paths)]
        named = sum(self._number("SELECT count(*) FROM record WHERE key = ? AND live = 0", key) for key in keys)
        numbers = sum(self._number("SELECT count(*) FROM issue WHERE repository = ?", name) for name in names)
        of_key = "SELECT count(*) FROM issue WHERE key = ? AND repository = ?"
        read = sum(self._number(of_key, key, name) for key in keys for name in names)
        return SettledRecords(self.count() - live - named, numbers - read)

    def _number(self, question: str, *values: str) -> int:
        number: int = self._db.execute(question, values).fetchone()[0]
        return number

    def paths_of(self, incident_id: str) -> list[str]:
        """The paths of all records with this id."""
        return list(self._paths_of(incident_id))

    def path_of(self, incident_id: str) -> str | None:
        """The path of the record with this id, or None."""
        return next(self._paths_of(incident_id), None)

    def _paths_of(self, incident_id: str) -> Iterator[str]:
        question = (
            "SELECT key FROM record WHERE key = ? || '/' AND id IS NULL UNION ALL SELECT key FROM record WHERE id = ?"
            " ORDER BY key"
        )
        return (_path(key) for (key,) in self._db.execute(question, (incident_id, incident_id)))

    def ids(self) -> Iterator[str]:
        """Every id, in order."""
        question = "SELECT ifnull(id, rtrim(key, '/')) AS name FROM record WHERE id IS NOT ? ORDER BY name"
        return (row[0] for row in self._db.execute(question, (_NAMELESS,)))

    def clashes(self) -> tuple[IdClash, ...]:
        """Ids of more than one record, each with a free id."""
        # of two records with one id at least one lies in another folder
        rows = self._db.execute(
            "SELECT DISTINCT id FROM record WHERE id IS NOT NULL AND id <> ? ORDER BY id", (_NAMELESS,)
        )
        shared_ids = ((name, tuple(self._paths_of(name))) for (name,) in rows.fetchall())
        return tuple(IdClash(name, paths, self._next_free(name)) for name, paths in shared_ids if len(paths) > 1)

    def _next_free(self, name: str) -> str:
        head, _, number = name.rpartition("-")
        value = int(number)
        while True:
            value += 1
            candidate = f"{head}-{value:0{len(number)}d}"
            if self.path_of(candidate) is None:
                return candidate

    def dangling(self) -> tuple[Link, ...]:
        """Links to incidents that no record has."""
        return self._links(
            "SELECT key, source, kind, target, route FROM link WHERE kind <> 'problem'"
            " AND NOT EXISTS (SELECT 1 FROM record r WHERE r.key = link.target || '/' AND r.id IS NULL)"
            " AND NOT EXISTS (SELECT 1 FROM record r WHERE r.id = link.target) ORDER BY key, route"
        )

    def links(self) -> tuple[Link, ...]:
        """Every link between incidents."""
        return self._links(
            "SELECT key, source, kind, target, route FROM link WHERE kind <> 'problem' ORDER BY key, route"
        )

    def _links(self, question: str) -> tuple[Link, ...]:
        rows: Iterable[Any] = self._db.execute(question)
        return tuple(
            Link(_path(key), source, kind, target, tuple(json.loads(route)))
            for key, source, kind, target, route in rows
        )


def to_record(path: str, data: dict[str, Any]) -> Record:
    """Checked data -> the record it is. For JSON Schema 42.0 is an integer, so it is one here."""
    try:
        incident = msgspec.convert(data, Incident)
    except msgspec.ValidationError:
        incident = msgspec.convert(_whole(data), Incident)
    return Record(path, incident, data)


def _whole(data: Any) -> Any:
    """The same data with each number that is whole as an int."""
    if isinstance(data, dict):
        return {key: _whole(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_whole(value) for value in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data


def _key(path: str) -> str:
    """What of a path is kept: `INC-1/` for `incidents/INC-1/incident.yaml`, of any other what is below `incidents`."""
    below = path.removeprefix(_HEAD)
    if below == path:
        return f"/{path}"
    return below[: 1 - len(_TAIL)] if below.endswith(_TAIL) else below


def _path(key: str) -> str:
    """The path that a key was made of."""
    if key.endswith("/"):
        return f"{_HEAD}{key[:-1]}{_TAIL}"
    return key[1:] if key.startswith("/") else f"{_HEAD}{key}"


def _pack(finding: Finding) -> list[Any]:
    return [
        finding.rule,
        finding.level.value,
        list(finding.where.route),
        finding.where.line,
        finding.where.column,
        finding.message,
        finding.hint,
    ]


def _unpack(path: str, packed: list[Any]) -> Finding:
    rule, level, route, line, column, message, hint = packed
    return Finding(rule, Level(level), Where(path, tuple(route), line, column), message, hint)
