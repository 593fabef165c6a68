"""A run lists what changed since the last whole list, and reads the whole list before it does anything."""

from __future__ import annotations

import json
import re
import subprocess
import time
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters import clock
from incident_ops.adapters.github import issues as adapter
from incident_ops.reconcile.generated_block import owner
from tests.cli.scene import Folder
from tests.cli.test_apply_github import TRUSTED, Place
from tests.support.hosted import hosted
from tests.support.standin import PERSON_TOKEN, Standin

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"]), pytest.mark.slow]

AT = "2025-01-26T14:00:00Z"
LIFTED = ("--max-creates", "500", "--max-writes", "900", "--max-requests", "3000", "--max-closes", "500")
INCIDENTS, ITEMS = 50, 4
ISSUES = INCIDENTS * (1 + ITEMS)
CHANGED = 120


class Many(Place):
    """250 issues that are in step with their records, whose numbers are merged."""

    def requests(self, *words: str) -> tuple[str, list[str]]:
        """What a run printed, and what it asked of GitHub: its lists of issues first."""
        done = self.call(*words, "--tracker", "github", "--show-requests")
        assert done.code == 0, done
        asked = re.findall(r"^(?:GET|POST|PATCH|PUT|DELETE) \S+", done.err, re.MULTILINE)
        return done.out, asked

    def remembered(self) -> dict[str, Any]:
        """What the branch holds of the list."""
        self.folder.git("fetch", "--quiet", "origin", "incident-ops/ids")
        ((_, made),) = json.loads(self.folder.git("show", "FETCH_HEAD:lists.json")).items()
        return dict(made)

    def forget(self) -> None:
        """What is remembered is gone."""
        self.damage("{}")

    def damage(self, text: str = '{"1": {') -> None:
        """Somebody writes something else there."""
        self.folder.git("fetch", "--quiet", "origin", "incident-ops/ids")
        there = self.folder.path.parent / f"ids-{len(text)}"
        self.folder.git("worktree", "add", "--quiet", "--detach", str(there), "FETCH_HEAD")
        (there / "lists.json").write_text(text)
        subprocess.run(["git", "-C", str(there), "commit", "--quiet", "--all", "--message", "x"], check=True)
        words = ["push", "--quiet", "origin", "HEAD:refs/heads/incident-ops/ids"]
        subprocess.run(["git", "-C", str(there), *words], check=True)

    def labels_of(self, number: int) -> list[str]:
        """The labels of an issue."""
        return [one["name"] for one in self.ask("GET", f"/issues/{number}")["labels"]]

    def owners(self) -> list[str]:
        """The key of each issue, one entry an issue."""
        pages = (self.ask("GET", f"/issues?state=all&per_page=100&page={page}") for page in (1, 2, 3))
        return [key for page in pages for one in page if (key := owner(one["body"] or ""))]

    def edit(self, number: int, **fields: Any) -> None:
        """A person changes an issue in the browser."""
        self.ask("PATCH", f"/issues/{number}", fields, token=PERSON_TOKEN)


def is_whole(asked: list[str]) -> bool:
    """True where the issues were listed by their labels."""
    return any("labels=" in one for one in asked)


def pass_a_second() -> None:
    """Until whatever happens next has another second than what happened."""
    time.sleep(1.1)


@pytest.fixture
def many(tmp_path: Path, github: Standin, monkeypatch: pytest.MonkeyPatch) -> Many:
    """In step, and remembered; what happens from now on is newer than the list."""
    folder = Folder(tmp_path / "clone", policy=f"extends: sev0-3\n{TRUSTED}")
    repository = hosted(folder, github, monkeypatch)
    monkeypatch.setattr(adapter, "_OVERLAP", timedelta(seconds=-1))
    items = "".join(f"\n- {{id: AI-{n}, title: Mend part {n}, status: open}}" for n in range(1, ITEMS + 1))
    for number in range(1, INCIDENTS + 1):
        folder.put(f"INC-{number}", action_items=items)
    made = Many(folder, tmp_path / "origin.git", github, repository, AT)
    made.push("the records")
    made.ask("POST", "/labels", {"name": "people", "color": "ededed"})
    assert made.call("apply", "--tracker", "github", *LIFTED).code == 0
    (pull,) = made.ask("GET", "/pulls?state=open")
    folder.git("fetch", "--quiet", "origin", pull["head"]["ref"])
    folder.git("merge", "--quiet", "--squash", "FETCH_HEAD")
    made.push(pull["title"])
    made.ask("PATCH", f"/pulls/{pull['number']}", {"state": "closed"})
    made.requests("apply")  # takes the branch of the proposal away
    made.forget()
    pass_a_second()
    out, asked = made.requests("apply")
    assert out.startswith("Nothing to do")
    assert is_whole(asked)
    assert len(asked) <= 3 + ceil(ISSUES / 100), asked
    assert len(made.remembered()["issues"]) == ISSUES
    pass_a_second()
    return made


def test_a_run_that_finds_nothing_lists_what_changed(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    """3 requests and one for each hundred that changed; each day, and before anything is done, all are listed."""
    out, asked = many.requests("apply")
    assert out.startswith("Nothing to do")
    assert not is_whole(asked), asked
    assert len(asked) <= 3, asked
    before = many.folder.git("ls-remote", "origin", "incident-ops/ids")
    for number in range(1, CHANGED + 1):
        many.edit(number, labels=[*many.labels_of(number), "people"])
    out, asked = many.requests("apply")
    assert out.startswith("Nothing to do")
    assert not is_whole(asked), asked
    assert len(asked) <= 3 + ceil(CHANGED / 100), asked
    assert many.folder.git("ls-remote", "origin", "incident-ops/ids") == before, "nothing is written"

    many.edit(7, title="Renamed by people")
    many.edit(8, labels=["people"])
    out, asked = many.requests("apply")
    assert "2 done" in out or out.count("#") >= 2, out
    assert is_whole(asked), "before anything is done all are listed"
    assert many.ask("GET", "/issues/7")["title"] != "Renamed by people"
    assert len(many.labels_of(8)) > 1

    pass_a_second()
    many.folder.put("INC-99")
    many.push("one more")
    out, asked = many.requests("apply")
    first_list = next(at for at, one in enumerate(asked) if "labels=" in one)
    assert first_list < asked.index(next(one for one in asked if one.startswith("POST")))
    assert [key for key in many.owners() if key == "INC-99"] == ["INC-99"]

    pass_a_second()
    many.folder.git("fetch", "--quiet", "origin", "incident-ops/numbers")
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=25)
    assert not is_whole(many.requests("plan")[1])
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: later)
        assert is_whole(many.requests("plan")[1]), "once a day"
    assert is_whole(many.requests("plan", "--save-observed", "seen.json")[1]), "a snapshot has everything"
    many.damage()
    out, asked = many.requests("plan")
    assert out.startswith("Nothing to do")
    assert is_whole(asked), "what cannot be read is not remembered"
