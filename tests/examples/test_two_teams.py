"""The example with two teams in one repository does what its page says, as it is shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.scene import ROOT, Folder, as_json, call, ok

NIGHT = "2025-01-29T01:00:00Z"  # a Wednesday: @ben's week in Berlin, @kenji's in Tokyo


@pytest.fixture
def shop(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "shop")
    shutil.copytree(ROOT / "examples" / "teams" / "shop", made.path, dirs_exist_ok=True)
    made.commit()
    return made


def called(shop: Folder, service: str, after: str, level: str = "SEV0") -> list[str]:
    """Whom a plan calls because nobody has answered."""
    ok(shop, "declare", "It is down", "-s", service, "--severity", level, "--by", "@mona", clock=NIGHT)
    changes = as_json(shop, "plan", clock=after)["changes"]
    notices = [one for one in changes if one["action"] == "notify" and "/ladder/" in one["key"]]
    return sorted({one["fields"]["recipient"] for one in notices if one["fields"]["recipient"].startswith("@")})


def test_it_is_valid_and_policy_lint_finds_nothing_to_mend(shop: Folder) -> None:
    done = call("validate", at=shop.path, clock=NIGHT)
    assert (done.code, "error" in done.out) == (0, False), done
    lint = call("policy", "lint", at=shop.path, clock=NIGHT)
    assert (lint.code, "warning" in lint.out) == (0, False), lint


def test_each_team_has_its_own(shop: Folder) -> None:
    held = {
        service: {
            one["name"]: one["holds"] for one in as_json(shop, "policy", "show", "-s", service, clock=NIGHT)["holds"]
        }
        for service in ("checkout", "search", "wiki")
    }
    assert held["checkout"]["Working hours"].startswith(
        "Europe/Berlin: Monday-Thursday 09:00-17:00; Friday 09:00-15:00"
    )
    assert held["search"]["Working hours"] == "Asia/Tokyo: Monday-Friday 08:00-16:00"
    assert (held["checkout"]["Ladder again"], held["search"]["Fallback"]) == ("3 times", "oncall:search")
    assert (held["checkout"]["Keywords"], held["wiki"]["Fallback"]) == ("chargeback", "oncall:payments")
    assert held["checkout"]["SEV1 clocks"].startswith("response 10m, resolution 1h")
    on_call = ok(shop, "oncall", "who", "--service", "search", clock=NIGHT).out
    assert "@kenji" in on_call
    assert "@ben" not in on_call


def test_who_is_called_where_nobody_answers(shop: Folder) -> None:
    assert called(shop, "checkout", "2025-01-29T01:06:00Z") == ["@cleo"]


def test_of_an_incident_of_both_people_of_both_are_called(shop: Folder) -> None:
    both = ("-s", "search", "-s", "checkout")
    ok(shop, "declare", "It is down", *both, "--severity", "SEV0", "--by", "@mona", clock=NIGHT)
    shown = ok(shop, "show", clock=NIGHT).out
    assert "search (team search), checkout (team payments)" in shown
    assert "search,payments" in ok(shop, "list", clock=NIGHT).out
    changes = as_json(shop, "plan", clock="2025-01-29T01:01:00Z")["changes"]
    people = {one["fields"]["recipient"] for one in changes if one["action"] == "notify"}
    assert {"@ben", "@kenji"} <= people
