"""`notify --test`: which channels work, before the night on which they must."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import Done, Folder, call
from tests.support.http_sink import HttpSink
from tests.support.standin import standin

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])
SERVICES = """\
services:
  api: {owner: "@team", pager_key_env: API_PAGER}
  web: {owner: "@team", pager_key_env: WEB_PAGER}
"""
POLICY = """\
extends: sev0-3
notify: {incident_channel: {create: false}, channels: [slack, pagerduty, chat, email]}
levels:
- {id: SEV0, channels: [slack, pagerduty]}
- {id: SEV1, channels: [slack, pagerduty]}
- {id: SEV2, channels: [slack]}
- {id: SEV3, channels: [slack]}
contacts:
  "@alice": {channels: [chat, slack]}
  "@bob": {}
  roles: {on_call: ["@alice", "@bob"]}
"""
KEYS = {"API_PAGER": "a" * 32, "WEB_PAGER": "b" * 32}
SECRET = "hunter2secret"


@pytest.fixture
def place(make: type[Folder], sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A folder without a single incident; chat, Slack and both pagers are set up, mail is not."""
    folder = make("place", services=SERVICES, policy=POLICY)
    folder.commit()
    monkeypatch.setenv("INCIDENT_OPS_PAGER_URL", sink.url)
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address(f"/200?+token={SECRET}"))
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_CHAT", sink.address("/200"))
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    return folder


def test_channels(folder: Folder, *words: str) -> Done:
    return call("notify", "--test", *words, at=folder.path, clock=None)


test_channels.__test__ = False  # type: ignore[attr-defined]


def rows(folder: Folder, *words: str) -> list[dict[str, Any]]:
    """What the JSON says of each channel."""
    found: list[dict[str, Any]] = json.loads(test_channels(folder, *words, "--format", "json").out)["channels"]
    return found


def test_every_channel_of_the_policy_gets_a_test(place: Folder, sink: HttpSink) -> None:
    """Each once, whoever shares it; what is not set up says what to set, and only then the exit code is 2."""
    done = test_channels(place)
    assert done.code == 2
    assert done.out.splitlines() == [
        "accepted    chat                      for @alice",
        "not set up  email                     set INCIDENT_OPS_CHANNEL_EMAIL (an apprise URL: in the repository's "
        "secrets, at home with export)",
        "accepted    pagerduty of service api  for SEV0, SEV1",
        "accepted    pagerduty of service web  for SEV0, SEV1",
        "accepted    slack                     for @alice, SEV0, SEV1, SEV2, SEV3",
        "4 of 5 accepted a test message. Look whether it is there: a service may accept what it does not show.",
    ]
    chat = [one.data for one in sink.taken if one.path.startswith("/200")]
    assert {one["title"] for one in chat} == {"Test of incident-ops: nothing is wrong, no reply is needed"}
    assert "to see whether channel slack works" in " ".join(one["message"] for one in chat)
    assert len(chat) == 2


def test_a_pager_is_opened_and_ended_again(place: Folder, sink: HttpSink) -> None:
    """The pager of each service, one alert each, under a key of its own that no incident has; twice is two keys."""
    assert test_channels(place, "--channel", "pagerduty").code == 0
    assert test_channels(place, "--channel", "pagerduty").code == 0
    events = [one.data for one in sink.taken]
    assert [one["event_action"] for one in events] == ["trigger", "resolve"] * 4
    assert [one["routing_key"] for one in events[:4]] == [KEYS["API_PAGER"]] * 2 + [KEYS["WEB_PAGER"]] * 2
    keys = [one["dedup_key"] for one in events]
    assert keys[0::2] == keys[1::2]
    assert len(set(keys)) == 4
    assert events[0]["payload"]["summary"].startswith("Test of incident-ops")


def test_a_step_of_the_ladder_with_its_own_pager_is_tested_too(
    place: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that share a key are one pager; a key that is not set is named."""
    tiers = "- {id: second, tier: 2, pager_key_env: SECOND}\n  - {id: third, tier: 3, pager_key_env: API_PAGER}"
    place.write("policy.yaml", f"{POLICY}escalation:\n  tiers:\n  {tiers}\n")
    done = test_channels(place, "--channel", "pagerduty")
    assert [line.rstrip() for line in done.out.splitlines()[:3]] == [
        "accepted    pagerduty of service api, tier third  for SEV0, SEV1",
        "accepted    pagerduty of service web              for SEV0, SEV1",
        "not set up  pagerduty of tier second              set SECOND (the routing key of tier second)",
    ]
    assert len(sink.taken) == 4


def test_what_is_refused_says_the_status(place: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 4, no address; a pager that takes no event does not get the end of one either."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address(f"/400?+token={SECRET}"))
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_CHAT", "json://127.0.0.1:1/")
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_EMAIL", SECRET)
    sink.status = 429
    done = test_channels(place)
    assert done.code == 4
    assert "refused     slack                     answered 400" in done.out
    assert "refused     chat                      cannot be reached" in done.out
    assert "not set up  email" in done.out
    assert "is not an address that apprise understands" in done.out
    assert "refused     pagerduty of service api  answered 429, too many events" in done.out
    assert "0 of 5 accepted a test message." in done.out
    assert "the next run" not in done.out
    assert [one.data["event_action"] for one in sink.taken if one.path == "/v2/enqueue"] == ["trigger", "trigger"]
    assert SECRET not in done.out + done.err


def test_nobody_can_tell(place: Folder, sink: HttpSink) -> None:
    """A line that drops: unknown, which is no success."""
    sink.script = [None]
    done = test_channels(place, "--channel", "chat")
    assert done.code == 4
    assert done.out.startswith("unknown     chat  the connection broke, or no answer came")


def test_an_alert_that_stays_open_is_told(place: Folder, sink: HttpSink) -> None:
    """It was opened, and nobody ended it: that is for a person."""
    sink.script = [(202, "{}"), (500, "{}")]
    done = test_channels(place, "--level", "SEV0", "--channel", "pagerduty")
    assert done.code == 4
    assert "the test alert is open and could not be ended: answered 500: resolve it by hand" in done.out


def test_a_person_a_role_a_level(place: Folder) -> None:
    """Only the channels of those that are named; JSON says who each is for."""
    same = {"of": None, "for": ["@alice"], "outcome": "accepted", "reason": None, "variable": None}
    assert rows(place, "--to", "@alice") == [{"channel": "chat", **same}, {"channel": "slack", **same}]
    assert [one["channel"] for one in rows(place, "--level", "sev2")] == ["slack"]
    assert [one["variable"] for one in rows(place, "--channel", "email")] == ["INCIDENT_OPS_CHANNEL_EMAIL"]
    role = test_channels(place, "--to", "on_call")
    assert role.code == 2
    assert role.out.splitlines()[-2] == "not set up  @bob   no channel in `contacts`"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--to", "@nobody"), "the policy has no contact '@nobody'"),
        (("--to", "nothing"), "the policy has no contact 'nothing'"),
        (("--level", "SEV9"), "the policy has no level 'SEV9'"),
        (("--channel", "fax"), "the policy has no channel 'fax'"),
        (("--level", "SEV2", "--channel", "chat"), "SEV2 has no channel 'chat'"),
        (("--to", "@alice", "--level", "SEV2"), "--to and --level"),
        (("INC-1",), "--test is about channels"),
        (("--mark", "declared"), "--test is about channels"),
    ],
)
def test_what_does_not_fit_is_refused(place: Folder, sink: HttpSink, words: tuple[str, ...], told: str) -> None:
    """Nothing is sent."""
    test_channels(place, *words).told_once(2, told)
    assert sink.taken == []


def test_a_notice_needs_its_mark(place: Folder) -> None:
    """Without a test."""
    call("notify", at=place.path).told_once(2, "--mark WORD", "--test")


def test_nothing_of_a_test_is_recorded(place: Folder, tmp_path: Path, sink: HttpSink) -> None:
    """No line in the ledger, no file; and the same again is sent again."""
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "origin.git")], check=True)
    place.git("remote", "add", "origin", f"file://{tmp_path / 'origin.git'}")
    place.git("push", "-q", "origin", "main")
    before = sorted(str(path) for path in place.path.rglob("*"))
    test_channels(place, "--channel", "slack")
    test_channels(place, "--channel", "slack")
    assert len(sink.taken) == 2
    assert place.git("ls-remote", "origin").count("refs/") == 1
    assert sorted(str(path) for path in place.path.rglob("*")) == before


def test_a_dry_run_and_observe_send_nothing(place: Folder, sink: HttpSink) -> None:
    """They say what would be tested, and what is not set up."""
    for words in (("--dry-run",), ()):
        done = test_channels(place, "--to", "@alice", *words)
        assert done.code == 0
        assert done.out.startswith("not sent    chat   ")
        assert sink.taken == []
        place.write("policy.yaml", POLICY + "mode: observe\n")


def test_the_chat_room_of_tests_is_one(place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Incidents have rooms of their own; tests share one, which is made once. Comments on issues are left alone."""
    place.write("policy.yaml", POLICY.replace("create: false", "create: true").replace("chat, email", "ticket"))
    with standin(service="slack") as slack:
        monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-anything")
        monkeypatch.setenv("INCIDENT_OPS_SLACK_URL", f"{slack.url}/api/")
        for _ in range(2):
            assert test_channels(place, "--channel", "incident_channel").code == 0
        listed = slack.ask("POST", "/api/conversations.list", {"limit": 1000}, token="xoxb-anything")["channels"]
    assert [one["name"] for one in listed if "test" in one["name"]] == ["incident-ops-test"]
    ticket = test_channels(place, "--channel", "ticket")
    assert ticket.code == 0
    assert ticket.out.startswith("not tested  ticket  a comment on the tracking issue of each incident")


WEEK = """name: primary
zone: Europe/Berlin
layers:
- {name: week, people: ["@ben"], start: 2025-01-20, rotate: 1w, at: "09:00"}
"""


def test_whoever_is_on_call_and_has_no_channel_is_named(place: Folder) -> None:
    """The role is known: what is missing is a channel of the one whom the schedule names, or somebody on call."""
    rota = 'on_call: ["oncall:primary"]'
    place.write("policy.yaml", POLICY.replace('on_call: ["@alice", "@bob"]', rota))
    place.write("oncall/primary.yaml", WEEK)
    done = call("notify", "--test", "--to", "on_call", at=place.path)
    assert (done.code, done.out.splitlines()[0]) == (
        2,
        "not set up  @ben  (on call by primary) has no channel in `contacts`",
    )
    early = call("notify", "--test", "--to", "on_call", at=place.path, clock="2025-01-01T00:00:00Z")
    early.told_once(2, "on_call: nobody is on call by oncall:primary now", "oncall who")
