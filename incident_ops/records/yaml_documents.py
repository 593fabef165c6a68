"""A file of several YAML documents, as other tools write them: each read by itself, its places those of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from incident_ops.findings import Finding, Route, Where
from incident_ops.records.file_findings import fault
from incident_ops.records.yaml_reader import MAX_BYTES, Document, read_yaml

MOST_DOCUMENTS = 100

_MARK = re.compile(r"^---[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_EMPTY = re.compile(r"(?:[ \t]*(?:#.*)?\r?\n)*[ \t]*(?:#.*)?\r?", re.ASCII)


class PlacedDocument(NamedTuple):
    """A document and the number of lines above it."""

    above: int
    document: Document

    def line(self, route: Route, *, on_key: bool = True) -> int:
        """The line of a place, in the file."""
        return self.above + self.document.locate(Where(self.document.file, route, on_key=on_key)).line


def read_documents(raw: bytes, file: str) -> list[PlacedDocument] | list[Finding]:
    """The bytes of a file -> its documents, or what is wrong with the first that cannot be read."""
    if len(raw) > MAX_BYTES:
        return [fault("file", file, f"the file has {len(raw):,} bytes, at most {MAX_BYTES:,} are read", "split it")]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        at = (raw.count(b"\n", 0, error.start) + 1, 1)
        return [fault("encoding", file, f"byte 0x{raw[error.start]:02x} is not UTF-8 text", "save it as UTF-8", at=at)]
    parts = list(_parts(text))
    if len(parts) > MOST_DOCUMENTS:
        return [fault("limits", file, f"the file has over {MOST_DOCUMENTS} documents", "split it", at=(1, 1))]
    found = []
    for above, part in parts:
        document = read_yaml(part, file)
        if isinstance(document, list):
            return [_moved(one, above) for one in document]
        found.append(PlacedDocument(above, document))
    return found or [fault("file", file, "the file is empty", "save the objects into it")]


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """(lines above, text) of each document that is not empty."""
    at, above = 0, 0
    for mark in (*_MARK.finditer(text), None):
        part = text[at : mark.start() if mark else len(text)]
        if not _EMPTY.fullmatch(part):
            yield above, part
        if mark is not None:
            above += text.count("\n", at, mark.end())
            # the rest of the mark's own line belongs to no document; what follows begins with its break
            at = mark.end()


def _moved(finding: Finding, above: int) -> Finding:
    where = finding.where
    return finding.at(replace(where, line=where.line + above)) if where.line else finding
