"""How the texts of issues are put together: facts as lists, which fit a phone and an e-mail, times, folds and links."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import NamedTuple

from incident_ops.documents.markdown import code, inline, link
from incident_ops.domain.as_of import declared_at
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Service
from incident_ops.domain.time import UNKNOWN, instant, spell_clock
from incident_ops.reconcile.references import file_place

_LONGEST = 1_000  # characters of a text on the first screen
_REST = " … (the record has the rest)"
_PLAIN_WORD = re.compile(r"[a-z]{1,30}[,;:.!?]?(?!\S)", re.ASCII)  # no name as `getUser` or `my-service`


class Surroundings(NamedTuple):
    """What a text may point to beside its record: services by name, and whether there is a file at a path.

    `stays`: key -> why the issue of an item is not in the repository of its team. `brief` are the keys whose issue more
    people may read than the record. `ticked` are the incidents that somebody acknowledged by the box, as long as that
    edit waits: the box stays.
    """

    services: Mapping[str, Service] = {}
    is_there: Callable[[str], bool] = lambda _path: False
    stays: Mapping[str, str] = {}
    brief: Collection[str] = ()
    ticked: Collection[str] = ()


ALONE = Surroundings()


def fact_line(name: str, *texts: str) -> str:
    """`- **Known:** ...`; "" without a text. `texts` are Markdown of one line, joined as sentences."""
    said = " ".join(text for text in texts if text)
    return f"- **{name}:** {said}" if said else ""


def sentence(text: str | None, *, is_quote: bool = False) -> str:
    """A record's text on one line with a full stop at its end, cut where it is too long for a first screen.

    A plain word at its start gets a capital letter, unless the words are quoted.
    """
    flat = " ".join((text or "").split())
    if not is_quote and _PLAIN_WORD.match(flat):
        flat = flat[0].upper() + flat[1:]
    if len(flat) > _LONGEST:
        return inline(flat[:_LONGEST].rpartition(" ")[0] or flat[:_LONGEST]) + _REST
    return inline(flat) + ("" if not flat or flat[-1] in ".!?…:" else ".")


def spell_when(at: datetime | None, day: date) -> str:
    """`12:20 UTC`; on another day than `day` (UTC) `2025-01-27 12:20 UTC`; `unknown` for None."""
    return UNKNOWN if at is None else f"{spell_clock(at, dated=at.date() != day)} UTC"


def first_day(incident: Incident) -> date:
    """The day of its declaration (UTC), which the first line names: times on it need no date."""
    return declared_at(incident).date()


def spell_at(text: str | None, incident: Incident) -> str:
    """An instant of the record likewise; a date stays one."""
    if text is not None and "T" not in text:
        return text
    return spell_when(instant(text), first_day(incident))


def folded(title: str, text: str) -> str:
    """A part that opens when somebody taps its title (Markdown); "" for no text."""
    return f"<details>\n<summary>{title}</summary>\n\n{text}\n\n</details>" if text else ""


def file_link(name: str, path: str) -> str:
    """A file of the records' repository, by its path from their folder."""
    return file_place(inline(name), path, f"{inline(name)}: {code(path)}")


def beside(record_path: str, name: str) -> str:
    """The path of a document that is rendered beside a record."""
    return f"{record_path.rpartition('/')[0]}/{name}"


def place_link(name: str, place: str, around: Surroundings) -> str:
    """A place to read on: an address, or a file; what is neither is said as it stands."""
    return file_link(name, place) if "://" not in place and around.is_there(place) else link(name, place)


POSTMORTEM = "postmortem.md"
QUOTED = '"..."'
"""What stands in a command for words of one's own."""


def command_span(*words: str) -> str:
    """A command that takes the next step, as people copy it."""
    return code(" ".join(("incident-ops", *words)))
