"""A record that could not be used, as a value: one broken file never hides the next."""

from __future__ import annotations

from typing import NamedTuple


class Unread(NamedTuple):
    """`path` of the record, relative to the repository, and why it could not be used."""

    path: str
    reason: str

    @property
    def why(self) -> str:
        """The reason alone: some begin with the path."""
        return self.reason.removeprefix(f"{self.path}: ")
