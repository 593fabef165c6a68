"""`declare --key`: a program that says the same thing again, from another checkout too, makes no second incident."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.scene import Done, Folder, call
from tests.cli.test_send import Team
from tests.cli.test_send_github import OnGitHub, hub

__all__ = ["hub"]
pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
KEY = "acme/shop run 7: api"
WORDS = ("declare", "Nightly import failed", "-s", "api", "--severity", "SEV2", "--by", "@bot", "--key", KEY)


def declare(place: Folder, *more: str, clock: str = "2025-01-26T14:00:00Z", **variables: str) -> Done:
    return call(*WORDS, *more, at=place.path, clock=clock, **variables)


def declared(place: Folder) -> list[str]:
    return sorted(folder.name for folder in (place.path / "incidents").iterdir() if folder.name != "INC-1")


def test_the_same_key_makes_one_incident_while_it_is_open(folder: Folder) -> None:
    """The record names the key; another key and the end of the first make another one."""
    first = json.loads(declare(folder, "--format", "json").out)
    text = (folder.path / first["path"]).read_text()
    assert f'source:\n  system: pipeline\n  dedup_key: "{KEY}"\n' in text
    assert (first["known"], first["undo"]) == (False, f"incident-ops undo {first['incident']}")
    again = declare(folder, clock="2025-01-26T15:00:00Z")
    assert again.code == 0
    assert again.out.splitlines()[0] == f"{first['incident']}: declared already under this key: Nightly import failed"
    assert "undo" not in again.out
    told = json.loads(declare(folder, "--format", "json").out)
    assert (told["incident"], told["known"], told["undo"]) == (first["incident"], True, None)
    assert (folder.path / first["path"]).read_text() == text
    assert len(declared(folder)) == 1
    other = (*WORDS[:-1], "acme/shop run 8: api")
    assert call(*other, at=folder.path, clock="2025-01-26T15:00:00Z").code == 0
    withdrawn = ("withdraw", first["incident"], "--as", "false_alarm", "--reason", "a test", "--by", "@a")
    assert call(*withdrawn, at=folder.path, clock="2025-01-26T15:10:00Z").code == 0
    assert declare(folder, clock="2025-01-26T16:00:00Z").code == 0
    assert len(declared(folder)) == 3


def test_a_key_that_no_record_takes_is_refused(folder: Folder) -> None:
    done = call(*WORDS[:-1], "two\nlines", at=folder.path)
    done.told_once(2, "dedup_key")
    assert not (folder.path / "incidents").exists() or declared(folder) == []


def test_a_second_checkout_finds_it_before_and_after_its_merge(hub: OnGitHub, tmp_path: Path) -> None:
    """One branch and one pull request, whose address each of the two gives to its step."""
    outputs = []
    for number, clock in enumerate(("2025-01-26T14:00:00Z", "2025-01-26T14:10:00Z")):
        step = {"GITHUB_OUTPUT": str(tmp_path / f"out{number}"), "GITHUB_STEP_SUMMARY": str(tmp_path / f"sum{number}")}
        done = declare(hub.clone(f"job{number}", "--depth", "1"), "--send", clock=clock, **step)
        assert done.code == 0, done
        outputs.append((tmp_path / f"out{number}").read_text())
        summary = (tmp_path / f"sum{number}").read_text()
        assert summary.startswith("## INC-20250126-140000: Nightly import failed\n")
    (pull,) = hub.pulls()
    assert pull["head"]["ref"] == "incident-ops/declare/INC-20250126-140000"
    for text in outputs:
        for value in ("INC-20250126-140000", pull["head"]["ref"], pull["html_url"]):
            assert f"\n{value}\n" in text
    assert f"[Pull request #{pull['number']}](<" in summary or pull["html_url"] in summary
    hub.merge(pull["head"]["ref"])
    third = hub.clone("job3", "--depth", "1")
    told = json.loads(declare(third, "--send", "--format", "json").out)
    assert (told["incident"], told["known"], told["send"]["sent"]) == ("INC-20250126-140000", True, True)
    assert len(hub.pulls("all")) == 1


def test_a_remote_that_does_not_answer_keeps_nobody_from_declaring(tmp_path: Path) -> None:
    """It is written, and said that it was not sent and may be the second one; the code is not 0."""
    team = Team(tmp_path)
    place = team.clone()
    team.bare.rename(tmp_path / "away.git")
    summary, output = tmp_path / "summary", tmp_path / "output"
    done = declare(place, "--send", GITHUB_STEP_SUMMARY=str(summary), GITHUB_OUTPUT=str(output))
    assert done.code == 4, done
    assert "unknown whether this is declared already" in done.err
    (name,) = declared(place)
    assert done.err.count(f"::error title={name} was not sent::") == 1
    assert f"\n{name}\n" in output.read_text()
    assert "not done: " in summary.read_text()
