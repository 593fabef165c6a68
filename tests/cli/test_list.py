"""list: incidents and action items by urgency, at 80 columns, and never silent about what it could not read."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import CLOSED, ROOT, Folder, call

ITEMS = """
- {id: AI-1, title: Add a test, owner: "@alice", due: 2025-01-20, status: open}
- {id: AI-2, title: Write it down, owner: "@bob", due: 2025-01-26, status: in_progress}
- {id: AI-3, title: Gone by, owner: "@alice", due: 2025-01-10, status: done, done_at: 2025-01-10}
- {id: AI-4, title: No date, owner: "@alice", status: open}"""


def ids(folder: Folder, *args: str) -> list[str]:
    """The ids of `list --format json`, in their order."""
    return [one["id"] for one in json.loads(call("list", "--format", "json", *args, at=folder.path).out)["incidents"]]


def keys(folder: Folder, *args: str) -> list[str]:
    """The keys of the action items, in their order."""
    data = json.loads(call("list", "--format", "json", *args, at=folder.path).out)
    return [one["key"] for one in data["action_items"]]


@pytest.fixture
def several(folder: Folder) -> Folder:
    """Five incidents: INC-1 closed, INC-2 and INC-3 of one level, INC-4 worse and resolved, INC-5 of `web`."""
    over = {**CLOSED, "state": "resolved", "times": CLOSED["times"].replace(", closed: 2025-01-26T13:00:00Z", "")}
    folder.put("INC-1", **CLOSED)
    folder.put("INC-2", action_items=ITEMS)
    folder.put("INC-3", times="{declared: 2025-01-25T12:05:00Z}")
    folder.put("INC-4", severity="SEV0", **over)
    folder.put("INC-5", severity="SEV2", services="[web]", times="{declared: 2025-01-01T12:05:00Z}")
    return folder


def test_the_most_urgent_comes_first(several: Folder) -> None:
    """Worked on before resolved before closed; then the worst level, then the oldest."""
    assert ids(several) == ["INC-3", "INC-2", "INC-5", "INC-4", "INC-1"]


@pytest.mark.parametrize(
    ("args", "left"),
    [
        (["--open"], ["INC-3", "INC-2", "INC-5", "INC-4"]),
        (["--service", "web"], ["INC-5"]),
        (["--level", "SEV1", "--open"], ["INC-3", "INC-2"]),
        (["--since", "2025-01-26"], ["INC-2", "INC-4", "INC-1"]),
        (["--since", "2025-01-25T12:05:00Z", "--level", "SEV1"], ["INC-3", "INC-2", "INC-1"]),
        (["--since", "2025-01-25T12:05:01Z", "--level", "SEV1"], ["INC-2", "INC-1"]),
        (["--level", "SEV3"], []),
    ],
)
def test_what_is_asked_for_is_what_is_left(several: Folder, args: list[str], left: list[str]) -> None:
    assert ids(several, *args) == left


@pytest.mark.parametrize(
    ("args", "left"),
    [
        (["--owner", "@alice"], ["INC-2/AI-1", "INC-2/AI-4", "INC-2/AI-3"]),
        (["--owner", "alice", "--open"], ["INC-2/AI-1", "INC-2/AI-4"]),
        (["--overdue"], ["INC-2/AI-1"]),
        (["--owner", "@bob", "--open", "--overdue"], []),
        (["--overdue", "--service", "web"], []),
    ],
)
def test_action_items_come_by_owner_and_by_what_is_late(several: Folder, args: list[str], left: list[str]) -> None:
    """The day of the due date is not late yet."""
    assert keys(several, *args) == left


def test_a_late_item_says_by_how_much(several: Folder) -> None:
    out = call("list", "--overdue", at=several.path).out
    assert "INC-2/AI-1  @alice  2025-01-20  -    6d late  Add a test" in out
    assert out.endswith("1 action item, 1 late\n")


def test_items_of_a_closed_incident_are_listed(folder: Folder) -> None:
    folder.put("INC-1", **CLOSED, action_items=ITEMS)
    assert keys(folder, "--overdue", "--open") == ["INC-1/AI-1"]


def test_the_table_fits_80_columns_whatever_a_record_says(folder: Folder) -> None:
    folder.put("INC-20250126-120500", title='"' + "wide 名前 💥 " * 15 + '\\e[31m"', action_items=ITEMS)
    folder.put("INC-1", title='"a\\nb"')
    for args in (["list"], ["list", "--owner", "@alice"]):
        out = call(*args, at=folder.path, columns=80).out
        assert all(line.isprintable() for line in out.splitlines())
        assert max(map(len, out.splitlines())) <= 80
        assert "\x1b" not in out


def test_restricted_titles_are_hidden_unless_the_repository_is_private(folder: Folder) -> None:
    folder.put("INC-1", visibility="restricted", title="A secret", action_items=ITEMS)
    for args in (
        ["list"],
        ["list", "--overdue"],
        ["list", "--format", "json"],
        ["list", "--overdue", "--format", "json"],
    ):
        out = call(*args, at=folder.path).out
        assert "secret" not in out
        assert "Add a test" not in out
    assert "(restricted)" in call("list", at=folder.path).out
    folder.write("policy.yaml", "extends: sev0-3\naccess:\n  private: true\n")
    assert "A secret" in call("list", at=folder.path).out


def test_records_that_cannot_be_read_are_listed_with_exit_code_3(folder: Folder) -> None:
    folder.put("INC-1")
    folder.put("INC-2", text="id: INC-2\ntitle: [\n")
    done = call("list", "--open", at=folder.path)
    assert done.code == 3
    assert "Not read, so not in this list (1):\n  incidents/INC-2/incident.yaml: line " in done.out
    as_json = call("list", "--format", "json", at=folder.path)
    assert as_json.code == 3
    assert [one["file"] for one in json.loads(as_json.out)["unread"]] == ["incidents/INC-2/incident.yaml"]


def test_a_level_the_policy_does_not_know_comes_before_the_others(folder: Folder) -> None:
    """It may be the worst there is; its rank is null."""
    folder.put("INC-1", severity="SEV0")
    folder.put("INC-2", severity="SEV9")
    assert ids(folder) == ["INC-2", "INC-1"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--service", "ap"], ["did you mean api?"]),
        (["--level", "sev11"], ["SEV1"]),
        (["--since", "someday"], ["--since", "2025-01-26"]),
        (["--since", "2025-02-30"], ["--since"]),
    ],
)
def test_a_slip_is_told_and_not_an_empty_list(several: Folder, args: list[str], words: list[str]) -> None:
    call("list", *args, at=several.path).told_once(2, *words)


def test_the_json_has_its_keys_in_this_order(several: Folder) -> None:
    data = json.loads(call("list", "--format", "json", at=several.path).out)
    assert list(data) == ["schema", "at", "incidents"]
    assert data["incidents"][1] == {
        "id": "INC-2", "kind": "incident", "severity": "SEV1", "priority": None, "rank": 2, "state": "new",
        "outcome": None,
        "title": "Login fails", "services": ["api"], "declared": "2025-01-26T12:05:00Z", "age_seconds": 6900,
        "snoozed_until": None, "open_items": 3, "pending": False, "visibility": "internal",
        "file": "incidents/INC-2/incident.yaml",
    }  # fmt: skip
    items = json.loads(call("list", "--overdue", "--format", "json", at=several.path).out)
    assert items["action_items"] == [
        {
            "key": "INC-2/AI-1", "incident": "INC-2", "id": "AI-1", "title": "Add a test", "owner": "@alice",
            "due": "2025-01-20", "due_by": "date", "days_late": 6, "priority": None, "status": "open", "pending": False,
        }
    ]  # fmt: skip


def test_a_repository_without_records_is_a_note(folder: Folder) -> None:
    done = call("list", at=folder.path)
    assert (done.code, done.out) == (0, "0 incidents\n")
    assert "No incident records yet" in done.err


def test_help_has_examples() -> None:
    assert "incident-ops list --owner @alice --open" in call("list", "--help", at=ROOT).out
