"""Steps by their names, with answers that fit: what the tests of a door need from the others."""

from __future__ import annotations

from typing import Any

from incident_ops.edits.finish import (
    ResolutionFacts,
    close_incident,
    reopen_incident,
    resolve_incident,
    withdraw_incident,
)
from incident_ops.edits.respond import acknowledge, assign_incident, end_pause, pause_incident
from incident_ops.edits.step import Step
from tests.edits.scene import Page


def answers(page: Page) -> ResolutionFacts:
    """Service was back as soon as the present cycle began."""
    cycles = page.incident.cycles
    return ResolutionFacts(cycles[-1].reopened if cycles else page.incident.times.declared, "deploy")


def go(page: Page, minutes: float, name: str, *more: Any, by: str | None = "@a") -> Step:
    """Makes the step `name` on a page."""
    doors = {
        "ack": lambda one, now: acknowledge(one, page.policy, now, by),
        "assign": lambda one, now: assign_incident(one, page.policy, now, by, "@b", None),
        "resolve": lambda one, now: resolve_incident(one, page.policy, now, by, *(more or (answers(page),))),
        "close": lambda one, now: close_incident(one, page.policy, now, by, verified=True),
        "reopen": lambda one, now: reopen_incident(one, page.policy, now, by, "it is back"),
        "pause": lambda one, now: pause_incident(one, page.policy, now, by, "vendor", None),
        "end": lambda one, now: end_pause(one, page.policy, now, by),
        "withdraw": lambda one, now: withdraw_incident(one, page.policy, now, by, "false_alarm", "the probe", None),
    }
    return page.take(minutes, doors[name])
