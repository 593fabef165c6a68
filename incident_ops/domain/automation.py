"""Whether somebody is a person: what the automation or a bot did is nobody's act, and its name needs no contact."""

from __future__ import annotations

from incident_ops.domain.policy import Policy

AUTOMATION = "incident-ops"
"""Who writes what the automation decides: `by` of its changes and of its lines in the timeline."""


def is_automation(by: str | None, policy: Policy) -> bool:
    """True for the automation itself, any login that ends in [bot], and the identities the tracker trusts."""
    name = (by or "").removeprefix("@")
    return name == AUTOMATION or name.endswith("[bot]") or name in policy.tracker.identities
