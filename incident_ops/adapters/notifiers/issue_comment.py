"""Notices as comments on the tracking issue: one comment a notice, found again by its topic, never written twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

from incident_ops.adapters.notifiers import NotifierSettings
from incident_ops.domain.notification import Message
from incident_ops.domain.ports import IssueTracker
from incident_ops.errors import Incomplete, WriteFailed

TICKET = "ticket"
CHANNELS, TAKES_BACK, ESCAPES = (TICKET,), False, True

_MARK_LENGTH = 16


def connect(settings: NotifierSettings) -> IssueComment:
    """Comments of the tracker's repository."""
    return IssueComment(settings.tracker(), settings.issues, settings.inert)


class IssueComment:
    """The tracking issues, by incident; `inert` makes a record's text harmless in Markdown."""

    def __init__(self, tracker: IssueTracker, numbers: Mapping[str, int], inert: Callable[[str], str]) -> None:
        self._tracker, self._numbers, self._inert = tracker, numbers, inert

    def send(self, message: Message) -> None:
        """Writes the comment; see `domain.ports.Notifier`. WriteFailed while the incident has no issue yet."""
        number = self._numbers.get(message.incident)
        if number is None:
            problem = f"channel {message.channel}: {message.incident} has no tracking issue yet"
            raise WriteFailed(problem, hint="`incident-ops apply` makes it; the next run writes the comment")
        topic = f"notice-{sha256(message.key.encode()).hexdigest()[:_MARK_LENGTH]}"
        try:
            self._tracker.comment(number, topic, self._said(message))
        except Incomplete as error:  # it is looked for before it is written
            problem = f"channel {message.channel}: the comments of issue #{number} cannot be read"
            raise WriteFailed(problem, hint=error.hint) from error

    def _said(self, message: Message) -> str:
        """What the issue does not say itself: its title and level stand above it. A notice by hand keeps its subject,
        which alone says what it is."""
        first, *lines = message.text.splitlines() or [message.subject]
        drill = "[DRILL] " if message.drill else ""
        if not message.obligation:
            first, lines, drill = message.subject, message.text.splitlines(), ""
        rest = self._inert("\n".join(lines))
        return f"**{self._inert(drill + first)}**" + (f"\n\n{rest}" if rest else "")
