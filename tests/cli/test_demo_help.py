"""demo, --help and shell completion."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from incident_ops.app.demo import Playing, Shown
from incident_ops.cli.demo import show_made
from incident_ops.cli.main import COMMANDS, cli
from tests.cli.scene import Done, Folder, call, contents, run, small_disk
from tests.support.golden import assert_golden

PROGRAM = Path(sys.executable).parent
GOLDEN = Path(__file__).parent / "golden/demo.txt"
NO_NETWORK = """\
import socket
class Forbidden(socket.socket):
    def __init__(self, *args, **how):
        raise SystemExit("a socket was opened")
socket.socket = Forbidden
socket.create_connection = Forbidden
socket.getaddrinfo = Forbidden
"""


def play(into: Path, at: Path, **env: str) -> Done:
    """Runs the demo in a process that may open no socket."""
    guard = at / "guard/sitecustomize.py"
    guard.parent.mkdir(exist_ok=True)
    guard.write_text(NO_NETWORK)
    return run("demo", "--into", str(into), at=at, clock=None, env={"PYTHONPATH": str(guard.parent), **env})


@pytest.mark.slow
def test_the_demo_prints_its_golden_with_and_without_git(tmp_path: Path) -> None:
    """Every playbook end to end, offline, the same text wherever it runs."""
    empty = tmp_path / "bin"
    empty.mkdir()
    with_git = play(tmp_path / "a", tmp_path, PATH=f"{PROGRAM}{os.pathsep}{os.environ['PATH']}")
    without = play(tmp_path / "b", tmp_path, PATH=str(empty))
    assert (with_git.code, with_git.err) == (0, "")
    assert shutil.which("git", path=str(empty)) is None
    shown = with_git.out.replace(str(tmp_path / "a"), "FOLDER")
    on_path = f'  export PATH="{PROGRAM}:$PATH"\n'
    assert without.out.count(on_path) == 1
    same = with_git.out.replace(str(tmp_path / "a"), str(tmp_path / "b"))
    assert without._replace(out=without.out.replace(on_path, "")) == Done(0, same, "")
    assert_golden(GOLDEN, shown)
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_what_the_demo_names_is_there(tmp_path: Path) -> None:
    """The files to open next exist, and the commands to try run with the exit codes it tells."""
    out = play(tmp_path / "a", tmp_path).out
    named = [line.strip() for line in out.partition("Open next")[2].splitlines() if line.strip().endswith(".md")]
    assert len(named) == 4
    assert all((tmp_path / "a" / name).is_file() for name in named)
    tries = [line.partition("#")[0].split()[1:] for line in out.splitlines() if line.startswith("  incident-ops")]
    codes = [call(*words, at=tmp_path / "a/itil-p1-p4", clock=None).code for words in tries]
    assert codes == [0, 3, 0, 0]


@pytest.mark.slow
def test_what_it_suggests_works_as_it_is_printed_where_the_program_is_not_on_the_path(tmp_path: Path) -> None:
    """Pasted into a shell line by line, from anywhere; the codes are those that it names."""
    elsewhere = ":".join(part for part in os.environ["PATH"].split(":") if not (Path(part) / "incident-ops").exists())
    out = play(tmp_path / "a", tmp_path, PATH=elsewhere).out
    lines = [line.strip() for line in out.partition("Try yourself:\n")[2].splitlines() if line.strip()]
    assert [line.split()[0] for line in lines] == ["export", "cd", *["incident-ops"] * 4]
    script = "\n".join(f"{line}\necho code $?" for line in lines)
    done = subprocess.run(["sh"], input=script, cwd=tmp_path, env={**os.environ, "PATH": elsewhere}, text=True,
                          capture_output=True, check=False)  # fmt: skip
    assert [line for line in done.stdout.splitlines() if line.startswith("code ")] == [
        f"code {code}" for code in (0, 0, 0, 3, 0, 0)
    ], done


def test_it_ends_by_showing_an_issue_a_document_and_a_change(tmp_path: Path) -> None:
    out = play(tmp_path / "a", tmp_path).out
    issue, document, change = (out.partition(f"\n{head}")[2].partition("\n\n")[0].splitlines() for head in
                               ("An issue, as people read it", "A document: ", "A change: "))  # fmt: skip
    assert issue[1].startswith("  INC-20250126-120500: Login fails for most users [")
    assert "<!--" not in "".join(issue)
    text = (tmp_path / "a/sev0-3" / document[0]).read_text().splitlines()
    first = [line for line in text if line.strip()][:2]
    pairs = zip(document[1:3], first, strict=True)
    assert all(line.startswith(shown.strip().removesuffix("…")) for shown, line in pairs)
    assert "  +  status: done" in change
    words = change[0].split()[1:]
    assert call(*words, at=tmp_path / "a/sev0-3", clock="2025-01-29T09:00:00Z").code == 0
    record = next((tmp_path / "a/sev0-3").glob("incidents/*/incident.yaml")).read_text().splitlines()
    assert all(line[3:] in record for line in change[1:] if line.startswith("  +"))


class Made(Playing):
    """A demo that shows a document and a change with the same lines."""

    def __init__(self) -> None:
        self.lines = ("- What happened", "+ more")

    def shown(self) -> tuple[Shown, Shown, Shown]:
        document = Shown("A document", self.lines)
        return document, document, document._replace(is_change=True)


def test_only_a_change_has_the_colours_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    """The bullets of a document are no lines that went away."""
    with click.Context(cli) as ctx:
        ctx.color = True
        show_made(Made())
    out = capsys.readouterr().out
    assert out.count("\x1b[31m  - What happened") == out.count("\x1b[32m  + more") == 1


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    """Exit 2, and what is there stays as it is."""
    play(tmp_path / "a", tmp_path)
    before = contents(tmp_path / "a")
    play(tmp_path / "a", tmp_path).told_once(2, str(tmp_path / "a"), "not empty", "nothing there was changed")
    assert contents(tmp_path / "a") == before


def test_the_demo_leaves_a_repository_around_it_alone(folder: Folder) -> None:
    """Nothing outside its folder is touched, also where that lies in somebody's git repository."""
    folder.put()
    assert call("apply", at=folder.path).code == 0
    before = folder.tracker.read_bytes()
    outside = {path for path in folder.path.rglob("*") if "scratch" not in path.parts}
    assert call("demo", "--into", "scratch", at=folder.path, clock=None).code == 0
    assert folder.tracker.read_bytes() == before
    assert {path for path in folder.path.rglob("*") if "scratch" not in path.parts} == outside


def test_a_demo_on_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """Exit 4, one short line, and the same folder can be given again."""
    done = run("demo", "--into", "a", at=tmp_path, clock=None, before=small_disk(1_000))
    done.told_once(4, str(tmp_path / "a"), "could not be copied", "free space")
    assert not (tmp_path / "a").exists() or not any((tmp_path / "a").iterdir())


def test_a_demo_over_a_file_is_refused(tmp_path: Path) -> None:
    """--into a file, or below one."""
    (tmp_path / "file").write_text("x")
    call("demo", "--into", "file", at=tmp_path, clock=None).told_once(2, "file")
    call("demo", "--into", "file/below", at=tmp_path, clock=None).told_once(4, "file/below")
    assert (tmp_path / "file").read_text() == "x"


def commands() -> list[tuple[str, ...]]:
    """Every command and group of the command line."""
    context = click.Context(cli)
    found: list[tuple[str, ...]] = [()]
    for name in cli.list_commands(context):
        found.append((name,))
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            found += [(name, inner) for inner in command.commands]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_has_examples_and_fits_80_columns(words: tuple[str, ...], tmp_path: Path) -> None:
    """`--help` and `-h` of every command; each example begins with the program's name or pipes from it."""
    done = call(*words, "--help", at=tmp_path, clock=None)
    assert (done.code, done.err) == (0, "")
    assert call(*words, "-h", at=tmp_path, clock=None) == done
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80
    start = next(number for number, line in enumerate(lines) if line.strip() == "Examples:")
    shown = "\n".join(itertools.takewhile(str.strip, lines[start + 1 :]))
    examples = shown.replace("\\\n", "").splitlines()  # a line that ends with a backslash goes on
    assert examples
    assert all("incident-ops" in line for line in examples)
    if words:
        assert any(f"incident-ops {' '.join(words)}" in line for line in examples)


def test_the_list_of_commands_is_whole() -> None:
    """Every command that the group lists can be loaded, and its first words agree with its own help."""
    context = click.Context(cli)
    for name in COMMANDS:
        assert cli.get_command(context, name) is not None
    assert cli.get_command(context, "nope") is None


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed(shell: str, tmp_path: Path) -> None:
    """As the shells ask for it."""
    done = run_completion(f"{shell}_source", "", 0, tmp_path)
    assert done.code == 0
    assert "_INCIDENT_OPS_COMPLETE" in done.out


@pytest.mark.parametrize(
    ("typed", "word", "answer"),
    [
        ("incident-ops val", 1, "validate"),
        ("incident-ops sla ch", 2, "check"),
        ("incident-ops policy sh", 2, "show"),
        ("incident-ops validate --fo", 2, "--format"),
        ("incident-ops policy show --preset it", 4, "itil-p1-p4"),
    ],
)
def test_commands_options_and_values_complete(typed: str, word: int, answer: str, tmp_path: Path) -> None:
    """Completing needs no repository."""
    done = run_completion("bash_complete", typed, word, tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.split() == [f"plain,{answer}"]


def run_completion(instruction: str, typed: str, word: int, at: Path) -> Done:
    """Asks the installed command as a shell does."""
    script = shutil.which("incident-ops", path=str(Path(sys.executable).parent))
    assert script is not None
    env = {**os.environ, "_INCIDENT_OPS_COMPLETE": instruction, "COMP_WORDS": typed, "COMP_CWORD": str(word)}
    done = subprocess.run([script], cwd=at, env=env, capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)
