"""`incident-ops demo`: the whole loop over the worked incidents of the playbooks, without a network."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import click

from incident_ops.app.demo import DemoStep, Playing, Scene, copy_examples, incident_headline, scenes
from incident_ops.cli.options import finish, force_color
from incident_ops.cli.terminal import page_width
from incident_ops.render.text import DEFAULT_WIDTH, cut_line

if TYPE_CHECKING:
    from rich.console import Console


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
    scratch = copy_examples(into, played)
    console.print(HEADLINE.format(count=len(played)))
    totals: Counter[str] = Counter()
    first, *_ = [play(console, scene, scratch / scene.preset, totals) for scene in played]
    show_made(console, first)
    _farewell(console, scratch, played, totals)
    finish(1 if totals["errors"] else 0)


HEADLINE = "[bold]incident-ops demo[/]: {count} playbooks' incidents through the whole loop, offline"
DIFF_STYLES = {"+": "green", "-": "red"}


def show_made(console: Console, playing: Playing) -> None:
    """Shows what came of a scene: an issue, a document, a change; each line cut, for a glance is enough."""
    width = min(page_width(), DEFAULT_WIDTH)
    for shown in playing.shown():
        console.print(f"\n[bold cyan]{shown.title}[/]")
        for line in shown.lines:
            console.print(f"  {cut_line(line, width - 2)}", style=DIFF_STYLES.get(line[:1]), markup=False)


def play(console: Console, scene: Scene, folder: Path, totals: Counter[str]) -> Playing:
    """Plays a scene that was copied to `folder`, a line a step; adds to `totals`."""
    playing = Playing(scene, folder, totals)
    console.print(f"\n[bold cyan]{scene.preset}[/]  {scene.story} [dim](clock {scene.clock})[/]")
    for step in playing.steps(lambda total: _bar(console, total)):
        _print_step(console, step)
    console.print(f"  [bold]{playing.incident.title}[/]")
    console.print(f"    {incident_headline(playing.incident)}")
    return playing


def _print_step(console: Console, step: DemoStep) -> None:
    mark = "[red]✗[/]" if step.is_bad else "[green]✓[/]"
    console.print(f"  {mark} {step.name:<10} {step.result}")
    for line in step.late:
        console.print(f"             [yellow]{line}[/]")


def _farewell(console: Console, scratch: Path, played: list[Scene], totals: Counter[str]) -> None:
    counted = ", ".join(
        f"[bold]{totals[name]}[/] {name}" for name in ("incidents", "action items", "issues", "documents")
    )
    console.print(f"\n{len(played)} playbooks: {counted}.\nNo network was used.\n\n[bold]Open next[/] in {scratch}:")
    for scene in played:
        console.print(f"  {scene.preset}/incidents/{scene.incident}/{scene.document}")
    console.print("\n[bold]Try yourself[/]:")
    if which("incident-ops") is None:
        console.print(f'  export PATH="{Path(sys.executable).parent}:$PATH"')
    console.print(f"  cd {scratch / 'itil-p1-p4'}")
    console.print("  incident-ops --at 2025-10-21T19:30:00Z sla check   # an hour and a half later")
    console.print("  incident-ops gate check --service app              # held: exit code 3")
    console.print("  incident-ops issues 1                              # what an issue says")
    console.print("  incident-ops triage --users 60 --feature core      # which priority is it?")


@contextmanager
def _bar(console: Console, total: int) -> Iterator[Callable[[str], None]]:
    """A bar while issues are made, gone when they are; nothing where no terminal is."""
    from rich.progress import Progress

    with Progress(console=console, transient=True, disable=not console.file.isatty()) as progress:
        task = progress.add_task("  apply", total=total)
        yield lambda key: progress.update(task, advance=1, description=f"  apply {key}")
