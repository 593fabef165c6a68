"""What counts as a real incident, and what a policy asks of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import DRILL, DUPLICATE, counts, exclusion, is_cancelled
from incident_ops.domain.policy import Policy
from incident_ops.records.policy import load_policy


def incident(**fields: Any) -> Incident:
    times = {"declared": "2025-01-22T12:00:00Z"}
    data = {"id": "INC-1", "title": "t", "services": ["app"], "state": "closed", "times": times, **fields}
    return msgspec.convert(data, Incident)


def policy(preset: str) -> Policy:
    loaded = load_policy(f"extends: {preset}\n")
    assert loaded.policy is not None, loaded.findings
    return loaded.policy


@pytest.mark.parametrize(
    ("fields", "reason", "cancelled"),
    [
        ({}, "", False),
        ({"drill": True}, DRILL, False),
        ({"outcome": "false_alarm"}, "false_alarm", True),
        ({"outcome": "withdrawn"}, "withdrawn", True),
        ({"outcome": "duplicate", "duplicate_of": "INC-2"}, DUPLICATE, True),
        ({"duplicate_of": "INC-2"}, DUPLICATE, True),
        ({"drill": True, "outcome": "false_alarm"}, DRILL, True),
    ],
)
def test_only_a_real_incident_counts(fields: dict[str, Any], reason: str, cancelled: bool) -> None:
    """A drill runs its clocks like a real incident and counts nowhere; the others have no clocks either."""
    record = incident(**fields)
    assert exclusion(record) == reason
    assert counts(record) is (reason == "")
    assert is_cancelled(record) is cancelled
    assert policy("sev0-3").requires_postmortem(incident(severity="SEV0", **fields)) is (reason == "")


def test_a_level_decides_about_the_postmortem() -> None:
    assert not policy("sev0-3").requires_postmortem(incident(severity="SEV3"))
    assert not policy("sev0-3").requires_postmortem(incident(severity="P1"))


def test_the_scheme_decides_which_label_drives() -> None:
    record = incident(severity="SEV1", priority="P2")
    assert policy("sev0-3").label_of(record) == "SEV1"
    assert policy("itil-p1-p4").label_of(record) == "P2"
    assert policy("sev0-3").label_of(incident(priority="P2")) is None
