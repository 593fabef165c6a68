"""What a shell may complete. Fast, since somebody waits with a finger on the tab key; and nothing is ever raised.

Printing that every command shares.

The triage questions as options, for every command that asks them.

The options of commands that look at a tracker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from incident_ops.app.workspace import open_repository
from incident_ops.domain.incident import Triage
from incident_ops.domain.record import Unread
from incident_ops.domain.tracker import GITHUB, LOCAL
from incident_ops.domain.triage import DATA_RISKS, FEATURES, SLOS
from incident_ops.records.policy import SERVICES, load_services
from incident_ops.records.store import INCIDENTS, list_folder
from incident_ops.render.findings import inert

if TYPE_CHECKING:
    from incident_ops.adapters.github.exchange import Request


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


format_option: Callable[[Any], Any] = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for scripts.",
)


def paint(text: str, colour: str) -> str:
    """Text in a colour; the terminal or --color decides later whether it is shown."""
    return click.style(text, fg=colour)


def inert_unread(unread: Sequence[Unread]) -> tuple[Unread, ...]:
    """Unread records as they may be shown on a terminal: a file's name can hold anything."""
    return tuple(Unread(inert(one.path), inert(one.reason)) for one in unread)


def finish(code: int) -> None:
    """Ends the command with an exit code."""
    if code:
        raise click.exceptions.Exit(code)


def force_color(ctx: click.Context) -> bool | None:
    """What --color says to a library that colours by itself: True, False, or None to let it look at the terminal."""
    return ctx.find_root().color


_OPTIONS = (
    click.option(
        "--users", "users_percent", type=click.FloatRange(0, 100), help="Share of users affected, in percent."
    ),
    click.option("--feature", type=click.Choice(FEATURES), help="What is broken."),
    click.option("--data-risk", type=click.Choice(DATA_RISKS), help="What may happen to data."),
    click.option("--slo", type=click.Choice(SLOS), help="Is a service level objective violated?"),
    click.option("--revenue/--no-revenue", default=None, help="Is revenue lost?"),
    click.option("--reputation/--no-reputation", default=None, help="Does it hurt the name?"),
    click.option("--ongoing/--over", default=None, help="Is it still happening?"),
)


def answer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the triage questions; what is not answered comes as None."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def answered(given: dict[str, Any]) -> Triage:
    """The options' values as answers; a whole share of users is a whole number."""
    share = given.get("users_percent")
    if isinstance(share, float) and share.is_integer():
        given = {**given, "users_percent": int(share)}
    return Triage(**given)


def ask_triage() -> Triage:
    """The questions at a terminal; an empty answer means that it is not known."""
    click.echo("How bad is it? An empty answer means: not known.", err=True)
    share = click.prompt(
        "Share of users affected, in percent", default="", show_default=False, value_proc=_share, err=True
    )
    given: dict[str, Any] = {"users_percent": share}
    for name, question, words in (
        ("feature", "What is broken", FEATURES),
        ("data_risk", "What may happen to data", DATA_RISKS),
        ("slo", "Service level objective", SLOS),
    ):
        choice = click.Choice(("", *words))
        told = f"{question} ({', '.join(words)})"
        given[name] = (
            click.prompt(told, default="", show_default=False, show_choices=False, type=choice, err=True) or None
        )
    return answered(given)


def _share(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        share = float(text.strip().removesuffix("%"))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no number") from error
    if not 0 <= share <= 100:
        raise click.BadParameter("a share is 0 to 100 percent")
    return share


tracker_option: Callable[[Any], Any] = click.option(
    "--tracker",
    type=click.Choice([LOCAL, GITHUB]),
    help="The tracker embedded in this clone, or the repository's issues. Default: github inside Actions, else local.",
)
observed_option: Callable[[Any], Any] = click.option(
    "--observed",
    metavar="FILE",
    help="Plan against a tracker as --save-observed wrote it down, without asking the tracker.",
)
save_observed_option: Callable[[Any], Any] = click.option(
    "--save-observed", metavar="FILE", help="Write down what the tracker holds, for --observed."
)
recreate_option: Callable[[Any], Any] = click.option(
    "--recreate",
    metavar="KEY",
    multiple=True,
    help="Open a new issue in place of one that was deleted or moved away, e.g. INC-1/AI-2.",
)
requests_option: Callable[[Any], Any] = click.option(
    "--show-requests", is_flag=True, help="Print each request to the tracker, and their number, on the error stream."
)
no_notify_option: Callable[[Any], Any] = click.option(
    "--no-notify", is_flag=True, help="Leave the notices to another run; edits and issues go on."
)
max_requests_option: Callable[[Any], Any] = click.option(
    "--max-requests", type=click.IntRange(min=1), metavar="N", help="Send at most so many requests in this run."
)


def print_request(request: Request) -> None:
    """Prints a request to the tracker on the error stream."""
    click.echo(f"{request.method} {request.path} {request.status} {request.seconds:.2f}s", err=True)
