"""`sla check` for one incident, or some: by level, service, state and assignee."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.scene import ROOT, Done, Folder, call

EXAMPLE = ROOT / "examples/itil-p1-p4"
EVENING = "2025-10-21T18:00:00Z"


def check(*args: str, at: Path = EXAMPLE) -> Done:
    return call("sla", "check", *args, at=at, clock=EVENING)


def incidents(*args: str) -> set[str]:
    """The ids of everything that the JSON names."""
    done = check("--format", "json", *args)
    assert done.code == 0, done
    data = json.loads(done.out)
    return {one["incident"] for part in ("clocks", "obligations", "incidents") for one in data[part]}


def test_the_table_says_state_assignee_last_activity_and_when_silence_escalates() -> None:
    """The ticket that was quiet for three hours: who has it, how long nothing happened, and when that escalates."""
    shown = check().out
    (row,) = [
        line for line in shown.splitlines() if line.startswith("ok ") and "INC-2025-04567" in line and "ago" in line
    ]
    assert "3h ago" in row
    assert "assigned, tier-1: P2 ticket on the app" in row
    said = "INC-2025-04567: escalates at 19:00 UTC unless somebody works on it (last activity 15:00 UTC)"
    assert said in shown
    found = json.loads(check("--format", "json").out)["incidents"]
    assert found[0] == {
        "incident": "INC-2025-04567", "kind": "ticket" if found[0]["kind"] == "ticket" else "incident", "level": "P2",
        "title": "P2 ticket on the app, quiet for three hours", "state": "assigned", "assignee": "tier-1",
        "updated_at": "2025-10-21T15:00:00Z", "stagnates_at": "2025-10-21T19:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (("04567",), {"INC-2025-04567"}),
        (("--state", "in-progress"), {"INC-2025-04890"}),
        (("--state", "assigned", "--level", "P2"), {"INC-2025-04567"}),
        (("--assignee", "tier-1"), {"INC-2025-04567"}),
        (("--level", "p2"), {"INC-2025-04567", "INC-2025-04890"}),
        (("--level", "P3"), set()),
    ],
)
def test_some_incidents_alone(args: tuple[str, ...], names: set[str]) -> None:
    """Clocks, what is due and the table are of those alone."""
    assert incidents(*args) == names


def test_one_that_is_closed_is_shown_whole() -> None:
    """Named, it needs no --all."""
    assert incidents("INC-2025-05678") == {"INC-2025-05678"}


def test_what_nobody_knows_is_refused(tmp_path: Path) -> None:
    """A slip is named with what was meant."""
    folder = Folder(tmp_path / "clone")
    folder.put()
    check("--state", "pendig", at=folder.path).told_once(2, "there is no state 'pendig'", "pending")
    check("--service", "ap", at=folder.path).told_once(2, "service 'ap' is not in services.yaml", "api")
    check("--level", "SEV7", at=folder.path).told_once(2, "there is no level")
    check("INC-77", at=folder.path).told_once(2, "INC-77")


def test_the_report_of_a_month_and_of_the_last_days() -> None:
    """Both periods are typed as the help says."""
    assert call("sla", "report", "--month", "2025-10", at=EXAMPLE, clock=EVENING).code == 0
    assert call("sla", "report", "--last", "30d", at=EXAMPLE, clock=EVENING).code == 0
