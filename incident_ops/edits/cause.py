"""Why it happened, and what ended it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from incident_ops.domain.incident import Cause, Incident, Resolution, Snippet
from incident_ops.domain.record import Append, Set
from incident_ops.domain.time import UNKNOWN
from incident_ops.edits.finish import CATEGORIES
from incident_ops.edits.step import Step, given_fields, join_steps, list_edits, quote, said_texts, something_said
from incident_ops.errors import UserError


@dataclass(frozen=True, slots=True)
class CauseFacts:
    """What somebody reports; what is not given stays as it is.

    `cause` and `resolution` hold texts by the names of those fields; `contributing` as `said_texts` takes them;
    `whys` are questions with their answers, None to take one away; `snippet` is a piece of code that shows the cause.
    """

    cause: Mapping[str, str]
    resolution: Mapping[str, str]
    contributing: Sequence[str] = ()
    whys: Sequence[tuple[str, str | None]] = ()
    snippet: Snippet | None = None


def write_cause(incident: Incident, facts: CauseFacts) -> Step:
    """The cause and the resolution with what is reported; a cause without a category is of category unknown."""
    category = Step((), ())
    needs_cause = bool(facts.cause or facts.contributing or facts.whys or facts.snippet)
    if needs_cause and incident.cause is None and "category" not in facts.cause:
        hint = f"--category {'|'.join(CATEGORIES[:-1])}"
        category = Step((Set(("cause", "category"), UNKNOWN),), (), (f"the category of the cause is unknown: {hint}",))
    contributing = incident.cause.contributing if incident.cause else []
    step = join_steps(
        category,
        _texts("cause", incident.cause, facts.cause),
        said_texts(("cause", "contributing"), contributing, facts.contributing, "contributing"),
        _whys(incident, facts.whys),
        _snippet(incident, facts.snippet),
        _texts("resolution", incident.resolution, facts.resolution),
    )
    return something_said(step)


def _texts(name: str, before: Cause | Resolution | None, given: Mapping[str, str]) -> Step:
    edits, messages = [], []
    for field, text in given.items():
        said = f"{name}, {field}: {quote(text)}"
        if before is not None and getattr(before, field) == text:
            messages.append(f"{said} already; nothing changed")
            continue
        edits.append(Set((name, field), text))
        messages.append(said)
    return Step(tuple(edits), tuple(messages))


def _whys(incident: Incident, given: Sequence[tuple[str, str | None]]) -> Step:
    before = msgspec.to_builtins(incident.cause.five_whys) if incident.cause else []
    after, messages = list(before), []
    for why, because in given:
        place = next((number for number, one in enumerate(after) if one["why"] == why), len(after))
        if because is None and place == len(after):
            raise UserError(f"nobody asked {quote(why)!r}", hint="-WHY repeats the question as it is written")
        if because is None:
            del after[place]
            messages.append(f"why: {quote(why)}: taken away")
        elif {"why": why, "because": because} in after:
            messages.append(f"why: {quote(why)} {quote(because)} already; nothing changed")
        else:
            after[place : place + 1] = [{"why": why, "because": because}]
            messages.append(f"why: {quote(why)} {quote(because)}")
    return Step(tuple(list_edits(("cause", "five_whys"), before, after)), tuple(messages))


def _snippet(incident: Incident, given: Snippet | None) -> Step:
    """A piece of code is added; it takes the place of the one with its caption, or of itself without one."""
    if given is None:
        return Step((), ())
    snippets = incident.cause.snippets if incident.cause else []
    entry = given_fields(language=given.language, caption=given.caption, text=given.text)
    name = quote(given.caption or given.text)
    if given in snippets:
        return Step((), (f"code: {name} already; nothing changed",))
    for place, one in enumerate(snippets):
        if one.text == given.text or (given.caption and one.caption == given.caption):
            return Step((Set(("cause", "snippets", place), entry),), (f"code: {name}",))
    return Step((Append(("cause", "snippets"), entry),), (f"code: {name}",))
