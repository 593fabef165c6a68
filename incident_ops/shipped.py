"""The data files that come with the program: schemas, templates, examples, presets.

In a wheel they lie inside the package (`shipped/`), in a checkout beside it; presets are always inside.
"""

from __future__ import annotations

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
    files = sorted(path for root in roots for path in root.rglob("*") if path.suffix in (".py", ".json", ".yaml"))
    seen = "\n".join(f"{path} {(found := path.stat()).st_size} {found.st_mtime_ns}" for path in files)
    return blake2b(seen.encode(), digest_size=16).hexdigest()
