"""The caller's own commands: run by sh, with facts as variables only, and ended with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from incident_ops.adapters.commands import perform
from incident_ops.errors import Incomplete


def test_facts_are_variables_and_never_code(tmp_path: Path) -> None:
    """Quotes, substitutions and line ends of a fact reach the command as they are."""
    hostile = "$(touch hacked) `touch hacked` ' \" ; \n touch hacked"
    perform("--on-step", f'printf "%s" "$FACT" > {tmp_path}/told', {"FACT": hostile})
    assert (tmp_path / "told").read_text() == hostile
    assert not [*tmp_path.rglob("hacked")]


def test_what_it_prints_is_not_our_output(tmp_path: Path) -> None:
    """The output belongs to the verdict; the command's goes beside it."""
    script = (
        "from incident_ops.adapters.commands import perform; perform('--on-pass', 'echo said', {}); print('verdict')"
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
        "from incident_ops.adapters.commands import perform\n"
        f"perform('--on-step', 'echo $$ > {tmp_path}/pid; sleep 60', {{}})"
    )
    running = subprocess.Popen([sys.executable, "-c", script])
    end = time.monotonic() + 20
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < end
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 143
    while _lives(int((tmp_path / "pid").read_text())):
        assert time.monotonic() < end
        time.sleep(0.02)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
