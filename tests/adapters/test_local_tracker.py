"""The embedded tracker: whole or not at all, one issue a key, and plain words where the disk will not."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from incident_ops.adapters.local_tracker import LocalTracker
from incident_ops.domain.tracker import Closing, Issue, IssueEdit, Label, MissingIssue
from incident_ops.errors import Incomplete, WriteFailed


@pytest.fixture
def tracker(tmp_path: Path) -> LocalTracker:
    return LocalTracker(tmp_path / "incident-ops" / "tracker.db")


def make(tracker: LocalTracker, key: str = "INC-1") -> int:
    return tracker.create(key, f"title of {key}", "body\n", ["incident", "SEV1"], ["alice"])


def test_reading_makes_no_file(tracker: LocalTracker) -> None:
    """A plan leaves no trace: no file means no issues."""
    assert tracker.owned() == []
    assert not tracker.path.parent.exists()


def test_what_was_written_is_read_back(tracker: LocalTracker) -> None:
    """Numbers start at 1; every field comes back as it went in, in another process too."""
    assert [make(tracker), make(tracker, "INC-2")] == [1, 2]
    assert LocalTracker(tracker.path).owned()[0] == Issue(
        number=1, title="title of INC-1", body="body\n", labels=("incident", "SEV1"), assignees=("alice",), key="INC-1"
    )


def test_a_key_has_one_issue(tracker: LocalTracker) -> None:
    """Creating again gives the number there is, open or closed, and writes nothing."""
    make(tracker)
    tracker.close(1, "completed", IssueEdit())
    before = tracker.owned()
    assert make(tracker) == 1
    assert tracker.owned() == before


def test_closing_and_reopening_change_the_rest_in_the_same_step(tracker: LocalTracker) -> None:
    """State and fields move together."""
    make(tracker)
    tracker.close(
        1, "not_planned", IssueEdit(title="new", add_labels=("x",), remove_labels=("sev1",), add_assignees=("bob",))
    )
    (issue,) = tracker.owned()
    assert (issue.state, issue.state_reason, issue.title, issue.labels, issue.assignees) == (
        "closed",
        "not_planned",
        "new",
        ("x", "incident"),
        ("alice", "bob"),
    )
    tracker.reopen(1, IssueEdit(body="again"))
    (issue,) = tracker.owned()
    assert (issue.state, issue.state_reason, issue.title, issue.body) == ("open", "reopened", "new", "again")


def test_an_update_touches_only_what_it_names(tracker: LocalTracker) -> None:
    """An empty edit writes nothing; another leaves the other fields."""
    make(tracker)
    tracker.update(1, IssueEdit())
    tracker.update(1, IssueEdit(body="b"))
    (issue,) = tracker.owned()
    assert (issue.title, issue.body, issue.labels) == ("title of INC-1", "b", ("incident", "SEV1"))


def test_an_issue_that_is_not_there_cannot_be_changed(tracker: LocalTracker) -> None:
    """A wrong number is an error, never a silent success."""
    make(tracker)
    with pytest.raises(WriteFailed, match="no issue #9"):
        tracker.close(9, "completed", IssueEdit())


def test_what_it_does_not_have_is_said_or_ignored(tracker: LocalTracker) -> None:
    """No labels to make, no history, no sub-issues, nobody who cannot be assigned: no file comes of asking."""
    assert (tracker.source, tracker.repository, tracker.has_sub_issues) == ("local", "", False)
    assert tracker.labels() is None
    assert tracker.closing(1) == Closing()
    assert tracker.assignable(["alice", "bob"]) == {"alice", "bob"}
    tracker.create_label(Label(name="x"))
    tracker.link(1, 2)
    assert tracker.look_up(1) == MissingIssue(number=1, why="deleted")
    assert not tracker.path.parent.exists()


def test_one_issue_is_looked_up_by_its_number(tracker: LocalTracker) -> None:
    """The issue as the list has it; a parent is taken and forgotten."""
    make(tracker)
    assert tracker.create("INC-1/AI-1", "t", "b", [], [], 1) == 2
    assert [tracker.look_up(1), tracker.look_up(2)] == tracker.owned()
    assert tracker.look_up(3) == MissingIssue(number=3, why="deleted")


def test_one_comment_a_topic_is_kept(tracker: LocalTracker) -> None:
    """The next one on a topic takes its place; there is none without an issue."""
    make(tracker)
    tracker.comment(1, "duplicate", "one")
    tracker.comment(1, "duplicate", "two")
    tracker.comment(1, "other", "three")
    with sqlite3.connect(tracker.path) as db:
        rows = db.execute("select number, topic, body from comments order by topic").fetchall()
    db.close()
    assert rows == [(1, "duplicate", "two"), (1, "other", "three")]
    with pytest.raises(WriteFailed, match="no issue #9"):
        tracker.comment(9, "duplicate", "one")


def test_a_file_from_before_comments_opens_and_takes_them(tracker: LocalTracker) -> None:
    """Version 1 as it was first written: its issues are read and changed, and comments are added."""
    tracker.path.parent.mkdir()
    with sqlite3.connect(tracker.path) as db:
        db.executescript(
            "create table issues (number integer primary key autoincrement, owner text not null unique,"
            " title text not null, body text not null, labels text not null, assignees text not null,"
            " state text not null check (state in ('open', 'closed')), state_reason text);"
            "insert into issues values (7, 'INC-1', 't', 'b', '[]', '[]', 'open', null);"
            f"pragma application_id = {0x494E434F}; pragma user_version = 1;"
        )
    db.close()
    tracker.comment(7, "duplicate", "one")
    tracker.update(7, IssueEdit(title="new"))
    assert [(issue.number, issue.title) for issue in tracker.owned()] == [(7, "new")]
    assert make(tracker, "INC-2") == 8


def test_a_trouble_of_the_file_ends_the_run_and_a_wrong_number_does_not(tracker: LocalTracker) -> None:
    """What the disk refuses once it refuses for every issue."""
    make(tracker)
    with pytest.raises(WriteFailed) as wrong:
        tracker.update(9, IssueEdit(title="x"))
    tracker.path.write_bytes(b"no database at all, but long enough to be read as one" * 40)
    with pytest.raises(WriteFailed) as damaged:
        tracker.update(1, IssueEdit(title="x"))
    assert (wrong.value.is_final, damaged.value.is_final) == (False, True)


def test_many_at_once_open_one_issue_a_key(tracker: LocalTracker) -> None:
    """Writers wait for each other, from the first write on."""
    numbers: list[int] = []
    threads = [threading.Thread(target=lambda: numbers.append(make(LocalTracker(tracker.path)))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == [1] * 12
    assert len(tracker.owned()) == 1


@pytest.mark.parametrize("content", [b"not a database, but long enough to be read as one" * 40, b"\x00" * 4096])
def test_a_file_that_is_no_database_is_told_and_kept(tracker: LocalTracker, content: bytes) -> None:
    """Neither a read nor a write takes it for an empty tracker, and it stays as it was."""
    tracker.path.parent.mkdir()
    tracker.path.write_bytes(content)
    with pytest.raises(Incomplete, match=r"tracker\.db: the tracker cannot be read: .*move the file away"):
        tracker.owned()
    with pytest.raises(WriteFailed, match="move the file away"):
        make(tracker)
    assert tracker.path.read_bytes() == content


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("create table other (a)", "this database is not a tracker"),
        ("pragma user_version = 2", "the tracker has version 2 .*use the newer one"),
        ("update issues set labels = 'x'", "the tracker cannot be read"),
        ("drop table issues", "the tracker cannot be read"),
    ],
)
def test_a_foreign_newer_or_damaged_database_is_never_an_empty_tracker(
    tracker: LocalTracker, script: str, said: str
) -> None:
    """What cannot be understood stops the read."""
    if "other" in script:
        tracker.path.parent.mkdir()
    else:
        make(tracker)
    with sqlite3.connect(tracker.path) as db:
        db.execute(script)
    db.close()
    with pytest.raises(Incomplete, match=said):
        tracker.owned()


def test_a_file_cut_short_is_never_an_empty_tracker(tracker: LocalTracker) -> None:
    """Half a file is damage."""
    for number in range(1, 60):
        make(tracker, f"INC-{number}")
    os.truncate(tracker.path, 5_000)
    with pytest.raises(Incomplete):
        tracker.owned()


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    """A file where the folder should be, and a folder where the file should be, are write errors with the path."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteFailed, match="folder cannot be made"):
        make(LocalTracker(tmp_path / "file" / "tracker.db"))
    (tmp_path / "tracker.db").mkdir()
    with pytest.raises(WriteFailed, match="cannot be opened"):
        make(LocalTracker(tmp_path / "tracker.db"))
    with pytest.raises(Incomplete, match="cannot be opened"):
        LocalTracker(tmp_path / "tracker.db").owned()


def test_a_path_through_a_file_is_an_unfinished_read(tmp_path: Path) -> None:
    """A place that cannot be looked at is not an empty one."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(Incomplete, match="cannot be read"):
        LocalTracker(tmp_path / "file" / "tracker.db").owned()


def test_a_lock_held_too_long_is_told(tracker: LocalTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that does not let go is named as the cause."""
    make(tracker)
    monkeypatch.setattr("incident_ops.adapters.local_tracker._WAIT", 0.05)
    with sqlite3.connect(tracker.path, isolation_level=None) as db:
        db.execute("begin exclusive")
        with pytest.raises(WriteFailed, match="another run holds it"):
            make(tracker, "INC-2")
        with pytest.raises(Incomplete, match="another run holds it"):
            tracker.owned()
        db.execute("rollback")
    db.close()


FULL = """
import resource, signal, sys
from pathlib import Path
from incident_ops.adapters.local_tracker import LocalTracker
from incident_ops.errors import WriteFailed
tracker = LocalTracker(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (tracker.path.stat().st_size,) * 2)
try:
    tracker.create("INC-2", "t", "b" * 100_000, [], [])
except WriteFailed as error:
    sys.stdout.write(str(error))
"""


def test_a_full_disk_leaves_what_was_there(tracker: LocalTracker, python: str) -> None:
    """A write that finds no room is told with a hint, and undone."""
    make(tracker)
    done = subprocess.run([python, "-c", FULL, str(tracker.path)], capture_output=True, text=True, check=True)
    assert "the tracker cannot be written" in done.stdout
    assert "room" in done.stdout
    assert [issue.key for issue in tracker.owned()] == ["INC-1"]


READ_ONLY = """
import os, sys
from pathlib import Path
from incident_ops.adapters.local_tracker import LocalTracker
from incident_ops.errors import WriteFailed
if os.geteuid() == 0:
    os.setuid(65534)
tracker = LocalTracker(Path(sys.argv[1]))
assert [issue.key for issue in tracker.owned()] == ["INC-1"]
for path in (tracker.path, tracker.path.parent / "new" / "tracker.db"):
    try:
        LocalTracker(path).create("INC-2", "t", "b", [], [])
    except WriteFailed as error:
        print(error)
"""


def test_a_read_only_folder_can_be_read_and_refuses_writes(python: str) -> None:
    """Without leave to write a plan still works, and an apply says what to change; root steps down to be refused."""
    with tempfile.TemporaryDirectory() as folder:
        tracker = LocalTracker(Path(folder) / "tracker.db")
        make(tracker)
        tracker.path.chmod(0o444)
        Path(folder).chmod(0o555)
        done = subprocess.run([python, "-c", READ_ONLY, str(tracker.path)], capture_output=True, text=True)
        Path(folder).chmod(0o755)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert "read-only" in first
    assert "make the folder writable" in second
