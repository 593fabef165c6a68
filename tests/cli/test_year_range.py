"""Years that no incident has: refused by every command that writes one, and found in every file that holds one."""

from __future__ import annotations

import pytest

from tests.cli.scene import Folder, call, contents


@pytest.mark.parametrize(
    "args",
    [
        ("action", "add", "Rewrite it", "INC-1", "--owner", "@a", "--due", "9999-12-31"),
        ("action", "add", "Rewrite it", "INC-1", "--owner", "@a", "--due", "0001-01-01"),
        ("timeline", "Seen", "INC-1", "--at", "0001-01-01T00:00:00Z"),
        ("timeline", "Seen", "INC-1", "--at", "999999d ago"),
        ("freeze", "year-end", "--reason", "Books", "--until", "9999-12-31T00:00:00Z"),
        ("declare", "Down", "-s", "api", "--severity", "SEV1", "--started", "0001-01-01T00:00:00Z"),
    ],
    ids=" ".join,
)
def test_a_command_that_writes_refuses_it(
    folder: Folder, args: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCIDENT_OPS_BY", "@alice")
    folder.put()
    before = contents(folder.path)
    call(*args, at=folder.path).told_once(2, "year", "1970")
    assert contents(folder.path) == before


FREEZE = "name: f\nreason: Books\nfrom: 2025-01-26T10:00:00Z\nuntil: {}\n"


@pytest.mark.parametrize(
    ("path", "text", "place"),
    [
        ("freezes/f.yaml", FREEZE.format("9999-12-31T00:00:00Z"), "freezes/f.yaml:4:8"),
        ("freezes/f.yaml", FREEZE.format("9999-12-31T00:00:00\nzone: Etc/UTC"), "freezes/f.yaml:4:1"),
        ("policy.yaml", 'extends: sev0-3\nreleases: [{name: "9", on: 9999-12-31}]\n', "policy.yaml:2:28"),
        ("policy.yaml", "extends: sev0-3\ncalendars: {business: {holidays: [0001-01-01]}}\n", "policy.yaml:2:35"),
    ],
)
def test_a_file_that_holds_one_has_a_finding_at_its_place(folder: Folder, path: str, text: str, place: str) -> None:
    folder.write(path, text)
    done = call("validate", at=folder.path)
    assert done.code == 1
    assert f"{place}" in done.out
    assert "outside the years 1970 to 9899" in done.out
