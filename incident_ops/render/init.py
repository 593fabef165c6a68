"""`init`: the first files of a repository of records, and what it prints about them.

Pure: `plan_files` gets the files that exist and says what to write. Nothing of the user's is ever replaced; lines are
added to files that are shared with other tools.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple

from incident_ops.records.yaml_writer import to_yaml
from incident_ops.render.editor_settings import with_schemas
from incident_ops.render.findings import inert, json_text
from incident_ops.render.first_gate import GATE, GATE_TEXT, SOURCE
from incident_ops.render.text import DEFAULT_WIDTH, fold
from incident_ops.resources import DEFAULT_PRESET

POLICY, SERVICES = "policy.yaml", "services.yaml"
SCHEDULE = "oncall/primary.yaml"
EDITOR, EXTENSIONS, TASKS = ".vscode/settings.json", ".vscode/extensions.json", ".vscode/tasks.json"
ATTRIBUTES, IGNORED = ".gitattributes", ".gitignore"
FIRST_FOLDERS = ("incidents", "maintenance", "problems", "freezes", "runbooks", "gates", "oncall")
EDITOR_KINDS = ("incident", "policy", "services", "maintenance", "problem", "freeze", "gate", "oncall")
MERGE_DRIVER = {
    "merge.incident-ops.name": "incident records",
    "merge.incident-ops.driver": "incident-ops merge %O %A %B %L %P",
}
"""Settings of a clone under which git merges two people's timelines by itself."""

MERGED_BY = ("incidents/*/incident.yaml", "merge=incident-ops")
STATE_IGNORED = ".incident-ops/"
TEMPORARY_IGNORED = ".*.incident-ops"
"""What a command leaves that was killed while it wrote."""
PAGES_IGNORED = "rendered/"
"""Where `render` puts pages, in whatever folder it runs."""
HANDOVER_HOUR = 9
"""The local hour at which people of the first schedule hand over."""
_EDITED = "it was edited by hand, or is not from this version; to replace it: incident-ops init --replace-schemas"
YAML_EXTENSION = "redhat.vscode-yaml"
_PLACE = r"^(.+?):(\d+):(\d+): (error|warning|note): (.*) \[([a-z-]+)\]$"
_WHOLE_FILE = r"^([^:]+): (error|warning|note): (.*) \[([a-z-]+)\]$"
_OURS = {"owner": "incident-ops", "source": "incident-ops", "fileLocation": ["relative", "${workspaceFolder}"]}
TASK = {
    "label": "incident-ops: validate",
    "type": "shell",
    "command": "incident-ops",
    "args": ["--color", "never", "validate"],
    "group": {"kind": "build", "isDefault": True},
    "presentation": {"reveal": "silent"},
    "problemMatcher": [
        {
            **_OURS,
            "pattern": {"regexp": _PLACE, "file": 1, "line": 2, "column": 3, "severity": 4, "message": 5, "code": 6},
        },
        {
            **_OURS,
            "pattern": {"regexp": _WHOLE_FILE, "kind": "file", "file": 1, "severity": 2, "message": 3, "code": 4},
        },
    ],
}
"""Runs `validate` on "Run Build Task" of VS Code, and tells it how to read the findings."""

_GLOBS = {
    "incident": "incidents/*/incident.yaml",
    "policy": POLICY,
    "services": SERVICES,
    "maintenance": "maintenance/*.yaml",
    "problem": "problems/*.yaml",
    "freeze": "freezes/*.yaml",
    "gate": "gates/*.yaml",
    "oncall": "oncall/*.yaml",
}

Existing = bytes | str | None
"""What is at a path: the content of a regular file, why it cannot be used, or None where nothing is."""


class FileOutcome(StrEnum):
    """What becomes of a file."""

    WRITTEN = "written"
    UPDATED = "updated"
    MERGED = "merged"
    REMOVED = "removed"
    ADDED = "added to"
    KEPT = "unchanged"
    LEFT = "skipped"


class PlannedFile(NamedTuple):
    """A file, what becomes of it, its new content (None = not written), and a note on that."""

    path: str
    done: FileOutcome
    content: bytes | None = None
    note: str = ""


class InitRequest(NamedTuple):
    """The options given; None = not given. `services` maps names to owners; `schemas` has the state of each copy;
    `schedule` is the text of the first schedule, where one is asked for; `channels` are the lines of the policy about
    the channels, "" for those of the preset."""

    preset: str | None
    services: Mapping[str, str] | None
    schemas: Mapping[str, SchemaCopy]
    is_replacing: bool = False
    schedule: str | None = None
    channels: str = ""


class FirstExample(NamedTuple):
    """For the first declaration a service and the option of a level, and the channels of those who are on call."""

    service: str
    level: str
    channels: Sequence[str]


class SchemaCopy(NamedTuple):
    """The text that a copy of a schema should have now; whether the one that is there has what it was made from now,
    and whether somebody edited it."""

    text: str
    is_current: bool = False
    is_edited: bool = False


def paths() -> list[str]:
    """Every file `plan` asks about."""
    copies = [schema_path(kind) for kind in EDITOR_KINDS]
    kept = [f"{folder}/.gitkeep" for folder in FIRST_FOLDERS]
    return [POLICY, SERVICES, SCHEDULE, GATE, *kept, *copies, EDITOR, EXTENSIONS, TASKS, ATTRIBUTES, IGNORED]


def schema_path(kind: str) -> str:
    """Where an editor finds the schema of a kind of record."""
    return f"schemas/{kind}.schema.json"


def plan_files(request: InitRequest, existing: Mapping[str, Existing], full: frozenset[str]) -> list[PlannedFile]:
    """What becomes of each file; `full` are the folders that are not empty."""
    files = [
        _own(
            POLICY,
            policy_text(request.preset or DEFAULT_PRESET, request.channels),
            existing,
            _ignored("--preset", request.preset) or _ignored("--channel", request.channels),
        ),
        _own(SERVICES, services_text(request.services), existing, _ignored("--service", request.services)),
    ]
    if request.schedule is not None:
        differs = "it exists, so --on-call was not applied"
        files.append(_own(SCHEDULE, request.schedule, existing, differs))
    # a policy that is there already may lack the gate's data source
    gates = [_own(GATE, GATE_TEXT, existing, "")] if existing.get(POLICY) is None and "gates" not in full else []
    has_file = {file.path.partition("/")[0] for file in (*files, *gates)}
    files += [_folder(folder, existing, full) for folder in FIRST_FOLDERS if folder not in has_file]
    files += gates
    files += [_schema(schema_path(kind), copy, existing, request) for kind, copy in request.schemas.items()]
    files += [_editor(existing.get(EDITOR)), _extensions(existing), _tasks(existing)]
    return [*files, *(rule(existing) for rule in (_merging, _ignoring))]


def policy_text(preset: str, channels: str = "") -> str:
    """The smallest policy, with a comment on what to add, and the lines about its channels."""
    return (
        "# yaml-language-server: $schema=schemas/policy.schema.json\n"
        "# Levels, targets and duties come from the preset; write below only what differs.\n"
        "# Everything in force: incident-ops policy show --resolved\n"
        f"extends: {preset}\n"
        f"{channels}"
        "datasources:\n"
        f"  {SOURCE}: # where {GATE} finds its numbers\n"
        "    kind: prometheus\n"
        "    url_env: PROMETHEUS_URL # set it to the address of your Prometheus; it stays out of git\n"
        "    # allow_private: true # where that is plain http, or an address of your own network\n"
    )


NO_SERVICES = "# yaml-language-server: $schema=schemas/services.schema.json\nservices: {}\n"


def services_text(services: Mapping[str, str] | None) -> str:
    """The services that were named, or one as an example."""
    lines = ["# yaml-language-server: $schema=schemas/services.schema.json"]
    if not services:
        lines.append("# An example: put your own services here, each with the person or team that owns it.")
    owned = {name: {"owner": owner} for name, owner in (services or {"api": "@your-team"}).items()}
    return "\n".join([*lines, to_yaml({"services": owned})])


def schedule_text(people: Sequence[str], zone: str, start: date) -> str:
    """A schedule in which these people take weeks in turn, from a day on."""
    layer = {
        "name": "week",
        "people": [*people],
        "start": start.isoformat(),
        "rotate": "1w",
        "at": f"{HANDOVER_HOUR:02}:00",
    }
    return (
        "# yaml-language-server: $schema=../schemas/oncall.schema.json\n"
        "# Who is on call: incident-ops oncall who. More layers, hours and overrides: docs/oncall.md\n"
        + to_yaml({"name": "primary", "zone": zone, "layers": [layer]})
    )


def _own(path: str, text: str, existing: Mapping[str, Existing], differs: str) -> PlannedFile:
    """A file with this text. One with another text is skipped, and `differs` says why; "" = any text will do."""
    now = existing.get(path)
    if now is None:
        return PlannedFile(path, FileOutcome.WRITTEN, text.encode())
    if isinstance(now, str):
        return PlannedFile(path, FileOutcome.LEFT, note=now)
    return (
        PlannedFile(path, FileOutcome.LEFT, note=differs)
        if differs and now != text.encode()
        else PlannedFile(path, FileOutcome.KEPT)
    )


def _schema(path: str, copy: SchemaCopy, existing: Mapping[str, Existing], request: InitRequest) -> PlannedFile:
    """A copy that nobody edited is brought up to date; an edited one only where that was asked for."""
    now = existing.get(path)
    if not isinstance(now, bytes):
        return _own(path, copy.text, existing, "")
    if copy.is_edited and not request.is_replacing:
        return PlannedFile(path, FileOutcome.LEFT, note=_EDITED)
    if copy.is_current:
        return PlannedFile(path, FileOutcome.KEPT)
    return PlannedFile(path, FileOutcome.UPDATED, copy.text.encode())


def _extensions(existing: Mapping[str, Existing]) -> PlannedFile:
    text = json.dumps({"recommendations": [YAML_EXTENSION]}, indent=2) + "\n"
    differs = f"add {YAML_EXTENSION} to its recommendations"
    return _own(EXTENSIONS, text, existing, "" if _mentions(existing.get(EXTENSIONS), YAML_EXTENSION) else differs)


def _tasks(existing: Mapping[str, Existing]) -> PlannedFile:
    text = json.dumps({"version": "2.0.0", "tasks": [TASK]}, indent=2) + "\n"
    differs = "it has no task that runs `incident-ops validate`; init in an empty folder writes one to copy"
    return _own(TASKS, text, existing, "" if _mentions(existing.get(TASKS), "incident-ops") else differs)


def _mentions(now: Existing, word: str) -> bool:
    return isinstance(now, bytes) and word.encode() in now


def _ignored(option: str, value: object) -> str:
    return f"it exists, so {option} was not applied" if value else ""


def _folder(folder: str, existing: Mapping[str, Existing], full: frozenset[str]) -> PlannedFile:
    path = f"{folder}/.gitkeep"
    now = existing.get(path)
    if isinstance(now, str):
        return PlannedFile(path, FileOutcome.LEFT, note=now)
    return (
        PlannedFile(path, FileOutcome.KEPT)
        if now is not None or folder in full
        else PlannedFile(path, FileOutcome.WRITTEN, b"")
    )


def _merging(existing: Mapping[str, Existing]) -> PlannedFile:
    pattern, attribute = MERGED_BY

    def driver_of(words: list[str]) -> str | None:
        if not words or words[0] != pattern:
            return None
        return next((word for word in words[1:] if word.lstrip("-!").split("=")[0] == "merge"), None)

    now = existing.get(ATTRIBUTES)
    drivers = [driver for words in _words(now) if (driver := driver_of(words))]
    if drivers and drivers[-1] != attribute:
        return PlannedFile(
            ATTRIBUTES, FileOutcome.LEFT, note=f"it merges records with {drivers[-1]!r}; expected {attribute}"
        )
    return _with_lines(ATTRIBUTES, now, [] if drivers else [" ".join(MERGED_BY)])


def _ignoring(existing: Mapping[str, Existing]) -> PlannedFile:
    now = existing.get(IGNORED)
    there = {tuple(words) for words in _words(now)}
    wanted = {
        f"/{STATE_IGNORED}": _forms(STATE_IGNORED),
        TEMPORARY_IGNORED: {(TEMPORARY_IGNORED,)},
        PAGES_IGNORED: _forms(PAGES_IGNORED),
    }
    return _with_lines(IGNORED, now, [line for line, known in wanted.items() if there.isdisjoint(known)])


def _forms(folder: str) -> set[tuple[str]]:
    """The lines that leave a folder out; any of them will do."""
    return {(form,) for form in (folder, f"/{folder}", folder[:-1], f"/{folder[:-1]}")}


def _words(now: Existing) -> Iterator[list[str]]:
    lines = now.decode("utf-8", "replace").splitlines() if isinstance(now, bytes) else ()
    return (line.split() for line in lines)


def _with_lines(path: str, now: Existing, lines: Sequence[str]) -> PlannedFile:
    """The file with these lines more at its end, in its own line ends; every byte before stays."""
    if now is None:
        return PlannedFile(path, FileOutcome.WRITTEN, "".join(f"{line}\n" for line in lines).encode())
    named = ", ".join(lines)
    if isinstance(now, str):
        what = f"the {'line' if len(lines) == 1 else 'lines'} {named!r}"
        return PlannedFile(path, FileOutcome.LEFT, note=f"{now}; add {what} to the file it points to")
    if not lines:
        return PlannedFile(path, FileOutcome.KEPT)
    end = b"\r\n" if b"\r\n" in now else b"\n"
    gap = end if now and not now.endswith(b"\n") else b""
    added = b"".join(line.encode() + end for line in lines)
    note = f"{'one line' if len(lines) == 1 else f'{len(lines)} lines'}: {named}"
    return PlannedFile(path, FileOutcome.ADDED, now + gap + added, note=note)


def _editor(now: Existing) -> PlannedFile:
    schemas = {f"./schemas/{kind}.schema.json": [_GLOBS[kind]] for kind in EDITOR_KINDS}
    if now is None:
        text = json.dumps({"yaml.schemas": schemas, "yaml.yamlVersion": "1.2"}, indent=2) + "\n"
        return PlannedFile(EDITOR, FileOutcome.WRITTEN, text.encode())
    if isinstance(now, str):
        return PlannedFile(EDITOR, FileOutcome.LEFT, note=now)
    merged = with_schemas(now, schemas)
    if isinstance(merged, str):
        return PlannedFile(EDITOR, FileOutcome.LEFT, note=merged)
    return (
        PlannedFile(EDITOR, FileOutcome.KEPT)
        if merged == now
        else PlannedFile(EDITOR, FileOutcome.ADDED, merged, note="yaml.schemas")
    )


CHANGED = frozenset(FileOutcome) - {FileOutcome.KEPT, FileOutcome.LEFT}


def to_text(
    folder: str,
    files: Sequence[PlannedFile],
    settings: Mapping[str, str],
    next_steps: Sequence[str],
    width: int = DEFAULT_WIDTH,
    *,
    is_dry: bool = False,
) -> str:
    """A line for each file or folder; those that are unchanged are only counted."""
    out = [f"Incidents as code in {inert(folder)}" + (": what would be done; nothing is written" if is_dry else "")]
    changed = [file for file in files if file.done is not FileOutcome.KEPT]
    for done in FileOutcome:
        same = [file for file in changed if file.done is done]
        out += [row for line in _lines(same) for row in _row(done, line, width)]
    if settings:
        out += _row("set in git", f"{', '.join(settings)} (in this clone)", width)
    kept = len(files) - len(changed)
    if not any(file.done in CHANGED for file in files) and not settings:
        out.append("  nothing to do: everything is there already")
    elif kept:
        out += _row(FileOutcome.KEPT, str(kept), width)
    if next_steps:
        out += ["", "Next:", *(f"  {number}. {step}" for number, step in enumerate(next_steps, 1))]
    return "\n".join(out) + "\n"


def to_json(
    folder: str,
    files: Sequence[PlannedFile],
    settings: Mapping[str, str],
    next_steps: Sequence[str],
    more: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """The same for scripts; `git_config` has the settings made now, `more` what else there is to say."""

    def paths_of(done: FileOutcome) -> list[str]:
        return [file.path for file in files if file.done is done]

    return json_text(
        {
            "schema": 1,
            "folder": folder,
            "changed": bool(settings) or any(file.done in CHANGED for file in files),
            "written": paths_of(FileOutcome.WRITTEN),
            "updated": paths_of(FileOutcome.UPDATED),
            "merged": paths_of(FileOutcome.MERGED),
            "removed": paths_of(FileOutcome.REMOVED),
            "added_to": paths_of(FileOutcome.ADDED),
            "left": [{"file": file.path, "reason": file.note} for file in files if file.done is FileOutcome.LEFT],
            "git_config": dict(settings),
            "next": list(next_steps),
            **more,
        }
    )


_FIRST_COMMIT = 'git add -A && git commit -m "Incidents as code"'


def first_steps(
    files: Sequence[PlannedFile],
    example: FirstExample,
    on_call: Sequence[str],
    *,
    has_git: bool,
    has_commit: bool = True,
    wheel: str = "",
    wants_people: bool = False,
) -> list[str]:
    """What a person does after the first run, and after one that only added or updated files of ours; `on_call` are
    the people of the first schedule; `wheel` is the path of one that runs install from the repository;
    `wants_people`: notices will be sent, and somebody has to be named whom they reach.

    Nothing after a run that changed nothing.
    """
    changed = {file.path for file in files if file.done in CHANGED}
    if not changed:
        return []
    setting_up = [] if has_git else ["git init, then incident-ops init again: it sets up the merging of records"]
    elsewhere = "in every other clone, once: incident-ops init (merge driver, your handle)"
    own = [name for name in (POLICY, SERVICES) if name in changed]
    naming = (
        [_reaching(on_call, example.channels)] if SCHEDULE in changed or (POLICY in changed and wants_people) else []
    )
    if not own:
        committing = [_committing({*changed, wheel} - {""}) if has_commit else _FIRST_COMMIT] if has_git else []
        return [*naming, *setting_up, *committing, *([elsewhere] if ATTRIBUTES in changed else [])]
    return [
        f"review {' and '.join(own)}",
        *([f"put your counters into {GATE} (it judges deploys), or remove it"] if GATE in changed else []),
        *naming,
        *setting_up,
        f'incident-ops declare "Login fails" -s {shlex.quote(example.service)} {example.level} --drill',
        "incident-ops validate",
        _FIRST_COMMIT,
        elsewhere,
    ]


def _reaching(people: Sequence[str], channels: Sequence[str]) -> str:
    """The block of the policy by which whoever is on call is notified."""
    on_call = "oncall:primary" if people else "@YOU"
    each = [f'"{who}": {{channels: [{", ".join(channels)}]}}' for who in dict.fromkeys(people or [on_call])]
    named = ", ".join([*each, f'roles: {{on_call: ["{on_call}"]}}'])
    return f"write into policy.yaml who is reached: contacts: {{{named}}}"


def _committing(changed: Collection[str]) -> str:
    """The command that commits the folders and files that these are in."""
    places = sorted({path.partition("/")[0] for path in changed})
    message = "Editor schemas" if places == ["schemas"] else "Files of incident-ops"
    return f'git add {" ".join(places)} && git commit -m "{message}"'


def files_summary(files: Sequence[PlannedFile]) -> str:
    """The files on one line, those of one folder together."""
    return ", ".join(line.split("  ")[0] for line in _lines([file._replace(note="") for file in files]))


def _row(word: str, text: str, width: int) -> list[str]:
    return fold(f"  {word:<15}  {text}", rest=" " * 19, width=width)


def _lines(files: Sequence[PlannedFile]) -> list[str]:
    """A line for each file; new folders share one line, and so do the files of one folder that have the same note."""
    folders = [
        file.path.removesuffix(".gitkeep") for file in files if file.path.endswith("/.gitkeep") and not file.note
    ]
    rest = [file for file in files if not file.path.endswith("/.gitkeep") or file.note]
    lines = []
    for (folder, note), group in groupby(rest, key=lambda file: (file.path.rpartition("/")[0], file.note)):
        same = [*group]
        if folder and len(same) > 1:
            lines.append(f"{folder}/ ({len(same)} files){f': {note}' if note else ''}")
        else:
            lines += [file.path + (f": {note}" if note else "") for file in same]
    return [*lines, *([" ".join(folders)] if folders else [])]
