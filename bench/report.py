"""The figures of a bench run as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from measure import Series

ABOUT = """\
Written by `make bench`; do not edit.
Records of about 4 KB, made by `bench/make_records.py`, checked with this repository's `schemas/incident.schema.json`.
Whole processes; runs are paired (A B A B), figures are medians with the range behind them, ratios medians over pairs.
check-jsonschema runs with the C part of its YAML reader (ruamel.yaml.clib), which a plain install leaves out.
ajv-cli gives no lines and stops at the first file that is not YAML."""
NOISE = """\
The same work, again and again: where the longest is far from the shortest, the machine was shared while this was
measured, and only ratios can be believed."""


@dataclass(frozen=True)
class Found:
    """Everything that was measured; the numbers in front are how many records."""

    machine: str
    noise: dict[str, Series]
    small: tuple[int, dict[str, Series]]
    large: tuple[int, dict[str, Series]]
    single: dict[str, Series]
    warm: tuple[int, int, dict[str, Series]]
    costs: dict[str, dict[str, float]]


def page(found: Found) -> str:
    """The whole page."""
    small, large, (warm, changed, warm_series) = found.small, found.large, found.warm
    parts = [
        "# Benchmarks",
        ABOUT,
        f"Machine: {found.machine}.",
        "## The machine's noise",
        series_table(found.noise.values()),
        NOISE,
        f"## Cold: {small[0]:,} files",
        series_table(small[1].values()),
        _ratios(small[1]),
        f"## Cold: {large[0]:,} files",
        series_table(large[1].values()),
        _ratios(large[1]),
        _linear(small, large),
        "## One file, and `--help`",
        series_table(found.single.values()),
        _ratios(found.single),
        f"## Warm: {warm:,} records in git, {changed} changed",
        series_table(warm_series.values()),
        "## What each step and rule costs, in one process",
        _costs(found.costs),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def series_table(series: Iterable[Series]) -> str:
    """Each series as a row: medians, the spread of the wall time, the highest peak."""
    head = ("what", "wall s", "shortest - longest", "CPU s", "peak MiB", "runs")
    return table(head, (_row(one) for one in series))


def _row(one: Series) -> tuple[str, ...]:
    walls = one.of("wall")
    spread = f"{min(walls):.3f} - {max(walls):.3f}"
    return (
        one.name,
        f"{one.median('wall'):.3f}",
        spread,
        f"{one.median('cpu'):.3f}",
        f"{max(one.of('peak')):.0f}",
        str(len(walls)),
    )


def _ratios(series: dict[str, Series]) -> str:
    ours = series["incident-ops"]
    others = [one for name, one in series.items() if not name.startswith("incident-ops")]
    told = (
        f"{ours.ratio(one, 'wall'):.2f} of the wall time and {ours.ratio(one, 'cpu'):.2f} of the CPU time of {one.name}"
        for one in others
    )
    return "".join(f"- incident-ops takes {line}\n" for line in told).rstrip()


def _linear(small: tuple[int, dict[str, Series]], large: tuple[int, dict[str, Series]]) -> str:
    each = [series["incident-ops"].median("cpu") / count * 1_000 for count, series in (small, large)]
    return f"CPU time a file: {each[0]:.2f} ms with {small[0]:,} files, {each[1]:.2f} ms with {large[0]:,}."


def _costs(costs: dict[str, dict[str, float]]) -> str:
    rules = costs["rules"]
    rows = [(name, f"{cost:.1f}") for name, cost in costs["steps"].items()]
    rows.append(("**all rules**", f"{sum(rules.values()):.1f}"))
    rows += [(f"rule `{name}`", f"{cost:.1f}") for name, cost in sorted(rules.items(), key=lambda item: -item[1])]
    return table(("what", "microseconds a record"), rows)
