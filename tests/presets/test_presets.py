"""Each preset says what its playbook says: the tables by golden, every other number by row."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from incident_ops import resources
from incident_ops.domain.time import duration
from incident_ops.records.policy import Data, load_policy, preset
from incident_ops.render.policy import level_tables, triage_table
from incident_ops.resources import preset_names

GOLDEN = Path(__file__).parent / "golden"
S0, S1, S2, S3 = "sev0-3", "itil-p1-p4", "sev1-3", "p0-p3"


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_prints_its_playbooks_own_tables_back(name: str) -> None:
    policy = load_policy(f"extends: {name}\n").policy
    assert policy is not None
    assert f"{level_tables(policy)}\n{triage_table(policy)}" == (GOLDEN / f"{name}.md").read_text()


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_valid_by_the_policy_schema(name: str) -> None:
    schema = json.loads(resources.resource_text("schemas/policy.schema.json"))
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True, ignore_unknown_formats=False)
    assert [error.message for error in validator.iter_errors({"extends": name, **preset(name)})] == []


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_says_every_block_and_every_field_of_a_level(name: str) -> None:
    schema = json.loads(resources.resource_text("schemas/policy.schema.json"))
    data = preset(name)
    assert set(data) == set(schema["properties"]) - {"extends"}
    for level in (*data["levels"], *data["scheme"]["major"]):
        assert set(level) == set(schema["$defs"]["level"]["properties"]), level["id"]
    for block, of in schema["properties"].items():
        if of.get("type") == "object" and block != "contacts":
            assert set(data[block]) == set(of.get("properties", data[block])), block


def value(data: Data, path: str) -> Any:
    """`levels.SEV0.phases.triage.to`: a step into a list of entries with ids is an id."""
    found: Any = data
    for step in path.split("/"):
        found = next(entry for entry in found if entry["id"] == step) if isinstance(found, list) else found[step]
    return found


ROWS: list[tuple[str, str, str, Any]] = [
    ("R1", S0, "scheme/drives_clocks", "severity"),
    ("R3", S1, "scheme/drives_clocks", "priority"),
    ("R19", S3, "levels/P1/declare", True),
    ("R19", S3, "levels/P2/declare", False),
    ("R22", S2, "triage/within", "15m"),
    ("R23", S0, "triage/within", "10m"),
    ("R24", S1, "targets/detection", "2m"),
    ("R41", S2, "levels/SEV-3/update", {"internal": None, "public": "15m", "public_max": "30m"}),
    ("R47", S3, "levels/P0/update/public", "30m"),
    ("R48", S2, "levels/SEV-3/calendar", "business"),
    ("R49", S2, "levels/SEV-1/phases/triage/to", "15m"),
    ("R49", S2, "levels/SEV-1/phases/root_cause/to", "45m"),
    ("R50", S0, "levels/SEV1/phases/investigation/from", "10m"),
    ("R50", S0, "levels/SEV1/phases/investigation/to", "30m"),
    ("R50", S0, "levels/SEV1/phases/mitigation/to", "60m"),
    ("R50", S0, "levels/SEV0/runbook_blocks/first/to", "5m"),
    ("R50", S0, "levels/SEV0/runbook_blocks/second/to", "15m"),
    ("R50", S0, "levels/SEV0/runbook_blocks/third/to", "30m"),
    ("R50", S0, "levels/SEV0/runbook_blocks/rest/to", None),
    ("R51", S1, "scheme/major/SEV-1/diagnosis", "15m"),
    ("R58", S1, "levels/P3/warn_at", "75%"),
    ("R59", S1, "levels/P1/stagnation", "2h"),
    ("R59", S1, "levels/P2/stagnation", "4h"),
    ("R59", S1, "levels/P4/stagnation", None),
    ("R60", S1, "escalation/reassignments_gt", 3),
    ("R62", S1, "escalation/pattern", {"count": 5, "window": "24h"}),
    ("R65", S1, "escalation/tiers/specialists/kind", "specialist"),
    ("R65", S1, "escalation/tiers/vendors/kind", "vendor"),
    ("R79", S1, "states/auto_close", "7d"),
    ("R80", S1, "states/auto_pending", "24h"),
    ("R81", S1, "states/auto_reopen", "30d"),
    ("R87", S0, "states/stable_for", "10m"),
    ("R87", S1, "states/stable_for", "10m"),
    ("R88", S1, "levels/P1/verify", True),
    ("R88", S1, "scheme/major/SEV-2/verify", True),
    ("R88", S1, "levels/P3/verify", False),
    ("R92", S1, "ids/incident", "INC-YYYY-NNNNN"),
    ("R94", S2, "ids/incident", "INC-N"),
    ("R95", S3, "ids/incident", "INC-YYYYMMDD-HHMMSS"),
    ("R123", S0, "notify/incident_channel", {"create": True, "name": "incident-{timestamp}"}),
    ("R124", S3, "notify/incident_channel/name", "incident-{id}"),
    ("R146", S0, "triage/recent_changes", "2h"),
    ("R162", S3, "documents/runbook_path", "monitoring/runbooks/{service}.md"),
    ("R171", S0, "levels/SEV0/postmortem/within", "48h"),
    ("R172", S1, "scheme/major/SEV-1/postmortem/within", "1d"),
    ("R183", S3, "documents/follow_up", "30d"),
    ("R193", S0, "action_items/metric_days", 30),
    ("R194", S3, "action_items/due_by_priority", {"P0": "7d", "P1": "30d", "P2": "90d"}),
    ("R200", S0, "targets/detection", "5m"),
    ("R201", S0, "targets/resolution", [{"id": "SEV0", "within": "1h", "pct": 90}]),
    ("R202", S0, "targets/repeat_reduction_pct", 80),
    ("R203", S0, "targets/mttr_trend", "falling"),
    ("R204", S1, "targets/sla_compliance_pct", 95),
    ("R205", S1, "targets/escalation_accuracy_pct", 90),
    ("R206", S1, "targets/coordination", "5m"),
    ("R209", S3, "slo", {"target_pct": 99.9, "window": "30d", "mode": "time"}),
    ("R216", S1, "ids/change", "CHG-YYYY-NNNN"),
    ("R219", S1, "maintenance/buffer", "30m"),
    ("R219", S1, "maintenance/usual_window", {"tz": "America/New_York", "day": "sunday", "hours": "02:00-04:00"}),
    ("R222", S1, "maintenance/approvals", ["Database team", "Application team", "IT Manager", "CAB"]),
    ("R231", S1, "ids/problem", "PRB-YYYY-NNNN"),
    ("R237", S0, "gate/canary_environment", "production-canary"),
    ("R237", S0, "gate/steps", [10, 100]),
    ("R238", S0, "gate/observe", "10m"),
    ("R239", S0, "gate/max_error_pct", 1),
    ("R241", S0, "gate/after_rollout_pct", 5),
    ("R242", S1, "gate/steps", [10, 50, 100]),
    ("R245", S0, "gate/block_on_open_rank", 2),
    ("R246", S3, "gate/budget", "hold"),
    ("C13", S2, "levels/SEV-1/resolution", None),
    ("C33", S1, "levels/P4/calendar", "24x7"),
    ("C33", S3, "levels/P3/calendar", "business"),
]


@pytest.mark.parametrize(
    ("row", "name", "path", "wanted"), ROWS, ids=[f"{row}-{name}-{path}" for row, name, path, _ in ROWS]
)
def test_a_number_of_a_row_is_in_the_preset_of_its_source(row: str, name: str, path: str, wanted: Any) -> None:
    assert value(preset(name), path) == wanted, row


def test_notices_of_a_maintenance_window_come_in_the_order_and_on_the_channels_of_r223() -> None:
    notices = preset(S1)["maintenance"]["notices"]
    assert [notice["when"] for notice in notices] == ["7d", "3d", "1d", "2h", "start", "end"]
    assert [notice["channels"] for notice in notices[:3]] == [["email"], ["email"], ["email", "slack"]]
    assert [notice["status_page"] for notice in notices[:3]] == [False, True, False]


def test_the_checklist_before_maintenance_has_the_six_items_of_r224() -> None:
    items = [item["text"].lower() for item in preset(S1)["maintenance"]["checklist"]]
    words = ["backup", "rollback plan", "scripts", "test environment", "on-call", "communication"]
    assert len(items) == len(words)
    assert all(word in item for word, item in zip(words, items, strict=True))


def checklist(name: str, wanted: str) -> list[Data]:
    """The boxes of one checklist of a preset."""
    return next(one["items"] for one in preset(name)["tracker"]["checklists"] if one["id"] == wanted)


def boxes(items: list[Data]) -> int:
    """Boxes to tick, those below others counted."""
    return sum(1 + len(item.get("items", [])) for item in items)


CHECKLISTS = {
    S0: {"sev0-first": 4, "sev0-second": 5, "sev0-third": 4, "sev0-rest": 5},
    S1: {"sev-1": 8, "at-once": 4, "war-room": 11},
    S2: {"immediate": 5, "triage": 2, "during": 4, "fixed": 3, "after": 3},
    S3: {"during": 23, "after": 20},
}


@pytest.mark.parametrize("name", CHECKLISTS)
def test_checklists_have_the_boxes_of_their_playbook(name: str) -> None:
    """R153 (18 in four blocks), R119, R120, R125, R126, R127, R144, R90, R186, R154 (23), R155 (20)."""
    lists = preset(name)["tracker"]["checklists"]
    assert {one["id"]: boxes(one["items"]) for one in lists} == CHECKLISTS[name]


def test_the_blocks_of_sev0_are_eighteen_boxes_at_the_minutes_of_r50() -> None:
    """R153; R129: page, status page and executives stand in the first block."""
    lists = preset(S0)["tracker"]["checklists"]
    assert sum(boxes(one["items"]) for one in lists) == 18
    assert [(one["from"], one["to"]) for one in lists] == [("0m", "5m"), ("5m", "15m"), ("15m", "30m"), ("30m", None)]
    assert {tuple(one["levels"]) for one in lists} == {("SEV0",)}
    first = [item["text"] for item in checklist(S0, "sev0-first")]
    assert first[2] == 'Post "Investigating outage" on the status page'
    assert "chat and SMS" in first[3]


def test_the_war_room_has_seven_steps_and_what_goes_on_in_the_fifth() -> None:
    """R66, R120, R121, R51: at once for SEV-1 alone; SEV-2 has its rapid response team, SEV-3 the manager."""
    steps = checklist(S1, "war-room")
    assert [step["id"] for step in steps] == [
        *("declare", "assemble", "bridge", "assessment", "ongoing", "restoration", "stand-down")
    ]
    assert [part["id"] for part in steps[4]["items"]] == ["updates", "timeline", "stakeholders", "decisions"]
    levels = {one["id"]: one["levels"] for one in preset(S1)["tracker"]["checklists"]}
    assert levels == {
        "sev-1": ["SEV-1"],
        "at-once": ["SEV-1"],
        "war-room": ["SEV-1"],
    }


def test_each_level_calls_the_people_that_its_playbook_names() -> None:
    """R66, R125: the pager for P1, SEV-1 and SEV-2; nobody is paged for a P3, or for a SEV-3."""
    data = preset(S1)
    levels = {one["id"]: one for one in (*data["levels"], *data["scheme"]["major"])}
    assert {name for name, level in levels.items() if "pager" in level["channels"]} == {"P1", "SEV-1", "SEV-2"}
    assert {name for name, level in levels.items() if "sms" in level["channels"]} == {"SEV-1", "SEV-2"}
    assert {name: level["audiences"] for name, level in levels.items() if level["audiences"]} == {
        "SEV-1": ["executive", "it_director", "cto"],
        "SEV-2": ["vp"],
        "SEV-3": ["manager"],
    }
    assert [rule["major"] for rule in data["triage"]["rules"]] == ["SEV-1", "SEV-1", "SEV-2", None, "SEV-2", None]


def test_the_immediate_actions_are_the_five_of_r126() -> None:
    words = [item["text"].partition(":")[0] for item in checklist(S2, "immediate")]
    assert words == ["Acknowledge", "Assess", "Assemble", "Communicate", "Act"]


def test_the_lists_of_p0_p3_have_the_parts_of_their_rows() -> None:
    """R154: 13 items, 4 roles, 4 questions, 2 audiences. R155: 8 items, 4 kinds of data, 8 parts of the draft."""
    during, after = checklist(S3, "during"), checklist(S3, "after")
    assert (len(during), len(after)) == (13, 8)
    assert {item["id"]: len(item["items"]) for item in during if "items" in item} == {
        "roles": 4,
        "assessment": 4,
        "communicate": 2,
    }
    assert {item["id"]: len(item["items"]) for item in after if "items" in item} == {"data": 4, "draft": 8}


def test_only_sev1_3_has_principles_five_and_two() -> None:
    """R257, R258."""
    assert [len(preset(name)["tracker"]["principles"]) for name in (S0, S1, S2, S3)] == [0, 0, 7, 0]


def test_cause_priors_are_those_of_r150_and_make_a_hundred() -> None:
    causes = {cause["id"]: cause["prior_pct"] for cause in preset(S0)["triage"]["causes"]}
    assert causes == {
        "deploy": 40,
        "database": 20,
        "third_party": 15,
        "infrastructure": 10,
        "configuration": 10,
        "security": 5,
    }
    assert sum(causes.values()) == 100


def test_routing_of_sev1_3_has_the_symptoms_phases_and_contacts_of_its_source() -> None:
    """R72, R73, R74."""
    data = preset(S2)
    assert list(data["routing"]["by_symptom"]) == [
        "api_errors",
        "database",
        "network",
        "performance",
        "security",
        "frontend",
    ]
    assert list(data["routing"]["by_phase"]) == [
        "initial_response",
        "investigation",
        "fix",
        "deployment",
        "documentation",
    ]
    assert {"on_call", "database_admin", "security_team", "customer_comms"} <= set(data["contacts"]["roles"])


@pytest.mark.parametrize("name", [S0, S1, S2, S3])
def test_what_the_four_presets_have_in_common(name: str) -> None:
    data = preset(name)
    assert data["scheme"]["id"] == name
    assert data["mode"] == "active"
    assert data["write_back"] == {"commands": "push", "automation": "pull_request"}
    assert data["automation"] == {"tick": True}
    assert data["watch"] == {"ranks": [1], "horizon": "2h", "minutes": {"incident": 360, "month": 1000}}
    assert data["tracker"]["identities"] == ["github-actions[bot]"]
    assert data["tracker"]["limits"] == {"creates": 20, "closes": 5, "closes_pct": 30, "writes": 40, "requests": 300}
    assert data["gate"]["dependency_depth"] == 1
    business = data["calendars"]["business"]
    assert business["tz"] == "Etc/UTC"
    assert [day for day, hours in business["hours"].items() if hours == ["09:00-17:00"]] == [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
    ]
    assert business["holidays"] == []
    assert [level["rank"] for level in data["levels"]] == list(range(1, len(data["levels"]) + 1))


@pytest.mark.parametrize("name", preset_names())
def test_every_number_of_a_level_carries_its_row_in_a_comment(name: str) -> None:
    """A number without a source is a number nobody can check; the boilerplate of no source says so itself."""
    text = resources.resource_text(f"presets/{name}.yaml")
    levels = text[text.index("\nlevels:") : text.index("\ntriage:")]
    bare = [
        line
        for line in levels.splitlines()
        if re.search(r": [0-9]+[mhd%]\s*$", line) and not line.strip().startswith("from: 0m")
    ]
    assert bare == []


@pytest.mark.parametrize("name", preset_names())
def test_every_time_in_a_preset_can_be_read(name: str) -> None:
    """The schema's pattern and our reader of durations agree on every text of the shipped presets."""

    def texts(data: Any) -> list[str]:
        if isinstance(data, dict):
            return [text for entry in data.values() for text in texts(entry)]
        return (
            [text for entry in data for text in texts(entry)]
            if isinstance(data, list)
            else [data]
            if isinstance(data, str)
            else []
        )

    times = [text for text in texts(preset(name)) if re.fullmatch(r"(?:[0-9]+[dhms])+", text)]
    assert times
    assert all(duration(text) >= 0 for text in times)
