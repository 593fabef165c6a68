"""PagerDuty's Events API v2, against a server that checks every event by the documented shape."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from incident_ops.adapters.notifiers.pagerduty import URL, Pager, connect, event, pager_url
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT, Message, follow_up, page_key
from incident_ops.domain.policy import Service
from incident_ops.errors import Ambiguous, NotSetUp, UserError, WriteFailed
from tests.support.http_sink import HttpSink, faults, http_sink
from tests.support.notifier_scene import MESSAGE, Scene, prepare, settings

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
KEY = "0123456789abcdef0123456789abcdef"
PAGE = MESSAGE._replace(channel="pager")


@contextmanager
def scene(behaviour: str) -> Iterator[Scene]:
    """The pager of one service; see `test_registry`."""
    with http_sink() as sink:
        url = prepare(sink, behaviour, taken=(202, "{}"))
        made = settings(
            "pager",
            {"INCIDENT_OPS_PAGER_URL": url, "LOGIN_PAGER": KEY},
            services={"auth": Service(owner="team", pager_key_env="LOGIN_PAGER")},
        )
        yield Scene(Pager("pager", url, {"INC-1": [KEY]}, 1), PAGE, KEY, lambda: len(sink.taken), made)


def pager(sink: HttpSink, *keys: str, seconds: float = 5) -> Pager:
    return Pager("pager", sink.url, {"INC-1": keys or (KEY,)}, seconds)


def test_a_page_is_triggered_acknowledged_and_resolved_under_one_key(sink: HttpSink) -> None:
    """Three events with our key as dedup key; the server finds no fault in them."""
    way = pager(sink)
    for notice in (PAGE, follow_up(PAGE, ACKNOWLEDGED), follow_up(PAGE, RESOLVED_EVENT)):
        way.send(notice)
    events = [one.data for one in sink.taken]
    assert [one["event_action"] for one in events] == ["trigger", "acknowledge", "resolve"]
    assert {one["dedup_key"] for one in events} == {PAGE.key}
    assert events[0]["payload"]["summary"] == PAGE.subject
    assert all("payload" not in one for one in events[1:])


@pytest.mark.parametrize(
    ("rank", "severity"), [(1, "critical"), (2, "error"), (3, "warning"), (4, "info"), (5, "info")]
)
def test_the_severity_is_the_rank(rank: int, severity: str) -> None:
    """Rank 1 is critical."""
    assert event(PAGE._replace(rank=rank), KEY, "k")["payload"]["severity"] == severity


@given(
    st.builds(
        Message,
        key=st.text(min_size=1, max_size=400),
        incident=st.just("INC-1"),
        rank=st.integers(1, 9),
        mark=st.sampled_from(["breached", ACKNOWLEDGED, RESOLVED_EVENT]),
        audience=st.just("internal"),
        recipient=st.text(),
        channel=st.just("pager"),
        subject=st.text(min_size=1, max_size=3000),
        text=st.text(),
    )
)
def test_every_notice_becomes_an_event_of_the_documented_shape(notice: Message) -> None:
    """Long keys and subjects included."""
    assert faults(event(notice, KEY, page_key(notice))) == []


def test_the_server_finds_faults() -> None:
    """The check of the shape can fail."""
    good = event(PAGE, KEY, PAGE.key)
    assert faults({**good, "routing_key": "short"})
    assert faults({**good, "payload": {**good["payload"], "severity": "bad"}})
    assert faults({**good, "stranger": 1})
    assert faults({**good, "event_action": "resolve", "dedup_key": ""})


@pytest.mark.parametrize(
    ("status", "words"), [(400, "routing key"), (429, "too many events"), (500, "answered 500"), (302, "answered 302")]
)
def test_a_refusal_is_told_by_its_status(sink: HttpSink, status: int, words: str) -> None:
    """Certainly not taken; sent once; the routing key is not shown."""
    sink.status = status
    with pytest.raises(WriteFailed, match=words) as told:
        pager(sink).send(PAGE)
    assert len(sink.taken) == 1
    assert KEY not in str(told.value)


def test_a_pager_that_hangs_is_left_in_time(sink: HttpSink) -> None:
    """Nobody can tell; the pager drops the repeat."""
    sink_url = sink.url
    sink.url = f"{sink_url}/hang?"
    began = time.monotonic()
    with pytest.raises(Ambiguous, match="no answer within 1 s"):
        pager(sink, seconds=1).send(PAGE)
    assert time.monotonic() - began < 3


def test_a_service_names_its_routing_key(sink: HttpSink) -> None:
    """`pager_key_env` of services.yaml: another variable, another pager."""
    keys = {"INCIDENT_OPS_PAGER_URL": sink.url, "ONE_KEY": KEY, "TWO_KEY": KEY[::-1]}
    for variable in ("ONE_KEY", "TWO_KEY"):
        services = {"auth": Service(owner="team", pager_key_env=variable)}
        made = connect(settings("pager", keys, services=services))
        assert made is not None
        made.send(PAGE)
    assert [one.data["routing_key"] for one in sink.taken] == [KEY, KEY[::-1]]


def test_a_service_whose_key_is_not_set_keeps_no_other_page_back(sink: HttpSink) -> None:
    """What can be paged is paged; the variable that is missing is named."""
    keys = {"INCIDENT_OPS_PAGER_URL": sink.url, "ONE_KEY": KEY}
    services = {
        "auth": Service(owner="team", pager_key_env="ONE_KEY"),
        "db": Service(owner="team", pager_key_env="TWO_KEY"),
    }
    one = settings("pager").incidents[0]
    both = replace(one, id="INC-2", services=["auth", "db"])
    made = connect(settings("pager", keys, services=services, incidents=(one, both)))
    assert made is not None
    made.send(PAGE)
    with pytest.raises(NotSetUp, match="set TWO_KEY"):
        made.send(PAGE._replace(incident="INC-2"))
    assert [one.data["routing_key"] for one in sink.taken] == [KEY, KEY]


def test_every_service_is_paged_even_where_one_pager_refuses(sink: HttpSink) -> None:
    """The second key is asked although the first is wrong; the failure is told."""
    with pytest.raises(WriteFailed, match="answered 400"):
        pager(sink, "wrong", KEY).send(PAGE)
    assert [one.data["routing_key"] for one in sink.taken] == ["wrong", KEY]


def test_an_incident_without_a_pager_and_a_port_without_a_server_are_told(sink: HttpSink) -> None:
    """Both are certain failures with a way out."""
    with pytest.raises(WriteFailed, match="pager_key_env"):
        pager(sink).send(PAGE._replace(incident="INC-2"))
    with pytest.raises(WriteFailed, match="cannot be reached"):
        Pager("pager", "http://127.0.0.1:1", {"INC-1": [KEY]}).send(PAGE)


def test_the_address_is_pagerdutys_unless_set() -> None:
    """Only https, or this machine."""
    assert pager_url({}) == pager_url({"INCIDENT_OPS_PAGER_URL": " "}) == URL
    assert pager_url({"INCIDENT_OPS_PAGER_URL": "http://127.0.0.1:8/"}) == "http://127.0.0.1:8"
    with pytest.raises(UserError, match="INCIDENT_OPS_PAGER_URL"):
        pager_url({"INCIDENT_OPS_PAGER_URL": "http://pager.example.org"})
