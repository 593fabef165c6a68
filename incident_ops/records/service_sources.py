"""Services as another file names them, for services.yaml: Backstage's catalog-info.yaml, or a CODEOWNERS file.

Nothing is guessed: what services.yaml has no place for is named, line by line, for people to decide.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from incident_ops.domain.record import Set
from incident_ops.errors import UserError
from incident_ops.findings import Finding
from incident_ops.records.editor import edit, same_data
from incident_ops.records.policy import load_services
from incident_ops.records.yaml_documents import PlacedDocument, read_documents
from incident_ops.records.yaml_reader import Document, read_yaml
from incident_ops.records.yaml_writer import scalar

CODEOWNERS = "CODEOWNERS"
_KINDS = ("Component", "System", "API")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_HANDLE = re.compile(r"@[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?", re.ASCII)
_REFERENCE = re.compile(r"(?:(?P<kind>[A-Za-z]+):)?(?:[A-Za-z0-9._-]+/)?(?P<name>[A-Za-z0-9._-]+)", re.ASCII)
_USED = {"apiVersion", "kind", "metadata.name", "metadata.description", "spec.owner", "spec.dependsOn"}
_WORDS = re.compile(r"(?:\\.|[^\s\\])+")
_LONGEST_REMARK = 100


@dataclass
class FoundServices:
    """Entries of services.yaml by name, what is said of each, and a line for whatever has no place there."""

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def services_in(raw: bytes, file: str, known: Collection[str] = ()) -> FoundServices:
    """The services that a file names; `known` are those of services.yaml. UserError where it cannot be read."""
    if file.rpartition("/")[2] == CODEOWNERS:
        return _of_code_owners(raw.decode("utf-8", "replace"), known)
    documents = read_documents(raw, file)
    found = FoundServices()
    names: dict[str, PlacedDocument] = {}
    for one in documents:
        if isinstance(one, Finding):
            raise UserError(one.message, hint=one.hint, where=str(one.where))
        if (name := _named(one, found)) is None:
            continue
        if name in names or name in known:
            where = "this file" if name in names else "services.yaml"
            found.left_out.append(f"{_place(one)}: {name} is in {where} already")
            continue
        names[name] = one
    for name, one in names.items():
        _add_entity(found, name, one, {*names, *known} - {name})
    if owners := dict.fromkeys(entry["owner"] for entry in found.entries.values()):
        found.left_out.append(f"owners by their names in the catalogue, not on GitHub: {', '.join(owners)}")
    return found


def with_services(text: str, found: FoundServices, file: str) -> str:
    """The text of a services.yaml with the entries at the end of its services, each below its remark."""
    edits = [Set(("services", name), entry) for name, entry in found.entries.items()]
    made = edit(text, edits, order=lambda _: (), file=file)
    if wrong := load_services(made).findings:
        raise UserError(wrong[0].message, hint=wrong[0].hint, where=str(wrong[0].where))
    remarked = _remarked(made, found.remarks)
    before, after = read_yaml(made, file), read_yaml(remarked, file)
    if isinstance(before, Document) and isinstance(after, Document) and same_data(before.data, after.data):
        return remarked
    return made


def _remarked(text: str, remarks: Mapping[str, str]) -> str:
    for name, remark in remarks.items():
        line = re.compile(rf"^([ \t]+)(?={re.escape(scalar(name))}:(?:\s|$))", re.MULTILINE)
        text = line.sub(lambda found, remark=remark: f"{found[1]}# {remark}\n{found[1]}", text, count=1)  # type: ignore[misc]
    return text


# ---------------------------------------------------------------- Backstage


def _named(one: PlacedDocument, found: FoundServices) -> str | None:
    """The name of a document that is a service; another one is said to be left out."""
    data = one.document.data
    kind = data.get("kind") if isinstance(data, dict) else None
    if kind not in _KINDS:
        found.left_out.append(
            f"{_place(one)}: {_word(kind) or 'no kind'} is not a {', '.join(_KINDS[:-1])} or {_KINDS[-1]}"
        )
        return None
    name = _text(_part(data, "metadata").get("name"))
    if not _NAME.fullmatch(name):
        found.left_out.append(f"{_place(one)}: {_word(name) or 'no name'} cannot be the name of a service")
        return None
    return name


def _add_entity(found: FoundServices, name: str, one: PlacedDocument, known: Collection[str]) -> None:
    data = one.document.data
    owner = _REFERENCE.fullmatch(_text(_part(data, "spec").get("owner")))
    if owner is None:
        found.left_out.append(f"{_place(one)}: {name} has no owner that can be read, and a service needs one")
        return
    needed, strange = _needed(_part(data, "spec").get("dependsOn"), known)
    entry: dict[str, Any] = {"owner": owner["name"], **({"depends_on": needed} if needed else {})}
    found.entries[name] = entry
    if remark := _word(_part(data, "metadata").get("description")):
        found.remarks[name] = remark
    unused = [key for key in _keys(data) if key not in _USED]
    unused += [f"dependsOn {_word(one)}" for one in strange]
    if unused:
        found.left_out.append(f"{_place(one)}: of {name}: {', '.join(unused)}")


def _needed(given: Any, known: Collection[str]) -> tuple[list[str], list[Any]]:
    """(the services that are known, what is none of them)"""
    needed: list[str] = []
    strange: list[Any] = []
    for one in given if isinstance(given, list) else [] if given is None else [given]:
        reference = _REFERENCE.fullmatch(_text(one))
        kind = reference["kind"] or _KINDS[0] if reference else ""
        is_service = kind.casefold() in {known_kind.casefold() for known_kind in _KINDS}
        if reference is None or not is_service or reference["name"] not in known:
            strange.append(one)
        elif reference["name"] not in needed:
            needed.append(reference["name"])
    return needed, strange


def _keys(data: Mapping[str, Any]) -> Iterator[str]:
    for key, value in data.items():
        if key in ("metadata", "spec") and isinstance(value, dict):
            yield from (f"{key}.{_word(below)}" for below in value)
        else:
            yield _word(key)


def _part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _place(one: PlacedDocument) -> str:
    return f"line {one.line(())}"


# --------------------------------------------------------------- CODEOWNERS


def _of_code_owners(text: str, known: Collection[str]) -> FoundServices:
    found = FoundServices()
    for number, line in enumerate(text.splitlines(), 1):
        words = _WORDS.findall(re.sub(r"(?:^|\s)#.*", "", line))
        if words:
            why = _add_owned(found, words[0], words[1:], known)
            found.left_out += [f"line {number}: {_word(words[0])}: {why}"] if why else []
    return found


def _add_owned(found: FoundServices, pattern: str, owners: list[str], known: Collection[str]) -> str:
    """Adds a service for the folder of a line; "", or why there is none, or what of the line has no place."""
    folder = re.sub(r"(?:/\*{1,2})?/?$", "", pattern.replace("\\ ", " ")).lstrip("/")
    name = folder.rpartition("/")[2]
    handles = [one for one in owners if _HANDLE.fullmatch(one)]
    if not handles:
        return "nobody on GitHub owns it"
    if not folder or re.search(r"[*?\[\]!\\]", folder):
        return "it is not a single folder"
    if not _NAME.fullmatch(name) or ("." in name and not pattern.endswith(("/", "*"))):
        return "its last part cannot be the name of a service"
    if name in known:
        return f"{name} is in services.yaml already"
    entry = found.entries.get(name)
    if entry is not None and entry["owner"] != handles[0]:
        return f"another line gives {name} to {entry['owner']}"
    paths = [*(entry["paths"] if entry else []), f"{folder}/**"]
    found.entries[name] = {"owner": handles[0], "paths": list(dict.fromkeys(paths))}
    others = [one for one in owners if one != handles[0]]
    return f"{name} has one owner, {handles[0]}; also named: {', '.join(map(_word, others))}" if others else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _word(value: Any) -> str:
    """A value of the file on one line of text that can do no harm."""
    text = "" if value is None else str(value)
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _LONGEST_REMARK else f"{line[: _LONGEST_REMARK - 3]}..."
