"""The tables about a pass as a part of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from report import table

Row = Mapping[str, Any]


def pass_sections(found: Mapping[str, Any]) -> Iterator[str]:
    """The results of a full run -> Markdown, piece by piece."""
    yield "### A good canary passes in 600 s, by the comparison alone"
    yield (
        "Share 10 %, 15 s ticks. *Bound*: the best unbiased test against exactly twice that does not use the past; "
        "*before*: evidence for every look, asked at the end, on the same runs."
    )
    head = ("errors", "canary rps", "before", "passes", "bound", "2x passes", "95 % upper")
    names = ("before", "passes", "bound", "2x passes", "2x, upper")
    yield table(head, [_cells(row, names) for row in found["good_passes"]])
    yield "### A canary twice, and five times, as bad passes (beta 5 %): the worst of six settings"
    yield "In brackets the rule before. The last column is the best setting for a good one, and the worst."
    yield table(("shape", "2x passes", "95 % upper", "5x passes", "a good one passes"), _worst(found["false_passes"]))
    yield "### A canary that is worse in the last of four steps only"
    yield table(
        ("requests a second", "times worse", "passes by the whole run", "with the last step by itself"),
        [
            (f"{row['rps']:,}", f"{row['factor']:g}", f"{row['whole run alone']:g}", f"{row['with the last step']:g}")
            for row in found["last_step"]
        ],
    )
    yield "### Ticks in which nine of ten good canaries pass, however many errors they have"
    yield table(
        ("share", "ticks", "before"),
        [(f"{100 * row['share']:g} %", f"{row['ticks']}", f"{row['before']}") for row in found["ticks_to_pass"]],
    )
    yield "### Quiet services: by the comparison, or by `goodErrorRate` 0.1 %"
    yield (
        "Nine minutes that count. Below the rate a canary twice as bad may pass, by design. No errors in "
        + ", ".join(f"{row['requests']:,} prove {100 * row['least goodErrorRate']:.2g} %" for row in found["no_errors"])
        + "."
    )
    head = ("errors", "canary rps", "comparison alone", "a good one passes", "2x passes", "5x passes")
    names = ("by comparison", "1x passes", "2x passes", "5x passes")
    yield table(head, [_cells(row, names) for row in found["quiet"]])
    yield "A canary whose rate is exactly `goodErrorRate`, as is its baseline's, passes by it:"
    yield table(
        ("clumps on the canary", "errors expected", "passes"),
        [(str(row["clumps"]), str(row["expected errors"]), f"{row['passes']:g}") for row in found["proof"]],
    )


def _cells(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    return (f"{100 * row['rate']:g} %", f"{row['rps']:,}", *(f"{row[name]:g}" for name in names))


def _worst(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    shapes = dict.fromkeys(row["shape"] for row in rows)
    return [_worst_of(shape, [row for row in rows if row["shape"] == shape]) for shape in shapes]


def _worst_of(shape: str, rows: Sequence[Row]) -> tuple[str, ...]:
    def most(name: str) -> float:
        return float(max(row[name] for row in rows))

    good = [row["1x passes"] for row in rows]
    return (
        shape,
        f"{most('2x passes'):g} ({most('2x passed before'):g})",
        f"{most('2x, upper'):g}",
        f"{most('5x passes'):g} ({most('5x passed before'):g})",
        f"{max(good):g}, {min(good):g}",
    )
