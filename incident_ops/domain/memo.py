"""Results of pure functions, kept for the next time that they are asked about the same thing in a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_Asked = ParamSpec("_Asked")
_Result = TypeVar("_Result")
_MOST = 1_024


def memoised(function: Callable[_Asked, _Result]) -> Callable[_Asked, _Result]:
    """The same function, which must be pure, take positional arguments and give what nobody changes.

    Its last results are kept, those of the very same arguments: records and policies never change, but hold lists,
    which have no hash, so they are known by where they are, and kept so that nothing else comes to be there.
    """
    newer: dict[tuple[int, ...], tuple[_Result, tuple[object, ...]]] = {}
    older = newer

    @wraps(function)
    def asked(*args: _Asked.args, **kwargs: _Asked.kwargs) -> _Result:
        nonlocal newer, older
        if kwargs:
            return function(*args, **kwargs)
        place = tuple(map(id, args))
        known = newer.get(place) or older.get(place)
        if known is None:
            known = function(*args, **kwargs), args
            if len(newer) >= _MOST:
                newer, older = {}, newer
            newer[place] = known
        return known[0]

    return asked
