"""An unchanged incident costs a hash, and what is remembered never changes a document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_ops.documents.incident_documents import incident_documents
from incident_ops.domain.incident import Incident
from tests.cli.scene import CLOSED, Folder, call

KEPT = ".git/incident-ops/documents"
DOCUMENT = "incidents/INC-1/incident.md"
MADE: list[str] = []


@pytest.fixture
def rendered(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Two closed incidents with their documents; which are made anew from here on is listed in `MADE`."""
    folder.put("INC-1", **CLOSED)
    folder.put("INC-2", **CLOSED)
    assert call("render", at=folder.path).code == 0
    folder.commit()
    MADE.clear()

    def counted(incident: Incident, *others: Any) -> dict[str, str]:
        MADE.append(incident.id)
        return incident_documents(incident, *others)

    monkeypatch.setattr("incident_ops.app.render_memory.incident_documents", counted)
    return folder


def documents(folder: Folder) -> dict[str, bytes]:
    return {str(path.relative_to(folder.path)): path.read_bytes() for path in folder.path.glob("incidents/*/*.md")}


def test_nothing_that_stands_is_made_again(rendered: Folder) -> None:
    done = call("render", at=rendered.path)
    assert (done.code, MADE) == (0, [])
    assert f"0 written, {len(documents(rendered))} already up to date" in done.out
    assert call("render", "--check", at=rendered.path).code == 0
    assert MADE == []


def test_of_one_that_changed_only_its_own_are(rendered: Folder) -> None:
    rendered.put("INC-1", **CLOSED, title="Another title")
    call("render", at=rendered.path)
    assert MADE == ["INC-1"]
    assert b"Another title" in (rendered.path / DOCUMENT).read_bytes()


def policy(folder: Folder) -> None:
    text = (folder.path / "policy.yaml").read_text(encoding="utf-8")
    folder.write("policy.yaml", f"{text}\ndocuments: {{layout: p0-p3}}\n")


def runbook(folder: Folder) -> None:
    folder.write("runbooks/api.md", "# API\n")


def edited(folder: Folder) -> None:
    folder.write(DOCUMENT, "# Something else\n")


def gone(folder: Folder) -> None:
    (folder.path / DOCUMENT).unlink()


@pytest.mark.parametrize("change", [policy, runbook, edited, gone])
def test_whatever_a_document_is_made_from_makes_it_anew(rendered: Folder, change: Callable[[Folder], None]) -> None:
    """The bytes are those of a run that remembers nothing."""
    change(rendered)
    call("render", at=rendered.path)
    assert "INC-1" in MADE
    seen = documents(rendered)
    (rendered.path / KEPT).unlink()
    call("render", at=rendered.path)
    assert documents(rendered) == seen


def test_a_view_of_an_earlier_time_is_not_taken_for_the_record(rendered: Folder) -> None:
    before = documents(rendered)
    first = call("--at", "2025-01-26T12:10:00Z", "render", "--check", at=rendered.path)
    assert (first.code, sorted(MADE)) == (1, ["INC-1", "INC-2"])
    assert call("render", "--check", at=rendered.path).code == 0
    assert documents(rendered) == before


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


def planted(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("spoil", [cut, planted, Path.unlink])
def test_what_somebody_else_wrote_there_counts_for_nothing(rendered: Folder, spoil: Callable[[Path], None]) -> None:
    before = documents(rendered)
    spoil(rendered.path / KEPT)
    assert call("render", at=rendered.path).code == 0
    assert sorted(MADE) == ["INC-1", "INC-2"]
    assert documents(rendered) == before
