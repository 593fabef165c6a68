"""`incident-ops init`: the first files of a repository of records."""

from __future__ import annotations

import click

from incident_ops import resources
from incident_ops.app.first_files import begin, write_first_files
from incident_ops.app.identity import handle_of, is_unknown
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import at_terminal, format_option, with_repository
from incident_ops.cli.terminal import page_width, prompt
from incident_ops.errors import UserError
from incident_ops.render.findings import inert
from incident_ops.render.init import to_json, to_text


@click.command()
@click.option(
    "--preset",
    type=click.Choice(resources.preset_names()),
    help=f"The playbook to begin with. Default: asked, else {resources.DEFAULT_PRESET}.",
)
@click.option(
    "-s", "--service", "services", metavar="NAME=@OWNER", multiple=True, help="A service and its owner; repeatable."
)
@click.option("--by", metavar="@HANDLE", help="Your GitHub handle; git keeps it in this clone. Default: asked.")
@click.option("--on-call", metavar="@HANDLE", multiple=True, help="Who takes weeks on call in turn; repeatable.")
@click.option("--replace-schemas", is_flag=True, help="Also write anew the copies in schemas/ that somebody edited.")
@format_option
@with_repository
def init(
    workspace: Workspace,
    preset: str | None,
    services: tuple[str, ...],
    by: str | None,
    on_call: tuple[str, ...],
    replace_schemas: bool,
    form: str,
) -> None:
    """Write the first files: policy, services, folders, editor and git settings.

    In an empty folder or a repository that exists already. What is yours is
    never overwritten; running it twice changes nothing. After a change of
    levels or services, run it again: it updates what the editor offers.

    \b
    Examples:
      incident-ops init
      incident-ops init --preset p0-p3 -s auth=@acme/identity -s web=@alice
      incident-ops init --by @alice
      incident-ops init --on-call @alice --on-call @ben
      incident-ops init --replace-schemas
      incident-ops --repo ops/incidents init --format json
    """
    beginning = begin(workspace, services)
    if preset is None and not beginning.has_policy and form == "text" and at_terminal():
        preset = _ask()
    if by is None and form == "text" and at_terminal() and is_unknown(workspace):
        by = _ask_handle()
    made = write_first_files(workspace, beginning, preset, by, is_replacing=replace_schemas, on_call=on_call)
    what = (str(workspace.root), made.files, made.settings, made.next_steps)
    click.echo(to_json(*what) if form == "json" else to_text(*what, page_width()), nl=False)


def _ask_handle() -> str | None:
    def checked(text: str) -> str:
        try:
            return handle_of(text) if text.strip() else ""
        except UserError as error:
            raise click.BadParameter(inert(str(error))) from error

    question = "Your GitHub handle, e.g. @alice (empty: git's user.name is recorded)"
    answer: str = prompt(question, default="", show_default=False, value_proc=checked)
    return answer or None


def _ask() -> str:
    click.echo("Which playbook do you begin with? It can be changed later in policy.yaml.", err=True)
    names = resources.preset_names()
    for name in names:
        click.echo(f"  {name:<11} {resources.preset(name).summary}", err=True)
    answer: str = prompt("Preset", default=names[0], kind=click.Choice(names), show_choices=False)
    return answer
