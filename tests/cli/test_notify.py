"""`notify` by hand, and `policy holidays`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from incident_ops.app.edit_record import record_of
from incident_ops.app.notify import shared_ledger
from incident_ops.app.workspace import open_workspace
from incident_ops.domain.notice_kinds import NOTICE_KINDS
from incident_ops.domain.notification import RESOLVED_EVENT
from incident_ops.notifications.alert_state import alert_messages
from incident_ops.notifications.alerts import alerts
from tests.cli.scene import Done, Folder, call, run
from tests.support.http_sink import HttpSink
from tests.support.standin import Standin, standin

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])
SERVICES = 'services:\n  api:\n    owner: "@team"\n    pager_key_env: API_PAGER\n  web:\n    owner: "@team"\n'
POLICY = "extends: sev0-3\nnotify: {incident_channel: {create: false}}\n"
KEY = "0123456789abcdef0123456789abcdef"
SECRET = "hunter2secret"
NO_REMOTE = "this clone has no remote 'origin'"


@pytest.fixture
def shared(make: type[Folder], tmp_path: Path) -> Folder:
    """A folder with one SEV1 incident, pushed to a bare repository as its origin."""
    folder = make("shared", services=SERVICES, policy=POLICY)
    folder.put(roles='{commander: "@alice"}')
    folder.commit()
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "origin.git")], check=True)
    folder.git("remote", "add", "origin", f"file://{tmp_path / 'origin.git'}")
    folder.git("push", "-q", "origin", "main")
    return folder


def outcomes(done: Done) -> dict[str, str]:
    """Channel -> what became of its notice, as the JSON tells."""
    return {one["channel"]: one["outcome"] for one in json.loads(done.out)["notices"]}


def notify(folder: Folder, *words: str) -> Done:
    return call("notify", "INC-1", *words, at=folder.path)


def test_every_channel_of_the_level_is_told_once(
    shared: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chat through its address, the pager through the service's key; the second time nothing is sent."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/200"))
    monkeypatch.setenv("INCIDENT_OPS_PAGER_URL", sink.url)
    monkeypatch.setenv("API_PAGER", KEY)
    first = notify(shared, "--mark", "declared", "--text", "All hands", "--format", "json")
    assert (first.code, first.err) == (0, "")
    assert outcomes(first) == {"slack": "sent now", "pagerduty": "sent now"}
    by_path = {one.path: one.data for one in sink.taken}
    assert by_path["/200"]["title"] == "SEV1 Login fails - Declared (INC-1)"
    assert by_path["/200"]["message"].split("\n")[:2] == ["All hands", ""]
    assert "Commander: alice" in by_path["/200"]["message"]
    assert by_path["/v2/enqueue"]["dedup_key"].endswith("/INC-1")
    again = notify(shared, "--mark", "declared", "--format", "json")
    assert outcomes(again) == {"slack": "sent", "pagerduty": "sent"}
    assert len(sink.taken) == 2
    assert outcomes(notify(shared, "--text", "Nearly there", "--format", "json")) == {"slack": "sent now"}, "no ring"


def events(sink: HttpSink) -> list[tuple[str, str]]:
    """What the pager got: the action, and the end of the dedup key."""
    taken = [one.data for one in sink.taken if one.path == "/v2/enqueue"]
    return [(one["event_action"], one["dedup_key"].rpartition("/")[2]) for one in taken]


@pytest.fixture
def paged(shared: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Slack and the pager are set up."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/200"))
    monkeypatch.setenv("INCIDENT_OPS_PAGER_URL", sink.url)
    monkeypatch.setenv("API_PAGER", KEY)
    return shared


def test_by_hand_an_incident_has_one_alert(paged: Folder, sink: HttpSink) -> None:
    """Whatever the mark: named by the channel or not, the pager gets the alert that the automation ends."""
    assert notify(paged, "--mark", "news", "--channel", "pagerduty", "--text", "Look").code == 0
    assert notify(paged, "--mark", "declared").code == 0
    assert events(sink) == [("trigger", "INC-1")]


def test_what_somebody_has_rings_no_pager_unless_it_is_named(paged: Folder, sink: HttpSink) -> None:
    """Answered: quiet channels only. Named: the alert opens again under its one key, and the end of it is known."""
    assert notify(paged, "--mark", "declared").code == 0
    paged.put(state="assigned", times="{declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:06:00Z}")
    assert notify(paged, "--text", "Half of them").code == 0
    assert events(sink) == [("trigger", "INC-1")]
    assert notify(paged, "--text", "Ring", "--channel", "pagerduty").code == 0
    assert events(sink)[1:] == [("resolve", "INC-1"), ("acknowledge", "INC-1"), ("trigger", "INC-1")]


def test_an_alert_that_only_a_person_opened_is_known_to_the_automation(paged: Folder, sink: HttpSink) -> None:
    """Nothing was sent before the answer; what is opened by hand afterwards is in the ledger under a key of its own
    alert, so that the end of the incident ends it."""
    began = "declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:06:00Z"
    paged.put(state="assigned", times=f"{{{began}}}")
    assert notify(paged, "--text", "Ring", "--channel", "pagerduty").code == 0
    assert events(sink)[-1] == ("trigger", "INC-1")
    over = f"{{{began}, resolved: 2025-01-26T12:12:00Z}}"
    paged.put(state="resolved", outcome="fixed", times=over)
    place = open_workspace({"repo": str(paged.path), "rev": None, "at": "2025-01-26T12:15:00Z"})
    incident = record_of("x", (paged.path / "incidents/INC-1/incident.yaml").read_bytes()).incident
    found = alerts(incident, *place.judged_by, place.now, {"pagerduty"})
    sent = list(alert_messages(found, shared_ledger(place).content))
    assert [one.mark for one in sent] == [RESOLVED_EVENT]


def test_what_is_over_opens_no_alert(paged: Folder, sink: HttpSink) -> None:
    """Nothing would end it: refused, and what to do is said; without the pager's name it is left out."""
    over = "{declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:06:00Z, resolved: 2025-01-26T12:10:00Z}"
    paged.put(state="resolved", outcome="fixed", times=over)
    notify(paged, "--text", "x", "--channel", "pagerduty").told_once(2, "channel pagerduty is a pager", "reopen INC-1")
    assert notify(paged, "--text", "x").code == 0
    assert events(sink) == []


def test_kinds_are_those_of_the_table(paged: Folder, sink: HttpSink) -> None:
    """`response_due` is what is due; `escalated` is a kind of which nothing is; a typo rings nobody."""
    assert notify(paged, "--mark", "response_due", "--channel", "slack").code == 0
    notify(paged, "--mark", "handover").told_once(
        2, "nothing of kind handover is due for INC-1", "due now: response_due"
    )
    sent = len(sink.taken)
    told = ("no such kind of notice", "did you mean declared?", "Due now: ", "escalated", "--mark news --text")
    notify(paged, "--mark", "declard").told_once(2, *told)
    assert len(sink.taken) == sent
    shown = notify(paged, "--help").out
    assert all(kind in shown for kind in NOTICE_KINDS)


def test_dry_run_says_what_would_be_sent_to_whom(
    shared: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And which variable is missing: exit code 2, as for a real one."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/200"))
    done = notify(shared, "--mark", "declared", "--dry-run")
    assert done.code == 2
    assert done.out.splitlines() == [
        "not set up  team by pagerduty: set API_PAGER (the routing key of service api, which services.yaml names in "
        "pager_key_env)",
        "would send  team by slack: SEV1 Login fails - Declared (INC-1)",
        "Nothing was sent; 1 of 2 notices would not go out.",
    ]
    assert sink.taken == []


def test_what_the_automation_owes_goes_under_its_keys(
    shared: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By mark or by kind; the words of the person stand first; what was sent by hand is not sent again later."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/200"))
    for mark, key in (("declared", "INC-1/incident/1/declared"), ("breach", "INC-1/response/1/due")):
        done = notify(shared, "--mark", mark, "--channel", "slack", "--text", "Help", "--format", "json")
        listed = [one["key"] for one in json.loads(done.out)["notices"]]
        assert f"{key}/team/internal" in listed
        assert done.code == 0
    assert all(one.data["message"].startswith("Help\n\n") for one in sink.taken)


def test_a_channel_that_is_not_set_up_stops_no_other(
    shared: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told by name; exit code 2 is for the settings."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/200"))
    done = notify(shared, "--mark", "declared")
    assert done.code == 2
    assert done.out.splitlines()[-1] == (
        "channel pagerduty is not set up: set API_PAGER (the routing key of service api, which services.yaml names in "
        "pager_key_env); 1 notice waits for it"
    )
    assert "sent now  slack" in done.out
    assert "failed" not in done.out
    monkeypatch.delenv("INCIDENT_OPS_CHANNEL_SLACK")
    told = notify(shared, "--text", "b", "--channel", "slack").out
    assert "set INCIDENT_OPS_CHANNEL_SLACK (an apprise URL" in told


@pytest.mark.parametrize("path", ["/500", "/429", "/redirect"])
def test_a_failing_channel_is_told_without_its_address(
    shared: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Exit code 4; the address holds a secret, which stands nowhere."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", f"{sink.address(path)}?+token={SECRET}")
    done = run("-v", "notify", "INC-1", "--mark", "declared", "--channel", "slack", at=shared.path)
    assert done.code == 4
    assert "channel slack: answered" in done.out
    assert SECRET not in done.out + done.err
    assert "127.0.0.1" not in done.out + done.err


def test_the_day_github_is_down(folder: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranks 1 and 2 go out at once; a lower one waits, or goes where a person says so. The reason is told."""
    folder.put("INC-1")
    folder.put("INC-2", severity="SEV2")
    folder.git("remote", "add", "origin", "file:///nowhere/at/all.git")
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/200"))
    high = notify(folder, "--mark", "declared", "--channel", "slack")
    assert (high.code, len(sink.taken)) == (0, 1)
    assert "ledger: " in high.err
    assert "origin cannot be read" in high.err
    low = call("notify", "INC-2", "--mark", "declared", "--channel", "slack", at=folder.path)
    assert (low.code, len(sink.taken)) == (4, 1)
    assert "waits" in low.out
    forced = call("notify", "INC-2", "--mark", "declared", "--channel", "slack", "--no-wait", at=folder.path)
    assert (forced.code, len(sink.taken)) == (0, 2)


def test_without_a_remote_a_page_goes_out(folder: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop with a copy of the folder is enough."""
    folder.put("INC-1")
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/200"))
    done = notify(folder, "--mark", "declared", "--channel", "slack")
    assert (done.code, len(sink.taken)) == (0, 1)
    assert NO_REMOTE in done.err


def test_the_incident_gets_its_own_chat_channel(shared: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by the policy on a stand-in for Slack, its topic made of the record; without a token it is told."""
    shared.write("policy.yaml", "extends: sev0-3\n")
    words = ("--mark", "declared", "--channel", "incident_channel")
    refused = notify(shared, *words)
    assert (refused.code, "SLACK_BOT_TOKEN" in refused.out) == (2, True)
    with standin(service="slack") as slack:
        monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-anything")
        monkeypatch.setenv("INCIDENT_OPS_SLACK_URL", f"{slack.url}/api/")
        assert notify(shared, *words).code == 0
        listed = slack.ask("POST", "/api/conversations.list", {"limit": 1000}, token="xoxb-anything")["channels"]
    (made,) = [one for one in listed if one["name"] == "incident-20250126-120500"]
    assert made["topic"]["value"] == "SEV1 · INC-1 · Login fails · commander alice"


def test_a_ticket_is_a_comment_on_the_tracking_issue(
    shared: Folder, github: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a stand-in for GitHub; the number is the record's, the title pings nobody."""
    shared.write(
        "policy.yaml",
        f"{POLICY}notify: {{channels: [ticket]}}\ntracker: {{identities: [keeper]}}\n".replace(
            "notify: {incident_channel: {create: false}}\n", "", 1
        ),
    )
    name = github.new_repository()
    issue = github.ask("POST", f"/repos/{name}/issues", {"title": "t", "body": "b"})["number"]
    shared.put(title="Ask @alice", links=f"{{tracking_issue: {issue}}}")
    for variable, value in github.environment(name).items():
        monkeypatch.setenv(variable, value)
    done = notify(shared, "--mark", "news", "--channel", "ticket")
    assert (done.code, done.err) == (0, ""), done
    (comment,) = github.ask("GET", f"/repos/{name}/issues/{issue}/comments")
    assert "Ask" in comment["body"]
    assert "@alice" not in comment["body"]


@pytest.mark.parametrize("how", ["policy", "option"])
def test_observe_and_dry_run_send_nothing(
    shared: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """All is planned and told, no channel is asked, no claim is made."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/200"))
    words = ["--dry-run"] if how == "option" else []
    if how == "policy":
        shared.write("policy.yaml", f"{POLICY}mode: observe\n")
    done = notify(shared, "--mark", "declared", *words)
    assert done.code == (2 if how == "option" else 0), "the pager is not set up"
    assert done.out.count("held") == (0 if how == "option" else 2)
    assert sink.taken == []
    assert "ledger" not in shared.git("ls-remote", "origin")


def test_a_restricted_incident_gives_nothing_away(
    shared: Folder, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No title, no facts; a drill says that it is one."""
    shared.write("policy.yaml", f"{POLICY}access: {{private: true}}\n")
    shared.put(title="Breach of the vault", visibility="restricted", drill="true")
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/200"))
    assert notify(shared, "--mark", "declared", "--channel", "slack").code == 0
    assert notify(shared, "--mark", "news", "--channel", "slack").code == 0
    titles = ["[DRILL] INC-1", "[DRILL] INC-1"]
    assert [one.data["title"] for one in sink.taken] == titles
    assert "vault" not in sink.taken[0].body + sink.taken[1].body


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--mark", "Bad Mark"], "no such kind of notice"),
        (["--mark", "declared", "--channel", "slak"], "the policy has no channel 'slak'"),
    ],
)
def test_slips_are_told(shared: Folder, words: list[str], told: str) -> None:
    """Nothing is sent on a guess."""
    notify(shared, *words).told_once(2, told)


def test_a_level_without_channels_is_told(folder: Folder) -> None:
    """SEV3 tells nobody by itself."""
    folder.put(severity="SEV3")
    notify(folder, "--mark", "declared").told_once(2, "level SEV3 has no channels", "--channel")


def test_help_loads_no_sink(root: Path) -> None:
    """apprise, slack_sdk, holidays and requests are loaded by the sending itself."""
    for words in (["--help"], ["notify", "--help"], ["policy", "holidays", "--help"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "incident_ops", *words],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONWARNINGS": ""},
        )
        loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert not {"apprise", "slack_sdk", "holidays", "requests", "github"} & loaded


def holidays(folder: Folder, *words: str) -> Done:
    return call("policy", "holidays", *words, at=folder.path)


def test_holidays_are_printed_to_paste(folder: Folder) -> None:
    """A block with each date, its name, and the days observed in place of others."""
    done = holidays(folder, "US", "--year", "2026")
    assert (done.code, done.err) == (0, "")
    assert "calendars:\n  business:\n    holidays:\n    - 2026-01-01  # New Year's Day\n" in done.out
    assert "    - 2026-07-03  # Independence Day (observed)\n    - 2026-07-04  # Independence Day\n" in done.out
    assert "(observed) = " in done.out.splitlines()[1]
    folder.write("policy.yaml", f"extends: sev0-3\n{done.out}")
    assert call("policy", "show", at=folder.path).code == 0


def test_a_part_of_a_country_has_its_own_days(folder: Folder) -> None:
    """By code or by name; the years default to this one and the next."""
    whole = json.loads(holidays(folder, "DE", "--format", "json").out)
    part = json.loads(holidays(folder, "de", "--subdivision", "bayern", "--format", "json").out)
    assert (part["country"], part["subdivision"]) == ("DE", "BY")
    assert {one["date"][:4] for one in part["holidays"]} == {"2025", "2026"}
    missing = {one["date"] for one in part["holidays"]} - {one["date"] for one in whole["holidays"]}
    assert {"2025-01-06", "2025-11-01"} <= missing


def test_holidays_are_written_and_people_s_dates_stay(folder: Folder) -> None:
    """Comments and other dates survive; a second time nothing changes."""
    ours = "- 2026-12-24  # the office is closed"
    folder.write("policy.yaml", f"extends: sev0-3  # ours\ncalendars:\n  business:\n    holidays:\n    {ours}\n")
    done = holidays(folder, "US", "--year", "2026", "--write")
    assert (done.code, done.err) == (0, "")
    assert "12 dates added to calendar business, 13 in all" in done.out
    text = (folder.path / "policy.yaml").read_text()
    assert text.startswith("extends: sev0-3  # ours\n")
    assert f"    {ours}\n" in text
    assert "    - 2026-07-03  # Independence Day (observed)\n    - 2026-07-04  # Independence Day\n" in text
    assert "has these 12 dates already" in holidays(folder, "US", "--year", "2026", "--write").out
    assert (folder.path / "policy.yaml").read_text() == text
    assert call("policy", "show", at=folder.path).code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["XX"], "no holidays are known for 'XX'"),
        (["DE", "--subdivision", "ZZ"], "DE has no part 'ZZ'"),
        (["US", "--write", "--calendar", "busines"], "no calendar 'busines'"),
        (["US", "--year", "1970", "--year", "2199"], "in 2199"),
    ],
)
def test_slips_about_holidays_are_told(folder: Folder, words: list[str], told: str) -> None:
    """Never an empty list."""
    holidays(folder, *words).told_once(2, told)
