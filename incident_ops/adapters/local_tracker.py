"""The embedded tracker: issues in one SQLite file beside the repository, for work without a network.

Every write is one transaction behind SQLite's own lock, so that a kill leaves it done or not begun, and two runs at
once wait for each other. The owner of an issue is a unique column: a key cannot have two.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from incident_ops.domain.tracker import (
    ISSUE_DELETED,
    LOCAL,
    Act,
    BodyEdit,
    Closing,
    Comment,
    Issue,
    IssueEdit,
    Label,
    Milestone,
    MissingIssue,
)
from incident_ops.errors import IncidentOpsError, Incomplete, WriteFailed

_APPLICATION = 0x494E434F  # "INCO": tells our file from any other database
_VERSION = 1
_WAIT = 30.0  # seconds another run may hold the file

_SCHEMA = """
create table issues (
  number integer primary key autoincrement,
  owner text not null unique,
  title text not null,
  body text not null,
  labels text not null,
  assignees text not null,
  state text not null check (state in ('open', 'closed')),
  state_reason text
)
"""

_COMMENTS = """
create table if not exists comments (
  number integer not null references issues,
  topic text not null,
  body text not null,
  primary key (number, topic)
)
"""
"""Made by the first comment: a file from before comments opens as it is."""

_MILESTONES = """
create table if not exists milestones (
  number integer primary key references issues,
  title text not null
)
"""
"""The milestones of issues; made by the first one."""

_HINTS = {
    sqlite3.SQLITE_BUSY: "another run holds it; wait for that run and try again",
    sqlite3.SQLITE_LOCKED: "another run holds it; wait for that run and try again",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only; make both writable",
    sqlite3.SQLITE_CANTOPEN: "the file or its folder cannot be opened; check that both exist and are yours",
    sqlite3.SQLITE_PERM: "you may not use the file or its folder; check the permissions",
    sqlite3.SQLITE_FULL: "the disk is full; make room and run again",
    sqlite3.SQLITE_IOERR: "the disk refused it; check for room and for errors of the disk, then run again",
    sqlite3.SQLITE_NOTADB: "this is not a tracker; move the file away, a new one is made from the records",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; move it away, a new one is made from the records",
}


class LocalTracker:
    """Issues in the SQLite file at `path`; the file is made by the first write, never by a read.

    Anybody can be assigned, labels and milestones are made by using them, and no issue is the parent of another.
    """

    source = LOCAL
    records_id = repository_id = 0
    repository = ""
    has_sub_issues = False

    def __init__(self, path: Path) -> None:
        self.path = path

    def owned(self) -> list[Issue]:
        """Every issue, by number; `Incomplete` where the file cannot be read whole."""
        try:
            self.path.stat()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Incomplete(f"the tracker cannot be read: {error.strerror}", where=str(self.path)) from error
        with _reported(self.path, Incomplete, "read"), closing(self._connect("rw")) as db:
            db.execute("begin")  # all questions see one moment, also while another run makes the tables
            if not _is_set_up(db, self.path):
                return []
            rows = db.execute(
                "select number, owner, title, body, labels, assignees, state, state_reason from issues order by number"
            ).fetchall()
            titles = _milestones(db)
            return [_issue(row, titles) for row in rows]

    def comments(self, number: int) -> list[str]:
        """The comments under an issue, in the order they were first made."""
        with _reported(self.path, Incomplete, "read"), closing(self._connect("rw")) as db:
            if not db.execute("select 1 from sqlite_master where name = 'comments'").fetchone():
                return []
            rows = db.execute("select body from comments where number = ? order by rowid", (number,)).fetchall()
            return [str(body) for (body,) in rows]

    def labels(self) -> None:
        """None: labels need no making."""

    def milestones(self) -> None:
        """None: milestones need no making."""

    def look_up(self, number: int) -> Issue | MissingIssue:
        """One issue by its number."""
        return next(
            (issue for issue in self.owned() if issue.number == number), MissingIssue(number=number, why=ISSUE_DELETED)
        )

    def closing(self, number: int) -> Closing:  # noqa: ARG002 - the file keeps no history
        """Nothing is known but that it was closed."""
        return Closing()

    def acts(self, number: int) -> list[Act]:  # noqa: ARG002 - the file keeps no history
        """None."""
        return []

    def body_edits(self, number: int) -> list[BodyEdit]:  # noqa: ARG002 - the file keeps no history
        """None."""
        return []

    def comments_since(self, at: datetime) -> list[Comment]:  # noqa: ARG002 - only this program writes here
        """None: people write nothing here."""
        return []

    def assignable(self, logins: Collection[str]) -> frozenset[str]:
        """All of them."""
        return frozenset(logins)

    def create(
        self,
        key: str,
        title: str,
        body: str,
        labels: Sequence[str],
        assignees: Sequence[str],
        parent: int | None = None,  # noqa: ARG002 - the task list of the parent is all there is
        milestone: str | None = None,
    ) -> int:
        """Opens an issue for `key`, or finds the one it has -> the number."""
        with self._write() as db:
            known = db.execute("select number from issues where owner = ?", (key,)).fetchone()
            if known:
                return int(known[0])
            made = db.execute(
                "insert into issues (owner, title, body, labels, assignees, state) values (?, ?, ?, ?, ?, 'open')",
                (key, title, body, _pack(labels), _pack(assignees)),
            )
            number = int(made.lastrowid or 0)
            _set_milestone(db, number, milestone)
            return number

    def update(self, number: int, edit: IssueEdit) -> None:
        """Changes what `edit` names."""
        self._set(number, edit)

    def close(self, number: int, reason: str, edit: IssueEdit) -> None:
        """Closes the issue as `reason`."""
        self._set(number, edit, state="closed", state_reason=reason)

    def reopen(self, number: int, edit: IssueEdit) -> None:
        """Opens the issue again."""
        self._set(number, edit, state="open", state_reason="reopened")

    def link(self, parent: int, child: int) -> None:
        """Does nothing: there are no sub-issues."""

    def comment(self, number: int, topic: str, text: str) -> None:
        """Our one comment on a topic."""
        with self._write() as db:
            if not db.execute("select 1 from issues where number = ?", (number,)).fetchone():
                raise WriteFailed(f"the tracker has no issue #{number}", where=str(self.path))
            db.execute(_COMMENTS)
            db.execute("insert or replace into comments values (?, ?, ?)", (number, topic, text))

    def create_label(self, label: Label) -> None:
        """Does nothing: labels need no making."""

    def create_milestone(self, milestone: Milestone) -> None:
        """Does nothing: milestones need no making."""

    def _set(self, number: int, edit: IssueEdit, **state: str) -> None:
        if edit == IssueEdit() and not state:
            return
        with self._write() as db:
            row = db.execute("select labels, assignees from issues where number = ?", (number,)).fetchone()
            if row is None:
                raise WriteFailed(f"the tracker has no issue #{number}", where=str(self.path))
            columns = {
                "labels": _pack(edit.labels_after(_unpack(row[0]))),
                "assignees": _pack(edit.assignees_after(_unpack(row[1]))),
                **{name: text for name, text in (("title", edit.title), ("body", edit.body)) if text is not None},
                **state,
            }
            names = ", ".join(f"{name} = ?" for name in columns)
            db.execute(f"update issues set {names} where number = ?", (*columns.values(), number))  # noqa: S608
            _set_milestone(db, number, edit.milestone)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end of the block, undone where the block fails."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = "make the folder writable"
            raise WriteFailed(
                f"the tracker's folder cannot be made: {error.strerror}", hint=hint, where=str(self.path), is_final=True
            ) from error
        with _reported(self.path, WriteFailed, "written"), closing(self._connect("rwc")) as db:
            db.execute("begin immediate")
            if not _is_set_up(db, self.path):
                db.execute(f"pragma application_id = {_APPLICATION}")
                db.execute(f"pragma user_version = {_VERSION}")
                db.execute(_SCHEMA)
            yield db
            db.execute("commit")

    def _connect(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(self.path))}?mode={mode}", uri=True, timeout=_WAIT, isolation_level=None
        )


@contextmanager
def _reported(path: Path, error: type[IncidentOpsError], verb: str) -> Iterator[None]:
    """Turns what SQLite says into a line for people."""
    try:
        yield
    except sqlite3.Error as fault:
        code = getattr(fault, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind, the rest a detail
        failure = error(f"the tracker cannot be {verb}: {fault}", hint=_HINTS.get(code, ""), where=str(path))
        raise _final(failure) from fault
    except ValueError as fault:
        hint = _HINTS[sqlite3.SQLITE_CORRUPT]
        raise _final(error(f"the tracker cannot be {verb}: {fault}", hint=hint, where=str(path))) from fault


def _final(error: IncidentOpsError) -> IncidentOpsError:
    """What the file or the disk refuses once, it refuses for every issue."""
    if isinstance(error, WriteFailed):
        error.is_final = True
    return error


def _is_set_up(db: sqlite3.Connection, path: Path) -> bool:
    """True where the tables are there, False in an empty file; anything else is not ours to touch."""
    application = db.execute("pragma application_id").fetchone()[0]
    version = db.execute("pragma user_version").fetchone()[0]
    tables = db.execute("select count(*) from sqlite_master").fetchone()[0]
    if not application and not tables:
        return False
    if application != _APPLICATION:
        raise Incomplete("this database is not a tracker", hint=_HINTS[sqlite3.SQLITE_NOTADB], where=str(path))
    if version != _VERSION:
        hint = f"this program knows version {_VERSION}; use the newer one"
        raise Incomplete(f"the tracker has version {version}", hint=hint, where=str(path))
    return True


def _pack(texts: Sequence[str]) -> str:
    return json.dumps(list(texts), ensure_ascii=False)


def _unpack(text: str) -> tuple[str, ...]:
    data = json.loads(text)
    if not isinstance(data, list) or not all(isinstance(one, str) for one in data):
        raise ValueError(f"{text[:40]!r} is not a list of texts")
    return tuple(data)


def _milestones(db: sqlite3.Connection) -> dict[int, str]:
    """Number of an issue -> the title of its milestone."""
    if not db.execute("select 1 from sqlite_master where name = 'milestones'").fetchone():
        return {}
    return dict(db.execute("select number, title from milestones"))


def _set_milestone(db: sqlite3.Connection, number: int, title: str | None) -> None:
    """None leaves what is there, "" takes it off."""
    if title is None:
        return
    db.execute(_MILESTONES)
    if title:
        db.execute("insert or replace into milestones values (?, ?)", (number, title))
    else:
        db.execute("delete from milestones where number = ?", (number,))


def _issue(row: tuple[int, str, str, str, str, str, str, str | None], milestones: dict[int, str]) -> Issue:
    number, owner, title, body, labels, assignees, state, reason = row
    return Issue(
        number=number,
        title=title,
        body=body,
        labels=_unpack(labels),
        assignees=_unpack(assignees),
        state=state,
        state_reason=reason,
        key=owner,
        milestone=milestones.get(number),
    )
