"""The first files of a repository of records: what is to be written where what is there now leaves room for it.

Pure: `plan` gets what is there and says what to do. Nothing of the user's is ever replaced; lines are added to files
that are shared with other tools.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from incident_ops.records.spell import to_yaml
from incident_ops.render.editor_settings import with_schemas
from incident_ops.shipped import DEFAULT_PRESET

POLICY, SERVICES = "policy.yaml", "services.yaml"
EDITOR, ATTRIBUTES, IGNORED = ".vscode/settings.json", ".gitattributes", ".gitignore"
FOLDERS = ("incidents", "maintenance", "problems", "freezes", "runbooks", "gates")
KINDS = ("incident", "policy", "services", "maintenance", "problem", "freeze", "gate")
DRIVER = {
    "merge.incident-ops.name": "incident records",
    "merge.incident-ops.driver": "incident-ops merge %O %A %B %L %P",
}
"""Settings of a clone under which git merges two people's timelines by itself."""

MERGED_BY = ("incidents/*/incident.yaml", "merge=incident-ops")
STATE = ".incident-ops/"
_DIFFERS = "it differs from the schema of this program; to have that one, delete it and run init again"

_GLOBS = {
    "incident": "incidents/*/incident.yaml",
    "policy": POLICY,
    "services": SERVICES,
    "maintenance": "maintenance/*.yaml",
    "problem": "problems/*.yaml",
    "freeze": "freezes/*.yaml",
    "gate": "gates/*.yaml",
}

There = bytes | str | None
"""What is at a path: the content of a plain file, a reason why it cannot be used, or None where nothing is."""


class Done(StrEnum):
    """What becomes of a file."""

    WRITTEN = "written"
    ADDED = "added to"
    KEPT = "as it should be"
    LEFT = "left as it was"


class File(NamedTuple):
    """A file, what becomes of it, its new content (None = not written), and what is to be said about that."""

    path: str
    done: Done
    content: bytes | None = None
    note: str = ""


class Wanted(NamedTuple):
    """What was asked for; None = nothing was said. `services` maps names to owners; `schemas` file names to texts."""

    preset: str | None
    services: Mapping[str, str] | None
    schemas: Mapping[str, str]


def paths(schemas: Mapping[str, str]) -> list[str]:
    """Every file `plan` asks about."""
    copies = [f"schemas/{name}" for name in schemas]
    kept = [f"{folder}/.gitkeep" for folder in FOLDERS]
    return [POLICY, SERVICES, *kept, *copies, EDITOR, ATTRIBUTES, IGNORED]


def plan(wanted: Wanted, there: Mapping[str, There], full: frozenset[str]) -> list[File]:
    """What becomes of each file; `full` are the folders that hold something already."""
    found = [
        _own(POLICY, policy_text(wanted.preset or DEFAULT_PRESET), there, _ignored("--preset", wanted.preset)),
        _own(SERVICES, services_text(wanted.services), there, _ignored("--service", wanted.services)),
    ]
    found += [_folder(folder, there, full) for folder in FOLDERS]
    found += [_own(f"schemas/{name}", text, there, _DIFFERS) for name, text in wanted.schemas.items()]
    rules = (_merging, _ignoring)
    return [*found, _editor(there.get(EDITOR)), *(rule(there) for rule in rules)]


def policy_text(preset: str) -> str:
    """The smallest policy, with a word about what to add."""
    return (
        "# yaml-language-server: $schema=schemas/policy.schema.json\n"
        "# Levels, targets and duties come from the preset; write below what differs for you.\n"
        "# All that is in force: incident-ops policy show --resolved\n"
        f"extends: {preset}\n"
    )


def services_text(services: Mapping[str, str] | None) -> str:
    """The services that were named, or one as an example."""
    lines = ["# yaml-language-server: $schema=schemas/services.schema.json"]
    if not services:
        lines.append("# An example: put your own services here, each with the person or team that owns it.")
    owned = {name: {"owner": owner} for name, owner in (services or {"api": "@your-team"}).items()}
    return "\n".join([*lines, to_yaml({"services": owned})])


def _own(path: str, text: str, there: Mapping[str, There], differs: str) -> File:
    """A file with this text. One that has another text is left, and `differs` tells why; "" = it is as it should be."""
    now = there.get(path)
    if now is None:
        return File(path, Done.WRITTEN, text.encode())
    if isinstance(now, str):
        return File(path, Done.LEFT, note=now)
    return File(path, Done.LEFT, note=differs) if differs and now != text.encode() else File(path, Done.KEPT)


def _ignored(option: str, given: object) -> str:
    return f"it is yours, so {option} was not applied" if given else ""


def _folder(folder: str, there: Mapping[str, There], full: frozenset[str]) -> File:
    path = f"{folder}/.gitkeep"
    now = there.get(path)
    if isinstance(now, str):
        return File(path, Done.LEFT, note=now)
    return File(path, Done.KEPT) if now is not None or folder in full else File(path, Done.WRITTEN, b"")


def _merging(there: Mapping[str, There]) -> File:
    pattern, attribute = MERGED_BY

    def says(words: list[str]) -> str | None:
        if not words or words[0] != pattern:
            return None
        return next((word for word in words[1:] if word.lstrip("-!").split("=")[0] == "merge"), None)

    now = there.get(ATTRIBUTES)
    told = [said for words in _words(now) if (said := says(words))]
    if told and told[-1] != attribute:
        return File(ATTRIBUTES, Done.LEFT, note=f"it merges records with {told[-1]!r}; {attribute} is what is meant")
    return _with_line(ATTRIBUTES, now, " ".join(MERGED_BY), bool(told))


def _ignoring(there: Mapping[str, There]) -> File:
    now = there.get(IGNORED)
    known = {(form,) for form in (STATE, f"/{STATE}", STATE[:-1], f"/{STATE[:-1]}")}
    return _with_line(IGNORED, now, f"/{STATE}", any(tuple(words) in known for words in _words(now)))


def _words(now: There) -> Iterator[list[str]]:
    lines = now.decode("utf-8", "replace").splitlines() if isinstance(now, bytes) else ()
    return (line.split() for line in lines)


def _with_line(path: str, now: There, line: str, is_there: bool) -> File:
    """The file with one more line at its end, in its own line ends; every byte before stays."""
    if now is None:
        return File(path, Done.WRITTEN, f"{line}\n".encode())
    if isinstance(now, str):
        return File(path, Done.LEFT, note=f"{now}; add the line {line!r} to what it stands for")
    if is_there:
        return File(path, Done.KEPT)
    end = b"\r\n" if b"\r\n" in now else b"\n"
    gap = end if now and not now.endswith(b"\n") else b""
    return File(path, Done.ADDED, now + gap + line.encode() + end, note=f"one line: {line}")


def _editor(now: There) -> File:
    schemas = {f"./schemas/{kind}.schema.json": [_GLOBS[kind]] for kind in KINDS}
    if now is None:
        text = json.dumps({"yaml.schemas": schemas, "yaml.yamlVersion": "1.2"}, indent=2) + "\n"
        return File(EDITOR, Done.WRITTEN, text.encode())
    if isinstance(now, str):
        return File(EDITOR, Done.LEFT, note=now)
    merged = with_schemas(now, schemas)
    if isinstance(merged, str):
        return File(EDITOR, Done.LEFT, note=merged)
    return File(EDITOR, Done.KEPT) if merged == now else File(EDITOR, Done.ADDED, merged, note="yaml.schemas")
