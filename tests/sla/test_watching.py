"""Of which incidents the comments are asked for: the request is spared where no rule reads them."""

from __future__ import annotations

import pytest

from incident_ops.domain.as_of import as_of
from incident_ops.sla.activity import watched_since
from tests.sla.escalating import at, incident, policy

PLAIN = policy("sev0-3")
KEYWORDS = policy("sev0-3", "escalation: {keywords: [lawyer]}\n")
STATES = policy("sev0-3", "states: {auto_close: 7d, auto_reopen: 30d}\n")
OVER = {"restored": "1h", "resolved": "1h", "closed": "2h"}


def sev1(**fields: object) -> dict[str, object]:
    return {"priority": None, "severity": "SEV1", **fields}


def test_where_no_rule_reads_comments_nobody_is_asked() -> None:
    """Neither for an open incident nor for a closed one."""
    assert watched_since(as_of(incident(**sev1()), at("1h")), PLAIN) is None
    assert watched_since(as_of(incident(OVER, **sev1(state="closed")), at("3h")), PLAIN) is None


def test_an_open_incident_is_heard_since_its_declaration() -> None:
    """Keywords, stagnation and deferral read comments; a false alarm is not heard, nor one of the future."""
    assert watched_since(as_of(incident(**sev1()), at("1h")), KEYWORDS) == at()
    assert watched_since(as_of(incident(), at("1h")), policy()) == at()
    assert watched_since(as_of(incident(**sev1(outcome="false_alarm")), at("1h")), KEYWORDS) is None
    assert watched_since(as_of(incident(**sev1()), at().replace(year=2024)), KEYWORDS) is None
    assert watched_since(as_of(incident(**sev1(severity="SEV9")), at("1h")), KEYWORDS) is None


def test_a_resolved_one_is_heard_while_it_may_be_closed() -> None:
    """Only where the policy closes by itself."""
    record = incident({"restored": "1h", "resolved": "1h"}, **sev1(state="resolved"))
    assert watched_since(as_of(record, at("2h")), STATES) == at("1h")
    assert watched_since(as_of(record, at("2h")), KEYWORDS) is None


@pytest.mark.parametrize(("now", "heard"), [("3h", True), ("722h", True), ("745h", True), ("747h", False)])
def test_a_closed_one_is_heard_within_the_window_and_a_day(now: str, heard: bool) -> None:
    """30 days from the closing, and one day for a run that comes late; a duplicate does not come back."""
    record = incident(OVER, **sev1(state="closed"))
    assert watched_since(as_of(record, at(now)), STATES) == (at("2h") if heard else None)
    again = incident(OVER, **sev1(state="closed", duplicate_of="INC-2"))
    assert watched_since(as_of(again, at(now)), STATES) is None
