"""The triage questions as options, for every command that asks them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from incident_ops.model.incident import Triage
from incident_ops.triage import DATA_RISKS, FEATURES, SLOS

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
