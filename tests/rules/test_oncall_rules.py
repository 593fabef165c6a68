"""The rules about schedules: each folder of examples is the rule's test. `# here` marks the line of the finding.

What an example needs beside its schedule stands in `_<name>.yaml`: `now`, `contacts` (as in a policy), `others`
(schedules), `file`, `merged` (the schedule as it was merged). The rule about policy and services is in
tests/cli/test_oncall_lint.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_ops.domain.oncall import OnCallSchedule
from incident_ops.domain.policy_sections import Contact
from incident_ops.domain.time import parse_instant
from incident_ops.findings import Finding
from incident_ops.records.oncall import to_schedule
from incident_ops.records.schema import check_document
from incident_ops.records.yaml_reader import Document, read_yaml
from incident_ops.rules.oncall import ScheduleFile, check_schedule, oncall_rules

ROOT = Path(__file__).parent / "oncall"
ELSEWHERE = {"oncall-known"}


def examples(kind: str) -> list[Path]:
    return sorted(path for path in ROOT.glob(f"*/{kind}/*.yaml") if not path.name.startswith("_"))


def lint(path: Path) -> list[Finding]:
    """The located findings of the rule of an example's folder."""
    document = read_yaml(path.read_text(), path.name)
    assert isinstance(document, Document), document
    assert check_document(document, "oncall") == []
    beside = path.with_name(f"_{path.name}")
    around = read_yaml(beside.read_text(), beside.name) if beside.exists() else None
    assert not isinstance(around, list), around
    needs: dict[str, Any] = around.data if around else {}
    others = {one["name"]: msgspec.convert(one, OnCallSchedule) for one in needs.get("others", [])}
    merged = msgspec.convert(needs["merged"], OnCallSchedule) if "merged" in needs else None
    now = parse_instant(needs.get("now", "2025-01-06T12:00:00Z"))
    file = needs.get("file", "oncall/primary.yaml")
    contacts = msgspec.convert(needs["contacts"], dict[str, Contact]) if "contacts" in needs else None
    subject = ScheduleFile(file, to_schedule(document), now, contacts, others, merged)
    found = [one for one in check_schedule(subject) if one.rule == path.parts[-3]]
    return [one.at(document.locate(one.where)) for one in found]


@pytest.mark.parametrize("path", examples("good"), ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_good_example_is_not_touched_by_its_rule(path: Path) -> None:
    assert lint(path) == []


@pytest.mark.parametrize("path", examples("bad"), ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_bad_example_is_found_on_its_line(path: Path) -> None:
    lines = path.read_text().splitlines()
    marked = next(number for number, line in enumerate(lines, 1) if line.endswith("# here"))
    found = lint(path)
    assert [one.where.line for one in found] == [marked], found
    assert found[0].message
    assert found[0].hint


def test_every_rule_has_a_folder_with_good_and_bad_examples() -> None:
    with_examples = {
        folder.name for folder in ROOT.iterdir() if list(folder.glob("good/*.yaml")) and list(folder.glob("bad/*.yaml"))
    }
    assert with_examples == {rule.ID for rule in oncall_rules()} - ELSEWHERE


def test_every_level_that_a_rule_has_is_shown_by_an_example() -> None:
    shown = {(one.rule, one.level) for path in examples("bad") for one in lint(path)}
    levels = {rule.ID: rule.LEVEL if isinstance(rule.LEVEL, tuple) else (rule.LEVEL,) for rule in oncall_rules()}
    claimed = {(rule, level) for rule, every in levels.items() for level in every if rule not in ELSEWHERE}
    assert claimed - shown == set()


def test_every_rule_is_documented_with_a_before_and_an_after() -> None:
    for rule in oncall_rules():
        assert "before:" in (rule.__doc__ or ""), rule.ID
        assert "after:" in (rule.__doc__ or ""), rule.ID
