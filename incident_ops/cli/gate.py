"""`incident-ops gate check`, `gate wait` and `gate publish`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from incident_ops.adapters.environment import add_to_summary, set_outputs, summary_size
from incident_ops.app.gate_check import GateRequest, check_gate
from incident_ops.app.workspace import Workspace
from incident_ops.cli.completion import complete_incident, complete_service
from incident_ops.cli.options import (
    finish,
    format_option,
    inert_unread,
    must_say_something,
    no_records,
    print_edited,
    say_origin,
    with_repository,
    workspace_of,
)
from incident_ops.cli.terminal import page_width, painter
from incident_ops.deploy_gate.verdict import CONFIG_ERROR, HAS_NOT_ENDED, INCONCLUSIVE, Verdict
from incident_ops.domain.time_words import length_seconds
from incident_ops.errors import UserError
from incident_ops.render.findings import inert, quiet, without_commands
from incident_ops.render.gate import (
    VERDICT_COLOURS,
    config_error,
    to_json,
    to_text,
    verdict_annotation,
    verdict_outputs,
    verdict_summary,
)

if TYPE_CHECKING:
    from incident_ops.edits.freeze import OverrideRequest


@click.group()
def gate() -> None:
    """May this service be deployed now?

    \b
    Examples:
      incident-ops gate check --service auth
    """


@gate.command(short_help="Publish gate.json: what holds deploys.")
@click.option("--output", metavar="FILE", help="Write it there instead of publishing it.")
@click.option("--check", "only_check", is_flag=True, help="Publish nothing; exit 1 where it is to be published.")
@with_repository
def publish_command(workspace: Workspace, output: str | None, only_check: bool) -> None:
    """Publish gate.json: what holds deploys, for other repositories' pipelines.

    It is on branch incident-ops/public and is about HEAD's records. No title,
    no person, no restricted id is in it.

    \b
    Examples:
      incident-ops gate publish
      incident-ops gate publish --check || incident-ops gate publish
      incident-ops gate publish --output gate.json
    """
    from incident_ops.adapters.git_branches import GATE_BRANCH
    from incident_ops.app.gate_publish import current_state, publish, why_outdated, write_state

    state = current_state(workspace)
    if state is None:
        click.echo("services.yaml names no service, so there is no gate to publish")
    elif only_check:
        why = why_outdated(workspace, state)
        status = f"to be published: {inert(why)}" if why else "current"
        click.echo(f"gate.json on branch {GATE_BRANCH} is {status}")
        finish(int(bool(why)))
    elif output is not None:
        write_state(state, Path(output))
        click.echo(f"gate.json of {len(state.services)} services written to {inert(output)}")
    else:
        done = publish(workspace, state)
        status = "published" if done else "a newer one is published already, it stays"
        click.echo(f"gate.json on branch {GATE_BRANCH}: {status}")


def _question(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options of the question whether a service may be deployed."""
    options = (
        click.argument("name", metavar="[SERVICE]", required=False, shell_complete=complete_service),
        click.option(
            "--service",
            "-s",
            shell_complete=complete_service,
            help="The service to deploy, if not given as the argument.",
        ),
        click.option("--environment", "-e", help="Where. Default: the policy's production environment."),
        click.option(
            "--sha", help="The commit to deploy. One that passed before is never held; an override is for one commit."
        ),
        click.option(
            "--records",
            metavar="WHERE",
            help="A folder, URL@BRANCH, or a gate.json (file or URL). Default: what is merged here.",
        ),
        click.option(
            "--trusted",
            metavar="LOGIN",
            multiple=True,
            help="Account whose published gate.json is trusted. Default: github-actions[bot].",
        ),
        click.option(
            "--passed", metavar="FILE", help="Commits that passed before: SHA [SERVICE ENVIRONMENT], one per line."
        ),
        click.option(
            "--requests", type=click.IntRange(min=0), help="Requests in the objective's window, where it counts them."
        ),
        format_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@gate.command()
@_question
@click.option(
    "--fixes",
    metavar="INC",
    shell_complete=complete_incident,
    help="This deploy fixes INC; only its commander may say so.",
)
@click.option("--by", metavar="WHO", help="Who is asking, outside a workflow: @handle or a name.")
@click.pass_context
def check_command(ctx: click.Context, /, form: str, name: str | None, service: str | None, **options: Any) -> None:
    """Ask whether a service may be deployed now.

    Held by an open incident on it or on what it needs, a maintenance window,
    a freeze, the hours for deploys, a spent error budget.

    The tip of the remote's default branch answers, whatever is checked out;
    without a remote the last commit does. `--rev origin/main` answers as of
    what was last fetched.

    Exit codes: 0 nothing holds, or a person lets it through; 2 the question is
    wrong; 3 held (frozen) or unknown (inconclusive).

    \b
    Examples:
      incident-ops gate check --service auth
      incident-ops gate check auth
      incident-ops gate check -s auth --sha $GITHUB_SHA --format json
      incident-ops gate check -s auth --sha $GITHUB_SHA --fixes INC-12
      incident-ops gate check -s auth \\
        --records https://github.com/acme/incidents@incident-ops/public
    """
    _begin()
    try:
        must_say_something(ctx.command, ctx.params)
        asked = _service(ctx, name, service)
        workspace = workspace_of(ctx)

        def show_source(records: Workspace) -> None:
            if records is not workspace:
                say_origin(ctx, records)
            if not records.catalogue.count():
                no_records(records)

        verdict = check_gate(workspace, GateRequest(service=asked, **options), _record_fix, show_source)
    except UserError:
        _refused(form)
        raise
    _show_verdict(verdict, form)


@gate.command(short_help="Wait until a service may be deployed.")
@_question
@click.option("--for", "length", metavar="LENGTH", default="30m", show_default=True, help="How long: 30m, 2h.")
@click.pass_context
def wait_command(
    ctx: click.Context, /, form: str, name: str | None, service: str | None, length: str, **options: Any
) -> None:
    """Wait until a service may be deployed: the same question, asked every 30 s.

    Ends at once when nothing holds, and else when the time is up, with the
    answer and the exit code of `gate check`. What holds is said on the error
    stream whenever it changes.

    \b
    Examples:
      incident-ops gate wait --service auth
      incident-ops gate wait auth --sha $GITHUB_SHA --for 2h && ./deploy.sh
    """
    from incident_ops.adapters.environment import Ticking
    from incident_ops.app.gate_wait import wait_for_gate

    _begin()
    try:
        must_say_something(ctx.command, ctx.params)
        asked = _service(ctx, name, service)
        if ctx.find_root().obj["at"] is not None:
            raise UserError("waiting goes by the real clock", hint="leave out --at")
        seconds = _seconds(length)
        request = GateRequest(service=asked, **options)
        verdict = wait_for_gate(workspace_of(ctx), request, seconds, Ticking(), _say_waiting)
    except UserError:
        _refused(form)
        raise
    _show_verdict(verdict, form)


def _seconds(length: str) -> int:
    """UserError for anything but a length of time."""
    try:
        return length_seconds(length)
    except ValueError as error:
        raise UserError(f"--for {inert(length)!r} is not a length of time", hint="e.g. 30m, 2h") from error


def _say_waiting(verdict: Verdict, until: datetime) -> None:
    named = [hold.id or hold.reason_code for hold in verdict.holds]
    what = ", ".join(named or [record.path for record in verdict.unread] or verdict.notes[:1])
    at = "" if verdict.at is None else f"{verdict.at:%H:%M:%S} "
    text = f"{at}{verdict.verdict} ({verdict.reason_code}): {what}; asking again until {until:%H:%M:%S} UTC"
    click.echo(quiet(text), err=True)


def _begin() -> None:
    """In a workflow the step has said no until it ends, so that a job that is killed has not said yes."""
    _set_outputs(INCONCLUSIVE, HAS_NOT_ENDED)


def _refused(form: str) -> None:
    """What a question that cannot be asked leaves behind; its words are on the error stream."""
    _set_outputs(INCONCLUSIVE, CONFIG_ERROR)
    if form == "json":
        click.echo(config_error(), nl=False)


def _set_outputs(verdict: str, reason_code: str) -> None:
    set_outputs({"verdict": verdict, "reason-code": reason_code, "incident-id": "", "report": ""})


def _show_verdict(verdict: Verdict, form: str) -> None:
    """The verdict on the output, in the outputs and the summary of a workflow's step, and as exit code."""
    set_outputs(verdict_outputs(verdict))
    if summary_size() is not None:
        add_to_summary(verdict_summary(verdict))
        if verdict.exit_code:
            click.echo(verdict_annotation(verdict), err=True, nl=False)
    shown = without_commands(to_text(_inert(verdict), painter(VERDICT_COLOURS), page_width()))
    click.echo(to_json(verdict) if form == "json" else shown, nl=False)
    finish(verdict.exit_code)


def _service(ctx: click.Context, name: str | None, option: str | None) -> str:
    """The service that is asked about. UsageError where none is, UserError where two are."""
    if name is not None and option is not None and name != option:
        raise UserError(f"one service is asked about, not {name} and {option}", hint="ask once for each")
    if (asked := option if name is None else name) is None:
        raise click.MissingParameter(ctx=ctx, param=next(one for one in ctx.command.params if one.name == "service"))
    return asked


def _inert(verdict: Verdict) -> Verdict:
    """The verdict as it may be shown on a terminal."""
    notes = tuple(inert(note) for note in verdict.notes)
    return replace(verdict, unread=inert_unread(verdict.unread), notes=notes)


def _record_fix(workspace: Workspace, incident: str, override: OverrideRequest) -> None:
    """Writes the override of a fix into its incident's record; the output belongs to the verdict."""
    from incident_ops.app.planned_changes import override_record

    print_edited(override_record(workspace, incident, workspace.now, override), "text", err=True)
