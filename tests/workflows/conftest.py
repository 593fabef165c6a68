"""What the tests of whole workflows share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workflows.act import Machine, machine


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine that runs whole workflows, started once for each process of the tests."""
    with machine(tmp_path_factory.mktemp("machine")) as running:
        yield running
