"""A freeze on a branch of its own, from what the default branch has."""

from __future__ import annotations

import json

from incident_ops.app.planned_changes import WrittenFile, check_known, freeze_content, held_line, meets
from incident_ops.app.send_file import FileToSend, send_file
from incident_ops.app.workspace import Workspace
from incident_ops.documents.sent_text import exchange_message, freeze_pull
from incident_ops.domain.sending import FREEZE_BRANCHES, SentRecord
from incident_ops.edits.freeze import FreezeRequest, new_freeze
from incident_ops.records.planned_changes import freeze_path


def send_freeze(workspace: Workspace, wanted: FreezeRequest) -> tuple[WrittenFile, SentRecord]:
    """The freeze of `hold_deploys` as a pull request; the checkout stays as it is. Errors as that and `send_file`."""
    data = new_freeze(workspace.now, wanted)
    met: list[str] = []
    lasting = {name: value for name, value in data.items() if name not in ("from", "until")}  # "4h" is later each time
    key = json.dumps(lasting, sort_keys=True).encode()

    def frozen(merged: Workspace) -> FileToSend:
        check_known(merged, wanted.services, wanted.environments)
        content = freeze_content(merged, data)
        met.extend(meets(merged, data))
        done = [held_line(data)]
        message = exchange_message(done, wanted.reason)
        pull = freeze_pull(wanted.name, done, wanted.reason)
        return FileToSend(freeze_path(wanted.name), content, FREEZE_BRANCHES, key, message, *pull)

    sent = send_file(workspace, frozen)
    return WrittenFile(sent.path, (held_line(data),), tuple(met)), sent
