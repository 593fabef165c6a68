"""The repository with the records and the issues goes to another owner."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from incident_ops.adapters.github import issues as adapter
from incident_ops.domain.time import stamp
from incident_ops.domain.tracker import WholeList
from tests.cli.test_incremental_listing import pass_a_second
from tests.cli.test_two_way import Team, team
from tests.support.standin import Standin

__all__ = ["team"]

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])


def transfer(team: Team, github: Standin, monkeypatch: pytest.MonkeyPatch, owner: str) -> None:
    """Somebody transfers it on GitHub; the workflows run under its new name from now on."""
    github.ask("POST", f"/repos/{team.repository}/transfer", {"new_owner": owner})
    team.repository = f"{owner}/{team.repository.partition('/')[2]}"
    monkeypatch.setenv("GITHUB_REPOSITORY", team.repository)


def names(team: Team) -> list[str]:
    """What the branch holds of the names of the repository."""
    team.folder.git("fetch", "--quiet", "origin", "incident-ops/ids")
    ((_, kept),) = json.loads(team.folder.git("show", "FETCH_HEAD:records.json")).items()
    return list(kept)


def test_a_transfer_plans_nothing(team: Team, github: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub leads from the old address to the new one; a new issue has the new one."""
    old = team.repository
    assert names(team) == [old]
    transfer(team, github, monkeypatch, "keeper")
    assert team.nothing_is_planned()
    assert "Nothing to do" in team.apply()
    assert names(team) == [old, team.repository]
    assert team.nothing_is_planned()
    assert f"/{old}/blob/HEAD/" in team.issue("")["body"]
    team.command("action", "add", "Another", "--owner", "@bob", "--due", "2099-03-01")
    team.push("more")
    team.apply()
    assert f"/{team.repository}/blob/HEAD/" in team.issue("/AI-2")["body"]
    team.accept()
    assert team.nothing_is_planned()


@pytest.mark.slow
def test_after_it_a_run_that_finds_nothing_lists_what_changed(
    team: Team, github: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The texts keep the old address, and are known all the same."""
    monkeypatch.setattr(adapter, "_OVERLAP", timedelta(seconds=-1))
    monkeypatch.setattr(WholeList, "is_longer_than", lambda *_: True)
    pass_a_second()
    team.apply()
    pass_a_second()
    transfer(team, github, monkeypatch, "keeper")
    done = team.call("plan", "--tracker", "github", "--show-requests", clock=stamp(datetime.now(UTC)))
    assert done.out.startswith("Nothing to do"), done
    lists = re.findall(r"GET \S*/issues\?(\S+)", done.err)
    assert lists
    assert all("since=" in query for query in lists), lists
