"""`incident-ops init`: the first files of a repository of records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from incident_ops import resources
from incident_ops.adapters.files import write_bytes
from incident_ops.app.edit_record import at_terminal
from incident_ops.app.workspace import Opened, with_repository
from incident_ops.cli.options import format_option
from incident_ops.errors import UserError, WriteFailed
from incident_ops.findings import Finding
from incident_ops.records.policy import load_policy, load_services
from incident_ops.records.store import is_link, list_folder, read_regular
from incident_ops.records.yaml_reader import MAX_BYTES
from incident_ops.render import init as first_files
from incident_ops.render import init as first_steps
from incident_ops.render.findings import inert
from incident_ops.render.init import EDITOR_KINDS, POLICY, SERVICES, Existing, InitRequest, PlannedFile


@click.command()
@click.option(
    "--preset",
    type=click.Choice(resources.preset_names()),
    help=f"The playbook to begin with. Default: asked, else {resources.DEFAULT_PRESET}.",
)
@click.option(
    "-s", "--service", "services", metavar="NAME=@OWNER", multiple=True, help="A service and its owner; repeatable."
)
@format_option
@with_repository
def init(opened: Opened, preset: str | None, services: tuple[str, ...], form: str) -> None:
    """Write the first files: policy, services, folders, editor and git settings.

    In an empty folder or a repository that exists already. What is yours is
    never overwritten; running it twice changes nothing.

    \b
    Examples:
      incident-ops init
      incident-ops init --preset p0-p3 -s auth=@acme/identity -s web=@alice
      incident-ops --repo ops/incidents init --format json
    """
    if opened.store.revision:
        raise UserError("an old revision cannot be changed", hint="leave out --rev")
    schemas = {
        name: resources.resource_text(f"schemas/{name}") for name in (f"{kind}.schema.json" for kind in EDITOR_KINDS)
    }
    owners = _owners(services)
    there = {path: _there(opened.root, path) for path in first_files.paths(schemas)}
    if preset is None and there[POLICY] is None and form == "text" and at_terminal():
        preset = _ask()
    full = frozenset(folder for folder in first_files.FIRST_FOLDERS if list_folder(opened.root, folder))
    files = first_files.plan_files(InitRequest(preset, owners, schemas), there, full)
    _write(opened.root, files)
    settings = _settle(opened, files)
    steps = first_steps.first_steps(files, *_example(opened.root), has_git=opened.git is not None)
    told = first_steps.to_json if form == "json" else first_steps.to_text
    click.echo(told(str(opened.root), files, settings, steps), nl=False)


def _ask() -> str:
    click.echo("Which playbook do you begin with? It can be changed later in policy.yaml.", err=True)
    names = resources.preset_names()
    for name in names:
        click.echo(f"  {name:<11} {resources.preset(name).summary}", err=True)
    answer: str = click.prompt("Preset", default=names[0], type=click.Choice(names), show_choices=False, err=True)
    return answer


def _owners(given: Sequence[str]) -> dict[str, str] | None:
    """The services named on the command line. UserError where one is not NAME=OWNER or would not be valid."""
    owners: dict[str, str] = {}
    for text in given:
        name, equals, owner = text.partition("=")
        if not (name and equals and owner):
            raise UserError(f"--service {inert(text)!r} names no owner", hint="e.g. --service auth=@acme/identity")
        if name in owners:
            raise UserError(f"--service names {inert(name)!r} twice", hint="a service has one owner; a team is one")
        owners[name] = owner
    if owners and (found := load_services(first_files.services_text(owners)).findings):
        raise UserError(f"--service: {inert(found[0].message)}", hint=inert(found[0].hint))
    return owners or None


def _there(root: Path, path: str) -> Existing:
    """What stands at a path: its bytes, nothing, or the reason why it is left alone."""
    folder = path.rpartition("/")[0]
    if folder and is_link(root, folder):
        return f"{folder} is a link, and links are not followed"
    if folder and (root / folder).exists() and not (root / folder).is_dir():
        return f"{folder} is no folder"
    raw = read_regular(root, path)
    if isinstance(raw, Finding):
        return raw.message
    if raw is None:
        return "a folder stands there" if (root / path).is_dir() else None
    return raw if len(raw) <= MAX_BYTES else f"it has over {MAX_BYTES:,} bytes"


def _write(root: Path, files: Sequence[PlannedFile]) -> None:
    """Writes what is to be written. WriteFailed says what is there already."""
    written: list[PlannedFile] = []
    for one in files:
        if one.content is None:
            continue
        try:
            write_bytes(root / one.path, one.content)
        except WriteFailed as error:
            raise _stopped(error, written) from error
        written.append(one)


def _settle(opened: Opened, files: Sequence[PlannedFile]) -> dict[str, str]:
    """Tells this clone how to merge records -> what was set now. A setting that is there already is the user's."""
    git = opened.git
    if git is None:
        return {}
    missing = {name: value for name, value in first_files.MERGE_DRIVER.items() if git.config(name) is None}
    for name, value in missing.items():
        try:
            git.set_config(name, value)
        except WriteFailed as error:
            raise _stopped(error, [one for one in files if one.content is not None]) from error
    return missing


def _stopped(error: WriteFailed, written: Sequence[PlannedFile]) -> WriteFailed:
    there = f"written before that: {first_steps.files_summary(written)}" if written else "nothing was written"
    hint = f"{error.hint}; {there}; then run init again, it goes on from there"
    return WriteFailed(error.message, hint=hint, where=error.where)


def _example(root: Path) -> tuple[str, str]:
    """(a service, the option of a level) for the first declaration, from the files as they are now."""
    raw = (_there(root, POLICY), _there(root, SERVICES))
    texts = [one.decode("utf-8", "replace") if isinstance(one, bytes) else "" for one in raw]
    policy, services = load_policy(texts[0]).policy, load_services(texts[1]).services
    service = next(iter(services), "api") if services else "api"
    label = policy.labels[min(1, len(policy.labels) - 1)] if policy else "SEV1"
    return service, f"--{policy.drives if policy else 'severity'} {label}"
