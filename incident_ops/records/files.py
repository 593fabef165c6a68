"""The files of a work tree: read without following links, listed without surprises."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from incident_ops.errors import Incomplete
from incident_ops.findings import Finding
from incident_ops.records.faults import fault
from incident_ops.records.read import MAX_BYTES


def read_regular(root: Path, path: str) -> bytes | Finding | None:
    """The bytes of a plain file below `root`; None where there is none; a finding where it may not be read."""
    end = path.find("/")
    while end != -1:
        if is_link(root, path[:end]):
            return not_regular(path)
        end = path.find("/", end + 1)
    try:
        handle = os.open(f"{root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return not_regular(path)
        return _unreadable(path, error)
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISREG(mode):
            return _content(handle)
        return None if stat.S_ISDIR(mode) else not_regular(path)
    except OSError as error:
        return _unreadable(path, error)
    finally:
        os.close(handle)


def _content(handle: int) -> bytes:
    content = os.read(handle, MAX_BYTES + 1)
    while content and len(content) <= MAX_BYTES and (more := os.read(handle, MAX_BYTES + 1 - len(content))):
        content += more
    return content


def _unreadable(path: str, error: OSError) -> Finding:
    return fault("file", path, f"cannot be read: {os.strerror(error.errno or 0)}", "check its permissions")


def not_regular(path: str) -> Finding:
    """The finding for what is no plain file, the same for a work tree and for a commit."""
    return fault("file", path, "is no plain file", "put a plain file there; links are not followed")


def is_link(root: Path, path: str) -> bool:
    """True where a symbolic link stands at this path below `root`."""
    try:
        return stat.S_ISLNK(os.lstat(f"{root}/{path}").st_mode)
    except OSError:
        return False  # reading or listing it tells why


def list_folder(root: Path, folder: str) -> list[str]:
    """Names in a folder below `root`, in order; empty where there is none. Incomplete where it may not be listed."""
    return sorted(names_in(root, folder))


def names_in(root: Path, folder: str) -> set[str]:
    """The same in no order, which of very many costs more than the listing."""
    try:
        return {entry.name for entry in os.scandir(f"{root}/{folder}")}
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        hint = "check its permissions"
        raise Incomplete(
            f"the folder cannot be listed: {os.strerror(error.errno or 0)}", where=folder, hint=hint
        ) from error
