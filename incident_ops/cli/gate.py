"""`incident-ops gate check`."""

from __future__ import annotations

from dataclasses import replace

import click

from incident_ops.cli.opening import Opened, no_records, with_repository
from incident_ops.cli.printing import finish, format_option, inert_unread
from incident_ops.gate.freeze import check as freeze_check
from incident_ops.model.unread import Unread
from incident_ops.records.recall import last_readable
from incident_ops.render.findings import inert_lines
from incident_ops.render.gate import to_json, to_text


@click.group()
def gate() -> None:
    """May this service be deployed now?

    \b
    Examples:
      incident-ops gate check --service auth
    """


@gate.command()
@click.option("--service", "-s", required=True, help="The service to deploy, by its name in services.yaml.")
@format_option
@with_repository
def check(opened: Opened, service: str, form: str) -> None:
    """Ask whether an open incident holds deploys of a service.

    Exit codes: 0 nothing holds, 3 held (frozen) or it cannot be told (inconclusive).

    \b
    Examples:
      incident-ops gate check --service auth
      incident-ops gate check -s auth --format json | jq -r .reason_code
    """
    policy, services = opened.judged_by
    unread = [one for one in opened.catalogue.unreadable() if _may_hold(opened, one, service)]
    verdict = freeze_check(service, opened.catalogue.live(), services, policy, unread)
    if not opened.catalogue.count() and (code := no_records(opened)):
        finish(code)
    shown = replace(verdict, unread=inert_unread(verdict.unread))
    click.echo(to_json(verdict) if form == "json" else inert_lines(to_text(shown)), nl=False)
    finish(verdict.exit_code)


def _may_hold(opened: Opened, unread: Unread, service: str) -> bool:
    """False only where the last version that can be read was closed or on other services (contract 4)."""
    before = last_readable(opened.git, unread.path)
    return before is None or (service in before.services and not before.is_closed)
