"""`relate`: what one incident has to do with another, said once and seen from both."""

from __future__ import annotations

import json
from datetime import datetime
from unittest import mock

import pytest

from incident_ops.app import known
from incident_ops.domain.incident import Incident
from incident_ops.domain.known_at import KnownIncident, incident_at
from tests.cli.scene import Folder, call


@pytest.fixture
def three(folder: Folder) -> Folder:
    """Three open incidents, committed."""
    for name in ("INC-1", "INC-2", "INC-3"):
        folder.put(name)
    folder.commit()
    return folder


def related(folder: Folder, name: str) -> list[dict[str, str]]:
    done = call("show", name, "--format", "json", at=folder.path)
    assert done.code == 0, done
    found: list[dict[str, str]] = json.loads(done.out)["related"]
    return found


def relate(folder: Folder, *words: str) -> str:
    done = call("relate", *words, at=folder.path)
    assert done.code == 0, (words, done)
    checked = call("validate", "--base", "HEAD", at=folder.path)
    assert (checked.code, "warning" in checked.out) == (0, False), checked
    return done.out


def test_it_is_seen_from_both_sides(three: Folder) -> None:
    """In the words that fit the side, on the screen and for scripts."""
    assert "INC-1: related: causes INC-2\n" in relate(three, "INC-1", "INC-2", "--kind", "causes")
    relate(three, "INC-1", "INC-3", "--kind", "depends_on")
    assert related(three, "INC-1") == [{"id": "INC-2", "kind": "causes"}, {"id": "INC-3", "kind": "depends_on"}]
    assert related(three, "INC-2") == [{"id": "INC-1", "kind": "caused_by"}]
    assert related(three, "INC-3") == [{"id": "INC-1", "kind": "needed_by"}]
    assert "Related    causes INC-2, depends on INC-3\n" in call("show", "INC-1", at=three.path).out
    assert "Related    caused by INC-1\n" in call("show", "INC-2", at=three.path).out


def test_the_document_and_the_issue_say_it(three: Folder) -> None:
    """`incident.md` leads there, the tracking issue names it."""
    relate(three, "INC-1", "INC-2", "--kind", "caused_by")
    relate(three, "INC-1", "INC-3")
    assert call("render", "INC-1", at=three.path).code == 0
    document = (three.path / "incidents/INC-1/incident.md").read_text(encoding="utf-8")
    assert "- Caused by: [INC-2](../INC-2/incident.md)\n" in document
    assert "- Related: [INC-3](../INC-3/incident.md)\n" in document
    changes = json.loads(call("plan", "--format", "json", at=three.path).out)["changes"]
    (body,) = (one["fields"]["body"] for one in changes if one["key"] == "INC-1" and one["action"] == "create")
    assert "**Related:** caused by `INC-2` · similar to `INC-3`" in str(body)


def test_without_an_id_it_is_the_other_open_one(folder: Folder) -> None:
    """The one that is named is not the one that is meant."""
    folder.put("INC-1")
    folder.put("INC-2")
    assert relate(folder, "INC-2").startswith("INC-1: related: similar to INC-2\n")


def test_changed_repeated_and_taken_back(three: Folder) -> None:
    """A kind can be mended; the same again changes nothing, from either side."""
    relate(three, "INC-1", "INC-2")
    assert "related: causes INC-2 (was: similar to INC-2)" in relate(three, "INC-1", "INC-2", "--kind", "causes")
    for words in (("INC-1", "INC-2", "--kind", "causes"), ("INC-2", "INC-1", "--kind", "caused_by")):
        assert "nothing changed" in relate(three, *words)
    assert "no longer related to INC-2" in relate(three, "INC-1", "INC-2", "--remove")
    assert related(three, "INC-1") == related(three, "INC-2") == []
    assert "related" not in (three.path / "incidents/INC-1/incident.yaml").read_text(encoding="utf-8")


def test_a_broken_neighbour_hides_nothing_of_a_healthy_incident(three: Folder) -> None:
    relate(three, "INC-2", "INC-1", "--kind", "causes")
    relate(three, "INC-3", "INC-1", "--kind", "causes")

    def broken(incident: Incident, now: datetime) -> KnownIncident | None:
        if incident.id == "INC-2":
            raise OverflowError("year 10000")
        return incident_at(incident, now)

    with mock.patch.object(known, "incident_at", broken):
        assert related(three, "INC-1") == [{"id": "INC-3", "kind": "caused_by"}]


def test_an_incident_that_is_named_twice_is_seen_twice(folder: Folder) -> None:
    folder.put("INC-1")
    folder.put("INC-2", related="[INC-1, {id: INC-1, kind: causes}]")
    kinds = [one["kind"] for one in related(folder, "INC-1")]
    assert kinds == ["similar", "caused_by"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("INC-1", "INC-9"), ("there is no incident INC-9",)),
        (("INC-1", "INC-1"), ("itself",)),
        (("INC-3", "INC-1", "--kind", "causes"), ("circle", "INC-1 -> INC-2 -> INC-3")),
        (("INC-2", "INC-1"), ("INC-1 names INC-2 already", "relate INC-1 INC-2 --kind")),
        (("INC-2", "INC-1", "--remove"), ("relate INC-1 INC-2 --remove",)),
        (("INC-1", "INC-3", "--remove"), ("does not name INC-3",)),
        (("INC-1", "INC-2", "INC-3"), ("two incidents",)),
        ((), ("two incidents",)),
    ],
)
def test_wrong_input_changes_nothing(three: Folder, words: tuple[str, ...], told: tuple[str, ...]) -> None:
    """And says what would be right."""
    relate(three, "INC-1", "INC-2", "--kind", "causes")
    relate(three, "INC-3", "INC-2", "--kind", "caused_by")
    three.commit()
    call("relate", *words, at=three.path).told_once(2, *told)
    assert three.git("status", "--porcelain") == ""
