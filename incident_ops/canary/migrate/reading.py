"""Names, durations and arguments of other tools in the words of a gate file."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping

from incident_ops.canary.config import query_slots
from incident_ops.canary.migrate.notebook import SourcePart
from incident_ops.domain.time import duration_text

_SLOT = re.compile(r"\{\{\s*args\.([A-Za-z0-9._-]+)\s*\}\}", re.ASCII)
_GO_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ns|us|µs|ms|s|min|m|h|d)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9_:@/ -]*", re.ASCII)
_LONGEST_VALUE = 200
RENDER_FIRST = "render the file first, e.g. helm template, and import what that prints"


def name_in_gate(text: str, others: Collection[str] = ()) -> str:
    """A name as a gate file may have it; another one where it is `others`."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:60] or "imported"
    name, number = plain, 2
    while name in others:
        name, number = f"{plain}-{number}", number + 1
    return name


def seconds_in(text: str) -> float | None:
    """A duration of Go (`1m30s`, `500ms`) or plain seconds; None where it is neither."""
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        return float(text)
    found, at = 0.0, 0
    while at < len(text) and (part := _GO_PART.match(text, at)):
        found += float(part[1]) * _SECONDS[part[2]]
        at = part.end()
    return found if text and at == len(text) and len(text) <= 32 else None


def spelled(seconds: float) -> str:
    """Seconds as a gate file has them: whole ones, rounded up."""
    return duration_text(math.ceil(seconds - 1e-9))


class ImportArguments:
    """The arguments of the source with their values, None where the run has to give one, and those the gate uses."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given, self.values, self.used = given, dict[str, str | None](given), set[str]()

    def add(self, name: str, value: str | None) -> None:
        """One of the source; a value of the command line comes first, and the first of the source before later ones."""
        if self.values.get(name) is None:
            self.values[name] = value

    def is_another(self, name: str, value: str | None) -> bool:
        """Whether an argument has another value in the source already, which no person chose."""
        known = self.values.get(name)
        return known is not None and known != value and name not in self._given

    def filled(self, text: str) -> str:
        """The text with the values that are known written out."""
        return _SLOT.sub(lambda slot: self.values.get(slot[1]) or slot[0], text)

    def in_gate(self) -> list[dict[str, str]]:
        """`args` of the gate: those that it uses."""
        found = []
        for name in sorted(self.used):
            value = self.values.get(name)
            found.append({"name": name, "value": value} if value else {"name": name})
        return found

    def keep(self, name: str) -> bool:
        """Whether an argument can stay one; then the gate has it."""
        value = self.values.get(name)
        fits = _NAME.fullmatch(name) is not None and (
            value is None or (0 < len(value) <= _LONGEST_VALUE and not re.search(r"[\n\r]", value))
        )
        if fits and name in self.values:
            self.used.add(name)
        return fits and name in self.values


def field_text(part: SourcePart, key: str, arguments: ImportArguments) -> str | None:
    """The text of a key with its arguments written out; None, and refused, where one has no value."""
    text = arguments.filled(part.text(key))
    if "{{" in text:
        way = f"import again with --arg {slot[1]}=VALUE" if (slot := _SLOT.search(text)) else RENDER_FIRST
        part.refused(key, "only queries and conditions can hold an argument without a value", way, weakens=True)
        return None
    return text


def query_text(
    part: SourcePart, key: str, arguments: ImportArguments, text: str | None = None, gate: str = "query"
) -> str | None:
    """A query: arguments inside quotes stay arguments, others are written out; None, and refused, where that cannot be.

    `text` where the query is not what the key holds word by word; `gate`: what it is called in a gate.
    """
    query = part.text(key) if text is None else text
    filled, at, written, literal = "", 0, [], list[str]()
    for slot in query_slots(query):
        value = arguments.values.get(slot.name)
        stays = slot.quote in ('"', "'") and not (slot.is_regex and value and not _PLAIN.fullmatch(value))
        if stays and arguments.keep(slot.name):
            filled += query[at : slot.end]
            literal += [slot.name] if slot.is_regex else []
        elif value:
            filled += query[at : slot.start] + value
            written.append(slot.name)
        else:
            why = "has no value" if slot.name in arguments.values else "is not among the args"
            message = f"argument {slot.name!r} {why}, and outside quotes it has to be written out"
            part.refused(key, message, f"import again with --arg {slot.name}=VALUE", weakens=True)
            return None
        at = slot.end
    filled += query[at:]
    if not filled.strip():
        part.refused(key, "the query is empty", "write one", weakens=True)
        return None
    if len(re.findall(r"\{\{", filled)) != len(list(query_slots(filled))):
        part.refused(key, "a {{ }} in the query is not an argument", RENDER_FIRST, weakens=True)
        return None
    _note_query(part, key, written, gate)
    if literal:
        text = f"after =~ a value is matched as it is written, and no pattern: {', '.join(dict.fromkeys(literal))}"
        part.differs(key, gate, text, "write a pattern into the query, or import again with --arg")
    return filled


def _note_query(part: SourcePart, key: str, written: list[str], gate: str) -> None:
    if not written:
        part.same(key, gate)
        return
    names = ", ".join(dict.fromkeys(written))
    part.differs(
        key,
        gate,
        f"written out: {names}; it is not an argument any more",
        "import again with --arg NAME=VALUE for another value",
    )


def _given(part: SourcePart, key: str, arguments: ImportArguments) -> str | None:
    """The text of a key that may be missing; None where it is, or has none."""
    if key in part:
        return field_text(part, key, arguments)
    part.whole(key)
    return None


def whole_number(part: SourcePart, key: str, arguments: ImportArguments) -> int | None:
    """A whole number; None where there is none, and refused where it is something else."""
    text = _given(part, key, arguments)
    if text is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,6}", text, re.ASCII):
        part.refused(key, "a whole number is expected here", "write the number", weakens=True)
        return None
    return int(text)


def duration_of(part: SourcePart, key: str, arguments: ImportArguments) -> float | None:
    """A duration in seconds; None where there is none, and refused where it is something else."""
    text = _given(part, key, arguments)
    if text is None:
        return None
    found = seconds_in(text)
    if found is None:
        part.refused(key, "this is not a duration", "e.g. 30s, 5m, 1h30m", weakens=True)
    return found
