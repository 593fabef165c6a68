"""The rules that compare a record with what was merged before, and how they are run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from incident_ops.domain.record import MergedPolicy, Record, World
from incident_ops.findings import Finding, Where
from incident_ops.rules._support import rule_modules
from incident_ops.rules.base import id_reused, policy_in_force, record_deleted


class BaseRule(Protocol):
    """A rule over a record as it was merged and as it is now. Its module docstring is its documentation."""

    ID: str

    def check(self, before: Record, after: Record, world: World | None, /) -> Iterator[Finding]: ...


MODULES = rule_modules(__name__, __path__)
RULES: tuple[BaseRule, ...] = tuple(module for module in MODULES if hasattr(module, "check"))


def compare(before: Record, after: Record, world: World | None) -> list[Finding]:
    """What a record may not have become since it was merged, with its file, positions still to be found.

    `world` None: policy or services cannot be used; the rules that need neither still run.
    """
    return _placed(after, (finding for rule in RULES for finding in rule.check(before, after, world)))


def reused(after: Record, deleting_commit: str) -> list[Finding]:
    """What follows where a new record has the id of another incident, which that commit deleted."""
    return _placed(after, id_reused.check_reused(after, deleting_commit))


def added(after: Record, policies: Sequence[MergedPolicy]) -> list[Finding]:
    """What a new record may not bring along; `policies` are those of the default branch that may rule it."""
    return _placed(after, policy_in_force.check_policy(after, policies))


def deleted(before: Record) -> list[Finding]:
    """What follows from a record that is there no more, at the file it was."""
    return [replace(finding, where=Where(before.path)) for finding in record_deleted.check_deleted(before)]


def _placed(record: Record, findings: Iterable[Finding]) -> list[Finding]:
    return [replace(finding, where=replace(finding.where, file=record.path)) for finding in findings]
