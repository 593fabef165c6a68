"""Over any story with channels that fail: nobody stands under `notified` whom the ledger does not confirm."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_ops.app.due import due_notices, due_obligations, kept_ledger, plan_notices
from incident_ops.app.reached import record_edits
from incident_ops.domain.notification import Message, pair, serialise
from incident_ops.domain.policy import Service
from incident_ops.domain.ports import Notifier
from incident_ops.domain.record import Append, Edit, Remove, Set, World
from incident_ops.domain.time import stamp
from incident_ops.errors import Ambiguous, Incomplete, UserError, WriteFailed
from incident_ops.notifications.deliver import deliver
from incident_ops.notifications.reach import outcomes_of, reach_of
from incident_ops.records.index import to_record
from incident_ops.rules.base import append_only
from incident_ops.sla.activity import NOTHING_SEEN
from tests.notifications.test_deliver import MemoryLedger
from tests.support.policies import policy

START = datetime(2025, 1, 27, 12, tzinfo=UTC)
POLICY = policy(
    "sev0-3",
    """levels:
- {id: SEV1, escalate_at: 1h, channels: [chat]}
escalation:
  tiers:
  - {id: first, tier: 1, ack_timeout: 20m}
  - {id: second, tier: 2, ack_timeout: 30m}
  - {id: third, tier: 3}
contacts:
  "@ann": {channels: [sms], manager: "@mona"}
  "@bob": {channels: [sms, mail]}
  "@cleo": {name: Cleo}
  "@mona": {channels: [mail]}
  tiers: {first: ["@ann"], second: ["@bob", "@cleo"], third: ["@mona", "@ann"]}
notify: {incident_channel: {create: false}}
""",
)
CHANNELS = {"@ann": ("sms",), "@bob": ("sms", "mail"), "@cleo": (), "@mona": ("mail",)}
FAULTS = {"refused": WriteFailed("refused"), "lost": Ambiguous("lost"), "not set up": UserError("not set up")}


class Step(NamedTuple):
    """One run: so many minutes after the last, over channels with these faults; is its proposal merged after it?"""

    minutes: int
    faults: dict[str, str]
    is_ledger_down: bool
    is_merged: bool


class Channel:
    """A notifier with a fault."""

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def send(self, _: Message) -> None:
        if self.fault in FAULTS:
            raise FAULTS[self.fault]


class Story:
    """An incident that nobody answers, its ledger and its record."""

    def __init__(self) -> None:
        self.now, self.ledger = START, MemoryLedger()
        self.noticed: dict[str, str] = {}
        self.data: dict[str, Any] = {
            "id": "INC-1", "title": "Login fails", "severity": "SEV1", "state": "new", "services": ["api"],
            "times": {"declared": stamp(START)}, "assignments": [{"at": stamp(START), "to": "@ann"}],
        }  # fmt: skip

    def run(self, step: Step) -> None:
        """Plan, send, settle, write."""
        self.now += timedelta(minutes=step.minutes)
        self.ledger.error = Incomplete("down") if step.is_ledger_down else None
        record = to_record("incidents/INC-1/incident.yaml", copy.deepcopy(self.data))
        records, world = {"INC-1": record}, World(POLICY, {}, self.now)
        due = due_obligations([record], POLICY, self.now, lambda _: NOTHING_SEEN, self.noticed)
        lines = None if step.is_ledger_down else serialise(self.ledger.lines).decode().splitlines()
        planned, _ = plan_notices(due_notices([record], due, world, lambda _: NOTHING_SEEN), lines, world)
        seen = kept_ledger(lines)
        hoped = record_edits(due, records, POLICY, reach_of(planned, seen, self.noticed)).changes
        unread = Incomplete("down") if step.is_ledger_down else None

        def channel(name: str) -> Notifier:
            if step.faults[name] == "not set up":
                raise FAULTS["not set up"]
            return Channel(step.faults[name])

        done, error = deliver(planned, self.ledger, channel, lambda: self.now, unreadable=unread)
        outcomes = outcomes_of(done, is_recorded=error is None and unread is None)
        settled = record_edits(due, records, POLICY, reach_of(planned, seen, self.noticed, outcomes)).changes
        asked = {one.key for one in hoped}
        assert {one.key for one in settled} <= asked, "nothing is written that was not planned"
        self.noticed = {one.key: stamp(self.now) for one in settled} | self.noticed
        if step.is_merged:
            for change in settled:
                for edit in change.edits:
                    make(self.data, edit)
            after = to_record(record.path, copy.deepcopy(self.data))
            assert list(append_only.check(record, after, world)) == []

    def must_be_true(self) -> None:
        """The record claims what the ledger confirms."""
        for entry in self.data.get("escalations", ()):
            assert not set(entry.get("notified", ())) & set(entry.get("failed", ()))
            for person in entry.get("notified", ()):
                assert self.confirms(entry["key"], person), (person, entry)

    def confirms(self, key: str, person: str) -> bool:
        """The ledger knows that a notice reached this person."""
        pairs = [pair(f"{key}/{person}/internal", channel) for channel in CHANNELS[person]]
        return any((found := self.ledger.lines.get(one)) and found.confirmed for one in pairs)


def make(data: dict[str, Any], edit: Edit) -> None:
    """An edit made in plain data."""
    place: Any = data
    for key in edit.route[:-1]:
        place = place[key]
    if isinstance(edit, Append):
        place.setdefault(edit.route[-1], []).append(copy.deepcopy(edit.value))
    elif isinstance(edit, Remove):
        place.pop(edit.route[-1], None)
    elif isinstance(edit, Set):
        place[edit.route[-1]] = copy.deepcopy(edit.value)


STEPS = st.builds(
    Step,
    st.sampled_from([1, 6, 11, 31, 61, 200]),
    st.fixed_dictionaries({name: st.sampled_from(["ok", "ok", *FAULTS]) for name in ("chat", "sms", "mail")}),
    st.sampled_from([False, False, False, True]),
    st.booleans(),
)
FINE = Step(11, dict.fromkeys(("chat", "sms", "mail"), "ok"), is_ledger_down=False, is_merged=True)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=8))
def test_nobody_is_notified_whom_the_ledger_does_not_confirm(steps: list[Step]) -> None:
    """And once channels and ledger answer again, everybody whom it confirms stands there."""
    story = Story()
    for step in steps:
        story.run(step)
        story.must_be_true()
    for _ in range(2):
        story.run(FINE)
        story.must_be_true()
    for entry in story.data.get("escalations", ()):
        for person in entry.get("failed", ()):
            assert not story.confirms(entry["key"], person), (person, entry)


def test_the_story_reaches_people_later() -> None:
    """What the law is about does happen: an entry with somebody who failed, and who is reached by a later run."""
    story = Story()
    story.run(Step(61, {"chat": "ok", "sms": "refused", "mail": "refused"}, is_ledger_down=False, is_merged=True))
    assert not any(one.get("notified") for one in story.data["escalations"])
    story.run(FINE._replace(minutes=6))
    assert any(one.get("notified") for one in story.data["escalations"])
    story.must_be_true()


PAGER = policy(
    "sev0-3",
    """levels:
- {id: SEV1, escalate_at: 1h, channels: [pager]}
escalation:
  tiers:
  - {id: first, tier: 1}
  - {id: second, tier: 2, notify: ["@bob", "@cleo"], pager_key_env: BOSS_PAGER}
  - {id: third, tier: 3}
contacts:
  "@ann": {channels: [pager], manager: "@mona"}
  "@bob": {channels: [pager]}
  "@cleo": {channels: [mail]}
  "@mona": {channels: [pager]}
  tiers: {first: ["@ann"]}
notify: {incident_channel: {create: false}}
""",
)


def test_the_alert_of_a_step_reaches_the_people_of_the_step() -> None:
    """Their pager rang by the step's own key; the manager has the same channel behind another key, so nothing rang."""
    now = START + timedelta(minutes=61)
    services = {"api": Service(owner="@team", pager_key_env="API_PAGER")}
    data = {"id": "INC-1", "title": "Login fails", "severity": "SEV1", "state": "new", "services": ["api"],
            "times": {"declared": stamp(START)}, "assignments": [{"at": stamp(START), "to": "@ann"}]}  # fmt: skip
    records = {"INC-1": to_record("incidents/INC-1/incident.yaml", data)}
    world = World(PAGER, services, now)
    due = due_obligations([*records.values()], PAGER, now, lambda _: NOTHING_SEEN, {})
    planned, _ = plan_notices(due_notices([*records.values()], due, world, lambda _: NOTHING_SEEN), (), world)
    made = record_edits(due, records, PAGER, reach_of(planned, {})).changes
    entries = [edit.value for one in made for edit in one.edits if isinstance(edit, Append) and "key" in edit.value]
    assert [(one.get("notified"), one.get("failed")) for one in entries] == [(["@bob", "@cleo"], ["@mona"])]
