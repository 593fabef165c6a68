"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from incident_ops.errors import WriteFailed


def write_bytes(path: Path, content: bytes, mode: int | None = None, head: bytes = b"") -> None:
    """Writes a file atomically: a reader sees the old content or the new, never a part. WriteFailed where refused.

    `head` is written before the content. Without `mode` a file keeps the mode it had; a new one gets what the user's
    mask allows.
    """
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
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


def write_text(path: Path, text: str) -> None:
    """Writes text as UTF-8, atomically."""
    write_bytes(path, text.encode("utf-8"))


def replace_if_unchanged(path: Path, before: bytes, after: bytes, lock: Path) -> bool:
    """Writes `after` only where the file still holds `before`; False where it does not, and nothing was written.

    `lock` is a file that all who write this way share: between the look and the write no other of them writes.
    WriteFailed where the system refuses.
    """
    with hold(lock):
        try:
            there = path.read_bytes()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _refused(path, error) from error
        if there != before:
            return False
        write_bytes(path, after)
        return True


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
    import fcntl

    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise _refused(lock, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


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
