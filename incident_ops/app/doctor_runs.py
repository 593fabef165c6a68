"""Whether what runs by itself does: workflows, their last runs, the heartbeat, the laid files, what they cost."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.statuspage import HOW_TO_SET, TOKEN_VARIABLE
from incident_ops.app.laid_files import DriftKind, drift
from incident_ops.app.run_cost import CountedCost
from incident_ops.domain.ports import WorkflowRun
from incident_ops.domain.run_cost import TICK, WATCH, WorkflowFile, cron_runs
from incident_ops.domain.time import spell_age, spell_duration
from incident_ops.notifications.alarm import is_alive, is_held
from incident_ops.render.findings import plural
from incident_ops.render.github_steps import ENVIRONMENT
from incident_ops.render.set_up import SetUpCheck, SetUpState

ERROR, WARNING, UNKNOWN, OK = SetUpState.ERROR, SetUpState.WARNING, SetUpState.UNKNOWN, SetUpState.OK
OURS = ("reconcile.yml", "validate.yml", "sla.yml", TICK, WATCH, "postmortem.yml", "doctor.yml")
"""The workflows of this product that are looked at."""
ACTIVE, INACTIVE = "active", "disabled_inactivity"
PASSED = ("success", "neutral", "skipped", "cancelled")
FREE_MINUTES = 2_000
"""The minutes that GitHub Free has in a month for all private repositories of an owner; other plans have more."""
LATE = timedelta(hours=26)
"""A day, and what GitHub's schedule was late in its worst weeks of a usual month."""


class WorkflowSeen(NamedTuple):
    """A workflow of ours: its state on GitHub ("" = GitHub knows none), and its newest runs."""

    file: WorkflowFile
    state: str
    runs: Sequence[WorkflowRun]


class Expected(NamedTuple):
    """What the records ask for now: that the tick is on, and that the alarm clock is awake."""

    ticks: bool
    watches: bool


def workflow_checks(name: str, seen: WorkflowSeen, now: datetime, expected: Expected | None) -> Iterator[SetUpCheck]:
    """Whether it is switched on where it has to be, and how its last runs ended; `expected` None = not known."""
    file = seen.file.file
    if not seen.state:
        text = f"GitHub does not know {file}: it is not on the default branch yet"
        yield SetUpCheck(file, WARNING, text, "merge the change that brings it")
        return
    yield from _switched(name, seen, expected)
    if file == WATCH and expected is not None and expected.watches and not is_alive(seen.runs, now):
        yield _nobody_awake(name, seen, now)
    yield from _last_runs(name, seen, now)


def _nobody_awake(name: str, seen: WorkflowSeen, now: datetime) -> SetUpCheck:
    file, text = seen.file.file, "an incident of the worst ranks is open, and no alarm clock is awake"
    if held := next((one for one in seen.runs if is_held(one, now)), None):
        text += (
            f": its run waits for somebody to let it go on, for {spell_age(int((now - held.began).total_seconds()))}"
        )
        way = f"approve it, and take the reviewers out of the environment {ENVIRONMENT}: Settings > Environments"
        return SetUpCheck(f"{file} runs", ERROR, text, way, (f"gh run view {held.id} --web --repo {name}",))
    way = "the next run starts it, if the minutes of policy watch.minutes are not used up; or start it"
    return SetUpCheck(f"{file} runs", WARNING, text, way, (f"gh workflow run {file} --repo {name}",))


def _switched(name: str, seen: WorkflowSeen, expected: Expected | None) -> Iterator[SetUpCheck]:
    file, way = seen.file.file, f"Actions > {seen.file.file} > Enable workflow"
    call = (f"gh workflow enable {file} --repo {name}",)
    if file == TICK and seen.state == ACTIVE and expected is not None and not expected.ticks:
        text = f"{file} is on, and nothing is due within a day: the next run switches it off"
        disable = f"gh workflow disable {file} --repo {name}"
        yield SetUpCheck(file, WARNING, text, f"Actions > {file} > Disable workflow", (disable,))
    elif seen.state == ACTIVE:
        yield SetUpCheck(file, OK, "it is switched on")
    elif seen.state == INACTIVE:
        yield SetUpCheck(file, ERROR, f"GitHub switched {file} off after 60 quiet days: its schedule rests", way, call)
    elif file == TICK:
        if expected is not None and expected.ticks:
            text = f"{file} is off, and something is due within a day: the next run switches it on"
            yield SetUpCheck(file, WARNING, text, way, call)
        else:
            yield SetUpCheck(file, OK, "it is off, as it is while nothing is due")
    else:
        yield SetUpCheck(file, ERROR, f"somebody switched {file} off", way, call)


def _last_runs(name: str, seen: WorkflowSeen, now: datetime) -> Iterator[SetUpCheck]:
    file = seen.file.file
    over = [one for one in seen.runs if one.is_over]
    a_month = sum(cron_runs(cron) for cron in seen.file.crons)
    runs_daily = a_month >= 28 and file not in (TICK, WATCH)
    if not over:
        if runs_daily:
            call = f"gh workflow run {file} --repo {name}"
            yield SetUpCheck(f"{file} runs", WARNING, f"{file} has never run to its end", "start it once", (call,))
        return
    last = over[0]
    age = spell_age(int((now - last.began).total_seconds()))
    if last.conclusion not in PASSED:
        text = f"its last run, {age} ago, ended with {last.conclusion or 'nothing'}"
        call = f"gh run view {last.id} --log-failed --repo {name}"
        yield SetUpCheck(f"{file} runs", ERROR, text, "read why", (call,))
    elif runs_daily and now - last.began > 2 * LATE:
        text = f"its last run was {age} ago, and it should run each day"
        call = f"gh workflow run {file} --repo {name}"
        yield SetUpCheck(
            f"{file} runs", ERROR, text, "start it; see githubstatus.com, and whether minutes are left", (call,)
        )
    else:
        yield SetUpCheck(f"{file} runs", OK, f"the last was {age} ago: {last.conclusion}")


def heartbeat_checks(complete: datetime | None, now: datetime, *, has_monitor: bool | None) -> Iterator[SetUpCheck]:
    """When the last complete run was, and whether something outside waits for the next; None: not known."""
    if complete is None:
        yield SetUpCheck("heartbeat", WARNING, "no complete run is noted yet", "start reconcile.yml once")
    else:
        age = now - complete
        text = f"the last complete run was {spell_duration(max(int(age.total_seconds()), 0))} ago"
        is_late = age > LATE
        way = "read the last runs of reconcile.yml" if is_late else ""
        yield SetUpCheck("heartbeat", ERROR if is_late else OK, text, way)
    if has_monitor is False:
        text = "nothing outside waits for the heartbeat: if everything stops, nobody hears of it"
        way = "give a monitor's address to the secret INCIDENT_OPS_HEARTBEAT_URL"
        yield SetUpCheck("monitor", WARNING, text, way)
    elif has_monitor:
        yield SetUpCheck("monitor", OK, "a monitor waits for the heartbeat")


def status_page_check(name: str, *, has_key: bool | None) -> SetUpCheck:
    """Whether runs may publish on the page of the policy; None: not known."""
    if has_key is None:
        return SetUpCheck("status-page", UNKNOWN, f"whether {TOKEN_VARIABLE} is set is not known", HOW_TO_SET)
    if has_key:
        return SetUpCheck("status-page", OK, "the key of the status page is there")
    text = f"nothing is published on the status page: {TOKEN_VARIABLE} is not set"
    call = shlex.join(["gh", "secret", "set", TOKEN_VARIABLE, "--env", ENVIRONMENT, "--repo", name])
    return SetUpCheck("status-page", ERROR, text, HOW_TO_SET, (call,))


_COUNTED = "`incident-ops doctor --cost` shows which"
_LAY = ("incident-ops init --github",)


def drift_checks(top: Path) -> Iterator[SetUpCheck]:
    """Whether the laid files are those of this release."""
    found = drift(top)
    if found is None:
        yield SetUpCheck("laid-files", UNKNOWN, "init --github never wrote files here, so which ones differ is unknown")
        return
    states = {DriftKind.MISSING: ERROR, DriftKind.OLDER: WARNING, DriftKind.PEOPLE: OK}
    for kind in DriftKind:
        paths = [one.path for one in found if one.kind is kind]
        if paths and kind is not DriftKind.PEOPLE:
            text = f"{kind.value}: {', '.join(paths)}"
            yield SetUpCheck(
                "laid-files", states[kind], text, "install the files of this release; people's edits stay", _LAY
            )
    waiting = [one.path for one in found if one.waits]
    if waiting:
        text = f"a new version waits beside {', '.join(waiting)}"
        yield SetUpCheck("laid-files", WARNING, text, "take over what you need from PATH.new, then remove that file")
    edited = sum(one.kind is DriftKind.PEOPLE for one in found)
    if len(found) == edited and not waiting:
        said = f", {plural(edited, 'file')} of them edited here" if edited else ""
        yield SetUpCheck("laid-files", OK, f"those of this release{said}")


def cost_check(counted: CountedCost, readers: str) -> SetUpCheck:
    """What the workflows cost in a private repository."""
    cost = counted.cost
    if readers == "public":
        return SetUpCheck("cost", OK, "a public repository is billed nothing")
    text = f"{cost.at_rest:,} billed minutes a month at rest, {cost.per_rank1:,} for an incident of rank 1"
    if counted.unread:
        names = ", ".join(one.file for one in counted.unread)
        return SetUpCheck("cost", WARNING, f"{text}; not counted: {names}", _COUNTED)
    if cost.at_rest + cost.per_rank1 > FREE_MINUTES:
        text += f"; GitHub Free has {FREE_MINUTES:,} for all private repositories of an owner"
        return SetUpCheck("cost", WARNING, text, f"{_COUNTED}; what changes it: docs/cost.md of incident-ops")
    return SetUpCheck("cost", OK, text)


def seen_workflows(
    files: Sequence[WorkflowFile], states: Mapping[str, str], runs: Mapping[str, Sequence[WorkflowRun]]
) -> list[WorkflowSeen]:
    """The workflows of ours that lie in the repository."""
    ours = (one for one in files if one.file in OURS)
    return [WorkflowSeen(one, states.get(one.file, ""), runs.get(one.file, ())) for one in ours]
