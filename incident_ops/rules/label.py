"""The level of an incident is a label of the policy's scheme, in the field that the scheme uses.

The same word means a different rank in another scheme (`SEV1` is second in one, `SEV-1` first in two others), so a
label of another scheme is never translated. A scheme uses `severity` or `priority`; the other field stays empty, or
marks a major incident where the scheme has that second scale. On a closed record of an earlier scheme this is only a
warning.

    before: severity: SEV-1        # the policy extends sev0-3
    after:  severity: SEV0
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level, did_you_mean
from incident_ops.rules._support import other_homes, rule_finding

ID = "label"
LEVEL = (Level.ERROR, Level.WARNING)
TIMED = False


def check(record: Record, world: World) -> Iterator[Finding]:
    """Both label fields, the labels of the history, and the scheme the record was declared under."""
    incident, policy = record.incident, world.policy
    allowed = {policy.drives: policy.labels}
    if policy.major_labels:
        allowed["severity"] = policy.major_labels
    if getattr(incident, policy.drives) is None and not (incident.priority and "priority" not in allowed):
        message = f"{policy.drives} is missing: scheme {policy.scheme.id} takes its level from it"
        yield rule_finding(ID, Level.ERROR, (), message, f"{policy.drives}: one of {', '.join(policy.labels)}")
    for name in ("severity", "priority"):
        label = getattr(incident, name)
        if label is None:
            continue
        if name not in allowed:
            message = f"scheme {policy.scheme.id} has no {name}; its level is the {policy.drives}"
            hint = f"{policy.drives}: one of {', '.join(policy.labels)}"
            yield rule_finding(ID, Level.ERROR, (name,), message, hint, on_key=True)
        elif label not in allowed[name]:
            yield _foreign(policy, (name,), label, allowed[name])
    for index, change in enumerate(incident.changes):
        for key, label in (("from", change.old), ("to", change.new)):
            if label is not None and change.field in allowed and label not in allowed[change.field]:
                yield _foreign(policy, ("changes", index, key), label, allowed[change.field])
    if incident.policy and incident.policy.scheme != policy.scheme.id:
        message = f"declared under scheme {incident.policy.scheme}, but the policy is {policy.scheme.id}"
        level = Level.WARNING if incident.is_closed else Level.ERROR
        yield rule_finding(ID, level, ("policy", "scheme"), message, "labels of two schemes cannot be compared")


def _foreign(policy: Policy, route: tuple[str | int, ...], label: str, allowed: list[str]) -> Finding:
    message = f"{label!r} is not a {route[0] if len(route) == 1 else 'level'} of scheme {policy.scheme.id}"
    homes = other_homes(label, policy.scheme.id)
    hint = f"it belongs to {homes}; allowed here: {', '.join(allowed)}" if homes else did_you_mean(label, allowed)
    return rule_finding(ID, Level.ERROR, route, message, hint)
