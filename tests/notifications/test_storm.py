"""Many notices at once become one summary: none is told twice, none is lost, and the worst levels never wait in it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.notification import Message
from incident_ops.errors import Ambiguous, IncidentOpsError, WriteFailed
from incident_ops.notifications.deliver import CLAIMED, Delivered, deliver
from incident_ops.notifications.plan import SEND, SUMMED, PlannedNotice, plan_deliveries
from incident_ops.notifications.storm import MOST_AT_ONCE, sum_up
from tests.notifications.test_deliver import NOW, MemoryLedger, Sink, ways

APART = ("ticket",)


def notice(number: int, rank: int = 3, channel: str = "chat", recipient: str = "team") -> Message:
    name = f"INC-{number}"
    return Message(
        f"{name}/resolution/1/due/{recipient}/internal", name, rank, f"due-{number}", "internal", recipient, channel,
        f"SEV{rank - 1} {name}: Login fails", "text", kind="breach",
    )  # fmt: skip


def planned(notices: list[Message], ledger: MemoryLedger, now: datetime = NOW) -> tuple[PlannedNotice, ...]:
    return sum_up(plan_deliveries(notices, ledger.lines, now), APART)


def go(
    notices: list[Message], ledger: MemoryLedger, sink: Sink, now: datetime = NOW
) -> tuple[tuple[Delivered, ...], IncidentOpsError | None]:
    todo = [one for one in planned(notices, ledger, now) if one.action != SUMMED]
    return deliver(todo, ledger, ways(chat=sink, ticket=sink), lambda: now)


def test_hundreds_of_notices_are_one_and_the_next_run_sends_none() -> None:
    ledger, sink, many = MemoryLedger(), Sink(), [notice(number) for number in range(300)]
    done, error = go(many, ledger, sink)
    assert (sink.sent, error) == (["summary"], None)
    (summary,) = done
    assert summary.planned.message.subject == "300 notices at once, about 300 incidents: 300 breach"
    assert len(ledger.lines) == 300
    assert all(sending.confirmed for sending in ledger.lines.values())
    assert not any(one.goes_out for one in planned(many, ledger))


def test_the_summary_tells_the_worst_first_and_where_the_rest_is() -> None:
    many = [*(notice(number, rank=4) for number in range(30)), notice(77)]
    text = planned(many, MemoryLedger())[-1].message.text.splitlines()
    assert text[0] == "- SEV2 INC-77: Login fails"
    assert text[-2:] == ["... and 21 more", "All of them: incident-ops sla check"]


def test_as_many_as_one_reads_come_one_by_one() -> None:
    sink, few = Sink(), [notice(number) for number in range(MOST_AT_ONCE)]
    go(few, MemoryLedger(), sink)
    assert len(sink.sent) == MOST_AT_ONCE
    assert "summary" not in sink.sent


def test_ranks_1_and_2_come_one_by_one_and_first() -> None:
    sink = Sink()
    go([notice(number, rank=number % 4 + 1) for number in range(100)], MemoryLedger(), sink)
    assert sink.sent[-1] == "summary"
    assert len(sink.sent) == 51


def test_each_recipient_and_channel_is_counted_alone_and_an_issue_keeps_its_comments() -> None:
    many = [notice(number, recipient=f"@p{number % 5}") for number in range(100)]
    assert all(one.action == SEND for one in planned(many, MemoryLedger()))
    comments = [notice(number, channel="ticket") for number in range(100)]
    assert all(one.action == SEND for one in planned(comments, MemoryLedger()))


@pytest.mark.parametrize("error", [WriteFailed("no"), Ambiguous("who knows")])
def test_a_summary_that_was_not_taken_comes_again_with_what_came_since(error: IncidentOpsError) -> None:
    ledger, many = MemoryLedger(), [notice(number) for number in range(30)]
    go(many, ledger, Sink(error))
    assert not any(sending.confirmed for sending in ledger.lines.values())
    sink, later = Sink(), NOW + timedelta(minutes=11)
    go([*many, notice(99)], ledger, sink, later)
    assert sink.sent == ["summary"]
    assert len([one for one in ledger.lines.values() if one.confirmed]) == 31


def test_of_two_runs_at_once_one_sends_the_summary() -> None:
    ledger, many = MemoryLedger(), [notice(number) for number in range(30)]
    before, sink = planned(many, ledger), Sink()
    todo = [one for one in before if one.action != SUMMED]
    deliver(todo, ledger, ways(chat=sink), lambda: NOW)
    second, _ = deliver(todo, ledger, ways(chat=sink), lambda: NOW)
    assert sink.sent == ["summary"]
    assert [one.outcome for one in second] == [CLAIMED]


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(("chat", "ticket")), st.sampled_from("ab")), max_size=90))
def test_everything_that_goes_out_is_told_once(kinds: list[tuple[int, str, str]]) -> None:
    """One by one or in one summary, whatever the mixture; and the same notices make the same summary."""
    many = [notice(number, *kind) for number, kind in enumerate(kinds)]
    made = planned(many, MemoryLedger())
    told = [pair for one in made if one.goes_out for pair in one.recorded_as]
    assert sorted(told) == sorted(one.pair for one in plan_deliveries(many, {}, NOW))
    assert made == planned(many[::-1], MemoryLedger())
