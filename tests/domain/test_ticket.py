"""When a record is a ticket, and from when on it is an incident."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.incident import Change, Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.ticket import became_incident_at, is_ticket, kind_of
from incident_ops.domain.time import parse_instant, stamp
from tests.support.policies import policy

DECLARED = parse_instant("2025-01-26T12:00:00Z")
LEVELS = ("P0", "P1", "P2", "P3")
TICKET_LEVELS = ("P2", "P3")


def at(minutes: int) -> datetime:
    return DECLARED + timedelta(minutes=minutes)


def ours() -> Policy:
    return policy("p0-p3")


def record(*labels: str | None, **fields: object) -> Incident:
    """A record that had these severities, one after the other, ten minutes each."""
    changes = [
        Change(at=stamp(at(10 * number)), field="severity", old=str(old), new=str(new))
        for number, (old, new) in enumerate(pairwise(labels), 1)
    ]
    data = {"id": "INC-1", "title": "x", "services": ["api"], "state": "new", "times": {"declared": stamp(DECLARED)}}
    made = msgspec.convert({**data, **fields}, Incident)
    return msgspec.structs.replace(made, severity=labels[-1], changes=changes)


@pytest.mark.parametrize(
    ("labels", "since"),
    [
        (("P2",), None),
        (("P3", "P2"), None),
        (("P0",), 0),
        (("P1", "P2"), 0),
        (("P2", "P1"), 10),
        (("P3", "P2", "P1", "P3"), 20),
        (("P9",), 0),
        (("P2", "P9"), None),
        ((None,), 0),
    ],
)
def test_a_record_is_an_incident_from_its_first_level_that_declares_one(
    labels: tuple[str | None, ...], since: int | None
) -> None:
    """Raising makes a ticket an incident at that instant, and lowering takes nothing back; a record without a level
    of the policy is an incident."""
    incident = record(*labels)
    assert became_incident_at(incident, ours()) == (None if since is None else at(since))
    assert is_ticket(incident, ours()) == (since is None)
    assert kind_of(incident, ours()) == ("ticket" if since is None else "incident")


@given(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=8), st.integers(0, 90))
def test_once_an_incident_always_an_incident(labels: list[str], minutes: int) -> None:
    """At any instant: a ticket until the first level that declares, an incident from then on."""
    seen = [label for number, label in enumerate(labels) if 10 * number <= minutes]
    expected = all(label in TICKET_LEVELS for label in seen)
    incident = record(*labels)
    assert is_ticket(incident, ours(), at(minutes)) == expected
    since = became_incident_at(incident, ours())
    assert expected == (since is None or since > at(minutes))


def test_a_major_level_makes_a_ticket_an_incident() -> None:
    """On two scales either may declare: a priority that only makes tickets is an incident with a severity."""
    two = policy("itil-p1-p4", "levels:\n- {id: P2, declare: false}\n")
    plain = msgspec.structs.replace(record(None), priority="P2")
    assert is_ticket(plain, two)
    assert not is_ticket(msgspec.structs.replace(plain, severity="SEV-3"), two)
    quiet = policy(
        "itil-p1-p4", "scheme: {major: [{id: SEV-3, declare: false}]}\nlevels:\n- {id: P2, declare: false}\n"
    )
    assert is_ticket(msgspec.structs.replace(plain, severity="SEV-3"), quiet)


def test_a_correction_of_the_declaration_moves_the_beginning() -> None:
    corrected = {"at": stamp(at(5)), "field": "times.declared", "from": stamp(DECLARED), "to": stamp(at(-30))}
    incident = record("P1", corrections=[{**corrected, "by": "@a", "reason": "x"}])
    assert became_incident_at(incident, ours()) == at(-30)


def test_the_duties_of_a_level_that_declares_no_incident_are_none() -> None:
    """No commander, team, status page or postmortem is asked, whatever the policy writes beside `declare: false`."""
    asked = "levels:\n- {id: P1, declare: false}\n"
    level = policy("p0-p3", asked).duties("P1", None)
    assert level is not None
    assert (level.ic_after, level.team, level.status_page, level.postmortem.required) == (None, None, False, False)
    assert (level.response, level.update.internal, level.rank) == ("15m", "30m", 2)
