"""Queries of CloudWatch (GetMetricData) as the one expression that a gate asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from incident_ops.canary.condition_words import NUMBER, RESULT
from incident_ops.canary.conditions import INDEX, ConditionNode
from incident_ops.canary.migrate.notebook import SourcePart
from incident_ops.canary.migrate.reading import query_text
from incident_ops.canary.migrate.sources import Migration

_STATISTICS = {"sum": "SUM", "average": "AVG", "minimum": "MIN", "maximum": "MAX", "samplecount": "COUNT"}
_PLAIN = re.compile(r"[A-Za-z0-9 ._:/#@-]{1,255}", re.ASCII)
_WAY = "write one Metrics Insights query, e.g. SELECT SUM(Errors) FROM SCHEMA(\"NS\", Name) WHERE Name = 'x'"


def cloudwatch_query(part: SourcePart, key: str, queries: Sequence[SourcePart], migration: Migration) -> str | None:
    """The one expression of a list of queries; None, and refused, where there is none."""
    upper = any("Id" in query for query in queries)  # as AWS itself spells them, in a query of Flagger
    if len(queries) != 1:
        part.refused(
            key, "a gate asks CloudWatch for one expression, not for a calculation over several", _WAY, weakens=True
        )
        return None
    query = queries[0]
    for word in ("id", "label", "period", "returnData"):
        query.whole(_spelled(word, upper))
    expression = _spelled("expression", upper)
    if expression in query:
        return query_text(query, expression, migration.arguments)
    return _of_statistic(query, upper, migration)


def _spelled(word: str, upper: bool) -> str:
    return word[0].upper() + word[1:] if upper else word


def _of_statistic(query: SourcePart, upper: bool, migration: Migration) -> str | None:
    key = _spelled("metricStat", upper)
    statistic = query.part(key)
    metric = statistic.part(_spelled("metric", upper))
    stat = migration.arguments.filled(statistic.text(_spelled("stat", upper)))
    for word in ("period", "unit"):
        statistic.whole(_spelled(word, upper))
    words = [migration.arguments.filled(metric.text(_spelled(word, upper))) for word in ("metricName", "namespace")]
    dimensions = [
        tuple(migration.arguments.filled(one.text(_spelled(word, upper))) for word in ("name", "value"))
        for one in metric.parts(_spelled("dimensions", upper))
    ]
    texts = [*words, *(text for pair in dimensions for text in pair)]
    if stat.lower() not in _STATISTICS or not all(_PLAIN.fullmatch(text) for text in texts):
        query.refused(key, "this statistic or name cannot be asked for by an expression", _WAY, weakens=True)
        return None
    schema = ", ".join([f'"{words[1]}"', *(f'"{name}"' for name, _ in dimensions)])
    where = " AND ".join(f"\"{name}\" = '{value}'" for name, value in dimensions)
    asked = [f'SELECT {_STATISTICS[stat.lower()]}("{words[0]}")', f"FROM SCHEMA({schema})"]
    made = " ".join([*asked, f"WHERE {where}"] if where else asked)
    query.differs(key, f"query: {made}", "the same statistic as a Metrics Insights query, over whole minutes")
    return made


def values_of(node: ConditionNode) -> ConditionNode:
    """`result[0].Values` -> `result`: the values themselves are the result here."""
    if node.kind == INDEX and node.parts[1].text == "Values":
        inner = node.parts[0]
        if inner.kind == INDEX and inner.parts[0].kind == RESULT and inner.parts[1].kind == NUMBER:
            return inner.parts[0]
    return node
