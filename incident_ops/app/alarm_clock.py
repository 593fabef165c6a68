"""What wakes the next run: `tick.yml`, GitHub's schedule while something is due within a day, and `watch.yml`, the
alarm clock while an incident of the worst rank is open. Every run settles both at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from incident_ops.app.apply import AppliedRun
from incident_ops.app.delivery import look_at_ledger
from incident_ops.app.due import due_notices, due_obligations, ledger_lines, live_records, plan_notices
from incident_ops.app.notify_by_hand import page_once
from incident_ops.app.observed_tracker import seen_on_tracker, tracking_issues
from incident_ops.app.run_parts import PartDone, RunParts
from incident_ops.app.workspace import Workspace, need_remote, served
from incident_ops.documents.issue_comments import no_alarm_comment
from incident_ops.domain.notification import Ledger
from incident_ops.domain.ports import WorkflowControl, WorkflowRun
from incident_ops.domain.record import World
from incident_ops.domain.run_cost import TICK, WATCH
from incident_ops.domain.tracker import LOCAL
from incident_ops.errors import NotSetUp
from incident_ops.notifications.ahead import DAY, coming, waiting
from incident_ops.notifications.alarm import (
    Outlook,
    Watched,
    at_limit,
    counted_since,
    horizon_of,
    is_alive,
    is_held,
    watched,
)
from incident_ops.notifications.deliver import Delivered
from incident_ops.notifications.plan import HELD, PlannedNotice
from incident_ops.sla.activity import NOTHING_SEEN
from incident_ops.sla.obligations import SeenOf

ACTIVE, _ASLEEP = "active", "disabled_inactivity"
CAPPED = "no_alarm_clock"
"""The mark of the page, and the topic of the comment, that say that nobody is awake from here on."""
_LONGEST = timedelta(hours=6)  # so long a job may take: a run that began before a time may reach into it


def settle_clocks(run: AppliedRun, control: WorkflowControl) -> PartDone:
    """Switches the tick on or off, and starts the alarm clock where somebody has to be awake and nobody is.

    Nothing is written where nothing changes; what fails is in the result, and neither keeps the other from its turn.
    """
    lines: list[str] = []
    parts = RunParts()
    outlook = parts.take(lambda: outlook_after(run), None)
    if outlook is not None:
        workspace = run.planned.workspace
        parts.take(lambda: lines.extend(settle_tick(control, outlook)), None)
        alarm = settle_alarm(
            control, outlook, lambda: start_alarm(workspace, control), lambda *limited: say_no_alarm(run, *limited)
        )
        parts.take(lambda: lines.extend(alarm), None)
    return PartDone(tuple(lines), tuple(parts.errors), parts.crash)


def outlook_after(run: AppliedRun) -> Outlook:
    """What a run leaves to come. Raises as the records."""
    planned = run.planned
    ledger: Ledger = (planned.ledger.content if planned.ledger else None) or {}
    seen = seen_on_tracker(planned.desired, planned.observed)
    return _outlook(planned.workspace, seen, planned.notices, run.notices, ledger)


def outlook_by_records(workspace: Workspace) -> Outlook:
    """What is to come, by the records here and the ledger as it was last fetched: GitHub is not asked."""

    def held() -> tuple[Ledger, list[PlannedNotice]]:
        records, world = live_records(workspace), World(*workspace.judged_by, workspace.now)
        due = due_obligations(records, world.policy, world.now, lambda _: NOTHING_SEEN, {})
        wanted = due_notices(records, due, world, lambda _: NOTHING_SEEN)
        seen = look_at_ledger(workspace, LOCAL, None)
        ledger = {**seen.recorded, **(seen.shared.ledger if seen.shared else {})}
        planned, _ = plan_notices(wanted, ledger_lines(ledger, wanted.pairs_in(ledger)), world)
        return ledger, [one for one in planned if one.action == HELD]

    ledger, planned = served(workspace, held)
    return _outlook(workspace, lambda _: NOTHING_SEEN, planned, (), ledger)


def _outlook(
    workspace: Workspace,
    seen: SeenOf,
    planned: Sequence[PlannedNotice],
    delivered: Sequence[Delivered],
    ledger: Ledger,
) -> Outlook:
    def made() -> Outlook:
        world, records = World(*workspace.judged_by, workspace.now), live_records(workspace)
        marks = coming(records, world, seen, horizon_of(world.policy))
        left = waiting(planned, delivered, ledger, world.now)
        ahead = tuple(sorted({*marks, *left}))
        policy = world.policy
        return Outlook(world.now, ahead, watched(records, world, ahead), policy.watch, policy.automation.tick)

    return served(workspace, made)


def wants_tick(outlook: Outlook) -> bool:
    """True where something goes out within a day or somebody has to be awake, and the policy lets the tick look."""
    is_due = any(one.at <= outlook.at + DAY for one in outlook.ahead)
    return outlook.ticks and (is_due or bool(outlook.watched))


def settle_tick(control: WorkflowControl, outlook: Outlook) -> Iterator[str]:
    """Switches `tick.yml` on where something goes out within a day or somebody has to be awake, off where nothing
    does -> what was done. Raises as `WorkflowControl`."""
    wanted, state = wants_tick(outlook), control.state(TICK)
    if not state:
        yield f"{TICK} is not in this repository: nothing looks for what is due between pushes"
    elif wanted and state != ACTIVE:
        control.enable(TICK)
        yield f"{TICK} is switched on: it looks every 20 minutes while something is due within a day"
    elif not wanted and state == ACTIVE:
        control.disable(TICK)
        why = "nothing is due within a day" if outlook.ticks else "the policy says automation.tick: false"
        yield f"{TICK} is switched off: {why}"


def settle_alarm(
    control: WorkflowControl, outlook: Outlook, start: Callable[[], None], say: Callable[[Watched, str], Iterable[str]]
) -> Iterator[str]:
    """Calls `start` where somebody has to be awake, nobody is and the limits allow it, and `say` for each incident
    whose minutes are used up -> what was done. Raises as `WorkflowControl`, and what the two raise."""
    if not outlook.watched:
        return
    first, state = outlook.watched[0].incident, control.state(WATCH)
    if not state:
        yield f"{WATCH} is not in this repository: nobody is awake for {first} between runs"
        return
    runs = runs_known(control, outlook, outlook.at)
    limits = at_limit(outlook, runs, outlook.at)
    needed = next((one for one in outlook.watched if one.incident not in limits), None)
    if needed is not None and not is_alive(runs, outlook.at):
        if any(is_held(one, outlook.at) for one in runs):
            yield f"a run of {WATCH} waits for somebody to let it go on: nobody is awake for {needed.incident}"
        elif state not in (ACTIVE, _ASLEEP):
            yield f"{WATCH} is switched off by hand: nobody is awake for {needed.incident} between runs"
        else:
            if state == _ASLEEP:
                control.enable(WATCH)
            start()
            yield f"the alarm clock ({WATCH}) is started for {needed.incident}: {needed.why}"
    for one in outlook.watched:
        if one.incident in limits:
            yield from say(one, limits[one.incident])


def runs_known(control: WorkflowControl, outlook: Outlook, now: datetime) -> Sequence[WorkflowRun]:
    """The runs of the alarm clock that count for its limits. Raises as `WorkflowControl`."""
    return control.runs(WATCH, counted_since(outlook, now) - _LONGEST)


def start_alarm(workspace: Workspace, control: WorkflowControl) -> None:
    """Starts `watch.yml` on the default branch. Raises as the remote and as `WorkflowControl`."""
    control.dispatch(WATCH, need_remote(workspace.git).default_branch(), {})


def say_no_alarm(run: AppliedRun, one: Watched, limit: str) -> Iterator[str]:
    """Says on the incident's issue, and pages once in each of its cycles, that nobody is awake from here on -> what
    was done. Raises as the tracker and the ledger."""
    planned, name = run.planned, one.incident
    reason = f"No alarm clock from here on: it has had {limit}; notices may come late"
    result = page_once(planned.workspace, name, CAPPED, reason)
    sent = [delivered for delivered in result.delivered if delivered.planned.goes_out]
    errors = [delivered.error for delivered in sent if delivered.error and not isinstance(delivered.error, NotSetUp)]
    if sent:
        yield f"{name}: no alarm clock from here on, it has had {limit}"
    issue = tracking_issues(planned.desired, planned.observed).get(name)
    number = issue.number if issue else _number(run, name)
    if planned.github is not None and number:  # after the page, which waits for no issue
        planned.github.comment(number, CAPPED, no_alarm_comment(limit))
    for error in (*errors, *result.ledger_errors):
        raise error


def _number(run: AppliedRun, incident: str) -> int | None:
    """The number of a tracking issue that this run opened, or that the record names."""
    opened = {one.change.key: one.number for one in run.outcomes if one.change.opens_issue}
    record = run.planned.records.get(incident)
    return opened.get(incident) or (record.incident.links.tracking_issue if record else None)
