"""Any service that answers GET or POST with JSON: a query is a path below the data source's address."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from incident_ops.adapters.http import Place, ask_json
from incident_ops.domain.metric_kinds import PATH_HINT, WEB, is_web_path
from incident_ops.domain.ports import MetricSeries, Tick
from incident_ops.errors import Incomplete, UserError

if TYPE_CHECKING:
    from incident_ops.adapters.metrics.connect import SourceSettings

_STEP = re.compile(r"""\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]{1,6})\]|\[(?:"([^"\]]+)"|'([^'\]]+)')\]""", re.ASCII)

Steps = tuple[str | int, ...]
KIND = WEB
NONE: Mapping[str, str] = MappingProxyType({})
_JSON = {"Content-Type": "application/json"}


class Web:
    """A web service; counts are running totals. See `domain.ports.MetricSource`."""

    is_cumulative, is_promql, unproven = KIND.is_cumulative, KIND.is_promql, KIND.unproven

    def __init__(
        self, place: Place, json_path: str = "$", method: str = "GET", body: str = "", headers: Mapping[str, str] = NONE
    ) -> None:
        """`headers` go with every question, JSON's own where a body has no other. UserError for a bad JSON path."""
        self._place, self._steps, self._method = place, steps(json_path), method
        kinds = [name for name in headers if name.lower() == "content-type"]
        self._words: dict[str, Any] = {"headers": {**({} if kinds or not body else _JSON), **headers}}
        if body:
            self._words["data"] = body.encode()

    def value(self, query: str, _tick: Tick, /) -> object:
        """What stands at the JSON path; None where nothing does."""
        if not is_web_path(query):
            raise UserError(f"the query of {self._place.name} is not a path", hint=PATH_HINT)
        found: Any = ask_json(self._place, self._method, query, **self._words)
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


def connect(given: SourceSettings) -> Web:
    """See `connect`."""
    question = given.question
    return Web(given.signed_in(), question.json_path, question.method, question.body, dict(question.headers))
