"""An analysis of Argo Rollouts or Flagger, read from a file and written as a gate file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.files import write_bytes
from incident_ops.app.canary_gate import gate_name
from incident_ops.app.workspace import Workspace
from incident_ops.canary.config_check import check_gate_file
from incident_ops.canary.migrate.gate import ImportedFile, ImportedGate, ImportWish, SourceObject, import_objects
from incident_ops.canary.migrate.notebook import ImportLine, ImportOutcome
from incident_ops.errors import UserError
from incident_ops.findings import Finding
from incident_ops.records.gate_file import load_gate
from incident_ops.records.yaml_documents import PlacedDocument, read_documents
from incident_ops.records.yaml_reader import MAX_BYTES, Document
from incident_ops.render.canary_import import gate_text

_MOST_OBJECTS = 500


class GateImport(NamedTuple):
    """What `canary import` takes: the file, where the gate goes (None: it is only printed), and what a person chose."""

    file: str
    output: str | None
    wish: ImportWish
    force: bool


def import_gate(workspace: Workspace, request: GateImport) -> ImportedFile:
    """The gate of a file, written where `output` names one. UserError where the file cannot be used, or where there is
    a gate file already."""
    name = None if request.output is None else gate_name(request.output)
    if request.output is not None and not request.force and os.path.lexists(request.output):
        raise UserError("the file exists already", where=request.output, hint="--force writes over it")
    documents = _documents(request.file)
    known = _known_sources(workspace)
    wish = request.wish._replace(sources={**_only_ones(known), **request.wish.sources})
    try:
        gate = import_objects(list(_objects(documents)), wish)
    except UserError as error:
        raise UserError(error.message, hint=error.hint, where=error.where or request.file) from error
    gate.name = name or gate.name
    text = _checked(gate, request.file, documents)
    lines = sorted(((documents[line.document].line(line.route), line) for line in gate.lines), key=lambda one: one[0])
    missing = {key: block for key, block in gate.sources().items() if known.get(key) != block["kind"]}
    if request.output is not None and text:
        write_bytes(Path(request.output), text.encode())
    return ImportedFile(gate, text, tuple(lines), request.file, missing)


def _documents(file: str) -> list[PlacedDocument]:
    try:
        with Path(file).open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"it cannot be read: {error.strerror}", where=file, hint="check the path") from error
    found = read_documents(raw, file)
    documents = [one for one in found if isinstance(one, PlacedDocument)]
    if documents:
        return documents
    first = next(one for one in found if isinstance(one, Finding))
    hint = first.hint
    if re.search(rb"\{\{-?\s*(?:[.$`\"]|[a-zA-Z]+\s+[.$`\"(]|(?:else|end)\b)", raw):
        hint = "it is a Helm template: import what helm template prints"
    raise UserError(first.message, where=str(first.where), hint=hint)


def _objects(documents: Sequence[PlacedDocument]) -> Iterator[SourceObject]:
    """The objects of the documents, those of lists too."""
    for number, placed in enumerate(documents):
        data = placed.document.data
        if not isinstance(data, dict):
            continue
        if data.get("kind") == "List" and isinstance(data.get("items"), list):
            if len(data["items"]) > _MOST_OBJECTS:
                where = f"{placed.document.file}:{placed.line(('items',))}"
                raise UserError(f"the list has over {_MOST_OBJECTS} objects", where=where, hint="split it")
            for index, item in enumerate(data["items"]):
                if isinstance(item, dict):
                    yield SourceObject(number, ("items", index), item)
        else:
            yield SourceObject(number, (), data)


def _known_sources(workspace: Workspace) -> dict[str, str]:
    """Name -> kind of the data sources of the policy; none where there is no policy."""
    try:
        return {name: source.kind for name, source in workspace.judged_by[0].datasources.items()}
    except UserError:
        return {}


def _only_ones(known: Mapping[str, str]) -> dict[str, str]:
    """Kind -> name, where the policy has one of the kind."""
    kinds = list(known.values())
    return {kind: name for name, kind in known.items() if kinds.count(kind) == 1}


def _checked(gate: ImportedGate, file: str, documents: Sequence[PlacedDocument]) -> str:
    """The text of a gate that `canary validate` accepts: a metric that it does not is left out, and that is said."""
    while gate.metrics:
        text = gate_text(gate, file, _places(gate, documents))
        found = load_gate(text.encode(), file, check_gate_file)
        if isinstance(found, Document):
            return text
        for finding in found:
            match finding.where.route:
                case ("spec", "metrics", int(index), *_) if index < len(gate.metrics):
                    part, _ = gate.metrics.pop(index)
                    gate.notebook.forget(part)
                    part.refused("", f"a gate cannot have it so: {finding.message}", finding.hint, weakens=True)
                    break
        else:
            first = found[0]
            raise UserError(f"it does not make a gate: {first.message}", where=file, hint=first.hint)
    return ""


def _places(gate: ImportedGate, documents: Sequence[PlacedDocument]) -> list[tuple[int, ImportLine]]:
    refused = [line for line in gate.lines if line.outcome is ImportOutcome.REFUSED and line.weakens]
    return sorted(((documents[line.document].line(line.route), line) for line in refused), key=lambda one: one[0])
