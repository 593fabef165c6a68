"""What a shell may complete. Fast, since somebody waits with a finger on the tab key; and nothing is ever raised."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from incident_ops.cli.opening import open_repository
from incident_ops.records.files import list_folder
from incident_ops.records.policy import load_services
from incident_ops.records.setting import SERVICES
from incident_ops.records.store import INCIDENTS


def complete_incident(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids that begin like what was typed, by the names of their folders; no record is read."""
    try:
        names = list_folder(_root(ctx), INCIDENTS)
    except Exception:  # a shell waits for completions, not for errors
        return []
    typed = incomplete.upper()
    return [
        CompletionItem(name) for name in names if name.startswith("INC-") and name.startswith((typed, f"INC-{typed}"))
    ]


def complete_service(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of services.yaml that begin like what was typed."""
    try:
        services = load_services((_root(ctx) / SERVICES).read_text(encoding="utf-8")).services
    except Exception:  # as above
        return []
    return [CompletionItem(name) for name in services or () if name.startswith(incomplete)]


def _root(ctx: click.Context) -> Path:
    return open_repository({"repo": ctx.find_root().params.get("repo"), "rev": None, "at": None}).root
