"""A gate's verdict for people and as the JSON of `gate check` (contract 4)."""

from __future__ import annotations

import json
from typing import Any

from incident_ops.gate.verdict import FROZEN, INCONCLUSIVE, Holding, Verdict
from incident_ops.render.sla import unread_data

WIDTH = 80

HEADLINES = {
    FROZEN: "deploys of {service} are held by an open incident",
    INCONCLUSIVE: "cannot tell whether deploys of {service} are held",
}
NEXT = {
    FROZEN: "They pass again once it is resolved.",
    INCONCLUSIVE: "Mend what could not be read, then ask again; `incident-ops validate` shows it.",
}


def to_text(verdict: Verdict) -> str:
    """The verdict, what holds, what could not be read, and what to do; at most 80 columns but for paths."""
    headline = HEADLINES.get(verdict.verdict, "nothing holds deploys of {service}").format(service=verdict.service)
    out = [f"{verdict.verdict}: {headline} ({verdict.reason_code})"]
    out += [_holding(incident) for incident in verdict.holding]
    if verdict.unread:
        out += ["Not read:", *(f"  {record.path}: {record.reason}" for record in verdict.unread)]
    if verdict.verdict in NEXT:
        out.append(NEXT[verdict.verdict])
    return "\n".join(out) + "\n"


def to_json(verdict: Verdict) -> str:
    """The JSON of contract 4; `unread` is there only when a record could not be used. Titles are never in it."""
    data: dict[str, Any] = {
        "schema": 1,
        "verdict": verdict.verdict,
        "reason_code": verdict.reason_code,
        "metrics": [],
        "stopped_at_seconds": None,
        "needed_requests": None,
        "incident_ids": verdict.incident_ids,
    }
    if verdict.unread:
        data["unread"] = unread_data(verdict.unread)
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _holding(incident: Holding) -> str:
    title = "(restricted)" if incident.title is None else "".join(char for char in incident.title if char.isprintable())
    line = f"  {incident.id}  {incident.level}  {incident.state}  {title}"
    return line if len(line) <= WIDTH else line[: WIDTH - 3].rstrip() + "..."
