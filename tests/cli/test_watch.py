"""`watch`, and what a run does about the workflows that wake the next one: on the stand-in, with a real ledger."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest

from incident_ops.app import tip
from incident_ops.app.alarm_clock import settle_clocks
from incident_ops.app.plan import PlanOptions
from incident_ops.app.run import run_at_tip
from incident_ops.app.run_parts import PartDone
from incident_ops.app.workspace import open_workspace
from incident_ops.domain.ports import WorkflowRun
from incident_ops.domain.run_cost import TICK, WATCH
from incident_ops.errors import WriteFailed
from tests.cli.scene import Done
from tests.cli.test_apply_notices import Place, pages, place  # noqa: F401 - a fixture
from tests.support.http_sink import HttpSink
from tests.support.workflow_control import FakeWorkflows

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
AT = datetime(2025, 1, 26, 14, tzinfo=UTC)
NO_ALARM = "No alarm clock from here on"


def rank_2_is_watched(place: Place, more: str = "") -> None:  # noqa: F811
    policy = (place.folder.path / "policy.yaml").read_text()
    place.folder.write("policy.yaml", f"{policy}watch: {{ranks: [1, 2]{more}}}\n")
    place.push()


def control(**states: str) -> FakeWorkflows:
    return FakeWorkflows({TICK: "disabled_manually", WATCH: "active", **states}, lambda: AT)


def settled(place: Place, workflows: FakeWorkflows, at: datetime = AT) -> PartDone:  # noqa: F811
    """A run as `sla run` makes it, and what it does about the workflows."""
    workspace = open_workspace({"repo": str(place.folder.path), "rev": None, "at": f"{at:%Y-%m-%dT%H:%M:%SZ}"})
    with mock.patch.object(tip, "OFF_THE_CLOCK", timedelta.max):
        run = run_at_tip(workspace, PlanOptions(tracker="github"), with_issues=False)
    return settle_clocks(run, workflows)


def said_no_alarm(sink: HttpSink) -> list[str]:
    return [text for one in sink.taken if NO_ALARM in (text := json.dumps(one.data))]


def test_a_run_switches_the_tick_on_and_starts_the_alarm_clock_once(place: Place) -> None:  # noqa: F811
    rank_2_is_watched(place)
    workflows = control()
    done = settled(place, workflows)
    assert done == PartDone(
        (
            f"{TICK} is switched on: it looks every 20 minutes while something is due within a day",
            f"the alarm clock ({WATCH}) is started for INC-1: it is open, of rank 2",
        )
    )
    assert settled(place, workflows) == PartDone()
    assert workflows.written == [f"enable {TICK}", f"dispatch on main {WATCH}"]


@pytest.mark.slow
def test_at_the_limit_the_issue_says_so_and_one_page_does(place: Place, sink: HttpSink) -> None:  # noqa: F811
    rank_2_is_watched(place, ", minutes: {incident: 60}")
    assert place.apply().code == 0
    workflows, began = control(), AT - timedelta(minutes=70)
    workflows.began[WATCH] = [WorkflowRun(1, "completed", "success", began, AT)]
    before = len(pages(sink))
    for _ in range(3):
        assert settled(place, workflows).errors == ()
    assert [action for action, _ in pages(sink)][before:] == []
    assert len(said_no_alarm(sink)) == 1, sink.taken
    (issue,) = place.ask("GET", "/issues?labels=incident")
    comments = [
        one["body"] for one in place.ask("GET", f"/issues/{issue['number']}/comments") if NO_ALARM in one["body"]
    ]
    assert len(comments) == 1
    assert "its 60 minutes for one incident" in comments[0]
    assert workflows.written == [f"enable {TICK}"]


@pytest.mark.slow
def test_the_page_waits_for_no_issue(
    place: Place,  # noqa: F811
    sink: HttpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An issue that takes no comment is an error of the run; whoever is on call is paged all the same."""
    rank_2_is_watched(place, ", minutes: {incident: 60}")
    assert place.apply().code == 0
    workflows = control()
    workflows.began[WATCH] = [WorkflowRun(1, "completed", "success", AT - timedelta(minutes=70), AT)]

    def refused(*_: object) -> None:
        raise WriteFailed("the issue takes no comment")

    monkeypatch.setattr("incident_ops.adapters.github.issues.GitHubTracker.comment", refused)
    assert [str(error) for error in settled(place, workflows).errors] == ["the issue takes no comment"]
    assert len(said_no_alarm(sink)) == 1


@pytest.mark.slow
def test_a_workflow_that_somebody_switched_off_stays_off(place: Place) -> None:  # noqa: F811
    rank_2_is_watched(place)
    workflows = control(**{WATCH: "disabled_manually"})
    assert settled(place, workflows).lines[-1] == (
        f"{WATCH} is switched off by hand: nobody is awake for INC-1 between runs"
    )


@pytest.mark.slow
def test_an_alarm_clock_that_waits_for_a_reviewer_counts_for_nobody(place: Place) -> None:  # noqa: F811
    """A second one would wait as well: it is said, and the tick is on."""
    rank_2_is_watched(place)
    workflows = control()
    workflows.began[WATCH] = [WorkflowRun(1, "waiting", "", AT - timedelta(minutes=30), None)]
    assert settled(place, workflows).lines[-1] == (
        f"a run of {WATCH} waits for somebody to let it go on: nobody is awake for INC-1"
    )
    assert workflows.written == [f"enable {TICK}"]


@pytest.mark.slow
def test_what_fails_is_in_the_result(place: Place) -> None:  # noqa: F811
    rank_2_is_watched(place)
    workflows = control(**{WATCH: "disabled_inactivity"})
    workflows.refuses = True
    assert [str(error) for error in settled(place, workflows).errors] == [
        f"{TICK} cannot be changed", f"{WATCH} cannot be changed"
    ]  # fmt: skip


def watch(place: Place, *args: str) -> Done:  # noqa: F811
    return place.call("watch", *args)


def test_a_dry_run_says_for_whom_and_what_goes_next(place: Place, sink: HttpSink) -> None:  # noqa: F811
    rank_2_is_watched(place)
    assert watch(place, "--dry-run").out.splitlines()[:2] == [
        "Awake for INC-1: it is open, of rank 2; until 2025-01-26T20:00:00Z at the latest",
        "The tick is on: something goes out within a day.",
    ]
    data = json.loads(watch(place, "--dry-run", "--format", "json").out)
    assert data["awake"] is True
    assert data["watched"] == [{"incident": "INC-1", "rank": 2, "why": "it is open, of rank 2"}]
    assert data["next"][0] == {"at": "2025-01-26T14:05:01Z", "incident": "INC-1", "rank": 2, "way": "tell"}
    assert sink.taken == []


@pytest.mark.slow
def test_it_runs_and_ends_when_its_time_is_up(place: Place, sink: HttpSink) -> None:  # noqa: F811
    rank_2_is_watched(place)
    assert place.apply().code == 0
    done = watch(place, "--for", "1s")
    assert done.out.splitlines()[-1].endswith("the alarm clock ends: its time is up"), done
    assert len(pages(sink)) >= 1


@pytest.mark.slow
def test_nobody_has_to_be_awake_and_it_ends_at_once(place: Place) -> None:  # noqa: F811
    place.folder.put("INC-1", severity="SEV3")
    place.push()
    assert place.apply().code == 0
    assert json.loads(watch(place, "--format", "json").out)["ended"] == "nobody has to be awake any more"


def test_a_crash_has_the_code_of_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """It ends nothing, and whoever reads the code hears of it all the same."""

    def crash(_: object) -> None:
        raise RuntimeError("a fault that a test put in")

    monkeypatch.setattr("incident_ops.app.watch_bell.WatchBell.run", crash)
    done = watch(place, "--for", "1s")
    assert done.code == 70, done
    assert done.out.splitlines()[-1].endswith("the alarm clock ends: its time is up")


def test_a_length_that_is_none_is_refused(place: Place) -> None:  # noqa: F811
    assert watch(place, "--for", "soon").code == 2


def test_without_a_token_it_does_not_wait_for_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    watch(place).told_once(2, "GITHUB_TOKEN")
