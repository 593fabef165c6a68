"""Finding and loading records, of a work tree or any revision; keeping a catalogue never changes a result."""

from __future__ import annotations

import errno
import os
import random
import sqlite3
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from incident_ops import resources
from incident_ops.adapters.cache import Cache
from incident_ops.adapters.git import Git
from incident_ops.domain.record import Unread
from incident_ops.errors import Incomplete
from incident_ops.records import index as index_module
from incident_ops.records.history import every_record, last_readable, read_record
from incident_ops.records.index import IndexEntry, RecordIndex, to_record
from incident_ops.records.store import Store, is_record, load_index, other_folder
from incident_ops.validation import record_checker
from tests.support.repository import NOW, SERVICES, Repo, record_text, seen


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


@pytest.fixture
def keep(repo: Repo, tmp_path: Path) -> Cache:
    return Cache(repo.root / ".git" / "incident-ops" / "catalogue", tmp_path / "cache.key")


def filled(repo: Repo) -> str:
    """Records of every kind of fate, committed -> the commit."""
    repo.put("INC-1")
    repo.put("INC-2", related=["INC-1", "INC-77"])
    repo.put("INC-3", state="closed", outcome="withdrawn")
    repo.put("INC-4", severity="SEV9")
    repo.put("INC-5", id="INC-1")
    repo.write("incidents/INC-6/incident.yaml", "id: [")
    repo.write("incidents/INC-7/incident.yml", record_text(id="INC-7"))
    repo.write("incidents/INC-8.yaml", record_text(id="INC-8"))
    repo.write("incidents/README.md", "text")
    repo.write("incidents/INC-1/notes.md", "text")
    return repo.commit()


# ------------------------------------------------------------------ what is a record


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("incidents/INC-1/incident.yaml", True),
        ("incidents/INC-1/incident.yml", True),
        ("incidents/INC-1/Incident.YAML", True),
        ("incidents/INC-1.yaml", True),
        ("incidents/x.yml", True),
        ("incidents/INC-1/notes.yaml", False),
        ("incidents/2025/INC-1/incident.yaml", True),
        ("incidents/README.md", False),
        ("incident.yaml", False),
        ("incidents", False),
        ("other/INC-1/incident.yaml", False),
    ],
)
def test_a_record_is_known_by_its_path(path: str, expected: bool) -> None:
    assert is_record(path) is expected


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("maintenance/CHG-1.yaml", "maintenance"),
        ("freezes/x.yml", "freezes"),
        ("gates/x.YAML", "gates"),
        ("problems/a/b.yaml", ""),
        ("runbooks/x.yaml", ""),
        ("maintenance/readme.md", ""),
        ("maintenance", ""),
    ],
)
def test_other_records_are_known_by_their_folder(path: str, folder: str) -> None:
    assert other_folder(path) == folder


# ------------------------------------------------------------------ one repository, seen in several ways


def test_a_clean_work_tree_its_commit_and_a_folder_without_git_are_the_same(repo: Repo) -> None:
    commit = filled(repo)
    told = seen(repo.catalogue())
    assert len(told["paths"]) == 8
    assert seen(repo.catalogue(commit)) == told
    assert repo.report(commit) == repo.report()
    (repo.root / ".git").rename(repo.root.parent / "away")
    assert seen(repo.catalogue()) == told


def test_before_the_first_commit_the_work_tree_counts(repo: Repo) -> None:
    path = repo.put("INC-1")
    assert seen(repo.catalogue())["paths"] == [path]
    repo.git("add", "--all")
    assert seen(repo.catalogue())["paths"] == [path]


def test_records_may_lie_in_a_subfolder_of_the_repository(tmp_path: Path) -> None:
    outer = Repo(tmp_path / "outer", settings=False)
    inner = Repo(outer.root / "ops" / "records", git=False)
    filled_in = [inner.put("INC-1"), inner.put("INC-2")]
    outer.write("incidents/INC-99/incident.yaml", "broken: [")
    commit = outer.commit()
    assert seen(inner.catalogue())["paths"] == filled_in
    assert seen(inner.catalogue(commit)) == seen(inner.catalogue())
    inner.put("INC-2", title="Edited")
    inner.put("INC-3")
    assert [one.incident.title for one in inner.catalogue().live()] == ["Login fails", "Edited", "Login fails"]


def test_an_older_revision_is_read_without_checking_it_out(repo: Repo) -> None:
    repo.put("INC-1", title="Then")
    then = repo.commit()
    repo.put("INC-1", title="Now")
    repo.put("INC-2")
    repo.commit()
    [told] = repo.catalogue(then).live()
    assert told.incident.title == "Then"
    assert "Now" in (repo.root / "incidents/INC-1/incident.yaml").read_text()


# ------------------------------------------------------------------ the work tree as it is


def _edit(repo: Repo) -> None:
    repo.put("INC-1", title="Edited")


def _stage(repo: Repo) -> None:
    repo.put("INC-1", title="Edited")
    repo.git("add", "--all")


def _stage_then_edit(repo: Repo) -> None:
    _stage(repo)
    repo.put("INC-1", title="Edited again")


def _unstage_removed(repo: Repo) -> None:
    repo.git("rm", "--quiet", "--cached", "incidents/INC-1/incident.yaml")


def _delete(repo: Repo) -> None:
    (repo.root / "incidents/INC-2/incident.yaml").unlink()


def _delete_folder(repo: Repo) -> None:
    repo.git("rm", "--quiet", "-r", "incidents/INC-2")


def _new_folder(repo: Repo) -> None:
    repo.put("INC-20")


def _new_folder_ignored(repo: Repo) -> None:
    repo.write(".gitignore", "incidents/\n")
    repo.put("INC-20")


def _new_file_beside_others(repo: Repo) -> None:
    repo.put("INC-30")


def _new_file_staged(repo: Repo) -> None:
    repo.put("INC-20")
    repo.git("add", "--all")


def _new_file_meant(repo: Repo) -> None:
    repo.git("add", "--intent-to-add", repo.put("INC-20"))


def _new_misnamed(repo: Repo) -> None:
    repo.write("incidents/INC-20/incident.yml", record_text(id="INC-20"))
    repo.write("incidents/INC-21.yaml", record_text(id="INC-21"))


def _mended_name(repo: Repo) -> None:
    (repo.root / "incidents/INC-7/incident.yml").rename(repo.root / "incidents/INC-7/incident.yaml")


def _both_names(repo: Repo) -> None:
    repo.put("INC-7")


def _moved(repo: Repo) -> None:
    (repo.root / "incidents/INC-2").rename(repo.root / "incidents/INC-22")


def _linked_file(repo: Repo) -> None:
    target = repo.root / "incidents/INC-1/incident.yaml"
    target.rename(repo.root / "elsewhere.yaml")
    target.symlink_to("../../elsewhere.yaml")


def _linked_new_file(repo: Repo) -> None:
    (repo.root / "incidents/INC-20").mkdir()
    (repo.root / "incidents/INC-20/incident.yaml").symlink_to("../INC-1/incident.yaml")


def _linked_folder(repo: Repo) -> None:
    (repo.root / "incidents/INC-1").rename(repo.root / "elsewhere")
    (repo.root / "incidents/INC-1").symlink_to("../elsewhere")


def _linked_new_folder(repo: Repo) -> None:
    repo.write("elsewhere/incident.yaml", record_text(id="INC-20"))
    (repo.root / "incidents/INC-20").symlink_to("../elsewhere")


def _linked_everything(repo: Repo) -> None:
    (repo.root / "incidents").rename(repo.root / "elsewhere")
    (repo.root / "incidents").symlink_to("elsewhere")


def _folder_for_a_file(repo: Repo) -> None:
    (repo.root / "incidents/INC-1/incident.yaml").unlink()
    repo.write("incidents/INC-1/incident.yaml/inside", "x")


def _file_for_a_folder(repo: Repo) -> None:
    _delete(repo)
    (repo.root / "incidents/INC-2").rmdir()
    repo.write("incidents/INC-2", "x")


def _not_utf8(repo: Repo) -> None:
    repo.write(f"incidents/{os.fsdecode(bytes([255]))}/incident.yaml", record_text(id="INC-20"))


def _readme(repo: Repo) -> None:
    repo.write("incidents/README.md", "edited")


def _link_to_file(repo: Repo) -> None:
    """A tracked link becomes a plain file."""
    (repo.root / "incidents/link").unlink()
    repo.write("incidents/link", "x")


def _link_to_folder(repo: Repo) -> None:
    (repo.root / "incidents/link").unlink()
    repo.write("incidents/link/incident.yaml", record_text(id="INC-60"))


def _touched(repo: Repo) -> None:
    os.utime(repo.root / "incidents/INC-1/incident.yaml", (1, 1))


CHANGES: list[Callable[[Repo], None]] = [
    _edit, _stage, _stage_then_edit, _unstage_removed, _delete, _delete_folder, _new_folder, _new_folder_ignored,
    _new_file_beside_others, _new_file_staged, _new_file_meant, _new_misnamed, _mended_name, _both_names, _moved,
    _linked_file, _linked_new_file, _linked_folder, _linked_new_folder, _linked_everything, _folder_for_a_file,
    _file_for_a_folder, _not_utf8, _touched, _readme, _link_to_file, _link_to_folder,
]  # fmt: skip


def begun_early(repo: Repo, keep: Cache) -> RecordIndex:
    """The catalogue of a run that lets git compare the work tree beside other work."""
    store, setting = repo.store(), repo.setting()
    store.compare_early()
    return load_index(store, record_checker(setting, NOW), setting.fingerprint, keep)


def test_a_comparison_that_began_early_is_used_once(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """One load takes it and asks git for no other; the next one sees what was written since."""
    asked: list[str] = []
    edited = Git.edited
    monkeypatch.setattr(
        Git, "edited", lambda git, commit, folders: asked.append(commit) or edited(git, commit, folders)
    )
    commit, store, setting = filled(repo), repo.store(), repo.setting()
    store.compare_early()
    store.compare_early()
    told = [seen(load_index(store, record_checker(setting, NOW), setting.fingerprint))]
    assert asked == [commit]
    repo.put("INC-1", title="Written since")
    told.append(seen(load_index(store, record_checker(setting, NOW), setting.fingerprint)))
    assert asked == [commit] * 2
    assert [each["live"][0].incident.title for each in told] == ["Login fails", "Written since"]
    at_commit = Store(repo.root, repo.around(), commit)
    at_commit.compare_early()
    assert asked == [commit] * 2, "of a revision nothing is compared"


def test_a_record_is_made_once(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a command asks for what is live; one that is replaced or left out is not kept."""
    made: list[str] = []
    monkeypatch.setattr(index_module, "to_record", lambda path, data: made.append(path) or to_record(path, data))
    paths = [repo.put(f"INC-{number}") for number in (1, 2, 3)]
    repo.commit()
    catalogue = repo.catalogue()
    live = list(catalogue.live())
    assert [record for _, _, record in catalogue.entries()] == live
    assert [record for _, _, record in catalogue.entries(paths[:2])] == live[:2]
    assert made == paths
    repo.put("INC-2", title="Replaced")
    other = list(repo.catalogue().live())[1]
    catalogue.put(IndexEntry(paths[1], "", "INC-2", 1, 0, [], other.data, []))
    assert [one.incident.title for one in catalogue.live()] == ["Login fails", "Replaced", "Login fails"]
    assert catalogue.leave_out(Unread(paths[1], "why"))
    catalogue.drop(paths[2])
    assert [one.path for one in catalogue.live()] == paths[:1]


@pytest.mark.parametrize("change", CHANGES)
def test_an_edited_work_tree_is_seen_as_it_is(repo: Repo, keep: Cache, change: Callable[[Repo], None]) -> None:
    """Whatever was edited: the same as without git and, once committed, the same as that commit; cached or not."""
    filled(repo)
    repo.write("incidents/INC-30/notes.md", "tracked, without a record")
    (repo.root / "incidents/link").symlink_to("INC-1")
    repo.commit()
    repo.catalogue(keep=keep)
    change(repo)
    told, cached = seen(repo.catalogue()), seen(repo.catalogue(keep=keep))
    assert cached == told
    assert seen(begun_early(repo, keep)) == told
    (repo.root / ".git").rename(repo.root.parent / "away")
    without_git = seen(repo.catalogue())
    (repo.root.parent / "away").rename(repo.root / ".git")
    if change not in (_linked_folder, _linked_everything):  # git still names the files that lie behind the link
        assert without_git == told
    commit = repo.commit()
    assert seen(repo.catalogue(commit)) == without_git
    assert seen(repo.catalogue()) == without_git
    assert seen(repo.catalogue(keep=keep)) == without_git


@pytest.mark.parametrize(
    "change", [_linked_file, _linked_new_file, _linked_folder, _linked_new_folder, _linked_everything]
)
def test_a_link_is_refused_not_followed(repo: Repo, change: Callable[[Repo], None]) -> None:
    """A link may lead to a file outside the review; it is told, and nothing behind it is read."""
    repo.put("INC-1")
    repo.commit()
    before = len(list(repo.catalogue().live()))
    change(repo)
    for _ in range(2):
        told = [one for one in repo.catalogue().findings() if "not a regular file" in one.message]
        assert told
        assert all(one.rule == "file" and "links are not followed" in one.hint for one in told)
        assert len(list(repo.catalogue().live())) <= before
        assert "INC-20" not in [one.incident.id for one in repo.catalogue().live()]
        repo.commit()


def test_a_misnamed_record_is_told_with_its_right_name(repo: Repo) -> None:
    repo.write("incidents/INC-7/incident.yml", record_text(id="INC-7"))
    repo.write("incidents/INC-8.yaml", record_text(id="INC-8"))
    told = {one.where.file: one for one in repo.catalogue().findings()}
    assert "incidents/INC-7/incident.yaml" in told["incidents/INC-7/incident.yml"].hint
    assert "incidents/INC-8/incident.yaml" in told["incidents/INC-8.yaml"].hint
    assert len(repo.catalogue().unreadable()) == 2


def test_a_pipe_is_refused_without_waiting_for_it(repo: Repo) -> None:
    (repo.root / "incidents/INC-1").mkdir(parents=True)
    os.mkfifo(repo.root / "incidents/INC-1/incident.yaml")
    [told] = repo.catalogue().findings()
    assert "not a regular file" in told.message


def test_a_submodule_is_not_entered(repo: Repo, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other", settings=False)
    other.write("incident.yaml", record_text(id="INC-9"))
    other.commit()
    repo.put("INC-1")
    repo.commit()
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "incidents/INC-9")
    commit = repo.commit()
    assert [one.incident.id for one in repo.catalogue().live()] == ["INC-1"]
    assert [one.where.file for one in repo.catalogue().findings()] == ["incidents/INC-9"]
    assert seen(repo.catalogue()) == seen(repo.catalogue(commit))


def test_an_unreadable_file_hides_no_other(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.put("INC-1")
    repo.put("INC-2")
    opened = os.open

    def refusing(path: Any, *more: Any, **named: Any) -> int:
        if str(path).endswith("INC-1/incident.yaml"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *more, **named)

    monkeypatch.setattr(os, "open", refusing)
    catalogue = repo.catalogue()
    [told] = catalogue.findings()
    assert (told.where.file, told.message) == ("incidents/INC-1/incident.yaml", "cannot be read: Permission denied")
    assert [one.incident.id for one in catalogue.live()] == ["INC-2"]
    assert list(catalogue.ids()) == ["INC-1", "INC-2"]


def test_an_error_of_the_disk_while_reading_is_told(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    path = repo.put("INC-1")
    setting, store = repo.setting(), repo.store()

    def failing(_handle: int, _size: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "read", failing)
        [told] = load_index(store, record_checker(setting, NOW), "", None).findings()
    assert (told.where.file, told.message) == (path, "cannot be read: Input/output error")


def test_an_unreadable_folder_hides_no_other(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.put("INC-1")
    repo.put("INC-2")
    listed, opened = os.listdir, os.open

    def refusing(path: Any) -> Any:
        if str(path).endswith("INC-1"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return listed(path)

    def refusing_file(path: Any, *more: Any, **named: Any) -> int:
        if "INC-1/" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *more, **named)

    monkeypatch.setattr(os, "listdir", refusing)
    monkeypatch.setattr(os, "open", refusing_file)
    catalogue = repo.catalogue()
    assert [one.where.file for one in catalogue.findings()] == ["incidents/INC-1/incident.yaml"]
    assert [one.incident.id for one in catalogue.live()] == ["INC-2"]


def test_all_records_behind_a_locked_folder_are_no_empty_repository(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.put("INC-1")
    listed = os.listdir

    def refusing(path: Any) -> Any:
        if "incidents" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "listdir", refusing)
    with pytest.raises(Incomplete, match="cannot be listed"):
        repo.catalogue()


@pytest.mark.parametrize("lost", ["blob", "tree"])
def test_a_commit_with_lost_objects_is_no_smaller_repository(repo: Repo, lost: str) -> None:
    repo.put("INC-1")
    repo.commit()
    name = repo.git("rev-parse", "HEAD:incidents/INC-1/incident.yaml" if lost == "blob" else "HEAD:incidents")
    (repo.root / ".git/objects" / name[:2] / name[2:]).unlink()
    with pytest.raises(Incomplete):
        repo.catalogue("HEAD")
    with pytest.raises(Incomplete):
        repo.catalogue()


# ------------------------------------------------------------------ single files


def test_a_file_is_read_the_same_from_work_tree_and_commit(repo: Repo) -> None:
    repo.write("x.yaml", "text")
    repo.write("folder/y", "text")
    (repo.root / "link.yaml").symlink_to("x.yaml")
    (repo.root / "linked").symlink_to("folder")
    commit = repo.commit()
    at_commit, here = repo.store(commit), repo.store()
    for path in ("x.yaml", "folder/y", "folder", "nowhere", "link.yaml", "x.yaml/below"):
        assert at_commit.read(path) == here.read(path), path
    assert here.read("x.yaml") == b"text"
    assert not isinstance(here.read("link.yaml"), bytes)
    assert not isinstance(here.read("linked/y"), bytes)


def test_other_records_are_listed_the_same_from_work_tree_and_commit(repo: Repo) -> None:
    for path in ("maintenance/b.yaml", "maintenance/a.yml", "problems/x.yaml", "gates/sub/x.yaml", "freezes/notes.md"):
        repo.write(path, "x")
    commit = repo.commit()
    expected = [
        ("maintenance/a.yml", "maintenance"),
        ("maintenance/b.yaml", "maintenance"),
        ("problems/x.yaml", "problem"),
    ]
    assert sorted(repo.store().others()) == expected
    assert sorted(repo.store(commit).others()) == expected


# ------------------------------------------------------------------ the law of the kept catalogue


def same_with_and_without(repo: Repo, keep: Cache) -> dict[str, Any]:
    """What a run tells, the same with the kept catalogue, with none, and with one just made."""
    told = seen(repo.catalogue(keep=keep))
    assert told == seen(repo.catalogue())
    assert told == seen(repo.catalogue(keep=keep))
    assert repo.report(keep=keep) == repo.report()
    return told


def test_a_kept_catalogue_is_used(repo: Repo, keep: Cache) -> None:
    """Else the tests of the law would prove nothing: with it, nothing that did not change is read again."""
    filled(repo)
    repo.catalogue(keep=keep)
    repo.put("INC-1", title="Changed")
    repo.commit()
    setting, store = repo.setting(), repo.store()
    examine, asked = record_checker(setting, NOW), []
    told = load_index(
        store, lambda path, blob, raw: asked.append(path) or examine(path, blob, raw), setting.fingerprint, keep
    )
    assert asked == ["incidents/INC-1/incident.yaml"]
    assert seen(told) == seen(repo.catalogue())


def test_what_is_kept_is_of_the_commit_only(repo: Repo, keep: Cache) -> None:
    """No state of the work tree is ever kept, whatever the order of runs and edits."""
    commit = filled(repo)
    repo.put("INC-1", title="Edited, not committed")
    repo.put("INC-40")
    (repo.root / "incidents/INC-2/incident.yaml").unlink()
    repo.catalogue(keep=keep)
    repo.catalogue(keep=keep)
    content = keep.load()
    assert content is not None
    assert b"not committed" not in content
    assert seen(RecordIndex(content)) == seen(repo.catalogue(commit))


def _damage(found: bytes) -> list[bytes]:
    return [b"", found[:40], found[: len(found) // 2], found[:-1], b"x" * 1000, found[32:], found + b"x"]


def test_a_lost_or_damaged_kept_file_changes_nothing(repo: Repo, keep: Cache) -> None:
    filled(repo)
    told = same_with_and_without(repo, keep)
    for damaged in _damage(keep.path.read_bytes()):
        keep.path.write_bytes(damaged)
        assert same_with_and_without(repo, keep) == told
    keep.path.unlink()
    assert same_with_and_without(repo, keep) == told
    keep.path.unlink()
    keep.path.mkdir()
    assert same_with_and_without(repo, keep) == told


def _planted(content: bytes) -> bytes:
    """The kept catalogue with every finding taken out, as a liar would have it."""
    catalogue = RecordIndex(content)
    with sqlite3.connect(":memory:") as base:
        base.deserialize(catalogue.to_bytes())
        base.execute("UPDATE record SET findings = NULL, live = 0")
        base.execute("DELETE FROM record WHERE id = 'INC-4'")
        base.commit()
        found = base.serialize()
    base.close()
    return found


def test_a_planted_entry_changes_nothing(repo: Repo, keep: Cache) -> None:
    """Without a seal, with the old seal, with an unkeyed one or with a wrong key's."""
    filled(repo)
    told = same_with_and_without(repo, keep)
    sealed, content = keep.path.read_bytes(), keep.load()
    assert content is not None
    lie = _planted(content)
    for seal in (
        b"",
        sealed[:32],
        blake2b(lie, digest_size=32).digest(),
        blake2b(lie, key=b"w" * 32, digest_size=32).digest(),
    ):
        keep.path.write_bytes(seal + lie)
        assert same_with_and_without(repo, keep) == told


def test_the_lie_would_be_believed_under_the_right_seal(repo: Repo, keep: Cache) -> None:
    """Else the test above would prove nothing."""
    filled(repo)
    repo.catalogue(keep=keep)
    content = keep.load()
    assert content is not None
    keep.save(_planted(content))
    assert seen(repo.catalogue(keep=keep)) != seen(repo.catalogue())


def test_another_repositorys_kept_file_changes_nothing(repo: Repo, keep: Cache, tmp_path: Path) -> None:
    """Cache by the same user, for the same policy, but of other records."""
    filled(repo)
    told = same_with_and_without(repo, keep)
    other = Repo(tmp_path / "other")
    other.put("INC-1", title="Of another team")
    other.commit()
    theirs = Cache(other.root / ".git/incident-ops/catalogue", keep.key_path)
    other.catalogue(keep=theirs)
    keep.path.write_bytes(theirs.path.read_bytes())
    assert same_with_and_without(repo, keep) == told


def test_a_neighbouring_folders_kept_file_changes_nothing(tmp_path: Path) -> None:
    """Two teams in one repository with the same policy: same commit, other records."""
    outer = Repo(tmp_path / "outer", settings=False)
    ours, theirs = Repo(outer.root / "ours", git=False), Repo(outer.root / "theirs", git=False)
    ours.put("INC-1", severity="SEV9")
    theirs.put("INC-1")
    outer.commit()
    keep = Cache(tmp_path / "catalogue", tmp_path / "key")
    told = seen(theirs.catalogue(keep=keep))
    assert seen(ours.catalogue(keep=keep)) == seen(ours.catalogue())
    assert seen(theirs.catalogue(keep=keep)) == told


def _amend(repo: Repo) -> None:
    repo.put("INC-1", title="Amended")
    repo.git("commit", "--quiet", "--all", "--amend", "--message", "amended")


def _switch(repo: Repo) -> None:
    repo.git("switch", "--quiet", "--orphan", "other")
    repo.write("policy.yaml", "extends: sev0-3\n")
    repo.write("services.yaml", SERVICES)
    repo.put("INC-9")
    repo.commit()


def _back(repo: Repo) -> None:
    repo.put("INC-50")
    repo.commit()
    repo.catalogue(keep=_keep_of(repo))
    repo.git("reset", "--quiet", "--hard", "HEAD~1")


def _forget(repo: Repo) -> None:
    """The kept commit itself is gone."""
    repo.put("INC-50")
    repo.commit()
    repo.catalogue(keep=_keep_of(repo))
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "--quiet", "--prune=now")


def _forget_trees(repo: Repo) -> None:
    """The kept commit is still there, but not all that it consists of."""
    repo.put("INC-50")
    repo.commit()
    repo.catalogue(keep=_keep_of(repo))
    tree = repo.git("rev-parse", "HEAD:incidents")
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    (repo.root / ".git/objects" / tree[:2] / tree[2:]).unlink()


def _policy(repo: Repo) -> None:
    repo.write("policy.yaml", "extends: itil-p1-p4\n")


def _services(repo: Repo) -> None:
    repo.write("services.yaml", 'services: {other: {owner: "@team"}}\n')


def _broken_policy(repo: Repo) -> None:
    repo.write("policy.yaml", "extends: nothing\n")


def _no_services(repo: Repo) -> None:
    (repo.root / "services.yaml").unlink()


def _keep_of(repo: Repo) -> Cache:
    return Cache(repo.root / ".git" / "incident-ops" / "catalogue", repo.root.parent / "cache.key")


@pytest.mark.parametrize(
    "change", [_amend, _switch, _back, _forget, _forget_trees, _policy, _services, _broken_policy, _no_services]
)
def test_what_entries_depend_on_makes_them_new(repo: Repo, keep: Cache, change: Callable[[Repo], None]) -> None:
    filled(repo)
    same_with_and_without(repo, keep)
    change(repo)
    same_with_and_without(repo, keep)
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "--allow-empty", "--message", "after")
    same_with_and_without(repo, keep)


def test_mending_a_policy_that_said_an_entry_twice_judges_the_records(repo: Repo, keep: Cache) -> None:
    """A refused policy may resolve to the very values of a right one; what was kept meanwhile is unjudged."""
    repo.put("INC-1", severity="SEV9")
    twice = "extends: sev0-3\nlevels:\n- {id: SEV1, label: Grave}\n- {id: SEV1, label: Grave}\n"
    repo.write("policy.yaml", twice)
    repo.commit()
    assert repo.setting().findings, "this policy must be refused"
    assert "label" not in [one.rule for one in repo.catalogue(keep=keep).findings()]
    repo.write("policy.yaml", "extends: sev0-3\nlevels:\n- {id: SEV1, label: Grave}\n")
    assert not repo.setting().findings
    assert "label" in [one.rule for one in repo.catalogue(keep=keep).findings()]


def test_another_program_judges_anew(repo: Repo, keep: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(repo)
    repo.catalogue(keep=keep)
    before = keep.path.read_bytes()
    repo.catalogue(keep=keep)
    assert keep.path.read_bytes() == before
    monkeypatch.setattr(resources, "resource_stamp", lambda: "another program")
    same_with_and_without(repo, keep)
    assert keep.path.read_bytes() != before


def test_the_stamp_of_the_program_changes_with_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "templates").mkdir()
    monkeypatch.setattr(resources, "PACKAGE", tmp_path)
    monkeypatch.setattr(resources, "folder", lambda kind: tmp_path / kind)
    stamps = [resources.resource_stamp()]
    for name in ("rules.py", "schemas/incident.schema.json", "presets.yaml", "templates/incident.md.j2"):
        (tmp_path / name).write_text("x")
        stamps.append(resources.resource_stamp())
    (tmp_path / "rules.py").write_text("y" * 2)
    stamps.append(resources.resource_stamp())
    os.utime(tmp_path / "rules.py", (1, 1))
    stamps.append(resources.resource_stamp())
    assert len(set(stamps)) == len(stamps)


def test_a_read_only_repository_is_no_error(repo: Repo, keep: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(repo)
    told = seen(repo.catalogue())

    def refused(*_args: Any, **_named: Any) -> Any:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refused)
    assert seen(repo.catalogue(keep=keep)) == told
    assert not keep.path.exists()


STEPS = 50


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_random_life_of_a_repository_is_told_the_same_with_a_kept_catalogue(
    repo: Repo, keep: Cache, seed: int
) -> None:
    """The law: after any sequence of edits, commits, moves between commits and losses."""
    dice = random.Random(seed)
    commits = [repo.commit()]
    for _ in range(STEPS):
        name = f"INC-{dice.randint(1, 6)}"
        match dice.choice(
            ("put", "put", "put", "broken", "remove", "commit", "commit", "reset", "stage", "policy", "lose", "misname")
        ):
            case "put":
                related = [f"INC-{dice.randint(1, 8)}"]
                closed = {"state": "closed", "outcome": "withdrawn"} if dice.random() < 0.3 else {}
                id_ = name if dice.random() < 0.8 else f"INC-{dice.randint(1, 6)}"
                repo.put(name, id=id_, severity=dice.choice(["SEV1", "SEV2", "SEV9"]), related=related, **closed)
            case "broken":
                repo.write(f"incidents/{name}/incident.yaml", dice.choice(["", "id: [", "id: INC-3\n", "\xff", "- a"]))
            case "remove":
                (repo.root / f"incidents/{name}/incident.yaml").unlink(missing_ok=True)
            case "commit":
                commits.append(repo.commit())
            case "reset":
                repo.git("reset", "--quiet", "--hard", dice.choice(commits))
            case "stage":
                repo.git("add", "--all")
            case "policy":
                repo.write(
                    "services.yaml", dice.choice([SERVICES, 'services: {web: {owner: "@x"}}\n', "services: [\n"])
                )
            case "lose":
                keep.path.unlink(missing_ok=True)
            case "misname":
                repo.write(f"incidents/{name}.yaml", record_text(id=name))
        if dice.random() < 0.6:
            assert seen(repo.catalogue(keep=keep)) == seen(repo.catalogue())
    same_with_and_without(repo, keep)
    commits.append(repo.commit())
    told = same_with_and_without(repo, keep)
    assert seen(repo.catalogue(commits[-1])) == told


# ------------------------------------------------------------------ reading again


def test_every_record_comes_back_settled_or_not(repo: Repo, keep: Cache) -> None:
    filled(repo)
    repo.put("INC-9", state="closed", outcome="withdrawn")
    for _ in range(2):
        catalogue = repo.catalogue(keep=keep)
        told = list(every_record(repo.store(), catalogue))
        assert [one.path.split("/")[1] for one in told] == ["INC-1", "INC-2", "INC-3", "INC-4", "INC-5", "INC-9"]
        assert [one.incident.id for one in told] == ["INC-1", "INC-2", "INC-3", "INC-4", "INC-1", "INC-9"]


def test_a_record_that_changed_meanwhile_is_no_old_answer(repo: Repo) -> None:
    path = repo.put("INC-9", state="closed", outcome="withdrawn")
    catalogue = repo.catalogue()
    assert read_record(repo.store(), path).incident.id == "INC-9"
    repo.write(path, "broken: [")
    with pytest.raises(Incomplete, match="changed"):
        list(every_record(repo.store(), catalogue))
    with pytest.raises(Incomplete, match="changed"):
        read_record(repo.store(), path)


def test_the_last_readable_version_of_a_broken_record_is_found(repo: Repo) -> None:
    path = repo.put("INC-1", title="First")
    repo.commit()
    repo.put("INC-1", title="Second")
    repo.commit()
    repo.write(path, "id: INC-1\nbroken: [\n")
    repo.commit()
    (repo.root / path).unlink()
    repo.commit()
    git = Git.around(repo.root)
    found = last_readable(git, path)
    assert found is not None
    assert found.title == "Second"
    assert last_readable(git, "incidents/INC-2/incident.yaml") is None
    assert last_readable(None, path) is None


def test_a_lost_version_is_not_skipped_for_an_older_one(repo: Repo) -> None:
    """The older one may show the incident closed that was reopened since."""
    path = repo.put("INC-1", state="closed", outcome="withdrawn")
    repo.commit()
    repo.put("INC-1", state="reopened")
    repo.commit()
    blob = repo.git("rev-parse", f"HEAD:{path}")
    (repo.root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(Incomplete):
        last_readable(Git.around(repo.root), path)


def test_a_store_without_git_has_no_commit(tmp_path: Path) -> None:
    assert Store(tmp_path, None).commit is None
