"""freeze, unfreeze and override as edits: what is written, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from incident_ops.domain.incident import Incident
from incident_ops.domain.planned_changes import Freeze
from incident_ops.domain.record import Append, Set
from incident_ops.edits.freeze import (
    FreezeRequest,
    OverrideRequest,
    commit_id,
    lift_freeze,
    new_freeze,
    override_file,
    override_incident,
)
from incident_ops.errors import UserError

NOW = datetime(2025, 1, 22, 13, tzinfo=UTC)
HOUR = timedelta(hours=1)
WANTED = OverrideRequest("@dana", "auth", "production", "7be19f2", "the fix", NOW + 4 * HOUR)


def incident(**fields: Any) -> Incident:
    given = {
        "id": "INC-1", "title": "t", "services": ["auth"], "state": "in_progress",
        "times": {"declared": "2025-01-22T12:00:00Z"}, **fields,
    }  # fmt: skip
    return msgspec.convert(given, Incident)


def test_a_freeze_says_what_when_and_why() -> None:
    wanted = FreezeRequest("year-end", "books", NOW, NOW + HOUR, ["auth", "auth"], ["production"], "@dana")
    assert list(new_freeze(NOW, wanted).items()) == [
        ("name", "year-end"),
        ("reason", "books"),
        ("services", ["auth"]),
        ("environments", ["production"]),
        ("from", "2025-01-22T13:00:00Z"),
        ("until", "2025-01-22T14:00:00Z"),
        ("by", "@dana"),
    ]
    assert list(new_freeze(NOW, FreezeRequest("f", "r", NOW))) == ["name", "reason", "from"]


@pytest.mark.parametrize(
    "wanted",
    [
        FreezeRequest("../policy", "r", NOW),
        FreezeRequest("", "r", NOW),
        FreezeRequest("override-7be19f2", "r", NOW),
        FreezeRequest("f", "r", NOW, NOW),
        FreezeRequest("f", "r", NOW - 2 * HOUR, NOW - HOUR),
        FreezeRequest("f", "r", NOW + 2 * HOUR, NOW + HOUR),
    ],
)
def test_a_freeze_that_would_hold_nothing_is_refused(wanted: FreezeRequest) -> None:
    with pytest.raises(UserError):
        new_freeze(NOW, wanted)


@pytest.mark.parametrize(
    ("begin", "end", "edits"),
    [
        ("2025-01-22T12:00:00Z", None, (Set(("until",), "2025-01-22T13:00:00Z"),)),
        ("2025-01-22T12:00:00Z", "2025-01-23T12:00:00Z", (Set(("until",), "2025-01-22T13:00:00Z"),)),
        ("2025-01-22T11:00:00Z", "2025-01-22T12:00:00Z", ()),
        ("2025-01-22T14:00:00Z", None, None),
        ("2025-01-22T14:00:00", None, None),
    ],
)
def test_lifting_ends_it_now(begin: str, end: str | None, edits: tuple[Set, ...] | None) -> None:
    """One that is over stays; one that has not begun, or never can, is removed."""
    step = lift_freeze(Freeze(name="f", reason="r", begin=begin, end=end), NOW)
    assert (step.edits if step else None) == edits


def test_an_override_is_written_into_the_record_and_told_in_its_timeline() -> None:
    step = override_incident(incident(), NOW, WANTED, ["auth"])
    entry, line = step.edits
    assert isinstance(entry, Append)
    assert entry.route == ("overrides",)
    assert list(entry.value) == ["at", "by", "service", "environment", "sha", "reason", "expires"]
    assert entry.value["expires"] == "2025-01-22T17:00:00Z"
    assert isinstance(line, Append)
    assert line.value["kind"] == "decision"
    again = override_incident(incident(overrides=[entry.value]), NOW + HOUR, WANTED, ["auth"])
    assert again.edits == ()


def test_an_override_of_a_closed_incident_or_of_the_past_is_refused() -> None:
    with pytest.raises(UserError, match="is closed"):
        override_incident(incident(state="closed"), NOW, WANTED, ["auth"])
    for door in (
        lambda: override_incident(incident(), NOW + 4 * HOUR, WANTED, ["auth"]),
        lambda: override_file(NOW + 5 * HOUR, WANTED),
    ):
        with pytest.raises(UserError, match="expired"):
            door()


def test_an_override_of_an_incident_that_does_not_hold_the_service_is_refused() -> None:
    """On the service or on what it needs; an incident elsewhere holds nothing that could be let through."""
    assert override_incident(incident(services=["database"]), NOW, WANTED, ["auth", "database"]).edits
    with pytest.raises(UserError, match="INC-1 does not hold auth") as caught:
        override_incident(incident(services=["disk", "mail"]), NOW, WANTED, ["auth", "database"])
    assert "it is on disk, mail" in caught.value.hint


def test_an_override_without_an_incident_is_a_file() -> None:
    data = override_file(NOW, WANTED, "@maya")
    assert (data["name"], data["kind"], data["sha"]) == ("override-7be19f2", "override", "7be19f2")
    assert (data["from"], data["until"], data["by"], data["approved_by"]) == (
        "2025-01-22T13:00:00Z", "2025-01-22T17:00:00Z", "@dana", "@maya",
    )  # fmt: skip


def test_a_commit_id_is_hexadecimal() -> None:
    assert commit_id(" 7BE19F2 ") == "7be19f2"
    for text in ("7be19f", "main", "HEAD", "7be19f2;rm", "0" * 65):
        with pytest.raises(UserError):
            commit_id(text)
