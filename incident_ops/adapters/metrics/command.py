"""A command of the caller as a measurement: a smoke test, a load test. Its exit code is the result.

The gate file has its name only; the command comes from a command line or a workflow. What it prints is shown to people
where it did not succeed: the last of it, in one line, without what the environment holds as secrets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from incident_ops.adapters.processes import measured, one_line
from incident_ops.domain.metric_kinds import COMMAND
from incident_ops.domain.ports import MetricSeries, Tick
from incident_ops.errors import Incomplete

KIND = COMMAND
_NOT_RUN = {126: "permission to run it is missing", 127: "there is no such command"}
"""What a shell ends with where it could not run the command, so that nothing was measured."""
_SECRET = re.compile(r"TOKEN|SECRET|PASS|KEY|CREDENTIAL|AUTH|COOKIE|SESSION|DSN|URL|_PWD", re.IGNORECASE)
_SHORTEST, _SHOWN = 6, 200


class CommandSource:
    """A command by its name; see `domain.ports.MetricSource`. `facts` are asked for whenever it is run."""

    is_cumulative, is_promql, unproven = KIND.is_cumulative, KIND.is_promql, KIND.unproven

    def __init__(
        self,
        name: str,
        command: str,
        seconds: float,
        facts: Callable[[], Mapping[str, str]],
        say: Callable[[str], None],
    ) -> None:
        self.name, self.command = name, command
        self._seconds, self._facts, self._say = seconds, facts, say

    def value(self, _query: str, _tick: Tick, /) -> object:
        """The exit code. Incomplete where it took too long, could not be run, or was ended by a signal."""
        try:
            ran = measured(self.command, self._facts(), self._seconds)
        except Incomplete as error:
            raise Incomplete(f"command {self.name}: {error.message}") from error
        printed = last_line(ran.stdout, os.environ)
        said = f": {printed}" if printed else ""
        if ran.code is None:
            hint = "give it more time with timeout, at most 10m"
            raise Incomplete(f"command {self.name} took longer than {self._seconds:g} s and was ended{said}", hint=hint)
        if ran.code < 0:
            raise Incomplete(f"command {self.name} was ended by signal {-ran.code}{said}")
        if ran.code in _NOT_RUN:
            problem = f"command {self.name} ended with exit code {ran.code}, {_NOT_RUN[ran.code]}{said}"
            raise Incomplete(problem, hint=f"fix --command {self.name}=...")
        if ran.code:
            self._say(f"command {self.name} ended with exit code {ran.code}{said}")
        return ran.code

    def counts(self, _query: str, _tick: Tick, /) -> MetricSeries:
        """It has none."""
        raise Incomplete(f"command {self.name} gives an exit code and no counts")

    def history(self, _query: str, _last: Tick, _ticks: int, /) -> Sequence[MetricSeries]:
        """None is read."""
        return ()

    def spacing(self, _query: str, _at: datetime, /) -> float:
        """It is run whenever it is asked."""
        return 0.0


def last_line(output: bytes, environment: Mapping[str, str]) -> str:
    """The last line of an output that says something, without the secrets of the environment."""
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return one_line(without_secrets(lines[-1], environment), _SHOWN) if lines else ""


def without_secrets(text: str, environment: Mapping[str, str]) -> str:
    """The text, one line, with *** for each value of a variable whose name says that it is a secret; of one of several
    lines for each of them."""
    values = [value for name, value in environment.items() if _SECRET.search(name)]
    lines = {line.strip() for value in values for line in value.splitlines()}
    secrets = {line for line in lines if len(line) >= _SHORTEST}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
