"""What the rules say of a place in a record."""

from __future__ import annotations

from typing import NamedTuple

from incident_ops.findings import Route


class Remark(NamedTuple):
    """`rule` at `route` of the record; of a text `sentence`, which begins `offset` characters into it.

    `detail` says what in particular: the words that set a rule of language off, or what is missing.
    """

    rule: str
    route: Route
    detail: str = ""
    sentence: str = ""
    offset: int = 0
