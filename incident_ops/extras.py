"""The extras of the package: what a plain install leaves out, and the one place that says so.

Records, `validate`, the record commands, `sla`, `plan` on the embedded tracker and a plain `gate check` need none. The
packages of an extra are imported inside functions only, behind `demand`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from incident_ops.errors import UserError

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "github": ("github", "requests"),
    "notify": ("apprise", "slack_sdk", "requests"),
    "metrics": ("requests",),
    "terminal": ("rich",),
    "calendars": ("holidays", "icalendar", "dateutil"),
    "aws": ("botocore", "requests"),
    "google": ("google.auth", "requests"),
    "attestation": ("sigstore",),
}
"""Extra -> the modules that tell whether it is installed."""


def is_installed(extra: str, *modules: str) -> bool:
    """True where an extra is there, or as much of it as `modules` name."""
    return all(_is_there(module) for module in modules or EXTRAS[extra])


def demand(extra: str, what: str, *modules: str, hint: str = "") -> None:
    """UserError with the command that installs it where an extra is not there; `what` says what needs it.

    `modules` as above; `hint` stands behind the command.
    """
    if not is_installed(extra, *modules):
        command = f"pip install 'incident-ops[{extra}]'"
        problem = f"{what} needs the extra {extra}, which is not installed"
        raise UserError(problem, hint=f"{command}; {hint}" if hint else command)


def demand_zones() -> None:
    """UserError where there are no time zones: Linux and macOS have them, and elsewhere they come with `tzdata`."""
    try:
        ZoneInfo("UTC")
    except ZoneInfoNotFoundError as error:
        problem = "this machine has no time zones, and without them nothing here knows when anything is due"
        raise UserError(problem, hint="install the package tzdata of the system, or: pip install tzdata") from error


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # the package around it is not there, or half of it
        return False
