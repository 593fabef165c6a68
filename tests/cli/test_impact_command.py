"""`impact`: what the effect on users and business was, by command alone; each service with its own times."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import Done, Folder, call, contents, ok, record
from tests.support.typing import at_terminal

pytestmark = pytest.mark.usefixtures("somebody")

DAY = "2025-01-26"


def put(folder: Folder, **lines: str) -> None:
    folder.put(text=record(**{"services": "[api, web]", **lines}))
    folder.commit()


def say(folder: Folder, *args: str, clock: str = "12:30:00") -> Done:
    """The command with these words, which must succeed and leave the record without an error."""
    done = ok(folder, "impact", *args, clock=f"{DAY}T{clock}Z")
    ok(folder, "validate", clock=f"{DAY}T{clock}Z")
    return done


def document(folder: Folder, name: str = "incident.md") -> str:
    done = call("render", "INC-1", at=folder.path, clock=f"{DAY}T14:00:00Z")
    assert done.code == 0, done
    return (folder.path / "incidents/INC-1" / name).read_text(encoding="utf-8")


def test_the_impact_is_written_by_one_command(folder: Folder) -> None:
    put(folder)
    done = say(
        folder, "--summary", "Nobody could log in", "--users", "5,000", "--users", "60%", "--failed-requests", "12000",
        "--revenue", "2500 USD", "--per-minute", "83.5", "--data-loss", "none", "--support-tickets", "45",
        "--support-tickets-increase", "500%", "--qualitative", "Mentioned by the press", "--budget-minutes", "30",
    )  # fmt: skip
    assert folder.data()["impact"] == {
        "summary": "Nobody could log in",
        "users": {"count": 5000, "percent": 60},
        "failed_requests": 12000,
        "revenue": {"amount": 2500, "currency": "USD", "per_minute": 83.5},
        "data_loss": "none",
        "support_tickets": 45,
        "support_tickets_increase_percent": 500,
        "qualitative": ["Mentioned by the press"],
        "budget_minutes": 30,
    }
    assert "INC-1: users affected: 5,000 (60 %)\n" in done.out
    assert "INC-1: revenue lost: 2,500 USD, 83.5 USD a minute\n" in done.out
    assert "undo: incident-ops undo INC-1\n" in done.out
    assert "- **Users affected:** 5,000 (60 %)\n" in document(folder)


def test_unknown_is_an_answer_everywhere(folder: Folder) -> None:
    put(folder, impact="{users: {count: 5}, revenue: {amount: 5, currency: USD}}")
    names = ("users", "failed-requests", "revenue", "data-loss", "support-tickets", "support-tickets-increase")
    say(folder, *(word for name in (*names, "budget-minutes") for word in (f"--{name}", "unknown")))
    assert folder.data()["impact"] == {
        "users": {"count": "unknown"},
        "failed_requests": "unknown",
        "revenue": "unknown",
        "data_loss": "unknown",
        "support_tickets": "unknown",
        "support_tickets_increase_percent": "unknown",
        "budget_minutes": "unknown",
    }


def test_one_number_leaves_the_others_as_they_are(folder: Folder) -> None:
    put(folder, impact="{users: {count: 5000}, revenue: {amount: 2500, currency: USD}}")
    say(folder, "--users", "60 %", "--per-minute", "2000")
    found = folder.data()["impact"]
    assert found["users"] == {"count": 5000, "percent": 60}
    assert found["revenue"] == {"amount": 2500, "currency": "USD", "per_minute": 2000}
    again = say(folder, "--users", "60 %")
    assert "INC-1: users affected: 5,000 (60 %) already; nothing changed" in again.out


def test_the_answer_of_the_triage_is_the_share_of_users_until_the_impact_says_it(folder: Folder) -> None:
    call("declare", "Login fails", "-s", "api", "--users", "60", "--feature", "core", at=folder.path,
         clock=f"{DAY}T12:05:00Z")  # fmt: skip
    name = "INC-20250126-120500"
    shown = call("show", name, at=folder.path, clock=f"{DAY}T12:10:00Z").out
    assert "Impact     60 % of users\n" in shown
    call("render", name, at=folder.path, clock=f"{DAY}T12:10:00Z")
    page = folder.path / "incidents" / name / "incident.md"
    assert "- **Users affected:** 60 % (number unknown)\n" in page.read_text(encoding="utf-8")
    say(folder, "--users", "5000")
    call("render", name, at=folder.path, clock=f"{DAY}T12:30:00Z")
    assert "- **Users affected:** 5,000 (60 %)\n" in page.read_text(encoding="utf-8")
    say(folder, "--users", "55%")
    call("render", name, at=folder.path, clock=f"{DAY}T12:30:00Z")
    assert "- **Users affected:** 5,000 (55 %)\n" in page.read_text(encoding="utf-8")


def test_a_range_of_the_triage_is_shown_as_it_was_answered(folder: Folder) -> None:
    put(folder, triage='{users_percent: ">50"}', impact="{users: unknown}")
    assert "Impact     more than 50 % of users\n" in call("show", "INC-1", at=folder.path).out
    assert "- **Users affected:** more than 50 % (number unknown)\n" in document(folder)


def test_each_service_has_its_own_times(folder: Folder) -> None:
    put(folder)
    done = say(
        folder, "--service", "api:major:12:05..12:20", "--service", f"web:partial:{DAY}T12:10:00Z..", clock="12:40:00"
    )
    assert folder.data()["impact"]["services"] == [
        {"service": "api", "degree": "major", "from": f"{DAY}T12:05:00Z", "to": f"{DAY}T12:20:00Z"},
        {"service": "web", "degree": "partial", "from": f"{DAY}T12:10:00Z"},
    ]  # fmt: skip
    assert "INC-1: api: major 15m (12:05–12:20 UTC)\n" in done.out
    assert "INC-1: web: partial since 2025-01-26 12:10 UTC\n" in done.out
    assert "--service 12:05: 2025-01-26 12:05 UTC\n" in done.err
    ended = say(folder, "--end-service", "web", "12:30", clock="12:40:00")
    assert folder.data()["impact"]["services"][1]["to"] == f"{DAY}T12:30:00Z"
    assert "INC-1: web: partial 20m (12:10–12:30 UTC)\n" in ended.out


def test_without_times_it_begins_now_and_ends_what_was_before(folder: Folder) -> None:
    put(folder)
    say(folder, "--service", "api:major", clock="12:10:00")
    say(folder, "--service", "api:degraded", clock="12:30:00")
    assert folder.data()["impact"]["services"] == [
        {"service": "api", "degree": "major", "from": f"{DAY}T12:10:00Z", "to": f"{DAY}T12:30:00Z"},
        {"service": "api", "degree": "degraded", "from": f"{DAY}T12:30:00Z"},
    ]
    say(folder, "--end-service", "api", "now", clock="12:45:00")
    assert folder.data()["impact"]["services"][1]["to"] == f"{DAY}T12:45:00Z"


def test_the_same_begin_mends_a_time_and_none_takes_a_service_away(folder: Folder) -> None:
    put(folder)
    say(folder, "--service", "api:major:12:05..12:20", "--service", "web:partial:12:05..12:20")
    say(folder, "--service", "api:degraded:12:05..12:25")
    assert folder.data()["impact"]["services"][0] == {
        "service": "api", "degree": "degraded", "from": f"{DAY}T12:05:00Z", "to": f"{DAY}T12:25:00Z"
    }  # fmt: skip
    assert "INC-1: api: not hurt\n" in say(folder, "--service", "api:none").out
    assert [one["service"] for one in folder.data()["impact"]["services"]] == ["web"]


def test_since_when_it_lasted_is_said_with_the_impact(folder: Folder) -> None:
    put(folder)
    assert "INC-1: started at 2025-01-26T12:00:00Z\n" in say(folder, "--started", "12:00").out
    assert folder.data()["times"]["started"] == f"{DAY}T12:00:00Z"


def test_texts_are_added_and_taken_away(folder: Folder) -> None:
    put(folder)
    say(folder, "--qualitative", "Press", "--qualitative", "+Customers called")
    say(folder, "--qualitative", "-press")
    assert folder.data()["impact"]["qualitative"] == ["Customers called"]
    call("impact", "--qualitative", "-nothing", at=folder.path).told_once(2, "'nothing'", "Customers called")


def test_the_last_of_a_list_can_be_taken_away(folder: Folder) -> None:
    """Nothing is left of the list."""
    put(folder)
    say(folder, "--qualitative", "Press", "--service", "api:major:12:05..12:20")
    say(folder, "--qualitative", "-press", "--service", "api:none")
    assert folder.data()["impact"] == {}


def test_a_service_that_the_incident_does_not_name_gives_a_warning(folder: Folder) -> None:
    folder.put(text=record())
    done = say(folder, "--service", "web:partial:12:05..12:20")
    assert "warning: web is not among the services of INC-1, and gates go by those: `incident-ops edit" in done.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), ("nothing to write", "--users")),
        (("--users", "many"), ("--users 'many'", "5000, 60%, unknown")),
        (("--users", "5.000"), ("--users '5.000'", "5000, 60%, unknown")),
        (("--users", "120%"), ("--users '120%'",)),
        (("--users", "5", "--users", "6"), ("--users", "twice")),
        (("--revenue", "lots"), ("--revenue 'lots'", "2500 USD")),
        (("--revenue", "2500 dollars"), ("--revenue", "2500 USD")),
        (("--failed-requests", "-3"), ("--failed-requests '-3'",)),
        (("--service", "api"), ("--service 'api'", "api:major:12:05..12:30")),
        (("--service", "api:bad"), ("'bad'", "degraded, partial, major")),
        (("--service", "nope:major"), ("'nope'", "services.yaml")),
        (("--service", "api:major:12:10"), ("--service", "..")),
        (("--service", "api:major:12:20..12:10"), ("2025-01-27T12:10:00Z", "future")),
        (("--end-service", "api", "now"), ("api", "--service api:major")),
        (("--data-loss", " "), ("--data-loss is empty",)),
        (("--service", f"api:major:{DAY}T12:20:00Z..{DAY}T12:10:00Z"), ("12:10", "before it begins")),
        (("--started", "12:10"), ("times.started", "12:05")),
    ],
)
def test_what_cannot_be_meant_changes_nothing(folder: Folder, args: tuple[str, ...], words: tuple[str, ...]) -> None:
    put(folder)
    before = contents(folder.path)
    call("impact", *args, at=folder.path, clock=f"{DAY}T12:30:00Z").told_once(2, *words)
    assert contents(folder.path) == before


def test_times_of_a_service_do_not_overlap(folder: Folder) -> None:
    put(folder)
    say(folder, "--service", "api:major:12:05..12:20")
    done = call("impact", "--service", "api:degraded:12:10..12:30", at=folder.path, clock=f"{DAY}T12:40:00Z")
    done.told_once(2, "api", "12:05", "12:20")


def test_once_it_is_over_a_service_needs_both_times(folder: Folder) -> None:
    put(folder)
    call("resolve", "--restored", "12:20", "--cause", "unknown", at=folder.path, clock=f"{DAY}T12:25:00Z")
    call("impact", "INC-1", "--service", "api:major", at=folder.path).told_once(2, "resolved", "api:major:FROM..TO")
    call("impact", "INC-1", "--service", "api:major:12:05..", at=folder.path).told_once(2, "resolved", "FROM..TO")
    say(folder, "INC-1", "--service", "api:major:12:05..12:20", "--users", "60%", clock="14:00:00")
    assert folder.data()["impact"]["services"][0]["to"] == f"{DAY}T12:20:00Z"


def test_scripts_read_what_was_done(folder: Folder) -> None:
    put(folder)
    told = json.loads(say(folder, "--users", "60%", "--format", "json").out)
    assert (told["incident"], told["changed"], told["told"]) == (
        "INC-1",
        True,
        ["users affected: 60 % (number unknown)"],
    )


def test_at_a_terminal_an_answer_that_cannot_be_read_is_asked_again(folder: Folder) -> None:
    put(folder)
    answers = "soonish\n12:00\nmany\n200%\n60%\n\n2500 USD\nnone\n"
    shown = at_terminal(folder.path, "impact", clock=f"{DAY}T12:30:00Z", answers=answers)
    assert shown.count("When did it begin") == 2
    assert shown.count("Users affected") == 3
    assert "200%' is more than all" in shown
    found = folder.data()
    assert found["times"]["started"] == f"{DAY}T12:00:00Z"
    assert found["impact"]["users"] == {"percent": 60}
    assert found["impact"]["data_loss"] == "none"
    assert "failed_requests" not in found["impact"]


def test_at_a_terminal_it_asks_for_what_is_not_known_yet(folder: Folder) -> None:
    put(folder)
    shown = at_terminal(folder.path, "impact", clock=f"{DAY}T12:30:00Z", answers="12:00\n5000\n\nunknown\nnone\n")
    assert "When did it begin" in shown
    assert folder.data()["times"]["started"] == f"{DAY}T12:00:00Z"
    assert folder.data()["impact"] == {"users": {"count": 5000}, "revenue": "unknown", "data_loss": "none"}
