"""`incident-ops canary run`, `plan`, `probe`, `replay` and `validate`; `import` is in `canary_import`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from incident_ops.canary.config import Analysis
from incident_ops.canary.run import Run, stage_of
from incident_ops.canary.threshold import SOURCE_TIMEOUT
from incident_ops.canary.verdict import JoinedVerdict
from incident_ops.cli.canary_import import import_gate_command
from incident_ops.cli.completion import complete_service
from incident_ops.cli.options import finish, format_option, must_say_something, workspace_of
from incident_ops.cli.sending import send_option
from incident_ops.cli.terminal import drop_output, page_width, paint
from incident_ops.deploy_gate.verdict import CONFIG_ERROR, INCONCLUSIVE
from incident_ops.domain.time import spell_duration
from incident_ops.errors import UserError
from incident_ops.extras import is_installed
from incident_ops.findings import Level
from incident_ops.render.canary import progress
from incident_ops.render.findings import inert, quiet, without_commands
from incident_ops.render.text import fold

if TYPE_CHECKING:
    from rich.live import Live as Table

    from incident_ops.canary.replay import CanaryOutcome
    from incident_ops.deploy_gate.verdict import Verdict


_FILE_OPTION = click.option("--file", "-f", "file", metavar="GATE", required=True, help="The gate file.")
_VALUES_OPTION = click.option(
    "--arg", "values", metavar="NAME=VALUE", multiple=True, help="A value that the gate's queries name."
)
_COMMANDS_OPTION = click.option(
    "--command", "commands", metavar="NAME=CMD", multiple=True, help="The command that the gate asks for by this name."
)
_HTML_OPTION = click.option("--html", "page", metavar="FILE", help="Write the run as a page with pictures here, too.")


@click.group()
def canary() -> None:
    """Is the new version worse than the old one? Evidence, not a threshold.

    \b
    Examples:
      incident-ops canary plan --baseline-rate 0.5% --rps 100 --share 10%
      incident-ops canary probe -f gates/checkout.yaml
      incident-ops canary run -f gates/checkout.yaml
    """


canary.add_command(import_gate_command)


@canary.command()
@_FILE_OPTION
@click.option("--service", "-s", shell_complete=complete_service, help="Ask first whether it may be deployed at all.")
@click.option("--environment", "-e", help="Where. Default: the policy's production environment.")
@click.option("--sha", help="The commit that is rolled out.")
@click.option("--records", metavar="WHERE", help="Where `gate check` reads the records. Default: here.")
@click.option("--trusted", metavar="LOGIN", multiple=True, help="Account whose gate.json is trusted, for `gate check`.")
@click.option("--passed", metavar="FILE", help="Commits that passed before, for `gate check`.")
@click.option("--requests", type=click.IntRange(min=0), help="Requests in the objective's window, for `gate check`.")
@_VALUES_OPTION
@_COMMANDS_OPTION
@click.option("--state", metavar="FILE", help="Keep what is known here after every tick; a re-run continues from it.")
@click.option("--step-state", metavar="FILE", help="The same, but end with each step: for pipelines with a job a step.")
@click.option("--continue", "carry_on", metavar="TIME", help="Continue the inconclusive run of --state for this long.")
@click.option("--watch", is_flag=True, help="After full rollout keep measuring, against the absolute limit.")
@click.option("--on-step", metavar="CMD", help="Run for each step; $INCIDENT_OPS_WEIGHT is its share of the traffic.")
@click.option("--on-pass", metavar="CMD", help="Run after a pass, e.g. the full rollout.")
@click.option("--on-fail", metavar="CMD", help="Run after a fail, e.g. the rollback.")
@click.option("--declare", is_flag=True, help="Declare an incident when it fails, or go on with the one it has.")
@click.option(
    "--deployment", type=click.IntRange(min=1), metavar="ID", help="Set the status of this deployment on GitHub, too."
)
@_HTML_OPTION
@click.option("--severity", metavar="LABEL", help="How bad that is. Default: triage by the share of the traffic.")
@send_option
@format_option
@click.pass_context
def run_command(
    ctx: click.Context, /, form: str, deployment: int | None, carry_on: str | None, page: str | None, **request: Any
) -> None:
    """Measure a canary live, step by step, until the verdict.

    Commands are run by `sh -c`, with facts only in INCIDENT_OPS_* variables.
    Roll back on everything but a pass, a crash included.

    Exit codes: 0 pass, or a person lets it through; 1 fail; 2 the gate cannot
    be used; 3 inconclusive or frozen; 4 the metric source or a command failed.

    \b
    Examples:
      incident-ops canary run -f gates/checkout.yaml
      incident-ops canary run -f gates/checkout.yaml -s checkout \\
        --sha $GITHUB_SHA --state canary.json --on-fail ./rollback.sh
      incident-ops canary run -f gates/checkout.yaml -s checkout \\
        --sha $GITHUB_SHA --on-fail ./rollback.sh --declare --send
      incident-ops canary run -f gates/checkout.yaml -s checkout \\
        --sha $GITHUB_SHA --state canary.json --continue 10m
      incident-ops canary run -f gates/checkout.yaml --html canary.html
    """
    from incident_ops.app.canary_page import begin_page, write_refused_page
    from incident_ops.app.canary_request import CanaryRequest
    from incident_ops.app.canary_run import run_canary, update_deployment, write_outputs

    # until the end, so that a job that is killed counts as one that did not pass
    write_outputs(INCONCLUSIVE, SOURCE_TIMEOUT, page)
    try:
        begin_page(page, request["file"])
        must_say_something(ctx.command, ctx.params)
        options: Mapping[str, Any] = ctx.find_root().obj
        if options["at"] is not None:
            raise UserError("a live run goes by the real clock", hint="leave out --at")
        workspace = workspace_of(ctx)
        longer = None if carry_on is None else _seconds(carry_on, "--continue")
        outcome = run_canary(workspace, CanaryRequest(**request, carry_on=longer), Progress())
    except UserError as error:
        _refused(form, page)
        write_refused_page(page, request["file"], error)
        raise
    service = request["service"]
    if deployment is not None and (why := update_deployment(workspace, deployment, service, outcome)) is not None:
        _log(quiet(f"warning: deployment {deployment} was not updated: {why}"))
    _report(outcome, form, _written_page(page, outcome))


@canary.command()
@click.argument("csv", type=click.Path())
@_FILE_OPTION
@_HTML_OPTION
@format_option
@click.pass_context
def replay_command(ctx: click.Context, csv: str, file: str, page: str | None, form: str) -> None:
    """Judge recorded counts by a gate, as if they came in live.

    The columns are t,canary_requests,canary_errors,baseline_requests,
    baseline_errors: a row a tick, t in seconds since the run began; rows up to
    0 are the baseline before it. For a slowRate metric: canary_slow and
    baseline_slow.

    \b
    Examples:
      incident-ops canary replay counts.csv -f gates/checkout.yaml
      incident-ops canary replay counts.csv -f gates/checkout.yaml \\
        --html canary.html
    """
    from incident_ops.app.canary_gate import replay_recording
    from incident_ops.app.canary_page import demand_page_name, write_page

    try:
        demand_page_name(page)
        outcome = replay_recording(workspace_of(ctx), csv, file)
    except UserError:
        _refused(form)
        raise
    write_page(page, outcome)
    _report(outcome, form, page)


@canary.command(short_help="What a service's traffic can decide, and a gate file for it.")
@click.option(
    "--baseline-rate",
    metavar="PERCENT",
    required=True,
    help="Errors, or slow requests, of the service today, e.g. 0.5%.",
)
@click.option("--rps", type=float, metavar="N", required=True, help="Requests a second of the whole service.")
@click.option("--slower-than", metavar="LATENCY", help="Compare slow requests instead of errors, e.g. 500ms.")
@click.option("--share", metavar="PERCENT", default="10%", show_default=True, help="The canary's share of them.")
@click.option("--ratio", type=float, default=2.0, show_default=True, help="How many times as bad is unacceptable.")
@click.option("--duration", metavar="TIME", default="10m", show_default=True, help="How long it may take.")
@click.option("--alpha", type=float, default=0.01, show_default=True, help="Chance of failing a good version.")
@click.option("--beta", type=float, default=0.05, show_default=True, help="Chance of passing a bad one.")
@click.option("--output", "-o", metavar="FILE", help="Write the gate file here; its name is the gate's.")
@click.option("--service", "-s", shell_complete=complete_service, help="Say whether its rollout may begin now, too.")
@click.option("--environment", "-e", help="Where. Default: the policy's production environment.")
@format_option
@click.pass_context
def plan_command(
    ctx: click.Context,
    /,
    baseline_rate: str,
    rps: float,
    slower_than: str | None,
    share: str,
    duration: str,
    output: str | None,
    service: str | None,
    environment: str | None,
    form: str,
    **wanted: float,
) -> None:
    """Say what a service's traffic can decide, and propose a gate file.

    Nine in ten runs have their answer in the times shown. What is printed is
    the gate file, with the figures as its comments. With a service the error
    stream says what holds it now, or would before such a run has ended.


    \b
    Examples:
      incident-ops canary plan --baseline-rate 0.5% --rps 10 --share 10%
      incident-ops canary plan --baseline-rate 0.5% --rps 10 -s checkout
      incident-ops canary plan --baseline-rate 2% --rps 50 --slower-than 500ms
      incident-ops canary plan --baseline-rate 0.5% --rps 100 \\
        --output gates/checkout.yaml
      incident-ops canary plan --baseline-rate 0.05% --rps 1000 --ratio 5 \\
        --duration 1h --format json
    """
    from incident_ops.app.canary_gate import gate_name, write_gate
    from incident_ops.canary.sizing import SizingRequest, Traffic, plan_traffic
    from incident_ops.render.canary_sizing import sizing_figures, sizing_json, sizing_text
    from incident_ops.render.gate import begin_lines
    from incident_ops.render.gate_draft import gate_seconds

    name = "latency" if output is None and slower_than is not None else gate_name(output)
    traffic = Traffic(_percent(baseline_rate, "--baseline-rate"), rps, _percent(share, "--share"))
    slower = None if slower_than is None else _latency(slower_than)
    request = SizingRequest(wanted["ratio"], wanted["alpha"], wanted["beta"], _seconds(duration, "--duration"), slower)
    plan = plan_traffic(traffic, request)
    deploy = None if service is None else _may_begin(ctx, service, environment, gate_seconds(plan))
    if output is not None:
        write_gate(output, sizing_text(plan, name=name))
    if form == "json":
        click.echo(sizing_json(plan, name, deploy), nl=False)
    elif output is None:
        click.echo(sizing_text(plan, page_width(), name), nl=False)
    else:
        click.echo("\n".join(sizing_figures(plan, page_width())))
        click.echo(f"Written to {inert(output)}. Put in your counters, and see what they find:")
        click.echo(f"  incident-ops canary probe -f {inert(output)}")
    if deploy is not None and form == "text":
        click.echo("\n".join(begin_lines(deploy, timedelta(seconds=gate_seconds(plan)))), err=True)


def _may_begin(ctx: click.Context, service: str, environment: str | None, seconds: int) -> Verdict:
    """What holds a rollout that begins now and takes so long."""
    from incident_ops.app.gate_check import GateRequest, check_gate

    return check_gate(workspace_of(ctx), GateRequest(service, environment, lead=timedelta(seconds=seconds)))


@canary.command(short_help="Check gate files.")
@click.argument("names", metavar="[GATE]...", nargs=-1, type=click.Path())
@click.option("--file", "-f", "files", metavar="GATE", multiple=True, help="A gate file. Default: all of gates/.")
@format_option
@click.pass_context
def validate_command(ctx: click.Context, names: tuple[str, ...], files: tuple[str, ...], form: str) -> None:
    """Check gate files: schema, conditions, queries, and data sources of the policy.

    Nothing is asked over the network. A note names each provider that was never
    run against the real service.

    \b
    Examples:
      incident-ops canary validate
      incident-ops canary validate gates/checkout.yaml
      incident-ops canary validate -f gates/checkout.yaml --format json
    """
    from incident_ops.app.canary_gate import GATES, check_gates, gate_files, unproven_providers
    from incident_ops.render import findings
    from incident_ops.render.findings_text import findings_text

    workspace = workspace_of(ctx)
    paths = list(dict.fromkeys((*names, *files))) or gate_files(workspace)
    if not paths:
        click.echo(f"No gate files yet below {workspace.root / GATES}.", err=True)
        return
    checked = check_gates(workspace, paths)
    every = [finding for gate in checked.values() for finding in gate.findings]
    click.echo(
        findings.to_json(every, len(paths)) if form == "json" else findings_text(every, len(paths), paint), nl=False
    )
    for provider, note in unproven_providers(checked):
        click.echo(f"note: provider {provider}: {note}", err=form == "json")
    finish(int(any(finding.level is Level.ERROR for finding in every)))


@canary.command()
@_FILE_OPTION
@_VALUES_OPTION
@_COMMANDS_OPTION
@format_option
@click.pass_context
def probe_command(
    ctx: click.Context, /, file: str, values: tuple[str, ...], commands: tuple[str, ...], form: str
) -> None:
    """Ask each query of a gate once, before any traffic moves.

    Shows what it finds, how old the newest sample is, how often there is one,
    and the canary's share; says what is empty, the same on both sides, swapped,
    or sampled too seldom. Nothing is rolled out, and no verdict is given.

    Exit codes: 0 the gate can be used; 1 a problem would keep it from a verdict;
    2 the gate or its data source cannot be used; 4 nothing was answered.

    \b
    Examples:
      incident-ops canary probe -f gates/checkout.yaml
      incident-ops canary probe -f gates/checkout.yaml --arg version=1.4.2 \\
        --format json
    """
    from incident_ops.app.canary_probe import ProbeRequest, probe_gate
    from incident_ops.render.canary_probe import probe_json, probe_text

    if ctx.find_root().obj["at"] is not None:
        raise UserError("a probe asks for what is there now", hint="leave out --at")
    request = ProbeRequest(file, values, commands)
    probe = probe_gate(workspace_of(ctx), request, lambda text: click.echo(quiet(text), err=True))
    click.echo(probe_json(probe) if form == "json" else probe_text(probe, page_width(), paint), nl=False)
    finish(probe.exit_code)


def _report(outcome: CanaryOutcome, form: str, page: str | None) -> None:
    """The verdict on the output, in the outputs and the summary of a workflow's step, and as exit code; `page` is the
    file with its pictures."""
    from incident_ops.app.canary_run import report_to_workflow
    from incident_ops.render.canary import to_json, to_text
    from incident_ops.render.canary_annotation import annotation

    if report_to_workflow(outcome, page):
        _log(annotation(outcome).rstrip("\n"))
    for line in outcome.notes if form == "json" else ():
        _log(quiet(line))
    shown = without_commands(to_text(outcome, page_width(), paint))
    click.echo(to_json(outcome) if form == "json" else shown, nl=False)
    if page is not None:
        click.echo(f"The run as a page: {inert(page)}", err=form == "json")
    finish(outcome.exit_code)


def _written_page(page: str | None, outcome: CanaryOutcome) -> str | None:
    """Writes the page of a run that has its verdict -> its file; a page that cannot be written changes no verdict."""
    from incident_ops.app.canary_page import write_page

    try:
        write_page(page, outcome)
    except Exception as error:  # whatever is wrong with a picture, it costs no verdict
        _log(quiet(f"warning: the page of the run was not written: {error}"))
        return None
    return page


def _refused(form: str, page: str | None = None) -> None:
    """What a question that cannot be asked leaves behind; its words are on the error stream."""
    from incident_ops.app.canary_run import write_outputs
    from incident_ops.render.gate import config_error

    write_outputs(INCONCLUSIVE, CONFIG_ERROR, page)
    if form == "json":
        click.echo(config_error(), nl=False)


def _percent(text: str, option: str) -> float:
    try:
        return float(text.strip().removesuffix("%")) / 100
    except ValueError as error:
        raise UserError(f"{option} {text!r} is not a percentage", hint="e.g. 0.5%") from error


def _seconds(text: str, option: str) -> float:
    from incident_ops.domain.time import duration

    try:
        return float(duration(text))
    except ValueError as error:
        raise UserError(f"{option} {text!r} is not a duration", hint="e.g. 10m, 1h30m") from error


def _latency(text: str) -> float:
    from incident_ops.domain.latency import to_latency

    try:
        seconds = to_latency(text)
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise UserError(f"--slower-than {text!r} is not a latency", hint="e.g. 500ms, 1.5s")
    return seconds


EVERY = 15.0
"""Seconds of the run between two lines in a log."""
LOG_WIDTH = 100
"""Columns of those lines at most."""


class Progress:
    """Shows on the error stream how a run goes."""

    def __init__(self) -> None:
        self._last = -EVERY
        self._table: Table | None = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and is_installed("terminal"):
            self._table = _begin_table()
        return self

    def __exit__(self, *error: object) -> None:
        if self._table is not None:
            self._table.transient = error[0] is None  # of a run that is broken off, the last figures stay
            self._table.stop()
            self._table = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Takes the table away while a command of the caller prints to the same terminal.

        It does not come back where the command fails: the run is then over.
        """
        if self._table is None:
            yield
            return
        self._table.stop()
        self._table = None
        yield
        self._table = _begin_table()

    def show(self, analysis: Analysis, run: Run, joined: JoinedVerdict) -> None:
        """The status of every metric."""
        weight = stage_of(analysis, run).weight
        share = f", {weight} %" if weight else ""
        head = f"{spell_duration(int(run.at))} of {spell_duration(int(run.horizon))}{share}"
        if run.held:
            head += f" (held for {spell_duration(int(run.held))}: the canary looks worse)"
        lines = [progress(metric) for metric in joined.metrics]
        if self._table is not None:
            from rich.text import Text

            self._table.update(Text("\n".join([head, *(f"  {line}" for line in lines)])), refresh=True)
        elif run.at - self._last >= EVERY or joined.is_final:
            self._last = run.at
            for line in lines:
                for row in fold(quiet(f"{head}: {line}"), rest="  ", width=LOG_WIDTH):
                    _log(row)

    def note(self, text: str) -> None:
        """A line that stays."""
        self.announce(f"note: {text}")

    def announce(self, text: str) -> None:
        """The same without a word before it."""
        if self._table is not None:
            self._table.console.print(inert(text), markup=False, highlight=False)
        else:
            _log(quiet(text))


def _log(line: str) -> None:
    """A line on the error stream; a run goes on where nobody takes it."""
    try:
        click.echo(line, err=True)
    except OSError:
        drop_output(sys.stderr)


def _begin_table() -> Table:
    """A new one each time: one that was stopped would be drawn over the lines that follow it."""
    from rich.console import Console
    from rich.live import Live as Table

    table = Table(console=Console(stderr=True), auto_refresh=False, transient=True)
    table.start()
    return table
