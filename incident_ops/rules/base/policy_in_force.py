"""The policy block of a new record is that of a policy that the default branch has, or had up to 7 days before.

Its targets set the incident's clocks, so nobody may bring along clocks of their own. An error: targets or a scheme that
no such policy gives. A warning: a digest that no such policy has, where the targets are right; another version of
incident-ops gives the same policy another digest.

    before: policy: {scheme: sev0-3, targets: {response: 3000d}}
    after:  policy: {scheme: sev0-3, targets: {response: 15m}}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import MergedPolicy, Record
from incident_ops.domain.time import parse_instant
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import rule_finding

ID = "policy-in-force"
LEVEL = (Level.ERROR, Level.WARNING)
TIMED = False


def check_policy(after: Record, policies: Sequence[MergedPolicy]) -> Iterator[Finding]:
    """Scheme, targets and digest of a new record; `policies` are those that may rule it, the newest first."""
    block = after.incident.policy
    if block is None or not policies:
        return
    known = [one for one in policies if one.policy.scheme.id == block.scheme]
    if not known:
        newest = policies[0].policy.scheme.id
        message = f"scheme is {block.scheme}; the policy on the default branch has {newest}"
        yield rule_finding(ID, Level.ERROR, ("policy", "scheme"), message, f"scheme: {newest}")
        return
    wrong = [list(_wrong_targets(after.incident, one.policy)) for one in known]
    if all(wrong):
        yield from wrong[0]
    elif block.digest is not None and all(one.digest != block.digest for one in policies):
        message = f"digest {block.digest} is that of no policy that the default branch had in the last 7 days"
        hint = f"its targets are right; {known[0].digest} is the present one"
        yield rule_finding(ID, Level.WARNING, ("policy", "digest"), message, hint)


def _wrong_targets(incident: Incident, policy: Policy) -> Iterator[Finding]:
    severity, priority = (_declared(incident, field, policy.drives) for field in ("severity", "priority"))
    level = policy.for_incident(incident).duties(severity, priority)
    if incident.policy is None or level is None:  # an unknown label has a finding of its own
        return
    label = policy.driving_label(severity, priority)
    for name in ("response", "resolution"):
        own, given = getattr(incident.policy.targets, name), getattr(level, name)
        if own is not None and own != given:
            message = f"targets.{name} is {own}; the policy on the default branch gives {label} {given or 'none'}"
            hint = f"{name}: {given}" if given else f"take {name} out"
            yield rule_finding(ID, Level.ERROR, ("policy", "targets", name), message, hint)


def _declared(incident: Incident, field: str, drives: str) -> str | None:
    """The label of a field at the declaration; of the one that drives the clocks the first that it ever had."""
    changes = sorted((one for one in incident.changes if one.field == field), key=lambda one: parse_instant(one.at))
    present: str | None = getattr(incident, field)
    held = [label for one in changes for label in (one.old, one.new)] + [present]
    return next((label for label in held if label is not None), None) if field == drives else held[0]
