"""`deadline`: what is owed to others by when, from the policy to the report, as a person types it."""

from __future__ import annotations

import pytest

from tests.cli.scene import Done, Folder, as_json, call, ok

pytestmark = pytest.mark.usefixtures("somebody")

POLICY = "extends: sev0-3\ndeadlines: [nis2, gdpr]\n"
FRIDAY = "2025-11-28"
TIMES = f"{{detected: {FRIDAY}T22:10:00Z, declared: {FRIDAY}T22:20:00Z}}"


@pytest.fixture
def owing(folder: Folder) -> Folder:
    """A repository that owes by NIS2 and GDPR, with a SEV0 of a Friday night."""
    folder.write("policy.yaml", POLICY)
    folder.put(severity="SEV0", times=TIMES)
    folder.commit()
    return folder


def at(day: str, clock: str) -> str:
    return f"{day}T{clock}:00Z"


def due_of(folder: Folder, clock: str) -> dict[str, tuple[str | None, str]]:
    """Each deadline -> (due, state)."""
    found = as_json(folder, "sla", "check", clock=clock)["clocks"]
    return {one["deadline"]: (one["due"], one["state"]) for one in found if one["clock"] == "deadline"}


def done(folder: Folder, *words: str, clock: str) -> Done:
    return ok(folder, "deadline", "done", *words, clock=clock)


def test_what_is_owed_and_to_whom_is_read_whole_at_eighty_columns(owing: Folder) -> None:
    """A long line goes on below itself, as with the roles."""
    screen = call("show", at=owing.path, clock=at(FRIDAY, "23:00"), columns=80).out
    owed = screen[screen.index("Owed") : screen.index("Timeline")]
    assert "…" not in owed
    whole = " ".join(owed.split())
    for to in ("nis2-early-warning by 2025-11-29 22:10 UTC (23h 10m left), to the CSIRT or the competent authority",):
        assert to in whole
    assert max(map(len, owed.splitlines())) <= 80


def test_the_story_of_a_friday_night(owing: Folder) -> None:
    """A significant incident: a warning in a day, a notification in three, the final report a month after that."""
    night = at(FRIDAY, "23:00")
    assert due_of(owing, night) == {
        "nis2-early-warning": ("2025-11-29T22:10:00Z", "running"),
        "nis2-incident-notification": ("2025-12-01T22:10:00Z", "running"),
        "nis2-final-report": (None, "no_due"),
    }
    screen = ok(owing, "show", clock=night).out
    assert "nis2-early-warning by 2025-11-29 22:10 UTC (23h 10m left)" in screen
    assert "nis2-final-report: its time begins with nis2-incident-notification" in screen

    told = done(owing, "nis2-early-warning", "--ref", "CSIRT-4711", clock=at("2025-11-29", "09:30"))
    assert "INC-1: nis2-early-warning reported at 2025-11-29 09:30 UTC" in told.out
    assert "incident-ops undo INC-1" in told.out
    assert owing.data()["deadlines"] == [
        {"id": "nis2-early-warning", "done_at": "2025-11-29T09:30:00Z", "by": "@alice", "ref": "CSIRT-4711"}
    ]
    owing.commit()

    done(owing, "nis2-incident-notification", "INC-1", "--at", "2025-12-01T08:00:00Z", clock=None)
    owing.commit()
    after = due_of(owing, at("2025-12-02", "09:00"))
    assert after["nis2-final-report"] == ("2026-01-01T08:00:00Z", "running")
    assert after["nis2-early-warning"][1] == after["nis2-incident-notification"][1] == "met"
    ok(owing, "validate", clock=at("2025-12-02", "09:00"))


def test_a_closed_incident_still_owes_its_report(owing: Folder) -> None:
    """Closing it does not end the duty: it stays listed, rings before its end and is missed after it."""
    owing.put(
        severity="SEV0",
        state="closed",
        cause="{category: unknown}",
        times=f"{{detected: {FRIDAY}T22:10:00Z, declared: {FRIDAY}T22:20:00Z, acknowledged: {FRIDAY}T22:21:00Z, "
        f"restored: {FRIDAY}T23:00:00Z, resolved: {FRIDAY}T23:00:00Z, closed: {FRIDAY}T23:30:00Z}}",
        postmortem="{status: final, summary: Done}",
    )
    owing.commit()
    assert due_of(owing, at("2025-11-30", "09:00"))["nis2-early-warning"] == ("2025-11-29T22:10:00Z", "running")
    text = ok(owing, "sla", "check", clock=at("2025-11-30", "09:00")).out
    assert "nis2-early-warning" in text
    assert "10h 50m late" in text
    assert "deadline done nis2-early-warning INC-1" in ok(owing, "show", "INC-1", clock=at("2025-11-30", "09:00")).out


def test_people_are_reminded_in_the_last_quarter_in_the_last_six_hours_and_when_it_is_missed(owing: Folder) -> None:
    def keys(clock: str) -> list[str]:
        found = as_json(owing, "sla", "check", clock=clock)["obligations"]
        return [one["key"] for one in found if "/deadline/" in one["key"]]

    assert keys(at("2025-11-29", "16:00")) == []
    assert keys(at("2025-11-29", "16:30")) == ["INC-1/deadline/1/nis2-early-warning.2025-11-29T22:10:00Z.soon"]
    late = keys(at("2025-12-01", "06:00"))
    assert late == [
        "INC-1/deadline/1/nis2-early-warning.2025-11-29T22:10:00Z.due",
        "INC-1/deadline/1/nis2-incident-notification.2025-12-01T22:10:00Z.ahead",
    ]


def test_what_a_duty_holds_for_is_said_by_tags_and_triage(owing: Folder) -> None:
    clock = at(FRIDAY, "23:00")
    owing.put(times=TIMES)  # a SEV1
    assert due_of(owing, clock) == {}
    owing.put(times=TIMES, tags="[nis2]")
    assert "nis2-early-warning" in due_of(owing, clock)
    owing.put(severity="SEV0", times=TIMES, tags="[not-nis2]")
    assert due_of(owing, clock) == {}
    owing.put(times=TIMES, triage="{data_risk: breach}")
    assert due_of(owing, clock) == {"gdpr-authority": ("2025-12-01T22:10:00Z", "running")}
    owing.put(times=TIMES, triage="{data_risk: breach}", tags="[gdpr-high-risk]")
    assert due_of(owing, clock)["gdpr-data-subjects"] == (None, "no_due")
    owing.put(severity="SEV0", times=TIMES, drill="true")
    assert due_of(owing, clock) == {}


def test_a_false_alarm_owes_nothing(owing: Folder) -> None:
    ok(owing, "withdraw", "INC-1", "--as", "false_alarm", "--reason", "a test", clock=at(FRIDAY, "23:00"))
    found = as_json(owing, "sla", "check", "--all", clock=at("2025-12-20", "09:00"))
    assert {one["state"] for one in found["clocks"] if one["clock"] == "deadline"} == {"cancelled"}
    assert not [one for one in found["obligations"] if "/deadline/" in one["key"]]


def test_off_by_default_in_every_preset(folder: Folder) -> None:
    folder.put(severity="SEV0", times=TIMES, tags="[nis2, gdpr, cra-incident]", triage="{data_risk: breach}")
    assert due_of(folder, at(FRIDAY, "23:00")) == {}
    done = call("deadline", "done", "nis2-early-warning", at=folder.path, clock=at(FRIDAY, "23:00"))
    done.told_once(2, "nis2-early-warning")
    assert "deadlines: [nis2]" in done.err


def test_a_deadline_of_ones_own_and_a_block_with_another_condition(folder: Folder) -> None:
    folder.write(
        "policy.yaml",
        "extends: sev0-3\n"
        "deadlines:\n"
        "- {id: nis2, when: {rank: [1, 2]}, since: 2025-11-01}\n"
        '- {id: bank, from: resolved, within: 5d, to: Example Bank, when: {users_pct: "> 50"}}\n'
        "- {id: bank-final, from: {deadline: bank}, within: 1 month}\n",
    )
    folder.put(times=TIMES, triage="{users_percent: 60}")
    found = due_of(folder, at(FRIDAY, "23:00"))
    assert found["nis2-early-warning"][0] == "2025-11-29T22:10:00Z"
    assert found["bank"] == (None, "no_due")
    assert found["bank-final"] == (None, "no_due")
    folder.put(times="{detected: 2025-10-30T22:10:00Z, declared: 2025-10-30T22:20:00Z}")
    assert "nis2-early-warning" not in due_of(folder, at(FRIDAY, "23:00"))


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ("[nis3]", ("nis3",)),
        ("[nis2, nis2]", ("nis2", "twice")),
        ("[{id: a, from: {deadline: b}}]", ("'b'",)),
        ("[{id: a, from: {deadline: b}}, {id: b, from: {deadline: a}}]", ("a", "b", "each other")),
        ("[{id: nis2, within: 12h}]", ("within",)),
        ("[{id: a, within: 1 year}]", ("within",)),
        ("[nis2, {id: nis2-early-warning}]", ("nis2-early-warning", "twice")),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Folder, entries: str, words: tuple[str, ...]) -> None:
    folder.write("policy.yaml", f"extends: sev0-3\ndeadlines: {entries}\n")
    done = call("policy", "lint", at=folder.path)
    assert done.code != 0
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.out + done.err


def test_slips_are_named(owing: Folder) -> None:
    clock = at("2025-11-29", "09:30")
    call("deadline", "done", "nis2-early-warnin", at=owing.path, clock=clock).told_once(2, "nis2-early-warnin")
    done(owing, "nis2-early-warning", clock=clock)
    again = call("deadline", "done", "nis2-early-warning", at=owing.path, clock=at("2025-11-29", "10:00"))
    again.told_once(2, "nis2-early-warning", "2025-11-29 09:30 UTC")
    before = call("deadline", "done", "nis2-incident-notification", at=owing.path, clock=at(FRIDAY, "22:00"))
    before.told_once(2, "2025-11-28T22:10:00Z")
    unowed = done(owing, "gdpr-authority", clock=clock)
    assert "warning" in unowed.err
    assert "does not owe" in unowed.err


def test_list_says_to_whom_and_by_which_article(owing: Folder) -> None:
    clock = at(FRIDAY, "23:00")
    text = ok(owing, "deadline", "list", clock=clock).out
    assert "nis2-early-warning" in text
    assert "CSIRT" in text
    assert "incident-ops deadline done nis2-early-warning INC-1" in text
    found = as_json(owing, "deadline", "list", "INC-1", clock=clock)
    assert found["deadlines"][0] == {
        "incident": "INC-1",
        "id": "nis2-early-warning",
        "to": "the CSIRT or the competent authority",
        "source": found["deadlines"][0]["source"],
        "start": f"{FRIDAY}T22:10:00Z",
        "due": "2025-11-29T22:10:00Z",
        "state": "running",
        "done_at": None,
        "by": None,
        "ref": None,
    }
    assert "Art. 23(4)(a)" in found["deadlines"][0]["source"]


def test_another_policy_is_compared_by_its_deadlines(owing: Folder) -> None:
    owing.write("other.yaml", "extends: sev0-3\n")
    found = as_json(owing, "sla", "backtest", "--policy", "other.yaml", clock=at("2025-12-20", "09:00"))
    gone = [one for one in found["differences"]["breaches"] if one["clock"] == "deadline"]
    assert {one["deadline"] for one in gone} == {"nis2-early-warning", "nis2-incident-notification"}
    report = as_json(owing, "sla", "report", clock=at("2025-12-20", "09:00"))
    figures = next(one for one in report["total"] if one["clock"] == "deadline")
    assert (figures["missed"], figures["met"]) == (2, 0)


def test_the_policy_says_what_is_owed_to_whom_and_from_what_on(owing: Folder) -> None:
    piped = ok(owing, "policy", "show").out.replace("`", "").replace("- ", "")
    for text in (piped, call("policy", "show", at=owing.path, columns=80).out):
        shown = " ".join(text.split())
        for line in (
            "Owed to others: nis2-early-warning: within 24h of detected, to the CSIRT or the competent authority;"
            " rank 1, or tag nis2, but never with tag not-nis2",
            "nis2-final-report: within 1 month of the report nis2-incident-notification,",
            "gdpr-data-subjects: from detected on, without a due time, to the people whose data it is; tag",
        ):
            assert line in shown
    owing.write("policy.yaml", "extends: sev0-3\n")
    assert "Owed to others" not in ok(owing, "policy", "show").out


def test_a_deadline_may_ask_for_the_tier_of_the_service(folder: Folder) -> None:
    """Of the most critical one; a service without a tier meets none, with teams and without."""
    text = 'services: {pay: {owner: "@a", tier: 1}, find: {owner: "@a", tier: 3}, api: {owner: "@a"}}\n'
    own = "{id: bank, from: declared, within: 4h, when: {tier: [1, 2]}, to: Example Bank}"
    folder.write("policy.yaml", f"extends: sev0-3\ndeadlines: [{own}]\n")
    shown = " ".join(ok(folder, "policy", "show").out.split())
    assert "`bank`: within 4h of declared, to Example Bank; a service of tier 1 or 2" in shown
    for teams in ("", "teams: {money: {on_call: '@a'}}\n"):
        folder.write("services.yaml", (text.replace("tier: 1", "tier: 1, team: money") if teams else text) + teams)
        for services, owes in (("[find, pay]", True), ("[find]", False), ("[api]", False), ("[pay]", True)):
            folder.put(severity="SEV2", services=services, times=TIMES)
            assert (due_of(folder, at(FRIDAY, "23:00")) == {"bank": ("2025-11-29T02:20:00Z", "running")}) is owes


def test_a_tag_that_gives_up_a_report_asks(owing: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal it is refused and says which report; `--yes` writes down who decided it."""
    night = at(FRIDAY, "23:00")
    before = owing.data()
    refused = call("edit", "--tag", "+not-nis2", at=owing.path, clock=night)
    owed = "nis2-early-warning by 2025-11-29 22:10 UTC to the CSIRT or the competent authority; nis2-incident-"
    refused.told_once(2, f"INC-1 would give up {owed}", "nobody would be reminded", "--yes")
    assert owing.data() == before
    given_up = ok(owing, "edit", "--tag", "+not-nis2", "--yes", clock=night)
    assert "no longer owed: nis2-early-warning, nis2-incident-notification, nis2-final-report" in given_up.out
    assert owing.data()["timeline"][-1]["event"].startswith("Not owed: nis2-early-warning")
    assert due_of(owing, night) == {}
    assert ok(owing, "edit", "--tag", "+dns", clock=night).code == 0


def test_a_terminal_asks_before_a_report_is_given_up(owing: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """No leaves the record as it is; yes gives it up. Taking the tag away again asks nothing: it is owed again."""
    monkeypatch.setattr("incident_ops.cli.edit.at_terminal", lambda: True)
    night = at(FRIDAY, "23:00")
    before = owing.data()
    for answer, is_changed in ((False, False), (True, True)):
        monkeypatch.setattr("click.confirm", lambda *_, answer=answer, **__: answer)
        done = call("edit", "--tag", "+not-nis2", at=owing.path, clock=night)
        assert "nis2-early-warning by 2025-11-29 22:10 UTC to the CSIRT or the competent authority" in done.err
        assert (owing.data() != before) == is_changed
    monkeypatch.setattr("click.confirm", lambda *_, **__: pytest.fail("asked"))
    ok(owing, "edit", "--tag", "-not-nis2", clock=night)
    assert len(due_of(owing, night)) == 3


@pytest.mark.parametrize("command", [("sla", "check"), ("deadline", "list")])
def test_a_table_that_is_too_wide_keeps_its_columns(command: tuple[str, str], owing: Folder) -> None:
    """Long ids at 80 columns: what fits stands below its header, the rest with its name below the row."""
    owing.put("INC-20251128-222000", severity="SEV0", times=TIMES)
    screen = call(*command, at=owing.path, clock=at(FRIDAY, "23:00"), columns=80).out.splitlines()
    assert max(map(len, screen)) <= 80 or command == ("deadline", "list")
    place = next(n for n, line in enumerate(screen) if line.startswith("STATUS") and "LEFT" in line)
    left = screen[place].index("LEFT")
    row = next(n for n, line in enumerate(screen) if "INC-20251128-222000  nis2-incident-notification" in line)
    assert screen[row][left:] == "2d 23h"
    assert screen[row + 1] == "  due 2025-12-01 22:10 UTC"


def test_lines_of_policy_lint_fit_the_terminal(owing: Folder) -> None:
    """Broken at its width and set in; in a pipe each finding is a line, as editors read them."""
    owing.write("policy.yaml", POLICY + 'contacts: {"@a-handle-that-is-rather-long": {channels: [phone, fax]}}\n')
    screen = call("policy", "lint", at=owing.path, columns=60).out
    assert max(map(len, screen.splitlines())) <= 60
    piped = call("policy", "lint", at=owing.path).out
    assert " ".join(screen.split()) == " ".join(piped.split())
    assert any(len(line) > 60 for line in piped.splitlines())
