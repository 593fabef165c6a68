"""What an import says of each line of its source; and the keys of the source that nothing looked at, by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from incident_ops.findings import Route

_LONGEST = 100
_PASSWORD = re.compile(r"(?<![^\s/])[^\s/@]+:[^\s/@]+@")
"""Who signs in, and with what, in an address."""


class ImportOutcome(StrEnum):
    """What became of a line: the same here, translated with a difference, or not taken over."""

    SAME = "same"
    DIFFERS = "differs"
    REFUSED = "refused"


@dataclass(frozen=True)
class ImportLine:
    """One place of the source: what stands there, what stands for it in the gate ("" for nothing), what differs or why
    it is refused, and the way on.

    `weakens`: something is checked there that the gate does not check.
    """

    document: int
    route: Route
    outcome: ImportOutcome
    source: str
    gate: str = ""
    text: str = ""
    way: str = ""
    weakens: bool = False


@dataclass
class Notebook:
    """Collects the lines of one import, and which keys were looked at."""

    lines: list[ImportLine] = field(default_factory=list)
    _whole: set[tuple[int, Route]] = field(default_factory=set)
    _opened: set[tuple[int, Route]] = field(default_factory=set)

    def looked_at(self, document: int, route: Route, *, opened: bool) -> None:
        """Remembers a key: as a whole, or opened so that the keys below it count each for itself."""
        (self._opened if opened else self._whole).add((document, route))

    def forget(self, part: SourcePart) -> None:
        """Takes back what was said of a part that is refused as a whole, but for what was refused in it."""
        whole = part.route
        self.lines = [
            line
            for line in self.lines
            if line.outcome is ImportOutcome.REFUSED
            or (line.document, line.route[: len(whole)]) != (part.document, whole)
        ]

    def was_opened(self, document: int, route: Route) -> bool:
        """Whether the keys below a place count each for itself."""
        return (document, route) in self._opened

    def unread(self, document: int, route: Route, data: Any) -> Iterator[tuple[Route, Any]]:
        """Every key below a place that nothing looked at."""
        entries = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
        for step, value in entries:
            place = (*route, step)
            if (document, place) in self._whole:
                continue
            if (document, place) in self._opened:
                yield from self.unread(document, place, value)
            else:
                yield place, value


class SourcePart:
    """A mapping of the source; reading a key marks it as looked at."""

    def __init__(self, notebook: Notebook, document: int, route: Route, data: Any) -> None:
        self.notebook, self.document, self.route = notebook, document, route
        self.data: Mapping[str, Any] = data if isinstance(data, Mapping) else {}

    def __contains__(self, key: str) -> bool:
        return self.data.get(key) is not None

    def whole(self, key: str) -> Any:
        """The value of a key, None where there is none; everything below it counts as looked at."""
        self.notebook.looked_at(self.document, (*self.route, key), opened=False)
        return self.data.get(key)

    def text(self, key: str) -> str:
        """The value of a key as text; "" where there is none, and refused where it is several."""
        value = self.whole(key)
        if isinstance(value, Mapping | list):
            self.refused(key, "a single value is expected here", "write it as text or number", weakens=True)
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)

    def part(self, key: str) -> SourcePart:
        """The mapping below a key; an empty one where there is none."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, Mapping):
            self.whole(key)
            self.refused(key, "a mapping is expected here", "see the tool's own documentation", weakens=True)
        else:
            self.notebook.looked_at(self.document, (*self.route, key), opened=True)
        return SourcePart(self.notebook, self.document, (*self.route, key), value)

    def parts(self, key: str) -> list[SourcePart]:
        """The mappings of the list below a key."""
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.whole(key)
            self.refused(key, "a list is expected here", "see the tool's own documentation", weakens=True)
            return []
        self.notebook.looked_at(self.document, (*self.route, key), opened=True)
        found = []
        for index, entry in enumerate(value):
            place = (*self.route, key, index)
            self.notebook.looked_at(self.document, place, opened=True)
            found.append(SourcePart(self.notebook, self.document, place, entry))
        return found

    def same(self, key: str, gate: str = "") -> None:
        """Notes that a key says the same here."""
        self._add(key, ImportOutcome.SAME, gate)

    def differs(self, key: str, gate: str, text: str, way: str = "") -> None:
        """Notes what a key became, and what is not the same."""
        self._add(key, ImportOutcome.DIFFERS, gate, text, way)

    def refused(self, key: str, text: str, way: str, *, weakens: bool = False) -> None:
        """Notes that nothing stands for a key ("" = for all of this part), why, and the way on."""
        self.notebook.looked_at(self.document, (*self.route, key) if key else self.route, opened=False)
        self._add(key, ImportOutcome.REFUSED, "", text, way, weakens=weakens)

    def _add(
        self, key: str, outcome: ImportOutcome, gate: str, text: str = "", way: str = "", *, weakens: bool = False
    ) -> None:
        route = (*self.route, key) if key else self.route
        shown = shown_source(route, self.data.get(key) if key else None)
        self.notebook.lines.append(ImportLine(self.document, route, outcome, shown, gate, text, way, weakens))


def shown_source(route: Route, value: Any) -> str:
    """`metrics[0].interval: 1m`: a place of the source, and its value where that is a short one."""
    place = ""
    for step in route:
        place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else str(step)
    place = place.removeprefix("spec.")
    if value is None or isinstance(value, Mapping | list):
        return place
    text = _PASSWORD.sub("***@", " ".join((str(value).lower() if isinstance(value, bool) else str(value)).split()))
    return f"{place}: {text if len(text) <= _LONGEST else text[: _LONGEST - 3] + '...'}"
