"""Latencies, and the names of the histograms that count them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

_SLOWER = re.compile(r"([0-9]+(?:[.][0-9]+)?)(ms|s)", re.ASCII)
_NAME = r"[A-Za-z_:][A-Za-z0-9_:]*"
_SELECTOR = re.compile(
    rf"""\s*(?P<name>{_NAME})\s*(?:\{{(?P<labels>(?:[^{{}}"'`]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*)\}})?\s*""",
    re.ASCII,
)
_HAS_BOUND = re.compile(r"(?:^|[,\s])le\s*(?:=|!)", re.ASCII)
_QUOTED = re.compile(r"""\"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")
_PARTS = ("_bucket", "_count", "_sum")
_CLOSE = 1e-9
_BASIC = {"_milliseconds": 1e3, "_ms": 1e3, "_millis": 1e3, "_microseconds": 1e6, "_us": 1e6, "_nanoseconds": 1e9}


def to_latency(text: str) -> float:
    """`300ms`, `0.5s` -> seconds. ValueError for another text."""
    match = _SLOWER.fullmatch(text)
    if match is None:
        raise ValueError(f"not a latency: {text!r}")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


def latency_text(seconds: float) -> str:
    """As a gate file has it: `300ms`, `1.5s`."""
    return f"{1000 * seconds:.6g}ms" if seconds < 1 else f"{seconds:.6g}s"


def spell_latency(seconds: float) -> str:
    """For people: `300 ms`, `1.5 s`."""
    return f"{1000 * seconds:.6g} ms" if seconds < 1 else f"{seconds:.6g} s"


class HistogramName(NamedTuple):
    """A histogram's name without `_bucket`, and its labels as they stand between the braces."""

    name: str
    labels: str

    @property
    def units(self) -> float:
        """How many of the unit of its buckets are a second: its name says it, as Prometheus wants it."""
        return next((number for suffix, number in _BASIC.items() if self.name.endswith(suffix)), 1.0)

    @property
    def whole(self) -> str:
        """The selector of a native histogram."""
        return f"{self.name}{{{self.labels}}}"

    @property
    def every_bucket(self) -> str:
        """The selector of all buckets."""
        return f"{self.name}_bucket{{{self.labels}}}"

    def buckets(self, seconds: float) -> str:
        """The selector of the bucket that ends there, however that is spelled, and of all requests."""
        labels = self.labels.strip().rstrip(",")
        bound = f'le=~"{_spellings(seconds * self.units)}|[+]Inf"'
        return f"{self.name}_bucket{{{', '.join(filter(None, (labels, bound)))}}}"


def histogram_name(selector: str) -> HistogramName | None:
    """The parts of a selector, None where it is something else, or names a bucket already."""
    match = _SELECTOR.fullmatch(selector)
    if match is None or _HAS_BOUND.search(_QUOTED.sub('""', match["labels"] or "")):
        return None
    name = match["name"]
    return HistogramName(
        next((name.removesuffix(part) for part in _PARTS if name.endswith(part)), name), match["labels"] or ""
    )


def _spellings(bound: float) -> str:
    """A regular expression of the numbers that are this one: 0.5, 0.50, 5e-01."""
    plain = f"{bound:.9f}".rstrip("0").rstrip(".")
    mantissa, _, exponent = f"{bound:.9e}".partition("e")
    short, sign = mantissa.rstrip("0").rstrip("."), "-" if exponent.startswith("-") else "[+]?"
    scientific = f"{_digits(short)}[eE]{sign}0*{abs(int(exponent))}"
    return f"0*{_digits(plain)}|{scientific}"


def _digits(number: str) -> str:
    return f"{number.replace('.', '[.]')}0*" if "." in number else f"{number}([.]0*)?"


def is_bound(one: float, other: float) -> bool:
    """Whether two bounds are the same."""
    return math.isclose(one, other, rel_tol=_CLOSE)


def nearest_bounds(seconds: float, bounds: Sequence[float]) -> str:
    """Which buckets there are, and which of them is the nearest, for people; `bounds` in seconds."""
    ends = sorted(bounds)
    nearest = min(ends, key=lambda end: abs(end - seconds))
    return f"write slowerThan: {latency_text(nearest)}; its buckets end at {', '.join(map(latency_text, ends))}"
