"""A limit that ends what hangs or grows without bound. It is no measure of speed: those stand in docs/benchmarks.md."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

MOST = 30.0
"""Seconds of processor time; what is guarded takes a fraction of one."""


@contextmanager
def patience(seconds: float = MOST) -> Iterator[None]:
    """Fails the test where the block takes more processor time than that, and does not wait for its end."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        pytest.fail(f"still at work after {seconds:g} s of processor time")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
