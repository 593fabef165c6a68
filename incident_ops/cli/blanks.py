"""Options that were given as nothing: a variable of a pipeline that was not set must not stand for the default."""

from __future__ import annotations

import click

from incident_ops.errors import UserError


def refuse_blanks(ctx: click.Context) -> None:
    """UserError for the first option or argument whose text is empty."""
    for name, value in ctx.params.items():
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(one, str) and not one.strip() for one in texts):
            raise UserError(f"--{name.replace('_', '-')} is empty", hint="write what is meant, or leave it out")
