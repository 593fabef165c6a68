"""Two versions of GitHub's API: what is sent and read is the same in both (docs/reliability.md)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters.github import client
from tests.github.command import Stage
from tests.github.faulty import Proxy
from tests.github.gate import KEPT, VERSIONS, changes
from tests.support.standin import Standin

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])


def taken_out(patch: dict[str, Any], *, of_fields: bool = False) -> Iterator[str]:
    """The fields of answers that a change takes out."""
    for name, value in patch.items():
        if of_fields and value is None:
            yield name
        elif isinstance(value, dict) and name != "requestBody":
            yield from taken_out(value, of_fields=name == "properties")


def gone() -> frozenset[str]:
    """The fields of answers that the newer version has no more."""
    kept = json.loads(gzip.decompress(KEPT.read_bytes()))
    found = [change for _, change in changes(kept)]
    assert {change["version"] for change in found} == {VERSIONS[1]}
    merged = [change["patch"] for change in found if isinstance(change["patch"], dict)]
    return frozenset(name for patch in merged for name in taken_out(patch))


@pytest.mark.slow
def test_a_field_that_the_newer_version_takes_out_is_never_read(
    github: Standin, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole runs under the newer version, whose answers lack those fields, end like all others."""
    proxy.left_out = gone()
    assert {"assignee", "merge_commit_sha", "has_downloads", "rate"} <= proxy.left_out
    monkeypatch.setattr(client, "_API_VERSION", VERSIONS[1])
    stage = Stage(github, proxy, tmp_path, "later")
    stage.settle()
    assert not (faults := stage.broken_laws()), faults


def test_the_version_that_is_asked_for_is_one_of_both() -> None:
    assert client._API_VERSION in VERSIONS
