"""Any service that answers GET with JSON: a query is a path below the data source's address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from incident_ops.adapters.http import Place, ask_json
from incident_ops.domain.ports import MetricSeries, Tick
from incident_ops.errors import Incomplete, UserError

_STEP = re.compile(r"""\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]{1,6})\]|\[(?:"([^"\]]+)"|'([^'\]]+)')\]""", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9._~/!$&'()*+,;=:@%?-]*", re.ASCII)

Steps = tuple[str | int, ...]


class Web:
    """A web service; counts are running totals. See `domain.ports.MetricSource`."""

    is_cumulative = True
    is_promql = False
    unproven = ""

    def __init__(self, place: Place, json_path: str = "$") -> None:
        """UserError for a JSON path that cannot be read."""
        self._place, self._steps = place, steps(json_path)

    def value(self, query: str, _tick: Tick, /) -> object:
        """What stands at the JSON path; None where nothing does."""
        plain = unquote(query)
        if not _PATH.fullmatch(query) or "//" in plain or ".." in plain:
            raise UserError(f"the query of {self._place.name} is not a path", hint="e.g. /stats/errors?window=1m")
        found: Any = ask_json(self._place, "GET", query)
        for step in self._steps:
            try:
                found = found[step]
            except (LookupError, TypeError):
                return None
        return found

    def counts(self, query: str, _tick: Tick, /) -> MetricSeries:
        """The total at the JSON path; no series where nothing stands there. A null is a value, not a zero."""
        found = self.value(query, _tick)
        if isinstance(found, dict | list):
            raise Incomplete(f"{self._place.name}: expected one number at the JSON path")
        return {"": found}

    def history(self, _query: str, _last: Tick, _ticks: int, /) -> Sequence[MetricSeries]:
        """None is read."""
        return ()

    def spacing(self, _query: str, _at: datetime, /) -> float:
        """Not known: what is asked for is counted at that moment."""
        return 0.0


def steps(json_path: str) -> Steps:
    """`$.a["b"][0]`, with or without braces around it -> its steps. UserError where it is of another form."""
    path = json_path.removeprefix("{").removesuffix("}")
    found, at = [], 1
    while path.startswith("$") and at < len(path) and (step := _STEP.match(path, at)):
        found.append(int(step[2]) if step[2] else step[1] or step[3] or step[4])
        at = step.end()
    if not path.startswith("$") or at < len(path):
        raise UserError(
            f"{json_path!r} is not a JSON path that is understood", hint='e.g. $.data.errors or $[0]["total"]'
        )
    return tuple(found)
