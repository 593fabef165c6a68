"""The triage questions as options and at a terminal: what `declare` and `triage` share."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Any

import click

from incident_ops.cli.terminal import prompt
from incident_ops.domain.incident import Triage
from incident_ops.domain.policy import Policy
from incident_ops.domain.triage import (
    DATA_RISKS,
    FEATURES,
    SLAS,
    SLOS,
    questions,
    triage_answers,
    users_answer,
)


def answer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the triage questions; what is not answered comes as None."""
    options = (
        click.option(
            "--users",
            "users_percent",
            metavar="SHARE",
            callback=_users_option,
            help="Share of users affected: all, >50, <10, or a number in percent.",
        ),
        click.option("--feature", type=click.Choice(FEATURES), help="What is broken."),
        click.option("--data-risk", type=click.Choice(DATA_RISKS), help="What may happen to data."),
        click.option("--slo", type=click.Choice(SLOS), help="Is a service level objective violated?"),
        click.option("--sla", type=click.Choice(SLAS), help="Is a violation of a service level agreement imminent?"),
        click.option("--revenue/--no-revenue", default=None, help="Is revenue lost?"),
        click.option("--reputation/--no-reputation", default=None, help="Is our reputation at risk?"),
        click.option("--ongoing/--over", default=None, help="Is it still happening?"),
        click.option("--category", metavar="WORD", help="Kind of symptom, e.g. database; the routing goes by it."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def answers_typed(said: Triage) -> str:
    """The same answers as options of a command."""
    yes_no = {"revenue": "--no-revenue", "reputation": "--no-reputation", "ongoing": "--over"}
    names = {"users_percent": "--users", "data_risk": "--data-risk"}
    words = []
    for name in said.__struct_fields__:
        value = getattr(said, name)
        if value is False:
            words.append(yes_no[name])
        elif value is not None:
            words += [names.get(name, f"--{name}"), *(() if value is True else (str(value),))]
    return shlex.join(words)


YES_NO = ("yes", "no")


def ask_triage(policy: Policy, known: Triage) -> Triage:
    """The questions at a terminal; an empty answer leaves what is known, or means that it is not known."""
    click.echo("How bad is it? An empty answer means: not known.", err=True)
    asked: dict[str, tuple[str, Sequence[str]]] = {
        "feature": ("What is broken", FEATURES),
        "data_risk": ("What may happen to data", DATA_RISKS),
        "slo": ("Service level objective", SLOS),
        "sla": ("Is a service level agreement about to be violated", YES_NO),
        "revenue": ("Is revenue lost", YES_NO),
        "reputation": ("Is our reputation at risk", YES_NO),
        "ongoing": ("Is it still happening", YES_NO),
    }
    given: dict[str, Any] = {}
    for name in questions(policy):
        before = getattr(known, name)
        if name == "users_percent":
            text = "Share of users affected (all, >50, <10, or a number in percent)"
            given[name] = _prompt(text, before, _share)
            continue
        question, words = asked[name]
        meant: dict[str, Any] = dict(zip(words, words, strict=True))
        if words is YES_NO:
            meant = {"yes": "imminent", "no": "ok"} if name == "sla" else {"yes": True, "no": False}
        default = next((word for word, value in meant.items() if value == before), None)
        said = _prompt(f"{question} ({', '.join(words)})", default, _one_of(words))
        given[name] = meant.get(said)
    return triage_answers(given)


def _prompt(question: str, before: Any, read: Callable[[str], Any]) -> Any:
    """An answer at a terminal; Enter repeats the one given before, which is shown."""
    default = "" if before is None else str(before)
    return prompt(question, default=default, show_default=bool(default), value_proc=read)


def _one_of(words: Sequence[str]) -> Callable[[str], str]:
    """Reads one of some words, or the beginning of one; an empty answer is one, too."""

    def read(text: str) -> str:
        said = text.strip().lower()
        fitting = [word for word in words if word == said] or [word for word in words if word.startswith(said)]
        if said and len(fitting) != 1:
            raise click.BadParameter(f"{text!r} is not one of {', '.join(words)}")
        return fitting[0] if said else ""

    return read


def _users_option(_ctx: click.Context, _param: click.Parameter, text: str | None) -> float | str | None:
    if text is not None and not text.strip():
        raise click.BadParameter("it is empty")
    return None if text is None else _share(text)


def _share(text: str) -> float | str | None:
    if not text.strip():
        return None
    try:
        return users_answer(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
