"""The tables of `gate_results.json` as a part of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gate_pass_page import pass_sections
from report import table

Row = Mapping[str, Any]

MINUTE = "minute rate, failureLimit 1"


def page(found: Mapping[str, Any]) -> str:
    """The results of a full run -> Markdown."""
    runs = found["runs"]
    return "\n\n".join(
        [
            "## The canary gate: a simulation",
            f"`bench/gate.py`, random seed {found['seed']}, {runs['good']:,} good and {runs['bad']:,} bad canaries a "
            "setting, ten minutes each, the baseline has nine times the canary's traffic. All figures in percent unless"
            " said. A sample of every shape is judged by the product's own code too, with the same verdict. "
            "*single read* and *minute rule* (failureLimit 1) are the 1 % rules the gate replaces, on the same runs; "
            "*none* is `dispersion: none`; *first rule* is what the default began as: 24 alternatives evenly spaced in "
            "their logs, stakes without a second term. All rows are in `bench/gate_results.json`.",
            "### A good canary is rolled back (alpha 1 %)",
            _good(found["good_settings"]),
            "### The same, where errors come in clumps: the worst of four settings each",
            _shapes(found["good_shapes"]),
            "### The assumption that remains: one cause whose errors span ticks, worst of four settings",
            _spanning(found["good_spanning"]),
            "### A bad canary is found within 600 s",
            _found(found["detection"]),
            *pass_sections(found),
            "### `dispersion: none`: how soon, beside the information bound",
            _soon(found["speed_of_plain"]),
            "### Speed of a full verdict, one core",
            "A verdict is fail, pass and interval. Beside it, in the same rounds, the fail test by "
            "counts alone as it is written, 24 logs and 24 exps a tick: what this machine's seconds are worth.",
            _pace(found["pace"]),
            "### `gate check` on an example, a whole process: medians in seconds and MiB",
            _process(found["process"]),
        ]
    )


def _setting(row: Row) -> tuple[str, str, str]:
    return f"{100 * row['rate']:g} %", f"{row['rps']:g}", f"{row['tick']:g} s"


def _good(rows: Iterable[Row]) -> str:
    names = ("default", "default, upper", "none", "single read", MINUTE)
    head = ("errors", "canary rps", "tick", "default", "95 % upper", "none", "single read", "minute rule")
    return table(head, [(*_setting(row), *(f"{row[name]:g}" for name in names)) for row in rows])


def _shapes(rows: Sequence[Row]) -> str:
    names = ("default", "default, upper", "counts", "shares", "none", MINUTE)
    head = ("shape", "tick", "default", "95 % upper", "counts alone", "shares alone", "none", "minute rule")
    again = [
        f"{row['shape']}, {', '.join(_setting(row))}: {row['again']:g} %, 95 % upper limit {row['again, upper']:g} %, "
        f"in {row['again, runs']:,} further runs."
        for row in rows
        if "again" in row
    ]
    told = "Where the rate lies below 1 % and its upper limit does not, ten times the runs were made with other seeds:"
    return "\n\n".join([table(head, _worst(rows, names)), *([" ".join([told, *again])] if again else [])])


def _spanning(rows: Sequence[Row]) -> str:
    names = ("default", "one tick", "clumpSpan 60 s", "clumpSpan 120 s", "none")
    return table(("shape", "tick", *names), _worst(rows, names))


def _worst(rows: Sequence[Row], names: Sequence[str]) -> list[tuple[str, ...]]:
    keys = dict.fromkeys((row["shape"], row["tick"]) for row in rows)
    return [
        (
            shape,
            f"{tick:g} s",
            *(f"{max(row[name] for row in rows if (row['shape'], row['tick']) == (shape, tick)):g}" for name in names),
        )
        for shape, tick in keys
    ]


def _found(rows: Iterable[Row]) -> str:
    names = ("default", "default, s", "paper", "paper, s", "none", "none, s", "single read", MINUTE)
    head = (
        "errors",
        "canary rps",
        "tick",
        "times worse",
        "floor",
        "default",
        "mean s",
        "first rule",
        "mean s",
        "none",
        "mean s",
        "single read",
        "minute rule",
    )
    return table(
        head,
        [
            (
                *_setting(row),
                f"{row['factor']:g}",
                f"{row['floor']:g}" if row["floor"] and row["tick"] == 1 else "-",
                *(f"{row[name]:g}" for name in names),
            )
            for row in rows
        ],
    )


def _soon(rows: Iterable[Row]) -> str:
    sure = [row for row in rows if row["found"] >= 99]
    slow = [row for row in sure if row["bound, s"] > row["tick"]]
    kept = sum(1 for row in sure if row["s"] <= 1.65 * row["bound, s"] + row["tick"])
    ours, theirs = (sorted((row[name] - row["tick"]) / row["bound, s"] for row in slow) for name in ("s", "paper, s"))
    middle = len(slow) // 2
    return (
        f"{kept} of {len(sure)} settings that are found in 99 % of the runs stop, on average, within 1.65 times the"
        f" bound and one poll; (stop - poll) / bound has the median {ours[middle]:.2f} and is {ours[-1]:.2f} at most"
        f" ({theirs[middle]:.2f} and {theirs[-1]:.2f} with the first rule's alternatives)."
    )


def _pace(rows: Iterable[Row]) -> str:
    head = ("traffic", "canary rps", "ticks a second", "median", "count test alone", "share of it")
    names = ("ticks a second, best", "median", "count test alone", "share of it")
    return table(
        head, [(row["traffic"], f"{row['canary rps']:g}", *(f"{row[name]:,}" for name in names)) for row in rows]
    )


def _process(rows: Iterable[Row]) -> str:
    names = ("wall", "cpu", "peak")
    return table(("what", *names), [(row["what"], *(f"{row[name]:g}" for name in names)) for row in rows])
