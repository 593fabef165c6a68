"""Settings of one clone: read and set there alone, and told where git may not write."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_ops.adapters.git import Git
from incident_ops.errors import WriteFailed
from tests.support.repository import Repo

NAME = "merge.incident-ops.driver"


def test_a_setting_comes_back_as_it_was_given(tmp_path: Path) -> None:
    """Blanks, quotes, `#`, `;` and a line break included."""
    git = Repo(tmp_path / "repo").around()
    assert git.config(NAME) is None
    for value in ("incident-ops merge %O %A", ' "quoted" # ; \\ ', "two\nlines"):
        git.set_config(NAME, value)
        assert git.config(NAME) == value


def test_only_this_clone_is_asked_and_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = tmp_path / "gitconfig"
    everywhere.write_text('[merge "incident-ops"]\n\tdriver = of the user\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(everywhere))
    monkeypatch.setenv("HOME", str(tmp_path))
    git = Repo(tmp_path / "repo").around()
    assert git.config(NAME) is None
    git.set_config(NAME, "of the clone")
    assert "of the clone" not in everywhere.read_text()


def test_a_refusal_names_the_setting_and_the_file(tmp_path: Path) -> None:
    """Another git holds the lock."""
    repo = Repo(tmp_path / "repo")
    repo.write(".git/config.lock", "")
    with pytest.raises(WriteFailed, match=NAME.replace(".", r"\.")) as told:
        repo.around().set_config(NAME, "x")
    assert told.value.where.endswith(".git/config")
    assert isinstance(repo.around(), Git)
