"""The remote over HTTPS, against git's own server program: the token reaches it, and nothing else ever shows it."""

from __future__ import annotations

import os
import shutil
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_ops.adapters.git_remote import CREDENTIALS, DONE, REFUSED, UNREACHABLE, Remote, own_settings
from incident_ops.errors import Ambiguous, Incomplete
from tests.support.origin import Origin, Served, git_of, https
from tests.support.repository import Repo

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
TOKEN = "ghs_0123456789abcdefghij"
ENCODED = b64encode(f"x-access-token:{TOKEN}".encode()).decode()


@contextmanager
def served(origin: Origin, clone: Repo, mode: str, wanted: str = "") -> Iterator[Served]:
    with https(origin, mode, wanted) as server:
        clone.git("config", "http.sslCAInfo", str(server.notes / "certificate.pem"))
        clone.git("remote", "set-url", "origin", server.url)
        yield server


def remote_of(clone: Repo, server: Served, token: str = "", seconds: float = 60.0) -> Remote:
    return Remote.of(git_of(clone), token=token, server=server.url.removesuffix("/origin.git"), seconds=seconds)


def commit(remote: Remote) -> str:
    return remote.objects.commit(remote.objects.file_tree("file", b"1"), (), "a step", NOW)


def test_the_token_opens_the_remote_and_is_seen_nowhere(
    origin: Origin, clone: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in an argument of any process of this machine, not in what is printed, not in a file."""
    program, calls, real = tmp_path / "bin" / "git", tmp_path / "calls", shutil.which("git")
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {calls}\nexec {real} "$@"\n')
    program.chmod(0o755)
    with served(origin, clone, "token", TOKEN) as server:
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        for name in ("GIT_TRACE", "GIT_TRACE_CURL", "GIT_CURL_VERBOSE"):
            monkeypatch.setenv(name, "1")
        remote = remote_of(clone, server, TOKEN)
        assert remote.tip("main") == origin.first
        assert remote.push("b", commit(remote), None).outcome == DONE
        seen = (server.notes / "seen").read_text().splitlines()
    assert len(seen) >= 3
    assert all(line.endswith("headers=1 right=True shown=False") for line in seen), seen
    assert "ls-remote" in calls.read_text()
    assert "push" in calls.read_text()
    printed = capfd.readouterr()
    everything = [printed.out.encode(), printed.err.encode()]
    everything += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for secret in (TOKEN, ENCODED):
        assert not any(secret.encode() in content for content in everything)


def test_the_detector_of_shown_tokens_sees_one(origin: Origin, clone: Repo) -> None:
    """The server of the test above does find a token that stands in an argument."""
    with served(origin, clone, "open", TOKEN) as server:
        clone.git("-c", f"http.extraheader=Authorization: Basic {ENCODED}", "ls-remote", "origin")
        assert "shown=True" in (server.notes / "seen").read_text()


def test_the_header_that_a_checkout_left_behind_is_not_sent_as_well(origin: Origin, clone: Repo) -> None:
    """GitHub refuses two; `persist-credentials: true` leaves one in the clone."""
    with served(origin, clone, "token", TOKEN) as server:
        top = server.url.removesuffix("origin.git")
        clone.git("config", f"http.{top}.extraheader", "Authorization: Basic b2xkOm9sZA==")
        assert remote_of(clone, server, TOKEN).tip("main") == origin.first
        with pytest.raises(Incomplete):
            remote_of(clone, server).tip("main")


@pytest.mark.parametrize("token", ["", "ghs_wrong"])
def test_without_the_right_token_the_remedy_is_named(origin: Origin, clone: Repo, token: str) -> None:
    with served(origin, clone, "token", TOKEN) as server:
        remote = remote_of(clone, server, token)
        with pytest.raises(Incomplete) as told:
            remote.tip("main")
        refused = remote.push("b", commit(remote), None)
    assert "GITHUB_TOKEN" in told.value.hint
    assert (refused.outcome, "contents: write" in refused.hint) == (REFUSED, True)
    assert not token or token not in f"{told.value}{refused}"


def test_a_token_for_another_server_stays_here(origin: Origin, clone: Repo) -> None:
    with served(origin, clone, "token", TOKEN) as server:
        with pytest.raises(Incomplete):
            Remote.of(git_of(clone), token=TOKEN).tip("main")
        assert "headers=1" not in (server.notes / "seen").read_text()


def test_a_remote_that_may_only_be_read_is_read_and_the_push_refused(origin: Origin, clone: Repo) -> None:
    with served(origin, clone, "readonly") as server:
        remote = remote_of(clone, server)
        assert remote.tip("main") == origin.first
        refused = remote.push("b", commit(remote), None)
    assert refused.outcome == REFUSED
    assert "403" in refused.reason
    assert "contents: write" in refused.hint


def test_an_answer_that_was_lost_after_the_push_is_found_out(origin: Origin, clone: Repo) -> None:
    with served(origin, clone, "lost") as server:
        remote = remote_of(clone, server)
        made = commit(remote)
        assert remote.push("b", made, None).outcome == DONE
        assert origin.tip("b") == made


def test_an_answer_that_was_lost_is_found_out_below_what_others_pushed_since(origin: Origin, clone: Repo) -> None:
    origin.hook(
        """new=$(GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x \\
        git commit-tree -p b -m more b^{tree}) && git update-ref refs/heads/b "$new" """,
        "post-receive",
    )
    with served(origin, clone, "lost") as server:
        remote = remote_of(clone, server)
        made = commit(remote)
        assert remote.push("b", made, None).outcome == DONE
    assert origin.bare.git("rev-parse", "b^") == made


def test_a_server_that_repeats_the_token_is_not_quoted(origin: Origin, clone: Repo) -> None:
    origin.hook(f"echo you sent {TOKEN} as {ENCODED} >&2; exit 1")
    with served(origin, clone, "token", TOKEN) as server:
        remote = remote_of(clone, server, TOKEN)
        refused = remote.push("b", commit(remote), None)
    assert "you sent *** as ***" in refused.reason


@pytest.mark.slow
def test_a_silent_server_ends_in_an_error(origin: Origin, clone: Repo) -> None:
    with served(origin, clone, "silent") as server:
        remote = remote_of(clone, server, seconds=2)
        start = time.monotonic()
        with pytest.raises(Incomplete, match="did not answer within 2 s"):
            remote.tip("main")
        with pytest.raises(Ambiguous):
            remote.push("b", commit(remote), None)
        assert time.monotonic() - start < 30


def test_a_server_that_is_down_is_unreachable(origin: Origin, clone: Repo) -> None:
    with served(origin, clone, "open") as server:
        remote = remote_of(clone, server)
    gone = remote.push("b", commit(remote), None)
    assert gone.outcome == UNREACHABLE
    assert "network" in gone.hint


def test_without_a_token_a_persons_own_helper_opens_it_and_never_that_of_the_clone(
    origin: Origin, clone: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `gh auth setup-git` and a keyring leave in a person's settings; the clone's are data."""
    home, evil = tmp_path / "home", tmp_path / "evil"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    with served(origin, clone, "token", TOKEN) as server:
        port = server.url.split(":")[2].split("/")[0]
        helper = f"!f() {{ echo username=x-access-token; echo password={TOKEN}; }}; f"
        (home / ".gitconfig").write_text(f'[credential "https://localhost:{port}"]\n\thelper = "{helper}"\n')
        clone.git("config", "credential.helper", f"!touch {evil}")
        git = git_of(clone)
        remote = Remote.of(git, own=own_settings(git, CREDENTIALS))
        assert remote.tip("main") == origin.first
        assert remote.push("b", commit(remote), None).outcome == DONE
        with pytest.raises(Incomplete):
            Remote.of(git).tip("main")
    assert not evil.exists()
