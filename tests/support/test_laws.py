"""A run takes the same cells of a law every time, and says which share that was."""

from __future__ import annotations

import ast
import datetime
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import laws

WHOLE = range(1_000)
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("share", "count"), [("sample", 7), ("tenth", 100), ("all", 1_000)])
def test_each_share_takes_its_number_of_cells(monkeypatch: pytest.MonkeyPatch, share: str, count: int) -> None:
    """In their order, none twice, and the same ones the next time."""
    monkeypatch.setattr(laws, "SHARE", share)
    cells = laws.chosen("a law", WHOLE, sample=7)
    assert len(cells) == count
    assert cells == sorted(set(cells))
    assert cells == laws.chosen("a law", WHOLE, sample=7)
    assert share == "all" or cells != laws.chosen("another law", WHOLE, sample=7)


def test_a_tenth_is_never_less_than_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """And neither is more than there is."""
    monkeypatch.setattr(laws, "SHARE", "tenth")
    assert laws.count_of(20, sample=5) == 5
    assert laws.count_of(3, sample=5) == 3


def report(outcome: str, *properties: tuple[str, object]) -> pytest.TestReport:
    """What pytest tells of a test that has run."""
    return pytest.TestReport(
        "x",
        ("x", 0, "x"),
        {},
        outcome,
        None,
        "call",
        user_properties=list(properties),  # type: ignore[arg-type]
    )


def test_tests_of_one_law_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of it add up; seeds of one part do not make it larger; a failure is counted."""
    found = laws.tallies(
        [
            report("passed", laws.cells_run("faults", "first", 2, 20)),
            report("failed", laws.cells_run("faults", "second", 3, 30)),
            report("passed", laws.cells_run("people", "", 1, 260)),
            report("passed", laws.cells_run("people", "", 1, 260)),
            report("passed", ("something else", 1)),
        ]
    )
    assert found == [laws.Tally("faults", 5, 50, 1), laws.Tally("people", 2, 260, 0)]
    monkeypatch.setattr(laws, "SHARE", "sample")
    assert laws.summary(found)[0] == "laws: 5 of 50 cells of faults (sample; `make laws` runs all)"


def test_the_result_stands_between_the_markers_and_nothing_else_changes(tmp_path: Path) -> None:
    """Writing it twice gives one table."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{laws.BEGIN}\nold\n{laws.END}\nafter\n")
    for _ in range(2):
        laws.write(page, [laws.Tally("faults", 1_376, 1_376, 0)], datetime.date(2025, 6, 1))
    lines = page.read_text().splitlines()
    assert lines[0] == "before"
    assert lines[-1] == "after"
    assert "Last run of `make laws`: 2025-06-01." in lines
    assert "| faults | 1,376 of 1,376 | 0 |" in lines
    assert "old" not in lines
    page.write_text("no markers\n")
    with pytest.raises(ValueError, match="markers"):
        laws.write(page, [], datetime.date(2025, 6, 1))


@pytest.mark.slow
def test_make_laws_finds_every_law() -> None:
    """A test that counts its cells while it runs has the mark by which they are chosen."""
    found = 0
    for path in sorted({*Path(__file__).resolve().parents[1].glob("*/test_*.py")} - {Path(__file__).resolve()}):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and "record_property(*cells_run(" in ast.unparse(node):
                assert "pytest.mark.law" in map(ast.unparse, node.decorator_list), (
                    f"{path.name}:{node.lineno} {node.name}"
                )
                found += 1
    assert found >= 5


def test_pytest_takes_the_options_of_make_laws() -> None:
    """It reads them before it knows the options of our own; `--markers` ends it there."""
    recipe = re.search(
        r"^laws:.*\n\t@(?:\w+=\S+ )*\$\(BIN\)/python (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    assert recipe is not None
    words = shlex.split(recipe[1].replace("$(ARGS)", "--markers"))
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
