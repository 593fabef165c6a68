"""A gate's queries asked once, before any traffic moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from incident_ops.adapters.environment import Ticking
from incident_ops.app.canary_gate import demand_source, read_gate
from incident_ops.app.canary_samples import query_values
from incident_ops.app.canary_sources import GateSources, connect_sources
from incident_ops.app.workspace import Workspace
from incident_ops.canary.config import Analysis, Metric, ThresholdMetric, fill_query, with_values
from incident_ops.canary.counters import NO_CANARY_TRAFFIC, Counts, Gap, Reading, difference, to_reading
from incident_ops.canary.probe import BASELINE, CANARY, ERRORS, REQUESTS, Probe, ProbedQuery, probe_of
from incident_ops.canary.threshold import measure, shown_result
from incident_ops.domain.metric_kinds import COMMAND, RECORDING
from incident_ops.domain.ports import MetricSeries, MetricSource, Sampled, Tick
from incident_ops.errors import Incomplete, UserError

LOOK_BACK = 300.0
"""Seconds over which the growth of counters is read, where the source keeps them."""
AGAIN = 5.0
"""Seconds after which they are read again where it does not."""


class ProbeRequest(NamedTuple):
    """A probe as the options of `canary probe` ask for it; `values` are NAME=VALUE, `commands` NAME=COMMAND."""

    file: str
    values: Sequence[str] = ()
    commands: Sequence[str] = ()


def probe_gate(workspace: Workspace, request: ProbeRequest, say: Callable[[str], None]) -> Probe:
    """Each query asked once, and counters again after a moment where the source keeps no history.

    UserError for a gate, a value or a data source that cannot be used. What is not answered is said in the probe.
    """
    gate = read_gate(request.file)
    if gate.analysis.provider.kind == RECORDING.name:
        raise UserError("a file has no queries", where=gate.path, hint="incident-ops canary replay X.csv -f GATE.yaml")
    policy, _ = workspace.judged_by
    demand_source(gate, policy)
    values = query_values(gate.analysis, request.values)
    facts = {"INCIDENT_OPS_GATE": gate.analysis.name}
    sources = connect_sources(gate.analysis, policy, values, request.commands, lambda: facts, say)
    say(f"asking {_named(gate.analysis)} ...")
    for note in sources.notes:
        say(note)
    analysis = with_values(gate.analysis, values)
    asker = _Asker(sources, analysis, values)
    found = [asker.ask(*asked) for asked in _asked(analysis)]
    if asker.asks_again:
        say(f"asking again in {AGAIN:g} s, for how fast the counters grow ...")
        found = asker.again(found)
    return probe_of(analysis, found)


AskedOf = tuple[str, str]
"""Metric and query."""
AskedQuery = tuple[Metric, str, str, str]
"""Metric, side, what of it, and the query as the file has it."""


def _asked(analysis: Analysis) -> Iterator[AskedQuery]:
    for metric in analysis.metrics:
        if isinstance(metric, ThresholdMetric):
            yield metric, "", "", metric.query
            continue
        for side, queries in ((CANARY, metric.canary), (BASELINE, metric.baseline)):
            if queries is not None:
                yield metric, side, REQUESTS, queries.requests
                yield metric, side, ERRORS, queries.errors


def _named(analysis: Analysis) -> str:
    """What is asked, by the names that people gave it."""
    words = {COMMAND.name: "command"}
    named = [f"{words.get(one.kind, 'data source')} {one.datasource}" for one in analysis.providers]
    return ", ".join(dict.fromkeys(named))


class _Asker:
    """Asks the sources at one instant, and once more a moment later."""

    def __init__(self, sources: GateSources, analysis: Analysis, values: Mapping[str, str | None]) -> None:
        self._sources, self._values, self._seconds = sources, values, analysis.interval
        self._ticking = Ticking()
        self._at = self._ticking.now()
        self._first: dict[AskedOf, MetricSeries] = {}
        self._of: dict[str, MetricSource] = {metric.name: sources.of(metric) for metric in analysis.metrics}

    @property
    def asks_again(self) -> bool:
        """Whether there are counters whose growth is not known yet."""
        return bool(self._first)

    def ask(self, metric: Metric, side: str, what: str, query: str) -> ProbedQuery:
        """The query with what it gave, or why it gave nothing."""
        source = self._of[metric.name]
        asked = ProbedQuery(metric.name, side, what, fill_query(query, self._values, is_promql=source.is_promql))
        try:
            if isinstance(metric, ThresholdMetric):
                value = source.value(asked.query, Tick(self._at, self._seconds))
                judged = measure(metric.threshold, value)
                return replace(asked, shown=f"{shown_result(value)}: {judged.phase.value}")
            return self._counted(asked)
        except Incomplete as error:
            return replace(asked, error=str(error))

    def again(self, found: Sequence[ProbedQuery]) -> list[ProbedQuery]:
        """The same, with how fast those counters grew that the source keeps no history of."""
        before = self._at
        self._ticking.wait(AGAIN)
        self._at = self._ticking.now()
        seconds = max((self._at - before).total_seconds(), 1.0)
        return [self._grown(query, seconds) if (query.metric, query.query) in self._first else query for query in found]

    def _counted(self, asked: ProbedQuery) -> ProbedQuery:
        tick = Tick(self._at, self._seconds)
        source = self._of[asked.metric]
        series = source.counts(asked.query, tick)
        known = series if isinstance(series, Sampled) else Sampled(series, {})
        newest = max(known.times.values(), default=None)
        found = replace(
            asked,
            series=frozenset(series),
            age=None if newest is None else max(self._at.timestamp() - newest, 0.0),
            spacing=(series and source.spacing(asked.query, self._at)) or None,
            parts=known.parts,
        )
        if not series:
            return found
        if not source.is_cumulative:
            return replace(found, per_second=_growth({}, series, self._seconds))
        rows = source.history(asked.query, Tick(self._at, LOOK_BACK), 1)
        if len(rows) == 2 and rows[0]:
            return replace(found, per_second=_growth(rows[0], rows[1], LOOK_BACK))
        self._first[asked.metric, asked.query] = series
        return found

    def _grown(self, query: ProbedQuery, seconds: float) -> ProbedQuery:
        try:
            later = self._of[query.metric].counts(query.query, Tick(self._at, self._seconds))
        except Incomplete as error:
            return replace(query, error=str(error))
        before = self._first[query.metric, query.query]
        if isinstance(before, Sampled) and isinstance(later, Sampled) and before.times and later.times:
            seconds = max(later.times.values()) - max(before.times.values())
        return replace(query, per_second=_growth(before, later, seconds) if seconds > 0 else None)


def _growth(before: MetricSeries, after: MetricSeries, seconds: float) -> float | None:
    """How fast counters grew, a second; None where that is not known."""
    first, last = (to_reading({}, series, CANARY) if series else Reading({}, {}) for series in (before, after))
    if isinstance(first, Gap) or isinstance(last, Gap):
        return None
    grown = difference(first, last, CANARY)
    if isinstance(grown, Counts):
        return grown.requests / seconds
    return 0.0 if grown.reason == NO_CANARY_TRAFFIC else None
