"""Comparing instants as records write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.rules._support import same_instant

NOON = "2025-01-26T12:00:00Z"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (NOON, True),
        ("2025-01-26T13:00:00+01:00", True),
        ("2025-01-26T12:00:00.000Z", True),
        ("2025-01-26T12:00:01Z", False),
        ("2025-01-26T12:00:00+01:00", False),
        ("unknown", False),
    ],
)
def test_the_same_instant_may_be_written_in_another_zone(other: str, same: bool) -> None:
    assert same_instant(NOON, other) is same
    assert same_instant(other, NOON) is same


def test_unknown_is_the_same_as_unknown_alone() -> None:
    assert same_instant("unknown", "unknown")


INSTANTS = st.integers(0, 3).map(lambda minutes: datetime(2025, 1, 26, 12, tzinfo=UTC) + timedelta(minutes=minutes))
ZONES = st.integers(-3, 3).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(INSTANTS, INSTANTS, ZONES, ZONES)
def test_texts_are_the_same_where_their_instants_are(
    one: datetime, other: datetime, zone: timezone, place: timezone
) -> None:
    texts = (one.astimezone(zone).isoformat(), other.astimezone(place).isoformat())
    assert same_instant(*texts) is (one == other)
