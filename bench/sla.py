"""Measure the clocks: `sla check` over a large history, `sla backtest`, and the engine alone on one core.

    python bench/sla.py            # 100,000 and 10,000 incidents; about ten minutes, most of it the first, cold runs
    python bench/sla.py --quick    # 2,000 and 500

Goals: `sla check` under 1 s with a warm cache, `sla backtest` under 20 s warm, over 1,000,000 clocks a minute.
Whole processes are timed as `bench/run.py` does it; the engine counts the clocks it makes in CPU time of this process.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import make_records
import msgspec
import yaml
from measure import Series, rounds
from report import series_table
from run import AT, OURS, machine

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import parse_instant
from incident_ops.records.policy import load_policy
from incident_ops.sla.clocks import clocks

STILL_OPEN = 50
IN_OFFICE = "levels:\n" + "".join(f"- {{id: SEV{number}, calendar: business}}\n" for number in range(4))
OTHER = """\
extends: sev0-3
levels:
- {id: SEV0, resolution: 45m, escalate_at: 50%, stagnation: 20m}
- {id: SEV1, resolution: 1h, escalate_at: 50%, stagnation: 20m}
- {id: SEV2, resolution: 90m, escalate_at: 50%, stagnation: 20m, calendar: business}
- {id: SEV3, resolution: 1h, escalate_at: 50%, stagnation: 20m, calendar: business}
escalation:
  tiers:
  - {id: tier-1, tier: 1, notify: ["@ada"], wait: 10m, repeat_max: 1}
  - {id: tier-2, tier: 2, notify: ["@bruno"]}
"""
"""A policy that reaches every incident, and escalates where the one in force does not."""


@dataclass(frozen=True)
class Sizes:
    """Incidents of the check and of the backtest, and runs with a warm cache."""

    check: int
    backtest: int
    rounds: int


FULL, QUICK = Sizes(100_000, 10_000, 5), Sizes(2_000, 500, 2)


def repository(folder: Path, count: int) -> Path:
    """A repository of `count` incidents, STILL_OPEN of them open; one that is there already is used as it is."""
    if not (folder / ".git").exists():
        print(f"making a repository of {count:,} incidents", file=sys.stderr)
        make_records.OPEN_SHARE = max(count // STILL_OPEN, 1)
        make_records.write_repository(folder, count, seed=11)
    make_records.git(folder, "status", "--short")  # git's own index is brought up to date, as any use of it does
    return folder


def timed(name: str, command: list[str], sizes: Sizes, scratch: Path, cache: Path) -> Iterator[Series]:
    """The first run, without what is kept between runs, then the runs with it."""
    shutil.rmtree(cache, ignore_errors=True)
    said = scratch / "said.txt"
    yield from rounds({f"{name}, cold": command}, 1, said).values()
    yield from rounds({f"{name}, warm": command}, sizes.rounds, said).values()


def check(sizes: Sizes, scratch: Path) -> Iterator[Series]:
    """`sla check` over the work tree, and over the commit alone."""
    folder = repository(scratch / f"check-{sizes.check}", sizes.check)
    cache, begin = folder / ".git/incident-ops", [OURS, "--repo", str(folder), "--at", AT]
    yield from timed("sla check", [*begin, "sla", "check"], sizes, scratch, cache)
    command = {"sla check --rev HEAD, warm": [*begin, "--rev", "HEAD", "sla", "check"]}
    yield from rounds(command, sizes.rounds, scratch / "said.txt").values()


def backtest(sizes: Sizes, scratch: Path) -> Iterator[Series]:
    """`sla backtest` with a policy that reaches every incident, and `sla report`."""
    folder = repository(scratch / f"backtest-{sizes.backtest}", sizes.backtest)
    other = scratch / "other.yaml"
    other.write_text(OTHER, encoding="utf-8")
    cache, begin = folder / ".git/incident-ops", [OURS, "--repo", str(folder), "--at", AT, "sla"]
    yield from timed("sla backtest", [*begin, "backtest", "--policy", str(other)], sizes, scratch, cache)
    yield from rounds({"sla report, warm": [*begin, "report"]}, sizes.rounds, scratch / "said.txt").values()


def incidents(count: int) -> list[Incident]:
    """Generated incidents as values."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    texts = (text for _, _, text in make_records.records(count, seed=3))
    return [msgspec.convert(yaml.load(text, loader), Incident, strict=False) for text in texts]


def engine(policy: Policy, made: list[Incident], now: datetime, seconds: float = 5.0) -> float:
    """Clocks a minute of CPU time."""
    counted, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        counted += sum(len(clocks(as_of(one, now), policy)) for one in made)
    return counted * 60 / spent


def engines() -> Iterator[tuple[str, float]]:
    """The speed of the engine around the clock and in business hours."""
    made, now = incidents(1_000), parse_instant(AT)
    for name, extra in (("around the clock", ""), ("business hours", IN_OFFICE)):
        policy = load_policy(f"extends: sev0-3\n{extra}").policy
        if policy is None:
            raise SystemExit(f"the policy of the bench is not usable: {name}")
        yield name, engine(policy, made, now)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--only", choices=["check", "backtest", "engine"], help="one part alone")
    parser.add_argument("--scratch", type=Path, help="keep the made records in this folder")
    parser.add_argument("--output", type=Path, help="write the part of docs/benchmarks.md to this file")
    chosen = parser.parse_args()
    sizes = QUICK if chosen.quick else FULL
    scratch = chosen.scratch or Path(tempfile.mkdtemp(prefix="incident-ops-bench-"))
    scratch.mkdir(parents=True, exist_ok=True)
    print(f"Machine: {machine()}.")
    series: list[Series] = []
    speeds: list[tuple[str, float]] = []
    try:
        for part in (check, backtest):
            if chosen.only in (None, part.__name__):
                series += part(sizes, scratch)
        if chosen.only in (None, "engine"):
            speeds += engines()
    finally:
        if chosen.scratch is None:
            shutil.rmtree(scratch, ignore_errors=True)
    told = page(sizes, series, speeds)
    print(told)
    if chosen.output is not None:
        chosen.output.parent.mkdir(exist_ok=True)
        chosen.output.write_text(told, encoding="utf-8")


def page(sizes: Sizes, series: list[Series], speeds: list[tuple[str, float]]) -> str:
    """The part of docs/benchmarks.md about clocks."""
    clocks_a_minute = "\n".join(f"- the engine alone, {name}: {speed:,.0f} clocks a minute" for name, speed in speeds)
    told = (
        f"`sla check` over {sizes.check:,} incidents, {STILL_OPEN} of them open; `sla backtest` and `sla report` over "
        f"{sizes.backtest:,}, under a policy that reaches every one of them. Cold is the first run of a clone."
    )
    return "\n\n".join(["## Clocks", told, series_table(series), clocks_a_minute]) + "\n"


if __name__ == "__main__":
    main()
