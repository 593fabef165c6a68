"""What became of the notices that a person sent, as text and as JSON (docs/contract.md#json)."""

from __future__ import annotations

from collections.abc import Sequence

from incident_ops.errors import NotSetUp
from incident_ops.notifications.deliver import Delivered
from incident_ops.render.findings import inert_lines, json_text, plural
from incident_ops.render.plan import not_set_up_lines


def notices_text(delivered: Sequence[Delivered]) -> str:
    """One line a notice: what became of it, the channel, the subject, why; last the channels that are not set up."""
    lines = []
    for notice in delivered:
        if isinstance(notice.error, NotSetUp):
            continue
        message, reason = notice.planned.message, _reason(notice)
        lines.append(f"{notice.outcome:<9} {message.channel:<12} {message.subject}{f': {reason}' if reason else ''}")
    return inert_lines("\n".join([*lines, *not_set_up_lines(delivered)])) + "\n"


def dry_notices_text(delivered: Sequence[Delivered]) -> str:
    """One line a notice: whether it would be sent, to whom over what, or which variable is to be set for it."""
    lines = []
    for notice in delivered:
        message, error = notice.planned.message, notice.error
        whom = message.channel if message.recipient == message.channel else f"{message.recipient} by {message.channel}"
        if isinstance(error, NotSetUp):
            lines.append(f"not set up  {whom}: set {error.variable} ({error.hint})")
        else:
            reason = f": {_reason(notice)}" if _reason(notice) else ""
            lines.append(f"{notice.outcome:<10}  {whom}: {message.subject}{reason}")
    missing = sum(isinstance(notice.error, NotSetUp) for notice in delivered)
    unset = f"; {missing} of {plural(len(delivered), 'notice')} would not go out" if missing else ""
    return inert_lines("\n".join([*lines, f"Nothing was sent{unset}."])) + "\n"


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
