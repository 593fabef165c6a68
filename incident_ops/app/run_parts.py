"""The parts of a run: one that fails or crashes keeps no other from its turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from incident_ops.errors import IncidentOpsError

Made = TypeVar("Made")
_Reported = TypeVar("_Reported")


class PartDone(NamedTuple):
    """What a part of a run did, a sentence for people each, and what of it failed; `crash` is a bug that showed."""

    lines: tuple[str, ...] = ()
    errors: tuple[IncidentOpsError, ...] = ()
    crash: Exception | None = None


class RunParts:
    """`errors` are what failed of the parts so far; `crash` is the first bug that showed, None without one."""

    def __init__(self, crash: Exception | None = None) -> None:
        self.errors: list[IncidentOpsError] = []
        self.crash = crash

    def take(self, part: Callable[[], Made], otherwise: Made) -> Made:
        """What a part makes; `otherwise` where it fails."""
        try:
            return part()
        except IncidentOpsError as error:
            self.errors.append(error)
        except Exception as error:
            self.crash = self.crash or error
        return otherwise

    def reporting(self, report: Callable[[_Reported], None]) -> Callable[[_Reported], None]:
        """A report that stops nothing: whoever is on call does not wait for a screen."""
        return lambda part: self.take(lambda: report(part), None)
