"""Results of pure functions, kept for the next time that they are asked about the same thing in a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

_Asked = ParamSpec("_Asked")
_Result = TypeVar("_Result")
_MOST = 1_024


class _Same:
    """A value by its identity: records and policies never change, but hold lists, which have no hash."""

    __slots__ = ("it",)

    def __init__(self, it: object) -> None:
        self.it = it

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.it is self.it


def memoised(function: Callable[_Asked, _Result]) -> Callable[_Asked, _Result]:
    """The same function, which must be pure, take positional arguments and give what nobody changes.

    Its last results are kept, those of the very same arguments.
    """

    @lru_cache(maxsize=_MOST)
    def known(*arguments: _Same) -> _Result:
        return function(*(one.it for one in arguments))  # type: ignore[arg-type, call-arg]

    @wraps(function)
    def asked(*args: _Asked.args, **kwargs: _Asked.kwargs) -> _Result:
        return function(*args, **kwargs) if kwargs else known(*map(_Same, args))

    return asked
