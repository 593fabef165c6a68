"""Whole processes, measured: wall time, CPU time and peak memory of each run, and the medians of several."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run of a process: seconds of wall and CPU time, peak resident MiB, exit code."""

    wall: float
    cpu: float
    peak: float
    code: int


@dataclass
class Series:
    """All runs of one command."""

    name: str
    runs: list[Run] = field(default_factory=list)

    def of(self, part: str) -> list[float]:
        """One figure of every run."""
        return [getattr(run, part) for run in self.runs]

    def median(self, part: str) -> float:
        """The median of one figure."""
        return statistics.median(self.of(part))

    def ratio(self, other: Series, part: str) -> float:
        """The median of the ratios of the paired runs: this one by the other one."""
        return statistics.median(a / b for a, b in zip(self.of(part), other.of(part), strict=True))


def run(command: Sequence[str], said: Path) -> Run:
    """Run a command as a process of its own; what it prints goes to the file `said`.

    The figures are the kernel's for this process and all that it waited for. A small process of ours starts it: the
    kernel counts the memory of whoever starts a process among that process's own peak.
    """
    told = subprocess.run(
        [sys.executable, "-I", "-S", __file__, str(said), *command], capture_output=True, text=True, check=True
    )
    return Run(*json.loads(told.stdout))


def _measure(said: str, command: list[str]) -> None:
    """What `run` starts: prints the figures as JSON."""
    start = time.perf_counter()
    pid = os.posix_spawnp(
        command[0],
        command,
        {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {"NO_COLOR": "1"},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    kib = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    print(json.dumps([wall, used.ru_utime + used.ru_stime, kib / 1024, os.waitstatus_to_exitcode(status)]))


def rounds(
    commands: Mapping[str, Sequence[str]],
    count: int,
    said: Path,
    *,
    expected: int | None = 0,
    before: Callable[[str, int], None] = lambda _name, _number: None,
) -> dict[str, Series]:
    """`count` rounds of A B A B ...; `before(name, round)` prepares each run and is not measured."""
    series = {name: Series(name) for name in commands}
    for number in range(count):
        for name, command in commands.items():
            before(name, number)
            one = run(command, said)
            if expected is not None and one.code != expected:
                tail = said.read_text(encoding="utf-8", errors="replace")[-2_000:]
                raise SystemExit(f"{name} ended with {one.code}, not {expected}:\n{tail}")
            series[name].runs.append(one)
            print(f"  {name}: {one.wall:.3f} s wall, {one.cpu:.3f} s CPU, {one.peak:.0f} MiB", file=sys.stderr)
    return series


if __name__ == "__main__":
    _measure(sys.argv[1], sys.argv[2:])
