"""Whether two names of a record mean one person."""

from __future__ import annotations


def is_same_person(one: str, other: str) -> bool:
    """True for one handle, however it is capitalised and whether or not it has its @."""
    return _bare(one) == _bare(other)


def _bare(name: str) -> str:
    return name.strip().removeprefix("@").casefold()
