"""Writing files whole or not at all; the ledger of a clone that sends nothing is one."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from incident_ops.adapters import clock
from incident_ops.domain.notification import Ledger, Pair, claim, compact, confirm, parse_ledger, serialise
from incident_ops.errors import Incomplete, WriteFailed

if TYPE_CHECKING:
    from filelock import BaseFileLock

TEMPORARY = ".incident-ops"
"""How the name of a file ends that is being written; `init` lets git ignore what a kill leaves of it."""
_LEFT_BEHIND = timedelta(days=1)
_AT_ONCE, _LOOK_AGAIN = 0.1, 0.01
"""Seconds: within the first a lock is free, or another one's; after the second a lock that is held is tried again."""


def write_bytes(path: Path, content: bytes, mode: int | None = None, head: bytes = b"") -> None:
    """Writes a file atomically: a reader sees the old content or the new, never a part. WriteFailed where refused.

    `head` is written before the content. Without `mode` a file keeps the mode it had; a new one gets what the user's
    mask allows.
    """
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY, dir=path.parent)
    except OSError as error:
        raise _refused(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(head)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_mode_of(path) if mode is None else mode)
        Path(name).replace(path)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            Path(name).unlink()
    _clear(path.parent)


def _clear(folder: Path) -> None:
    """Removes what a write that was killed has left in a folder; a young one may still be at work."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        left = [entry for entry in entries if entry.name.startswith(".") and entry.name.endswith(TEMPORARY)]
        oldest = (clock.now() - _LEFT_BEHIND).timestamp() if left else 0
        for entry in left:
            if entry.name != TEMPORARY and entry.is_file() and entry.stat().st_mtime < oldest:
                Path(entry.path).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes text as UTF-8, atomically."""
    write_bytes(path, text.encode("utf-8"))


def demand_no_link(root: Path, path: str) -> None:
    """WriteFailed where a folder below `root` on the way to `path` is a symbolic link."""
    folder = root
    for part in Path(path).parts[:-1]:
        folder /= part
        if folder.is_symlink():
            where = folder.relative_to(root).as_posix()
            raise WriteFailed("is a symbolic link; nothing is written through it", where=where, hint="make it a folder")


_Callback = Callable[[], None]


def _nothing() -> None:
    """Is done where there is nothing to do."""


def replace_if_unchanged(
    path: Path, before: bytes, after: bytes, lock: Path, first: _Callback = _nothing, then: _Callback = _nothing
) -> bool:
    """Writes `after` only where the file still holds `before`; False where it does not, and nothing was written.

    `lock` is a file that all who write this way share: between the look and the write no other of them writes. `first`
    is done just before the write, `then` just after it. WriteFailed where the system refuses.
    """
    with hold(lock):
        if not _holds(path, before):
            return False
        first()
        write_bytes(path, after)
        then()
        return True


def remove_if_unchanged(path: Path, before: bytes, lock: Path, then: _Callback = _nothing) -> bool:
    """Removes a file that still holds `before`, and its folder where that is empty then; the rest as above."""
    with hold(lock):
        if not _holds(path, before):
            return False
        try:
            path.unlink()
        except OSError as error:
            raise _refused(path, error) from error
        with contextlib.suppress(OSError):
            path.parent.rmdir()
        then()
        return True


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _refused(path, error) from error


def write_in_new_folder(path: Path, content: bytes) -> bool:
    """Writes a file into a folder that is made for it; False where the folder is there already.

    WriteFailed where the system refuses; the folder is then gone again.
    """
    folder = path.parent
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        write_bytes(path, content)
    except BaseException:
        with contextlib.suppress(OSError):
            folder.rmdir()
        raise
    return True


@contextlib.contextmanager
def hold(lock: Path) -> Iterator[None]:
    """Holds the lock file; whoever comes second waits. The system lets go of it when the process ends, however."""
    held = _locked(lock)
    try:
        yield
    finally:
        held.release()


@contextlib.contextmanager
def hold_alone(lock: Path) -> Iterator[bool]:
    """The same for one process at a time: False, and at once, where another one holds it. It is removed in the end."""
    try:
        held = _locked(lock, _AT_ONCE)
    except TimeoutError:
        yield False
        return
    try:
        yield True
    finally:
        with contextlib.suppress(OSError):  # Windows removes no file that is open
            lock.unlink()
        held.release()


def _locked(lock: Path, seconds: float = -1) -> BaseFileLock:
    """The lock of a file, taken within `seconds`, else TimeoutError; below 0 it waits for ever."""
    from filelock import FileLock  # takes 20 ms to load, and only what writes needs it

    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        made = FileLock(lock, timeout=seconds, poll_interval=_LOOK_AGAIN, fallback_to_soft=False)
        made.acquire()
    except TimeoutError:
        raise
    except OSError as error:
        raise _refused(lock, error) from error
    return made


def _mode_of(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _refused(path: Path, error: OSError) -> WriteFailed:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    hint = "free some space and run it again" if full else "check the folder's permissions"
    return WriteFailed(f"could not be written: {os.strerror(error.errno or 0)}", where=str(path), hint=hint)


class LedgerFile:
    """A ledger in the file at `path`, as its lines stand on the branch of a remote; two runs at once wait in turn."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Ledger:
        """The ledger as it is now; empty if the file does not exist."""
        try:
            return parse_ledger(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Incomplete(f"the ledger cannot be read: {error.strerror}", where=str(self._path)) from error

    def claim(self, pairs: Collection[Pair], now: datetime, after: timedelta | None = None) -> frozenset[Pair]:
        """Claims pairs -> those that are ours; see `domain.notification.claim`."""
        ours: frozenset[Pair] = frozenset()

        def change(ledger: Ledger) -> Ledger:
            nonlocal ours
            made = claim(ledger, pairs, now, after)
            ours = made.ours
            return made.ledger

        self._change(change, now)
        return ours

    def confirm(self, pairs: Collection[Pair], now: datetime) -> None:
        """Marks pairs as dealt with."""
        self._change(lambda ledger: confirm(ledger, pairs, now), now)

    def _change(self, change: Callable[[Ledger], Ledger], now: datetime) -> None:
        with hold(self._path.with_suffix(".lock")):
            before = self.read()
            after = change(before)
            if after != before:
                write_bytes(self._path, serialise(compact(after, now)))
