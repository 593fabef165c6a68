"""render, triage and policy from the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from tests.cli.scene import POLICY, Folder, call, contents, run

NAMES = ["action-items.md", "incident.md", "postmortem.md", "timeline.md"]


def stamps(folder: Folder) -> dict[str, int]:
    """When each rendered document was written last."""
    return {str(file): file.stat().st_mtime_ns for file in folder.path.glob("incidents/*/*.md")}


def test_render_writes_four_documents_and_then_nothing(folder: Folder) -> None:
    """The second run writes no byte and touches no file; a changed record writes what differs."""
    folder.put()
    first = call("render", at=folder.path)
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines()[:4] == [
        f"wrote incidents/INC-1/{name}" for name in ("incident.md", "timeline.md", "action-items.md", "postmortem.md")
    ]
    assert sorted(file.name for file in folder.path.glob("incidents/INC-1/*.md")) == NAMES
    before = stamps(folder)
    assert call("render", at=folder.path).out == "4 documents: 0 written, 4 already up to date\n"
    assert stamps(folder) == before
    folder.put(services="[api, web]")
    told = call("render", at=folder.path).out
    assert "wrote incidents/INC-1/incident.md" in told
    unchanged = {name for name, stamp in stamps(folder).items() if before[name] == stamp}
    assert unchanged == {name for name in before if name.rpartition("/")[2] not in told}
    assert unchanged


def test_render_does_not_go_stale_by_time(folder: Folder) -> None:
    """Another clock writes nothing."""
    folder.put()
    call("render", at=folder.path)
    assert call("render", "--check", at=folder.path, clock="2035-01-01T00:00:00Z").code == 0


def test_render_check_writes_nothing(folder: Folder) -> None:
    """1 and the names while something differs or is missing, 0 once all is written."""
    folder.put()
    before = contents(folder.path)
    done = call("render", "--check", at=folder.path)
    assert done.code == 1
    assert "missing incidents/INC-1/incident.md" in done.out
    assert "differs" not in done.out
    assert "4 documents: 4 missing or out of date, 0 already up to date" in done.out
    assert contents(folder.path) == before
    call("render", at=folder.path)
    assert call("render", "--check", at=folder.path).code == 0
    document = folder.path / "incidents/INC-1/postmortem.md"
    document.write_text("by hand")
    done = call("render", "--check", at=folder.path)
    assert (done.code, "differs incidents/INC-1/postmortem.md" in done.out) == (1, True)
    assert document.read_text() == "by hand"


def test_render_of_one_incident_leaves_the_others(folder: Folder) -> None:
    """`render INC-2` writes beside INC-2 only; a broken record elsewhere does not stop it, its own does."""
    folder.put("INC-1", text="id: [")
    folder.put("INC-2")
    assert call("render", "INC-2", at=folder.path).code == 0
    assert {Path(name).parent.name for name in stamps(folder)} == {"INC-2"}
    call("render", "INC-1", at=folder.path).told_once(
        2, "incidents/INC-1/incident.yaml:", "cannot be rendered", "validate"
    )
    done = call("render", at=folder.path)
    done.told_once(3, "incidents/INC-1/incident.yaml", "not rendered")


def test_triage_names_the_rule_that_decided(folder: Folder) -> None:
    """Text for people; JSON with level, rule and what is only assumed."""
    done = call("triage", "--users", "100", "--feature", "core", "--data-risk", "none", at=folder.path)
    assert (done.code, done.err) == (0, "")
    level, rule, *_ = done.out.splitlines()
    assert level == "SEV0"
    assert rule.startswith("  rule 3: all users and core feature -> SEV0")
    out = call("triage", "--users", "100", "--feature", "core", "--format", "json", at=folder.path).out
    data = json.loads(out)
    keys = ["schema", "level", "major", "rule", "rule_text", "assumed", "worst", "note", "reason", "open"]
    assert list(data) == keys
    assert (data["schema"], data["level"], data["rule"]) == (1, "SEV0", 3)


def test_triage_without_answers_says_what_is_not_known(folder: Folder) -> None:
    """It still gives a level, and says what it may become."""
    done = call("triage", at=folder.path)
    assert done.code == 0
    assert "assumed: the share of users and the feature are not known" in done.out
    assert "open question: data loss, corruption or breach -> SEV0" in done.out


@pytest.mark.parametrize("preset", ["sev0-3", "itil-p1-p4", "sev1-3", "p0-p3"])
def test_policy_show_of_a_preset_needs_no_repository(preset: str, tmp_path: Path) -> None:
    """Its tables, every value as YAML that is a policy again, and as JSON."""
    tables = call("policy", "show", "--preset", preset, at=tmp_path)
    assert tables.code == 0
    assert tables.out.startswith(f"Scheme {preset}\n")
    data = json.loads(call("policy", "show", "--preset", preset, "--format", "json", at=tmp_path).out)
    assert (list(data), data["origins"]) == (["schema", "policy", "origins"], {})
    assert data["policy"]["scheme"]["id"] == preset
    resolved = call("policy", "show", "--preset", preset, "--resolved", at=tmp_path)
    assert resolved.code == 0
    assert f"id: {preset}" in resolved.out


def test_policy_show_resolved_is_a_policy_with_the_same_values(folder: Folder) -> None:
    """Written back as policy.yaml it resolves to itself; an override shows in it."""
    folder.write("policy.yaml", POLICY + "gate: {block_on_open_rank: 1}\n")
    shown = call("policy", "show", "--resolved", at=folder.path).out
    assert "block_on_open_rank: 1  # policy.yaml:" in shown
    folder.write("policy.yaml", shown)
    again = call("policy", "show", "--resolved", at=folder.path).out
    assert yaml.safe_load(again) == yaml.safe_load(shown)


def test_policy_show_names_the_line_of_each_value_that_policy_yaml_sets(folder: Folder) -> None:
    """Also of an entry that is joined with the preset's by its id."""
    own = (
        "extends: sev0-3\nlevels:\n- id: SEV1\n  response: 7m\n"
        'contacts:\n  "@alice": {channels: [chat]}\n'
        "tracker:\n  checklists:\n  - id: mine\n    title: Mine\n    items:\n"
        "    - id: one\n      text: 'One: two # three'\n"
    )
    folder.write("policy.yaml", own)
    shown = call("policy", "show", "--resolved", at=folder.path).out
    assert shown.startswith("# the values of preset sev0-3; one that policy.yaml sets has its line there beside it\n")
    lines = [line.strip() for line in shown.splitlines() if "  # policy.yaml:" in line]
    assert lines[0] == "extends: sev0-3  # policy.yaml:1"
    assert lines[1:3] == ["- id: SEV1  # policy.yaml:3", "response: 7m  # policy.yaml:4"]
    assert {"channels:  # policy.yaml:6", "title: Mine  # policy.yaml:10", "- id: one  # policy.yaml:12"} <= {*lines}
    data = json.loads(call("policy", "show", "--format", "json", at=folder.path).out)
    assert yaml.safe_load(shown) == data["policy"]
    assert data["origins"]["levels.1.response"] == "policy.yaml:4:3"


def test_policy_lint_ends_with_1_for_errors_only(folder: Folder) -> None:
    """Warnings 0, errors 1 at their line, no policy 2."""
    done = call("policy", "lint", at=folder.path)
    assert done.code == 0
    assert "warning" in done.out
    folder.write("policy.yaml", POLICY + "calendars:\n  business:\n    tz: Mars/Base\n")
    done = call("policy", "lint", at=folder.path)
    assert done.code == 1
    assert "policy.yaml:4:9: error: " in done.out
    data = json.loads(call("policy", "lint", "--format", "json", at=folder.path).out)
    assert (data["schema"], data["summary"]["errors"]) == (1, 1)
    (folder.path / "policy.yaml").unlink()
    call("policy", "lint", at=folder.path).told_once(2, "there is no policy.yaml")


BLOCK = {"agents": {"incident_coordinator": {"enabled": True}}}


def test_policy_import_reads_a_file_or_standard_input(folder: Folder) -> None:
    """Both print the same policy.yaml, which this program accepts."""
    file = folder.write("old.json", json.dumps(BLOCK))
    from_file = run("policy", "import", "old.json", at=folder.path)
    assert (from_file.code, from_file.err) == (0, ""), from_file
    assert run("policy", "import", "-", at=folder.path, stdin=file.read_bytes()) == from_file
    folder.write("policy.yaml", from_file.out)
    assert call("validate", "policy.yaml", at=folder.path).code == 0


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"agents": {}}', b"\xff\xfe", b'{"agents": NaN}', b"[" * 5_000])
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_policy_import_refuses_what_is_no_such_block(folder: Folder, text: bytes, way: str) -> None:
    """Exit 2 and one line; nothing is printed that could be saved as a policy."""
    folder.write("old.json", text)
    if way == "file":
        done = call("policy", "import", "old.json", at=folder.path)
    else:
        done = run("policy", "import", "-", at=folder.path, stdin=text)
    done.told_once(2)
    assert done.out == ""


def test_policy_import_of_a_closed_input_is_refused(folder: Folder) -> None:
    """`< /dev/null` is an empty file, not a hang."""
    done = run("policy", "import", os.devnull, at=folder.path)
    done.told_once(2)
