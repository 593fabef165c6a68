"""`incident-ops sla report` and `incident-ops sla backtest`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import click

from incident_ops.app.workspace import Opened, day, no_records, read_text_file, served, with_repository
from incident_ops.cli.options import finish, format_option, inert_unread
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.time import shift
from incident_ops.errors import UserError

REPORT_AXES = ("level", "service", "month")
FAIL_ON_MISSED, FAIL_ON_GOAL = "missed", "goal"


@click.command()
@click.option("--since", metavar="DATE", help="Declared on this day (UTC) or instant, or later.")
@click.option("--until", metavar="DATE", help="Declared before this day (UTC) or instant.")
@click.option(
    "--by",
    type=click.Choice(REPORT_AXES),
    default=REPORT_AXES[0],
    show_default=True,
    help="What the figures are split by.",
)
@click.option(
    "--fail-on",
    type=click.Choice([FAIL_ON_MISSED, FAIL_ON_GOAL]),
    help="End with 1 when a clock, or a goal, was missed.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for scripts, Markdown for a summary.",
)
@with_repository
def report(opened: Opened, since: str | None, until: str | None, by: str, fail_on: str | None, form: str) -> None:
    """Report how often each clock was met: in total, and by level, service or month.

    An incident belongs to the day it was declared. What does not count is
    counted apart, with the reason: drills, duplicates, what is still running.

    \b
    Examples:
      incident-ops sla report --since 2025-01-01 --until 2025-02-01
      incident-ops sla report --by service --format markdown
      incident-ops sla report --fail-on goal
    """
    from incident_ops.render.sla_report import to_json, to_markdown, to_text
    from incident_ops.sla.compliance import Period, compliance

    policy, _ = opened.judged_by
    period = Period(day(since, "--since"), day(until, "--until"))
    if period.since and period.until and period.until <= period.since:
        raise UserError("--until is not after --since, so nothing lies between them", hint="exchange the two")
    made = served(
        opened, lambda: compliance(_records(opened, period.since), policy, opened.now, period, by, opened.unread)
    )
    if fail_on == FAIL_ON_GOAL and not made.goals:
        hint = "set e.g. `targets.sla_compliance_pct: 95` in policy.yaml"
        raise UserError("--fail-on goal: the policy sets no goal that clocks can reach", hint=hint)
    shown = made._replace(unread=inert_unread(made.unread))
    click.echo(
        {"json": to_json, "markdown": to_markdown}.get(form, to_text)(made if form == "json" else shown), nl=False
    )
    if not opened.catalogue.count():
        finish(no_records(opened))
    is_bad = made.has_missed if fail_on == FAIL_ON_MISSED else any(goal.is_reached is False for goal in made.goals)
    finish(3 if made.unread else int(fail_on is not None and is_bad))


@click.command()
@click.option("--policy", "file", metavar="FILE", required=True, help="The other policy.yaml.")
@click.option("--since", metavar="DATE", help="Incidents declared on this day (UTC) or instant, or later.")
@click.option("--observed", metavar="FILE", help="What the tracker holds (sla check --save-observed): comments.")
@format_option
@with_repository
def backtest(opened: Opened, file: str, since: str | None, observed: str | None, form: str) -> None:
    """Replay the history under another policy: what would be late, who would be told.

    Records keep the targets of their declaration; here they take the other
    policy's. What people did stays as it was. Of their comments on the
    tracker only those in --observed are known.

    \b
    Examples:
      incident-ops sla backtest --policy new-policy.yaml
      incident-ops sla backtest --policy new-policy.yaml --since 2025-01-01
    """
    from incident_ops.app.plan import observed_in
    from incident_ops.render.backtest import to_json, to_text
    from incident_ops.sla.activity import seen_of
    from incident_ops.sla.backtest import compare_policies

    policy, _ = opened.judged_by
    other, begin = _other_policy(opened, file), day(since, "--since")
    snapshot = None if observed is None else observed_in(observed)
    around = _window(policy, other)
    earliest = shift(begin, -around) if begin is not None else None
    seen = None if snapshot is None else lambda incident: seen_of(incident, snapshot)
    made = served(
        opened,
        lambda: compare_policies(_records(opened, earliest), policy, other, opened.now, begin, opened.unread, seen),
    )
    shown = made._replace(unread=inert_unread(made.unread))
    click.echo(to_json(made) if form == "json" else to_text(shown), nl=False)
    if not opened.catalogue.count():
        finish(no_records(opened))
    finish(3 if made.unread else 0)


def _records(opened: Opened, since: datetime | None) -> Iterable[Record]:
    """The records, without those in which everything lies before `since`."""
    from incident_ops import resources
    from incident_ops.adapters.sealed import Sealed
    from incident_ops.records.history import remembered

    catalogue = opened.catalogue
    wanted = None
    if since is not None:
        late = catalogue.settled_after(int(since.timestamp()) - 1)
        wanted = {*late, *(record.path for record in catalogue.live())}
    keep = Sealed(opened.state / "settled") if opened.git else None
    return remembered(opened.store, catalogue, keep, resources.resource_stamp(), wanted)


def _other_policy(opened: Opened, file: str) -> Policy:
    from dataclasses import replace

    from incident_ops.records.policy import load_policy

    text = read_text_file(file, "name a file of text in UTF-8")
    return replace(opened.setting, policy=load_policy(text, file)).require()[0]


def _window(*policies: Policy) -> int:
    """How many seconds before an incident those may lie that make a pattern with it."""
    from incident_ops.sla.targets import seconds_of

    windows = [one.escalation.pattern.window for one in policies if one.escalation.pattern.count]
    return max((seconds_of(window) for window in windows if window), default=0)
