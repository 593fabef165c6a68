"""What PagerDuty's REST PAGER_API says of an alert: people's acts alone, a bounded number of requests, no doubt."""

from __future__ import annotations

import pytest

from incident_ops.adapters.pager_reads import MOST_READ, PAGER_API, PagerReads, pager_reads
from incident_ops.domain.tracker import PagerAct, SeenAlert
from tests.support.http_sink import HttpSink
from tests.support.pager_state import ANN, API_TOKEN, PagerDesk

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost"])
KEY = "acme/records/INC-1"
AT, ACKED, ENDED = "2025-01-26T02:00:00Z", "2025-01-26T02:07:00Z", "2025-01-26T02:09:00Z"


@pytest.fixture
def desk(sink: HttpSink) -> PagerDesk:
    return PagerDesk(sink, AT)


def event(desk: PagerDesk, action: str) -> None:
    desk._take({"dedup_key": KEY, "event_action": action})


def read(sink: HttpSink, token: str = API_TOKEN, seconds: float = 10) -> tuple[dict[str, SeenAlert], str]:
    reads = PagerReads(token, sink.url, seconds)
    return reads.alerts({"INC-1": KEY}), reads.problem


def test_who_acknowledged_and_when(desk: PagerDesk, sink: HttpSink) -> None:
    event(desk, "trigger")
    assert read(sink) == ({"INC-1": SeenAlert("triggered", AT)}, "")
    desk.acts(KEY, "acknowledged", ANN, ACKED)
    found, problem = read(sink)
    assert (found["INC-1"], problem) == (SeenAlert("acknowledged", ACKED, (PagerAct("acknowledged", *ANN, ACKED),)), "")
    assert len(desk.asked) == 3, "one request for what rings, two for what somebody has"


def test_what_an_integration_does_is_nobodys_act(desk: PagerDesk, sink: HttpSink) -> None:
    """Our own events among them; a person's act before them counts."""
    for action in ("trigger", "acknowledge"):
        event(desk, action)
    assert read(sink)[0]["INC-1"] == SeenAlert("acknowledged", AT)
    desk.acts(KEY, "acknowledged", ANN, ACKED)
    desk.at = ENDED
    event(desk, "resolve")
    assert read(sink)[0]["INC-1"] == SeenAlert("resolved", ENDED, (PagerAct("acknowledged", *ANN, ACKED),))


def test_a_key_that_is_not_there_is_unknown(desk: PagerDesk, sink: HttpSink) -> None:
    assert read(sink) == ({"INC-1": SeenAlert()}, "")
    assert "incident_key=acme%2Frecords%2FINC-1&" in desk.asked[0]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((401, "{}"), "it answered 401 (check PAGERDUTY_API_TOKEN)"),
        ((403, "{}"), "it answered 403 (check PAGERDUTY_API_TOKEN)"),
        ((429, ""), "it answered 429 (too many requests; the next run asks again)"),
        ((500, "oops"), "it answered 500 (the next run asks again)"),
        ((302, ""), "it answered 302 (the next run asks again)"),
        ((200, "<html>"), "it answered with something that is not PagerDuty's (the next run asks again)"),
        (
            (200, '{"incidents": [{"id": 7}]}'),
            "it answered with something that is not PagerDuty's (the next run asks again)",
        ),
        (
            (200, '{"incidents": [{"id": "Q1", "status": "triggered", "created_at": "yesterday"}]}'),
            "it answered with a time that is not valid (the next run asks again)",
        ),
        (
            (200, '{"incidents": [{"id": "../x", "status": "resolved", "created_at": "2025-01-26T02:00:00Z"}]}'),
            "it answered with an incident id that is not valid (the next run asks again)",
        ),
        (None, "the connection broke (the next run asks again)"),
    ],
)
def test_an_answer_that_is_none_tells_nothing(answer: tuple[int, str] | None, problem: str, sink: HttpSink) -> None:
    """One request, no alert, and the reason without the token."""
    sink.script.append(answer)
    assert read(sink) == ({}, problem)
    assert len(sink.taken) == 1


def test_a_run_asks_about_so_many(desk: PagerDesk, sink: HttpSink) -> None:
    """And says how many it left out."""
    reads = PagerReads(API_TOKEN, sink.url)
    found = reads.alerts({f"INC-{number}": f"acme/records/INC-{number}" for number in range(MOST_READ + 2)})
    assert len(found) == len(desk.asked) == MOST_READ
    assert reads.problem == f"2 of {MOST_READ + 2} open alerts were not asked about"


def test_it_is_read_where_the_token_is_set() -> None:
    assert pager_reads({}) is None
    assert pager_reads({"PAGERDUTY_API_TOKEN": " "}) is None
    made = pager_reads({"PAGERDUTY_API_TOKEN": "x"})
    assert made is not None
    assert made.problem == ""
    plain = pager_reads({"PAGERDUTY_API_TOKEN": "x", "INCIDENT_OPS_PAGER_API_URL": "http://pager.example.org"})
    assert plain is not None
    assert (
        plain.problem
        == f"INCIDENT_OPS_PAGER_API_URL is not an https address (for PagerDuty it is {PAGER_API}, or not set at all)"
    )
    broken = pager_reads({"PAGERDUTY_API_TOKEN": "a\nb"})
    assert broken is not None
    assert "a\nb" not in broken.problem
    assert broken.problem.startswith("PAGERDUTY_API_TOKEN is not a token")
