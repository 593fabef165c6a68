"""`incident-ops declare` and `triage`: the record of a new incident, from one line; its level, from answers."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from incident_ops.app.declare import DeclaredRecord, declare_record
from incident_ops.app.edit_record import check_services, clean, shown_path, who
from incident_ops.app.workspace import Workspace, demand_work_tree, moment
from incident_ops.cli.options import (
    answer_options,
    ask_triage,
    at_terminal,
    by_option,
    complete_service,
    format_option,
    say_notes,
    warn,
    with_repository,
)
from incident_ops.domain.incident import Triage
from incident_ops.domain.policy import LevelPolicy
from incident_ops.domain.triage import decide_level, triage_answers
from incident_ops.edits.declare import NO_ANSWERS, SOURCES, Declaration
from incident_ops.errors import UserError
from incident_ops.render.findings import inert, json_text


@click.command()
@click.argument("words", nargs=-1, metavar="[TITLE]")
@click.option(
    "--service",
    "-s",
    "services",
    multiple=True,
    shell_complete=complete_service,
    help="Affected service; may be repeated.",
)
@click.option("--severity", metavar="LABEL", help="How bad it is, in the policy's words.")
@click.option("--priority", metavar="LABEL", help="The same, for policies that go by priority.")
@click.option("--description", metavar="TEXT", help="What is known.")
@click.option("--started", metavar="WHEN", help="When the impact began: 10m (ago), an instant, or unknown.")
@click.option("--detected", metavar="WHEN", help="When it was noticed. Default: now.")
@click.option("--source", type=click.Choice([*SOURCES]), help="What noticed it.")
@click.option("--detail", metavar="TEXT", help="Which alert, ticket or dashboard; with --source.")
@click.option("--commander", metavar="WHO", help="The incident commander.")
@click.option("--drill", is_flag=True, help="This is an exercise.")
@answer_options
@by_option
@format_option
@with_repository
def declare(workspace: Workspace, form: str, by: str | None, **said: Any) -> None:
    """Declare an incident: one line, and its record is written.

    Without a label the triage answers decide it, and the rule that decided is
    shown. Questions are asked only at a terminal, for what is missing.

    \b
    Examples:
      incident-ops declare "Login fails" -s auth --severity SEV1
      incident-ops declare "Login fails" -s auth --users 60 --feature core
      incident-ops declare "Checkout is slow" -s api -s web --severity SEV2 \\
        --source alert --started 10m --commander @alice
    """
    workspace.judged_by  # noqa: B018  a policy that cannot be used is reported before anything is asked
    demand_work_tree(workspace)
    declaration = _declaration(workspace, said, ask=at_terminal() and form == "text")
    declared = declare_record(workspace, declaration, who(workspace, by))
    say_notes(declared.notes)
    if form == "json":
        click.echo(_json(declared), nl=False)
    else:
        _print(workspace, declared)


def _declaration(workspace: Workspace, said: dict[str, Any], *, ask: bool) -> Declaration:
    policy, services = workspace.judged_by
    given = {name: said[name] for name in Triage.__struct_fields__ if name in said}
    title, names = _title(said["words"]), said["services"]
    if not services:
        raise UserError("services.yaml names no service", hint='add one: services: {api: {owner: "@team"}}')
    missing = ["a title"] * (title is None) + ["--service NAME"] * (not names)
    if missing and not ask:
        hint = f'incident-ops declare "..." -s {next(iter(services))}'
        raise UserError(f"an incident needs {' and '.join(missing)}", hint=hint)
    while not title:
        title = click.prompt("What is broken, in the words of a user?", prompt_suffix=" ", err=True).strip()
    check_services(workspace, names)
    if not names:
        choice = click.Choice([*services])
        names = (click.prompt("Which service?", type=choice, prompt_suffix=" ", err=True),)
    answers = triage_answers(given)
    by_rules = ask and said[policy.drives] is None and answers == NO_ANSWERS
    if by_rules:
        answers = ask_triage()
    return _filled(workspace, said, title, names, answers, by_rules)


def _title(words: tuple[str, ...]) -> str | None:
    if len(words) > 1:
        hint = f"put it in quotes: incident-ops declare {shlex.quote(' '.join(words))} ..."
        raise UserError("one title is needed", hint=hint)
    return clean(words[0]) if words else None


def _filled(
    workspace: Workspace, said: dict[str, Any], title: str, names: tuple[str, ...], answers: Triage, by_rules: bool
) -> Declaration:
    if said["detail"] is not None and said["source"] is None:
        raise UserError("--detail goes with --source", hint=f"--source {'|'.join(SOURCES)}")
    return Declaration(
        title=title,
        services=tuple(names),
        severity=said["severity"],
        priority=said["priority"],
        description=clean(said["description"]),
        started=moment(said["started"], workspace.now, "--started", may_be_unknown=True),
        detected=moment(said["detected"], workspace.now, "--detected", may_be_unknown=True),
        source=said["source"],
        detail=said["detail"],
        answers=answers,
        by_rules=by_rules,
        drill=said["drill"],
        commander=said["commander"],
    )


def _json(declared: DeclaredRecord) -> str:
    incident, rule = declared.record.incident, declared.decision
    head = {"schema": 1, "incident": incident.id, "path": declared.record.path, "folder": declared.folder}
    level = {"state": incident.state, "severity": incident.severity, "priority": incident.priority}
    decided = {"rule": rule.rule_number if rule else None, "rule_text": rule.rule_text if rule else None}
    said = {"warnings": [*declared.warnings], "next": [*declared.next_steps]}
    return json_text({**head, **level, **decided, **said})


def _print(workspace: Workspace, declared: DeclaredRecord) -> None:
    incident, rule = declared.record.incident, declared.decision
    label = " ".join(filter(None, (incident.priority, incident.severity)))
    drill = ", a drill" if incident.drill else ""
    click.echo(f"{click.style(incident.id, bold=True)}: declared, {label}{drill}: {inert(incident.title)}")
    if rule and rule.level in (incident.priority, incident.severity):
        click.echo(f"  rule {rule.rule_number}: {inert(rule.rule_text)}")
        if rule.note:
            click.echo(f"  {inert(rule.note)}")
    click.echo(f"  folder: {shown_path(workspace, declared.folder)}")
    warn(declared.warnings)
    click.echo(f"  {declared.notice}")
    for step in declared.next_steps:
        click.echo(f"  next: {inert(step)}")


@click.command()
@answer_options
@format_option
@with_repository
def triage(workspace: Workspace, form: str, **answers: Any) -> None:
    """Answer the triage questions; get the level and the rule that decided. What is not known is left out.

    \b
    Examples:
      incident-ops triage --users 60 --feature core
      incident-ops triage --data-risk breach
      incident-ops triage --users 30 --feature secondary --format json
    """
    decision = decide_level(workspace.judged_by[0], triage_answers(answers))
    if form == "json":
        decided = {
            "level": decision.level,
            "major": decision.major,
            "rule": decision.rule_number,
            "rule_text": decision.rule_text,
        }
        click.echo(
            json_text(
                {"schema": 1, **decided, "assumed": decision.assumed, "worst": decision.worst, "note": decision.note}
            ),
            nl=False,
        )
        return
    major = f" and {decision.major}" if decision.major else ""
    click.secho(f"{decision.level}{major}", bold=True)
    click.echo(f"  rule {decision.rule_number}: {decision.rule_text}")
    for label in filter(None, (decision.level, decision.major)):
        for line in _meaning(workspace.judged_by[0].level(label)):
            click.echo(textwrap.fill(line, 80, initial_indent="  ", subsequent_indent="    "))
    if decision.assumed:
        click.echo("  assumed: the playbook leaves this case open, or an answer is missing")
    if decision.note:
        click.echo(textwrap.fill(decision.note, 80, initial_indent="  ", subsequent_indent="  "))


def _meaning(level: LevelPolicy | None) -> Iterator[str]:
    """What the policy says of a level: its definition, and examples of it."""
    if level is not None and level.definition:
        yield f"{level.id}: {level.definition}"
    if level is not None and level.examples:
        yield f"{level.id}, for example: {'; '.join(level.examples)}"
