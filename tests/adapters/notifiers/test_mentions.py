"""What a record says mentions nobody, in any service: real payloads of every plugin that could carry a mention."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.adapters import notifiers
from incident_ops.adapters.notifiers.slack import channel_name, topic
from incident_ops.domain.mentions import without_mentions
from incident_ops.domain.policy import Service
from incident_ops.errors import Ambiguous, WriteFailed
from tests.adapters.notifiers.test_slack import messages
from tests.reconcile.builders import record
from tests.support.http_sink import HttpSink
from tests.support.mail_sink import MailSink, mail_sink
from tests.support.notifier_scene import MESSAGE, settings
from tests.support.standin import standin

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])

LIVE = (
    "@everyone", "@here", "@channel", "@all", "@room", "@alice", "@acme/team", "<@123456>", "<@&123456>", "<@U1>",
    "<!channel>", "<!subteam^S1>", "<users/all>", '<at user_id="all">', "<@all>", "@**all**", "\uff20alice", "{@all}",
    "[all](mention:1)", "[x](twist-mention://1)", "[~alice]", "[CQ:at,qq=all]", "(met)all(met)", "(rol)1(rol)",
)  # fmt: skip
SAID = " ".join(LIVE)
NOTICE = MESSAGE._replace(subject=f"Login fails {SAID}", text=f"Seen by {SAID}\nhttps://meet.example/j/7?as=@bob end")
ADDRESSES = {
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "mattermost": "mmost://localhost/3ccdd113474722377935511fc85d3dd4",
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
    "slack bot": "slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/#general",
    "ms teams": "workflows://localhost:443/abcd1234/signature",
    "rocket.chat": "rocket://3ccdd113474722377935511fc85d3dd4/abcdefgh@localhost/#general",
    "rocket.chat user": "rocket://user:password@localhost/#general",
    "matrix": "matrix://user:password@localhost/!room:localhost",
    "matrix hook": "matrix://user:3ccdd113474722377935511fc85d3dd4@localhost/?mode=slack",
    "google chat": "gchat://workspace/key/token",
    "telegram": "tgram://123456789:abcdefghijklmnopqrstuvwxyz1234567890/12315544/",
    "ntfy": "ntfy://localhost/topic",
    "zulip": "zulip://botname@organisation/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/general",
    "webex": "wxteams://" + "a" * 80,
    "guilded": "guilded://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "revolt": "revolt://bot_token/01HXAAAAAAAAAAAAAAAAAAAAAA",
    "lark": "lark://abcdef-1234-5678",
    "feishu": "feishu://abcdef-1234-5678",
    "wecom": "wecombot://abcdef-1234-5678",
    "dingtalk": "dingtalk://abcdef12345678/",
    "nextcloud talk": "nctalk://user:password@localhost/roomid",
    "synology": "synology://localhost/token",
    "mastodon": "mastodon://token@localhost",
    "misskey": "misskey://token@localhost",
    "flock": "flock://" + "a" * 24,
    "gotify": "gotify://localhost/abcdefghijklmnop",
    "json": "json://localhost/",
    "form": "form://localhost/",
    "xml": "xml://localhost/",
}
ANSWER = {"ok": True, "result": {}, "access_token": "t", "room_id": "!room:localhost", "user_id": "@us:localhost",
          "home_server": "localhost", "joined_rooms": ["!room:localhost"], "status": "success",
          "data": {"userId": "u", "authToken": "t"}, "code": 0, "errcode": 0}  # fmt: skip


@pytest.fixture
def everywhere(sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> HttpSink:
    """A sink that gets every request, whatever the service's own address, and answers like all of them at once."""
    real = requests.Session.request
    sink.script = [(200, json.dumps(ANSWER))] * 50

    def to_sink(self: requests.Session, method: str, url: str, **given: Any) -> requests.Response:
        return real(self, method, sink.url, **given)

    monkeypatch.setattr(requests.Session, "request", to_sink)
    return sink


def send(address: str) -> None:
    """By the way that every notice goes; what the sink's answer is taken for does not matter."""
    try:
        notifiers.connect(settings("chat", {"INCIDENT_OPS_CHANNEL_CHAT": address})).send(NOTICE)
    except (WriteFailed, Ambiguous):
        return


def words_of(body: str) -> str:
    """A payload as its service reads it: out of JSON, of a form, of HTML or Markdown, each once."""
    try:
        decoded = "\n".join(_strings(json.loads(body)))
    except ValueError:
        decoded = unquote_plus(body) if "=" in body.partition(" ")[0] else body
    return re.sub(r"\\([^\w\s])", r"\1", html.unescape(decoded))


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, dict | list):
        for one in data.values() if isinstance(data, dict) else data:
            yield from _strings(one)
    elif isinstance(data, str):
        yield data


@pytest.mark.slow
@pytest.mark.parametrize("service", ADDRESSES)
def test_no_service_is_told_to_notify_anybody(service: str, everywhere: HttpSink) -> None:
    """The payload holds no mention in any spelling, and every word is there to be read, escaped once."""
    send(ADDRESSES[service])
    said = "\n".join(words_of(one.body) for one in everywhere.taken)
    assert [live for live in LIVE if live in said] == []
    assert "Login fails @ everyone @ here" in said
    assert "< @ 123456>" in said
    assert "< !channel>" in said
    assert "https://meet.example/j/7?as=%40bob end" in said
    assert "&amp;" not in said


def test_mail_is_read_the_same() -> None:
    """At a real mail server."""
    with mail_sink() as mail:
        _mail(mail)


def _mail(mail: MailSink) -> None:
    send(mail.url)
    (message,) = mail.messages
    text = next(part for part in message.walk() if not part.is_multipart()).get_payload(decode=True)
    assert isinstance(text, bytes)
    assert "Seen by @ everyone @ here" in html.unescape(text.decode())


def test_the_chat_channel_of_an_incident_mentions_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack's own interface, text and topic; the stand-in keeps what it was sent, escaped once."""
    incident = record(title=f"Login fails {SAID}").incident
    assert [live for live in LIVE if live in topic(incident)] == []
    with standin(service="slack") as slack:
        given = {"SLACK_BOT_TOKEN": "xoxb-anything", "INCIDENT_OPS_SLACK_URL": f"{slack.url}/api/"}
        made = settings("incident_channel", given, incidents=[incident])
        notifiers.connect(made).send(NOTICE)
        said = "\n".join(one["text"] for one in messages(slack, channel_name(made.room(incident))))
    assert "&lt; !channel&gt;" in said
    assert [live for live in LIVE if live in html.unescape(said)] == []


def test_a_pager_shows_the_same_words(sink: HttpSink) -> None:
    """Its own chat integrations repeat the summary."""
    given = {"PAGER": "0" * 32, "INCIDENT_OPS_PAGER_URL": sink.url}
    made = settings("pager", given, services={"auth": Service(owner="@team", pager_key_env="PAGER")})
    notifiers.connect(made).send(NOTICE)
    said = "\n".join(_strings(sink.taken[0].data["payload"]))
    assert "Login fails @ everyone" in said
    assert [live for live in LIVE if live in said] == []


@given(st.text(alphabet="@\uff20<>!#&[](){}~:/. aenmtrolCQhtps*\n", max_size=60) | st.text(max_size=40))
def test_nothing_follows_a_sign_at_once(text: str) -> None:
    """Whatever the text: no sign is followed by a word, what is broken stays as it is, and no letter is lost."""
    broken = without_mentions(text)
    assert without_mentions(broken) == broken
    assert broken.replace("%40", "@").replace(" ", "") == text.replace("%40", "@").replace(" ", "")
    for place, sign in enumerate(broken[:-1]):
        assert sign not in "@\uff20" or broken[place + 1].isspace()
