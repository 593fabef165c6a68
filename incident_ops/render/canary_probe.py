"""What a look at a gate's queries found, as a table for people and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator

from incident_ops.canary.probe import Probe, ProbedQuery, ProbeNote
from incident_ops.domain.latency import latency_text
from incident_ops.domain.time import spell_duration
from incident_ops.render.findings import Paint, inert, json_text
from incident_ops.render.text import DEFAULT_WIDTH, aligned, fold

_HEADER = ("query", "series", "newest sample", "every", "a second")


def probe_text(probe: Probe, width: int = DEFAULT_WIDTH, paint: Paint = lambda text, _: text) -> str:
    """The queries, the canary's share, and what there is to do, the problems first."""
    counters = [query for query in probe.queries if query.what]
    out = [f"gate {inert(probe.gate)}"]
    if counters:
        out += aligned(_HEADER, [_row(query) for query in counters], (1, 2, 3, 4), width)
    for query in probe.queries:
        if query.shown and not query.error:
            out += fold(
                f"{inert(f'{query.metric} {query.side}'.strip())}: {inert(query.shown)}", rest="  ", width=width
            )
    out += [line for text in _buckets(probe) for line in fold(text, rest="  ", width=width)]
    out += [line for text in _shares(probe) for line in fold(text, rest="  ", width=width)]
    for note in sorted(probe.notes, key=lambda note: not note.is_problem):
        first, *rest = fold(_line(note), rest="  ", width=width)
        out += [paint(first, "red" if note.is_problem else "yellow"), *rest]
    problems = sum(note.is_problem for note in probe.notes)
    if probe.exit_code == 4:
        text = "Nothing was answered: check the address in policy.yaml, and that it can be reached from here."
        out += fold(text, width=width)
    elif problems:
        out.append(f"{problems} problem{'s' * (problems > 1)}: as it is, this gate cannot give a verdict to trust.")
    else:
        out.append("The queries can be used. What they count is judged by incident-ops canary run.")
    return "\n".join(out) + "\n"


def _row(query: ProbedQuery) -> tuple[str, ...]:
    age = "-" if query.age is None else f"{spell_duration(round(query.age))} ago"
    every = "-" if query.spacing is None else spell_duration(round(query.spacing))
    grown = "-" if query.per_second is None else f"{query.per_second:,.4g}"
    series = "no answer" if query.error else f"{len(query.series):,}"
    return (inert(query.name), series, age, every, grown)


def _buckets(probe: Probe) -> Iterator[str]:
    for query in probe.queries:
        if ends := _ends(query):
            yield f"{inert(query.metric)} {query.side}: buckets end at {', '.join(map(latency_text, ends))}"


def _ends(query: ProbedQuery) -> list[float]:
    """Where the buckets of a histogram end, in seconds."""
    return sorted(end for end in query.bounds if not math.isinf(end))


def _shares(probe: Probe) -> Iterator[str]:
    for metric, share in probe.shares.items():
        declared = f"; its first step gives it {probe.declared} %" if probe.declared else ""
        yield f"{inert(metric)}: the canary has {100 * share:.3g} % of the requests{declared}"


def _line(note: ProbeNote) -> str:
    kind = "problem" if note.is_problem else "note"
    hint = f" ({inert(note.hint)})" if note.hint else ""
    return f"{kind}: {inert(note.query)}: {inert(note.text)}{hint}"


def probe_json(probe: Probe) -> str:
    """The same, versioned: docs/contract.md#json."""
    return json_text(
        {
            "schema": 1,
            "gate": probe.gate,
            "queries": [_query(query) for query in probe.queries],
            "shares": {metric: float(f"{share:.6g}") for metric, share in probe.shares.items()},
            "declared_percent": probe.declared or None,
            "notes": [
                {"query": note.query, "text": note.text, "hint": note.hint, "is_problem": note.is_problem}
                for note in probe.notes
            ],
        }
    )


def _query(query: ProbedQuery) -> dict[str, object]:
    return {
        "metric": query.metric,
        "side": query.side or None,
        "what": query.counted or None,
        "query": query.query,
        "series": len(query.series),
        "age_seconds": None if query.age is None else round(query.age, 3),
        "spacing_seconds": None if query.spacing is None else round(query.spacing, 3),
        "per_second": None if query.per_second is None else float(f"{query.per_second:.6g}"),
        "result": query.shown or None,
        "error": query.error or None,
        **({"bucket_seconds": [float(f"{end:.9g}") for end in _ends(query)]} if query.bounds else {}),
    }
