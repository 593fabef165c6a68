"""Who may create issues at this moment."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Lease(NamedTuple):
    """A lock that is ours until an instant (aware UTC); `commit` is what proves that it is."""

    commit: str
    until: datetime


class Held(NamedTuple):
    """A lock that somebody else has: who, and until when (aware UTC)."""

    holder: str
    until: datetime
