"""A live run of a canary as it is asked for, and who is shown how it goes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self

from incident_ops.app.canary_gate import GateFile
from incident_ops.canary.config import Analysis
from incident_ops.canary.run import Run
from incident_ops.canary.verdict import JoinedVerdict
from incident_ops.domain.metric_kinds import RECORDING
from incident_ops.errors import UserError


@dataclass(frozen=True)
class CanaryRequest:
    """A run as the options of `canary run` ask for it; see its help."""

    file: str
    service: str | None = None
    environment: str | None = None
    sha: str | None = None
    records: str | None = None
    passed: str | None = None
    requests: int | None = None
    values: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    state: str | None = None
    step_state: str | None = None
    watch: bool = False
    on_step: str | None = None
    on_pass: str | None = None
    on_fail: str | None = None
    declare: bool = False
    severity: str | None = None
    send: bool = False
    carry_on: float | None = None
    """Seconds more for a run that ended inconclusive."""


class RunProgress(Protocol):
    """Whoever is shown how a run goes, from the first tick to the last."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def show(self, analysis: Analysis, run: Run, joined: JoinedVerdict, /) -> None:
        """The status of every metric after a tick."""

    def note(self, text: str, /) -> None:
        """A line for people."""

    def announce(self, text: str, /) -> None:
        """What begins now, in a line of its own."""

    def paused(self) -> AbstractContextManager[None]:
        """For as long as a command of the caller prints."""


_LONGEST = 86400.0


def demand_consistent(request: CanaryRequest, gate: GateFile) -> None:
    """UserError for options that do not go together, and for a gate that cannot be measured live."""
    if gate.analysis.provider.kind == RECORDING.name:
        raise UserError("a file is not live", where=gate.path, hint="incident-ops canary replay X.csv -f GATE.yaml")
    if request.state and request.step_state:
        raise UserError("--state and --step-state are two ways", hint="a job for each step: --step-state alone")
    if (request.state or request.step_state) and not request.sha:
        hint = "--sha SHA: evidence of one version must not count for another"
        raise UserError("a state file belongs to one commit", hint=hint)
    if request.carry_on is not None:
        if not (request.state or request.step_state):
            raise UserError("--continue without --state", hint="--state FILE, the one that the inconclusive run wrote")
        if not gate.analysis.interval <= request.carry_on <= _LONGEST:
            raise UserError(
                "--continue is too short or too long", hint="at least one interval, a day at most, e.g. 10m"
            )
    for option in ("environment", "records", "passed", "requests"):
        if getattr(request, option) is not None and not request.service:
            raise UserError(f"--{option} without --service", hint="--service NAME")
    for option in ("severity", "send"):
        if getattr(request, option) and not request.declare:
            raise UserError(f"--{option} without --declare", hint="add --declare, or leave it out")
