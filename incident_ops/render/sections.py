"""The parts of an issue's text, and how they become one text that a tracker takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LIMIT = 58_000  # GitHub takes 65,536 characters; the rest is for people
_WORTH_CUTTING = 500  # less than this of a section helps nobody

PENDING = "> **Pending: this record is not merged yet.**"


class Section(NamedTuple):
    """A part of a text. Where room is short the one with the highest `spare` goes first; one with 0 always stays."""

    text: str
    name: str = ""
    spare: int = 0


def fit(sections: Sequence[Section]) -> str:
    """Sections as one text of at most LIMIT characters; the last one says where the rest is.

    What does not fit is left out section by section, the one of least use first, and a line says what is missing.
    """
    kept = {place: section.text for place, section in enumerate(sections) if section.text}
    missing: list[str] = []
    for place in sorted((place for place in kept if sections[place].spare), key=lambda place: -sections[place].spare):
        if len(_joined(kept, missing)) <= LIMIT:
            break
        whole, name = kept.pop(place), sections[place].name
        part = _first_lines(whole, LIMIT - len(_joined(kept, [*missing, f"part of {name}"])) - 2)
        kept |= {place: part} if part else {}
        missing.append(f"part of {name}" if part else name)
    return _joined(kept, missing)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; cells are inert already."""
    lines = [head, ["---" for _ in head], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _joined(kept: dict[int, str], missing: Sequence[str]) -> str:
    texts = [kept[place] for place in sorted(kept)]
    told = (
        [f"**Too long for an issue, left out here: {', '.join(missing)}.** The record has it all."] if missing else []
    )
    return "\n\n".join([*texts[:-1], *told, *texts[-1:]])


def _first_lines(text: str, room: int) -> str:
    """The lines that fit; nothing of a folded part, which would stay open, and nothing where it is hardly any."""
    if room < _WORTH_CUTTING or "<details>" in text:
        return ""
    return text if len(text) <= room else text[: room + 1].rpartition("\n")[0]
