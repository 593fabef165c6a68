"""Who stands behind a release: in a workflow the actor, whom nobody can put in for another; else as the options say."""

from __future__ import annotations

import os

from incident_ops.adapters.person import ACTOR, whoever
from incident_ops.cli.opening import Opened


def actor_of(opened: Opened, given: str | None) -> str | None:
    """`GITHUB_ACTOR` as a handle, else `--by`, else whoever sits here."""
    actor = os.environ.get(ACTOR)
    if actor:
        return f"@{actor.removesuffix('[bot]')}"
    return given if given is not None else whoever(opened.root)
