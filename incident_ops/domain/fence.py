"""A fence round each record: one whose numbers break a calculation is left out and named, the others are served."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar, TypeVar

from incident_ops.domain.record import Record, Unread
from incident_ops.errors import IncidentOpsError

Made = TypeVar("Made")


class Unusable(IncidentOpsError):
    """Calculations over some records failed; `unread` names these records. Nothing is said about any other."""

    exit_code: ClassVar[int] = 3

    def __init__(self, unread: Sequence[Unread]) -> None:
        hint = "check its times, dates and numbers; if they are right, this is a bug in incident-ops"
        super().__init__(unread[0].reason, where=unread[0].path, hint=hint)
        self.unread = tuple(unread)


def evaluate_each(records: Iterable[Record], evaluate: Callable[[Record], Made]) -> Iterator[Made]:
    """What `evaluate` makes of each record, which may not be lazy. After the last one Unusable, where some failed.

    Errors that a person can meet (IncidentOpsError) and those of the system (OSError) pass through.
    """
    failed: list[Unread] = []
    for record in records:
        try:
            made = evaluate(record)
        except (IncidentOpsError, OSError):
            raise
        except Exception as error:
            failed.append(Unread(record.path, why_unusable(record, error)))
        else:
            yield made
    if failed:
        raise Unusable(failed)


def consume(made: Iterable[object]) -> None:
    """Goes through `each` to its end, where only what `evaluate` does counts."""
    for _ in made:
        pass


def evaluate_one(record: Record, evaluate: Callable[[Record], Made]) -> Made:
    """What `evaluate` makes of one record. Unusable where it fails."""
    return next(evaluate_each([record], evaluate))


def why_unusable(record: Record, error: Exception) -> str:
    """Why a record is left out, in a sentence."""
    return f"a calculation with the values of {record.incident.id} failed: {type(error).__name__}: {error}"
