"""gate check, gate publish, override, freeze, unfreeze: from the command line, every reason code, every bad input."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from incident_ops.domain.time import parse_instant
from tests.cli.scene import AT, CLOSED, Folder, command, example, record
from tests.cli.scene import call as typed
from tests.cli.scene import call_merged as call
from tests.support.scripted_server import Reply, ScriptedServer

SHA = "7be19f2" + "0" * 33
PAST = (
    "{declared: 2025-01-20T10:20:00Z, started: 2025-01-20T10:15:00Z, acknowledged: 2025-01-20T10:25:00Z, "
    "restored: 2025-01-20T10:35:00Z, resolved: 2025-01-20T10:45:00Z, closed: 2025-01-20T11:00:00Z}"
)
FREEZE = "name: f\nreason: books\nfrom: 2025-01-26T12:00:00Z\n"
WINDOW = (
    "id: CHG-2025-0001\ntitle: Upgrade\nstatus: approved\nservices: [api]\n"
    "window: {zone: Etc/UTC, from: 2025-01-26T13:00:00, until: 2025-01-26T15:00:00}\n"
)
BUDGET = "extends: sev0-3\ngate: {budget: hold}\nslo: {target_pct: 99.9, window: 30d}\n"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTOR", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY", "INCIDENT_OPS_BY"):
        monkeypatch.delenv(name, raising=False)


def ask(folder: Folder | Path, *args: str, service: str = "api", clock: str | None = AT) -> tuple[int, str, str]:
    """Exit code, verdict, reason code."""
    at = folder.path if isinstance(folder, Folder) else folder
    done = call("gate", "check", "-s", service, "--format", "json", *args, at=at, clock=clock)
    data = json.loads(done.out)
    return done.code, data["verdict"], data["reason_code"]


PASSED = (0, "pass", "ok")


def frozen(reason: str) -> tuple[int, str, str]:
    return 3, "frozen", reason


def unknown(reason: str) -> tuple[int, str, str]:
    return (2 if reason == "config_error" else 3), "inconclusive", reason


def test_a_freeze_from_beginning_to_end(folder: Folder) -> None:
    """Written, held, listed with its times, lifted, over."""
    made = call(
        "freeze", "db-move", "-s", "api", "--reason", "migration", "--until", "4h", "--by", "@dana", at=folder.path
    )
    assert made.code == 0, made
    assert "db-move: deploys of api to every environment are held from 2025-01-26T14:00:00Z until" in made.out
    text = (folder.path / "freezes/db-move.yaml").read_text()
    assert 'until: 2025-01-26T18:00:00Z\nby: "@dana"' in text
    assert call("validate", at=folder.path).code == 0
    assert ask(folder) == frozen("deploy_freeze")
    assert ask(folder, service="web") == PASSED
    shown = call("gate", "check", "-s", "api", at=folder.path)
    assert "db-move  until 2025-01-26 18:00 UTC  by @dana  migration" in shown.out
    holds = json.loads(call("gate", "check", "-s", "api", "--format", "json", at=folder.path).out)["holds"]
    assert holds == [
        {
            "reason_code": "deploy_freeze", "id": "db-move", "title": None, "reason": "migration", "by": "@dana",
            "state": None, "service": None, "from": AT, "until": "2025-01-26T18:00:00Z", "used": None, "allowed": None,
        }
    ]  # fmt: skip
    call("freeze", "db-move", "--reason", "again", at=folder.path).told_once(2, "it is there already")
    later = "2025-01-26T15:00:00Z"
    assert "lifted" in call("unfreeze", "db-move", at=folder.path, clock=later).out
    assert "until: 2025-01-26T15:00:00Z" in (folder.path / "freezes/db-move.yaml").read_text()
    assert ask(folder, clock=later) == PASSED
    assert "nothing changed" in call("unfreeze", "db-move", at=folder.path, clock="2025-01-26T16:00:00Z").out
    assert call("freeze", "db-move", "--reason", "again", at=folder.path, clock="2025-01-26T16:00:00Z").code == 0


def test_a_freeze_that_has_not_begun_is_removed(folder: Folder) -> None:
    call("freeze", "later", "--reason", "r", "--from", "2h", at=folder.path)
    assert typed("gate", "check", "-s", "api", at=folder.path).code == 0
    done = call("unfreeze", "later", at=folder.path)
    assert done.out == "later: removed, it had not begun; git never had it, so there is nothing to commit\n"
    assert not (folder.path / "freezes/later.yaml").exists()
    call("unfreeze", "later", at=folder.path).told_once(2, "there is no freeze 'later'", "its pull request")


@pytest.mark.parametrize("committed", [True, False])
def test_what_is_told_of_a_removed_freeze_works(folder: Folder, committed: bool) -> None:
    """In the last commit, or only staged: git has to hear that it is gone."""
    call("freeze", "later", "--reason", "r", "--from", "2h", at=folder.path)
    folder.git("add", "freezes")
    if committed:
        folder.commit()
    done = call("unfreeze", "later", at=folder.path)
    assert "next: git add freezes/later.yaml, commit" in done.out
    folder.git("add", "freezes/later.yaml")
    assert folder.git("ls-files", "freezes") == ""
    call("freeze", "other", "--reason", "r", "--from", "2h", at=folder.path)
    assert "next:" not in call("unfreeze", "other", at=folder.path).out


def test_a_freeze_names_where_it_holds(folder: Folder) -> None:
    done = call("freeze", "f", "-s", "web", "-e", "production-canary", "--reason", "r", at=folder.path)
    assert "f: deploys of web to production-canary are held from " in done.out


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("freezes/f.yaml", FREEZE + "until: 2025-01-25T12:00:00Z\n", "line 4: it ends before it begins"),
        ("maintenance/CHG-2025-0001.yaml", WINDOW.replace("Etc/UTC", "UTCC"), "line 5: '2025-01-26T13:00:00' in zone"),
    ],
)
def test_what_the_check_cannot_read_is_shown_by_validate(folder: Folder, path: str, text: str, told: str) -> None:
    folder.write(path, text)
    shown = call("gate", "check", "-s", "api", at=folder.path)
    assert f"{path}: {told}" in shown.out
    found = call("validate", at=folder.path)
    assert (found.code, "plan-times" in found.out) == (1, True)


def test_the_answer_names_the_environment_and_the_ways_through(folder: Folder) -> None:
    passed = call("gate", "check", "-s", "web", at=folder.path).out
    assert passed.startswith("pass: nothing holds deploys of web to production (ok)\n  looked at: HEAD, commit ")
    folder.put()
    held = call("gate", "check", "-s", "api", "-e", "production-canary", at=folder.path).out
    assert held.startswith("frozen: deploys of api to production-canary are held by an open incident")
    assert "`--fixes INC-1 --sha SHA`" in held
    assert '`incident-ops override INC-1 -s api --sha SHA --reason "..."`' in held.replace("\n", " ")
    assert max(map(len, held.splitlines())) <= 80


def test_a_window_ahead_tells_when_it_begins_and_a_late_one_that_it_is_late(folder: Folder) -> None:
    folder.write("maintenance/CHG-2025-0001.yaml", WINDOW)
    ahead = call("gate", "check", "-s", "api", at=folder.path, clock="2025-01-26T12:55:00Z").out
    assert "CHG-2025-0001  approved, from 13:00 UTC  until 2025-01-26 15:00 UTC  Upgrade" in ahead
    assert "from" not in call("gate", "check", "-s", "api", at=folder.path).out
    folder.write("maintenance/CHG-2025-0001.yaml", WINDOW.replace("approved", "in_progress"))
    assert "late since" not in call("gate", "check", "-s", "api", at=folder.path).out
    late = call("gate", "check", "-s", "api", at=folder.path, clock="2025-01-26T16:00:00Z").out
    assert "CHG-2025-0001  in progress, late since 15:00 UTC  Upgrade" in late
    assert "is over, or closed if it is late" in late
    late = call("gate", "check", "-s", "api", at=folder.path, clock="2025-01-27T16:00:00Z").out
    assert "late since 2025-01-26 15:00 UTC" in late


def test_a_list_that_is_not_there_is_an_error_even_where_nothing_holds(folder: Folder) -> None:
    for more in ((), ("--sha", SHA)):
        assert ask(folder, *more, "--passed", "nowhere.txt") == unknown("config_error")


def test_a_freeze_warns_of_maintenance_that_lies_in_it(folder: Folder) -> None:
    folder.write("maintenance/CHG-2025-0001.yaml", WINDOW)
    done = call("freeze", "f", "--reason", "r", at=folder.path)
    assert "it meets CHG-2025-0001" in done.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("freeze", "f", "--reason", "r", "-s", "apii"), ("'apii'", "did you mean api?")),
        (("freeze", "f", "--reason", "r", "-e", "prod"), ("'prod'", "production")),
        (("freeze", "f", "--reason", "r", "--until", "soon"), ("--until 'soon'",)),
        (("freeze", "f", "--reason", "r", "--until", "2025-01-01T00:00:00Z"), ("over at",)),
        (("freeze", "../x", "--reason", "r"), ("is not a valid name",)),
        (("freeze", "f", "--reason", "one\ntwo"), ("nothing was written",)),
        (("override", "-s", "api", "--sha", "main", "--reason", "r", "--by", "@a"), ("'main'",)),
        (("override", "-s", "apii", "--sha", SHA, "--reason", "r", "--by", "@a"), ("'apii'",)),
        (("override", "-s", "api", "--sha", SHA, "--reason", "r", "--by", "@a", "--expires", "0s"), ("expired",)),
        (
            ("override", "INC-1", "-s", "web", "--sha", SHA, "--reason", "r", "--by", "@a"),
            ("does not hold web", "on api"),
        ),
        (("override", "INC-7", "-s", "api", "--sha", SHA, "--reason", "r", "--by", "@a"), ("no incident",)),
    ],
)
def test_slips_write_nothing(folder: Folder, args: tuple[str, ...], words: tuple[str, ...]) -> None:
    before = folder.put().read_text()
    call(*args, at=folder.path).told_once(2, *words)
    assert not (folder.path / "freezes").exists()
    assert (folder.path / "incidents/INC-1/incident.yaml").read_text() == before


def test_a_freeze_that_is_lifted_in_the_second_in_which_it_began_is_removed(folder: Folder) -> None:
    call("freeze", "oops", "--reason", "r", at=folder.path)
    done = call("unfreeze", "oops", at=folder.path)
    assert done.out == "oops: removed, it had only just begun; git never had it, so there is nothing to commit\n"


def test_an_override_names_one_way_on(tmp_path: Path) -> None:
    """`incident-ops send` where there is a remote, git where there is none."""
    folder = Folder(tmp_path / "clone")
    folder.put()
    folder.commit()
    folder.git("clone", "-q", "--bare", str(folder.path), str(tmp_path / "origin.git"))
    folder.git("remote", "add", "origin", (tmp_path / "origin.git").as_uri())
    folder.git("fetch", "-q", "origin")
    words = ("-s", "api", "--sha", SHA, "--reason", "the fix", "--by", "@dana")
    done = call("override", "INC-1", *words, at=folder.path)
    assert (done.code, "git add" in done.out) == (0, False), done
    assert "it counts once it is merged" in done.out
    assert "not sent yet: incident-ops send INC-1" in done.out


def test_a_file_that_names_no_cause_says_so_where_a_commit_passes_in_spite_of_an_incident(folder: Folder) -> None:
    """gate.json does not say which commit an incident blames, so the one that broke it may pass here."""
    folder.put()
    folder.commit()
    assert call("gate", "publish", "--output", "gate.json", at=folder.path).code == 0
    passed = folder.write("passed.txt", SHA)
    words = ("--records", "gate.json", "--passed", str(passed), "--sha", SHA)
    done = call("gate", "check", "-s", "api", *words, at=folder.path)
    said = " ".join(done.out.split())
    assert (done.code, "INC-1" in said) == (0, True), done
    assert "gate.json does not say which commit caused it: see that it was not this one" in said
    done = call("gate", "check", "-s", "web", *words, at=folder.path)
    assert (done.code, "caused it" in done.out) == (0, False)


@pytest.mark.parametrize("group", ["gate", "canary", "oncall", "policy", "deadline", "sla"])
def test_the_help_of_a_group_cuts_no_line(group: str, tmp_path: Path) -> None:
    """At 80 columns, which is what a terminal has."""
    lines = call(group, "--help", at=tmp_path, clock=None, columns=80).out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line.endswith("...") and not line.startswith("Usage:")]


def test_an_override_is_recorded_and_lets_its_commit_through(folder: Folder) -> None:
    """In the incident's record with INC, else below freezes/; taken back by unfreeze; GITHUB_ACTOR wins over --by."""
    folder.put()
    words = ("-s", "api", "--sha", SHA, "--reason", "the fix", "--by", "@dana")
    done = call("override", "INC-1", *words, at=folder.path)
    assert done.code == 0, done
    assert "INC-1: git add incidents/INC-1/incident.yaml, commit and push it: it counts once it is merged" in done.out
    assert ask(folder, "--sha", SHA) == (0, "overridden", "override")
    assert ask(folder, "--sha", "a" * 40) == frozen("open_incident")
    cut = call("gate", "check", "-s", "api", "--sha", SHA[:12], at=folder.path).out
    assert f"--sha {SHA[:12]} is not a whole commit id" in cut
    assert 'incident-ops override INC-1 -s api --sha SHA --reason "..."' in cut
    assert ask(folder, "--sha", SHA, clock="2025-01-26T18:00:01Z") == frozen("open_incident")
    shown = call("gate", "check", "-s", "api", "--sha", SHA, at=folder.path)
    assert "by @dana, until 2025-01-26 18:00 UTC, recorded in INC-1" in shown.out
    assert call("validate", at=folder.path).code == 0
    folder.put()
    assert call("override", *words, "--approved-by", "@maya", at=folder.path).code == 0
    assert 'approved_by: "@maya"' in (folder.path / "freezes/override-7be19f2.yaml").read_text()
    assert ask(folder, "--sha", SHA) == (0, "overridden", "override")
    shown = call("gate", "check", "-s", "api", "--sha", SHA, at=folder.path).out
    who = "by @dana, approved by @maya, until 2025-01-26 18:00 UTC, recorded in freezes/override-7be19f2.yaml"
    assert who in " ".join(shown.split())
    assert "  it passes in spite of:\n  INC-1  SEV1" in shown
    call("override", *words, at=folder.path).told_once(2, "not over")
    call("unfreeze", "override-7be19f2", at=folder.path, clock="2025-01-26T14:30:00Z")
    assert ask(folder, "--sha", SHA, clock="2025-01-26T14:30:00Z") == frozen("open_incident")


def test_an_override_that_is_there_says_how_it_gets_who_approved(folder: Folder) -> None:
    words = ("override", "-s", "api", "--sha", SHA, "--reason", "the fix", "--by", "@dana")
    assert call(*words, at=folder.path).code == 0
    again = call(*words, "--approved-by", "@maya", at=folder.path)
    again.told_once(2, "it is there already", "write who approved it into that file (approved_by: ...)")


@pytest.mark.parametrize("second", ["@dana", "@Dana", "dana", " DANA "])
def test_nobody_is_both_sides_of_an_override(folder: Folder, second: str) -> None:
    """However the handle is written; nothing is written then."""
    folder.put()
    words = ("-s", "api", "--sha", SHA, "--reason", "the fix", "--by", "@dana", "--approved-by", second)
    refused = call("override", *words, at=folder.path)
    refused.told_once(2, "@dana asks for it, so somebody else has to approve it", "the review of its pull request")
    assert not (folder.path / "freezes").exists()


def test_an_override_is_written_with_the_whole_commit_id(folder: Folder) -> None:
    """A short one is looked up in the repository at hand; where that does not know it, the answer says what to type."""
    folder.put()
    folder.commit()
    whole = folder.git("rev-parse", "HEAD").strip()
    words = ("-s", "api", "--reason", "the fix", "--by", "@dana")
    assert call("override", *words, "--sha", whole[:9], at=folder.path).code == 0
    assert whole in (folder.path / f"freezes/override-{whole[:7]}.yaml").read_text()
    assert call("override", "INC-1", *words, "--sha", whole[:9], at=folder.path).code == 0
    assert whole in (folder.path / "incidents/INC-1/incident.yaml").read_text()
    blob = folder.git("rev-parse", "HEAD:incidents/INC-1/incident.yaml").strip()
    for unknown in (SHA[:7], SHA[:39], blob[:12]):
        refused = call("override", *words, "--sha", unknown, at=folder.path)
        refused.told_once(2, f"--sha {unknown} is not a whole commit id", f"git rev-parse {unknown}")
    folder.put(roles="{commander: '@alice'}")
    fix = ("gate", "check", "-s", "api", "--sha", SHA[:7], "--fixes", "INC-1", "--by", "@alice")
    call(*fix, at=folder.path).told_once(2, "is not a whole commit id")


def test_in_a_workflow_the_actor_counts(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "mallory")
    call("override", "-s", "api", "--sha", SHA, "--reason", "r", "--by", "@alice", at=folder.path)
    assert 'by: "@mallory"' in (folder.path / "freezes/override-7be19f2.yaml").read_text()
    folder.put(roles="{commander: '@alice'}")
    assert ask(folder, "--sha", "a" * 40, "--fixes", "INC-1", "--by", "@alice") == frozen("open_incident")


def test_a_fix_given_by_the_commander_goes_through_and_is_recorded(folder: Folder) -> None:
    """Overridden, written into the record, and only for that commit."""
    path = folder.put(roles="{commander: '@alice'}")
    before = path.read_text()
    refused = call("gate", "check", "-s", "api", "--sha", SHA, "--fixes", "INC-1", "--by", "@bob", at=folder.path)
    assert refused.code == 3
    assert "the commander of INC-1 is @alice, not @bob" in refused.out
    assert path.read_text() == before
    done = call("gate", "check", "-s", "api", "--sha", SHA, "--fixes", "INC-1", "--by", "@alice", at=folder.path)
    assert (done.code, done.out.startswith("overridden: ")) == (0, True)
    assert "git add incidents/INC-1/incident.yaml, commit and push it" in done.err
    assert "reason: It fixes INC-1" in path.read_text()
    assert call("validate", at=folder.path).code == 0
    assert ask(folder, "--sha", SHA) == (0, "overridden", "override")
    assert ask(folder, "--sha", "a" * 40) == frozen("open_incident")


@pytest.mark.parametrize(
    ("args", "answer"),
    [
        (("--fixes", "INC-1", "--by", "@alice"), unknown("config_error")),
        (("--sha", SHA, "--fixes", "INC-9", "--by", "@alice"), unknown("config_error")),
        (("--sha", SHA, "--fixes", "INC-2", "--by", "@alice"), frozen("open_incident")),
        (("--sha", SHA, "--fixes", "INC-3", "--by", "@alice"), frozen("open_incident")),
    ],
)
def test_a_fix_of_anything_else_does_not(folder: Folder, args: tuple[str, ...], answer: tuple[int, str, str]) -> None:
    """No commit, no such incident, one on another service, one that is closed."""
    folder.put(roles="{commander: '@alice'}")
    folder.put("INC-2", services="[web]", roles="{commander: '@alice'}")
    folder.put("INC-3", roles="{commander: '@alice'}", **CLOSED)
    assert ask(folder, *args) == answer


def test_a_commit_that_passed_before_is_never_held(folder: Folder) -> None:
    folder.put()
    folder.write("passed.txt", f"{SHA} api production\n")
    assert ask(folder, "--sha", SHA, "--passed", "passed.txt") == (0, "pass", "rollback_allowed")
    assert ask(folder, "--sha", "a" * 40, "--passed", "passed.txt") == frozen("open_incident")
    assert ask(folder, "--sha", SHA, "--passed", "passed.txt", service="web") == PASSED
    folder.put(text="id: [")
    assert ask(folder, "--sha", SHA, "--passed", "passed.txt") == (0, "pass", "rollback_allowed")


@pytest.mark.parametrize("ref", [SHA, SHA[:7], f"https://github.com/acme/api/commit/{SHA}"])
def test_the_commit_that_an_open_incident_names_as_its_cause_never_passes(folder: Folder, ref: str) -> None:
    folder.put(cause=f'{{category: unknown, ref: "{ref}"}}')
    folder.write("passed.txt", f"{SHA}\n")
    assert ask(folder, "--sha", SHA, "--passed", "passed.txt") == frozen("open_incident")
    shown = call("gate", "check", "-s", "api", "--sha", SHA, "--passed", "passed.txt", at=folder.path).out
    assert "INC-1 names this commit as its cause" in shown
    folder.write("passed.txt", f"{SHA[:7]}\n")
    assert ask(folder, "--sha", SHA[:7], "--passed", "passed.txt") == frozen("open_incident")
    folder.put(cause="{category: unknown, ref: abcdef1234}")
    assert ask(folder, "--sha", SHA, "--passed", "passed.txt") == (0, "pass", "rollback_allowed")


@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
@pytest.mark.parametrize(
    ("replies", "answer"),
    [
        (
            (
                Reply(data=[{"id": 1, "sha": SHA, "environment": "production"}]),
                Reply(data=[{"id": 2, "state": "success", "description": "incident-ops api: canary g: pass (ok)"}]),
            ),
            (0, "pass", "rollback_allowed"),
        ),
        (  # a job with `environment:` that ended green although the gate had said frozen
            (
                Reply(data=[{"id": 1, "sha": SHA, "environment": "production"}]),
                Reply(data=[{"id": 2, "state": "success", "description": ""}]),
            ),
            frozen("open_incident"),
        ),
        ((Reply(data=[]),), frozen("open_incident")),
        ((Reply(403, {"message": "no"}),), frozen("open_incident")),
        ((Reply(404, {"message": "no"}),), frozen("open_incident")),
    ],
)
def test_github_tells_what_passed_and_silence_is_no_exemption(
    folder: Folder,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    replies: tuple[Reply, ...],
    answer: tuple[int, str, str],
) -> None:
    folder.put()
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_test")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/auth")
    server.script(*replies)
    assert ask(folder, "--sha", SHA) == answer
    assert len(server.asked) == len(replies)


def scene(folder: Folder, name: str) -> tuple[str, ...]:
    """Makes a scene -> the arguments of the question."""
    files = {
        "window": {"maintenance/CHG-2025-0001.yaml": WINDOW},
        "freeze": {"freezes/f.yaml": FREEZE},
        "hours": {"policy.yaml": "extends: sev0-3\ngate: {deploy_calendar: business}\n"},
        "budget": {
            "policy.yaml": BUDGET,
            "incidents/INC-1/incident.yaml": record(**{**CLOSED, "times": PAST}, impact="{budget_minutes: 45}"),
        },
        "openslo": {
            "policy.yaml": BUDGET,
            "services.yaml": 'services: {api: {owner: "@team", slo: slos/api.yaml}}\n',
            "slos/api.yaml": OPENSLO,
            "incidents/INC-1/incident.yaml": record(**{**CLOSED, "times": PAST}),
        },
        "requests": {"policy.yaml": BUDGET.replace("30d}", "30d, mode: requests}")},
        "broken freeze": {"freezes/f.yaml": "name: f\nreason: [\n"},
        "unfit freeze": {"freezes/f.yaml": "name: f\n"},
        "timeless freeze": {"freezes/f.yaml": FREEZE.replace("12:00:00Z", "12:00:00")},
        "broken window": {"maintenance/CHG-2025-0001.yaml": "id: ["},
        "broken policy": {"policy.yaml": "extends: sev0-3\ngate: {budgets: hold}\n"},
        "no services": {"services.yaml": "services: ["},
        "no calendar": {"policy.yaml": "extends: sev0-3\ngate: {deploy_calendar: nights}\n"},
        "no slo file": {"policy.yaml": BUDGET, "services.yaml": 'services: {api: {owner: "@t", slo: slos/api.yaml}}\n'},
        "broken slo file": {
            "policy.yaml": BUDGET,
            "services.yaml": 'services: {api: {owner: "@t", slo: slos/api.yaml}}\n',
            "slos/api.yaml": OPENSLO.replace("0.9999", "99.99"),
        },
        "no slo window": {"policy.yaml": "extends: sev0-3\ngate: {budget: hold}\nslo: {target_pct: 99}\n"},
        "damaged gate.json": {"gate.json": "{}"},
        "damaged list": {"passed.txt": "main\n", "incidents/INC-1/incident.yaml": record()},
    }
    for path, text in files.get(name, {}).items():
        folder.write(path, text)
    if name in ("broken policy", "no services"):
        shutil.rmtree(folder.path / ".git")  # git has none that could be used in its place
    asked = {
        "unknown environment": ("-e", "prod"),
        "empty environment": ("-e", ""),
        "empty records": ("--records", ""),
        "damaged gate.json": ("--records", "gate.json"),
        "no such records": ("--records", "nowhere"),
        "no branch": ("--records", f"file://{folder.path}@nowhere"),
        "no remote": ("--records", f"file://{folder.path}/nowhere@main"),
        "another protocol": ("--records", "git://localhost/x@main"),
        "nobody there": ("--records", "http://127.0.0.1:9/gate.json"),
        "damaged list": ("--sha", SHA, "--passed", "passed.txt"),
        "no list": ("--sha", SHA, "--passed", "nowhere.txt"),
    }
    return asked.get(name, ())


OPENSLO = """apiVersion: openslo/v1
kind: SLO
metadata: {name: api}
spec:
  service: api
  budgetingMethod: Timeslices
  timeWindow:
  - duration: 4w
    isRolling: true
  objectives:
  - target: 0.9999
"""


@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("nothing", PASSED),
        ("window", frozen("maintenance_window")),
        ("freeze", frozen("deploy_freeze")),
        ("hours", frozen("off_window")),
        ("budget", frozen("error_budget")),
        ("openslo", frozen("error_budget")),
        ("requests", unknown("no_data")),
        ("broken freeze", unknown("unreadable_record")),
        ("unfit freeze", unknown("unreadable_record")),
        ("timeless freeze", unknown("unreadable_record")),
        ("broken window", unknown("unreadable_record")),
        ("broken policy", unknown("config_error")),
        ("no services", unknown("config_error")),
        ("no calendar", unknown("config_error")),
        ("no slo file", unknown("config_error")),
        ("broken slo file", unknown("config_error")),
        ("no slo window", unknown("config_error")),
        ("unknown environment", unknown("config_error")),
        ("empty environment", unknown("config_error")),
        ("empty records", unknown("config_error")),
        ("no such records", unknown("config_error")),
        ("no branch", unknown("config_error")),
        ("another protocol", unknown("config_error")),
        ("damaged list", unknown("config_error")),
        ("no list", unknown("config_error")),
        ("damaged gate.json", unknown("incident_repo_unreachable")),
        ("no remote", unknown("incident_repo_unreachable")),
        ("nobody there", unknown("incident_repo_unreachable")),
    ],
)
def test_every_reason_and_every_bad_input(folder: Folder, name: str, answer: tuple[int, str, str]) -> None:
    """Nothing that is wrong, broken or out of reach ever passes. (AT is a Sunday.)"""
    assert ask(folder, *scene(folder, name)) == answer


def test_an_unknown_service_a_wrong_clock_and_no_repository_are_config_errors(folder: Folder, tmp_path: Path) -> None:
    assert ask(folder, service="apii") == unknown("config_error")
    folder.put(**CLOSED)
    assert ask(folder, clock="someday") == unknown("config_error")
    for slow, answer in (
        ("1970-01-01T00:00:00Z", unknown("config_error")),
        ("2025-01-26T12:02:59Z", unknown("config_error")),
        ("2025-01-26T12:03:00Z", PASSED),
    ):
        with mock.patch("incident_ops.adapters.clock.now", lambda at=slow: parse_instant(at)):
            assert ask(folder, clock=None) == answer
    empty = tmp_path / "empty"
    empty.mkdir()
    assert ask(empty) == unknown("config_error")


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        (FREEZE, unknown("unreadable_record")),
        (FREEZE + "services: [web]\n", PASSED),
        (FREEZE + "until: 2025-01-26T13:00:00Z\n", PASSED),
        (FREEZE + f"until: 2025-01-26T23:00:00Z\nkind: override\nby: '@a'\nsha: '{SHA}'\n", PASSED),
    ],
)
def test_an_unreadable_freeze_counts_as_what_it_was_in_git(
    folder: Folder, before: str, answer: tuple[int, str, str]
) -> None:
    folder.write("freezes/f.yaml", before)
    folder.commit()
    folder.write("freezes/f.yaml", "name: [\n")
    assert ask(folder) == answer


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        (WINDOW, unknown("unreadable_record")),
        (WINDOW.replace("approved", "completed"), PASSED),
        (WINDOW.replace("[api]", "[web]"), PASSED),
        (WINDOW.replace("approved", "draft"), unknown("unreadable_record")),
    ],
)
def test_an_unreadable_window_counts_as_what_it_was_in_git(
    folder: Folder, before: str, answer: tuple[int, str, str]
) -> None:
    folder.write("maintenance/CHG-2025-0001.yaml", before)
    folder.commit()
    folder.write("maintenance/CHG-2025-0001.yaml", "id: [\n")
    assert ask(folder) == answer


def test_the_worked_budget_of_the_example(tmp_path: Path) -> None:
    """R209, R210, R246: p0-p3 holds deploys for 30 days after its 45 minutes, and no longer."""
    there = example("p0-p3", tmp_path / "p0-p3")
    done = call("gate", "check", "-s", "api", at=there, clock="2025-02-01T00:00:00Z")
    assert done.code == 3
    assert "Monthly budget exhausted: 45 of 43.2 min, 1.8 over" in done.out
    assert ask(there, clock="2025-02-20T00:00:00Z") == PASSED


@pytest.mark.slow
def test_records_of_another_folder_and_of_another_repository(folder: Folder, tmp_path: Path) -> None:
    """PATH, URL@BRANCH, and the published file on its branch: current while HEAD stays, unreachable once it moves."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.put()
    folder.commit()
    url = f"file://{folder.path}"
    assert ask(elsewhere, "--records", str(folder.path)) == frozen("open_incident")
    assert ask(elsewhere, "--records", f"{url}@main") == frozen("open_incident")
    assert ask(elsewhere, "--records", f"{url}@main", service="web") == PASSED
    public = ("--records", f"{url}@incident-ops/public")
    assert ask(elsewhere, *public) == unknown("incident_repo_unreachable")
    folder.git("remote", "add", "origin", url)
    done = call("gate", "publish", at=folder.path)
    assert done.code == 0, done
    assert ask(elsewhere, *public) == frozen("open_incident")
    assert ask(elsewhere, *public, service="web") == PASSED
    assert ask(elsewhere, *public, service="apii") == unknown("config_error")
    assert ask(elsewhere, *public, "--sha", SHA, "--fixes", "INC-1", "--by", "@a") == frozen("open_incident")
    folder.put(**CLOSED)
    folder.commit()
    assert ask(elsewhere, *public, service="web") == unknown("incident_repo_unreachable")
    assert call("gate", "publish", at=folder.path).code == 0
    assert ask(elsewhere, *public) == PASSED


@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
def test_a_published_file_at_an_address(folder: Folder, server: ScriptedServer) -> None:
    """Where HEAD cannot be read its age decides; an answer that is none is never a pass."""
    folder.put()
    folder.commit()
    assert call("gate", "publish", "--output", "gate.json", at=folder.path).code == 0
    good = Reply(text=(folder.path / "gate.json").read_text())
    asked = ("--records", f"{server.url}/gate.json")
    server.script(good, good, good, Reply(500), Reply(text="<html>"))
    assert ask(folder, *asked) == frozen("open_incident")
    assert ask(folder, *asked, service="web", clock="2025-01-26T17:00:00Z") == PASSED
    assert ask(folder, *asked, service="web", clock="2025-01-26T17:00:01Z") == unknown("incident_repo_unreachable")
    assert ask(folder, *asked, service="web") == unknown("incident_repo_unreachable")
    assert ask(folder, *asked, service="web") == unknown("incident_repo_unreachable")
    passed = folder.write("passed.txt", SHA)
    server.script(Reply(500))
    rollback = ("--sha", SHA, "--passed", str(passed), "-e", "production")
    assert ask(folder, *asked, *rollback) == (0, "pass", "rollback_allowed")


@pytest.mark.slow
def test_publishing_is_due_for_a_new_commit_an_old_file_and_one_of_the_future(folder: Folder) -> None:
    """`--check` publishes nothing: 1 where it is to be done, 0 where the file is current."""

    def publish(*words: str, clock: str = "2025-01-26T14:00:00Z") -> tuple[int, str]:
        done = call("gate", "publish", *words, at=folder.path, clock=clock)
        assert not done.err, done
        return done.code, done.out.partition("incident-ops/public")[2].strip(" :\n")

    folder.put()
    folder.commit()
    folder.git("remote", "add", "origin", f"file://{folder.path}")
    for _ in range(2):
        assert publish("--check") == (1, "is to be published: none was there yet")
    assert publish() == (0, "published")
    assert publish("--check") == (0, "is current")
    assert publish("--check", clock="2025-01-26T15:00:01Z") == (1, "is to be published: the last one is 1h 1s old")
    before = folder.git("rev-parse", "HEAD").strip()[:12]
    folder.put(**CLOSED)
    folder.commit()
    assert publish("--check") == (1, f"is to be published: the last one is of commit {before}")
    assert publish() == (0, "published")
    assert publish(clock="2025-01-26T13:00:00Z") == (0, "a newer one is published already, it stays")
    assert publish(clock="2099-01-26T14:00:00Z") == (0, "published")
    code, told = publish("--check")
    assert (code, told.endswith("which is in the future")) == (1, True)
    assert publish() == (0, "published")
    assert publish("--check") == (0, "is current")


def test_without_services_there_is_nothing_to_publish(folder: Folder) -> None:
    folder.write("services.yaml", "services: {}\n")
    folder.commit()
    done = call("gate", "publish", at=folder.path)
    assert (done.code, done.out) == (0, "services.yaml names no service, so there is no gate to publish\n")


def test_publishing_needs_a_commit_and_a_remote(folder: Folder, tmp_path: Path) -> None:
    call("gate", "publish", at=folder.path).told_once(2, "no remote")
    bare = Folder(tmp_path / "new")
    call("gate", "publish", at=bare.path).told_once(2, "no commit")


def test_a_deleted_folder_of_records_never_passes(folder: Folder) -> None:
    folder.put()
    folder.commit()
    shutil.rmtree(folder.path / "incidents")
    assert typed("gate", "check", "-s", "api", at=folder.path).code == 3


def test_a_check_loads_no_library_that_it_does_not_need(folder: Folder) -> None:
    """No template, no second validator, no HTTP, no terminal library: this is what keeps it under 0.2 s."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command("gate", "check", "-s", "api")[1:]],
        cwd=folder.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    heavy = {
        "jinja2",
        "jsonschema",
        "rich",
        "github",
        "requests",
        "http.client",
        "urllib.request",
        "slack_sdk",
        "apprise",
    }
    ours = {
        "incident_ops.render.sla",
        "incident_ops.sla.clocks",
        "incident_ops.adapters.git_branches",
        "incident_ops.app.edit_record",
        "incident_ops.rules",
        "incident_ops.validation",
    }
    assert not (heavy | ours) & loaded
    assert "incident_ops.deploy_gate.check" in loaded
