"""Nobody is put on call twice at once, and no override hides another one unseen.

Two overrides of one time are mostly two swaps that did not know of each other: the last one of the file wins. Somebody
who is on call by two schedules at once is their own backup. Both are looked at for the next 60 days. A layer that puts
nobody on call but who is on call already, by one above it in the file, is a note: it changes nothing.

    before: overrides:
            - {from: 2025-01-08, to: 2025-01-10, who: "@ben"}
            - {from: 2025-01-09, to: 2025-01-11, who: "@cleo"}
    after:  overrides:
            - {from: 2025-01-08, to: 2025-01-09, who: "@ben"}
            - {from: 2025-01-09, to: 2025-01-11, who: "@cleo"}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from incident_ops.domain.oncall import schedule_zone
from incident_ops.findings import Finding, Level
from incident_ops.oncall.shifts import Shift, layer_shifts, override_shifts, shifts
from incident_ops.rules.oncall import ScheduleFile
from incident_ops.rules.oncall.uncovered import AHEAD

ID = "oncall-overlap"
LEVEL = (Level.WARNING, Level.NOTE)
TIMED = True


def check(subject: ScheduleFile) -> Iterator[Finding]:
    """Overrides over overrides, a layer of those who are on call already, and one person in two schedules."""
    yield from _overrides(subject)
    yield from _layers(subject)
    yield from _schedules(subject)


def _overrides(subject: ScheduleFile) -> Iterator[Finding]:
    every = override_shifts(subject.schedule)
    for later, over in enumerate(every):
        if over.end <= subject.now:
            continue
        under = next((one for one in every[:later] if one.begin < over.end and over.begin < one.end), None)
        if under is not None and under.who != over.who:
            when = _spelled(subject, max(under.begin, over.begin))
            message = f"this override of {over.who} covers one of {under.who} from {when} on; the last one wins"
            hint = "is that meant? else shorten one of them"
            yield subject.finding(ID, Level.WARNING, ("overrides", later, "from"), message, hint)


def _layers(subject: ScheduleFile) -> Iterator[Finding]:
    end = subject.now + AHEAD
    said = [layer_shifts(layer, subject.schedule, subject.now, end) for layer in subject.schedule.layers]
    for later, upper in enumerate(said):
        for number, lower in enumerate(said[:later]):
            if upper and all(_is_inside(one, lower) for one in upper):
                names = [subject.schedule.layers[place].name for place in (later, number)]
                message = f"layer {names[0]!r} puts on call who is on call by layer {names[1]!r} already"
                hint = "take it out, unless other people come into it later"
                yield subject.finding(ID, Level.NOTE, ("layers", later, "people"), message, hint, on_key=True)


def _is_inside(one: Shift, shifts_below: Iterable[Shift]) -> bool:
    """Whether the same person has all of a shift below, too."""
    shared = (min(one.end, two.end) - max(one.begin, two.begin) for two in shifts_below if two.who == one.who)
    return sum((part for part in shared if part > timedelta()), timedelta()) == one.end - one.begin


def _schedules(subject: ScheduleFile) -> Iterator[Finding]:
    """Said once of each two, at the one whose name comes later."""
    mine: Sequence[Shift] | None = None
    for name, other in sorted(subject.others.items()):
        if name >= subject.schedule.name or not set(other.people) & set(subject.schedule.people):
            continue
        end = subject.now + AHEAD
        mine = shifts(subject.schedule, subject.now, end) if mine is None else mine
        try:
            both = _meeting(shifts(other, subject.now, end), mine)
        except ValueError:  # the other file has a finding of its own
            continue
        if both is not None:
            when = _spelled(subject, both.begin)
            message = f"{both.who} is on call by {name} and {subject.schedule.name} at once, first {when}"
            hint = "swap one of the two, unless nobody else is there"
            yield subject.finding(ID, Level.WARNING, ("name",), message, hint)


def _meeting(one: Iterable[Shift], other: Sequence[Shift]) -> Shift | None:
    """The first time that both put the same person on call; both are in order, without overlaps."""
    place = 0
    for shift in one:
        while place < len(other) and other[place].end <= shift.begin:
            place += 1
        for second in other[place:]:
            if second.begin >= shift.end:
                break
            if second.who == shift.who:
                return shift._replace(begin=max(shift.begin, second.begin), end=min(shift.end, second.end))
    return None


def _spelled(subject: ScheduleFile, at: datetime) -> str:
    return f"{at.astimezone(schedule_zone(subject.schedule)):%a %Y-%m-%d %H:%M %Z}"
