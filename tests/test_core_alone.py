"""The wheel with the packages of requirements/core.txt alone: what works there, what says which extra, how large."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.scene import Done, Folder
from tests.support.wheels import environment_with, megabytes, need_wheels

pytestmark = pytest.mark.slow
LARGEST = 45
"""Megabytes of the program and its packages; what `venv` itself brings, pip and setuptools, is not ours."""
OF_VENV = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence")
ENDED = ["resolve", "--restored", "now", "--cause", "deploy", "--by", "@a"]


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs of the environment are."""
    need_wheels()
    return environment_with(tmp_path_factory.mktemp("core"), "core.txt")


def _run(core: Path, at: Path, *words: str, **variables: str) -> Done:
    environment = {"PATH": f"{core}:{os.environ['PATH']}", "HOME": str(at.parent), **variables}
    command = ["incident-ops", *words]
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, env=environment)
    return Done(done.returncode, done.stdout, done.stderr)


def test_an_incident_goes_through_the_core_alone(core: Path, tmp_path: Path) -> None:
    """From `init` to the gate, each command by the installed program."""
    folder = Folder(tmp_path / "records")
    folder.commit()
    declared = ["declare", "Login fails", "-s", "web", "--severity", "SEV1", "--by", "@a"]
    for words, code in (
        (["validate"], 0),
        (declared, 0),
        (["gate", "check", "--service", "api"], 0),
        (["ack", "--by", "@a"], 0),
        (["timeline", "We looked at it", "--by", "@a"], 0),
        (["plan", "--tracker", "local"], 0),
        (["apply"], 0),
        (["issues", "1"], 0),
        (["sla", "check"], 0),
        (ENDED, 0),
        (["render"], 0),
        (["validate"], 0),
        (["sla", "report"], 0),
    ):
        done = _run(core, folder.path, *words)
        assert (done.code, "Traceback" in done.err) == (code, False), (words, done)
    folder.git("add", "--all")
    folder.git("commit", "-m", "all")
    assert "pass" in _run(core, folder.path, "gate", "check", "--service", "web").out
    assert _run(core, folder.path, "demo", "--into", "scratch").code == 0


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("github", "plan --tracker github"),
        ("calendars", "policy holidays DE"),
        ("calendars", "oncall calendar api"),
        ("metrics", "canary probe -f gates/error-rate.yaml"),
    ],
)
def test_what_needs_an_extra_says_so(core: Path, tmp_path: Path, extra: str, words: str) -> None:
    root = Path(__file__).resolve().parents[1]
    sources = "datasources:\n  main: {kind: prometheus, url: 'https://prometheus.example'}\n"
    folder = Folder(tmp_path / "records", policy=f"extends: sev0-3\n{sources}")
    folder.write("gates/error-rate.yaml", (root / "gates/error-rate.yaml").read_bytes())
    layer = "{name: main, people: ['@a', '@b'], start: 2025-01-01, rotate: 1w, at: '09:00'}"
    folder.write("oncall/api.yaml", f"name: api\nzone: UTC\nlayers:\n- {layer}\n")
    folder.commit()
    done = _run(core, folder.path, *words.split(), GITHUB_TOKEN="x", GITHUB_REPOSITORY="acme/records")
    done.told_once(2, f"needs the extra {extra}", f"pip install 'incident-ops[{extra}]'")


def test_time_zones_are_those_of_the_system(core: Path, tmp_path: Path) -> None:
    """Where it has none, each command says what brings them."""
    folder = Folder(tmp_path / "records")
    folder.commit()
    assert _run(core, folder.path, "validate").code == 0
    done = _run(core, folder.path, "validate", PYTHONTZPATH="")
    done.told_once(2, "this machine has no time zones", "pip install tzdata")


def test_the_environment_is_small(core: Path) -> None:
    """The whole of what pre-commit makes is measured in tests/house/test_pre_commit.py."""
    (packages,) = core.parent.glob("lib/*/site-packages")
    ours = [path for path in packages.iterdir() if not path.name.startswith(OF_VENV)]
    assert megabytes(*ours) <= LARGEST


def test_what_the_action_gate_check_installs_asks_github(tmp_path: Path) -> None:
    """Which commits passed before is asked of GitHub, also where no other extra is there; nobody answers here."""
    need_wheels()
    gate = environment_with(tmp_path, "gate.txt")
    folder = Folder(tmp_path / "records")
    folder.put()
    folder.commit()
    hub = {"GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "acme/records", "GITHUB_API_URL": "http://127.0.0.1:9"}
    done = _run(gate, folder.path, "gate", "check", "--service", "api", "--sha", "a" * 40, **hub)
    assert done.code == 3, done
    assert "unknown whether aaaaaaaaaaaa passed before: " in done.out
    assert "cannot be reached" in done.out
    assert "extra" not in done.out + done.err
