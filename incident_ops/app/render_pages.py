"""The documents of records as pages: HTML files that stand alone, or PDF files, in a folder of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from incident_ops.adapters.browser import print_page
from incident_ops.adapters.files import demand_no_link, write_bytes
from incident_ops.app.known import known_record, not_declared
from incident_ops.app.render import records_to_render
from incident_ops.app.workspace import Workspace, leads_somewhere
from incident_ops.documents.html_page import html_page
from incident_ops.documents.incident_documents import incident_documents
from incident_ops.domain.fence import Unusable, evaluate_one
from incident_ops.domain.record import Record, Unread

HTML, PDF = "html", "pdf"


class RenderedPages(NamedTuple):
    """How many pages there are, those that differed and were written, and the records that have none."""

    total: int
    written: list[Path]
    unread: list[Unread]


def render_pages(workspace: Workspace, incidents: Sequence[str], form: str, output: Path) -> RenderedPages:
    """Writes the pages to `output`/ID/NAME: HTML only where it differs, PDF always, for it has the time in it.

    UserError as `render_documents`, and for a PDF without a browser; Incomplete where one cannot be printed;
    WriteFailed at a symbolic link.
    """
    rendered = RenderedPages(0, [], [])
    total = 0
    for record in records_to_render(workspace, incidents):
        try:
            pages = evaluate_one(record, lambda one: list(_pages(workspace, one, bool(incidents))))
        except Unusable as error:
            rendered.unread.extend(error.unread)
            continue
        _demand_no_link_below(workspace.root, output, record.incident.id)
        for name, text in pages:
            total += 1
            rendered.written.extend(_written(output / record.incident.id / name, text, form))
    unread = [*(() if incidents else workspace.catalogue.unreadable()), *rendered.unread]
    return RenderedPages(total, rendered.written, sorted(unread))


def _demand_no_link_below(root: Path, output: Path, name: str) -> None:
    """WriteFailed where the pages of an incident would go through a symbolic link that a repository can hold."""
    place = Path(os.path.normpath(Path.cwd() / output))
    demand_no_link(output, f"{name}/page")
    if place.is_relative_to(root):
        demand_no_link(root, f"{place.relative_to(root).as_posix()}/page")


def _pages(workspace: Workspace, record: Record, named: bool) -> Iterator[tuple[str, str]]:
    known = known_record(workspace, record)
    if known is None:
        if named:
            raise not_declared(workspace, record)
        return
    policy = workspace.judged_by[0]
    texts = incident_documents(
        known.incident, policy, workspace.now, known.undated, lambda path: leads_somewhere(workspace, path)
    )
    for name, text in texts.items():
        yield name.removesuffix(".md"), html_page(text, _beside(workspace, record))


def _beside(workspace: Workspace, record: Record) -> Callable[[str], bytes | None]:
    """Gives the bytes of a picture in the folder of a record."""

    def read(name: str) -> bytes | None:
        content = workspace.store.read(str(Path(record.path).with_name(name)))
        return content if isinstance(content, bytes) else None

    return read


def _written(stem: Path, text: str, form: str) -> Iterator[Path]:
    """The file of a page where it was written anew."""
    target, content = stem.with_name(f"{stem.name}.{form}"), text.encode()
    if form == HTML:
        if not target.is_file() or target.read_bytes() != content:
            write_bytes(target, content)
            yield target
        return
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / f"{stem.name}.html"
        page.write_bytes(content)
        write_bytes(target, print_page(page))
    yield target
