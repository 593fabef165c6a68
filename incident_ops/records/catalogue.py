"""The table of all incident records: where each is, what was found in it, where its links lead.

An in-memory SQLite database, so that questions over 100,000 records (ids given twice, links that lead nowhere) cost
what their answer costs, and so that it can be kept between runs as bytes. It holds nothing that depends on the clock.
"""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from incident_ops.findings import Finding, Level, Where
from incident_ops.model.incident import Incident
from incident_ops.model.record import Clash, Link, Record
from incident_ops.model.silence import Silence
from incident_ops.model.unread import Unread

_TABLES = """
CREATE TABLE header (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE record (
    path TEXT NOT NULL UNIQUE, blob BLOB, id TEXT, astray INT, live INT, latest INT, findings TEXT, data BLOB,
    silences TEXT
);
CREATE INDEX by_id ON record (id) WHERE id IS NOT NULL;
CREATE INDEX by_life ON record (live) WHERE live > 0;
CREATE INDEX by_latest ON record (latest);
CREATE INDEX by_finding ON record (path) WHERE findings IS NOT NULL;
CREATE INDEX by_silence ON record (path) WHERE silences IS NOT NULL;
CREATE INDEX by_astray ON record (id) WHERE astray = 1;
CREATE TABLE link (path TEXT, kind TEXT, source TEXT, target TEXT, route TEXT);
CREATE INDEX link_path ON link (path);
"""
UNREADABLE = 2


class Row(NamedTuple):
    """One record's entry.

    `live`: 0 settled, 1 live (its `data` is kept), 2 not readable. `latest`: the last instant in it, seconds of the
    epoch. `findings`: those that do not depend on the clock, with their positions.
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


class Catalogue:
    """All records of one state of the repository."""

    def __init__(self, content: bytes | None = None) -> None:
        """An empty catalogue, or the one that `content` (from `to_bytes`) holds."""
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        weakref.finalize(self, self._db.close)
        if content is None:
            self._db.executescript(_TABLES)
        else:
            self._db.deserialize(content)
        self._db.execute("BEGIN")

    def to_bytes(self) -> bytes:
        """The whole catalogue as bytes."""
        self._db.execute("COMMIT")
        content = self._db.serialize()
        self._db.execute("BEGIN")
        return content

    def header(self, name: str) -> str | None:
        """A value kept beside the records, e.g. the commit they were taken from."""
        found = self._db.execute("SELECT value FROM header WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def set_header(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO header VALUES (?, ?)", (name, value))

    def put(self, row: Row) -> None:
        """Adds a record's entry, or replaces it."""
        self.drop(row.path)
        findings = json.dumps([_pack(one) for one in row.findings]) if row.findings else None
        data = msgspec.msgpack.encode(row.data) if row.data is not None else None
        # only a record that does not lie in the folder of its id can have an id that another one has, too
        astray = int(row.path != f"incidents/{row.id}/incident.yaml")
        silences = json.dumps(row.silences) if row.silences else None
        values = (row.path, bytes.fromhex(row.blob), row.id, astray, row.live, row.latest, findings, data, silences)
        self._db.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        if row.links:
            packed = [(one.path, one.kind, one.source, one.target, json.dumps(one.route)) for one in row.links]
            self._db.executemany("INSERT INTO link VALUES (?, ?, ?, ?, ?)", packed)

    def drop(self, path: str) -> None:
        """Removes a record's entry where there is one."""
        self._db.execute("DELETE FROM record WHERE path = ?", (path,))
        self._db.execute("DELETE FROM link WHERE path = ?", (path,))

    def count(self) -> int:
        """How many records there are, readable or not."""
        counted: int = self._db.execute("SELECT count(*) FROM record").fetchone()[0]
        return counted

    def has(self, path: str) -> bool:
        """True where this path has an entry."""
        return self._db.execute("SELECT 1 FROM record WHERE path = ?", (path,)).fetchone() is not None

    def paths(self) -> Iterator[str]:
        """Every path, in order."""
        return (row[0] for row in self._db.execute("SELECT path FROM record ORDER BY path"))

    def findings(self) -> Iterator[Finding]:
        """Every finding that does not depend on the clock."""
        for path, packed in self._db.execute(
            "SELECT path, findings FROM record WHERE findings IS NOT NULL ORDER BY path"
        ):
            yield from (_unpack(path, one) for one in json.loads(packed))

    def silences(self) -> list[Silence]:
        """Every comment that silences a rule."""
        rows = self._db.execute("SELECT silences FROM record WHERE silences IS NOT NULL ORDER BY path")
        return [
            Silence(path, line, column, on, tuple(names), reason)
            for (packed,) in rows
            for path, line, column, on, names, reason in json.loads(packed)
        ]

    def unreadable(self) -> list[Unread]:
        """Every record that could not be read or does not fit the schema, with its first finding."""
        rows = self._db.execute("SELECT path, findings FROM record WHERE live = ? ORDER BY path", (UNREADABLE,))
        firsts = ((path, _unpack(path, json.loads(packed)[0])) for path, packed in rows)
        return [
            Unread(path, f"line {one.where.line}: {one.message}" if one.where.line else one.message)
            for path, one in firsts
        ]

    def live(self) -> Iterator[Record]:
        """The records that are not settled, by path."""
        for path, data in self._db.execute("SELECT path, data FROM record WHERE live = 1 ORDER BY path"):
            yield to_record(path, msgspec.msgpack.decode(data))

    def entries(self) -> list[tuple[str, str, Record | None]]:
        """(path, blob id, the record where its data is kept) of every readable record, by path."""
        rows = self._db.execute("SELECT path, blob, data FROM record WHERE live <> ? ORDER BY path", (UNREADABLE,))
        return [
            (path, blob.hex(), to_record(path, msgspec.msgpack.decode(data)) if data else None)
            for path, blob, data in rows
        ]

    def settled_after(self, epoch: int) -> list[str]:
        """Paths of settled records that name an instant after `epoch` (seconds)."""
        rows = self._db.execute("SELECT path FROM record WHERE latest > ? AND live = 0 ORDER BY path", (epoch,))
        return [row[0] for row in rows]

    def path_of(self, incident_id: str) -> str | None:
        """The path of the record with this id, or None."""
        found = self._db.execute(
            "SELECT path FROM record WHERE id = ? ORDER BY path LIMIT 1", (incident_id,)
        ).fetchone()
        return found[0] if found else None

    def ids(self) -> Iterator[str]:
        """Every id, in order."""
        return (row[0] for row in self._db.execute("SELECT id FROM record WHERE id IS NOT NULL ORDER BY id"))

    def clashes(self) -> tuple[Clash, ...]:
        """Ids that stand in more than one record, each with an id nobody has."""
        rows = self._db.execute(
            "SELECT DISTINCT s.id FROM record s WHERE s.astray = 1 AND s.id IS NOT NULL"
            " AND (SELECT count(*) FROM record r WHERE r.id = s.id) > 1 ORDER BY s.id"
        )
        found = []
        for (name,) in rows.fetchall():
            paths = self._db.execute("SELECT path FROM record WHERE id = ? ORDER BY path", (name,)).fetchall()
            found.append(Clash(name, tuple(path for (path,) in paths), self._next_free(name)))
        return tuple(found)

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
            "SELECT l.path, l.source, l.kind, l.target, l.route FROM link l LEFT JOIN record r ON r.id = l.target"
            " WHERE r.id IS NULL AND l.kind <> 'problem' ORDER BY l.path, l.route"
        )

    def links(self) -> tuple[Link, ...]:
        """Every link between incidents."""
        return self._links(
            "SELECT path, source, kind, target, route FROM link WHERE kind <> 'problem' ORDER BY path, route"
        )

    def _links(self, question: str) -> tuple[Link, ...]:
        rows: Iterable[Any] = self._db.execute(question)
        return tuple(
            Link(path, source, kind, target, tuple(json.loads(route))) for path, source, kind, target, route in rows
        )


def to_record(path: str, data: dict[str, Any]) -> Record:
    """Checked data -> the record it is."""
    return Record(path, msgspec.convert(data, Incident), data)


def _pack(one: Finding) -> list[Any]:
    return [one.rule, one.level.value, list(one.where.route), one.where.line, one.where.column, one.message, one.hint]


def _unpack(path: str, packed: list[Any]) -> Finding:
    rule, level, route, line, column, message, hint = packed
    return Finding(rule, Level(level), Where(path, tuple(route), line, column), message, hint)
