"""Text -> data with the place of every key and value, or what is wrong with it.

One pass over the YAML parser's events (the C parser where PyYAML has it): YAML 1.2 core schema, instants stay text.
What two readers could understand differently is refused, not guessed. Nothing here raises for a bad file: a file
that cannot be read is a value in the stream, so that it never hides the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

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
from incident_ops.records.faults import fault
from incident_ops.records.scalars import SPECIAL_STARTS, NumberRefused, resolve
from incident_ops.records.syntax import syntax_findings

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_VALUES = 20_000

_Parser: Any
try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # PyYAML built without libyaml: the same events, slower
    _Parser = yaml.SafeLoader


class Mark(Protocol):
    """A place in a text as the parser gives it: `line` and `column` from 0, `index` in characters."""

    line: int
    column: int
    index: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: `data` as JSON-like values, and the mark of every value and of every key by route."""

    file: str
    text: str
    data: Any
    values: dict[Route, Mark]
    keys: dict[Route, Mark]

    def locate(self, where: Where) -> Where:
        """`where` with line and column filled in; a route that is not there falls back to its nearest parent."""
        route = where.route
        while True:
            mark = self.keys.get(route) if where.on_key else None
            mark = mark or self.values.get(route)
            if mark is not None:
                return Where(self.file, where.route, mark.line + 1, mark.column + 1, where.on_key)
            if not route:
                return Where(self.file, where.route, 1, 1, where.on_key)
            route = route[:-1]


class _Refused(Exception):
    """Carries the finding out of the pass over the events."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def read_bytes(raw: bytes, file: str) -> Document | list[Finding]:
    """The bytes of a file -> a document, or findings. Never raises for bad content."""
    if len(raw) > MAX_BYTES:
        return [fault("file", file, f"the file has {len(raw):,} bytes; a record has at most {MAX_BYTES:,}", "split it")]
    try:
        return read(raw.decode("utf-8"), file)
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


def read(text: str, file: str) -> Document | list[Finding]:
    """Text -> a document, or the findings that say why not. `file` is only the name told in findings."""
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
    if len(text.splitlines()) + text.count(",") > MAX_VALUES:
        return [fault("limits", file, f"the file has over {MAX_VALUES:,} values or lines", "split it", at=(1, 1))]
    passage = _Passage(file, text)
    try:
        data = passage.run()
    except _Refused as refused:
        return [refused.finding]
    except NumberRefused as refused:
        mark = passage.last_scalar.start_mark
        return [fault("number", file, refused.message, refused.hint, at=(mark.line + 1, mark.column + 1))]
    except yaml.YAMLError as error:
        return syntax_findings(error, passage.last_scalar, file, text)
    return Document(file, text, data, passage.values, passage.keys)


class _Passage:
    """One pass over one text's events."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.values: dict[Route, Mark] = {}
        self.keys: dict[Route, Mark] = {}
        self.last_scalar: Any = None
        self._explicit_keys = "?" in text

    def refuse(self, rule: str, mark: Mark, message: str, hint: str) -> _Refused:
        return _Refused(fault(rule, self.file, message, hint, at=(mark.line + 1, mark.column + 1)))

    def run(self) -> Any:
        """The document's data; fills `values` and `keys`. Raises _Refused or yaml.YAMLError."""
        parser = _Parser(self.text)
        try:
            return self._walk(parser.get_event)
        finally:
            parser.dispose()

    def _walk(self, next_event: Callable[[], Any]) -> Any:
        # The one hot loop of the program: a flat state machine, no recursion, no node tree.
        values, keys = self.values, self.keys
        stack: list[tuple[Any, Route, Any]] = []  # (container, its route, its pending key)
        holder: Any = None  # the open container: dict, list, or None at the top
        route: Route = ()
        key: str | None = None
        place: Route = ()  # of the pending key's value
        top: Any = None
        documents = 0
        simple_keys = not self._explicit_keys
        while True:
            event = next_event()
            kind = type(event)
            if kind is ScalarEvent:
                if event.anchor is not None or event.tag is not None:
                    raise self._decorated(event)
                self.last_scalar = event
                text = event.value
                if key is None and type(holder) is dict:
                    plain = simple_keys and not event.style and text != "<<" and text not in holder
                    key = text if plain else self._key(event, holder, route)
                    place = (*route, key)
                    keys[place] = event.start_mark
                    continue
                value = resolve(text) if event.implicit[0] and text[:1] in SPECIAL_STARTS else text
                if key is not None:
                    holder[key] = value
                    values[place] = event.start_mark
                    key = None
                elif holder is None:
                    top, values[()] = value, event.start_mark
                else:
                    values[(*route, len(holder))] = event.start_mark
                    holder.append(value)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if event.anchor is not None or event.tag is not None:
                    raise self._decorated(event)
                if type(holder) is dict and key is None:
                    raise self.refuse(
                        "yaml-feature", event.start_mark, "a mapping or list is used as a key", "keys are plain words"
                    )
                if len(stack) >= MAX_DEPTH:
                    raise self.refuse(
                        "nesting", event.start_mark, f"values are nested deeper than {MAX_DEPTH}", "flatten the record"
                    )
                fresh: Any = {} if kind is MappingStartEvent else []
                stack.append((holder, route, None))
                if holder is None:
                    top = fresh
                elif key is not None:
                    holder[key] = fresh
                    route, key = place, None
                else:
                    route = (*route, len(holder))
                    holder.append(fresh)
                values[route] = event.start_mark
                holder = fresh
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                holder, route, key = stack.pop()
            elif kind is AliasEvent:
                raise self.refuse(
                    "yaml-feature", event.start_mark, f"alias *{event.anchor} is not allowed", "write the value out"
                )
            elif kind is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise self.refuse(
                        "yaml-feature",
                        event.start_mark,
                        "a second document begins here",
                        "one record a file: remove `---`",
                    )
            elif kind is StreamEndEvent:
                return top

    def _decorated(self, event: Any) -> _Refused:
        if event.anchor is not None:
            return self.refuse(
                "yaml-feature",
                event.start_mark,
                f"anchor &{event.anchor} is not allowed",
                "write the value out where it is needed",
            )
        return self.refuse(
            "yaml-feature",
            event.start_mark,
            f"tag {event.tag} is not allowed",
            "use quotes for text, nothing for numbers",
        )

    def _key(self, event: Any, holder: dict[str, Any], route: Route) -> str:
        name: str = event.value
        if name == "<<" and not event.style:
            raise self.refuse("yaml-feature", event.start_mark, "merge key << is not allowed", "write the keys out")
        if event.style in ("|", ">") or (self._explicit_keys and self._is_explicit(event.start_mark)):
            raise self.refuse(
                "yaml-feature", event.start_mark, "an explicit `? key` is not allowed", "write it as `key: value`"
            )
        if name in holder:
            first = self.keys[(*route, name)].line + 1
            raise self.refuse(
                "duplicate-key",
                event.start_mark,
                f"key {name!r} stands twice; the first is on line {first}",
                "keep one of them",
            )
        return name

    def _is_explicit(self, mark: Mark) -> bool:
        start = self.text.rfind("\n", 0, mark.index) + 1
        before = self.text[start : mark.index].rstrip()
        if before.endswith("?"):
            return True
        if before or not start:
            return False
        line_above = self.text[self.text.rfind("\n", 0, start - 1) + 1 : start - 1].rstrip()
        # a `?` alone on the line above, further left than the key, opened it
        return re.fullmatch(r"[- ]*\?", line_above) is not None and len(line_above) - 1 < mark.column
