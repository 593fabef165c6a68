"""What settled records held is kept by blob: the same records as reading gives, whatever happens to what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from incident_ops.adapters.git import Git
from incident_ops.domain.record import Record
from incident_ops.records.history import every_record, records_from_cache
from incident_ops.records.index import RecordIndex
from incident_ops.records.policy import load_policy_and_services
from incident_ops.records.store import Store, load_index
from incident_ops.validation import record_checker
from tests.cli.scene import CLOSED, Folder

NOW = datetime(2025, 2, 1, tzinfo=UTC)


@dataclass
class Kept:
    """A keep in memory."""

    content: bytes | None = None
    saved: int = 0

    def load(self) -> bytes | None:
        return self.content

    def save(self, content: bytes) -> None:
        self.content, self.saved = content, self.saved + 1


@pytest.fixture
def scene(tmp_path: object) -> tuple[Store, RecordIndex]:
    folder = Folder(tmp_path / "repo")  # type: ignore[operator]
    folder.put("INC-1", **CLOSED, severity="SEV3")
    folder.put("INC-2")
    folder.put("INC-3", **CLOSED, severity="SEV3")
    folder.commit()
    folder.put("INC-3", **{**CLOSED, "severity": "SEV3", "title": "Changed since"})
    store = Store(folder.path, Git.around(folder.path))
    setting = load_policy_and_services(store)
    return store, load_index(store, record_checker(setting, NOW), setting.fingerprint)


def read(scene: tuple[Store, RecordIndex], keep: Kept | None, stamp: str = "a") -> list[Record]:
    return list(records_from_cache(*scene, keep, stamp))


def test_it_gives_what_reading_gives_before_and_after_keeping(scene: tuple[Store, RecordIndex]) -> None:
    expected, keep = list(every_record(*scene)), Kept()
    assert read(scene, keep) == expected
    assert read(scene, keep) == expected
    assert read(scene, None) == expected
    assert keep.saved == 1
    assert [one.incident.title for one in expected] == ["Login fails", "Login fails", "Changed since"]


def test_what_is_kept_is_used(scene: tuple[Store, RecordIndex]) -> None:
    """Else it would save nothing: a title changed in what was kept comes out."""
    keep = Kept()
    read(scene, keep)
    assert keep.content is not None
    keep.content = keep.content.replace(b"Login fails", b"Login kept!")
    assert [one.incident.title for one in read(scene, keep)] == ["Login kept!", "Login fails", "Changed since"]


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x92\xa1a\x01", b"\x93\xa1a\x80\x80"])
def test_what_is_no_such_file_counts_as_nothing(scene: tuple[Store, RecordIndex], content: bytes) -> None:
    assert read(scene, Kept(content)) == list(every_record(*scene))


def test_what_another_program_kept_is_not_used(scene: tuple[Store, RecordIndex]) -> None:
    keep = Kept()
    read(scene, keep, "a")
    read(scene, keep, "b")
    assert keep.saved == 2


def test_only_wanted_paths_come(scene: tuple[Store, RecordIndex]) -> None:
    path = "incidents/INC-1/incident.yaml"
    assert [one.path for one in records_from_cache(*scene, None, "a", {path})] == [path]
