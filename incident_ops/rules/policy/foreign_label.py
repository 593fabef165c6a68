"""A level label is not in this policy's scheme.

The same word means a different rank in another scheme: SEV1 is the second worst of sev0-3, SEV-1 the worst of sev1-3.
So labels are compared only within one scheme, letter by letter, and never guessed.

Before (extends: sev0-3):

    ingest:
      cap: SEV-2

After:

    ingest:
      cap: SEV2
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.findings import Finding, Level, Route, did_you_mean
from incident_ops.rules._support import other_homes
from incident_ops.rules.policy import PolicyFile

ID = "foreign-label"
LEVEL = Level.ERROR


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """A finding for each label in triage, targets, checklists, the ladder and ingest that its scale does not have."""
    policy = policy_file.policy
    for route, label, allowed in _labels(policy_file):
        if label not in allowed:
            message = f"{label!r} is not a level of scheme {policy.scheme.id}"
            yield policy_file.error(ID, route, message, _hint(label, allowed, policy.scheme.id))


def _labels(policy_file: PolicyFile) -> Iterator[tuple[Route, str, list[str]]]:
    policy = policy_file.policy
    driving, major = policy.labels, policy.major_labels
    for index, rule in enumerate(policy.triage.rules):
        yield ("triage", "rules", index, "level"), rule.level, driving
        if rule.major is not None:
            yield ("triage", "rules", index, "major"), rule.major, major
    for share in policy.targets.resolution:
        yield ("targets", "resolution", share.id, "id"), share.id, driving + major
    for checklist in policy.tracker.checklists:
        for index, label in enumerate(checklist.levels):
            yield ("tracker", "checklists", checklist.id, "levels", index), label, driving + major
    for tier in policy.escalation.tiers:
        for label in tier.wait if isinstance(tier.wait, dict) else ():
            yield ("escalation", "tiers", tier.id, "wait", label), label, driving
    if policy.ingest.cap is not None:
        yield ("ingest", "cap"), policy.ingest.cap, driving
    for word, label in policy.ingest.mapping.items():
        yield ("ingest", "mapping", word), label, driving


def _hint(label: str, allowed: list[str], scheme: str) -> str:
    hint = did_you_mean(label, allowed) or "this scheme has no such scale"
    homes = other_homes(label, scheme)
    return f"{hint}; {label} belongs to {homes}" if homes else hint
