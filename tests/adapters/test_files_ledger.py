"""The ledger of a clone: the same lines as on the branch, two runs at once, and a file that is damaged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incident_ops.adapters.files import LedgerFile
from incident_ops.domain.notification import pair, serialise
from incident_ops.errors import Incomplete

NOW = datetime(2025, 1, 26, 14, tzinfo=UTC)
ONE, TWO = pair("one", "chat"), pair("two", "pager")


def test_what_is_confirmed_is_there_next_time(tmp_path: Path) -> None:
    """No file is made by reading; a claim is somebody's, and a confirmed line stays."""
    path = tmp_path / "state" / "ledger"
    ledger = LedgerFile(path)
    assert ledger.read() == {}
    assert not path.exists()
    assert ledger.claim([ONE], NOW) == {ONE}
    assert LedgerFile(path).claim([ONE, TWO], NOW) == {TWO}
    assert LedgerFile(path).claim([ONE], NOW + timedelta(hours=1), timedelta(minutes=5)) == {ONE}
    ledger.confirm([ONE], NOW)
    assert ledger.read()[ONE].confirmed == "2025-01-26T14:00:00Z"
    assert path.read_bytes() == serialise(ledger.read())


def test_runs_at_once_lose_nothing(tmp_path: Path) -> None:
    """Twenty writers, twenty lines."""
    pairs = [pair(f"key-{number}", "chat") for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: LedgerFile(tmp_path / "ledger").confirm([one], NOW), pairs))
    assert set(LedgerFile(tmp_path / "ledger").read()) == set(pairs)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """It is not taken for an empty one."""
    (tmp_path / "ledger").write_text("nonsense\n")
    with pytest.raises(Incomplete, match="line 1"):
        LedgerFile(tmp_path / "ledger").read()
