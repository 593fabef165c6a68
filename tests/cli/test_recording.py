"""The recording in the tutorial is what a terminal of 80 columns shows, from an empty folder on."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.scene import ROOT, Done, call, command
from tests.cli.test_slips import at_terminal

TUTORIAL, HOME = ROOT / "docs/tutorial.md", ROOT / "docs/index.md"
WRITTEN_UP = "  each of these is dated now unless you give --at again\n"
"""What is printed because the clock of the recording is set back; who types the commands does not see it."""
BEGUN = datetime(2025, 1, 26, 12, 5, tzinfo=UTC)
TYPED = (
    "incident-ops init --preset sev0-3 -s auth=@acme/identity --by @alice",
    'incident-ops declare "Login fails for most users" -s auth --severity SEV1',
    "incident-ops ack",
    "incident-ops assign commander @alice",
    'incident-ops update --public "Looking into failing logins"',
    'incident-ops timeline "Rolled back to def456" --kind action --mark mitigated',
    "incident-ops show",
    "incident-ops resolve --restored now --cause deploy",
    'incident-ops update --public "Logins work again"',
    "incident-ops validate",
)


@pytest.fixture(autouse=True)
def _another_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only git says who this is, and it says somebody whom the tutorial does not know."""
    for name in ("GITHUB_ACTOR", "INCIDENT_OPS_BY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("COUNT", "1"), ("KEY_0", "user.name"), ("VALUE_0", "Bea Jones")):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)


def recording(folder: Path, pace: timedelta = timedelta(minutes=1)) -> str:
    """Each command as it is typed and what it prints, both streams as they come; `pace` lies between two of them."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    env = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    lines = ["$ mkdir ops && cd ops && git init -q"]
    for number, line in enumerate(TYPED, -1):
        clock = f"{BEGUN + number * pace:%Y-%m-%dT%H:%M:%SZ}"
        done = subprocess.run(
            command(*shlex.split(line)[1:], clock=clock), cwd=folder, env=env,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (line, done)
        printed = done.stdout.decode().replace(WRITTEN_UP, "")
        lines += [f"$ {line}", printed.replace(str(folder), "/home/alice/ops").rstrip()]
    return "\n".join(lines)


def shown_in_the_tutorial() -> str:
    """Its blocks of a terminal, one after the other."""
    blocks: list[str] = re.findall(r"```console\n(.*?)\n```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL)
    return "\n".join(blocks)


@pytest.mark.slow
def test_the_tutorial_shows_what_happens(tmp_path: Path) -> None:
    """Word for word; no line of it is wider than the terminal but what a person typed."""
    told = recording(tmp_path / "ops")
    assert shown_in_the_tutorial() == told, told
    assert [line for line in told.splitlines() if len(line) > 80 and line[0] != "$"] == []


@pytest.mark.slow
def test_the_commands_work_however_fast_they_are_typed(tmp_path: Path) -> None:
    """A reader who pastes them takes a second each, not a minute."""
    assert recording(tmp_path / "ops", timedelta(seconds=1)).endswith("files checked: all fine")


# ------------------------------------------------------------------ by somebody else, at a person's pace

PAUSES = (3, 41, 8, 95, 20, 260, 12, 700, 33, 5)
"""Seconds between what a person types: reading, thinking, being called away."""
FILLED = {
    "--users N": "--users 5",
    "WHEN": "1h",
    "@who": "@bea",
    '"..."': '"Looking into it"',
    "NAME": "auth",
    "new.yaml": "policy.yaml",
}


def typed_by_hand() -> list[str]:
    """The commands of the tutorial's ten minutes, without the line that makes the folder."""
    return [line.removeprefix("$ ") for line in shown_in_the_tutorial().splitlines() if line.startswith("$ ")][1:]


def ten_minutes(folder: Path) -> Iterator[tuple[Done, str]]:
    """Each command as another person types it, in a folder of their own: how it ended, and the clock after it."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    for line, pause in zip(typed_by_hand(), PAUSES, strict=True):
        now += timedelta(seconds=pause)
        clock = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        words = ["@bea" if word == "@alice" else word for word in shlex.split(line)[1:]]
        done = call(*words, at=folder, clock=clock)
        assert done.code == 0, (line, done)
        yield done, clock


def filled(line: str) -> list[str]:
    """The words of a printed command, with what stands in for a person's own words filled in."""
    for placeholder, word in FILLED.items():
        line = line.replace(placeholder, word)
    return shlex.split(line)[1:]


def test_another_person_types_the_first_ten_minutes(tmp_path: Path) -> None:
    """At their own pace and under their own handle; it is one person from the first line to the last."""
    (*_, (last, _)) = ten_minutes(tmp_path / "ops")
    assert last.out.endswith("files checked: all fine\n")
    record = next((tmp_path / "ops").glob("incidents/*/incident.yaml")).read_text(encoding="utf-8")
    assert {line.partition("by: ")[2] for line in record.splitlines() if "by: " in line} == {'"@bea"'}


def test_without_a_handle_git_s_name_is_the_person(tmp_path: Path) -> None:
    """Nothing of the ten minutes needs a handle; pasted at once, all of it works."""
    subprocess.run(["git", "init", "-q", str(tmp_path / "ops")], check=True)
    for line in typed_by_hand():
        done = call(*shlex.split(line.replace(" --by @alice", ""))[1:], at=tmp_path / "ops", clock=None)
        assert done.code == 0, (line, done)
    record = next((tmp_path / "ops").glob("incidents/*/incident.yaml")).read_text(encoding="utf-8")
    assert "by: Bea Jones" in record


@pytest.mark.slow
def test_every_next_command_works_as_it_is_printed(tmp_path: Path) -> None:
    """Where it stands, with the placeholders filled in; `resolve` asks at a terminal for what it needs."""
    tried = 0
    for number, (done, clock) in enumerate(ten_minutes(tmp_path / "ops")):
        lines = [line.strip().removeprefix("next: ").removeprefix("Next").strip() for line in done.out.splitlines()]
        for line in {line for line in lines if line.startswith("incident-ops ")}:
            tried += 1
            there = shutil.copytree(tmp_path / "ops", tmp_path / f"copy-{number}-{tried}")
            if " resolve " in line:
                shown, code = at_terminal(there, *filled(line), typed=("now\n", "deploy\n"), clock=clock)
                assert code == 0, (line, shown)
            else:
                tested = call(*filled(line), at=there, clock=clock)
                assert tested.code == 0, (line, tested)
    assert tried >= 8


@pytest.mark.slow
def test_every_command_of_the_table_works_after_the_ten_minutes(tmp_path: Path) -> None:
    """`canary run` alone needs what no new repository has: a source of metrics; what is sent needs a remote,
    an issue that is read was opened before, and who comes from Argo has a file."""
    (*_, (_, clock)) = ten_minutes(tmp_path / "ops")
    for words in (("add", "-A"), ("commit", "-q", "--no-gpg-sign", "-m", "Incidents as code")):
        subprocess.run(["git", "-C", str(tmp_path / "ops"), "-c", "user.email=bea", *words], check=True)
    with_remote(tmp_path)
    assert call("apply", at=tmp_path / "ops", clock=clock).code == 0
    shutil.copy(ROOT / "tests/cli/foreign/argo_success_rate.yaml", tmp_path / "ops/checkout.yaml")
    ends = printed_in(TUTORIAL.read_text(encoding="utf-8").partition("## What you have now")[2])
    assert "incident-ops close --verified" in ends
    every_works(ends, tmp_path, "ending", clock)
    for words in (("close", "--verified"), ("apply",)):
        assert call(*words, at=tmp_path / "ops", clock=clock).code == 0
    table = printed_in(HOME.read_text(encoding="utf-8"))
    assert len(table) >= 15
    every_works(table, tmp_path, "after", clock)


def printed_in(text: str) -> list[str]:
    """The commands of a page, in its tables and blocks."""
    rows = [line for line in text.splitlines() if line.startswith(("| ", "    "))]
    found = [pair for row in rows for pair in re.findall(r"`(incident-ops [^`]*)`|^ +(incident-ops [^#]*)", row)]
    return [(span or line).strip() for span, line in found]


def every_works(commands: list[str], place: Path, copy: str, clock: str) -> None:
    """Each in a copy of its own of what there is."""
    for number, line in enumerate(commands):
        if line.startswith("incident-ops canary run"):
            continue
        done = call(*filled(line), at=shutil.copytree(place / "ops", place / f"{copy}-{number}"), clock=clock)
        assert done.code == 0, (line, done)


def with_remote(place: Path) -> None:
    """Gives the repository a remote that holds what is committed, on `main` whatever this git calls a first branch."""
    subprocess.run(["git", "-C", str(place / "ops"), "branch", "-M", "main"], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(place / "ops"), str(place / "remote.git")], check=True)
    for words in (["remote", "add", "origin", str(place / "remote.git")], ["fetch", "-q", "origin"]):
        subprocess.run(["git", "-C", str(place / "ops"), *words], check=True)
