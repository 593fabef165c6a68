"""From the environment to settings: what is taken from where, and what is said where it is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from incident_ops.adapters.github.connect import connect, read_settings, site_of
from incident_ops.errors import Incomplete, UserError
from tests.support.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])

FULL = {"GITHUB_TOKEN": "ghs_token", "GITHUB_REPOSITORY": "acme/records"}


def test_the_environment_of_a_job_is_enough() -> None:
    """Token and repository as Actions sets them; the API of github.com without a word."""
    found = read_settings(FULL, None)
    assert found[:3] == ("https://api.github.com", "https://github.com", "acme/records")
    assert found.token == "ghs_token"


def test_the_token_is_never_shown() -> None:
    """Settings in a log or a traceback hide it."""
    assert "ghs_token" not in repr(read_settings(FULL, None))
    assert "ghs_token" not in f"{read_settings(FULL, None)}"


def test_github_token_goes_before_gh_token() -> None:
    """GH_TOKEN is what `gh` uses at home."""
    both = {"GITHUB_REPOSITORY": "a/b", "GH_TOKEN": "two"}
    assert read_settings(both, None).token == "two"
    assert read_settings({**both, "GITHUB_TOKEN": "one"}, None).token == "one"
    assert read_settings({**both, "GITHUB_TOKEN": ""}, None).token == "two"


@pytest.mark.parametrize(
    ("api", "server", "site"),
    [
        ("https://ghe.example/api/v3", "", "https://ghe.example"),
        ("https://ghe.example/api/v3/", "https://web.example/", "https://web.example"),
        ("https://api.acme.ghe.com", "", "https://acme.ghe.com"),
        ("http://localhost:4100", "", "http://localhost:4100"),
    ],
)
def test_other_servers_are_honoured(api: str, server: str, site: str) -> None:
    """GITHUB_API_URL says where to ask, GITHUB_SERVER_URL where people read."""
    found = read_settings({**FULL, "GITHUB_API_URL": api, "GITHUB_SERVER_URL": server}, None)
    assert (found.api, found.site) == (api.rstrip("/"), site)


@pytest.mark.parametrize("api", ["http://ghe.example/api/v3", "ghe.example", "ftp://x", "https://"])
def test_a_token_is_not_sent_in_the_clear(api: str) -> None:
    """Only https, but for this machine itself."""
    with pytest.raises(UserError, match="GITHUB_API_URL"):
        read_settings({**FULL, "GITHUB_API_URL": api}, None)


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/acme/my.records.git",
        "https://github.com/acme/my.records",
        "https://x-access-token:ghp_secret@github.com/acme/my.records.git",
        "git@github.com:acme/my.records.git",
        "ssh://git@github.com/acme/my.records.git",
        "ssh://git@ssh.github.com:443/acme/my.records.git/",
        "git@github-work:acme/my.records.git",
        "git@github.com-work:acme/my.records.git",
        "https://GitHub.com/acme/my.records/",
    ],
)
def test_the_clones_remote_names_the_repository(remote: str) -> None:
    """Where no variable does; https and ssh."""
    assert read_settings({"GH_TOKEN": "t"}, remote).repository == "acme/my.records"
    assert read_settings({**FULL}, remote).repository == "acme/records"


def test_the_remote_may_be_on_a_server_of_ones_own() -> None:
    """Where the API is that server's."""
    own = {"GH_TOKEN": "t", "GITHUB_API_URL": "https://ghe.example/api/v3"}
    assert read_settings(own, "https://ghe.example/acme/my.records/").repository == "acme/my.records"
    assert read_settings(own, "ssh://git@ghe.example:2222/acme/my.records").repository == "acme/my.records"


@pytest.mark.parametrize(
    "remote",
    [
        None,
        "",
        "/srv/git/records.git",
        "../records",
        "https://github.com/acme",
        "x:y",
        "https://gitlab.com/acme/records.git",
        "git@gitlab.com:acme/records.git",
        "https://ghe.example/acme/records",
        "https://localhost/acme/records",
        "file:///acme/records",
    ],
)
def test_a_remote_that_names_none_is_told(remote: str | None) -> None:
    """What is missing, and the variable that mends it; the remote itself may hold a secret and is not shown."""
    with pytest.raises(UserError, match="which repository holds the issues") as told:
        read_settings({"GH_TOKEN": "t"}, remote)
    assert "GITHUB_REPOSITORY=owner/name" in told.value.hint


@pytest.mark.parametrize("name", ["acme", "acme/x/y", "acme/..", "https://github.com/acme/x", "a b/c", "acme/x?y"])
def test_a_repository_that_is_no_name_is_told(name: str) -> None:
    """It becomes part of an address."""
    with pytest.raises(UserError, match="owner/name"):
        read_settings({**FULL, "GITHUB_REPOSITORY": name}, None)


def test_a_missing_or_broken_token_is_told() -> None:
    """With both ways to give one; a damaged one is not shown."""
    with pytest.raises(UserError, match="GITHUB_TOKEN nor GH_TOKEN") as told:
        read_settings({"GITHUB_REPOSITORY": "a/b"}, None)
    assert "gh auth token" in told.value.hint
    with pytest.raises(UserError, match="damaged") as broken:
        read_settings({**FULL, "GITHUB_TOKEN": "ghp_one\nghp_two"}, None)
    assert "ghp_" not in str(broken.value)


def test_a_label_that_cannot_be_listed_by_is_told() -> None:
    """GitHub reads a comma as two labels, and would list other issues."""
    with pytest.raises(UserError, match="cannot be listed by"):
        connect(FULL, None, ("incident,x", "action-item"), (), requests=1, owner_of=lambda _body, _records: None)


def test_the_client_library_is_loaded_only_by_a_connection() -> None:
    """Importing the adapter costs no HTTP library; connecting does."""
    code = (
        "import sys; from incident_ops.adapters.github.connect import site_of, connect;"
        "assert not {'github', 'requests', 'urllib3'} & set(sys.modules);"
        "connect({'GITHUB_TOKEN': 't', 'GITHUB_REPOSITORY': 'a/b'}, None, ('i', 'a'), (), requests=1, owner_of=str);"
        "assert 'github' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _ids(server: ScriptedServer, remote: str | None, *answers: Reply, known: str = "") -> tuple[int, int]:
    """The ids of the repositories with the records and with the issues (acme/records)."""
    server.script(*answers)
    environment = {
        "GITHUB_API_URL": server.url,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_TOKEN": "t",
        "GITHUB_REPOSITORY": "acme/records",
    }
    at = connect(
        {**environment, "GITHUB_REPOSITORY_ID": known},
        remote,
        ("incident", "action-item"),
        (),
        requests=9,
        owner_of=lambda _body, _records: None,
        pause=0.0,
    )
    found = at.records_id, at.repository_id
    assert (at.records_id, at.repository_id) == found
    return found


def test_the_repository_with_the_records_is_known_by_its_id(server: ScriptedServer) -> None:
    """Actions tells it; elsewhere GitHub is asked once for the one that the clone's remote names."""
    own, other = "git@github.com:Acme/Records.git", "https://github.com/acme/ops"
    assert _ids(server, own, known="7") == (7, 7)
    assert server.lines == []
    assert _ids(server, own, Reply(data={"id": 7})) == (7, 7)
    assert _ids(server, None, Reply(data={"id": 7})) == (7, 7)
    assert _ids(server, other, Reply(data={"id": 8}), Reply(data={"id": 7})) == (8, 7)
    assert _ids(server, "https://gitlab.com/acme/ops", Reply(data={"id": 7})) == (7, 7)
    assert _ids(server, other, Reply(data={"id": 7}), known="8") == (8, 7)


def test_a_repository_that_github_does_not_show_is_told(server: ScriptedServer) -> None:
    """Nothing is guessed: another id would make our issues another's."""
    with pytest.raises(Incomplete, match="shows no repository acme/records"):
        _ids(server, None, Reply(404))
    with pytest.raises(Incomplete, match="shows no repository acme/ops") as told:
        _ids(server, "https://github.com/acme/ops", Reply(404))
    assert "set GITHUB_REPOSITORY_ID" in told.value.hint


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://github.com/acme/ops", "acme/ops"),
        ("git@github.com:acme/ops.git", "acme/ops"),
        ("https://gitlab.com/acme/ops", "acme/records"),
        ("file:///srv/ops.git", "acme/records"),
    ],
)
def test_a_pull_request_is_opened_where_its_branch_is(remote: str, name: str) -> None:
    """Not in the repository whose workflow sends it."""
    site = site_of(FULL, remote)
    assert site is not None
    assert site.repository == name
