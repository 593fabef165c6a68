"""The policies that a branch has had, by git: a new record carries the clocks of one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from incident_ops.domain.as_of import declared_at
from incident_ops.domain.incident import Incident
from incident_ops.domain.ports import Repository
from incident_ops.domain.record import MergedPolicy
from incident_ops.records.policy import POLICY, load_policy, policy_digest

GRACE = timedelta(days=7)
"""For how long a policy that was replaced may still rule a new record: so long may its pull request be open."""


def policies_since(git: Repository, tip: str, incidents: Sequence[Incident], now: datetime) -> list[MergedPolicy]:
    """The policies of the branch up to `tip`, the newest first, as far back as one of the incidents may need them."""
    if not incidents:
        return []
    oldest = min(now, *map(declared_at, incidents)) - GRACE
    return [*_policies(git, tip, oldest)]


def may_rule(merged: MergedPolicy, incident: Incident, now: datetime) -> bool:
    """True for the present policy, and for one that was the branch's within GRACE of the declaration or of now."""
    if merged.end is None or merged.end >= now - GRACE:
        return True
    declared = declared_at(incident)
    return merged.begin <= declared + GRACE and merged.end >= declared - GRACE


def _policies(git: Repository, tip: str, oldest: datetime) -> Iterator[MergedPolicy]:
    end = None
    for commit, begin in git.branch_history(POLICY, tip):
        if end is not None and end < oldest:
            return
        raw = git.read_path(commit, POLICY)
        loaded = load_policy(raw.decode("utf-8", "replace"), POLICY) if raw is not None else None
        if loaded is not None and loaded.policy is not None:
            yield MergedPolicy(policy_digest(loaded.resolved), loaded.policy, begin, end)
        end = begin
