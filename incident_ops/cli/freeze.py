"""`incident-ops freeze` and `incident-ops unfreeze`."""

from __future__ import annotations

import click

from incident_ops.adapters.files import replace_if_unchanged
from incident_ops.app.edit_record import by_option, clean, shown_path, who
from incident_ops.app.planned_changes import ahead, check_names, in_git, is_over, read_freeze, report_file, write_freeze
from incident_ops.app.workspace import Opened, with_repository
from incident_ops.cli.options import complete_service, format_option
from incident_ops.domain.planned_changes import conflicts, planned_change, planned_freeze
from incident_ops.edits.freeze import FreezeRequest, lift_freeze, new_freeze
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.records.editor import edit, key_order
from incident_ops.records.planned_changes import load_plans
from incident_ops.records.schema import schema


@click.command()
@click.argument("name")
@click.option("--reason", metavar="TEXT", required=True, help="Why; whoever is held reads it.")
@click.option(
    "--service",
    "-s",
    "services",
    multiple=True,
    shell_complete=complete_service,
    help="What is held; repeat it. Default: every service.",
)
@click.option("--environment", "-e", "environments", multiple=True, help="Where; repeat it. Default: everywhere.")
@click.option("--from", "since", metavar="WHEN", default="now", show_default=True, help="An instant, or 2h (from now).")
@click.option("--until", metavar="WHEN", help="An instant, or 8h (from now). Default: until it is lifted.")
@by_option
@format_option
@with_repository
def freeze(
    opened: Opened,
    name: str,
    reason: str,
    services: tuple[str, ...],
    environments: tuple[str, ...],
    since: str,
    until: str | None,
    by: str | None,
    form: str,
) -> None:
    """Hold deploys for a time: writes freezes/NAME.yaml.

    \b
    Examples:
      incident-ops freeze year-end --reason "closing of the books" \\
        --from 2025-12-19T17:00:00Z --until 2026-01-05T08:00:00Z
      incident-ops freeze db-move -s checkout --reason "migration" --until 4h
    """
    check_names(opened, services, environments)
    begin = ahead(since, opened.now, "--from")
    end = None if until is None else ahead(until, opened.now, "--until")
    wanted = FreezeRequest(name, clean(reason) or "", begin, end, services, environments, who(opened, by))
    data = new_freeze(opened.now, wanted)
    path = write_freeze(opened, data, lambda there: is_over(opened, there))
    what = " ".join(data.get("services", ["every service"]))
    where = " and ".join(data.get("environments", ["every environment"]))
    until = data.get("until", "it is lifted")
    told = f"{name}: deploys of {what} to {where} are held from {data['from']} until {until}"
    report_file(opened, path, [told], _meets(opened, path), form, changed=True)


@click.command()
@click.argument("name")
@format_option
@with_repository
def unfreeze(opened: Opened, name: str, form: str) -> None:
    """Lift a freeze, or take back an override: it ends now.

    One that has not begun yet is removed.

    \b
    Examples:
      incident-ops unfreeze year-end
      incident-ops unfreeze override-7be19f2
    """
    check_names(opened, (), ())
    found = read_freeze(opened, name)
    if found is None:
        names = [one.name for one in load_plans(opened.store).freezes.values()]
        raise UserError(f"there is no freeze {name!r}", hint=did_you_mean(name, names) or "see the folder freezes")
    path, raw, there = found
    step = lift_freeze(there, opened.now)
    if step is None:
        is_known = in_git(opened, path)
        (opened.root / path).unlink()
        never = "" if is_known else "; git never had it, so there is nothing to commit"
        told = f"{name}: removed, it had not begun{never}"
        report_file(opened, path, [told], [], form, changed=True, commits=is_known)
        return
    if step.edits:
        text = edit(raw.decode(), step.edits, order=key_order(schema("freeze")), file=path)
        if not replace_if_unchanged(opened.root / path, raw, text.encode(), opened.state / "records.lock"):
            raise UserError("it was changed meanwhile", where=shown_path(opened, path), hint="run the command again")
    report_file(opened, path, step.messages, step.warnings, form, changed=bool(step.edits))


def _meets(opened: Opened, path: str) -> list[str]:
    """Maintenance windows that lie in the new freeze: both were planned, and only one can be right."""
    plans = load_plans(opened.store)
    planned = [planned_freeze(plans.freezes[path])]
    for change in plans.maintenance.values():
        if change.is_agreed:
            try:
                planned.append(planned_change(change, opened.judged_by[0].maintenance.buffer))
            except ValueError:
                continue
    own = planned[0].id
    return [f"it meets {one.other}, a maintenance window" for one in conflicts(planned) if one.one == own]
