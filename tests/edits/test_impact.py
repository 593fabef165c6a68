"""The impact: whatever is written leaves a valid record, and every sum of words can be taken apart again."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.impact import DEGREES, count_answer, hurt_services, money_answer, percent_answer
from incident_ops.domain.time import instant, parse_instant, stamp
from incident_ops.edits.impact import ImpactFacts, ServiceTime, write_impact
from incident_ops.errors import UserError
from tests.edits.scene import Page, after

TIMES = st.builds(
    lambda service, degree, start, length: ServiceTime(
        service, degree, stamp(after(start)), None if length is None else stamp(after(start + length))
    ),
    st.sampled_from(["api", "web"]),
    st.sampled_from(DEGREES),
    st.integers(0, 30),
    st.none() | st.integers(1, 20),
)


@given(st.lists(TIMES, max_size=8))
def test_times_of_one_service_never_overlap(times: list[ServiceTime]) -> None:
    page = Page(services=["api", "web"])
    for time in times:
        try:
            page.take(60, lambda one, now, time=time: write_impact(one, now, ImpactFacts(times=[time])))  # type: ignore[misc]
        except UserError:
            continue
    for own in hurt_services(page.incident).values():
        for one, next_one in itertools.pairwise(own):
            end = instant(one.end)
            assert end is not None
            assert end <= parse_instant(next_one.start)


@pytest.mark.parametrize(
    ("text", "found"),
    [("5000", 5000), ("5,000", 5000), (" 12 ", 12), ("unknown", "unknown"), ("Unknown", "unknown")],
)
def test_numbers_as_people_type_them(text: str, found: int | str) -> None:
    assert count_answer(text) == found


@pytest.mark.parametrize("text", ["", "-1", "5.5", "50,00", "many", "1e3", "5 000", "٥"])
def test_other_texts_are_no_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        count_answer(text)


@pytest.mark.parametrize(("text", "found"), [("60%", 60), ("60 %", 60), ("12.5", 12.5), ("500%", 500)])
def test_percentages_as_people_type_them(text: str, found: float) -> None:
    assert percent_answer(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2500 USD", (2500, "USD")),
        ("usd 2,500", (2500, "USD")),
        ("2500", (2500, None)),
        ("83.5EUR", (83.5, "EUR")),
        ("unknown", ("unknown", None)),
    ],
)
def test_sums_of_money_as_people_type_them(text: str, found: tuple[float | str, str | None]) -> None:
    assert money_answer(text) == found


@pytest.mark.parametrize("text", ["lots", "USD", "5 USD EUR", "USD 5 USD", "$5", "-5 USD"])
def test_other_texts_are_no_sums(text: str) -> None:
    with pytest.raises(ValueError, match="sum of money"):
        money_answer(text)
