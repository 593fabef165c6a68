"""GitHub Actions with a clock that a test moves: jobs that begin late, are one of a group, and may be killed anywhere;
and the schedule, which comes or does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta

from incident_ops.app.alarm_clock import runs_known, settle_alarm, settle_tick
from incident_ops.app.watch import AlarmClock
from incident_ops.domain.notification import Ledger, Pair
from incident_ops.domain.ports import SharedLedger, WorkflowRun
from incident_ops.domain.record import World
from incident_ops.domain.run_cost import TICK, WATCH
from incident_ops.notifications.ahead import coming, waiting
from incident_ops.notifications.alarm import Outlook, Watched, horizon_of, watched
from incident_ops.sla.activity import NOTHING_SEEN
from tests.support.nights import Night
from tests.support.workflow_control import FakeWorkflows

QUEUED, RUN_TAKES = timedelta(seconds=20), timedelta(seconds=8)
"""How long a job waits for a machine, and how long one run of it takes."""
FOR = int(timedelta(hours=5, minutes=30).total_seconds())
EVERY = timedelta(minutes=20)


class Killed(BaseException):
    """The machine of a job is gone."""


class _Mortal:
    """A ledger; the machine may die before and after each change of it."""

    def __init__(self, ledger: SharedLedger, step: Callable[[], None]) -> None:
        self._ledger, self._step = ledger, step

    def read(self) -> Ledger:
        return self._ledger.read()

    def claim(self, pairs: Collection[Pair], now: datetime, after: timedelta | None = None) -> frozenset[Pair]:
        self._step()
        ours = self._ledger.claim(pairs, now, after)
        self._step()
        return ours

    def confirm(self, pairs: Collection[Pair], now: datetime) -> None:
        self._step()
        self._ledger.confirm(pairs, now)


class Platform:
    """A repository with one incident, `night`, and what GitHub does for it from `now` on.

    `events` are what people do: at an instant, something that moves the tip. `kill_at` is the number of the step of an
    alarm clock's life at which its machine dies; `steps` counts them. `comes`: whether the schedule does.
    """

    def __init__(self, night: Night, now: datetime, *, comes: bool = False) -> None:
        self.night, self.now_at, self.comes = night, now, comes
        self.control = FakeWorkflows({TICK: "disabled_manually", WATCH: "active"}, self.now)
        self.events: list[tuple[datetime, Callable[[], None]]] = []
        self.said: list[tuple[datetime, str]] = []
        self.pages: list[tuple[str, str]] = []
        self.tip_number, self.steps, self.kill_at = 0, 0, -1
        self.lives: list[str] = []
        self.until = now
        self._next_tick = now + timedelta(minutes=7)
        self._is_awake = False
        night.ledger = _Mortal(night.ledger, self._step_of_run)

    # --- the clock of a job

    def now(self) -> datetime:
        return self.now_at

    def wait(self, seconds: float) -> None:
        self.step()
        self.advance(timedelta(seconds=seconds))

    def advance(self, span: timedelta) -> None:
        """Time goes by, and what happens meanwhile happens."""
        end = self.now_at + span
        while self._happens_before(end):
            continue
        self.now_at = max(self.now_at, end)
        if self.now_at >= self.until:
            raise StopIteration

    def step(self) -> None:
        """A point at which the machine of the alarm clock may die."""
        self.steps += 1
        if self.steps == self.kill_at:
            raise Killed

    def _step_of_run(self) -> None:
        """Between claiming, sending and confirming, in a run of the alarm clock."""
        if self._is_awake:
            self.step()

    def _happens_before(self, end: datetime) -> bool:
        at, act = min([*self.events, (self._next_tick, self._tick)], key=lambda event: event[0])
        if at > end:
            return False
        self.now_at = max(self.now_at, at)
        if act == self._tick:
            self._next_tick += EVERY
            act()
        else:
            self.events.remove((at, act))
            act()
            self.pushed()
        return True

    def _tick(self) -> None:
        if self.comes and self.control.state(TICK) == "active":
            self.act()

    # --- jobs

    def pushed(self) -> None:
        """The tip moves, and `reconcile.yml` runs."""
        self.tip_number += 1
        self.act()

    def act(self) -> None:
        """A job that acts: it sends what is due, and settles the two workflows at its end."""
        self.night.run(self.now_at)
        outlook = self.outlook()
        for part in (settle_tick(self.control, outlook), settle_alarm(self.control, outlook, self._start, self._page)):
            self.said += [(self.now_at, line) for line in part]

    def live(self, until: datetime) -> None:
        """Everything until an instant: the alarm clock lives where it was started."""
        self.until = until
        while self.now_at < until:
            try:
                if self.control.is_queued(WATCH):
                    self._life()
                else:
                    self.advance(timedelta(seconds=30))
            except StopIteration:
                return

    def _life(self) -> None:
        self.advance(QUEUED)
        self.control.begin(WATCH)
        try:
            why = AlarmClock(self, self, self._say).watch(FOR)
        except Killed:
            why = "killed"
        self.lives.append(why)
        self.control.end(WATCH, "failure" if why == "killed" else "success")

    # --- what the alarm clock does in the world

    def tip(self) -> str:
        self.step()
        return str(self.tip_number)

    def run(self) -> Outlook:
        self.step()
        self._is_awake = True
        try:
            self.night.run(self.now_at)
        finally:
            self._is_awake = False
        self.step()
        found = self.outlook()
        self.advance(RUN_TAKES)
        return found

    def runs(self, outlook: Outlook) -> Sequence[WorkflowRun]:
        return runs_known(self.control, outlook, self.now_at)

    def say_no_alarm(self, one: Watched, limit: str) -> None:
        list(self._page(one, limit))

    def hand_on(self) -> bool:
        self.step()
        self._start()
        return True

    def outlook(self) -> Outlook:
        """As a run makes it, of the incident as it is written now."""
        night, policy = self.night, self.night.policy
        world, records = World(policy, night.services, self.now_at), [night.record]
        marks = coming(records, world, lambda _: NOTHING_SEEN, horizon_of(policy))
        left = waiting(night.planned, night.delivered, night.ledger.read(), self.now_at)
        ahead = tuple(sorted({*marks, *left}))
        awake = watched(records, world, ahead)
        return Outlook(self.now_at, ahead, awake, policy.watch, policy.automation.tick)

    def _start(self) -> None:
        self.control.dispatch(WATCH, "main", {})

    def _page(self, one: Watched, limit: str) -> Iterator[str]:
        """What the ledger lets through once: by incident and cycle."""
        page = (f"{one.incident}/{one.cycle}", limit)
        if page not in self.pages:
            self.pages.append(page)
            yield f"{one.incident}: no alarm clock from here on"

    def _say(self, line: str) -> None:
        self.said.append((self.now_at, line))
