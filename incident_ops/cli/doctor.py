"""`incident-ops doctor`: whether everything is set up as it has to be, and what mends what is not."""

from __future__ import annotations

import click

from incident_ops.app.run_cost import count_cost
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import finish, run_format_option, with_repository
from incident_ops.cli.terminal import page_width, paint
from incident_ops.errors import UserError
from incident_ops.render.run_cost import cost_json, cost_text


@click.command()
@click.option("--cost", is_flag=True, help="Count the minutes that GitHub bills for the workflows; asks nobody.")
@click.option("--drill", is_flag=True, help="Page, acknowledge and resolve an exercise: people are really called.")
@click.option("-s", "--service", metavar="NAME", help="With --drill: the service that fails. Default: the first one.")
@run_format_option
@with_repository
def doctor(workspace: Workspace, cost: bool, drill: bool, service: str | None, form: str) -> None:
    """Is everything set up, and what does it cost?

    Looks at the repository, here and on GitHub: its settings, rulesets and
    labels, who can read it, the addresses of the channels, the workflows and
    their last runs, the heartbeat, what the workflows install. What is wrong
    comes with the click or the command that mends it. Nothing is changed.

    The token of a workflow may not see all of it; once, run it at home:
    GH_TOKEN="$(gh auth token)" incident-ops doctor

    --drill declares an exercise of the worst level, marked [DRILL], and sends
    what an incident sends: the page, the acknowledgement, the end. It says
    which of them did not arrive. Nothing of it is kept, and GitHub and the
    ledger are not asked; `notify --test` tries every channel instead.

    Exit code 1 when something is wrong, 4 when GitHub did not answer or a
    message of the drill was not taken, 2 when a channel of it is not set up;
    0 also with warnings and with what could not be seen.

    \b
    Examples:
      incident-ops doctor
      incident-ops doctor --format json
      incident-ops doctor --cost
      incident-ops doctor --drill -s auth
    """
    if service is not None and not drill:
        raise UserError("--service goes with --drill", hint="leave it out")
    if (cost or drill) and form == "github":
        raise UserError("only the look at the set-up has annotations", hint="--format text or json")
    if cost and drill:
        raise UserError("--cost and --drill do not go together", hint="one after the other")
    if cost:
        _print_cost(workspace, form)
        return
    if drill:
        _walk(workspace, service, form)
        return
    from incident_ops.adapters.environment import add_to_summary, summary_size  # what only a look at GitHub needs
    from incident_ops.app.doctor import examine
    from incident_ops.render.set_up import set_up_commands, set_up_json, set_up_summary, set_up_text

    seen = examine(workspace)
    what = (seen.repository, seen.checks)
    if form == "json":
        click.echo(set_up_json(*what), nl=False)
    else:
        text = set_up_text(*what, paint, page_width())
        click.echo((set_up_commands(seen.checks) if form == "github" else "") + text, nl=False)
    if form == "github" and summary_size() is not None:
        add_to_summary(set_up_summary(*what))
    finish(seen.exit_code)


def _walk(workspace: Workspace, service: str | None, form: str) -> None:
    from incident_ops.app.drill import walk_drill  # what only a drill needs
    from incident_ops.render.drill import drill_json, drill_text

    done = walk_drill(workspace, service)
    what = (done.incident, done.steps)
    click.echo(drill_json(*what) if form == "json" else drill_text(*what, page_width()), nl=False)
    finish(done.exit_code)


def _print_cost(workspace: Workspace, form: str) -> None:
    counted = count_cost(workspace)
    shown = cost_json(*counted) if form == "json" else cost_text(*counted, page_width())
    click.echo(shown, nl=False)
    finish(3 if counted.unread else 0)
