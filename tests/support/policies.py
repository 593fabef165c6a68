"""Policies for tests: a preset as it is shipped, with a few lines of the user's own."""

from __future__ import annotations

from functools import cache

from incident_ops.domain.policy import Policy
from incident_ops.records.policy import load_policy


@cache
def policy(preset: str = "sev0-3", extra: str = "") -> Policy:
    """The policy that `extends: preset` and these lines make."""
    loaded = load_policy(f"extends: {preset}\n{extra}")
    assert loaded.policy is not None, loaded.findings
    return loaded.policy
