"""One request and what came back, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from incident_ops.adapters.one_line import one_line

UNSENT, TIMEOUT, DROPPED, GARBLED = "unsent", "timeout", "dropped", "garbled"


class Request(NamedTuple):
    """A line of the request log: never a header, never a body. `status` is 0 where no answer came."""

    method: str
    path: str
    status: int
    seconds: float


class Answer(NamedTuple):
    """An answer as it came: header names in lower case, `data` the JSON of its body (None without a body)."""

    status: int
    headers: Mapping[str, str]
    data: object

    @property
    def message(self) -> str:
        """What GitHub says about a refusal, one printable line; "" where it says nothing."""
        said = self.data.get("message") if isinstance(self.data, dict) else None
        return one_line(said) if isinstance(said, str) else ""

    @property
    def is_redirect(self) -> bool:
        """True where the answer names another address to ask."""
        return self.status in (301, 302, 307, 308) and "location" in self.headers


class Lost(NamedTuple):
    """No answer that can be read: `kind` is UNSENT (never left this machine), TIMEOUT, DROPPED or GARBLED."""

    kind: str
    told: str
