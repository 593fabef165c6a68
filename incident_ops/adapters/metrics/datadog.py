"""Datadog's scalar queries (POST /api/v2/query/scalar), from their published shape; never run against the service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from incident_ops.adapters.http import Place, ask_json
from incident_ops.domain.metric_kinds import DATADOG
from incident_ops.domain.ports import MetricSeries, Tick
from incident_ops.errors import Incomplete

if TYPE_CHECKING:
    from incident_ops.adapters.metrics.connect import SourceSettings

KIND = DATADOG
DATADOG_URL = "https://api.datadoghq.com"
LAG = 30.0
"""Seconds after which an interval is taken to be complete."""


class Datadog:
    """Counts are sums over the interval, threshold results the newest value in it; see `domain.ports.MetricSource`."""

    is_cumulative, is_promql, unproven = KIND.is_cumulative, KIND.is_promql, KIND.unproven

    def __init__(self, place: Place) -> None:
        self._place = place

    def value(self, query: str, tick: Tick, /) -> object:
        """The values of the first column of numbers, one for each group."""
        return self._asked(query, tick, "last")

    def counts(self, query: str, tick: Tick, /) -> MetricSeries:
        """The sum of the interval, by the place of its group; a null stays one: it is not a zero."""
        found = self._asked(query, tick, "sum")
        return {"" if len(found) == 1 else str(place): value for place, value in enumerate(found)}

    def history(self, _query: str, _last: Tick, _ticks: int, /) -> Sequence[MetricSeries]:
        """None is read."""
        return ()

    def spacing(self, _query: str, _at: datetime, /) -> float:
        """Not needed: what is asked for is the interval itself."""
        return 0.0

    def _asked(self, query: str, tick: Tick, aggregator: str) -> list[Any]:
        whole = tick.shifted(-LAG)
        asked = {"data_source": "metrics", "name": "a", "query": query, "aggregator": aggregator}
        attributes = {
            "from": round(whole.begin.timestamp() * 1000),
            "to": round(whole.end.timestamp() * 1000),
            "queries": [asked],
            "formulas": [{"formula": "a"}],
        }
        body = {"data": {"type": "scalar_request", "attributes": attributes}}
        found = ask_json(self._place, "POST", "/api/v2/query/scalar", json=body)
        try:
            if found.get("errors"):
                raise Incomplete(f"{self._place.name}: answered with errors")
            columns = found["data"]["attributes"]["columns"]
            numbers = [column["values"] for column in columns if column["type"] == "number"]
            return list(numbers[0]) if numbers else []
        except (LookupError, TypeError, AttributeError):
            raise Incomplete(f"{self._place.name}: the answer is not of Datadog's shape") from None


def connect(given: SourceSettings) -> Datadog:
    """See `connect`."""
    headers = {"DD-API-KEY": given.secret("token_env"), "DD-APPLICATION-KEY": given.secret("application_key_env")}
    return Datadog(given.place(DATADOG_URL, headers))
