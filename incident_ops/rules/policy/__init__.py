"""Rules about policy.yaml, one file each (`policy lint`). A rule's docstring is its documentation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Protocol

from incident_ops.findings import Finding, Level
from incident_ops.rules.listing import rule_modules
from incident_ops.rules.policy.subject import PolicyFile


class PolicyRule(Protocol):
    """A module of this folder."""

    ID: str
    LEVEL: Level
    __doc__: str | None

    def check(self, policy_file: PolicyFile, /) -> Iterator[Finding]: ...


@cache
def policy_rules() -> tuple[PolicyRule, ...]:
    """Every rule of this folder. Loaded when asked for: `validate` needs one of them only."""
    return rule_modules(__name__, __path__)


def check_policy(policy_file: PolicyFile) -> list[Finding]:
    """What all policy rules find, in the file's order once the caller has located the places."""
    return [finding for rule in policy_rules() for finding in rule.check(policy_file)]


__all__ = ["PolicyFile", "PolicyRule", "check_policy", "policy_rules"]
