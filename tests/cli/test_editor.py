"""The editor of a repository: its own levels and services are offered, and what `validate` finds stands at its line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from incident_ops import resources
from tests.cli.scene import ROOT, Folder, call, contents, record
from tests.cli.test_init import empty

INCIDENT = "schemas/incident.schema.json"


@pytest.fixture
def begun(tmp_path: Path) -> Folder:
    """A repository that `init` began, with two services."""
    made = empty(tmp_path / "ops")
    assert call("init", "-s", "auth=@a", "-s", "web=@a", at=made.path).code == 0
    return made


def schema(folder: Folder, kind: str = "incident") -> dict[str, object]:
    return json.loads((folder.path / f"schemas/{kind}.schema.json").read_text())


def is_accepted(folder: Folder, **lines: str) -> bool:
    """Whether the editor takes a record with these lines."""
    data = yaml.load(record(**{"services": "[auth]", **lines}), yaml.BaseLoader)
    return jsonschema.Draft202012Validator(schema(folder)).is_valid(data)


def test_the_editor_offers_the_levels_and_services_of_the_repository_alone(begun: Folder) -> None:
    copy = schema(begun)
    assert copy["properties"]["severity"]["enum"] == ["SEV0", "SEV1", "SEV2", "SEV3"]
    assert "examples" not in copy["properties"]["severity"]
    assert "priority" not in copy["properties"]
    for kind in ("incident", "maintenance", "freeze", "problem"):
        of_kind = schema(begun, kind)["$defs"]["service"]
        assert of_kind["enum"] == ["auth", "web"]
        assert "examples" not in of_kind
    assert is_accepted(begun)
    assert not is_accepted(begun, severity="SEV-1")
    assert not is_accepted(begun, services="[checkout-api]")


def test_a_playbook_with_two_scales_offers_each_in_its_field(tmp_path: Path) -> None:
    made = empty(tmp_path / "itil")
    call("init", "--preset", "itil-p1-p4", at=made.path)
    keys = schema(made)["properties"]
    assert keys["priority"]["enum"] == ["P1", "P2", "P3", "P4"]
    assert keys["severity"]["enum"] == ["SEV-1", "SEV-2", "SEV-3"]


def test_the_files_in_which_names_are_made_take_new_ones(begun: Folder) -> None:
    """policy.yaml and services.yaml are where a level or a service gets its name."""
    for kind in ("policy", "services", "gate"):
        copy, shipped = schema(begun, kind), json.loads((ROOT / f"schemas/{kind}.schema.json").read_text())
        assert copy.pop("$comment")
        assert copy == shipped


def test_the_program_goes_by_its_own_schemas(begun: Folder) -> None:
    begun.put(severity="SEV9", services="[nope]")
    out = call("validate", at=begun.path).out
    assert "[label]" in out
    assert "[service-known]" in out
    assert "schema-copy" not in out


def test_init_again_brings_the_copies_up_to_date(begun: Folder) -> None:
    """A new service, another level, and a copy without names from an earlier version."""
    begun.write("services.yaml", "services: {auth: {owner: '@a'}, pay: {owner: '@a'}}\n")
    begun.write("policy.yaml", "extends: sev1-3\n")
    begun.write("schemas/problem.schema.json", (ROOT / "schemas/problem.schema.json").read_bytes())
    done = call("init", at=begun.path)
    assert done.code == 0
    assert "updated          schemas/ (4 files)" in done.out
    assert done.out.endswith('Next:\n  1. git add schemas && git commit -m "Editor schemas"\n')
    assert schema(begun)["$defs"]["service"]["enum"] == ["auth", "pay"]
    assert schema(begun)["properties"]["severity"]["enum"] == ["SEV-1", "SEV-2", "SEV-3"]
    assert schema(begun, "problem")["$defs"]["service"]["enum"] == ["auth", "pay"]
    before = contents(begun.path)
    assert "nothing to do" in call("init", at=begun.path).out
    assert contents(begun.path) == before


def test_after_an_upgrade_init_names_what_to_commit_and_no_drill(begun: Folder) -> None:
    """A new file beside schemas of another version is no beginning: policy and services are the user's."""
    begun.write("policy.yaml", "extends: sev1-3\n")
    (begun.path / ".vscode/tasks.json").unlink()
    done = call("init", at=begun.path)
    assert done.out.endswith('Next:\n  1. git add .vscode schemas && git commit -m "Files of incident-ops"\n')


def test_without_git_an_upgrade_names_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    plain = empty(tmp_path / "plain", git=False)
    call("init", at=plain.path)
    plain.write("policy.yaml", "extends: sev1-3\n")
    out = call("init", at=plain.path).out
    assert "updated          schemas/" in out
    assert "git add" not in out


def test_a_shipped_schema_with_other_line_ends_is_brought_up_to_date(begun: Folder) -> None:
    """As git checks it out on Windows."""
    shipped = (ROOT / "schemas/problem.schema.json").read_bytes()
    begun.write("schemas/problem.schema.json", shipped.replace(b"\n", b"\r\n"))
    assert "schema-copy" not in call("validate", at=begun.path).out
    assert "updated          schemas/problem.schema.json" in call("init", at=begun.path).out
    assert schema(begun, "problem")["$comment"]


def test_json_says_what_was_updated(begun: Folder) -> None:
    begun.write("services.yaml", "services: {auth: {owner: '@a'}}\n")
    data = json.loads(call("init", "--format", "json", at=begun.path).out)
    assert INCIDENT in data["updated"]
    assert (data["changed"], data["written"]) == (True, [])


def test_validate_says_what_a_copy_was_made_from_and_the_line_that_updates_it(begun: Folder) -> None:
    begun.write("services.yaml", "services: {auth: {owner: '@a'}, pay: {owner: '@a'}}\n")
    out = call("validate", at=begun.path).out
    assert f"{INCIDENT}:1:1: warning: this copy for editors was made from other services [schema-copy]" in out
    assert "    fix: run `incident-ops init` again" in out
    assert out.count("schema-copy") == 4
    begun.write("policy.yaml", "extends: sev1-3\n")
    assert "was made from other levels and services" in call("validate", at=begun.path).out
    call("init", at=begun.path)
    assert "schema-copy" not in call("validate", at=begun.path).out


def test_another_number_in_the_policy_makes_no_copy_old(begun: Folder) -> None:
    begun.write("policy.yaml", "extends: sev0-3\nlevels:\n- id: SEV1\n  response: 7m\n")
    assert "schema-copy" not in call("validate", at=begun.path).out


def test_a_policy_that_cannot_be_used_makes_no_copy_old(begun: Folder) -> None:
    begun.write("policy.yaml", "extends: sev9\n")
    assert "schema-copy" not in call("validate", at=begun.path).out
    assert "schemas/" not in call("init", at=begun.path).out


def test_a_copy_edited_by_hand_is_left_named_and_written_anew_only_when_asked(begun: Folder) -> None:
    path = begun.path / INCIDENT
    own = path.read_text().replace('"Incident record"', '"Our record"')
    path.write_text(own)
    begun.write("services.yaml", "services: {auth: {owner: '@a'}}\n")
    done = call("init", at=begun.path)
    assert f"skipped          {INCIDENT}: it was edited by hand" in done.out
    assert "--replace-schemas" in done.out
    assert path.read_text() == own
    out = call("validate", at=begun.path).out
    assert f"{INCIDENT}:1:1: warning: this copy for editors was edited by hand" in out
    assert "init --replace-schemas" in out
    assert f"updated          {INCIDENT}" in call("init", "--replace-schemas", at=begun.path).out
    assert "schema-copy" not in call("validate", at=begun.path).out


def test_line_ends_that_git_changed_are_no_edit(begun: Folder) -> None:
    path = begun.path / INCIDENT
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert "schema-copy" not in call("validate", at=begun.path).out
    assert "edited by hand" not in call("init", at=begun.path).out


def test_the_schemas_that_the_program_goes_by_are_never_written(begun: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a checkout of the program `schemas/` is its own."""
    own = begun.path / "schemas"
    for file in (ROOT / "schemas").iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    folder = resources.folder
    monkeypatch.setattr(resources, "folder", lambda kind: own if kind == "schemas" else folder(kind))
    before = contents(own)
    call("init", "--replace-schemas", at=begun.path)
    assert contents(own) == before


# ------------------------------------------------------------------ findings in the editor


def problems(folder: Folder) -> list[dict[str, str]]:
    """What the matchers of the task make of the output of its command."""
    [task] = json.loads((folder.path / ".vscode/tasks.json").read_text())["tasks"]
    assert task["command"] == "incident-ops"
    done = call(*task["args"], at=folder.path)
    found = []
    for line in done.out.splitlines():
        for matcher in task["problemMatcher"]:
            pattern = matcher["pattern"]
            # an editor's expressions are those of JavaScript; what is used here means the same in both
            if match := re.search(pattern["regexp"], line):
                names = [name for name, group in pattern.items() if isinstance(group, int)]
                found.append({name: match.group(pattern[name]) for name in names})
                break
    return found


def test_every_finding_becomes_a_problem_at_its_place(begun: Folder) -> None:
    begun.put(severity="SEV9", services="[auth, nope]", title='"a: [b] [c]"')
    begun.write("incidents/INC-2/incident.yaml", "")
    data = json.loads(call("validate", "--format", "json", at=begun.path).out)["findings"]
    seen = problems(begun)
    assert len(data) == len(seen) == 3
    for finding, problem in zip(data, seen, strict=True):
        assert problem["file"] == finding["file"]
        assert problem["severity"] == finding["level"]
        assert problem["message"] == finding["message"]
        assert problem["code"] == finding["rule"]
        if finding["line"]:
            assert (problem["line"], problem["column"]) == (str(finding["line"]), str(finding["column"]))
        else:
            assert "line" not in problem
    assert {finding["line"] for finding in data} >= {0, 3}


def test_the_task_is_what_runs_on_build_and_the_extension_is_named(begun: Folder) -> None:
    [task] = json.loads((begun.path / ".vscode/tasks.json").read_text())["tasks"]
    assert task["group"] == {"kind": "build", "isDefault": True}
    assert "redhat.vscode-yaml" in (begun.path / ".vscode/extensions.json").read_text()


def test_tasks_and_extensions_of_the_user_are_left_and_named(tmp_path: Path) -> None:
    made = empty(tmp_path / "own")
    made.write(".vscode/tasks.json", "{}")
    made.write(".vscode/extensions.json", '{"recommendations": ["a.b"]}')
    done = call("init", at=made.path)
    assert (made.path / ".vscode/tasks.json").read_text() == "{}"
    assert "skipped          .vscode/extensions.json: add redhat.vscode-yaml" in done.out
    assert "skipped          .vscode/tasks.json: it has no task that runs `incident-ops" in done.out
    assert max(map(len, done.out.replace(str(made.path), "").splitlines())) <= 80
