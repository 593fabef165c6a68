"""A whole deploy pipeline against a real service, its real traffic and a real Prometheus; see tests/support/toy_deploy.

A good version is promoted; a bad one, and one that breaks at half of the traffic, are rolled back while it runs; a
service without a single error is no reason to roll back.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.prometheus import need_prometheus
from tests.support.toy_deploy import ROOT, toy_deploy

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["localhost", "127.0.0.1"])]
SHA = "7be19f2" + "0" * 33
PROMOTED = [f"{weight} % of production on {SHA}" for weight in (10, 50, 100)]
BACK = "rolled back"


@pytest.mark.parametrize(
    ("version", "code", "steps"),
    [
        ("good", 0, PROMOTED),
        ("bad", 1, [*PROMOTED[:1], BACK]),
        ("late", 1, [*PROMOTED[:2], BACK]),
        ("quiet", 0, PROMOTED),
    ],
)
def test_a_version_goes_where_it_belongs(tmp_path: Path, version: str, code: int, steps: list[str]) -> None:
    """Exit code, what was done with the traffic, and where all of it is in the end."""
    need_prometheus()
    program = tmp_path / "bin" / "incident-ops"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec "{sys.executable}" -m incident_ops "$@"\n')
    program.chmod(0o755)
    hidden = dict.fromkeys(("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_TOKEN", "GITHUB_ACTOR"), "")
    surroundings = {**os.environ, **hidden, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    with toy_deploy(tmp_path, version) as toy:
        done = subprocess.run(
            ["./deploy.sh", version, SHA],
            cwd=toy.repo.root, env=surroundings, capture_output=True, text=True, check=False, timeout=150,
        )  # fmt: skip
        assert (done.returncode, toy.log) == (code, steps), done
        assert toy.weight == (0 if code else 100)
