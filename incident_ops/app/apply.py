"""Leave to open new issues: one run at a time has it, by a lock on the remote.

One run of `incident-ops apply`: the tracker, then the records, then what is left; each told as it happens.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

import click

from incident_ops.adapters import clock
from incident_ops.adapters.lock import RefLock
from incident_ops.adapters.person import whoever
from incident_ops.app.notify import Delivering
from incident_ops.app.plan import Look, has_issues
from incident_ops.app.workspace import Opened, need_remote, no_records
from incident_ops.app.write_back import propose, write_locally
from incident_ops.domain.ports import Lease, LockHolder
from incident_ops.domain.record import Edit
from incident_ops.domain.time import spell_instant, stamp
from incident_ops.errors import IncidentOpsError
from incident_ops.notifications.deliver import delivery_exit_code
from incident_ops.reconcile.apply import APPLIED, EXISTS, LEFT_OVER, Applied, Summary, apply_changes, outcome_summary
from incident_ops.reconcile.changes import CREATE, EDIT, LABEL
from incident_ops.reconcile.diff import edits_by_path, new_numbers
from incident_ops.reconcile.limits import HeldChanges, WithinLimits
from incident_ops.render.findings import inert, plural
from incident_ops.render.plan import applied_json, applied_line, delivered_lines, plan_headline

_RESERVE = timedelta(seconds=60)  # one request, with all its waits, must end before the lock does


class Creating:
    """The lock of one run: taken when it is first asked for, given back at the end."""

    def __init__(self, opened: Opened, *, is_needed: bool) -> None:
        self._opened = opened
        self._is_needed = is_needed
        self._lock: RefLock | None = None
        self._answer: Lease | LockHolder | IncidentOpsError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Gives the lock back; where that fails it ends by itself, and what was done is not spoiled."""
        if self._lock is not None and isinstance(self._answer, Lease):
            try:
                self._lock.release(self._answer)
            except IncidentOpsError:
                return

    def may_create(self) -> bool:
        """True while this run holds the lock. One that cannot be taken holds back new issues and nothing else."""
        if not self._is_needed:
            return True
        if self._answer is None:
            try:
                self._lock = RefLock(need_remote(self._opened.git))
                self._answer = self._lock.take(clock.now(), _holder(self._opened))
            except IncidentOpsError as error:
                self._answer = error
        return isinstance(self._answer, Lease) and clock.now() + _RESERVE < self._answer.until

    @property
    def error(self) -> IncidentOpsError | None:
        """Why the lock could not be asked for."""
        return self._answer if isinstance(self._answer, IncidentOpsError) else None

    def held(self, count: int) -> list[HeldChanges]:
        """What the missing lock held back, for people; nothing where it was there."""
        if not count or self._answer is None:
            return []
        if isinstance(self._answer, LockHolder):
            until = spell_instant(stamp(self._answer.until))
            reason = f"{self._answer.holder} is opening issues and holds the lock until {until} at the latest"
        elif isinstance(self._answer, Lease):
            reason = "the lock was about to end"
        else:
            reason = f"without the lock no issue is opened: {self._answer}"
        return [HeldChanges(f"{count} new issues left: {reason}", count, "", continues=True)]


def _holder(opened: Opened) -> str:
    """Who runs: the run of Actions, else the person."""
    run = os.environ.get("GITHUB_RUN_ID")
    return (
        f"run {run} of {os.environ.get('GITHUB_WORKFLOW', 'a workflow')}" if run else whoever(opened.root) or "someone"
    )


_WORST = (4, 2, 5, 3)  # of several things that went wrong, the one that the exit code tells

Edits = Mapping[str, tuple[Edit, ...]]


def carry_out(seen: Look, allowed: WithinLimits, form: str) -> int:
    """Does what is allowed of a plan and tells it -> the exit code."""
    say = _mute if form == "json" else click.echo
    say(plan_headline(seen.made))
    notices = Delivering(seen, allowed.now)
    for line in delivered_lines(notices.urgent()):
        say(inert(line))
    with Creating(seen.opened, is_needed=seen.github is not None) as lock:
        outcomes = []
        for done in apply_changes(allowed.now, seen.tracker, seen.wanted.identities, lock.may_create):
            outcomes.append(done)
            if done.outcome != LEFT_OVER:
                say(inert(applied_line(done)))
    if left := sum(1 for one in outcomes if one.outcome == LEFT_OVER):
        say(f"  {plural(left, 'change')} left for the next run")
    records, failure = _records(seen, allowed, outcomes)
    if records:
        say(f"Records: {inert(records)}")
    for line in delivered_lines(notices.rest(_opened(outcomes))):
        say(inert(line))
    end = outcome_summary(outcomes, sum(one.count for one in allowed.held))
    locked_out = sum(1 for one in outcomes if _opens(one) and one.outcome == LEFT_OVER and one.error is None)
    held = [*allowed.held, *lock.held(locked_out)]
    if form == "json":
        click.echo(applied_json(seen.made, outcomes, end, held, records, notices.done), nl=False)
    code = _ending(seen, end, held, [one for one in (lock.error, failure) if one is not None])
    return _worst({code, _unsent(notices)})


def _unsent(notices: Delivering) -> int:
    """Tells on the error stream which notices did not go out -> the exit code; each fault is told once."""
    failed = [one for one in notices.done if one.error is not None]
    for why in dict.fromkeys(str(one.error) for one in failed):
        of = [one for one in failed if str(one.error) == why]
        channels = ", ".join(sorted({one.planned.message.channel for one in of}))
        click.echo(inert(f"error: {plural(len(of), 'notice')} by {channels} {of[0].outcome}: {why}"), err=True)
    if notices.unnoted is not None:
        click.echo(inert(f"error: the ledger does not know all that was sent: {notices.unnoted}"), err=True)
    return _worst({delivery_exit_code(notices.done), 4 if notices.unnoted is not None else 0})


def _opened(outcomes: Sequence[Applied]) -> dict[str, int]:
    """Key -> number of the issues that a run made, or found made meanwhile."""
    made = (one for one in outcomes if _opens(one) and one.outcome in (APPLIED, EXISTS))
    return {one.change.key: one.number for one in made if one.number}


def _worst(codes: Collection[int]) -> int:
    return next((code for code in _WORST if code in codes), 0)


def _records(seen: Look, allowed: WithinLimits, outcomes: Sequence[Applied]) -> tuple[str, IncidentOpsError | None]:
    """Brings edits into the records -> what is told of it; a failure hides nothing of what was done before."""
    planned = [change for change in allowed.now if change.action == EDIT]
    made = _opened(outcomes)
    numbers: Edits = new_numbers(seen.wanted, made) if seen.github else {}
    if not planned and not numbers:
        return "", None
    try:
        if seen.github is None:
            return write_locally(seen.opened, edits_by_path(planned)), None
        reasons = [f"{change.key}: {change.reason}" for change in planned]
        reasons += [f"{key}: its issue is number {number}" for key, number in sorted(made.items())]
        every = _joined(seen.waiting, edits_by_path(planned), numbers)
        return propose(seen.opened, seen.github, every, reasons, seen.opened.now), None
    except IncidentOpsError as error:
        return "", error


def _ending(seen: Look, end: Summary, held: Sequence[HeldChanges], failures: Sequence[IncidentOpsError]) -> int:
    """Tells on the error stream what is left or went wrong -> the exit code."""
    for one in held:
        click.echo(inert(f"held: {one.message}"), err=True)
    for error in (*([end.error] if end.error else []), *failures):
        click.echo(inert(f"error: {error}"), err=True)
    for left in seen.made.unread:
        click.echo(inert(f"error: {left.path}: not read, its issues are left alone: {left.reason}"), err=True)
    codes = {end.exit_code, *(error.exit_code for error in failures)}
    codes |= {3} if seen.made.unread else set()
    if not seen.opened.catalogue.count():
        codes.add(no_records(seen.opened, has_issues=has_issues(seen)))
    return _worst(codes)


def _opens(done: Applied) -> bool:
    return done.change.action == CREATE and done.change.kind != LABEL


def _joined(*parts: Edits) -> Edits:
    """Edits by path, one part after the other, the same edit once."""
    out: dict[str, tuple[Edit, ...]] = {}
    for part in parts:
        for path, edits in part.items():
            there = out.get(path, ())
            out[path] = (*there, *(one for one in edits if one not in there))
    return out


def _mute(_line: str) -> None:
    return
