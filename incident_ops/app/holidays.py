"""Adds dates to a calendar of policy.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from incident_ops.adapters.files import replace_if_unchanged
from incident_ops.app.workspace import Workspace
from incident_ops.domain.record import Set
from incident_ops.errors import UserError, WriteFailed
from incident_ops.findings import did_you_mean
from incident_ops.records.editor import edit, key_order
from incident_ops.records.policy import POLICY, load_policy
from incident_ops.records.schema import schema


def add_holidays(opened: Workspace, calendar: str, days: Sequence[date]) -> str:
    """Adds the dates that are not there yet -> what was done, as a line. Every date that is there stays.

    UserError where the policy has no such calendar or cannot be read, WriteFailed where it changed meanwhile.
    """
    if opened.store.revision:
        raise UserError("an old revision cannot be changed", hint="leave out --rev")
    policy, _ = opened.judged_by
    if calendar not in policy.calendars:
        hint = did_you_mean(calendar, policy.calendars) or f"there are: {', '.join(sorted(policy.calendars))}"
        raise UserError(f"the policy has no calendar {calendar!r}", hint=hint, where=POLICY)
    before = policy.calendars[calendar].holidays
    after = sorted({*before, *(day.isoformat() for day in days)})
    added = len(after) - len(set(before))
    if not added:
        return f"{POLICY}: calendar {calendar} has these {len(days)} dates already"
    _write(opened, [Set(("calendars", calendar, "holidays"), after)])
    return f"{POLICY}: {added} dates added to calendar {calendar}, {len(after)} in all; look at them before you commit"


def _write(opened: Workspace, edits: list[Any]) -> None:
    path = opened.root / POLICY
    raw = path.read_bytes()
    text = edit(raw.decode(), edits, order=key_order(schema("policy")), file=POLICY)
    loaded = load_policy(text, POLICY)
    if loaded.policy is None:
        first = loaded.findings[0]
        raise UserError(first.message, hint=first.hint, where=str(first.where))
    if not replace_if_unchanged(path, raw, text.encode(), opened.state / "records.lock"):
        raise WriteFailed("the policy changed while it was edited", where=POLICY, hint="run it again")
