"""The texts of our comments on an issue: what is left to people, and that nobody is awake for it any more."""

from __future__ import annotations

from collections.abc import Sequence

from incident_ops.documents.markdown import inline

SETTLED = "Settled: this issue and its record agree."
_UPDATED = "_incident-ops keeps this comment up to date._"


def unsettled_comment(points: Sequence[str]) -> str:
    """What is to be said, a sentence or two each -> Markdown that pings and links nothing; nothing = it is settled."""
    if not points:
        return SETTLED
    texts = [inline(point) for point in points]
    said = texts[0] if len(texts) == 1 else "\n".join(f"- {text}" for text in texts)
    return f"{said}\n\n{_UPDATED}"


def no_alarm_comment(limit: str) -> str:
    """What an issue says where the alarm clock has had all the minutes that the policy gives it -> Markdown."""
    return (
        f"**No alarm clock from here on.** It has had {inline(limit)}. From here on `tick.yml` looks every 20 minutes "
        "for what is due, and GitHub starts it late at times: notices may come late.\n\n"
        "Raise the limit in `policy.yaml`, or let a scheduler of your own call `incident-ops sla run` every minute."
        f"\n\n{_UPDATED}"
    )
