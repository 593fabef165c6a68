"""`incident-ops send`: what waits to be sent, sent."""

from __future__ import annotations

from typing import Any

import click

from incident_ops.app.edit_record import find_record
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import (
    finish,
    format_option,
    incident_argument,
    warn,
    with_repository,
)
from incident_ops.cli.sending import data_of_sent, render_option, say_sent
from incident_ops.cli.terminal import say
from incident_ops.domain.sending import SentRecord, WaitingRecord
from incident_ops.errors import IncidentOpsError
from incident_ops.render.findings import json_text


@click.command()
@incident_argument
@click.option("--dry-run", is_flag=True, help="Show what waits, as this clone knows it; send nothing, ask nobody.")
@click.option("--no-sign", is_flag=True, help="Do not sign the commits, whatever commit.gpgsign says.")
@render_option
@format_option
@with_repository
def send(workspace: Workspace, incident: str | None, dry_run: bool, no_sign: bool, form: str) -> None:
    """Send what waits: commits that the remote lacks, and records that were
    changed here and never committed. With INC that one alone.

    Each goes on a branch of its own, incident-ops/declare/<id> while the
    record is not merged, else incident-ops/edit/<id>, with a pull request
    where a token is set (GITHUB_TOKEN, GH_TOKEN). Your branch, your index and
    your other files stay as they are. Nothing is ever pushed by force.

    Exit code 4 when something was not sent; it is kept, and `send` again
    goes on where it ended.

    \b
    Examples:
      incident-ops send
      incident-ops send --dry-run
      incident-ops send 120500
    """
    from incident_ops.app.send import RecordSender, waiting_records  # what only this command needs
    from incident_ops.render.sent import waiting_data, waiting_lines

    name = find_record(workspace, incident).split("/")[-2] if incident is not None else None
    waiting = waiting_records(workspace, name)
    if dry_run:
        if form == "json":
            click.echo(json_text({"schema": 1, "waiting": [waiting_data(one) for one in waiting]}), nl=False)
        for line in (waiting_lines(waiting) or [_NOTHING]) if form == "text" else ():
            say(line, err=False)
        return
    sender, results = RecordSender(workspace, sign=not no_sign), []
    for one in waiting:
        if form == "text":
            say(waiting_lines([one])[0], err=False)
        results.append(_sent(sender, one, form))
    if form == "json":
        click.echo(json_text({"schema": 1, "records": _results_data(results)}), nl=False)
    unreached = "" if waiting else sender.unreached()
    if unreached:
        warn([unreached])
    elif not waiting and form == "text":
        click.echo(_NOTHING)
    finish(max((sent.exit_code for sent in results if sent), default=_LEFT if unreached else 0))


_NOTHING = "nothing waits to be sent"
_LEFT = 4


def _sent(sender: Any, one: WaitingRecord, form: str) -> SentRecord | None:
    """Sends a record; one that fails holds back no other."""
    if one.is_gone:
        return None
    try:
        sent: SentRecord = sender.send(one.path)
    except IncidentOpsError as error:
        sent = SentRecord(one.incident, one.path, problem=str(error))
    if form == "text":
        say_sent(sent)
    elif sent.problem:
        warn([f"{sent.incident}: not sent: {sent.problem}"])
    return sent


def _results_data(results: list[SentRecord | None]) -> list[dict[str, Any]]:
    """What became of each record, for a program."""
    return [{"incident": one.incident, "path": one.path, **data_of_sent(one)} for one in results if one]
