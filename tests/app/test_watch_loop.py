"""The loop of the alarm clock where the world fails: said, tried again, and never the end of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from incident_ops.app.watch import HANDED_ON, NOT_NEEDED, TIME_IS_UP, AlarmClock
from incident_ops.domain.ports import WorkflowRun
from incident_ops.errors import Incomplete, UserError, WriteFailed
from incident_ops.notifications.ahead import Ahead
from incident_ops.notifications.alarm import Outlook, Watched

TWO = datetime(2025, 1, 26, 2, tzinfo=UTC)
HOUR = 3600


class World:
    """A remote, runs and a clock; `fails` are the errors that the next calls of an act raise."""

    def __init__(self, **fails: list[BaseException]) -> None:
        self.at, self.fails = TWO, fails
        self.calls: list[tuple[str, datetime]] = []
        self.said: list[str] = []
        self.watched: tuple[Watched, ...] = (Watched("INC-1", 1, 1, TWO, "it is open, of rank 1"),)
        self.due: list[datetime] = []
        self.commit, self.is_hosted = "1", True

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        assert 0 < seconds <= 60
        self.at += timedelta(seconds=seconds)

    def tip(self) -> str | None:
        self._done("tip")
        return self.commit

    def run(self) -> Outlook:
        self._done("run")
        ahead = tuple(Ahead(at, "INC-1", 1, "page") for at in self.due if at > self.at)
        return Outlook(self.at, ahead, self.watched)

    def runs(self, outlook: Outlook) -> Sequence[WorkflowRun]:
        assert outlook.watched
        return ()

    def say_no_alarm(self, one: Watched, limit: str) -> None:
        raise AssertionError((one, limit))

    def hand_on(self) -> bool:
        self._done("hand_on")
        return self.is_hosted

    def times(self, act: str) -> list[float]:
        """Minutes after two at which an act was tried."""
        return [(at - TWO) / timedelta(minutes=1) for name, at in self.calls if name == act]

    def _done(self, act: str) -> None:
        self.calls.append((act, self.at))
        if left := self.fails.get(act):
            raise left.pop(0)


def watch(world: World, seconds: int = HOUR) -> tuple[str, AlarmClock]:
    alarm = AlarmClock(world, world, world.said.append)
    return alarm.watch(seconds), alarm


def test_it_asks_once_a_minute_and_runs_when_something_is_due_or_the_tip_has_moved() -> None:
    world = World()
    world.due = [TWO + timedelta(minutes=5, seconds=1)]
    assert watch(world, 600)[0] == HANDED_ON
    assert world.times("run") == [0, pytest.approx(5 + 1 / 60)]
    assert world.times("tip")[:6] == [0, 1, 2, 3, 4, 5]


def test_a_run_that_fails_is_said_and_tried_again_a_minute_later() -> None:
    world = World(run=[Incomplete("GitHub does not answer"), WriteFailed("no room")])
    ended, alarm = watch(world)
    assert (ended, alarm.failed) == (HANDED_ON, False)
    assert world.times("run") == [0, 1, 2]
    assert world.said == [
        "GitHub does not answer; tried again in a minute",
        "no room; tried again in a minute",
    ]


def test_a_crash_ends_nothing_and_is_not_forgotten() -> None:
    world = World(run=[ValueError("boom")])
    ended, alarm = watch(world)
    assert (ended, alarm.failed) == (HANDED_ON, True)
    assert "a bug of incident-ops: ValueError: boom" in world.said[0]


def test_a_remote_that_does_not_answer_delays_nothing_that_is_due() -> None:
    world = World(tip=[Incomplete("origin does not answer") for _ in range(10)])
    world.due = [TWO + timedelta(minutes=3)]
    assert watch(world, 600)[0] == HANDED_ON
    assert world.times("run")[:2] == [0, 3]


def test_a_next_run_that_cannot_be_started_is_tried_again() -> None:
    world = World(hand_on=[WriteFailed("GitHub said no"), WriteFailed("GitHub said no")])
    assert watch(world)[0] == HANDED_ON
    assert world.times("hand_on") == [60, 61, 62]


@pytest.mark.parametrize("error", [ValueError("boom"), Incomplete("GitHub does not answer")], ids=["crash", "failure"])
def test_where_no_run_ever_went_through_it_is_not_handed_on(error: Exception) -> None:
    """It would go on for ever, past every limit of minutes: those are counted by what a run says."""
    world = World(run=[error] * 100)
    ended, alarm = watch(world)
    assert (ended, alarm.failed) == (TIME_IS_UP, True)
    assert world.times("hand_on") == []


def test_what_is_left_over_is_tried_a_minute_after_a_run_however_long_it_took() -> None:
    """One run right after the other would use up what GitHub takes of requests in an hour."""
    world = World()
    made = world.run

    def slow() -> Outlook:
        outlook = made()
        world.at += timedelta(seconds=90)
        return outlook._replace(ahead=(Ahead(outlook.at, "INC-1", 1, "page"),))

    world.run = slow  # type: ignore[method-assign]
    watch(world, 600)
    assert world.times("run")[:4] == [0, 2.5, 5, 7.5]


def test_elsewhere_its_time_is_up_and_nothing_is_started() -> None:
    world = World()
    world.is_hosted = False
    assert watch(world)[0] == TIME_IS_UP


def test_it_ends_after_the_first_run_where_nobody_has_to_be_awake() -> None:
    world = World()
    world.watched = ()
    assert watch(world)[0] == NOT_NEEDED
    assert len(world.times("run")) == 1


def test_what_was_never_set_up_ends_it() -> None:
    with pytest.raises(UserError):
        watch(World(run=[UserError("no token")]))


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_a_signal_ends_it_at_once(signal: type[BaseException]) -> None:
    world = World(tip=[signal()])
    with pytest.raises(signal):
        watch(world)
    assert world.times("run") == []
