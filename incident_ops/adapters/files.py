"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from incident_ops.errors import WriteFailed


def write_bytes(path: Path, content: bytes, mode: int | None = None) -> None:
    """Writes a file atomically: a reader sees the old content or the new, never a part. WriteFailed where refused.

    Without `mode` a file keeps the mode it had; a new one gets what the user's mask allows.
    """
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _refused(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
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


def _mode_of(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _refused(path: Path, error: OSError) -> WriteFailed:
    hint = "free some space and run it again" if error.errno == 28 else "check the folder's permissions"
    return WriteFailed(f"could not be written: {os.strerror(error.errno or 0)}", where=str(path), hint=hint)
