"""Who stands behind `oncall:NAME`: the schedules of a store, read when somebody asks for the first time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

from msgspec.structs import replace

from incident_ops.domain.oncall import OnCallSchedule, schedule_named
from incident_ops.domain.policy import Policy
from incident_ops.errors import UserError
from incident_ops.oncall.shifts import Shift, on_call_at, override_shifts
from incident_ops.records.oncall import load_schedules
from incident_ops.records.store import Store


class OnCallBook:
    """Answers who is on call; a schedule that cannot be used puts nobody on call, and `validate` says why."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._overrides: dict[str, list[Shift]] = {}
        self._answers: dict[tuple[str, datetime], str | None] = {}

    def __call__(self, name: str, at: datetime, /) -> str | None:
        """The handle; None where nobody is on call, or there is no such schedule."""
        asked = name, at
        if asked not in self._answers:
            self._answers[asked] = self._worked_out(name, at)
        return self._answers[asked]

    def _worked_out(self, name: str, at: datetime) -> str | None:
        schedule = self._schedules.get(name)
        if schedule is None:
            return None
        try:
            if name not in self._overrides:
                self._overrides[name] = override_shifts(schedule)
            return on_call_at(schedule, at, self._overrides[name])
        except ValueError:
            return None

    @cached_property
    def _schedules(self) -> Mapping[str, OnCallSchedule]:
        return load_schedules(self._store).by_name


def with_on_call(policy: Policy, store: Store) -> Policy:
    """The policy whose contacts know who is on call by the schedules of a store."""
    return replace(policy, contacts=replace(policy.contacts, on_call=OnCallBook(store)))


def person_meant(text: str, store: Store, at: datetime) -> str:
    """Whoever `oncall:NAME` stands for at an instant; any other text as it is. UserError where nobody is on call."""
    name = schedule_named(text)
    if name is None:
        return text
    who = OnCallBook(store)(name, at)
    if who is None:
        raise UserError(f"nobody is on call by {text}", hint=f"incident-ops oncall who {name}; or name a person")
    return who
