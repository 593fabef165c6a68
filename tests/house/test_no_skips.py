"""The switch that forbids leaving tests out (`INCIDENT_OPS_NO_SKIP=1`, set in CI) works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IN_TEST = "import pytest\n\ndef test_it():\n    pytest.skip('{reason}')\n"
WHOLE_FILE = "import pytest\npytest.skip('{reason}', allow_module_level=True)\n"
DECORATED = "import pytest\n\n@pytest.mark.skip(reason='{reason}')\ndef test_it():\n    pass\n"


@pytest.mark.parametrize("source", [IN_TEST, WHOLE_FILE, DECORATED], ids=["in test", "whole file", "decorated"])
@pytest.mark.parametrize(
    ("no_skip", "reason", "fails"),
    [("1", "tool missing", True), ("1", "conformance folder absent: x", False), ("0", "tool missing", False)],
)
def test_a_skip_fails_only_where_it_is_forbidden(
    tmp_path: Path, source: str, no_skip: str, reason: str, fails: bool
) -> None:
    """A skipped test, however it is skipped, is a failure in CI and nowhere else."""
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_one.py").write_text(source.format(reason=reason), encoding="utf-8")
    (tmp_path / "test_two.py").write_text("def test_fine():\n    pass\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path), "-c", os.devnull],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "INCIDENT_OPS_NO_SKIP": no_skip},
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    assert ("left out where no test may be" in done.stdout) == fails
