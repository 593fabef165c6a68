"""Nothing but the public facts stands in a text for the public: every other field of a record and of its surroundings
is filled with a word of its own, and none of them comes out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, product
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from incident_ops.documents.duty_reports import LETTERS, duty_report
from incident_ops.documents.message_request import PUBLIC_TEXTS, MessageRequest, MessageSources
from incident_ops.documents.messages import message_for
from incident_ops.documents.public_view import _length
from incident_ops.domain.incident import Incident, Postmortem, Times, Update
from incident_ops.domain.policy import Deadline, Service
from incident_ops.domain.public_facts import public_facts
from incident_ops.domain.public_updates import PUBLIC, STATUSES
from incident_ops.domain.time import parse_instant, stamp
from tests.render.test_documents import policy

NOW = parse_instant("2025-03-02T10:00:00Z")
SECRET_DAY = datetime(2011, 7, 13, 3, 33, tzinfo=UTC)
"""The instants that are not public are in the minutes after this one; no public one is."""
PUBLIC_TIMES = {
    "declared": "2025-03-02T08:05:00Z",
    "started": "2025-03-02T08:00:00Z",
    "restored": "2025-03-02T09:00:00Z",
    "resolved": "2025-03-02T09:10:00Z",
}
INSTANTS = {
    "at",
    "begin",
    "done_at",
    "start",
    "end",
    "until",
    "expires",
    "deployed",
    "noticed_at",
    "reviewed_at",
    "eta",
}
INSTANTS |= {"final_at", "meeting", "due", "added", "follow_up_on", "runbook_updated", "reopened"}


class Canaries:
    """Fills values with words, numbers and instants that occur once each, and keeps all of them."""

    def __init__(self) -> None:
        self.placed: dict[str, str] = {}
        self._numbers = count(1)

    def filled(self, kind: type[msgspec.Struct], place: str = "incident", **given: Any) -> Any:
        """A struct in which each field is either `given` or a canary."""
        hints = get_type_hints(kind)
        values = {name: self.value(hints[name], f"{place}.{name}", name) for name in hints if name not in given}
        return kind(**values, **given)

    def value(self, kind: Any, place: str, name: str) -> Any:
        """A value of a type: the richest one that it allows."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin is list:
            return [self.value(inner[0], f"{place}[]", name)]
        if origin is dict:
            return {self.word(f"{place} key"): self.value(inner[1], place, name)}
        structs = [one for one in (*inner, kind) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
        if structs:
            return self.filled(structs[0], place)
        if kind is bool:
            return True
        if name in INSTANTS:
            return self.instant(place)[: 10 if name == "due" else None]
        return self.number(place) if int in (*inner, kind) else self.word(place)

    def word(self, place: str) -> str:
        found = f"canary{next(self._numbers):04}word"
        self.placed[found] = place
        return found

    def number(self, place: str) -> int:
        found = 7_310_000 + next(self._numbers)
        self.placed |= {str(found): place, f"{found:,}": place}
        return found

    def instant(self, place: str) -> str:
        at = SECRET_DAY + timedelta(days=next(self._numbers))
        self.placed |= {f"{at:%Y-%m-%d}": place, f"{at:%H:%M}": "the clock of an instant"}
        return stamp(at)


def full_record(canaries: Canaries, **public: Any) -> Incident:
    """A record that is full of canaries, but for what may be public and what has to fit together."""
    published = {"at": "2025-03-02T08:10:00Z", "audience": PUBLIC, "status": "identified", "text": "Public words."}
    inside = {"audience": "internal", "status": "identified", "at": canaries.instant("updates.internal.at")}
    fitting: dict[str, Any] = {name: [] for name in ("cycles", "changes", "corrections", "pauses")}
    fitting |= dict.fromkeys(("priority", "duplicate_of", "public_status", "policy", "snooze", "triage"), None)
    given = {
        **fitting,
        "id": "INC-42",
        "severity": "SEV-1",
        "state": "resolved",
        "outcome": "fixed",
        "visibility": "internal",
        "drill": False,
        "services": ["internal-host-name", "another-host-name"],
        "times": msgspec.convert(PUBLIC_TIMES, Times),
        "updates": [canaries.filled(Update, "updates.internal", **inside), msgspec.convert(published, Update)],
        "postmortem": canaries.filled(Postmortem, "postmortem", public_summary="A public summary.", status="draft"),
        **public,
    }
    canaries.placed |= dict.fromkeys(given["services"], "services")
    found: Incident = canaries.filled(Incident, **given)
    return found


def public_texts(incident: Incident, canaries: Canaries) -> Iterator[str]:
    """Every text that anybody outside may read."""
    named = canaries.filled(Service, "services.yaml", public_name="Login")
    services = {
        "internal-host-name": named,
        "another-host-name": canaries.filled(Service, "services.yaml", public_name=None),
    }
    sources = MessageSources(policy("sev1-3"), services, NOW, canaries.word("where the postmortem is"))
    for status, kind in product(STATUSES, PUBLIC_TEXTS):
        found = message_for(incident, sources, MessageRequest(PUBLIC, status, kind))
        yield from (found.markdown, found.text, found.update, found.subject)
    letter = duty_report(incident, sources, canaries.filled(Deadline, "deadline", id=LETTERS[0], start="detected"))
    yield from (letter.markdown, letter.text, letter.subject)
    yield repr(public_facts(incident, sources.policy, services)._replace(impacts=(), updates=()))


STATES = [
    {},
    {"state": "in_progress", "times": {"declared": PUBLIC_TIMES["declared"], "acknowledged": PUBLIC_TIMES["declared"]}},
    {"outcome": "false_alarm", "state": "closed"},
    {"updates": []},
    {"visibility": "restricted"},
]


@pytest.mark.parametrize("state", STATES, ids=["resolved", "open", "false alarm", "no updates", "restricted"])
def test_nothing_that_is_not_public_stands_in_a_public_text(state: dict[str, Any]) -> None:
    canaries = Canaries()
    if "times" in state:
        state = state | {"times": msgspec.convert(state["times"], Times)}
    incident = full_record(canaries, **state)
    texts = [*public_texts(incident, canaries)]
    assert len(canaries.placed) > 150
    leaked = {place for text in texts for canary, place in canaries.placed.items() if canary in text}
    assert leaked == set()


def test_what_is_public_stands_there() -> None:
    """So the canaries are not missed only because nothing is printed."""
    canaries = Canaries()
    texts = "\n".join(public_texts(full_record(canaries, visibility=PUBLIC, title="A public title"), canaries))
    for public in ("A public title", "Public words.", "A public summary.", "Login and other services", "SEV-1"):
        assert public in texts


@pytest.mark.parametrize(("seconds", "said"), [(722, "12 minutes"), (3722, "1 hour 2 minutes"), (42, "42 seconds")])
def test_customers_read_no_seconds_beside_minutes(seconds: int, said: str) -> None:
    assert _length(timedelta(seconds=seconds)) == said
