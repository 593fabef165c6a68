"""`incident-ops declare` and `triage`: the record of a new incident, from one line; its level, from answers."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import click

from incident_ops.app.declare import DeclaredRecord, declare_once, similar_lines, similar_open
from incident_ops.app.edit_record import (
    check_services,
    clean,
    edit_record,
    find_record,
    read_for_edit,
    shown_path,
    undo_command,
    who,
)
from incident_ops.app.workspace import Workspace, caught_up, demand_work_tree, must_have_come
from incident_ops.cli.completion import complete_person, complete_priority, complete_service, complete_severity
from incident_ops.cli.options import (
    at_terminal,
    by_option,
    finish,
    finish_edit,
    format_option,
    incident_argument,
    past_time,
    say_notes,
    warn,
    warn_of_guess,
    with_repository,
    with_repository_to_write,
)
from incident_ops.cli.sending import print_data, record_options, send_now, send_option, send_or_say
from incident_ops.cli.terminal import page_width, prompt, say
from incident_ops.cli.triage_options import answer_options, answers_typed, ask_triage
from incident_ops.domain.incident import Incident, Triage
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import HIDDEN, title_of
from incident_ops.domain.ticket import is_ticket, kind_of
from incident_ops.domain.time import parse_instant
from incident_ops.domain.triage import (
    decide_level,
    is_any_answered,
    rules_by_tier,
    triage_answers,
    worst_tier,
)
from incident_ops.edits.declare import NO_ANSWERS, SOURCES, Declaration
from incident_ops.edits.step import Step
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
@click.option(
    "--severity", metavar="LABEL", shell_complete=complete_severity, help="How bad it is, in the policy's words."
)
@click.option(
    "--priority",
    metavar="LABEL",
    shell_complete=complete_priority,
    help="The same, for policies that go by priority.",
)
@click.option("--description", metavar="TEXT", help="What is known.")
@click.option(
    "--started",
    metavar="WHEN",
    help="When the impact began: 10m (ago), 02:56, yesterday 14:00, an instant, or unknown.",
)
@click.option("--detected", metavar="WHEN", help="When it was noticed. Default: now.")
@click.option(
    "--declared",
    metavar="WHEN",
    help="When it was declared, if you write it up later: --started and --detected are read as on that day.",
)
@click.option("--source", type=click.Choice([*SOURCES]), help="What noticed it.")
@click.option("--detail", metavar="TEXT", help="Which alert, ticket or dashboard; with --source.")
@click.option("--commander", metavar="WHO", shell_complete=complete_person, help="The incident commander.")
@click.option("--bridge", metavar="TEXT", help="Where people talk: a call, an address.")
@click.option("--channel", metavar="TEXT", help="The incident's chat channel.")
@click.option("--tag", "tags", metavar="WORD", multiple=True, help="A word to find it by; may be repeated.")
@click.option("--drill", is_flag=True, help="This is an exercise.")
@click.option(
    "--key",
    metavar="TEXT",
    help="For programs: what this is declared under, e.g. a run. An open incident of this key is not declared again.",
)
@answer_options
@by_option
@send_option
@format_option
@with_repository_to_write
def declare(workspace: Workspace, form: str, by: str | None, send: bool, **said: Any) -> None:
    """Declare an incident: one line, and its record is written.

    Without a label the triage answers decide it, and the rule that decided is
    shown. Questions are asked only at a terminal, for what is missing. A level
    that declares no incident makes a ticket.

    \b
    Examples:
      incident-ops declare "Login fails" -s auth --severity SEV1 --send
      incident-ops declare "Login fails" -s auth --users 60 --feature core
      incident-ops declare "Checkout is slow" -s api -s web --severity SEV2 \\
        --source alert --started 10m --commander @alice
      incident-ops declare "Login failed" -s auth --severity SEV1 \\
        --declared 2025-01-26T12:05:00Z --started 12:00
      incident-ops declare "Nightly import failed" -s api --severity SEV3 \\
        --key "acme/jobs/import 2025-01-26" --send
    """
    workspace.judged_by  # noqa: B018  a policy that cannot be used is reported before anything is asked
    demand_work_tree(workspace)
    declaration = _declaration(workspace, said, ask=at_terminal() and form == "text")
    if at_terminal() and form == "text":
        _ask_whether_new(workspace, declaration)
    declared = declare_once(workspace, declaration, who(workspace, by), is_sent=send)
    say_notes(declared.notes)
    say_it = _print_json if form == "json" else _print
    finish(say_it(workspace, declared, send=send))


def _ask_whether_new(workspace: Workspace, declaration: Declaration) -> None:
    """Ends the command where somebody sees that what they declare is declared already."""
    open_ones = similar_open(workspace, declaration)
    for line in similar_lines(workspace, open_ones):
        click.echo(inert(line), err=True)
    if open_ones and not click.confirm("Declare another one?", err=True):
        raise click.Abort


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
        names = (prompt("Which service?", kind=choice, prompt_suffix=" "),)
    answers = triage_answers(given)
    by_rules = ask and said[policy.drives] is None and not is_any_answered(answers)
    if by_rules:
        answers = ask_triage(policy, answers)
        said = {**said, policy.drives: _chosen_level(policy, answers, worst_tier(names, services))}
    return _filled(workspace, said, title, names, answers, by_rules)


def _chosen_level(policy: Policy, answers: Triage, tier: int | None) -> str | None:
    """Shows what the answers lead to and what each level means; None where the person leaves it at that."""
    from incident_ops.render.triage import decision_lines, level_lines  # as above

    decision = decide_level(policy, answers, tier)
    for line in level_lines(policy, page_width(err=True)):
        click.echo(line, err=True)
    click.echo(f"Your answers: {decision.level}{f' and {decision.major}' if decision.major else ''}", err=True)
    for line in decision_lines(decision):
        say(line, first="  ", is_prose=True)
    choice = click.Choice(policy.labels, case_sensitive=False)
    question = f"Level (Enter for {decision.level})"
    label = prompt(question, default=decision.level, show_default=False, show_choices=False, kind=choice)
    return None if label == decision.level else str(label)


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
    policy = workspace.judged_by[0]
    declared = past_time(workspace, said["declared"], "--declared")
    then = workspace
    if declared is not None:
        must_have_come(workspace, declared, "--declared")
        then = replace(workspace, now=parse_instant(declared))
    return Declaration(
        title=title,
        services=tuple(names),
        severity=policy.label_typed(said["severity"]),
        priority=policy.label_typed(said["priority"]),
        description=clean(said["description"]),
        declared=declared,
        started=past_time(then, said["started"], "--started", may_be_unknown=True),
        detected=past_time(then, said["detected"], "--detected", may_be_unknown=True),
        source=said["source"],
        detail=said["detail"],
        answers=answers,
        by_rules=by_rules,
        **{name: said[name] for name in ("drill", "commander", "bridge", "channel", "tags", "key")},
        tier=worst_tier(names, workspace.judged_by[1]),
    )


def _print_json(workspace: Workspace, declared: DeclaredRecord, *, send: bool) -> int:
    incident, rule = declared.record.incident, declared.decision
    kind = kind_of(incident, workspace.judged_by[0])
    head = {"schema": 1, "incident": incident.id, "kind": kind, "path": declared.record.path, "folder": declared.folder}
    level = {"state": incident.state, "severity": incident.severity, "priority": incident.priority}
    decided = {"rule": rule.rule_number if rule else None, "rule_text": rule.rule_text if rule else None}
    undo = None if declared.is_known else undo_command(incident.id)
    said = {"warnings": [*declared.warnings], "next": [*declared.next_steps], "undo": undo}
    asked = [one._asdict() for one in rule.open] if rule else []
    more = {"assumed": bool(rule and rule.assumed), "open": asked, "known": declared.is_known}
    data = {**head, **level, **decided, **said, **more}
    return print_data(workspace, declared.record.path, data, send=send)


def _print(workspace: Workspace, declared: DeclaredRecord, *, send: bool) -> int:
    """Prints a declaration, and sends it where that is asked for -> the exit code."""
    from incident_ops.render.triage import decision_lines  # a program that reads JSON needs none of it

    incident, rule = declared.record.incident, declared.decision
    if declared.is_known:
        return _print_known(workspace, declared, send=send)
    label = " ".join(filter(None, (incident.priority, incident.severity)))
    drill = ", a drill" if incident.drill else ""
    is_opened_as_ticket = is_ticket(incident, workspace.judged_by[0])
    opened = "ticket opened" if is_opened_as_ticket else "declared"
    say(f"{opened}, {label}{drill}: {incident.title}", word=incident.id, err=False)
    if is_opened_as_ticket:
        click.echo(f"  {label} makes a ticket, not an incident: no roles, channel or postmortem needed")
    if rule and rule.level in (incident.priority, incident.severity):
        for line in decision_lines(rule):
            say(line, first="  ", err=False, is_prose=True)
    click.echo(f"  folder: {shown_path(workspace, declared.folder)}")
    warn(declared.warnings)
    code = send_or_say(workspace, declared.record.path, declared.notice, send=send)
    for step in declared.next_steps:
        click.echo(f"  next: {inert(step)}")
    click.echo(f"  undo: {undo_command(incident.id)}")
    return code


def _print_known(workspace: Workspace, declared: DeclaredRecord, *, send: bool) -> int:
    """The same of an incident that was declared before, under the same key: nothing was written."""
    incident = declared.record.incident
    title = title_of(incident, workspace.judged_by[0]) or HIDDEN
    say(f"declared already under this key: {title}", word=incident.id, err=False)
    click.echo(f"  folder: {shown_path(workspace, declared.folder)}")
    return send_now(workspace, declared.record.path, tells=True).exit_code if send else 0


@click.command()
@incident_argument
@click.option("--levels", is_flag=True, help="Show what each level means, and examples of it.")
@click.option(
    "--service",
    "-s",
    "services",
    multiple=True,
    shell_complete=complete_service,
    help="Without INC: affected service, for rules that ask for its tier; may be repeated.",
)
@click.option("--reason", metavar="TEXT", help="With INC: why its level changes; needed to lower it.")
@answer_options
@click.option("--by", metavar="WHO", help="With INC: who does it, as for `declare`.")
@record_options
@format_option
@with_repository
def triage(
    workspace: Workspace,
    incident: str | None,
    levels: bool,
    services: tuple[str, ...],
    reason: str | None,
    by: str | None,
    form: str,
    send: bool,
    **answers: Any,
) -> None:
    """Answer the triage questions; get the level and the rule that decided. What is not known is left out.

    With INC its record is triaged: the answers are written down, a level that
    is worse than its own replaces that, and a new incident becomes triaged.
    Answers that the record has already count as well.

    \b
    Examples:
      incident-ops triage --levels
      incident-ops triage --users 60 --feature core -s auth
      incident-ops triage --users ">50%" --feature secondary --format json
      incident-ops triage INC-20250126-120500 --users all --category database
      incident-ops triage 120500 --users "<10" --reason "one region only"
    """
    policy, asks = workspace.judged_by[0], at_terminal() and form == "text"
    said = triage_answers(answers)
    check_services(workspace, services)
    if levels:
        _print_levels(policy)
    elif incident is not None and services:
        raise UserError("--service goes without an incident: its record names its services", hint="leave out -s")
    elif incident is not None:
        _triage_record(caught_up(workspace), incident, said, reason, by, form, send=send)
    elif send:
        raise UserError("--send goes with an incident", hint="incident-ops triage INC-... --send")
    elif reason is not None:
        raise UserError("--reason goes with an incident", hint='incident-ops triage INC-... --reason "..."')
    else:
        said = ask_triage(policy, said) if asks and said == NO_ANSWERS else said
        _print_decision(policy, said, worst_tier(services, workspace.judged_by[1]), not services, form)
        if form == "text" and said != NO_ANSWERS:
            _say_unrecorded(workspace, said)


def _say_unrecorded(workspace: Workspace, said: Triage) -> None:
    from incident_ops.app.which_incident import active_ids  # as below

    if found := active_ids(workspace):
        which, name = (f"{found[0]} is", found[0]) if len(found) == 1 else (f"{len(found)} incidents are", "INC")
        command = f"incident-ops triage {name} {answers_typed(said)}"
        say(f"nothing was recorded; {which} open; to record it: {command}", first="  ", err=False, is_prose=True)


def _triage_record(
    workspace: Workspace, asked: str, said: Triage, reason: str | None, by: str | None, form: str, *, send: bool
) -> None:
    from incident_ops.edits.triage import triage_incident  # what only this command needs

    warn_of_guess(workspace, by)
    policy = workspace.judged_by[0]
    if said == NO_ANSWERS and at_terminal() and form == "text":
        before = read_for_edit(workspace, find_record(workspace, asked)).record.incident
        said = ask_triage(policy, before.triage or NO_ANSWERS)
    actor, why = who(workspace, by), clean(reason)

    def triaged(current: Incident) -> Step:
        tier = worst_tier(current.services, workspace.judged_by[1])
        return triage_incident(current, policy, workspace.now, actor, said, why, tier)

    finish_edit(workspace, edit_record(workspace, asked, triaged), form, send=send)


def _print_levels(policy: Policy) -> None:
    from incident_ops.render.triage import level_lines  # what only these commands need

    for line in level_lines(policy, page_width()):
        click.echo(line)


def _print_decision(policy: Policy, answers: Triage, tier: int | None, is_tier_open: bool, form: str) -> None:
    from incident_ops.render.triage import decision_data, decision_lines, meaning  # as above

    decision = decide_level(policy, answers, tier)
    if form == "json":
        click.echo(json_text({"schema": 1, **decision_data(decision)}), nl=False)
        return
    click.secho(f"{decision.level}{f' and {decision.major}' if decision.major else ''}", bold=True)
    for line in decision_lines(decision):
        say(line, first="  ", err=False, is_prose=True)
    if (by_tier := rules_by_tier(policy)) and is_tier_open:
        noun, verb = ("rule", "asks") if len(by_tier) == 1 else ("rules", "ask")
        numbers = " and ".join(map(str, by_tier))
        sentence = f"{noun} {numbers} {verb} for the tier of the service: name it with -s"
        say(sentence, first="  ", err=False, is_prose=True)
    pair = (decision.major, decision.level) if policy.drives == "priority" else (decision.level, None)
    level = policy.duties(*pair)
    if level is not None and not level.declare:
        click.echo(f"  a ticket: {level.id} declares no incident")
    for label in filter(None, (decision.level, decision.major)):
        for line in meaning(policy.level(label)):
            say(f"{label}: {line}", first="  ", err=False, is_prose=True)
