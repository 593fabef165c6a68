"""doctor --drill: an exercise goes the way of an incident, and each step says whether it arrived."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.scene import Folder, call, contents
from tests.support.http_sink import HttpSink

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])
SERVICES = """\
services:
  api: {owner: "@team", pager_key_env: API_PAGER}
  web: {owner: "@team", pager_key_env: WEB_PAGER}
"""
POLICY = """\
extends: sev0-3
notify: {incident_channel: {create: false}, channels: [chat, pagerduty]}
levels:
- {id: SEV0, channels: [chat, pagerduty]}
contacts:
  "@alice": {channels: [chat]}
  roles: {on_call: ["@alice"]}
"""
KEYS = {"API_PAGER": "a" * 32, "WEB_PAGER": "b" * 32}


@pytest.fixture
def place(make: type[Folder], sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A repository whose chat and pagers are set up."""
    folder = make("place", services=SERVICES, policy=POLICY)
    folder.commit()
    monkeypatch.setenv("INCIDENT_OPS_PAGER_URL", sink.url)
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_CHAT", sink.address("/200"))
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    return folder


def drilled(folder: Folder, code: int, *words: str) -> dict[str, dict[str, Any]]:
    done = call("doctor", "--drill", *words, "--format", "json", at=folder.path, clock=None)
    assert done.code == code, done
    return {row["step"]: row for row in json.loads(done.out)["steps"]}


def test_it_is_paged_acknowledged_and_resolved_for_real(place: Folder, sink: HttpSink) -> None:
    """One alert of the service's own pager, opened, acknowledged and ended; chat hears of begin and end."""
    steps = drilled(place, 0)
    assert [(name, row["arrived"]) for name, row in steps.items()] == [
        ("paged", True), ("acknowledged", True), ("resolved", True)
    ]  # fmt: skip
    events = [one.data for one in sink.taken if "event_action" in one.data]
    assert [one["event_action"] for one in events] == ["trigger", "acknowledge", "resolve"]
    assert {one["routing_key"] for one in events} == {KEYS["API_PAGER"]}
    assert len({one["dedup_key"] for one in events}) == 1
    chat = [one.data["title"] for one in sink.taken if "title" in one.data]
    assert chat
    assert all(title.startswith("[DRILL] ") for title in (*chat, events[0]["payload"]["summary"]))


def test_nothing_of_it_is_kept(place: Folder) -> None:
    before = contents(place.path)
    drilled(place, 0)
    assert contents(place.path) == before
    assert call("list", at=place.path).out == "0 incidents\n"


def test_the_service_may_be_named(place: Folder, sink: HttpSink) -> None:
    drilled(place, 0, "--service", "web")
    events = [one.data for one in sink.taken if "event_action" in one.data]
    assert {one["routing_key"] for one in events} == {KEYS["WEB_PAGER"]}
    call("doctor", "--drill", "-s", "wep", at=place.path).told_once(2, "did you mean web?")


def test_a_channel_that_refuses_is_the_step_that_did_not_arrive(
    place: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_CHAT", sink.address("/500"))
    steps = drilled(place, 4)
    assert (steps["paged"]["arrived"], steps["acknowledged"]["arrived"]) == (False, True)
    done = call("doctor", "--drill", at=place.path, clock=None)
    last = " ".join(done.out.split()).rpartition("did not arrive: ")[2]
    assert (last.count("paged ("), last.count(" by paged"), "paged by" in last) == (1, 0, False)
    assert "chat" in done.out.partition("did not arrive:")[2]
    assert "pagerduty" not in last
    assert "next run" not in done.out, "nothing of a drill is kept"


def test_a_channel_without_an_address_says_what_to_set(place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("API_PAGER")
    steps = drilled(place, 2)
    (lacking,) = [one["variable"] for one in steps["paged"]["messages"] if one["outcome"] != "sent now"]
    assert lacking == "API_PAGER"


def test_where_nobody_would_hear_of_it_that_is_said(make: type[Folder]) -> None:
    nobody = make(
        "quiet",
        policy="extends: sev0-3\nnotify: {incident_channel: {create: false}}\nlevels: [{id: SEV0, channels: []}]\n",
    )
    nobody.commit()
    done = call("doctor", "--drill", at=nobody.path, clock=None)
    assert "nobody would hear of an incident" in done.out


def test_an_observing_policy_or_no_service_is_refused(make: type[Folder]) -> None:
    observing = make("observing", policy="extends: sev0-3\nmode: observe\n")
    call("doctor", "--drill", at=observing.path).told_once(2, "mode: observe")
    empty = make("empty", services="services: {}\n")
    call("doctor", "--drill", at=empty.path).told_once(2, "no service")


def test_what_does_not_go_together_is_refused(place: Folder) -> None:
    call("doctor", "--service", "api", at=place.path).told_once(2, "--drill")
    call("doctor", "--cost", "--drill", at=place.path).told_once(2, "together")
    call("doctor", "--cost", "--format", "github", at=place.path).told_once(2, "annotations")
