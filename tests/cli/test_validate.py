"""validate: JSON, text for people, --explain, PATHS, revisions, and a repository without records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_ops.render.rule_pages import catalogue
from tests.cli.scene import Folder, call

FAULTY = """\
id: INC-1
title: Login fails
severity: SEVEN
state: new
services: [api]
times: {declared: 2025-01-26T12:05:00}
"""


def test_the_json_is_the_shape_of_contract_4(folder: Folder) -> None:
    """Keys in this order, findings by file and position, and a line break at the end."""
    folder.put(text=FAULTY)
    done = call("validate", "--format", "json", at=folder.path)
    assert (done.code, done.err) == (1, "")
    assert done.out.endswith("}\n")
    data = json.loads(done.out)
    assert list(data) == ["schema", "summary", "findings"]
    assert data["schema"] == 1
    assert data["summary"] == {"files": 3, "errors": len(data["findings"]), "warnings": 0}
    for one in data["findings"]:
        assert list(one) == ["rule", "level", "file", "line", "column", "message", "hint"]
    assert [(one["rule"], one["level"], one["line"], one["column"]) for one in data["findings"]] == [
        ("label", "error", 3, 11),
        ("instant-zone", "error", 6, 19),
    ]
    assert {one["file"] for one in data["findings"]} == {"incidents/INC-1/incident.yaml"}
    assert list(data["summary"]) == ["files", "errors", "warnings"]


def test_text_and_json_tell_the_same(folder: Folder) -> None:
    """Every finding is a line `file:line:column: level: message [rule]`, its hint below, the summary last."""
    folder.put("INC-1", text=FAULTY)
    folder.put("INC-2", severity="SEVEN", services="[apo]")
    found = json.loads(call("validate", "--format", "json", at=folder.path).out)["findings"]
    lines = []
    for one in found:
        lines.append(f"{one['file']}:{one['line']}:{one['column']}: {one['level']}: {one['message']} [{one['rule']}]")
        lines += [f"    fix: {one['hint']}"] if one["hint"] else []
    out = call("validate", at=folder.path).out.splitlines()
    assert out[:-1] == lines
    assert out[-1] == f"4 files checked: {len(found)} errors"
    assert "did you mean api?" in "\n".join(out)


def test_warnings_do_not_fail(folder: Folder) -> None:
    """Only errors end with 1."""
    folder.put()
    folder.write("schemas/incident.schema.json", "{}")
    done = call("validate", at=folder.path)
    assert done.code == 0
    assert ": warning: " in done.out
    assert done.out.endswith("3 files checked: 1 warning\n")


@pytest.mark.parametrize("rule", sorted(name for group in catalogue().values() for name in group))
def test_every_rule_explains_itself(rule: str, tmp_path: Path) -> None:
    """--explain needs no repository, names rule and level first, and says something."""
    done = call("validate", "--explain", rule, at=tmp_path)
    assert (done.code, done.err) == (0, "")
    head, empty, *told = done.out.splitlines()
    assert head.startswith(f"{rule} (")
    assert any(level in head for level in ("error", "warning", "note"))
    assert empty == ""
    assert len(" ".join(told)) > 20
    assert max(map(len, done.out.splitlines())) <= 80 or "\n    " in done.out
    assert not done.out.endswith("\n\n")


@pytest.mark.parametrize(
    ("here", "path"),
    [
        ("", "incidents/INC-1/incident.yaml"),
        ("", "incidents/INC-1"),
        ("", "./incidents/INC-1/"),
        ("incidents", "INC-1"),
        ("incidents/INC-1", "incident.yaml"),
        ("incidents/INC-1", "."),
        ("incidents/INC-2", "incidents/INC-1"),
        ("incidents/INC-2", "../INC-1"),
    ],
)
def test_paths_are_taken_from_here_or_from_the_records_folder(folder: Folder, here: str, path: str) -> None:
    """Only what was asked about is told, wherever the person stands."""
    folder.put("INC-1", severity="SEVEN")
    folder.put("INC-2", severity="SEVEN")
    done = call("validate", path, at=folder.path / here)
    assert done.code == 1, done
    assert "incidents/INC-1/incident.yaml:3:11" in done.out
    assert "INC-2" not in done.out
    assert done.out.splitlines()[-1] == "1 file checked: 1 error"


def test_paths_work_from_outside_with_repo(folder: Folder, tmp_path: Path) -> None:
    """`--repo R validate incidents/INC-1`, as a script calls it."""
    folder.put()
    done = call("--repo", str(folder.path), "validate", "incidents/INC-1", at=tmp_path)
    assert done == (0, "1 file checked: all fine\n", "")


def test_the_two_settings_can_be_asked_about(folder: Folder) -> None:
    """`validate policy.yaml` checks that file and counts it."""
    assert call("validate", "policy.yaml", at=folder.path) == (0, "1 file checked: all fine\n", "")
    folder.write("services.yaml", "services: {api: {}}\n")
    assert call("validate", "services.yaml", at=folder.path).code == 1


def test_a_folder_of_records_or_everything_can_be_asked_about(folder: Folder) -> None:
    """`incidents`, `.`; nothing given means the same as everything."""
    folder.put("INC-1")
    folder.put("INC-2")
    assert call("validate", "incidents", at=folder.path).out == "2 files checked: all fine\n"
    assert call("validate", ".", at=folder.path).out == call("validate", at=folder.path).out


@pytest.mark.parametrize("path", ["incidents", "incidents/INC-2", "README.md", "maintenance"])
def test_paths_that_match_no_record_are_a_mistake(folder: Folder, path: str) -> None:
    """Exit 2: a check of nothing must not look green."""
    folder.write("README.md", "x")
    folder.write("incidents/.gitkeep", "")
    folder.write("incidents/INC-2/notes.md", "")
    folder.write("maintenance/.gitkeep", "")
    call("validate", path, at=folder.path).told_once(2, path, "no record is there", "incidents/<id>/incident.yaml")


def test_a_link_is_told_as_a_link(folder: Folder, tmp_path: Path) -> None:
    """A symbolic link is a finding, asked about or not; what it leads to is never read."""
    secret = tmp_path / "secret.yaml"
    secret.write_text("password: hunter2\n")
    (folder.path / "incidents/INC-1").mkdir(parents=True)
    (folder.path / "incidents/INC-1/incident.yaml").symlink_to(secret)
    for paths in ((), ("incidents/INC-1/incident.yaml",), ("incidents/INC-1",)):
        done = call("validate", *paths, at=folder.path)
        assert done.code == 1, done
        assert "links are not followed" in done.out
        assert "hunter2" not in done.out


def test_a_revision_is_checked_without_checking_it_out(folder: Folder) -> None:
    """--rev reads what was committed; the work tree is neither read nor changed."""
    folder.put(severity="SEVEN")
    folder.commit()
    folder.put()
    folder.put("INC-2")
    assert call("validate", at=folder.path).out == "4 files checked: all fine\n"
    for paths in ((), (".",), ("incidents/INC-1",)):
        done = call("--rev", "HEAD", "validate", *paths, at=folder.path)
        assert done.code == 1, done
        assert "incidents/INC-1/incident.yaml:3:11" in done.out
        assert "INC-2" not in done.out
    call("--rev", "HEAD", "validate", "incidents/INC-2", at=folder.path).told_once(2, "no record is there")


NO_RECORDS = [("validate",), ("plan",), ("apply",), ("sla", "check"), ("gate", "check", "-s", "api"), ("render",)]


@pytest.mark.parametrize("args", NO_RECORDS)
def test_a_new_repository_without_records_is_fine(folder: Folder, args: tuple[str, ...]) -> None:
    """Exit 0 and a note, also where the folder itself is committed."""
    folder.write("incidents/.gitkeep", "")
    folder.commit()
    done = call(*args, at=folder.path)
    assert done.code == 0, done
    assert done.err == f"No incident records yet below {folder.path / 'incidents'}.\n"


@pytest.mark.parametrize("args", [args for args in NO_RECORDS if args[0] != "gate"])
def test_records_that_are_gone_are_not_fine(folder: Folder, args: tuple[str, ...]) -> None:
    """Exit 3 where HEAD has some: a deleted folder must not look like a quiet night."""
    file = folder.put()
    folder.commit()
    file.unlink()
    call(*args, at=folder.path).told_once(3, "no record here", "HEAD has some")


@pytest.mark.parametrize("args", NO_RECORDS)
def test_records_that_only_the_tracker_knows_are_not_fine(make: Callable[..., Folder], args: tuple[str, ...]) -> None:
    """Exit 3 where the tracker has issues; they stay open."""
    plain = make("plain", git=False)
    file = plain.put()
    assert call("apply", at=plain.path).code == 0
    file.unlink()
    call(*args, at=plain.path).told_once(3, "no record here", "the tracker has issues")
    assert plain.open_keys() == ["INC-1"]


def test_an_empty_value_is_called_null_as_yaml_writes_it(folder: Folder) -> None:
    folder.write("policy.yaml", "extends: sev0-3\nlevels: [{id: SEV1, response: soonish}]\n")
    done = call("validate", at=folder.path)
    assert "e.g. 15m or next_business_day or null" in " ".join((done.out + done.err).split())
