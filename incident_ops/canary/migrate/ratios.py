"""Error ratios in PromQL: an alternative that compares the two versions by counts, where both sides can be derived."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from incident_ops.canary.condition_words import NUMBER, ConditionError
from incident_ops.canary.conditions import BINARY, CALL, parse_condition
from incident_ops.canary.migrate.sources import Migration

_RATE = re.compile(
    r"sum\s*\(\s*i?(?:rate|increase)\s*\(\s*(?P<metric>[A-Za-z_:][A-Za-z0-9_:]*)\s*"
    r"(?:\{(?P<labels>(?:[^{}\"]|\"[^\"]*\"|\{\{[^{}]*\}\})*)\})?\s*\[[^\]]{1,30}\]\s*\)\s*\)"
)
_LABEL = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(\"[^\"]*\"|'[^']*')\s*(?:,|$)")
_INVERSE = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_CODE = re.compile(r"code|status|classification|outcome|grpc", re.IGNORECASE)
_BAD = re.compile(r"^(?:\^?\(?\[?[45]|failure$|5xx|error|SERVER_ERROR)", re.IGNORECASE)
_GOOD = re.compile(r"^(?:\^?\(?\[?[123]|success$|OK$|2xx)", re.IGNORECASE)
_LONGEST = 5000


class RatioSides(NamedTuple):
    """The counters of one side."""

    errors: str
    requests: str


@dataclass(frozen=True)
class RatioAlternative:
    """A metric of type errorRate that may replace the threshold metric of its name; `missing` says what a person has
    to add where the old version's counters cannot be derived."""

    metric: str
    data: dict[str, Any]
    missing: str = ""


def ratio_sides(query: str) -> tuple[RatioSides, str] | None:
    """(counters of errors and requests, what is left of the query with `N / D` in their place); None for no ratio."""
    if len(query) > _LONGEST:
        return None
    found = list(_RATE.finditer(query))
    if len(found) != 2:
        return None
    above, below = found
    rest = f"{query[: above.start()]}N{query[above.end() : below.start()]}D{query[below.end() :]}"
    labels = [_labels(one["labels"] or "") for one in found]
    if labels[0] is None or labels[1] is None:
        return None
    shape = re.sub(r"\s+", "", rest)
    if scale_of(shape) is None:
        return None
    errors = _errors(above["metric"], labels[0], below["metric"], labels[1])
    if errors is None:
        return None
    requests = _selector(below["metric"], labels[1])
    return RatioSides(_selector(above["metric"], errors[0]), requests), ("s" if errors[1] else "e") + shape


_Labels = list[tuple[str, str, str]]


def _labels(text: str) -> _Labels | None:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = _LABEL.match(text, at)
        if match is None:
            return None
        found.append((match[1], match[2], match[3]))
        at = match.end()
    return found


def _errors(above: str, first: _Labels, below: str, second: _Labels) -> tuple[_Labels, bool] | None:
    """(the labels of the errors, whether the ratio counts successes); None where that is not plain."""
    extra = [one for one in first if one not in second]
    if above != below:
        is_named = "error" in above or "fail" in above
        return (first, False) if is_named and not extra else None
    if len(extra) != 1 or [one for one in second if one not in first] or not _CODE.search(extra[0][0]):
        return None
    label, sign, value = extra[0]
    word = value[1:-1]
    is_bad, is_good = _BAD.match(word) is not None, _GOOD.match(word) is not None
    if is_bad == is_good:
        return None
    counts_errors = is_bad == (sign in ("=", "=~"))
    if counts_errors:
        return first, False
    inverse = [(label, _INVERSE[sign], value) if one == extra[0] else one for one in first]
    return inverse, True


def _selector(metric: str, labels: _Labels) -> str:
    return f"{metric}{{{','.join(''.join(one) for one in labels)}}}" if labels else metric


_SHAPES = {"N/D": 1.0, "(N)/(D)": 1.0, "(N/D)": 1.0}
for _shape in ("N/D", "(N)/(D)", "(N/D)"):
    _SHAPES |= {f"{_shape}*100": 100.0, f"100*{_shape}": 100.0, f"({_shape})*100": 100.0, f"100*({_shape})": 100.0}
_SHAPES |= {"(N*100)/D": 100.0, "N*100/D": 100.0, "100*N/D": 100.0}


def scale_of(shape: str) -> float | None:
    """1 for `N/D`, 100 for a percentage of it, less than 0 for what is left of the whole; None for any other shape."""
    for whole in ("1", "100"):
        rest = shape.removeprefix(f"{whole}-")
        for inner in (rest, rest[1:-1]) if rest != shape else ():
            if _SHAPES.get(inner) == float(whole):
                return -float(whole)
    if shape in ("(1-N/D)*100", "100*(1-N/D)", "(1-(N/D))*100", "100*(1-(N/D))"):
        return -100.0
    return _SHAPES.get(shape)


def largest_error_rate(shape: str, conditions: dict[str, str]) -> float | None:
    """The error rate above which a ratio of a known shape fails; None where that is not plain."""
    counts_success = shape[0] == "s"
    scale, limit = scale_of(shape[1:]), _limit(conditions)
    if scale is None or limit is None:
        return None
    value, fails_above = limit
    rate, is_rest = value / abs(scale), scale < 0
    if counts_success != is_rest:
        fails_above, rate = not fails_above, 1 - rate
    return rate if fails_above and 0 < rate < 1 else None


def _limit(conditions: dict[str, str]) -> tuple[float, bool] | None:
    """(the limit, whether what is above it fails) of a metric with a single comparison."""
    if len(conditions) != 1:
        return None
    ((key, text),) = conditions.items()
    try:
        tree = parse_condition(text).tree
    except ConditionError:
        return None
    if tree.kind == BINARY and tree.text == "and" and tree.parts[0].kind == BINARY:
        first = tree.parts[0].parts[0]
        tree = tree.parts[1] if first.kind == CALL and first.text == "len" else tree  # there is a result
    if tree.kind != BINARY or tree.text not in ("<", "<=", ">", ">="):
        return None
    number = tree.parts[1]
    if number.kind != NUMBER or tree.parts[0].kind not in ("result", "index"):
        return None
    is_above = tree.text in (">", ">=")
    return float(number.text), is_above == (key == "failureCondition")


def note_ratio(migration: Migration, made: dict[str, Any], baseline: RatioSides | None = None) -> None:
    """Keeps the alternative of a metric whose query is an error ratio."""
    if "prometheus" not in made["provider"] or (sides := ratio_sides(made["query"])) is None:
        return
    conditions: dict[str, str] = {key: made[key] for key in made if key.endswith("Condition")}
    rate = largest_error_rate(sides[1], conditions)
    data: dict[str, Any] = {"name": made["name"], "type": "errorRate"}
    data |= {"maxErrorRate": rate_text(rate)} if rate is not None else {}
    data["canary"] = sides[0]._asdict()
    other = baseline or _stable(sides[0], migration)
    missing = "" if other else "which label tells the old version from the new one? Write the baseline's two queries"
    if other:
        data["baseline"] = other._asdict()
    migration.alternatives.append(RatioAlternative(made["name"], data, missing))


def rate_text(rate: float) -> str:
    """A rate as a gate file has it."""
    return f"{rate * 100:.6f}".rstrip("0").rstrip(".") + "%"


_HASH = re.compile(r"\{\{\s*args\.([A-Za-z0-9._-]*)\s*\}\}", re.ASCII)


def _stable(sides: RatioSides, migration: Migration) -> RatioSides | None:
    """The counters of the old version, where the source itself names both: arguments and services in pairs."""
    for new, old in migration.pairs:
        changed = [new.sub(old.replace("\\", r"\\\\"), text) for text in sides]
        if all(after != before for after, before in zip(changed, sides, strict=True)):
            for name in _HASH.findall(changed[0]):
                migration.arguments.values.setdefault(name, None)
            return RatioSides(*changed)
    return None
