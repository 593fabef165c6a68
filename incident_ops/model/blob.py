"""A file of a revision, as git names it."""

from __future__ import annotations

from typing import NamedTuple


class Blob(NamedTuple):
    """A path relative to the records' folder, its blob id ("" where it was deleted), and whether it is a plain file."""

    path: str
    id: str
    regular: bool
