"""`run`: one whole pass at the tip of the default branch, by hand and as a job of GitHub Actions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from incident_ops.adapters.github import connect
from incident_ops.adapters.github.settings import GitHubSettings
from incident_ops.app import run as app_run
from incident_ops.domain.time import stamp
from incident_ops.errors import Incomplete, WriteFailed
from incident_ops.reconcile.generated_block import owner
from tests.cli.scene import ROOT, Done
from tests.cli.scene import run as as_process
from tests.cli.test_apply_notices import LEVEL, OURS, POLICY, Place, pages, place  # noqa: F401 - a fixture
from tests.support.http_sink import HttpSink
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.standin import PERSON_TOKEN

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
PUBLIC = "incident-ops/public"
RECONCILE = ".github/workflows/reconcile.yml"
HOSTILE = "Login ##[stop-commands]pwn\n::add-mask::o ::error::forged"


def run(place: Place, *args: str) -> Done:  # noqa: F811
    return place.call("run", *args)


def keys(place: Place) -> list[str]:  # noqa: F811
    """The keys of the open issues."""
    found = place.ask("GET", "/issues?state=open&per_page=100")
    return sorted(key for one in found if (key := owner(one["body"] or "")))


def on_branch(place: Place, branch: str, path: str) -> str:  # noqa: F811
    """A file of a branch of the remote."""
    place.folder.git("fetch", "--quiet", "origin", branch)
    return place.folder.git("show", f"FETCH_HEAD:{path}")


def tip(place: Place) -> str:  # noqa: F811
    return place.folder.git("ls-remote", "origin", "refs/heads/main").partition("\t")[0]


@pytest.mark.slow
def test_one_pass_does_all_and_the_next_one_nothing(place: Place, sink: HttpSink) -> None:  # noqa: F811
    """Page, issue, chat, proposals, gate.json of the tip, and the mark of a complete run."""
    done = run(place)
    assert (done.code, done.err) == (0, ""), done
    assert len(pages(sink)) == 1
    assert keys(place) == ["INC-1"]
    gate = json.loads(on_branch(place, PUBLIC, "gate.json"))
    assert (gate["revision"], gate["services"]["api"]["ids"]) == (tip(place), ["INC-1"])
    assert "gate.json is published: none was there yet" in done.out
    assert "complete" in on_branch(place, "incident-ops/ledger", "runs")
    taken = len(sink.taken)
    again = run(place)
    assert (again.code, len(sink.taken), keys(place)) == (0, taken, ["INC-1"]), again
    assert "gate.json" not in again.out


@pytest.mark.slow
def test_it_reads_the_tip_whatever_is_checked_out(place: Place, sink: HttpSink) -> None:  # noqa: F811
    """An older commit, a branch, a commit that nobody pushed and a dirty tree change nothing of what it does."""
    first = place.folder.git("rev-parse", "HEAD").strip()
    place.folder.put("INC-2", title="Payments are slow")
    place.push()
    place.folder.git("switch", "--quiet", "--create", "mine", first)
    place.folder.put("INC-3", title="Nobody has merged this")
    place.folder.git("add", "--all")
    place.folder.git("commit", "--quiet", "--message", "mine")
    place.folder.put("INC-4", title="Nobody has committed this")
    done = run(place)
    assert done.code == 0, done
    assert keys(place) == ["INC-1", "INC-2"]
    assert len(pages(sink)) == 2
    assert json.loads(on_branch(place, PUBLIC, "gate.json"))["revision"] == tip(place)


@pytest.mark.slow
@pytest.mark.parametrize("words", [("run", "--dry-run"), ("sla", "run", "--dry-run"), ("run",)], ids=" ".join)
def test_what_is_only_here_is_named_as_left_out(place: Place, words: tuple[str, ...]) -> None:  # noqa: F811
    """Committed and not on the default branch, or not committed at all; what a squash brought there is not named."""
    place.folder.git("switch", "--quiet", "--create", "mine")
    place.folder.put("INC-2", title="Payments are slow")
    place.folder.put("INC-3", title="Search is slow")
    place.folder.git("add", "--all")
    place.folder.git("commit", "--quiet", "--message", "mine")
    place.folder.git("switch", "--quiet", "main")
    place.folder.put("INC-3", title="Search is slow")
    place.push()
    place.folder.git("switch", "--quiet", "mine")
    place.folder.put("INC-4", title="Nobody has committed this")
    done = place.call(*words)
    assert done.code == 0, done
    assert "note: not committed, so not applied: incidents/INC-4/incident.yaml" in done.err
    assert "note: not on the default branch, so not applied: incidents/INC-2/incident.yaml\n" in done.err


def moving(place: Place, monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:  # noqa: F811
    """Lets somebody merge an incident at the end of each of the first plans -> the ids, which grow."""
    plan, merged = app_run.plan_changes, list[str]()

    def planned(*args: Any) -> Any:
        made = plan(*args)
        if len(merged) < times:
            merged.append(f"INC-{len(merged) + 2}")
            place.folder.put(merged[-1], title="Merged meanwhile")
            place.push()
        return made

    monkeypatch.setattr(app_run, "plan_changes", planned)
    return merged


@pytest.mark.slow
def test_a_tip_that_moves_is_planned_anew(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Twice: what was merged while the plan was made is in what is done."""
    assert moving(place, monkeypatch, 2) == []
    done = run(place)
    assert done.code == 0, done
    assert keys(place) == ["INC-1", "INC-2", "INC-3"]


def test_a_tip_that_keeps_moving_ends_the_run_before_it_writes(
    place: Place,  # noqa: F811
    sink: HttpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the third plan: exit code 6, and nobody is notified of anything."""
    moving(place, monkeypatch, 3)
    done = run(place)
    done.told_once(6, "is behind the tip of main")
    assert (keys(place), sink.taken) == ([], [])


@pytest.mark.slow
def test_nobody_is_notified_by_another_clock(place: Place, sink: HttpSink) -> None:  # noqa: F811
    """Each command that acts on GitHub refuses it and names the way to look; a dry run shows what would be due then."""
    for words in (("run",), ("sla", "run"), ("apply", "--tracker", "github")):
        done = as_process(*words, at=place.folder.path, clock="2025-02-01T00:00:00Z")
        done.told_once(2, "--at 2025-02-01T00:00:00Z is not now", "--dry-run")
    assert sink.taken == []
    shown = as_process("run", "--dry-run", at=place.folder.path, clock="2025-02-01T00:00:00Z")
    assert shown.code == 0, shown
    assert "INC-1" in shown.out


@pytest.mark.slow
def test_a_gate_file_that_is_refused_is_an_error_and_hides_nothing(place: Place, sink: HttpSink) -> None:  # noqa: F811
    """Pages and issues are there; the run counts as one that failed, so that its monitor hears nothing."""
    url = place.folder.git("remote", "get-url", "origin").strip().removeprefix("file://")
    hook = Path(url) / "hooks/update"
    hook.write_text(f'#!/bin/sh\n[ "$1" != refs/heads/{PUBLIC} ]\n')
    hook.chmod(0o755)
    done = run(place)
    assert done.code == 4, done
    assert "gate.json" in done.err
    assert len(pages(sink)) == 1
    assert keys(place) == ["INC-1"]


@pytest.mark.slow
@pytest.mark.parametrize("status", [pytest.param(503, marks=pytest.mark.slow), 401, 404])
def test_a_page_waits_for_no_list_of_issues(
    place: Place,  # noqa: F811
    sink: HttpSink,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    """GitHub refuses for an hour while its git goes on: who is on call is paged once, gate.json is published, and the
    run is red."""
    place.folder.put("INC-2", title="A small one", severity="SEV3")
    place.push()
    server.script(*[Reply(status, {"message": "not now"})] * 200)
    with monkeypatch.context() as scene:
        scene.setenv("GITHUB_API_URL", server.url)
        for _ in range(2):
            done = run(place)
            assert done.code in (2, 4), done
            assert "error:" in done.err
    assert [action for action, _ in pages(sink)] == ["trigger"]
    assert json.loads(on_branch(place, PUBLIC, "gate.json"))["services"]["api"]["held"] is True
    assert run(place).code == 0
    assert len(pages(sink)) == 1


@pytest.mark.slow
def test_an_hour_without_github_pages_once_and_the_first_run_after_it_catches_up(
    place: Place,  # noqa: F811
    sink: HttpSink,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """503 to everything, a run each ten minutes: all red, each notice of rank 2 once when it is due, none of rank 3;
    then the issues are opened, what waited is sent, and nothing comes twice."""
    noon = datetime(2025, 1, 27, 12, 10, tzinfo=UTC)  # a Monday: nobody's quiet hours
    times = "{declared: 2025-01-27T12:05:00Z}"
    place.folder.write("policy.yaml", POLICY.replace(LEVEL, f"{LEVEL}- {{id: SEV3, channels: [slack]}}\n"))
    place.folder.put("INC-1", times=times)
    place.folder.put("INC-2", title="A small one", severity="SEV3", times=times)
    place.push()
    monkeypatch.setattr(connect, "connect", partial(connect.connect, sleep=lambda _: None))
    server.script(*[Reply(503, {"message": "not now"})] * 5000)
    with monkeypatch.context() as scene:
        scene.setenv("GITHUB_API_URL", server.url)
        for turn in range(7):
            done = place.call("run", clock=stamp(noon + timedelta(minutes=10 * turn)))
            assert done.code == 4, done
            assert "error: " in done.err
    assert server.asked
    during = [one.body for one in sink.taken]
    assert [action for action, _ in pages(sink)] == ["trigger"]
    assert any("Internal update was due" in body for body in during)
    assert not any("A small one" in body for body in during)
    assert keys(place) == []
    for turn in (7, 8):
        assert place.call("run", clock=stamp(noon + timedelta(minutes=10 * turn))).code == 0
        assert keys(place) == ["INC-1", "INC-2"]
    assert any("A small one" in one.body for one in sink.taken)
    said = [(one.path, one.data.get("title") or one.data["payload"]["summary"]) for one in sink.taken]
    assert len(said) == len(set(said)), said


def test_a_list_that_breaks_off_before_the_first_write_hides_nothing(
    place: Place,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """GitHub answered while the plan was made and not right after: what comes after the issues is done all the same."""

    def broken(_: object) -> Any:
        raise Incomplete("GitHub answered 503")

    monkeypatch.setattr("incident_ops.reconcile.apply.list_issues", broken)
    done = run(place)
    assert done.code == 4, done
    assert "error: GitHub answered 503" in done.err
    assert "gate.json is published" in done.out
    assert keys(place) == []


def seen_as(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """What GitHub says of the repository to this token."""
    asked = GitHubSettings.repository

    def repository(settings: GitHubSettings) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return structs.replace(asked(settings), permissions=answer)

    monkeypatch.setattr(GitHubSettings, "repository", repository)


def test_a_token_that_may_not_write_is_refused_before_anybody_is_notified(
    place: Place,  # noqa: F811
    sink: HttpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once, in one line, with the way on; nothing is sent and nothing written."""
    seen_as(monkeypatch, {"pull": True, "push": False})
    run(place).told_once(2, f"the token may read {place.repository} and not write to it: nothing was done", "gh auth")
    assert (sink.taken, keys(place)) == ([], [])
    assert "incident-ops/" not in place.folder.git("ls-remote", "origin")


@pytest.mark.slow
@pytest.mark.parametrize("answer", [{}, {"push": True}, Incomplete("GitHub answered 503")], ids=str)
def test_what_github_does_not_say_of_a_token_holds_nothing_up(
    place: Place,  # noqa: F811
    sink: HttpSink,
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
) -> None:
    seen_as(monkeypatch, answer)
    assert run(place).code == 0
    assert len(pages(sink)) == 1


def test_a_limit_of_requests_that_ends_the_list_is_no_fine_end(place: Place, sink: HttpSink) -> None:  # noqa: F811
    """The next run would begin anew and end alike: a job takes code 5 for "another run goes on", and would be green."""
    done = run(place, "--max-requests", "1")
    assert done.code == 4, done
    assert "the next run goes on" not in done.err
    assert "the limit of 1 requests" in done.err
    assert "tracker.limits.requests" in done.err
    assert len(pages(sink)) == 1


def in_actions(
    place: Place,  # noqa: F811
    tmp_path: Path,
    *args: str,
    clock: str = "2025-01-26T14:00:00Z",
    **more: str,
) -> tuple[Done, str]:
    """A run as a step of a job has it -> what it printed, and the page of the step."""
    page = tmp_path / "summary.md"
    page.write_text("")
    with pytest.MonkeyPatch.context() as scene:
        for name, value in {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page), **more}.items():
            scene.setenv(name, value)
        done = place.call("run", "--format", "github", *args, clock=clock)
    return done, page.read_text()


def obeyed(log: str) -> list[str]:
    """The lines that a runner of GitHub takes for commands, as it reads a log: none between a stop and its word."""
    found, word = [], ""
    for line in log.splitlines():
        text = line.strip()
        if word:
            word = "" if text == f"::{word}::" else word
        elif text.startswith("::stop-commands::"):
            word = text.removeprefix("::stop-commands::")
        elif text.startswith("::") or "##[" in line:
            found.append(text)
    assert not word, "a fence is left open"
    return found


def crash(*_: object, **__: object) -> Any:
    raise RuntimeError("a fault that a test put in")


@pytest.mark.slow
@pytest.mark.parametrize("is_dry", [False, True], ids=["run", "dry run"])
def test_no_text_of_a_record_is_a_command_in_the_log(place: Place, tmp_path: Path, is_dry: bool) -> None:  # noqa: F811
    place.folder.put("INC-2", title=json.dumps(HOSTILE.replace("\n", " ")))
    place.push()
    done, page = in_actions(place, tmp_path, *(["--dry-run"] if is_dry else []))
    assert done.code == 0, done
    assert obeyed(done.out) == obeyed(done.err) == []
    assert "INC-2" in done.out
    assert "##[" not in done.out
    assert "INC-2" in page


@pytest.mark.slow
def test_what_went_wrong_is_on_the_page_of_the_run(
    place: Place,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An annotation names the variable to set; the page has the plan, and below it what was done."""
    monkeypatch.delenv("INCIDENT_OPS_CHANNEL_SLACK")
    done, page = in_actions(place, tmp_path)
    assert done.code == 2, done
    (told,) = [line for line in obeyed(done.out) if line.startswith("::error")]
    assert told.startswith("::error title=incident-ops::channel slack is not set up: set INCIDENT_OPS_CHANNEL_SLACK")
    assert page.startswith("## Plan for the tracker")
    assert "### What this run did" in page
    assert "create INC-1" in page.partition("### What this run did")[2]


@pytest.mark.slow
def test_a_page_is_there_for_a_run_that_crashes(
    place: Place,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was done before the crash is on it; the exit code is that of a crash."""

    monkeypatch.setattr(app_run, "_publish", crash)
    done, page = in_actions(place, tmp_path)
    assert done.code == 70, done
    assert "create INC-1" in page


@pytest.mark.slow
def test_a_part_that_crashes_keeps_no_other_from_its_turn(
    place: Place,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The alarm clock is started and gate.json published; the run is a crash, and its monitor hears nothing."""
    monkeypatch.setattr(app_run, "_judge_proposals", crash)
    done, _ = in_actions(place, tmp_path)
    assert done.code == 70, done
    assert "gate.json is published" in done.out
    assert "tick.yml is not in this repository" in done.out
    assert not place.folder.git("ls-remote", "origin", "incident-ops/ledger") or "complete" not in on_branch(
        place, "incident-ops/ledger", "runs"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "where",
    [
        "incident_ops.app.apply.apply_changes",
        pytest.param("incident_ops.app.apply.keep_numbers", marks=pytest.mark.slow),
        pytest.param("incident_ops.app.notify.NoticeSender.send_rest", marks=pytest.mark.slow),
        pytest.param("incident_ops.app.apply.settle_escalations", marks=pytest.mark.slow),
        pytest.param("incident_ops.app.apply.propose", marks=pytest.mark.slow),
        pytest.param("incident_ops.app.run.apply_allowed", marks=pytest.mark.slow),
        pytest.param("incident_ops.app.alarm_clock.settle_tick", marks=pytest.mark.slow),
        pytest.param("incident_ops.app.postmortem_reminder.remind_of_postmortems", marks=pytest.mark.slow),
        pytest.param("incident_ops.cli.running.plan_headline", marks=pytest.mark.slow),
    ],
)
def test_wherever_a_run_crashes_all_else_has_its_turn(
    place: Place,  # noqa: F811
    sink: HttpSink,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    """The page is sent, gate.json is that of the tip, the clocks are settled; the run is red, and its monitor hears
    nothing."""
    place.folder.write("policy.yaml", f"{POLICY}watch: {{ranks: [1, 2]}}\n")
    place.push()
    monkeypatch.setattr(where, crash)
    done, page = in_actions(place, tmp_path)
    assert done.code == 70, done
    assert len(pages(sink)) == (where != "incident_ops.app.run.apply_allowed")
    assert json.loads(on_branch(place, PUBLIC, "gate.json"))["revision"] == tip(place)
    assert "watch.yml" in done.out
    assert ("tick.yml is not in this repository" in done.out) == ("settle_tick" not in where)
    assert "gate.json is published" in page
    ledger = place.folder.git("ls-remote", "origin", "incident-ops/ledger")
    assert not ledger or "complete" not in on_branch(place, "incident-ops/ledger", "runs")
    if "apply_allowed" not in where:
        assert keys(place) == ([] if "apply_changes" in where else ["INC-1"])


@pytest.mark.slow
def test_what_failed_before_a_crash_is_printed_too(
    place: Place,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object) -> Any:
        raise WriteFailed("the remote takes no gate.json")

    monkeypatch.setattr(app_run, "_publish", refused)
    monkeypatch.setattr("incident_ops.app.apply.settle_escalations", crash)
    done, page = in_actions(place, tmp_path)
    assert done.code == 70, done
    assert "the remote takes no gate.json" in done.out
    assert "the remote takes no gate.json" in page


@pytest.mark.slow
def test_a_plan_that_cannot_be_shown_keeps_no_page_waiting(
    place: Place,  # noqa: F811
    sink: HttpSink,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The page of the job is made once everybody has been notified."""
    monkeypatch.setattr("incident_ops.cli.whole_run.shown_plan", crash)
    done, _ = in_actions(place, tmp_path)
    assert done.code == 70, done
    assert len(pages(sink)) == 1
    assert keys(place) == ["INC-1"]


@pytest.mark.slow
def test_a_crash_of_the_plan_keeps_no_page_waiting(
    place: Place,  # noqa: F811
    sink: HttpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What GitHub shows breaks the plan: pages go by records and ledger alone, and the run is a crash."""
    plan = app_run.plan_changes

    def breaks(workspace: Any, options: Any) -> Any:
        return plan(workspace, options) if not options.asks_github else crash(workspace)

    monkeypatch.setattr(app_run, "plan_changes", breaks)
    for _ in range(2):
        assert run(place).code == 70
    assert len(pages(sink)) == 1


@pytest.mark.slow
def test_a_burst_of_what_people_do_is_looked_at_by_the_next_run(place: Place, tmp_path: Path) -> None:  # noqa: F811
    """Twenty events while a run goes on, of which GitHub may start one run or twenty: the first after them sees all,
    and the next ones have nothing left to do."""
    items = "".join(f"\n- {{id: AI-{n}, title: Mend part {n}, status: open}}" for n in range(1, 20))
    now = datetime.now(UTC)
    place.folder.put(times=f"{{declared: {stamp(now - timedelta(minutes=1))}}}", action_items=items)
    place.push()
    assert in_actions(place, tmp_path, clock=stamp(now))[0].code == 0
    issues = {owner(one["body"] or ""): one for one in place.ask("GET", "/issues?state=open&per_page=100")}
    assert len(issues) == 20
    box = "**I have it:**"
    for key, one in issues.items():
        done = {"state": "closed", "state_reason": "completed"}
        change = {"body": one["body"].replace(f"- [ ] {box}", f"- [x] {box}")} if key == "INC-1" else done
        place.ask("PATCH", f"/issues/{one['number']}", change, token=PERSON_TOKEN)
    later = stamp(datetime.now(UTC) + timedelta(seconds=1))
    assert in_actions(place, tmp_path, clock=later)[0].code == 0
    record = on_branch(place, "incident-ops/people/INC-1", "incidents/INC-1/incident.yaml")
    assert record.count("status: done") == 19
    assert "acknowledged:" in record
    last, _ = in_actions(place, tmp_path, clock=later)
    assert (last.code, "Nothing to do until" in last.out) == (0, True), last


def limited(place: Place, limits: str) -> None:  # noqa: F811
    """A policy with these limits; the workflow that goes on is there."""
    text = (place.folder.path / "policy.yaml").read_text()
    place.folder.write("policy.yaml", text.replace("tracker: {", f"tracker: {{limits: {{{limits}}}, "))
    place.folder.write(RECONCILE, (ROOT / RECONCILE).read_text(encoding="utf-8"))
    place.push()


@pytest.mark.slow
def test_a_limit_in_a_job_starts_the_next_run_and_is_green(place: Place, tmp_path: Path) -> None:  # noqa: F811
    """Two incidents and one new issue a run: the second run is started, and the third has nothing to start."""
    place.folder.put("INC-2", title="Payments are slow")
    limited(place, "creates: 1")
    done, _ = in_actions(place, tmp_path, GITHUB_RUN_ID="1")
    assert (done.code, keys(place)) == (0, ["INC-1"]), done
    assert "another run of reconcile.yml continues with what is left" in done.out
    assert [one["file"] for one in place.github.dispatches(place.repository)] == ["reconcile.yml"]
    assert in_actions(place, tmp_path, GITHUB_RUN_ID="2")[0].code == 0
    assert keys(place) == ["INC-1", "INC-2"]
    assert len(place.github.dispatches(place.repository)) == 1


@pytest.mark.slow
def test_a_limit_that_no_next_run_lifts_is_red_and_starts_none(place: Place, tmp_path: Path) -> None:  # noqa: F811
    """Two issues are to be closed at once, and the policy allows none: a person has to look."""
    place.folder.put("INC-2", title="Payments are slow")
    limited(place, "closes: 1, closes_pct: 1")
    assert in_actions(place, tmp_path, GITHUB_RUN_ID="1")[0].code == 0
    for name in ("INC-1", "INC-2"):
        place.folder.git("rm", "-rq", f"incidents/{name}")
    place.folder.put("INC-3", title="Search is slow")
    place.push()
    done, _ = in_actions(place, tmp_path, GITHUB_RUN_ID="2")
    assert done.code == 5, done
    assert "the next run will not do it either" in done.out
    assert place.github.dispatches(place.repository) == []


def test_with_the_embedded_tracker_nothing_is_sent(place: Place, sink: HttpSink) -> None:  # noqa: F811
    """Issues of this clone, notices recorded; no branch of the remote is touched."""
    place.folder.write("policy.yaml", OURS)
    done = run(place, "--tracker", "local")
    assert "recorded, not sent" in done.out
    assert (sink.taken, keys(place)) == ([], [])
    assert "incident-ops/" not in place.folder.git("ls-remote", "origin")
