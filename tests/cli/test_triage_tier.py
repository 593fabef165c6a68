"""A triage rule may ask for the tier of the service: `declare`, `triage -s`, `triage INC` and `canary` know it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.scene import Folder, as_json, call, ok

pytestmark = pytest.mark.usefixtures("somebody")

POLICY = """\
extends: sev0-3
triage:
  rules:
  - {when: {feature: core, tier: 1}, level: SEV0}
  - {when: {tier: [1, 2]}, level: SEV1}
  - {when: {feature: core}, level: SEV2}
  - {when: {}, level: SEV3}
"""
SERVICES = """\
services:
  pay: {owner: "@team", tier: 1}
  api: {owner: "@team", tier: 2}
  wiki: {owner: "@team", tier: 4}
  blog: {owner: "@team"}
"""
ID = "INC-20250126-140000"


@pytest.fixture
def place(make: Callable[..., Folder]) -> Folder:
    return make("tiers", policy=POLICY, services=SERVICES)


@pytest.mark.parametrize(
    ("services", "level", "rule"),
    [
        (("pay",), "SEV0", "rule 1: core feature and a service of tier 1 -> SEV0"),
        (("api",), "SEV1", "rule 2: a service of tier 1 or 2 -> SEV1"),
        (("wiki",), "SEV2", "rule 3: core feature -> SEV2"),
        (("blog",), "SEV2", "rule 3: core feature -> SEV2"),
        (("wiki", "pay"), "SEV0", "rule 1: core feature and a service of tier 1 -> SEV0"),
    ],
)
def test_declare_and_triage_go_by_the_tier_of_the_most_critical_service(
    place: Folder, services: tuple[str, ...], level: str, rule: str
) -> None:
    named = [word for name in services for word in ("-s", name)]
    told = ok(place, "triage", *named, "--users", "5", "--feature", "core").out
    assert told.startswith(f"{level}\n  {rule}\n")
    declared = ok(place, "declare", "Broken", *named, "--users", "5", "--feature", "core").out
    assert declared.splitlines()[:2] == [f"{ID}: declared, {level}: Broken", f"  {rule}"]


def test_triage_of_a_record_knows_its_services(place: Folder) -> None:
    ok(place, "declare", "Broken", "-s", "pay", "--severity", "SEV3")
    assert "severity raised from SEV3 to SEV0" in ok(place, "triage", ID, "--users", "5", "--feature", "core").out


def test_without_a_service_those_rules_are_left_out_and_that_is_said(place: Folder) -> None:
    told = ok(place, "triage", "--users", "5", "--feature", "core").out
    assert told.startswith("SEV2\n")
    assert "rules 1 and 2 ask for the tier of the service: name it with -s" in told
    assert as_json(place, "triage", "--feature", "core", "-s", "api")["rule"] == 2


def test_a_service_that_nobody_knows_is_refused(place: Folder) -> None:
    call("triage", "-s", "payy", "--feature", "core", at=place.path).told_once(2, "payy", "did you mean pay")


def test_the_policy_is_shown_and_checked_with_it(place: Folder) -> None:
    assert "a service of tier 1 or 2 -> SEV1" in ok(place, "policy", "show").out
    assert ok(place, "policy", "lint").code == 0
    place.write("policy.yaml", POLICY.replace("{when: {}, level: SEV3}", "{when: {tier: 4}, level: SEV3}"))
    lint = call("policy", "lint", at=place.path)
    assert (lint.code, "triage-unreached" in lint.out) == (1, True)
