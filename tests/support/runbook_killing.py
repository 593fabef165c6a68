"""A process that carries out the runbook of `api` for INC-1, says yes to each step, and kills itself at a chosen call.

    python -m tests.support.runbook_killing CALL FOLDER

CALL counts every call of a function from the beginning of the run; 0 is never. Without a kill it prints how many there
were.
"""

from __future__ import annotations

import sys
from pathlib import Path

from incident_ops.app.runbook_run import GO, execute_runbook
from incident_ops.app.runbooks import FoundRunbook, find_runbook
from incident_ops.app.workspace import open_workspace
from tests.support.killing import signal_at


class Yes:
    """Somebody who says yes."""

    def ask(self, *_asked: object) -> str:
        """Always."""
        return GO

    def show(self, _piece: bytes) -> None:
        """Looks away."""

    def ended(self, *_step: object) -> None:
        """Says nothing."""

    def unrecorded(self, *_step: object, **_how: object) -> None:
        """Says nothing."""


def main() -> None:
    """Carries it out."""
    workspace = open_workspace({"repo": sys.argv[2], "rev": None, "at": None})
    found = find_runbook(workspace, "api")
    assert isinstance(found, FoundRunbook)
    calls = signal_at(int(sys.argv[1]))
    run = execute_runbook(workspace, found, "INC-1", "@alice", Yes())
    sys.setprofile(None)
    assert run.step is None, run
    sys.stdout.write(str(calls.made))


if __name__ == "__main__":
    assert Path(sys.argv[2]).is_dir()
    main()
