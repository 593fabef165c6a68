"""`incident-ops triage`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import click

from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import answer_options, format_option, with_repository
from incident_ops.domain.policy import LevelPolicy
from incident_ops.domain.triage import decide_level, triage_answers


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
    from incident_ops.render.findings import json_text

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
