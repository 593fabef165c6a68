"""A process: one run that sends the notices of a test through the ledger of a clone, and may be killed at a call.

    python -m tests.support.ledger_client CLONE SINK INSTANT CALL

It prints `ready`, waits for a line, and sends by appending to the file SINK. In the end it prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from incident_ops.adapters.git import Git
from incident_ops.adapters.git_branches import LedgerRef
from incident_ops.adapters.git_remote import Remote
from incident_ops.domain.notification import Message
from incident_ops.domain.time import parse_instant
from incident_ops.errors import IncidentOpsError
from incident_ops.notifications.deliver import deliver
from incident_ops.notifications.plan import plan_deliveries
from tests.support.killing import kill_with_children, signal_at

URGENT = ("urgent-1", "urgent-2")
WAITING = ("waiting-1", "waiting-2", "waiting-3", "waiting-4")
CHANNEL = "chat"


def notices() -> list[Message]:
    """Two that go out even where the ledger refuses, and four that wait for it."""
    ranks = dict.fromkeys(URGENT, 1) | dict.fromkeys(WAITING, 3)
    return [
        Message(f"INC-1/response/{rank}/{name}/x/internal", "INC-1", rank, name, "internal", "x", CHANNEL, name, "text")
        for name, rank in ranks.items()
    ]


class FileSink:
    """Takes notices as lines of a file, each written in one step."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def send(self, message: Message) -> None:
        """One more line."""
        os.write(self.file, f"{message.mark}\n".encode())


def main() -> None:
    """One run."""
    clone, path, instant, call = sys.argv[1:]
    now, sink = parse_instant(instant), FileSink(path)
    git = Git.around(Path(clone))
    assert git is not None
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    calls = signal_at(int(call), end=kill_with_children)
    try:
        ledger = LedgerRef(Remote.of(git))
        _, refused = deliver(plan_deliveries(notices(), ledger.read(), now), ledger, lambda _: sink, lambda: now)
    except IncidentOpsError as error:
        refused = error
    sys.setprofile(None)
    sys.stdout.write(json.dumps({"calls": calls.made, "refused": refused and str(refused)}) + "\n")


if __name__ == "__main__":
    main()
