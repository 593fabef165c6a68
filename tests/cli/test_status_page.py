"""A run keeps an existing Statuspage in step with what is merged, and a plan says what it would publish."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from incident_ops.domain.time import parse_instant
from tests.cli.scene import Done
from tests.cli.test_apply_notices import LEVEL, OURS, Place, place  # noqa: F401 - a fixture
from tests.support.statuspage import KEY, PAGE, StatuspageDesk, statuspage_desk

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"]), pytest.mark.slow]
PUBLISH = f"publish: {{to: statuspage, page: {PAGE}, components: {{api: api2}}}}\n"
CLOCK = "2025-01-26T12:10:00Z"
LOOK = '[{at: 2025-01-26T12:08:00Z, audience: public, status: identified, text: "We found the cause."}]'


@pytest.fixture
def desk(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[StatuspageDesk]:  # noqa: F811
    """The page of the policy; the machine's clock is that of the incident."""
    with statuspage_desk() as made:
        monkeypatch.setenv("INCIDENT_OPS_STATUSPAGE_TOKEN", KEY)
        monkeypatch.setenv("INCIDENT_OPS_STATUSPAGE_URL", made.url)
        monkeypatch.setattr("incident_ops.adapters.clock.now", lambda: parse_instant(CLOCK))
        place.folder.write("policy.yaml", f"{OURS}{LEVEL}{PUBLISH}")
        place.push()
        yield made


def run(place: Place, *args: str) -> Done:  # noqa: F811
    return place.call("run", *args, clock=CLOCK)


@pytest.mark.parametrize("command", [("run",), ("sla", "run")], ids=["run", "sla run"])
def test_a_run_publishes_once(place: Place, desk: StatuspageDesk, command: tuple[str, ...]) -> None:  # noqa: F811
    done = place.call(*command, clock=CLOCK)
    assert done.code in (0, 5), done  # `sla run` opens no issue, so a notice there waits
    assert "status page: INC-1: opened as investigating" in done.out
    assert desk.components["api2"] == "partial_outage"
    place.folder.put(updates=LOOK)
    place.push()
    assert "status page: INC-1: an update is published, identified" in place.call(*command, clock=CLOCK).out
    assert "status page" not in place.call(*command, clock=CLOCK).out
    assert [body for _, body in desk.bodies][1:] == ["We found the cause."]
    assert KEY not in f"{done.out}{done.err}"


def test_what_is_not_merged_is_not_published(place: Place, desk: StatuspageDesk) -> None:  # noqa: F811
    run(place)
    place.folder.put(updates=LOOK)
    assert "status page" not in run(place).out
    assert len(desk.changes) == 1


@pytest.mark.parametrize("command", [("run", "--dry-run"), ("plan", "--tracker", "github")])
def test_a_plan_says_what_would_be_published(
    place: Place,  # noqa: F811
    desk: StatuspageDesk,
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the key what exactly, without it of which incidents; it changes nothing."""
    done = place.call(*command, clock=CLOCK)
    assert "status page: INC-1: opened as investigating" in done.out
    monkeypatch.delenv("INCIDENT_OPS_STATUSPAGE_TOKEN")
    lines = place.call(*command, clock=CLOCK).out
    assert "status page: what it holds is not known: nothing is published on the status page: INCIDENT_OPS" in lines
    assert f"status page {PAGE}: INC-1 is to be investigating, component api2: partial_outage" in lines
    assert desk.changes == []


def test_a_page_that_is_down_keeps_nothing_else_from_its_turn(place: Place, desk: StatuspageDesk) -> None:  # noqa: F811
    """The run is red by one line; issue and gate.json are there, and the next run publishes."""
    desk.read_faults = [503]
    done = run(place)
    assert (done.code, done.err.count("Statuspage")) == (4, 1)
    assert "error: Statuspage: it answered 503 (the next run tries again; it asks to wait 60 s)" in done.err
    assert "gate.json is published" in done.out
    assert len(place.ask("GET", "/issues?state=open")) == 1
    assert "status page: INC-1: opened as investigating" in run(place).out


def test_without_a_key_the_run_says_what_to_set(
    place: Place,  # noqa: F811
    desk: StatuspageDesk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run on GitHub is wrong then; a person's leaves the page to it."""
    monkeypatch.delenv("INCIDENT_OPS_STATUSPAGE_TOKEN")
    by_hand = run(place)
    assert (by_hand.code, "left to the run on GitHub" in by_hand.out) == (0, True)
    monkeypatch.setattr("incident_ops.app.status_page.in_actions", lambda: True)
    done = run(place)
    assert done.code == 2
    assert "error: nothing is published on the status page: INCIDENT_OPS_STATUSPAGE_TOKEN is not set" in done.err
    assert desk.sent == []


def test_while_another_run_has_the_lock_nothing_is_published(
    place: Place,  # noqa: F811
    desk: StatuspageDesk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("incident_ops.app.apply.IssueLock.may_create", lambda _: False)
    done = run(place)
    assert (done.code, desk.sent) == (5, [])
    assert "the status page is left to the next run: another run has the lock" in done.err


def test_a_policy_that_only_observes_publishes_nothing(place: Place, desk: StatuspageDesk) -> None:  # noqa: F811
    place.folder.write("policy.yaml", f"mode: observe\n{OURS}{LEVEL}{PUBLISH}")
    place.push()
    run(place)
    assert "nothing is published: the policy says mode: observe" in run(place, "--dry-run").out
    assert desk.sent == []


def test_without_an_incident_for_it_the_page_is_not_asked(place: Place, desk: StatuspageDesk) -> None:  # noqa: F811
    place.folder.put(severity="SEV2")
    place.push()
    run(place)
    assert desk.sent == []


def test_a_plan_at_home_says_what_is_to_stand_there(place: Place, desk: StatuspageDesk) -> None:  # noqa: F811
    """The embedded tracker publishes nothing, so the page is not asked."""
    line = f"status page {PAGE}: INC-1 is to be investigating, component api2: partial_outage"
    assert line in place.call("plan", clock=CLOCK).out
    assert line in place.call("plan", "--format", "json", clock=CLOCK).err
    assert place.call("apply", clock=CLOCK).code == 0
    assert desk.sent == []
