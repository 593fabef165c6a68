"""The alarm clock: awake only while somebody has to be, it looks at the remote's tip once a minute and runs when
something comes due or the tip has moved. A signal ends it at once. Two that are awake ring no more than one: the ledger
sees to that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from incident_ops.domain.ports import WorkflowRun
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.notifications.alarm import Outlook, Watched, at_limit

NOT_NEEDED, HANDED_ON, TIME_IS_UP = "nobody has to be awake any more", "handed on to the next run", "its time is up"
MINUTE = timedelta(minutes=1)
"""Between two looks at the remote."""
_LEAST = timedelta(seconds=1)
_NOTHING_DUE = timedelta(days=1)
Answer = TypeVar("Answer")


class Clock(Protocol):
    """The time, and waiting for it."""

    def now(self) -> datetime:
        """This instant, aware UTC."""
        ...

    def wait(self, seconds: float) -> None:
        """Returns after so many seconds."""
        ...


class Bell(Protocol):
    """What the alarm clock does in the world. All of it may fail: that is said, and tried again a minute later."""

    def tip(self) -> str | None:
        """The commit of the remote's default branch, by git alone; None where it does not tell."""
        ...

    def run(self) -> Outlook:
        """One run of what is due at the tip -> what it leaves to come."""
        ...

    def runs(self, outlook: Outlook) -> Sequence[WorkflowRun]:
        """The runs of the alarm clock that count for its limits, this one among them; none outside GitHub Actions."""
        ...

    def say_no_alarm(self, one: Watched, limit: str) -> None:
        """Says on the issue and by a page that nobody is awake from here on."""
        ...

    def hand_on(self) -> bool:
        """Starts the next run of the alarm clock; False where there is none to start."""
        ...


class AlarmClock:
    """One life of the alarm clock. `say` is called with a line for people about what happens."""

    def __init__(self, bell: Bell, ticking: Clock, say: Callable[[str], None]) -> None:
        self._bell, self._clock, self._say = bell, ticking, say
        self._outlook: Outlook | None = None
        self._runs: Sequence[WorkflowRun] = ()
        self._tip: str | None = None
        self._next: datetime | None = None
        self._silent: set[str] = set()
        self._crashed = self._run_failed = False

    @property
    def crashed(self) -> bool:
        """Whether something crashed, which nothing that went well afterwards makes good."""
        return self._crashed

    @property
    def failed(self) -> bool:
        """Whether the watch did not end well."""
        return self._crashed or self._run_failed

    def watch(self, seconds: int) -> str:
        """Stays awake as long as somebody has to be, for so many seconds at most -> why it ends: NOT_NEEDED,
        HANDED_ON or TIME_IS_UP. `failed` tells whether something crashed, or the last run did not go through."""
        end = self._clock.now() + timedelta(seconds=seconds)
        while True:
            self._look()
            if self._outlook is not None and not self._is_needed(self._outlook):
                return NOT_NEEDED
            now = self._clock.now()
            if now >= end and (ended := self._ended()):
                return ended
            self._clock.wait(self._pause(now, end).total_seconds())

    def _pause(self, now: datetime, end: datetime) -> timedelta:
        """Until something is due, but a minute at the most: then the remote is looked at."""
        next_due = now + MINUTE if self._next is None else self._next
        left = min(MINUTE, next_due - now, *([end - now] if end > now else []))
        return max(left, _LEAST)

    def _look(self) -> None:
        """Runs where the tip has moved or something is due."""
        tip = self._tried(self._bell.tip)
        is_due = self._next is None or self._next <= self._clock.now()
        if not is_due and (tip is None or tip == self._tip):
            return
        outlook = self._tried(self._bell.run)
        self._run_failed = outlook is None
        if outlook is None:
            self._next = self._clock.now() + MINUTE
            return
        self._tip, self._outlook, self._next = tip or self._tip, outlook, _next_due(outlook, self._clock.now())
        if outlook.watched:
            self._runs = self._tried(lambda: self._bell.runs(outlook)) or self._runs

    def _is_needed(self, outlook: Outlook) -> bool:
        """True while somebody is watched whose minutes last; of those whose minutes are used up it is said, once."""
        limits = at_limit(outlook, self._runs, self._clock.now())
        for one in outlook.watched:
            if one.incident in limits and one.incident not in self._silent:
                self._silent.add(one.incident)
                self._tried(lambda one=one: self._bell.say_no_alarm(one, limits[one.incident]))  # type: ignore[misc]
                self._say(f"{one.incident}: no alarm clock from here on, it has had {limits[one.incident]}")
        return any(one.incident not in limits for one in outlook.watched)

    def _ended(self) -> str:
        """Why it ends now; "" where the next run could not be started, and this one goes on for another minute.

        Where no run of its life went through nothing is handed on: the next one would count no minutes either.
        """
        if self._outlook is None:
            return TIME_IS_UP
        started = self._tried(self._bell.hand_on)
        if started is None:
            return ""
        return HANDED_ON if started else TIME_IS_UP

    def _tried(self, act: Callable[[], Answer]) -> Answer | None:
        """What an act gives; None where it failed, which is said and never ends the watch. UserError before the first
        run that went through."""
        try:
            return act()
        except IncidentOpsError as error:
            if self._outlook is None and isinstance(error, UserError):
                raise  # it was never set up, and waiting does not change that
            problem = str(error)
        except Exception as error:
            self._crashed = True
            problem = f"a crash, which is a bug of incident-ops: {type(error).__name__}: {error}"
        self._say(f"{problem}; tried again in a minute")
        return None


def _next_due(outlook: Outlook, now: datetime) -> datetime:
    """When to run next: what is left over already is tried again a minute after the run, which ended `now`."""
    again = now + MINUTE
    return min((one.at if one.at > outlook.at else again for one in outlook.ahead), default=outlook.at + _NOTHING_DUE)
