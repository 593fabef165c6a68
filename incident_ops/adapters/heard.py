"""What HTTP servers answered to a library that tells only yes or no: the status, a web page, a lost answer.

Nothing of an answer's text is kept, and no address.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

_PAGE = (b"<!doctype html", b"<html")


class Heard(NamedTuple):
    """One request's end: `status` 0 where no answer came; `is_page` for a web page in place of an answer; `was_sent`
    False where there was no connection to send it over."""

    status: int
    is_page: bool = False
    was_sent: bool = True


_heard: ContextVar[list[Heard] | None] = ContextVar("heard", default=None)


@contextmanager
def listening() -> Iterator[list[Heard]]:
    """Collects what requests made inside the block, and in threads that carry its context, came to."""
    _tap()
    heard: list[Heard] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def never_left(error: Exception) -> bool:
    """True for an error of `requests` without a connection to send over; one that breaks later is False.

    TLS that breaks while the answer is read comes as the same SSLError as a certificate that is not trusted.
    """
    from requests import ConnectTimeout
    from urllib3.exceptions import MaxRetryError, NewConnectionError, SSLError

    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    refused = isinstance(reason, NewConnectionError) or (isinstance(reason, SSLError) and _in_handshake(reason))
    return isinstance(error, ConnectTimeout) or refused


def _in_handshake(error: Exception) -> bool:
    """True where TLS was still being agreed on, which ends before the first byte of a request."""
    import ssl
    from traceback import walk_tb

    broke = error.args[0] if error.args else None
    frames = walk_tb(broke.__traceback__) if isinstance(broke, ssl.SSLError) else ()
    return any(frame.f_code is ssl.SSLSocket.do_handshake.__code__ for frame, _ in frames)


def _tap() -> None:
    """Lets `requests` report to whoever listens; the sending itself stays as it is."""
    import requests

    plain = requests.Session.send
    if hasattr(plain, "reports_to_incident_ops"):
        return

    def send(self: requests.Session, request: requests.PreparedRequest, **words: Any) -> requests.Response:
        heard = _heard.get()
        try:
            response = plain(self, request, **words)
        except requests.RequestException as error:
            if heard is not None:
                heard.append(Heard(0, was_sent=not never_left(error)))
            raise
        if heard is not None:
            heard.append(Heard(response.status_code, _is_page(response)))
        return response

    send.reports_to_incident_ops = True  # type: ignore[attr-defined]
    requests.Session.send = send  # type: ignore[method-assign]


def _is_page(response: Any) -> bool:
    is_read = getattr(response, "_content_consumed", False)  # a stream is its reader's
    return is_read and bytes(response.content).lstrip()[:14].lower().startswith(_PAGE)
