"""A message: one notice on its way to one recipient over one channel."""

from __future__ import annotations

from typing import NamedTuple

INCIDENT_CHANNEL = "incident_channel"
"""The chat channel of an incident's own (policy notify.incident_channel); it needs a token, no address."""

ACKNOWLEDGED, RESOLVED = "acknowledged", "resolved"
"""Marks of the messages that take a page back."""


class Message(NamedTuple):
    """What a channel carries.

    `key` is the notice's, with no run id, no time of run, no policy digest; with `channel`, a name of the policy, it is
    what the ledger knows. `rank` is the level's (1 = worst), `recipient` a handle, a role or a channel's name. `text`
    is plain text of one or more lines. `held` says why it is not sent now; "" where it is.
    """

    key: str
    incident: str
    rank: int
    mark: str
    audience: str
    recipient: str
    channel: str
    subject: str
    text: str
    drill: bool = False
    restricted: bool = False
    held: str = ""


def taking_back(page: Message, mark: str) -> Message:
    """The message that acknowledges or resolves a page, under a key of its own; `mark` as above."""
    return page._replace(key=f"{page.key}#{mark}", mark=mark)


def page_key(notice: Message) -> str:
    """The key of the page that a message is about: its own, or that of the page it takes back."""
    return notice.key.removesuffix(f"#{notice.mark}") if notice.mark in (ACKNOWLEDGED, RESOLVED) else notice.key
