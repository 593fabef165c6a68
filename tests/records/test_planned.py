"""Reading freezes and maintenance windows: one broken file never hides the next."""

from __future__ import annotations

from pathlib import Path

from incident_ops.domain.planned_changes import Freeze, Maintenance
from incident_ops.records.planned_changes import last_plan, load_plans
from incident_ops.records.store import Store
from tests.cli.scene import ROOT
from tests.support.origin import git_of
from tests.support.repository import Repo

FREEZE = "name: f\nreason: books\nfrom: 2025-01-26T12:00:00Z\n"


def test_every_file_is_read_or_told(tmp_path: Path) -> None:
    repo = Repo(tmp_path, git=False)
    repo.write("freezes/f.yaml", FREEZE)
    repo.write("freezes/g.yaml", "name: [")
    repo.write("freezes/h.yaml", "name: h\n")
    repo.write("freezes/readme.md", "not one of ours")
    repo.write("maintenance/CHG-2025-0001.yaml", b"\xff")
    plans = load_plans(Store(tmp_path, None))
    assert list(plans.freezes) == ["freezes/f.yaml"]
    unread = sorted(plans.unread)
    assert [(one.path, kind) for one, kind in unread] == [
        ("freezes/g.yaml", "freeze"),
        ("freezes/h.yaml", "freeze"),
        ("maintenance/CHG-2025-0001.yaml", "maintenance"),
    ]
    assert unread[0][0].reason.startswith("line 2: ")


def test_the_worked_window_is_read() -> None:
    plans = load_plans(Store(ROOT / "examples" / "itil-p1-p4", None))
    (change,) = plans.maintenance.values()
    assert (change.id, change.status, change.buffer.before) == ("CHG-2025-0234", "completed", "30m")
    assert (change.window.zone, change.window.begin) == ("America/New_York", "2025-09-28T02:00:00")


def test_what_a_plan_was_before_it_broke(tmp_path: Path) -> None:
    """The newest version that can be read; None where there never was one."""
    repo = Repo(tmp_path)
    for text in (FREEZE, FREEZE.replace("books", "year-end"), "name: [", "name: {"):
        repo.write("freezes/f.yaml", text)
        repo.commit("a change")
    git = git_of(repo)
    found = last_plan(git, "freezes/f.yaml", Freeze)
    assert found is not None
    assert found.reason == "year-end"
    assert last_plan(git, "maintenance/CHG-2025-0001.yaml", Maintenance) is None
    assert last_plan(None, "freezes/f.yaml", Freeze) is None
