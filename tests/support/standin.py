"""A GitHub on this machine: npm `emulate`, started once for each process of the tests.

Its state is in memory; a test takes a repository of its own. It is lenient where GitHub is strict (lengths, unknown
tokens, the rights of any token but those of `new_token`) and has no sub-issues, no 5xx and no secondary limits: those
are tested with `scripted_server`.
"""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).resolve().parents[1] / "standin"
LOGIN, TOKEN = "keeper", "ghp_standin"
PERSON, PERSON_TOKEN = "alice", "ghp_standin_person"
BOB_TOKEN = "ghp_standin_bob"
_PACKAGE = HOME / "node_modules/emulate"
_START_LIMIT = 30.0  # seconds

_names = itertools.count(1)


def need_standin() -> None:
    """Skips, with the reason, where Node or the package of the stand-in is not there."""
    if not shutil.which("node"):
        pytest.skip("node is not here, and the stand-in for GitHub runs on it: install Node 20 or newer with npm")
    if not _PACKAGE.is_dir():
        pytest.skip("tests/standin has no node_modules: `make test` installs them where npm is, else run `npm ci`")


class Standin:
    """A running stand-in. `url` is the API's address, `token` belongs to `login`, an owner of the organisation acme."""

    login, token = LOGIN, TOKEN

    def __init__(self, url: str) -> None:
        self.url = url

    def new_repository(self, **settings: Any) -> str:
        """Makes an empty repository -> its `owner/name`; `settings` as GitHub's API names them."""
        name = f"records-{next(_names)}"
        self.ask("POST", "/orgs/acme/repos", {"name": name, "auto_init": True, **settings})
        return f"acme/{name}"

    def environment(self, repository: str, *, token: str | None = None) -> dict[str, str]:
        """The variables with which our program finds this stand-in."""
        return {
            "GITHUB_API_URL": self.url,
            "GITHUB_TOKEN": token or self.token,
            "GITHUB_REPOSITORY": repository,
            "GITHUB_REPOSITORY_ID": str(self.ask("GET", f"/repos/{repository}")["id"]),
        }

    def new_token(self, permissions: Mapping[str, str] | None = None, **more: str) -> str:
        """A token of `login` that may do what `permissions` name (`{"issues": "read"}`), by GitHub's own table.

        Without them it may do all. `state` is suspended or revoked; `expires` a date as GitHub spells it in its header.
        """
        rights = {} if permissions is None else {"permissions": dict(permissions)}
        return str(self.ask("POST", "/_standin/tokens", {**rights, **more})["token"])

    def change_token(self, token: str, **more: str) -> None:
        """Gives a token another `state` or another day on which it `expires`."""
        self.ask("PATCH", f"/_standin/tokens/{token}", more)

    def asked_with(self, token: str) -> list[tuple[str, str]]:
        """Every request that came with a token, in order: its method and path, those that were refused as well."""
        return [(one["method"], one["path"]) for one in self.ask("GET", f"/_standin/log/{token}")]

    def refused_to(self, token: str) -> list[tuple[str, str]]:
        """Those that were refused, because the token may not do them."""
        return [(one["method"], one["path"]) for one in self.ask("GET", f"/_standin/log/{token}") if one["refused"]]

    def list_workflows(self, repository: str, **states: str) -> None:
        """Workflows without a file, by name (`tick_yml="active"`): those with one are listed by themselves."""
        files = {name.replace("_yml", ".yml"): state for name, state in states.items()}
        self.ask("PUT", f"/_standin/repos/{repository}/workflows", files)

    def set_runs(self, repository: str, file: str, *runs: Mapping[str, Any]) -> list[int]:
        """What the runs of a workflow are from now on, each at least `created_at` and `status` -> their ids."""
        return [int(one) for one in self.ask("PUT", f"/_standin/repos/{repository}/runs/{file}", list(runs))]

    def dispatches(self, repository: str) -> list[dict[str, Any]]:
        """The runs that were started by the API, oldest first: `file`, `branch`, `sha`, `inputs`."""
        return list(self.ask("GET", f"/_standin/repos/{repository}/dispatches"))

    def set_secrets(self, repository: str, *names: str, environment: str = "") -> None:
        """The names of the secrets of a repository, or of an environment that it has."""
        place = f"/environments/{environment}" if environment else ""
        self.ask("PUT", f"/_standin/repos/{repository}{place}/secrets", list(names))

    def set_plan(self, repository: str, plan: str) -> None:
        """`free`: a private repository then has no rulesets."""
        self.ask("PUT", f"/_standin/repos/{repository}/plan", {"plan": plan})

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Any:
        """One request beside our program, as another person or tool would send it -> the JSON of the answer."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {token or self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@contextmanager
def standin(advertised: str = "", service: str = "github") -> Iterator[Standin]:
    """Starts a stand-in on a free port of this machine and ends it with the block.

    `service` is github or slack. `advertised` is the address its answers name, where it stands behind a proxy; `url` is
    always its own.
    """
    need_standin()
    port = _free_port()
    url = f"http://localhost:{port}"  # PyGithub refuses answers that name another host than it asked
    words = [
        "node",
        str(HOME / "start.mjs"),
        "start",
        "--service",
        service,
        "--port",
        str(port),
        "--seed",
        str(HOME / "seed.yaml"),
    ]
    if advertised:
        words += ["--base-url", advertised]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=HOME)
    try:
        _wait(running, url)
        yield Standin(url)
    finally:
        running.terminate()
        running.communicate(timeout=10)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return int(one.getsockname()[1])


def _wait(running: subprocess.Popen[str], url: str) -> None:
    end = time.monotonic() + _START_LIMIT
    while time.monotonic() < end:
        assert running.poll() is None, f"the stand-in ended at once: {running.communicate()[0]}"
        try:
            with urllib.request.urlopen(f"{url}/zen", timeout=1):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the stand-in did not answer at {url} within {_START_LIMIT:.0f} s")
