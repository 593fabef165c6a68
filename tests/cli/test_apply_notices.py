"""plan and apply with what `sla` owes: notices by the ledger, escalations as edits, and a second plan that is empty."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from incident_ops.app import apply as app_apply
from incident_ops.app.notify_by_hand import page_once
from incident_ops.app.workspace import open_workspace
from incident_ops.domain.notification import parse_ledger
from tests.cli.scene import Done, Folder, call
from tests.support.hosted import hosted
from tests.support.http_sink import HttpSink
from tests.support.standin import LOGIN, PERSON_TOKEN, Standin

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
BRANCH = "incident-ops/automation/INC-1"
LEVEL = "levels:\n- {id: SEV1, escalate_at: 1h, channels: [slack, pagerduty, ticket]}\n"
LADDER = "escalation: {tiers: [{id: first, tier: 1}, {id: second, tier: 2}]}\ncontacts: {tiers: {second: ['@dana']}}\n"
OURS = f"extends: sev0-3\ntracker: {{identities: [{LOGIN}]}}\nnotify: {{incident_channel: {{create: false}}}}\n"
POLICY = f"{OURS}{LEVEL}{LADDER}"
SERVICES = 'services:\n  api:\n    owner: "@team"\n    pager_key_env: API_PAGER\n'
KEY = "0123456789abcdef0123456789abcdef"
ESCALATION = "INC-1/resolution/1/escalate.SEV1"
TEAM = "team/internal"
ALERT = "INC-1/alert/1/declared/API_PAGER"


@dataclass
class Place:
    """A clone with one SEV1 incident, its bare origin, and its repository on the stand-in."""

    folder: Folder
    github: Standin
    repository: str

    def call(self, *args: str, clock: str = "2025-01-26T14:00:00Z") -> Done:
        return call(*args, at=self.folder.path, clock=clock)

    def plan(self, *args: str, clock: str = "2025-01-26T14:00:00Z") -> dict[str, Any]:
        done = self.call("plan", "--tracker", "github", "--format", "json", *args, clock=clock)
        assert done.code == 0, done
        return dict(json.loads(done.out))

    def notices(self, **options: Any) -> list[str]:
        return [one["key"] for one in self.plan(**options)["changes"] if one["action"] == "notify"]

    def apply(self, *args: str, clock: str = "2025-01-26T14:00:00Z") -> Done:
        return self.call("apply", "--tracker", "github", *args, clock=clock)

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        return self.github.ask(method, f"/repos/{self.repository}{path}", body, **options)

    def push(self) -> None:
        self.folder.git("add", "--all")
        self.folder.git("commit", "--quiet", "--allow-empty", "--message", "a step")
        self.folder.git("push", "--quiet", "origin", "main")

    def proposed(self) -> str:
        self.folder.git("fetch", "--quiet", "origin", BRANCH)
        return self.folder.git("show", "FETCH_HEAD:incidents/INC-1/incident.yaml")


@pytest.fixture
def place(tmp_path: Path, github: Standin, sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The clone, pushed; chat and pager lead to the sink."""
    folder = Folder(tmp_path / "clone", policy=POLICY, services=SERVICES)
    folder.put()
    repository = hosted(folder, github, monkeypatch)
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/200"))
    monkeypatch.setenv("INCIDENT_OPS_PAGER_URL", sink.url)
    monkeypatch.setenv("API_PAGER", KEY)
    made = Place(folder, github, repository)
    made.push()
    return made


@pytest.mark.slow
def test_a_channel_that_is_not_set_up_is_one_line_of_a_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many notices would go there: the variable to set, how many wait for it, and nothing else about it."""
    monkeypatch.delenv("INCIDENT_OPS_CHANNEL_SLACK")
    monkeypatch.delenv("API_PAGER")
    place.folder.put("INC-2", title="Payments are slow")
    place.push()
    done = place.apply()
    assert done.code == 2
    assert done.err.splitlines() == [
        "error: channel pagerduty is not set up: set API_PAGER (the routing key of service api, which services.yaml "
        "names in pager_key_env); 2 notices wait for it",
        "error: channel slack is not set up: set INCIDENT_OPS_CHANNEL_SLACK (an apprise URL: in the repository's "
        "secrets, at home with export); 8 notices wait for it",
    ]
    assert "sent now: team by ticket" in done.out
    assert "slack" not in done.out
    assert "pagerduty" not in done.out
    again = place.apply().out
    assert "sent earlier: team by ticket" in again
    assert "sent now" not in again


def test_a_page_for_a_reason_that_no_record_holds_needs_no_issue(place: Place, sink: HttpSink) -> None:
    """The number of the issue waits in a proposal; chat hears of it all the same, once."""
    place.apply()
    told = len(sink.taken)
    here = open_workspace({"repo": str(place.folder.path), "rev": None, "at": None})
    first, again = (page_once(here, "INC-1", "no_alarm_clock", "No alarm clock from here on") for _ in range(2))
    assert [one.error for one in first.delivered if one.error] == []
    assert {one.planned.message.channel for one in first.delivered if one.planned.goes_out} == {"slack"}
    assert [one for one in again.delivered if one.planned.goes_out] == []
    assert sum("No alarm clock" in json.dumps(one.data) for one in sink.taken[told:]) == len(sink.taken) - told > 0


def by_preset(place: Place, more: str = "", services: str = SERVICES) -> None:
    """The team names no channel: those of the preset hold."""
    place.folder.write("policy.yaml", f"{OURS}escalation: {{tiers: [{{id: first, tier: 1}}]}}\n{more}")
    place.folder.write("services.yaml", services)


def test_a_channel_of_the_preset_that_nobody_set_up_spoils_no_run(
    place: Place, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pager rang: chat of the preset is a warning, with the line that leaves it out; written, nothing is said."""
    monkeypatch.delenv("INCIDENT_OPS_CHANNEL_SLACK")
    by_preset(place)
    place.push()
    for _ in range(2):
        done = place.apply()
        assert done.code == 0, done
        assert done.err.splitlines() == [
            "warning: channel slack is not set up: set INCIDENT_OPS_CHANNEL_SLACK (an apprise URL: in the repository's "
            "secrets, at home with export); 3 notices wait for it",
            "note: only the preset names them; to use none of them, write into policy.yaml: levels: [{id: SEV0, "
            "channels: [pagerduty, email, sms]}, {id: SEV1, channels: [pagerduty]}, {id: SEV2, channels: []}]",
        ]
    assert [action for action, _ in pages(sink)] == ["trigger"]
    line = done.err.splitlines()[-1].partition("policy.yaml: ")[2]
    by_preset(place, f"{line}\n")
    place.push()
    assert (place.apply().code, place.apply().err) == (0, "")


@pytest.mark.parametrize(
    ("more", "services", "slack"),
    [
        ("", SERVICES.replace("    pager_key_env: API_PAGER\n", ""), "/200"),  # chat heard of it, nobody was woken
        ("", SERVICES.replace("    pager_key_env: API_PAGER\n", ""), ""),  # nobody heard of it
        ("levels: [{id: SEV1, channels: [slack, pagerduty]}]\n", SERVICES, ""),  # the team asks for chat
    ],
)
def test_an_incident_that_wakes_nobody_and_a_channel_of_our_own_stay_errors(
    more: str, services: str, slack: str, place: Place, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the preset names may be missing; somebody must have heard, and of a page somebody who was woken."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address(slack) if slack else "")
    by_preset(place, more, services)
    place.push()
    done = place.apply()
    assert done.code == 2, done
    assert "error: channel " in done.err


@pytest.mark.slow
def test_a_page_says_where_to_click(place: Place, sink: HttpSink) -> None:
    """The first page goes out before there is an issue: it leads to the record and the runbook, later ones to it too.

    No address is guessed: a runbook that is not there has none."""
    place.folder.write("runbooks/api.md", "# api\n")
    place.folder.put(services="[api, web]", links='{bridge: "https://meet.example/j/7"}')
    place.push()
    assert place.apply(clock="2025-01-26T12:06:00Z").code == 0
    (first,) = [one.data for one in sink.taken if one.path == "/v2/enqueue"]
    assert first["payload"]["summary"] == "SEV1 Login fails - Declared (INC-1)"
    assert first["payload"]["component"] == "api, web"
    at = f"{place.github.url}/{place.repository}"
    assert [(one["text"], one["href"]) for one in first["links"]] == [
        ("Record", f"{at}/blob/HEAD/incidents/INC-1/incident.yaml"),
        ("Runbook of api", f"{at}/blob/HEAD/runbooks/api.md"),
        ("Bridge", "https://meet.example/j/7"),
    ]
    assert first["client_url"] == first["links"][0]["href"]
    sink.taken.clear()
    assert place.apply(clock="2025-01-26T14:00:00Z").code == 0
    (issue,) = place.ask("GET", "/issues?state=open")
    chat = [one.data["message"] for one in sink.taken if one.path == "/200"]
    assert all(f"Issue: {at}/issues/{issue['number']}\n" in one for one in chat)


def pages(sink: HttpSink) -> list[tuple[str, str]]:
    """What the pager was asked to do, in order: action and key."""
    taken = [one.data for one in sink.taken if one.path == "/v2/enqueue"]
    return [(one["event_action"], one["dedup_key"]) for one in taken]


@pytest.mark.slow
def test_a_breach_is_told_once_and_written_down(place: Place, sink: HttpSink) -> None:
    """Chat, pager, comment and record all say it, and the second plan is empty, now and ten minutes later."""
    first = place.plan()
    told = {one["key"]: one for one in first["changes"] if one["action"] == "notify"}
    assert set(told) == {
        f"INC-1/incident/1/declared/{TEAM}", f"INC-1/response/1/due/{TEAM}", f"{ESCALATION}/{TEAM}",
        f"INC-1/update_internal/1/slot.2025-01-26T12:05:00Z.3/{TEAM}", ALERT,
    }  # fmt: skip
    assert told[ALERT]["fields"]["channels"] == ["pagerduty"]
    assert told[f"{ESCALATION}/{TEAM}"]["fields"] == {
        "audience": "internal", "recipient": "team", "channels": ["slack", "ticket"],
        "subject": "SEV1 Login fails - Threshold of 1h of the resolution passed on SEV1 (INC-1)",
        "words": "Threshold of 1h of the resolution passed on SEV1\n"
        "At 13:05 UTC, noticed 14:00 UTC, 55 minutes later\nTo take it: incident-ops ack INC-1",
    }  # fmt: skip
    assert ("edit", "escalation", ESCALATION) in [(one["action"], one["kind"], one["key"]) for one in first["changes"]]
    done = place.apply("--checksum", first["checksum"])
    assert (done.code, done.err) == (0, ""), done
    assert len([one for one in sink.taken if one.path == "/200"]) == 4
    assert pages(sink) == [("trigger", f"{place.repository}/INC-1")]
    (issue,) = place.ask("GET", "/issues?state=open")
    comments = [one["body"] for one in place.ask("GET", f"/issues/{issue['number']}/comments")]
    assert len(comments) == 4
    heads = [one.splitlines()[one.startswith("<!--")] for one in comments]
    assert heads == [
        "**Declared SEV1**", "**Response of SEV1 was due at 12:20 UTC**",
        "**Threshold of 1h of the resolution passed on SEV1**",
        "**Internal update was due at 13:35 UTC; the last one was at 12:05 UTC**",
    ], "in order of time, without the title of the issue"  # fmt: skip
    assert "Due 12:20 UTC, noticed 14:00 UTC, 1 hour 40 minutes late" in comments[1]
    assert 'To write it: incident-ops update INC-1 --internal "..."' in comments[3]
    assert not any("incident-ops escalate" in one for one in (comments[0], comments[3]))
    record = place.proposed()
    assert f"key: {ESCALATION}" in record
    assert "noticed_at: 2025-01-26T14:00:00Z" in record
    assert place.plan()["changes"] == []
    later = place.plan(clock="2025-01-26T14:04:00Z")
    assert later["changes"] == []
    pull = next(one["number"] for one in place.ask("GET", "/pulls") if one["head"]["ref"] == BRANCH)
    assert (ESCALATION, f"waiting in #{pull}") in {(one["key"], one["reason"]) for one in later["kept"]}
    again = place.apply()
    assert (again.code, again.err) == (0, "")
    assert len(pages(sink)) == 1


def test_ranks_1_and_2_go_out_before_issues_are_opened(place: Place) -> None:
    """What a person waits for comes first; a comment needs its issue and comes last."""
    lines = [line.strip() for line in place.apply().out.splitlines()]
    paged = next(place for place, line in enumerate(lines) if line.startswith("! sent now: team by slack"))
    made = next(place for place, line in enumerate(lines) if "create INC-1" in line)
    commented = next(place for place, line in enumerate(lines) if line.startswith("! sent now: team by ticket"))
    assert paged < made < commented


@pytest.mark.slow
def test_an_alert_is_acknowledged_and_resolved_under_one_key(place: Place, sink: HttpSink) -> None:
    """Whatever else is due rings nobody; each event is sent once, and the plan says what it does."""
    alert = f"{place.repository}/INC-1"
    assert place.apply(clock="2025-01-26T12:30:00Z").code == 0
    assert pages(sink) == [("trigger", alert)]
    place.folder.put(state="in_progress", times="{declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:33:00Z}")
    place.push()
    shown = place.call("plan", "--tracker", "github", clock="2025-01-26T12:34:00Z").out
    assert "notify team by pagerduty: SEV1 Login fails - somebody has it (INC-1)" in shown
    assert "pagerduty: SEV1 Login fails - Declared" not in shown
    assert place.apply(clock="2025-01-26T12:34:00Z").code == 0
    assert place.notices(clock="2025-01-26T12:34:30Z") == []
    assert place.apply(clock="2025-01-26T13:10:00Z").code == 0
    times = "{declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:33:00Z, restored: 2025-01-26T13:15:00Z, "
    place.folder.put(state="resolved", times=times + "resolved: 2025-01-26T13:20:00Z}", cause="{category: unknown}")
    place.push()
    assert place.apply(clock="2025-01-26T13:30:00Z").code == 0
    assert pages(sink) == [(action, alert) for action in ("trigger", "acknowledge", "resolve")]
    assert place.notices(clock="2025-01-26T13:31:00Z") == []


def test_a_false_alarm_takes_its_pages_back(place: Place, sink: HttpSink) -> None:
    """Withdrawn and closed at once: no run saw it resolved, and the pager is told all the same."""
    assert place.apply(clock="2025-01-26T12:10:00Z").code == 0
    times = "{declared: 2025-01-26T12:05:00Z, closed: 2025-01-26T12:11:00Z}"
    place.folder.put(state="closed", outcome="false_alarm", times=times)
    place.push()
    assert place.apply(clock="2025-01-26T12:12:00Z").code == 0
    assert pages(sink) == [(action, f"{place.repository}/INC-1") for action in ("trigger", "resolve")]


@pytest.mark.parametrize("path", ["/500", "/429", "/redirect"])
def test_a_failing_sink_blocks_nothing(
    place: Place, sink: HttpSink, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Exit 4, told once; the pager, issues, edits and comments are all there; the next run sends what is left."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address(path))
    done = place.apply()
    assert done.code == 4
    assert "channel slack" in done.err
    assert len(pages(sink)) == 1
    assert len(place.ask("GET", "/issues?state=open")) == 1
    assert ESCALATION in place.proposed()


def test_a_channel_that_is_not_set_up_blocks_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 2 names the variable; everything else is done, and once it is there the notices go out."""
    monkeypatch.delenv("INCIDENT_OPS_CHANNEL_SLACK")
    done = place.apply()
    assert done.code == 2
    assert "INCIDENT_OPS_CHANNEL_SLACK" in done.err
    assert len(place.ask("GET", "/issues?state=open")) == 1
    left = {one["key"]: one["fields"]["channels"] for one in place.plan()["changes"]}
    assert len(left) == 4
    assert set(map(tuple, left.values())) == {("slack",)}


@pytest.mark.slow
def test_a_run_is_red_where_nobody_answers_and_nobody_is_there(place: Place) -> None:
    """One line with the mend; the next run is red, too, until somebody answers."""
    place.folder.write("policy.yaml", f"{OURS}levels:\n- {{id: SEV1, channels: [slack]}}\n")
    place.push()
    mend = "name somebody with a channel in `contacts` for on_call, secondary, manager, or set escalation.fallback"
    for clock in ("2025-01-26T14:00:00Z", "2025-01-26T14:10:00Z"):
        done = place.apply(clock=clock)
        assert (done.code, done.err) == (
            2,
            f"error: INC-1: nobody answers, and nobody on the ladder can be reached: {mend}\n",
        )
    place.folder.put("INC-1", times={"declared": "2025-01-26T12:05:00Z", "acknowledged": "2025-01-26T14:11:00Z"})
    place.push()
    assert place.apply(clock="2025-01-26T14:20:00Z").code == 0


def test_observe_plans_everything_and_sends_nothing(place: Place, sink: HttpSink) -> None:
    """The plan shows who would be told; issues are made, and no record claims that anybody was told."""
    place.folder.write("policy.yaml", f"{POLICY}mode: observe\n")
    place.push()
    held = [one["fields"]["held"] for one in place.plan()["changes"] if one["action"] == "notify"]
    assert held == ["the policy's mode is observe"] * 5
    done = place.apply()
    assert (done.code, done.err) == (0, ""), done
    assert sink.taken == []
    (issue,) = place.ask("GET", "/issues?state=open")
    assert place.ask("GET", f"/issues/{issue['number']}/comments") == []
    proposed = {one["head"]["ref"] for one in place.ask("GET", "/pulls")}
    assert BRANCH not in proposed, "nobody was told of the escalation, so no record says so"
    left = [(one["key"], one["reason"]) for one in place.plan()["kept"]]
    why = "not written into the record yet, nobody has been notified: the policy's mode is observe"
    assert (ESCALATION, why) in left


@pytest.mark.slow
def test_no_notify_leaves_the_notices_to_another_run(place: Place, sink: HttpSink) -> None:
    """Neither plan nor apply speak of them; issues go on, the escalation waits; the plan of sla finds them."""
    first = place.plan("--no-notify")
    assert {one["action"] for one in first["changes"]} == {"create"}
    assert ESCALATION in {one["key"] for one in first["kept"]}
    assert place.apply("--no-notify", "--checksum", first["checksum"]).code == 0
    assert sink.taken == []
    assert len(place.notices()) == 5
    assert place.apply().code == 0
    written = place.proposed()
    assert ESCALATION in written
    assert place.apply("--no-notify").code == 0
    assert place.proposed() == written, "what was written is left as it is"


@pytest.mark.slow
def test_a_plan_is_applied_from_what_was_observed(place: Place, sink: HttpSink, tmp_path: Path) -> None:
    """The ledger as it was is in the file: same checksum; what another run sent meanwhile is not sent twice."""
    file = str(tmp_path / "observed.json")
    first = place.plan("--save-observed", file)
    assert place.plan("--observed", file)["checksum"] == first["checksum"]
    done = call("notify", "INC-1", "--mark", "declared", "--channel", "slack", at=place.folder.path)
    assert done.code == 0
    assert place.apply("--observed", file, "--checksum", first["checksum"]).code == 0
    titles = [
        title
        for title in [one.data["title"] for one in sink.taken if one.path == "/200"]
        if title.endswith("Declared (INC-1)")
    ]
    assert len(titles) == 1
    assert place.plan()["changes"] == []


def test_the_checksum_binds_who_is_told(place: Place) -> None:
    """It is the same a minute later, and another one when somebody else is to be told."""
    before = place.plan(clock="2025-01-26T14:00:00Z")["checksum"]
    assert place.plan(clock="2025-01-26T14:01:00Z")["checksum"] == before
    place.folder.write("policy.yaml", POLICY.replace("[slack, pagerduty, ticket]", "[slack, ticket]"))
    place.push()
    assert place.plan()["checksum"] != before


def test_somebody_who_answers_meanwhile_is_not_paged(
    place: Place, sink: HttpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acknowledged on main between plan and apply: the call is dropped right before it is sent."""
    file = str(tmp_path / "observed.json")
    clock = "2025-01-26T12:30:00Z"
    first = place.plan("--save-observed", file, clock=clock)
    commit = place.folder.git("rev-parse", "HEAD").strip()
    place.folder.put(state="in_progress", times="{declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:29:00Z}")
    place.push()
    place.folder.git("checkout", "--quiet", "--detach", commit)
    monkeypatch.setattr(app_apply, "must_be_tip", lambda _: None)  # main moved just after it was asked
    done = place.apply("--observed", file, "--checksum", first["checksum"], clock=clock)
    assert "dropped: team by pagerduty" in done.out
    assert "dropped: team by slack" in done.out
    assert sink.taken == []


def test_without_the_ledger_ranks_1_and_2_go_out_and_it_is_told(
    place: Place, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The branch holds rubbish: the plan warns, the apply sends what is urgent, exit 4; nothing else waits."""
    place.folder.git("checkout", "--quiet", "--orphan", "rubbish")
    place.folder.write("ledger", "no ledger\n")
    place.folder.git("add", "ledger")
    place.folder.git("commit", "--quiet", "--message", "rubbish")
    place.folder.git("push", "--quiet", "origin", "rubbish:incident-ops/ledger")
    place.folder.git("checkout", "--quiet", "main")
    planned = place.call("plan", "--tracker", "github")
    assert "planned without the ledger, a repeat is possible" in planned.err
    done = place.apply()
    assert done.code == 4
    assert "the ledger does not know all that was sent" in done.err
    assert len(pages(sink)) == 1
    assert len(place.ask("GET", "/issues?state=open")) == 1


def test_a_keyword_in_a_comment_escalates(place: Place, sink: HttpSink) -> None:
    """A person's word on the issue is heard, a bot's or ours is not; one request more is all it costs.

    Another one goes to the pull requests, while one of ours is open.
    """
    ladder = LADDER.replace("tiers: [", "keywords: [lawyer], tiers: [", 1)
    place.folder.write("policy.yaml", f"{OURS}{ladder}")
    place.push()
    assert place.apply("--no-notify").code == 0
    (issue,) = place.ask("GET", "/issues?state=open")
    now = "2035-01-26T14:00:00Z"
    before = place.call("plan", "--tracker", "github", "--no-notify", "--show-requests", clock=now)
    assert len([line for line in before.err.splitlines() if line.startswith("GET ")]) == 5
    place.ask("POST", f"/issues/{issue['number']}/comments", {"body": "ours: lawyer"})
    assert not [one for one in place.plan("--no-notify", clock=now)["changes"] if one["kind"] == "escalation"]
    place.ask("POST", f"/issues/{issue['number']}/comments", {"body": "The LAWYER asks"}, token=PERSON_TOKEN)
    found = [one for one in place.plan(clock=now)["changes"] if (one["action"], one["kind"]) == ("edit", "escalation")]
    assert [one["key"] for one in found] == ["INC-1/customer/1/keyword"]


def test_with_the_embedded_tracker_notices_are_recorded_and_no_escalation_is_written(
    place: Place, sink: HttpSink
) -> None:
    """Nothing leaves; the second plan is empty; what was recorded holds no name and no text."""
    done = place.call("apply", "--tracker", "local")
    assert (done.code, done.err) == (0, ""), done
    assert "recorded, not sent: team by slack, ticket" in done.out
    assert sink.taken == []
    assert ESCALATION not in (place.folder.path / "incidents/INC-1/incident.yaml").read_text()
    ledger = place.folder.path / ".git/incident-ops/ledger"
    assert len(parse_ledger(ledger.read_bytes())) == 9
    again = place.call("plan", "--tracker", "local", "--format", "json")
    assert [one["key"] for one in json.loads(again.out)["changes"] if one["action"] != "update"] == []
    assert place.call("validate").code == 0


def test_markdown_names_who_is_notified_and_pings_nobody(place: Place) -> None:
    """A table of its own, names as code; in the blocks of code below it nothing pings."""
    place.folder.write("policy.yaml", POLICY.replace("contacts: {", "contacts: {'@dana': {channels: [slack]}, "))
    place.push()
    shown = place.call("plan", "--tracker", "github", "--format", "markdown").out
    assert "### People to notify: 7" in shown
    assert "`@dana`" in shown
    prose = re.sub(r"(?s)^(`{3,})\w+\n.*?^\1$", "", shown, flags=re.MULTILINE)
    assert "`@dana`" in prose
    assert " @dana" not in prose


def test_each_run_is_told_as_json(place: Place) -> None:
    """Outcome by notice and channel beside that of the tracker."""
    data = json.loads(place.apply("--format", "json").out)
    assert {one["outcome"] for one in data["notices"]} == {"sent now"}
    assert {one["channel"] for one in data["notices"]} == {"pagerduty", "slack", "ticket"}
    assert list(data["notices"][0]) == ["key", "recipient", "channel", "outcome", "error"]


def test_a_ledger_of_the_clone_that_cannot_be_written_blocks_nothing(place: Place) -> None:
    """Issues are made; the notices are told as not recorded, exit 4, and planned again."""
    (place.folder.path / ".git/incident-ops/ledger.lock").mkdir(parents=True)
    done = place.call("apply", "--tracker", "local")
    assert done.code == 4
    assert "9 notices" in done.err
    assert place.folder.open_keys() == ["INC-1"]
    again = json.loads(place.call("plan", "--tracker", "local", "--format", "json").out)
    assert len([one for one in again["changes"] if one["action"] == "notify"]) == 5


@pytest.mark.slow
def test_a_storm_of_notices_is_one_summary_and_is_not_repeated(place: Place, sink: HttpSink) -> None:
    """Ranks 1 and 2 come one by one, before it."""
    policy = f"{OURS}levels:\n- {{id: SEV1, channels: [slack]}}\n- {{id: SEV2, channels: [slack]}}\n"
    place.folder.write("policy.yaml", policy)
    declared, clock = {"declared": "2025-01-27T11:00:00Z"}, "2025-01-27T11:20:00Z"
    place.folder.put("INC-1", severity="SEV1", times=declared)
    for number in range(2, 27):
        place.folder.put(f"INC-{number}", severity="SEV2", times=declared)
    place.push()
    shown = place.call("plan", "--tracker", "github", clock=clock)
    assert "! notify team by slack: 25 notices at once, about 25 incidents: 25 declared" in shown.out
    assert "  = 25: in the summary of 25 notices to team by slack" in shown.out
    done = place.apply("--max-creates", "0", clock=clock)
    assert "! sent now: team by slack: 25 notices at once, about 25 incidents: 25 declared" in done.out
    told = [one.data for one in sink.taken if one.path == "/200"]
    assert "(INC-1)" in told[0]["title"]
    assert [one["title"] for one in told if "(INC-1)" not in one["title"]] == [
        "25 notices at once, about 25 incidents: 25 declared"
    ]
    assert told[-1]["message"].splitlines()[-2:] == ["... and 15 more", "All of them: incident-ops sla check"]
    sink.taken.clear()
    place.apply("--max-creates", "0", clock="2025-01-27T11:25:00Z")
    assert all("Nobody answered" in one.data["title"] for one in sink.taken if one.path == "/200")


def test_a_plan_says_whether_its_notices_are_sent(place: Place) -> None:
    """With the embedded tracker nobody is notified, nor in `observe`; on GitHub they go out."""
    embedded = place.call("plan").out
    assert "notices due, not sent (the embedded tracker notifies nobody)." in " ".join(embedded.split())
    assert "! would notify team by slack" in embedded
    assert "to send" not in embedded
    assert "not sent (the embedded tracker notifies nobody)" in " ".join(place.call("apply").out.split())
    assert "5 notices to send." in place.call("plan", "--tracker", "github").out
    place.folder.write("policy.yaml", f"{POLICY}mode: observe\n")
    place.push()
    watched = " ".join(place.call("plan", "--tracker", "github").out.split())
    assert "5 notices due, not sent (the policy's mode is observe)." in watched
