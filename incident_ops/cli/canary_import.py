"""`incident-ops canary import`."""

from __future__ import annotations

import re

import click

from incident_ops.cli.options import finish, format_option, workspace_of
from incident_ops.cli.terminal import page_width
from incident_ops.errors import UserError

_KINDS = ("prometheus", "datadog", "cloudwatch", "newRelic", "web")


@click.command("import")
@click.argument("file", type=click.Path())
@click.option("--output", "-o", metavar="GATE", help="Write the gate file here; its name is the gate's.")
@click.option("--name", metavar="NAME", help="The object that is meant, where the file has several.")
@click.option(
    "--datasource", "sources", metavar="[KIND=]NAME", multiple=True, help="What a data source is called here."
)
@click.option("--arg", "values", metavar="NAME=VALUE", multiple=True, help="The value of an argument, written out.")
@click.option("--force", is_flag=True, help="Write over a gate file that is there.")
@format_option
@click.pass_context
def import_gate_command(
    ctx: click.Context,
    /,
    file: str,
    output: str | None,
    name: str | None,
    sources: tuple[str, ...],
    values: tuple[str, ...],
    force: bool,
    form: str,
) -> None:
    """Turn an analysis of Argo Rollouts or Flagger into a gate file.

    FILE has an AnalysisTemplate or ClusterAnalysisTemplate, and the Rollout
    that uses it where there is one, or a Canary and its MetricTemplates, as
    `kubectl get -o yaml` or `helm template` print them. What became of each
    line is said: the same, not the same, or not taken over and the way on.
    Without --output the gate is printed, and the rest on the error stream.

    Exit codes: 0 all that the file checks is checked; 1 not all of it: what is
    missing is listed, in the gate file too; 2 the file cannot be used.

    \b
    Examples:
      incident-ops canary import analysis.yaml -o gates/checkout.yaml
      incident-ops canary import canary.yaml --datasource main \\
        --output gates/checkout.yaml
      incident-ops canary import analysis.yaml --name success-rate \\
        --arg service=checkout --format json
    """
    from incident_ops.app.canary_import import GateImport, import_gate
    from incident_ops.canary.migrate.gate import ImportWish
    from incident_ops.render.canary_import import import_json, import_report

    wish = ImportWish(name, _sources(sources), dict(_pair(value, "--arg") for value in values))
    made = import_gate(workspace_of(ctx), GateImport(file, output, wish, force))
    if form == "json":
        click.echo(import_json(made, output), nl=False)
    elif output is None:
        click.echo(import_report(made, output, page_width()), nl=False, err=True)
        click.echo(made.text, nl=False)
    else:
        click.echo(import_report(made, output, page_width()), nl=False)
    finish(made.exit_code)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise UserError(f"{option} {text!r} has no name and value", hint=f"{option} NAME=VALUE")
    return name, value


def _sources(texts: tuple[str, ...]) -> dict[str, str]:
    """Kind ("" for any) -> name. UserError for a kind or a name that cannot be one."""
    found = {}
    for text in texts:
        kind, _, name = text.rpartition("=")
        if kind and kind not in _KINDS:
            raise UserError(f"--datasource {text!r} names no kind of data source", hint=f"one of {', '.join(_KINDS)}")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name, re.ASCII):
            raise UserError(
                f"--datasource {text!r} names no data source", hint="letters, digits, dot, dash, underscore"
            )
        found[kind] = name
    return found
