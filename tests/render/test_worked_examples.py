"""The figures that the four playbooks state of their own incidents come out in the documents of the examples."""

from __future__ import annotations

import re

import pytest

from tests.render.test_documents import example

LOGIN, LOCKING = "INC-20250126-120500", "INC-20250120-102000"


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second or third level."""
    found = re.search(rf"^#{{2,3}} {re.escape(heading)}\n(.*?)(?=^#{{2,3}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("postmortem.md", "- **Who was affected:** users of auth: 5,000 (60 %), for 30m (2025-01-26 12:00–12:30 UTC)"),
        ("postmortem.md", "| Duration | 30m (started to restored, 12:00–12:30 UTC) |"),
        ("postmortem.md", "- **Users affected:** 5,000 (60 %)"),
        ("incident.md", "- **Duration:** 30m (started to restored, 12:00–12:30 UTC)"),
        ("incident.md", "- **Users affected:** 5,000 (60 %)"),
    ],
)
def test_the_login_outage_hurt_60_percent_for_30_minutes(file: str, line: str) -> None:
    assert line in example(LOGIN)[file].splitlines()


def test_of_a_budget_of_43_2_minutes_45_are_used_1_8_too_many() -> None:
    assert section(example(LOCKING)["postmortem.md"], "SLO status").strip().splitlines()[-2:] == [
        "- **Objective:** 99.9 % in 30d, a budget of 43.2 min",
        "- **Used by this incident:** 45 min, 1.8 min more than the whole budget",
    ]
    assert "- **Error budget used:** 45 min" in example(LOCKING)["incident.md"].splitlines()


def test_the_20_minutes_that_follow_from_the_times_stand_beside_the_45_that_were_reported() -> None:
    """The source counts until the incident was closed, and gives 20 minutes as its time of recovery."""
    text = example(LOCKING)["postmortem.md"]
    assert "| Duration | 20m (started to restored, 10:15–10:35 UTC) |" in text
    assert "| Impact | started – restored | 20m |" in section(text, "Intervals")
    assert "| Total | started – closed | 45m |" in section(text, "Intervals")
    reported = section(text, "From the original report").splitlines()
    assert {"- Duration in minutes: 45", "- Recovery in minutes: 20"} <= set(reported)


def test_ten_actions_are_4_p0_3_p1_and_3_p2() -> None:
    documents = example(LOCKING)
    for name in ("postmortem.md", "action-items.md"):
        assert "_Total: 10 (4 P0, 3 P1, 3 P2); 10 open._" in documents[name].splitlines()
    rows = re.findall(r"^\| AI-\d+ \|.*$", section(documents["postmortem.md"], "Action items"), re.MULTILINE)
    found = [priority for row in rows for priority in re.findall(r"\| (P\d) \|", row)]
    assert {level: found.count(level) for level in ("P0", "P1", "P2")} == {"P0": 4, "P1": 3, "P2": 3}
    assert len(rows) == 10
