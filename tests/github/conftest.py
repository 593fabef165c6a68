"""The stand-in and the gate: these tests may open sockets to this machine, and all they send is checked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.github.faulty import Proxy, faulty
from tests.github.gate import Gate, gated
from tests.support.standin import Standin


@pytest.fixture
def proxy(github: Standin) -> Iterator[Proxy]:
    """A proxy in front of it."""
    with faulty(github.url) as made:
        yield made


@pytest.fixture
def gate() -> Iterator[Gate]:
    """All requests of the test are checked against GitHub's description; a bad one fails the test at its end."""
    with gated(Gate()) as made:
        yield made
    made.must_be_clean()
