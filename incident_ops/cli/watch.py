"""`incident-ops watch`: the alarm clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import (
    finish,
    format_choice,
    max_requests_option,
    plan_options,
    requests_option,
    with_repository,
)
from incident_ops.domain.time import duration
from incident_ops.domain.tracker import GITHUB
from incident_ops.errors import Stopped, UserError

if TYPE_CHECKING:
    from incident_ops.app.apply import AppliedRun
    from incident_ops.app.plan import PlanOptions


@click.command(short_help="Stay awake while an incident of the worst rank is open.")
@click.option("--for", "length", metavar="LENGTH", default="5h30m", show_default=True, help="At most so long.")
@click.option("--dry-run", is_flag=True, help="Show for whom it would be awake and what goes out next; do nothing.")
@max_requests_option
@requests_option
@format_choice(["text", "json", "github"], "Text for people, JSON for scripts, annotations for GitHub Actions.")
@with_repository
def watch(workspace: Workspace, length: str, dry_run: bool, form: str, **options: Any) -> None:
    """Stay awake while an incident of the worst rank is open, or a page is due soon.

    GitHub's schedule comes late at times; this does not wait for it. Once a
    minute it looks at the tip of the default branch, by git alone, and makes
    a run as `sla run` does when something comes due or the tip has moved. It
    ends where nobody has to be awake (policy `watch.ranks`, `watch.horizon`).

    In GitHub Actions (`watch.yml`) it hands itself on before its time is up,
    and ends at the minutes of policy `watch.minutes`: then it says so on the
    issue and pages once. Elsewhere it has no limit but --for.

    What fails is said and tried again a minute later. A signal ends it at
    once; what was sent is not sent again.

    \b
    Examples:
      incident-ops watch --dry-run
      incident-ops watch
      incident-ops watch --for 30m --format json
    """
    from incident_ops.render.watch import outlook_json, outlook_lines

    if dry_run:
        from incident_ops.app.alarm_clock import outlook_by_records

        outlook = outlook_by_records(workspace)
        text = outlook_json(outlook) if form == "json" else "".join(f"{line}\n" for line in outlook_lines(outlook))
        click.echo(text, nl=False)
        return
    asked = plan_options({"observed": None, "recreate": (), "no_notify": False, "tracker": GITHUB, **options})
    _stay_awake(workspace, asked, _seconds(length), form)


def _seconds(length: str) -> int:
    try:
        return duration(length)
    except ValueError as error:
        raise UserError(f"--for takes a length, not {length!r}", hint="e.g. 5h30m") from error


def _stay_awake(workspace: Workspace, asked: PlanOptions, seconds: int, form: str) -> None:
    """Ends with the code of the last run, a crash never forgotten; what is left for the next run is left to it."""
    import json

    from incident_ops.adapters.environment import Ticking, fenced
    from incident_ops.app.apply import worst_exit_code
    from incident_ops.app.watch import AlarmClock
    from incident_ops.app.watch_bell import WatchBell
    from incident_ops.cli.main import CRASHED
    from incident_ops.cli.running import problems, report_of
    from incident_ops.domain.time import stamp
    from incident_ops.render.findings import quiet

    ticking = Ticking()

    def say(line: str) -> None:
        text = f"{stamp(ticking.now())} {quiet(line)}\n"
        click.echo(fenced(text) if form == "github" else text, nl=False, err=form == "json")

    def ran(run: AppliedRun) -> None:
        for line in problems(run):
            say(line)

    bell = WatchBell(workspace, asked, report_of(form), ran)
    alarm = AlarmClock(bell, ticking, say)
    ended = alarm.watch(seconds)
    code = worst_exit_code({bell.code} - {Stopped.exit_code} | ({4} if alarm.failed else set()))
    code = CRASHED if alarm.crashed else code
    if form == "json":
        click.echo(json.dumps({"schema": 1, "at": stamp(ticking.now()), "ended": ended, "failed": bool(code)}))
    else:
        say(f"the alarm clock ends: {ended}")
    finish(code)
