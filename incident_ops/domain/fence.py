"""A fence around each record: one whose values break a calculation is left out and named, the others are served."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar, TypeVar

from incident_ops.domain.record import Record, Unread
from incident_ops.errors import IncidentOpsError

Made = TypeVar("Made")


class Unusable(IncidentOpsError):
    """Calculations over some records failed; `unread` names these records. It says nothing about the others."""

    exit_code: ClassVar[int] = 3

    def __init__(self, unread: Sequence[Unread]) -> None:
        hint = "check its times, dates and numbers; if they are right, this is a bug in incident-ops"
        super().__init__(unread[0].reason, where=unread[0].path, hint=hint)
        self.unread = tuple(unread)


def evaluate_each(records: Iterable[Record], evaluate: Callable[[Record], Made]) -> Iterator[Made]:
    """The result of `evaluate` for each record; it must not be lazy. Raises Unusable after the last one if some failed.

    Errors made for people (IncidentOpsError) and those of the system (OSError) pass through.
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
    """Runs `evaluate_each` to its end, where only the effect of `evaluate` matters."""
    for _ in made:
        pass


def evaluate_one(record: Record, evaluate: Callable[[Record], Made]) -> Made:
    """The result of `evaluate` for one record. Unusable where it fails."""
    return next(evaluate_each([record], evaluate))


def evaluate_plan(path: str, name: str, evaluate: Callable[[], Made]) -> Made | Unread:
    """The result of `evaluate` for a freeze, an override or a maintenance window; why it is left out where it fails.

    A ValueError says in words what is wrong with its times.
    """
    try:
        return evaluate()
    except ValueError as error:
        return Unread(path, str(error))
    except Exception as error:
        return Unread(path, why_broken(name, error))


def why_unusable(record: Record, error: Exception) -> str:
    """Why a record is left out, as a sentence."""
    return why_broken(record.incident.id, error)


def why_broken(name: str, error: Exception) -> str:
    """The same for anything that has a name, such as a freeze."""
    return f"a calculation with the values of {name} failed: {type(error).__name__}: {error}"
