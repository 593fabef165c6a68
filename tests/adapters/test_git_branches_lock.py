"""The lock on a remote: one run has it, a dead run's lock ends, nobody gives back another's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from incident_ops.adapters.git_branches import LOCK_BRANCH, RefLock
from incident_ops.adapters.git_remote import Remote
from incident_ops.domain.ports import Lease, LockHolder
from incident_ops.errors import Incomplete, UserError, WriteFailed
from tests.support.origin import Origin, race, remote_of

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=900)

RACER = """
import sys
from datetime import datetime
from pathlib import Path
from incident_ops.adapters.git import Git
from incident_ops.adapters.git_branches import RefLock
from incident_ops.adapters.git_remote import Remote
from incident_ops.domain.ports import Lease
lock = RefLock(Remote.of(Git.around(Path(sys.argv[1]))))
print("ready", flush=True)
sys.stdin.readline()
got = lock.take(datetime.fromisoformat(sys.argv[2]), sys.argv[3])
print("won" if isinstance(got, Lease) else "lost to " + got.holder)
"""


def taken(remote: Remote, now: datetime = NOW, holder: str = "run 1") -> Lease:
    got = RefLock(remote).take(now, holder)
    assert isinstance(got, Lease)
    return got


def put(remote: Remote, name: str, content: bytes) -> str:
    objects = remote.objects
    commit = objects.commit(objects.file_tree(name, content), (), "by hand", NOW)
    assert remote.push(LOCK_BRANCH, commit, remote.tip(LOCK_BRANCH)).outcome == "done"
    return commit


def test_the_lock_is_taken_once_and_tells_by_whom_and_until_when(origin: Origin, remote: Remote) -> None:
    lease = taken(remote)
    assert lease == (origin.tip(LOCK_BRANCH), LATER)
    other = RefLock(remote_of(origin.clone("other")))
    assert other.take(NOW, "run 2") == LockHolder("run 1", LATER)
    assert other.take(LATER - timedelta(seconds=1), "run 2") == LockHolder("run 1", LATER)
    content = json.loads(origin.show(LOCK_BRANCH, "lock.json"))
    assert content.keys() == {"holder", "nonce", "taken", "until"}


def test_given_back_it_is_free_and_the_branch_is_gone(origin: Origin, remote: Remote) -> None:
    lease = taken(remote)
    assert RefLock(remote).release(lease) is True
    assert origin.tip(LOCK_BRANCH) == ""
    assert RefLock(remote).release(lease) is False
    taken(remote, holder="run 2")


def test_an_expired_lock_is_taken_over_and_its_holder_cannot_give_it_back(origin: Origin, remote: Remote) -> None:
    old = taken(remote)
    new = taken(remote_of(origin.clone("other")), LATER, "run 2")
    assert RefLock(remote).release(old) is False
    assert origin.tip(LOCK_BRANCH) == new.commit
    assert RefLock(remote).take(LATER, "run 3") == LockHolder("run 2", LATER + timedelta(seconds=900))


def test_the_lock_of_a_run_that_is_over_is_taken_at_once(remote: Remote) -> None:
    """Only of that very run: another one may have it by now."""
    lock = RefLock(remote)
    lock.take(NOW, "run 7 of reconcile", run="7/1")
    held = LockHolder("run 7 of reconcile", LATER, "7/1")
    assert lock.take(NOW, "run 8", run="8/1") == held
    assert lock.take(NOW, "run 8", run="8/1", over="6/1") == held
    assert isinstance(lock.take(NOW, "run 8", run="8/1", over="7/1"), Lease)
    assert lock.take(NOW, "run 9", over="7/1") == LockHolder("run 8", LATER, "8/1")


def test_a_lock_is_taken_over_forwards(origin: Origin, remote: Remote) -> None:
    """A rule against rewriting branches does not keep a dead run's lock alive."""
    old = taken(remote)
    origin.bare.git("config", "receive.denyNonFastForwards", "true")
    new = taken(remote, LATER)
    assert origin.bare.git("rev-parse", f"{new.commit}^") == old.commit


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"holder": "x"}',
        b'{"holder": "x", "until": "tomorrow"}',
        b'{"holder": "x", "until": 5}',
        b'{"holder": "x", "until": "9999-12-31T23:59:59Z"}',
    ],
)
def test_a_lock_that_cannot_be_understood_holds_nobody_up(remote: Remote, content: bytes) -> None:
    put(remote, "lock.json", content)
    taken(remote)


def test_a_branch_without_the_file_holds_nobody_up(remote: Remote) -> None:
    put(remote, "README", b"what is this")
    taken(remote)


def test_a_holders_name_cannot_write_on_a_terminal(remote: Remote) -> None:
    put(remote, "lock.json", json.dumps({"holder": "a\x1b[2J\nb" * 99, "until": "2025-06-01T12:01:00Z"}).encode())
    held = RefLock(remote).take(NOW, "run 2")
    assert isinstance(held, LockHolder)
    assert held.holder.isprintable()
    assert len(held.holder) <= 100


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_a_lock_lasts_between_a_second_and_a_day(remote: Remote, seconds: int) -> None:
    with pytest.raises(UserError, match="cannot last"):
        RefLock(remote).take(NOW, "run 1", seconds)


def test_where_the_remote_refuses_there_is_no_lock(origin: Origin, remote: Remote) -> None:
    origin.hook("echo closed for today >&2; exit 1")
    with pytest.raises(WriteFailed, match=r"the lock was not taken: .*closed for today"):
        RefLock(remote).take(NOW, "run 1")


def test_where_the_remote_is_gone_there_is_no_lock(origin: Origin, remote: Remote) -> None:
    origin.path.rename(origin.folder / "gone")
    with pytest.raises(Incomplete):
        RefLock(remote).take(NOW, "run 1")


def test_a_lock_that_may_not_be_deleted_is_told_and_ends_by_itself(origin: Origin, remote: Remote) -> None:
    lease = taken(remote)
    origin.bare.git("config", "receive.denyDeletes", "true")
    with pytest.raises(WriteFailed, match="it expires by itself"):
        RefLock(remote).release(lease)
    taken(remote, LATER)


@pytest.mark.parametrize("expired", [False, True], ids=["free", "expired"])
def test_of_six_runs_at_once_exactly_one_has_it(origin: Origin, remote: Remote, expired: bool) -> None:
    """Also where all call themselves the same and begin at the same instant."""
    if expired:
        taken(remote)
    clones = [origin.clone(f"racer-{number}") for number in range(6)]
    out = race(RACER, [(str(clone.root), LATER.isoformat(), "the same run") for clone in clones])
    assert sorted(out) == ["lost to the same run\n"] * 5 + ["won\n"]
