"""A comment that silences rules on one line."""

from __future__ import annotations

from typing import NamedTuple


class Silence(NamedTuple):
    """The comment at `line` and `column` silences `rules` on line `on`, for `reason` ("" where none is given)."""

    path: str
    line: int
    column: int
    on: int
    rules: tuple[str, ...]
    reason: str
