"""Every command that the pages for beginners print works as it is printed, where what it is about is there."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.canary_scene import POLICY, Source, stage
from tests.cli.scene import AT, ROOT, Folder, call

RECORDS = ROOT / "docs/records.md"
HOME = ROOT / "docs/index.md"
ID = "INC-20250126-120500"
OTHER = "INC-20250125-104507"
FILLED = {"...": "Rolled back", "120500": ID, "04567": OTHER}
STATES = {
    "new": (),
    "open": (("ack",), ("action", "add", "Test it", "--owner", "@alice", "--due", "2025-02-01")),
    "paused": (("ack",), ("pause", "--waiting-for", "vendor")),
    "resolved": (("ack",), ("resolve", "--restored", "10m", "--cause", "deploy")),
}
SERVICES = 'services: {auth: {owner: "@acme/id"}, api: {owner: "@acme/api"}, db: {owner: "@acme/db"}}\n'
"""What was done before; each command of the page is legal in one of these at least."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A repository for each state of the incident."""
    made = {}
    for name, done_before in STATES.items():
        folder = Folder(tmp_path_factory.mktemp("pages") / name, services=SERVICES)
        earlier = ("declare", "Slow", "-s", "auth", "--severity", "SEV3", "--by", "@alice")
        assert call(*earlier, at=folder.path, clock="2025-01-25T10:45:07Z").code == 0
        assert call("withdraw", "--as", "false_alarm", "--reason", "No", "--by", "@alice", at=folder.path).code == 0
        words = ("declare", "Login fails for most users", "-s", "auth", "--severity", "SEV1", "--by", "@alice")
        assert call(*words, at=folder.path, clock="2025-01-26T12:05:00Z").code == 0
        folder.commit()
        origin = folder.path.with_suffix(".git")
        folder.git("init", "-q", "--bare", "-b", "main", str(origin))
        folder.git("remote", "add", "origin", origin.as_uri())
        folder.git("push", "-q", "-u", "origin", "HEAD:main")
        with pytest.MonkeyPatch.context() as somebody:
            somebody.setenv("INCIDENT_OPS_BY", "@alice")
            for minute, command in enumerate(done_before, 20):
                assert call(*command, at=folder.path, clock=f"2025-01-26T12:{minute}:00Z").code == 0
        made[name] = folder.path
    return made


def commands(page: Path) -> Iterator[list[str]]:
    """The words of every command of a page, in code spans and in blocks; `action start AI-1` follows `action add`."""
    text = page.read_text(encoding="utf-8")
    spans = re.findall(r"`((?:incident-ops|action) [^`\n]+)`", text)
    blocks = re.findall(r"^(?:    )?(incident-ops [^\n]+)$", text, flags=re.MULTILINE)
    for line in dict.fromkeys([*spans, *blocks]):
        if "|" in line or "$(" in line:
            continue
        words = [FILLED.get(word, word) for word in shlex.split(line, comments=True)]
        yield words[1:] if words[0] == "incident-ops" else words


@pytest.mark.parametrize("words", [*commands(RECORDS), *commands(ROOT / "docs/validate.md")], ids=" ".join)
def test_a_command_of_the_pages_works_as_printed(words: list[str], scenes: dict[str, Path], tmp_path: Path) -> None:
    codes = {}
    for state, folder in scenes.items():
        there = Path(shutil.copytree(folder, tmp_path / state))
        named = [ID if re.fullmatch(r"INC-\d+", word) else word.replace("INC-12", ID) for word in words]
        codes[state] = call(*named, at=there, clock=AT)
        if codes[state].code == 0:
            return
    raise AssertionError(codes)


def test_the_page_has_commands() -> None:
    """What is looked for is found: the table, the lists and the blocks."""
    found = [" ".join(words) for words in commands(RECORDS)]
    assert len(found) >= 25
    assert {"ack", "action start AI-1", "init --replace-schemas", "validate --format json"} <= set(found)


def test_the_canary_of_the_table_runs_with_the_file_that_the_plan_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the first page says: the plan's gate file, saved under gates/, then run; only the metric source is made up."""
    row = next(line for line in HOME.read_text(encoding="utf-8").splitlines() if "canary plan" in line)
    plan, run = re.findall(r"`incident-ops (canary [^`]+)`", row)
    folder = Folder(tmp_path / "ops", policy=POLICY)
    printed = call(*shlex.split(plan), at=folder.path).out
    gate = printed
    queries = {}
    for side, track in (("canary", "canary"), ("baseline", "stable")):
        queries[f'http_requests_total{{track="{track}",code=~"5.."}}'] = f"{side}_errors"
        queries[f'http_requests_total{{track="{track}"}}'] = f"{side}_requests"
    for query, name in queries.items():
        assert query in gate
        gate = gate.replace(f"'{query}'", name)
    folder.write("gates/auth.yaml", gate)
    assert call("validate", at=folder.path).code == 0
    stage(monkeypatch, Source(rate=0.005))
    done = call(*shlex.split(run.replace("NAME", "auth")), at=folder.path, clock=None)
    assert done.code == 0, done
    assert done.out.startswith("pass")
