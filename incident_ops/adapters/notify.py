"""Chat, mail, text messages, webhooks: every channel that has an address in the environment, through `apprise`."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from incident_ops.adapters.heard import Heard, listening
from incident_ops.adapters.one_line import one_line
from incident_ops.adapters.within import within
from incident_ops.domain.notification import Message
from incident_ops.errors import Ambiguous, UserError, WriteFailed

LONGEST = 15.0
"""Seconds that one sending may take."""

_CONNECT, _READ = 5.0, 10.0
_AGAIN = "the next run sends it again"


def variable(channel: str) -> str:
    """The environment variable that holds a channel's address."""
    return "INCIDENT_OPS_CHANNEL_" + re.sub(r"[^A-Z0-9]", "_", channel.upper())


def unset(channel: str) -> UserError:
    """The error for a channel without an address."""
    name = variable(channel)
    return UserError(
        f"channel {channel} has no address: {name} is not set",
        hint=f"set {name} to an apprise URL: in the repository's secrets, at home with export",
    )


class Channel:
    """One channel and its address, any URL that `apprise` understands.

    Redirects are not followed, a failed request is not repeated, and nothing that `apprise` or a server says is shown:
    an address holds its key.
    """

    def __init__(self, name: str, url: str, seconds: float = LONGEST) -> None:
        """UserError where the address is none that `apprise` understands."""
        self.name = name
        self._url = url.strip()
        self._seconds = seconds
        with _silence():
            self._plugin()

    @classmethod
    def of(cls, name: str, environment: Mapping[str, str]) -> Channel:
        """The channel as the environment sets it up; UserError where it does not."""
        url = environment.get(variable(name), "").strip()
        if not url:
            raise unset(name)
        return cls(name, url)

    def send(self, message: Message) -> None:
        """Sends once; see `ports.Notifier`."""
        with listening() as heard:
            try:
                taken = within(self._seconds, lambda: self._send(message))
            except TimeoutError as error:
                raise self._unknown(f"no answer within {self._seconds:g} s") from error
            except Exception as error:
                raise self._unknown(f"a fault inside the library ({type(error).__name__})") from None
        self._judge(taken, heard)

    def _send(self, message: Message) -> bool:
        with _silence():
            import apprise

            way = apprise.Apprise()
            way.add(self._plugin())
            subject = one_line(message.subject)
            body = message.text.strip() or subject  # without a body nothing is sent
            done = way.notify(title=subject, body=body, body_format=apprise.NotifyFormat.TEXT)
        return bool(done)

    def _plugin(self) -> Any:
        """The plugin for the address, made anew for each sending: an old one waits between two messages."""
        import apprise

        asset = apprise.AppriseAsset(http_redirects=False, async_mode=False, service_timeout=0)
        made: Any = apprise.Apprise.instantiate(self._url, asset=asset, suppress_exceptions=True)
        if made is None:
            raise UserError(
                f"channel {self.name}: {variable(self.name)} is no address that apprise understands",
                hint="its form is on https://appriseit.com/services; the address itself is not shown",
            )
        # whatever the address asks for: `optional` would call a failure a success, `retry` would send blindly again
        made.redirects, made.optional, made.retry = False, False, 0
        made.socket_connect_timeout, made.socket_read_timeout = _CONNECT, _READ
        return made

    def _judge(self, taken: bool, heard: Sequence[Heard]) -> None:
        last = heard[-1] if heard else None
        if taken:
            if any(one.is_page for one in heard):
                raise self._unknown("answered with a web page; is it a sign-in page?")
            return
        if last is None:
            raise WriteFailed(f"channel {self.name}: not delivered", hint=_AGAIN)
        if not last.status and last.was_sent:
            raise self._unknown("the connection broke, or no answer came")
        if not last.status:
            raise WriteFailed(f"channel {self.name}: cannot be reached", hint=_AGAIN)
        if 300 <= last.status < 400:
            hint = f"redirects are not followed: put the address it leads to into {variable(self.name)}"
            raise WriteFailed(f"channel {self.name}: answered {last.status}, a redirect", hint=hint)
        raise WriteFailed(f"channel {self.name}: answered {last.status}", hint=_AGAIN)

    def _unknown(self, why: str) -> Ambiguous:
        return Ambiguous(f"channel {self.name}: {why}", hint="nobody can tell whether it arrived")


@contextmanager
def _silence() -> Iterator[None]:
    """The library's own log, and the warnings of those below it, name hosts and addresses."""
    log = logging.getLogger("apprise")
    log.propagate = False
    log.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
