"""Who is on call, who is next, what nobody covers, and swaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from incident_ops.app.edit_record import check_services
from incident_ops.app.file_changes import times_changed
from incident_ops.app.workspace import Workspace
from incident_ops.domain.oncall import OnCallSchedule, schedule_named
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import ON_CALL
from incident_ops.domain.record import Unread
from incident_ops.domain.time import TimeSpan
from incident_ops.errors import UserError
from incident_ops.findings import Finding, did_you_mean
from incident_ops.oncall.answers import LOOK_AHEAD, ComingShift, OnCallAnswer, OnCallNow, on_call_now
from incident_ops.oncall.shifts import Shift, shifts, uncovered
from incident_ops.records.oncall import ONCALL, Schedules, load_schedules, schedule_path
from incident_ops.validation import validate_schedules

CALENDAR_BEHIND = timedelta(days=30)
LONGEST_SHIFT = timedelta(days=400)
"""How far back the beginning of a shift is looked for."""
NO_SCHEDULE_HINT = "write one: incident-ops init --on-call @you --on-call @other"


@dataclass(frozen=True)
class OnCallLint:
    """The findings about schedules and what names them, the number of files, and what nobody covers, by schedule."""

    findings: tuple[Finding, ...]
    files: int
    gaps: Mapping[str, list[TimeSpan]]
    zones: Mapping[str, str]


def usable_schedules(workspace: Workspace, name: str | None = None) -> Schedules:
    """Every schedule, or the one that is asked for; one that cannot be used is among the unread.

    UserError where there is none, or none of that name.
    """
    found = load_schedules(workspace.store)
    _refuse_unknown(found, name)
    usable: dict[str, OnCallSchedule] = {}
    unread = [one for one in found.unread if name is None or one.path.startswith(f"{ONCALL}/{name}.")]
    for one in found.by_name.values():
        if name is not None and one.name != name:
            continue
        try:
            shifts(one, workspace.now, workspace.now + LOOK_AHEAD)
        except ValueError as error:
            unread.append(Unread(schedule_path(one.name), str(error)))
        else:
            usable[one.name] = one
    return Schedules(usable, tuple(unread))


def _refuse_unknown(found: Schedules, name: str | None) -> None:
    """UserError where there are no schedules, or none of that name."""
    if not found.names:
        raise UserError("no schedules yet: oncall/ is empty", hint=NO_SCHEDULE_HINT)
    if name is not None and name not in found.names:
        raise UserError(f"no schedule is named {name!r}", hint=did_you_mean(name, sorted(found.names)))


def who_is_on_call(workspace: Workspace, name: str | None, service: str | None, at: datetime) -> OnCallAnswer:
    """Who is on call at an instant by every schedule, by one, or by those of a service. UserError as above."""
    if service is None:
        found = usable_schedules(workspace, name)
        return OnCallAnswer(tuple(on_call_now(one, at) for one in found.by_name.values()), found.unread)
    check_services(workspace, [service])
    policy, services = workspace.judged_by
    rows: list[OnCallNow] = []
    unread: list[Unread] = []
    for one in service_schedules(services[service].owner, policy.for_services([service])):
        found = usable_schedules(workspace, one)
        rows += [on_call_now(schedule, at) for schedule in found.by_name.values()]
        unread += found.unread
    if not rows and not unread:
        owner = services[service].owner
        hint = 'contacts: {roles: {on_call: ["oncall:primary"]}} in policy.yaml, or owner: "oncall:primary"'
        raise UserError(f"{service} (owner {owner}) has no schedule", hint=hint)
    return OnCallAnswer(tuple(rows), tuple(unread))


def service_schedules(owner: str, policy: Policy) -> list[str]:
    """The names of the schedules of a service: its owner's, else those of the role on_call."""
    named = [owner] if schedule_named(owner) else policy.contacts.roles.get(ON_CALL, [])
    return [name for one in named if (name := schedule_named(one)) is not None]


def coming_shifts(workspace: Workspace, who: str, at: datetime) -> tuple[list[ComingShift], tuple[Unread, ...]]:
    """The shifts of a person from an instant on, the one that is going on first, and what cannot be used."""
    found = usable_schedules(workspace)
    coming = [
        ComingShift(one.name, one.zone, shift)
        for one in found.by_name.values()
        for shift in shifts(one, at - LONGEST_SHIFT, at + LOOK_AHEAD)
        if shift.end > at and shift.who.casefold() == who.casefold()
    ]
    return sorted(coming, key=lambda one: (one.shift.begin, one.schedule)), found.unread


def lint_schedules(workspace: Workspace, name: str | None = None) -> OnCallLint:
    """What is wrong with the schedules, or with one, and every stretch of the next 60 days that nobody covers."""
    from incident_ops.rules.oncall.uncovered import AHEAD

    found = load_schedules(workspace.store)
    if found.names:
        _refuse_unknown(found, name)
    findings, files = validate_schedules(workspace.store, workspace.setting, workspace.now)
    if not files and not findings:
        _refuse_unknown(found, None)
    if name is not None:
        findings = [one for one in findings if one.where.file.startswith(f"{ONCALL}/{name}.")]
        files = 1
    gaps: dict[str, list[TimeSpan]] = {}
    for one in found.by_name.values():
        try:
            missing = uncovered(one, workspace.now, workspace.now + AHEAD)
        except ValueError:  # among the findings
            continue
        if missing and name in (None, one.name):
            gaps[one.name] = missing
    zones = {one.name: one.zone for one in found.by_name.values()}
    return OnCallLint(tuple(findings), files, gaps, zones)


def rota_calendar(workspace: Workspace, name: str, days: int, person: str | None) -> tuple[str, tuple[str, ...]]:
    """The iCalendar file of a schedule's shifts, from those of 30 days ago on, and what should give pause.

    `person` None = everybody. UserError where there is no such schedule, or it cannot be used.
    """
    from incident_ops.render.oncall_calendar import calendar_file

    found = usable_schedules(workspace, name)
    if found.unread:
        raise UserError(found.unread[0].reason, where=found.unread[0].path, hint="see incident-ops oncall lint")
    schedule, now = found.by_name[name], workspace.now
    shown = _whole_shifts(schedule, now - CALENDAR_BEHIND, now + timedelta(days=days))
    if person is not None:
        shown = [one for one in shown if one.who.casefold() == person.casefold()]
    sequence, warnings = times_changed(workspace, schedule_path(name))
    return calendar_file(schedule, shown, now, sequence), warnings


def _whole_shifts(schedule: OnCallSchedule, begin: datetime, end: datetime) -> list[Shift]:
    """The shifts that begin in a time and end in the year after it, uncut: where they begin must not hang on today."""
    found = shifts(schedule, begin - LONGEST_SHIFT, end + LONGEST_SHIFT)
    return [one for one in found if begin - LONGEST_SHIFT < one.begin < end and one.end > begin]
