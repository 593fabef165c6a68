"""The caller's own commands: run by sh, with facts as variables only, and ended with us; calls with an end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from incident_ops.adapters.processes import one_line, perform, within
from incident_ops.errors import Incomplete, WriteFailed


def test_facts_are_variables_and_never_code(tmp_path: Path) -> None:
    """Quotes, substitutions and line ends of a fact reach the command as they are."""
    hostile = "$(touch hacked) `touch hacked` ' \" ; \n touch hacked"
    perform("--on-step", f'printf "%s" "$FACT" > {tmp_path}/told', {"FACT": hostile})
    assert (tmp_path / "told").read_text() == hostile
    assert not [*tmp_path.rglob("hacked")]


def test_what_it_prints_is_not_our_output(tmp_path: Path) -> None:
    """The output belongs to the verdict; the command's goes beside it."""
    script = (
        "from incident_ops.adapters.processes import perform; perform('--on-pass', 'echo said', {}); print('verdict')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("verdict\n", "said\n")


@pytest.mark.parametrize(("command", "said"), [("exit 7", "exit code 7"), ("kill -9 $$", "exit code -9")])
def test_a_failure_is_told_with_its_option(command: str, said: str) -> None:
    """And never passed over."""
    with pytest.raises(Incomplete, match=f"the command of --on-fail ended with {said}"):
        perform("--on-fail", command, {})


def test_one_that_does_not_end_is_ended() -> None:
    """With all that it started."""
    began = time.monotonic()
    with pytest.raises(Incomplete, match="took longer than"):
        perform("--on-step", "sleep 60 & sleep 60", {}, seconds=0.2)
    assert time.monotonic() - began < 10


def test_it_ends_with_us(tmp_path: Path) -> None:
    """SIGTERM for us ends what the command started, too."""
    script = (
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "from incident_ops.adapters.processes import perform\n"
        f"perform('--on-step', 'echo $$ > {tmp_path}/pid; sleep 600', {{}})"
    )
    running = subprocess.Popen([sys.executable, "-c", script])
    end = time.monotonic() + 300  # far more than a busy machine needs, far less than the command sleeps
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < end
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    assert running.wait(300) == 143
    while _lives(int((tmp_path / "pid").read_text())):
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    "call",
    [
        "processes.perform('--on-step', 'sleep 600', {})",
        "processes.measured('sleep 600', {}, 600)",
        "processes.run(['sleep', '600'], {}, 600)",
    ],
    ids=["perform", "measured", "run"],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_starts_ends_it_too(tmp_path: Path, call: str, number: signal.Signals) -> None:
    """It is ours from its first instant: nothing that we started stays behind alone."""
    script = f"""\
import os, signal, subprocess, sys
from incident_ops.adapters import processes
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
class Slow(subprocess.Popen):
    def __init__(self, *words, **settings):
        super().__init__(*words, **settings)
        open({str(tmp_path / "pid")!r}, "w").write(str(self.pid))
        os.kill(os.getpid(), {int(number)})
subprocess.Popen = Slow
try:
    {call}
except KeyboardInterrupt:
    sys.exit(143)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False)  # no pipe: what stays behind would hold it open
    assert done.returncode == 143
    assert not _lives(int((tmp_path / "pid").read_text()))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_words_of_others_come_on_one_printable_line() -> None:
    """No colour codes, no line ends, no workflow commands at the start of a line, no novel."""
    assert one_line("a\n::error::b\x1b[31m") == "a ::error::b [31m"
    assert len(one_line("x" * 1000)) == 300
    assert one_line("x" * 1000, 40) == "x" * 37 + "..."


def test_within_gives_the_result_the_error_or_the_end_of_time() -> None:
    """What was left behind holds up nothing."""

    def fails() -> int:
        raise WriteFailed("no")

    assert within(5, lambda: 7) == 7
    with pytest.raises(WriteFailed, match="no"):
        within(5, fails)
    gate = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.05, lambda: gate.wait(5))
    gate.set()
