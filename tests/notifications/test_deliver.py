"""Delivery by ledger: what is planned, sent and noted; races of real processes over a real git repository; a kill."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from incident_ops.adapters.git_branches import LedgerRef
from incident_ops.domain.as_of import as_of
from incident_ops.domain.notification import (
    RESOLVED_EVENT,
    Ledger,
    Message,
    Pair,
    Sending,
    claim,
    confirm,
    follow_up,
    pair,
)
from incident_ops.domain.ports import Notifier, SharedLedger
from incident_ops.domain.time import stamp
from incident_ops.errors import Ambiguous, IncidentOpsError, Incomplete, NoIssueYet, UserError, WriteFailed
from incident_ops.notifications import deliver as run
from incident_ops.notifications.deliver import Delivered, deliver, delivery_exit_code
from incident_ops.notifications.plan import (
    CLAIMED,
    HELD,
    RESEND,
    SEND,
    SENT,
    UNCONFIRMED,
    WAITS,
    plan_deliveries,
)
from incident_ops.notifications.recipients import notices
from incident_ops.records.index import to_record
from incident_ops.records.policy import load_policy, preset, to_policy
from incident_ops.sla.obligations import incident_obligations
from tests.support.http_sink import HttpSink
from tests.support.origin import Origin, race, remote_of, start

NOW = datetime(2025, 1, 26, 14, tzinfo=UTC)
RECORD = {
    "id": "INC-1",
    "title": "Login fails",
    "severity": "SEV1",
    "state": "new",
    "services": ["api"],
    "times": {"declared": stamp(NOW - timedelta(minutes=15))},
}
HERE = pytest.mark.allow_hosts(["127.0.0.1"])


def notice(name: str = "a", rank: int = 1, channel: str = "chat", **fields: str) -> Message:
    return Message(f"INC-1/response/1/{name}/x/internal", "INC-1", rank, name, "internal", "x", channel, name, "text")


class MemoryLedger:
    """The ledger's own rules without git; `error` is what every call fails with."""

    def __init__(self) -> None:
        self.lines: Ledger = {}
        self.error: IncidentOpsError | None = None
        self.calls: list[str] = []

    def read(self) -> Ledger:
        self._asked("read")
        return self.lines

    def claim(self, pairs: Collection[Pair], now: datetime, after: timedelta | None = None) -> frozenset[Pair]:
        self._asked("claim")
        made = claim(self.lines, pairs, now, after)
        self.lines = made.ledger
        return made.ours

    def confirm(self, pairs: Collection[Pair], now: datetime) -> None:
        self._asked("confirm")
        self.lines = confirm(self.lines, pairs, now)

    def _asked(self, call: str) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error


class Sink:
    """Keeps what was sent; `error` is raised for it, after `on_send` was called."""

    def __init__(self, error: Exception | None = None, on_send: Callable[[], None] = lambda: None) -> None:
        self.sent: list[str] = []
        self.error, self.on_send = error, on_send

    def send(self, notice: Message) -> None:
        self.sent.append(notice.mark)
        self.on_send()
        if self.error is not None:
            raise self.error


def ways(**sinks: Sink) -> Callable[[str], Notifier]:
    def of(channel: str) -> Notifier:
        if channel not in sinks:
            raise UserError(f"channel {channel} has no address")
        return sinks[channel]

    return of


def go(
    ledger: SharedLedger,
    notices: list[Message],
    way: Callable[[str], Notifier],
    now: datetime = NOW,
    still_due: Callable[[Message], bool] = lambda _: True,
) -> dict[str, str]:
    """One whole run -> the outcome by mark."""
    try:
        seen, unreadable = ledger.read(), None
    except IncidentOpsError as error:
        seen, unreadable = None, error
    done, _ = deliver(plan_deliveries(notices, seen, now), ledger, way, lambda: now, still_due, unreadable)
    return {one.planned.message.mark: one.outcome for one in done}


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("age", "confirmed", "action"),
    [
        (None, False, SEND),
        (0, False, CLAIMED),
        (4, False, CLAIMED),
        (11, False, RESEND),
        (0, True, SENT),
        (99, True, SENT),
    ],
)
def test_the_ledger_decides(rank: int, age: int | None, confirmed: bool, action: str) -> None:
    """Unknown: send; claimed: leave; left behind: send again; confirmed: never again."""
    one = notice(rank=rank)
    at = stamp(NOW - timedelta(minutes=age or 0))
    ledger = {} if age is None else {pair(one.key, one.channel): Sending(at, at if confirmed else None)}
    assert [planned.action for planned in plan_deliveries([one], ledger, NOW)] == [action]


@pytest.mark.parametrize(("rank", "action"), [(1, SEND), (2, SEND), (3, WAITS), (4, WAITS)])
def test_without_a_ledger_the_urgent_go_and_the_others_wait(rank: int, action: str) -> None:
    """Ranks 1 and 2 never wait; a person may say that nothing waits."""
    assert plan_deliveries([notice(rank=rank)], None, NOW)[0].action == action
    assert plan_deliveries([notice(rank=rank)], None, NOW, may_wait=False)[0].action == SEND


def test_what_is_held_is_told_and_not_sent() -> None:
    """What would go out is shown with its reason; what went out stays told."""
    old, new, waits = notice("old"), notice("new"), notice("waits", rank=3)
    ledger = confirm({}, [pair(old.key, "chat")], NOW)
    held = [one._replace(held="the policy's mode is observe") for one in (old, new, waits)]
    assert [(one.action, one.why) for one in plan_deliveries(held, ledger, NOW)] == [
        (HELD, "the policy's mode is observe"),
        (SENT, "sent 2025-01-26T14:00:00Z"),
        (HELD, "the policy's mode is observe"),
    ]
    assert plan_deliveries(held[2:], None, NOW)[0].action == HELD
    sink, memory = Sink(), MemoryLedger()
    done, error = deliver(plan_deliveries(held[1:2], {}, NOW), memory, ways(chat=sink), lambda: NOW)
    assert ([one.outcome for one in done], error, sink.sent, memory.calls) == ([HELD], None, [], [])


@pytest.mark.parametrize(("create", "own"), [("true", {"incident_channel"}), ("false", set())])
def test_a_notice_is_a_message_for_each_channel(create: str, own: set[str]) -> None:
    """The same key and text over each; the team's go into the incident's channel too where the policy makes one."""
    policy = load_policy(f"extends: sev0-3\nnotify: {{incident_channel: {{create: {create}}}}}\n").policy
    assert policy is not None
    record = to_record("incidents/INC-1/incident.yaml", {**RECORD, "visibility": "restricted"}).incident
    now = NOW + timedelta(hours=1)
    found = incident_obligations(as_of(record, now), policy)
    breach = [one for one in found if one.mark == "due" and one.clock == "response"]
    made = notices(breach, {"INC-1": record}, policy, {}, now).messages
    assert {one.channel for one in made} == {"slack", "pagerduty"} | own
    assert len({one._replace(channel="") for one in made}) == 1
    assert all(one.restricted for one in made)


def test_news_that_is_too_old_is_reported() -> None:
    """What is over is told for 24 h; a breach that stands is told however late."""
    policy = to_policy(preset("sev0-3"))
    incident = to_record("incidents/INC-1/incident.yaml", RECORD).incident
    incident = replace(incident, times=replace(incident.times, acknowledged=stamp(NOW + timedelta(minutes=20))))
    for hours, action in ((23, SEND), (25, HELD)):
        now = NOW + timedelta(hours=hours)
        owed = [one for one in incident_obligations(as_of(incident, now), policy) if one.kind == "declared"]
        told = notices(owed, {"INC-1": incident}, policy, {}, now)
        made = plan_deliveries(told.messages, {}, now)
        assert {one.action for one in made} == {action}
        assert all(one.why == "it is over, and older than 1d" for one in made if action == HELD)


@given(st.lists(st.builds(notice, st.sampled_from("abc"), st.integers(1, 5), st.sampled_from(["chat", "email"]))))
def test_a_plan_has_each_pair_once_the_worst_first(notices: list[Message]) -> None:
    """Whatever the order of the notices; nothing is lost."""
    made = plan_deliveries(notices, {}, NOW)
    assert {one.pair for one in made} == {pair(one.key, one.channel) for one in notices}
    assert len({one.pair for one in made}) == len(made)
    assert [one.message.rank for one in made] == sorted(one.message.rank for one in made)
    assert plan_deliveries(list(reversed(notices)), {}, NOW) == made or len({*notices}) < len(notices)


def test_a_second_run_sends_nothing() -> None:
    """Confirmed is confirmed."""
    memory, sink = MemoryLedger(), Sink()
    notices = [notice("a"), notice("b", rank=3)]
    assert go(memory, notices, ways(chat=sink)) == {"a": run.SENT_NOW, "b": run.SENT_NOW}
    assert go(memory, notices, ways(chat=sink)) == {"a": SENT, "b": SENT}
    assert sink.sent == ["a", "b"]


def test_it_is_claimed_before_and_confirmed_after_each_sending() -> None:
    """One claim for each urgency, one confirmation for each notice, in that order."""
    memory = MemoryLedger()
    sink = Sink(on_send=lambda: memory.calls.append("send"))
    go(memory, [notice("a"), notice("b"), notice("c", rank=3)], ways(chat=sink))
    assert memory.calls == ["read", "claim", "send", "confirm", "send", "confirm", "claim", "send", "confirm"]


@pytest.mark.parametrize("error", [WriteFailed("500"), Ambiguous("hangs"), RuntimeError("boom secret")])
def test_a_failing_channel_stops_no_other_and_is_sent_by_a_later_run(error: Exception) -> None:
    """The other arrives in this run, the failed one in the next after its claim has run out."""
    memory, bad, good = MemoryLedger(), Sink(error), Sink()
    notices = [notice("a", channel="bad"), notice("b", channel="good"), notice("c", rank=3, channel="good")]
    done = go(memory, notices, ways(bad=bad, good=good))
    assert done == {"a": run.NOT_SENT if isinstance(error, WriteFailed) else run.MAY_HAVE_ARRIVED} | dict.fromkeys(
        "bc", run.SENT_NOW
    )
    bad.error = None
    assert go(memory, notices, ways(bad=bad, good=good), NOW + timedelta(minutes=15))["a"] == run.SENT_NOW
    assert good.sent == ["b", "c"]


def test_the_words_of_a_fault_inside_a_sink_are_not_shown() -> None:
    """They may hold an address."""
    done, _ = deliver(
        plan_deliveries([notice()], {}, NOW), MemoryLedger(), ways(chat=Sink(RuntimeError("secret"))), lambda: NOW
    )
    assert "secret" not in str(done[0].error)
    assert "RuntimeError" in str(done[0].error)


def test_a_channel_that_did_not_answer_is_asked_once_in_a_run() -> None:
    """Twenty notices do not wait 15 s each; one that refuses each answers fast and is asked each time."""
    silent, refusing = Sink(Ambiguous("hangs")), Sink(WriteFailed("400"))
    notices = [notice(name, channel=channel) for name in "abc" for channel in ("silent", "refusing")]
    done, _ = deliver(
        plan_deliveries(notices, {}, NOW), MemoryLedger(), ways(silent=silent, refusing=refusing), lambda: NOW
    )
    assert (silent.sent, refusing.sent) == (["a"], ["a", "b", "c"])
    assert [one.outcome for one in done].count(run.NOT_TRIED) == 2


def test_a_channel_without_an_address_is_told_and_not_claimed() -> None:
    """Once it is set up, the next run sends at once."""
    memory, sink = MemoryLedger(), Sink()
    assert go(memory, [notice("a", channel="email"), notice("b")], ways(chat=sink)) == {
        "a": run.NOT_SENT,
        "b": run.SENT_NOW,
    }
    assert go(memory, [notice("a", channel="email")], ways(email=sink)) == {"a": run.SENT_NOW}


@pytest.mark.parametrize(("rank", "second"), [(1, run.MAY_HAVE_ARRIVED), (3, run.GIVEN_UP)])
def test_an_unknown_end_is_repeated_once_for_low_ranks_and_until_known_for_high_ones(rank: int, second: str) -> None:
    """A slow webhook does not get the same mail every quarter of an hour for ever."""
    memory, sink = MemoryLedger(), Sink(Ambiguous("hangs"))
    ends = [
        go(memory, [notice("a", rank)], ways(chat=sink), NOW + timedelta(minutes=15 * turn))["a"] for turn in range(3)
    ]
    assert ends == [run.MAY_HAVE_ARRIVED, second, run.MAY_HAVE_ARRIVED if rank == 1 else UNCONFIRMED]
    assert memory.lines[pair(notice("a", rank).key, "chat")].confirmed is None, "nobody knows that it arrived"
    assert len(sink.sent) == (3 if rank == 1 else 2)


def test_an_alert_of_a_low_rank_is_sent_until_the_pager_answers() -> None:
    """A pager drops what it has already, so a repeat wakes nobody twice."""
    memory, sink = MemoryLedger(), Sink(Ambiguous("hangs"))
    alert = notice("a", 3)._replace(is_alert=True)
    ends = [go(memory, [alert], ways(chat=sink), NOW + timedelta(minutes=15 * turn))["a"] for turn in range(4)]
    assert set(ends) == {run.MAY_HAVE_ARRIVED}


def test_what_was_acknowledged_meanwhile_is_dropped() -> None:
    """Asked right before each sending; a look that fails keeps nothing back."""
    sink, asked = Sink(), []

    def still_due(one: Message) -> bool:
        asked.append(one.mark)
        if one.mark == "b":
            raise Incomplete("cannot look")
        return one.mark != "a"

    done = go(MemoryLedger(), [notice("a"), notice("b")], ways(chat=sink), still_due=still_due)
    assert (done, sink.sent, asked) == ({"a": run.NO_LONGER_DUE, "b": run.SENT_NOW}, ["b"], ["a", "b"])


@pytest.mark.parametrize("readable", [True, False])
def test_a_ledger_out_of_reach_holds_no_urgent_notice(readable: bool) -> None:
    """Ranks 1 and 2 go out, and are noted once the ledger answers; ranks 3 and 4 wait."""
    memory, sink = MemoryLedger(), Sink()
    planned = plan_deliveries([notice("a"), notice("b", rank=3)], {} if readable else None, NOW)
    memory.error = Incomplete("origin cannot be read")
    done, error = deliver(planned, memory, ways(chat=sink), lambda: NOW, unreadable=None if readable else memory.error)
    assert [one.outcome for one in done] == [run.SENT_NOW, WAITS]
    assert error is memory.error
    assert delivery_exit_code(done) == 4
    assert memory.calls.count("claim") == (1 if readable else 0)
    memory.error = None
    sink.on_send = lambda: None
    done, error = deliver(planned, memory, ways(chat=sink), lambda: NOW, unreadable=Incomplete("was away"))
    assert error is None
    assert memory.lines[pair(notice("a").key, "chat")].confirmed == stamp(NOW)


def test_a_run_that_took_too_long_leaves_what_another_may_have() -> None:
    """A claim is a lease: near its end nothing more is sent under it."""
    memory, times = MemoryLedger(), iter([NOW, NOW, NOW, *[NOW + timedelta(minutes=4, seconds=45)] * 9])
    sink = Sink()
    done, _ = deliver(
        plan_deliveries([notice("a"), notice("b")], {}, NOW), memory, ways(chat=sink), lambda: next(times)
    )
    assert ([one.outcome for one in done], sink.sent) == ([run.SENT_NOW, run.NOT_TRIED], ["a"])
    assert delivery_exit_code(done) == 5


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], 0),
        ([Delivered(plan_deliveries([notice()], {}, NOW)[0], run.SENT_NOW)], 0),
        ([Delivered(plan_deliveries([notice()], {}, NOW)[0], run.NOT_SENT, UserError("no address"))], 2),
        ([Delivered(plan_deliveries([notice()], {}, NOW)[0], run.NOT_SENT, WriteFailed("500"))], 4),
        ([Delivered(plan_deliveries([notice()], {}, NOW)[0], run.GIVEN_UP, Ambiguous("hangs"))], 4),
        ([Delivered(plan_deliveries([notice()], None, NOW, may_wait=True)[0], run.NOT_TRIED)], 5),
        ([Delivered(plan_deliveries([notice()], {}, NOW)[0], run.NOT_TRIED, NoIssueYet("INC-1"))], 0),
    ],
)
def test_the_exit_code_is_that_of_the_worst(outcomes: list[Delivered], code: int) -> None:
    """Worst first: 4 where something failed, 5 where work is left (docs/contract.md#exit-codes)."""
    assert delivery_exit_code(outcomes) == code


def alert(mark: str = "", key: str = "INC-1/alert/2/reopened") -> Message:
    made = Message(key, "INC-1", 1, "reopened", "internal", "team", "pager", "s", "t", is_alert=True)
    return follow_up(made, mark) if mark else made


def test_an_alert_waits_for_the_end_of_the_one_before_it() -> None:
    """Opened while that is open, it would ring nobody: the next run tries both."""
    ended, opened = alert(RESOLVED_EVENT, "INC-1/alert/1/declared"), alert()
    sink = Sink(WriteFailed("429"))
    memory = MemoryLedger()
    assert go(memory, [opened, ended], ways(pager=sink)) == {RESOLVED_EVENT: run.NOT_SENT, "reopened": run.NOT_TRIED}
    assert sink.sent == [RESOLVED_EVENT]
    sink.error = None
    later = go(memory, [opened, ended], ways(pager=sink), NOW + timedelta(minutes=6))
    assert later == {RESOLVED_EVENT: run.SENT_NOW, "reopened": run.SENT_NOW}


RUN = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from incident_ops.adapters.git import Git
from incident_ops.adapters.git_branches import LedgerRef
from incident_ops.adapters.notifiers.apprise_channel import Channel
from incident_ops.adapters.git_remote import Remote
from incident_ops.domain.notification import Message
from incident_ops.notifications.deliver import deliver
from incident_ops.notifications.plan import plan_deliveries
from incident_ops.domain.time import parse_instant

folder, address, at, names, deadly = sys.argv[1:]
now = parse_instant(at)
ledger = LedgerRef(Remote.of(Git.around(Path(folder))))
notices = [Message(f"INC-1/response/1/{name}/x/internal", "INC-1", rank, name, "internal", "x", "chat", name, "text")
           for rank, name in enumerate(names.split(","), 1)]

class Deadly(Channel):
    def send(self, notice):
        super().send(notice)
        if notice.mark == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

way = Deadly("chat", address)
print("ready", flush=True)
sys.stdin.readline()
done, error = deliver(plan_deliveries(notices, ledger.read(), now), ledger, lambda name: way, lambda: now)
print(error, *(f"{one.planned.message.mark}={one.outcome.replace(' ', '_')}" for one in done))
"""


@HERE
def test_two_racing_runs_deliver_each_notice_once(tmp_path: Path, sink: HttpSink) -> None:
    """Processes of their own, clones of their own, one bare repository, let go at one moment."""
    origin = Origin(tmp_path)
    clones = [origin.clone(f"clone-{number}").root for number in range(3)]
    names = "a,b,c,d"
    printed = race(RUN, [(str(clone), sink.address("/200"), stamp(NOW), names, "-") for clone in clones])
    assert sorted(sink.titles) == ["a", "b", "c", "d"], printed
    outcomes = [word.split("=") for line in printed for word in line.split()[1:]]
    assert sorted(name for name, outcome in outcomes if outcome == "sent_now") == ["a", "b", "c", "d"]


@pytest.mark.slow
@HERE
@pytest.mark.parametrize("deadly", ["a", "d"], ids=["rank 1", "rank 4"])
def test_a_run_killed_between_sending_and_confirming_costs_one_repeat(
    tmp_path: Path, sink: HttpSink, deadly: str
) -> None:
    """kill -9 right after the sink took it: others wait while the claim is fresh, then one run repeats it, once."""
    origin = Origin(tmp_path)
    clone = origin.clone().root

    def one_run(minutes: int, dies: str = "-") -> int:
        at = stamp(NOW + timedelta(minutes=minutes))
        process = start(RUN, str(clone), sink.address("/200"), at, "a,b,c,d", dies)
        process.communicate("go\n", timeout=120)
        return process.returncode

    assert one_run(0, deadly) == -signal.SIGKILL
    assert sink.titles.count(deadly) == 1
    for minutes in (1, 11, 12, 30):
        assert one_run(minutes) == 0
        assert sink.titles.count(deadly) == (1 if minutes == 1 else 2)
    assert {name: sink.titles.count(name) for name in "abcd"} == dict.fromkeys("abcd", 1) | {deadly: 2}


@HERE
def test_a_ledger_in_git_holds_no_address_no_handle_and_no_text(tmp_path: Path) -> None:
    """sha256, channel, instants."""
    origin = Origin(tmp_path)
    ledger = LedgerRef(remote_of(origin.clone()))
    one = notice("breached")._replace(recipient="@alice", subject="hunter2", text="hunter2")
    deliver(plan_deliveries([one], ledger.read(), NOW), ledger, ways(chat=Sink()), lambda: NOW)
    words = origin.show("incident-ops/ledger", "ledger").split()
    assert words == [pair(one.key, "chat").digest, "chat", stamp(NOW), stamp(NOW)]
