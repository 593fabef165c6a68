"""Words of other systems on their way into a message."""

from __future__ import annotations


def one_line(text: str, most: int = 300) -> str:
    """Text of another system as it may stand in a message: one line, printable, at most `most` characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= most else f"{line[: most - 3]}..."
