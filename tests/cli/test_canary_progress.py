"""The table of a live run beside what the caller's commands print on the same terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCENE = """
import os, sys
sys.path.insert(0, sys.argv.pop(1))
import yaml
from msgspec.structs import replace
from incident_ops.cli.canary import Progress
from incident_ops.canary.config import to_analysis
from incident_ops.canary.run import begin_run, judge_run
from tests.cli.canary_scene import gate

analysis = to_analysis(yaml.safe_load(gate()))
run = begin_run(analysis, {one.name: [] for one in analysis.metrics})

def tell(at):
    progress.show(analysis, replace(run, at=at), judge_run(analysis, run))

def command():
    os.system("printf 'step 50\\\\nshifted\\\\n' >&2")
"""


def screen(script: str) -> list[str]:
    """What stands on a terminal after a script: lines, cursor up, and erased lines are followed."""
    words = [sys.executable, "-c", SCENE + script, str(ROOT)]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=theirs, env=environment):
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while more := os.read(ours, 65536):
                seen += more
    os.close(ours)
    return drawn(seen.decode())


def drawn(text: str) -> list[str]:
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
        if part == "\r":
            column = 0
        elif part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part.startswith("\x1b["):
            row -= int(part[2:-1] or 1) if part.endswith("A") else 0
            lines[row] = "" if part.endswith("2K") else lines[row]
        else:
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
            column += len(part)
    return [line.rstrip() for line in lines if line.strip()]


def test_in_a_log_no_line_is_wider_than_100_columns() -> None:
    """A metric with a long name and a long reason is broken, and goes on indented."""
    script = """
joined = judge_run(analysis, run)
long = replace(joined.metrics[0], name="share-of-" + "failed-" * 6 + "requests", text="no answer, " * 12 + "at all")
with Progress() as progress:
    progress.show(analysis, replace(run, at=15), replace(joined, metrics=(long,)))
"""
    scene = SCENE.replace("from msgspec.structs import replace", REPLACE) + script
    words = [sys.executable, "-c", scene, str(ROOT)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) > 1
    assert all(line.startswith("  ") for line in lines[1:])
    assert lines[-1].endswith("at all")


REPLACE = """
import dataclasses, msgspec
def replace(value, **changes):
    is_struct = isinstance(value, msgspec.Struct)
    return msgspec.structs.replace(value, **changes) if is_struct else dataclasses.replace(value, **changes)
"""


def test_what_a_command_prints_stays_and_no_old_table_is_left() -> None:
    """The table is taken away for the command, and drawn anew below its lines."""
    told = screen("""
with Progress() as progress:
    tell(15)
    with progress.paused():
        command()
    tell(30)
    tell(45)
    with progress.paused():
        pass
    os.write(2, b"end\\n")
""")
    assert told == ["step 50", "shifted", "end"]


def test_the_table_goes_on_below_the_lines_of_a_command() -> None:
    """Once, with the newest figures."""
    told = screen("""
progress = Progress()
progress.__enter__()
tell(15)
with progress.paused():
    command()
tell(30)
os._exit(0)
""")
    assert [line for line in told if not line.startswith("  http-5xx")] == ["step 50", "shifted", "30s of 10m"]


def test_the_last_figures_stay_where_a_run_is_broken_off() -> None:
    """Ctrl-C: what was known is in sight; after a verdict the table is gone."""
    body = """
try:
    with Progress() as progress:
        tell(15)
        tell(30)
        {end}
except KeyboardInterrupt:
    os.write(2, b"end\\n")
"""
    told = screen(body.format(end="raise KeyboardInterrupt"))
    assert told[0] == "30s of 10m"
    assert told[-1] == "end"
    assert len(told) == 3
    assert screen(body.format(end="pass")) == []
