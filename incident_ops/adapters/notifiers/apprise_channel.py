"""Chat, mail, text messages, webhooks: every channel that has an address in the environment, through `apprise`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from incident_ops.adapters.notifiers import NotifierSettings, variable
from incident_ops.adapters.processes import one_line, within
from incident_ops.domain.notification import Message
from incident_ops.errors import Ambiguous, UserError, WriteFailed
from incident_ops.extras import demand

if TYPE_CHECKING:
    from apprise import AppriseResult, NotifyLogEntry


CHANNELS: tuple[str, ...] = ()
TAKES_BACK = False
ESCAPES = False
LONGEST = 15.0
"""Seconds that one sending may take."""

_CONNECT, _READ = 5.0, 10.0
_AGAIN = "the next run sends it again"

_STATUS = re.compile(r"\berror=([1345][0-9]{2})\b")
_BROKE = "Socket Exception"  # how each of the library's plugins begins the entry about a connection that failed
_NEVER_CONNECTED = re.compile(
    r"Failed to establish a new connection|Failed to resolve|ConnectTimeoutError|CERTIFICATE_VERIFY_FAILED"
    r"|Connection refused|Name or service not known"
)
_REFUSED_MAIL = re.compile(r"\(([45][0-9]{2}), b['\"]")


def connect(settings: NotifierSettings) -> Channel | None:
    """The channel as the environment sets it up; None where it has no address."""
    url = settings.environment.get(variable(settings.channel), "").strip()
    return Channel(settings.channel, url) if url else None


class Channel:
    """One channel and its address, any URL that `apprise` understands.

    Redirects are not followed, a failed request is not repeated, and nothing that `apprise` or a server says is shown:
    an address holds its key.
    """

    def __init__(self, name: str, url: str, seconds: float = LONGEST) -> None:
        """UserError where the address is none that `apprise` understands, and where that is not installed."""
        demand("notify", f"channel {name}", "apprise")
        self.name = name
        self._url = url.strip()
        self._seconds = seconds
        with _kept_from_view():
            self._plugin()

    def send(self, message: Message) -> None:
        """Sends once; see `domain.ports.Notifier`."""
        try:
            result = within(self._seconds, lambda: self._send(message))
        except TimeoutError as error:
            raise self._unknown(f"no answer within {self._seconds:g} s") from error
        except Exception as error:
            raise self._unknown(f"a fault inside the library ({type(error).__name__})") from None
        if not result:
            raise self._failure(result.logs())

    def _send(self, message: Message) -> AppriseResult:
        import logging  # every plan loads this module, only a sending needs this one

        with _kept_from_view():
            import apprise

            service = apprise.Apprise()
            service.add(self._plugin())
            subject = one_line(message.subject)
            body = message.whole or subject  # without a body nothing is sent
            plain = apprise.NotifyFormat.TEXT
            return service.notify(title=subject, body=body, body_format=plain, log_level=logging.DEBUG)

    def _plugin(self) -> Any:
        """The plugin for the address, made anew for each sending: an old one waits between two messages."""
        import apprise

        asset = apprise.AppriseAsset(http_redirects=False, async_mode=False, service_timeout=0)
        made: Any = apprise.Apprise.instantiate(self._url, asset=asset, suppress_exceptions=True)
        if made is None:
            raise UserError(
                f"channel {self.name}: {variable(self.name)} is not an address that apprise understands",
                hint="its form is on https://appriseit.com/services; the address itself is not shown",
            )
        # whatever the address asks for: `optional` would call a failure a success, `retry` would send blindly again
        made.redirects, made.optional, made.retry = False, False, 0
        made.socket_connect_timeout, made.socket_read_timeout = _CONNECT, _READ
        return made

    def _failure(self, log: Iterable[NotifyLogEntry]) -> WriteFailed | Ambiguous:
        """What the library's log of a failure tells: a status, a connection that was never made, a mail server's no.

        The log itself holds addresses and is not shown. Where it tells none of these, nobody can tell.
        """
        entries = list(log)
        broken = [entry.message for entry in entries if entry.message.startswith(_BROKE)]
        refused = [text for text in broken if _REFUSED_MAIL.search(text)]
        if not all(_NEVER_CONNECTED.search(text) or text in refused for text in broken):
            return self._unknown("the connection broke, or no answer came")
        statuses = [found for entry in entries if entry.level == "WARNING" for found in _STATUS.findall(entry.message)]
        if statuses and statuses[-1].startswith("3"):
            hint = f"redirects are not followed: put the address it leads to into {variable(self.name)}"
            return WriteFailed(f"channel {self.name}: answered {statuses[-1]}, a redirect", hint=hint)
        if statuses:
            return WriteFailed(f"channel {self.name}: answered {statuses[-1]}", hint=_AGAIN)
        if refused:
            return WriteFailed(f"channel {self.name}: not delivered", hint=_AGAIN)
        if broken:
            return WriteFailed(f"channel {self.name}: cannot be reached", hint=_AGAIN)
        return self._unknown("it failed, and does not say whether it was sent")

    def _unknown(self, why: str) -> Ambiguous:
        return Ambiguous(f"channel {self.name}: {why}", hint="nobody can tell whether it arrived")


@contextmanager
def _kept_from_view() -> Iterator[None]:
    """The library's log goes into its result only: it names hosts and addresses, as do the warnings of those below."""
    import logging  # as above

    log = logging.getLogger("apprise")
    log.propagate = False
    log.setLevel(logging.DEBUG)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
