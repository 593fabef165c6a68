"""The first files of a repository of records: what is there is read, what is missing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from incident_ops import resources
from incident_ops.adapters import clock
from incident_ops.adapters.environment import HANDLE_SETTING
from incident_ops.adapters.files import write_bytes
from incident_ops.app.identity import handle_of
from incident_ops.app.workspace import Workspace, demand_work_tree
from incident_ops.domain.time import zone_named
from incident_ops.errors import UserError, WriteFailed
from incident_ops.findings import Finding
from incident_ops.records.policy import load_policy, load_services
from incident_ops.records.schema_copies import CopyState, Names, copy_state, copy_text
from incident_ops.records.store import is_link, list_folder, read_regular
from incident_ops.records.yaml_reader import MAX_BYTES
from incident_ops.render import init
from incident_ops.render.findings import inert
from incident_ops.render.init import (
    EDITOR_KINDS,
    POLICY,
    SERVICES,
    Existing,
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
    """What became of each file, the settings of git that were made, and what a person does next."""

    files: Sequence[PlannedFile]
    settings: Mapping[str, str]
    next_steps: Sequence[str]


def begin(workspace: Workspace, services: Sequence[str]) -> Beginning:
    """Looks at what is there; `services` are NAME=OWNER. UserError where one is not."""
    demand_work_tree(workspace)
    return Beginning(_owners(services), {path: _there(workspace.root, path) for path in init.paths()})


def write_first_files(
    workspace: Workspace,
    beginning: Beginning,
    preset: str | None,
    handle: str | None = None,
    *,
    is_replacing: bool = False,
    on_call: Sequence[str] = (),
) -> FirstFiles:
    """Writes what is missing, sets the merge driver, and keeps the handle of whoever works in this clone.

    What is there already is its owner's, but for copies of schemas that nobody edited, or (`is_replacing`) that
    somebody did. With `on_call` there is a schedule in which these take turns. UserError for a handle that is not one,
    or where no git can keep it.
    """
    root = workspace.root
    mine = _kept(workspace, handle)
    full = frozenset(folder for folder in init.FIRST_FOLDERS if list_folder(root, folder))
    schemas = {} if _is_own_folder(root) else _schemas(beginning, preset)
    people = [handle_of(one) for one in on_call]
    schedule = _schedule(workspace, people) if people else None
    request = InitRequest(preset, beginning.owners, schemas, is_replacing, schedule)
    files = init.plan_files(request, beginning.there, full)
    _write(root, files)
    settings = _settle(workspace, files, mine)
    steps = init.first_steps(files, _example(root), people, has_git=workspace.git is not None)
    return FirstFiles(files, settings, steps)


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


def _there(root: Path, path: str) -> Existing:
    """What stands at a path: its bytes, nothing, or the reason why it is left alone."""
    folder = path.rpartition("/")[0]
    if folder and is_link(root, folder):
        return f"{folder} is a link, and links are not followed"
    if folder and (root / folder).exists() and not (root / folder).is_dir():
        return f"{folder} is not a folder"
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
    hint = f"{error.hint}; {there}; then run init again, it goes on from there"
    return WriteFailed(error.message, hint=hint, where=error.where)


def _example(root: Path) -> FirstExample:
    """From the files as they are now."""
    raw = (_there(root, POLICY), _there(root, SERVICES))
    texts = [one.decode("utf-8", "replace") if isinstance(one, bytes) else "" for one in raw]
    policy, services = load_policy(texts[0]).policy, load_services(texts[1]).services
    service = next(iter(services), "api") if services else "api"
    label = policy.labels[min(1, len(policy.labels) - 1)] if policy else "SEV1"
    known = policy.notify.channels if policy else []
    ringing = [one for one in known if policy and policy.rings(one)][:1]
    channels = [*ringing, *(one for one in known if one == "chat")] or ["chat"]
    return FirstExample(service, f"--{policy.drives if policy else 'severity'} {label}", channels)
