"""examples/stories: public postmortems written by commands only; each table here is written from its source."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from incident_ops.documents.incident_facts import intervals
from incident_ops.domain.incident import Incident
from incident_ops.records.index import to_record
from incident_ops.records.yaml_reader import Document, read_yaml
from tests.cli.scene import call
from tests.cli.test_pages import commands

STORIES = Path(__file__).resolve().parents[2] / "examples" / "stories"
RECORDER = """#!/bin/sh
for word in "$@"; do printf '%s\\0' "$word"; done >> "$RECORDED"
printf '\\1\\0' >> "$RECORDED"
"""
"""Stands in for the program while the shell reads a script: it writes down how it was called."""


class Story(NamedTuple):
    """What a source says: the times of each service, the public status from each time on, lengths in seconds, times."""

    id: str
    services: dict[str, list[tuple[str, str, str]]]
    unhurt: tuple[str, ...]
    public: list[tuple[str, str]]
    lengths: dict[str, int]
    times: dict[str, str]
    contributing: int
    items: int
    shown_code: str


CLOUDFLARE = Story(
    id="INC-20251118-113500",
    services={
        "cdn": [("major", "11-18T11:20:00", "11-18T14:30:00"), ("degraded", "11-18T14:30:00", "11-18T17:06:00")],
        "bot-management": [
            ("major", "11-18T11:20:00", "11-18T14:30:00"),
            ("degraded", "11-18T14:30:00", "11-18T17:06:00"),
        ],
        "turnstile": [("major", "11-18T11:20:00", "11-18T14:30:00")],
        "workers-kv": [
            ("major", "11-18T11:20:00", "11-18T13:05:00"),
            ("degraded", "11-18T13:05:00", "11-18T14:30:00"),
        ],
        "dashboard": [
            ("partial", "11-18T11:30:00", "11-18T13:10:00"),
            ("partial", "11-18T14:40:00", "11-18T15:30:00"),
        ],
        "access": [("major", "11-18T11:20:00", "11-18T13:05:00")],
        "warp": [("partial", "11-18T13:04:09", "11-18T13:13:39")],
    },
    unhurt=("email-security",),
    public=[
        ("2025-11-18T11:48:27Z", "investigating"),
        ("2025-11-18T12:21:58Z", "investigating"),
        ("2025-11-18T13:04:09Z", "investigating"),
        ("2025-11-18T13:09:53Z", "identified"),
        ("2025-11-18T13:13:39Z", "identified"),
        ("2025-11-18T14:42:37Z", "monitoring"),
        ("2025-11-18T17:44:58Z", "monitoring"),
        ("2025-11-18T19:28:00Z", "resolved"),
    ],
    lengths={"Impact": 20760, "Time to detect": 660, "Time to acknowledge": 60, "Time to restore": 20100},
    times={"mitigated": "2025-11-18T14:30:00Z", "diagnosed": "2025-11-18T13:37:00Z"},
    contributing=6,
    items=4,
    shown_code="```sql\n-- No database is named",
)
GITLAB = Story(
    id="INC-20170131-180000",
    services={
        "web": [
            ("degraded", "01-31T18:00:00", "01-31T21:00:00"),
            ("partial", "01-31T21:00:00", "01-31T23:27:00"),
            ("major", "01-31T23:27:00", "02-01T17:00:00"),
        ],
        "database": [("major", "01-31T23:27:00", "02-01T17:00:00")],
        "webhooks": [("major", "01-31T23:27:00", "02-01T18:00:00")],
    },
    unhurt=(),
    public=[],
    lengths={"Impact": 86400, "Time to restore": 86400},
    times={"mitigated": "2017-02-01T17:00:00Z", "verified": "2017-02-01T18:00:00Z"},
    contributing=10,
    items=13,
    shown_code="```diff\n-max_connections = 8000\n+max_connections = 2000\n",
)
GITHUB = Story(
    id="INC-20181021-230900",
    services={
        "site": [("partial", "10-21T22:52:00", "10-22T11:12:00"), ("degraded", "10-22T11:12:00", "10-22T16:24:00")],
        "mysql": [("major", "10-21T22:52:00", "10-22T11:12:00"), ("degraded", "10-22T11:12:00", "10-22T16:24:00")],
        "webhooks": [("major", "10-21T23:19:00", "10-22T16:45:00"), ("degraded", "10-22T16:45:00", "10-22T23:03:00")],
        "pages": [("major", "10-21T23:19:00", "10-22T16:45:00"), ("degraded", "10-22T16:45:00", "10-22T23:03:00")],
    },
    unhurt=(),
    public=[
        ("2018-10-21T23:09:00Z", "investigating"),
        ("2018-10-21T23:13:00Z", "investigating"),
        ("2018-10-22T00:05:00Z", "identified"),
        ("2018-10-22T06:51:00Z", "identified"),
        ("2018-10-22T07:46:00Z", "identified"),
        ("2018-10-22T16:24:00Z", "monitoring"),
        ("2018-10-22T23:03:00Z", "resolved"),
    ],
    lengths={"Impact": 24 * 3600 + 11 * 60, "Time to detect": 120},
    times={"mitigated": "2018-10-22T11:12:00Z", "verified": "2018-10-22T23:03:00Z"},
    contributing=4,
    items=5,
    shown_code="```text\nbefore   applications (East)",
)
SOURCES = {"cloudflare-2025-11-18": CLOUDFLARE, "gitlab-2017-01-31": GITLAB, "github-2018-10-21": GITHUB}


class Written(NamedTuple):
    """A story, and the repository that its script has written."""

    story: Story
    path: Path

    @property
    def incident(self) -> Incident:
        file = self.path / "incidents" / self.story.id / "incident.yaml"
        document = read_yaml(file.read_text(encoding="utf-8"), "incident.yaml")
        assert isinstance(document, Document)
        return to_record("incident.yaml", document.data).incident

    def shown(self, at: str) -> dict[str, Any]:
        """What `show` says of the time `at`."""
        done = call("show", self.story.id, "--format", "json", at=self.path, clock=at)
        assert done.code == 0, done
        data: dict[str, Any] = json.loads(done.out)
        return data


@pytest.fixture(scope="module", params=sorted(SOURCES))
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The shell reads the script; the commands that come of it are run here, in this process, in the same order."""
    folder = tmp_path_factory.mktemp("story")
    stand_in = folder / "bin" / "incident-ops"
    stand_in.parent.mkdir()
    stand_in.write_text(RECORDER, encoding="utf-8")
    stand_in.chmod(0o755)
    recorded = folder / "recorded"
    env = {**os.environ, "PATH": f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}", "RECORDED": str(recorded)}
    subprocess.run(["sh", str(STORIES / "run.sh"), str(folder / "repo"), request.param], env=env, check=True)
    for words in recorded.read_text(encoding="utf-8").split("\1\0"):
        if words:
            done = call(*words.removesuffix("\0").split("\0"), at=folder / "repo", clock=None)
            assert done.code == 0, (words.split("\0"), done)
    return Written(SOURCES[request.param], folder / "repo")


def test_validate_finds_no_error_and_no_warning(written: Written) -> None:
    """Its notes, about action items that nobody owns, are explained in the page of the stories."""
    done = call("validate", at=written.path, clock=None)
    assert done.code == 0, done
    assert ": warning:" not in done.out
    assert done.out.count(": note:") == written.story.items
    assert done.out.count("item-complete") == written.story.items


def test_each_service_was_hurt_when_the_source_says_so(written: Written) -> None:
    year = written.story.id[4:8]
    found: dict[str, list[tuple[str, str, str]]] = {}
    for one in written.incident.impact.services:
        assert one.end is not None
        found.setdefault(one.service, []).append((one.degree, one.start, one.end))
    assert found == {
        name: [(degree, f"{year}-{begin}Z", f"{year}-{end}Z") for degree, begin, end in times]
        for name, times in written.story.services.items()
    }
    assert set(written.incident.services) == {*found, *written.story.unhurt}


def test_the_public_status_over_time_is_that_of_the_source(written: Written) -> None:
    updates = [(one.at, one.status) for one in written.incident.updates if one.audience == "public"]
    assert updates == written.story.public
    for at, status in written.story.public:
        assert written.shown(at)["public_status"] == status, at


def test_the_lengths_follow_from_the_times_of_the_source(written: Written) -> None:
    found = {one.name: one.seconds for one in intervals(written.incident)}
    assert {name: found[name] for name in written.story.lengths} == written.story.lengths
    for name, at in written.story.times.items():
        assert getattr(written.incident.times, name) == at


def test_causes_and_what_followed_are_all_there(written: Written) -> None:
    incident = written.incident
    assert incident.cause is not None
    assert incident.resolution is not None
    assert len(incident.cause.contributing) == written.story.contributing
    assert all((incident.cause.what, incident.cause.why, incident.cause.where, incident.cause.trigger))
    assert incident.resolution.immediate
    assert len(incident.action_items) == written.story.items
    assert "Postmortem" in [link.name for link in incident.links.others]


def test_the_postmortem_has_its_story_and_only_owners_are_missing(written: Written) -> None:
    """The originals name none; what the postmortem lint warns of follows from that, and never from the words."""
    done = call("render", written.story.id, at=written.path, clock=None)
    assert done.code == 0, done
    text = (written.path / "incidents" / written.story.id / "postmortem.md").read_text(encoding="utf-8")
    missing = f"the owner of {written.story.items} action items."
    assert f"> **Draft.** Still to be written: {missing}" in text
    for heading in ("What happened?", "What happened in detail", "What went well?", "What went poorly?", "Conclusion"):
        assert f"\n## {heading}\n" in text
    assert text.count(written.story.shown_code) == 1
    linted = call("postmortem", "lint", written.story.id, "--format", "json", at=written.path, clock=None)
    rules = {one["rule"] for paper in json.loads(linted.out)["postmortems"] for one in paper["findings"]}
    assert "action-owner" in rules
    assert rules <= {"action-owner", "action-link", "part-impact", "part-runbook", "part-communication"}


def test_the_timeline_is_in_order(written: Written) -> None:
    instants = [one.at for one in written.incident.timeline]
    assert instants == sorted(instants)


@pytest.mark.parametrize("written", ["gitlab-2017-01-31"], indirect=True)
def test_gitlabs_incident_is_another_one_by_midnight(written: Written) -> None:
    evening, night = written.shown("2017-01-31T20:00:00Z"), written.shown("2017-01-31T23:40:00Z")
    assert (evening["severity"], evening["services"]) == ("SEV2", ["web"])
    assert evening["title"] == "Spammers create snippets: the database is unstable"
    assert written.shown("2017-01-31T21:30:00Z")["severity"] == "SEV1"
    assert (night["severity"], night["services"]) == ("SEV0", ["web", "database", "webhooks"])
    assert night["title"] == "GitLab.com is down: its production database was removed"


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_script_writes_by_commands_alone_and_has_its_row_in_the_page(name: str) -> None:
    script = (STORIES / f"{name}.sh").read_text(encoding="utf-8")
    assert "yaml" not in script
    assert f"({name}.sh)" in (STORIES / "README.md").read_text(encoding="utf-8")


def test_a_story_that_is_not_there_is_refused(tmp_path: Path) -> None:
    run: Callable[..., Any] = subprocess.run
    done = run(["sh", str(STORIES / "run.sh"), str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, "usage" in done.stderr) == (2, True)


@pytest.mark.parametrize("written", ["cloudflare-2025-11-18"], indirect=True)
def test_the_lines_of_the_page_work_as_printed(written: Written, tmp_path: Path) -> None:
    """They are about the story that its first line writes."""
    page = STORIES / "README.md"
    assert "\n    examples/stories/run.sh /tmp/story cloudflare-2025-11-18 " in page.read_text(encoding="utf-8")
    now, then, rendered = commands(page)
    there = Path(shutil.copytree(written.path, tmp_path / "repo"))
    done = [call(*words, at=there, clock=None) for words in (now, then, rendered)]
    assert [one.code for one in done] == [0, 0, 0], done
    assert done[0].out.startswith(f"{CLOUDFLARE.id}  SEV0  resolved")
    assert done[1].out.startswith(f"{CLOUDFLARE.id}  SEV0  in progress")
    assert (there / "incidents" / CLOUDFLARE.id / "postmortem.md").is_file()
