"""Measure `plan` over a large history: nothing changed since the last run, and some records changed.

    python bench/plan.py            # 100,000 records, 500 open; most of the time goes before the first figure
    python bench/plan.py --quick    # 2,000 records

Goals: 3 s with some records changed, 1 s with nothing changed. Beside it, in the same rounds, runs `sla check`, which
reads the same index and asks no tracker: on a shared machine only the ratio can be believed.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import make_records
from measure import Series, rounds
from report import series_table
from run import AT, OURS, machine

FULL, QUICK, CHANGED, ROUNDS = 100_000, 2_000, 50, 5


def repository(folder: Path, count: int, said: Path) -> Path:
    """A repository whose embedded tracker is in step; one that is there already is used as it is."""
    if not (folder / ".git").exists():
        print(f"making a repository of {count:,} incidents", file=sys.stderr)
        make_records.write_repository(folder, count, seed=11)
    make_records.git(folder, "status", "--short")  # git's own index is brought up to date, as any use of it does
    rounds({"apply, not measured": ours(folder, "apply")}, 1, said)
    return folder


def ours(folder: Path, *arguments: str) -> list[str]:
    """Our command over the records."""
    return [OURS, "--repo", str(folder), "--at", AT, *arguments]


def measured(folder: Path, said: Path) -> list[Series]:
    """Unchanged, then with other records changed and committed before each run."""
    commands = {"plan": ours(folder, "plan"), "sla check": ours(folder, "sla", "check")}
    commands |= {"sla check --rev HEAD": ours(folder, "--rev", "HEAD", "sla", "check")}
    unchanged = rounds({f"{name}, unchanged": command for name, command in commands.items()}, ROUNDS, said)
    name = f"plan, {CHANGED} records changed"
    changed = rounds({name: commands["plan"]}, ROUNDS, said, before=changing(folder))
    return [*unchanged.values(), *changed.values()]


def changing(folder: Path) -> Callable[[str, int], None]:
    """What commits a change of some records before each run."""
    seeds = itertools.count(1)
    return lambda _name, _round: make_records.touch(folder, CHANGED, next(seeds)) and None


def page(count: int, series: list[Series]) -> str:
    """The part of docs/benchmarks.md about plans."""
    plan, check = series[0], series[1]
    told = (
        f"`plan` over {count:,} incidents, {count // make_records.OPEN_SHARE} of them open, with the embedded tracker "
        "in step. It reads what is open, what changed lately and what the tracker holds."
    )
    ratio = f"- an unchanged plan takes {plan.ratio(check, 'cpu'):.2f} of the CPU time of `sla check`"
    share = plan.median("cpu") / plan.median("wall")
    shared = f"- while this was measured a process had {share:.2f} of a core"
    return "\n\n".join(["## Plans", told, series_table(series), f"{ratio}\n{shared}"]) + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--scratch", type=Path, help="keep the made records in this folder")
    parser.add_argument("--output", type=Path, help="write the part of docs/benchmarks.md to this file")
    chosen = parser.parse_args()
    count = QUICK if chosen.quick else FULL
    scratch = chosen.scratch or Path(tempfile.mkdtemp(prefix="incident-ops-bench-"))
    scratch.mkdir(parents=True, exist_ok=True)
    print(f"Machine: {machine()}.")
    try:
        said = scratch / "said.txt"
        told = page(count, measured(repository(scratch / f"plan-{count}", count, said), said))
    finally:
        if chosen.scratch is None:
            shutil.rmtree(scratch, ignore_errors=True)
    print(told)
    if chosen.output is not None:
        chosen.output.parent.mkdir(exist_ok=True)
        chosen.output.write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
