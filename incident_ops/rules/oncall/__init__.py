"""Rules about oncall/*.yaml and what names its schedules, one file each. A rule's docstring is its documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import ModuleType

from incident_ops.domain.oncall import OnCallSchedule
from incident_ops.domain.policy_sections import Contact
from incident_ops.findings import Finding, Level, Route, Where
from incident_ops.rules._support import rule_modules


@dataclass(frozen=True, slots=True)
class ScheduleFile:
    """A schedule with what its rules may know: the contacts (None = no policy to compare with), every schedule by
    name, the instant of the check, and what it was when it was merged (None = not compared, or new)."""

    file: str
    schedule: OnCallSchedule
    now: datetime
    contacts: Mapping[str, Contact] | None = None
    others: Mapping[str, OnCallSchedule] = field(default_factory=dict)
    merged: OnCallSchedule | None = None

    def finding(
        self, rule: str, level: Level, route: Route, message: str, hint: str, *, on_key: bool = False
    ) -> Finding:
        """A finding at a value of the file."""
        return Finding(rule, level, Where(self.file, route, on_key=on_key), message, hint)


@cache
def oncall_rules() -> tuple[ModuleType, ...]:
    """Every rule of this folder."""
    return rule_modules(__name__, __path__)


def check_schedule(subject: ScheduleFile) -> list[Finding]:
    """What the rules find in a schedule; what depends on the clock only where its times can be used."""
    found = _found(subject, timed=False)
    if any(one.level is Level.ERROR for one in found):
        return found
    return [*found, *_found(subject, timed=True)]


def _found(subject: ScheduleFile, *, timed: bool) -> list[Finding]:
    rules = (rule for rule in oncall_rules() if rule.TIMED is timed and hasattr(rule, "check"))
    return [finding for rule in rules for finding in rule.check(subject)]
