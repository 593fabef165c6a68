"""When a request is sent again, and after how long. Pure: the clock is the `date` of the answer itself.

| what came | GET, PATCH, PUT, DELETE | POST |
| --- | --- | --- |
| a rate limit (429, or 403 that says so) | wait as asked, send again | the same: it was refused, so nothing was done |
| 5xx, a timeout, a dropped line, an answer cut short | wait 1, 2, 4, 8 s, send again | ambiguous, never sent again |
| no connection at all | wait 1, 2, 4, 8 s, send again | give up: nothing was sent |
| anything else | it is the answer | it is the answer |

A limit says how long in `retry-after`, else in `x-ratelimit-reset`, else it is 60 s, doubled each time. All waits of
one request come to at most MOST_WAIT seconds; what would need more is given up at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from incident_ops.adapters.github.responses import UNSENT, Answer, Lost

DONE, AGAIN, GIVE_UP, AMBIGUOUS = "done", "again", "give-up", "ambiguous"

MOST_WAIT = 180.0
"""Seconds that one request may wait in all: two waits of a secondary limit, 60 and 120."""
MOST_TRIES = 5

_SECONDARY = 60.0
_LIMIT_WORDS = ("rate limit", "abuse detection")


class Step(NamedTuple):
    """What to do now: DONE, AGAIN after `seconds`, GIVE_UP (it was not done), AMBIGUOUS (nobody can tell)."""

    action: str
    seconds: float = 0.0


def decide(repeatable: bool, attempt: int, got: Answer | Lost, waited: float) -> Step:
    """What to do after try number `attempt` (from 1); `repeatable` is False for a POST that would do it twice."""
    if isinstance(got, Answer):
        if is_limit(got):
            return _again(attempt, limit_wait(got.headers, attempt), waited, GIVE_UP)
        if got.status < 500:
            return Step(DONE)
    unsent = isinstance(got, Lost) and got.kind == UNSENT
    otherwise = GIVE_UP if unsent else AMBIGUOUS
    if not repeatable:
        return Step(otherwise)
    pause = 2.0 ** (attempt - 1)
    if isinstance(got, Answer):
        pause = max(pause, _named_wait(got.headers) or 0.0)
    return _again(attempt, pause, waited, otherwise)


def _again(attempt: int, seconds: float, waited: float, otherwise: str) -> Step:
    if attempt >= MOST_TRIES or waited + seconds > MOST_WAIT:
        return Step(otherwise)
    return Step(AGAIN, seconds)


def is_limit(answer: Answer) -> bool:
    """True where GitHub refused the request for asking too much, and not for a lack of permission."""
    if answer.status == 429:
        return True
    if answer.status != 403:
        return False
    said = answer.message.lower()
    spent = answer.headers.get("x-ratelimit-remaining") == "0"
    return spent or "retry-after" in answer.headers or any(words in said for words in _LIMIT_WORDS)


def limit_wait(headers: Mapping[str, str], attempt: int) -> float:
    """Seconds until GitHub takes requests again, at least 1."""
    named = _named_wait(headers)
    if named is not None:
        return max(1.0, named)
    date = _date(headers.get("date", ""))
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal() and date:
        return max(1.0, int(reset) - date.timestamp() + 1)
    return _SECONDARY * 2.0 ** (attempt - 1)


def _named_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds of `retry-after`, which may be a number or a date."""
    named = headers.get("retry-after", "").strip()
    if named.isdecimal():
        return float(named)
    until, date = _date(named), _date(headers.get("date", ""))
    return (until - date).total_seconds() if until and date else None


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
