"""A real mail server on this machine that keeps what it was given, or refuses it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller


class MailSink:
    """`messages` as they came; `refusal` is an SMTP answer that is given instead of taking one."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.refusal = ""
        self.port = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """What aiosmtpd calls for each message."""
        if self.refusal:
            return self.refusal
        self.messages.append(message_from_bytes(envelope.content))
        return "250 taken"

    @property
    def url(self) -> str:
        """The address for a channel."""
        return f"mailto://127.0.0.1:{self.port}/?from=ops@example.invalid&to=team@example.invalid&mode=insecure"


@contextmanager
def mail_sink() -> Iterator[MailSink]:
    """Runs one on a free port until the block ends."""
    sink = MailSink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        sink.port = int(free.getsockname()[1])
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()
