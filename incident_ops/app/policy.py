"""The policy as a file: checked, and public holidays written into a calendar of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from incident_ops.adapters.files import replace_if_unchanged
from incident_ops.app.edit_record import check_services
from incident_ops.app.workspace import Workspace, demand_work_tree, strict
from incident_ops.domain.record import Set
from incident_ops.errors import UserError, WriteFailed
from incident_ops.findings import Finding, Route, Where, did_you_mean
from incident_ops.records.editor import edit, key_order
from incident_ops.records.oncall import load_schedules
from incident_ops.records.policy import (
    POLICY,
    SERVICES,
    LoadedServices,
    load_policy,
    resolve_policy,
    team_data,
    team_overlay,
    to_policy,
)
from incident_ops.records.schema import schema
from incident_ops.records.team_faults import team_faults
from incident_ops.rules.policy import PolicyFile, check_policy


def lint_policy(workspace: Workspace) -> list[Finding]:
    """What is wrong with policy.yaml and services.yaml, by place; reads them even where they cannot be used."""
    loaded, services = workspace.setting.policy, workspace.setting.services
    found = [*workspace.setting.findings]
    if loaded.policy is not None and loaded.document is not None:
        known = services.services if services.services is not None else {}
        schedules = load_schedules(workspace.store).by_name
        subject = PolicyFile(loaded.policy, loaded.own, loaded.resolved, loaded.document.file, known, schedules)
        of_policy = check_policy(subject)
        found += [one.at(loaded.document.locate(one.where)) for one in of_policy]
        found += [*team_faults(workspace.setting), *_of_teams(subject, services, of_policy)]
    return sorted(found, key=lambda one: one.sort_key)


def held_data(workspace: Workspace, service: str) -> dict[str, Any]:
    """The resolved policy that holds for the incidents of a service. UserError for one that is not there."""
    check_services(workspace, [service])
    policy, services = workspace.judged_by
    resolved, team = workspace.setting.policy.resolved, services[service].team
    return resolved if team is None else team_data(resolved, workspace.setting.services.teams[team], policy)


def _of_teams(whole: PolicyFile, services: LoadedServices, of_policy: list[Finding]) -> Iterator[Finding]:
    """What is wrong with the policy of each team and not with that of the repository, at the team's lines."""
    known = {(one.rule, one.message) for one in of_policy}
    for name, team in services.teams.items() if services.document is not None else ():
        held = {key: one for key, one in (services.services or {}).items() if one.team == name}
        data, own = (
            team_data(whole.resolved, team, whole.policy),
            resolve_policy(team_overlay(whole.resolved, team), whole.own),
        )
        for one in check_policy(PolicyFile(to_policy(data), own, data, SERVICES, held, whole.schedules)):
            if (one.rule, one.message) in known:
                continue
            block = "on_call" if one.where.route[:3] == ("contacts", "roles", "on_call") else str(one.where.route[0])
            where = Where(SERVICES, ("teams", name, block) if block in team else ("teams", name), on_key=True)
            found = replace(one, where=where, message=f"team {name!r}: {one.message}")
            yield found.at(services.document.locate(where))  # type: ignore[union-attr]


def add_holidays(workspace: Workspace, calendar: str, days: Mapping[date, str]) -> str:
    """Adds the dates that are not there yet -> what was done, as a line. Every date that is there stays.

    A comment beside each new date has its name (`days`); comments of the dates that are there stay, too.

    UserError where the policy has no such calendar or cannot be read, WriteFailed where it changed meanwhile.
    """
    demand_work_tree(workspace)
    policy, _ = strict(workspace).judged_by
    if calendar not in policy.calendars:
        hint = did_you_mean(calendar, policy.calendars) or f"there are: {', '.join(sorted(policy.calendars))}"
        raise UserError(f"the policy has no calendar {calendar!r}", hint=hint, where=POLICY)
    before = policy.calendars[calendar].holidays
    names = {day.isoformat(): f"# {' '.join(name.split())}" for day, name in days.items()}
    after = sorted({*before, *names})
    added = len(after) - len(set(before))
    if not added:
        return f"{POLICY}: calendar {calendar} has these {len(days)} dates already"
    route = ("calendars", calendar, "holidays")
    _write(workspace, [Set(route, after)], lambda text, old: _commented(text, route, names | _comments(old, route)))
    return f"{POLICY}: {added} dates added to calendar {calendar}, {len(after)} in all; look at them before you commit"


def _entries(text: str, route: Route) -> Iterator[tuple[int, str]]:
    """Line (from 0) and value of each entry of a list in the text of policy.yaml, where it has a line of its own."""
    loaded = load_policy(text, POLICY)
    value: Any = loaded.own
    for step in route:
        value = value.get(step) if isinstance(value, dict) else None
    lines = text.split("\n")
    for index, entry in enumerate(value or ()) if loaded.document else ():
        line = loaded.document.locate(Where(POLICY, (*route, index))).line - 1  # type: ignore[union-attr]
        if re.match(rf"\s*- [\"']?{re.escape(str(entry))}[\"']?\s*(#|$)", lines[line]):
            yield line, str(entry)


def _comments(text: str, route: Route) -> dict[str, str]:
    lines = text.split("\n")
    return {day: f"#{note}" for line, day in _entries(text, route) if (note := lines[line].partition("#")[2])}


def _commented(text: str, route: Route, notes: Mapping[str, str]) -> str:
    lines = text.split("\n")
    for line, day in _entries(text, route):
        if day in notes and "#" not in lines[line]:
            lines[line] = f"{lines[line].rstrip()}  {notes[day]}"
    return "\n".join(lines)


def _write(workspace: Workspace, edits: list[Any], finish: Callable[[str, str], str]) -> None:
    """Edits policy.yaml; `finish` has the last word, given the new text and the old one."""
    path = workspace.root / POLICY
    raw = path.read_bytes()
    text = finish(edit(raw.decode(), edits, order=key_order(schema("policy")), file=POLICY), raw.decode())
    loaded = load_policy(text, POLICY)
    if loaded.policy is None:
        first = loaded.findings[0]
        raise UserError(first.message, hint=first.hint, where=str(first.where))
    if not replace_if_unchanged(path, raw, text.encode(), workspace.state / "records.lock"):
        raise WriteFailed("the policy changed while it was edited", where=POLICY, hint="run it again")
