"""Rules about policy.yaml, one file each (`policy lint`). A rule's docstring is its documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from incident_ops.domain.oncall import OnCallSchedule
from incident_ops.domain.policy import LevelPolicy, Policy, Services
from incident_ops.findings import Finding, Level, Route, Where
from incident_ops.rules._support import rule_modules

_PRESET: Route = ("extends",)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One policy file: `own` is the user's data, `resolved` the same laid over its preset, `schedules` those that can
    be read (None = not known)."""

    policy: Policy
    own: dict[str, Any]
    resolved: dict[str, Any]
    file: str = "policy.yaml"
    services: Services = field(default_factory=dict)
    schedules: Mapping[str, OnCallSchedule] | None = None

    def route(self, *steps: str | int) -> Route | None:
        """The route of a value in the user's own file, or None where the preset says it. A text step into a list
        whose entries have an `id` means the entry with that id."""
        value: Any = self.own
        steps_taken: list[str | int] = []
        for step in steps:
            if isinstance(value, list) and isinstance(step, str):
                index = next(
                    (i for i, entry in enumerate(value) if isinstance(entry, dict) and entry.get("id") == step), None
                )
                if index is None:
                    return None
                step = index
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
            steps_taken.append(step)
        return tuple(steps_taken)

    def where(self, *steps: str | int) -> Where:
        """The place of a value in the user's own file; else of what is nearest above it, else of `extends`: the preset
        says it. Lists and maps are shown at their key."""
        above = (self.route(*steps[:length]) for length in range(len(steps), 0, -1))
        route = next((one for one in above if one is not None), None)
        if route is None:
            return Where(self.file, _PRESET)
        value: Any = self.own
        for step in route:
            value = value[step]
        return Where(self.file, route, on_key=isinstance(value, dict | list) and isinstance(route[-1], str))

    def first_own(self, *routes: Route) -> Route:
        """The first of these routes that leads to a value in the user's own file; else the last."""
        return next((route for route in routes if self.route(*route) is not None), routes[-1])

    def error(self, rule: str, steps: Route, message: str, hint: str) -> Finding:
        """An error at a value."""
        return self._finding(rule, Level.ERROR, steps, message, hint)

    def warning(self, rule: str, steps: Route, message: str, hint: str) -> Finding:
        """A warning at a value."""
        return self._finding(rule, Level.WARNING, steps, message, hint)

    def _finding(self, rule: str, level: Level, steps: Route, message: str, hint: str) -> Finding:
        where = self.where(*steps)
        new = " (a key to add; the place shown names the preset)" if where.route == _PRESET else ""
        return Finding(rule, level, where, message, f"{hint}{new}")

    def levels(self) -> Iterator[tuple[Route, LevelPolicy]]:
        """Every level of both scales, with the route of its entry."""
        for level in self.policy.levels:
            yield ("levels", level.id), level
        for level in self.policy.scheme.major:
            yield ("scheme", "major", level.id), level

    def calendars_used(self) -> Iterator[tuple[Route, str]]:
        """Every place that names a calendar, and the name."""
        for route, level in self.levels():
            yield (*route, "calendar"), level.calendar
        if self.policy.gate.deploy_calendar is not None:
            yield ("gate", "deploy_calendar"), self.policy.gate.deploy_calendar

    def whoms(self) -> Iterator[tuple[Route, str]]:
        """Every place that names a role, a tier, `executive` or a handle to be notified, and the name."""
        for route, level in self.levels():
            yield from _entries((*route, "audiences"), level.audiences)
        for tier in self.policy.escalation.tiers:
            yield from _entries(("escalation", "tiers", tier.id, "notify"), tier.notify)
        routing = self.policy.routing
        for kind, table in (("by_symptom", routing.by_symptom), ("by_category", routing.by_category)):
            for name, names in table.items():
                yield from _entries(("routing", kind, name), names)
        for name, phase in routing.by_phase.items():
            yield from _entries(("routing", "by_phase", name, "lead"), phase.lead)
            yield from _entries(("routing", "by_phase", name, "supporting"), phase.supporting)


def _entries(route: Route, names: list[str]) -> Iterator[tuple[Route, str]]:
    for index, name in enumerate(names):
        yield (*route, index), name


class PolicyRule(Protocol):
    """A module of this folder."""

    ID: str
    LEVEL: Level
    __doc__: str | None

    def check(self, policy_file: PolicyFile, /) -> Iterator[Finding]: ...


@cache
def policy_rules() -> tuple[PolicyRule, ...]:
    """Every rule of this folder. Loaded when asked for: `validate` needs one of them only."""
    return rule_modules(__name__, __path__)


def check_policy(policy_file: PolicyFile) -> list[Finding]:
    """What all policy rules find, in the file's order once the caller has located the places."""
    return [finding for rule in policy_rules() for finding in rule.check(policy_file)]
