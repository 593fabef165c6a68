"""A gate's verdict as people and programs read it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_ops.deploy_gate.holds import BURNING
from incident_ops.deploy_gate.verdict import (
    DEPLOY_FREEZE,
    ERROR_BUDGET,
    OPEN_INCIDENT,
    HeldRelease,
    Hold,
    Verdict,
)
from incident_ops.domain.record import Unread
from incident_ops.render.gate import MOST_HOLDS, to_json, to_text
from incident_ops.render.text import UNCUT
from tests.support.golden import assert_golden

GOLDEN = Path(__file__).parent / "golden"
LOST = Unread("incidents/INC-9/incident.yaml", "line 3: not YAML")
VERDICTS = {
    "pass": Verdict("auth", "pass", "ok", environment="production"),
    "frozen": Verdict(
        "auth",
        "frozen",
        "open_incident",
        (
            Hold(
                OPEN_INCIDENT,
                "INC-20250126-120500",
                "Login fails for most users of every region, \x1b[31mtwice\u202e",
                "SEV1  in_progress",
            ),
            Hold(OPEN_INCIDENT, "INC-7", None, "P3/SEV-1  pending", is_restricted=True),
        ),
        (LOST,),
        "production",
    ),
    "inconclusive": Verdict("auth", "inconclusive", "unreadable_record", (), (LOST,), "production"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_the_output_is_the_one_that_was_approved(name: str) -> None:
    text = "".join([to_text(VERDICTS[name]), "\n", to_json(VERDICTS[name])])
    assert_golden(GOLDEN / f"gate_{name}.txt", text)


@pytest.mark.parametrize("verdict", VERDICTS.values())
def test_the_text_fits_80_columns_and_sends_no_codes_to_the_terminal(verdict: Verdict) -> None:
    lines = to_text(verdict).splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line.isprintable() for line in lines)


def test_json_has_the_fields_of_the_contract_in_their_order() -> None:
    data = json.loads(to_json(VERDICTS["frozen"]))
    fields = ["schema", "verdict", "reason_code", "metrics", "stopped_at_seconds", "needed_requests", "incident_ids"]
    assert list(data) == [*fields, "service", "environment", "at", "looked_at", "holds", "unread"]
    assert data["incident_ids"] == ["INC-20250126-120500", "INC-7"]


def test_a_restricted_title_is_nowhere() -> None:
    assert "INC-7  P3/SEV-1  pending  (restricted)" in to_text(VERDICTS["frozen"])
    hidden = json.loads(to_json(VERDICTS["frozen"]))["holds"][1]
    assert (hidden["id"], hidden["title"], hidden["by"]) == ("INC-7", None, None)


@pytest.mark.parametrize(
    ("hold", "told"),
    [
        (Hold(ERROR_BUDGET, "auth", "Monthly budget exhausted: 45 of 43.2 min"), "older impact has left the budget"),
        (Hold(ERROR_BUDGET, "auth", "14.4 times", BURNING), "burns slower, in one of the two windows"),
        (Hold(ERROR_BUDGET, "", None), "burns slower, or older impact has left"),
    ],
)
def test_when_a_budget_lets_deploys_pass_again_depends_on_why_it_holds(hold: Hold, told: str) -> None:
    text = to_text(Verdict("auth", "frozen", ERROR_BUDGET, (hold,), environment="production"))
    assert told in text.splitlines()[-1]


def test_every_hold_is_named_with_what_ends_it() -> None:
    """Two incidents and a freeze: resolving one of them is not enough, and the text says so."""
    end = datetime(2027, 1, 5, tzinfo=UTC)
    holds = (
        Hold(OPEN_INCIDENT, "INC-1", "Login fails", "SEV1  in_progress"),
        Hold(OPEN_INCIDENT, "INC-2", "Checkout is slow", "SEV1  triaged"),
        Hold(DEPLOY_FREEZE, "xmas", "Christmas", end=end),
    )
    text = to_text(Verdict("auth", "frozen", OPEN_INCIDENT, holds, environment="production"))
    resume = text[text.index("Deploys resume") :]
    assert resume.startswith(
        "Deploys resume when all of this is true:\n"
        "  - INC-1 is resolved\n"
        "  - INC-2 is resolved\n"
        "  - freeze xmas is over, or lifted with `incident-ops unfreeze xmas`\n"
    )


def test_one_hold_is_one_sentence() -> None:
    """And one whose id may not be shown is not named."""
    hold = Hold(OPEN_INCIDENT, "", None, "SEV1", is_restricted=True)
    text = to_text(Verdict("auth", "frozen", OPEN_INCIDENT, (hold,)))
    assert "Deploys resume when the restricted incident is resolved.\n" in text


def test_a_release_that_was_granted_says_nothing_of_what_holds() -> None:
    """An overridden verdict still lists its holds, and deploys need not resume."""
    hold = Hold(OPEN_INCIDENT, "INC-1", "Login fails", "SEV1  in_progress")
    assert "resume" not in to_text(Verdict("auth", "overridden", "override", (hold,)))


def test_many_holds_do_not_hide_that_something_could_not_be_read() -> None:
    holds = tuple(Hold(OPEN_INCIDENT, f"INC-{number}", "Login fails") for number in range(MOST_HOLDS + 1))
    text = to_text(Verdict("auth", "frozen", OPEN_INCIDENT, holds, (LOST,)))
    assert f"  - none of these {MOST_HOLDS + 1} holds any more\n" in text
    assert "  - what was not read can be read; `incident-ops validate` shows it\n" in text


def test_a_reason_never_begins_a_line() -> None:
    """GitHub takes a line that begins with two colons for a command, also where blanks stand before them."""
    release = HeldRelease("@a", "::error::nothing", None, "freezes/x.yaml")
    text = to_text(Verdict("auth", "overridden", "override", release=release), width=UNCUT)
    assert "  reason: ::error::nothing\n" in text


def test_the_first_line_names_all_that_holds_and_each_incident_has_its_command() -> None:
    holds = (
        Hold(OPEN_INCIDENT, "INC-1", "Login fails", "SEV1  in_progress"),
        Hold(OPEN_INCIDENT, "INC-2", "Mail fails", "SEV2  new"),
        Hold("deploy_freeze", "books", "the year ends"),
    )
    text = to_text(Verdict("auth", "frozen", "open_incident", holds, (), "production"))
    assert "held by an open incident and a freeze" in " ".join(text.split())
    assert "  INC-1  SEV1  in progress  Login fails" in text
    for name in ("INC-1", "INC-2"):
        assert f"  incident-ops gate check -s auth --fixes {name} --sha SHA\n" in text
