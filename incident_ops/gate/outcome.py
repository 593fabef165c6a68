"""What a canary run, a replay or a freeze ends with: the verdict and all that is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from incident_ops.gate.joined import Joined, Standing, exit_code
from incident_ops.gate.needed import Needed


class Curves(dict[str, list[float]]):
    """The e-values of each error rate, tick by tick."""

    def add(self, joined: Joined) -> None:
        """Takes down where every error rate stands."""
        for one in joined.metrics:
            if one.judgement is not None:
                self.setdefault(one.name, []).append(one.judgement.e_value)

    @property
    def whole(self) -> Mapping[str, tuple[float, ...]]:
        """As they are at the end."""
        return {name: tuple(values) for name, values in self.items()}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and its reason code. `seconds` is how long was measured, None where nothing was.

    `curves` are the e-values tick by tick of each error rate; `next_weight` the share of the traffic that may be taken
    next, None where none may; `notes` lines for people; `is_dry` where the gate file only reports.
    """

    gate: str
    verdict: str
    reason_code: str
    metrics: tuple[Standing, ...] = ()
    seconds: float | None = None
    needed: Needed | None = None
    incident_ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    next_weight: int | None = None
    is_dry: bool = False

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return exit_code(self.verdict, self.reason_code)


def outcome_of(gate: str, joined: Joined, seconds: float, curves: Mapping[str, tuple[float, ...]]) -> Outcome:
    """The outcome of a run whose metrics are joined."""
    return Outcome(gate, joined.verdict, joined.reason_code, joined.metrics, seconds, joined.needed, curves=curves)
