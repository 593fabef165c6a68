"""Findings for people: one a line with its place and its mend, and a summary last."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from incident_ops.findings import Finding
from incident_ops.render.findings import LEVEL_COLOURS, Paint, findings_line, inert
from incident_ops.render.text import fold_record


def findings_text(
    findings: Sequence[Finding], files: int, paint: Paint, silenced: int = 0, width: int = sys.maxsize
) -> str:
    """One finding a line as `file:line:column: level: message [rule]`, its hint below, a summary last.

    Lines are at most `width` columns long: without one they stay whole, as editors read them.
    """
    lines = []
    for one in findings:
        place = f"{inert(str(one.where))}: "
        level = paint(one.level.value, LEVEL_COLOURS[one.level])
        text = f"{one.level.value}: {inert(one.message)} [{one.rule}]"
        first, *rest = fold_record(text, place, "  ", width)
        lines += [first.replace(f"{place}{one.level.value}", f"{place}{level}", 1), *rest]
        if one.hint:
            first, *rest = fold_record(f"fix: {inert(one.hint)}", "    ", "    ", width)
            lines += [first.replace("fix:", paint("fix:", "green"), 1), *rest]
    return "\n".join([*lines, findings_line(findings, files, silenced)]) + "\n"
