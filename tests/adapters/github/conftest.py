"""Scripted servers; sockets only to this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.github.gate import Gate, gated
from tests.support.scripted_server import ScriptedServer, scripted_server

HERE = ["127.0.0.1", "::1", "localhost"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These tests may talk to this machine, and to nothing else."""
    for item in items:
        if __file__.rpartition("/")[0] in str(item.path):
            item.add_marker(pytest.mark.allow_hosts(HERE))


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that answers what the test wrote down; requests to it must be as GitHub describes them."""
    # answers are not looked at: they are short, or wrong on purpose
    with scripted_server() as running, gated(Gate(), running.url, answers=False) as gate:
        yield running
    gate.must_be_clean()
