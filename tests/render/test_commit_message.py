"""The message of a sent record, where another clone sent the very same."""

from __future__ import annotations

from incident_ops.documents.sent_text import commit_message
from incident_ops.domain.incident import Incident, Times


def test_a_commit_that_says_nothing_new_claims_nothing() -> None:
    times = Times(declared="2025-03-01T10:00:00Z")
    incident = Incident(id="INC-1", title="t", services=["api"], state="new", severity="SEV1", times=times)
    assert commit_message("INC-1", incident, [], is_new=False) == "INC-1: joined with what its branch has"
    assert commit_message("INC-1", incident, [], is_new=True) == "INC-1: declared, SEV1"
