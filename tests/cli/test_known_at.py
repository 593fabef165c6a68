"""--at T: every view shows what was known at T, as somebody types it after a night that is over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import CLOSED, Done, Folder
from tests.cli.scene import call_merged as call

DAY = "2025-11-18"
INC = "INC-20251118-114800"
HELD, FREE = 3, 0


def at(clock: str) -> str:
    return clock if "T" in clock else f"{DAY}T{clock}:00Z"


@pytest.fixture
def cloudflare(folder: Folder) -> Folder:
    """The public outage of 2025-11-18, typed as it went on; the action items were written the next day."""
    folder.write("services.yaml", 'services:\n  cdn:\n    owner: "@edge"\n')

    def typed(clock: str, *words: str) -> None:
        done = call(*words, at=folder.path, clock=at(clock))
        assert done.code == 0, done

    typed("11:48", "declare", "5xx across the network", "-s", "cdn", "--severity", "SEV1", "--started", at("11:20"),
          "--users", "30")  # fmt: skip
    typed("11:50", "ack", "--by", "@alice")
    typed("12:00", "update", "--severity", "SEV0", "--reason", "core traffic fails")
    typed("12:30", "update", "--public", "We are investigating", "--status", "investigating")
    typed("13:05", "timeline", "Workers KV bypassed", "--kind", "action", "--mark", "mitigated")
    typed("13:09", "update", "--public", "The cause is known", "--status", "identified")
    typed("17:06", "resolve", "--restored", at("17:06"), "--cause", "configuration")
    typed("2025-11-19T10:00:00Z", "action", "add", "Harden the ingestion", "--owner", "@bob", "--due", "2025-12-01")
    typed("2025-11-21T10:00:00Z", "action", "done", "AI-1", INC)
    return folder


def show(folder: Folder, clock: str) -> dict[str, Any]:
    done = call("show", INC, "--format", "json", at=folder.path, clock=at(clock))
    assert done.code == 0, done
    found: dict[str, Any] = json.loads(done.out)
    return found


def gate(folder: Folder, clock: str, *words: str) -> Done:
    return call("gate", "check", "-s", "cdn", *words, at=folder.path, clock=at(clock))


@pytest.mark.slow
def test_in_the_middle_of_the_outage_deploys_are_held(cloudflare: Folder) -> None:
    """It was resolved later, and at 13:00 nobody could know that."""
    done = gate(cloudflare, "13:00")
    assert done.code == HELD
    assert f"{INC}  SEV0  in progress" in done.out
    assert [gate(cloudflare, clock).code for clock in ("11:49", "17:05", "17:06")] == [HELD, HELD, FREE]


@pytest.mark.slow
def test_the_picture_is_that_of_the_time(cloudflare: Folder) -> None:
    """State, level, people, last public word, clocks and items: none of them from later."""
    then = show(cloudflare, "13:00")
    assert (then["state"], then["severity"], then["phase"]) == ("in_progress", "SEV0", "ACTIVE")
    assert (then["public_status"], then["last_update"]["text"]) == ("investigating", "We are investigating")
    assert (then["impact_seconds"], then["assigned_to"], then["action_items"]["total"]) == (None, "@alice", 0)
    assert then["undated"] == ["triage", "impact", "cause"]
    assert show(cloudflare, "11:49")["severity"] == "SEV1"
    assert show(cloudflare, "2025-11-20T10:00:00Z")["action_items"]["open"] == 1
    now = show(cloudflare, "2025-11-21T10:00:00Z")
    assert (now["state"], now["action_items"]["open"]) == ("resolved", 0)
    assert "undated" not in now


@pytest.mark.slow
def test_what_is_not_shown_is_named_in_words(cloudflare: Folder) -> None:
    """On the screen, below a list, in `sla check`, and in the documents; at most 80 columns."""
    line = "Not shown, because the record does not say since when: triage, impact, cause"
    for words in (["show"], ["list"], ["list", "--open"], ["sla", "check"]):
        out = call(*words, at=cloudflare.path, clock=at("13:00"), columns=80).out
        assert line in out
        assert max(map(len, out.splitlines())) <= 80
        assert "Not shown" not in call(*words, at=cloudflare.path, clock="2025-11-21T10:00:00Z").out
    assert "Impact     not shown" in call("show", at=cloudflare.path, clock=at("13:00")).out


def test_lists_and_clocks_know_nothing_of_later(cloudflare: Folder) -> None:
    data = json.loads(call("list", "--open", "--format", "json", at=cloudflare.path, clock=at("13:00")).out)
    assert [(one["state"], one["severity"], one["open_items"]) for one in data["incidents"]] == [
        ("in_progress", "SEV0", 0)
    ]
    assert data["incidents"][0]["undated"] == ["triage", "impact", "cause"]
    data = json.loads(call("sla", "check", "--format", "json", at=cloudflare.path, clock=at("13:00")).out)
    assert [(one["clock"], one["state"]) for one in data["clocks"]] == [
        ("response", "met"),
        ("update_internal", "running"),
    ]
    assert data["undated"] == [{"incident": INC, "fields": ["triage", "impact", "cause"]}]


def test_a_report_of_an_earlier_time_counts_nothing_of_later(cloudflare: Folder) -> None:
    """Its clocks still ran; a replay under another policy sees the same."""
    cloudflare.write("other.yaml", "extends: sev0-3\nlevels:\n- {id: SEV0, response: 1m}\n")
    left_out = [{"incident": INC, "fields": ["triage", "impact", "cause"]}]
    for words in (("report",), ("backtest", "--policy", "other.yaml")):
        done = call("sla", *words, "--format", "json", at=cloudflare.path, clock=at("13:00"))
        assert json.loads(done.out)["undated"] == left_out
        assert "Not shown, because" in call("sla", *words, at=cloudflare.path, clock=at("13:00")).out
    markdown = call("sla", "report", "--format", "markdown", at=cloudflare.path, clock=at("13:00")).out
    assert "\n\nNot shown, because the record does not say since when: triage, impact, cause\n" in markdown


def test_before_its_declaration_an_incident_is_not_there(cloudflare: Folder) -> None:
    """`show` says so plainly, the others leave it out, and the gate says how many it left out."""
    done = call("show", INC, at=cloudflare.path, clock=at("11:47"))
    done.told_once(2, f"{INC} was not declared yet at {at('11:47')}", f"declared at {at('11:48')}")
    assert json.loads(call("list", "--format", "json", at=cloudflare.path, clock=at("11:47")).out)["incidents"] == []
    checked = json.loads(call("sla", "check", "--all", "--format", "json", at=cloudflare.path, clock=at("11:47")).out)
    assert (checked["clocks"], checked["obligations"]) == ([], [])
    asked = gate(cloudflare, "11:47")
    assert asked.code == FREE
    assert f"1 incident is left out: not declared yet at {at('11:47')}" in asked.out
    call("render", INC, at=cloudflare.path, clock=at("11:47")).told_once(2, "was not declared yet")
    assert not list(Path(cloudflare.path).rglob("*.md"))


def test_documents_are_rendered_as_they_would_have_been(cloudflare: Folder) -> None:
    """Into the files beside the record; the present time renders the record as it is."""
    folder = cloudflare.path / "incidents" / INC
    assert call("render", at=cloudflare.path, clock=at("13:00")).code == 0
    then = (folder / "incident.md").read_text(encoding="utf-8")
    assert "_Not shown, because the record does not say since when: triage, impact, cause_" in then
    assert "The cause is known" not in then
    assert "Harden the ingestion" not in (folder / "action-items.md").read_text(encoding="utf-8")
    assert call("render", at=cloudflare.path, clock="2025-11-21T10:00:00Z").code == 0
    now = (folder / "incident.md").read_text(encoding="utf-8")
    assert "Not shown" not in now
    assert "The cause is known" in now


def test_an_incident_that_is_settled_today_held_deploys_then(folder: Folder) -> None:
    """Written by hand, without a history of states: its instants say when it was over."""
    folder.put("INC-1", **CLOSED, postmortem="{status: final}")
    folder.commit()
    at_work = call("gate", "check", "-s", "api", at=folder.path, clock="2025-01-26T12:10:00Z")
    assert at_work.code == HELD
    assert call("gate", "check", "-s", "api", at=folder.path, clock="2025-01-26T12:30:00Z").code == FREE
    assert call("show", at=folder.path, clock="2025-01-26T12:10:00Z").out.startswith("INC-1  SEV1  in progress")
    later = call("show", at=folder.path, clock="2025-01-27T12:10:00Z")
    assert (later.code, later.out.startswith("INC-1  SEV1  closed")) == (0, True), later
    call("show", at=folder.path, clock="2025-01-25T12:10:00Z").told_once(2, "no incident is open at")


def test_an_item_without_a_date_is_not_listed_and_named(folder: Folder) -> None:
    folder.put("INC-1", action_items="[{id: AI-1, title: t, owner: '@a'}]",
               timeline="[{at: 2025-01-26T13:00:00Z, kind: note, event: e}]")  # fmt: skip
    then = call("list", "--owner", "@a", at=folder.path, clock="2025-01-26T12:30:00Z").out
    assert then == "0 action items\n\nNot shown, because the records do not say since when: action items\n"
    words = ("list", "--owner", "@a", "--format", "json")
    assert json.loads(call(*words, at=folder.path, clock="2025-01-26T12:30:00Z").out)["undated"] == ["action_items"]
    assert "undated" not in json.loads(call(*words, at=folder.path, clock="2025-01-26T13:00:00Z").out)


def test_roles_that_no_change_dates_are_not_said_to_be_nobodys(folder: Folder) -> None:
    """A role that is not shown is not one that nobody has."""
    history = "[{at: 2025-01-26T13:00:00Z, kind: note, event: e}]"
    folder.put("INC-1", timeline=history, roles='{commander: "@a"}')
    assert "Roles      not shown\n" in call("show", at=folder.path, clock="2025-01-26T12:30:00Z").out
    folder.put(
        "INC-1", timeline=history, roles='{commander: "@a"}', assignments="[{at: 2025-01-26T12:10:00Z, to: '@b'}]"
    )
    out = call("show", at=folder.path, clock="2025-01-26T12:30:00Z").out
    assert "Roles      assigned to @b, others not shown\n" in out
    assert "TBD" not in out


def test_a_commit_is_shown_byte_for_byte(cloudflare: Folder) -> None:
    """--rev alone looks at no clock: what is written in that commit is what is shown."""
    cloudflare.commit()
    data = json.loads(call("--rev", "HEAD", "show", INC, "--format", "json", at=cloudflare.path, clock=None).out)
    assert (data["state"], data["action_items"]["open"]) == ("resolved", 0)
    assert "undated" not in data


def test_commands_that_edit_read_the_record_itself(cloudflare: Folder) -> None:
    """A late entry of the past is added to the record of today."""
    done = call("timeline", "A log line", INC, at=cloudflare.path, clock=at("13:00"))
    assert done.code == 0, done
    text = (cloudflare.path / "incidents" / INC / "incident.yaml").read_text(encoding="utf-8")
    assert "A log line" in text
    assert "state: resolved" in text
