"""What an incident showed to be missing from the runbooks, and where its postmortem says so."""

from __future__ import annotations

from typing import Any

import msgspec

from incident_ops.documents.incident_documents import incident_documents
from incident_ops.domain.incident import Incident
from incident_ops.runbooks.gaps import runbook_gaps
from tests.edits.scene import SEV, START
from tests.support.repository import record

STEP = {"at": "2025-01-26T12:06:00Z", "kind": "runbook", "event": "Runbook runbooks/api.md, step 3 of 9: Restart it"}
FAILED = {**STEP, "result": "failed, exit code 1: no such pod"}
FOLLOWS = "No action item of kind runbook follows from it yet"


def incident(**fields: Any) -> Incident:
    return msgspec.convert(record(**fields), Incident)


def test_a_step_that_failed_and_a_service_without_a_runbook_are_gaps() -> None:
    found = incident(timeline=[{**STEP, "result": "done, exit code 0"}, FAILED])
    said = "Runbook runbooks/api.md, step 3 of 9: Restart it: failed, exit code 1: no such pod"
    assert runbook_gaps(found) == [said, FOLLOWS]
    assert runbook_gaps(incident(), {"api": "runbooks/api.md"}) == ["api has no runbook at runbooks/api.md", FOLLOWS]
    assert runbook_gaps(incident()) == []


def test_an_action_item_or_a_runbook_that_was_updated_closes_it() -> None:
    item = {"id": "AI-1", "title": "Write down the restart", "status": "open", "kind": "runbook"}
    assert FOLLOWS not in runbook_gaps(incident(timeline=[FAILED], action_items=[item]))
    assert FOLLOWS not in runbook_gaps(incident(timeline=[FAILED], links={"runbook_updated": "2025-01-27T10:00:00Z"}))


def test_the_postmortem_names_the_gaps_where_a_step_failed() -> None:
    made = incident_documents(incident(timeline=[FAILED]), SEV, START, leads_somewhere=lambda _: False)
    text = made["postmortem.md"].partition("## Runbook gaps\n\n")[2].partition("\n\n")[0]
    assert text.count("\n- ") == 2
    assert "Restart it: failed, exit code 1: no such pod" in text
    assert "api has no runbook at runbooks/api.md" in text.replace("\\", "")
    assert "Runbook gaps" not in incident_documents(incident(), SEV, START)["postmortem.md"]
