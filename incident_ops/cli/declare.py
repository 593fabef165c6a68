"""`incident-ops declare`: the record of a new incident, from one line."""

from __future__ import annotations

import itertools
import os
import shlex
from typing import Any

import click

from incident_ops.adapters.files import write_in_new_folder
from incident_ops.app.edit_record import (
    at_terminal,
    by_option,
    checked,
    clean,
    must_have_happened,
    shown_path,
    warn,
    who,
)
from incident_ops.app.workspace import Workspace, moment, with_repository
from incident_ops.cli.options import answer_options, answered, ask_triage, complete_service, format_option
from incident_ops.domain.incident import Triage
from incident_ops.domain.record import Record
from incident_ops.edits.declare import (
    NO_ANSWERS,
    SOURCES,
    Declaration,
    Declared,
    candidates,
    channel_name,
    declare_incident,
    runbook,
)
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.policy import policy_digest
from incident_ops.records.store import INCIDENTS, record_path
from incident_ops.records.yaml_writer import to_yaml
from incident_ops.render.findings import inert, json_text

RECORD_HEADER = "# yaml-language-server: $schema=../../schemas/incident.schema.json"
ID_ATTEMPTS = 1000


@click.command()
@click.argument("words", nargs=-1, metavar="[TITLE]")
@click.option(
    "--service", "-s", "services", multiple=True, shell_complete=complete_service, help="What is hurt; repeat it."
)
@click.option("--severity", metavar="LABEL", help="How bad it is, in the policy's words.")
@click.option("--priority", metavar="LABEL", help="The same where the policy goes by priority.")
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
def declare(opened: Workspace, form: str, by: str | None, **said: Any) -> None:
    """Declare an incident: one line, and its record is written.

    Without a label the triage answers give it, and the rule that decided is
    told. Questions are asked only at a terminal, for what is missing.

    \b
    Examples:
      incident-ops declare "Login fails" -s auth --severity SEV1
      incident-ops declare "Login fails" -s auth --users 60 --feature core
      incident-ops declare "Checkout is slow" -s api -s web --severity SEV2 \\
        --source alert --started 10m --commander @alice
    """
    opened.judged_by  # noqa: B018  a policy that cannot be used is told before anything is asked
    if opened.store.revision:
        raise UserError("an old revision cannot be changed", hint="leave out --rev")
    declaration = _declaration(opened, said, ask=at_terminal() and form == "text")
    declared, record = _write(opened, declaration, who(opened, by))
    _tell(opened, declared, record, form)


def _declaration(opened: Workspace, said: dict[str, Any], *, ask: bool) -> Declaration:
    policy, services = opened.judged_by
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
    for name in names:
        if name not in services:
            raise UserError(f"service {name!r} is not in services.yaml", hint=did_you_mean(name, services))
    if not names:
        choice = click.Choice([*services])
        names = (click.prompt("Which service?", type=choice, prompt_suffix=" ", err=True),)
    answers = answered(given)
    by_rules = ask and said[policy.drives] is None and answers == NO_ANSWERS
    if by_rules:
        answers = ask_triage()
    return _filled(opened, said, title, names, answers, by_rules)


def _title(words: tuple[str, ...]) -> str | None:
    if len(words) > 1:
        hint = f"put it in quotes: incident-ops declare {shlex.quote(' '.join(words))} ..."
        raise UserError("one title is needed", hint=hint)
    return clean(words[0]) if words else None


def _filled(
    opened: Workspace, said: dict[str, Any], title: str, names: tuple[str, ...], answers: Triage, by_rules: bool
) -> Declaration:
    if said["detail"] is not None and said["source"] is None:
        raise UserError("--detail goes with --source", hint=f"--source {'|'.join(SOURCES)}")
    return Declaration(
        title=title,
        services=tuple(names),
        severity=said["severity"],
        priority=said["priority"],
        description=clean(said["description"]),
        started=moment(said["started"], opened.now, "--started", may_be_unknown=True),
        detected=moment(said["detected"], opened.now, "--detected", may_be_unknown=True),
        source=said["source"],
        detail=said["detail"],
        answers=answers,
        by_rules=by_rules,
        drill=said["drill"],
        commander=said["commander"],
    )


def _write(opened: Workspace, declaration: Declaration, by: str | None) -> tuple[Declared, Record]:
    """The record under the first id that nobody has."""
    must_have_happened(opened)
    policy = opened.judged_by[0]
    in_force = policy_digest(opened.setting.policy.resolved)
    for incident_id in itertools.islice(candidates(policy, opened.now, lambda: _every_id(opened)), ID_ATTEMPTS):
        path = record_path(incident_id)
        if os.path.lexists((opened.root / path).parent):
            continue
        declared = declare_incident(incident_id, declaration, policy, in_force, opened.now, by)
        raw = _spelled(declared.data)
        record = checked(opened, path, raw, None)
        if write_in_new_folder(opened.root / path, raw):
            return declared, record
    raise UserError(f"no id is free after {ID_ATTEMPTS} tries", where=INCIDENTS, hint="look at what fills this folder")


def _every_id(opened: Workspace) -> list[str]:
    folder = opened.root / INCIDENTS
    names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    return [*opened.catalogue.ids(), *names]


def _spelled(data: dict[str, Any]) -> bytes:
    try:
        return f"{RECORD_HEADER}\n{to_yaml(data)}".encode()
    except UnicodeEncodeError:
        raise UserError("a text has half a character in it", hint="type it again") from None


def _tell(opened: Workspace, declared: Declared, record: Record, form: str) -> None:
    """What R102 asks for: id, folder, four next steps."""
    policy, services = opened.judged_by
    incident = record.incident
    rule = declared.decision
    folder = record.path.rpartition("/")[0]
    steps = [
        f"incident-ops assign commander @who {incident.id}" if not incident.roles.commander else "",
        f"open the channel {channel_name(incident, policy)}",
        *(f"runbook of {name}: {runbook(name, services, policy)}" for name in incident.services),
        f'incident-ops update {incident.id} --internal "..."',
    ]
    steps = [step for step in steps if step]
    if form == "json":
        head = {"schema": 1, "incident": incident.id, "path": record.path, "folder": folder, "state": incident.state}
        level = {"severity": incident.severity, "priority": incident.priority}
        decided = {"rule": rule.rule_number if rule else None, "rule_text": rule.rule_text if rule else None}
        data = {**head, **level, **decided, "warnings": [*declared.warnings], "next": steps}
        click.echo(json_text(data), nl=False)
        return
    label = " ".join(filter(None, (incident.priority, incident.severity)))
    drill = ", a drill" if incident.drill else ""
    click.echo(f"{click.style(incident.id, bold=True)}: declared, {label}{drill}: {inert(incident.title)}")
    if rule and rule.level in (incident.priority, incident.severity):
        click.echo(f"  rule {rule.rule_number}: {inert(rule.rule_text)}")
        if rule.note:
            click.echo(f"  {inert(rule.note)}")
    click.echo(f"  folder: {shown_path(opened, folder)}")
    warn(declared.warnings)
    for step in steps:
        click.echo(f"  next: {inert(step)}")
