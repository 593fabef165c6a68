"""The ledger: nothing but digests, names and instants; no line is lost; every pair has one owner."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.notification import (
    Ledger,
    Pair,
    Sending,
    claim,
    compact,
    confirm,
    pair,
    parse_ledger,
    serialise,
)
from incident_ops.errors import Incomplete

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = "INC-1/declared/alice@example.com"
ONE, TWO = pair(KEY, "chat"), pair("INC-2/declared", "chat")

_INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.isoformat() + "Z")
_PAIRS = st.builds(pair, st.text(max_size=8), st.sampled_from(["chat", "pager", "mail_2"]))
_LEDGERS = st.dictionaries(_PAIRS, st.builds(Sending, _INSTANTS, st.none() | _INSTANTS), max_size=8)


def line(digest: str = "0" * 64, rest: str = "chat 2025-06-01T12:00:00Z -") -> bytes:
    return f"{digest} {rest}\n".encode()


@given(_LEDGERS)
def test_a_ledger_comes_back_as_it_was(ledger: Ledger) -> None:
    assert parse_ledger(serialise(ledger)) == ledger


def test_the_same_ledger_gives_the_same_bytes_in_any_order() -> None:
    forth, back = claim({}, [ONE, TWO], NOW).ledger, claim({}, [TWO, ONE], NOW).ledger
    assert serialise(forth) == serialise(back)


def test_nothing_of_the_key_is_in_the_bytes() -> None:
    """Never an address, a handle or text."""
    content = serialise(claim({}, [ONE], NOW).ledger)
    assert content == f"{ONE.digest} chat 2025-06-01T12:00:00Z -\n".encode()
    assert b"alice" not in content
    assert b"INC" not in content


@pytest.mark.parametrize("name", ["alice@example.com", "#ops", "", "two words", "chat\n", "Chat", "x" * 33])
def test_a_channel_is_a_name_and_never_an_address(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        pair("key", name)


@pytest.mark.parametrize(
    ("bad", "number"),
    [
        (line() + b"a comment\n", 2),
        (line() + b"\n", 2),
        (line(rest="chat 2025-06-01T12:00:00Z"), 1),
        (line(rest="chat 2025-06-01T12:00:00Z - more"), 1),
        (line(rest="chat 2025-02-30T12:00:00Z -"), 1),
        (line(rest="chat 2025-06-01T12:00:00Z later"), 1),
        (line(rest="chat 2025-06-01T12:00:00 -"), 1),
        (line(rest="a@b 2025-06-01T12:00:00Z -"), 1),
        (line("G" * 64), 1),
        (line() + line(), 2),
        (line() + line("1" * 64)[:-1], 2),
        (line() + b"\xff\xfe\n", 2),
        (line().replace(b"\n", b"\r\n"), 1),
        (b"<<<<<<< ours\n" + line(), 1),
    ],
)
def test_a_line_that_is_none_is_named_and_never_dropped(bad: bytes, number: int) -> None:
    with pytest.raises(Incomplete, match=f"line {number} of the ledger") as told:
        parse_ledger(bad)
    assert told.value.where == f"incident-ops/ledger:{number}"
    assert "fix" in told.value.hint


def test_a_claim_is_ours_once() -> None:
    first = claim({}, [ONE], NOW)
    second = claim(first.ledger, [ONE, TWO], NOW + MINUTE)
    assert (first.ours, second.ours) == ({ONE}, {TWO})
    assert second.ledger[ONE].claimed == "2025-06-01T12:00:00Z"


@given(_LEDGERS, st.lists(_PAIRS, max_size=6), st.lists(_PAIRS, max_size=6))
def test_two_claims_one_after_the_other_share_nothing(ledger: Ledger, these: list[Pair], those: list[Pair]) -> None:
    """All is claimed in the end, nothing twice, and no line is touched that was there."""
    first = claim(ledger, these, NOW)
    second = claim(first.ledger, those, NOW)
    assert not first.ours & second.ours
    assert first.ours | second.ours == {*these, *those} - ledger.keys()
    assert ledger.items() <= second.ledger.items()


def test_what_was_claimed_and_never_confirmed_is_sent_again_by_one_run() -> None:
    ledger = claim({}, [ONE, TWO], NOW).ledger
    ledger = confirm(ledger, [TWO], NOW + MINUTE)
    assert claim(ledger, [ONE, TWO], NOW + 9 * MINUTE, 10 * MINUTE).ours == frozenset()
    late = NOW + 10 * MINUTE
    again = claim(ledger, [ONE, TWO], late, 10 * MINUTE)
    assert again.ours == {ONE}
    assert claim(again.ledger, [ONE, TWO], late, 10 * MINUTE).ours == frozenset()


def test_confirming_keeps_the_claim_and_the_first_confirmation() -> None:
    ledger = confirm(claim({}, [ONE], NOW).ledger, [ONE], NOW + MINUTE)
    assert confirm(ledger, [ONE], NOW + 2 * MINUTE) == ledger
    assert ledger[ONE] == Sending("2025-06-01T12:00:00Z", "2025-06-01T12:01:00Z")


def test_what_was_sent_without_a_claim_is_noted_as_sent() -> None:
    """The ledger was out of reach when a page had to go out at once."""
    ledger = confirm({}, [ONE], NOW)
    assert ledger[ONE].confirmed == "2025-06-01T12:00:00Z"
    assert not claim(ledger, [ONE], NOW).ours


def test_old_confirmed_lines_go_and_open_ones_stay() -> None:
    ledger = confirm(claim({}, [ONE, TWO], NOW).ledger, [ONE], NOW)
    assert compact(ledger, NOW + timedelta(days=400)) == ledger
    assert compact(ledger, NOW + timedelta(days=400, seconds=1)).keys() == {TWO}


@pytest.mark.slow
def test_a_hundred_thousand_lines_take_little_memory() -> None:
    """Reading, claiming and writing stay below 100 MB."""
    ledger = confirm({}, [pair(f"INC-{number}", "chat") for number in range(100_000)], NOW)
    content = serialise(ledger)
    del ledger
    tracemalloc.start()
    try:
        made = claim(parse_ledger(content), [ONE], NOW)
        assert len(serialise(made.ledger)) == len(content) + len(line(ONE.digest))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100e6, f"{most / 1e6:.0f} MB"
