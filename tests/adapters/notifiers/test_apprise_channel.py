"""Channels through apprise, against real servers: what arrives, how long a bad one may take, and that nothing leaks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from incident_ops.adapters.notifiers import variable
from incident_ops.adapters.notifiers.apprise_channel import LONGEST, Channel
from incident_ops.errors import Ambiguous, UserError, WriteFailed
from tests.support.http_sink import HttpSink, http_sink
from tests.support.mail_sink import MailSink, mail_sink
from tests.support.notifier_scene import MESSAGE as NOTICE
from tests.support.notifier_scene import Scene, prepare, settings

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
SECRET = "hunter2secret"


@contextmanager
def scene(behaviour: str) -> Iterator[Scene]:
    """A webhook whose address holds a token; see `test_registry`."""
    with http_sink() as sink:
        address = prepare(sink, behaviour).replace("http://", f"json://{SECRET}:{SECRET}@") + f"?+token={SECRET}"
        made = settings("chat", {"INCIDENT_OPS_CHANNEL_CHAT": address})
        yield Scene(Channel("chat", address, seconds=1), NOTICE, SECRET, lambda: len(sink.taken), made)


@pytest.fixture
def mail() -> Iterator[MailSink]:
    with mail_sink() as running:
        yield running


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("chat", "INCIDENT_OPS_CHANNEL_CHAT"),
        ("team_1", "INCIDENT_OPS_CHANNEL_TEAM_1"),
        ("a-b.c", "INCIDENT_OPS_CHANNEL_A_B_C"),
    ],
)
def test_the_variable_is_the_name_in_capitals(channel: str, name: str) -> None:
    """Other characters become an underline."""
    assert variable(channel) == name


def test_a_notice_arrives_whole_and_once(sink: HttpSink) -> None:
    """One request with subject and text."""
    Channel("chat", sink.address("/200")).send(NOTICE)
    (taken,) = sink.taken
    assert (taken.data["title"], taken.data["message"]) == (NOTICE.subject, NOTICE.text)


def test_a_notice_without_text_arrives_too(sink: HttpSink) -> None:
    """A restricted incident says nothing but its subject."""
    Channel("chat", sink.address("/200")).send(NOTICE._replace(text=""))
    assert sink.taken[0].data["message"] == NOTICE.subject


def test_mail_arrives_at_a_real_mail_server(mail: MailSink) -> None:
    """Subject, addressee and text."""
    Channel("email", mail.url).send(NOTICE)
    (message,) = mail.messages
    assert (message["Subject"], message["To"]) == (NOTICE.subject, "team@example.invalid")
    assert "Response was due 12:20." in message.as_string()


def test_mail_that_is_refused_is_told(mail: MailSink) -> None:
    """A mail server's no is a failure, without its words."""
    mail.refusal = f"554 {SECRET} says no"
    with pytest.raises(WriteFailed, match="channel email: not delivered") as told:
        Channel("email", mail.url).send(NOTICE)
    assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("/400", WriteFailed, "answered 400"),
        ("/429", WriteFailed, "answered 429"),
        ("/500", WriteFailed, "answered 500"),
        ("/redirect", WriteFailed, "answered 302, a redirect"),
    ],
)
def test_a_bad_answer_is_told_by_its_status_and_asked_once(
    sink: HttpSink, path: str, error: type[Exception], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody is asked twice, a redirect is not followed, and neither address nor answer is shown."""
    with pytest.raises(error, match=words) as told:
        Channel("chat", sink.address(f"{path}?+token={SECRET}")).send(NOTICE)
    assert [one.path for one in sink.taken] == [path]
    shown = str(told.value) + repr(told.value) + "".join(capfd.readouterr())
    assert SECRET not in shown
    assert "127.0.0.1" not in shown


@pytest.mark.parametrize("wish", ["redirect=yes", "optional=yes", "retry=3&wait=0"])
def test_an_address_cannot_ask_for_what_would_mislead(sink: HttpSink, wish: str) -> None:
    """Following redirects, calling a failure a success, sending blindly again: none of it."""
    path = "/redirect" if wish.startswith("redirect") else "/500"
    with pytest.raises(WriteFailed):
        Channel("chat", f"{sink.address(path)}?{wish}").send(NOTICE)
    assert len(sink.taken) == 1


@pytest.mark.parametrize("path", ["/hang", "/drip"])
def test_a_channel_that_hangs_is_left_in_time(sink: HttpSink, path: str) -> None:
    """No answer, or one that never ends: nobody can tell, and the limit holds."""
    began = time.monotonic()
    with pytest.raises(Ambiguous, match="no answer within 1 s"):
        Channel("chat", sink.address(path), seconds=1).send(NOTICE)
    assert time.monotonic() - began < 3
    assert LONGEST <= 15


def test_a_port_where_nobody_listens_is_a_certain_failure(sink: HttpSink) -> None:
    """Nothing was sent, so that it may be sent again."""
    with pytest.raises(WriteFailed, match="channel chat: cannot be reached"):
        Channel("chat", f"json://{SECRET}:x@127.0.0.1:1/").send(NOTICE)


@pytest.mark.parametrize("url", ["nonsense", f"gopher://{SECRET}@example.org", "slack://"])
def test_an_address_that_is_none_is_told_without_it(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """The variable is named, its content is not."""
    with pytest.raises(UserError, match="INCIDENT_OPS_CHANNEL_CHAT") as told:
        Channel("chat", url)
    assert url not in str(told.value) + "".join(capfd.readouterr())


def test_a_server_that_breaks_off_may_have_taken_it(sink: HttpSink) -> None:
    """The line drops after the request: nobody can tell."""
    sink.script = [None]
    with pytest.raises(Ambiguous, match="the connection broke, or no answer came"):
        Channel("chat", sink.address("/200")).send(NOTICE)


def test_what_a_server_writes_is_not_taken_for_a_status(sink: HttpSink) -> None:
    """The library's log holds the answer's text; only its own words count."""
    sink.script = [(400, "Socket Exception: Connection refused, error=302.")]
    with pytest.raises(WriteFailed, match="answered 400"):
        Channel("chat", sink.address("/200")).send(NOTICE)


def test_an_answer_of_200_counts_whatever_it_holds(sink: HttpSink) -> None:
    """The library hands on no answer: a sign-in page that does not redirect is not seen (docs/decisions/0010)."""
    Channel("chat", sink.address("/html")).send(NOTICE)
    assert len(sink.taken) == 1
