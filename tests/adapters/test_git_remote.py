"""The remote against real repositories: compare-and-swap, refusals, a server that is gone or does not answer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_ops.adapters.git_remote import DONE, MOVED, REFUSED, UNREACHABLE, Pushed, Remote, address
from incident_ops.errors import Ambiguous, Incomplete, UserError
from tests.support.origin import Origin, git_of, remote_of
from tests.support.repository import Repo

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
TOKEN = "ghs_0123456789abcdefghij"


def commit(remote: Remote, text: str, *parents: str) -> str:
    objects = remote.objects
    return objects.commit(objects.file_tree("file", text.encode()), parents, "a step", NOW)


# ------------------------------------------------------------------ reading


def test_a_branch_that_is_not_there_is_none(clone: Repo) -> None:
    assert remote_of(clone).tip("incident-ops/nothing") is None


def test_the_tip_is_what_the_remote_has_now_and_its_content_is_here(origin: Origin, clone: Repo) -> None:
    other = origin.clone("other")
    other.write("notes.txt", "three\n")
    new = other.commit()
    other.git("push", "--quiet", "origin", "main")
    remote = remote_of(clone)
    assert remote.tip("main") == new
    assert remote.git.read_path(new, "notes.txt") == b"three\n"


def test_a_branch_that_vanishes_while_it_is_read_is_not_there(
    origin: Origin, clone: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody merged its pull request in that moment; the others are read."""
    other = origin.clone("other")
    new = other.commit("more")
    other.git("push", "--quiet", "origin", "HEAD:refs/heads/x/one", "HEAD:refs/heads/x/two")
    remote = remote_of(clone)
    fetch = remote._fetch

    def late(*refs: str) -> None:
        origin.bare.git("update-ref", "-d", "refs/heads/x/one")
        fetch(*refs)

    monkeypatch.setattr(remote, "_fetch", late)
    assert remote.tips(("x/",)) == {"x/two": new}


def test_a_branch_is_found_by_its_whole_name(origin: Origin, clone: Repo) -> None:
    """A remote lists every ref that ends so."""
    origin.bare.git("update-ref", "refs/heads/x/refs/heads/lock", origin.first)
    assert remote_of(clone).tip("lock") is None


def test_the_default_branch_is_the_remotes_own(origin: Origin, clone: Repo) -> None:
    assert remote_of(clone).default_branch() == "main"
    origin.bare.git("branch", "trunk", "main")
    origin.bare.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    assert remote_of(clone).default_branch() == "trunk"


def test_the_head_is_the_tip_of_the_branch_that_it_names(origin: Origin, clone: Repo) -> None:
    """Not a ref that merely ends so; and none where the branch is not born."""
    origin.bare.git("update-ref", "refs/remotes/origin/HEAD", origin.first)
    assert remote_of(clone).head() == origin.bare.git("rev-parse", "main").strip()
    origin.bare.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    assert remote_of(clone).head() is None


def test_reading_and_pushing_touch_neither_work_tree_nor_index_nor_branches(origin: Origin, clone: Repo) -> None:
    def seen() -> object:
        refs = clone.git("for-each-ref", "refs/heads", "refs/remotes", "refs/tags")
        files = {path.name: path.read_bytes() for path in clone.root.iterdir() if path.is_file()}
        git = {name: (clone.root / ".git" / name).read_bytes() for name in ("index", "HEAD", "config")}
        return refs, files, git, clone.git("status", "--porcelain")

    clone.write("notes.txt", "half done\n")
    clone.write("outside.txt", "staged\n")
    clone.git("add", "outside.txt")
    before = seen()
    remote = remote_of(clone)
    other = origin.clone("other")
    other.commit("more")
    other.git("push", "--quiet", "origin", "main", "main:refs/tags/v1")
    remote.tip("main")
    tree = remote.objects.changed_tree(origin.first, {"notes.txt": b"x", "outside.txt": None})
    new = remote.objects.commit(tree, (origin.first,), "m", NOW)
    assert remote.push("incident-ops/x", new, None).outcome == DONE
    assert seen() == before
    assert not (clone.root / ".git" / "shallow").exists()
    assert not (clone.root / ".git" / "FETCH_HEAD").exists()


def test_a_detached_head_and_a_shallow_clone_are_enough(origin: Origin) -> None:
    shallow = origin.clone("shallow", "--depth=1")
    shallow.git("checkout", "--quiet", "--detach")
    remote = remote_of(shallow)
    other = origin.clone("other")
    other.write("notes.txt", "three\n")
    new = other.commit()
    other.git("push", "--quiet", "origin", "main")
    assert remote.tip("main") == new
    made = remote.objects.commit(remote.objects.changed_tree(origin.first, {"a": b"1"}), (origin.first,), "m", NOW)
    assert remote.push("side", made, None) == Pushed(DONE)
    assert origin.bare.git("rev-list", "--count", "side") == "3"
    assert shallow.git("rev-parse", "--is-shallow-repository") == "true"


# ------------------------------------------------------------------ pushing


def test_a_push_is_done_only_from_what_was_expected(origin: Origin, clone: Repo) -> None:
    remote = remote_of(clone)
    first, second = commit(remote, "1"), commit(remote, "2")
    assert remote.push("b", first, None).outcome == DONE
    assert remote.push("b", second, None).outcome == MOVED
    assert remote.push("b", second, origin.first).outcome == MOVED
    assert origin.tip("b") == first
    assert remote.push("b", second, first).outcome == DONE
    assert remote.push("b", None, first).outcome == MOVED
    assert remote.push("b", None, second).outcome == DONE
    assert origin.tip("b") == ""
    assert remote.push("b", None, second).outcome == MOVED


def test_a_branch_that_moves_while_the_push_is_under_way_is_moved_not_refused(origin: Origin, clone: Repo) -> None:
    """The server itself sees that the branch is no longer what it told."""
    remote = remote_of(clone)
    mine, theirs = commit(remote, "1"), commit(remote, "2")
    assert remote.push("elsewhere", theirs, None).outcome == DONE
    origin.hook(f"unset GIT_QUARANTINE_PATH; git update-ref refs/heads/b {theirs}")
    assert remote.push("b", mine, None).outcome == MOVED
    assert origin.tip("b") == theirs


def test_another_push_that_holds_the_branch_is_moved_not_refused(origin: Origin, clone: Repo) -> None:
    """The other may still fail: whoever asks again may win."""
    remote = remote_of(clone)
    lock = origin.path / "refs" / "heads" / "b.lock"
    lock.write_text("")
    assert remote.push("b", commit(remote, "1"), None).outcome == MOVED


def test_what_a_hook_of_the_server_says_is_told_without_its_tricks(origin: Origin, clone: Repo) -> None:
    origin.hook(r"""printf 'no \033[31mpushes\033[0m\a on ::error::Friday\n' >&2; exit 1""")
    remote = remote_of(clone)
    refused = remote.push("b", commit(remote, "1"), None)
    assert refused.outcome == REFUSED
    assert "pushes" in refused.reason
    assert "Friday" in refused.reason
    assert "pre-receive hook declined" in refused.reason
    assert refused.reason.isprintable()
    assert "rule or a hook" in refused.hint
    error = refused.error("the lock was not taken")
    assert str(error).startswith("the lock was not taken: origin refused the push")
    assert origin.tip("b") == ""


def test_a_rule_against_rewriting_does_not_stop_what_goes_forward(origin: Origin, clone: Repo) -> None:
    origin.bare.git("config", "receive.denyNonFastForwards", "true")
    origin.bare.git("config", "receive.denyDeletes", "true")
    remote = remote_of(clone)
    first = commit(remote, "1")
    assert remote.push("b", first, None).outcome == DONE
    assert remote.push("b", commit(remote, "other"), first).outcome == REFUSED
    assert remote.push("b", None, first).outcome == REFUSED
    assert remote.push("b", commit(remote, "2", first), first).outcome == DONE


def test_a_remote_that_is_gone_is_told_with_its_address(origin: Origin, clone: Repo) -> None:
    origin.path.rename(origin.folder / "elsewhere.git")
    remote = remote_of(clone)
    with pytest.raises(Incomplete, match="origin cannot be read") as told:
        remote.tip("main")
    assert str(origin.path) in told.value.hint
    with pytest.raises(Incomplete):
        remote.default_branch()
    gone = remote.push("b", commit(remote, "1"), None)
    assert gone.outcome == UNREACHABLE
    assert str(origin.path) in gone.hint


def test_a_clone_without_the_remote_says_how_to_add_it(clone: Repo) -> None:
    clone.git("remote", "rename", "origin", "upstream")
    with pytest.raises(UserError, match="no remote 'origin'") as told:
        remote_of(clone)
    assert "git remote add origin" in told.value.hint
    assert Remote.of(git_of(clone), "upstream").tip("main")


# ------------------------------------------------------------------ over ssh, with a program that stands for it


@pytest.fixture
def over_ssh(origin: Origin, clone: Repo, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Remote]:
    """Makes the clone reach its remote over ssh; the ssh program does what it is given, in shell."""

    def make(doing: str) -> Remote:
        program = origin.folder / "ssh"
        program.write_text(f"#!/bin/sh\nfor last; do :; done\n{doing}\n")
        program.chmod(0o755)
        monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
        clone.git("remote", "set-url", "origin", f"git@host.example:{origin.path}")
        return remote_of(clone, seconds=2)

    return make


def test_ssh_is_used_with_the_users_own_command(origin: Origin, over_ssh: Callable[[str], Remote]) -> None:
    remote = over_ssh('exec sh -c "$last"')
    assert remote.tip("main") == origin.first
    assert remote.push("b", commit(remote, "1"), None).outcome == DONE


def test_ssh_without_a_right_names_the_key(over_ssh: Callable[[str], Remote]) -> None:
    remote = over_ssh('echo "git@host.example: Permission denied (publickey)." >&2; exit 255')
    refused = remote.push("b", commit(remote, "1"), None)
    assert refused.outcome == REFUSED
    assert "key" in refused.hint


def _ends(state: Path) -> bool:
    """True once a process is gone; the kernel may take a moment to end one that was killed."""
    for _ in range(100):
        try:
            if state.read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_a_server_that_hangs_ends_in_an_error_and_leaves_no_process(
    origin: Origin, over_ssh: Callable[[str], Remote]
) -> None:
    pid = origin.folder / "pid"
    remote = over_ssh(f"echo $$ >> {pid}; exec sleep 300")
    start = time.monotonic()
    with pytest.raises(Incomplete, match="did not answer within 2 s"):
        remote.tip("main")
    with pytest.raises(Ambiguous, match="did not answer within 2 s"):
        remote.push("b", commit(remote, "1"), None)
    assert time.monotonic() - start < 20
    for number in pid.read_text().split():
        assert _ends(Path(f"/proc/{number}/stat"))


# ------------------------------------------------------------------ nothing that a configuration names is run


def test_no_program_of_the_configuration_is_run(origin: Origin, clone: Repo) -> None:
    mark = origin.folder / "ran"
    program = origin.folder / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {mark}\nexit 1\n')
    program.chmod(0o755)
    for name in ("pre-push", "reference-transaction", "post-index-change"):
        hook = clone.root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_bytes(program.read_bytes())
        hook.chmod(0o755)
    for name in (
        "core.fsmonitor",
        "core.sshCommand",
        "core.askPass",
        "core.editor",
        "credential.helper",
        "gpg.program",
        "remote.origin.receivepack",
        "remote.origin.uploadpack",
    ):
        clone.git("config", name, str(program))
    clone.git("config", "push.gpgSign", "true")
    clone.git("config", "commit.gpgSign", "true")
    remote = remote_of(clone)
    assert remote.tip("main") == origin.first
    tree = remote.objects.changed_tree(origin.first, {"a": b"1"})
    assert remote.push("b", remote.objects.commit(tree, (origin.first,), "m", NOW), None).outcome == DONE
    clone.git("remote", "set-url", "origin", "git@host.invalid:x.git")
    with pytest.raises(Incomplete):
        remote_of(clone, seconds=10).tip("main")
    assert not mark.exists(), mark.read_text()


@pytest.mark.parametrize("url", ["http://h.example/x.git", "git://h.example/x.git", "ext::sh -c x", "ftp://h/x"])
def test_other_protocols_are_refused_before_anything_is_asked(clone: Repo, url: str) -> None:
    clone.git("remote", "set-url", "origin", url)
    with pytest.raises(UserError, match="which is not used here"):
        remote_of(clone)


@pytest.mark.parametrize("url", ["git@h.example:o/r.git", "ssh://git@h.example/o/r", "file:///x", "/x", "../x"])
def test_these_addresses_are_taken_as_they_are_and_get_no_token(url: str) -> None:
    assert address(url, TOKEN, "https://h.example", "origin") == (url, "")


@pytest.mark.parametrize(
    ("url", "server", "gets_it"),
    [
        ("https://github.com/o/r.git", "https://github.com", True),
        ("https://GitHub.com/o/r", "https://github.com/", True),
        ("https://ghe.example:8443/o/r", "https://ghe.example:8443", True),
        ("https://github.com.evil.example/o/r", "https://github.com", False),
        ("https://github.com:8443/o/r", "https://github.com", False),
        ("https://evil.example/https://github.com/o/r", "https://github.com", False),
    ],
)
def test_the_token_is_for_its_own_server_alone(url: str, server: str, gets_it: bool) -> None:
    assert bool(address(url, TOKEN, server, "origin").authorization) == gets_it


def test_what_opens_the_remote_is_taken_out_of_its_address() -> None:
    kept = address("https://me:p%40ss@h.example/o/r.git", "", "https://github.com", "origin")
    assert kept == ("https://h.example/o/r.git", "Basic bWU6cEBzcw==")
    assert "ss" not in kept.url


def test_without_git_it_is_said(clone: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    remote = remote_of(clone)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(Incomplete, match="git cannot be run"):
        remote.tip("main")
