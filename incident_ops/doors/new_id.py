"""The id of a new incident, in the form the policy asks for (R92, R94, R95, C20)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from incident_ops.model.ids import is_incident_id
from incident_ops.model.policy import Policy

BY_TIME = "INC-YYYYMMDD-HHMMSS"
BY_YEAR = "INC-YYYY-NNNNN"


def candidates(policy: Policy, now: datetime, ids: Callable[[], Iterable[str]]) -> Iterator[str]:
    """Ids to try in turn: by time from `now` on, second by second; numbered from the next free number on.

    `ids` gives every id there is; it is only asked where numbers are.
    """
    at = now.astimezone(UTC)
    if policy.ids.incident == BY_TIME:
        return (f"{at + timedelta(seconds=more):INC-%Y%m%d-%H%M%S}" for more in itertools.count())
    if policy.ids.incident == BY_YEAR:
        head = f"INC-{at:%Y}-"
        return (f"{head}{number:05d}" for number in itertools.count(_last(ids(), head) + 1))
    return (f"INC-{number}" for number in itertools.count(_last(ids(), "INC-") + 1))


def _last(ids: Iterable[str], head: str) -> int:
    """The highest number behind `head`; ids of another form do not count."""
    tails = (one.removeprefix(head) for one in ids if one.startswith(head) and is_incident_id(one))
    return max((int(tail) for tail in tails if tail.isdecimal()), default=0)
