"""`incident-ops demo`: the whole loop over the worked incidents of the playbooks, without a network."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import click

from incident_ops.app.demo import DemoStep, Playing, Scene, copy_examples, incident_headline, scenes
from incident_ops.cli.options import finish
from incident_ops.cli.terminal import page_width
from incident_ops.extras import is_installed
from incident_ops.render.text import DEFAULT_WIDTH, cut_line


@click.command()
@click.option("--into", metavar="DIR", help="Where to work; must be new or empty. Default: a new temporary folder.")
def demo(into: str | None) -> None:
    """Run the whole loop on worked incidents, offline.

    Copies the example repositories to a scratch folder and runs validate, plan, apply, sla check, gate check and
    render in each, at a fixed clock. Nothing outside that folder is touched.

    \b
    Examples:
      incident-ops demo
      incident-ops demo --into /tmp/demo
    """
    played = scenes()
    scratch = copy_examples(into, played)
    click.echo(headline(len(played)))
    totals: Counter[str] = Counter()
    first, *_ = [play(scene, scratch / scene.preset, totals) for scene in played]
    show_made(first)
    _farewell(scratch, played, totals)
    finish(1 if totals["errors"] else 0)


DIFF_COLOURS = {"+": "green", "-": "red"}


def headline(count: int) -> str:
    """The first line of a demo of `count` playbooks."""
    return f"{_bold('incident-ops demo')}: {count} playbooks' incidents through the whole loop, offline"


def _bold(text: str) -> str:
    return click.style(text, bold=True)


def _head(text: str) -> str:
    return click.style(text, bold=True, fg="cyan")


def show_made(playing: Playing) -> None:
    """Shows what came of a scene: an issue, a document, a change; each line cut, for a glance is enough."""
    width = min(page_width(), DEFAULT_WIDTH)
    for shown in playing.shown():
        click.echo(f"\n{_head(shown.title)}")
        for line in shown.lines:
            click.echo(
                click.style(
                    f"  {cut_line(line, width - 2)}", fg=DIFF_COLOURS.get(line[:1]) if shown.is_change else None
                )
            )


def play(scene: Scene, folder: Path, totals: Counter[str]) -> Playing:
    """Plays a scene that was copied to `folder`, a line a step; adds to `totals`."""
    playing = Playing(scene, folder, totals)
    click.echo(f"\n{_head(scene.preset)}  {scene.story} {click.style(f'(clock {scene.clock})', dim=True)}")
    for step in playing.steps(_bar):
        _print_step(step)
    click.echo(f"  {_bold(playing.incident.title)}")
    click.echo(f"    {incident_headline(playing.incident)}")
    return playing


def _print_step(step: DemoStep) -> None:
    mark = click.style("✗", fg="red") if step.is_bad else click.style("✓", fg="green")
    click.echo(f"  {mark} {step.name:<10} {step.result}")
    for line in step.late:
        click.echo(f"             {click.style(line, fg='yellow')}")


def _farewell(scratch: Path, played: list[Scene], totals: Counter[str]) -> None:
    counted = ", ".join(
        f"{_bold(str(totals[name]))} {name}" for name in ("incidents", "action items", "issues", "documents")
    )
    click.echo(f"\n{len(played)} playbooks: {counted}.\nNo network was used.\n\n{_bold('Open next')} in {scratch}:")
    for scene in played:
        click.echo(f"  {scene.preset}/incidents/{scene.incident}/{scene.document}")
    click.echo(f"\n{_bold('Try yourself')}:")
    if which("incident-ops") is None:
        click.echo(f'  export PATH="{Path(sys.executable).parent}:$PATH"')
    click.echo(f"  cd {scratch / 'itil-p1-p4'}")
    click.echo("  incident-ops --at 2025-10-21T19:30:00Z sla check   # an hour and a half later")
    click.echo("  incident-ops gate check --service app              # held: exit code 3")
    click.echo("  incident-ops issues 1                              # what an issue says")
    click.echo("  incident-ops triage --users 60 --feature core      # which priority is it?")


@contextmanager
def _bar(total: int) -> Iterator[Callable[[str], object]]:
    """A bar while issues are made, gone when they are; nothing where no terminal or no rich is."""
    if not sys.stdout.isatty() or not is_installed("terminal"):
        yield str
        return
    from rich.progress import Progress

    with Progress(transient=True) as progress:
        task = progress.add_task("  apply", total=total)
        yield lambda key: progress.update(task, advance=1, description=f"  apply {key}")
