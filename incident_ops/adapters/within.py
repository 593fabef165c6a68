"""One call with an end: what does not answer in time is left behind, so that it holds up nothing else."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

Made = TypeVar("Made")


def within(seconds: float, call: Callable[[], Made]) -> Made:
    """What `call` gives or raises; TimeoutError after `seconds`, and then it goes on alone until the program ends.

    A time limit of a socket is not enough: it begins anew with every byte.
    """
    made: list[Made] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            made.append(call())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not made:
        raise TimeoutError
    return made[0]
