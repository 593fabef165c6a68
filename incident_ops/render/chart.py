"""Pictures of lines over time as SVG shapes: scales, axes, bands, marks. The caller escapes what they hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from incident_ops.domain.time import spell_duration

PlotPoint = tuple[float, float]


class SvgShape(NamedTuple):
    """One SVG element: its name, class, attributes in order, and text."""

    tag: str
    css: str
    attributes: tuple[tuple[str, str], ...]
    text: str = ""


class Drawing(NamedTuple):
    """The shapes of a picture so many units wide and high."""

    width: int
    height: int
    shapes: tuple[SvgShape, ...]


class Line(NamedTuple):
    """A line through points by second, broken between its runs; `mark` is `dot`, `square` or ""."""

    css: str
    runs: tuple[tuple[PlotPoint, ...], ...]
    mark: str = ""


class Ribbon(NamedTuple):
    """An area between two values by second: (second, low, high)."""

    css: str
    runs: tuple[tuple[tuple[float, float, float], ...], ...]


class Band(NamedTuple):
    """A stretch of time with a label above it; `css` says how it is filled."""

    css: str
    begin: float
    end: float
    label: str = ""


class LimitLine(NamedTuple):
    """A horizontal line at a value."""

    css: str
    value: float
    label: str


class Moment(NamedTuple):
    """A vertical line at a second."""

    css: str
    at: float
    label: str


@dataclass(frozen=True)
class Plot:
    """What a picture shows: seconds from `begin` to `end`, values from `low` to `high`, `is_log` where they multiply.

    `crosses` are seconds marked at the foot: a tick without data. `unit` follows each value of the axis.
    """

    begin: float
    end: float
    low: float
    high: float
    unit: str = ""
    is_log: bool = False
    bands: tuple[Band, ...] = ()
    ribbons: tuple[Ribbon, ...] = ()
    lines: tuple[Line, ...] = ()
    levels: tuple[LimitLine, ...] = ()
    moments: tuple[Moment, ...] = ()
    crosses: tuple[float, ...] = ()


WIDE, NARROW = (800, 270), (360, 250)
"""Sizes of the same picture for a desk or paper, and for a phone."""
_TOP, _FOOT, _RIGHT, _LETTER = 40, 26, 14, 7.0


def draw(plot: Plot, size: tuple[int, int]) -> Drawing:
    """The picture of a plot, what lies behind first."""
    place = _Places(plot, *size)
    shapes = [
        *_bands(plot, place),
        *_axes(plot, place),
        *(shape for ribbon in plot.ribbons for shape in _ribbon(ribbon, place)),
        *(shape for level in plot.levels for shape in _level(level, place)),
        *(shape for line in plot.lines for shape in _line(line, place)),
        *_crosses(plot, place),
        *(shape for moment in plot.moments for shape in _moment(moment, place)),
    ]
    return Drawing(*size, tuple(shapes))


class _Places:
    """Where a second and a value are in a picture."""

    def __init__(self, plot: Plot, width: int, height: int) -> None:
        self.plot = plot
        labels = [axis_text(value, plot.unit) for value in value_ticks(plot)]
        self.left = 10 + _LETTER * max(map(len, labels), default=1)
        self.right, self.top, self.foot = width - _RIGHT, float(_TOP), height - _FOOT
        self.room = self.right - self.left

    def x(self, second: float) -> float:
        span = self.plot.end - self.plot.begin
        part = (second - self.plot.begin) / span if span > 0 else 0.0
        return self.left + self.room * min(max(part, 0.0), 1.0)

    def y(self, value: float) -> float:
        low, high = self.plot.low, self.plot.high
        if self.plot.is_log:
            low, high, value = math.log(low), math.log(high), math.log(max(value, self.plot.low))
        part = (value - low) / (high - low) if high > low else 0.0
        return self.foot - (self.foot - self.top) * min(max(part, 0.0), 1.0)


def axis_text(value: float, unit: str = "") -> str:
    """A value of an axis: `0.5 %`, `1,000`."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{text} {unit}".rstrip()


_TOPS, _STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12), (1, 2, 2.5, 5, 10, 20)


def nice_top(value: float, of: Sequence[float] = _TOPS) -> float:
    """The next short number that is not below a value; 1 for nothing. `of`: its first digits, in rising order."""
    if not 0 < value < math.inf:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in of if step * power >= value * (1 - 1e-9))


def value_ticks(plot: Plot) -> list[float]:
    """The values that the axis names, four to six of them."""
    if plot.is_log:
        powers = range(round(math.log10(plot.low)), round(math.log10(plot.high)) + 1)
        every = max(1, math.ceil(len(powers) / 6))
        return [10.0**power for power in powers if power % every == 0]
    step = nice_top((plot.high - plot.low) / 5, _STEPS)
    first = math.ceil(plot.low / step - 1e-9)
    return [step * number for number in range(first, math.floor(plot.high / step + 1e-9) + 1)]


_SECONDS = (1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


def second_ticks(begin: float, end: float, most: int) -> list[int]:
    """The seconds that the axis names, at most so many, on whole minutes or hours where they can be."""
    days = range(2 * 86400, 10**9, 86400)
    step = next(one for one in (*_SECONDS, *days) if (end - begin) / one <= most)
    return list(range(math.ceil(begin / step) * step, math.floor(end) + 1, step))


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _attributes(**values: float | str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value if isinstance(value, str) else _n(value)) for name, value in values.items())


def _text(css: str, x: float, y: float, text: str) -> SvgShape:
    return SvgShape("text", css, _attributes(x=x, y=y), text)


def _axes(plot: Plot, place: _Places) -> Iterator[SvgShape]:
    for value in value_ticks(plot):
        y = place.y(value)
        yield SvgShape("line", "grid", _attributes(x1=place.left, y1=y, x2=place.right, y2=y))
        yield _text("axis end", place.left - 6, y + 4, axis_text(value, plot.unit))
    yield SvgShape("line", "base", _attributes(x1=place.left, y1=place.foot, x2=place.right, y2=place.foot))
    for second in second_ticks(plot.begin, plot.end, max(2, int(place.room / 70))):
        x = place.x(second)
        yield SvgShape("line", "base", _attributes(x1=x, y1=place.foot, x2=x, y2=place.foot + 4))
        css = "axis end" if x > place.right - 12 else "axis mid"
        yield _text(
            css, min(x, place.right) if css.endswith("mid") else place.right + 8, place.foot + 18, _second(second)
        )


def _second(second: int) -> str:
    return spell_duration(second, exact=True)


def _bands(plot: Plot, place: _Places) -> Iterator[SvgShape]:
    """One shape for all bands of a kind, and their labels where there is room."""
    boxes: dict[str, list[str]] = {}
    labels = []
    for band in plot.bands:
        left, right = place.x(band.begin), place.x(band.end)
        if right - left >= 1:
            wide, high = _n(right - left), _n(place.foot - place.top)
            boxes.setdefault(band.css, []).append(f"M{_n(left)} {_n(place.top)}h{wide}v{high}h-{wide}z")
        if band.label and right - left >= _LETTER * len(band.label):
            labels.append(_text("label mid", (left + right) / 2, place.top - 26, band.label))
    yield from (SvgShape("path", f"band {css}", (("d", "".join(paths)),)) for css, paths in boxes.items() if css)
    yield from labels


def _path(points: Sequence[PlotPoint]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _line(line: Line, place: _Places) -> Iterator[SvgShape]:
    runs = [[(place.x(at), place.y(value)) for at, value in run] for run in line.runs]
    if joined := "".join(_path(points) for points in runs if len(points) > 1):
        yield SvgShape("path", f"line {line.css}", (("d", joined),))
    points = [point for run in runs for point in run if line.mark or len(run) == 1]
    if points:
        mark = _SQUARE if line.mark == "square" else _DOT
        marks = "".join(f"M{_n(x + mark.shift)} {_n(y + mark.shift)}{mark.path}" for x, y in points)
        yield SvgShape("path", f"{mark.css} {line.css}", (("d", marks),))


class _Mark(NamedTuple):
    css: str
    path: str
    shift: float


_DOT, _SQUARE = _Mark("dot", "h0", 0.0), _Mark("square", "h5v5h-5z", -2.5)
"""A dot is a line without length, whose round ends are drawn."""


def _ribbon(ribbon: Ribbon, place: _Places) -> Iterator[SvgShape]:
    for run in ribbon.runs:
        if len(run) == 1:
            at, low, high = run[0]
            ends = _attributes(x1=place.x(at), y1=place.y(low), x2=place.x(at), y2=place.y(high))
            yield SvgShape("line", f"whisker {ribbon.css}", ends)
            continue
        upper = [(place.x(at), place.y(high)) for at, _, high in run]
        lower = [(place.x(at), place.y(low)) for at, low, _ in reversed(run)]
        yield SvgShape("path", f"ribbon {ribbon.css}", (("d", f"{_path([*upper, *lower])}Z"),))


def _level(level: LimitLine, place: _Places) -> Iterator[SvgShape]:
    y = place.y(level.value)
    yield SvgShape("line", f"level {level.css}", _attributes(x1=place.left, y1=y, x2=place.right, y2=y))
    below = y < place.top + 16
    yield _text("note", place.left + 6, y + 15 if below else y - 5, level.label)


def _crosses(plot: Plot, place: _Places) -> Iterator[SvgShape]:
    y = _n(place.foot - 9)
    if plot.crosses:
        paths = "".join(f"M{_n(place.x(at) - 3)} {y}l6 6m0-6l-6 6" for at in plot.crosses)
        yield SvgShape("path", "cross", (("d", paths),))


def _moment(moment: Moment, place: _Places) -> Iterator[SvgShape]:
    x, half = place.x(moment.at), _LETTER * len(moment.label) / 2
    yield SvgShape("line", f"moment {moment.css}", _attributes(x1=x, y1=place.top - 6, x2=x, y2=place.foot))
    if x + half > place.right:
        yield _text(f"said {moment.css} end", place.right + 8, place.top - 10, moment.label)
    elif x - half < 0:
        yield _text(f"said {moment.css}", 2, place.top - 10, moment.label)
    else:
        yield _text(f"said {moment.css} mid", x, place.top - 10, moment.label)
