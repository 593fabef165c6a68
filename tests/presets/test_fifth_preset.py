"""A preset is one file and its golden: in a copy of the checkout a fifth one works; a missing golden is noticed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.scene import ROOT

NAME = "p1-p5"
PARTS = ("actions", "contrib", "incident_ops", "schemas", "templates", "examples", "gates", "docs")
TESTS = ("conftest.py", "support", "presets", "cli/scene.py")


def fifth_preset() -> str:
    """The text of p0-p3 with its labels moved by one, a fifth level below them, and a rule that gives it."""
    text = (ROOT / "incident_ops/presets/p0-p3.yaml").read_text(encoding="utf-8")
    text = re.sub(r"\bP([0-3])\b", lambda label: f"P{int(label[1]) + 1}", text).replace("p0-p3", NAME)
    text = re.sub(r"  demo:\n(?:    .*\n)+", "", text)
    last = text[text.index("- id: P4") : text.index("\ntriage:")]
    lower = last.replace("- id: P4", "- id: P5").replace("rank: 4", "rank: 5").replace("LOW (", "LOWEST (")
    assert lower.count("5") > last.count("5")
    everybody = "      feature: cosmetic\n      users_pct: all\n"
    rule = f"  - when:\n{everybody}    level: P5\n    assumed: false\n    source: a test\n"
    text = text.replace(last, f"{last}\n{lower}")
    return text.replace(
        "  - when:\n      feature: cosmetic\n    level", f"{rule}  - when:\n      feature: cosmetic\n    level"
    )


def program(checkout: Path, *words: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs Python in the copy: what is imported is the copy's."""
    env = {**os.environ, "PYTHONPATH": str(checkout)}
    where = at or checkout
    return subprocess.run([sys.executable, *words], cwd=where, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with a fifth preset, after `make docs`."""
    copy = tmp_path_factory.mktemp("fifth") / "checkout"
    unwanted = shutil.ignore_patterns("__pycache__", "test_fifth_preset.py")
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=unwanted)
    for part in TESTS:
        source, target = ROOT / "tests" / part, copy / "tests" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, ignore=unwanted) if source.is_dir() else shutil.copy(source, target)
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / f"incident_ops/presets/{NAME}.yaml").write_text(fifth_preset(), encoding="utf-8")
    written = program(copy, "docs/generate.py")
    assert written.returncode == 0, written.stderr
    assert set(written.stdout.split()) - {"written:"} == {
        "docs/cli.md",
        "docs/notices.md",
        "docs/policy-keys.md",
        "docs/policy.md",
        "schemas/policy.schema.json",
    }
    return copy


@pytest.mark.slow
def test_the_commands_know_it(checkout: Path, tmp_path: Path) -> None:
    """From the first files to a plan, with an incident of the level that no other preset has."""
    begin = ["init", "--preset", NAME], ["declare", "Typo on every page", "-s", "api", "--severity", "P5"]
    for words in (*begin, ["validate"], ["policy", "show"], ["policy", "lint"], ["show"], ["plan"], ["sla", "check"]):
        done = program(checkout, "-m", "incident_ops", *words, at=tmp_path)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    assert f"extends: {NAME}" in (tmp_path / "policy.yaml").read_text(encoding="utf-8")


def test_hints_name_it_where_a_label_is_foreign(checkout: Path, tmp_path: Path) -> None:
    """Nothing beside the file of the preset says which labels it has."""
    (tmp_path / "policy.yaml").write_text("extends: sev0-3\ningest:\n  cap: P4\n", encoding="utf-8")
    (tmp_path / "services.yaml").write_text('services:\n  api:\n    owner: "@team"\n', encoding="utf-8")
    done = program(checkout, "-m", "incident_ops", "policy", "lint", at=tmp_path)
    assert f"P4 belongs to itil-p1-p4 and {NAME}" in done.stdout


@pytest.mark.slow
def test_only_its_missing_golden_fails_until_it_is_there(checkout: Path) -> None:
    """The conformance test walks the folder: nobody has to name the newcomer in a test."""
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", NAME, "tests/presets/test_conformance.py")
    without = program(checkout, *words)
    failed = [line for line in without.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    assert [line.split(" - ")[0].rpartition("::")[2] for line in failed] == [f"test_its_golden_is_there[{NAME}]"], (
        without
    )
    golden = checkout / f"tests/presets/golden/{NAME}.md"
    golden.write_text("| Level |\n", encoding="utf-8")
    assert program(checkout, *words).returncode == 0
    golden.unlink()
