"""What is kept between runs comes back only with the user's own signature, and never makes a run fail."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters import cache
from incident_ops.adapters.cache import Cache, state_folder

CONTENT = b"kept " * 1000


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "state" / "incident-ops" / "cache.key"


@pytest.fixture
def kept(tmp_path: Path, key: Path) -> Cache:
    found = Cache(tmp_path / "git" / "incident-ops" / "catalogue", key)
    found.save(CONTENT)
    return found


def test_what_was_saved_comes_back(kept: Cache) -> None:
    assert kept.load() == CONTENT
    kept.save(b"")
    assert kept.load() == b""


def test_nothing_saved_is_nothing_found(tmp_path: Path, key: Path) -> None:
    assert Cache(tmp_path / "none", key).load() is None
    assert not key.exists(), "looking makes no key"


def test_the_key_is_the_users_alone(kept: Cache, key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_bytes()) == 32
    assert key.read_bytes() not in kept.path.read_bytes()


def test_the_key_stays_the_same_between_runs(kept: Cache, key: Path) -> None:
    before = key.read_bytes()
    kept.save(b"other")
    Cache(kept.path.with_name("second"), key).save(b"x")
    assert key.read_bytes() == before


@pytest.mark.parametrize("place", [0, 31, 32, 2000, -1])
def test_one_changed_byte_makes_it_nothing(kept: Cache, place: int) -> None:
    found = bytearray(kept.path.read_bytes())
    found[place] ^= 1
    kept.path.write_bytes(found)
    assert kept.load() is None


_CUTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "a piece of the seal": lambda found: found[:10],
    "the seal alone": lambda found: found[:32],
    "truncated": lambda found: found[:-1],
    "longer": lambda found: found + b"x",
    "without seal": lambda found: found[32:],
    "an unkeyed seal": lambda found: blake2b(found[32:], digest_size=32).digest() + found[32:],
    "sealed with another key": lambda found: blake2b(found[32:], key=b"k" * 32, digest_size=32).digest() + found[32:],
}


@pytest.mark.parametrize("cut", _CUTS)
def test_what_has_no_right_seal_is_nothing(kept: Cache, cut: str) -> None:
    kept.path.write_bytes(_CUTS[cut](kept.path.read_bytes()))
    assert kept.load() is None
    kept.save(b"again")
    assert kept.load() == b"again"


def test_another_users_key_opens_nothing(kept: Cache, tmp_path: Path) -> None:
    other = Cache(kept.path, tmp_path / "other" / "cache.key")
    assert other.load() is None
    Cache(tmp_path / "elsewhere", other.key_path).save(b"x")
    assert other.load() is None


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_the_wrong_length_opens_nothing_and_is_replaced(kept: Cache, key: Path, length: int) -> None:
    """A full disk may have left a piece of a key behind: the next run must not stay slow for ever."""
    key.write_bytes(b"k" * length)
    assert kept.load() is None
    kept.save(CONTENT)
    assert kept.load() == CONTENT
    assert key.stat().st_mode & 0o777 == 0o600


def refuse(code: int) -> Any:
    def refused(*_args: Any, **_more: Any) -> Any:
        raise OSError(code, os.strerror(code))

    return refused


def test_an_unreadable_key_costs_only_time(kept: Cache, key: Path) -> None:
    key.unlink()
    key.mkdir()
    assert kept.load() is None
    kept.save(CONTENT)
    assert kept.load() is None


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("call", ["write", "open", "replace", "fsync"])
def test_no_refusal_of_the_system_is_an_error(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, code: int, call: str
) -> None:
    """A full or read-only disk, also while the first key is made: nothing kept, no word about it."""
    kept = Cache(tmp_path / "catalogue", key)
    opened = os.fdopen

    class Refusing:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> Refusing:
            return self

        def __exit__(self, *_why: object) -> None:
            self.file.close()

        write = staticmethod(refuse(code))

    with monkeypatch.context() as patched:
        if call == "write":
            patched.setattr(os, "fdopen", lambda handle, mode: Refusing(opened(handle, mode)))
        else:
            patched.setattr(os, call, refuse(code))
        kept.save(CONTENT)
        assert kept.load() is None
    kept.save(CONTENT)
    assert kept.load() == CONTENT


def test_a_read_only_git_folder_is_no_error(kept: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkstemp", refuse(errno.EROFS))
    kept.save(b"other")
    assert kept.load() == CONTENT


def test_the_state_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "incident-ops"
    assert Cache(tmp_path / "x").key_path == tmp_path / "incident-ops" / "cache.key"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert state_folder() == tmp_path / "home" / ".local" / "state" / "incident-ops"


@pytest.mark.parametrize("value", ["", "relative/folder", "."])
def test_a_state_folder_that_is_not_absolute_does_not_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    """Relative to the current folder, the key would come out of the repository that is being checked."""
    monkeypatch.setenv("XDG_STATE_HOME", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder() == tmp_path / ".local" / "state" / "incident-ops"


def test_a_user_without_a_home_keeps_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a container under a number that no account has, there is no home to be found."""

    def homeless(_cls: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(cache.Path, "home", classmethod(homeless))
    kept = Cache(tmp_path / "catalogue")
    kept.save(CONTENT)
    assert kept.load() is None
    assert list(tmp_path.iterdir()) == []
