"""Names that are nearly ours: what lies there would hold deploys, and whoever wrote it believes that it does."""

from __future__ import annotations

import re

_INCIDENTS = "incidents"
HOLDING_FOLDERS = (_INCIDENTS, "freezes", "maintenance")
"""The folders whose records hold deploys."""

_KEYS = {_INCIDENTS: {b"id", b"times"}, "freezes": {b"reason", b"from"}, "maintenance": {b"window", b"status"}}
_KEY = re.compile(rb'(?:^|[{,])\s*"?([a-z]+)"?\s*:', re.MULTILINE)
_PARTS = re.compile(r"[-_. ]+")


def meant_folder(name: str, *, is_dir: bool) -> str | None:
    """The folder of what holds deploys that a name beside it was meant to be; None where it is that, or like none."""
    near = (one for one in HOLDING_FOLDERS if name.casefold() in _spellings(one))
    meant = next(near, None)
    return None if name == meant and (is_dir or name != _INCIDENTS) else meant


def contained_folder(name: str) -> str | None:
    """The folder of what holds deploys that is a word of another folder's name: `deploy-freezes`, `freezes-2025`."""
    words = _PARTS.split(name.casefold())
    contained = (one for one in HOLDING_FOLDERS if len(words) > 1 and not _spellings(one).isdisjoint(words))
    return next(contained, None)


def looks_like(folder: str, content: bytes) -> bool:
    """Whether a file has the keys that each record of a folder has, whatever its name is."""
    return _KEYS[folder] <= set(_KEY.findall(content))


def _spellings(folder: str) -> set[str]:
    return {folder, folder.removesuffix("s"), f"{folder}s"}
