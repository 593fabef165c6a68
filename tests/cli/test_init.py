"""init: the first files of a repository, and never a byte of the user's changed."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from incident_ops.render.init import FIRST_FOLDERS, MERGE_DRIVER
from incident_ops.resources import preset_names
from tests.cli.scene import ROOT, Folder, as_ordinary_user, call, contents, read_only, run, small_disk

LINE = "incidents/*/incident.yaml merge=incident-ops\n"


def empty(path: Path, *, git: bool = True) -> Folder:
    """A folder with nothing in it but git."""
    made = Folder(path, git=git)
    for name in ("policy.yaml", "services.yaml"):
        (path / name).unlink()
    return made


@pytest.fixture
def bare(tmp_path: Path) -> Folder:
    return empty(tmp_path / "bare")


def test_an_empty_folder_becomes_a_repository_that_validates(bare: Folder) -> None:
    """Policy, services, folders, schemas, editor, attributes, ignore and the merge driver are there and fit."""
    done = call("init", at=bare.path)
    assert (done.code, done.err) == (0, "")
    assert "extends: sev0-3\n" in (bare.path / "policy.yaml").read_text()
    assert (bare.path / ".gitattributes").read_text() == LINE
    assert (bare.path / ".gitignore").read_text() == "/.incident-ops/\n.*.incident-ops\nrendered/\n"
    assert all((bare.path / folder).iterdir() for folder in FIRST_FOLDERS)
    assert (bare.path / "gates/errors.yaml").exists()
    assert {file.name for file in (bare.path / "schemas").iterdir()} == {
        file.name for file in (ROOT / "schemas").iterdir()
    }
    assert (
        "./schemas/incident.schema.json"
        in json.loads((bare.path / ".vscode/settings.json").read_text())["yaml.schemas"]
    )
    assert {name: bare.git("config", "--local", name).strip() for name in MERGE_DRIVER} == MERGE_DRIVER
    assert call("validate", at=bare.path).code == 0


@pytest.mark.slow
def test_every_preset_gives_a_policy_in_force_and_a_label_of_its_own_to_begin_with(tmp_path: Path) -> None:
    for preset, option in {
        "sev0-3": "--severity SEV1",
        "itil-p1-p4": "--priority P2",
        "sev1-3": "--severity SEV-2",
        "p0-p3": "--severity P1",
    }.items():
        made = empty(tmp_path / preset)
        done = call("init", "--preset", preset, "-s", "auth=@acme/identity", at=made.path)
        assert done.code == 0
        assert f'declare "Login fails" -s auth {option}' in done.out
        assert call("policy", "lint", at=made.path).code == 0


def test_the_second_run_changes_nothing_and_says_so(bare: Folder) -> None:
    call("init", at=bare.path)
    before, config = contents(bare.path), (bare.path / ".git/config").read_bytes()
    done = call("init", at=bare.path)
    assert done.code == 0
    assert "nothing to do" in done.out
    assert "Next:" not in done.out
    assert (contents(bare.path), (bare.path / ".git/config").read_bytes()) == (before, config)
    data = json.loads(call("init", "--format", "json", at=bare.path).out)
    assert (data["changed"], data["written"], data["added_to"], data["left"]) == (False, [], [], [])


def test_the_output_fits_80_columns_and_has_no_colour_codes(bare: Folder) -> None:
    bare.write("schemas/policy.schema.json", "{}")
    bare.write(".vscode/settings.json", "{,}")
    out = call("init", at=bare.path).out.replace(str(bare.path), "")
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def test_this_projects_own_layout_is_left_as_it_is(tmp_path: Path) -> None:
    """Only what it lacks is added; its records, policy, services and editor settings keep every byte."""
    here = tmp_path / "copy"
    here.mkdir()
    for name in ("incidents", "schemas", ".vscode"):
        shutil.copytree(ROOT / name, here / name)
    for name in ("policy.yaml", "services.yaml", ".gitignore"):
        shutil.copy(ROOT / name, here / name)
    before = contents(here)
    done = call("init", at=here)
    after = contents(here)
    assert done.code == 0
    kept = [name for name in before if not name.startswith("schemas/")]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert "incidents/.gitkeep" not in after
    new = (".gitattributes", ".vscode/extensions.json", ".vscode/tasks.json")
    assert set(after) - set(before) == {*new, *(f"{folder}/.gitkeep" for folder in FIRST_FOLDERS[1:])}


@pytest.mark.parametrize(
    "own", [b"*.png binary", b"*.png binary\n", b"*.png binary\r\n*.sh eol=lf", b"", b"\xff\xfe\n"]
)
def test_a_line_is_added_to_attributes_and_every_byte_before_it_stays(bare: Folder, own: bytes) -> None:
    """Also without a final line break, with CRLF, empty, and in bytes that are no text."""
    bare.write(".gitattributes", own)
    assert call("init", at=bare.path).code == 0
    end = b"\r\n" if b"\r\n" in own else b"\n"
    gap = b"" if not own or own.endswith(b"\n") else end
    assert (bare.path / ".gitattributes").read_bytes() == own + gap + LINE.strip().encode() + end


def test_git_finds_the_driver_for_a_record(bare: Folder) -> None:
    """What was written is what git understands, after a line of the user's that had no end."""
    bare.write(".gitattributes", "*.png binary")
    call("init", at=bare.path)
    told = bare.git("check-attr", "merge", "incidents/INC-1/incident.yaml", "logo.png")
    assert told == "incidents/INC-1/incident.yaml: merge: incident-ops\nlogo.png: merge: unset\n"


def test_another_merge_driver_of_the_user_is_left_and_told(bare: Folder) -> None:
    bare.write(".gitattributes", "incidents/*/incident.yaml merge=union\n")
    bare.git("config", "merge.incident-ops.driver", "my own %A")
    done = call("init", at=bare.path)
    assert (bare.path / ".gitattributes").read_text() == "incidents/*/incident.yaml merge=union\n"
    assert "'merge=union'" in done.out
    assert bare.git("config", "merge.incident-ops.driver").strip() == "my own %A"


def test_what_was_asked_for_but_not_done_is_told(folder: Folder) -> None:
    """policy.yaml and services.yaml are there already, so neither option is applied."""
    before = {name: (folder.path / name).read_bytes() for name in ("policy.yaml", "services.yaml")}
    done = call("init", "--preset", "p0-p3", "-s", "auth=@alice", at=folder.path)
    assert "--preset was not applied" in done.out
    assert "--service was not applied" in done.out
    assert {name: (folder.path / name).read_bytes() for name in before} == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "own",
    [
        '{"a": 1}',
        "{}",
        "{\n}\n",
        '{\n    "a": {"b": [1]},\n    "c": "yaml.schemas"\n}\n',
        '{"yaml.schemas": {}}',
        '{\r\n  "yaml.schemas": {"./schemas/incident.schema.json": ["my/*.yaml"]}\r\n}',
        '{"yaml.schemas": {\n  "https://example.com/x.json": "x.yaml"\n}, "z": null}',
    ],
)
def test_editor_settings_are_merged_and_the_users_stay(bare: Folder, own: str) -> None:
    """The user's text is still there, in order; what it says is said still; a second run changes nothing."""
    bare.write(".vscode/settings.json", own.encode())
    call("init", at=bare.path)
    text = (bare.path / ".vscode/settings.json").read_bytes().decode()
    before, after = json.loads(own), json.loads(text)
    assert {name: after[name] for name in before if name != "yaml.schemas"} == {
        name: value for name, value in before.items() if name != "yaml.schemas"
    }
    assert {**after["yaml.schemas"], **before.get("yaml.schemas", {})} == after["yaml.schemas"]
    assert len(after["yaml.schemas"]) >= 7
    left = iter(text)
    assert all(one in left for one in own), "the user's text is no longer a part of the file"
    call("init", at=bare.path)
    assert (bare.path / ".vscode/settings.json").read_bytes().decode() == text


@pytest.mark.parametrize("own", ["{\n  // a comment\n}\n", "[]", '{"yaml.schemas": []}', "", "\ufeff{}", '{"a": 1,}'])
def test_editor_settings_that_are_no_plain_json_are_left_and_told(bare: Folder, own: str) -> None:
    bare.write(".vscode/settings.json", own)
    done = call("init", at=bare.path)
    assert done.code == 0
    assert (bare.path / ".vscode/settings.json").read_text() == own
    assert "skipped          .vscode/settings.json: it is" in done.out


def test_links_and_things_in_the_way_are_left_and_told(bare: Folder, tmp_path: Path) -> None:
    """Nothing is written through a link; a file where a folder should be stops nothing else."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "shared").write_text("mine")
    (bare.path / "schemas").symlink_to(elsewhere)
    (bare.path / ".gitattributes").symlink_to(elsewhere / "shared")
    bare.write("runbooks", "a file\n")
    (bare.path / ".gitignore").mkdir()
    done = call("init", at=bare.path)
    assert done.code == 0
    assert contents(elsewhere) == {"shared": b"mine"}
    for words in ("schemas is a link", "not a regular file", "runbooks is not a folder", "a folder stands there"):
        assert words in done.out
    assert (bare.path / "policy.yaml").exists()


def test_a_changed_schema_is_left_and_told(bare: Folder) -> None:
    bare.write("schemas/policy.schema.json", "{}")
    done = call("init", at=bare.path)
    assert (bare.path / "schemas/policy.schema.json").read_text() == "{}"
    assert "schemas/policy.schema.json: it was edited by hand" in done.out


def test_without_git_the_next_steps_say_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    made = empty(tmp_path / "plain", git=False)
    done = call("init", at=made.path)
    assert (done.code, done.err) == (0, "")
    assert "git init, then incident-ops init again" in done.out
    made.git("init", "-q")
    assert "merge.incident-ops.driver" in call("init", at=made.path).out


@pytest.mark.parametrize("given", ["auth", "auth=", "=@a", "au th=@a", "auth=@a b/c/d"])
def test_a_service_that_would_not_be_valid_is_refused_before_anything_is_written(bare: Folder, given: str) -> None:
    call("init", "-s", given, at=bare.path).told_once(2, "--service")
    assert contents(bare.path) == {}


def test_odd_but_valid_services_are_quoted(bare: Folder) -> None:
    """Names and owners that YAML would take for something else come back as they were given."""
    owners = {"on": "Ops: the team", "1.5": "@acme/core", "null": 'the "A" team #1'}
    call("init", *(word for name, owner in owners.items() for word in ("-s", f"{name}={owner}")), at=bare.path)
    assert call("validate", at=bare.path).code == 0
    data = json.loads(call("validate", "--format", "json", at=bare.path).out)
    assert data["findings"] == []


def test_a_read_only_folder_is_told_and_nothing_is_there(bare: Folder) -> None:
    with read_only(bare.path):
        done = run("init", at=bare.path, before=as_ordinary_user)
    done.told_once(4, "policy.yaml", "nothing was written", "run init again")
    assert contents(bare.path) == {}


def test_a_write_that_fails_half_way_says_what_is_there_and_the_next_run_goes_on(bare: Folder) -> None:
    """The disk takes small files only: the first schema does not fit."""
    done = run("init", at=bare.path, before=small_disk(4096))
    done.told_once(
        4,
        "schemas/incident.schema.json",
        "written before that: policy.yaml, services.yaml, gates/errors.yaml, incidents/",
    )
    assert not [name for name in contents(bare.path) if name.startswith((".policy", "schemas/"))]
    assert call("init", at=bare.path).code == 0
    assert (bare.path / "schemas/gate.schema.json").exists()


def test_git_settings_that_cannot_be_written_are_told(bare: Folder) -> None:
    with read_only(bare.path / ".git"):
        done = run("init", at=bare.path, before=as_ordinary_user)
    done.told_once(4, "merge.incident-ops", "written before that", "make ")
    assert (bare.path / ".gitattributes").read_text() == LINE


def test_at_a_terminal_the_preset_is_asked_for_once_and_only_when_it_is_not_known(
    bare: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong answer is asked again; with --preset, for JSON, and in the second run nobody is asked."""
    monkeypatch.setattr("incident_ops.cli.init.at_terminal", lambda: True)
    monkeypatch.setenv("INCIDENT_OPS_BY", "@alice")  # who it is need not be asked
    monkeypatch.setattr("sys.stdin", io.StringIO("p9\nsev1-3\n"))
    done = call("init", at=bare.path)
    assert all(preset in done.err for preset in preset_names())
    assert "extends: sev1-3\n" in (bare.path / "policy.yaml").read_text()
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert call("init", at=bare.path).err == ""
    for args in (["--preset", "p0-p3"], ["--format", "json"]):
        (bare.path / "policy.yaml").unlink()
        assert call("init", *args, at=bare.path).code == 0


def test_help_has_examples() -> None:
    out = call("init", "--help", at=ROOT).out
    assert "incident-ops init --preset p0-p3" in out


def test_the_first_gate_file_is_sound_and_finds_the_data_source_of_the_first_policy(tmp_path: Path) -> None:
    """`canary validate` and `policy lint` have nothing to say; an address is all that a run lacks."""
    assert call("init", at=tmp_path).code == 0
    checked = call("canary", "validate", at=tmp_path)
    assert (checked.code, checked.out.splitlines()[0]) == (0, "1 file checked: all fine")
    assert call("policy", "lint", at=tmp_path).code == 0
    run = ("canary", "run", "-f", "gates/errors.yaml")
    call(*run, at=tmp_path, clock=None, PROMETHEUS_URL="").told_once(2, "PROMETHEUS_URL")


def test_a_gate_file_is_laid_only_beside_a_new_policy(tmp_path: Path) -> None:
    """An older policy may not have its data source; a gate of the user's stays alone."""
    (tmp_path / "policy.yaml").write_text("extends: sev0-3\n")
    assert call("init", at=tmp_path).code == 0
    assert [entry.name for entry in (tmp_path / "gates").iterdir()] == [".gitkeep"]
    other = tmp_path / "other"
    (other / "gates").mkdir(parents=True)
    (other / "gates/mine.yaml").write_text("x: y\n")
    assert call("init", at=other).code == 0
    assert [entry.name for entry in (other / "gates").iterdir()] == ["mine.yaml"]
