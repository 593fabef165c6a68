"""Records, freezes and windows count at whatever depth they lie; a name that is nearly one of ours is a finding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.scene import Folder, as_json, record
from tests.cli.scene import call_merged as call

FREEZE = "name: x\nreason: books\nfrom: 2025-01-26T12:00:00Z\n"
WINDOW = (
    "id: CHG-2025-0001\ntitle: Upgrade\nstatus: approved\nservices: [api]\n"
    "window: {zone: Etc/UTC, from: 2025-01-26T13:00:00, until: 2025-01-26T15:00:00}\n"
)
HELD = 3


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTOR", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("git", [True, False])
@pytest.mark.parametrize(
    ("path", "text", "shown"),
    [
        ("incidents/2025/INC-1/incident.yaml", record(), "INC-1"),
        ("incidents/2025/q1/INC-1/incident.yaml", record(), "INC-1"),
        ("freezes/2025/x.yaml", FREEZE, "books"),
        ("freezes/2025/q1/x.yaml", FREEZE, "books"),
        ("maintenance/2025/CHG-2025-0001.yaml", WINDOW, "Upgrade"),
    ],
)
def test_a_deeper_folder_is_as_good(tmp_path: Path, git: bool, path: str, text: str, shown: str) -> None:
    folder = Folder(tmp_path / "repo", git=git)
    folder.write(path, text)
    found = call("validate", at=folder.path)
    assert (found.code, "3 files checked" in found.out) == (0, True), found
    assert shown in call("gate", "check", "-s", "api", at=folder.path).out
    done = call("gate", "check", "-s", "api", at=folder.path)
    assert (done.code, shown in done.out) == (HELD, True), done


@pytest.mark.parametrize("committed", [True, False])
def test_an_incident_in_a_deeper_folder_is_worked_on_as_any_other(folder: Folder, committed: bool) -> None:
    folder.write("incidents/2025/INC-1/incident.yaml", record())
    if committed:
        folder.commit()
    assert "INC-1" in {one["incident"] for one in as_json(folder, "sla", "check")["clocks"]}
    assert any(change["key"] == "INC-1" for change in as_json(folder, "plan")["changes"])
    assert "Login fails" in call("show", "INC-1", at=folder.path).out
    done = call("ack", "INC-1", "--by", "@alice", at=folder.path)
    assert done.code == 0, done
    assert "acknowledged" in (folder.path / "incidents/2025/INC-1/incident.yaml").read_text()
    assert call("render", "INC-1", at=folder.path).code == 0
    assert (folder.path / "incidents/2025/INC-1/incident.md").exists()
    assert call("validate", "incidents/2025", at=folder.path).code == 0
    assert not (folder.path / "incidents/INC-1").exists()


def test_two_records_of_one_id_are_one_too_many(folder: Folder) -> None:
    folder.put()
    folder.write("incidents/2025/INC-1/incident.yaml", record())
    found = call("validate", at=folder.path)
    assert (found.code, "id-unique" in found.out) == (1, True)


def test_a_folder_that_is_not_named_after_the_id_is_a_finding(folder: Folder) -> None:
    folder.write("incidents/2025/INC-2/incident.yaml", record())
    found = call("validate", at=folder.path)
    assert (found.code, "id-folder" in found.out) == (1, True)
    assert call("gate", "check", "-s", "api", at=folder.path).code == HELD


def test_a_deeper_freeze_is_lifted_by_its_name(folder: Folder) -> None:
    folder.write("freezes/2025/x.yaml", FREEZE)
    assert call("unfreeze", "x", at=folder.path).code == 0
    assert "until" in (folder.path / "freezes/2025/x.yaml").read_text()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Incidents/INC-1/incident.yaml", record()),
        ("incident/INC-1/incident.yaml", record()),
        ("incidents/INC-1/incident.yml", record()),
        ("incidents/2025/INC-1/Incident.yaml", record()),
        ("incidents/INC-1/incident.json", json.dumps({"id": "INC-1"})),
        ("incidents/INC-1.json", json.dumps({"id": "INC-1"})),
        ("incidents/2025/INC-1.yaml", record()),
        ("incidents/INC-1/INC-1.yaml", record()),
        ("Freezes/x.yaml", FREEZE),
        ("freeze/x.yaml", FREEZE),
        ("freezes/x.yml", FREEZE),
        ("freezes/x.json", json.dumps({"name": "x", "reason": "books", "from": "2025-01-26T12:00:00Z"})),
        ("freezes/xmas", FREEZE),
        ("freezes/2025/xmas", FREEZE),
        ("freezes/2025.q1/xmas", json.dumps({"name": "xmas", "reason": "books", "from": "2025-01-26T12:00:00Z"})),
        ("maintenance/CHG-2025-0001", WINDOW),
        ("deploy-freezes/x.yaml", FREEZE),
        ("deploy_freeze/2025/x.yml", FREEZE),
        ("freezes-2025/x.yaml", FREEZE),
        ("Planned-Maintenance/x.yaml", WINDOW),
        ("incident-records/INC-1.yaml", record()),
        ("freezes", "somebody's notes\n"),
        ("freezes", FREEZE),
        ("incidents", "somebody's notes\n"),
        ("Maintenance/CHG-2025-0001.yaml", WINDOW),
        ("maintenance/CHG-2025-0001.yml", WINDOW),
    ],
)
@pytest.mark.parametrize("git", [True, False])
def test_a_name_that_is_nearly_one_of_ours_is_no_yes(tmp_path: Path, git: bool, path: str, text: str) -> None:
    folder = Folder(tmp_path / "repo", git=git)
    folder.write(path, text)
    found = call("validate", at=folder.path)
    assert found.code == 1, found
    assert path.split("/")[0] in found.out
    assert "fix: " in found.out
    if path.endswith("xmas"):
        assert f"rename it to {path}.yaml" in found.out
    assert call("gate", "check", "-s", "api", at=folder.path).code == HELD


@pytest.mark.parametrize("path", ["freezes", "Freezes", "incidents", "freezes/2025", "maintenance", "incidents/2025"])
@pytest.mark.parametrize("git", [True, False])
def test_a_link_in_place_of_a_folder_is_no_yes(tmp_path: Path, git: bool, path: str) -> None:
    folder = Folder(tmp_path / "repo", git=git)
    (folder.path / path).parent.mkdir(exist_ok=True)
    (folder.path / path).symlink_to("nowhere")
    assert call("validate", at=folder.path).code == 1
    assert call("gate", "check", "-s", "api", at=folder.path).code == HELD


def test_what_has_nothing_to_do_with_records_is_in_nobodys_way(folder: Folder) -> None:
    folder.write("freeze/main.go", "package freeze\n")
    folder.write("freezes/README.md", "How we freeze\n")
    folder.write("incidents/README.md", "How we work\n")
    folder.write("freezes/README", "How we freeze: from: time to time\n")
    folder.write("freezes/.gitkeep", "")
    folder.write("incident-tools/compose.yaml", "services:\n  api:\n    image: x\n")
    folder.write("maintenance-jobs/job.yaml", "name: x\nreason: none\n")
    folder.put(services="[web]")
    folder.write("incidents/INC-1/attachments/graph.json", "{}")
    folder.write("incidents/INC-1/attachments/INC-2.yaml", "{}")
    folder.write("incidents/INC-1/INC-1.json", "{}")
    (folder.path / "incidents/INC-1/notes").symlink_to("README.md")
    assert call("validate", at=folder.path).code == 0
    assert call("gate", "check", "-s", "api", at=folder.path).code == 0
