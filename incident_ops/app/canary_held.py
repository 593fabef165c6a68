"""What a canary asks of the gate: before its first step, before each further one, and before full traffic."""

from __future__ import annotations

from collections.abc import Callable

from incident_ops.adapters.environment import Ticking
from incident_ops.app.gate_check import GateRequest, check_gate
from incident_ops.app.workspace import Workspace, at_present
from incident_ops.canary.replay import CanaryOutcome, outcome_of
from incident_ops.canary.run import Run
from incident_ops.canary.verdict import JoinedVerdict
from incident_ops.deploy_gate.verdict import (
    CONFIG_ERROR,
    INCIDENT_REPO_UNREACHABLE,
    INCONCLUSIVE,
    OVERRIDDEN,
    PASS,
    HeldRelease,
)
from incident_ops.domain.time import spell_minute
from incident_ops.errors import UserError
from incident_ops.render.gate import ends_of_holds, lines_of_holds

_TRIES, _PAUSE = 3, 20.0
"""How often a remote that does not answer is asked between two steps, and how many seconds later."""


class HeldBack(Exception):
    """Deploys are held, or nobody can tell: no more traffic may move."""

    def __init__(self, outcome: CanaryOutcome) -> None:
        super().__init__(outcome.reason_code)
        self.outcome = outcome


class GateOfRun:
    """The gate as one run asks it; `question` makes the request, None for a run without a service."""

    def __init__(
        self, workspace: Workspace, name: str, question: Callable[[], GateRequest | None], ticking: Ticking
    ) -> None:
        self._workspace, self._name, self._question, self._ticking = workspace, name, question, ticking
        self._measured: tuple[Run, JoinedVerdict] | None = None
        self.is_overridden, self.released = False, ""

    @property
    def has_begun(self) -> bool:
        """True once something was measured."""
        return self._measured is not None

    def note_tick(self, run: Run, joined: JoinedVerdict) -> None:
        """What is known after a tick, for the outcome of a run that is stopped."""
        self._measured = run, joined

    def must_be_free(self) -> None:
        """Asks; raises HeldBack where deploys are held, or nobody can tell. UserError as `check_gate` before it."""
        asked = self._question()
        if asked is None:
            return
        held = self._answer(asked)
        for _ in range(_TRIES - 1):
            if held.reason_code != INCIDENT_REPO_UNREACHABLE or not self.has_begun:
                break
            self._ticking.wait(_PAUSE)
            held = self._answer(asked)
        if held.verdict not in (PASS, OVERRIDDEN):
            raise HeldBack(held)
        self.is_overridden = self.is_overridden or held.verdict == OVERRIDDEN

    def _answer(self, asked: GateRequest) -> CanaryOutcome:
        """What holds deploys, as an outcome of the canary; of a run that has begun also where the question cannot be
        asked any more."""
        if not self.has_begun:
            held = check_gate(self._workspace, asked)
        else:
            try:
                held = check_gate(at_present(self._workspace, self._ticking.now()), asked)
            except UserError as error:
                return CanaryOutcome(self._name, INCONCLUSIVE, CONFIG_ERROR, notes=(str(error),), is_held=True)
        if held.release is not None:
            self.released = _released(held.release)
        ends = ends_of_holds(held)
        ids, notes = tuple(held.incident_ids), (*lines_of_holds(held, asked.lead), *ends, *held.notes)
        return CanaryOutcome(self._name, held.verdict, held.reason_code, incident_ids=ids, notes=notes, is_held=True)

    def stopped(self, held: CanaryOutcome, weight: int, *, has_state: bool) -> CanaryOutcome:
        """The outcome where deploys were held before more traffic moved: what was measured until then, and what is left
        as it is. No command runs, for nothing says that the canary is bad."""
        if self._measured is None:
            return held
        run, joined = self._measured
        share = f" at {weight} % of the traffic" if weight else ""
        again = "; once nothing holds, the same command continues from the state file" if has_state else ""
        left = f"stopped before more traffic moved: the canary stays{share}, and nothing was rolled back{again}"
        measured = outcome_of(held.gate, joined, run.at, {})
        return CanaryOutcome(
            held.gate, held.verdict, held.reason_code, measured.metrics, run.at,
            incident_ids=held.incident_ids, notes=(*held.notes, left), is_held=held.is_held,
        )  # fmt: skip


def _released(release: HeldRelease) -> str:
    """Who let the commit through, until when, where that is written, and why."""
    by = f" by {release.by}" if release.by else ""
    until = f" until {spell_minute(release.expires)}" if release.expires else ""
    reason = f": {release.reason}" if release.reason else ""
    return f"Let through{by}{until}, recorded in {release.source}{reason}"
