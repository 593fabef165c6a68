"""Steps by their names, with answers that fit: what the tests of a door need from the others."""

from __future__ import annotations

from typing import Any

from incident_ops.doors.ack import ack
from incident_ops.doors.assign import assign
from incident_ops.doors.close import close
from incident_ops.doors.pause import end_pause, pause
from incident_ops.doors.reopen import reopen
from incident_ops.doors.resolve import Resolution, resolve
from incident_ops.doors.step import Step
from incident_ops.doors.withdraw import withdraw
from tests.doors.scene import Page


def answers(page: Page) -> Resolution:
    """Service was back as soon as the present cycle began."""
    cycles = page.incident.cycles
    return Resolution(cycles[-1].reopened if cycles else page.incident.times.declared, "deploy")


def go(page: Page, minutes: float, name: str, *more: Any, by: str | None = "@a") -> Step:
    """Makes the step `name` on a page."""
    doors = {
        "ack": lambda one, now: ack(one, page.policy, now, by),
        "assign": lambda one, now: assign(one, page.policy, now, by, "@b", None),
        "resolve": lambda one, now: resolve(one, page.policy, now, by, *(more or (answers(page),))),
        "close": lambda one, now: close(one, page.policy, now, by, verified=True),
        "reopen": lambda one, now: reopen(one, page.policy, now, by, "it is back"),
        "pause": lambda one, now: pause(one, page.policy, now, by, "vendor", None),
        "end": lambda one, now: end_pause(one, page.policy, now, by),
        "withdraw": lambda one, now: withdraw(one, page.policy, now, by, "false_alarm", "the probe", None),
    }
    return page.take(minutes, doors[name])
