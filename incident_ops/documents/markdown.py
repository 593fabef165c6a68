"""Text of a record made inert for Markdown, and the parts of an issue's text fitted into one.

What a record says may come from an alert or a stranger. On GitHub `@name` pings, `#12` and `GH-12` cross-link,
`fixes <url>` closes, `<!-- -->` hides, an image calls home, and a fence or a heading swallows what follows. So every
character to which GitHub gives a meaning is escaped, and text shows as it was typed.

A backslash does not stop what GitHub looks for in the finished page (mentions, references, addresses): there a
zero-width space stands between the sign and the word. Addresses and commit ids are set as code instead, because people
copy them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

_PLAIN = re.compile(r"""(?:[^\W_]|[ ,.;()'"%?!+=/-])*+""")  # most texts; what of these may mean something is next
_NOT_PLAIN = re.compile(r"^[+=-]|^[0-9]{1,9}[.)](?:\s|$)|//|www\.|gh-|[0-9a-f]{40}", re.IGNORECASE)
_WITH_WORDS = re.compile(r"//|www\.|gh-|[0-9a-f]{40}", re.IGNORECASE)
_WORDS = r"""
      (?P<copied>(?<![\w`\\])(?>
          (?:(?:https?|ftp)://|www\.)[^\s<>`|]*[^\s<>`|.,;:!?)\]}'"*_~\\]
        | [0-9a-f]{40}(?!\w|:[a-z0-9_+-])
      )(?!`))
    | (?P<word>
          (?:https?|ftp):(?=//) | www(?=\.) | (?<![0-9a-z])gh-(?=\d)
        | (?<![0-9a-z])[0-9a-f]{39}(?=[0-9a-f](?![0-9a-z]))
      )
    |
"""
_SIGNS = r"""
    (?=[^\w\s]|_)(?:
      (?P<code>(?<![`\\])(?P<ticks>`+)(?!`)(?P<typed>[^\n]{0,999}?[^`\n])(?P=ticks)(?!`))
    | (?P<emphasis>(?<![\w*\\])(?P<mark>\*\*?|__?)(?=[^\W_])(?P<inner>[^*`\n]{1,300}?)(?<=[^\W_])(?P=mark)(?![\w*]))
    | (?P<sign>@(?=[\w.-])|\#(?=\w)|(?<![:0-9a-z]):(?=[a-z0-9_+-]*[a-z0-9](?::|$)))
    | (?P<opened>\[(?=!))
    | (?P<entity>&(?=\#|[a-z0-9]+;))
    | (?P<math>\$)
    | (?P<pipe>(?<=\\)\|)
    | (?P<tag><)
    | (?P<escaped>\A\^|[`*~\[\]|]|\\(?=[!-/:-@\[-`{-~]|$)|(?<![^\W_])_|_(?![^\W_])|(?<!\S)\#(?=\#*(?:\s|$)))
    ) | (?P<ticked>(?<=\[)x$)
"""
_TOKEN = re.compile(_WORDS + _SIGNS, re.VERBOSE | re.IGNORECASE)
_TOKEN_OF_SIGNS = re.compile(_SIGNS, re.VERBOSE | re.IGNORECASE)  # letters need no look where there is no such word
_SPELLED = {
    "word": "{0}&#8203;",
    "sign": "{0}&#8203;",
    "opened": "\\[&#8203;",
    "entity": "&amp;",
    "math": "<span>$</span>",
    "pipe": "&#124;",
    "tag": "&lt;",
    "escaped": "\\{0}",
}
_LINE_START = re.compile(r">|[-+](?=\s|$)|[-=:](?=[-=:|\s]*$)|:(?=-)|(?<=[0-9])[.)](?=\s|$)")
_NUMBER = re.compile(r"[0-9]{1,9}(?=[.)](?:\s|$))")
_IN_CODE = re.compile(r"(\||(?<=\[)[xX](?=\]))")  # parts the row of a table; ticks the box of its line
_DEEPEST = 3  # quotes in quotes
_BLOCK = re.compile(r"[ \t]*((?:>[ \t]*)*)(?:([-*+]|(0|[1-9][0-9]?)([.)]))[ \t]+(?=\S))?(.*)")
_LINE_ENDS = re.compile(r"\r\n?")
_BACKTICKS = re.compile(r"`+")
_ENTITY = re.compile(r"&(?=#|[A-Za-z0-9]+;)")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_HTTPS = re.compile(r"https://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+", re.ASCII)


def markdown(text: str) -> str:
    """Record text as Markdown of one or more lines that cannot ping, link, close, hide or head anything.

    Paragraphs, lists of one level, quotes, emphasis within a line and `code` on one line keep working; everything else
    shows as typed.
    """
    return "\n".join(_lines(printable(text).split("\n")))


def printable(text: str) -> str:
    """Text without the characters that nobody sees, its lines ended as on Linux."""
    return _UNSEEN.sub("", _LINE_ENDS.sub("\n", text))


@lru_cache(maxsize=4_096)  # names, words of the policy and boxes stand in many issues
def inline(text: str) -> str:
    """Text on one line that shows as typed, wherever one line may stand: a table cell, a list line, a heading.

    Only `code` is set as code.
    """
    flat = _one_line(text)
    return _paragraph(flat, _inert)


def code(text: str) -> str:
    """Text as a code span, where a handle pings nobody: `@alice`. Empty text gives an empty string."""
    return _code(_one_line(text))


def link(name: str, text: str) -> str:
    """An https address as a link called `name` ("" = the address itself); anything else is text after the name."""
    shown = inline(name)
    if shown in ("x", "X"):  # in brackets it would tick the box of its line
        shown = f"&#{ord(shown)};"
    if _HTTPS.fullmatch(text):
        target = _ENTITY.sub("&amp;", text)
        return f"[{shown}](<{target}>)" if shown else f"<{target}>"
    return f"{shown}: {code(text)}" if shown else inline(text)


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return " ".join(_UNSEEN.sub("", flat).split()) if _UNSEEN.search(flat) else flat


def _code(text: str) -> str:
    """A code span, in two where something between them would act in one: see `_IN_CODE`."""
    return "".join(f"&#{ord(part)};" if place % 2 else _span(part) for place, part in enumerate(_IN_CODE.split(text)))


def _span(text: str) -> str:
    if not text:
        return ""
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
    is_padded = text[0] == text[-1] == " " and text.strip(" ")  # Markdown takes one off each end
    pad = " " if is_padded or "`" in (text[0], text[-1]) else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and _NOT_PLAIN.search(text) is None


def _lines(lines: Sequence[str]) -> Iterator[str]:
    """Lines with the marks of lists and quotes in one spelling, and without indents, which would make code of them.

    A number stays a list's where the list that is shown counts the same.
    """
    last: tuple[int, str] | None = None
    quoted, is_apart = 0, True
    for line in lines:
        marks, mark, number, end, rest = _BLOCK.fullmatch(line).groups()  # type: ignore[union-attr] # takes any line
        depth = min(marks.count(">"), _DEEPEST)
        if depth != quoted:
            last, quoted, is_apart = None, depth, True
        at = (int(number), end) if number else None
        if at and not (at == (last[0] + 1, last[1]) if last else is_apart or at[0] == 1):
            mark, at, rest = None, None, f"{mark} {rest}"
        if mark or (is_apart and rest.strip()):  # an empty line does not end a list
            last = at
        is_apart = not mark and not rest.strip()
        yield ("> " * depth + (f"{mark} " if mark else "") + _paragraph(rest.rstrip(), _set)).rstrip(" ")


def _paragraph(text: str, replace: Callable[[re.Match[str]], str]) -> str:
    """The text of one line, at whose start no block begins."""
    if _is_plain(text):
        return text
    number = _NUMBER.match(text)
    at = number.end() if number else 0
    out = _replaced(text, replace)
    return f"{out[:at]}\\{out[at:]}" if _LINE_START.match(text, at) else out


def _replaced(text: str, replace: Callable[[re.Match[str]], str]) -> str:
    return (_TOKEN if _WITH_WORDS.search(text) else _TOKEN_OF_SIGNS).sub(replace, text)


def _inert(found: re.Match[str]) -> str:
    """What stands for a piece of text to which GitHub gives a meaning."""
    kind, text = found.lastgroup, found.group()
    if kind == "emphasis":
        mark = "".join(f"\\{sign}" for sign in found["mark"])
        return f"{mark}{_replaced(found['inner'], _inert)}{mark}"
    if kind == "code":
        return _code(_unpadded(found["typed"])) if _IN_CODE.search(text) else text
    if kind == "ticked":
        return f"&#{ord(text)};"
    if kind == "copied":
        return _code(text)
    return _SPELLED[str(kind)].format(text)


def _unpadded(text: str) -> str:
    """What a code span shows of what is between its backticks."""
    return text[1:-1] if text[0] == text[-1] == " " and text.strip(" ") else text


def _set(found: re.Match[str]) -> str:
    """The same, with emphasis."""
    if found.lastgroup != "emphasis":
        return _inert(found)
    return f"{found['mark']}{_replaced(found['inner'], _set)}{found['mark']}"


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


def code_block(lines: Sequence[str], language: str = "") -> str:
    """Lines as a block of code that none of them can end."""
    text = "\n".join(lines)
    fence = "`" * max([3, *(1 + len(run) for run in _BACKTICKS.findall(text))])
    return f"{fence}{language}\n{text}\n{fence}"


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
