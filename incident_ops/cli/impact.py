"""`incident-ops impact`: the effect on users, the business and services."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from incident_ops.app.edit_record import RecordChange, check_services, clean
from incident_ops.app.which_incident import is_any
from incident_ops.app.workspace import Workspace, moment
from incident_ops.cli.options import (
    edits_record,
    incident_argument,
    past_span,
    past_time,
    pick_incident,
    to_be_asked_about,
)
from incident_ops.cli.terminal import prompt_text
from incident_ops.domain.impact import DEGREES, affected_users, count_answer, money_answer, percent_answer, spell_users
from incident_ops.domain.incident import Amount, Incident
from incident_ops.domain.time import UNKNOWN
from incident_ops.edits.impact import NOT_HURT, ImpactFacts, ServiceTime, write_impact
from incident_ops.errors import UserError
from incident_ops.render.findings import inert

_COUNT, _PERCENT, _USERS, _MONEY = "5000 or unknown", "60%, or unknown", "5000, 60%, unknown", "2500 USD, or unknown"
_TIME = "api:major:12:05..12:30"


@click.command()
@incident_argument
@click.option("--started", metavar="WHEN", help="When it began: 10m (ago), 02:56, an instant, or unknown.")
@click.option("--summary", metavar="TEXT", help="The impact in a sentence or two.")
@click.option("--users", metavar="N|N%", multiple=True, help="Users affected: 5000, 60%, or both; or unknown.")
@click.option("--failed-requests", metavar="N", help="Requests that failed.")
@click.option("--revenue", metavar="SUM", help='Revenue lost, e.g. "2500 USD".')
@click.option("--per-minute", metavar="SUM", help="Revenue lost per minute.")
@click.option("--data-loss", metavar="TEXT", help="What data was lost: none, unknown, or what.")
@click.option("--support-tickets", metavar="N", help="Support tickets opened.")
@click.option("--support-tickets-increase", metavar="N%", help="How many more there were than usual.")
@click.option("--qualitative", metavar="TEXT", multiple=True, help="Trust, press, social media; -TEXT takes one away.")
@click.option("--budget-minutes", metavar="N", help="Minutes of error budget used, where they are reported.")
@click.option(
    "--service",
    "times",
    metavar="NAME:DEGREE[:FROM..TO]",
    multiple=True,
    help=f"How badly a service was hurt ({', '.join(DEGREES)}), and when. FROM.. goes on; without times it begins now.",
)
@click.option("--end-service", "ended", metavar="NAME WHEN", nargs=2, multiple=True, help="A service has recovered.")
@edits_record
def impact(workspace: Workspace, incident: str | None, **said: Any) -> RecordChange:
    """Write down the impact: users, requests, revenue, data, services.

    What is left out stays as it is; `unknown` is an answer. A service may
    have several times, each with its own degree. The same beginning again
    changes that time; NAME:none takes all times of a service away. TO as a
    time of day is the first one after FROM.

    At a terminal, without options, it asks for what is not known yet.

    \b
    Examples:
      incident-ops impact --users 5000 --users 60% --data-loss none
      incident-ops impact --revenue "2500 USD" --failed-requests unknown
      incident-ops impact --service api:major:12:05..12:20 --service web:partial
      incident-ops impact 120500 --end-service web 12:40
    """
    check_services(workspace, (name for name, *_ in (one.split(":") for one in said["times"])))
    incident = pick_incident(workspace, incident, is_any)
    if not any(said.values()):
        said = _asked(workspace, incident, said)
    facts = _facts(workspace, said)
    return incident, lambda current: write_impact(current, workspace.now, facts)


def _facts(workspace: Workspace, said: dict[str, Any]) -> ImpactFacts:
    return ImpactFacts(
        started=past_time(workspace, said["started"], "--started", may_be_unknown=True),
        summary=clean(said["summary"]),
        users=_users(said["users"]),
        failed_requests=_read("--failed-requests", said["failed_requests"], count_answer, _COUNT),
        revenue=_revenue(said["revenue"], said["per_minute"]),
        data_loss=said["data_loss"],
        support_tickets=_read("--support-tickets", said["support_tickets"], count_answer, _COUNT),
        support_tickets_increase_percent=_read(
            "--support-tickets-increase", said["support_tickets_increase"], percent_answer, _PERCENT
        ),
        qualitative=said["qualitative"],
        budget_minutes=_read("--budget-minutes", said["budget_minutes"], percent_answer, _COUNT),
        times=[_time(workspace, text) for text in said["times"]],
        ended=[(name, past_time(workspace, at, "--end-service") or "") for name, at in said["ended"]],
    )


def _read(option: str, text: str | None, read: Callable[[str], Any], examples: str) -> Any:
    """An answer, None where there is none. UserError with examples where it cannot be read."""
    if text is None:
        return None
    try:
        return read(text)
    except ValueError:
        raise UserError(f"{option} {inert(text)!r} cannot be read", hint=examples) from None


def _users(texts: Sequence[str]) -> dict[str, Amount]:
    found: dict[str, Amount] = {}
    for text in texts:
        name = "percent" if text.rstrip().endswith("%") else "count"
        if name in found:
            raise UserError(f"--users gives the {name} twice", hint="a number and a share: --users 5000 --users 60%")
        found[name] = _read("--users", text, percent_answer if name == "percent" else count_answer, _USERS)
        if name == "percent" and isinstance(found[name], int | float) and found[name] > 100:  # type: ignore[operator]
            raise UserError(f"--users {inert(text)!r} is more than all", hint=_USERS)
    return found


def _revenue(amount: str | None, per_minute: str | None) -> dict[str, Amount]:
    found: dict[str, Amount] = {}
    for option, name, text in (("--revenue", "amount", amount), ("--per-minute", "per_minute", per_minute)):
        if text is not None:
            found[name], currency = _read(option, text, money_answer, _MONEY)
            found |= {"currency": currency} if currency else {}
    return found


def _time(workspace: Workspace, text: str) -> ServiceTime:
    name, _, rest = text.partition(":")
    degree, _, span = rest.partition(":")
    if not name or not degree:
        raise UserError(f"--service {inert(text)!r} names no degree", hint=_TIME)
    if degree not in (*DEGREES, NOT_HURT):
        hint = f"one of {', '.join(DEGREES)}; or {NOT_HURT}"
        raise UserError(f"--service {inert(text)!r}: {inert(degree)!r} is not a degree", hint=hint)
    if not span:
        return ServiceTime(name, degree)
    return ServiceTime(name, degree, *past_span(workspace, span, "--service", _TIME))


def _asked(workspace: Workspace, incident: str, said: dict[str, Any]) -> dict[str, Any]:
    """Asks at a terminal for what is not known; an empty answer leaves it so. UserError elsewhere."""
    example = "e.g. --users 5000 --users 60% --data-loss none; see `incident-ops impact --help`"
    current = to_be_asked_about(workspace, incident, example)
    checks: dict[str, Callable[[str], object]] = {
        "started": lambda text: moment(text, workspace.now, "the answer", may_be_unknown=True),
        "users": lambda text: _users((text,)),
        "failed_requests": lambda text: _read("--failed-requests", text, count_answer, _COUNT),
        "revenue": lambda text: _revenue(text, None),
    }
    questions = _open_questions(current).items()
    answers = {name: prompt_text(question, checks.get(name, str)) for name, question in questions}
    given = {name: text for name, text in answers.items() if text}
    return {**said, **given, "users": (given["users"],) if "users" in given else ()}


def _open_questions(incident: Incident) -> dict[str, str]:
    known = incident.impact
    questions = {
        "started": ("When did it begin (10m, 02:56, unknown)?", incident.times.started is None),
        "users": (f"Users affected ({_USERS})?", spell_users(affected_users(incident)) == UNKNOWN),
        "failed_requests": (f"Requests that failed ({_COUNT})?", known.failed_requests is None),
        "revenue": (f"Revenue lost ({_MONEY})?", known.revenue in (None, UNKNOWN)),
        "data_loss": ("Data lost (none, unknown, or what)?", known.data_loss is None),
    }
    return {name: question for name, (question, is_open) in questions.items() if is_open}
