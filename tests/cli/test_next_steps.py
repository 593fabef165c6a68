"""`next:` leads from the declaration to the end: whoever types each line ends with a record that says all of it."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.scene import Done, Folder, call
from tests.support.typing import at_terminal

pytestmark = pytest.mark.usefixtures("somebody")

START = datetime(2025, 1, 26, 12, 5, tzinfo=UTC)
FILLED_IN = {"...": "A release rejected tokens", "@who": "@alice", "N": "5000", "WHEN": "2025-01-26T12:00:00Z"}
ANSWERS = {"resolve": "now\ndeploy\n"}
"""What a person types where a line leaves something open, and at the questions of a command."""


def next_lines(printed: str) -> list[str]:
    """The commands that a run names as the next ones."""
    return re.findall(r"^\s*next: (incident-ops .*?)\r?$", printed, re.M)


def typed(folder: Folder, line: str, minute: int) -> str:
    """Types a line, its placeholders filled in; it must succeed -> what was printed. Questions need a terminal."""
    line = line.replace("--approved-by @who", "--approved-by @bob")  # nobody approves what they wrote
    words = [FILLED_IN.get(word, word) for word in shlex.split(line)][1:]
    clock = f"{START + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"
    if words[0] in ANSWERS:
        return at_terminal(folder.path, *words, clock=clock, answers=ANSWERS[words[0]])
    done = call(*words, at=folder.path, clock=clock)
    assert done.code == 0, (line, done)
    return done.out


def follow(folder: Folder, *declared: str, policy: str) -> tuple[str, list[str]]:
    """Declares, then types every line that comes next, each once -> (the id, all that was typed)."""
    folder.write("policy.yaml", policy)
    first = call("declare", "Login fails", "-s", "api", *declared, at=folder.path, clock=f"{START:%Y-%m-%dT%H:%M:%SZ}")
    assert first.code == 0, first
    name = first.out.partition(":")[0]
    waiting, done = next_lines(first.out), list[str]()
    while waiting:
        line = waiting.pop(0)
        if line in done:
            continue
        done.append(line)
        printed = typed(folder, line, 2 * len(done))
        assert len(next_lines(printed)) <= 4, printed
        waiting += [one for one in next_lines(printed) if one not in waiting]
        assert len(done) < 20, done
    return name, done


def rendered(folder: Folder, name: str) -> str:
    done = call("render", name, at=folder.path, clock="2025-01-27T12:00:00Z")
    assert done.code == 0, done
    return "".join(
        (folder.path / "incidents" / name / document).read_text(encoding="utf-8")
        for document in ("incident.md", "postmortem.md")
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "declared"),
    [
        ("extends: sev0-3\n", ("--severity", "SEV1")),
        ("extends: sev0-3\n", ("--severity", "SEV3")),
        ("extends: itil-p1-p4\n", ("--priority", "P1", "--severity", "SEV-1")),
        ("extends: sev1-3\n", ("--severity", "SEV-1")),
        ("extends: p0-p3\n", ("--severity", "P0")),
    ],
    ids=lambda one: one if isinstance(one, str) else one[-1],
)
def test_whoever_follows_every_line_ends_with_a_whole_record(
    folder: Folder, policy: str, declared: tuple[str, ...]
) -> None:
    name, done = follow(folder, *declared, policy=policy)
    documents = rendered(folder, name)
    for unsaid in ("**Duration:** unknown", "**Users affected:** unknown", "_Not known yet._"):
        assert unsaid not in documents, done
    resolution = documents.partition("## Resolution")[2].partition("##")[0]
    assert "Immediate" in resolution, (done, resolution)
    record = (folder.path / f"incidents/{name}/incident.yaml").read_text(encoding="utf-8")
    assert "state: closed" in record, done
    assert any(line.startswith("incident-ops close") for line in done)


def test_what_is_known_is_not_asked_again(folder: Folder) -> None:
    """`unknown` is an answer, and so is the share of users that the triage was given."""
    name, done = follow(folder, "--severity", "SEV3", "--started", "5m", "--users", "60", policy="extends: sev0-3\n")
    assert not [line for line in done if " impact " in line]
    shown = call("show", name, at=folder.path, clock="2025-01-27T12:00:00Z").out
    assert "Next       nothing: this incident is over" in shown


def test_unknown_users_end_the_question(folder: Folder) -> None:
    folder.put()
    at = {"at": folder.path, "clock": "2025-01-26T13:00:00Z"}

    def lines(done: Done) -> list[str]:
        return [line for line in next_lines(done.out) if " impact " in line]

    resolved = call("resolve", "--restored", "now", "--cause", "deploy", "--what", "x", "--why", "y", **at)  # type: ignore[arg-type]
    assert lines(resolved) == ["incident-ops impact INC-1 --started WHEN --users N"]
    assert lines(call("impact", "INC-1", "--users", "unknown", **at)) == ["incident-ops impact INC-1 --started WHEN"]  # type: ignore[arg-type]
    assert lines(call("impact", "INC-1", "--started", "unknown", **at)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "withdrawn", [("withdraw", "--as", "false_alarm", "--reason", "the probe"), ("ack",)], ids=lambda one: one[0]
)
def test_nobody_is_asked_for_facts_of_what_was_no_incident_or_is_still_open(
    folder: Folder, withdrawn: tuple[str, ...]
) -> None:
    folder.put()
    done = call(*withdrawn, at=folder.path, clock="2025-01-26T13:00:00Z")
    assert not [line for line in next_lines(done.out) if " impact " in line or " cause " in line]


def test_a_view_of_an_earlier_time_asks_for_nothing_that_it_leaves_out(folder: Folder) -> None:
    folder.put()
    call("resolve", "--restored", "now", "--cause", "deploy", "--what", "x", "--why", "y", at=folder.path,
         clock="2025-01-26T13:00:00Z")  # fmt: skip
    call("cause", "INC-1", "--immediate", "x", at=folder.path, clock="2025-01-26T13:10:00Z")
    call("close", "--verified", at=folder.path, clock="2025-01-26T14:00:00Z")
    shown = call("show", "INC-1", at=folder.path, clock="2025-01-26T13:30:00Z").out
    assert "Next       incident-ops update INC-1 --public" in shown
    assert " impact INC-1" not in shown
    assert " cause INC-1" not in shown


def test_a_service_that_is_still_hurt_after_the_end_is_asked_for(folder: Folder) -> None:
    folder.put()
    at = {"at": folder.path, "clock": "2025-01-26T13:00:00Z"}
    call("impact", "--service", "api:major:12:05..", "--started", "12:05", "--users", "unknown", **at)  # type: ignore[arg-type]
    resolved = call("resolve", "--restored", "now", "--cause", "deploy", "--what", "x", "--why", "y", **at)  # type: ignore[arg-type]
    assert "  next: incident-ops impact INC-1 --end-service api WHEN\n" in resolved.out
    ended = call("impact", "INC-1", "--end-service", "api", "12:50", **at)  # type: ignore[arg-type]
    assert "impact INC-1" not in "".join(next_lines(ended.out))
