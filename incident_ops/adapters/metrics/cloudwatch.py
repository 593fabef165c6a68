"""Amazon CloudWatch's GetMetricData over its JSON protocol, from the published shape; never run against the service.

A query is a metric expression or a Metrics Insights query. Minutes are counted whole and once: a tick reads the last
interval that ended at least two minutes ago.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from incident_ops.adapters.metrics.guard import Place, ask_json
from incident_ops.adapters.metrics.signed import Credentials, signed
from incident_ops.adapters.one_line import one_line
from incident_ops.domain.ports import MetricSeries, Tick
from incident_ops.errors import Incomplete

LAG = 120.0
"""Seconds after which a minute is taken to be complete."""

_TARGET = "GraniteServiceVersion20100801.GetMetricData"
_TYPE = "application/x-amz-json-1.0"


class CloudWatch:
    """One region; see `ports.MetricSource`."""

    is_cumulative = False
    is_promql = False
    unproven = "not run against the service: CloudWatch is asked as its documentation says"

    def __init__(self, place: Place, region: str, who: Credentials) -> None:
        self._place, self._region, self._who = place, region, who

    def value(self, query: str, tick: Tick, /) -> object:
        """The values of the interval, one for each series; empty where nothing was published."""
        return [value for value in self._asked(query, tick).values() if value is not None]

    def counts(self, query: str, tick: Tick, /) -> MetricSeries:
        """The counts of the interval; a series that published nothing is not there, which is no zero."""
        return {name: value for name, value in self._asked(query, tick).items() if value is not None}

    def history(self, _query: str, _last: Tick, _ticks: int, /) -> Sequence[MetricSeries]:
        """None is read."""
        return ()

    def _asked(self, query: str, tick: Tick) -> dict[str, Any]:
        end = (tick.end.timestamp() - LAG) // tick.seconds * tick.seconds
        asked = {"Id": "a", "Expression": query, "Period": round(tick.seconds), "ReturnData": True}
        content = {"MetricDataQueries": [asked], "StartTime": end - tick.seconds, "EndTime": end}
        body = json.dumps(content).encode()
        host = urlsplit(self._place.url).netloc
        headers = {"Content-Type": _TYPE, "X-Amz-Target": _TARGET}
        sent = signed(self._who, self._region, "monitoring", host, body, headers, tick.end)
        found = ask_json(self._place, "POST", "/", data=body, headers=sent)
        try:
            if found.get("Messages") or found.get("NextToken"):
                raise Incomplete(
                    f"data source {self._place.name}: {one_line(str(found.get('Messages') or 'too much'))}"
                )
            results = enumerate(found["MetricDataResults"])
            return {f"{place} {one.get('Label', '')}": self._only(one) for place, one in results}
        except (LookupError, TypeError, AttributeError):
            raise Incomplete(f"data source {self._place.name}: the answer is not of CloudWatch's shape") from None

    def _only(self, one: dict[str, Any]) -> Any:
        """The value of the one period asked for, None where there is none."""
        if one["StatusCode"] != "Complete":
            raise Incomplete(f"data source {self._place.name}: the data is {one_line(str(one['StatusCode']), 40)}")
        if len(one["Values"]) > 1:
            raise Incomplete(f"data source {self._place.name}: more than one period was answered")
        return one["Values"][0] if one["Values"] else None
