"""R247: the coordinator's JSON block becomes a policy that says only what differs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incident_ops.errors import UserError
from incident_ops.records.policy import load_policy
from incident_ops.records.policy_import import import_block

SOURCE: dict[str, Any] = {
    "enabled": True,
    "auto_create_incident_channel": True,
    "severity_levels": ["SEV0", "SEV1", "SEV2", "SEV3"],
    "notification_channels": {
        "SEV0": ["slack", "pagerduty", "email", "sms"],
        "SEV1": ["slack", "pagerduty"],
        "SEV2": ["slack"],
        "SEV3": [],
    },
    "postmortem_required": ["SEV0", "SEV1"],
}


def block(**changes: Any) -> str:
    return json.dumps({"agents": {"incident_coordinator": {**SOURCE, **changes}, "other": {"any": 1}}})


def test_the_playbooks_own_block_is_the_preset_itself() -> None:
    assert import_block(block()) == "extends: sev0-3\n"


def test_only_differences_are_written_and_the_result_is_a_valid_policy() -> None:
    text = import_block(
        block(
            enabled=False,
            auto_create_incident_channel=False,
            notification_channels={"SEV0": ["slack", "pagerduty", "email", "sms"], "SEV2": ["slack", "matrix"]},
            postmortem_required=["SEV0"],
        )
    )
    loaded = load_policy(text)
    assert loaded.findings == []
    assert loaded.own == {
        "extends": "sev0-3",
        "mode": "observe",
        "levels": [{"id": "SEV1", "postmortem": {"required": False}}, {"id": "SEV2", "channels": ["slack", "matrix"]}],
        "notify": {
            "channels": ["slack", "pagerduty", "email", "sms", "chat", "pager", "phone", "matrix"],
            "incident_channel": {"create": False},
        },
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "JSON"),
        ("[]", "no block agents.incident_coordinator"),
        ('{"agents": {"incident_coordinator": []}}', "no block agents.incident_coordinator"),
        (block(colour="red"), "unknown key 'colour'"),
        (block(severity_levels=["SEV0", "SEV1", "SEV2", "SEV9"]), "unknown level 'SEV9'"),
        (block(severity_levels=["SEV0", "SEV1", "SEV2"]), "leaves out SEV3"),
        (block(postmortem_required=["P1"]), "postmortem_required names the unknown level 'P1'"),
        (block(postmortem_required="SEV0"), "postmortem_required is 'SEV0'"),
        (block(notification_channels={"SEV-1": ["slack"]}), "notification_channels names the unknown level 'SEV-1'"),
        (block(notification_channels={"SEV1": "slack"}), "notification_channels.SEV1 is 'slack'"),
        (
            block(notification_channels={"SEV1": ["https://hooks.example.com/x"]}),
            "names the channel 'https://hooks.example.com/x'",
        ),
        (block(notification_channels=[]), "notification_channels is []"),
        (block(enabled="yes"), "enabled is 'yes'"),
    ],
)
def test_what_it_does_not_know_is_refused_and_never_dropped(text: str, message: str) -> None:
    with pytest.raises(UserError, match=r".") as caught:
        import_block(text)
    assert message in str(caught.value)
    assert caught.value.hint
