"""`incident-ops runbook list | show | lint | run | new`."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import click

from incident_ops.app.runbooks import (
    FoundRunbook,
    MissingRunbook,
    find_runbook,
    lint_runbooks,
    list_runbooks,
    new_runbook,
)
from incident_ops.app.workspace import Workspace
from incident_ops.cli.completion import complete_incident, complete_service
from incident_ops.cli.options import (
    WordChoice,
    at_terminal,
    by_option,
    finish,
    format_option,
    pick_one,
    print_written,
    say_notes,
    warn,
    with_repository,
)
from incident_ops.cli.terminal import page_width, paint, painter, prompt, say, say_listed
from incident_ops.errors import UserError
from incident_ops.findings import Level
from incident_ops.render import findings
from incident_ops.render.findings import plural
from incident_ops.render.runbook_starters import starter_names
from incident_ops.render.runbooks import (
    RUNBOOK_COLOURS,
    before_line,
    by_hand_command,
    dry_run_text,
    end_lines,
    list_json,
    list_text,
    outcome_lines,
    recorded_in_line,
    runbook_json,
    runbook_text,
    step_lines,
)

if TYPE_CHECKING:
    from incident_ops.app.runbook_run import RunbookRun
    from incident_ops.runbooks.progress import StepOutcome
    from incident_ops.runbooks.reading import RunbookStep


@click.group()
def runbook() -> None:
    """What to do when a service fails, step by step: Markdown beside the records.

    Headings and list items are the steps, `sh` fences their commands.

    \b
    Examples:
      incident-ops runbook show auth
      incident-ops runbook run auth --execute
      incident-ops runbook new auth --from rollback
    """


@runbook.command("list")
@format_option
@with_repository
def list_command(workspace: Workspace, form: str) -> None:
    """List the services and their runbooks.

    \b
    Examples:
      incident-ops runbook list
    """
    rows = list_runbooks(workspace)
    click.echo(list_json(rows) if form == "json" else list_text(rows, page_width()), nl=False)


@runbook.command("show")
@click.argument("name", metavar="SERVICE|PATH", shell_complete=complete_service)
@format_option
@with_repository
def show_command(workspace: Workspace, name: str, form: str) -> None:
    """Show the steps in order.

    Exit code 1 when there is no such runbook; those that exist are listed.

    \b
    Examples:
      incident-ops runbook show auth
      incident-ops runbook show runbooks/auth-database.md
    """
    found = _found(find_runbook(workspace, name))
    _say_late(workspace, found)
    if form == "json":
        click.echo(runbook_json(found.runbook, found.service), nl=False)
    else:
        click.echo(runbook_text(found.runbook, painter(RUNBOOK_COLOURS), page_width()), nl=False)


@runbook.command("lint")
@click.argument("name", metavar="[SERVICE|PATH]", required=False, shell_complete=complete_service)
@format_option
@with_repository
def lint_command(workspace: Workspace, name: str | None, form: str) -> None:
    """Check one runbook, or all.

    Owner and review date, steps that say nothing, fences that are not run; as
    notes: the order of an investigation, and usual failures that are missing.
    Errors end with exit code 1; a review that is late never is one.

    \b
    Examples:
      incident-ops runbook lint
      incident-ops runbook lint auth --format json
    """
    from incident_ops.render.findings_text import findings_text

    linted = lint_runbooks(workspace, name)
    if isinstance(linted, MissingRunbook):
        _end_missing(linted)
        return
    found, files = linted
    if form == "json":
        click.echo(findings.to_json(found, files), nl=False)
    else:
        click.echo(findings_text(found, files, paint, width=page_width()), nl=False)
    finish(int(any(one.level is Level.ERROR for one in found)))


@runbook.command("new")
@click.argument("service", metavar="SERVICE", shell_complete=complete_service)
@click.option("--from", "kind", type=click.Choice(starter_names()), required=True, help="What it is for.")
@click.option("--output", metavar="PATH", help="Where it is written. Default: where the service's runbook is.")
@format_option
@with_repository
def new_command(workspace: Workspace, service: str, kind: str, output: str | None, form: str) -> None:
    """Write a first runbook, to be filled with your own commands.

    \b
    Examples:
      incident-ops runbook new auth --from rollback
      incident-ops runbook new auth --from database --output runbooks/auth-db.md
    """
    print_written(new_runbook(workspace, service, kind, output), form)


@runbook.command("run")
@click.argument("name", metavar="SERVICE|PATH", shell_complete=complete_service)
@click.option("--execute", is_flag=True, help="Run it, asking at each step. Without it nothing is run.")
@click.option(
    "--incident",
    metavar="INC",
    shell_complete=complete_incident,
    help="Whose timeline gets the steps. Default: the open incident on the service.",
)
@click.option("--step", "begin_at", type=click.IntRange(1), metavar="N", help="Begin at this step, whatever was done.")
@by_option
@with_repository
def run_command(
    workspace: Workspace, name: str, execute: bool, incident: str | None, begin_at: int | None, by: str | None
) -> None:
    """Go through a runbook: by default only say what would be run.

    With --execute each step is shown and asked about at the terminal: run,
    skip or stop. It goes into the timeline of the incident, without passwords
    and tokens. A step that fails stops the run with exit code 4. Run it again
    to go on behind the last finished step, also after a crash.

    \b
    Examples:
      incident-ops runbook run auth
      incident-ops runbook run auth --execute
      incident-ops runbook run auth --execute --incident 120500 --step 3
    """
    found = _found(find_runbook(workspace, name))
    if found.warning:
        warn([found.warning])
    _say_late(workspace, found)
    if execute:
        _execute(workspace, found, incident, by, begin_at)
        return
    from incident_ops.app.runbook_run import progress_so_far

    chosen = _incident(workspace, found, incident, asks=False)
    progress = progress_so_far(workspace, found.runbook, chosen)
    way = f"{_again(found)} --incident {incident}" if incident else _again(found)
    click.echo(dry_run_text(found.runbook, progress, way, painter(RUNBOOK_COLOURS), page_width()), nl=False)


def _say_late(workspace: Workspace, found: FoundRunbook) -> None:
    from incident_ops.runbooks.checks import late_review

    if late := late_review(found.runbook, workspace.now.date()):
        warn([f"{found.runbook.path}: {late}"])


def _execute(
    workspace: Workspace, found: FoundRunbook, incident: str | None, by: str | None, begin_at: int | None
) -> None:
    from incident_ops.app.runbook_run import demand_executable, execute_runbook, progress_so_far

    demand_executable(workspace, found.runbook, begin_at)
    if not at_terminal():
        hint = "without --execute it says what would be run"
        raise UserError("--execute asks at each step, and here nobody can be asked", hint=hint)
    chosen = _incident(workspace, found, incident)
    _say_where(workspace, found, chosen, is_named=incident is not None)
    done = [one for one in progress_so_far(workspace, found.runbook, chosen).steps.values() if one.is_finished]
    if done and begin_at is None:
        steps = plural(len(found.runbook.steps), "step")
        last = max(one.at for one in done)
        when = f", the last at {last}" if last else ""
        say_notes([f"{len(done)} of {steps} done before{when}; from the beginning: --step 1"])
    talk = _Talk(found, chosen)
    _say_end(execute_runbook(workspace, found, chosen, by, talk, begin_at), found)


def _say_where(workspace: Workspace, found: FoundRunbook, chosen: str | None, *, is_named: bool) -> None:
    """Says which record gets the steps, and asks where it may be the wrong one. UserError where it is."""
    from incident_ops.app.runbook_record import open_elsewhere, recording_place

    if chosen is None:
        others = open_elsewhere(workspace)
        near = f"; open elsewhere: {', '.join(others)} (--incident {others[0]})" if others else ""
        say_notes([f"no incident is open on it: what is done is written into no record{near}"])
        return
    place = recording_place(workspace, chosen, found.service, is_named=is_named)
    say_notes([recorded_in_line(place.record.incident, workspace.judged_by[0])])
    warn(place.doubts)
    if place.doubts and not click.confirm(f"Record in {chosen}?", err=True):
        raise UserError("nothing was run, nothing recorded", hint="name the incident: --incident INC")


def _say_end(run: RunbookRun, found: FoundRunbook) -> None:
    if run.step is None:
        for line in end_lines():
            click.echo(line)
        return
    again = _again(found)
    if run.outcome is None:
        say(f"stopped before step {run.step.number}; to go on: {again}")
        return
    was_interrupted = run.outcome.outcome == "interrupted"
    what = "was interrupted" if was_interrupted else "failed"
    say(f"step {run.step.number} {what}: the runbook stops here", word="error", colour="red")
    say(f"to run that step again and go on: {again}", first="  ")
    finish(130 if was_interrupted else 4)


def _again(found: FoundRunbook) -> str:
    return f"incident-ops runbook run {found.service or found.runbook.path} --execute"


def _incident(workspace: Workspace, found: FoundRunbook, asked: str | None, *, asks: bool = True) -> str | None:
    """The incident whose record is written: the one that is named, else the open one on the service; None without.

    Of several a terminal `asks` which; else None is said to be enough for now.
    """
    from incident_ops.app.edit_record import find_record
    from incident_ops.app.runbook_run import incidents_on

    if asked is not None:
        return find_record(workspace, asked).split("/")[-2]
    open_ones = incidents_on(workspace, found.service) if found.service else []
    if not open_ones and workspace.unread:
        say_notes(
            [f"{plural(len(workspace.unread), 'record')} could not be read, and may be the one: name it by --incident"]
        )
    if len(open_ones) > 1 and not asks:
        names = ", ".join(one.incident.id for one in open_ones)
        say_notes([f"{len(open_ones)} incidents are open on {found.service} ({names}): name one by --incident"])
        return None
    return pick_one(workspace, open_ones) if open_ones else None


def _found(found: FoundRunbook | MissingRunbook) -> FoundRunbook:
    if isinstance(found, MissingRunbook):
        _end_missing(found)
    assert isinstance(found, FoundRunbook)  # noqa: S101 - the line above ends the command
    return found


def _end_missing(missing: MissingRunbook) -> None:
    say(f"{missing.message} ({missing.hint})", word="error", colour="red")
    say("Runbooks that exist:")
    say_listed(missing.lines)
    finish(1)


class _Talk:
    """The person at the terminal."""

    def __init__(self, found: FoundRunbook, incident: str | None) -> None:
        self._found, self._incident = found, incident

    def ask(self, step: RunbookStep, before: StepOutcome | None) -> str:
        """Shows a step and asks; Ctrl-C at the question stops."""
        from incident_ops.app.runbook_run import GO, SKIP, STOP

        click.echo()
        for line in step_lines(step, len(self._found.runbook.steps), painter(RUNBOOK_COLOURS), page_width()):
            click.echo(line)
        if before is not None:
            say(before_line(before), word="note", colour="cyan")
        yes = "run" if step.commands else "done"
        words = {yes: GO, "skip": SKIP, "stop": STOP}
        choice = WordChoice([*words], lambda typed: _whole_word(typed, words))
        with contextlib.suppress(click.Abort):
            answer: str = prompt("Run it?" if step.commands else "Is it done?", kind=choice, prompt_suffix=" ")
            return words[answer]
        click.echo(err=True)
        return STOP

    def show(self, piece: bytes) -> None:
        """What a command prints."""
        sys.stdout.buffer.write(piece)
        sys.stdout.flush()

    def ended(self, step: RunbookStep, outcome: StepOutcome) -> None:
        """What became of a step."""
        for line in outcome_lines(step, outcome):
            say(line, first="  ")

    def unrecorded(self, step: RunbookStep, outcome: StepOutcome, *, is_kept: bool) -> None:
        """That an outcome did not reach the timeline, and how it will."""
        if self._incident is None:
            return
        missing = f"step {step.number} is not in the timeline of {self._incident}"
        way = f", and nothing here keeps it; once the error below is mended: {self._by_hand(step, outcome)}"
        if is_kept:
            again = f"{_again(self._found)} --incident {self._incident}"
            way = f" yet; once the error below is mended, the next run records it first: {again}"
        say(f"{missing}{way}", word="warning", colour="yellow")

    def _by_hand(self, step: RunbookStep, outcome: StepOutcome) -> str:
        return by_hand_command(self._found.runbook, step, outcome, self._incident or "")


def _whole_word(typed: str, words: dict[str, Any]) -> str | None:
    """The only word that begins as what was typed."""
    near = [word for word in words if typed and word.startswith(typed.casefold())]
    return near[0] if len(near) == 1 else None
