"""The first files of a repository of records: what is there is read, what is missing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from incident_ops import resources
from incident_ops.adapters import clock
from incident_ops.adapters.environment import HANDLE_SETTING
from incident_ops.adapters.files import remove_if_unchanged, write_bytes
from incident_ops.app.existing import there_at
from incident_ops.app.github_setup import GitHubOptions, GitHubSetUp, plan_set_up
from incident_ops.app.identity import handle_of
from incident_ops.app.workspace import Workspace, demand_work_tree, read_text_file
from incident_ops.domain.notification import pair
from incident_ops.domain.time import zone_named
from incident_ops.errors import UserError, WriteFailed
from incident_ops.records.policy import PolicyAndServices, load_policy, load_services
from incident_ops.records.schema_copies import CopyState, Names, copy_state, copy_text
from incident_ops.records.service_sources import FoundServices, services_in, with_services
from incident_ops.records.store import list_folder
from incident_ops.render import init
from incident_ops.render.findings import inert, plural
from incident_ops.render.first_channels import channels_text
from incident_ops.render.init import (
    EDITOR_KINDS,
    POLICY,
    SERVICES,
    Existing,
    FileOutcome,
    FirstExample,
    InitRequest,
    PlannedFile,
    SchemaCopy,
)


@dataclass(frozen=True)
class Beginning:
    """What is to be written where: the owners of the first services, and what stands at each path."""

    owners: Mapping[str, str] | None
    there: Mapping[str, Existing]

    @property
    def has_policy(self) -> bool:
        """True where something stands at the policy's path already."""
        return self.there[POLICY] is not None


@dataclass(frozen=True)
class FirstFiles:
    """What became of each file, the settings of git that were made, and what a person does next.

    `left_out`: what of the file with services has no place in services.yaml; `on_github`: what is to be set there.
    """

    files: Sequence[PlannedFile]
    settings: Mapping[str, str]
    next_steps: Sequence[str]
    left_out: Sequence[str] = ()
    on_github: GitHubSetUp | None = None


def begin(workspace: Workspace, services: Sequence[str]) -> Beginning:
    """Looks at what is there; `services` are NAME=OWNER. UserError where one is not."""
    demand_work_tree(workspace)
    return Beginning(_owners(services), {path: there_at(workspace.root, path) for path in init.paths()})


class FirstOptions(NamedTuple):
    """What was asked for beside a preset and services.

    `is_replacing`: copies of schemas that somebody edited are written anew. `on_call` take turns in a schedule.
    `services_from` is a file of another tool. `github` lays what a repository needs to run there. `is_dry`: nothing is
    written. `channels` are those that there are, none for those of the preset.
    """

    is_replacing: bool = False
    on_call: Sequence[str] = ()
    services_from: str = ""
    github: GitHubOptions | None = None
    is_dry: bool = False
    channels: Sequence[str] = ()


NO_OPTIONS = FirstOptions()


def write_first_files(
    workspace: Workspace,
    beginning: Beginning,
    preset: str | None,
    handle: str | None = None,
    options: FirstOptions = NO_OPTIONS,
) -> FirstFiles:
    """Writes what is missing, sets the merge driver, and keeps the handle of whoever works in this clone.

    What is there already is its owner's. UserError for a handle that is not one, or where no git can keep it, and for a
    value that cannot be used.
    """
    if options.github is not None and _is_own_folder(workspace.root):
        hint = "its own files are the ones that it installs: run it in the repository with your records"
        raise UserError("this is the repository of incident-ops itself", hint=hint)
    mine = _kept(workspace, handle)
    found = _found(beginning, options.services_from)
    files = _planned(workspace, beginning, preset, options, found)
    texts = {path: _text_after(files, beginning, path) for path in (POLICY, SERVICES)}
    on_github = None
    if options.github is not None:
        loaded = PolicyAndServices(load_policy(texts[POLICY]), load_services(texts[SERVICES]))
        on_github = plan_set_up(workspace, options.github, *loaded.require(), is_dry=options.is_dry)
        files += on_github.files
    settings = mine
    if not options.is_dry:
        _write(workspace, files)
        settings = _settle(workspace, files, mine)
    example, people = _example(texts), [handle_of(one) for one in options.on_call]
    git, wheel = workspace.git, options.github.wheel if options.github else ""
    steps = init.first_steps(
        files,
        example,
        people,
        has_git=git is not None,
        has_commit=options.github is None or (git is not None and git.head is not None),
        wheel="" if "://" in wheel else wheel.partition("#")[0].removeprefix("./"),
        wants_people=options.github is not None,
    )
    return FirstFiles(files, settings, steps, found.left_out if found else (), on_github)


def _planned(
    workspace: Workspace, beginning: Beginning, preset: str | None, options: FirstOptions, found: FoundServices | None
) -> list[PlannedFile]:
    root = workspace.root
    full = frozenset(folder for folder in init.FIRST_FOLDERS if list_folder(root, folder))
    people = [handle_of(one) for one in options.on_call]
    schedule = _schedule(workspace, people) if people else None
    services = _with_found(beginning, found)
    new = beginning
    if services is not None and services.content is not None:
        new = replace(beginning, there={**beginning.there, SERVICES: services.content})
    schemas = {} if _is_own_folder(root) else _schemas(new, preset)
    channels = _channels_text(preset or resources.DEFAULT_PRESET, options.channels)
    request = InitRequest(preset, beginning.owners, schemas, options.is_replacing, schedule, channels)
    files = init.plan_files(request, beginning.there, full)
    return [services if services and one.path == SERVICES else one for one in files]


def channel_of(name: str) -> str:
    """The name of a channel. UserError where it cannot be one."""
    try:
        return pair("", name.strip()).channel
    except ValueError:
        hint = "a word of small letters, digits and _, no address: --channel chat"
        raise UserError(f"{inert(name)!r} is not the name of a channel", hint=hint) from None


def _channels_text(preset: str, given: Sequence[str]) -> str:
    channels = list(dict.fromkeys(map(channel_of, given)))
    policy = load_policy(init.policy_text(preset)).policy if channels else None
    return channels_text(policy, channels) if policy is not None else ""


def _found(beginning: Beginning, file: str) -> FoundServices | None:
    """The services of another tool's file; None where none is named. UserError where it cannot be read."""
    if not file:
        return None
    text = read_text_file(file, "a catalog-info.yaml of Backstage, or a CODEOWNERS file", "--services-from")
    known = load_services(_text_of(beginning, SERVICES, "")).services or {}
    return services_in(text.encode(), file, {*known, *(beginning.owners or {})})


def _with_found(beginning: Beginning, found: FoundServices | None) -> PlannedFile | None:
    """services.yaml with what was found at the end; None where nothing is added to it."""
    there = beginning.there[SERVICES]
    if found is None or not found.entries or isinstance(there, str):
        return None
    before = init.services_text(beginning.owners) if beginning.owners else init.NO_SERVICES
    text = with_services(_text_of(beginning, SERVICES, before), found, SERVICES)
    done = FileOutcome.WRITTEN if there is None else FileOutcome.ADDED
    return PlannedFile(SERVICES, done, text.encode(), note=plural(len(found.entries), "service"))


def _schedule(workspace: Workspace, people: Sequence[str]) -> str:
    """The first schedule, in the zone of this machine, from the last Monday on whose handover has been."""
    zone = clock.local_zone_name() or "Etc/UTC"
    local = workspace.now.astimezone(zone_named(zone))
    today = local.date() - timedelta(days=local.hour < init.HANDOVER_HOUR)
    return init.schedule_text(people, zone, today - timedelta(days=today.weekday()))


def _is_own_folder(root: Path) -> bool:
    """True where the schemas of the folder are those that the program itself goes by."""
    return (root / "schemas").resolve() == resources.folder("schemas").resolve()


def _schemas(beginning: Beginning, preset: str | None) -> dict[str, SchemaCopy]:
    """The copy of each schema, for the policy and the services that will be in force."""
    policy = _text_of(beginning, POLICY, init.policy_text(preset or resources.DEFAULT_PRESET))
    services = _text_of(beginning, SERVICES, init.services_text(beginning.owners))
    names = Names.of(load_policy(policy).policy, load_services(services).services)
    copies = {}
    for kind in EDITOR_KINDS:
        now = beginning.there[init.schema_path(kind)]
        state = copy_state(kind, now, names) if isinstance(now, bytes) else None
        is_edited = state is not None and state.is_edited
        copies[kind] = SchemaCopy(copy_text(kind, names), state == CopyState(), is_edited)
    return copies


def _text_after(files: Sequence[PlannedFile], beginning: Beginning, path: str) -> str:
    """The text of a file as it will be."""
    content = next((one.content for one in files if one.path == path), None)
    return _text_of(beginning, path, "") if content is None else content.decode("utf-8", "replace")


def _text_of(beginning: Beginning, path: str, otherwise: str) -> str:
    """The text of a file that is there; `otherwise` of one that is to be written."""
    there = beginning.there[path]
    return there.decode("utf-8", "replace") if isinstance(there, bytes) else otherwise


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
    if owners and (found := load_services(init.services_text(owners)).findings):
        raise UserError(f"--service: {inert(found[0].message)}", hint=inert(found[0].hint))
    return owners or None


def _write(workspace: Workspace, files: Sequence[PlannedFile]) -> None:
    """Writes what is to be written. WriteFailed says what is there already."""
    written: list[PlannedFile] = []
    for one in files:
        path = workspace.root / one.path
        try:
            if one.done is FileOutcome.REMOVED:
                remove_if_unchanged(path, path.read_bytes(), workspace.state / "records.lock")
            elif one.content is not None:
                write_bytes(path, one.content)
                written.append(one)
        except WriteFailed as error:
            raise _stopped(error, written) from error


def _kept(workspace: Workspace, handle: str | None) -> dict[str, str]:
    """The setting of git that keeps a handle; nothing where none is given, or it is set so already."""
    if handle is None:
        return {}
    if workspace.git is None:
        raise UserError("there is no git repository here to keep your handle in", hint="git init, then init again")
    wanted = handle_of(handle)
    return {} if workspace.git.config(HANDLE_SETTING) == wanted else {HANDLE_SETTING: wanted}


def _settle(workspace: Workspace, files: Sequence[PlannedFile], mine: Mapping[str, str]) -> dict[str, str]:
    """Tells this clone how to merge records, and who works in it -> what was set now.

    A setting that is there already is the user's.
    """
    git = workspace.git
    if git is None:
        return {}
    missing = {name: value for name, value in init.MERGE_DRIVER.items() if git.config(name) is None} | {**mine}
    for name, value in missing.items():
        try:
            git.set_config(name, value)
        except WriteFailed as error:
            raise _stopped(error, [one for one in files if one.content is not None]) from error
    return missing


def _stopped(error: WriteFailed, written: Sequence[PlannedFile]) -> WriteFailed:
    there = f"written before that: {init.files_summary(written)}" if written else "nothing was written"
    hint = f"{error.hint}; {there}; then run init again, it continues from there"
    return WriteFailed(error.message, hint=hint, where=error.where)


def _example(texts: Mapping[str, str]) -> FirstExample:
    """From the files as they are now."""
    policy, services = load_policy(texts[POLICY]).policy, load_services(texts[SERVICES]).services
    service = next(iter(services), "api") if services else "api"
    label = policy.labels[min(1, len(policy.labels) - 1)] if policy else "SEV1"
    known = policy.notify.channels if policy else []
    ringing = [one for one in known if policy and policy.rings(one)][:1]
    channels = [*ringing, *(one for one in known if one == "chat")] or ["chat"]
    return FirstExample(service, f"--{policy.drives if policy else 'severity'} {label}", channels)
