"""Pictures of a page as SVG inside it: an incident over time, a measured series. Colours are those of the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import NamedTuple

from incident_ops.documents.pictures import MOMENT, Bar, Lane, TimePicture

_WIDTH, _RIGHT = 800, 42
_ROW, _HEIGHT, _TOP = 26, 190, 16
_LETTER = 6.8
_MOST_TICKS, _MOST_VALUES = 8, 14
_TICKS = (1, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
_PLACES = 1


class MeasuredSpan(NamedTuple):
    """The value of a series over an interval in UTC; `text` is how the table spells it."""

    begin: datetime
    end: datetime
    value: float
    text: str


class _TimeScale(NamedTuple):
    """A span of time from `left` to the right edge."""

    begin: datetime
    finish: datetime
    left: float

    def across(self, at: datetime) -> float:
        seconds = (self.finish - self.begin).total_seconds() or 1.0
        return self.left + (at - self.begin).total_seconds() / seconds * (_WIDTH - self.left - _RIGHT)


def timeline_svg(picture: TimePicture) -> str:
    """An incident over time: a row for each bar, its heading at the left, a clock in UTC below."""
    scale = _TimeScale(*picture.span, left=150)
    rows = sum(len(lane.bars) for lane in picture.lanes)
    bottom = _TOP + rows * _ROW
    shapes, top = [*_clock(scale, bottom)], _TOP
    for lane in picture.lanes:
        shapes += _lane(lane, scale, top)
        top += len(lane.bars) * _ROW
    return _svg(picture.title, bottom + 30, shapes)


def series_svg(title: str, spans: Sequence[MeasuredSpan]) -> str:
    """A series as steps over time, from zero on; "" where fewer than two values are known."""
    if len(spans) < 2:
        return ""
    scale = _TimeScale(min(one.begin for one in spans), max(one.end for one in spans), left=80)
    bottom = _TOP + _HEIGHT
    low, high = min(0.0, *(one.value for one in spans)), max(0.0, *(one.value for one in spans))
    unit = _HEIGHT / ((high - low) * 1.1 or 1.0)

    def up(value: float) -> float:
        return bottom - (value - low) * unit

    shapes = [*_clock(scale, bottom)]
    for value in _round_values(low, high):
        shapes.append(f'<path d="M{scale.left} {_n(up(value))}H{_WIDTH - _RIGHT}"/>')
        shapes.append(_text(scale.left - 8, up(value) + 4, f"{value:,.10g}", "end"))
    for one in spans:
        left, right, top = scale.across(one.begin), scale.across(one.end), up(one.value)
        area = f"M{_n(left)} {_n(up(0))}V{_n(top)}H{_n(right)}V{_n(up(0))}Z"
        shapes.append(f'<path class="area" d="{area}"/><path class="step" d="M{_n(left)} {_n(top)}H{_n(right)}"/>')
        if len(spans) <= _MOST_VALUES:
            shapes.append(_text((left + right) / 2, top - 5, one.text, "middle"))
    return _svg(title, bottom + 30, shapes)


def _svg(title: str, height: float, shapes: Sequence[str]) -> str:
    size = f'viewBox="0 0 {_WIDTH} {_n(height)}"'
    label = escape(title, quote=True)
    return (
        f'<div class="wide" tabindex="0" role="group" aria-label="Picture: {label}">'
        f'<svg {size} role="img" aria-label="{label}">{"".join(shapes)}</svg></div>\n'
    )


def _clock(scale: _TimeScale, bottom: float) -> Iterator[str]:
    shape = "%H:%M" if scale.begin.date() == scale.finish.date() else "%m-%d %H:%M"
    yield f'<path d="M{scale.left} {_n(bottom)}H{_WIDTH - _RIGHT}"/>'
    for at in _ticks(scale.begin, scale.finish):
        yield f'<path d="M{_n(scale.across(at))} {_TOP - 6}V{_n(bottom)}"/>'
        yield _text(scale.across(at), bottom + 18, f"{at:{shape}}", "middle")


def _ticks(begin: datetime, finish: datetime) -> list[datetime]:
    """Round times within a span, at most _MOST_TICKS of them."""
    seconds = (finish - begin).total_seconds()
    step = next((one for one in _TICKS if seconds / one < _MOST_TICKS), 0)
    step = step or math.ceil(seconds / 86_400 / (_MOST_TICKS - 1)) * 86_400
    first = math.ceil(begin.timestamp() / step) * step
    count = int((finish.timestamp() - first) // step) + 1
    return [datetime.fromtimestamp(first, UTC) + timedelta(seconds=step * place) for place in range(count)]


def _lane(lane: Lane, scale: _TimeScale, top: float) -> Iterator[str]:
    yield _text(0, top + 18, lane.title, "start", "lane")
    yield f'<path d="M0 {_n(top)}H{_WIDTH - _RIGHT}"/>'
    for place, bar in enumerate(lane.bars):
        yield from _bar(bar, scale.across(bar.begin), scale.across(bar.finish), top + place * _ROW)


def _bar(bar: Bar, left: float, right: float, top: float) -> Iterator[str]:
    """A bar or a mark, and its label: inside, else at its right, else at its left."""
    if bar.kind == MOMENT:
        yield f'<path class="{bar.kind}" d="M{_n(left)} {_n(top + 5)}l8 8l-8 8l-8 -8z"/>'
        left, right = left - 8, right + 8
    else:
        size = f'width="{_n(max(right - left, 2))}" height="{_ROW - 8}"'
        css = f' class="{bar.kind}"' if bar.kind else ""
        yield f'<rect{css} x="{_n(left)}" y="{_n(top + 4)}" {size} rx="2"/>'
    length = len(bar.label) * _LETTER
    if length < right - left - 12:
        yield _text((left + right) / 2, top + 17, bar.label, "middle")
    elif right + 6 + length <= _WIDTH:
        yield _text(right + 6, top + 17, bar.label, "start")
    else:
        yield _text(left - 6, top + 17, bar.label, "end")


def _round_values(low: float, high: float) -> list[float]:
    """Values for the grid, about four of them: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / 4 or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= rough)
    return [place * step for place in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _text(x: float, y: float, text: str, anchor: str, css: str = "") -> str:
    kind = f' class="{css}"' if css else ""
    return f'<text{kind} x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{escape(text)}</text>'


def _n(value: float) -> str:
    return f"{round(value, _PLACES):g}"
