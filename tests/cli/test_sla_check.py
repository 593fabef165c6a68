"""`sla check`: what is owed now, with what a tracker shows, and as GitHub Actions shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from incident_ops.domain.tracker import GITHUB, Act, Comment, Issue, Snapshot
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.observe import load_snapshot, save_snapshot
from tests.cli.scene import CLOSED, Folder, call, record

POLICY = """\
extends: sev0-3
levels:
- {id: SEV1, escalate_at: 1h}
escalation: {keywords: [lawyer], tiers: [{id: first, tier: 1}, {id: second, tier: 2}]}
states: {auto_reopen: 30d}
"""
ESCALATION, KEYWORD = "INC-1/resolution/1/escalate.SEV1", "INC-1/customer/1/keyword"


def owed(folder: Folder, *args: str, clock: str = "2025-01-26T14:00:00Z") -> dict[str, dict[str, str]]:
    """The obligations of the JSON by key."""
    done = call("sla", "check", "--format", "json", *args, at=folder.path, clock=clock)
    assert done.code == 0, done
    return {one["key"]: one for one in json.loads(done.out)["obligations"]}


def observed(folder: Folder, *said: Comment, body: str = "x", state: str = "open") -> str:
    """A file that tells of a tracker with the incident's issue as number 7, and these comments."""
    issue = Issue(number=7, title="t", body=body, labels=("incident",), author="github-actions[bot]", state=state)
    folder.write("observed.json", save_snapshot(Snapshot(source=GITHUB, issues=(issue,), comments=said)))
    return "observed.json"


def test_what_is_owed_is_told_with_key_reason_and_both_instants(folder: Folder) -> None:
    """In text and in JSON; the lag is the longest time from due to noticed."""
    folder.write("policy.yaml", POLICY)
    folder.put()
    found = owed(folder)
    assert found[ESCALATION] == {
        "key": ESCALATION,
        "kind": "escalation",
        "incident": "INC-1",
        "reason": "Threshold of 1h of the resolution passed on SEV1",
        "due": "2025-01-26T13:05:00Z",
        "noticed_at": "2025-01-26T14:00:00Z",
    }
    text = call("-v", "sla", "check", at=folder.path).out
    assert "Notifications due: 4, the longest overdue by 1h 55m" in text
    assert (
        "  INC-1: Threshold of 1h of the resolution passed on SEV1 (due 13:05 UTC, 55m late; for the team)\n"
        f"    {ESCALATION}\n"
    ) in text
    shown = call("sla", "check", at=folder.path, columns=80).out
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_what_is_due_reads_as_people_write(folder: Folder) -> None:
    """Times without their notation, for whom it is, an escalation by hand as one, states in words."""
    folder.write("policy.yaml", POLICY)
    folder.put(state="in_progress", times="{declared: 2025-01-26T12:05:00Z}", assignments="[]")
    done = call("escalate", "INC-1", "--reason", "we need hands", "--by", "@ann", at=folder.path,
                clock="2025-01-26T13:20:00Z")  # fmt: skip
    assert done.code == 0, done
    text = " ".join(call("sla", "check", at=folder.path).out.split())
    assert "INC-1: Response of SEV1 was due at 12:20 UTC (1h 40m late; for the team)" in text
    assert "INC-1: Escalated by hand: we need hands (due 13:20 UTC, 40m late; for " in text
    assert "in progress, nobody: Login fails" in text
    assert not re.search(r"\d{4}-\d\d-\d\dT|in_progress|0s late", text), text


def test_a_late_run_finds_the_same_and_says_how_late(folder: Folder) -> None:
    """Only what was noticed and the marks that came since differ."""
    folder.write("policy.yaml", POLICY)
    folder.put()
    early, late = owed(folder), owed(folder, clock="2025-01-26T19:00:00Z")
    for key in early.keys() & late.keys():
        assert early[key]["due"] == late[key]["due"]
    assert late[ESCALATION]["noticed_at"] == "2025-01-26T19:00:00Z"


def test_what_was_announced_long_ago_is_left_to_the_json(folder: Folder) -> None:
    """The declaration of an incident that is open for days is no news to whoever looks."""
    folder.put()
    clock = "2025-01-29T14:00:00Z"
    assert "INC-1/incident/1/declared" in owed(folder, clock=clock)
    assert "INC-1/incident/1/declared" not in call("sla", "check", at=folder.path, clock=clock).out


def test_a_word_under_the_issue_escalates(folder: Folder) -> None:
    """Of a person, with --observed alone; without a network and without a token."""
    folder.write("policy.yaml", POLICY)
    folder.put(links="{tracking_issue: 7}")
    folder.commit()
    clock, words = "2025-01-26T12:45:00Z", {"at": "2025-01-26T12:30:00Z", "body": "our lawyer calls"}
    assert KEYWORD not in owed(folder, clock=clock)
    file = observed(folder, Comment(issue=7, by="alice", **words))
    assert owed(folder, "--observed", file, clock=clock)[KEYWORD]["due"] == "2025-01-26T12:30:00Z"
    for other in (Comment(issue=7, by="app", is_bot=True, **words), Comment(issue=8, by="alice", **words)):
        assert KEYWORD not in owed(folder, "--observed", observed(folder, other), clock=clock)


def closed_by_us(folder: Folder) -> str:
    """The incident is closed and committed -> the text of its issue, which we closed."""
    times = "{declared: 2025-01-26T12:05:00Z, restored: 2025-01-26T12:20:00Z, resolved: 2025-01-26T12:30:00Z, "
    folder.put(
        state="closed",
        times=times + "closed: 2025-01-26T13:00:00Z}",
        cause="{category: unknown}",
        links="{tracking_issue: 7}",
    )
    folder.commit()
    return generated_block.compose("INC-1", generated_block.generated_text("text", closed=True))


def test_a_person_who_opens_the_issue_again_brings_the_incident_back(folder: Folder) -> None:
    """Within the window, where we had closed it."""
    folder.write("policy.yaml", POLICY)
    body = closed_by_us(folder)
    file = observed(folder, body=body)
    assert owed(folder, "--observed", file)["INC-1/state/1/reopened"]["kind"] == "state"
    assert "INC-1/state/1/reopened" not in owed(folder, "--observed", observed(folder, body=body, state="closed"))


def test_the_night_after_closing(folder: Folder) -> None:
    """The closer's note and thanks leave it closed; the customer's word brings it back, at its instant."""
    folder.write("policy.yaml", POLICY.replace("auto_reopen: 30d", "auto_reopen: 30d, reopen: {by: everyone}"))
    times = "{declared: 2025-01-26T12:05:00Z, restored: 2025-01-26T12:20:00Z, resolved: 2025-01-26T12:30:00Z, "
    folder.put(
        state="closed",
        times=times + "closed: 2025-01-26T13:00:00Z}",
        cause="{category: unknown}",
        links="{tracking_issue: 7}",
        roles='{commander: "@alice"}',
    )
    folder.commit()
    note = Comment(issue=7, by="alice", at="2025-01-26T13:00:30Z", body="Closed: the certificate is renewed")
    thanks = Comment(issue=7, by="customer", at="2025-01-26T13:10:00Z", body="thanks, great work!", is_stranger=True)
    back = Comment(issue=7, by="customer", at="2025-01-26T13:40:00Z", body="/reopen\nIt fails again", is_stranger=True)
    key = "INC-1/state/1/reopened"
    assert key not in owed(folder, "--observed", observed(folder, note, thanks, state="closed"))
    found = owed(folder, "--observed", observed(folder, note, thanks, back, state="closed"))[key]
    assert found["due"] == "2025-01-26T13:40:00Z"
    assert "@customer asked for it with /reopen" in found["reason"]


@pytest.mark.parametrize(
    ("who", "at", "is_back"),
    [
        ("alice", "2025-01-26T13:40:00Z", True),
        ("alice", "2025-01-26T12:59:00Z", False),  # before it was closed
        ("mallory", "2025-01-26T13:40:00Z", False),
        ("renovate[bot]", "2025-01-26T13:40:00Z", False),
    ],
)
def test_the_label_of_the_policy_brings_it_back_where_the_team_set_it(
    folder: Folder, who: str, at: str, is_back: bool
) -> None:
    folder.write("policy.yaml", POLICY.replace("auto_reopen: 30d", "auto_reopen: 30d, reopen: {label: Came back}"))
    body = closed_by_us(folder)
    issue = Issue(7, "t", body, ("incident", "came back"), author="github-actions[bot]", state="closed")
    acts = {7: (Act("labeled", who, at, "came back"),)}
    members = {"alice": True, "mallory": False}
    seen = Snapshot(source=GITHUB, issues=(issue,), acts=acts, members=members)
    folder.write("observed.json", save_snapshot(seen))
    found = owed(folder, "--observed", "observed.json").get("INC-1/state/1/reopened")
    assert (found is not None) == is_back
    if found:
        assert found["due"] == at
        assert "@alice asked for it with the label Came back" in found["reason"]


def test_the_tracker_can_be_written_down(folder: Folder) -> None:
    """With --save-observed; not together with --observed, and not for the other tracker."""
    folder.put()
    assert call("apply", at=folder.path).code == 0
    assert call("sla", "check", "--save-observed", "seen.json", at=folder.path).code == 0
    assert [issue.key for issue in load_snapshot((folder.path / "seen.json").read_text()).issues] == ["INC-1"]
    assert call("sla", "check", "--observed", "seen.json", at=folder.path).code == 0
    both = call("sla", "check", "--observed", "seen.json", "--save-observed", "x", at=folder.path)
    both.told_once(2, "leave one of them out")
    call("sla", "check", "--observed", "seen.json", "--tracker", "github", at=folder.path).told_once(2, "local tracker")
    call("sla", "check", "--observed", "gone.json", at=folder.path).told_once(2, "gone.json", "--save-observed")


def test_github_gets_annotations_and_a_summary(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error for each breach and escalation, a warning for what is at risk, nine of each at most."""
    folder.write("policy.yaml", POLICY)
    for number in range(1, 13):
        folder.put(f"INC-{number}", title='"a | b ::error::%0A @all"')
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = call("sla", "check", "--format", "github", at=folder.path)
    assert done.code == 0
    *commands, begin, end = [line for line in done.out.splitlines() if line.startswith("::")]
    assert begin == f"::stop-commands{end.removesuffix('::')}", "what follows the commands stands in a fence"
    assert len(commands) == 10
    assert all(re.fullmatch(r"::error title=(INC-\d+|incident-ops)::[^\n]+", line) for line in commands)
    assert commands[-1] == "::error title=incident-ops::and 27 more: the summary of this step lists them"
    text = summary.read_text()
    assert text.startswith("before\n## Clocks at 2025-01-26 14:00 UTC\n")
    assert "| breached | `INC-1` | response | SEV1 |" in text
    assert "| escalation | `INC-12` | Threshold of 1h of the resolution passed on SEV1 |" in text


def test_a_full_summary_is_cut_and_says_so(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub takes 1 MiB for a step; what is left of it is used, and the last line counts the rest."""
    folder.write("policy.yaml", POLICY)
    for number in range(1, 13):
        folder.put(f"INC-{number}")
    summary = tmp_path / "summary.md"
    summary.write_bytes(b"x" * (1024 * 1024 - 900))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert call("sla", "check", "--format", "github", at=folder.path).code == 0
    assert summary.stat().st_size <= 1024 * 1024
    assert re.search(r"and \d+ lines more: run `incident-ops sla check`\n$", summary.read_text())


def test_without_actions_there_is_no_summary(folder: Folder) -> None:
    """The annotations are printed all the same."""
    folder.write("policy.yaml", POLICY)
    folder.put()
    assert "::error title=INC-1::" in call("sla", "check", "--format", "github", at=folder.path).out


def test_a_closed_incident_without_its_postmortem_is_still_checked(folder: Folder) -> None:
    """SEV1 requires one in sev0-3: closing the incident, or not having begun to write, does not hide that it is due."""
    closed = record(**CLOSED)
    folder.put(text=closed)
    folder.commit()
    text = call("sla", "check", at=folder.path, clock="2025-03-26T14:00:00Z").out
    assert re.search(r"breached\s+INC-1\s+meeting", text), text
    folder.put(text=closed.replace("severity: SEV1", "severity: SEV3"))
    assert "INC-1" not in call("sla", "check", at=folder.path, clock="2025-03-26T14:00:00Z").out


def test_a_name_of_a_snooze_cannot_steer_a_terminal(folder: Folder) -> None:
    folder.put(snooze=r'{until: 2025-01-26T16:00:00Z, by: "Ann\e[31m", reason: the vendor calls back}')
    out = call("sla", "check", at=folder.path).out
    assert r"INC-1: snoozed until 16:00 UTC by Ann\x1b[31m" in out.splitlines()


@pytest.mark.parametrize("form", ["text", "github"])
def test_what_a_record_says_is_one_line_in_a_pipe(folder: Folder, form: str) -> None:
    """Nothing that somebody wrote gets to the beginning of a line, where GitHub reads commands."""
    name = f"{'x' * 50} ::error::nothing"
    folder.put(snooze=f'{{until: 2025-01-26T16:00:00Z, by: "{name}", reason: the vendor calls back}}')
    out = call("sla", "check", "--format", form, at=folder.path).out
    assert f"INC-1: snoozed until 16:00 UTC by {name}" in out.splitlines()
    shown = call("sla", "check", at=folder.path, columns=80).out
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_a_phase_is_one_line_in_a_pipe(folder: Folder) -> None:
    folder.put("INC-20250126-120500", severity="SEV0")
    out = call("sla", "check", at=folder.path, clock="2025-01-26T12:16:00Z").out
    line = "INC-20250126-120500: triage, planned 12:05 to 12:15 UTC, 1m over: nobody has acknowledged it"
    assert line in out.splitlines()
