"""Numbers that follow from a record: named lengths of time and counts. None of them is typed by hand (C30)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.lifecycle import effective
from incident_ops.model.incident import ActionItem, Incident, Lessons
from incident_ops.model.time import instant


class Interval(NamedTuple):
    """A named length of time between two instants of a record (C18).

    `start` and `end` name the instants (`started`, `restored`); `begin` and `finish` are aware UTC, None = unknown.
    """

    name: str
    start: str
    end: str
    begin: datetime | None
    finish: datetime | None

    @property
    def seconds(self) -> int | None:
        """Length in whole seconds, negative where the end came first; None as long as an end is unknown."""
        return None if self.begin is None or self.finish is None else int((self.finish - self.begin).total_seconds())


class ItemCounts(NamedTuple):
    """Action items in total, per priority (in the policy's order, then by name) and per status (in use only).

    `unranked` have no priority; `incomplete` lack an owner or a due date (R190).
    """

    total: int
    by_priority: dict[str, int]
    unranked: int
    by_status: dict[str, int]
    incomplete: int


class LessonCounts(NamedTuple):
    """Lessons in total and by kind, kinds without one left out."""

    total: int
    by_kind: dict[str, int]


def impact(incident: Incident) -> Interval:
    """How long users felt it: restored - started of the first cycle, after corrections (C18)."""
    return _between(effective(incident), "Impact", "started", "restored")


def impacts(incident: Incident) -> list[Interval]:
    """The impact of each cycle: the first one's, then reopened to restored of each later one."""
    at = effective(incident)
    later = [
        Interval(
            f"Impact, cycle {entry + 1}",
            "reopened",
            "restored",
            instant(at.get(f"cycles.{entry}.reopened")),
            instant(at.get(f"cycles.{entry}.restored")),
        )
        for entry in range(1, len(incident.cycles) + 1)
    ]
    return [impact(incident), *later]


def intervals(incident: Incident) -> list[Interval]:
    """The named lengths of a record (R208, R214): the impact always, each other once the record says its end.

    Detect runs from the start; acknowledge and restore from the detection (where that is unknown, from the
    declaration); war room, diagnose and resolve from the declaration, as the clocks do; total from the start to the
    closing, until then to the resolution. Each later cycle adds its own impact, reopened to restored.
    """
    at = effective(incident)
    noticed = "detected" if instant(at.get("times.detected")) else "declared"
    total_end = "closed" if "times.closed" in at else "resolved"
    lengths = [
        ("Time to detect", "started", "detected"),
        ("Time to acknowledge", noticed, "acknowledged"),
        ("War room assembled", "declared", "assembled"),
        ("Time to diagnose", "declared", "diagnosed"),
        ("Time to restore", noticed, "restored"),
        ("Time to resolve", "declared", "resolved"),
        ("Total", "started", total_end),
    ]
    told = [_between(at, name, start, end) for name, start, end in lengths if f"times.{end}" in at]
    return [*impacts(incident), *told]


def count_items(items: Sequence[ActionItem], priorities: Sequence[str]) -> ItemCounts:
    """Counts of action items (R196); `priorities` is the policy's list, worst first."""
    ranked = Counter(item.priority for item in items if item.priority)
    order = [*priorities, *sorted(set(ranked) - set(priorities))]
    statuses = Counter(item.status for item in items)
    return ItemCounts(
        total=len(items),
        by_priority={name: ranked[name] for name in order if ranked[name]},
        unranked=len(items) - ranked.total(),
        by_status={name: statuses[name] for name in ("done", "in_progress", "open", "wont_do") if statuses[name]},
        incomplete=sum(1 for item in items if not (item.owner and item.due)),
    )


def count_lessons(lessons: Lessons) -> LessonCounts:
    """Counts of lessons (R250)."""
    kinds = {"technical": len(lessons.technical), "process": len(lessons.process), "cultural": len(lessons.cultural)}
    return LessonCounts(sum(kinds.values()), {name: count for name, count in kinds.items() if count})


def _between(at: Mapping[str, str], name: str, start: str, end: str) -> Interval:
    return Interval(name, start, end, instant(at.get(f"times.{start}")), instant(at.get(f"times.{end}")))
