"""One HTTP request to a metric source, guarded: a gate file must not open doors inside a network.

https only; no redirects, no proxies, no stored passwords; the name is resolved once, every address it has is judged,
and the connection goes to the address that was judged, so that a name which changes its mind gains nothing. At most
10 s and 2 MiB. With `allow_private` also http and private addresses; those where clouds keep their credentials stay
refused.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from incident_ops.adapters.heard import never_left
from incident_ops.adapters.one_line import one_line
from incident_ops.adapters.within import within
from incident_ops.errors import Incomplete, UserError

LONGEST = 10.0
"""Seconds that one answer may take."""
MOST_BYTES = 2 * 1024 * 1024

_NAT64 = IPv6Network("64:ff9b::/96")
_CREDENTIALS = frozenset(map(ip_address, ("100.100.100.200", "168.63.129.16", "fd00:ec2::254")))
"""Where Alibaba Cloud, Azure and AWS answer their machines, beside the link-local 169.254.169.254."""
_PIECE = 64 * 1024

_HINTS = {401: "check its token", 403: "check its token", 429: "ask less often: lengthen the interval"}

Resolve = Callable[[str, int], list[str]]
"""(host, port) -> its addresses; OSError where there are none."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Place:
    """A metric source's address: `name` is the data source's, shown in place of `url`, which may be secret.

    `headers` hold the token; they go to this place and nowhere else. `authorities` is a file of certificates to trust,
    the system's where None.
    """

    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_private: bool = False
    seconds: float = LONGEST
    authorities: str | None = None
    resolve: Resolve = resolve

    def __post_init__(self) -> None:
        """UserError for an address that is not allowed to begin with."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
            raise UserError(f"data source {self.name} has no usable address", hint="https://HOST[:PORT][/PATH]")
        if parts.username is not None or parts.password is not None:
            raise UserError(f"data source {self.name} has a password in its address", hint="use token_env")
        if parts.scheme == "http" and not self.allow_private:
            hint = "use https; http is for a private network only, with allow_private: true in policy.yaml"
            raise UserError(f"data source {self.name} is reached over http", hint=hint)


class Answer(NamedTuple):
    """An answer: its status and its body, at most 2 MiB."""

    status: int
    body: bytes


def refusal(address: str, *, allow_private: bool) -> str:
    """Why an address is not connected to, "" where it is. What an IPv6 address wraps is judged, not the wrapping."""
    found = _unwrapped(ip_address(address.partition("%")[0]))
    if found.is_link_local:
        return "a link-local address"
    if found in _CREDENTIALS:
        return "an address of the cloud itself"
    if found.is_multicast or found.is_unspecified:
        return "no address of a server"
    if found.is_global or (allow_private and (found.is_private or found.is_loopback or not found.is_reserved)):
        return ""
    return "an address of this machine" if found.is_loopback else "a private address"


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def judged(place: Place, host: str, port: int) -> str:
    """The address to connect to. Incomplete where a host has none, or has one that is refused."""
    try:
        addresses = place.resolve(host, port)
    except (OSError, UnicodeError):
        addresses = []
    if not addresses:
        raise Incomplete(f"data source {place.name}: its host has no address", hint="check the address and the DNS")
    for address in addresses:
        if why := refusal(address, allow_private=place.allow_private):
            hint = "if it is meant to be there, set allow_private: true at the data source in policy.yaml"
            raise Incomplete(f"data source {place.name}: its host is {why}, which is refused", hint=hint)
    return addresses[0]


def ask(place: Place, method: str, path: str = "", **words: Any) -> Answer:
    """One request below a place; `words` are those of `requests`: params, data, json, headers.

    Incomplete with the reason where there is no whole answer in time; the status is not judged.
    """
    import requests

    try:
        return within(place.seconds, lambda: _exchange(place, method, path, words))
    except TimeoutError:
        raise Incomplete(f"data source {place.name}: no answer within {place.seconds:g} s") from None
    except requests.exceptions.SSLError as error:
        if not never_left(error):
            raise Incomplete(f"data source {place.name}: the connection broke") from None
        hint = "REQUESTS_CA_BUNDLE names a file of your own certificates"
        raise Incomplete(f"data source {place.name}: its certificate is not trusted", hint=hint) from None
    except requests.Timeout:
        raise Incomplete(f"data source {place.name}: no answer within {place.seconds:g} s") from None
    except requests.RequestException as error:
        raise Incomplete(f"data source {place.name}: {_broken(error)}") from None


def ask_json(place: Place, method: str, path: str = "", **words: Any) -> Any:
    """The JSON of an answer with a status of 200. Incomplete for any other status, and for what is no JSON."""
    answer = ask(place, method, path, **words)
    if answer.status != 200:
        raise refused(place, answer)
    return parsed(place, answer)


def refused(place: Place, answer: Answer, reason: str = "") -> Incomplete:
    """The error for a status that is not 200; `reason` is what the body says where its shape is known."""
    text = answer.body[:2000].decode("utf-8", "replace").strip()
    shown = reason or ("" if text.startswith("<") else one_line(text, 200))
    hint = _HINTS.get(answer.status, "redirects are not followed" if 300 <= answer.status < 400 else "")
    return Incomplete(f"data source {place.name}: answered {answer.status}{f', {shown}' if shown else ''}", hint=hint)


def parsed(place: Place, answer: Answer) -> Any:
    """The JSON of a body; NaN and the like, which are no JSON, are refused."""
    try:
        return json.loads(answer.body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        hint = "is it a sign-in page, or another service?"
        raise Incomplete(f"data source {place.name}: answered with something that is no JSON", hint=hint) from None


def _no_constant(text: str) -> None:
    raise ValueError(text)


def _broken(error: Exception) -> str:
    return "cannot be reached" if never_left(error) else "the connection broke"


def _exchange(place: Place, method: str, path: str, words: dict[str, Any]) -> Answer:
    import requests

    from incident_ops.adapters.metrics.pinned import PinnedAdapter

    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc: both would take the token elsewhere
        session.mount("https://", PinnedAdapter(lambda host, port: judged(place, host, port)))
        session.mount("http://", PinnedAdapter(lambda host, port: judged(place, host, port)))
        headers = {"User-Agent": "incident-ops", **words.pop("headers", {}), **place.headers}
        with session.request(
            method,
            place.url.rstrip("/") + path,
            headers=headers,
            timeout=place.seconds,
            allow_redirects=False,
            stream=True,
            verify=place.authorities or True,
            **words,
        ) as response:
            return Answer(response.status_code, _body(place, response))


def _body(place: Place, response: Any) -> bytes:
    body = b""
    for piece in response.iter_content(_PIECE):
        body += piece
        if len(body) > MOST_BYTES:
            hint = "aggregate in the query"
            raise Incomplete(f"data source {place.name}: the answer has more than 2 MiB", hint=hint)
    return body
