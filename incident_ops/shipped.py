"""The data files that come with the program: schemas, templates, examples, presets.

In a wheel they lie inside the package (`shipped/`), in a checkout beside it; presets are always inside.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


@cache
def folder(kind: str) -> Path:
    """The folder of `presets`, `schemas`, `templates` or `examples`."""
    for root in (PACKAGE, PACKAGE / "shipped", PACKAGE.parent):
        if (found := root / kind).is_dir():
            return found
    raise FileNotFoundError(f"the installation is incomplete: no {kind} folder beside {PACKAGE}")


def read_text(path: str) -> str:
    """The text of a shipped file, e.g. `schemas/incident.schema.json`."""
    kind, _, rest = path.partition("/")
    return (folder(kind) / rest).read_text(encoding="utf-8")


def stamp() -> str:
    """Changes whenever the installed program does: names, sizes and times of its files."""
    roots = (PACKAGE, folder("schemas"))
    seen = "\n".join(sorted(line for root in roots for line in _files(str(root))))
    return blake2b(seen.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _files(path: str) -> Iterator[str]:
    """A line for each file; every command asks for them, and pathlib would take twice the time."""
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            elif entry.name.endswith((".py", ".json", ".yaml")):
                found = entry.stat()
                yield f"{entry.path} {found.st_size} {found.st_mtime_ns}"
