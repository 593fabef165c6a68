"""An escalation shows where people look: on the incident's issue, and in the queue of its tier."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.scene import Folder, as_json, call, ok

pytestmark = pytest.mark.usefixtures("somebody")

POLICY = """\
extends: itil-p1-p4
ids: {incident: INC-YYYYMMDD-HHMMSS}
escalation:
  tiers:
  - {id: tier-2, wait: 30m}
contacts:
  "@lead": {channels: [lead_mail]}
  "@dba": {channels: [dba_mail]}
  tiers: {tier-2: ["@lead"], specialists: ["@dba"]}
"""
ID = "INC-20250126-140000"
AT = "2025-01-26T14:20:00Z"


@pytest.fixture
def queue(make: Callable[..., Folder]) -> Folder:
    """Two P2, of which one was escalated to tier 2 at 14:10."""
    folder = make("queue", policy=POLICY)
    for minute in ("00", "05"):
        ok(folder, "declare", "Slow", "--priority", "P2", "--service", "api", clock=f"2025-01-26T14:{minute}:00Z")
    ok(folder, "escalate", ID, "--reason", "nobody knows this database", clock="2025-01-26T14:10:00Z")
    return folder


def test_the_issue_says_to_whom_it_went_who_is_next_and_what_to_do(queue: Folder) -> None:
    ok(queue, "apply", clock=AT)
    bodies = [ok(queue, "issues", str(number), clock=AT).out for number in (1, 2)]
    (shown,) = [line for body in bodies for line in body.splitlines() if line.startswith("- **Escalated:**")]
    assert shown == (
        "- **Escalated:** to tier 2 (Tier 2) 14:10 UTC: nobody knows this database. Not reached yet: `@lead`. Next:"
        " tier 5 (Management) at 14:40 UTC if nobody answers. Watch it closely. For more people:"
        f' `incident-ops escalate {ID} --reason "..."`'
    )


def test_an_answer_ends_the_wait_and_the_end_ends_the_line(queue: Folder) -> None:
    ok(queue, "ack", ID, "--by", "@lead", clock="2025-01-26T14:15:00Z")
    ok(queue, "apply", clock=AT)
    assert "Not reached yet: `@lead`. Watch it closely" in "".join(
        ok(queue, "issues", n, clock=AT).out for n in ("1", "2")
    )
    ok(queue, "resolve", ID, "--cause", "database", "--restored", "14:16", clock=AT)
    ok(queue, "apply", clock=AT)
    assert "Escalated:" not in "".join(ok(queue, "issues", n, clock=AT).out for n in ("1", "2"))


def test_the_queue_of_a_tier_can_be_listed(queue: Folder) -> None:
    def ids(*words: str) -> list[str]:
        return [one["id"] for one in as_json(queue, "list", *words, clock=AT)["incidents"]]

    assert ids("--tier", "2") == [ID] == ids("--tier", "tier-2")
    assert ids("--tier", "1") == ["INC-20250126-140500"]
    ok(queue, "assign", "@dba", ID, clock=AT)
    assert ids("--tier", "2", "--open") == [ID]
    call("list", "--tier", "tier-9", at=queue.path, clock=AT).told_once(2, "unknown tier 'tier-9'")


NIGHT = """\
extends: sev0-3
ids: {incident: INC-YYYYMMDD-HHMMSS}
contacts:
  "@ann": {channels: [chat]}
  "@bob": {channels: [chat]}
  "@mona": {channels: [chat]}
  roles: {on_call: ["@ann"], secondary: ["@bob"], manager: ["@mona"]}
"""


def test_a_night_that_nobody_answers_shows_on_the_issue_before_any_merge(make: Callable[..., Folder]) -> None:
    """The steps stand there as they come due, with a label and those they call, until somebody takes it."""
    folder = make("night", policy=NIGHT)
    ok(folder, "declare", "Login fails", "--severity", "SEV0", "-s", "api", "--by", "@carol", clock=_night("02:00"))
    assert _seen(folder, "02:01") == ("", "")
    line, head = _seen(folder, "02:06")
    assert line == (
        "- **Escalated:** to tier 2 (Secondary) 02:05 UTC: Nobody answered within 5m. It is up to `@bob`. Next:"
        " tier 3 (Manager) at 02:10 UTC if nobody answers. Watch it closely. For more people:"
        ' `incident-ops escalate INC-20250126-020000 --reason "..."`'
    )
    assert "escalated" in head
    assert head.endswith("assigned to @bob")
    assert _seen(folder, "02:11")[1].endswith("assigned to @bob, @mona")
    shown = call("plan", at=folder.path, clock=_night("02:12")).out
    assert "Nothing to do" in shown, shown
    ok(folder, "ack", "INC-20250126-020000", "--by", "@ann", clock=_night("02:13"))
    (update,) = [one for one in as_json(folder, "plan", clock=_night("02:14"))["changes"] if one["action"] == "update"]
    assert (update["fields"]["remove_assignees"], "escalated" in update["fields"]["remove_labels"]) == (
        ["bob", "mona"],
        True,
    )
    assert _seen(folder, "02:14") == ("", "")
    assert "assigned to" not in ok(folder, "issues", "1", clock=_night("02:14")).out


def _night(time: str) -> str:
    return f"2025-01-26T{time}:00Z"


def _seen(folder: Folder, time: str) -> tuple[str, str]:
    """After a run: the line of the issue that says where it went, and what stands of the label and people."""
    ok(folder, "apply", clock=_night(time))
    out = ok(folder, "issues", "1", clock=_night(time)).out
    line = next((line for line in out.splitlines() if line.startswith("- **Escalated:**")), "")
    return line, next((line for line in out.splitlines() if "escalated" in line), "")
