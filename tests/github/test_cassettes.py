"""Recorded runs play again as they went: same requests, same bodies, same end. No socket is opened for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace
from vcr.errors import CannotOverwriteExistingCassetteException

from incident_ops.domain.record import Record
from tests.github.gate import HOME, Gate
from tests.github.record import FOLDER, RECORDS, REPOSITORY, SCENES, leaks, player
from tests.github.runs import Run, run, tracker_at

MOST_BYTES = 150_000
FILES = sorted(FOLDER.glob("*.yaml"))


def _played(scene: str, records: Sequence[Record]) -> Run:
    """A scene from its cassette; fails where a request is not in it, or where one of it was not sent."""
    with player(record_mode="none").use_cassette(f"{scene}.yaml") as cassette:
        done = run(tracker_at(HOME, REPOSITORY, "none"), records)
    assert cassette.all_played, "the run ended before the recorded one did"
    assert done.made is not None
    assert not done.errors
    return done


@pytest.fixture(scope="module")
def numbered() -> Sequence[Record]:
    """The records with the numbers that the first sync gave them."""
    again = _played("unchanged", RECORDS)
    return again.records


def test_a_first_sync(gate: Gate) -> None:
    """Every label and issue is made, once."""
    done = _played("first_sync", RECORDS)
    made = [(one.action, one.kind) for one in done.made.changes]
    assert made.count(("create", "incident")) == 1
    assert made.count(("create", "action-item")) == 2
    assert gate.seen == len(_exchanges("first_sync"))


def test_a_second_run_plans_nothing_on_the_tracker(gate: Gate) -> None:
    """Three requests; only the numbers go to the record, and with them there nothing at all is planned."""
    done = _played("unchanged", RECORDS)
    assert {one.action for one in done.made.changes} == {"edit"}
    assert gate.seen == 3
    again = _played("unchanged", done.records)
    assert again.made.changes == ()


def test_what_a_person_closed_becomes_an_edit_of_the_record(gate: Gate, numbered: Sequence[Record]) -> None:
    """Done, by whom and when, as the timeline says."""
    done = _played("closed_by_a_person", numbered)
    (edit,) = done.made.changes
    assert (edit.action, edit.key) == ("edit", "INC-1/AI-2")
    assert edit.fields["status"] == "done"
    assert edit.fields["done_by"] == "@alice"


def test_a_limit_is_waited_for(gate: Gate, numbered: Sequence[Record]) -> None:
    """The refused request is sent again, and the plan is as it would have been."""
    done = _played("rate_limited", numbered)
    assert [one.action for one in done.made.changes] == ["edit"]
    statuses = [one["response"]["status"]["code"] for one in _exchanges("rate_limited")]
    assert statuses.count(429) == 1


def test_another_body_does_not_match() -> None:
    """A cassette answers what was asked then; a changed title is not that."""
    other = RECORDS[0]._replace(incident=replace(RECORDS[0].incident, title="Changed"))
    with (
        player(record_mode="none").use_cassette("first_sync.yaml") as cassette,
        pytest.raises(CannotOverwriteExistingCassetteException),
    ):
        run(tracker_at(HOME, REPOSITORY, "none"), [other])
    assert not cassette.all_played


def _exchanges(scene: str) -> list[dict]:
    return yaml.safe_load((FOLDER / f"{scene}.yaml").read_text(encoding="utf-8"))["interactions"]


def test_the_cassettes_are_those_of_the_scenes_and_small() -> None:
    assert [path.stem for path in FILES] == sorted(SCENES)
    assert sum(path.stat().st_size for path in FILES) < MOST_BYTES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_cassette_gives_nothing_away(path: Path) -> None:
    """No token, no address of mail, no credential header, no name of a machine."""
    text = path.read_text(encoding="utf-8")
    assert leaks(text) == []
    assert not re.search(r"localhost|127\.0\.0\.1", text)


@pytest.mark.parametrize(
    "text",
    [
        "ghp_abcDEF123456",
        "ghs_x1",
        "github_pat_11ABC_x",
        "xoxb-1-2",
        "mail to a.b@example.org",
        "    Authorization:\n",
        "  - set-cookie: x",
        "cookie:",
    ],
)
def test_the_scanner_sees_what_must_not_be_kept(text: str) -> None:
    assert leaks(f"uri: x\n{text}") != []
