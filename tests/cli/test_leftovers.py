"""What is left over or left out: files of a killed command, clones without all of the history, odd line breaks."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from incident_ops.adapters.files import TEMPORARY, write_bytes
from tests.cli.scene import Folder, call, command
from tests.cli.test_init import empty

DAY = 86_400
LEFT = f".incident.yaml.k3j2h1aa{TEMPORARY}"


KILLED_AT_REPLACE = """
import os, pathlib, signal, sys
replace = pathlib.Path.replace
def kill(path, to):
    return os.kill(os.getpid(), signal.SIGKILL) if path.name.startswith(".incident.yaml.") else replace(path, to)
pathlib.Path.replace = kill
sys.argv = {words!r}
from incident_ops.cli.main import main
main()
"""


def leave(folder: Path, name: str = LEFT, age: float = 0) -> Path:
    """A file as a write leaves it that was killed `age` seconds ago."""
    file = folder / name
    file.write_text("half a rec")
    then = time.time() - age
    os.utime(file, (then, then))
    return file


# ------------------------------------------------------------------ killed while writing


def test_a_file_is_written_under_the_name_that_git_ignores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed right before the new file takes its name: what lies there then is ignored by git and by `validate`."""
    made = empty(tmp_path / "ops")
    call("init", "-s", "api=@a", at=made.path)
    made.put()
    made.commit()
    words = ["incident-ops", *command("ack", "--by", "@a")[3:]]
    script = KILLED_AT_REPLACE.format(words=words)
    killed = subprocess.run([command()[0], "-c", script], cwd=made.path, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = [path.name for path in (made.path / "incidents/INC-1").iterdir() if path.name != "incident.yaml"]
    assert [name.startswith(".incident.yaml.") and name.endswith(TEMPORARY) for name in left] == [True]
    assert made.git("status", "--porcelain") == ""
    assert call("validate", at=made.path).out == "4 files checked: all fine\n"
    assert call("ack", "--by", "@a", at=made.path).code == 0


@pytest.mark.parametrize("place", ["incidents", "incidents/INC-1", "freezes", "schemas", "."])
def test_what_was_left_behind_is_no_record(folder: Folder, place: str) -> None:
    folder.put()
    (folder.path / place).mkdir(exist_ok=True)
    leave(folder.path / place)
    leave(folder.path / place, f".policy.yaml.k3j2h1aa{TEMPORARY}")
    assert call("validate", at=folder.path).out == "3 files checked: all fine\n"
    for args in (("list",), ("sla", "check"), ("plan",), ("gate", "check", "-s", "web")):
        assert "k3j2h1aa" not in call(*args, at=folder.path).out


def test_the_next_write_there_clears_what_is_older_than_a_day(folder: Folder) -> None:
    """A younger one may belong to a command that is still at work."""
    record = folder.put()
    old, young = leave(record.parent, age=DAY + 60), leave(record.parent, f".x.b{TEMPORARY}", age=DAY - 60)
    own = leave(record.parent, ".incident.yaml.mine1234", age=9 * DAY)
    assert call("ack", "--by", "@a", at=folder.path).code == 0
    assert [path.exists() for path in (old, young, own)] == [False, True, True]


def test_what_cannot_be_cleared_stops_no_write(tmp_path: Path) -> None:
    (tmp_path / f".a.b{TEMPORARY}").mkdir()
    os.utime(tmp_path / f".a.b{TEMPORARY}", (0, 0))
    write_bytes(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"


@pytest.mark.parametrize("pages", ["rendered/", "/rendered", ""])
def test_init_adds_the_lines_that_a_gitignore_lacks(tmp_path: Path, pages: str) -> None:
    """However a folder is spelled that is left out already."""
    made = empty(tmp_path / "ops")
    made.write(".gitignore", f"/.incident-ops/\n{pages}\n*.swp")
    call("init", at=made.path)
    added = f".*{TEMPORARY}\n" if pages else f".*{TEMPORARY}\nrendered/\n"
    assert (made.path / ".gitignore").read_text() == f"/.incident-ops/\n{pages}\n*.swp\n{added}"


def test_pages_are_not_committed_by_accident(folder: Folder) -> None:
    """`render` writes them into the folder that `init` leaves out of git, wherever it runs."""
    folder.put()
    call("init", at=folder.path)
    assert call("render", "--format", "html", at=folder.path).code == 0
    assert call("render", "--format", "html", at=folder.path / "incidents").code == 0
    assert len([*folder.path.rglob("rendered/*/postmortem.html")]) == 2
    assert "rendered" not in folder.git("status", "--porcelain", "--untracked-files=all")


# ------------------------------------------------------------------ clones that lack something


@pytest.fixture
def source(folder: Folder) -> Folder:
    """A record in three commits, and another one that was deleted."""
    for state in ("new", "triaged"):
        folder.put(state=state)
        folder.put("INC-2")
        folder.commit()
    folder.git("rm", "-q", "-r", "incidents/INC-2")
    folder.commit()
    folder.git("config", "uploadpack.allowFilter", "true")
    return folder


def clone(source: Folder, to: Path, *how: str) -> Path:
    subprocess.run(["git", "clone", "-q", *how, f"file://{source.path}", str(to)], check=True, capture_output=True)
    return to


@pytest.mark.parametrize("args", [("validate", "--base", "HEAD~2"), ("verify",), ("--rev", "HEAD~2", "show", "INC-2")])
def test_a_partial_clone_says_what_is_missing_and_what_fetches_it(
    source: Folder, tmp_path: Path, args: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    part = clone(source, tmp_path / "part", "--filter=blob:none")
    (part / "incidents/INC-1/incident.yaml").write_text("title: changed\n")
    call(*args, at=part).told_once(4, "partial clone", "git fetch --refetch --no-filter")
    assert "fatal" not in capfd.readouterr().err
    subprocess.run(["git", "fetch", "-q", "--refetch", "--no-filter"], cwd=part, check=True, capture_output=True)
    assert "partial clone" not in call(*args, at=part).err


def test_a_shallow_clone_says_what_fetches_the_rest(source: Folder, tmp_path: Path) -> None:
    shallow = clone(source, tmp_path / "shallow", "--depth", "1")
    for args in (("validate", "--base", "HEAD~1"), ("--rev", "HEAD~1", "list")):
        call(*args, at=shallow).told_once(2, "shallow clone", "git fetch --unshallow", "fetch-depth: 0")
    assert "git fetch --unshallow" in call("verify", at=shallow).out


def test_a_shallow_clone_does_not_pass_a_reused_id_in_silence(source: Folder, tmp_path: Path) -> None:
    """INC-2 was deleted before the edge: whether a new record may bear that id cannot be told."""
    shallow = clone(source, tmp_path / "shallow", "--depth", "1")
    new = shallow / "incidents/INC-2/incident.yaml"
    new.parent.mkdir()
    new.write_bytes(
        (shallow / "incidents/INC-1/incident.yaml")
        .read_bytes()
        .replace(b"INC-1\ntitle: Login", b"INC-2\ntitle: Search")
    )
    done = call("validate", "--base", "HEAD", at=shallow)
    assert "note: whether an id was used before was not looked at: this is a shallow clone" in done.err
    subprocess.run(["git", "fetch", "-q", "--unshallow"], cwd=shallow, check=True, capture_output=True)
    done = call("validate", "--base", "HEAD", at=shallow)
    assert (done.code, done.err) == (1, "")
    assert "[id-reused]" in done.out


# ------------------------------------------------------------------ line breaks for one parser and not for the other


@pytest.mark.parametrize("odd", ["\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("value", ['"a{}b"', "'a{}b'", "a{}b", '"a\n  b{} c"', "|\n  a{}b", '{{"k{}": 1}}'])
def test_a_break_that_parsers_read_differently_is_refused_at_its_place(folder: Folder, odd: str, value: str) -> None:
    """YAML 1.1 makes a line break of it, YAML 1.2 a character: the title would be another one for each."""
    text = f"id: INC-1\ntitle: {value.format(odd)}\nstate: new\n"
    folder.put(text=text)
    at = text.index(odd)
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    out = call("validate", at=folder.path).out
    assert f"incident.yaml:{line}:{column}: error: there is a control character here (U+{ord(odd):04X})" in out


def test_the_same_written_as_an_escape_is_the_rule_of_texts(folder: Folder) -> None:
    folder.put(title='"a\\u2028b"')
    assert "[text-safety]" in call("validate", at=folder.path).out
