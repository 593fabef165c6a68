"""Notices as comments on the tracking issue: one comment a notice, found again by its topic, never written twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

from incident_ops.domain.notification import Message
from incident_ops.domain.ports import IssueTracker
from incident_ops.errors import WriteFailed

_MARK_LENGTH = 16


class IssueComment:
    """The tracking issues, by incident; `inert` makes a record's text harmless in Markdown."""

    def __init__(self, tracker: IssueTracker, numbers: Mapping[str, int], inert: Callable[[str], str]) -> None:
        self._tracker, self._numbers, self._inert = tracker, numbers, inert

    def send(self, message: Message) -> None:
        """Writes the comment; see `ports.Notifier`. WriteFailed while the incident has no issue yet."""
        number = self._numbers.get(message.incident)
        if number is None:
            told = f"channel {message.channel}: {message.incident} has no tracking issue yet"
            raise WriteFailed(told, hint="`incident-ops apply` makes it; the next run writes the comment")
        topic = f"notice-{sha256(message.key.encode()).hexdigest()[:_MARK_LENGTH]}"
        self._tracker.comment(number, topic, f"**{self._inert(message.subject)}**\n\n{self._inert(message.text)}")
