"""A command on a terminal of its own: what it printed, how it ended, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from incident_ops.adapters.terminal_process import MOST_KEPT, TerminalRun, run_on_terminal
from incident_ops.errors import Incomplete


def ran(text: str) -> TerminalRun:
    return run_on_terminal(("/bin/sh", "-e", "-c", text), lambda _: None)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_has_a_terminal_and_ends_at_the_first_failure() -> None:
    shown: list[bytes] = []
    done = run_on_terminal(("/bin/sh", "-e", "-c", "test -t 0; test -t 1; echo one; (exit 3); echo two"), shown.append)
    assert done == TerminalRun(3, b"one\r\n", was_interrupted=False)
    assert b"".join(shown) == done.output


def test_what_it_left_in_the_background_ends_with_it() -> None:
    done = ran("sleep 600 & echo $!")
    process = int(done.output)
    until = time.monotonic() + 10
    while is_alive(process) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_alive(process)


def test_of_a_long_output_the_end_is_kept() -> None:
    done = ran("yes 0123456789 | head -n 20000; echo end")
    assert len(done.output) == MOST_KEPT
    assert done.output.endswith(b"end\r\n")


def test_a_command_that_cannot_be_started_is_said_in_one_line() -> None:
    with pytest.raises(Incomplete, match="nothing-here cannot be run"):
        run_on_terminal(("nothing-here",), lambda _: None)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "code"), [("sleep 600", -signal.SIGINT), ("trap '' INT; sleep 600", -signal.SIGKILL)])
def test_an_interrupt_ends_it_and_not_us(text: str, code: int) -> None:
    """One that does not listen is killed a little later."""
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    done = ran(text)
    timer.join()
    assert done == TerminalRun(code, b"", was_interrupted=True)
