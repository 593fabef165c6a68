"""Files are written whole or not at all, whatever happens on the way."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters.files import hold_alone, write_bytes, write_text
from incident_ops.errors import WriteFailed


def alone(path: Path) -> bool:
    """True where nothing half-written lies beside the file."""
    return [found for found in path.parent.iterdir() if found != path] == []


def refuse(code: int) -> Any:
    def refused(*_args: Any, **_more: Any) -> Any:
        raise OSError(code, os.strerror(code))

    return refused


def test_a_new_file_has_the_content_and_the_mode_of_the_users_mask(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    before = os.umask(0o027)
    try:
        write_bytes(path, b"content")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o777 == 0o640
    assert alone(path)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o444])
def test_an_old_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_text(path, "néw")
    assert path.read_bytes() == "néw".encode()
    assert path.stat().st_mode & 0o777 == mode


def test_a_file_can_be_asked_to_be_the_users_alone(tmp_path: Path) -> None:
    write_bytes(tmp_path / "key", b"x", mode=0o600)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("call", ["replace", "fsync", "chmod"])
@pytest.mark.parametrize("old", [b"old", None])
def test_a_refusal_on_the_way_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, old: bytes | None
) -> None:
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)
    monkeypatch.setattr(os, call, refuse(errno.EIO))
    with pytest.raises(WriteFailed, match="could not be written") as failed:
        write_bytes(path, b"new")
    assert failed.value.where == str(path)
    assert (path.read_bytes() if path.exists() else None) == old
    assert old is None or alone(path)
    assert old is not None or list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interruption_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def interrupted(*_args: Any) -> None:
        raise stop

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(stop):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert alone(path)


def test_a_full_disk_is_told_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own refusal: the file descriptor leads to a device that is always full."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    opened = os.fdopen

    def to_full_device(handle: int, mode: str) -> Any:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, handle)
        os.close(full)
        return opened(handle, mode)

    monkeypatch.setattr(os, "fdopen", to_full_device)
    with pytest.raises(WriteFailed, match="No space left") as failed:
        write_bytes(path, b"new" * 100_000)
    assert "free some space" in failed.value.hint
    assert path.read_bytes() == b"old"
    assert alone(path)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_read_only_folder_is_told_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr("tempfile.mkstemp", refuse(code))
    with pytest.raises(WriteFailed) as failed:
        write_bytes(tmp_path / "file", b"new")
    assert os.strerror(code) in failed.value.message
    assert "permissions" in failed.value.hint
    assert not (tmp_path / "file").exists()


def test_a_file_where_a_folder_should_be_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(WriteFailed):
        write_bytes(tmp_path / "a" / "b", b"new")


def test_a_folder_where_the_file_should_be_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(WriteFailed):
        write_bytes(tmp_path / "a", b"new")
    assert alone(tmp_path / "a")


def test_a_refusal_while_tidying_up_is_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that turned read-only half-way the temporary file cannot be removed either."""
    monkeypatch.setattr(os, "replace", refuse(errno.EROFS))
    monkeypatch.setattr(os, "unlink", refuse(errno.EROFS))
    with pytest.raises(WriteFailed):
        write_bytes(tmp_path / "file", b"new")


def test_a_lock_for_one_is_refused_to_a_second_and_leaves_no_file(tmp_path: Path) -> None:
    """At once, not after waiting; free again in the end, also after a crash of whoever had it."""
    lock = tmp_path / "deep" / "lock"
    with hold_alone(lock) as first:
        assert first
        with hold_alone(lock) as second:
            assert not second
        assert lock.exists()
    assert not lock.exists()
    with pytest.raises(ZeroDivisionError), hold_alone(lock):
        raise ZeroDivisionError
    with hold_alone(lock) as free:
        assert free


def test_a_lock_that_was_removed_while_somebody_took_it_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two would hold it otherwise: one the file that is gone, one the new file."""
    import fcntl

    lock, real, removed = tmp_path / "lock", fcntl.flock, []

    def flock(handle: int, how: int) -> None:
        real(handle, how)
        if not removed:
            removed.append(lock.unlink())

    monkeypatch.setattr(fcntl, "flock", flock)
    with hold_alone(lock) as is_ours:
        assert is_ours
        assert lock.exists()


def test_a_lock_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteFailed, match="could not be written"), hold_alone(tmp_path / "file" / "lock"):
        pass
