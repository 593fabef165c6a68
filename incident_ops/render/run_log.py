"""A run as GitHub shows it: what went wrong as annotations, and the page of the job."""

from __future__ import annotations

from collections.abc import Sequence

from incident_ops.documents.markdown import code_block
from incident_ops.render.findings import MOST_ANNOTATIONS, command

_LEVELS = {"error": "error", "warning": "warning", "held": "warning", "note": "notice"}
_MOST_LINES = 500


def annotated(lines: Sequence[str]) -> str:
    """Lines such as `error: ...` as commands that show them on the run's page; no text can break out of one."""
    by_level: dict[str, list[str]] = {}
    for line in lines:
        word, _, text = line.partition(": ")
        level = _LEVELS.get(word, "notice")
        by_level.setdefault(level, []).append(text if word in _LEVELS else line)
    shown = []
    for level, texts in by_level.items():
        if more := texts[MOST_ANNOTATIONS:]:
            texts = [*texts[:MOST_ANNOTATIONS], f"and {len(more)} more: the log of this step lists them"]
        shown += [command(level, {"title": "incident-ops"}, text) for text in texts]
    return "".join(f"{one}\n" for one in shown)


def run_summary(plan: str, lines: Sequence[str]) -> str:
    """The page of a job: the plan as Markdown, and below it what was printed while it was carried out."""
    more = len(lines) - _MOST_LINES
    rest = [f"... and {more} more lines: see the log"] if more > 0 else []
    return f"{plan}\n### What this run did\n\n{code_block([*lines[:_MOST_LINES], *rest], 'text')}\n"
