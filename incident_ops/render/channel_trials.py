"""What became of the test messages of `notify --test`, a line a channel, and as JSON (docs/contract.md#json)."""

from __future__ import annotations

from collections.abc import Sequence

from incident_ops.notifications.trials import ACCEPTED, UNSENT, UNTRIED, TriedChannel
from incident_ops.render.findings import inert, json_text
from incident_ops.render.text import DEFAULT_WIDTH, columns, fold_record, pad

_OUTCOME, _LEAST_REASON = 12, 30


def trials_text(tried: Sequence[TriedChannel], width: int = DEFAULT_WIDTH) -> str:
    """What became of each, aligned, then how many were accepted."""
    names = [inert(_name(one)) for one in tried]
    room = min(max(map(columns, names), default=0) + 2, max(width - _OUTCOME - 20, 10))
    below = " " * (_OUTCOME + room if width - _OUTCOME - room >= _LEAST_REASON else _OUTCOME)
    lines: list[str] = []
    for name, one in zip(names, tried, strict=True):
        said = one.reason or (f"for {', '.join(one.uses)}" if one.uses else "")
        first = f"{pad(one.outcome, _OUTCOME)}{pad(f'{name}  ', room)}"
        lines += [line.rstrip() for line in fold_record(inert(said), first, below, width)] or [first.rstrip()]
    meant = [one for one in tried if one.outcome not in (UNTRIED, UNSENT)]
    if meant:
        accepted = sum(one.outcome == ACCEPTED for one in meant)
        text = f"{accepted} of {len(meant)} accepted a test message."
        text += " Look whether it is there: a service may accept what it does not show." if accepted else ""
        lines += fold_record(text, width=width)
    return "\n".join(lines) + "\n"


def trials_json(tried: Sequence[TriedChannel]) -> str:
    """The same for programs."""
    rows = [
        {
            "channel": one.channel,
            "of": one.of or None,
            "for": list(one.uses),
            "outcome": one.outcome,
            "reason": one.reason or None,
            "variable": one.variable or None,
        }
        for one in tried
    ]
    return json_text({"schema": 1, "channels": rows})


def _name(one: TriedChannel) -> str:
    return f"{one.channel} of {one.of}" if one.of else one.channel
