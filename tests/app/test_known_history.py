"""Every view of an earlier time shows what the record showed then: the final record against each of its versions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from incident_ops.deploy_gate.holds import incident_holds
from incident_ops.documents.incident_documents import incident_documents
from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import ActionItem, Customer, Impact, Incident, Links, Roles
from incident_ops.domain.item_due import days_late
from incident_ops.domain.known_at import incident_at
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Append, Edit, Record, Remove, Set
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.edits.declare import next_steps
from incident_ops.edits.escalate import escalate_incident
from incident_ops.edits.freeze import OverrideRequest, override_incident
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from incident_ops.render import due_notices, lists
from incident_ops.render import sla as sla_text
from incident_ops.render.incident import IncidentView, to_text
from incident_ops.render.incident_data import to_json
from incident_ops.sla.clocks import clocks
from incident_ops.sla.obligations import obligations
from incident_ops.sla.status import clock_report
from tests.edits.scene import ITIL, SEV, after
from tests.edits.test_life import Door, doors
from tests.support.laws import law

WHOLE, SAMPLE = 20_000, 40
PATH = "incidents/INC-1/incident.yaml"
Choice = tuple[Policy, list[Door]]


def correct(incident: Incident, now: datetime) -> Step:
    """The declaration was half a minute earlier than the record says."""
    said = [entry.new for entry in incident.corrections if entry.field == "times.declared"]
    old = said[-1] if said else incident.times.declared
    new = stamp(parse_instant(old) - timedelta(seconds=30))
    entry = {"at": stamp(now), "field": "times.declared", "from": old, "to": new, "by": "@a", "reason": "r"}
    return Step((Append(("corrections",), entry),), ())


def let_through(incident: Incident, now: datetime) -> Step:
    wanted = OverrideRequest("@a", "api", "production", "abc1234", "r", now + timedelta(hours=1))
    return override_incident(incident, now, wanted, ["api"])


def write_up(incident: Incident, now: datetime) -> Step:
    """What carries no date, as people write it down at any time."""
    edits = (
        Set(("impact",), {"summary": stamp(now), "users": "unknown"}),
        Set(("links",), {"bridge": "https://b.example"}),
        Set(("tags",), ["t"]),
        Set(("triage",), {"feature": "core"}),
        Set(("description",), f"{incident.title} since {stamp(now)}"),
    )
    return Step(edits, ())


@st.composite
def histories(draw: st.DrawFn) -> Choice:
    policy = draw(st.sampled_from([SEV, ITIL]))

    def climb(incident: Incident, now: datetime) -> Step:
        return escalate_incident(incident, policy, now, "@a", "r", notify=["@b"])

    step = doors(policy) | st.sampled_from([correct, let_through, write_up, climb])
    return policy, draw(st.lists(step, min_size=1, max_size=15))


def edited(data: dict[str, Any], edits: tuple[Edit, ...]) -> dict[str, Any]:
    """The data of a record with its edits made."""
    data = msgspec.json.decode(msgspec.json.encode(data))
    for edit in edits:
        *way, last = edit.route
        place: Any = data
        for key in way:
            place = place[key] if isinstance(key, int) else place.setdefault(key, {})
        if isinstance(edit, Append):
            place.setdefault(last, []).append(edit.value)
        elif isinstance(edit, Remove):
            place.pop(last, None)
        else:
            place[last] = edit.value
    return data


def live(policy: Policy, steps: list[Door]) -> list[Incident]:
    """The record as it was after each minute, one step a minute; a step that is not legal changes nothing."""
    label = {"severity": "SEV1"} if policy is SEV else {"priority": "P2"}
    data = {"id": "INC-1", "title": "Login fails", "state": "new", "services": ["api"], **label,
            "times": {"declared": stamp(after(0))}}  # fmt: skip
    versions = [msgspec.convert(data, Incident)]
    for minute, step in enumerate(steps, 1):
        with suppress(UserError):
            data = edited(data, step(versions[-1], after(minute)).edits)
        versions.append(msgspec.convert(data, Incident))
    return versions


def dated(version: Incident, final: Incident) -> Incident:
    """The dated facts of a version. An outcome is dated by the closing that the final record tells of, the last one."""
    fields = {change.field for change in version.changes}
    is_last = version.outcome == "fixed" or len(version.cycles) == len(final.cycles)
    roles = {
        name: who for name in Roles.__struct_fields__ if (who := getattr(version.roles, name)) and name != "others"
    }
    return replace(
        version,
        description=None,
        triage=None,
        customer=Customer(),
        impact=Impact(),
        cause=None,
        resolution=None,
        tags=[],
        factors={},
        links=Links(),
        postmortem=None,
        action_items=[item if item.status == "done" else as_open(item) for item in version.action_items],
        outcome=version.outcome if is_last else "fixed",
        roles=Roles(
            **{name: who for name, who in roles.items() if f"roles.{name}" in fields},
            others={name: who for name, who in version.roles.others.items() if f"roles.{name}" in fields},
        ),
    )


def as_open(item: ActionItem) -> ActionItem:
    """That an item was begun or dropped has no date."""
    return replace(item, status="open", reason=None)


def outputs(incident: Incident, policy: Policy, now: datetime) -> dict[str, str]:
    """Everything that is shown, listed, checked, held and rendered of an incident."""
    record = Record(PATH, incident, {})
    view = IncidentView(
        record, policy, clocks(as_of(incident, now), policy), now, days_late(incident, policy, now),
        next_steps(incident, policy),
    )  # fmt: skip
    report, due = clock_report([record], policy, now, everything=True), obligations([record], policy, now)
    rows = lists.incident_rows([record], policy, now)
    items = lists.item_rows([record], policy, now)
    return {
        "show": to_text(view),
        "show in JSON": to_json(view),
        "list": lists.incidents_text(rows) + lists.incidents_json(rows, now, []),
        "list of items": lists.items_text(items) + lists.items_json(items, now, []),
        "sla check": sla_text.to_json(report, due.lag_seconds, due_notices.obligations_data(due)),
        "sla check in words": sla_text.to_text(report, due_lines=due_notices.due_lines(due)),
        "gate check": repr(incident_holds(["api"], [record], policy)),
        **incident_documents(incident, policy, now),
    }


@law("views of an earlier time", whole=WHOLE, sample=SAMPLE)
@given(histories(), st.integers(0, 15), st.integers(0, 59))
def test_every_view_of_an_earlier_time_is_what_the_record_showed_then(
    history: Choice, minute: int, second: int
) -> None:
    """At every minute the dated facts are those of the version of that minute, and so is everything made of them."""
    policy, steps = history
    versions = live(policy, steps)
    final = versions[-1]
    for number, version in enumerate(versions):
        now = after(number) + timedelta(seconds=second)
        known = incident_at(final, now)
        assert known is not None
        if known.incident is final:
            continue
        assert known.incident == dated(version, final)
        if number == minute:
            assert outputs(known.incident, policy, now) == outputs(dated(version, final), policy, now)


def test_the_histories_get_somewhere() -> None:
    """The law is not empty: the last version is shown whole, the ones before without what came later."""
    life: list[Callable[[Incident, datetime], Step]] = [write_up, correct, let_through]
    versions = live(SEV, life)
    views = [incident_at(versions[-1], after(minute)) for minute in range(4)]
    assert all(view is not None for view in views)
    facts = [dated(version, versions[-1]) for version in versions]
    assert [view.incident == then for view, then in zip(views, facts, strict=True) if view] == [True, True, True, False]
    assert [len(view.incident.overrides) for view in views if view] == [0, 0, 0, 1]
    assert [len(view.incident.corrections) for view in views if view] == [0, 0, 1, 1]
    assert incident_at(versions[-1], after(-1)) is None
