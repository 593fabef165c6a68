"""What became of notices that a person sent: lines for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence

from incident_ops.notifications.deliver import Delivered
from incident_ops.render.findings import inert_lines, json_text


def notices_text(delivered: Sequence[Delivered]) -> str:
    """One line a notice: what became of it, the channel, the subject, why."""
    lines = []
    for notice in delivered:
        message, reason = notice.planned.message, _reason(notice)
        lines.append(f"{notice.outcome:<9} {message.channel:<12} {message.subject}{f': {reason}' if reason else ''}")
    return inert_lines("\n".join(lines)) + "\n"


def notices_json(incident: str, mark: str, delivered: Sequence[Delivered]) -> str:
    """The same for programs (docs/contract.md#json)."""
    rows = [
        {
            "key": notice.planned.message.key,
            "channel": notice.planned.message.channel,
            "rank": notice.planned.message.rank,
            "planned": notice.planned.action,
            "outcome": notice.outcome,
            "reason": _reason(notice),
        }
        for notice in delivered
    ]
    return json_text({"schema": 1, "incident": incident, "mark": mark, "notices": rows})


def _reason(notice: Delivered) -> str:
    return str(notice.error) if notice.error is not None else notice.planned.why
