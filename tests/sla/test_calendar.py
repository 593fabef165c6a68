"""Working time: real seconds inside wall-clock windows, minus pauses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.policy_sections import AROUND_THE_CLOCK, DAYS, Calendar
from incident_ops.errors import UserError
from incident_ops.sla.calendar import closing_time, due, elapsed, end_of_day

WORKDAYS = DAYS[:5]
OFFICE = Calendar(tz="Etc/UTC", hours={day: ["09:00-17:00"] for day in WORKDAYS})
HOUR = 3600


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def daily(tz: str, *windows: str, holidays: tuple[str, ...] = ()) -> Calendar:
    return Calendar(tz=tz, hours={day: list(windows) for day in DAYS}, holidays=list(holidays))


ZONES = ("Etc/UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
WINDOWS = ("00:00-24:00", "09:00-17:00", "02:00-04:00", "22:00-24:00", "00:00-06:00", "12:30-12:31")
instants = st.datetimes(datetime(2011, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
whole = instants.map(lambda moment: moment.replace(microsecond=0))
spans = st.integers(1, 30 * 86_400)
calendars = st.builds(
    lambda tz, week, days_off: Calendar(
        tz=tz, hours=dict(zip(DAYS, week, strict=True)), holidays=sorted(day.isoformat() for day in days_off)
    ),
    st.sampled_from(ZONES),
    st.lists(st.lists(st.sampled_from(WINDOWS), max_size=2, unique=True), min_size=7, max_size=7).filter(any),
    st.sets(st.dates(date(2011, 1, 1), date(2026, 12, 31)), max_size=5),
)


@st.composite
def pauses_after(draw: st.DrawFn, start: datetime) -> list[tuple[datetime, datetime]]:
    gaps = draw(st.lists(st.tuples(st.integers(-86_400, 5 * 86_400), st.integers(-100, 3 * 86_400)), max_size=4))
    return [(start + timedelta(seconds=a), start + timedelta(seconds=a + b)) for a, b in gaps]


def is_open(moment: datetime, calendar: Calendar) -> bool:
    """The naive reading of the wall clock, right where no hour is repeated."""
    wall = moment.astimezone(ZoneInfo(calendar.tz))
    minute = wall.hour * 60 + wall.minute
    return wall.date() not in calendar.days_off and any(
        opens <= minute < closes for opens, closes in calendar.windows(wall.weekday())
    )


@given(st.data(), whole, spans, calendars)
def test_due_and_elapsed_are_inverse(data: st.DataObject, start: datetime, seconds: int, calendar: Calendar) -> None:
    """The working time up to the due instant is the target, and one second earlier it is less."""
    pauses = data.draw(pauses_after(start))
    found = due(start, seconds, calendar, pauses)
    if found is None:
        assert elapsed(start, start + timedelta(days=3660), calendar, pauses) < seconds
    else:
        assert elapsed(start, found, calendar, pauses) == seconds
        assert elapsed(start, found - timedelta(seconds=1), calendar, pauses) == seconds - 1


@given(whole, st.integers(0, 40 * 86_400))
def test_around_the_clock_is_plain_addition(start: datetime, seconds: int) -> None:
    end = start + timedelta(seconds=seconds)
    assert due(start, seconds, AROUND_THE_CLOCK) == end
    assert elapsed(start, end, AROUND_THE_CLOCK) == seconds


@given(whole, st.integers(0, 40 * 86_400), st.sampled_from(ZONES))
def test_a_calendar_that_is_always_open_counts_like_24x7(start: datetime, seconds: int, tz: str) -> None:
    """Windows of neighbouring days meet, on days of a clock change too; the far holiday makes sure they are walked."""
    calendar = daily(tz, "00:00-24:00", holidays=("1999-01-01",))
    assert due(start, seconds, calendar) == start + timedelta(seconds=seconds)


@given(whole, st.integers(0, 9 * 86_400), st.integers(0, 9 * 86_400), calendars)
def test_elapsed_adds_up(start: datetime, first: int, second: int, calendar: Calendar) -> None:
    middle = start + timedelta(seconds=first)
    end = middle + timedelta(seconds=second)
    parts = elapsed(start, middle, calendar) + elapsed(middle, end, calendar)
    assert elapsed(start, end, calendar) == parts <= first + second


@given(st.data(), whole, st.integers(0, 9 * 86_400), calendars)
def test_a_pause_takes_away_its_own_working_time_and_no_more(
    data: st.DataObject, start: datetime, seconds: int, calendar: Calendar
) -> None:
    end = start + timedelta(seconds=seconds)
    begin, until = sorted(start + timedelta(seconds=data.draw(st.integers(0, seconds))) for _ in range(2))
    assert elapsed(start, end, calendar) == elapsed(start, end, calendar, [(begin, until)]) + elapsed(
        begin, until, calendar
    )


@given(whole.filter(lambda moment: moment.month not in (3, 4, 9, 10, 11, 12)), calendars)
def test_elapsed_agrees_with_a_clock_on_the_wall(start: datetime, calendar: Calendar) -> None:
    """Minute by minute over a day, away from clock changes."""
    start = start.replace(second=0)
    minutes = sum(is_open(start + timedelta(minutes=n), calendar) for n in range(1440))
    assert elapsed(start, start + timedelta(days=1), calendar) == minutes * 60


@pytest.mark.parametrize(
    ("tz", "window", "day", "hours"),
    [
        ("America/New_York", "02:00-04:00", "2025-03-09", 1),  # C29
        ("America/New_York", "01:30-04:30", "2025-11-02", 4),  # C29
        ("America/New_York", "02:30-04:00", "2025-03-09", 1),
        ("America/New_York", "01:00-02:30", "2025-03-09", 1),
        ("America/New_York", "00:00-24:00", "2025-03-09", 23),
        ("America/New_York", "00:00-24:00", "2025-11-02", 25),
        ("America/New_York", "00:00-09:00", "2025-03-09", 8),
        ("America/New_York", "00:00-09:00", "2025-11-02", 10),
        ("America/New_York", "09:00-17:00", "2025-03-09", 8),
        ("Pacific/Apia", "09:00-17:00", "2011-12-30", 0),
        ("America/Sao_Paulo", "00:00-24:00", "2018-11-04", 23),
    ],
)
def test_windows_last_their_real_time_on_days_of_a_clock_change(tz: str, window: str, day: str, hours: int) -> None:
    zone = ZoneInfo(tz)
    noon = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=zone).astimezone(UTC)
    calendar = Calendar(tz=tz, hours={DAYS[date.fromisoformat(day).weekday()]: [window]})
    assert elapsed(noon - timedelta(days=2), noon + timedelta(days=2), calendar) == hours * HOUR


def test_a_due_time_on_closing_time_stays_there() -> None:
    """Eight hours from opening end at closing, not at the next opening."""
    assert due(at("2025-01-22T09:00:00Z"), 8 * HOUR, OFFICE) == at("2025-01-22T17:00:00Z")
    assert due(at("2025-01-22T09:00:00Z"), 8 * HOUR + 1, OFFICE) == at("2025-01-23T09:00:01Z")


def test_a_clock_that_starts_in_the_evening_waits_for_the_morning() -> None:
    assert due(at("2025-01-24T17:00:00Z"), HOUR, OFFICE) == at("2025-01-27T10:00:00Z")


def test_holidays_are_not_worked() -> None:
    calendar = Calendar(tz="Etc/UTC", hours=OFFICE.hours, holidays=["2025-01-23"])
    assert due(at("2025-01-22T16:00:00Z"), 2 * HOUR, calendar) == at("2025-01-24T10:00:00Z")
    assert elapsed(at("2025-01-23T00:00:00Z"), at("2025-01-24T00:00:00Z"), calendar) == 0


def test_overlapping_windows_count_once() -> None:
    calendar = Calendar(tz="Etc/UTC", hours={"monday": ["09:00-13:00", "12:00-14:00"]})
    assert elapsed(at("2025-01-20T00:00:00Z"), at("2025-01-21T00:00:00Z"), calendar) == 5 * HOUR


def test_three_seconds_stay_three_and_parts_of_a_second_are_dropped() -> None:
    start = at("2025-01-22T09:00:00Z")
    assert elapsed(start, start + timedelta(seconds=3, microseconds=999_999), OFFICE) == 3


def test_a_reversed_interval_is_zero() -> None:
    assert elapsed(at("2025-01-22T12:00:00Z"), at("2025-01-22T11:00:00Z"), AROUND_THE_CLOCK) == 0


def test_a_pause_that_is_still_on_leaves_the_due_unknown_unless_it_came_later() -> None:
    start = at("2025-01-22T12:00:00Z")
    assert due(start, HOUR, AROUND_THE_CLOCK, [(start + timedelta(minutes=30), None)]) is None
    assert due(start, HOUR, AROUND_THE_CLOCK, [(start + timedelta(hours=2), None)]) == start + timedelta(hours=1)
    assert due(start, 30 * HOUR, OFFICE, [(start + timedelta(hours=2), None)]) is None
    assert elapsed(start, start + timedelta(hours=5), OFFICE, [(start + timedelta(hours=2), None)]) == 2 * HOUR


def test_a_pause_outside_working_hours_takes_nothing() -> None:
    """The hold is counted in working time, not on the wall."""
    start = at("2025-01-22T07:00:00Z")
    assert due(start, HOUR, OFFICE, [(start, at("2025-01-22T08:45:00Z"))]) == at("2025-01-22T10:00:00Z")


@pytest.mark.parametrize("hours", [{}, {"monday": []}, {"monday": ["17:00-09:00"]}])
def test_a_calendar_that_never_opens_ends_without_a_due(hours: dict[str, list[str]]) -> None:
    calendar = Calendar(tz="Etc/UTC", hours=hours)
    start = at("2025-01-22T12:00:00Z")
    assert due(start, 60, calendar) is None
    assert closing_time(start, 1, calendar) is None
    assert elapsed(start, start + timedelta(days=400), calendar) == 0


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("tz", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_ends_of_the_calendar_are_no_crash(start: str, tz: str) -> None:
    moment = datetime.fromisoformat(start)
    assert due(moment, 10**10, daily(tz, "09:00-17:00")) is None
    assert due(moment, 10**13, AROUND_THE_CLOCK) is None
    closing_time(moment, 1, daily(tz, "09:00-17:00"))
    assert elapsed(moment, moment, daily(tz, "09:00-17:00")) == 0


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2025-01-22T12:00:00Z", "2025-01-23T17:00:00Z"),  # Wednesday -> Thursday
        ("2025-01-22T03:00:00Z", "2025-01-23T17:00:00Z"),  # before opening: the next day all the same
        ("2025-01-24T12:00:00Z", "2025-01-27T17:00:00Z"),  # Friday -> Monday
        ("2025-01-25T12:00:00Z", "2025-01-27T17:00:00Z"),  # Saturday -> Monday
    ],
)
def test_the_next_business_day_is_due_at_its_closing_time(start: str, expected: str) -> None:
    assert closing_time(at(start), 1, OFFICE) == at(expected)


def test_the_next_business_day_follows_the_calendars_own_date() -> None:
    """23:30 UTC on Wednesday is Thursday in Berlin, so Friday's closing time is due."""
    calendar = Calendar(tz="Europe/Berlin", hours=OFFICE.hours)
    assert closing_time(at("2025-01-22T23:30:00Z"), 1, calendar) == at("2025-01-24T16:00:00Z")


def test_the_end_of_a_day_is_midnight_in_the_calendars_zone() -> None:
    assert end_of_day(date(2025, 1, 22), daily("America/New_York", "09:00-17:00")) == at("2025-01-23T05:00:00Z")


def test_a_zone_that_does_not_exist_is_told_to_the_person() -> None:
    with pytest.raises(UserError, match="Mars/Base is not the IANA time zone"):
        due(at("2025-01-22T12:00:00Z"), 60, daily("Mars/Base", "09:00-17:00"))
