"""What `init` says: what became of each file, what the clone was told, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from itertools import groupby

from incident_ops.render.findings import dump, inert
from incident_ops.render.first_files import POLICY, SERVICES, Done, File
from incident_ops.render.fit import fold

CHANGED = (Done.WRITTEN, Done.ADDED)


def to_text(folder: str, files: Sequence[File], settings: Mapping[str, str], next_steps: Sequence[str]) -> str:
    """A line a file or folder, those that stay as they are only where there is something to say."""
    out = [f"Incidents as code in {inert(folder)}"]
    told = [one for one in files if one.done is not Done.KEPT]
    for done in Done:
        same = [one for one in told if one.done is done]
        out += [row for line in _lines(same) for row in _row(done, line)]
    if settings:
        out += _row("set in git", f"{', '.join(settings)} (of this clone)")
    kept = len(files) - len(told)
    if not any(one.done in CHANGED for one in files) and not settings:
        out.append("  nothing to do: everything is there already")
    elif kept:
        out += _row(Done.KEPT, f"{kept} more")
    if next_steps:
        out += ["", "Next:", *(f"  {number}. {step}" for number, step in enumerate(next_steps, 1))]
    return "\n".join(out) + "\n"


def to_json(folder: str, files: Sequence[File], settings: Mapping[str, str], next_steps: Sequence[str]) -> str:
    """The same for scripts; `git_config` holds what was set now."""
    return dump(
        {
            "schema": 1,
            "folder": folder,
            "changed": bool(settings) or any(one.done in CHANGED for one in files),
            "written": [one.path for one in files if one.done is Done.WRITTEN],
            "added_to": [one.path for one in files if one.done is Done.ADDED],
            "left": [{"file": one.path, "reason": one.note} for one in files if one.done is Done.LEFT],
            "git_config": dict(settings),
            "next": list(next_steps),
        }
    )


def following(files: Sequence[File], service: str, level: str, *, has_git: bool) -> list[str]:
    """What a person does after the first run; nothing after a run that changed nothing."""
    changed = {one.path for one in files if one.done in CHANGED}
    if not changed:
        return []
    own = [name for name in (POLICY, SERVICES) if name in changed]
    steps = [f"look through {' and '.join(own)}"] if own else []
    if not has_git:
        steps.append("git init, then incident-ops init once more: it sets up the merging of records")
    return [
        *steps,
        f'incident-ops declare "Login fails" -s {shlex.quote(service)} {level} --drill',
        "incident-ops validate",
        'git add -A && git commit -m "Incidents as code"',
        "in every other clone, once: incident-ops init (it sets the merge driver)",
    ]


def summary(files: Sequence[File]) -> str:
    """The files on one line, those of one folder together."""
    return ", ".join(line.split("  ")[0] for line in _lines([one._replace(note="") for one in files]))


def _row(word: str, text: str) -> list[str]:
    return fold(f"  {word:<15}  {text}", rest=" " * 19)


def _lines(files: Sequence[File]) -> list[str]:
    """A line a file; kept folders stand on one line, and so do the files of one folder that have nothing to say."""
    folders = [one.path.removesuffix(".gitkeep") for one in files if one.path.endswith("/.gitkeep") and not one.note]
    rest = [one for one in files if not one.path.endswith("/.gitkeep") or one.note]
    lines = []
    for (folder, note), group in groupby(rest, key=lambda one: (one.path.rpartition("/")[0], one.note)):
        same = [*group]
        if folder and len(same) > 1:
            lines.append(f"{folder}/ ({len(same)} files){f': {note}' if note else ''}")
        else:
            lines += [one.path + (f": {note}" if note else "") for one in same]
    return [*lines, *([" ".join(folders)] if folders else [])]
