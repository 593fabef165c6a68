"""`postmortem lint`: each finding at its sentence, silenced by a comment with a reason, in four formats."""

from __future__ import annotations

import json
import re
import shlex
import time
from pathlib import Path
from typing import Any, cast

import click
import pytest

from incident_ops.cli.main import cli
from incident_ops.postmortem_lint.catalogue import LANGUAGE, LINT_RULES, SOURCES
from incident_ops.postmortem_lint.check import to_finding
from incident_ops.postmortem_lint.completeness import GATES
from incident_ops.postmortem_lint.remarks import Remark
from tests.cli.scene import CLOSED, Done, Folder, call

ROOT = Path(__file__).resolve().parents[2]
SUMMARY = """\
  summary: |
    Sign-ins failed for half an hour.
    The night shift failed to escalate the queue.
    All is well again.
"""
POORLY = """\
  went_poorly:
  - "The vendor\\u2019s engineer forgot to tell us.  He was
    careless."
  - 'It''s the DBA''s fault that
    nothing was seen.'
  - The alert fired late. It was obvious from the disk graph that the volume
    would be full.
"""
SUMMARY_LINE = "  summary: For 30 minutes 60 % of logins failed, because a deploy replaced the only key.\n"
POORLY_LINE = "  went_poorly: [The error-rate alert counts a refused token as success.]\n"
WHOLE = """\
id: INC-1
title: Login fails for most users
severity: SEV1
state: resolved
services: [api]
times:
  declared: 2025-01-26T12:05:00Z
  detected: 2025-01-26T12:04:00Z
  restored: 2025-01-26T12:35:00Z
  resolved: 2025-01-26T12:40:00Z
triage: {users_percent: 60, slo: violated}
impact: {users: {count: 5000}, revenue: {amount: 0, currency: USD}}
timeline:
- {at: 2025-01-26T12:04:00Z, kind: detection, event: Alert on failed logins}
- {at: 2025-01-26T12:20:00Z, kind: communication, event: First update to customers}
- {at: 2025-01-26T12:35:00Z, kind: action, event: Rolled back to 3.1}
cause:
  {category: deploy, trigger: "Deploy of 3.2 at 12:00", what: Tokens were refused,
   why: "The verifier has one key, and a deploy replaces it"}
action_items:
- {id: AI-1, title: Verify tokens with the old key for one hour, owner: "@a", due: 2025-02-10, kind: preventative}
- {id: AI-2, title: Runbook for refused tokens, owner: "@b", due: 2025-02-12, kind: runbook}
postmortem:
  status: draft
  summary: For 30 minutes 60 % of logins failed, because a deploy replaced the only key.
  went_well: [Rollback took four minutes.]
  went_poorly: [The error-rate alert counts a refused token as success.]
  lessons: {technical: [A key needs a time of overlap]}
"""


def folder_of(tmp_path: Path, text: str) -> Folder:
    """A repository with this record."""
    folder = Folder(tmp_path / "records", git=False)
    folder.put(text=text)
    return folder


def linted(folder: Folder, *args: str) -> Done:
    """A run in it."""
    return call("postmortem", "lint", *args, at=folder.path)


def found(folder: Folder, *args: str) -> list[dict[str, Any]]:
    """The findings of the only postmortem, as JSON has them."""
    done = linted(folder, "--format", "json", *args)
    assert done.err == ""
    (postmortem,) = json.loads(done.out)["postmortems"]
    findings: list[dict[str, Any]] = postmortem["findings"]
    return findings


def place_of(text: str, words: str) -> tuple[int, int]:
    """Line and column at which these words begin."""
    before = text[: text.index(words)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def test_a_postmortem_that_has_all_of_it_passes_every_gate(tmp_path: Path) -> None:
    """And --strict is content."""
    done = linted(folder_of(tmp_path, WHOLE), "--strict")
    assert (done.code, done.err) == (0, "")
    assert done.out == "INC-1: 10 of 10 quality gates passed\n1 file checked: all fine\n"


def test_a_finding_stands_at_its_sentence_with_reason_and_rewording(tmp_path: Path) -> None:
    """In the middle of a block text; it warns, and --strict makes that exit code 1."""
    text = WHOLE.replace(SUMMARY_LINE, SUMMARY)
    folder = folder_of(tmp_path, text)
    (one,) = found(folder)
    assert (one["line"], one["column"]) == place_of(text, "The night shift")
    assert one["rule"] == "negligence"
    assert one["level"] == "warning"
    assert one["sentence"] == "The night shift failed to escalate the queue."
    assert one["words"] == "failed to"
    assert one["source"] == "https://incident-ops.github.io/incident-ops/postmortem-lint/#negligence"
    assert one["hint"].endswith("why: `incident-ops validate --explain negligence`")
    assert "docs/" not in one["hint"]
    assert one["reason"] in one["message"]
    assert one["rewording"] in one["hint"]
    assert linted(folder).code == 0
    strict = linted(folder, "--strict")
    assert strict.code == 1
    assert "INC-1: 9 of 10 quality gates passed; open: blameless" in strict.out
    assert f"incident.yaml:{one['line']}:{one['column']}: warning: this measures people" in strict.out


@pytest.mark.parametrize("words", ["The vendor", "He was", "It''s", "It was obvious"])
def test_folded_and_quoted_texts_have_their_sentences_where_they_are(tmp_path: Path, words: str) -> None:
    """Whatever escapes, folds and doubled quotes stand before them."""
    text = WHOLE.replace(POORLY_LINE, POORLY)
    places = {(one["line"], one["column"]) for one in found(folder_of(tmp_path, text))}
    line, column = place_of(text, words)
    quote = words in ("The vendor", "It''s")  # the first sentence stands where its text does
    assert (line, column - quote) in places


def test_a_comment_with_a_reason_silences_a_rule_on_its_line_or_its_text(tmp_path: Path) -> None:
    """At the end of the line, above it, or at the key of a text of several lines; `validate` leaves it alone."""
    item = "  - The vendor failed to call us back.  # incident-ops: ignore[negligence] their own words\n"
    above = "  # incident-ops: ignore[negligence] quoted from the review\n"
    text = WHOLE.replace(POORLY_LINE, f"  went_poorly:\n{item}")
    text = text.replace(SUMMARY_LINE, above + SUMMARY)
    folder = folder_of(tmp_path, text)
    done = linted(folder, "--strict", "--format", "json")
    (postmortem,) = json.loads(done.out)["postmortems"]
    assert done.code == 0
    assert postmortem["findings"] == []
    assert [one["reason"] for one in postmortem["silenced"]] == ["quoted from the review", "their own words"]
    assert all(gate["passed"] for gate in postmortem["gates"])
    assert "silence-unused" not in call("validate", at=folder.path).out


def test_a_comment_that_silences_nothing_is_told(tmp_path: Path) -> None:
    """One without a reason has no effect."""
    key = "  went_well: [Rollback took four minutes.]"
    unused = folder_of(tmp_path, WHOLE.replace(key, f"{key}  # incident-ops: ignore[blame] was fixed"))
    assert [one["rule"] for one in found(unused)] == ["silence-unused"]
    bare = "  went_poorly:\n  - The vendor failed to call us back.  # incident-ops: ignore[negligence]\n"
    without_reason = Folder(tmp_path / "other", git=False)
    without_reason.put(text=WHOLE.replace(POORLY_LINE, bare))
    assert sorted(one["rule"] for one in found(without_reason)) == ["negligence", "silence-reason"]


def test_what_is_linted_without_ids(tmp_path: Path) -> None:
    """Records with a postmortem, and resolved ones whose level asks for one; others where they are named."""
    folder = Folder(tmp_path / "records", git=False)
    folder.put("INC-1", text=WHOLE)
    folder.put("INC-2", severity="SEV3")
    folder.put("INC-3", **{**CLOSED, "severity": "SEV1"})
    data = json.loads(linted(folder, "--format", "json").out)
    assert [one["incident"] for one in data["postmortems"]] == ["INC-1", "INC-3"]
    assert "part-postmortem" in {one["rule"] for one in data["postmortems"][1]["findings"]}
    named = json.loads(linted(folder, "INC-2", "--format", "json").out)
    assert [one["incident"] for one in named["postmortems"]] == ["INC-2"]
    linted(folder, "INC-9").told_once(2, "INC-9")


def test_a_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The others are linted."""
    folder = folder_of(tmp_path, WHOLE)
    folder.put("INC-2", text="id: [")
    done = linted(folder)
    assert done.code == 3
    assert "INC-1: 10 of 10" in done.out
    assert "incidents/INC-2/incident.yaml: not read, not linted" in done.err


PARTS = {
    "part-severity": ("severity: SEV1\n", ""),
    "part-timeline": ("- {at: 2025-01-26T12:35:00Z, kind: action, event: Rolled back to 3.1}\n", ""),
    "part-cause": (
        'what: Tokens were refused,\n   why: "The verifier has one key, and a deploy replaces it"',
        "what: unknown, contributing: [One key for all hosts]",
    ),
    "cause-trigger-only": ('why: "The verifier has one key, and a deploy replaces it"', "contributing: []"),
    "part-impact": ("revenue: {amount: 0, currency: USD}", "revenue: unknown"),
    "part-lessons": ("  lessons: {technical: [A key needs a time of overlap]}\n", ""),
    "part-summary": (SUMMARY_LINE, ""),
    "no-went-well": ("went_well: [Rollback took four minutes.]", "went_well: [n/a]"),
    "part-went-poorly": ("went_poorly: [The error-rate alert counts a refused token as success.]", "went_poorly: []"),
    "part-communication": ("kind: communication, event: First update to customers", "kind: note, event: Looked at it"),
    "part-runbook": (
        'title: Runbook for refused tokens, owner: "@b", due: 2025-02-12, kind: runbook',
        'title: Page for refused tokens, owner: "@b", due: 2025-02-12',
    ),
    "action-owner": ('owner: "@b", ', ""),
    "action-vague": ("Runbook for refused tokens", "Improve the runbook for tokens"),
}


@pytest.mark.parametrize("rule", PARTS)
def test_what_is_missing_is_named_and_its_gate_is_open(tmp_path: Path, rule: str) -> None:
    """Part by part, and nothing else is found."""
    was, now = PARTS[rule]
    assert was in WHOLE
    folder = folder_of(tmp_path, WHOLE.replace(was, now))
    assert {one["rule"] for one in found(folder)} == {rule}
    gates = [gate for gate, rules in GATES.items() if rule in rules]
    for gate in gates:
        assert gate in linted(folder).out


def test_github_gets_annotations_and_code_scanning_gets_sarif(tmp_path: Path) -> None:
    """With every rule of the lint described."""
    folder = folder_of(tmp_path, WHOLE.replace("Rollback took four minutes.", "Ann was careless."))
    assert "::warning file=incidents/INC-1/incident.yaml,line=" in linted(folder, "--format", "github").out
    (run,) = json.loads(linted(folder, "--format", "sarif").out)["runs"]
    assert {result["ruleId"] for result in run["results"]} == {"negligence", "judgement"}
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} >= LINT_RULES.keys()


@pytest.mark.parametrize("rule", LINT_RULES)
def test_each_rule_is_explained_and_has_a_source_that_the_page_names(rule: str) -> None:
    """By `validate --explain`, and by a part of the page that its findings lead to."""
    explained = call("validate", "--explain", rule, at=ROOT)
    assert explained.code == 0
    assert "Source:" in explained.out
    page = (ROOT / "docs/postmortem-lint.md").read_text(encoding="utf-8")
    assert f"### {rule}\n" in page
    assert LINT_RULES[rule].sources
    for name in LINT_RULES[rule].sources:
        assert f"- {SOURCES[name]}\n" in page


STRUCTURAL = [name for name, rule in LINT_RULES.items() if rule.group != LANGUAGE]


@pytest.mark.parametrize("rule", STRUCTURAL)
def test_what_is_missing_is_mended_by_a_command_that_exists(rule: str) -> None:
    """Every rule about a part or the structure says what to type, in words that the command line knows."""
    finding = to_finding(Remark(rule, ()), "incidents/INC-1/incident.yaml")
    typed = [words for words in re.findall("`incident-ops ([^`]+)`", finding.hint) if "--explain" not in words]
    assert typed, finding.hint
    for words in typed:
        parts, known = shlex.split(words), cast("click.Command", cli)
        while isinstance(known, click.Group):
            found = known.get_command(click.Context(known), parts.pop(0))
            assert found is not None, words
            known = found
        assert "INC-1" in parts
        options = {name for option in known.params for name in (*option.opts, *option.secondary_opts)}
        assert {part for part in parts if part.startswith("--")} <= options, words


def test_every_source_is_used() -> None:
    """No reference stands for itself."""
    assert {name for rule in LINT_RULES.values() for name in rule.sources} == SOURCES.keys()


def test_who_types_another_word_is_led_here(tmp_path: Path) -> None:
    """And nobody who types this one is led to `render`."""
    call("retro", at=tmp_path).told_once(2, "postmortem")


@pytest.mark.slow
def test_a_thousand_postmortems_take_seconds(tmp_path: Path) -> None:
    """Of processor time; most of it goes into reading them."""
    folder = Folder(tmp_path / "records")
    for number in range(1000):
        text = WHOLE.replace("INC-1", f"INC-{number}").replace(
            "Rollback took four minutes.", f"Rollback {number} was late."
        )
        folder.put(f"INC-{number}", text=text)
    folder.commit()
    begin = time.process_time()
    done = linted(folder)
    assert done.code == 0
    assert time.process_time() - begin < 15
