"""Planned times: deploy freezes, overrides of one commit and maintenance windows; when they are, whether they overlap,
and which of them conflict (R245).

Only the fields that decisions need are read; the schemas hold all of them. Instants stay text until they are read here.

A local time that a clock change skips means the moment of the jump. One that it repeats means its first occurrence as a
beginning and its last as an end: what is planned in it is never cut short.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from incident_ops.domain.time import YEARS, OutOfRange, duration, instant, parse_instant, to_utc, zone_named

OVERRIDE_PREFIX = "override"


class DatedFile(msgspec.Struct, frozen=True, kw_only=True):
    """Base: built from checked data, without the fields that no decision needs."""


class Freeze(DatedFile, frozen=True, kw_only=True, rename={"begin": "from", "end": "until"}):
    """freezes/<name>.yaml. `kind` freeze holds deploys, OVERRIDE lets `sha` through; no services or environments = all.

    `begin` and `end` are instants, or local times that `zone` explains; `end` None = until the file is gone.
    """

    name: str
    reason: str
    begin: str
    end: str | None = None
    zone: str | None = None
    kind: str = "freeze"
    services: list[str] = []
    environments: list[str] = []
    by: str | None = None
    approved_by: str | None = None
    sha: str | None = None

    @property
    def is_override(self) -> bool:
        """True where it lets a commit through instead of holding deploys."""
        return self.kind == OVERRIDE_PREFIX

    def concerns(self, service: str, environment: str) -> bool:
        """True where it is about this service in this environment."""
        return (not self.services or service in self.services) and (
            not self.environments or environment in self.environments
        )


class Window(DatedFile, frozen=True, kw_only=True, rename={"begin": "from", "end": "until"}):
    """A time span on the wall clock of a zone."""

    zone: str
    begin: str
    end: str


class Buffer(DatedFile, frozen=True, kw_only=True):
    """Durations kept free around a window; None = the policy's."""

    before: str | None = None
    after: str | None = None


class Execution(DatedFile, frozen=True, kw_only=True):
    """When the work really began and when the window was closed; either may be `unknown`."""

    started: str | None = None
    closed: str | None = None


class Maintenance(DatedFile, frozen=True, kw_only=True):
    """maintenance/<CHG id>.yaml."""

    id: str
    title: str
    status: str
    services: list[str]
    window: Window
    buffer: Buffer = Buffer()
    execution: Execution = Execution()
    owner: str | None = None

    @property
    def is_agreed(self) -> bool:
        """True from the approval until it is over; a draft or a request holds nothing."""
        return self.status in ("approved", "in_progress") and self.execution.closed is None

    @property
    def is_running(self) -> bool:
        """True while people work on it, however long it takes."""
        return self.is_agreed and (self.status == "in_progress" or self.execution.started is not None)


class Span(NamedTuple):
    """From `begin` (included) to `end` (excluded), aware UTC; None = it has no such end."""

    begin: datetime | None
    end: datetime | None

    def covers(self, at: datetime) -> bool:
        """True where `at` lies in it."""
        return (self.begin is None or self.begin <= at) and (self.end is None or at < self.end)


class PlannedChangeSpan(NamedTuple):
    """Something planned: its `span`, and `kept`, the span with the time kept free around it. No services = all."""

    id: str
    services: frozenset[str]
    span: Span
    kept: Span


class Conflict(NamedTuple):
    """Two plans that meet: on which services (none = all) and when."""

    one: str
    other: str
    services: tuple[str, ...]
    span: Span


def overlap(one: Span, other: Span) -> Span | None:
    """What two spans share, None where that is nothing."""
    begins = [span.begin for span in (one, other) if span.begin is not None]
    ends = [span.end for span in (one, other) if span.end is not None]
    begin, end = max(begins, default=None), min(ends, default=None)
    return None if begin is not None and end is not None and end <= begin else Span(begin, end)


def conflicts(plans: Iterable[PlannedChangeSpan]) -> list[Conflict]:
    """Every two plans that meet on a service in the time kept free for them, in the plans' order."""
    found, before = [], list[PlannedChangeSpan]()
    for plan in plans:
        for other in before:
            shared = plan.services & other.services if plan.services and other.services else None
            meets = overlap(plan.kept, other.kept)
            if meets is not None and shared != frozenset():
                services = shared if shared is not None else plan.services | other.services
                found.append(Conflict(other.id, plan.id, tuple(sorted(services)), meets))
        before.append(plan)
    return found


def planned_freeze(freeze: Freeze) -> PlannedChangeSpan:
    """A freeze or an override in time. ValueError where its times cannot be read or end before they begin."""
    begin = local_instant(freeze.begin, freeze.zone)
    end = None if freeze.end is None else local_instant(freeze.end, freeze.zone, is_end=True)
    span = _ordered(begin, end)
    return PlannedChangeSpan(freeze.name, frozenset(freeze.services), span, span)


def planned_change(change: Maintenance, buffer: str | None = None) -> PlannedChangeSpan:
    """A maintenance window in time; `buffer` is the policy's, for a window without its own. ValueError as above.

    While people work on it its end is unknown; it begins where the work began, if that was earlier.
    """
    window = change.window
    begin, end = local_instant(window.begin, window.zone), local_instant(window.end, window.zone, is_end=True)
    span = _ordered(begin, end)
    started = instant(change.execution.started)
    if change.is_running:
        span = Span(min(begin, started) if started else begin, None)
    before, after = change.buffer.before or buffer or "0s", change.buffer.after or buffer or "0s"
    kept = Span(
        None if span.begin is None else _moved(span.begin, -duration(before)),
        None if span.end is None else _moved(span.end, duration(after)),
    )
    return PlannedChangeSpan(change.id, frozenset(change.services), span, kept)


def local_instant(text: str, zone: str | None, *, is_end: bool = False) -> datetime:
    """An instant, or a local time of `zone` -> aware UTC. ValueError where it is neither."""
    try:
        return parse_instant(text)
    except OutOfRange:
        raise
    except ValueError:
        if zone is None:
            raise ValueError(f"{text!r} is a local time without a zone") from None
    try:
        wall, where = datetime.fromisoformat(text), zone_named(zone)
        if wall.tzinfo is not None:
            raise ValueError(text)
    except ValueError:
        raise ValueError(f"{text!r} in zone {zone!r} is not a local time of a place such as Europe/Berlin") from None
    if wall.year not in YEARS:
        raise OutOfRange(text)
    return to_utc(wall, where, is_last=is_end)


def _ordered(begin: datetime, end: datetime | None) -> Span:
    if end is not None and end <= begin:
        raise ValueError("it ends before it begins")
    return Span(begin, end)


def _moved(at: datetime, seconds: int) -> datetime:
    try:
        return at + timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError("its buffer reaches beyond the calendar") from None
