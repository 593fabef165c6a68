"""Notices in a plan: what goes out is a change, what is held is kept, and the checksum binds who is told."""

from __future__ import annotations

from datetime import UTC, datetime

from incident_ops.domain.notification import RESOLVED_EVENT, Message, follow_up
from incident_ops.domain.policy_sections import Limits
from incident_ops.notifications.plan import HELD, SEND, SENT, plan_deliveries
from incident_ops.notifications.recipients import Notices, Unreachable
from incident_ops.reconcile.changes import NOTIFY
from incident_ops.reconcile.limits import allow
from incident_ops.reconcile.plan import UNREACHABLE_CHANNEL, add_decision, checksum, notice_changes
from tests.reconcile.builders import plan_for, record
from tests.support.memory_tracker import MemoryTracker

NOW = datetime(2025, 1, 26, 14, tzinfo=UTC)
WHY = {"INC-1/response/1/due": "Response was due"}


def notice(
    recipient: str = "team", rank: int = 1, held: str = "", channels: tuple[str, ...] = ("chat", "pager")
) -> list[Message]:
    key = f"INC-1/response/1/due/{recipient}/internal"
    subject = f"SEV1 INC-1: Login fails to {recipient}"
    return [
        Message(
            key, "INC-1", rank, "due", "internal", recipient, channel, subject, "x", held=held,
            kind="breach", obligation="INC-1/response/1/due",
        )
        for channel in channels
    ]  # fmt: skip


def told() -> Notices:
    return Notices((), (Unreachable("INC-1/response/1/due", "@bob", "no channel in `contacts`"),))


def test_what_goes_out_is_one_change_a_notice() -> None:
    """With the channels it goes to, before everything else where it is urgent."""
    planned = plan_deliveries(notice(), {}, NOW)
    verdict = notice_changes(told(), planned, WHY)
    (change,) = verdict.changes
    assert (change.action, change.kind, change.reason, change.number) == (NOTIFY, "breach", "Response was due", None)
    assert change.fields == {
        "audience": "internal", "recipient": "team", "channels": ["chat", "pager"],
        "subject": "SEV1 INC-1: Login fails to team", "words": "x",
    }  # fmt: skip
    assert change.turn == -1
    low = notice_changes(told(), plan_deliveries(notice(rank=3), {}, NOW), WHY).changes
    assert low[0].turn == 5


def test_what_is_held_or_sent_is_no_change() -> None:
    """Held is kept with its reason, sent is nothing, and who cannot be told is named."""
    held = plan_deliveries(notice(held="quiet hours"), {}, NOW)
    verdict = notice_changes(told(), held, WHY)
    assert verdict.changes == ()
    assert [(one.kind, one.reason) for one in verdict.kept] == [
        ("breach", "not sent: quiet hours"),
        (UNREACHABLE_CHANNEL, "@bob cannot be notified: no channel in `contacts`"),
    ]
    assert {one.action for one in held} == {HELD}
    sent = [one._replace(action=SENT) for one in plan_deliveries(notice(), {}, NOW)]
    assert notice_changes(told(), sent, WHY).changes == ()
    assert notice_changes(told(), sent, {}).kept == ()


def test_the_plan_of_observe_says_that_nothing_is_sent() -> None:
    """Each change says why."""
    planned = plan_deliveries(notice(), {}, NOW)
    (change,) = notice_changes(told(), planned, WHY, "the policy's mode is observe").changes
    assert change.fields["held"] == "the policy's mode is observe"


def test_a_page_that_is_taken_back_says_so() -> None:
    """Its kind is what becomes of the page."""
    back = [follow_up(one, RESOLVED_EVENT) for one in notice(channels=("pager",))]
    (change,) = notice_changes(told(), plan_deliveries(back, {}, NOW), WHY).changes
    assert (change.kind, change.key, change.reason) == (RESOLVED_EVENT, f"{notice()[0].key}#resolved", "it is over")
    assert change.fields["channels"] == ["pager"]


def test_the_checksum_binds_people_and_not_the_minute() -> None:
    """Another subject is the same plan; another recipient, channel or reason to hold is not."""

    def digest(one: list[Message], held: str = "") -> str:
        return checksum(notice_changes(told(), plan_deliveries(one, {}, NOW), WHY, held).changes)

    assert digest(notice()) == digest([one._replace(subject="59 minutes to SLA breach") for one in notice()])
    others = {digest(notice("@a")), digest(notice(channels=("chat",))), digest(notice(), "observe"), digest(notice())}
    assert len(others) == 4


def test_no_limit_holds_a_notice() -> None:
    """Neither the number of writes nor a tracker that lost every issue."""
    made = plan_for([record()], MemoryTracker())
    more = notice_changes(told(), plan_deliveries(notice(), {}, NOW), WHY)
    assert {one.action for one in plan_deliveries(notice(), {}, NOW)} == {SEND}
    whole = add_decision(made, more)
    assert whole.changes[0].action == NOTIFY
    assert whole.checksum != made.checksum
    none = Limits(creates=0, closes=0, writes=0)
    assert [one.action for one in allow(whole, none).now] == [NOTIFY]
    lost = allow(whole._replace(lost=3), Limits())
    assert [one.action for one in lost.now] == [NOTIFY]
    assert lost.held[0].count == len(made.changes)
    assert allow(add_decision(made._replace(changes=()), more)._replace(lost=3), Limits()).held == ()
