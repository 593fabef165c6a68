"""Tickets by commands: a level with `declare: false` makes one, every output says so, and raising it changes that."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.cli.scene import Done, Folder, as_json, call, ok

pytestmark = pytest.mark.usefixtures("somebody")

ID = "INC-20250126-120500"
AFTER = "2025-01-26T12:10:00Z"
EMPTY_POLICY = "extends: p0-p3\n"


@pytest.fixture
def place(make: Callable[..., Folder]) -> Folder:
    return make("tickets", policy=EMPTY_POLICY)


done, data = partial(ok, clock=AFTER), partial(as_json, clock=AFTER)


def declare(folder: Folder, level: str, *more: str, clock: str = "2025-01-26T12:05:00Z") -> Done:
    return done(folder, "declare", "Dashboard sluggish", "-s", "web", "--severity", level, *more, clock=clock)


def issue(folder: Folder, key: str = ID, clock: str = AFTER) -> tuple[list[str], str]:
    """Labels and text of an issue, as a plan would open it."""
    change = next(one for one in data(folder, "plan", clock=clock)["changes"] if one["key"] == key)
    fields = change["fields"]
    return fields["labels"], fields["body"]


def test_a_tickets_level_makes_a_ticket_and_says_so(place: Folder) -> None:
    """No commander, channel or update of an incident is next; the timeline does not say that one was declared."""
    lines = declare(place, "P2").out.splitlines()
    assert lines[0] == f"{ID}: ticket opened, P2: Dashboard sluggish"
    assert "  P2 makes a ticket, not an incident: no roles, channel or postmortem needed" in lines
    assert [line for line in lines if line.startswith("  next: ")] == [
        f"  next: incident-ops ack {ID}",
    ]
    text = (place.path / f"incidents/{ID}/incident.yaml").read_text()
    assert "Ticket opened" in text
    assert "Incident" not in text
    assert call("validate", at=place.path, clock=AFTER).code == 0


def test_every_line_of_a_ticket_fits_a_terminal(place: Folder) -> None:
    outs = [
        declare(place, "P2"),
        done(place, "show"),
        call("list", at=place.path, clock=AFTER, columns=80),
        done(place, "update", "--severity", "P0"),
        done(place, "update", "--severity", "P2", "--reason", "x"),
        call("sla", "check", at=place.path, clock=AFTER, columns=80),
    ]
    assert [line for one in outs for line in one.out.splitlines() if len(line) > 80] == []


def test_triage_says_that_the_answers_make_a_ticket(place: Folder) -> None:
    assert "  a ticket: P3 declares no incident" in done(place, "triage", "--feature", "cosmetic").out.splitlines()
    assert "ticket" not in done(place, "triage", "--data-risk", "loss").out


def test_an_incidents_level_still_makes_an_incident(place: Folder) -> None:
    done = declare(place, "P1")
    assert done.out.splitlines()[0] == f"{ID}: declared, P1: Dashboard sluggish"
    assert f"  next: incident-ops assign commander @who {ID}" in done.out.splitlines()
    assert "ticket" not in done.out


def test_the_json_of_a_declaration_names_the_kind(place: Folder) -> None:
    words = ("declare", "Dashboard sluggish", "-s", "web", "--severity")
    assert data(place, *words, "P3")["kind"] == "ticket"
    assert data(place, *words, "P0", "--commander", "@a", clock="2025-01-26T12:11:00Z")["kind"] == "incident"


def test_show_says_ticket_and_asks_for_no_roles(place: Folder) -> None:
    declare(place, "P2")
    out = done(place, "show").out
    assert out.splitlines()[0] == f"{ID}  ticket P2  triaged  ACTIVE, open 5m"
    assert "commander" not in out
    assert "Public" not in out
    assert data(place, "show", ID)["kind"] == "ticket"


def test_show_names_who_was_given_a_role_or_the_ticket(place: Folder) -> None:
    declare(place, "P2", "--commander", "@carol")
    done(place, "assign", "@bob")
    out = done(place, "show").out
    assert "commander @carol, assigned to @bob" in out
    assert "scribe" not in out


def test_list_names_and_counts_tickets(place: Folder) -> None:
    declare(place, "P2")
    declare(place, "P1", clock="2025-01-26T12:06:00Z")
    out = done(place, "list").out
    assert "P2 ticket" in out
    assert out.splitlines()[-1] == "1 incident, 1 ticket"
    kinds = {one["severity"]: one["kind"] for one in data(place, "list")["incidents"]}
    assert kinds == {"P1": "incident", "P2": "ticket"}


def test_the_issue_of_a_ticket(place: Folder) -> None:
    """Its label, its first line, no roles and no public status; an action item's issue names the ticket."""
    declare(place, "P2")
    done(place, "action", "add", "Cache it", "--owner", "@bob", "--due", "2025-02-01")
    labels, body = issue(place)
    assert labels == ["ticket", "P2", "state:triaged"]
    assert "**Ticket** · **P2, MEDIUM (Create ticket)**" in body
    for word in ("Commander", "commander", "Public status", "Incident", "incident "):
        assert word not in body, word
    assert "- **Ticket:** `INC-20250126-120500` " in issue(place, f"{ID}/AI-1")[1]


def test_the_policy_names_the_label(make: Callable[..., Folder]) -> None:
    place = make("named", policy="extends: p0-p3\ntracker: {labels: {ticket: kind/ticket}}\n")
    declare(place, "P2")
    assert issue(place)[0][0] == "kind/ticket"


def test_checklists_for_every_level_are_for_incidents(make: Callable[..., Folder]) -> None:
    lists = "tracker: {checklists: [{id: all, title: Always, items: [{id: a, text: Start the war room}]}]}\n"
    place = make("lists", policy=f"extends: p0-p3\n{lists}")
    declare(place, "P2")
    assert "war room" not in issue(place)[1]
    done(place, "update", "--severity", "P1")
    assert "war room" in issue(place)[1]


def test_the_documents_of_a_ticket(place: Folder) -> None:
    declare(place, "P2")
    done(place, "render")
    text = (place.path / f"incidents/{ID}/incident.md").read_text()
    assert f"| Ticket | {ID} |" in text
    assert "Ticket opened" in text
    for word in ("Commander", "commander", "Status page", "Incident"):
        assert word not in text, word
    assert f"| Ticket | {ID} |" in (place.path / f"incidents/{ID}/postmortem.md").read_text()


def test_a_notice_says_ticket(place: Folder) -> None:
    declare(place, "P2")
    notices = [one["fields"] for one in data(place, "plan")["changes"] if one["action"] == "notify"]
    assert [one["subject"] for one in notices] == [f"P2 ticket: Dashboard sluggish - Ticket opened, P2 ({ID})"]


def test_what_is_due_says_ticket(place: Folder) -> None:
    declare(place, "P2")
    out = done(place, "sla", "check").out
    assert f"{ID}: Ticket opened, P2" in out
    assert "P2 ticket" in out


def test_raised_over_the_line_it_is_an_incident_from_then_on(place: Folder) -> None:
    declare(place, "P2")
    raised = done(place, "update", "--severity", "P0", "--reason", "all users").out
    assert "the ticket is an incident from now on" in raised
    assert done(place, "show").out.splitlines()[0] == f"{ID}  P0  triaged  ACTIVE, open 5m"
    assert f"assign commander @who {ID}" in done(place, "show").out
    assert issue(place)[0] == ["incident", "P0", "state:triaged"]
    reasons = [one["reason"] for one in data(place, "sla", "check")["obligations"]]
    assert "Raised from P2 to P0: the ticket is an incident from now on" in reasons
    assert "roles.commander is missing" in call("validate", at=place.path, clock=AFTER).out
    earlier = done(place, "show", ID, clock="2025-01-26T12:07:00Z").out.splitlines()[0]
    assert "ticket" in earlier


def test_lowered_below_the_line_it_stays_an_incident_without_its_duties(place: Folder) -> None:
    declare(place, "P0", "--commander", "@a")
    lowered = done(place, "update", "--severity", "P2", "--reason", "one user").out
    assert "it stays an incident; P2 asks for no roles or postmortem" in lowered
    assert "ticket" not in done(place, "show").out
    assert issue(place)[0] == ["incident", "P2", "state:triaged"]
    assert done(place, "list").out.splitlines()[-1] == "1 incident"
    done(place, "resolve", "--restored", "now", "--cause", "unknown")
    closed = done(place, "close", "--verified", clock="2025-01-26T12:20:00Z")
    assert "postmortem" not in closed.err


def test_a_ticket_closes_without_a_postmortem(make: Callable[..., Folder]) -> None:
    """Whatever the policy says of the level beside `declare: false`."""
    place = make("asked", policy="extends: p0-p3\nlevels:\n- {id: P1, declare: false}\n")
    declare(place, "P1")
    done(place, "ack")
    done(place, "resolve", "--restored", "now", "--cause", "unknown")
    closed = done(place, "close", "--verified", clock="2025-01-26T12:20:00Z")
    assert closed.err == ""
    clocks = {one["clock"] for one in data(place, "sla", "check", "--all", clock="2025-02-26T12:00:00Z")["clocks"]}
    assert clocks == {"response", "update_internal", "update_public"}


def test_the_report_has_tickets_on_a_line_of_their_own(place: Folder) -> None:
    declare(place, "P2")
    declare(place, "P1", clock="2025-01-26T12:06:00Z")
    out = done(place, "sla", "report", clock="2025-01-26T15:00:00Z").out
    assert "1 incident and 1 ticket in all." in out
    rows = {line.split()[0]: line.split() for line in out.splitlines() if " response " in line}
    assert [rows[name][:4] for name in ("all", "incidents", "tickets")] == [
        ["all", "response", "2", "0"],
        ["incidents", "response", "1", "0"],
        ["tickets", "response", "1", "0"],
    ]
    report = data(place, "sla", "report", clock="2025-01-26T15:00:00Z")
    assert (report["incidents"], report["tickets"]) == (1, 1)
    assert [one["name"] for one in report["kinds"]] == ["incidents", "tickets"]


def test_a_report_without_tickets_is_as_before(place: Folder) -> None:
    declare(place, "P1")
    out = done(place, "sla", "report", clock="2025-01-26T15:00:00Z").out
    assert "ticket" not in out
    assert "1 incident in all." in out
    assert "tickets" not in data(place, "sla", "report", clock="2025-01-26T15:00:00Z")


def test_the_gate_goes_by_rank(make: Callable[..., Folder]) -> None:
    """A ticket of a rank that holds deploys holds them."""
    place = make("gate", policy="extends: p0-p3\ngate: {block_on_open_rank: 3}\n")
    declare(place, "P2")
    place.commit()
    held = call("gate", "check", "-s", "web", at=place.path, clock=AFTER)
    assert held.code == 3
    assert "P2 ticket  triaged" in held.out
    done(place, "update", "--severity", "P3", "--reason", "x")
    place.commit()
    assert call("gate", "check", "-s", "web", at=place.path, clock=AFTER).code == 0
