"""What one look at a gate's queries shows, before any traffic moves: what they find, and what would keep the gate
from a verdict. Pure: who asked brings the answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from incident_ops.canary.config import Analysis, ErrorRate
from incident_ops.canary.counters import OLDEST_SAMPLE
from incident_ops.canary.observed import NOTICEABLE, share_doubts
from incident_ops.canary.pass_test import FEWEST_ALONE, fewest_blocks
from incident_ops.canary.slow_rate import of_slow_requests
from incident_ops.domain.latency import is_bound, nearest_bounds, spell_latency
from incident_ops.domain.time import spell_duration

CANARY, BASELINE, ERRORS, REQUESTS = "canary", "baseline", "errors", "requests"


@dataclass(frozen=True)
class ProbedQuery:
    """What a query gave. `side` and `what` are "" for a threshold metric, whose answer is `shown`, as is the share of
    slow requests of a histogram. `is_slow`: what its query for errors counts are slow requests.

    `series` are the labels of what it found. `age`: seconds since the newest sample, `spacing`: seconds between two,
    `per_second`: how fast the counters grew; None where that is not known. `parts`: of how many counters the values
    are made, where only together. `error`: why there is no answer. `bounds`: where the buckets of a histogram end, in
    seconds, and how many series have each; infinity: how many series there are.
    """

    metric: str
    side: str
    what: str
    query: str
    series: frozenset[str] = field(default_factory=frozenset)
    age: float | None = None
    spacing: float | None = None
    per_second: float | None = None
    parts: float = 0
    shown: str = ""
    error: str = ""
    bounds: Mapping[float, int] = field(default_factory=dict)
    is_slow: bool = False

    @property
    def counted(self) -> str:
        """What is asked, in the words of the gate file: `requests`, `errors` or `slow`."""
        return "slow" if self.is_slow and self.what == ERRORS else self.what

    @property
    def name(self) -> str:
        """The metric and what of it is asked."""
        return " ".join(filter(None, (self.metric, self.side, self.counted)))

    @property
    def counters(self) -> frozenset[str]:
        """The series where each is a counter by its own labels; none where labels may be a calculation's."""
        is_own = self.age is not None and not self.parts
        return self.series - {""} if is_own else frozenset()


class ProbeNote(NamedTuple):
    """Something to know; `is_problem` where the gate could not come to a verdict that can be believed."""

    query: str
    text: str
    hint: str
    is_problem: bool


@dataclass(frozen=True)
class Probe:
    """What was found: the queries in the order of the file, the share that the canary has of the requests (None where
    that is not known) and that its first step gives it (0: no steps), and what there is to know."""

    gate: str
    queries: tuple[ProbedQuery, ...]
    shares: dict[str, float]
    declared: int
    notes: tuple[ProbeNote, ...]

    @property
    def exit_code(self) -> int:
        """0 where the gate can be used; 4 where nothing was answered, else 1."""
        if all(query.error for query in self.queries):
            return 4
        return int(any(note.is_problem for note in self.notes))


def probe_of(analysis: Analysis, queries: Sequence[ProbedQuery]) -> Probe:
    """The queries with what there is to say about them."""
    shares: dict[str, float] = {}
    notes: list[ProbeNote] = []
    declared = analysis.steps[0].weight if analysis.steps else 0
    for metric in analysis.metrics:
        mine = {(query.side, query.what): query for query in queries if query.metric == metric.name}
        notes += [_note(query, query.error, "", True) for query in mine.values() if query.error]
        if not isinstance(metric, ErrorRate):
            continue
        for query in mine.values():
            is_before = query.side == CANARY and query.what == ERRORS and not mine[CANARY, REQUESTS].series
            if not query.error and not is_before:
                notes += [_in_words_of(metric, note) for note in _of_query(query)]
            if metric.slower_than is not None and query.bounds:
                notes += _of_buckets(query, metric.slower_than)
        notes += [_in_words_of(metric, note) for note in _of_pairs(mine)]
        notes += _pace(metric, mine)
        canary, baseline = (mine.get((side, REQUESTS)) for side in (CANARY, BASELINE))
        if canary and baseline and canary.per_second and baseline.per_second:
            shares[metric.name] = canary.per_second / (canary.per_second + baseline.per_second)
            doubts = share_doubts(declared / 100, shares[metric.name]) if declared else ()
            notes += [ProbeNote(f"{metric.name}", doubt.text, "", doubt.decides) for doubt in doubts]
    return Probe(analysis.name, tuple(queries), shares, declared, tuple(notes))


def _note(query: ProbedQuery, text: str, hint: str, is_problem: bool) -> ProbeNote:
    return ProbeNote(query.name, text, hint, is_problem)


def _of_query(query: ProbedQuery) -> Iterator[ProbeNote]:
    """What is to be said of a counter by itself."""
    if not query.series:
        yield _empty(query)
        return
    if query.what == REQUESTS and query.per_second == 0:
        is_old = query.side == BASELINE
        yield _note(query, "no requests in the last minutes", "check its labels, or send traffic", is_old)
    if query.age is not None and query.age > OLDEST_SAMPLE:
        text = f"the newest sample is {spell_duration(round(query.age))} old, and more than 2m30s counts as no data"
        yield _note(query, text, "is it still scraped?", True)
    if query.parts > 1:
        text = f"a calculation over {query.parts:,.0f} series: what is lost when one of them ends or restarts is a gap"
        yield _note(query, text, "give the counter itself, or sum() of it", False)


def _in_words_of(metric: ErrorRate, note: ProbeNote) -> ProbeNote:
    if metric.slower_than is None:
        return note
    return note._replace(text=of_slow_requests(note.text), hint=of_slow_requests(note.hint))


def _of_buckets(query: ProbedQuery, bound: float) -> Iterator[ProbeNote]:
    """Whether every series of a histogram has the bucket that is asked for."""
    ends = {end: number for end, number in query.bounds.items() if not math.isinf(end)}
    having = max((number for end, number in ends.items() if is_bound(end, bound)), default=0)
    series = query.bounds.get(math.inf, having)
    text = f"no bucket ends at {spell_latency(bound)}"
    if not having:
        yield _note(query, text, nearest_bounds(bound, [*ends]) if ends else "it has no buckets", True)
    elif having < series:
        text = f"only {having} of {series} series have a bucket that ends at {spell_latency(bound)}"
        yield _note(query, text, "let all instances have the same buckets, or choose one that all have", True)


def _empty(query: ProbedQuery) -> ProbeNote:
    if query.what == ERRORS:
        hint = "check that its labels are those of the requests, and how errors are marked"
        return _note(query, "no series: either there was no error yet, or the query finds none", hint, False)
    if query.side == CANARY:
        hint = "before the canary is out that is so; else check its labels"
        return _note(query, "no series", hint, False)
    return _note(query, "no series", "check the name and the labels", True)


def _pace(metric: ErrorRate, mine: Mapping[tuple[str, str], ProbedQuery]) -> Iterator[ProbeNote]:
    """Whether the samples of the slower side come often enough for the gate."""
    paced = [(query.spacing, query) for (_, what), query in mine.items() if what == REQUESTS and query.spacing]
    if not paced:
        return
    spacing, query = max(paced, key=itemgetter(0))
    every = spell_duration(round(spacing))
    if spacing > OLDEST_SAMPLE:
        yield _note(query, f"samples come every {every}, and the gate needs one within 2m30s", "scrape it at 1m", True)
        return
    settings = metric.settings
    if spacing <= NOTICEABLE * settings.interval:
        return
    ticks = int(settings.counted / spacing)
    fewest = 0 if metric.baseline is None else fewest_blocks(settings, int(metric.lookback / spacing))
    if ticks < fewest:
        longer = spell_duration(round(settings.warmup + FEWEST_ALONE * spacing))
        text = f"samples come every {every}, so only {ticks} ticks count in this run, and a pass needs {fewest}"
        yield _note(query, text, f"scrape it more often, or let the run last {longer}", True)
        return
    text = f"samples come every {every}, so that is how long a tick lasts: {ticks} of them count in this run"
    wanted = spell_duration(round(settings.interval))
    yield _note(query, text, f"scraped every {wanted}, it would be judged sooner", False)


def _of_pairs(mine: Mapping[tuple[str, str], ProbedQuery]) -> Iterator[ProbeNote]:
    """What is to be said of two counters that should differ."""
    for what in (REQUESTS, ERRORS):
        canary, baseline = (mine.get((side, what)) for side in (CANARY, BASELINE))
        if canary and baseline and (both := canary.counters & baseline.counters):
            text = f"canary and baseline both read {_named(both)}: the two sides are the same"
            yield _note(baseline, text, "let it select the old version only", True)
    for side in (CANARY, BASELINE):
        errors, requests = mine.get((side, ERRORS)), mine.get((side, REQUESTS))
        if errors and requests and errors.counters and errors.counters == requests.counters:
            text = "it finds the same series as the query for requests: every request would be an error"
            yield _note(errors, text, 'select the errors only, e.g. code=~"5.."', True)


def _named(series: frozenset[str]) -> str:
    first, more = min(series), len(series) - 1
    return f"{{{first}}}{f' and {more} more' if more else ''}"
