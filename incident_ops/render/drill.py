"""What `doctor --drill` prints: each step, by whom and over what it was heard, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from incident_ops.errors import IncidentOpsError, NotSetUp
from incident_ops.notifications.deliver import SENT_NOW, Delivered
from incident_ops.render.findings import inert, json_text
from incident_ops.render.text import DEFAULT_WIDTH, fold_record


class Step(Protocol):
    """A step of a drill."""

    @property
    def name(self) -> str: ...
    @property
    def delivered(self) -> tuple[Delivered, ...]: ...
    @property
    def problem(self) -> str: ...
    @property
    def has_arrived(self) -> bool: ...


def drill_text(incident: str, steps: Sequence[Step], width: int = DEFAULT_WIDTH) -> str:
    """A line a step and one for each message of it; last what did not arrive."""
    lines = [f"{inert(incident) or 'no incident'}: a drill, nothing of it is kept"]
    for step in steps:
        outcome = "arrived" if step.has_arrived else "did not arrive"
        if not step.delivered and not step.problem:
            outcome = "nothing is sent for it"
        lines.append(f"{step.name}: {outcome}")
        lines += fold_record(inert(step.problem), "  ", "    ", width) if step.problem else []
        for one in step.delivered:
            lines += fold_record(
                inert(": ".join(filter(None, (_whom(one), one.outcome, _reason(one.error))))), "  ", "    ", width
            )
    bad = [text for step in steps if (text := _missed(step))]
    text = f"did not arrive: {'; '.join(bad)}" if bad else _fine(steps)
    lines += fold_record(inert(text), "", "  ", width)
    return "".join(f"{line}\n" for line in lines)


def drill_json(incident: str, steps: Sequence[Step]) -> str:
    """The same for programs."""
    rows = [
        {
            "step": step.name,
            "arrived": step.has_arrived,
            "problem": step.problem or None,
            "messages": [_message_data(one) for one in step.delivered],
        }
        for step in steps
    ]
    return json_text({"schema": 1, "incident": incident, "steps": rows})


def _missed(step: Step) -> str:
    """A step and what of it did not arrive, e.g. `paged (team by slack, team by sms)`; "" where all of it did."""
    missed = [_whom(one) for one in step.delivered if one.outcome != SENT_NOW]
    if missed:
        return f"{step.name} ({', '.join(missed)})"
    return step.name if step.problem else ""


def _fine(steps: Sequence[Step]) -> str:
    if not any(step.delivered for step in steps):
        return "nobody would hear of an incident: the policy sends nothing for its worst level"
    return "every step arrived. Look whether it is there: a service may accept what it does not show."


def _message_data(one: Delivered) -> dict[str, Any]:
    message, error = one.planned.message, one.error
    return {
        "channel": message.channel,
        "to": message.recipient,
        "subject": message.subject,
        "outcome": one.outcome,
        "reason": _reason(error) or None,
        "variable": error.variable if isinstance(error, NotSetUp) else None,
    }


def _whom(one: Delivered) -> str:
    message = one.planned.message
    return (
        message.channel if message.recipient in ("", message.channel) else f"{message.recipient} by {message.channel}"
    )


def _reason(error: IncidentOpsError | None) -> str:
    """Why a message did not arrive, with what helps; no run sends one of a drill again, so that is left out."""
    if error is None:
        return ""
    return error.message if error.hint.startswith("the next run") else str(error)
