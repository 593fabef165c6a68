"""The keys of every JSON output are those that docs/records.md tells, in that order."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.scene import ROOT, Folder, call

ITEM = "\n- {id: AI-1, title: Mend it, owner: '@a', due: 2025-01-01, status: open}"
ROWS = dict(re.findall(r"^\| (.+?) \| (`schema .+) \|$", (ROOT / "docs/records.md").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize(
    ("row", "args"),
    [
        ("`declare`", ("declare", "x", "-s", "api", "--severity", "SEV1")),
        ("every command that edits a record", ("ack", "INC-1")),
        ("every command that edits a record", ("action", "done", "AI-1", "INC-1")),
        ("`undo`", ("undo", "INC-1")),
        ("`show`", ("show", "INC-1")),
        ("`list`", ("list",)),
        ("`action list`, `list --owner`, `list --overdue`", ("list", "--overdue")),
        ("`action list`, `list --owner`, `list --overdue`", ("action", "list")),
        ("`comms draft`", ("comms", "draft", "INC-1", "--audience", "public")),
        ("`comms draft --report`", ("comms", "draft", "INC-1", "--report", "nis2-early-warning")),
        ("`timeline --list`", ("timeline", "--list", "INC-1")),
        ("`init`", ("init",)),
        ("`triage`", ("triage", "--users", "60")),
        ("`send`", ("send",)),
        ("`send --dry-run`", ("send", "--dry-run")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_keys_are_those_of_the_page(folder: Folder, row: str, args: tuple[str, ...]) -> None:
    folder.put(action_items=ITEM, timeline="[{at: 2025-01-26T12:06:00Z, kind: note, event: Seen}]")
    if args[0] == "undo":
        assert call("ack", "INC-1", at=folder.path).code == 0
    data = json.loads(call(*args, "--format", "json", at=folder.path).out)
    top, *inner = [words.split() for words in re.findall(r"`([^`]+)`", ROWS[row])]
    assert list(data) == top
    assert data["schema"] == 1
    for keys in inner:
        assert [list(one) for one in data[top[-1]]] == [keys]


def test_what_send_adds_has_the_keys_of_the_page(folder: Folder) -> None:
    folder.put()
    data = json.loads(call("ack", "INC-1", "--send", "--format", "json", at=folder.path).out)
    page = (ROOT / "docs/records.md").read_text("utf-8")
    assert f"| `send` of any of these with `--send` | `{' '.join(data['send'])}` |\n" in page
    assert [*data][-1] == "send"


def test_every_row_of_the_page_is_asked_about() -> None:
    assert len(ROWS) == 13
