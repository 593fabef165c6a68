"""Text -> data with the place of every key and value, or what is wrong with it.

One pass over the YAML parser's events (the C parser where PyYAML has it): YAML 1.2 core schema, instants stay text.
What two readers could understand differently is refused, not guessed. Nothing here raises for a bad file: a file
that cannot be read is a value in the stream, so that it never hides the next.

Plain scalars under the YAML 1.2 core schema: `no`, `12:30` and dates are text, `0123` is refused.

What the YAML parser complains about, in plain words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from incident_ops.findings import Finding, Route, Where
from incident_ops.records.file_findings import fault

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_VALUES = 20_000

_Parser: Any
try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # PyYAML built without libyaml: the same events, slower
    _Parser = yaml.SafeLoader


class TextMark(Protocol):
    """A place in a text as the parser gives it: `line` and `column` from 0, `index` in characters."""

    line: int
    column: int
    index: int


# Line breaks for the parser, which reads YAML 1.1, but neither for YAML 1.2 nor for editors.
_ODD_BREAK = re.compile("[\x85\u2028\u2029]")
_BREAK = re.compile("\r\n|\r|\n")


def place(text: str, mark: TextMark) -> tuple[int, int]:
    """Line and column of a mark, from 1, as editors count them."""
    if _ODD_BREAK.search(text) is None:
        return mark.line + 1, mark.column + 1
    starts = [0, *(found.end() for found in _BREAK.finditer(text, 0, mark.index))]
    return len(starts), mark.index - starts[-1] + 1


def place_at(text: str, index: int) -> tuple[int, int]:
    """Line and column of a character, from 1."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


class Places(NamedTuple):
    """The mark of every value and of every key by route."""

    values: dict[Route, TextMark]
    keys: dict[Route, TextMark]


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: `data` as JSON-like values, which nobody changes, and `marks` in the order of the text."""

    file: str
    text: str
    data: Any
    marks: Sequence[TextMark]
    _places: list[Places] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def values(self) -> dict[Route, TextMark]:
        """The mark of every value by route."""
        return self._found().values

    @property
    def keys(self) -> dict[Route, TextMark]:
        """The mark of every key by the route of its value."""
        return self._found().keys

    def _found(self) -> Places:
        # most files have no findings, so most positions are never looked up
        if not self._places:
            self._places.append(_places(self.data, self.marks))
        return self._places[0]

    def locate(self, where: Where) -> Where:
        """`where` with line and column filled in; a route that is not there falls back to its nearest parent."""
        route = where.route
        while True:
            mark = self.keys.get(route) if where.on_key else None
            mark = mark or self.values.get(route)
            if mark is not None:
                return Where(self.file, where.route, *place(self.text, mark), where.on_key)
            if not route:
                return Where(self.file, where.route, 1, 1, where.on_key)
            route = route[:-1]


def _places(data: Any, marks: Sequence[TextMark]) -> Places:
    """Puts marks, in the order of the text, to what they mark; `data` may be the beginning of a document."""
    places = Places({}, {})
    for (route, is_key), mark in zip(_routes(data, ()), marks, strict=False):
        (places.keys if is_key else places.values)[route] = mark
    return places


def _routes(data: Any, route: Route) -> Iterator[tuple[Route, bool]]:
    """(route, is it a key?) in the order of the text, which mappings keep."""
    yield route, False
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*route, key), True
            yield from _routes(value, (*route, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _routes(value, (*route, index))


class _Refused(Exception):
    """Carries the finding out of the pass over the events."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def read_bytes(raw: bytes, file: str) -> Document | list[Finding]:
    """The bytes of a file -> a document, or findings. Never raises for bad content."""
    if len(raw) > MAX_BYTES:
        return [
            fault("file", file, f"the file has {len(raw):,} bytes; a record may have at most {MAX_BYTES:,}", "split it")
        ]
    try:
        return read_yaml(raw.decode("utf-8"), file)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        return [
            fault(
                "encoding",
                file,
                f"byte 0x{raw[error.start]:02x} is not UTF-8 text",
                "save the file as UTF-8",
                at=(line, column),
            )
        ]


def read_yaml(text: str, file: str) -> Document | list[Finding]:
    """Text -> a document, or the findings that say why not. `file` is only the name used in findings."""
    if text.startswith("\ufeff"):
        return [
            fault("encoding", file, "the file begins with a byte-order mark", "save it as UTF-8 without BOM", at=(1, 1))
        ]
    if not text.strip():
        return [
            fault(
                "file", file, "the file is empty", "a record needs at least: id, title, services, state, times.declared"
            )
        ]
    # every value but the first follows a line break or a comma: no text may keep the reader busy for long
    if len(text) >= MAX_VALUES and len(text.splitlines()) + text.count(",") > MAX_VALUES:
        return [fault("limits", file, f"the file has over {MAX_VALUES:,} values or lines", "split it", at=(1, 1))]
    reader = _EventReader(file, text)
    try:
        data = reader.run()
    except _Refused as refused:
        return [refused.finding]
    except NumberRefused as refused:
        at = place(text, reader.last_scalar.start_mark)
        return [fault("number", file, refused.message, refused.hint, at=at)]
    except yaml.YAMLError as error:
        return syntax_findings(error, reader.last_scalar, file, text)
    return Document(file, text, data, reader.marks)


class _EventReader:
    """One pass over one text's events."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.marks: list[TextMark] = []
        self.last_scalar: Any = None
        self._explicit_keys = "?" in text
        self._has_odd_break = _ODD_BREAK.search(text) is not None

    def refuse(self, rule: str, mark: TextMark, message: str, hint: str) -> _Refused:
        return _Refused(fault(rule, self.file, message, hint, at=place(self.text, mark)))

    def run(self) -> Any:
        """The document's data; fills `marks`. Raises _Refused or yaml.YAMLError."""
        parser = _Parser(self.text)
        top: list[Any] = []
        try:
            self._walk(parser.get_event, top)
        finally:
            parser.dispose()
        return top[0] if top else None

    def _walk(self, next_event: Callable[[], Any], top: list[Any]) -> None:
        """Puts the document's value into `top`."""
        # The one hot loop of the program: a flat state machine, no recursion, no node tree.
        mark = self.marks.append
        stack: list[tuple[Any, bool]] = []  # (container, is it a mapping?)
        holder: Any = top  # the open container: a dict or a list
        is_map, key = False, None
        simple_keys = not self._explicit_keys
        decorated = "&" in self.text or "!" in self.text or self._has_odd_break
        while (kind := type(event := next_event())) is not StreamEndEvent:
            if kind is ScalarEvent:
                if decorated:
                    self._check_scalar(event)
                self.last_scalar = event
                text = event.value
                mark(event.start_mark)
                if is_map and key is None:
                    plain = simple_keys and not event.style and text != "<<" and text not in holder
                    key = text if plain else self._key(event, holder, stack)
                    continue
                value = scalar_value(text) if event.implicit[0] and text[:1] in SPECIAL_STARTS else text
                if is_map:
                    holder[key] = value
                    key = None
                else:
                    holder.append(value)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if decorated or (is_map and key is None) or len(stack) >= MAX_DEPTH:
                    self._check_collection(event, is_key=is_map and key is None, depth=len(stack))
                fresh: Any = {} if kind is MappingStartEvent else []
                mark(event.start_mark)
                if is_map:
                    holder[key] = fresh
                else:
                    holder.append(fresh)
                stack.append((holder, is_map))
                holder, is_map, key = fresh, kind is MappingStartEvent, None
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                holder, is_map = stack.pop()
            elif kind is AliasEvent or (kind is DocumentStartEvent and top):
                raise self._alias_or_document(event)

    def _check_scalar(self, event: Any) -> None:
        """Raises _Refused for a text with an anchor or a tag, or with a break that parsers read differently."""
        if event.anchor is not None or event.tag is not None:
            raise self._anchor_or_tag(event)
        if self._has_odd_break:
            odd = _ODD_BREAK.search(self.text, event.start_mark.index, event.end_mark.index)
            if odd:
                raise _Refused(_odd_break(self.file, self.text, odd))

    def _check_collection(self, event: Any, *, is_key: bool, depth: int) -> None:
        """Raises _Refused for a mapping or list that may not begin here."""
        if event.anchor is not None or event.tag is not None:
            raise self._anchor_or_tag(event)
        if is_key:
            message, hint = "a mapping or list is used as a key", "write keys as plain words"
            raise self.refuse("yaml-feature", event.start_mark, message, hint)
        if depth >= MAX_DEPTH:
            message = f"values are nested deeper than {MAX_DEPTH}"
            raise self.refuse("nesting", event.start_mark, message, "flatten the record")

    def _alias_or_document(self, event: Any) -> _Refused:
        if isinstance(event, AliasEvent):
            message, hint = f"alias *{event.anchor} is not allowed", "write the value out"
        else:
            message, hint = "a second document begins here", "one record per file: remove `---`"
        return self.refuse("yaml-feature", event.start_mark, message, hint)

    def _anchor_or_tag(self, event: Any) -> _Refused:
        if event.anchor is not None:
            message, hint = f"anchor &{event.anchor} is not allowed", "write the value out where it is needed"
        else:
            message, hint = f"tag {event.tag} is not allowed", "use quotes for text, nothing for numbers"
        return self.refuse("yaml-feature", event.start_mark, message, hint)

    def _key(self, event: Any, holder: dict[str, Any], stack: list[tuple[Any, bool]]) -> str:
        name: str = event.value
        if name == "<<" and not event.style:
            raise self.refuse("yaml-feature", event.start_mark, "merge key << is not allowed", "write the keys out")
        if event.style in ("|", ">") or (self._explicit_keys and self._is_explicit(event.start_mark)):
            raise self.refuse(
                "yaml-feature", event.start_mark, "an explicit `? key` is not allowed", "write it as `key: value`"
            )
        if name in holder:
            first = place(self.text, self._first_of(name, [*(container for container, _ in stack[1:]), holder]))[0]
            raise self.refuse(
                "duplicate-key",
                event.start_mark,
                f"key {name!r} appears twice; the first is on line {first}",
                "keep one of them",
            )
        return name

    def _first_of(self, name: str, opened: list[Any]) -> TextMark:
        """The mark of a key that the last of the `opened` containers has; each holds the next as its last value."""
        steps = (
            len(container) - 1 if isinstance(container, list) else next(reversed(container))
            for container in opened[:-1]
        )
        return _places(opened[0], self.marks).keys[(*steps, name)]

    def _is_explicit(self, mark: TextMark) -> bool:
        start = self.text.rfind("\n", 0, mark.index) + 1
        before = self.text[start : mark.index].rstrip()
        if before.endswith("?"):
            return True
        if before or not start:
            return False
        line_above = self.text[self.text.rfind("\n", 0, start - 1) + 1 : start - 1].rstrip()
        # a `?` alone on the line above, further left than the key, opened it
        return re.fullmatch(r"[- ]*\?", line_above) is not None and len(line_above) - 1 < mark.column


MAX_DIGITS = 18

_NUMBER = re.compile(
    r"(?P<int>[-+]?[0-9]+)|(?P<oct>0o[0-7]+)|(?P<hex>0x[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<none>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))",
    re.ASCII,
)
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_STARTS = frozenset("0123456789+-.")
SPECIAL_STARTS = frozenset({word[:1] for word in _WORDS} | _NUMBER_STARTS)
"""How a plain scalar that is not text begins; all others are text."""

_BASES = {"int": 10, "oct": 8, "hex": 16}


class NumberRefused(Exception):
    """A number that is not allowed there: what is wrong, and how to fix it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def scalar_value(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar. NumberRefused where readers would disagree, or where it is not a number."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS or (match := _NUMBER.fullmatch(text)) is None:
        return text
    return _number(text, match.lastgroup or "int")


def _number(text: str, kind: str) -> int | float:
    digits = text.lstrip("+-")
    if kind == "none":
        raise NumberRefused(f"{text} is not a number", "write the number, or unknown where that is allowed")
    if kind == "float":
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise NumberRefused(f"{text[:24]} is too large a number", "quote it if it is text")
        return number
    if len(digits) > MAX_DIGITS:
        raise NumberRefused(f"{text[:24]}... has over {MAX_DIGITS} digits", "quote it if it is text")
    if kind == "int" and len(digits) > 1 and digits[0] == "0":
        message = f"{text} is read as {int(digits)} by some parsers and as octal by others"
        raise NumberRefused(message, "quote it if it is text, else drop the leading zero")
    return int(text, _BASES[kind])


_PLAINER = {
    "mapping values are not allowed in this context": (
        "a `: ` is not allowed here",
        "quote the text if it contains `: `",
    ),
    "did not find expected key": ("a key was expected here", "check quotes and indentation of the lines above"),
    "could not find expected ':'": ("a `:` was expected after the key", "check the indentation, or quote the text"),
    "did not find expected '-' indicator": ("a list entry `- ` was expected here", "check the indentation"),
    "found unexpected end of stream": ("the text ends too early", "close the quote"),
    "did not find expected ',' or ']'": ("a `,` or `]` was expected", "close the list"),
    "did not find expected ',' or '}'": ("a `,` or `}` was expected", "close the braces"),
    "found character that cannot start any token": ("this character cannot begin a value", "put the text in quotes"),
}


_MARKER = re.compile(r"(<{7,}|\|{7,}|={7,}|>{7,})(?: (.*))?", re.ASCII)
_LONGEST_SIDE = 30
"""Characters of the name that git gives to a side of a conflict."""


def unresolved_conflicts(text: str) -> Iterator[tuple[int, str]]:
    """(line, what is wrong) of each merge conflict that nobody has resolved: which lines are of which side."""
    begun: tuple[int, str] | None = None
    end_of_ours, divided = 0, 0
    for number, line in enumerate(text.split("\n"), 1):
        mark = _MARKER.fullmatch(line.rstrip("\r"))
        if mark is None:
            continue
        sign, name = mark[1][0], mark[2]
        if sign == "<" and name:
            begun, end_of_ours, divided = (number, name), 0, 0
        elif begun and sign in "|=":
            end_of_ours = end_of_ours or number - 1
            divided = number if sign == "=" else divided
        elif begun and divided and sign == ">" and name:
            ours = _side(begun[1], begun[0] + 1, end_of_ours)
            yield begun[0], f"a merge conflict is not resolved: {ours}, {_side(name, divided + 1, number - 1)}"
            begun = None


def _side(name: str, first: int, last: int) -> str:
    if re.fullmatch("[0-9a-f]{40,64}", name):  # the whole id of a commit, as after a pull
        name = name[:12]
    shown = name if len(name) <= _LONGEST_SIDE else f"{name[: _LONGEST_SIDE - 3]}..."
    if last < first:
        return f"{shown} has no line here"
    return f"{shown} has line {first}" if first == last else f"{shown} has lines {first}-{last}"


def _odd_break(file: str, text: str, odd: re.Match[str]) -> Finding:
    message = f"there is a control character here (U+{ord(odd[0]):04X})"
    return fault("encoding", file, message, "remove it", at=place_at(text, odd.start()))


def syntax_findings(error: yaml.YAMLError, last: Any, file: str, text: str) -> list[Finding]:
    """A parser's error in plain words, where reading stopped and, for a broken quote, where that was opened.

    `last` is the last scalar event before the error, None where there was none.
    """
    if not isinstance(error, yaml.MarkedYAMLError):
        at = place_at(text, getattr(error, "position", 0) or 0)
        return [fault("encoding", file, "there is a control character here", "remove it", at=at)]
    if unresolved := [*unresolved_conflicts(text)]:
        hint = "keep what is right, and remove the lines <<<<<<<, ======= and >>>>>>>"
        return [fault("syntax", file, message, hint, at=(line, 1)) for line, message in unresolved]
    if odd := _ODD_BREAK.search(text):
        return [_odd_break(file, text, odd)]
    mark, opened = error.problem_mark, error.context_mark
    at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    plain, hint = _PLAINER.get(error.problem or "", (error.problem or "not YAML", "check quotes and indentation"))
    if mark and text[mark.index : mark.index + 1] == "\t":
        plain, hint = "there is a tab here", "indent with spaces"
    findings = [fault("syntax", file, plain, hint, at=at)]
    if error.context and "quoted scalar" in error.context and opened:
        begin = (opened.line + 1, opened.column + 1)
        findings.insert(0, fault("syntax", file, "this quote is never closed", "close it on this line", at=begin))
    elif (
        last is not None
        and last.style in ("'", '"')
        and mark
        and last.start_mark.line < last.end_mark.line == mark.line
    ):
        begin = (last.start_mark.line + 1, last.start_mark.column + 1)
        findings.insert(
            0,
            fault(
                "syntax", file, f"the quote opened here ends only on line {at[0]}", "close it on this line", at=begin
            ),
        )
    return findings
