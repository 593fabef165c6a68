"""`incident-ops canary run`, `plan`, `replay` and `validate`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from incident_ops.app.workspace import must_say_something, open_repository
from incident_ops.canary.threshold import SOURCE_TIMEOUT
from incident_ops.cli.options import complete_service, finish, format_option, paint
from incident_ops.deploy_gate.verdict import CONFIG_ERROR, INCONCLUSIVE
from incident_ops.errors import UserError
from incident_ops.findings import Level

if TYPE_CHECKING:
    from incident_ops.canary.replay import CanaryOutcome


file_option = click.option("--file", "-f", "file", metavar="GATE", required=True, help="The gate file.")
_GATES = "gates"


@click.group()
def canary() -> None:
    """Is the new version worse than the old one? Evidence, not a threshold.

    \b
    Examples:
      incident-ops canary plan --baseline-rate 0.5% --rps 100 --share 10%
      incident-ops canary run -f gates/checkout.yaml
    """


@canary.command()
@file_option
@click.option("--service", "-s", shell_complete=complete_service, help="Ask first whether it may be deployed at all.")
@click.option("--environment", "-e", help="Where. Default: the policy's production environment.")
@click.option("--sha", help="The commit that is rolled out.")
@click.option("--records", metavar="WHERE", help="Where `gate check` reads the records. Default: here.")
@click.option("--passed", metavar="FILE", help="Commits that passed before, for `gate check`.")
@click.option("--arg", "values", metavar="NAME=VALUE", multiple=True, help="A value that the gate's queries name.")
@click.option("--state", metavar="FILE", help="Keep what is known here after every tick; a re-run goes on from it.")
@click.option("--step-state", metavar="FILE", help="The same, but end with each step: for pipelines with a job a step.")
@click.option("--watch", is_flag=True, help="After full rollout go on against the absolute limit.")
@click.option("--on-step", metavar="CMD", help="Run for each step; $INCIDENT_OPS_WEIGHT is its share of the traffic.")
@click.option("--on-pass", metavar="CMD", help="Run after a pass, e.g. the full rollout.")
@click.option("--on-fail", metavar="CMD", help="Run after a fail, e.g. the rollback.")
@click.option("--declare", is_flag=True, help="Declare an incident when it fails.")
@click.option("--deployment", type=click.IntRange(min=1), metavar="ID", help="Tell this deployment on GitHub, too.")
@click.option("--severity", metavar="LABEL", help="How bad that is. Default: triage by the share of the traffic.")
@format_option
@click.pass_context
def run_command(ctx: click.Context, /, file: str, form: str, deployment: int | None, **said: Any) -> None:
    """Measure a canary live, step by step, until the verdict.

    Commands are run by `sh -c`, with facts only in INCIDENT_OPS_* variables.
    Roll back on everything that is no pass, a crash included.

    Exit codes: 0 pass, or a person lets it through; 1 fail; 2 the gate cannot
    be used; 3 inconclusive or frozen; 4 the metric source or a command failed.

    \b
    Examples:
      incident-ops canary run -f gates/checkout.yaml
      incident-ops canary run -f gates/checkout.yaml -s checkout \\
        --sha $GITHUB_SHA --state canary.json --on-fail ./rollback.sh
    """
    from incident_ops.adapters.environment import set_outputs
    from incident_ops.app.canary_samples import read_gate
    from incident_ops.cli.canary_run import Rollout, RunOptions

    # what stands here until the end, so that a job that is killed has said no
    set_outputs({"verdict": INCONCLUSIVE, "reason-code": SOURCE_TIMEOUT})
    try:
        must_say_something(ctx.command, ctx.params)
        options: Mapping[str, Any] = ctx.find_root().obj
        if options["at"] is not None:
            raise UserError("a live run goes by the real clock", hint="leave out --at")
        opened = open_repository(dict(options))
        outcome = Rollout(ctx, opened, read_gate(file), RunOptions(**said)).outcome()
    except UserError:
        _refused(form)
        raise
    if deployment is not None:
        from incident_ops.app.canary_outcome import tell_deployment

        tell_deployment(opened, deployment, outcome)
    _report(outcome, form)


@canary.command()
@click.argument("csv", type=click.Path())
@file_option
@format_option
def replay_command(csv: str, file: str, form: str) -> None:
    """Judge recorded counts by a gate, as if they came in live.

    The columns are t,canary_requests,canary_errors,baseline_requests,
    baseline_errors: a row a tick, t in seconds since the run began; rows up to
    0 are the baseline before it.

    \b
    Examples:
      incident-ops canary replay counts.csv -f gates/checkout.yaml
    """
    from incident_ops.adapters.metrics.file import Row, read_counts
    from incident_ops.app.canary_samples import read_gate
    from incident_ops.canary.counters import counts
    from incident_ops.canary.replay import RecordedTick, replay_ticks

    def line(row: Row) -> RecordedTick:
        return RecordedTick(
            row.t,
            counts(row.canary_errors, row.canary_requests, "canary"),
            counts(row.baseline_errors, row.baseline_requests, "baseline"),
        )

    try:
        gate = read_gate(file)
        outcome = replay_ticks(gate.analysis, [line(row) for row in read_counts(csv)])
    except UserError:
        _refused(form)
        raise
    _report(outcome, form)


@canary.command()
@click.option("--baseline-rate", metavar="PERCENT", required=True, help="Errors of the service today, e.g. 0.5%.")
@click.option("--rps", type=float, metavar="N", required=True, help="Requests a second of the whole service.")
@click.option("--share", metavar="PERCENT", default="10%", show_default=True, help="The canary's share of them.")
@click.option("--ratio", type=float, default=2.0, show_default=True, help="How many times as bad is unacceptable.")
@click.option("--duration", metavar="TIME", default="10m", show_default=True, help="How long it may take.")
@click.option("--alpha", type=float, default=0.01, show_default=True, help="Chance of failing a good version.")
@click.option("--beta", type=float, default=0.05, show_default=True, help="Chance of passing a bad one.")
@format_option
def plan_command(baseline_rate: str, rps: float, share: str, duration: str, form: str, **wanted: float) -> None:
    """Tell what a service's traffic can decide, and propose a gate file.

    Nine in ten runs have their answer in the times told.

    \b
    Examples:
      incident-ops canary plan --baseline-rate 0.5% --rps 10 --share 10%
      incident-ops canary plan --baseline-rate 0.05% --rps 1000 --ratio 5 \\
        --duration 1h --format json
    """
    from incident_ops.canary.sizing import SizingRequest, Traffic, plan_traffic
    from incident_ops.render.canary_sizing import to_json, to_text

    traffic = Traffic(_percent(baseline_rate, "--baseline-rate"), rps, _percent(share, "--share"))
    found = plan_traffic(traffic, SizingRequest(wanted["ratio"], wanted["alpha"], wanted["beta"], _seconds(duration)))
    click.echo(to_json(found) if form == "json" else to_text(found), nl=False)


@canary.command()
@click.option("--file", "-f", "files", metavar="GATE", multiple=True, help="A gate file. Default: all of gates/.")
@format_option
@click.pass_context
def validate_command(ctx: click.Context, files: tuple[str, ...], form: str) -> None:
    """Check gate files: schema, conditions, queries, and data sources of the policy.

    Nothing is asked over the network. It is told which providers were never
    run against the real service.

    \b
    Examples:
      incident-ops canary validate
      incident-ops canary validate -f gates/checkout.yaml
    """
    from incident_ops.cli.canary_validate import check_files, unproven
    from incident_ops.render import findings

    opened = open_repository(ctx.find_root().obj)
    paths = list(files) or [os.path.relpath(path) for path in sorted((opened.root / _GATES).glob("*.yaml"))]
    if not paths:
        click.echo(f"No gate files yet below {opened.root / _GATES}.", err=True)
        return
    checked = check_files(opened, paths)
    found = [one for each in checked.values() for one in each.findings]
    click.echo(
        findings.to_json(found, len(paths)) if form == "json" else findings.to_text(found, len(paths), paint), nl=False
    )
    for told in unproven(checked):
        click.echo(told, err=form == "json")
    finish(int(any(one.level is Level.ERROR for one in found)))


def _report(outcome: CanaryOutcome, form: str) -> None:
    """The verdict on the output, in the outputs and the summary of a workflow's step, and as exit code."""
    from incident_ops.adapters.environment import add_to_summary, set_outputs, summary_size
    from incident_ops.render import canary as shown

    set_outputs(shown.to_outputs(outcome))
    if summary_size() is not None:
        add_to_summary(shown.canary_summary(outcome))
        click.echo(shown.annotation(outcome), err=True, nl=False)
    click.echo(shown.to_json(outcome) if form == "json" else shown.to_text(outcome), nl=False)
    finish(outcome.exit_code)


def _refused(form: str) -> None:
    """What a question that cannot be asked leaves behind; its words are on the error stream."""
    from incident_ops.adapters.environment import set_outputs
    from incident_ops.render.gate import config_error

    set_outputs({"verdict": INCONCLUSIVE, "reason-code": CONFIG_ERROR})
    if form == "json":
        click.echo(config_error(), nl=False)


def _percent(text: str, option: str) -> float:
    try:
        return float(text.strip().removesuffix("%")) / 100
    except ValueError as error:
        raise UserError(f"{option} {text!r} is no percentage", hint="e.g. 0.5%") from error


def _seconds(text: str) -> float:
    from incident_ops.domain.time import duration

    try:
        return float(duration(text))
    except ValueError as error:
        raise UserError(f"--duration {text!r} is no time", hint="e.g. 10m, 1h30m") from error
