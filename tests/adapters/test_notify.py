"""Channels through apprise, against real servers: what arrives, how long a bad one may take, and that nothing leaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from incident_ops.adapters.notify import LONGEST, Channel, variable
from incident_ops.adapters.within import within
from incident_ops.domain.notification import Message
from incident_ops.errors import Ambiguous, UserError, WriteFailed
from tests.support.http_sink import HttpSink
from tests.support.mail_sink import MailSink, mail_sink

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
NOTICE = Message(
    key="INC-1/response/1/breached/@alice/internal",
    incident="INC-1",
    rank=1,
    mark="breached",
    audience="internal",
    recipient="@alice",
    channel="chat",
    subject="[SEV0] INC-1: Login fails",
    text="Response was due 12:20.\nAcknowledge: incident-ops ack",
)
SECRET = "hunter2secret"


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
        ("/html", Ambiguous, "web page"),
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


@pytest.mark.parametrize("environment", [{}, {"INCIDENT_OPS_CHANNEL_CHAT": "  "}])
def test_a_channel_without_an_address_is_told(environment: dict[str, str]) -> None:
    """An empty variable is none."""
    with pytest.raises(UserError, match="channel chat has no address: INCIDENT_OPS_CHANNEL_CHAT is not set"):
        Channel.of("chat", environment)


def test_within_gives_the_result_the_error_or_the_end_of_time() -> None:
    """What was left behind holds up nothing."""

    def fails() -> int:
        raise WriteFailed("no")

    assert within(5, lambda: 7) == 7
    with pytest.raises(WriteFailed, match="no"):
        within(5, fails)
    gate = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.05, lambda: gate.wait(5))
    gate.set()
