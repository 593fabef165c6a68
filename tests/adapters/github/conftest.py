"""The stand-in, started once for each process of the tests, and scripted servers; sockets only to this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.scripted_server import ScriptedServer, scripted_server
from tests.support.standin import Standin, standin

HERE = ["127.0.0.1", "::1", "localhost"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These tests may talk to this machine, and to nothing else."""
    for item in items:
        if __file__.rpartition("/")[0] in str(item.path):
            item.add_marker(pytest.mark.allow_hosts(HERE))


@pytest.fixture(scope="session")
def github() -> Iterator[Standin]:
    """A running stand-in for GitHub."""
    with standin() as running:
        yield running


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that answers what the test wrote down."""
    with scripted_server() as running:
        yield running
