"""The incident's own chat channel, against a stand-in for Slack."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from incident_ops.adapters.notifiers.slack import Chat, channel_name
from incident_ops.domain.notification import INCIDENT_CHANNEL, Message
from incident_ops.errors import Ambiguous, UserError, WriteFailed
from tests.support.http_sink import HttpSink, http_sink
from tests.support.notifier_scene import HANGS, MESSAGE, REFUSES, Scene, prepare, settings
from tests.support.standin import Standin, standin

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])
SECRET = "xoxb-hunter2"
NAMES = {f"INC-{number}": f"#incident-INC-{number}" for number in range(1, 9)}
MADE = {"id": "C1", "name": "incident-inc-1"}


@contextmanager
def scene(behaviour: str) -> Iterator[Scene]:
    """A channel that is made, then the message; see `test_registry`."""
    with http_sink() as sink:
        url = prepare(sink, behaviour, answer(channel=MADE), taken=answer())
        if behaviour == REFUSES:
            sink.script[-1] = (200, json.dumps({"ok": False, "error": "msg_too_long"}))
        made = settings(INCIDENT_CHANNEL, {"SLACK_BOT_TOKEN": SECRET, "INCIDENT_OPS_SLACK_URL": url})

        def arrived() -> int:
            return len([request for request in sink.taken if behaviour == HANGS or "postMessage" in request.path])

        yield Scene(Chat(SECRET, NAMES, {}, f"{url}/", 1), notice("INC-1"), SECRET, arrived, made)


@pytest.fixture(scope="module")
def slack() -> Iterator[Standin]:
    with standin(service="slack") as running:
        yield running


def answer(**fields: Any) -> tuple[int, str]:
    return 200, json.dumps({"ok": True, **fields})


def over(sink: HttpSink, topics: dict[str, str] | None = None) -> Chat:
    return Chat(SECRET, NAMES, topics or {}, f"{sink.url}/")


def notice(incident: str, **fields: Any) -> Message:
    return MESSAGE._replace(incident=incident, channel=INCIDENT_CHANNEL, key=f"{incident}/k", **fields)


def chat(slack: Standin, topics: dict[str, str] | None = None) -> Chat:
    return Chat("xoxb-anything", NAMES, topics or {}, f"{slack.url}/api/")


def ask(slack: Standin, method: str, **body: Any) -> Any:
    return slack.ask("POST", f"/api/{method}", body, token="xoxb-anything")


def channel_of(slack: Standin, name: str) -> Any:
    found = [one for one in ask(slack, "conversations.list", limit=1000)["channels"] if one["name"] == name]
    assert len(found) == 1
    return found[0]


def messages(slack: Standin, name: str) -> list[Any]:
    told = ask(slack, "conversations.history", channel=channel_of(slack, name)["id"], include_all_metadata=True)
    return [one for one in told["messages"] if not one.get("subtype")]


def test_the_channel_is_made_with_its_topic_and_told(slack: Standin) -> None:
    """`#incident-<id>`, the topic, one message with the key in its metadata."""
    chat(slack, {"INC-1": "SEV0 · INC-1 · Login <fails> & burns"}).send(notice("INC-1"))
    made = channel_of(slack, "incident-inc-1")
    assert made["topic"]["value"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == (
        "SEV0 · INC-1 · Login <fails> & burns"
    )
    (message,) = messages(slack, "incident-inc-1")
    assert message["text"] == f"{MESSAGE.subject}\n{MESSAGE.text}"
    assert message["metadata"] == {"event_type": "incident_ops_notice", "event_payload": {"key": "INC-1/k"}}


def test_a_channel_that_is_there_is_found_and_nobody_is_invited(slack: Standin) -> None:
    """The second notice goes into the same channel; its only member is the bot."""
    way = chat(slack)
    way.send(notice("INC-2"))
    before = ask(slack, "conversations.members", channel=channel_of(slack, "incident-inc-2")["id"])["members"]
    chat(slack).send(notice("INC-2", mark="later", subject="second"))
    assert [one["text"].partition("\n")[0] for one in messages(slack, "incident-inc-2")] == ["second", MESSAGE.subject]
    assert ask(slack, "conversations.members", channel=channel_of(slack, "incident-inc-2")["id"])["members"] == before
    assert len(before) == 1


def test_text_of_a_record_cannot_call_everybody(slack: Standin) -> None:
    """`<!channel>` stays text."""
    chat(slack).send(notice("INC-3", text="<!channel> & <https://x|y>"))
    (message,) = messages(slack, "incident-inc-3")
    assert message["text"].endswith("&lt;!channel&gt; &amp; &lt;https://x|y&gt;")


def test_a_restricted_incident_gets_a_private_channel(sink: HttpSink) -> None:
    """Nobody finds it by looking."""
    sink.script = [answer(channel=MADE), answer()]
    over(sink).send(notice("INC-1", restricted=True))
    assert "is_private=1" in sink.taken[0].body


def test_its_people_are_invited_into_a_private_channel(slack: Standin) -> None:
    """By the address that git knows them by; whom Slack does not know, and who is in it already, stops nobody."""
    users = [one for one in ask(slack, "users.list")["members"] if one.get("profile", {}).get("email")]
    known = [one["profile"]["email"] for one in users]
    way = Chat("xoxb-anything", NAMES, {}, f"{slack.url}/api/", guests={"INC-7": ["gone@example.org", *known]})
    for mark in ("declared", "later"):
        way.send(notice("INC-7", mark=mark, restricted=True))
    found = ask(slack, "conversations.list", types="public_channel,private_channel", limit=1000)["channels"]
    (made,) = [one for one in found if one["name"] == "incident-inc-7"]
    members = ask(slack, "conversations.members", channel=made["id"])["members"]
    assert known
    assert {one["id"] for one in users} <= set(members)
    assert len(ask(slack, "conversations.history", channel=made["id"])["messages"]) >= 2


def test_an_invitation_that_is_refused_keeps_no_message_back(sink: HttpSink) -> None:
    sink.script = [answer(channel=MADE), answer(), answer(ok=False, error="missing_scope")]
    Chat(SECRET, NAMES, {}, f"{sink.url}/", guests={"INC-1": ["a@example.org"]}).send(notice("INC-1", restricted=True))
    assert [one.path for one in sink.taken][1:] == ["/chat.postMessage", "/users.lookupByEmail"]


def test_an_archived_channel_is_told(slack: Standin) -> None:
    """It is not unarchived behind people's backs."""
    chat(slack).send(notice("INC-5"))
    ask(slack, "conversations.archive", channel=channel_of(slack, "incident-inc-5")["id"])
    with pytest.raises(WriteFailed, match="is_archived"):
        chat(slack).send(notice("INC-5"))


def test_an_unchanged_topic_is_not_set_again(sink: HttpSink) -> None:
    """Each setting posts a line into the channel."""
    found = {**MADE, "is_member": True, "topic": {"value": "a &amp; b"}}
    sink.script = [answer(ok=False, error="name_taken"), answer(channels=[found]), answer()]
    over(sink, {"INC-1": "a & b"}).send(notice("INC-1"))
    assert [one.path for one in sink.taken] == ["/conversations.create", "/conversations.list", "/chat.postMessage"]


def test_a_topic_that_is_refused_keeps_no_message_back(sink: HttpSink) -> None:
    """The message counts."""
    sink.script = [answer(channel=MADE), answer(ok=False, error="missing_scope"), answer()]
    over(sink, {"INC-1": "topic"}).send(notice("INC-1"))
    assert sink.taken[-1].path == "/chat.postMessage"


def test_a_name_that_is_taken_out_of_sight_is_told(sink: HttpSink) -> None:
    """A private channel of other people has the name."""
    page = answer(channels=[], response_metadata={"next_cursor": "more"})
    sink.script = [answer(ok=False, error="name_taken"), page, answer(channels=[])]
    with pytest.raises(WriteFailed, match="#incident-inc-1 is taken"):
        over(sink).send(notice("INC-1"))
    assert "cursor=more" in sink.taken[2].body


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            (200, json.dumps({"ok": False, "error": "missing_scope", "needed": SECRET})),
            "missing_scope.*channels:manage",
        ),
        ((429, json.dumps({"ok": False, "error": "ratelimited"})), "ratelimited"),
        ((500, "<html>oops</html>"), "channel incident_channel: Slack"),
        ((200, json.dumps({"ok": False, "error": f"<{SECRET}>"})), "Slack says 200"),
    ],
)
def test_a_refusal_is_told_in_one_word(
    sink: HttpSink, reply: tuple[int, str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing was posted, nothing is repeated, and neither token nor answer is shown."""
    sink.script = [reply]
    with pytest.raises(WriteFailed, match=words) as told:
        over(sink).send(notice("INC-1"))
    assert len(sink.taken) == 1
    assert SECRET not in str(told.value) + "".join(capfd.readouterr())


def test_a_lost_answer_to_the_message_is_unknown(sink: HttpSink) -> None:
    """It may stand in the channel; it is not sent blindly again."""
    sink.script = [answer(channel=MADE), None]
    with pytest.raises(Ambiguous, match="cannot be reached"):
        over(sink).send(notice("INC-1"))
    assert [one.path for one in sink.taken] == ["/conversations.create", "/chat.postMessage"]


def test_a_slack_that_hangs_is_left_in_time(sink: HttpSink) -> None:
    """The limit is for all requests of one notice together."""
    began = time.monotonic()
    with pytest.raises(Ambiguous, match="no answer within 1 s"):
        Chat(SECRET, NAMES, {}, f"{sink.url}/hang/", seconds=1).send(notice("INC-1"))
    assert time.monotonic() - began < 3


def test_names_are_slacks() -> None:
    """Small letters, digits, hyphens, at most 80."""
    assert channel_name("#incident-INC-20250126-120500") == "incident-inc-20250126-120500"
    assert channel_name("War Room INC-1!") == "war-room-inc-1"
    assert len(channel_name("x" * 100)) == 80


@pytest.mark.parametrize("environment", [{}, {"SLACK_BOT_TOKEN": " "}, {"SLACK_BOT_TOKEN": "x\ny"}])
def test_without_a_token_it_is_told(environment: dict[str, str]) -> None:
    """The variable is named."""
    with pytest.raises(UserError, match="SLACK_BOT_TOKEN"):
        Chat.of(environment, NAMES, {})
