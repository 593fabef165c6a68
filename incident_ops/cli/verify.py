"""`incident-ops verify`: who answers for the history of the records."""

from __future__ import annotations

import click

from incident_ops.app.verify import verify_history
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import finish, format_option, with_repository
from incident_ops.cli.terminal import page_width
from incident_ops.render import verify as shown


@click.command()
@click.option("--since", metavar="REV", help="Only commits after this revision. Default: the whole history.")
@format_option
@with_repository
def verify(workspace: Workspace, since: str | None, form: str) -> None:
    """Replay the history: which changes does nobody answer for?

    Looks at every commit that declares or deletes an incident, or changes its
    times, level or state. A commit is answered for by a good signature that
    this machine trusts, by an author whom the policy's `contacts` know, or by
    the merge that brought it in: GitHub's, or one of a known author.

    Names and addresses in a commit are what its author wrote; only signatures
    prove them.

    Exit code 1 when a change has nobody to answer for it, 3 when the clone is
    shallow, so that older history is unknown.

    \b
    Examples:
      incident-ops verify
      incident-ops verify --since v1.2.0
      incident-ops verify --since HEAD~100 --format json
    """
    found = verify_history(workspace, since)
    what = (found.commits, found.unanswered, found.is_cut)
    click.echo(shown.to_json(*what) if form == "json" else shown.to_text(*what, page_width()), nl=False)
    finish(1 if found.unanswered else 3 if found.is_cut else 0)
