"""What a record says in the log of a workflow is text: the runner of GitHub Actions obeys none of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.scene import Done, Folder, call

HOSTILE = "Login fails ##[stop-commands]pwn ::error::no"
SNOOZE = '{until: 2025-01-26T16:00:00Z, by: "@a", reason: "::stop-commands::x ##[add-mask]y"}'


def obeyed(*streams: str) -> list[str]:
    """The lines that a runner obeys, as it reads them: those with `##[` anywhere, those that begin with `::`; between
    `stop-commands` and its word none."""
    found, word = [], ""
    for line in "\n".join(streams).splitlines():
        is_command = "##[" in line or line.lstrip().startswith("::")
        if word:
            word = "" if line.strip() == f"::{word}::" else word
        elif opened := re.fullmatch(r"::stop-commands::(\w+)", line.strip()):
            word = opened[1]
        elif is_command:
            found.append(line)
    assert not word, "a fence was left open"
    return found


@pytest.fixture
def hostile(folder: Folder) -> Folder:
    folder.put(title=json.dumps(HOSTILE), snooze=SNOOZE)
    folder.write("incidents/INC-2 ##[error]x/incident.yaml", 'id: "##[error]x\\n::error::y"\nstate: "::set-env::"\n')
    folder.commit()
    return folder


def in_log(*args: str, at: Folder) -> Done:
    return call(*args, at=at.path, GITHUB_ACTIONS="true")


@pytest.mark.parametrize(
    "words",
    [
        ("validate", "--format", "github"),
        ("sla", "check", "--format", "github"),
        ("plan", "--tracker", "local"),
        ("run", "--dry-run", "--tracker", "local", "--format", "github"),
        ("sla", "run", "--dry-run", "--tracker", "local", "--format", "github"),
        ("gate", "check", "--service", "api"),
        ("gate", "check", "--service", "##[error]x"),
        ("show", "##[error]x"),
        ("--rev", "::error::x", "validate"),
        ("validate", "--format", "json"),
    ],
    ids=" ".join,
)
def test_only_our_own_annotations_are_obeyed(hostile: Folder, words: tuple[str, ...]) -> None:
    done = in_log(*words, at=hostile)
    lines = obeyed(done.out, done.err)
    assert not [line for line in lines if not re.match(r"::(error|warning|notice) (file|title)=", line)], done
    assert not [line for line in lines if "##[" in line], done


def test_annotations_stand_outside_of_the_fence(folder: Folder) -> None:
    """A breached clock is an error on the page of the run, and the text about it is shown."""
    folder.put(title=json.dumps(HOSTILE))
    done = in_log("sla", "check", "--format", "github", at=folder)
    assert [line for line in obeyed(done.out) if line.startswith("::error title=INC-1::response of SEV1 breached")]
    assert done.out.splitlines()[-1].endswith("::")


def test_json_says_the_same_with_the_command_broken(hostile: Folder) -> None:
    """What parses it gets the text as it was written."""
    done = in_log("show", "INC-1", "--format", "json", at=hostile)
    assert "##[" not in done.out
    assert HOSTILE in str(json.loads(done.out))


def test_the_report_of_a_crash_stands_in_the_log(
    hostile: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file on a runner is gone with it. The report is folded up, and steers nothing."""

    def fail() -> None:
        raise RuntimeError(HOSTILE + "\n::error::from a record")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("incident_ops.app.workspace.clock.now", fail)
    done = call("validate", at=hostile.path, clock=None, GITHUB_ACTIONS="true")
    assert done.code == 70
    assert obeyed(done.err) == ["::group::The report of the crash", "::endgroup::"]
    group = done.err.partition("::group::")[2]
    (file,) = tmp_path.glob("incident-ops-*.txt")
    assert [line.strip() for line in file.read_text().splitlines()[:3]] == [
        line.strip() for line in group.splitlines()[2:5]
    ]
    assert "RuntimeError" in group
    assert "::group::" not in call("validate", at=hostile.path, clock=None).err
