"""The limit ends what would not end, and leaves nothing behind."""

from __future__ import annotations

import signal

import pytest

from tests.support.patience import patience


def forever() -> None:
    while True:
        pass


def test_what_hangs_is_ended_and_the_next_block_has_its_own_time() -> None:
    before = signal.getsignal(signal.SIGPROF)
    with pytest.raises(pytest.fail.Exception, match=r"still at work after 0\.1 s"), patience(0.1):
        forever()
    with patience(0.1):
        sum(range(1000))
    assert signal.getsignal(signal.SIGPROF) is before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
