"""The most that a template may give: a record of extremes makes no document that nothing shows any more."""

from __future__ import annotations

import re

MOST_CHARACTERS = 1_000_000
"""More than GitHub shows as a document, and far more than anybody reads."""
CUT = "_Cut here, at {most:,} characters: the rest is in the record alone._"
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


def capped(text: str) -> str:
    """Markdown as it is, or its first lines with a word below; nothing is cut inside a block of code."""
    if len(text) <= MOST_CHARACTERS:
        return text
    lines = text[:MOST_CHARACTERS].splitlines()[:-1]
    fence, kept = "", 0
    for number, line in enumerate(lines, 1):
        found = _FENCE.match(line)
        if fence:
            closes = found is not None and found[1].startswith(fence) and not line.strip().strip(fence[0])
            fence = "" if closes else fence
        elif found:
            fence = found[1]
        if not fence:
            kept = number
    return "\n".join([*lines[:kept], "", CUT.format(most=MOST_CHARACTERS)]) + "\n"
