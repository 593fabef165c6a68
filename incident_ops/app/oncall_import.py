"""The schedule of another tool, read from a file and written into the repository."""

from __future__ import annotations

import os
from pathlib import Path

from incident_ops.adapters.files import demand_no_link, write_bytes
from incident_ops.app.planned_changes import WrittenFile, committing
from incident_ops.app.workspace import Workspace, demand_work_tree, read_text_file
from incident_ops.errors import UserError
from incident_ops.records.oncall import schedule_path
from incident_ops.records.oncall_import import ImportedText, ImportRequest, import_schedule
from incident_ops.records.oncall_people import read_people


def import_text(
    workspace: Workspace, text: str, *, name: str, people: str | None, zone: str | None, write: bool
) -> tuple[ImportedText, WrittenFile | None]:
    """The text of a schedule of ours, and with `write` the file that has it now. UserError where there is one already,
    and as `import_schedule`."""
    known = read_people(read_text_file(people), people) if people is not None else {}
    contacts = workspace.judged_by[0].contacts
    made = import_schedule(text, ImportRequest(name, known, contacts, zone, workspace.now))
    if not write:
        return made, None
    demand_work_tree(workspace)
    path = schedule_path(name)
    if os.path.lexists(workspace.root / path):
        raise UserError("a schedule of this name is there already", where=path, hint="take another --name")
    demand_no_link(workspace.root, path)
    write_bytes(Path(workspace.root / path), made.text.encode())
    hint = f"incident-ops oncall lint {name}"
    return made, WrittenFile(path, (f"{name}: written to {path}",), next_steps=(hint, committing(workspace, path)))
