"""Which keys a commit took away: nothing else may close their issues."""

from __future__ import annotations

import shutil
from pathlib import Path

from incident_ops.adapters.git import Git
from incident_ops.records.history import deletions, every_record
from tests.support.repository import Repo

ITEMS = [{"id": f"AI-{number}", "title": "Mend it", "status": "open"} for number in (1, 2)]


def asked(repo: Repo, *keys: str) -> dict[str, str]:
    """What history says of `keys`, beside the records that stand in the work tree."""
    git = Git.around(repo.root)
    assert git
    assert git.head
    return deletions(git, git.head, keys, every_record(repo.store(), repo.catalogue()))


def deleted(repo: Repo, incident: str) -> str:
    shutil.rmtree(repo.root / "incidents" / incident)
    repo.commit(f"{incident} deleted")
    return repo.git("rev-parse", "HEAD")


def test_a_deleted_record_is_named_with_its_commit(tmp_path: Path) -> None:
    """The record and its items are gone since the commit that took the file away, not since a later one."""
    repo = Repo(tmp_path)
    repo.put("INC-1", action_items=ITEMS)
    repo.put("INC-2")
    repo.commit("declared")
    taken = deleted(repo, "INC-1")
    repo.put("INC-3")
    repo.commit("another")
    assert asked(repo, "INC-1", "INC-1/AI-2", "INC-2", "INC-9") == {"INC-1": taken, "INC-1/AI-2": taken}


def test_what_the_work_tree_alone_took_away_is_not_deleted(tmp_path: Path) -> None:
    """An uncommitted deletion may be a mistake, or half of a move."""
    repo = Repo(tmp_path)
    repo.put("INC-1", action_items=ITEMS)
    repo.commit("declared")
    shutil.rmtree(repo.root / "incidents/INC-1")
    assert asked(repo, "INC-1", "INC-1/AI-1") == {}


def test_a_record_that_came_back_is_not_deleted(tmp_path: Path) -> None:
    """Deleted and put back: it stands."""
    repo = Repo(tmp_path)
    repo.put("INC-1")
    repo.commit("declared")
    deleted(repo, "INC-1")
    repo.put("INC-1")
    repo.commit("put back")
    assert asked(repo, "INC-1") == {}


def test_an_item_that_was_taken_out_is_named(tmp_path: Path) -> None:
    """The commit is the first without it; an item that never was there was not deleted."""
    repo = Repo(tmp_path)
    repo.put("INC-1", action_items=ITEMS)
    repo.commit("declared")
    repo.put("INC-1", action_items=ITEMS[:1])
    repo.commit("AI-2 dropped")
    taken = repo.git("rev-parse", "HEAD")
    repo.put("INC-1", title="Login still fails", action_items=ITEMS[:1])
    repo.commit("retitled")
    assert asked(repo, "INC-1/AI-1", "INC-1/AI-2", "INC-1/AI-3") == {"INC-1/AI-2": taken}


def test_a_version_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    """Between two readable versions lies a broken one: the deletion is dated by the readable ones."""
    repo = Repo(tmp_path)
    repo.put("INC-1", action_items=ITEMS)
    repo.commit("declared")
    path = repo.root / "incidents/INC-1/incident.yaml"
    path.write_text("id: [\n")
    repo.commit("broken")
    repo.put("INC-1", action_items=ITEMS[:1])
    repo.commit("mended without AI-2")
    assert asked(repo, "INC-1/AI-2") == {"INC-1/AI-2": repo.git("rev-parse", "HEAD")}


def test_a_shallow_clone_proves_nothing(tmp_path: Path) -> None:
    """History that is not there shows no deletion."""
    origin = Repo(tmp_path / "origin")
    origin.put("INC-1")
    origin.put("INC-2")
    origin.commit("declared")
    deleted(origin, "INC-1")
    origin.git("clone", "--quiet", "--depth=1", origin.root.as_uri(), str(tmp_path / "clone"))
    clone = Repo(tmp_path / "clone", git=False, settings=False)
    assert asked(clone, "INC-1") == {}
