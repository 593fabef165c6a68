"""What every test of the command line needs: no state kept in the home of whoever runs the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from incident_ops.adapters.environment import ACTOR, CHOSEN
from tests.cli.canary_scene import POLICY
from tests.cli.scene import Folder


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.delenv("INCIDENT_OPS_REPO", raising=False)


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever types is @alice, in UTC, and no workflow."""
    monkeypatch.setenv(CHOSEN, "@alice")
    monkeypatch.delenv(ACTOR, raising=False)
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture(scope="session")
def prepared_folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """An empty repository of records with git and one commit, to be copied."""
    made = Folder(tmp_path_factory.mktemp("prepared") / "repo")
    made.commit()
    return made


@pytest.fixture
def folder(tmp_path: Path, prepared_folder: Folder) -> Folder:
    """The same, for one test."""
    return prepared_folder.copy(tmp_path / "repo")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Folder]:
    """Makes further repositories by name."""
    return lambda name, **how: Folder(tmp_path / name, **how)


@pytest.fixture
def here(make: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A repository with a data source and without a limit of its own, outside any workflow."""
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ACTOR", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    made = make("repo", policy=POLICY)
    made.commit()
    return made
