"""What `declare` prints: who knows of it by now, what comes next, and an error that names no file nobody wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.scene import AT, Folder, call
from tests.support.origin import Origin
from tests.support.repository import SERVICES

ID = "INC-20250126-140000"
ARGS = ("declare", "Login fails", "-s", "api", "--severity", "SEV1")


def test_it_says_that_nobody_has_been_notified_yet_and_what_does_it(origin: Origin) -> None:
    """The command does what it says: the record is on the remote."""
    repo = origin.clone()
    repo.write("policy.yaml", "extends: sev0-3\n")
    repo.write("services.yaml", SERVICES)
    done = call(*ARGS, at=repo.root)
    assert done.code == 0
    lines = done.out.splitlines()
    place = lines.index("  nobody has been notified yet: that follows once the record is merged")
    step = lines[place + 1].removeprefix("  next: ")
    assert step == f"incident-ops send {ID}"
    assert call("send", ID, at=repo.root).code == 0
    assert f"id: {ID}" in origin.show(f"incident-ops/declare/{ID}", f"incidents/{ID}/incident.yaml")


def test_without_a_remote_it_names_the_command_that_notifies_from_here(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_CHAT", "json://localhost")
    done = call(*ARGS, at=folder.path)
    lines = done.out.splitlines()
    place = lines.index("  nobody has been notified yet")
    assert lines[place + 1] == f"  next: incident-ops notify {ID} --mark declared"
    told = json.loads(call(*ARGS, "--format", "json", at=folder.path).out)
    assert told["next"][0] == "incident-ops notify INC-20250126-140001 --mark declared"
    assert told["next"][1] == "incident-ops ack INC-20250126-140001"


def test_without_a_remote_and_a_channel_it_offers_no_command_that_would_fail(folder: Folder) -> None:
    done = call(*ARGS, at=folder.path)
    assert "  nobody has been notified: no remote and no notification channel is set up here\n" in done.out
    assert "incident-ops notify" not in done.out


def test_a_runbook_is_offered_only_where_there_is_one(folder: Folder) -> None:
    folder.write(
        "services.yaml", 'services:\n  api: {owner: "@team"}\n  web: {owner: "@team", runbook: "https://a.example/w"}\n'
    )
    args = ("declare", "x", "-s", "api", "-s", "web", "--severity", "SEV1")
    assert "runbook of api" not in call(*args, at=folder.path).out
    folder.write("runbooks/api.md", "# Restart it\n")
    out = call(*args, at=folder.path).out
    assert "  next: runbook of api: runbooks/api.md\n" in out
    assert "  next: runbook of web: https://a.example/w\n" in out


def test_the_document_names_no_runbook_that_is_not_there(folder: Folder) -> None:
    folder.put()
    call("render", at=folder.path)
    text = (folder.path / "incidents/INC-1/incident.md").read_text()
    assert "- [ ] Work through the runbook: none is written yet\n" in text
    folder.write("runbooks/api.md", "# Restart it\n")
    call("render", at=folder.path)
    assert (
        "- [ ] Work through the runbook: runbooks/api.md\n" in (folder.path / "incidents/INC-1/incident.md").read_text()
    )


def test_an_error_names_no_file_that_was_not_written(folder: Folder) -> None:
    """The level is wrong, not a file."""
    for bad in (("--severity", "SEV9"), ("--severity", "SEV1", "--started", "2025-01-26T15:00:00Z")):
        done = call("declare", "x", "-s", "api", *bad, at=folder.path, clock=AT)
        done.told_once(2, "error: nothing was written: ")
        assert ".yaml" not in done.err
    assert not Path(folder.path / "incidents").exists()


@pytest.mark.parametrize(
    ("preset", "option", "word", "said"),
    [
        ("itil-p1-p4", "--severity", "P1", "P1 is a priority here, not a severity (--priority P1)"),
        ("itil-p1-p4", "--severity", "p1", "P1 is a priority here, not a severity (--priority P1)"),
        ("sev0-3", "--priority", "SEV1", "SEV1 is a severity here, not a priority (--severity SEV1)"),
        ("itil-p1-p4", "--severity", "SEV-1", "No priority is given (--priority P1|P2|P3|P4"),
    ],
)
def test_a_level_given_by_the_other_option_is_known(
    tmp_path: Path, preset: str, option: str, word: str, said: str
) -> None:
    """At night `--severity P1` is typed where P1 is a priority: the answer is the option to type."""
    folder = Folder(tmp_path / "repo", policy=f"extends: {preset}\n")
    done = call("declare", "Login fails", "-s", "api", option, word, "--by", "@a", at=folder.path)
    done.told_once(2, "how bad is it?", said)
