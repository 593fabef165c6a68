"""What a test of a notifier shows to the conformance test: the notifier in front of a server on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from incident_ops.adapters.notifiers import NotifierSettings
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import Message
from incident_ops.domain.policy import Service
from incident_ops.domain.ports import IssueTracker, Notifier
from tests.reconcile.builders import record
from tests.support.http_sink import HttpSink

TAKES, REFUSES, HANGS, BREAKS_OFF, GONE = "takes", "refuses", "hangs", "breaks off", "gone"
"""What the server answers to the message: yes, no, nothing in time, nothing as the line drops; or there is none."""

MESSAGE = Message(
    key="INC-1/response/1/breached/@alice/internal",
    incident="INC-1",
    rank=1,
    mark="breached",
    audience="internal",
    recipient="@alice",
    channel="chat",
    subject="[SEV0] INC-1: Login fails",
    text="Response was due 12:20.\nAcknowledge: incident-ops ack",
)


class Scene(NamedTuple):
    """A notifier that waits 1 s at most, the message it is given, and the secret that nobody may be shown.

    `arrived` counts the messages that reached the server, `settings` are those that make such a notifier.
    """

    notifier: Notifier
    message: Message
    secret: str
    arrived: Callable[[], int]
    settings: NotifierSettings


def settings(channel: str, environment: Mapping[str, str] | None = None, **changes: Any) -> NotifierSettings:
    """Settings for one incident, INC-1 of the service `auth`, with nothing set up but what is given."""
    fields: dict[str, Any] = {
        "channel": channel,
        "environment": environment or {},
        "incidents": [record(1).incident],
        "services": {"auth": Service(owner="team")},
        "room": _room,
        "tracker": _no_tracker,
        "issues": {},
        "inert": str,
    }
    return NotifierSettings(**{**fields, **changes})


def prepare(sink: HttpSink, behaviour: str, *before: tuple[int, str], taken: tuple[int, str] = (200, "{}")) -> str:
    """Lets the sink answer `before`, then the message's request as the behaviour says -> the address to use."""
    ends = {TAKES: taken, REFUSES: (400, "{}"), BREAKS_OFF: None}
    if behaviour in ends:
        sink.script = [*before, ends[behaviour]]
    if behaviour == GONE:
        return "http://127.0.0.1:1"
    return f"{sink.url}/hang" if behaviour == HANGS else sink.url


def _room(incident: Incident) -> str:
    return f"#incident-{incident.id}"


def _no_tracker() -> IssueTracker:
    raise AssertionError("no tracker was asked for")
