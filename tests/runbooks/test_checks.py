"""What `runbook lint` finds: each fault alone, on its line, and nothing in the shipped starters."""

from __future__ import annotations

from datetime import date

import pytest

from incident_ops.findings import Finding
from incident_ops.render.runbook_starters import starter_names, starter_text
from incident_ops.runbooks.checks import ORDER, check_runbook
from incident_ops.runbooks.reading import read_runbook

TODAY = date(2026, 1, 1)
GOOD = starter_text("rollback", "api", "@team", date(2026, 6, 30))


def found(text: str) -> list[Finding]:
    return check_runbook(read_runbook(text.encode(), "r.md"), TODAY)


def test_every_starter_is_clean_and_says_whose_it_is() -> None:
    assert starter_names() == ("capacity", "database", "degraded-mode", "rollback", "third-party")
    for name in starter_names():
        text = starter_text(name, "api", "@team", date(2026, 6, 30))
        assert found(text) == [], name
        assert read_runbook(text.encode(), "r.md").owner == "@team"


TO_SOURCE = '   cd "${SERVICE_REPO:?set it to your clone of api}"\n   git log'


def test_the_starters_have_their_steps_and_figures() -> None:
    """The five of a rollback in order; the limits of the circuit breaker; a switch without a deploy."""
    places = [GOOD.index(words) for words in ("git log --oneline -10", "git revert", "Trigger the deploy", "= 200")]
    places.append(GOOD.index("error rate for 10 minutes"))
    assert places == sorted(places)
    assert GOOD.count('cd "${SERVICE_REPO:?') == 2, "who runs it stands in the repository of records"
    third = starter_text("third-party", "api", "@team", TODAY)
    assert all(figure in third for figure in ("3000 ms", "50 %", "30000 ms", "queue", "has to alert"))
    assert "No deploy is needed" in starter_text("degraded-mode", "api", "@team", TODAY)


@pytest.mark.parametrize(
    ("before", "after", "level", "message"),
    [
        ('owner: "@team"\n', "", "warning", "nobody owns this runbook"),
        ("review_by: 2026-06-30\n", "", "warning", "it has no date of its next review"),
        ("2026-06-30", "2025-12-31", "warning", "its review was due on 2025-12-31"),
        ("2026-06-30", "soon", "error", "review_by 'soon' is not a date"),
        ("2. Recent", "2. <!-- x -->\n3. Recent", "warning", "step 2 has no text"),
        ("## Roll back", "## Wait\n\n## Roll back", "warning", "step 5 says nothing below its heading"),
        (f"```sh\n{TO_SOURCE}", f"```python\n{TO_SOURCE}", "warning", "a fence of python is not run"),
        (f"```sh\n{TO_SOURCE}", f"```\n{TO_SOURCE}", "warning", "a fence names no language"),
        ("An expired certificate: renew it, then restart what uses it. ", "", "note", "an expired certificate"),
        ("Error logs", "Whatever", "note", "no step looks at: error logs"),
    ],
)
def test_each_fault_is_found_alone(before: str, after: str, level: str, message: str) -> None:
    assert before in GOOD
    (finding,) = found(GOOD.replace(before, after))
    assert finding.level.value == level
    assert message in finding.message
    assert finding.hint


def test_questions_out_of_order_are_noted() -> None:
    said = [one.message for one in found("1. Metrics\n2. Deployments\n3. Logs\n4. Health\n") if one.rule == ORDER]
    assert said == ["it looks first at metrics, then at recent deployments, then at error logs, then at service health"]


def test_a_review_of_today_is_in_time() -> None:
    assert found(GOOD.replace("2026-06-30", "2026-01-01")) == []
