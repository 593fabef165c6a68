"""The one way out over HTTP: sessions that repeat nothing, limits of time and size, and the guard of addresses.

What brings its own client (`slack_sdk`, `apprise`) is not sent from here. Nothing is repeated here either: the one
table of what is sent again stands in `github/retry.py`.

An address that a file of the repository can name is a `Place`, and guarded: a gate file must not open doors inside a
network. https only; no redirects, no proxies, no stored passwords; the name is resolved once, every address it has is
judged, and the connection goes to the address that was judged, so that a name which changes its mind gains nothing.
With `allow_private` also http and private addresses; those where clouds keep their credentials stay refused.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from incident_ops import __version__
from incident_ops.adapters.processes import one_line, within
from incident_ops.errors import Incomplete, UserError

if TYPE_CHECKING:
    from requests import Session


USER_AGENT = f"incident-ops/{__version__}"
LONGEST = 10.0
"""Seconds that one answer may take."""
MOST_BYTES = 2 * 1024 * 1024

UNREACHED, UNTRUSTED, LATE, BROKEN, TOO_LARGE = "unreached", "untrusted", "late", "broken", "too-large"

_PIECE = 64 * 1024
_SHORTEST_SECRET = 6
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_NO_ANSWER_HINTS = {
    UNTRUSTED: "REQUESTS_CA_BUNDLE names a file of your own certificates",
    TOO_LARGE: "aggregate in the query",
}
_NOT_LET_IN = "check its token, or how it signs in"
_STATUS_HINTS = {401: _NOT_LET_IN, 403: _NOT_LET_IN, 429: "ask less often: lengthen the interval"}

_CREDENTIALS = frozenset(
    map(ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"))
)
"""Where Alibaba Cloud, Azure, Oracle, AWS and Google answer their machines, beside the link-local 169.254.169.254."""
_HOLDS_IPV4_LAST = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
_TRANSLATED_HERE = IPv6Network("64:ff9b:1::/48")
"""A network's own translation to IPv4 (RFC 8215): which address it stands for is known only there."""
_SPECIAL = IPv4Network("192.0.0.0/24")

_ALLOW = "if it is meant to be there, set allow_private: true at the data source in policy.yaml"

Resolve = Callable[[str, int], list[str]]
"""(host, port) -> its addresses; OSError where there are none."""
Choose = Callable[[str, int], str]
"""(host, port) -> the address to connect to."""
Authorize = Callable[[Any], Any]
"""A prepared request of `requests` -> the same, signed in; called for every request. Raises Incomplete."""


class Answer(NamedTuple):
    """A whole answer: its status, its headers by their names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """No whole answer came. `kind` is UNREACHED, UNTRUSTED (its certificate), LATE, BROKEN or TOO_LARGE."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind

    @property
    def was_sent(self) -> bool:
        """False where there was no connection to send over; True where the request may have arrived."""
        return self.kind not in (UNREACHED, UNTRUSTED)


class TooLarge(Incomplete):
    """The answer is longer than is read."""


def is_https_or_local(url: str) -> bool:
    """True for an https address, and for http to this machine, which only tests and stand-ins use."""
    try:
        parts = urlsplit(url)
    except ValueError:  # as `https://[`
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
    )


def session(choose: Choose | None = None) -> Session:
    """A session of `requests` that repeats nothing and sends no password of a .netrc.

    Without `choose` it goes the way that the environment names (proxies, REQUESTS_CA_BUNDLE). With it, connections go
    to the address that it picks, and neither proxy nor anything else of the environment is used.
    """
    import requests
    from requests.adapters import HTTPAdapter

    made = requests.Session()
    made.auth = lambda request: request  # without any, `requests` takes one from a .netrc and replaces our token
    made.headers["User-Agent"] = USER_AGENT
    made.trust_env = choose is None
    adapter = HTTPAdapter(max_retries=0) if choose is None else _pinned(choose)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def send_request(
    over: Session, method: str, url: str, *, seconds: float, most_bytes: int = MOST_BYTES, **words: Any
) -> Answer:
    """One request, sent once; a redirect is an answer. `words` are those of `requests`.

    NoAnswer where no whole one came, with the connection silent for `seconds` at most.
    """
    import requests

    try:
        with over.request(method, url, timeout=seconds, allow_redirects=False, stream=True, **words) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, _body(response, most_bytes))
    except requests.RequestException as error:
        raise _no_answer(error, seconds) from None


def exchange(method: str, url: str, *, seconds: float, choose: Choose | None = None, **words: Any) -> Answer:
    """`send_request` over a session of its own, with an end after `seconds` however slowly an answer drips."""

    def ask() -> Answer:
        with session(choose) as over:
            return send_request(over, method, url, seconds=seconds, **words)

    try:
        return within(seconds, ask)
    except TimeoutError:
        raise NoAnswer(LATE, f"no answer within {seconds:g} s") from None


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


def _no_answer(error: Exception, seconds: float) -> NoAnswer:
    import requests

    if never_left(error):
        if isinstance(error, requests.exceptions.SSLError):
            return NoAnswer(UNTRUSTED, "the server's certificate is not trusted")
        return NoAnswer(UNREACHED, "the server cannot be reached")
    if isinstance(error, requests.Timeout):
        return NoAnswer(LATE, f"no answer within {seconds:g} s")
    return NoAnswer(BROKEN, "the connection broke")


def _body(response: Any, most_bytes: int) -> bytes:
    body = b""
    for piece in response.iter_content(_PIECE):
        body += piece
        if len(body) > most_bytes:
            raise NoAnswer(TOO_LARGE, f"the answer has more than {most_bytes // 1024**2} MiB")
    return body


def _pinned(choose: Choose) -> Any:
    """An adapter that connects to the address that `choose` gives; certificates and `Host` keep the host's name."""
    from requests.adapters import HTTPAdapter

    class Pinned(HTTPAdapter):
        def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
            host, tls = super().build_connection_pool_key_attributes(request, verify, cert)
            name, port = host["host"], host["port"] or (443 if host["scheme"] == "https" else 80)
            request.headers["Host"] = urlsplit(request.url).netloc
            if host["scheme"] == "https":
                tls["server_hostname"] = name
            return {**host, "host": choose(name, port)}, tls

    return Pinned(max_retries=0)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Place:
    """A guarded address: `name` says in messages whose it is, in place of `url`, which may be secret.

    `headers` hold the token; they go to this place and nowhere else. `authorities` is a file of certificates to trust,
    the system's where None. `authorize` signs in each request where a header that stays the same is not enough. What an
    answer says is shown without the `secrets`, of which more may become known later.
    """

    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_private: bool = False
    seconds: float = LONGEST
    authorities: str | None = None
    resolve: Resolve = resolve
    authorize: Authorize | None = field(default=None, repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """UserError for an address that is not allowed to begin with."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
            raise UserError(f"{self.name} has no usable address", hint="https://HOST[:PORT][/PATH]")
        if parts.username is not None or parts.password is not None:
            raise UserError(f"{self.name} has a password in its address", hint="use token_env, or auth: basic")
        if parts.scheme == "http" and not self.allow_private:
            hint = "use https; http is for a private network only, with allow_private: true in policy.yaml"
            raise UserError(f"{self.name} is reached over http", hint=hint)


def refusal(address: str, *, allow_private: bool) -> str:
    """Why an address is not connected to, "" where it is. What an IPv6 address wraps is judged, not the wrapping."""
    found = _unwrapped(ip_address(address.partition("%")[0]))
    if found.is_link_local:
        return "a link-local address"
    if found in _CREDENTIALS:
        return "an address of the cloud itself"
    if found.is_multicast or found.is_unspecified or found in _TRANSLATED_HERE:
        return "not the address of a server"
    if allow_private and (found.is_private or found.is_loopback or not found.is_reserved):
        return ""
    if found.is_loopback:
        return "an address of this machine"
    is_inside = found in _SPECIAL or (isinstance(found, IPv6Address) and found.is_site_local)
    return "a private address" if is_inside or not found.is_global else ""


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address) or int(address) <= 1:  # `::` and `::1` wrap nothing
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and any(address in network for network in _HOLDS_IPV4_LAST):
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def judged(place: Place, host: str, port: int) -> str:
    """The address to connect to. Incomplete where a host has none, or has one that is refused."""
    try:
        addresses = place.resolve(host, port)
    except (OSError, UnicodeError):
        addresses = []
    if not addresses:
        raise Incomplete(f"{place.name}: its host has no address", hint="check the address and the DNS")
    for address in addresses:
        if why := refusal(address, allow_private=place.allow_private):
            raise Incomplete(f"{place.name}: its host is {why}, which is refused", hint=_ALLOW)
    return addresses[0]


def demand_allowed(place: Place) -> None:
    """UserError where the place's host has an address that is refused, as far as it is known now."""
    parts = urlsplit(place.url)
    try:
        addresses = place.resolve(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except (OSError, UnicodeError, ValueError):
        return
    if why := next((why for one in addresses if (why := refusal(one, allow_private=place.allow_private))), ""):
        raise UserError(f"{place.name}: its host is {why}, which is refused", hint=_ALLOW)


def ask(place: Place, method: str, path: str = "", **words: Any) -> Answer:
    """One request below a place; `words` are those of `requests`: params, data, json, headers.

    Incomplete, with the reason, if the answer is not complete in time; the status is not judged.
    """
    words["headers"] = {**words.get("headers", {}), **place.headers}
    url = place.url.rstrip("/") + path
    try:
        return exchange(
            method,
            url,
            seconds=place.seconds,
            choose=lambda host, port: judged(place, host, port),
            verify=place.authorities or True,
            **({"auth": place.authorize} if place.authorize else {}),
            **words,
        )
    except NoAnswer as error:
        kind = TooLarge if error.kind == TOO_LARGE else Incomplete
        raise kind(f"{place.name}: {error}", hint=_NO_ANSWER_HINTS.get(error.kind, "")) from None


def ask_json(place: Place, method: str, path: str = "", **words: Any) -> Any:
    """The JSON of an answer with a status of 200. Incomplete for any other status, and for what is not JSON."""
    answer = ask(place, method, path, **words)
    if answer.status != 200:
        raise refused(place, answer)
    return parsed(place, answer)


def refused(place: Place, answer: Answer, reason: str = "") -> Incomplete:
    """The error for a status that is not 200; `reason` is what the body says where its shape is known."""
    text = _without_secrets(place, answer.body[:2000].decode("utf-8", "replace").strip())
    shown = _without_secrets(place, reason) or ("" if text.startswith("<") else one_line(text, 200))
    hint = _STATUS_HINTS.get(answer.status, "redirects are not followed" if 300 <= answer.status < 400 else "")
    return Incomplete(f"{place.name}: answered {answer.status}{f', {shown}' if shown else ''}", hint=hint)


def _without_secrets(place: Place, text: str) -> str:
    """The text with *** for what a service that refuses somebody may say again: who it was, and with what."""
    for secret in sorted(place.secrets, key=len, reverse=True):
        text = text.replace(secret, "***") if len(secret) >= _SHORTEST_SECRET else text
    return text


def parsed(place: Place, answer: Answer) -> Any:
    """The JSON of a body; NaN and the like, which are not JSON, are refused."""
    try:
        return json.loads(answer.body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        hint = "is it a sign-in page, or another service?"
        raise Incomplete(f"{place.name}: answered with something that is not JSON", hint=hint) from None


def _refuse_constant(text: str) -> None:
    raise ValueError(text)
