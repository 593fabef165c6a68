"""The answer of a gate, its words and exit codes (docs/contract.md#reason-codes). Only a yes lets a deploy pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from incident_ops.domain.record import Unread

PASS, FAIL, INCONCLUSIVE, FROZEN, OVERRIDDEN = "pass", "fail", "inconclusive", "frozen", "overridden"

EXIT: Mapping[str, int] = MappingProxyType({PASS: 0, FAIL: 1, FROZEN: 3, INCONCLUSIVE: 3, OVERRIDDEN: 0})
"""Exit code of each verdict: 1 = fail, 3 = held or unknown."""

OK, OVERRIDE, ROLLBACK_ALLOWED = "ok", "override", "rollback_allowed"
OPEN_INCIDENT, MAINTENANCE_WINDOW, DEPLOY_FREEZE = "open_incident", "maintenance_window", "deploy_freeze"
OFF_WINDOW, ERROR_BUDGET = "off_window", "error_budget"
UNREADABLE_RECORD, NO_DATA = "unreadable_record", "no_data"
INCIDENT_REPO_UNREACHABLE, CONFIG_ERROR, HAS_NOT_ENDED = "incident_repo_unreachable", "config_error", "timeout"

HOLDING = (OPEN_INCIDENT, MAINTENANCE_WINDOW, DEPLOY_FREEZE, OFF_WINDOW, ERROR_BUDGET)
"""Reason codes of what holds, the gravest first: the first one is the verdict's."""


class Hold(NamedTuple):
    """One thing that holds deploys, from `begin` to `end` (aware UTC; None = on either side open).

    `id` names it: an incident, a change, a freeze, a calendar, a service whose budget it is. `text` is its title or
    reason, None where it may not be shown. `state` is its status, `needed` the service it is on where that is one
    that the asked one needs, `by` who leads, owns or wrote it ("" = nobody, or not to be shown). `spent` is what of an
    error budget is used and what is allowed.
    """

    reason_code: str
    id: str
    text: str | None
    state: str = ""
    needed: str = ""
    begin: datetime | None = None
    end: datetime | None = None
    is_restricted: bool = False
    by: str = ""
    spent: tuple[float, float] | None = None


OF_A_FILE = frozenset({*HOLDING, UNREADABLE_RECORD, NO_DATA})
"""What an override lets its commit through that is a file of its own, which somebody else reviewed."""
OF_A_RECORD = frozenset({ERROR_BUDGET, OFF_WINDOW, NO_DATA})
"""The same of one in the record of an incident, beside that incident: a freeze or a window is not its commander's."""


class HeldRelease(NamedTuple):
    """What lets a held deploy through: who took it on, why, until when, and where it is recorded (id or file).

    `frees` are the reason codes that it releases from, and `incident` the open incident. `approved_by` is the second
    person, "" where the review of its pull request is.
    """

    by: str
    reason: str
    expires: datetime | None
    source: str
    frees: frozenset[str] = frozenset()
    incident: str = ""
    approved_by: str = ""

    def ends(self, hold: Hold) -> bool:
        """True where the hold is no longer in the commit's way."""
        return hold.reason_code in self.frees or (
            hold.reason_code == OPEN_INCIDENT and bool(hold.id) and hold.id == self.incident
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """A gate's answer about a service.

    `notes` are lines for people, e.g. why a release asked for does not count. `looked_at` is where the answer comes
    from, `not_merged` what would hold if the files of this clone were merged, `at` the instant asked about, aware UTC.
    `blamed` is the open incident that names the commit as its cause.
    """

    service: str
    verdict: str
    reason_code: str
    holds: tuple[Hold, ...] = ()
    unread: tuple[Unread, ...] = ()
    environment: str = ""
    release: HeldRelease | None = None
    notes: tuple[str, ...] = ()
    looked_at: str = ""
    at: datetime | None = None
    blamed: str = ""
    not_merged: tuple[Hold, ...] = ()

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return EXIT[self.verdict]

    @property
    def incident_ids(self) -> list[str]:
        """The incidents that hold, in order; one that may not be named at all is left out."""
        return [hold.id for hold in self.holds if hold.reason_code == OPEN_INCIDENT and hold.id]
