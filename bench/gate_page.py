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
            "### A good rollout of four steps is rolled back or held: the worst of four settings each",
            "Steps of five minutes at 10, 25, 50 and 75 % (A) or 25, 50, 75 and 90 % (B) of the traffic, the first "
            "minute of each not counted; 0.5 % errors at 100 and 1,000 requests a second of the whole service, 0.05 % "
            "at 100, 2 % at 10. *Before* is the rule without later beginnings; *held* is a rollout in which a step was "
            "measured longer because it looked worse.",
            _rollouts(found["good_rollouts"]),
            "### A canary that breaks in a step is stopped",
            "It was good in the steps before (10 %, 25 %, ...), and breaks at a random moment; seconds from there to "
            "the fail. *Dead*: every request fails. Blocks of one tick; *auto* is `clumpSpan: auto`, which takes longer"
            " blocks in 5 of 100 good lookbacks, and *as run* what a run does: auto, and no test for the obvious.",
            _breaks(found["late_breaks"]),
            "The same where errors come in clumps, 0.5 % errors, 15 s ticks: percent within 60 s (dead) or 180 s (ten "
            "times), the worst of five shares and the best.",
            _clumped(found["late_breaks"]),
            "### A canary that breaks at the very end of a step is kept from the next",
            _held(found["held_steps"]),
            "### How long a bad canary takes where samples lie further apart",
            "Seconds that count, from the first on; 0.5 % errors, 100 requests a second on the canary. A tick is as "
            "long as samples lie apart, and one tick wins only so much, however many errors it has: they may be of one "
            "cause. So the wait grows with the scrape: a dead canary needs two ticks, one ten times worse four at a "
            "share of 10 %. A run adds its warm-up and, for the sample's own time, up to one scrape. It cannot be "
            "shortened by reading more often. A shorter scrape interval of the canary's own job does.",
            _scrapes(found["scrapes"]),
            "### The assumption that remains: one cause whose errors span ticks, worst of four settings",
            _spanning(found["good_spanning"]),
            "### A bad canary is found within 600 s",
            _found(found["detection"]),
            *pass_sections(found),
            "### `dispersion: none`: how soon, beside the information bound",
            _soon(found["speed_of_plain"]),
            "### Speed of a verdict, one core",
            "A tick counted and judged; *read* with everything that a person may ask for, the interval too. Beside it, "
            "in the same rounds, the fail test by counts alone as it is written, 24 logs and 24 exps a tick: what this "
            "machine's seconds are worth.",
            _pace(found["pace"]),
            "### `gate check` on an example, a whole process: medians in seconds and MiB",
            _process(found["process"]),
        ]
    )


def _setting(row: Row) -> tuple[str, str, str]:
    return f"{100 * row['rate']:g} %", f"{row['rps']:g}", f"{row['tick']:g} s"


def _good(rows: Iterable[Row]) -> str:
    names = ("default", "default, upper", "before", "none", "single read", MINUTE)
    head = ("errors", "canary rps", "tick", "default", "95 % upper", "before", "none", "single read", "minute rule")
    return table(head, [(*_setting(row), *(f"{row[name]:g}" for name in names)) for row in rows])


def _rollouts(rows: Sequence[Row]) -> str:
    names = ("default", "default, upper", "before", "held")
    keys = dict.fromkeys((row["shape"], row["tick"]) for row in rows)
    lines = []
    for shape, tick in keys:
        chosen = {letter: [row for row in rows if (row["shape"], row["tick"], row["rollout"]) == (shape, tick, letter)]
                  for letter in "AB"}  # fmt: skip
        cells = [f"{max(row[name] for row in chosen[letter]):g}" for letter in "AB" for name in names]
        lines.append((shape, f"{tick:g} s", *cells))
    head = (
        "shape",
        "tick",
        *(f"{letter}: {name}" for letter in "AB" for name in ("default", "95 % upper", "before", "held")),
    )
    again = [
        f"{row['shape']}, rollout {row['rollout']}, {100 * row['rate']:g} %, {row['rps']:g} rps, {row['tick']:g} s: "
        f"{row['again']:g} %, 95 % upper limit {row['again, upper']:g} %, in {row['again, runs']:,} further runs."
        for row in rows
        if "again" in row
    ]
    said = "Where the rate lies below 1 % and its upper limit does not, five times the runs were made with other seeds:"
    return "\n\n".join([table(head, lines), *([" ".join([said, *again])] if again else [])])


def _breaks(rows: Sequence[Row]) -> str:
    names = ("within", "within, lower", "median, s", "q95, s", "slowest, s", "auto, within", "auto and obvious, within",
             "before, within", "before, median, s")  # fmt: skip
    head = ("errors", "rps", "tick", "times worse", "share", "limit", "within it", "95 % lower", "median s", "95 % s",
            "slowest s", "auto", "as run", "before", "median s")  # fmt: skip
    return table(
        head,
        [
            (
                *_setting(row),
                _times(row),
                f"{100 * row['share']:g} %",
                f"{row['limit, s']:g} s",
                *("never" if row[name] is None else f"{row[name]:g}" for name in names),
            )
            for row in rows
            if row["shape"] == "ideal"
        ],
    )


def _times(row: Row) -> str:
    return "dead" if row["factor"] == "dead" else f"{row['factor']:g}"


def _clumped(rows: Sequence[Row]) -> str:
    keys = dict.fromkeys((row["shape"], _times(row), row["rps"]) for row in rows if row["shape"] != "ideal")
    lines = []
    for key in keys:
        chosen = [row for row in rows if (row["shape"], _times(row), row["rps"]) == key]
        cells = [
            f"{pick(row[name] for row in chosen):g}" for name in ("within", "before, within") for pick in (min, max)
        ]
        lines.append((key[0], key[1], f"{key[2]:g}", *cells))
    return table(("shape", "times worse", "rps", "worst share", "best share", "before: worst", "before: best"), lines)


def _held(rows: Iterable[Row]) -> str:
    head = ("tick", "rps", "share", "times worse", "in the last", "kept from the next step")
    return table(
        head,
        [
            (f"{row['tick']:g} s", f"{row['rps']:g}", f"{100 * row['share']:g} %", _times(row), f"{row['seconds']:g} s",
             f"{row['held']:g}")
            for row in rows
        ],
    )  # fmt: skip


def _scrapes(rows: Iterable[Row]) -> str:
    head = ("scrape", "share", "times worse", "ticks", "median s", "95 % s")
    return table(
        head,
        [
            (f"{row['scrape']:g} s", f"{100 * row['share']:g} %", f"{row['factor']}".removesuffix(".0"),
             f"{row['ticks, median']}", f"{row['median, s']:g}", f"{row['q95, s']:g}")
            for row in rows
        ],
    )  # fmt: skip


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
    names = ("default", "default, s", "before", "before, s", "paper", "paper, s", "none", "none, s", "single read",
             MINUTE)  # fmt: skip
    head = (
        "errors",
        "canary rps",
        "tick",
        "times worse",
        "floor",
        "default",
        "mean s",
        "before",
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
    head = ("traffic", "canary rps", "ticks a second", "median", "read", "count test alone", "share of it")
    names = ("ticks a second, best", "median", "read, best", "count test alone", "share of it")
    return table(
        head, [(row["traffic"], f"{row['canary rps']:g}", *(f"{row[name]:,}" for name in names)) for row in rows]
    )


def _process(rows: Iterable[Row]) -> str:
    names = ("wall", "cpu", "peak")
    return table(("what", *names), [(row["what"], *(f"{row[name]:g}" for name in names)) for row in rows])
