"""What a run sees beside its counts: how far samples lie apart, each step's traffic, and error series that are missing.

None of it is evidence. It says how long a tick really is, and whether counts that look good can be believed: a doubt
never ends a run, and never takes back a fail.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import msgspec

from incident_ops.canary.counters import Counts, Gap, add_counts
from incident_ops.canary.evidence_settings import EvidenceSettings

DOUBTFUL_COUNTS = "doubtful_counts"
"""Reason code: the counts would be a pass, and cannot be believed."""

NOTICEABLE = 1.25
"""So many times the interval samples lie apart at least where ticks are said to last longer."""
_LONGEST = 120.0
_MISSED = 5.0
"""Errors that a canary would have had as the old version has them; that none of them came happens once in 150."""
_BETTER, _SURELY = 0.1, 0.25
_FACTOR, _ENOUGH = 3.0, 100

_NOTHING = Counts(0.0, 0.0)


class Observed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`planned`: seconds between samples as the source had them before the run; `spacing`: the fewest seen in it.

    `shares`: requests of canary and baseline by the weight of the step. `blind`: for each side what both have counted
    since it had a series of errors: itself first, then the other.
    """

    planned: float = 0.0
    spacing: float = 0.0
    shares: dict[str, tuple[float, float]] = {}
    blind: dict[str, tuple[Counts, Counts]] = {}


class Doubt(NamedTuple):
    """What does not fit, for people, and whether a pass cannot be given because of it."""

    text: str
    decides: bool


def observe_counts(
    before: Observed,
    weight: int,
    canary: Counts,
    baseline: Counts | Gap,
    distance: float,
    has_errors: tuple[bool, bool],
) -> Observed:
    """After a tick that counted: `distance` seconds lie between its samples and the last ones, 0 = not known."""
    theirs = baseline if isinstance(baseline, Counts) else _NOTHING
    mine = before.shares.get(str(weight), (0.0, 0.0))
    shares = {**before.shares, str(weight): (mine[0] + canary.requests, mine[1] + theirs.requests)}
    blind = {}
    for side, seen, pair in zip(("canary", "baseline"), has_errors, ((canary, theirs), (theirs, canary)), strict=True):
        if not seen:
            was = before.blind.get(side, (_NOTHING, _NOTHING))
            blind[side] = (add_counts(was[0], pair[0]), add_counts(was[1], pair[1]))
    spacing = min(distance, before.spacing or math.inf) if distance > 0 else before.spacing
    return Observed(before.planned, spacing, shares, blind)


def paced(settings: EvidenceSettings, observed: Observed) -> EvidenceSettings:
    """The settings with the seconds that really lie between two ticks, where samples come more seldom than ticks."""
    seconds = min(observed.spacing or observed.planned, _LONGEST)
    if seconds < NOTICEABLE * settings.interval:
        return settings
    return replace(settings, interval=float(round(seconds)))


def doubts(observed: Observed, ratio: float | None, high: float | None, *sides: Counts) -> Iterator[Doubt]:
    """What speaks against believing the counts of both `sides`; `high` is the upper end of the ratio's interval."""
    requests = sum(side.requests for side in sides)
    if requests >= _ENOUGH and all(0 < side.requests <= side.errors for side in sides):
        yield Doubt("Every request of both sides is an error: does the query for errors find all requests?", True)
    for weight, (canary, baseline) in observed.shares.items():
        if int(weight) and canary and baseline and canary + baseline >= _ENOUGH:
            yield from share_doubts(int(weight) / 100, canary / (canary + baseline))
    yield from _blind(observed.blind)
    if ratio is not None and high is not None and ratio <= _BETTER and high <= _SURELY:
        text = "The canary has ten times fewer errors than the old version: do its queries find all of them?"
        yield Doubt(text, decides=True)


def blind_pass(observed: Observed, canary: Counts) -> str:
    """What a pass rests on where the canary never had a series of errors, and few were to be expected; "" elsewhere.

    `canary` are all of its counts.
    """
    mine, theirs = observed.blind.get("canary", (_NOTHING, _NOTHING))
    if not mine.requests or mine.requests < canary.requests or not theirs.requests:
        return ""
    expected = mine.requests * theirs.errors / theirs.requests
    return (
        f"The canary never had a series of errors, and about {expected:.0f} were to be expected: none was taken for"
        " zero. If its query finds none, this pass proves nothing; let it export the counter from 0."
    )


def share_doubts(declared: float, seen: float) -> Iterator[Doubt]:
    """What does not fit between the share that a step gives a canary and the share that was seen, each of 1."""
    said = f"The canary has {100 * seen:.3g} % of the requests that were counted, and its step {100 * declared:g} %"
    odds = seen / (1 - seen) / (declared / (1 - declared))
    if declared < 0.5 < seen and _log_odds(seen) > -_log_odds(declared) / 2:
        yield Doubt(f"{said}: are canary and baseline swapped?", decides=True)
    elif not 1 / _FACTOR <= odds <= _FACTOR:
        yield Doubt(f"{said}: check the queries, or the traffic.", decides=False)


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def _blind(blind: Mapping[str, tuple[Counts, Counts]]) -> Iterator[Doubt]:
    for side, (mine, theirs) in blind.items():
        expected = mine.requests * theirs.errors / theirs.requests if theirs.requests else 0.0
        if expected >= _MISSED:
            other = "the old version" if side == "canary" else "the canary"
            text = (
                f"The {side} has no series of errors in {mine.requests:,.0f} requests, where {other}'s share of"
                f" errors would give {expected:,.0f}: check its query for errors."
            )
            yield Doubt(text, decides=side == "canary")
