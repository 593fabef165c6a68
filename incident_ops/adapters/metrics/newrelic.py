"""New Relic through NerdGraph (GraphQL), from its published shape; never run against the service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from incident_ops.adapters.http import Place, ask_json
from incident_ops.adapters.processes import one_line
from incident_ops.domain.metric_kinds import NEW_RELIC
from incident_ops.domain.ports import MetricSeries, Tick
from incident_ops.errors import Incomplete, UserError

if TYPE_CHECKING:
    from incident_ops.adapters.metrics.connect import SourceSettings

KIND = NEW_RELIC
NEW_RELIC_URL = "https://api.newrelic.com/graphql"
LAG = 30.0
"""Seconds after which an interval is taken to be complete."""

_QUESTION = (
    "query ($account: Int!, $nrql: Nrql!) {actor {account(id: $account) {nrql(query: $nrql, timeout: 5) {results}}}}"
)


class NewRelic:
    """One account; the NRQL is without SINCE and UNTIL, which are added here. See `domain.ports.MetricSource`."""

    is_cumulative, is_promql, unproven = KIND.is_cumulative, KIND.is_promql, KIND.unproven

    def __init__(self, place: Place, account: int) -> None:
        self._place, self._account = place, account

    def value(self, query: str, tick: Tick, /) -> object:
        """The rows of the answer; a single row with a single number is that number."""
        rows = self._asked(query, tick)
        numbers = [self._alone(row) for row in rows if len(row) == 1]
        return numbers if len(numbers) == len(rows) else rows

    def counts(self, query: str, tick: Tick, /) -> MetricSeries:
        """The number of the one row there is; its name is up to the query."""
        rows = self._asked(query, tick)
        if not rows:
            return {}
        if len(rows) > 1 or len(rows[0]) != 1:
            raise Incomplete(f"{self._place.name}: expected one number", hint="no FACET, one aggregate")
        return {"": self._alone(rows[0])}

    def history(self, _query: str, _last: Tick, _ticks: int, /) -> Sequence[MetricSeries]:
        """None is read."""
        return ()

    def spacing(self, _query: str, _at: datetime, /) -> float:
        """Not needed: what is asked for is the interval itself."""
        return 0.0

    @staticmethod
    def _alone(row: dict[str, object]) -> object:
        return next(iter(row.values()))

    def _asked(self, query: str, tick: Tick) -> list[dict[str, object]]:
        whole = tick.shifted(-LAG)
        since, end = (round(moment.timestamp() * 1000) for moment in (whole.begin, whole.end))
        words = {"account": self._account, "nrql": f"{query} SINCE {since} UNTIL {end}"}
        found = ask_json(self._place, "POST", json={"query": _QUESTION, "variables": words})
        if isinstance(found, dict) and found.get("errors"):
            raise Incomplete(f"{self._place.name}: {one_line(str(found['errors']), 200)}")
        try:
            rows = found["data"]["actor"]["account"]["nrql"]["results"]
            if all(isinstance(row, dict) and row for row in rows):
                return list(rows)
        except (LookupError, TypeError):
            pass
        raise Incomplete(f"{self._place.name}: the answer is not of New Relic's shape")


def connect(given: SourceSettings) -> NewRelic:
    """See `connect`."""
    if given.source.account is None:
        raise UserError(f"data source {given.name} has no account", hint="add account: NUMBER in policy.yaml")
    return NewRelic(given.place(NEW_RELIC_URL, {"API-Key": given.secret("token_env")}), given.source.account)
