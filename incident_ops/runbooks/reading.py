"""Markdown -> the steps of a runbook: headings and the items of lists are steps, `sh` fences are their commands.

A heading that has steps below it and no command of its own is the name of a section, not a step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from incident_ops.findings import Finding, Level, Where
from incident_ops.records.yaml_reader import read_yaml

if TYPE_CHECKING:
    from markdown_it.token import Token

SHELLS = ("sh", "bash", "shell")
"""Languages of fences that are commands."""
UNUSABLE = "runbook-file"
"""The rule of what keeps a file from being a runbook."""
_FENCE = "---"


class CodeBlock(NamedTuple):
    """A fence: its language in lower case, "" where it names none, its text, and its line in the file from 1."""

    language: str
    text: str
    line: int

    @property
    def is_command(self) -> bool:
        """Whether it can be run."""
        return self.language in SHELLS and bool(self.text.strip())


class RunbookStep(NamedTuple):
    """A step: `number` from 1, `section` the heading above it, `content` its paragraphs and fences in order, `line` in
    the file from 1; `is_item`: it is the item of a list, which may be one line."""

    number: int
    section: str
    title: str
    content: tuple[str | CodeBlock, ...]
    line: int
    is_item: bool

    @property
    def blocks(self) -> tuple[CodeBlock, ...]:
        """Its fences."""
        return tuple(one for one in self.content if isinstance(one, CodeBlock))

    @property
    def commands(self) -> tuple[CodeBlock, ...]:
        """What is run, in order; a step without any is done by hand."""
        return tuple(block for block in self.blocks if block.is_command)


@dataclass(frozen=True)
class Runbook:
    """A runbook as it was read. `introduction` is what stands before the first step, `sections` the text below the
    heading of each; `owner` and `review_by` (a date) are "" where its front matter does not say; `digest` is that of
    its bytes; `problems` are what is wrong with the file."""

    path: str
    title: str
    introduction: tuple[str, ...]
    steps: tuple[RunbookStep, ...]
    sections: dict[str, tuple[str, ...]]
    owner: str
    review_by: str
    digest: str
    problems: tuple[Finding, ...] = ()


@dataclass
class _Part:
    """A heading or an item of a list while the text is read; depth 1 to 6 of a heading, 7 of an item."""

    depth: int
    line: int
    title: str = ""
    content: list[str | CodeBlock] = field(default_factory=list)

    @property
    def text(self) -> tuple[str, ...]:
        return tuple(one for one in self.content if isinstance(one, str))


_ITEM = 7


def read_runbook(raw: bytes, path: str) -> Runbook:
    """The bytes of a Markdown file -> a runbook; never raises for bad content, which is among its problems."""
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    matter, body = _front_matter(text)
    values, problems = _values(matter, path)
    if b"\x00" in raw or "\ufffd" in text:
        problems.append(unusable(path, "the file is not UTF-8 text", "save it as UTF-8"))
    first, *parts = _parts(body)
    title, parts = (parts[0].title, parts) if parts and parts[0].depth == 1 else ("", parts)
    steps, sections, introduction = _steps(first, parts)
    if not steps:
        problems.append(unusable(path, "there is no step in it", "write headings or lists: each is a step"))
    owner, review_by = (_text(values, key) for key in ("owner", "review_by"))
    digest = hashlib.sha256(raw).hexdigest()
    return Runbook(path, title, introduction, steps, sections, owner, review_by, digest, tuple(problems))


def unusable(path: str, message: str, hint: str, line: int = 1) -> Finding:
    """The finding for a file that is not a runbook, or not wholly one."""
    return Finding(UNUSABLE, Level.ERROR, Where(path, line=line, column=1), message, hint)


def _front_matter(text: str) -> tuple[str, str]:
    """(its YAML, or ""; the rest of the text below as many empty lines, so that lines keep their numbers)."""
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        return "", text
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        return "", text
    return "\n".join(["", *lines[1:end]]), "\n".join([""] * (end + 1) + lines[end + 1 :])


def _values(matter: str, path: str) -> tuple[dict[str, object], list[Finding]]:
    if not matter.strip():
        return {}, []
    document = read_yaml(matter, path)
    if isinstance(document, list):
        return {}, [Finding(UNUSABLE, Level.ERROR, one.where, one.message, one.hint) for one in document]
    if not isinstance(document.data, dict):
        hint = 'owner: "@team" and review_by: 2026-06-30, a line each'
        return {}, [unusable(path, "its front matter has no keys", hint)]
    return document.data, []


def _text(values: dict[str, object], key: str) -> str:
    value = values.get(key)
    return " ".join(str(value).split()) if isinstance(value, str | int) else ""


def _steps(
    first: _Part, parts: Sequence[_Part]
) -> tuple[tuple[RunbookStep, ...], dict[str, tuple[str, ...]], tuple[str, ...]]:
    """(the steps, the text of each section, what stands before the first of both)."""
    steps: list[RunbookStep] = []
    sections: dict[str, tuple[str, ...]] = {}
    introduction = first.text
    section = ""
    for at, part in enumerate(parts):
        below = parts[at + 1] if at + 1 < len(parts) else None
        is_title = at == 0 and part.depth == 1
        has_steps = below is not None and below.depth > part.depth
        if (is_title or has_steps) and part.depth != _ITEM and len(part.text) == len(part.content):
            if is_title:
                introduction += part.text
            else:
                section, sections[part.title] = part.title, part.text
            continue
        own = section if part.depth == _ITEM else _above(parts[:at], part.depth)
        number = len(steps) + 1
        steps.append(RunbookStep(number, own, part.title, tuple(part.content), part.line, part.depth == _ITEM))
        section = part.title if has_steps and part.depth != _ITEM else own
    return tuple(steps), sections, introduction


def _above(before: Sequence[_Part], depth: int) -> str:
    """The nearest heading above one of this depth, but for the title of the whole."""
    found = (part for part in reversed(before) if part.depth < depth and part.depth > 1)
    return next((part.title for part in found), "")


def _parts(body: str) -> list[_Part]:
    """What stands before the first heading or item, then each of those with what is below it."""
    from markdown_it import MarkdownIt  # a twentieth of a second, which only runbooks need

    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    lines = body.split("\n")
    parts = [_Part(0, 1)]
    for token, inside in _with_lists(tokens):
        line = token.map[0] + 1 if token.map else parts[-1].line
        if token.type == "heading_open" and not inside:
            parts.append(_Part(int(token.tag[1:]), line))
        elif token.type == "list_item_open" and inside == 1:
            parts.append(_Part(_ITEM, line))
        elif token.type in ("fence", "code_block"):
            language = (token.info.split() or [""])[0].lower()
            parts[-1].content.append(CodeBlock(language, token.content, line))
        elif token.type == "table_open" and token.map:
            parts[-1].content.append("\n".join(one.strip() for one in lines[slice(*token.map)]))
        elif token.type == "inline" and not _in_table(token, tokens):
            _take_text(parts[-1], _plain(token), inside)
    return parts


def _take_text(part: _Part, text: str, inside: int) -> None:
    is_own = part.depth and not part.title and not part.content
    if is_own:
        part.title = text.removeprefix("[ ] ").removeprefix("[x] ").strip()
    elif text:
        part.content.append(f"- {text}" if inside > 1 else text)


def _with_lists(tokens: Sequence[Token]) -> Iterator[tuple[Token, int]]:
    """Each token with the number of lists that it is in."""
    inside = 0
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            inside += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            inside -= 1
        yield token, inside


def _in_table(token: Token, tokens: Sequence[Token]) -> bool:
    spans = [one.map for one in tokens if one.type == "table_open" and one.map]
    return bool(token.map) and any(span[0] <= (token.map or [0])[0] < span[1] for span in spans)


def _plain(token: Token) -> str:
    """The text of a paragraph without its marks; a link keeps its address."""
    words: list[str] = []
    targets: list[str] = []
    for child in token.children or ():
        if child.type == "link_open":
            targets.append(str(child.attrGet("href") or ""))
        elif child.type == "link_close":
            target = targets.pop()
            words.append(f" ({target})" if target not in "".join(words) else "")
        elif child.type in ("softbreak", "hardbreak"):
            words.append(" ")
        elif child.type == "image":
            words.append(child.content)
        else:
            words.append(f"`{child.content}`" if child.type == "code_inline" else child.content)
    return " ".join("".join(words).split())
