"""The rules about policy.yaml: each folder of examples is the rule's test. `# here` marks the line of the finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_ops.domain.policy import Service
from incident_ops.findings import Finding
from incident_ops.records.policy import load_policy
from incident_ops.resources import preset_names
from incident_ops.rules.policy import PolicyFile, check_policy, policy_rules

ROOT = Path(__file__).parent / "policy"


def lint(text: str, rule: str | None = None) -> list[Finding]:
    """The located findings of all policy rules, or of one."""
    loaded = load_policy(text)
    assert loaded.policy is not None, loaded.findings
    assert loaded.document is not None
    found = check_policy(PolicyFile(loaded.policy, loaded.own, loaded.resolved))
    located = [finding.at(loaded.document.locate(finding.where)) for finding in found]
    return [finding for finding in located if rule in (None, finding.rule)]


def examples(kind: str) -> list[Path]:
    return sorted(ROOT.glob(f"*/{kind}/*.yaml"))


@pytest.mark.parametrize("path", examples("good"), ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_good_example_is_not_touched_by_its_rule(path: Path) -> None:
    assert lint(path.read_text(), path.parts[-3]) == []


@pytest.mark.parametrize("path", examples("bad"), ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_bad_example_is_found_on_its_line(path: Path) -> None:
    lines = path.read_text().splitlines()
    marked = next(number for number, line in enumerate(lines, 1) if line.endswith("# here"))
    found = lint(path.read_text(), path.parts[-3])
    assert [finding.where.line for finding in found] == [marked]
    assert found[0].message
    assert found[0].hint


def test_services_and_components_of_the_status_page_are_compared() -> None:
    """A slip is a warning, a service that the page does not show a note: not every service has a component."""
    loaded = load_policy("extends: sev0-3\npublish: {to: statuspage, page: p1, components: {auht: c1, api: c2}}\n")
    assert loaded.policy is not None
    services = {name: Service(owner="@team") for name in ("api", "auth", "web")}
    (rule,) = (one for one in policy_rules() if one.ID == "status-page")
    found = [*rule.check(PolicyFile(loaded.policy, loaded.own, loaded.resolved, services=services))]
    assert [(one.level.value, one.message, one.hint) for one in found] == [
        ("warning", "publish.components names 'auht', which is not in services.yaml", "did you mean auth?"),
        (
            "note",
            "without a component on the status page: auth, web",
            "add it to publish.components, if the page has one",
        ),
    ]


def test_every_rule_has_a_folder_of_its_id_with_good_and_bad_examples() -> None:
    with_examples = {
        folder.name for folder in ROOT.iterdir() if list(folder.glob("good/*.yaml")) and list(folder.glob("bad/*.yaml"))
    }
    assert with_examples == {rule.ID for rule in policy_rules()}
    assert len({rule.ID for rule in policy_rules()}) == len(policy_rules())


def test_every_rule_is_documented_with_a_before_and_an_after() -> None:
    for rule in policy_rules():
        assert rule.__doc__, rule.ID
        assert "Before" in rule.__doc__, rule.ID
        assert "After" in rule.__doc__, rule.ID


@pytest.mark.parametrize("preset", preset_names())
def test_a_preset_alone_gives_warnings_only(preset: str) -> None:
    found = lint(f"extends: {preset}\n")
    assert {finding.level.value for finding in found} == {"warning"}


def test_every_finding_has_the_level_of_its_rule() -> None:
    levels = {rule.ID: rule.LEVEL for rule in policy_rules()}
    for path in examples("bad"):
        assert all(finding.level is levels[finding.rule] for finding in lint(path.read_text()))


def test_a_foreign_label_says_where_it_is_at_home() -> None:
    found = lint("extends: sev0-3\ningest:\n  cap: SEV-1\n", "foreign-label")
    assert found[0].hint == "did you mean SEV1?; SEV-1 belongs to itil-p1-p4 and sev1-3"


def test_a_person_named_in_many_places_is_reported_once() -> None:
    text = 'extends: sev0-3\naccess:\n  commanders: ["@alice"]\ncontacts:\n  executive: ["@alice"]\n'
    assert len(lint(text, "unreachable-person")) == 1


def test_a_finding_about_a_missing_key_is_at_the_nearest_key_that_is_there() -> None:
    """At `contacts` where that has no roles; only what the file does not mention at all is at `extends`."""
    text = (
        "extends: sev0-3\ncalendars:\n  business:\n    holidays: [2025-12-25]\n"
        "contacts:\n  '@alice': {channels: [chat]}\n  roles: {manager: ['@alice']}\n"
    )
    places = {(one.rule, one.message.split()[1]): (one.where.line, one.where.column) for one in lint(text)}
    assert places["calendar-default", "business"] == (3, 3)
    assert places["role-unfilled", "on_call"] == (7, 3)
    assert places["role-unfilled", "executive"] == (5, 1)
    (bare,) = lint("extends: sev0-3\n", "calendar-default")
    assert (bare.where.line, bare.where.column) == (1, 10)
    assert bare.hint.endswith("(a key to add; the place shown names the preset)")
