"""The picture of an incident over time: phases, moments, levels and hurt services, as a Mermaid gantt and as words.

GitHub draws the gantt; a page draws the same picture from the gantt's own text. Words of a record lose every sign that
means something to Mermaid, and begin no line, where they could be one of its commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import NamedTuple

from incident_ops.domain.as_of import known_instants, labels_held
from incident_ops.domain.impact import hurt_services
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import instant, spell_clock, spell_duration

HURT, MENDED, LEVEL, MOMENT = "crit", "done", "", "milestone"
"""How Mermaid marks a bar: users are hurt, they are well again, a level held, one moment.

A level has no mark: beside an `active` bar Mermaid writes dark on dark."""
MOST_LETTERS = 40
_MOST_IN_HEADING = 20
_MOST_BARS = 60
_STEPS = ("started", "detected", "declared", "acknowledged", "mitigated", "restored", "resolved")
_LATER_STEPS = ("reopened", "restored", "resolved")
_MOMENTS = {"declared": "Declared", "assembled": "War room assembled", "diagnosed": "Cause found"}
_OTHER_SIGNS = re.compile(r"[^\w .,()/+-]|--+")
_STAMP = "%Y-%m-%dT%H:%M:%S"
_HEAD = re.compile(
    r"---\nconfig: \{gantt: \{leftPadding: \d+\}\}\n---\n"
    r"gantt\n    accTitle: (.+)\n    accDescr: (.+)\n    dateFormat .+\n    axisFormat .+\n    todayMarker off"
)
_BAR = re.compile(rf"    (.+) :(?:({HURT}|{MENDED}|{MOMENT}), )?(\S{{19}}), (\S{{19}})")


class Bar(NamedTuple):
    """A span of time in UTC; a moment ends when it begins."""

    label: str
    kind: str
    begin: datetime
    finish: datetime


class Lane(NamedTuple):
    """Bars under one heading."""

    title: str
    bars: tuple[Bar, ...]


class TimePicture(NamedTuple):
    """A picture over time; `text` says what it shows to who cannot see it."""

    title: str
    text: str
    lanes: tuple[Lane, ...]

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From its first to its last instant."""
        bars = [bar for lane in self.lanes for bar in lane.bars]
        return min(bar.begin for bar in bars), max(bar.finish for bar in bars)


def time_picture(incident: Incident, policy: Policy) -> TimePicture | None:
    """The picture of a record; None where it would have fewer than two marks, as it has with one known instant."""
    at = {name: when for name, text in known_instants(incident).items() if (when := instant(text))}
    steps = [_steps(at, "times", _STEPS)]
    steps += [_steps(at, f"cycles.{number}", _LATER_STEPS) for number in range(1, len(incident.cycles) + 1)]
    known = sorted({when for cycle in steps for when, _ in cycle})
    moments = _moments(at, is_start=steps[0][:1] == [(at["times.declared"], "declared")])
    last = max([*known, *(bar.finish for bar in moments)])
    phases = (Lane(f"Phases of cycle {number}", _phases(one)) for number, one in enumerate(steps[1:], 2))
    others = [*_levels(incident, policy, last), *_services(incident, last)]
    lanes = tuple(
        lane for lane in (Lane("Phases", _phases(steps[0])), *phases, Lane("Moments", moments), *others) if lane.bars
    )
    if sum(len(lane.bars) for lane in lanes) < 2:
        return None
    dated = known[0].date() != last.date()
    text = ". ".join([_in_words(steps, moments, dated), *(_lane_in_words(lane, dated) for lane in others)])
    return TimePicture(f"{harmless(incident.id)} over time", text, lanes)


def harmless(text: str, most: int = MOST_LETTERS) -> str:
    """A record's text as letters, digits, blanks and a few signs, none of which Mermaid reads as more than text."""
    kept = " ".join(_OTHER_SIGNS.sub(" ", text).split())
    return (kept if len(kept) <= most else kept[: most - 3].rstrip() + "...") or "unnamed"


def _steps(at: Mapping[str, datetime], place: str, names: Sequence[str]) -> list[tuple[datetime, str]]:
    """What is known of one cycle by time; the declaration counts only where nothing earlier is known."""
    known = [(at[f"{place}.{name}"], name) for name in names if f"{place}.{name}" in at]
    has_earlier = known and known[0][1] in ("started", "detected")
    return sorted(
        (step for step in known if not (step[1] == "declared" and has_earlier)),
        key=lambda step: (step[0], names.index(step[1])),
    )


def _phases(steps: Sequence[tuple[datetime, str]]) -> tuple[Bar, ...]:
    """A bar from each instant to the next; what came at one instant goes by its first name."""
    first = dict(reversed(steps))
    restored = next((when for when, name in steps if name == "restored"), None)
    bars = []
    for begin, finish in pairwise(sorted(first)):
        label = f"{first[begin].capitalize()} to {first[finish]}, {_length(begin, finish)}"
        bars.append(Bar(label, HURT if restored is None or begin < restored else MENDED, begin, finish))
    return tuple(bars)


def _moments(at: Mapping[str, datetime], *, is_start: bool) -> tuple[Bar, ...]:
    """The moments that end no phase; that of the declaration only where the phases do not begin with it."""
    names = [name for name in _MOMENTS if f"times.{name}" in at and not (is_start and name == "declared")]
    found = [(at[f"times.{name}"], _MOMENTS[name]) for name in names]
    return tuple(Bar(title, MOMENT, when, when) for when, title in sorted(found, key=lambda pair: pair[0]))


def _levels(incident: Incident, policy: Policy, last: datetime) -> Iterator[Lane]:
    """How the level that drives the clocks changed; nothing where it held from beginning to end."""
    is_priority = policy.drives == "priority"
    held = [(since, priority if is_priority else severity) for since, severity, priority in labels_held(incident)]
    levels = [next(run) for _, run in groupby(held, key=lambda pair: pair[1])]
    if len(levels) < 2:
        return
    ends = [*(begin for begin, _ in levels[1:]), max(last, levels[-1][0])]
    bars = (
        Bar(f"{_length(begin, end)} {harmless(label or 'no level')}", LEVEL, begin, end)
        for (begin, label), end in zip(levels, ends, strict=True)
    )
    yield Lane(policy.drives.capitalize(), tuple(bars)[:_MOST_BARS])


def _services(incident: Incident, last: datetime) -> Iterator[Lane]:
    room = _MOST_BARS
    for name, entries in hurt_services(incident).items():
        bars = []
        for one in entries[:room]:
            begin = instant(one.start) or last
            end = instant(one.end) or max(last, begin)
            how_long = _length(begin, end) if one.end else "Not over,"
            bars.append(Bar(f"{how_long} {harmless(one.degree)}", HURT, begin, max(begin, end)))
        room -= len(bars)
        yield Lane(harmless(name, _MOST_IN_HEADING), tuple(bars))


def _length(begin: datetime, end: datetime) -> str:
    return spell_duration(int((end - begin).total_seconds()))


def _in_words(steps: Sequence[Sequence[tuple[datetime, str]]], moments: Sequence[Bar], dated: bool) -> str:
    known = {(when, name) for cycle in steps for when, name in cycle}
    known |= {(bar.begin, bar.label[0].lower() + bar.label[1:]) for bar in moments}
    by_time = sorted(known, key=lambda pair: (pair[0], _rank(pair[1]), pair[1]))
    text = ", ".join(f"{name} {spell_clock(when, dated)}" for when, name in by_time)
    return f"{text[:1].upper()}{text[1:]} (UTC)"


def _lane_in_words(lane: Lane, dated: bool) -> str:
    bars = (f"{bar.label} from {spell_clock(bar.begin, dated)}" for bar in lane.bars)
    return f"{lane.title}: {', '.join(bars)}"


def _rank(name: str) -> int:
    return _STEPS.index(name) if name in _STEPS else len(_STEPS)


def gantt(picture: TimePicture) -> str:
    """A picture as the text of a Mermaid gantt. It has no zone: its clock shows UTC, whatever that of the reader is."""
    begin, finish = picture.span
    axis = "%H:%M" if begin.date() == finish.date() else "%m-%d %H:%M"
    room = 30 + 7 * max(len(lane.title) for lane in picture.lanes)
    lines = [
        *("---", f"config: {{gantt: {{leftPadding: {room}}}}}", "---"),
        "gantt",
        f"    accTitle: {picture.title}",
        f"    accDescr: {picture.text}",
        "    dateFormat YYYY-MM-DDTHH:mm:ss",
        f"    axisFormat {axis}",
        "    todayMarker off",
    ]
    for lane in picture.lanes:
        lines.append(f"    section {lane.title}")
        for bar in lane.bars:
            mark = f"{bar.kind}, " if bar.kind else ""
            lines.append(f"    {bar.label} :{mark}{bar.begin:{_STAMP}}, {bar.finish:{_STAMP}}")
    return "\n".join(lines)


def read_gantt(text: str) -> TimePicture | None:
    """The picture that `gantt` wrote; None for every other text."""
    head = _HEAD.match(text)
    if head is None:
        return None
    lanes: list[tuple[str, list[Bar]]] = []
    for line in text[head.end() :].strip("\n").split("\n"):
        if line.startswith("    section "):
            lanes.append((line.removeprefix("    section "), []))
        elif lanes and (bar := _read_bar(line)):
            lanes[-1][1].append(bar)
        else:
            return None
    filled = tuple(Lane(title, tuple(bars)) for title, bars in lanes if bars)
    return TimePicture(head[1], head[2], filled) if filled else None


def _read_bar(line: str) -> Bar | None:
    found = _BAR.fullmatch(line)
    if found is None:
        return None
    try:
        begin, finish = (datetime.strptime(found[place], _STAMP).replace(tzinfo=UTC) for place in (3, 4))
    except ValueError:
        return None
    return Bar(found[1], found[2] or LEVEL, begin, finish) if begin <= finish else None
