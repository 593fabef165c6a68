"""The files of a work tree: read without following links, listed without surprises."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from incident_ops.findings import Finding
from incident_ops.records.faults import fault
from incident_ops.records.read import MAX_BYTES


def read_regular(root: Path, path: str) -> bytes | Finding | None:
    """The bytes of a plain file below `root`; None where there is none; a finding where it may not be read."""
    try:
        handle = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return not_regular(path, "a symbolic link")
        return fault("file", path, f"cannot be read: {os.strerror(error.errno or 0)}", "check its permissions")
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            return None
        if not stat.S_ISREG(mode):
            return not_regular(path, "no plain file")
        return file.read(MAX_BYTES + 1)


def not_regular(path: str, what: str) -> Finding:
    """The finding for what is no plain file."""
    return fault("file", path, f"is {what}", "put a plain file there; links are not followed")


def list_folder(root: Path, folder: str) -> list[str]:
    """Names in a folder below `root`, in order; empty where there is no such folder."""
    try:
        return sorted(entry.name for entry in os.scandir(root / folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
