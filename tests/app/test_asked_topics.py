"""Of which topics a run asks who closed their pull requests, where there are more than it has room for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incident_ops.app import proposals
from incident_ops.domain.tracker import Proposal
from incident_ops.reconcile.changes import EDIT, PEOPLE, PlannedChange


class Pulls:
    """No pull request is open; notes which topics are asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def open_ones(self) -> dict:
        return {}

    def closed(self, branch: str) -> list:
        self.asked.append(branch)
        return []

    def closed_by_person(self, number: int) -> str:
        raise AssertionError(f"nobody closed #{number}")


def test_no_topic_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither behind those whose branch is gone, which every run finds again, nor behind the first ones by name."""
    monkeypatch.setattr(proposals, "_MOST_ASKED", 4)
    changes = [
        PlannedChange(EDIT, "item", f"INC-{n}/AI-1", n, "closed", path=f"incidents/INC-{n}", topic=PEOPLE)
        for n in range(10, 22)
    ]
    there = [Proposal(f"incident-ops/people/INC-{n}", commit="c" * 40) for n in (20, 21)]
    seen: set[str] = set()
    for hour in range(60):
        pulls = Pulls()
        now = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(hours=hour)
        found = proposals.with_pulls(proposals.PullLookups(pulls), there, changes, now)
        assert len(pulls.asked) == 4
        assert {one.branch for one in found if one.is_known} == set(pulls.asked)
        seen |= set(pulls.asked)
    assert len(seen) == len(changes)
