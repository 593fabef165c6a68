"""The answer of a gate, its words and its exit codes (contract 4). Whatever is not a yes does not let a deploy pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from incident_ops.model.unread import Unread

PASS, FAIL, INCONCLUSIVE, FROZEN, OVERRIDDEN = "pass", "fail", "inconclusive", "frozen", "overridden"

EXIT: Mapping[str, int] = MappingProxyType({PASS: 0, FAIL: 1, FROZEN: 3, INCONCLUSIVE: 3, OVERRIDDEN: 0})
"""Exit code of each verdict: 1 = it says no, 3 = held or cannot tell."""

OK, OPEN_INCIDENT, UNREADABLE_RECORD = "ok", "open_incident", "unreadable_record"


@dataclass(frozen=True, slots=True)
class Holding:
    """An incident that holds deploys; `title` is None where it may not be shown."""

    id: str
    level: str
    state: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A gate's answer about a service: verdict and reason code are words of contract 4."""

    service: str
    verdict: str
    reason_code: str
    holding: tuple[Holding, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return EXIT[self.verdict]

    @property
    def incident_ids(self) -> list[str]:
        """The incidents that hold, in order."""
        return [incident.id for incident in self.holding]
