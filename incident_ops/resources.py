"""The data files that come with the program: schemas, templates, examples, presets.

In a wheel they are inside the package (`shipped/`), in a checkout beside it; presets are always inside. A preset is one
file of its folder: nothing else names it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parent
DEFAULT_PRESET = "sev0-3"
HOME = "https://github.com/incident-ops/incident-ops"
"""Where this program is developed and released; its documentation is at `SITE`."""
SITE = "https://incident-ops.github.io/incident-ops/"
ABOUT_PRESET = "preset"
"""The key of a preset's file under which the program finds what it says about the preset."""
PULL_TEMPLATE = "PULL_REQUEST_TEMPLATE.md"


def pin_file_address(version: str) -> str:
    """Where the pin file of a release lies, which has the hash of the program and of all that it needs."""
    return f"{HOME}/releases/download/v{version}/incident-ops-{version}.txt"


class Preset(NamedTuple):
    """What the program says about a preset. `columns` are those of its level table, `labels` those of its scheme,
    worst first; `demo` is its scene of the demo, empty where it has none. `postmortem` are the sections of its
    layout, part -> heading; `has_report`: there is an incident report beside the postmortem."""

    name: str
    summary: str
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    drives_clocks: str
    demo: Mapping[str, str] = MappingProxyType({})
    postmortem: Mapping[str, str] = MappingProxyType({})
    has_report: bool = False


@cache
def folder(kind: str) -> Path:
    """The folder of `presets`, `schemas`, `templates`, `examples`, `template`, `.github` or `requirements`."""
    for root in (PACKAGE, PACKAGE / "shipped", PACKAGE.parent):
        if (candidate := root / kind).is_dir():
            return candidate
    raise FileNotFoundError(f"the installation is incomplete: no {kind} folder beside {PACKAGE}")


def resource_text(path: str) -> str:
    """The text of a shipped file, e.g. `schemas/incident.schema.json`."""
    kind, _, rest = path.partition("/")
    return (folder(kind) / rest).read_text(encoding="utf-8")


OWN_WORKFLOWS = frozenset({"canary-gate.yml", "ci.yml", "lint-workflows.yml", "release.yml"})
"""The workflows of this house that no repository of records gets; canary-gate.yml is called from here."""
TEMPLATE_SUFFIX = ".j2"
"""How the name of a file of `template` ends in which values are filled in."""


def template_texts() -> dict[str, str]:
    """What `init --github` lays, path -> text: the workflows of this house, and those of `template` for GitHub.

    The other files of `template` are what `make dist` lays all this beside, a team's repository to begin with.
    """
    github, template = folder(".github"), folder("template")
    workflows = [one for one in (github / "workflows").glob("*.yml") if one.name not in OWN_WORKFLOWS]
    own = {f".github/{one.relative_to(github).as_posix()}": one for one in [*workflows, github / PULL_TEMPLATE]}
    laid = {one.relative_to(template).as_posix(): one for one in (template / ".github").rglob("*") if one.is_file()}
    return {path: one.read_text(encoding="utf-8") for path, one in sorted((own | laid).items())}


@cache
def preset_names() -> tuple[str, ...]:
    """The presets of the folder: the default one first, the others by name."""
    names = {path.stem for path in folder("presets").glob("*.yaml")}
    return (DEFAULT_PRESET, *sorted(names - {DEFAULT_PRESET}))


@cache
def preset(name: str) -> Preset:
    """What the program says about one preset, from the preset's file."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every value stays text
    data = yaml.load(resource_text(f"presets/{name}.yaml"), loader)  # noqa: S506  this loader makes text, lists and mappings only
    about, scheme = data[ABOUT_PRESET], data["scheme"]
    levels = [*data["levels"], *scheme["major"]]
    return Preset(
        name,
        about["summary"],
        tuple(about["columns"]),
        tuple(level["id"] for level in levels),
        scheme["drives_clocks"],
        about.get("demo", {}),
        about["postmortem"],
        about.get("incident_report") == "true",
    )


def resource_stamp() -> str:
    """Changes whenever the installed program does: names, sizes and times of its files."""
    roots = (PACKAGE, folder("schemas"), folder("templates"))
    seen = "\n".join(sorted(line for root in roots for line in _files(str(root))))
    return blake2b(seen.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _files(path: str) -> Iterator[str]:
    """A line for each file; every command asks for them, and pathlib would take twice the time."""
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            elif entry.name.endswith((".py", ".json", ".yaml", ".j2")):
                status = entry.stat()
                yield f"{entry.path} {status.st_size} {status.st_mtime_ns}"
