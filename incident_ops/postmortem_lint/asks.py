"""Questions that several rules ask of the grammar around a place."""

from __future__ import annotations

from incident_ops.postmortem_lint.grammar import HUMAN, Line, Subject
from incident_ops.postmortem_lint.words import PERHAPS_PEOPLE


def owner_before(line: Line, first: int, _behind: int) -> bool:
    """A possessive of people stands before it: `the engineer's`."""
    return any(line.owns(place) for place in range(max(0, first - 3), first))


def somebodys(line: Line, first: int, behind: int) -> bool:
    """The same, of an operator or a user, too."""
    owners = (
        line.word(place).removesuffix("'s")
        for place in range(max(0, first - 3), first)
        if line.word(place).endswith("'s")
    )
    return owner_before(line, first, behind) or any(owner in PERHAPS_PEOPLE for owner in owners)


def person_in_front(line: Line, first: int, _behind: int) -> bool:
    """A noun of people stands right before it: `operator error`."""
    plain = line.word(first - 1) in ("user", "operator", "agent") and not line.word(first).endswith("s")
    return first > 0 and (line.is_person(first - 1) or plain)


def human_acts(line: Line, first: int, _behind: int) -> bool:
    """People govern the verb, an `operator` too: no machine does such a thing."""
    return line.subject(first, "notice") in HUMAN


def human_not_we(line: Line, first: int, _behind: int) -> bool:
    """The same, other than ourselves."""
    return line.subject(first, "notice") in (Subject.PERSON, Subject.THEY)
