"""Where a remote is, and what opens it: the secret travels in git's environment, never in an address or an argument."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from incident_ops.errors import UserError

PROTOCOLS = ("https", "ssh", "file")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|::)")


class Address(NamedTuple):
    """An address without a secret in it, and the value of the `Authorization` header for it ("" without one)."""

    url: str
    authorization: str


def address(configured: str, token: str, server: str, remote: str) -> Address:
    """The address git has for a remote -> one that may be shown.

    A token is for `server` alone (the address of the GitHub that issued it) and goes nowhere else; what the address
    itself holds before an `@` is used where there is no token. UserError for any protocol but https, ssh and file.
    """
    scheme = found[1].casefold() if (found := _SCHEME.match(configured)) else ""
    if scheme and scheme not in PROTOCOLS:
        hint = f"git remote set-url {remote} <an address with https, ssh or file>"
        raise UserError(f"remote {remote!r} is reached over {scheme}, which is not used here", hint=hint)
    if scheme != "https":
        return Address(configured, "")
    parts = urlsplit(configured)
    user, _, place = parts.netloc.rpartition("@")
    url = parts._replace(netloc=place).geturl()
    if token and place.casefold() == urlsplit(server).netloc.casefold():
        return Address(url, _basic(f"x-access-token:{token}"))
    return Address(url, _basic(unquote(user)) if user else "")


def _basic(pair: str) -> str:
    return f"Basic {b64encode(pair.encode()).decode()}"
