"""`incident-ops init`: the first files of a repository of records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from incident_ops import resources
from incident_ops.app.first_files import FirstFiles, FirstOptions, begin, channel_of, write_first_files
from incident_ops.app.github_setup import GitHubOptions, needs_owner, owner_of
from incident_ops.app.identity import handle_of, is_unknown
from incident_ops.app.workspace import Workspace
from incident_ops.cli.options import at_terminal, format_option, with_repository
from incident_ops.cli.terminal import page_width, prompt
from incident_ops.errors import UserError
from incident_ops.render.findings import inert
from incident_ops.render.github_steps import steps_data, steps_text
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
@click.option(
    "--channel",
    "channels",
    metavar="NAME",
    multiple=True,
    help="A channel that you have, e.g. chat or pager; repeatable. Default: those of the preset; asked with --github.",
)
@click.option("--replace-schemas", is_flag=True, help="Also write anew the copies in schemas/ that somebody edited.")
@click.option(
    "--services-from", metavar="FILE", help="Add the services of a Backstage catalog-info.yaml or a CODEOWNERS file."
)
@click.option(
    "--github",
    "is_github",
    is_flag=True,
    help="Also write the workflows and whatever else a repository needs on GitHub.",
)
@click.option(
    "--owner",
    "owners",
    metavar="@ORG/TEAM",
    multiple=True,
    help="Who reviews changes of the policy, for CODEOWNERS; repeatable.",
)
@click.option("--default-branch", metavar="NAME", help="The branch that counts. Default: that of the remote.")
@click.option("--wheel", metavar="URL#sha256=HEX", help="The wheel that the workflows install, or its path in here.")
@click.option("--pins", metavar="FILE|URL", help="The pin file of this release, in place of --wheel.")
@click.option(
    "--app", metavar="ID", type=click.IntRange(1), help="The id of a GitHub App that acts instead of GITHUB_TOKEN."
)
@click.option("--dry-run", is_flag=True, help="Print what would be done; write nothing.")
@format_option
@with_repository
def init(
    workspace: Workspace,
    preset: str | None,
    services: tuple[str, ...],
    by: str | None,
    form: str,
    is_github: bool,
    dry_run: bool,
    **asked: Any,
) -> None:
    """Write the first files: policy, services, folders, editor and git settings.

    In an empty folder or a repository that exists already. What is yours is
    never overwritten; running it twice changes nothing. After a change of
    levels or services, run it again: it updates what the editor offers.

    With --github it also lays workflows, CODEOWNERS and the pinned packages,
    and prints what is left to be set on GitHub. Again with a newer release, it
    joins what that release changed with what you did.

    \b
    Examples:
      incident-ops init
      incident-ops init --preset p0-p3 -s auth=@acme/identity -s web=@alice
      incident-ops init --by @alice
      incident-ops init --on-call @alice --on-call @ben
      incident-ops init --replace-schemas
      incident-ops init --services-from catalog-info.yaml
      incident-ops init --github --owner @acme/sre --channel chat --channel pager
      incident-ops init --github --pins incident-ops-0.1.0.txt
      incident-ops init --github --dry-run
      incident-ops --repo ops/incidents init --format json
    """
    github = _github_options(asked) if is_github else None
    beginning = begin(workspace, services)
    is_asking = form == "text" and at_terminal()
    if preset is None and not beginning.has_policy and is_asking:
        preset = _ask()
    if by is None and is_asking and not dry_run and is_unknown(workspace):
        by = _ask_handle()
    if github is not None and is_asking and needs_owner(workspace, github):
        github = github._replace(owners=_ask_owners())
    channels: Sequence[str] = asked["channels"]
    if github is not None and not channels and not beginning.has_policy and is_asking:
        channels = _ask_channels()
    options = FirstOptions(
        asked["replace_schemas"], asked["on_call"], asked["services_from"] or "", github, dry_run, channels
    )
    made = write_first_files(workspace, beginning, preset, by, options)
    what = (str(workspace.root), made.files, made.settings, made.next_steps)
    if form == "json":
        click.echo(to_json(*what, _more(made, dry_run)), nl=False)
        return
    click.echo(to_text(*what, page_width(), is_dry=dry_run), nl=False)
    _say_rest(made, dry_run)


def _github_options(asked: dict[str, Any]) -> GitHubOptions:
    return GitHubOptions(
        asked["owners"], asked["default_branch"] or "", asked["wheel"] or "", asked["pins"] or "", asked["app"]
    )


def _more(made: FirstFiles, dry_run: bool) -> dict[str, Any]:
    on_github = steps_data(made.on_github.steps) if made.on_github else []
    return {"dry_run": dry_run, "left_out": list(made.left_out), "github": on_github}


def _say_rest(made: FirstFiles, dry_run: bool) -> None:
    if made.left_out:
        click.echo("\nOf the services, for you to look at:")
        for line in made.left_out:
            click.echo(f"  {inert(line)}")
    if made.on_github and (made.on_github.is_first or dry_run):
        click.echo(steps_text(made.on_github.steps), nl=False)
    elif made.on_github:
        click.echo("\nWhat is to be set on GitHub: incident-ops init --github --dry-run")


def _ask_owners() -> list[str]:
    def checked(text: str) -> list[str]:
        try:
            return [owner_of(one) for one in text.split()]
        except UserError as error:
            raise click.BadParameter(inert(str(error))) from error

    question = "Who reviews changes of policy, services and workflows, e.g. @acme/sre"
    answer: list[str] = prompt(question, value_proc=checked)
    return answer


def _ask_channels() -> list[str]:
    def checked(text: str) -> list[str]:
        try:
            return [channel_of(one) for one in text.split()]
        except UserError as error:
            raise click.BadParameter(inert(str(error))) from error

    question = "Which channels do you have, e.g. chat pagerduty email sms (empty: all of the preset)"
    answer: list[str] = prompt(question, default="", show_default=False, value_proc=checked)
    return answer


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
