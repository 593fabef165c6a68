"""Measure incident-ops as whole processes, beside other checkers on the same files: the head of docs/benchmarks.md.

    make bench                     # everything, about a quarter of an hour on two cores
    make bench ARGS=--quick        # small sizes, two minutes; prints only

Runs are paired (A B A B ...), figures are medians, ratios are medians of the ratios of each pair, so that a shared
machine's ups and downs weigh on both sides. The machine's own noise is measured and told.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import make_records
import report
from measure import Series, rounds

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "schemas/incident.schema.json"
OURS = str(Path(sys.executable).with_name("incident-ops"))
AT = "2025-12-01T00:00:00Z"
SPIN = "n = 0\nfor i in range(2_000_000): n += i"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    small: int
    large: int
    warm: int
    changed: int
    rounds: int


FULL = Sizes(1_000, 10_000, 100_000, 50, 3)
QUICK = Sizes(200, 1_000, 2_000, 50, 3)


@dataclass(frozen=True)
class Bench:
    """What the parts below share: sizes, a scratch folder, and where the other checkers are."""

    sizes: Sizes
    scratch: Path
    others: Path
    node: Path

    @property
    def said(self) -> Path:
        """Where a measured process prints to."""
        return self.scratch / "said.txt"

    def ours(self, folder: Path, *arguments: str) -> list[str]:
        """Our command over a folder of records."""
        return [OURS, "--repo", str(folder), "--at", AT, *arguments]

    def rivals(self, folder: Path, files: list[Path]) -> dict[str, list[str]]:
        """The other checkers over the same files with the same schema, where they are installed."""
        found: dict[str, list[str]] = {}
        if (check := self.others / "check-jsonschema").exists():
            found["check-jsonschema"] = [str(check), "--schemafile", str(SCHEMA), *map(str, files)]
        if (ajv := self.node / "ajv").exists():
            data = str(files[0]) if len(files) == 1 else f"{folder}/incidents/*/incident.yaml"
            options = ["validate", "--spec=draft2020", "-c", "ajv-formats", "--strict=false"]
            found["ajv-cli"] = [str(ajv), *options, "-s", str(SCHEMA), "-d", data]
        return found


def noise(bench: Bench) -> dict[str, Series]:
    """The machine itself: a bare start of Python, and a fixed loop."""
    commands = {
        "python, bare start": [sys.executable, "-c", "pass"],
        "python, a fixed loop": [sys.executable, "-c", SPIN],
    }
    return rounds(commands, 4 * bench.sizes.rounds, bench.said)


def cold(bench: Bench, count: int, number: int, rivals: tuple[str, ...]) -> dict[str, Series]:
    """`validate` over plain files, no cache, beside the other checkers; instants in quotes, which all of them read."""
    folder = bench.scratch / f"cold-{count}"
    make_records.write(folder, count, seed=7, in_quotes=True)
    files = sorted(folder.glob("incidents/*/incident.yaml"))
    commands = {"incident-ops": bench.ours(folder, "validate")}
    commands |= {name: command for name, command in bench.rivals(folder, files).items() if name in rivals}
    return rounds(commands, number, bench.said)


def one_file(bench: Bench) -> dict[str, Series]:
    """A single record, and the help text."""
    folder = bench.scratch / f"cold-{bench.sizes.small}"
    file = min(folder.glob("incidents/*/incident.yaml"))
    commands = {"incident-ops": bench.ours(folder, "validate", str(file)), "incident-ops --help": [OURS, "--help"]}
    return rounds(commands | bench.rivals(folder, [file]), 3 * bench.sizes.rounds, bench.said)


def warm(bench: Bench) -> dict[str, Series]:
    """A large repository with its cache kept: the first run, then unchanged, then with some records changed."""
    folder = bench.scratch / "warm"
    print(f"making a repository of {bench.sizes.warm:,} records", file=sys.stderr)
    make_records.write_repository(folder, bench.sizes.warm, seed=11)
    found = rounds({"first run": bench.ours(folder, "validate")}, 1, bench.said)
    commands = {
        "validate": bench.ours(folder, "validate"),
        "sla check": bench.ours(folder, "sla", "check"),
        "validate --rev HEAD": bench.ours(folder, "--rev", "HEAD", "validate"),
        "sla check --rev HEAD": bench.ours(folder, "--rev", "HEAD", "sla", "check"),
    }
    found |= _named("unchanged", rounds(commands, bench.sizes.rounds, bench.said, before=_settle(folder)))
    found |= _named(
        "changed, committed", rounds(commands, bench.sizes.rounds, bench.said, before=_commit(bench, folder))
    )
    found |= _named(
        "changed, not committed", rounds(commands, bench.sizes.rounds, bench.said, before=_edit(bench, folder))
    )
    return found


def _named(how: str, found: dict[str, Series]) -> dict[str, Series]:
    return {f"{name}, {how}": Series(f"{name}, {how}", series.runs) for name, series in found.items()}


def _settle(folder: Path) -> Callable[[str, int], None]:
    def before(_name: str, _number: int) -> None:
        make_records.git(folder, "status", "--short")  # git's own index is brought up to date, as any use of it does

    return before


def _seed(name: str, number: int) -> int:
    """Another one for each run, the same in each bench."""
    return random.Random(f"{name} {number}").randrange(1_000_000)


def _commit(bench: Bench, folder: Path) -> Callable[[str, int], None]:
    def before(name: str, number: int) -> None:
        make_records.touch(folder, bench.sizes.changed, _seed(name, number))

    return before


def _edit(bench: Bench, folder: Path) -> Callable[[str, int], None]:
    def before(name: str, number: int) -> None:
        make_records.git(folder, "checkout", "-q", "-f", "main")
        make_records.touch(folder, bench.sizes.changed, _seed(f"{name}, edited", number), commit=False)

    return before


def costs(bench: Bench) -> dict[str, dict[str, float]]:
    """Microseconds a record of every step and rule, from a process of their own."""
    command = [sys.executable, str(ROOT / "bench/costs.py"), str(bench.scratch / f"cold-{bench.sizes.small}")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


def machine() -> str:
    """The machine in a line."""
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    git = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True).stdout.split()[2]
    return f"{os.cpu_count()} cores, {model}, {platform.system()}, Python {platform.python_version()}, git {git}"


def main() -> None:
    """Measure, then write or print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes; print the page instead of writing it")
    parser.add_argument("--others", type=Path, default=ROOT / ".venv/bench/bin", help="where check-jsonschema is")
    parser.add_argument("--node", type=Path, default=ROOT / "bench/node_modules/.bin", help="where ajv is")
    parser.add_argument("--output", type=Path, default=ROOT / "bench/parts/records.md")
    parser.add_argument("--scratch", type=Path, help="keep the made records in this folder")
    chosen = parser.parse_args()
    scratch = chosen.scratch or Path(tempfile.mkdtemp(prefix="incident-ops-bench-"))
    bench = Bench(QUICK if chosen.quick else FULL, scratch, chosen.others, chosen.node)
    try:
        sizes = bench.sizes
        found = report.Found(
            machine=machine(),
            noise=noise(bench),
            small=(sizes.small, cold(bench, sizes.small, sizes.rounds, ("check-jsonschema", "ajv-cli"))),
            large=(sizes.large, cold(bench, sizes.large, max(2, sizes.rounds // 2), ("ajv-cli",))),
            single=one_file(bench),
            warm=(sizes.warm, sizes.changed, warm(bench)),
            costs=costs(bench),
        )
    finally:
        if chosen.scratch is None:
            shutil.rmtree(scratch, ignore_errors=True)
    page = report.page(found)
    if chosen.quick:
        print(page)
    else:
        chosen.output.parent.mkdir(exist_ok=True)
        chosen.output.write_text(page, encoding="utf-8")
        print(f"written: {chosen.output}")


if __name__ == "__main__":
    main()
