"""Text of a record made inert for Markdown, and the parts of an issue's text fitted into one.

What a record says may come from an alert or a stranger. On GitHub `@name` pings, `#12` and `GH-12` cross-link,
`fixes <url>` closes, `<!-- -->` hides, an image calls home, and a fence or a heading swallows what follows. Character
references are used where a backslash would not do, because GitHub looks for mentions after Markdown has been decoded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_BREAK = "\0"  # stands for the character reference until every step has run; input never holds it
_ZERO_WIDTH = "&#8203;"

_PLAIN = re.compile(r"(?:[^\W_]|[ ,.;()'%?!])*+")  # nothing here means anything to Markdown: most titles, fast
_CODE = re.compile(r"(?<![`\\])(`+)(?!`)(?P<inner>[^\n]*?[^`\n])\1(?!`)")
_BACKTICKS = re.compile(r"`+")
_ENTITY = re.compile(r"&(?=#|[A-Za-z0-9]+;)")
_BACKSLASH = re.compile(r"\\(?=[!-/:-@\[-`{-~]|$)", re.MULTILINE)
_CLOSING = re.compile(
    r"\b(clos|fix|resolv)(e[sd]?|ed|es)?(?=:?\s+(?:https?://|#\d|GH-\d|[\w.-]{1,100}/[\w.-]{1,100}#\d))", re.IGNORECASE
)
_GH_NUMBER = re.compile(r"\bGH-(?=\d)", re.IGNORECASE)
_SIGIL = re.compile(r"([@#])(?=\w)")
_HEADING = re.compile(r"(?<![^\s>])#(?=#|\s|$)")
_UNDERLINE = re.compile(r"^([ \t>]*)(?=(?:=+|-+|(?:[*_-][ \t]*){3,})[ \t]*$)", re.MULTILINE)
_REFERENCE = re.compile(r"^((?:[ \t>*+-]|\d{1,9}[.)])*)(?=\[[^\]\n]*\]:)", re.MULTILINE)
_LINE_ENDS = re.compile(r"\r\n?")
_IMAGE = re.compile(r"!(?=\[)")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_HTTPS = re.compile(r"https://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+", re.ASCII)


def markdown(text: str) -> str:
    """Record text as Markdown of one or more lines that cannot ping, link, close, hide or head anything.

    Emphasis, lists, quotes and `code` on one line keep working; raw HTML, fences and headings show as typed.
    """
    return _defuse(_UNSEEN.sub("", _LINE_ENDS.sub("\n", text)), in_cell=False)


def inline(text: str) -> str:
    """Like `markdown`, on one line and with `|` escaped: for a table cell, a list line or a heading."""
    return _defuse(_UNSEEN.sub("", " ".join(text.split())), in_cell=True)


def code(text: str) -> str:
    """Text as a code span, where a handle pings nobody: `@alice`. Empty text gives an empty string."""
    flat = _UNSEEN.sub("", " ".join(text.split()))
    if not flat:
        return ""
    if "\\|" in flat:
        return inline(flat)
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(flat)), default=0))
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}".replace("|", "\\|")


def link(name: str, text: str) -> str:
    """An https address as a link called `name` ("" = the address itself); anything else is text after the name."""
    if _HTTPS.fullmatch(text):
        return f"[{inline(name)}](<{text}>)" if name else f"<{text}>"
    return f"{inline(name)}: {code(text)}" if name else inline(text)


def _defuse(text: str, *, in_cell: bool) -> str:
    if _PLAIN.fullmatch(text):
        return text
    out, at = [], 0
    for span in _CODE.finditer(text):
        if in_cell and "\\|" in span["inner"]:  # a backslash before an escaped pipe would split the cell
            continue
        out += [_prose(text[at : span.start()]), span.group()]
        at = span.end()
    whole = "".join([*out, _prose(text[at:])])
    whole = _REFERENCE.sub(r"\1\\", _UNDERLINE.sub(r"\1\\", whole))
    return whole.replace("|", "\\|") if in_cell else whole


def _prose(text: str) -> str:
    """Text outside code spans; the order matters, since every step adds characters an earlier one would touch."""
    text = _ENTITY.sub("&amp;", _BACKSLASH.sub(r"\\\\", text))
    text = _CLOSING.sub(lambda match: f"{match[1]}{_BREAK}{match[2] or ''}", text)
    text = _SIGIL.sub(lambda match: match[1] + _BREAK, _HEADING.sub(r"\\#", text))
    text = _GH_NUMBER.sub(lambda match: match[0] + _BREAK, text)
    text = _IMAGE.sub(r"!\\", text)
    text = text.replace("<", "&lt;").replace("`", "\\`").replace("~~~", "\\~\\~\\~")
    return text.replace(_BREAK, _ZERO_WIDTH)


BODY_LIMIT = 58_000  # GitHub takes 65,536 characters; the rest is for people
_WORTH_CUTTING = 500  # less than this of a section helps nobody

PENDING_NOTE = "> **Pending: this record is not merged yet.**"


class Section(NamedTuple):
    """A part of a text. If space is short, the one with the highest `spare` goes first; one with 0 always stays."""

    text: str
    name: str = ""
    spare: int = 0


def fit_sections(sections: Sequence[Section]) -> str:
    """Sections as one text of at most LIMIT characters; the last one says where the rest is.

    What does not fit is left out section by section, the one of least use first, and a line says what is missing.
    """
    kept = {place: section.text for place, section in enumerate(sections) if section.text}
    missing: list[str] = []
    for place in sorted((place for place in kept if sections[place].spare), key=lambda place: -sections[place].spare):
        if len(_joined(kept, missing)) <= BODY_LIMIT:
            break
        whole, name = kept.pop(place), sections[place].name
        part = _first_lines(whole, BODY_LIMIT - len(_joined(kept, [*missing, f"part of {name}"])) - 2)
        kept |= {place: part} if part else {}
        missing.append(f"part of {name}" if part else name)
    return _joined(kept, missing)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; cells are inert already."""
    lines = [head, ["---" for _ in head], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _joined(kept: dict[int, str], missing: Sequence[str]) -> str:
    texts = [kept[place] for place in sorted(kept)]
    note = (
        [f"**Too long for an issue, left out here: {', '.join(missing)}.** The record has everything."]
        if missing
        else []
    )
    return "\n\n".join([*texts[:-1], *note, *texts[-1:]])


def _first_lines(text: str, room: int) -> str:
    """The lines that fit; nothing of a folded part, which would stay open, and nothing if too few fit."""
    if room < _WORTH_CUTTING or "<details>" in text:
        return ""
    return text if len(text) <= room else text[: room + 1].rpartition("\n")[0]
