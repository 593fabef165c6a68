"""The policies that a branch has had, by git: a new record carries the clocks of one of them, and the last one that
can be used stands in for one that a merge broke.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from incident_ops.domain.as_of import declared_at
from incident_ops.domain.incident import Incident
from incident_ops.domain.ports import Repository
from incident_ops.domain.record import MergedPolicy
from incident_ops.findings import Finding
from incident_ops.records.policy import (
    POLICY,
    SERVICES,
    LoadedPolicy,
    LoadedServices,
    PolicyAndServices,
    load_policy,
    load_services,
    policy_digest,
    with_teams,
)
from incident_ops.records.store import Store
from incident_ops.records.yaml_reader import MAX_BYTES

Loaded = TypeVar("Loaded", LoadedPolicy, LoadedServices)

GRACE = timedelta(days=7)
"""For how long a policy that was replaced may still rule a new record: so long may its pull request be open."""


def policies_since(git: Repository, tip: str, incidents: Sequence[Incident], now: datetime) -> list[MergedPolicy]:
    """The policies of the branch up to `tip`, the newest first, as far back as one of the incidents may need them."""
    if not incidents:
        return []
    oldest = min(now, *map(declared_at, incidents)) - GRACE
    return [*_policies(git, tip, oldest)]


def last_usable(store: Store, setting: PolicyAndServices) -> tuple[PolicyAndServices, list[str]]:
    """The same, with the newest version in git that can be used in place of a file that is there and cannot; and a
    line for each such file. A file that git has no such version of stays as it is."""
    policy, services, notes = setting.policy, setting.services, list[str]()
    if policy.policy is None and (older := _newest(store, POLICY, _usable_policy)):
        notes.append(_note(POLICY, policy.findings[0], older[0]))
        policy = older[1]
    is_missing = store.read(SERVICES) is None
    if services.services is None and not is_missing and (before := _newest(store, SERVICES, _usable_services)):
        notes.append(_note(SERVICES, services.findings[0], before[0]))
        services = before[1]
    return PolicyAndServices(policy, services), notes


def _usable_policy(text: str) -> LoadedPolicy | None:
    loaded = load_policy(text, POLICY)
    return loaded if loaded.policy is not None else None


def _usable_services(text: str) -> LoadedServices | None:
    loaded = load_services(text, SERVICES)
    return loaded if loaded.services is not None else None


def _newest(store: Store, path: str, usable: Callable[[str], Loaded | None]) -> tuple[str, Loaded] | None:
    """(commit, file) of the newest version of a file, up to the commit of the store, that can be used."""
    if store.git is None or store.commit is None:
        return None
    for commit in store.git.history(path, store.commit):
        raw = store.git.read_path(commit, path)
        if raw is not None and len(raw) <= MAX_BYTES and (loaded := usable(raw.decode("utf-8", "replace"))) is not None:
            return commit, loaded
    return None


def _note(path: str, finding: Finding, commit: str) -> str:
    line = f" (line {finding.where.line})" if finding.where.line else ""
    return f"{path} is broken{line}: using the version from commit {commit[:12]}; see incident-ops validate"


def may_rule(merged: MergedPolicy, incident: Incident, now: datetime) -> bool:
    """True for the present policy, and for one that was the branch's within GRACE of the declaration or of now."""
    if merged.end is None or merged.end >= now - GRACE:
        return True
    declared = declared_at(incident)
    return merged.begin <= declared + GRACE and merged.end >= declared - GRACE


def _policies(git: Repository, tip: str, oldest: datetime) -> Iterator[MergedPolicy]:
    """Each policy with the teams of each services.yaml that was there in its time."""
    services = [one for one in _versions(git, SERVICES, tip, oldest, load_services) if one[0].services is not None]
    has_teams = any(loaded.teams for loaded, _, _ in services)
    for loaded, begin, end in _versions(git, POLICY, tip, oldest, load_policy):
        if loaded.policy is None:
            continue
        digest = policy_digest(loaded.resolved)
        if not has_teams:
            yield MergedPolicy(digest, loaded.policy, begin, end)
        for beside, since, until in services if has_teams else ():
            start, stop = max(begin, since), min((one for one in (end, until) if one), default=None)
            if stop is None or start < stop:
                own = with_teams(loaded.policy, loaded.resolved, beside.services or {}, beside.teams)
                yield MergedPolicy(digest, own, start, stop)


def _versions(
    git: Repository, path: str, tip: str, oldest: datetime, load: Callable[[str, str], Loaded]
) -> Iterator[tuple[Loaded, datetime, datetime | None]]:
    """(file, since when, until when) of each version of the branch, the newest first; `until` None = still there."""
    end = None
    for commit, begin in git.branch_history(path, tip):
        if end is not None and end < oldest:
            return
        raw = git.read_path(commit, path)
        if raw is not None:
            yield load(raw.decode("utf-8", "replace"), path), begin, end
        end = begin
