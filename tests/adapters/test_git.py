"""The git adapter against the real program: what it tells and refuses; no repository can make it run anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_ops.adapters.git import Git
from incident_ops.domain.ports import Blob
from incident_ops.errors import Incomplete, UserError
from tests.support.repository import Repo

ODD_NAMES = (
    "with space",
    "héllo-日本",
    'it\'s "quoted"',
    "two\nlines",
    "tab\there",
    "-rf",
    "--all",
    "*",
    "[a-z]?",
    ":(top)x",
    "back\\slash",
    ":1",
)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo", settings=False)


def paths(blobs: object) -> list[str]:
    return sorted(blob.path for blob in blobs)  # type: ignore[attr-defined]


# ------------------------------------------------------------------ which repository


def test_a_folder_without_git_has_no_repository(tmp_path: Path) -> None:
    assert Git.around(tmp_path) is None


def test_without_a_git_program_there_is_no_repository(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing-here"))
    assert Git.around(repo.root) is None


def test_before_the_first_commit_there_is_no_head(repo: Repo) -> None:
    git = repo.around()
    assert git.head is None
    assert list(git.history("a")) == []


def test_head_folder_and_prefix_are_told(repo: Repo) -> None:
    repo.write("ops/records/a", "1")
    commit = repo.commit()
    top, below = repo.around(), Git.around(repo.root / "ops" / "records")
    assert below is not None
    assert (top.head, top.prefix, top.directory) == (commit, "", repo.root / ".git")
    assert (below.head, below.prefix, below.directory) == (commit, "ops/records/", repo.root / ".git")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_records_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    """Also one with a line break: git's answer is taken apart right."""
    repo = Repo(tmp_path / name, settings=False)
    repo.write(f"{name}/a", "1")
    commit = repo.commit()
    below = Git.around(repo.root / name)
    assert below is not None
    assert (below.head, below.directory, below.prefix) == (commit, repo.root / ".git", f"{name}/")
    assert paths(below.tree(commit)) == ["a"]


def test_a_linked_work_tree_has_its_own_state_and_head(repo: Repo, tmp_path: Path) -> None:
    repo.write("a", "1")
    first = repo.commit()
    repo.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    repo.write("a", "2")
    repo.commit()
    side = Git.around(tmp_path / "side")
    assert side is not None
    assert side.head == first
    assert side.directory == repo.root / ".git" / "worktrees" / "side"


def test_a_repository_that_git_cannot_open_is_no_folder_without_git(repo: Repo) -> None:
    """A broken configuration must not look like "there is no git here"."""
    repo.write(".git/config", "[core\n")
    with pytest.raises(Incomplete, match="git"):
        Git.around(repo.root)


def test_a_repository_of_another_user_is_refused_with_gits_own_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy names the repository, which may lie above the records."""
    told = f"fatal: detected dubious ownership in repository at '{tmp_path}'\\n"
    told += (
        f"To add an exception for this directory, call:\\n\\n\\tgit config --global --add safe.directory {tmp_path}\\n"
    )
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "{told}" >&2\nexit 128\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    (tmp_path / "records").mkdir()
    with pytest.raises(UserError) as refused:
        Git.around(tmp_path / "records")
    assert "another user" in refused.value.message
    assert refused.value.hint == f"git config --global --add safe.directory {tmp_path}"


def test_variables_of_a_calling_git_do_not_lead_astray(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside a hook git sets GIT_DIR and GIT_INDEX_FILE; the records' own repository counts."""
    repo.write("a", "1")
    commit = repo.commit()
    other = Repo(tmp_path / "other", settings=False)
    other.commit()
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    git = repo.around()
    assert git.head == commit
    assert git.edited(commit, ("a",))() == []


# ------------------------------------------------------------------ revisions


def test_a_revision_is_resolved_by_branch_tag_and_short_id(repo: Repo) -> None:
    commit = repo.commit()
    repo.git("tag", "--annotate", "--message", "x", "v1")
    git = repo.around()
    assert {git.resolve(name) for name in ("main", "v1", "HEAD", commit[:8], commit)} == {commit}


@pytest.mark.parametrize(
    "name",
    ["nowhere", "", " ", "--all", "-h", "^HEAD", "HEAD..HEAD", "HEAD~9", "HEAD^{tree}", "f" * 40, "a b", "HEAD:a"],
)
def test_what_names_no_commit_is_the_persons_mistake(repo: Repo, name: str) -> None:
    repo.write("a", "1")
    repo.commit()
    with pytest.raises(UserError, match="does not exist") as refused:
        repo.around().resolve(name)
    assert "git log" in refused.value.hint


def test_in_a_shallow_clone_the_hint_is_to_fetch_more(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit()
    repo.commit()
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.root}", str(tmp_path / "shallow"))
    git = Git.around(tmp_path / "shallow")
    assert git is not None
    assert not git.knows(first)
    with pytest.raises(UserError) as refused:
        git.resolve(first)
    assert "fetch-depth: 0" in refused.value.hint


def test_known_commits_are_known_and_others_are_not(repo: Repo) -> None:
    repo.write("a", "1")
    commit = repo.commit()
    git = repo.around()
    [blob] = git.tree(commit)
    assert git.knows(commit)
    assert not git.knows("0" * 40)
    assert not git.knows(blob.id)


# ------------------------------------------------------------------ what is in a commit


def test_a_tree_tells_path_blob_and_whether_it_is_a_plain_file(repo: Repo) -> None:
    repo.write("incidents/a/incident.yaml", "text")
    repo.write("incidents/a/run.sh", "x").chmod(0o755)
    (repo.root / "incidents" / "link").symlink_to("a")
    repo.write("elsewhere/b", "x")
    commit = repo.commit()
    git = repo.around()
    blobs = {blob.path: blob for blob in git.tree(commit, ("incidents",))}
    assert {path: blob.regular for path, blob in blobs.items()} == {
        "incidents/a/incident.yaml": True,
        "incidents/a/run.sh": True,
        "incidents/link": False,
    }
    assert blobs["incidents/a/incident.yaml"].id == repo.git("rev-parse", "HEAD:incidents/a/incident.yaml")
    assert "elsewhere/b" in paths(git.tree(commit))
    assert list(git.tree(commit, ("nowhere",))) == []


def test_a_subfolder_sees_only_itself(repo: Repo) -> None:
    repo.write("ops/incidents/a", "1")
    repo.write("incidents/b", "1")
    first = repo.commit()
    repo.write("ops/incidents/c", "1")
    repo.write("incidents/d", "1")
    second = repo.commit()
    repo.write("ops/incidents/a", "changed")
    repo.write("incidents/b", "changed")
    git = Git.around(repo.root / "ops")
    assert git is not None
    assert paths(git.tree(second)) == ["incidents/a", "incidents/c"]
    assert paths(git.tree(second, ("incidents",))) == ["incidents/a", "incidents/c"]
    assert paths(git.changed(first, second, ("incidents",))) == ["incidents/c"]
    assert git.edited(second, ("incidents",))() == ["incidents/a"]
    assert git.read_path(second, "incidents/c") == b"1"
    assert git.read_path(second, "incidents/d") is None
    assert list(git.history("incidents/c")) == [second]


def test_changes_between_commits_are_told_with_deletions_links_and_kinds(repo: Repo) -> None:
    for name in ("kept", "edited", "gone", "to-link", "moved-from"):
        repo.write(f"incidents/{name}", f"content of {name}")
    first = repo.commit()
    repo.write("incidents/edited", "new")
    (repo.root / "incidents/gone").unlink()
    (repo.root / "incidents/to-link").unlink()
    (repo.root / "incidents/to-link").symlink_to("kept")
    (repo.root / "incidents/moved-from").rename(repo.root / "incidents/moved-to")
    second = repo.commit()
    git = repo.around()
    told = {blob.path: blob for blob in git.changed(first, second, ("incidents",))}
    assert {path: (bool(blob.id), blob.regular) for path, blob in told.items()} == {
        "incidents/edited": (True, True),
        "incidents/gone": (False, False),
        "incidents/to-link": (True, False),
        "incidents/moved-from": (False, False),
        "incidents/moved-to": (True, True),
    }
    assert told["incidents/edited"].id == repo.git("rev-parse", "HEAD:incidents/edited")
    assert list(git.changed(second, second, ("incidents",))) == []


def test_edits_of_the_work_tree_are_told_whether_staged_or_not(repo: Repo) -> None:
    for name in ("kept", "edited", "staged", "gone", "unlisted", "to-link"):
        repo.write(f"incidents/{name}", name)
    commit = repo.commit()
    repo.write("incidents/edited", "new")
    repo.write("incidents/staged", "new")
    repo.write("incidents/added", "new")
    repo.write("incidents/untracked", "new")
    repo.git("add", "incidents/staged", "incidents/added")
    (repo.root / "incidents/gone").unlink()
    repo.git("rm", "--quiet", "--cached", "incidents/unlisted")
    (repo.root / "incidents/to-link").unlink()
    (repo.root / "incidents/to-link").symlink_to("kept")
    told = repo.around().edited(commit, ("incidents",))()
    assert sorted(told) == [
        f"incidents/{name}" for name in ("added", "edited", "gone", "staged", "to-link", "unlisted")
    ]


def test_a_conflict_is_an_edit(repo: Repo) -> None:
    repo.write("a", "1\n")
    repo.commit()
    repo.git("switch", "--quiet", "-c", "side")
    repo.write("a", "2\n")
    repo.commit()
    repo.git("switch", "--quiet", "main")
    repo.write("a", "3\n")
    commit = repo.commit()
    with pytest.raises(AssertionError, match="merge"):
        repo.git("merge", "--quiet", "side")
    assert set(repo.around().edited(commit, ("a",))()) == {"a"}


def test_comparing_with_a_commit_that_is_not_there_is_no_empty_answer(repo: Repo) -> None:
    repo.commit()
    git = repo.around()
    with pytest.raises(Incomplete):
        git.edited("0" * 40, ("incidents",))()
    with pytest.raises(Incomplete):
        list(git.tree("0" * 40))
    with pytest.raises(Incomplete):
        list(git.changed("0" * 40, "1" * 40, ("incidents",)))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_every_path_is_taken_literally(repo: Repo, name: str) -> None:
    """No character of a path is an option, a pattern or a quote."""
    path = f"incidents/{name}/incident.yaml"
    repo.write("incidents/other/incident.yaml", "other")
    repo.write(path, "first")
    first = repo.commit()
    repo.write(path, "second")
    second = repo.commit()
    git = repo.around()
    assert path in paths(git.tree(first))
    assert paths(git.tree(first, (f"incidents/{name}",))) == [path]
    assert paths(git.changed(first, second, (f"incidents/{name}",))) == [path]
    assert git.read_path(first, path) == b"first"
    assert list(git.history(path)) == [second, first]
    repo.write(path, "third")
    repo.write("incidents/other/incident.yaml", "edited")
    assert git.edited(second, (f"incidents/{name}",))() == [path]


def test_settings_that_shorten_or_reorder_answers_change_nothing(repo: Repo) -> None:
    repo.write("incidents/a", "1")
    first = repo.commit()
    repo.write("incidents/a", "2")
    second = repo.commit()
    before = list(repo.around().changed(first, second, ("incidents",)))
    for setting in ("core.abbrev=7", "core.quotePath=true", "diff.renames=copies", "diff.noprefix=true",
                    "color.ui=always", "log.decorate=full", "log.date=relative"):  # fmt: skip
        repo.git("config", *setting.split("=", 1))
    git = repo.around()
    assert list(git.changed(first, second, ("incidents",))) == before
    assert list(git.history("incidents/a")) == [second, first]
    assert [blob.id for blob in git.tree(second)] == [blob.id for blob in before]


# ------------------------------------------------------------------ content


def test_many_blobs_come_in_order_and_whole(repo: Repo) -> None:
    """More than a pipe holds, both ways, with empty, binary and large content among them."""
    content = [f"file {index}\n".encode() * (index % 50) for index in range(3000)]
    content += [b"", b"\0\xff\n\n", b"x" * 300_000, b"no line break at the end"]
    for index, body in enumerate(content):
        repo.write(f"f/{index:05d}", body)
    commit = repo.commit()
    git = repo.around()
    blobs = sorted(git.tree(commit), key=lambda blob: blob.path)
    assert list(git.read(blob.id for blob in blobs)) == content


def test_reading_nothing_gives_nothing(repo: Repo) -> None:
    repo.commit()
    assert list(repo.around().read([])) == []


def test_a_reader_that_stops_early_leaves_no_process_behind(repo: Repo) -> None:
    repo.write("a", "x" * 100_000)
    commit = repo.commit()
    git = repo.around()
    [blob] = git.tree(commit)
    reading = git.read([blob.id] * 500)
    assert next(reading) == b"x" * 100_000
    reading.close()  # type: ignore[attr-defined]
    assert list(git.read([blob.id])) == [b"x" * 100_000]


def _lose(repo: Repo, blob: Blob) -> None:
    (repo.root / ".git" / "objects" / blob.id[:2] / blob.id[2:]).unlink()


def test_a_missing_blob_is_no_empty_file(repo: Repo) -> None:
    repo.write("a", "1")
    repo.write("b", "2")
    commit = repo.commit()
    git = repo.around()
    first, second = git.tree(commit)
    _lose(repo, second)
    with pytest.raises(Incomplete, match=second.id) as told:
        list(git.read([first.id, second.id, first.id]))
    assert told.value.hint == "check the repository with `git fsck`"  # it is not a shallow clone


def test_a_path_whose_content_is_lost_is_not_a_path_that_is_not_there(repo: Repo) -> None:
    repo.write("a", "1")
    commit = repo.commit()
    git = repo.around()
    assert git.read_path(commit, "a") == b"1"
    assert git.read_path(commit, "b") is None
    [blob] = git.tree(commit)
    _lose(repo, blob)
    with pytest.raises(Incomplete):
        git.read_path(commit, "a")


def test_a_folder_has_no_content(repo: Repo) -> None:
    repo.write("a/b", "1")
    assert repo.around().read_path(repo.commit(), "a") is None


def test_replaced_objects_do_not_change_what_an_id_means(repo: Repo) -> None:
    """`git replace` gives a blob id another content; what was kept under the id would then be wrong."""
    repo.write("a", "told")
    repo.write("b", "planted")
    commit = repo.commit()
    git = repo.around()
    told, planted = git.tree(commit)
    repo.git("replace", told.id, planted.id)
    assert list(git.read([told.id])) == [b"told"]
    assert git.read_path(commit, "a") == b"told"


def test_history_is_newest_first_and_only_of_the_path(repo: Repo) -> None:
    commits = []
    for text in ("1", "2", "3"):
        repo.write("incidents/a", text)
        commits.append(repo.commit())
        repo.write("incidents/b", text)
        repo.commit()
    (repo.root / "incidents/a").unlink()
    commits.append(repo.commit())
    assert list(repo.around().history("incidents/a")) == commits[::-1]
    assert list(repo.around().history("nowhere")) == []


# ------------------------------------------------------------------ a hostile repository


def _hooks(repo: Repo, program: Path) -> None:
    for name in ("post-index-change", "post-checkout", "reference-transaction", "pre-auto-gc"):
        shutil.copy(program, repo.root / ".git" / "hooks" / name)
    repo.git("config", "core.hooksPath", str(repo.root / ".git" / "hooks"))


def _filters(repo: Repo, program: Path) -> None:
    repo.write(".git/info/attributes", "* filter=evil diff=evil merge=evil\n")
    for key in ("clean", "smudge", "process"):
        repo.git("config", f"filter.evil.{key}", str(program))


def _dotted_filter(repo: Repo, program: Path) -> None:
    repo.write(".git/info/attributes", "* filter=e.v=il\n")
    repo.git("config", "filter.e.v=il.clean", str(program))


def _text_converters(repo: Repo, program: Path) -> None:
    repo.write(".git/info/attributes", "* diff=evil\n")
    for key in ("diff.external", "diff.evil.textconv", "diff.evil.command", "core.pager", "pager.log", "core.editor"):
        repo.git("config", key, str(program))


def _included(repo: Repo, program: Path) -> None:
    repo.write(".git/more", f"[core]\n\tfsmonitor = {program}\n[diff]\n\texternal = {program}\n")
    repo.git("config", f"includeIf.gitdir:{repo.root}/.path", "more")
    repo.git("config", "include.path", "more")


def _signatures(repo: Repo, program: Path) -> None:
    commit = repo.git("cat-file", "commit", "HEAD")
    head, _, body = commit.partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    signed = repo.git("hash-object", "-t", "commit", "-w", "--stdin", text=f"{head}\n{signature}\n\n{body}\n")
    repo.git("update-ref", "HEAD", signed)
    repo.git("config", "log.showSignature", "true")
    repo.git("config", "gpg.program", str(program))


def _promised(repo: Repo, program: Path) -> None:
    """A missing object of a partial clone is fetched, and the address of the remote may be a command."""
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": f"ext::{program}",
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": str(program),
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "core.sshCommand": str(program),
    }.items():
        repo.git("config", key, value)


def _monitor(repo: Repo, program: Path) -> None:
    repo.git("config", "core.fsmonitor", str(program))


@pytest.mark.parametrize(
    "plant", [_hooks, _filters, _dotted_filter, _text_converters, _included, _signatures, _promised, _monitor]
)
def test_no_configuration_of_a_repository_makes_it_run_anything(
    repo: Repo, tmp_path: Path, plant: Callable[[Repo, Path], None]
) -> None:
    """What a cloned repository or a shared checkout brings along is data; every question is asked, nothing runs."""
    witness, program = tmp_path / "it-ran", tmp_path / "evil"
    program.write_text(f"#!/bin/sh\necho ran >> {witness}\nexit 1\n")
    program.chmod(0o755)
    for name in ("a", "b", "c"):
        repo.write(f"incidents/{name}", "1111")
    first = repo.commit()
    repo.write("incidents/a", "2222")
    repo.commit()
    plant(repo, program)
    # same size, same moment as the index: git has to look inside the file to tell whether it changed
    repo.write("incidents/b", "3333")
    moment = (repo.root / ".git" / "index").stat().st_mtime_ns
    os.utime(repo.root / "incidents/b", ns=(moment, moment))
    git = repo.around()
    assert git.head is not None
    assert git.resolve("main") == git.head
    assert set(git.edited(git.head, ("incidents",))()) <= {"incidents/a", "incidents/b", "incidents/c"}
    assert paths(git.changed(first, git.head, ("incidents",))) == ["incidents/a"]
    assert len(list(git.read(blob.id for blob in git.tree(git.head)))) == 3
    assert git.read_path(first, "incidents/a") == b"1111"
    assert list(git.history("incidents/a"))
    assert not git.knows("f" * 40)
    with pytest.raises(Incomplete):
        list(git.read(["f" * 40]))
    assert not witness.exists(), "a program named by the repository was run"


def test_reading_writes_nothing_into_the_repository(repo: Repo) -> None:
    """Not even a refreshed index: two runs at once and a read-only checkout must both work."""
    repo.write("incidents/a", "1")
    commit = repo.commit()
    os.utime(repo.root / "incidents/a", (1, 1))
    before = (repo.root / ".git" / "index").read_bytes()
    git = repo.around()
    assert git.edited(commit, ("incidents",))() in ([], ["incidents/a"])
    assert list(git.tree(commit))
    assert (repo.root / ".git" / "index").read_bytes() == before
    assert not (repo.root / ".git" / "index.lock").exists()
