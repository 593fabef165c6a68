"""Windows by commands: triage until a person triages, a commander in time, waits, snoozes; every view says so."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.cli.scene import Done, Folder, as_json, call, ok

pytestmark = pytest.mark.usefixtures("somebody")

ID = "INC-20250126-120500"
DECLARED = "2025-01-26T12:05:00Z"
ELEVEN_MINUTES_LATER = "2025-01-26T12:16:00Z"
TRIAGE_OVERRAN = "triage, planned 12:05 to 12:15 UTC, 1m over: nobody has acknowledged it"


done, data = partial(ok, clock=ELEVEN_MINUTES_LATER), partial(as_json, clock=ELEVEN_MINUTES_LATER)


def declare(folder: Folder, *more: str, clock: str = DECLARED) -> Done:
    return done(folder, "declare", "Login is down", "-s", "api", *more, clock=clock)


def shown(folder: Folder, label: str, clock: str = ELEVEN_MINUTES_LATER) -> str:
    """What `show` says under a label; "" where it has none."""
    lines = done(folder, "show", ID, clock=clock).out.splitlines()
    return next((line[len(label) :].strip() for line in lines if line.startswith(f"{label} ")), "")


class TestTriage:
    """The first phase of the response runs until a person has triaged or taken the incident."""

    def test_a_sev0_with_nobody_for_eleven_minutes_says_so(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV0")
        assert shown(folder, "Phase", "2025-01-26T12:14:00Z") == "triage, planned 12:05 to 12:15 UTC"
        assert shown(folder, "Phase") == TRIAGE_OVERRAN
        checked = done(folder, "sla", "check").out
        assert f"{ID}: {TRIAGE_OVERRAN}" in " ".join(checked.split())
        assert data(folder, "show", ID)["response_phase"] == {
            "id": "triage", "from": DECLARED, "due": "2025-01-26T12:15:00Z", "over_seconds": 60,
        }  # fmt: skip

    @pytest.mark.parametrize(
        "act",
        [
            ("ack", ID),
            ("assign", "@bob", ID),
            ("assign", "commander", "@bob", ID),
            ("triage", ID, "--users", "all", "--feature", "core"),
            ("update", ID, "--severity", "SEV1", "--reason", "one region"),
            ("pause", ID, "--waiting-for", "vendor"),
        ],
        ids=lambda act: act[0],
    )
    def test_it_ends_when_a_person_acts_on_it(self, folder: Folder, act: tuple[str, ...]) -> None:
        declare(folder, "--severity", "SEV0")
        done(folder, *act, clock="2025-01-26T12:08:00Z")
        assert not shown(folder, "Phase").startswith("triage")

    @pytest.mark.parametrize("act", [("timeline", "Somebody called", ID), ("update", ID, "--internal", "Looking")])
    def test_talk_does_not_end_it(self, folder: Folder, act: tuple[str, ...]) -> None:
        declare(folder, "--severity", "SEV0")
        done(folder, *act, clock="2025-01-26T12:08:00Z")
        assert shown(folder, "Phase") == TRIAGE_OVERRAN

    def test_what_the_automation_does_is_not_triage(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV0", "--by", "github-actions[bot]")
        done(folder, "update", ID, "--severity", "SEV1", "--reason", "x", "--by", "incident-ops")
        assert shown(folder, "Phase").startswith("triage")

    def test_answers_given_at_the_declaration_are_triage(self, folder: Folder) -> None:
        declare(folder, "--users", "all", "--feature", "core")
        assert shown(folder, "Phase", DECLARED) == "investigation, planned 12:15 to 12:35 UTC"
        text = (folder.path / f"incidents/{ID}/incident.yaml").read_text()
        assert "triage: 100 % of users, feature core" in text

    def test_answers_that_a_machine_gave_are_not(self, folder: Folder) -> None:
        declare(folder, "--users", "all", "--feature", "core", "--by", "github-actions[bot]")
        assert shown(folder, "Phase") == TRIAGE_OVERRAN

    def test_a_view_of_an_earlier_time_says_the_same(self, folder: Folder) -> None:
        declare(folder, "--users", "all", "--feature", "core")
        done(folder, "ack", ID, clock="2025-01-26T12:20:00Z")
        assert shown(folder, "Phase") == "investigation, planned 12:15 to 12:35 UTC"


class TestCommander:
    """A level may give a window in which somebody must take command; every view says by when, and how late it is."""

    def test_declare_says_by_when(self, folder: Folder) -> None:
        result = declare(folder, "--severity", "SEV0")
        assert "warning: SEV0 needs a commander by 12:20 UTC\n" in result.err
        assert f"  next: by 12:20 UTC: incident-ops assign commander @who {ID}\n" in result.out

    def test_before_it_is_due_every_view_says_when(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV0")
        assert shown(folder, "Roles").startswith("commander nobody yet (due 12:20 UTC), technical lead TBD")
        assert data(folder, "show", ID)["commander_due"] == "2025-01-26T12:20:00Z"
        assert "commander:" not in done(folder, "sla", "check").out
        assert data(folder, "sla", "check")["commanders"] == [
            {"incident": ID, "due": "2025-01-26T12:20:00Z", "late_seconds": 0}
        ]
        assert "SEV0 needs a commander by 2025-01-26T12:20:00Z" in done(folder, "validate").out

    def test_afterwards_every_view_says_how_late_it_is(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV0")
        late = "2025-01-26T12:34:00Z"
        assert shown(folder, "Roles", late).startswith("commander nobody yet (14m late), technical lead TBD")
        assert f"{ID}: commander nobody yet (14m late, due 12:20 UTC)" in done(folder, "sla", "check", clock=late).out
        assert data(folder, "sla", "check", clock=late)["commanders"][0]["late_seconds"] == 14 * 60
        assert "SEV0 needed a commander by 2025-01-26T12:20:00Z" in done(folder, "validate", clock=late).out

    def test_on_time_is_at_the_last_second(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV0")
        assert "(due 12:20 UTC)" in shown(folder, "Roles", "2025-01-26T12:20:00Z")

    def test_a_commander_ends_it(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV0")
        done(folder, "assign", "commander", "@bob", ID)
        assert shown(folder, "Roles").startswith("commander @bob")
        assert data(folder, "show", ID)["commander_due"] is None
        assert "commanders" not in data(folder, "sla", "check")

    def test_a_level_raised_later_counts_from_then(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV2")
        assert shown(folder, "Roles").startswith("commander TBD")
        done(folder, "update", ID, "--severity", "SEV0", "--reason", "all of it", clock="2025-01-26T14:00:00Z")
        assert "(due 14:15 UTC)" in shown(folder, "Roles", "2025-01-26T14:10:00Z")


class TestWaitingForTheUser:
    """`pause --for user` records the wait; after `states.auto_pending` the automation makes the incident pending."""

    BEGIN, LAST, OVER = "2025-01-26T12:10:00Z", "2025-01-27T12:10:00Z", "2025-01-27T12:10:01Z"

    @pytest.fixture
    def place(self, make: Callable[..., Folder]) -> Folder:
        folder = make("waits", policy="extends: itil-p1-p4\nids: {incident: INC-YYYYMMDD-HHMMSS}\n")
        declare(folder, "--priority", "P3")
        done(folder, "ack", ID, clock="2025-01-26T12:06:00Z")
        return folder

    def state(self, folder: Folder, clock: str) -> str:
        return str(data(folder, "show", ID, clock=clock)["state"])

    def resolution(self, folder: Folder, clock: str) -> dict[str, Any]:
        clocks = data(folder, "show", ID, clock=clock)["clocks"]
        return next(one for one in clocks if one["clock"] == "resolution")

    def test_it_becomes_pending_a_second_after_a_day(self, place: Folder) -> None:
        told = done(place, "pause", ID, "--for", "user", "--reason", "which browser?", clock=self.BEGIN)
        assert "waits for the user; becomes pending at 2025-01-27 12:10 UTC, until then the clocks run" in told.out
        assert self.state(place, self.BEGIN) == "in_progress"
        assert "all fine" in done(place, "validate", clock=self.LAST).out
        since = "for the user since 2025-01-26 12:10 UTC"
        assert shown(place, "Waiting", self.LAST) == f"{since}, becomes pending at 12:10 UTC"
        done(place, "apply", clock=self.LAST)
        assert self.state(place, self.LAST) == "in_progress"
        done(place, "apply", clock=self.OVER)
        assert self.state(place, self.OVER) == "pending"
        assert shown(place, "Waiting", self.OVER) == f"{since}: which browser?"
        assert "all fine" in done(place, "validate", clock=self.OVER).out
        text = (place.path / f"incidents/{ID}/incident.yaml").read_text()
        assert "by: incident-ops" in text

    def test_a_late_run_puts_its_entry_in_its_place(self, place: Folder) -> None:
        done(place, "pause", ID, "--for", "user", clock=self.BEGIN)
        done(place, "timeline", "called the user", ID, clock="2025-01-27T13:00:00Z")
        late = "2025-01-27T14:00:00Z"
        done(place, "apply", clock=late)
        assert self.state(place, late) == "pending"
        assert "all fine" in done(place, "validate", clock=late).out

    def test_the_resolution_clock_rests_from_then_on_and_not_before(self, place: Folder) -> None:
        before = self.resolution(place, self.BEGIN)["due"]
        done(place, "pause", ID, "--for", "user", clock=self.BEGIN)
        waiting = self.resolution(place, self.LAST)
        assert (waiting["due"], waiting["state"], waiting["paused_seconds"]) == (before, "running", 0)
        done(place, "apply", clock=self.OVER)
        assert self.resolution(place, "2025-01-27T18:10:00Z")["state"] == "paused"
        earlier = self.resolution(place, "2025-01-27T10:00:00Z")
        assert (earlier["due"], earlier["state"]) == (before, "running")

    def test_at_once_where_somebody_says_now(self, place: Folder) -> None:
        done(place, "pause", ID, "--for", "user", clock=self.BEGIN)
        done(place, "pause", ID, "--for", "user", "--now", clock="2025-01-26T13:10:00Z")
        assert self.state(place, self.LAST) == "pending"
        assert "all fine" in done(place, "validate", clock=self.LAST).out
        assert data(place, "show", ID, clock=self.LAST)["waiting"] == {
            "for": "user", "since": self.BEGIN, "pending_at": None,
        }  # fmt: skip

    @pytest.mark.parametrize("clock", [LAST, "2025-01-28T12:10:00Z"])
    def test_end_takes_it_back(self, place: Folder, clock: str) -> None:
        done(place, "pause", ID, "--for", "user", clock=self.BEGIN)
        if clock > self.OVER:
            done(place, "apply", clock=self.OVER)
        done(place, "pause", "--end", clock=clock)
        assert self.state(place, clock) == "in_progress"
        assert data(place, "show", ID, clock=clock)["waiting"] is None
        assert "all fine" in done(place, "validate", clock=clock).out
        done(place, "apply", clock="2025-02-01T00:00:00Z")
        assert self.state(place, "2025-02-01T00:00:00Z") == "in_progress"

    def test_another_wait_and_the_end_of_the_incident_end_it(self, place: Folder) -> None:
        done(place, "pause", ID, "--for", "user", clock=self.BEGIN)
        call("pause", ID, "--for", "user", at=place.path, clock=self.LAST).told_once(2, "waits for the user already")
        done(place, "pause", ID, "--for", "vendor", clock="2025-01-26T13:10:00Z")
        assert self.state(place, self.LAST) == "pending"
        done(place, "pause", "--end", clock="2025-01-26T14:10:00Z")
        done(place, "pause", ID, "--for", "user", clock="2025-01-26T15:10:00Z")
        done(place, "resolve", ID, "--restored", "now", "--cause", "deploy", clock="2025-01-26T16:10:00Z")
        assert "all fine" in done(place, "validate", clock=self.LAST).out

    def test_a_policy_without_it_and_other_waits_pause_at_once(self, folder: Folder, place: Folder) -> None:
        done(place, "pause", ID, "--waiting-for", "vendor", clock=self.BEGIN)
        assert self.state(place, self.BEGIN) == "pending"
        declare(folder, "--severity", "SEV1")
        done(folder, "pause", ID, "--for", "user", clock=self.BEGIN)
        assert self.state(folder, self.BEGIN) == "pending"


class TestSnooze:
    """`snooze` hushes reminders and escalations for a while, never the clocks; every view says so."""

    NOW, UNTIL, AFTER = "2025-01-26T12:30:00Z", "2025-01-26T14:30:00Z", "2025-01-26T14:30:01Z"

    def snoozed(self, folder: Folder, *more: str, level: str = "SEV1") -> Done:
        declare(folder, "--severity", level)
        folder.commit()
        return done(folder, "snooze", ID, "--until", "2h", "--reason", "the vendor calls back", *more, clock=self.NOW)

    def held(self, folder: Folder, clock: str) -> list[str]:
        """Why what is due is not sent."""
        return [one["reason"] for one in data(folder, "plan", clock=clock)["kept"] if "snoozed" in one["reason"]]

    def test_it_is_recorded_and_shown_everywhere(self, folder: Folder) -> None:
        told = self.snoozed(folder)
        assert "snoozed until 2025-01-26 14:30 UTC: reminders and escalations wait, the clocks run on" in told.out
        assert "undo:" in told.out
        assert shown(folder, "Snoozed", self.NOW) == (
            "until 14:30 UTC by @alice, since 12:30 UTC: the vendor calls back"
        )
        assert f"{ID}: snoozed until 14:30 UTC by @alice" in done(folder, "sla", "check", clock=self.NOW).out
        assert "(snoozed) Login is down" in done(folder, "list", clock=self.NOW).out
        expected = {"at": self.NOW, "until": self.UNTIL, "by": "@alice", "reason": "the vendor calls back"}
        assert data(folder, "show", ID, clock=self.NOW)["snooze"] == expected
        assert data(folder, "list", clock=self.NOW)["incidents"][0]["snoozed_until"] == self.UNTIL
        assert data(folder, "sla", "check", clock=self.NOW)["snoozed"] == [
            {"incident": ID, "until": self.UNTIL, "by": "@alice"}
        ]
        assert "snooze" not in str(call("validate", at=folder.path, clock=self.NOW).out)

    def test_reminders_wait_until_then_and_the_clocks_run(self, folder: Folder) -> None:
        self.snoozed(folder)
        assert self.held(folder, self.NOW)
        assert not self.held(folder, self.AFTER)
        clocks = data(folder, "show", ID, clock=self.NOW)["clocks"]
        assert ("response", "breached") in [(one["clock"], one["risk"]) for one in clocks]

    def test_afterwards_nothing_shows_it(self, folder: Folder) -> None:
        self.snoozed(folder)
        assert shown(folder, "Snoozed", self.AFTER) == ""
        assert "(snoozed)" not in done(folder, "list", clock=self.AFTER).out
        assert data(folder, "show", ID, clock=self.AFTER)["snooze"] is None

    def test_off_ends_it(self, folder: Folder) -> None:
        self.snoozed(folder)
        assert "the snooze is over" in done(folder, "snooze", "--off", clock=self.NOW).out
        assert data(folder, "show", ID, clock=self.NOW)["snooze"] is None
        assert "is not snoozed" in done(folder, "snooze", "--off", clock=self.NOW).out

    def test_a_level_that_gets_worse_ends_it(self, folder: Folder) -> None:
        self.snoozed(folder, level="SEV2")
        lowered = done(folder, "update", ID, "--severity", "SEV3", "--reason", "cosmetic", clock=self.NOW)
        assert "snooze" not in lowered.out
        told = done(folder, "update", ID, "--severity", "SEV0", "--reason", "all down", clock=self.NOW)
        assert "the snooze until 2025-01-26 14:30 UTC ends: it got worse" in told.out
        assert not self.held(folder, "2025-01-26T12:50:00Z")

    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (("--until", "2025-01-26T12:00:00Z", "--reason", "x"), "is past"),
            (("--until", "unknown", "--reason", "x"), "unknown"),
            (("--until", "2h"), "--reason TEXT"),
            ((), "--until"),
            (("--off", "--until", "2h"), "--off"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, folder: Folder, args: tuple[str, ...], words: str) -> None:
        declare(folder, "--severity", "SEV1")
        call("snooze", ID, *args, at=folder.path, clock=self.NOW).told_once(2, words)
        assert "snooze" not in (folder.path / f"incidents/{ID}/incident.yaml").read_text()

    def test_more_than_a_day_gives_a_warning(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV1")
        told = done(folder, "snooze", ID, "--until", "3d", "--reason", "weekend", clock=self.NOW)
        assert "warning: nobody is reminded for 3d" in told.err


class TestOutcome:
    """What an incident turned out to be is known once it is over."""

    def test_it_is_null_until_then(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV1")
        assert data(folder, "show", ID)["outcome"] is None
        assert data(folder, "list")["incidents"][0]["outcome"] is None
        done(folder, "resolve", ID, "--restored", "now", "--cause", "deploy")
        assert data(folder, "show", ID)["outcome"] == "fixed"
        assert data(folder, "list")["incidents"][0]["outcome"] == "fixed"

    def test_what_was_withdrawn_says_so_and_reopened_it_is_open(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV1")
        done(folder, "withdraw", ID, "--as", "false_alarm", "--reason", "the probe")
        assert data(folder, "show", ID)["outcome"] == "false_alarm"
        done(folder, "reopen", ID, "--reason", "real")
        assert data(folder, "show", ID)["outcome"] is None


class TestHistory:
    """The history of level and state begins with the declaration."""

    def test_the_timeline_document_begins_with_the_declared_level(self, folder: Folder) -> None:
        declare(folder, "--severity", "SEV2")
        done(folder, "update", ID, "--severity", "SEV1", "--reason", "worse", "--by", "@bob")
        done(folder, "render", ID)
        lines = (folder.path / f"incidents/{ID}/timeline.md").read_text().splitlines()
        table = lines[lines.index("## Level and state changes") :]
        assert [line for line in table if "Severity" in line] == [
            "| 2025-01-26 12:05 UTC | Severity | – | SEV2 | `@alice` | declared |",
            "| 2025-01-26 12:16 UTC | Severity | SEV2 | SEV1 | `@bob` | worse |",
        ]
        assert table[4] == "| 2025-01-26 12:05 UTC | Severity | – | SEV2 | `@alice` | declared |"

    def test_two_escalations_in_one_second_are_two(self, make: Callable[..., Folder]) -> None:
        folder = make("ladder", policy="extends: itil-p1-p4\nids: {incident: INC-YYYYMMDD-HHMMSS}\n")
        declare(folder, "--priority", "P2")
        for tier in ("2", "5"):
            done(folder, "escalate", ID, "--to", tier, "--reason", f"to {tier}", "--notify", "@bob")
        refused = call("escalate", ID, "--reason", "again", at=folder.path, clock=ELEVEN_MINUTES_LATER)
        refused.told_once(2, "there is no tier above tier 5")
        check = data(folder, "sla", "check")
        keys = [one["key"] for one in check["obligations"] if one["kind"] == "escalation"]
        first = f"{ID}/escalation/1/manual.{ELEVEN_MINUTES_LATER}.alice"
        assert keys == [first, f"{first}.2"], "both were asked for by hand"
        assert "all fine" in done(folder, "validate").out
