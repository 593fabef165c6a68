"""Names that nobody knows in what holds deploys: gate check is inconclusive, validate says where and what was meant."""

from __future__ import annotations

import pytest

from tests.cli.scene import CLOSED, Folder
from tests.cli.scene import call_merged as call

POLICY = "extends: sev0-3\ngate: {environments: [staging]}\n"
FREEZE = "name: x\nreason: books\nfrom: 2025-01-26T12:00:00Z\n"
WINDOW = (
    "id: CHG-2025-0001\ntitle: Upgrade\nstatus: approved\nservices: [databse]\n"
    "window: {zone: Etc/UTC, from: 2025-01-26T13:00:00, until: 2025-01-26T15:00:00}\n"
)
NEEDS = 'services:\n  api: {owner: "@team", depends_on: [wbe]}\n  web: {owner: "@team"}\n'


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTOR", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("path", "text", "place", "words"),
    [
        ("freezes/x.yaml", FREEZE + "services: [ap]\n", "4:12", "service 'ap' is not in services.yaml"),
        ("freezes/x.yaml", FREEZE + "environments: [stagng]\n", "4:16", "environment 'stagng' is not in policy gate"),
        ("maintenance/CHG-2025-0001.yaml", WINDOW, "4:12", "service 'databse' is not in services.yaml"),
        ("services.yaml", NEEDS, "2:38", "service 'wbe' is not in services.yaml"),
    ],
)
def test_an_unknown_name_is_no_yes(folder: Folder, path: str, text: str, place: str, words: str) -> None:
    folder.write("policy.yaml", POLICY)
    folder.write(path, text)
    done = call("gate", "check", "-s", "api", at=folder.path)
    assert (done.code, "inconclusive" in done.out) == (3, True), done
    assert words in " ".join(done.out.split())
    found = call("validate", at=folder.path)
    assert found.code == 1, found
    assert f"{path}:{place}" in found.out
    assert words in found.out
    if path != "maintenance/CHG-2025-0001.yaml":
        assert "did you mean" in found.out


def test_an_open_incident_on_an_unknown_service_may_be_about_this_one(folder: Folder) -> None:
    folder.put(services="[Api]")
    done = call("gate", "check", "-s", "api", at=folder.path)
    assert done.code == 3
    assert "did you mean api?" in done.out
    folder.put(services="[Api]", **CLOSED)
    assert call("gate", "check", "-s", "api", at=folder.path).code == 0


def test_what_is_over_or_not_begun_is_in_nobodys_way(folder: Folder) -> None:
    """What is over is no finding, for services go; what lies ahead is one while there is time."""
    folder.write("freezes/x.yaml", FREEZE + "services: [ap]\nuntil: 2025-01-26T13:00:00Z\n")
    assert call("gate", "check", "-s", "api", at=folder.path).code == 0
    assert call("validate", at=folder.path).code == 0
    folder.write("freezes/x.yaml", FREEZE.replace("T12", "T20") + "services: [ap]\n")
    assert call("gate", "check", "-s", "api", at=folder.path).code == 0
    assert call("validate", at=folder.path).code == 1
    folder.write("freezes/x.yaml", FREEZE.replace("T12", "T20") + "environments: [staging]\n")
    folder.write("policy.yaml", POLICY)
    assert call("validate", at=folder.path).code == 0
    assert call("gate", "check", "-s", "api", "-e", "staging", at=folder.path).code == 0


def test_what_one_service_needs_is_in_no_other_services_way(folder: Folder) -> None:
    folder.write("services.yaml", NEEDS)
    assert call("gate", "check", "-s", "api", at=folder.path).code == 3
    assert call("gate", "check", "-s", "web", at=folder.path).code == 0
