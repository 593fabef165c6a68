"""The text of the one comment in which an issue says what is left to people."""

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
