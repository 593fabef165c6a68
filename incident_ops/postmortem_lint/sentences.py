"""Text of people as sentences, with what is quoted or technical out of sight.

Words of others, log lines, code and addresses are evidence: a sentence keeps its length, and they become blank words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Sentence(NamedTuple):
    """A sentence as written, the same with evidence blanked out, and where it begins in its text (characters)."""

    text: str
    masked: str
    offset: int


_VERDICT = r"(?:human|operator|user|manual) (?:error|mistake)|careless\w*|negligen\w+"
_EVIDENCE = re.compile(
    r"```.*?(?:```|\Z)"
    r"|~~~.*?(?:~~~|\Z)"
    r"|(`+)(?!`).+?(?<!`)\1(?!`)"
    r"|^[ \t]*>[^\n]*"
    r"|<!--.*?-->"
    r"|https?://\S+"
    r'|"[^"\n]{1,400}"'
    r"|“[^”\n]{1,400}”|«[^»\n]{1,400}»|„[^“”\n]{1,400}[“”]"
    r"|(?<![\w’'])['‘](?=\S)[^'‘’\n]{1,400}(?<=\S)['’](?![\w’'])",
    re.DOTALL | re.MULTILINE,
)
_ONLY_QUOTED = re.compile(
    rf"""(?:cause|reason|category|verdict)[\w ]* (?:is|was|were) (?:an? )?["“'‘](?:{_VERDICT})""", re.I
)
_NOISE = re.compile(r"\*\*|__|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)")
_LEAD = re.compile(r"(?:[ \t]*(?:#{1,6}|[-*+•]|\d{1,3}[.)]|\[[ xX]\]|\|)(?=\s|$))*\s*")
_BREAK = re.compile(
    r"\n[ \t]*\n|\n(?=[ \t]*(?:#{1,6} |[-*+•] |\d{1,3}[.)] |\||```|>))|"
    r"(?<=[.!?])[)\]]?\s+(?=[^\sa-z]|[a-z]+_)|(?<=[.!?])\*\*\s+"
)
_HEADING = re.compile(r"^[ \t]*#{1,6} [^\n]*\n", re.MULTILINE)
_SHORT = re.compile(r"\b(?:(?i:e\.g|i\.e|etc|vs|approx|dr|mr|mrs|ms|ca|cf|incl|resp|fig|st|a\.m|p\.m)|[A-Z])\.$")


def masked(text: str) -> str:
    """The text, as long as before, with evidence blanked out and no marks of emphasis."""
    said = _ONLY_QUOTED.search(text)
    hidden = _EVIDENCE.sub(
        lambda found: found[0] if said and said.end() > found.start() >= said.start() else _blank(found[0]), text
    )
    return _NOISE.sub(lambda found: " " * len(found[0]), hidden.replace("’", "'").replace("‘", "'"))


def _blank(quoted: str) -> str:
    return "".join("\n" if char == "\n" else "x" for char in quoted)


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a text in Markdown: headings, items of lists and paragraphs are apart."""
    hidden = masked(text)
    begin = 0
    for end in [*_ends(hidden), len(text)]:
        lead = _LEAD.match(hidden, begin, end)
        start = lead.end() if lead else begin
        stop = start + len(hidden[start:end].rstrip())
        if stop > start and re.search("[a-wyzA-WYZ]", hidden[start:stop]):
            yield Sentence(text[start:stop], hidden[start:stop], start)
        begin = end


def _ends(hidden: str) -> list[int]:
    ends = {found.end() for found in _HEADING.finditer(hidden)}
    for found in _BREAK.finditer(hidden):
        before = hidden[max(0, found.start() - 12) : found.start()]
        if "\n" in found[0] or not _SHORT.search(before):
            ends.add(found.end())
    return sorted(ends)
