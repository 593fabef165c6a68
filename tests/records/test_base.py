"""What changed since a base: the files, the records as they were, the lines; and bases that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_ops.adapters.git import Git
from incident_ops.errors import UserError
from incident_ops.records.base_revision import Base, changes_since
from tests.support.patience import patience
from tests.support.repository import Repo, record_text


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.put("INC-1")
    repo.put("INC-2")
    repo.commit("merged")
    return repo


def compared(repo: Repo, revision: str = "main", head: str | None = None) -> Base:
    store, catalogue = repo.store(head), repo.catalogue(head)
    present = [*catalogue.paths(), *(path for path, _ in store.others()), "policy.yaml", "services.yaml"]
    return changes_since(store, revision, present)


PATH = "incidents/INC-1/incident.yaml"


def test_nothing_changed(repo: Repo) -> None:
    found = compared(repo)
    assert found.changed == frozenset()
    assert list(found.pairs()) == []
    assert not found.settings_changed
    assert found.has_records


def test_every_kind_of_change_is_seen_in_the_work_tree_and_in_a_revision(repo: Repo) -> None:
    """Edited, deleted, new and untracked, staged, taken out of the index; records of other kinds and settings."""
    repo.git("checkout", "--quiet", "-b", "change")
    repo.put("INC-1", title="Other")
    (repo.root / "incidents/INC-2/incident.yaml").unlink()
    repo.put("INC-3")
    repo.put("INC-4")
    repo.git("add", "incidents/INC-4")
    repo.write("policy.yaml", "extends: sev1-3\n")
    repo.write("freezes/x.yaml", "")
    repo.git("rm", "--quiet", "--cached", "services.yaml")
    tree = compared(repo)
    changed = {f"incidents/INC-{n}/incident.yaml" for n in (1, 2, 3, 4)} | {"policy.yaml", "freezes/x.yaml"}
    assert tree.changed == changed
    assert tree.settings_changed
    repo.commit("changed")
    committed = compared(repo, head="HEAD")
    assert committed.changed == changed
    assert dict(committed.before) == dict(tree.before)
    assert dict(committed.after) == dict(tree.after)


def test_what_others_merged_since_is_no_change_of_ours(repo: Repo) -> None:
    """The base is where the histories parted, not where main is now."""
    repo.git("checkout", "--quiet", "-b", "change")
    repo.put("INC-1", title="Ours")
    repo.commit("ours")
    repo.git("checkout", "--quiet", "main")
    repo.put("INC-2", title="Theirs")
    repo.commit("theirs")
    repo.git("checkout", "--quiet", "change")
    assert compared(repo).changed == {PATH}


def test_a_file_that_was_only_touched_did_not_change(repo: Repo) -> None:
    file = repo.root / PATH
    file.write_bytes(file.read_bytes())
    assert compared(repo).changed == frozenset()


def test_a_moved_record_is_found_by_its_id(repo: Repo) -> None:
    (repo.root / "incidents/INC-1").rename(repo.root / "incidents/INC-1-login")
    ((was, now),) = compared(repo).pairs()
    assert (was.path, now and now.path) == (PATH, "incidents/INC-1-login/incident.yaml")


def test_a_record_whose_id_changed_is_found_by_its_file(repo: Repo) -> None:
    repo.put("INC-1", id="INC-9")
    ((was, now),) = compared(repo).pairs()
    assert now is not None
    assert (was.incident.id, now.incident.id, now.path) == ("INC-1", "INC-9", PATH)


def test_two_records_that_changed_places_are_paired_by_id(repo: Repo) -> None:
    repo.put("INC-1", id="INC-2")
    repo.put("INC-2", id="INC-1")
    assert [now and now.incident.id == was.incident.id for was, now in compared(repo).pairs()] == [True, True]


def test_a_deleted_record_has_no_present_and_a_broken_one_is_left_out(repo: Repo) -> None:
    (repo.root / PATH).unlink()
    repo.write("incidents/INC-2/incident.yaml", "id: [\n")
    ((was, now),) = compared(repo).pairs()
    assert (was.incident.id, now) == ("INC-1", None)


def test_a_record_that_was_broken_on_the_base_is_compared_with_its_last_readable_version(repo: Repo) -> None:
    """Else one broken push would let the next one rewrite history."""
    repo.write(PATH, "id: [\n")
    repo.commit("broken")
    repo.write("incidents/INC-5/incident.yaml", "id: [\n")
    repo.commit("never readable")
    repo.git("checkout", "--quiet", "-b", "change")
    repo.put("INC-1", title="Mended")
    repo.put("INC-5")
    ((was, now),) = compared(repo).pairs()
    assert now is not None
    assert (was.incident.title, now.incident.title) == ("Login fails", "Mended")


def test_links_and_odd_names_are_changes_like_others(repo: Repo) -> None:
    (repo.root / PATH).unlink()
    (repo.root / PATH).symlink_to("/etc/passwd")
    odd = repo.root / "incidents" / "INC-\udcff"
    odd.mkdir()
    (odd / "incident.yaml").write_text(record_text(id="INC-7"))
    for found in (compared(repo), (repo.commit("odd"), compared(repo, "HEAD~1", "HEAD"))[1]):
        assert found.changed == {PATH, "incidents/INC-\\xff/incident.yaml"}
        assert not isinstance(found.after[PATH], bytes)


def test_touched_lines_are_the_new_ones(repo: Repo) -> None:
    lines = (repo.root / PATH).read_text().splitlines(keepends=True)
    repo.write(PATH, "".join([lines[0], "title: Other\n", "description: New\n", *lines[2:]]))
    found = compared(repo)
    assert [line for line in range(1, 12) if found.touches(PATH, line)] == [2, 3]
    assert not found.touches("incidents/INC-2/incident.yaml", 1)


def test_a_very_long_change_is_compared(repo: Repo) -> None:
    """Where too many lines differ all of them count as new; what is the same above and below does not."""
    above, below = record_text(), "tags: [x]\n"
    repo.write(PATH, above + "# a\n" * 1500 + below)
    repo.commit("long")
    repo.write(PATH, above + "# a\n# b\n" * 1500 + "# c\n" + below)
    size, whole = above.count("\n"), above.count("\n") + 3002
    with patience():
        found = compared(repo, "HEAD")
        touched = [line for line in range(1, whole + 1) if found.touches(PATH, line)]
    assert touched == list(range(size + 2, size + 3002))


def test_the_folder_of_records_may_lie_inside_the_repository(tmp_path: Path) -> None:
    outer = Repo(tmp_path / "outer", settings=False)
    inner = Repo(tmp_path / "outer" / "ops", git=False)
    inner.put("INC-1")
    outer.commit("merged")
    inner.put("INC-1", title="Other")
    found = compared(inner, "HEAD")
    assert found.changed == {PATH}
    assert len(list(found.pairs())) == 1


def test_a_base_that_does_not_exist_is_a_users_mistake(repo: Repo) -> None:
    with pytest.raises(UserError, match="does not exist here"):
        compared(repo, "nowhere")


def test_a_base_without_a_common_history_is_a_users_mistake(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "--orphan", "other")
    repo.commit("alone")
    with pytest.raises(UserError, match="shares no history"):
        compared(repo)


def test_a_shallow_clone_is_told_to_fetch_more(repo: Repo, tmp_path: Path) -> None:
    """As actions/checkout leaves it by default: neither the base nor what both share is there."""
    first = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "--quiet", "-b", "change")
    repo.put("INC-1", title="Other")
    repo.commit("changed")
    repo.git("checkout", "--quiet", "main")
    repo.put("INC-2", title="Theirs")
    repo.commit("theirs")
    clone = Repo(tmp_path / "clone", settings=False)
    clone.git("fetch", "--quiet", "--depth=1", f"file://{repo.root}", "change:change", "main:theirs")
    clone.git("checkout", "--quiet", "change")
    for revision in (first, "theirs"):
        with pytest.raises(UserError) as told:
            compared(clone, revision)
        assert "fetch-depth: 0" in told.value.hint
        assert told.value.exit_code == 2


def test_without_git_or_without_a_commit_there_is_no_base(tmp_path: Path) -> None:
    for name, has_git in (("plain", False), ("empty", True)):
        repo = Repo(tmp_path / name, git=has_git)
        repo.put("INC-1")
        with pytest.raises(UserError, match="there is nothing to compare with"):
            compared(repo)


def test_history_up_to_a_commit(repo: Repo) -> None:
    first = repo.git("rev-parse", "HEAD")
    repo.put("INC-1", title="Other")
    second = repo.commit("changed")
    git = Git.around(repo.root)
    assert git is not None
    assert list(git.history(PATH)) == [second, first]
    assert list(git.history(PATH, first)) == [first]
