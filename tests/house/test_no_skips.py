"""The switch that forbids leaving tests out (`INCIDENT_OPS_NO_SKIP=1`, set in CI) works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {
    "in_test": "import pytest\n\ndef test_it():\n    pytest.skip('{reason}')\n",
    "whole_file": "import pytest\npytest.skip('{reason}', allow_module_level=True)\n",
    "decorated": "import pytest\n\n@pytest.mark.skip(reason='{reason}')\ndef test_it():\n    pass\n",
}
REASONS = {"missing": "tool missing", "conformance": "conformance folder absent: x"}
FORBIDDEN = "left out where no test may be"


@pytest.fixture(scope="module", params=["0", "1"], ids=["skips allowed", "skips forbidden"])
def failures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[bool, dict[str, str]]:
    """One run over files of every kind: whether it forbids skips, and name of a file -> what failed in it."""
    folder = tmp_path_factory.mktemp("skips")
    (folder / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    for kind, source in SOURCES.items():
        for name, reason in REASONS.items():
            (folder / f"test_{kind}_{name}.py").write_text(source.format(reason=reason), encoding="utf-8")
    (folder / "test_fine.py").write_text("def test_fine():\n    pass\n", encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(folder)]
    words += ["--continue-on-collection-errors", "--junit-xml=report.xml"]
    environment = {**os.environ, "INCIDENT_OPS_NO_SKIP": request.param, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    cases = ElementTree.parse(folder / "report.xml").iter("testcase")
    found: dict[str, str] = {}
    for case in cases:
        name = (case.get("classname") or case.get("name") or "").rpartition(".")[2]
        found[name] = "".join(
            ElementTree.tostring(one, "unicode") for one in [*case.iter("failure"), *case.iter("error")]
        )
    assert (done.returncode != 0) == any(found.values()), done.stdout + done.stderr
    return request.param == "1", found


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("reason", REASONS)
def test_a_skip_fails_only_where_it_is_forbidden(failures: tuple[bool, dict[str, str]], kind: str, reason: str) -> None:
    """A skipped test, however it is skipped, is a failure in CI and nowhere else, unless for the one allowed reason."""
    is_forbidden, found = failures
    assert (FORBIDDEN in found[f"test_{kind}_{reason}"]) == (is_forbidden and reason == "missing")


def test_a_test_that_is_not_skipped_is_never_held_up(failures: tuple[bool, dict[str, str]]) -> None:
    """Whatever the switch says."""
    assert failures[1]["test_fine"] == ""
