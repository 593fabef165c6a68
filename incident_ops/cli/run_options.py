"""What every command takes that makes a whole run: `run` and `sla run`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from incident_ops.cli.options import max_requests_option, requests_option, run_format_option
from incident_ops.domain.tracker import GITHUB, LOCAL


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command --tracker, --dry-run, the limit and the log of requests, and the forms of a run."""
    tracker = click.option(
        "--tracker",
        type=click.Choice([GITHUB, LOCAL]),
        default=GITHUB,
        show_default=True,
        help="The repository's issues; with `local` notices are recorded and not sent.",
    )
    dry_run = click.option("--dry-run", is_flag=True, help="Show what this run would do, and do nothing.")
    for option in (run_format_option, requests_option, max_requests_option, dry_run, tracker):
        command = option(command)
    return command
