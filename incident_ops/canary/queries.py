"""Queries with values filled in: `{{args.NAME}}`, inside quotes only, escaped as the label value it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean

_ARGUMENT = re.compile(r"\{\{\s*args\.([A-Za-z0-9._-]+)\s*\}\}", re.ASCII)
_OPENING = re.compile(r"\{\{")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}", re.ASCII)
_REGEX = re.compile(r"([\\.+*?()|\[\]{}^$])")
_LONGEST = 200


class Slot(NamedTuple):
    """A place for a value in a query: where it begins and ends, its argument, and what is around it.

    `quote` is "" outside quotes; `is_regex` after =~ or !~.
    """

    start: int
    end: int
    name: str
    quote: str
    is_regex: bool


def query_slots(query: str) -> Iterator[Slot]:
    """The places for values in a query."""
    for match in _ARGUMENT.finditer(query):
        opened = _open_quote(query, match.start())
        before = query[:opened].rstrip() if opened >= 0 else ""
        quote = query[opened] if opened >= 0 else ""
        yield Slot(match.start(), match.end(), match[1], quote, before.endswith(("=~", "!~")))


def query_faults(query: str, known: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """(what is wrong, how to fix it) with the places for values in a query; `known` are the arguments of the file."""
    places = list(query_slots(query))
    if len(_OPENING.findall(query)) != len(places):
        yield "a {{ }} in the query is not an argument", "write {{args.NAME}}"
    for slot in places:
        if slot.name not in known:
            yield (
                f"argument {slot.name!r} is not in spec.args",
                did_you_mean(slot.name, known) or f"add it there: name: {slot.name}",
            )
        if slot.quote not in ('"', "'"):
            yield (
                f"{{{{args.{slot.name}}}}} is outside quotes",
                'a value may only be a label\'s, e.g. version="..."',
            )


def fill_query(query: str, arguments: Mapping[str, str | None], *, is_promql: bool) -> str:
    """The query with its values. For PromQL each is escaped as a string, after =~ as a regular expression first.

    UserError for a value that is missing or not allowed there; elsewhere than in PromQL only plain words can.
    """
    filled, at = "", 0
    for slot in query_slots(query):
        value = arguments.get(slot.name)
        if value is None:
            raise UserError(f"argument {slot.name!r} has no value", hint=f"give it: --arg {slot.name}=VALUE")
        filled += query[at : slot.start] + _escaped(slot, value, is_promql)
        at = slot.end
    return filled + query[at:]


def _escaped(slot: Slot, value: str, is_promql: bool) -> str:
    if slot.quote not in ('"', "'"):
        raise UserError(f"{{{{args.{slot.name}}}}} is outside quotes", hint="a value may only be a label's")
    if _PLAIN.fullmatch(value) and not slot.is_regex:
        return value
    if not is_promql or len(value) > _LONGEST or not value.isprintable():
        hint = "letters, digits and . _ : / @ + - are, at most 128 of them"
        raise UserError(f"the value of argument {slot.name!r} is not allowed in a query", hint=hint)
    literal = _REGEX.sub(r"\\\1", value) if slot.is_regex else value
    return literal.replace("\\", r"\\").replace(slot.quote, f"\\{slot.quote}")  # PromQL knows no \' within ""


def _open_quote(query: str, at: int) -> int:
    """Where the quote opens that is still open at a place, -1 outside quotes. A backtick takes no escapes."""
    opened, place = -1, 0
    while place < at:
        char = query[place]
        if opened < 0:
            opened = place if char in "\"'`" else -1
        elif char == "\\" and query[opened] != "`":
            place += 1
        elif char == query[opened]:
            opened = -1
        place += 1
    return opened
