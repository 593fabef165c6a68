"""Commands typed at a terminal: what waits for an answer that nobody gives fails, and hangs no run of the tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.cli.scene import AT
from tests.support import typing


@pytest.mark.slow
def test_a_question_that_nobody_answers_fails_with_what_was_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that asks is ended with it."""
    ask = "import os, pathlib; pathlib.Path('asking').write_text(str(os.getpid())); input('What broke? ')"
    monkeypatch.setattr(typing, "command", lambda *_, **__: [sys.executable, "-S", "-c", ask])
    with pytest.raises(AssertionError, match=r"What broke\? "):
        typing.at_terminal(tmp_path, "declare", clock=AT, seconds=5)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "asking").read_text(encoding="utf-8")), 0)
