"""What was certainly never sent, with real TLS: what breaks in the handshake, and nothing that breaks after it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from incident_ops.adapters.http import NoAnswer, exchange, never_left
from incident_ops.adapters.notifiers.pagerduty import Pager
from incident_ops.errors import Ambiguous, WriteFailed
from tests.adapters.notifiers.test_pagerduty import KEY, PAGE
from tests.support.certificate import CERTIFICATE, make_certificate, server_context

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
NO_RECORD_OF_TLS = b"HTTP/1.1 200 OK\r\n\r\n"
NOT_ENCRYPTED = b"\x17\x03\x03\x00\x20" + b"x" * 32
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"

Act = Callable[[socket.socket, ssl.SSLContext], bytes]
"""What a server does with one connection -> what it took of the request, in plain text."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, and its key."""
    made = tmp_path_factory.mktemp("tls")
    make_certificate(made, "localhost")
    return made


@contextmanager
def serving(act: Act, context: ssl.SSLContext) -> Iterator[tuple[int, list[bytes]]]:
    """A server for one connection: its port, and what it took once the block ends."""
    taken: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def serve() -> None:
            with listener.accept()[0] as line:
                line.settimeout(5)
                taken.append(act(line, context))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], taken
        thread.join(5)


def shake_hands(line: socket.socket, context: ssl.SSLContext) -> bytes:
    """The client goes away meanwhile."""
    with suppress(ssl.SSLError), context.wrap_socket(line.dup(), server_side=True) as tls:
        return tls.recv(65_536)
    return b""


def speak_plainly(line: socket.socket, _: ssl.SSLContext) -> bytes:
    """A server without TLS at an https address."""
    line.recv(65_536)
    line.sendall(NO_RECORD_OF_TLS)
    return b""


def hang_up(line: socket.socket, _: ssl.SSLContext) -> bytes:
    line.recv(65_536)
    return b""


def take_and_send(broken: bytes) -> Act:
    """Takes the whole request, then sends these bytes past TLS."""

    def act(line: socket.socket, context: ssl.SSLContext) -> bytes:
        taken = b""
        with context.wrap_socket(line.dup(), server_side=True) as tls:
            while not taken.endswith(b"}"):
                taken += tls.recv(65_536)
            line.sendall(broken)
        return taken

    return act


def post(url: str, verify: str | bool) -> tuple[NoAnswer, requests.RequestException]:
    """What sending ends with, and the error of the library behind it."""
    with pytest.raises(NoAnswer) as told:
        exchange("POST", url, seconds=5, json={"a": 1}, verify=verify)
    cause = told.value.__context__
    assert isinstance(cause, requests.RequestException)
    return told.value, cause


@pytest.mark.parametrize(
    ("act", "host", "trusted"),
    [
        (shake_hands, "localhost", False),
        (shake_hands, "127.0.0.1", True),  # a certificate of another name
        (speak_plainly, "localhost", True),
        (hang_up, "localhost", True),
    ],
)
def test_what_breaks_in_the_handshake_never_left(folder: Path, act: Act, host: str, trusted: bool) -> None:
    """The server has nothing of the request, so it may be sent again."""
    with serving(act, server_context(folder)) as (port, taken):
        ended, error = post(f"https://{host}:{port}", str(folder / CERTIFICATE) if trusted else True)
    assert taken == [b""]
    assert isinstance(error, requests.exceptions.SSLError)
    assert never_left(error)
    assert not ended.was_sent


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
@pytest.mark.parametrize("broken", [NO_RECORD_OF_TLS, NOT_ENCRYPTED, ALERT, b""])
def test_what_breaks_after_the_handshake_may_have_arrived(folder: Path, version: ssl.TLSVersion, broken: bytes) -> None:
    """The server has all of it. The error is of the same kind, SSLError in MaxRetryError, as one of the handshake."""
    context = server_context(folder)
    context.minimum_version = context.maximum_version = version
    with serving(take_and_send(broken), context) as (port, taken):
        ended, error = post(f"https://localhost:{port}", str(folder / CERTIFICATE))
    assert taken[0].startswith(b"POST / ")
    assert isinstance(error, requests.exceptions.SSLError) is bool(broken)
    assert not never_left(error)
    assert ended.was_sent


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (speak_plainly, WriteFailed, "cannot be reached"),
        (take_and_send(ALERT), Ambiguous, "channel pager: the connection broke"),
    ],
)
def test_a_page_that_may_have_arrived_is_not_called_unsent(
    folder: Path, monkeypatch: pytest.MonkeyPatch, act: Act, error: type[Exception], words: str
) -> None:
    """As the pager tells it."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / CERTIFICATE))
    with (
        serving(act, server_context(folder)) as (port, _),
        pytest.raises(error, match=words),
    ):
        Pager("pager", f"https://localhost:{port}", {"INC-1": [KEY]}).send(PAGE)
