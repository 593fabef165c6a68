"""verify: the history is replayed, and what nobody answers for is listed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from tests.cli.scene import Folder, call

PATH = "incidents/INC-1/incident.yaml"
POLICY = 'extends: sev0-3\ncontacts:\n  "@alice": {channels: [chat]}\n'
ALICE = ("Alice Smith", "12345+alice@users.noreply.github.com")
MALLORY = ("Mallory", "mallory@example.com")


def commit(folder: Folder, who: tuple[str, str], *words: str, committer: tuple[str, str] | None = None) -> str:
    """Commits all there is as somebody -> the commit."""
    names = {"GIT_AUTHOR_NAME": who[0], "GIT_AUTHOR_EMAIL": who[1]}
    by = committer or who
    env = {**os.environ, **names, "GIT_COMMITTER_NAME": by[0], "GIT_COMMITTER_EMAIL": by[1]}
    git = ("git", "-C", str(folder.path))
    subprocess.run([*git, "add", "-A"], check=True)
    words = words or ("commit", "-q", "--no-gpg-sign", "-m", "records")
    subprocess.run([*git, *words], env=env, check=True, capture_output=True)
    return folder.git("rev-parse", "HEAD").strip()


@pytest.fixture
def known(folder: Folder) -> Folder:
    """INC-1 was declared by a known author."""
    folder.write("policy.yaml", POLICY)
    folder.put()
    commit(folder, ALICE)
    return folder


def unanswered(folder: Folder, *words: str) -> list[tuple[str, list[str]]]:
    done = call("verify", *words, "--format", "json", at=folder.path)
    rows = json.loads(done.out)["unanswered"]
    assert done.code == (1 if rows else 0), done
    return [(row["commit"], row["what"]) for row in rows]


def test_a_known_author_answers_for_it(known: Folder) -> None:
    assert call("verify", at=known.path) == (0, "1 commit looked at: all fine\n", "")


def test_a_contact_is_known_by_the_address_it_lists_for_git(known: Folder) -> None:
    known.write("policy.yaml", POLICY.replace("channels: [chat]", "channels: [chat], git: [mallory@example.com]"))
    known.put(severity="SEV3")
    commit(known, MALLORY)
    assert unanswered(known) == []


def test_a_stranger_s_push_is_listed_with_what_it_changed(known: Folder) -> None:
    known.put(severity="SEV3", times="{declared: 2025-01-26T13:05:00Z}")
    pushed = commit(known, MALLORY)
    assert unanswered(known) == [(pushed, ["severity SEV1 -> SEV3", "times"])]
    done = call("verify", at=known.path)
    assert done.out.splitlines()[0].startswith(f"{pushed[:12]} ")
    assert done.out.splitlines()[0].endswith("Mallory <mallory@example.com>")
    assert done.out.splitlines()[1:] == [
        f"  {PATH}: severity SEV1 -> SEV3, times", "2 commits looked at: 1 with nobody to answer for it"
    ]  # fmt: skip


def test_what_changes_no_time_level_or_state_is_not_asked_about(known: Folder) -> None:
    known.put(title="Login is slow")
    known.write("incidents/INC-1/incident.md", "text")
    commit(known, MALLORY)
    assert call("verify", at=known.path).out == "1 commit looked at: all fine\n"


def test_declaring_and_deleting_are_asked_about(known: Folder) -> None:
    known.put("INC-2")
    declared = commit(known, MALLORY)
    (known.path / "incidents/INC-2/incident.yaml").unlink()
    deleted = commit(known, MALLORY)
    assert unanswered(known) == [(deleted, ["deleted"]), (declared, ["declared"])]
    assert unanswered(known, "--since", declared) == [(deleted, ["deleted"])]


@pytest.mark.parametrize(
    ("committer", "is_answered"),
    [(("GitHub", "noreply@github.com"), True), (ALICE, True), (MALLORY, False)],
)
def test_a_merge_of_github_or_of_a_known_author_answers(
    known: Folder, committer: tuple[str, str], is_answered: bool
) -> None:
    known.git("checkout", "-q", "-b", "change")
    known.put(severity="SEV2")
    changed = commit(known, MALLORY)
    known.git("checkout", "-q", "main")
    known.write("README.md", "text")
    commit(known, MALLORY)
    author = ALICE if committer == ALICE else MALLORY
    commit(known, author, "merge", "-q", "--no-ff", "--no-gpg-sign", "-m", "Merge", "change", committer=committer)
    assert unanswered(known) == ([] if is_answered else [(changed, ["severity SEV1 -> SEV2"])])


def test_what_a_merge_itself_slips_in_is_listed(known: Folder) -> None:
    known.git("checkout", "-q", "-b", "change")
    known.put(title="Login is slow")
    commit(known, ALICE)
    known.git("checkout", "-q", "main")
    known.write("README.md", "text")
    commit(known, ALICE)
    known.git("merge", "-q", "--no-ff", "--no-commit", "change")
    known.put(title="Login is slow", state="closed")
    merge = commit(known, MALLORY)
    assert unanswered(known) == [(merge, ["state new -> closed"])]


def test_a_good_signature_of_a_trusted_key_answers(known: Folder) -> None:
    key = known.path.parent / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers = known.path.parent / "signers"
    signers.write_text(f"{MALLORY[1]} {key.with_suffix('.pub').read_text()}")
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(key))):
        known.git("config", name, value)
    known.put(severity="SEV2")
    signed = commit(known, MALLORY, "commit", "-q", "-S", "-m", "records")
    assert unanswered(known) == [(signed, ["severity SEV1 -> SEV2"])]  # a key that nobody trusts
    known.git("config", "gpg.ssh.allowedSignersFile", str(signers))
    assert unanswered(known) == []


def test_a_program_that_the_repository_names_is_not_run(known: Folder) -> None:
    ran = known.path.parent / "ran"
    known.git("config", "gpg.program", f"touch {ran}; false")
    known.git("config", "gpg.ssh.program", f"touch {ran}; false")
    known.put(severity="SEV2")
    commit(known, MALLORY)
    assert len(unanswered(known)) == 1
    assert not ran.exists()


def test_a_shallow_clone_cannot_tell(known: Folder) -> None:
    known.put(severity="SEV2")
    commit(known, ALICE)
    there = known.path.parent / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth", "1", known.path.as_uri(), str(there)], check=True)
    done = call("verify", at=there)
    assert (done.code, "shallow clone" in done.out) == (3, True), done


def test_bad_input(known: Folder, folder: Folder) -> None:
    call("verify", "--since", "nowhere", at=known.path).told_once(2, "does not exist here")
    shutil.rmtree(known.path / ".git")
    call("verify", at=known.path).told_once(2, "there is no git history here")
