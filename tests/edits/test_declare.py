"""declare: the record as it is first written."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from incident_ops.domain.incident import Triage
from incident_ops.domain.policy import Policy
from incident_ops.edits.declare import (
    Declaration,
    channel_name,
    declare_incident,
    highest_number,
    id_series,
    ids_by_time,
    numbered_id,
    runbook,
)
from incident_ops.errors import UserError
from incident_ops.records.yaml_writer import LayoutStyle, yaml_block
from tests.edits.scene import ITIL, SERVICES, SEV, START, Page, policy

DIGEST = "sha256:0123456789abcdef"


def declared(judge: Policy = SEV, **said: Any) -> Page:
    """The record of a declaration as a page; it has no error."""
    declaration = Declaration(**{"title": "Login fails", "services": ("api",), **said})
    data = declare_incident("INC-1", declaration, judge, DIGEST, START, "@a").data
    return Page("\n".join([*yaml_block(data, 0, LayoutStyle()), ""]), judge=judge)


def test_the_first_record() -> None:
    """R97-R101: state, policy in force, what is not known, the first entry of the timeline."""
    page = declared(severity="SEV1", source="alert")
    incident = page.incident
    assert page.states == ["new", "triaged"]
    assert (incident.times.declared, incident.times.detected) == ("2025-01-26T12:05:00Z",) * 2
    assert incident.policy is not None
    assert (incident.policy.scheme, incident.policy.digest) == ("sev0-3", DIGEST)
    assert (incident.policy.targets.response, incident.policy.targets.resolution) == ("15m", "2h")
    assert (incident.impact.users, incident.impact.revenue) == ("unknown", "unknown")
    first = incident.timeline[0]
    assert (first.event, first.action, first.result) == ("Alert fired", "Incident declared", "Investigating")


def test_noticed_earlier_is_an_entry_of_its_own() -> None:
    """In the order in which it happened."""
    page = declared(severity="SEV1", detected="2025-01-26T12:02:00Z", started="2025-01-26T12:00:00Z")
    assert [(one.at[11:16], one.event) for one in page.incident.timeline] == [
        ("12:02", "Incident noticed"),
        ("12:05", "Incident declared"),
    ]
    assert page.findings() == []


def test_the_answers_give_the_label_and_the_rule_is_known() -> None:
    """And they are kept."""
    said = {"title": "t", "services": ("api",), "answers": Triage(users_percent=60, feature="core")}
    made = declare_incident("INC-1", Declaration(**said), SEV, DIGEST, START, None)
    assert made.decision is not None
    assert made.data["severity"] == made.decision.level == "SEV1"
    assert made.data["triage"] == {"users_percent": 60, "feature": "core"}


def test_a_label_that_is_said_wins_and_the_difference_is_told() -> None:
    """A person at the keyboard knows more; the record keeps both."""
    said = {
        "title": "t",
        "services": ("api",),
        "severity": "SEV3",
        "answers": Triage(users_percent=100, feature="core"),
    }
    made = declare_incident("INC-1", Declaration(**said), SEV, DIGEST, START, None)
    assert made.data["severity"] == "SEV3"
    assert "SEV0" in made.warnings[0]


def test_without_a_label_or_an_answer_it_is_refused() -> None:
    """The hint has the labels of the policy; whoever was asked and knows nothing gets what the rules give."""
    with pytest.raises(UserError) as told:
        declared()
    assert "--severity SEV0|SEV1|SEV2|SEV3" in told.value.hint
    assert declared(by_rules=True).incident.severity in SEV.labels


def test_priorities_lead_to_a_severity() -> None:
    """R20: a P1 that is a major incident gets its severity, too."""
    page = declared(ITIL, answers=Triage(users_percent=100, feature="core"))
    assert page.incident.priority == "P1"
    assert page.incident.severity in (None, *ITIL.major_labels)


@pytest.mark.parametrize(
    ("labels", "severity", "message"),
    [
        ({"priority": "P1"}, "SEV-1", "a major incident: the answers meet SEV-1 (rule 2"),
        ({"priority": "P1", "severity": "SEV-2"}, "SEV-2", "the answers meet SEV-1, not SEV-2 (rule 2"),
        ({"priority": "P4"}, None, "the triage rules would give P1 and SEV-1 (rule 2"),
    ],
)
def test_answers_that_meet_a_severity_are_said_beside_what_was_typed(
    labels: dict[str, str], severity: str | None, message: str
) -> None:
    """R20: it is recorded beside a priority that is as bad; whoever typed another is not overruled."""
    answers = Triage(users_percent=100, feature="core")
    made = declare_incident("INC-1", Declaration("t", ("api",), answers=answers, **labels), ITIL, DIGEST, START, None)
    assert made.data.get("severity") == severity
    assert made.warnings[0].startswith(message)


def test_a_drill_with_its_commander() -> None:
    """And no warning that nobody commands."""
    page = declared(severity="SEV0", drill=True, commander="@dana", title='a: "b" # {{ c } - 🔥', description="- x\ny")
    assert (page.incident.drill, page.incident.roles.commander) == (True, "@dana")
    assert page.incident.title == 'a: "b" # {{ c } - 🔥'


@pytest.mark.parametrize(
    ("form", "ids", "expected"),
    [
        ("INC-YYYY-NNNNN", ["INC-2025-00007", "INC-2024-99999", "INC-9"], "INC-2025-00008"),
        ("INC-N", ["INC-7", "INC-2025-00099", "INC-20250126-120500"], "INC-8"),
        ("INC-N", [], "INC-1"),
    ],
)
def test_the_next_number_by_policy(form: str, ids: list[str], expected: str) -> None:
    """Numbered from the next free one; other forms do not count."""
    series = id_series(policy(f"extends: sev0-3\nids: {{incident: {form}}}\n"), START)
    assert series is not None
    assert numbered_id(series, highest_number(ids, series) + 1) == expected


def test_ids_by_time_are_utc() -> None:
    """Second by second, wherever the keyboard is."""
    from datetime import timezone

    east = START.astimezone(timezone(timedelta(hours=9)))
    assert id_series(SEV, east) is None
    assert list(islice(ids_by_time(east), 2)) == ["INC-20250126-120500", "INC-20250126-120501"]


def test_channel_and_runbook() -> None:
    """R102, by the policy's patterns."""
    incident = declared(severity="SEV1").incident
    assert channel_name(incident, SEV) == "#incident-20250126-120500"
    assert channel_name(incident, ITIL) == "#incident-INC-1"
    assert runbook("api", SERVICES, SEV) == "runbooks/api.md"
