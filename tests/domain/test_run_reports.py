"""What runs say of themselves: read back as written, and a line of the ledger without a report is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.notification import KEPT, Ledger, Pair, Sending, confirm, pair
from incident_ops.domain.run_reports import RunReports, add_sent, parse_reports, write_reports
from incident_ops.domain.time import stamp

NOW = datetime(2025, 1, 26, 14, tzinfo=UTC)
PAIRS = [pair(f"INC-{number}/response/1/due/team/internal", "chat") for number in range(6)]


def filled_by_runs(steps: list[list[int]]) -> tuple[Ledger, RunReports]:
    """A ledger as runs fill it, one an hour, with their reports."""
    ledger: Ledger = {}
    reports = RunReports()
    for hour, numbers in enumerate(steps):
        now = NOW + timedelta(hours=hour)
        after = confirm(ledger, [PAIRS[number] for number in numbers], now)
        reports, ledger = add_sent(reports, ledger, after, now), after
    return ledger, reports


@given(st.lists(st.lists(st.integers(0, 5), max_size=3), max_size=5), st.sets(st.integers(0, 5)), st.booleans())
def test_exactly_what_no_run_confirmed_has_no_report(
    steps: list[list[int]], forged: set[int], is_complete: bool
) -> None:
    """Whoever adds lines to the ledger, or changes when one was sent, is seen, line by line."""
    ledger, reports = filled_by_runs(steps)
    reports = reports._replace(complete=stamp(NOW) if is_complete else None)
    assert parse_reports(write_reports(reports)) == reports
    assert reports.without_report(ledger, PAIRS) == []
    at = "2020-01-01T00:00:00Z"
    changed = {**ledger, **{PAIRS[number]: Sending(at, at) for number in forged}}
    assert reports.without_report(changed, PAIRS) == [PAIRS[number] for number in sorted(forged)]


def test_what_is_claimed_and_not_confirmed_needs_no_report() -> None:
    """It silences nobody."""
    assert RunReports().without_report({PAIRS[0]: Sending(stamp(NOW), None)}, PAIRS) == []


@given(st.binary(max_size=60))
def test_rubbish_vouches_for_nothing_and_stops_nothing(noise: bytes) -> None:
    """Whatever stands in the file: a line of the ledger that it does not name has no report."""
    ledger: dict[Pair, Sending] = {PAIRS[0]: Sending(stamp(NOW), stamp(NOW))}
    assert parse_reports(noise).without_report(ledger, PAIRS) == [PAIRS[0]]


def test_old_reports_go_with_the_lines_that_they_are_about() -> None:
    """The ledger forgets what is older than 400 days, and so do the reports."""
    ledger, reports = filled_by_runs([[0]])
    later = NOW + KEPT + timedelta(days=1)
    after = confirm(ledger, [PAIRS[1]], later)
    assert [at for at, _ in add_sent(reports, ledger, after, later).sent] == [stamp(later)]
