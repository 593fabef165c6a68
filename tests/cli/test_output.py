"""What every command prints: the same bytes for the same input, colours only where asked for, at most 80 columns."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.scene import ROOT, Done, Folder, call, command, contents, example, run

CLOCK = "2025-10-21T18:00:00Z"
PRESETS = ("sev0-3", "itil-p1-p4", "sev1-3", "p0-p3")
COMMANDS = [
    ("validate",),
    ("validate", "--format", "json"),
    ("plan",),
    ("plan", "--format", "json"),
    ("sla", "check"),
    ("sla", "check", "--all"),
    ("sla", "check", "--format", "json", "--all"),
    ("gate", "check", "-s", "api"),
    ("gate", "check", "-s", "api", "--format", "json"),
    ("policy", "show"),
    ("policy", "show", "--resolved"),
    ("policy", "show", "--format", "json"),
    ("policy", "lint"),
    ("policy", "lint", "--format", "json"),
    ("triage", "--users", "60", "--feature", "core"),
    ("triage", "--format", "json"),
    ("render",),
    ("render", "--check"),
    ("apply",),
    ("plan", "--format", "json"),
    ("validate", "--explain", "instant-zone"),
]


def repository(preset: str, to: Path) -> Path:
    """An example, with a faulty record beside it, in git."""
    example(preset, to)
    folder = Folder.__new__(Folder)
    folder.path, folder.has_git = to, True
    folder.put("INC-99", text="id: INC-99\ntitle: a: b\n")
    folder.git("init", "-q")
    folder.commit()
    return to


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_every_output_is_the_same_in_two_copies_and_on_a_second_run(
    preset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --at nothing of the machine, the place or the moment enters a byte; nor does the cache. (Commits have the
    time at which they were made, and some answers name one.)"""
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(name, "2025-01-26T12:00:00Z")
    here = repository(preset, tmp_path / "here")
    there = repository(preset, tmp_path / "somewhere/else/there")
    for args in COMMANDS:
        first = call(*args, at=here, clock=CLOCK)
        assert call(*args, at=there, clock=CLOCK) == first, args
        assert str(tmp_path) not in first.out
        if args not in (("render",), ("apply",)):
            assert call(*args, at=here, clock=CLOCK) == first, args
    assert contents(here) == contents(there)


PRINT_ALL = """
import json, sys
from pathlib import Path
from tests.cli.scene import call
root, clock, commands = sys.argv[1:]
json.dump([call(*args, at=Path(root), clock=clock) for args in json.loads(commands)], sys.stdout)
"""


@pytest.mark.slow
def test_every_output_is_the_same_from_process_to_process(tmp_path: Path) -> None:
    """Whatever order sets and dicts of text happen to have in a process."""
    root = repository("itil-p1-p4", tmp_path / "here")
    words = [sys.executable, "-c", PRINT_ALL, str(root), CLOCK, json.dumps(COMMANDS[:6])]
    first, second = (
        subprocess.run(words, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True)
        for seed in ("1", "2")
    )
    outputs = json.loads(first.stdout), json.loads(second.stdout)
    for args, one, other in zip(COMMANDS[:6], *outputs, strict=True):
        assert one == other, args


@pytest.mark.parametrize("preset", PRESETS)
def test_tables_fit_80_columns(preset: str, tmp_path: Path) -> None:
    """plan, apply, sla, gate and triage on every example."""
    root = example(preset, tmp_path / "x")
    service = re.findall(r"^  ([a-z-]+):", (root / "services.yaml").read_text(), re.MULTILINE)[0]
    shown = ("plan", "apply", "plan", "sla check --all", "sla check", f"gate check -s {service}", "triage")
    for words in shown:
        done = call(*words.split(), at=root, clock=CLOCK, columns=80)
        for line in done.out.splitlines():
            assert len(line) <= 80, (words, line)


def terminal(*args: str, at: Path, env: dict[str, str]) -> str:
    """What a command shows on a terminal, errors included."""
    ours, theirs = pty.openpty()
    environment = {**{name: value for name, value in os.environ.items() if name != "NO_COLOR"}, "TERM": "xterm", **env}
    with subprocess.Popen(command(*args), cwd=at, stdout=theirs, stderr=theirs, stdin=theirs, env=environment):
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # Linux: the other side is closed
                break
            if not piece:
                break
            shown += piece
    os.close(ours)
    return shown.decode()


@pytest.mark.slow
def test_colours_are_for_terminals_unless_said_otherwise(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal shows them, a pipe does not; --color always and never, and NO_COLOR, decide otherwise."""
    folder.put(services="[nope]")
    monkeypatch.delenv("NO_COLOR")
    for args in (("validate",), ("sla", "check"), ("gate", "check", "-s", "ap"), ("policy", "lint")):
        assert "\x1b[" in terminal(*args, at=folder.path, env={}), args
        assert "\x1b" not in terminal(*args, at=folder.path, env={"NO_COLOR": "1"}), args
        assert "\x1b" not in terminal("--color", "never", *args, at=folder.path, env={}), args
        piped = call(*args, at=folder.path)
        assert "\x1b" not in piped.out + piped.err, args
        with monkeypatch.context() as patch:
            patch.setenv("NO_COLOR", "1")
            forced = call("--color", "always", *args, at=folder.path)
        assert "\x1b[" in forced.out + forced.err, args
        assert re.sub(r"\x1b\[[0-9;]*m", "", forced.out) == piped.out


def test_json_has_no_colours(folder: Folder) -> None:
    """Not even with --color always."""
    folder.put(services="[nope]")
    for args in (("validate",), ("sla", "check"), ("plan",), ("gate", "check", "-s", "api"), ("policy", "lint")):
        out = call("--color", "always", *args, "--format", "json", at=folder.path).out
        assert "\x1b" not in out
        assert json.loads(out)["schema"] == 1


def test_verbose_says_what_is_read(folder: Folder) -> None:
    """-v tells folder, source, clock and state on the error stream and leaves the output as it is."""
    folder.put()
    folder.commit()
    quiet, told = call("validate", at=folder.path), call("-v", "validate", at=folder.path)
    assert (told.code, told.out) == (quiet.code, quiet.out)
    assert str(folder.path) in told.err
    assert "2025-01-26T14:00:00Z" in told.err
    assert folder.git("rev-parse", "HEAD").strip() in call("--rev", "HEAD", "-v", "validate", at=folder.path).err


def test_a_crash_is_told_in_words_with_a_report(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Exit 70, which nothing else ends with; no traceback on the terminal, and a file that holds it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("incident_ops.app.workspace.clock.now", lambda: 1 / 0)
    done = call("validate", at=folder.path, clock=None)
    done.told_once(70, "incident-ops crashed (this is a bug)", "ZeroDivisionError")
    assert done.out == ""
    (report,) = tmp_path.glob("incident-ops-*.txt")
    assert str(report) in done.err
    assert "Traceback" in report.read_text()
    assert "Python 3" in report.read_text()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_read_with_their_code(folder: Folder, tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Interrupted while git is asked: no traceback, at most one line."""
    folder.put()
    folder.commit()
    slow = tmp_path / "bin/git"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\necho here > {tmp_path}/asked\nexec sleep 20\n")
    slow.chmod(0o755)
    environment = {**os.environ, "PATH": f"{slow.parent}:{os.environ['PATH']}"}
    with subprocess.Popen(
        command("validate"), cwd=folder.path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while not (tmp_path / "asked").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        try:
            process.wait(10)
        finally:
            process.kill()
        assert process.stderr is not None
        told = process.stderr.read1().decode()  # type: ignore[attr-defined]
    assert process.returncode == code
    assert "Traceback" not in told
    assert len(told.strip().splitlines()) <= 1


def test_a_run_in_the_background_goes_on_when_somebody_else_is_interrupted(folder: Folder, tmp_path: Path) -> None:
    """A shell starts jobs in the background with SIGINT ignored, and so it stays: Ctrl-C is for another job."""
    folder.put()
    folder.commit()
    slow = tmp_path / "bin/git"
    slow.parent.mkdir()
    waiting = f"[ -e {tmp_path}/go ] || {{ touch {tmp_path}/asked; while [ ! -e {tmp_path}/go ]; do sleep 0.1; done; }}"
    slow.write_text(f'#!/bin/sh\n{waiting}\nPATH={os.environ["PATH"]} exec git "$@"\n')
    slow.chmod(0o755)
    environment = {**os.environ, "PATH": f"{slow.parent}:{os.environ['PATH']}"}
    with subprocess.Popen(
        command("validate"),
        cwd=folder.path,
        env=environment,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ) as process:
        while not (tmp_path / "asked").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        (tmp_path / "go").touch()
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, b"all fine" in out) == (0, True)


def test_a_reader_that_goes_away_is_no_error(folder: Folder) -> None:
    """`incident-ops validate | head -1` prints nothing on the error stream, and does not end with 0."""
    for number in range(300):
        folder.put(f"INC-{number}", services="[nope]")
    with subprocess.Popen(
        command("validate"), cwd=folder.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode != 0


def test_closed_streams_are_no_error(folder: Folder) -> None:
    """`>&-`, as some schedulers start things."""
    folder.put()
    words = " ".join(command("validate"))
    done = subprocess.run(["sh", "-c", f"{words} >&-"], cwd=folder.path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


HEAVY = ("github", "rich", "jsonschema", "jinja2", "urllib3", "requests", "ssl", "http.client")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "allowed"), [("validate", ()), ("sla check", ()), ("render", ("jinja2",)), ("plan", ()), ("--help", ())]
)
def test_nothing_heavy_is_imported_when_nothing_is_wrong(folder: Folder, words: str, allowed: tuple[str, ...]) -> None:
    """validate, sla and render never import a GitHub client, rich or the explaining validator."""
    folder.put(severity="SEV3")
    loaded = loaded_by(folder, words)
    assert {name for name in HEAVY if name in loaded} <= set(allowed)


RULES_AND_WORDS = {"incident_ops.rules", "incident_ops.edits.declare", "incident_ops.domain.triage"}
SUMMARY = {"incident_ops.documents.markdown"}
ALWAYS_UNNEEDED = {"click.shell_completion", "logging", "html", "incident_ops.validation"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "unneeded"),
    [
        ("validate", {"incident_ops.domain.triage", "incident_ops.domain.notification", *SUMMARY}),
        ("list", {*RULES_AND_WORDS, *SUMMARY, "incident_ops.records.yaml_writer"}),
        ("show", {"incident_ops.rules", *SUMMARY, "incident_ops.records.yaml_writer"}),
        ("sla check", RULES_AND_WORDS),
        ("plan", {"incident_ops.rules", "urllib.error"}),
        ("gate check -s api", {*RULES_AND_WORDS, *SUMMARY, "incident_ops.domain.notification"}),
    ],
)
def test_a_command_imports_no_part_that_it_does_not_need(folder: Folder, words: str, unneeded: set[str]) -> None:
    """When nothing has changed since the last run: no rules, no patterns of Markdown, no library of notifiers."""
    folder.put(severity="SEV3")
    folder.commit()
    loaded_by(folder, words)  # the first run reads the record and keeps what it found
    needed = {"incident_ops.validation"} if words == "validate" else set()
    assert not loaded_by(folder, words) & (unneeded | ALWAYS_UNNEEDED - needed)


def loaded_by(folder: Folder, words: str) -> set[str]:
    """Every module that a run of the program has loaded when it ends; the run must end well."""
    probe = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        f"sys.argv = ['incident-ops', *{words.split()!r}]\n"
        "from incident_ops.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], cwd=folder.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return set(done.stderr.split())


def test_the_installed_command_is_this_program(folder: Folder) -> None:
    """`incident-ops` beside the interpreter answers like `python -m incident_ops`."""
    script = shutil.which("incident-ops", path=str(Path(sys.executable).parent))
    assert script is not None
    done = subprocess.run([script, "--version"], cwd=folder.path, capture_output=True, text=True, check=False)
    assert Done(done.returncode, done.stdout, done.stderr) == run("--version", at=folder.path, clock=None)
