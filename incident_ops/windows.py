"""Windows and freezes as stretches of time: when they are, whether they overlap, which of them conflict (R245).

A local time that a clock change skips means the moment of the jump. One that it repeats means its first occurrence as a
beginning and its last as an end: what is planned in it is never cut short.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from incident_ops.model.time import YEARS, OutOfRange, duration, instant, parse_instant
from incident_ops.model.window import Freeze, Maintenance
from incident_ops.model.zone import place, to_utc


class Span(NamedTuple):
    """From `begin` (included) to `end` (excluded), aware UTC; None = it has no such end."""

    begin: datetime | None
    end: datetime | None

    def covers(self, at: datetime) -> bool:
        """True where `at` lies in it."""
        return (self.begin is None or self.begin <= at) and (self.end is None or at < self.end)


class Planned(NamedTuple):
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


def conflicts(plans: Iterable[Planned]) -> list[Conflict]:
    """Every two plans that meet on a service in the time kept free for them, in the plans' order."""
    found, before = [], list[Planned]()
    for plan in plans:
        for other in before:
            shared = plan.services & other.services if plan.services and other.services else None
            meets = overlap(plan.kept, other.kept)
            if meets is not None and shared != frozenset():
                services = shared if shared is not None else plan.services | other.services
                found.append(Conflict(other.id, plan.id, tuple(sorted(services)), meets))
        before.append(plan)
    return found


def planned_freeze(freeze: Freeze) -> Planned:
    """A freeze or an override in time. ValueError where its times cannot be read or end before they begin."""
    begin = moment(freeze.begin, freeze.zone)
    end = None if freeze.end is None else moment(freeze.end, freeze.zone, is_end=True)
    span = _ordered(begin, end)
    return Planned(freeze.name, frozenset(freeze.services), span, span)


def planned_change(change: Maintenance, buffer: str | None = None) -> Planned:
    """A maintenance window in time; `buffer` is the policy's, for a window without its own. ValueError as above.

    While people work on it nobody knows its end; it begins where the work began, if that was earlier.
    """
    window = change.window
    begin, end = moment(window.begin, window.zone), moment(window.end, window.zone, is_end=True)
    span = _ordered(begin, end)
    started = instant(change.execution.started)
    if change.is_running:
        span = Span(min(begin, started) if started else begin, None)
    before, after = change.buffer.before or buffer or "0s", change.buffer.after or buffer or "0s"
    kept = Span(
        None if span.begin is None else _moved(span.begin, -duration(before)),
        None if span.end is None else _moved(span.end, duration(after)),
    )
    return Planned(change.id, frozenset(change.services), span, kept)


def moment(text: str, zone: str | None, *, is_end: bool = False) -> datetime:
    """An instant, or a local time of `zone` -> aware UTC. ValueError where it is neither."""
    try:
        return parse_instant(text)
    except OutOfRange:
        raise
    except ValueError:
        if zone is None:
            raise ValueError(f"{text!r} is a local time, and there is no zone") from None
    try:
        wall, where = datetime.fromisoformat(text), place(zone)
        if wall.tzinfo is not None:
            raise ValueError(text)
    except ValueError:
        raise ValueError(f"{text!r} in zone {zone!r} is no time of a place such as Europe/Berlin") from None
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
        raise ValueError("its buffer leads outside the calendar") from None
