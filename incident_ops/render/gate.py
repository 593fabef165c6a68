"""A gate's verdict for people and as the JSON of `gate check` (docs/contract.md#json)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incident_ops.deploy_gate.holds import BURNING
from incident_ops.deploy_gate.verdict import (
    CONFIG_ERROR,
    DEPLOY_FREEZE,
    ERROR_BUDGET,
    INCIDENT_REPO_UNREACHABLE,
    INCONCLUSIVE,
    MAINTENANCE_WINDOW,
    NO_DATA,
    OFF_WINDOW,
    OPEN_INCIDENT,
    OVERRIDE,
    ROLLBACK_ALLOWED,
    UNREADABLE_RECORD,
    Hold,
    Verdict,
)
from incident_ops.domain.time import spell_clock, stamp
from incident_ops.render.findings import json_text
from incident_ops.render.text import WIDTH, cut_line, fold

GATE_HEADLINES = {
    OPEN_INCIDENT: "deploys of {service} are held by an open incident",
    MAINTENANCE_WINDOW: "deploys of {service} are held by a maintenance window",
    DEPLOY_FREEZE: "deploys of {service} are held by a freeze",
    OFF_WINDOW: "deploys of {service} are held outside the hours for them",
    ERROR_BUDGET: "deploys of {service} are held by its error budget",
    UNREADABLE_RECORD: "cannot tell whether deploys of {service} are held",
    INCIDENT_REPO_UNREACHABLE: "cannot tell whether deploys of {service} are held",
    NO_DATA: "cannot tell whether deploys of {service} are held",
    OVERRIDE: "a person lets this commit of {service} through",
    ROLLBACK_ALLOWED: "this commit of {service} passed before and is never held",
}
_UNTOLD = "why a budget holds is not told"  # gate.json says no more
WAY_ON = {
    OPEN_INCIDENT: "They pass again once it is resolved. Its fix goes through before that:\n"
    "  its commander adds `--fixes INC --sha SHA`, or somebody takes it on with\n"
    "  `incident-ops override INC`.",
    MAINTENANCE_WINDOW: "They pass again once it is over; one that is late holds until it is closed.",
    DEPLOY_FREEZE: "They pass again once it is over; `incident-ops unfreeze NAME` lifts it.",
    OFF_WINDOW: "They pass again when the hours for deploys begin.",
    ERROR_BUDGET: "They pass again once older impact has left the budget's window.",
    BURNING: "They pass again once it burns slower, in one of the two windows at least.",
    _UNTOLD: "They pass again once it burns slower, or older impact has left its window.",
    UNREADABLE_RECORD: "Mend what could not be read, then ask again; `incident-ops validate` shows it.",
}


def to_text(verdict: Verdict) -> str:
    """The verdict, what holds, what could not be read, and what to do; at most 80 columns but for paths."""
    what = f"{verdict.service} to {verdict.environment}" if verdict.environment else verdict.service
    headline = GATE_HEADLINES.get(verdict.reason_code, "nothing holds deploys of {service}").format(service=what)
    out = fold(f"{verdict.verdict}: {headline} ({verdict.reason_code})", "", "  ")
    if verdict.release is not None:
        told = verdict.release
        who = f"by {told.by}, " if told.by else ""
        until = f"until {_clock(told.expires)}, " if told.expires else ""
        out.append(cut_line(f"  {who}{until}recorded in {told.source}", WIDTH))
        out += [cut_line(f"  {told.reason}", WIDTH)] if told.reason else []
    out += [_hold(hold) for hold in verdict.holds]
    if verdict.unread:
        out += ["Not read:", *(f"  {record.path}: {record.reason}" for record in verdict.unread)]
    out += [line for note in verdict.notes for line in fold(note, "  ", "  ")]
    if (key := _end(verdict)) in WAY_ON:
        out.append(WAY_ON[key])
    return "\n".join(out) + "\n"


def to_json(verdict: Verdict) -> str:
    """The JSON of `gate check`; titles are never in it.

    Only where there is something to say: `holds` (what holds beside incidents), `override`, `unread`, `notes`.
    """
    data = _shape(verdict.verdict, verdict.reason_code, verdict.incident_ids)
    others = [hold for hold in verdict.holds if hold.reason_code != OPEN_INCIDENT]
    if others:
        data["holds"] = [_hold_data(hold) for hold in others]
    if verdict.release is not None:
        told = verdict.release
        expires = None if told.expires is None else stamp(told.expires)
        data["override"] = {"by": told.by or None, "expires": expires, "source": told.source}
    if verdict.unread:
        from incident_ops.render.sla import unread_data  # a large room, and most answers need nothing of it

        data["unread"] = unread_data(verdict.unread)
    if verdict.notes:
        data["notes"] = [*verdict.notes]
    return json_text(data)


def _end(verdict: Verdict) -> str:
    """The key of NEXT: what ends a budget's hold depends on why it holds."""
    if verdict.reason_code != ERROR_BUDGET:
        return verdict.reason_code
    budget = next(hold for hold in verdict.holds if hold.reason_code == ERROR_BUDGET)
    if budget.text is None:
        return _UNTOLD
    return budget.state or ERROR_BUDGET


def config_error() -> str:
    """The JSON where the question cannot be asked: a wrong name, a broken policy. The words are on the error stream."""
    return json_text(_shape(INCONCLUSIVE, CONFIG_ERROR, []))


def _shape(verdict: str, reason: str, ids: list[str]) -> dict[str, Any]:
    return {
        "schema": 1,
        "verdict": verdict,
        "reason_code": reason,
        "metrics": [],
        "stopped_at_seconds": None,
        "needed_requests": None,
        "incident_ids": ids,
    }


def _hold_data(hold: Hold) -> dict[str, Any]:
    begin, end = (None if at is None else stamp(at) for at in (hold.begin, hold.end))
    return {
        "reason_code": hold.reason_code,
        "id": hold.id or None,
        "service": hold.needed or None,
        "from": begin,
        "until": end,
    }


def _hold(hold: Hold) -> str:
    title = "(restricted)" if hold.is_restricted else hold.text or ""
    until = f"until {_clock(hold.end)}" if hold.end else ""
    needed = f"on {hold.needed}" if hold.needed else ""
    parts = (hold.id, hold.state, needed, until, "".join(char for char in title if char.isprintable()))
    return cut_line("  " + "  ".join(part for part in parts if part), WIDTH)


def _clock(at: datetime | None) -> str:
    return f"{spell_clock(at, dated=True)} UTC"
