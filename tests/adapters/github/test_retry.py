"""The table of repeats: who is sent again, after how long, and when that ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.adapters.github.responses import DROPPED, GARBLED, TIMEOUT, UNSENT, Answer, Lost
from incident_ops.adapters.github.retry import (
    AGAIN,
    AMBIGUOUS,
    DONE,
    GIVE_UP,
    MOST_TRIES,
    MOST_WAIT,
    decide,
    is_limit,
    limit_wait,
)

DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
EPOCH = 1_795_262_400  # that date
LIMITS = [
    Answer(429, {}, None),
    Answer(403, {"retry-after": "1"}, None),
    Answer(403, {"x-ratelimit-remaining": "0"}, None),
    Answer(403, {}, {"message": "You have exceeded a secondary rate limit. Please wait a few minutes"}),
    Answer(403, {}, {"message": "API rate limit exceeded for installation ID 1."}),
]
BROKEN: list[Answer | Lost] = [
    Answer(500, {}, None),
    Answer(502, {}, None),
    Answer(503, {}, None),
    Lost(TIMEOUT, ""),
    Lost(DROPPED, ""),
    Lost(GARBLED, ""),
]
FINAL = [Answer(status, {}, None) for status in (200, 201, 204, 301, 400, 401, 403, 404, 409, 410, 422)]


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("got", FINAL, ids=lambda got: str(got.status))
def test_an_answer_is_final(got: Answer, repeatable: bool) -> None:
    """2xx to 4xx are answers, a 403 for want of permission among them."""
    assert decide(repeatable, 1, got, 0).action == DONE


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("got", LIMITS)
def test_a_refusal_by_a_limit_is_sent_again_whatever_the_method(got: Answer, repeatable: bool) -> None:
    """It was refused, so it was not done: a POST too may be sent again."""
    assert is_limit(got)
    assert decide(repeatable, 1, got, 0).action == AGAIN


@pytest.mark.parametrize("got", BROKEN)
def test_a_lost_answer_is_asked_for_again_but_never_by_post(got: Answer | Lost) -> None:
    """After a 5xx or a broken line a POST may have been done."""
    assert [decide(True, attempt, got, 0).seconds for attempt in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert decide(True, MOST_TRIES, got, 0).action == AMBIGUOUS
    assert decide(False, 1, got, 0).action == AMBIGUOUS


def test_what_was_never_sent_was_not_done() -> None:
    """Without a connection nothing is in doubt."""
    lost = Lost(UNSENT, "")
    assert decide(True, 1, lost, 0).action == AGAIN
    assert decide(True, MOST_TRIES, lost, 0).action == GIVE_UP
    assert decide(False, 1, lost, 0).action == GIVE_UP


@pytest.mark.parametrize(
    ("headers", "attempt", "seconds"),
    [
        ({"retry-after": "7"}, 1, 7),
        ({"retry-after": "0"}, 1, 1),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT", "date": DATE}, 1, 30),
        ({"retry-after": "soon"}, 1, 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 40), "date": DATE}, 1, 41),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH - 5), "date": DATE}, 1, 1),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 40)}, 1, 60),
        ({"x-ratelimit-remaining": "9", "x-ratelimit-reset": str(EPOCH + 40), "date": DATE}, 1, 60),
        ({}, 1, 60),
        ({}, 2, 120),
    ],
)
def test_a_limit_says_how_long(headers: dict[str, str], attempt: int, seconds: float) -> None:
    """`retry-after`, else the reset by GitHub's own clock, else a minute that doubles."""
    assert limit_wait(headers, attempt) == seconds


def test_a_wait_past_the_cap_is_given_up_at_once() -> None:
    """Half an hour until the reset is not waited for."""
    far = Answer(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 1800), "date": DATE}, None)
    assert decide(True, 1, far, 0).action == GIVE_UP
    assert decide(False, 2, Answer(429, {"retry-after": "100"}, None), 100).action == GIVE_UP


GOT: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([*LIMITS, *BROKEN, Lost(UNSENT, "")]),
    st.builds(
        lambda status, after: Answer(status, {"retry-after": after, "date": DATE}, None),
        st.sampled_from([403, 429, 500, 503]),
        st.one_of(st.integers(0, 10**6).map(str), st.text(max_size=5)),
    ),
)


@pytest.mark.slow
@given(st.lists(GOT, min_size=MOST_TRIES, max_size=8), st.booleans())
def test_every_run_of_failures_ends_and_keeps_the_cap(answers: list[Any], repeatable: bool) -> None:
    """Whatever a server answers: at most MOST_TRIES tries and MOST_WAIT seconds, each wait positive."""
    waited = 0.0
    for attempt, got in enumerate(answers, 1):
        step = decide(repeatable, attempt, got, waited)
        if step.action != AGAIN:
            assert attempt <= MOST_TRIES
            return
        assert step.seconds > 0
        assert repeatable or is_limit(got)
        waited += step.seconds
        assert waited <= MOST_WAIT
    raise AssertionError("it never ended")
