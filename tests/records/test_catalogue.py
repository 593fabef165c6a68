"""The table of all records: what is kept of a path gives it back, and what the table answers is what a list would."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from incident_ops.domain.record import Link
from incident_ops.records.index import IndexEntry, RecordIndex

PATHS = (
    "incidents",
    "incidents/INC-1",
    "incidents/INC-1/incident.yaml",
    "incidents/INC-1/incident.yml",
    "incidents/INC-1/INCIDENT.yaml",
    "incidents/INC-1.yaml",
    "incidents/incident.yaml",
    "incidents/incident.yaml/incident.yaml",
    "incidents/incidents/incident.yaml",
    "incidents/None/incident.yaml",
    "incidents/ä b/incident.yaml",
)
IDS = [f"INC-{number}" for number in range(1, 9)]


def _row(path: str, name: str | None, *targets: str) -> IndexEntry:
    links = [Link(path, name or "", "related", target, ("related", index)) for index, target in enumerate(targets)]
    return IndexEntry(path, "", name, 0, 0, [], None, links)


def test_every_path_is_told_as_it_was_put() -> None:
    """Also those of links and of files that lie where no record should; none is taken for another."""
    catalogue = RecordIndex()
    for path in PATHS:
        catalogue.put(_row(path, None, "INC-9"))
    assert sorted(catalogue.paths()) == sorted(PATHS)
    assert sorted(link.path for link in catalogue.dangling()) == sorted(PATHS)
    assert sorted(path for path, _, _ in catalogue.entries()) == sorted(PATHS)
    assert sorted(catalogue.names()) == [
        "INC-1",
        "INC-1",
        "INC-1.yaml",
        "None",
        "incident.yaml",
        "incident.yaml",
        "incidents",
        "ä b",
    ]
    for path in PATHS:
        assert catalogue.has(path)
        catalogue.drop(path)
        assert not catalogue.has(path)
    assert catalogue.count() == 0
    assert catalogue.links() == ()


def test_a_record_without_an_id_has_none() -> None:
    """Neither its folder's name nor an empty one."""
    catalogue = RecordIndex()
    for path in PATHS:
        catalogue.put(_row(path, None))
    assert list(catalogue.ids()) == []
    assert [catalogue.path_of(name) for name in ("INC-1", "None", "")] == [None, None, None]
    assert catalogue.clashes() == ()


def test_an_entry_put_again_has_the_new_id() -> None:
    """In its own folder, in a foreign one, and back."""
    catalogue, path = RecordIndex(), "incidents/INC-1/incident.yaml"
    for name in ("INC-1", "INC-2", None, "INC-1"):
        catalogue.put(_row(path, name))
        assert list(catalogue.ids()) == ([name] if name else [])
        assert catalogue.path_of("INC-1") == (path if name == "INC-1" else None)
        assert catalogue.path_of("INC-2") == (path if name == "INC-2" else None)


@pytest.mark.parametrize("seed", range(60))
def test_ids_links_and_clashes_are_those_of_a_plain_list(seed: int) -> None:
    """Records in their folders, in foreign ones, copied, without an id, put and dropped in any order."""
    rnd = random.Random(seed)
    catalogue, plain = RecordIndex(), dict[str, IndexEntry]()
    for _ in range(30):
        home = rnd.choice(IDS)
        path = f"incidents/{home}/{rnd.choice(['incident.yaml', 'incident.yaml', 'incident.yml'])}"
        if rnd.random() < 0.2:
            catalogue.drop(path)
            plain.pop(path, None)
            continue
        name = rnd.choice([home, home, home, rnd.choice(IDS), None])
        plain[path] = _row(path, name, *rnd.sample(IDS, rnd.randrange(3)))
        catalogue.put(plain[path])
    if rnd.random() < 0.5:
        catalogue = RecordIndex(catalogue.to_bytes())
    paths = defaultdict(list)
    for path, row in sorted(plain.items()):
        if row.id:
            paths[row.id].append(path)
    assert list(catalogue.ids()) == sorted(row.id for row in plain.values() if row.id)
    assert {name: catalogue.path_of(name) for name in IDS} == {name: (paths[name] or [None])[0] for name in IDS}
    assert {clash.id: list(clash.paths) for clash in catalogue.clashes()} == {
        name: those for name, those in paths.items() if len(those) > 1
    }
    assert not any(paths[clash.next_free] for clash in catalogue.clashes())
    every = [link for _, row in sorted(plain.items()) for link in row.links]
    assert sorted(catalogue.links(), key=str) == sorted(every, key=str)
    assert set(catalogue.dangling()) == {link for link in every if not paths[link.target]}
