"""The picture of the demo in the README: what a terminal shows of the present program, as an SVG without a network."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from collections import Counter
from pathlib import Path

import click
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from incident_ops.app.demo import copy_examples, scenes
from incident_ops.cli.demo import demo, headline, play, show_made
from incident_ops.render.text import DEFAULT_WIDTH

FONT = "ui-monospace, Menlo, Consolas, monospace"


def demo_picture() -> str:
    """The first scene of the demo and what it made, as an SVG; the same bytes from the same program."""
    console = Console(record=True, width=DEFAULT_WIDTH, file=io.StringIO(), force_terminal=True, highlight=False,
                      color_system="standard", legacy_windows=False, _environ={})  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()) as shown, click.Context(demo) as ctx:
        ctx.color = True
        _play_first()
    console.print(Text.from_ansi(shown.getvalue().rstrip("\n")))
    text = console.export_svg(title="incident-ops demo", code_format=_without_fonts(), unique_id="demo")
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def _play_first() -> None:
    click.echo("$ make demo")
    first, *others = scenes()
    click.echo(headline(len(others) + 1))
    with tempfile.TemporaryDirectory() as folder:
        scratch = copy_examples(str(Path(folder) / "demo"), [first])
        playing = play(first, scratch / first.preset, Counter())
        click.echo(click.style(f"\n... and {', '.join(scene.preset for scene in others)}", dim=True))
        show_made(playing)


def _without_fonts() -> str:
    """The library's own frame, but no font that a reader's browser would have to fetch."""
    plain = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    plain = re.sub(r"<!--.*?-->\s*", "", plain)
    return plain.replace("Fira Code, monospace", FONT)
