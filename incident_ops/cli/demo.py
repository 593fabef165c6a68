"""`incident-ops demo`: the whole loop over the worked incidents of the playbooks, without a network."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from incident_ops import resources
from incident_ops.adapters.files import write_text
from incident_ops.app.gate_check import contents, known_of
from incident_ops.app.notify import Delivering
from incident_ops.app.plan import look
from incident_ops.app.workspace import Opened, local_tracker, open_repository
from incident_ops.app.write_back import write_locally
from incident_ops.cli.options import finish, force_color
from incident_ops.deploy_gate.check import DeployRequest, check_deploy
from incident_ops.documents import incident_facts
from incident_ops.documents.incident_documents import incident_documents
from incident_ops.domain.record import Record
from incident_ops.domain.time import spell_duration
from incident_ops.domain.tracker import LOCAL
from incident_ops.errors import UserError, WriteFailed
from incident_ops.reconcile.apply import apply_changes
from incident_ops.reconcile.changes import NOTIFY
from incident_ops.records.history import every_record
from incident_ops.records.store import Store
from incident_ops.render.findings import findings_line, plural
from incident_ops.render.sla import clock_rows
from incident_ops.sla.status import clock_report
from incident_ops.validation import validate_records

if TYPE_CHECKING:
    from rich.console import Console


class Scene(NamedTuple):
    """The example repository of a preset: its fixed clock, the service a pipeline asks about, what is worth opening."""

    preset: str
    story: str
    clock: str
    service: str
    incident: str
    document: str


def scenes() -> list[Scene]:
    """The scenes of all presets that have one."""
    presets = [resources.preset(name) for name in resources.preset_names()]
    return [Scene(one.name, **one.demo) for one in presets if one.demo]


@click.command()
@click.option("--into", metavar="DIR", help="Where to work; must be new or empty. Default: a new temporary folder.")
@click.pass_context
def demo(ctx: click.Context, into: str | None) -> None:
    """Run the whole loop on worked incidents, offline.

    Copies the example repositories to a scratch folder and runs validate, plan, apply, sla check, gate check and
    render in each, at a fixed clock. Nothing outside that folder is touched.

    \b
    Examples:
      incident-ops demo
      incident-ops demo --into /tmp/demo
    """
    from rich.console import Console

    console = Console(highlight=False, force_terminal=force_color(ctx), soft_wrap=True)
    played = scenes()
    scratch = _scratch(into, played)
    console.print(f"[bold]incident-ops demo[/]: {len(played)} playbooks' incidents through the whole loop, offline")
    totals: Counter[str] = Counter()
    for scene in played:
        _play(console, scene, scratch / scene.preset, totals)
    _farewell(console, scratch, played, totals)
    finish(1 if totals["errors"] else 0)


def _play(console: Console, scene: Scene, folder: Path, totals: Counter[str]) -> None:
    around = open_repository({"repo": str(folder), "rev": None, "at": scene.clock})
    opened = replace(around, git=None, store=Store(folder, None))  # a git repository around the folder is not ours
    console.print(f"\n[bold cyan]{scene.preset}[/]  {scene.story} [dim](clock {scene.clock})[/]")
    checked = validate_records(opened.store, opened.setting, opened.catalogue, opened.now)
    totals["errors"] += checked.errors
    _say(console, "validate", findings_line(checked.findings, checked.files), bad=bool(checked.errors))
    records = list(every_record(opened.store, opened.catalogue))
    totals["incidents"] += len(records)
    totals["action items"] += sum(len(record.incident.action_items) for record in records)
    _reconcile(console, opened, totals)
    _clocks(console, opened, records)
    _gate(console, opened, scene.service)
    _render(console, opened, records, totals)
    _headline(console, next(record for record in records if record.incident.id == scene.incident))


def _reconcile(console: Console, opened: Opened, totals: Counter[str]) -> None:
    tracker = local_tracker(opened)
    seen = look(opened, LOCAL, {})
    planned = seen.made
    created = [change for change in planned.changes if change.is_on_tracker]
    notices = sum(1 for change in planned.changes if change.action == NOTIFY)
    told = f", {plural(notices, 'notice')} to send" if notices else ""
    alone = len({kept.key for kept in planned.kept if kept.key in seen.wanted.issues})
    _say(console, "plan", f"{plural(len(created), 'issue')} to create, {alone} to leave alone{told}")
    with _bar(console, len(created)) as step:
        for done in apply_changes(planned.changes, tracker):
            step(done.change.key)
    write_locally(opened, planned.record_edits)
    Delivering(seen, planned.changes).rest({})
    totals["issues"] += len(tracker.owned())
    again = look(opened, LOCAL, {}).made
    totals["errors"] += len(again.changes)
    second = f"{len(again.changes)} changes left" if again.changes else "a second plan finds nothing to do"
    _say(console, "apply", f"{plural(len(created), 'issue')} created; {second}", bad=bool(again.changes))


def _clocks(console: Console, opened: Opened, records: list[Record]) -> None:
    table = clock_rows(clock_report(records, opened.judged_by[0], opened.now, everything=True))
    counted = Counter(row.status for row in table)
    _say(console, "sla check", ", ".join(f"{count} {word}" for word, count in counted.items()) or "no clock runs")
    for row in table:
        if row.status in ("at risk", "breached"):
            console.print(f"             [yellow]{row.incident} {row.clock}: {row.time}, due {row.due} UTC[/]")


def _gate(console: Console, opened: Opened, service: str) -> None:
    policy, _ = opened.judged_by
    asked = DeployRequest(service, policy.gate.environment, opened.now)
    verdict = check_deploy(asked, known_of(opened, service, contents(opened)))
    holds = " ".join(verdict.incident_ids) or verdict.reason_code.replace("_", " ")
    held = f", held by {holds}" if verdict.holds else ""
    _say(console, "gate check", f"deploy {service}? {verdict.verdict}{held}")


def _render(console: Console, opened: Opened, records: list[Record], totals: Counter[str]) -> None:
    written = 0
    for record in records:
        for name, text in incident_documents(record.incident, opened.judged_by[0], opened.now).items():
            write_text(opened.root / Path(record.path).with_name(name), text)
            written += 1
    totals["documents"] += written
    _say(console, "render", f"{plural(written, 'document')} beside {plural(len(records), 'record')}")


def _headline(console: Console, record: Record) -> None:
    incident = record.incident
    impact = incident_facts.impact(incident)
    items = f"{len(incident.action_items)} action items, {len(incident.open_items)} open"
    label = " ".join(filter(None, (incident.priority, incident.severity)))
    console.print(f"  [bold]{incident.title}[/]")
    console.print(f"    {incident.id}: {label}, impact {spell_duration(impact.seconds)}, {items}")


def _farewell(console: Console, scratch: Path, played: list[Scene], totals: Counter[str]) -> None:
    counted = ", ".join(
        f"[bold]{totals[name]}[/] {name}" for name in ("incidents", "action items", "issues", "documents")
    )
    console.print(f"\n{len(played)} playbooks: {counted}.\nNo network was used.\n\n[bold]Open next[/] in {scratch}:")
    for scene in played:
        console.print(f"  {scene.preset}/incidents/{scene.incident}/{scene.document}")
    console.print("\n[bold]Try yourself[/]:")
    console.print(f"  cd {scratch / 'itil-p1-p4'}")
    console.print("  incident-ops --at 2025-10-21T19:30:00Z sla check   # an hour and a half later")
    console.print("  incident-ops gate check --service app              # held: exit code 3")
    console.print("  incident-ops triage --users 60 --feature core      # which priority is it?")


def _say(console: Console, step: str, told: str, bad: bool = False) -> None:
    mark = "[red]✗[/]" if bad else "[green]✓[/]"
    console.print(f"  {mark} {step:<10} {told}")


@contextmanager
def _bar(console: Console, total: int) -> Iterator[Any]:
    """A bar while issues are made, gone when they are; nothing where no terminal is."""
    from rich.progress import Progress

    with Progress(console=console, transient=True, disable=not console.file.isatty()) as progress:
        task = progress.add_task("  apply", total=total)
        yield lambda key: progress.update(task, advance=1, description=f"  apply {key}")


def _scratch(into: str | None, played: list[Scene]) -> Path:
    folder = Path(into).absolute() if into is not None else Path(tempfile.mkdtemp(prefix="incident-ops-demo-"))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError("the folder is not empty", where=str(folder), hint="give a new one; nothing there was changed")
    try:
        for scene in played:
            shutil.copytree(resources.folder("examples") / scene.preset, folder / scene.preset)
            shutil.copytree(resources.folder("schemas"), folder / scene.preset / "schemas")
    except OSError as error:
        for scene in played:
            shutil.rmtree(folder / scene.preset, ignore_errors=True)
        why = error.strerror or "not every file could be written"
        hint = "check its permissions and free space, or give another folder with --into"
        raise WriteFailed(f"the examples could not be copied: {why}", where=str(folder), hint=hint) from error
    return folder
