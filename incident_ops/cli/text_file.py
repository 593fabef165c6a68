"""A file of text that an option names."""

from __future__ import annotations

from pathlib import Path

from incident_ops.errors import UserError


def read_text(file: str, hint: str = "", name: str = "it") -> str:
    """The text of a file; UserError with `hint` where it is none. `name` is what the message calls it."""
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"{name} cannot be read: {why}", where=file, hint=hint) from error
