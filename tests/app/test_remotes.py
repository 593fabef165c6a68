"""The remote of the clone, as every command opens it."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_ops.app.workspace import need_remote, remote_of, token_and_server
from incident_ops.errors import UserError
from tests.support.origin import Origin, git_of


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ("", "https://github.com")),
        ({"GITHUB_TOKEN": "one", "GH_TOKEN": "two"}, ("one", "https://github.com")),
        ({"GITHUB_TOKEN": "", "GH_TOKEN": "two\n"}, ("two", "https://github.com")),
        ({"GITHUB_TOKEN": " ", "GITHUB_SERVER_URL": "https://ghe.example"}, ("", "https://ghe.example")),
    ],
)
def test_the_token_comes_from_the_environment_without_blanks(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: tuple[str, str]
) -> None:
    """A secret pasted with its line end would not open anything."""
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert token_and_server() == expected


def test_the_remote_is_the_clones_origin(origin: Origin) -> None:
    git = git_of(origin.clone())
    assert need_remote(git).url == f"file://{origin.path}"
    found = remote_of(git)
    assert found is not None
    assert found.default_branch() == "main"


def test_without_a_remote_the_error_says_what_to_do(origin: Origin) -> None:
    clone = origin.clone()
    clone.git("remote", "remove", "origin")
    for git, words in ((None, "no git repository"), (git_of(clone), "no remote 'origin'")):
        with pytest.raises(UserError, match=words) as told:
            need_remote(git)
        assert told.value.hint
        assert remote_of(git) is None
