"""How much of the long laws a run of the tests goes through, and what it says about it.

A law is a test over many cells (a fault at a request, a seed, an example of hypothesis). INCIDENT_OPS_LAWS says how
many: `sample` (what `make test` does), `tenth` (what continuous integration does) or `all` (`make laws`). Which cells a
smaller run takes depends on the name of the law alone, so that two runs of one commit do the same.
"""

from __future__ import annotations

import datetime
import math
import os
import random
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, settings

T = TypeVar("T")
PROPERTY = "law"
SHARES = ("sample", "tenth", "all")
SHARE = os.environ.get("INCIDENT_OPS_LAWS", "sample")
BEGIN, END = "<!-- laws: written by `make laws` -->", "<!-- laws: end -->"

if SHARE not in SHARES:
    raise ValueError(f"INCIDENT_OPS_LAWS is {SHARE!r}; it may be one of {', '.join(SHARES)}")


def count_of(whole: int, sample: int) -> int:
    """How many of `whole` cells this run takes; `sample` is the number for `make test`."""
    wanted = {"sample": sample, "tenth": max(sample, math.ceil(whole / 10)), "all": whole}[SHARE]
    return min(wanted, whole)


def chosen(name: str, cells: Sequence[T], sample: int) -> list[T]:
    """The cells of this run in their order, the same ones every time."""
    places = random.Random(name).sample(range(len(cells)), count_of(len(cells), sample))
    return [cells[place] for place in sorted(places)]


def cells_run(name: str, part: str, ran: int, whole: int) -> tuple[str, Any]:
    """What a test gives to `record_property`: it ran that many of the cells of this part of the law.

    Such a test has the bare mark `law`, so that `make laws` finds it.
    """
    return PROPERTY, [name, part, ran, whole]


def law(name: str, *, whole: int, sample: int, **more: Any) -> Callable[[Any], Any]:
    """Marks a test of hypothesis as a law of `whole` examples."""
    count = count_of(whole, sample)
    more = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], **more}

    def decorate(test: Any) -> Any:
        mark = pytest.mark.law(name, test.__qualname__, count, whole)
        return mark(settings(max_examples=count, **more)(test))

    return decorate


def seeds(name: str, *, whole: int, sample: int, argument: str = "seed") -> Callable[[Any], Any]:
    """Marks a test that takes one seed as a law of `whole` seeds; each test that is collected runs one of them."""

    def decorate(test: Any) -> Any:
        mark = pytest.mark.law(name, test.__qualname__, 1, whole)
        return mark(pytest.mark.parametrize(argument, chosen(name, range(whole), sample))(test))

    return decorate


class Tally(NamedTuple):
    """What a run went through of one law."""

    name: str
    ran: int
    whole: int
    failed: int


def tallies(reports: Iterable[pytest.TestReport]) -> list[Tally]:
    """One for each law that these reports tell of, by name."""
    ran: dict[str, int] = {}
    failed: dict[str, int] = {}
    whole: dict[str, dict[str, int]] = {}
    for report in reports:
        for key, value in report.user_properties:
            if key == PROPERTY and isinstance(value, list):
                name, part, count, size = value
                ran[name] = ran.get(name, 0) + count
                failed[name] = failed.get(name, 0) + report.failed
                whole.setdefault(name, {})[part] = size
    return [Tally(name, ran[name], sum(whole[name].values()), failed[name]) for name in sorted(ran)]


def summary(found: Sequence[Tally]) -> list[str]:
    """The lines at the end of a run."""
    rest = "" if SHARE == "all" else "; `make laws` runs all"
    return [f"laws: {one.ran:,} of {one.whole:,} cells of {one.name} ({SHARE}{rest})" for one in found]


def write(page: Path, found: Sequence[Tally], day: datetime.date) -> None:
    """Puts the result of a whole run between the markers of a page."""
    rows = [f"| {one.name} | {one.ran:,} of {one.whole:,} | {one.failed} |" for one in found]
    head = [f"Last run of `make laws`: {day.isoformat()}.", "", "| law | cells | failed tests |", "| --- | --- | --- |"]
    block = "\n".join([BEGIN, *head, *rows, END])
    text = page.read_text(encoding="utf-8")
    new, count = re.subn(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: block, text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{page} must hold the markers of the laws once")
    page.write_text(new, encoding="utf-8")
