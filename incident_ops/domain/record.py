"""A record and what belongs to it as values: where it came from, links to others, edits, comments that silence rules,
why one could not be used (a broken file never hides the next), ids (R92-R95), and where two lists differ.

An edit says what becomes of the data; `records.editor` applies it to the text.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any, NamedTuple

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy, Service


class Record(NamedTuple):
    """An incident with the place it came from.

    `path` is relative to the repository; `data` is the JSON-like content the incident was built from; `pending` is
    true for a record that is not merged yet; `undated` names the fields that a view of an earlier time leaves out.
    """

    path: str
    incident: Incident
    data: Mapping[str, Any]
    pending: bool = False
    undated: tuple[str, ...] = ()


HIDDEN = "(restricted)"
"""What stands in place of a title that may not be listed."""


def title_of(incident: Incident, policy: Policy) -> str | None:
    """The title where it may be listed; None = restricted, in a repository that is not private."""
    return incident.title if incident.visibility != "restricted" or policy.access.private else None


def all_undated(records: Iterable[Record]) -> tuple[str, ...]:
    """What a view of an earlier time leaves out of any of these records, in the order of a record."""
    missing = {field for record in records for field in record.undated}
    return tuple(field for field in Incident.__struct_fields__ if field in missing)


UndatedFields = tuple[tuple[str, tuple[str, ...]], ...]
"""Incident by incident, in order: its id, and what a view of an earlier time leaves out of it."""


class MergedPolicy(NamedTuple):
    """A policy of the default branch: its digest, and from when until when it was the branch's (None: it still is)."""

    digest: str
    policy: Policy
    begin: datetime
    end: datetime | None


class World(NamedTuple):
    """What a rule may know besides the record: policy, services by name, and the instant of the check (aware UTC)."""

    policy: Policy
    services: Mapping[str, Service]
    now: datetime


class SettledRecords(NamedTuple):
    """How many settled records are not looked at, and how many numbers of issues they carry."""

    records: int = 0
    numbers: int = 0


class IdClash(NamedTuple):
    """One id in several records; `next_free` is an id that is not in use."""

    id: str
    paths: tuple[str, ...]
    next_free: str


class Link(NamedTuple):
    """A link between records as written: `kind` is related, duplicate_of or problem; `route` leads to it."""

    path: str
    source: str
    kind: str
    target: str
    route: tuple[str | int, ...]


class Crossings(NamedTuple):
    """What concerns all records together: ids used twice, links that lead nowhere, every link between records."""

    clashes: tuple[IdClash, ...]
    dangling: tuple[Link, ...]
    links: tuple[Link, ...]


Route = tuple[str | int, ...]
"""Keys and indexes from the top of a record to a value, e.g. `("timeline", 0, "at")`."""


@dataclass(frozen=True, slots=True)
class Set:
    """The value at `route` becomes `value`. Missing keys, and missing mappings on the route, are created."""

    route: Route
    value: Any


@dataclass(frozen=True, slots=True)
class Append:
    """`value` becomes the last item of the list at `route`. A missing or null list is created."""

    route: Route
    value: Any


@dataclass(frozen=True, slots=True)
class Remove:
    """The key at `route` goes, with its line; one that is not there changes nothing."""

    route: Route


@dataclass(frozen=True, slots=True)
class Insert:
    """`value` becomes the item at `place` of the list at `route`; the one that is there, and all below, move on."""

    route: Route
    place: int
    value: Any


Edit = Set | Append | Insert | Remove


class Silence(NamedTuple):
    """The comment at `line` and `column` silences `rules` on line `on`, for `reason` ("" where none is given)."""

    path: str
    line: int
    column: int
    on: int
    rules: tuple[str, ...]
    reason: str


class Unread(NamedTuple):
    """`path` of the record, relative to the repository, and why it could not be used."""

    path: str
    reason: str

    @property
    def why(self) -> str:
        """The reason alone: some begin with the path."""
        return self.reason.removeprefix(f"{self.path}: ")


INCIDENT_ID = re.compile(r"INC-(?:[0-9]{8}-[0-9]{6}|[0-9]{4}-[0-9]{5}|[0-9]{1,12})", re.ASCII)
ID_BY_TIME = re.compile(r"INC-([0-9]{8}-[0-9]{6})", re.ASCII)
ITEM_ID = re.compile(r"AI-[1-9][0-9]{0,5}", re.ASCII)


def is_incident_id(text: str) -> bool:
    """True for every form an incident id may take: by time, by year and number, by number."""
    return INCIDENT_ID.fullmatch(text) is not None


def is_numbered(incident_id: str) -> bool:
    """True for an id that ends in a number which was taken, not in a time."""
    return ID_BY_TIME.fullmatch(incident_id) is None


def item_key(incident_id: str, item_id: str) -> str:
    """The key that owns an action item's issue: `INC-.../AI-2` (docs/decisions/0001)."""
    return f"{incident_id}/{item_id}"


MOST_ITEMS = 1000
"""Of longer differences only the common ends are found; the rest counts as different."""


class ChangedBlock(NamedTuple):
    """`now` takes the place of `was`; `same`: with the same content."""

    was: range
    now: range
    same: bool


def blocks(was: Sequence[Hashable], now: Sequence[Hashable]) -> Iterator[ChangedBlock]:
    """Both lists from first to last, in blocks that are the same or differ.

    What repeats very often may count as different between differences (difflib's `autojunk`): with it the longest
    comparison takes a second, without it minutes.
    """
    head = _common(was, now)
    was_middle, now_middle = was[head:], now[head:]
    tail = _common(was_middle[::-1], now_middle[::-1])
    was_end, now_end = len(was) - tail, len(now) - tail
    if head:
        yield ChangedBlock(range(head), range(head), same=True)
    if max(was_end, now_end) - head > MOST_ITEMS:
        yield ChangedBlock(range(head, was_end), range(head, now_end), same=False)
    else:
        matcher = SequenceMatcher(None, was[head:was_end], now[head:now_end])
        for tag, first, last, new_first, new_last in matcher.get_opcodes():
            here, there = range(head + first, head + last), range(head + new_first, head + new_last)
            yield ChangedBlock(here, there, same=tag == "equal")
    if tail:
        yield ChangedBlock(range(was_end, len(was)), range(now_end, len(now)), same=True)


def _common(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
