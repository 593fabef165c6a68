"""AWS Signature Version 4 of one JSON request, from its published steps."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What AWS gives out; `session` is "" for keys that do not expire."""

    key_id: str
    secret: str = field(repr=False)
    session: str = field(default="", repr=False)


def signed(
    who: Credentials, region: str, service: str, host: str, body: bytes, headers: Mapping[str, str], at: datetime
) -> dict[str, str]:
    """All headers of a POST to `/` of a host, the signature among them. `headers` are those of the request itself."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    named = {name.lower(): value.strip() for name, value in headers.items()} | {"host": host, "x-amz-date": stamp}
    if who.session:
        named["x-amz-security-token"] = who.session
    names = ";".join(sorted(named))
    lines = "".join(f"{name}:{named[name]}\n" for name in sorted(named))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(_key(who.secret, stamp[:8], region, service), text.encode(), hashlib.sha256).hexdigest()
    told = f"{_ALGORITHM} Credential={who.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**named, "authorization": told}


def _key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
