"""Measure `render`: all documents of many incidents, none of them there; nothing changed; one incident changed.

    python bench/render.py            # 1,000 incidents
    python bench/render.py --quick    # 100 incidents

Goal: 10 s for all documents of 1,000 incidents, and only the files of the incident that changed are touched.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import make_records
from measure import Series, rounds
from report import series_table
from run import AT, OURS, machine

FULL, QUICK, ROUNDS = 1_000, 100, 3
ABSENT, UNCHANGED, ONE = "no document there", "nothing changed", "one incident changed"


def preparing(folder: Path) -> Callable[[str, int], None]:
    """What makes each run do what its name says."""
    record = sorted((folder / "incidents").iterdir())[0] / "incident.yaml"
    title = record.read_text(encoding="utf-8").partition("\ntitle: ")[2].partition("\n")[0]

    def prepare(name: str, number: int) -> None:
        if name == ABSENT:
            for document in documents(folder):
                document.unlink()
        if name == ONE:
            text = record.read_text(encoding="utf-8")
            old = text.partition("\ntitle: ")[2].partition("\n")[0]
            record.write_text(text.replace(f"\ntitle: {old}", f"\ntitle: {title} ({number})"), encoding="utf-8")

    return prepare


def command(folder: Path) -> list[str]:
    """Our command over the records."""
    return [OURS, "--repo", str(folder), "--at", AT, "render"]


def documents(folder: Path) -> list[Path]:
    """The documents beside the records."""
    return sorted((folder / "incidents").glob("*/*.md"))


def touched(folder: Path, said: Path) -> tuple[int, int]:
    """After one incident is changed: how many documents a run touches, and in how many folders."""
    before = {path: path.stat().st_mtime_ns for path in documents(folder)}
    prepare = preparing(folder)
    rounds({ONE: command(folder)}, 1, said, before=lambda name, _round: prepare(name, ROUNDS))
    changed = [path for path in documents(folder) if path.stat().st_mtime_ns != before[path]]
    return len(changed), len({path.parent for path in changed})


def page(count: int, series: dict[str, Series], total: int, seen: tuple[int, int]) -> str:
    """The part of docs/benchmarks.md about documents."""
    told = f"`render` over {count:,} incidents, which have {total:,} documents."
    files, folders = seen
    first = series[ABSENT]
    share = first.median("cpu") / first.median("wall")
    shared = f"- while this was measured a process had {share:.2f} of a core"
    note = f"- after one incident is changed, {files} files are written, in {folders} folder: its own"
    return "\n\n".join(["## Documents", told, series_table(series.values()), f"{note}\n{shared}"]) + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--output", type=Path, help="write the part of docs/benchmarks.md to this file")
    chosen = parser.parse_args()
    count = QUICK if chosen.quick else FULL
    scratch = Path(tempfile.mkdtemp(prefix="incident-ops-bench-"))
    folder, said = scratch / "records", scratch / "said.txt"
    print(f"Machine: {machine()}.")
    try:
        make_records.write_repository(folder, count, seed=13)
        rounds({"render, not measured": command(folder)}, 1, said)
        series = rounds(
            dict.fromkeys((ABSENT, UNCHANGED, ONE), command(folder)), ROUNDS, said, before=preparing(folder)
        )
        told = page(count, series, len(documents(folder)), touched(folder, said))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(told)
    if chosen.output is not None:
        chosen.output.parent.mkdir(exist_ok=True)
        chosen.output.write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
