"""The attestations that GitHub keeps of a file, by its digest."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from incident_ops.adapters.github.connect import client_of, repository_on_github
from incident_ops.adapters.github.responses import check, refused
from incident_ops.errors import Incomplete

_FEW_REQUESTS = 8


class _Attested(msgspec.Struct, frozen=True):
    bundle: dict[str, Any] | None = None


class _Attestations(msgspec.Struct, frozen=True):
    attestations: list[_Attested] = []


def bundles_of(
    environment: Mapping[str, str], home: str, digest: str, sleep: Callable[[float], None] = time.sleep
) -> list[dict[str, Any]] | None:
    """The bundles that the repository at the address `home` has of a sha256; none where GitHub knows none.

    None where `home` is not on the GitHub that the environment speaks to. Incomplete where no answer comes.
    """
    name = repository_on_github(environment, home)
    if not name:
        return None
    client = client_of({**environment, "GITHUB_REPOSITORY": name}, home, _FEW_REQUESTS, sleep)
    doing = f"asking {name} who built the wheel"
    answer = client.ask("GET", f"/attestations/sha256:{digest}")
    if answer.status == 404:
        return []
    if answer.status >= 300:
        raise refused(answer, Incomplete, doing, name)
    found = check(answer.data, _Attestations, doing).attestations
    return [one.bundle for one in found if one.bundle is not None]
