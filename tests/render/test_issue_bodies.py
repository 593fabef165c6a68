"""The generated text of issues."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from incident_ops.documents.checklists import FACTS
from incident_ops.documents.issue_bodies import IssueBodies, item_body, tracking_body
from incident_ops.documents.issue_words import Surroundings
from incident_ops.documents.markdown import BODY_LIMIT
from incident_ops.domain.incident import (
    ActionItem,
    Cause,
    Correction,
    Event,
    Impact,
    Incident,
    Links,
    Measure,
    Pause,
    Postmortem,
    Prevention,
    Roles,
    Times,
    Update,
    Users,
)
from incident_ops.domain.policy import Service
from incident_ops.domain.record import Record
from incident_ops.reconcile import generated_block
from incident_ops.reconcile.references import fill_places, leave_places
from incident_ops.records.schema import schema
from tests.support.golden import assert_golden
from tests.support.issue_scenes import ADDRESS, Scene, issue_scenes
from tests.support.policies import policy

GOLDEN = Path(__file__).parent / "golden"
S0, S1, S2, S3 = "sev0-3", "itil-p1-p4", "sev1-3", "p0-p3"
NOW = datetime(2025, 1, 2, 12, 20, tzinfo=UTC)
RENDERER = MarkdownIt("commonmark").enable("table")
ITEMS = [
    ActionItem(id="AI-1", title="Mend part 1", owner="@bob"),
    ActionItem(id="AI-2", title="Mend part 2", owner="@org/team", due="2025-02-01", priority="P1", status="done"),
    ActionItem(id="AI-3", title="Mend part 3", status="wont_do", reason="part 3 is gone"),
]
BASE = Incident(
    id="INC-1",
    title="Login fails",
    services=["auth"],
    state="in_progress",
    severity="SEV0",
    times=Times(declared="2025-01-02T12:05:00Z", acknowledged="2025-01-02T12:08:00Z"),
    roles=Roles(commander="@alice"),
    impact=Impact(summary="Nobody can log in."),
    links=Links(channel="#incident-1", bridge="https://meet.example.com/a(b)", runbook="runbooks/auth.md"),
    action_items=ITEMS,
    postmortem=Postmortem(
        status="draft",
        prevention=Prevention(short=[Measure(text="Alert on it", done_at="2025-01-03")], long=[Measure(text="Shards")]),
    ),
)


def body(now: datetime = NOW, preset: str = S0, *, pending: bool = False, **fields: object) -> str:
    """The text of the tracking issue of the base record with other fields."""
    incident = msgspec.structs.replace(BASE, **fields)
    return settled(tracking_body(Record("incidents/INC-1/incident.yaml", incident, {}, pending), policy(preset), now))


def settled(text: str) -> str:
    """A text as a tracker without addresses and numbers shows it."""
    return leave_places(text)


def of_item(**fields: object) -> str:
    item = msgspec.structs.replace(ITEMS[0], **fields)
    return settled(item_body(Record("incidents/INC-1/incident.yaml", BASE, {}), item, policy(S0), NOW))


def fact(text: str, name: str) -> str:
    """What a line of a list says of a name: of `- **Owner:** ...`, of `- Response (5m): ...`."""
    found = re.search(rf"^- (?:\*\*{re.escape(name)}:\*\*|{re.escape(name)}(?: \(.*\))?:) (.*)$", text, re.MULTILINE)
    assert found, f"{name} is not in:\n{text}"
    return found[1]


def keys(text: str) -> list[str]:
    """The keys of all boxes, in order."""
    return re.findall(r"^ *- \[[ x]\] .*<!-- box:(\S+) -->$", text, re.MULTILINE)


@pytest.mark.parametrize(("key", "name"), [("INC-1", "issue_tracking.md"), ("INC-1/AI-2", "issue_item.md")])
def test_the_text_is_the_golden_one(key: str, name: str) -> None:
    """What an issue says of a small record."""
    text = settled(IssueBodies([Record("incidents/INC-1/incident.yaml", BASE, {})], policy(S0), NOW)[key]) + "\n"
    assert_golden(GOLDEN / name, text)


def test_the_words_of_done_when_are_those_of_the_schema() -> None:
    """What a policy may ask of a record is what somebody looks up there."""
    box = schema("policy")["$defs"]["box"]["properties"]
    assert box["done_when"]["enum"] == box["items"]["items"]["properties"]["done_when"]["enum"] == [*FACTS]


def test_a_tick_of_a_person_stays_beside_boxes_that_the_record_fills() -> None:
    """The record fills the commander's box; what was ticked by hand is carried, and an emptied box is filled again."""
    nobody = generated_block.compose("INC-1", body(roles=Roles()))
    ticked = nobody.replace("- [ ] Page the on-call", "- [x] Page the on-call")
    now = generated_block.compose("INC-1", body(), generated_block.parse_body(ticked))
    assert "- [x] Page the on-call engineer <!-- box:sev0-first/page -->" in now
    assert "- [x] Assign the incident commander <!-- box:sev0-second/commander! -->" in now
    emptied = now.replace("- [x] Assign the incident", "- [ ] Assign the incident")
    assert not generated_block.parse_body(emptied).is_ours
    assert generated_block.compose("INC-1", body(), generated_block.parse_body(emptied)) == now


def test_the_checklist_names_the_channel_that_the_declaration_named() -> None:
    """R123: nobody at night works out what stands for `{timestamp}`."""
    line = next(line for line in body().splitlines() if "box:sev0-first/channel" in line)
    assert line.startswith("- [x] Create the channel `#incident-20250102-120500` ")
    by_time = next(line for line in body(id="INC-20250102-120501").splitlines() if "box:sev0-first/channel" in line)
    assert "`#incident-20250102-120501`" in by_time
    assert "{timestamp}" not in body()


def test_there_is_a_text_for_every_key() -> None:
    """Each incident and each item can be asked for."""
    other = msgspec.structs.replace(BASE, id="INC-2", action_items=[])
    bodies = IssueBodies([Record("a", BASE, {}), Record("b", other, {})], policy(S0), NOW)
    assert list(bodies) == ["INC-1", "INC-1/AI-1", "INC-1/AI-2", "INC-1/AI-3", "INC-2"]
    assert len(bodies) == 5
    assert all(bodies[key] for key in bodies)


def test_the_first_screen_has_what_counts_now() -> None:
    """What is broken, what is known and done about it, who leads, the next update, places and goal (R28)."""
    top = body().partition("### ")[0]
    assert len(top.splitlines()) <= 14
    for told in (
        "**SEV0, Critical (All Hands on Deck)** · **In progress (active)** · `auth` · declared 2025-01-02 12:05 UTC",
        "- **Broken:** Nobody can log in.",
        "- **Known:** the cause is not found yet.",
        '- **Being done:** nobody has written it down. Say it: `incident-ops timeline "..." INC-1 --kind action`',
        "- **Leads:** `@alice`.",
        '- **Next update:** by 12:20 UTC. Write it: `incident-ops update INC-1 --internal "..."`',
        '- **Public:** **nothing is said yet**. Say it: `incident-ops update INC-1 --public "..."`',
        "Runbook: `runbooks/auth.md` · Channel: `#incident-1` · [Bridge](<https://meet.example.com/a(b)>)",
        "> **Goal:** Restore service as soon as possible, root cause later",
    ):
        assert told in top, told


def test_principles_stand_at_the_head_of_an_open_incident() -> None:
    """R257, R258: five and two; gone once nobody works by them, as the goal is."""
    line = next(line for line in body(preset=S2, severity="SEV-1").splitlines() if "Stay calm" in line)
    assert line.startswith("> ")
    assert len(line.split(" · ")) == 7
    for state in ("resolved", "closed"):
        assert "Stay calm" not in body(preset=S2, severity="SEV-1", state=state)
        assert "**Goal:**" not in body(state=state)


@pytest.mark.parametrize(
    ("minute", "update", "response"),
    [(10, "", ""), (20, "", ", **overdue**"), (21, ", **overdue**", ", **overdue**")],
)
def test_a_clock_says_when_it_is_due_and_that_it_is_overdue(minute: int, update: str, response: str) -> None:
    times = Times(declared="2025-01-02T12:05:00Z")
    text = body(NOW.replace(minute=minute), times=times, state="new")
    assert f"- Internal update (every 15m): due 12:20 UTC{update}" in text.splitlines()
    assert f"- Response (5m): due 12:10 UTC{response}" in text.splitlines()
    assert fact(text, "Next update").startswith("**was due 12:20 UTC**" if update else "by 12:20 UTC")


def test_a_clock_that_ended_says_when() -> None:
    assert fact(body(), "Response") == "due 12:10 UTC, met 12:08 UTC"
    late = Times(declared="2025-01-02T12:05:00Z", acknowledged="2025-01-02T12:11:00Z")
    assert fact(body(times=late), "Response") == "due 12:10 UTC, **missed** 12:11 UTC"
    unknown = Times(declared="2025-01-02T12:05:00Z", acknowledged="unknown")
    assert fact(body(times=unknown), "Response") == "due 12:10 UTC, end time unknown"


def test_what_never_happened_was_not_met() -> None:
    """Once it is over, no update is due any more, and none is called met."""
    done = Times(declared="2025-01-02T12:05:00Z", acknowledged="2025-01-02T12:08:00Z", resolved="2025-01-02T12:10:00Z")
    text = body(times=done, state="resolved")
    assert "update (" not in text
    assert fact(text, "Response") == "due 12:10 UTC, met 12:08 UTC"


def test_a_clock_that_rests_says_paused() -> None:
    wait = Pause(start="2025-01-02T12:15:00Z", waiting_for="vendor")
    text = body(severity="SEV1", state="pending", pauses=[wait])
    assert fact(text, "Resolution") == "no due time yet, paused"
    assert fact(text, "Being done") == "waiting for vendor since 12:15 UTC."


def test_the_text_changes_only_when_something_happens() -> None:
    """Minutes go by, and nothing is written anew before a clock runs out or the next checklist begins."""
    assert body(NOW.replace(minute=10)) == body(NOW.replace(minute=19))
    assert body(NOW.replace(minute=19)) != body(NOW.replace(minute=20)), "from minute 15 on: how to mitigate?"
    assert body(NOW.replace(minute=20)) != body(NOW.replace(minute=21)), "the update is late"
    assert body(NOW.replace(minute=21)) == body(NOW.replace(minute=34))


def test_a_level_without_such_a_target_has_no_such_clock() -> None:
    """C13: null is no clock, never due at once."""
    text = body(severity="SEV2")
    assert "Internal update" not in text
    assert "Next update" not in text


def test_public_updates_are_told_with_the_last_one_and_the_cadence() -> None:
    updates = [
        Update(at=f"2025-01-02T12:{minute}:00Z", audience=audience, status="investigating", text="x")
        for minute, audience in (("11", "public"), ("10", "public"), ("12", "internal"))
    ]
    text = body(preset=S2, severity="SEV-3", updates=updates)
    assert fact(text, "Public") == "**investigating**, last said 12:11 UTC; due every 15m to 30m."


def test_a_foreign_level_says_so_instead_of_a_clock() -> None:
    """Nothing is guessed, and nothing fails."""
    assert "**Clocks unknown:** severity SEV-1 is not a level of scheme sev0-3" in body(severity="SEV-1")


@pytest.mark.parametrize(
    ("preset", "labels", "state", "wanted"),
    [
        (S0, {"severity": "SEV0"}, "in_progress", 18),
        (S0, {"severity": "SEV1"}, "in_progress", 0),
        (S1, {"priority": "P1", "severity": "SEV-1"}, "in_progress", 8 + 4 + 11),
        (S1, {"priority": "P2", "severity": "SEV-2"}, "in_progress", 0),
        (S1, {"priority": "P1", "severity": None}, "in_progress", 0),
        (S2, {"severity": "SEV-3"}, "in_progress", 5 + 2 + 4 + 3),
        (S2, {"severity": "SEV-3"}, "resolved", 5 + 2 + 4 + 3 + 3),
        (S3, {"severity": "P0"}, "in_progress", 23),
        (S3, {"severity": "P1"}, "closed", 23 + 20),
        (S3, {"severity": "P2"}, "in_progress", 0),
    ],
)
def test_an_incident_has_the_boxes_of_its_playbook(
    preset: str, labels: dict[str, str | None], state: str, wanted: int
) -> None:
    """R66, R119-R121, R125-R127, R144, R90, R186, R153-R155, by level and state."""
    found = keys(body(preset=preset, state=state, action_items=[], postmortem=None, **labels))
    assert len(found) == wanted
    assert len(set(found)) == wanted


def open_lists(text: str) -> list[str]:
    """The titles of the checklists that are not folded."""
    boxed = re.findall(r"^### (.*)\n\n- \[", text, re.MULTILINE)
    return [title for title in boxed if title not in ("Action items", "Prevention")]


@pytest.mark.parametrize(
    ("minute", "shown"),
    [
        (5, "Raise the alarm (first 5m)"),
        (10, "Take command, find out what is affected (5m to 15m)"),
        (20, "Decide how to mitigate (15m to 30m)"),
        (35, "Restore, then notify everybody (from 30m on)"),
    ],
)
def test_only_the_checklist_of_this_phase_is_open(minute: int, shown: str) -> None:
    """The others are folded, with their boxes in them, so that a tick stays in every phase."""
    text = body(NOW.replace(minute=minute))
    assert open_lists(text) == [shown]
    assert len(re.findall(r"<summary>(?!Times)", text)) == 3
    assert len([key for key in keys(text) if key.startswith("sev0-")]) == 18


def test_lists_of_the_response_are_folded_once_it_is_over_and_keep_their_keys() -> None:
    """Where the playbook has no list for afterwards, standing down is on the last one, which stays until the end."""
    during, resolved = (body(preset=S3, severity="P0", state=state) for state in ("in_progress", "resolved"))
    assert open_lists(during) == ["During the incident"]
    assert open_lists(resolved) == ["After the incident"]
    assert {key.rstrip("!") for key in keys(during)} < {key.rstrip("!") for key in keys(resolved)}
    assert open_lists(body(NOW.replace(hour=13), state="resolved")) == ["Restore, then notify everybody (from 30m on)"]
    assert open_lists(body(NOW.replace(hour=13), state="closed")) == []


def test_what_was_no_incident_has_no_list() -> None:
    assert not keys(body(state="closed", outcome="false_alarm", action_items=[], postmortem=None))


def test_a_checklist_of_the_users_own_shows_its_time() -> None:
    more = (
        "tracker: {checklists: [{id: own, title: 'Ours | @x', levels: [SEV1], from: 90m, to: 2h, "
        "items: [{id: a, text: 'Tell @x'}]}, {id: open-end, title: Later, from: 1h, items: [{id: a, text: b}]}]}\n"
    )
    incident = msgspec.structs.replace(BASE, severity="SEV1")
    text = settled(tracking_body(Record("p", incident, {}), policy(S0, more), NOW))
    summary = "<summary>Ours \\| @&#8203;x (1h 30m to 2h)</summary>"
    assert f"{summary}\n\n- [ ] Tell @&#8203;x <!-- box:own/a -->" in text
    assert "<summary>Later (from 1h on)</summary>\n" in text
    later = tracking_body(Record("p", incident, {}), policy(S0, more), NOW.replace(hour=13, minute=35))
    assert open_lists(later) == ["Ours \\| @&#8203;x (1h 30m to 2h)", "Later (from 1h on)"]


def test_items_and_measures_that_are_closed_have_boxes_the_record_decides() -> None:
    """R198; a tick on an open one is people's."""
    text = body()
    assert [key for key in keys(text) if key.startswith("AI")] == ["AI-1", "AI-2!", "AI-3!"]
    assert "- [x] **AI-2** Mend part 2 · P1 · `@org/team` · due 2025-02-01 · completed" in text
    assert "- [ ] **AI-1** Mend part 1 · `@bob` · due 2025-02-01 (30-day goal) <!--" in text
    measures = [key for key in keys(text) if key.startswith("prevention")]
    assert [key.endswith("!") for key in measures] == [True, False]
    assert generated_block.ticked(text) == frozenset()


def test_the_dates_of_the_postmortem_stand_on_the_tracking_issue() -> None:
    """Meeting, review and follow-up, and only those that the record has."""
    dates = {"meeting": "2025-01-28T10:00:00Z", "reviewed_at": "2025-01-29", "follow_up_on": "2025-02-28"}
    text = body(postmortem=Postmortem(status="draft", **dates))
    assert "**Postmortem:** meeting 2025-01-28 10:00 UTC · reviewed 2025-01-29 · follow-up 2025-02-28" in text
    assert "**Postmortem:**" not in body(postmortem=Postmortem(status="draft"))


def test_a_measure_keeps_its_key_when_another_is_put_before_it() -> None:
    more = Postmortem(status="draft", prevention=Prevention(long=[Measure(text="New"), Measure(text="Shards")]))
    shards = re.search(r"Shards <!-- box:(\S+) -->", body())
    assert shards
    assert f"Shards <!-- box:{shards[1]} -->" in body(postmortem=more)


def test_the_numbers_in_the_record_change_no_text() -> None:
    """The tracker tells the numbers, so that a second plan is empty before they are merged."""
    numbered = [msgspec.structs.replace(one, issue=77) for one in ITEMS]
    links = msgspec.structs.replace(BASE.links, tracking_issue=78)
    assert body(action_items=numbered, links=links) == body()


def test_an_instant_is_shown_after_its_corrections() -> None:
    """The effective value counts, not the first one written."""
    old, new = "2025-01-01T00:00:00Z", "2025-01-01T09:30:00Z"
    fix = Correction(at="2025-01-03T00:00:00Z", field="times.started", old=old, new=new, by="@a", reason="log")
    assert fact(body(corrections=[fix]), "Started") == "2025-01-01 09:30 UTC (corrected)"


def test_a_record_that_is_not_merged_and_a_drill_say_so_first() -> None:
    assert body(pending=True, drill=True).startswith("> **Pending: ")
    shown = ["I have it" in body(state="triaged", pending=is_pending) for is_pending in (False, True)]
    assert shown == [True, False], "nothing is written back to it before the merge"
    assert "> **Drill: " in body(pending=True, drill=True).split("\n\n")[0]
    assert body(drill=True).startswith("> **Drill: ")


def test_an_item_says_why_what_done_means_who_and_until_when() -> None:
    """Its owner learns what it is about without looking elsewhere."""
    cause = Cause(category="deploy", what="Every token was taken for expired")
    record = Record("incidents/INC-1/incident.yaml", msgspec.structs.replace(BASE, cause=cause), {})
    item = msgspec.structs.replace(
        ITEMS[0], acceptance="Both tests fail on the old code", description="Of the\n\ntokens"
    )
    text = settled(item_body(record, item, policy(S0), NOW))
    assert fact(text, "Why") == "Nobody can log in. Every token was taken for expired."
    assert fact(text, "Done when") == "Both tests fail on the old code."
    assert "\n\nOf the\n\ntokens\n\n" in text
    assert (
        fact(of_item(), "Done when") == 'not written down yet: `incident-ops action edit AI-1 INC-1 --acceptance "..."`'
    )
    assert fact(of_item(owner=None), "Owner") == "**nobody yet**"
    assert fact(of_item(due="2025-02-01"), "Due") == "2025-02-01"
    assert fact(of_item(due="2025-01-01"), "Due") == "2025-01-01, **overdue**"
    assert fact(of_item(), "Incident") == "`INC-1` Login fails"
    assert fact(of_item(evidence="https://example.com/pull/1"), "Evidence") == "<https://example.com/pull/1>"
    assert (
        fact(of_item(status="done", done_at="2025-01-05", done_by="@bob"), "Status") == "Completed 2025-01-05 by `@bob`"
    )


def test_a_condition_of_several_lines_keeps_its_list() -> None:
    text = of_item(acceptance="The alert fires at 80 % on\n\n- staging\n- production\n", description="Of the tokens")
    assert "\n\n**Done when:**\n\nThe alert fires at 80 % on\n\n- staging\n- production\n\nOf the tokens" in text
    assert text.count("Done when") == 1
    assert fact(of_item(acceptance="One line\n"), "Done when") == "One line."


def test_issues_name_each_other_by_number() -> None:
    """Both ways, as soon as the tracker has them; GitHub makes links of them."""
    numbers = {"INC-1": 7, "INC-1/AI-1": 8}
    record = Record("incidents/INC-1/incident.yaml", BASE, {})
    tracking, item = (
        leave_places(fill_places(text, numbers, ""))
        for text in (tracking_body(record, policy(S0), NOW), item_body(record, ITEMS[0], policy(S0), NOW))
    )
    assert "- [ ] **AI-1** #8 Mend part 1 · " in tracking
    assert "- [x] **AI-2** Mend part 2 · " in tracking
    assert fact(item, "Incident") == "#7 Login fails"


def test_links_lead_to_the_files_of_the_repository() -> None:
    """Record, postmortem and the runbook of the service, where they are there; without an address their paths."""
    around = Surroundings({"auth": Service(owner="@t", runbook="docs/log in.md")}, lambda path: "auth" not in path)
    incident = msgspec.structs.replace(BASE, links=Links(), services=["auth", "mail"])
    text = tracking_body(Record("incidents/INC-1/incident.yaml", incident, {}), policy(S0), NOW, around)
    address = "https://ghe.example.com/acme/records/blob/HEAD/sub/"
    line = next(one for one in fill_places(text, {}, address).splitlines() if one.startswith("**Links:**"))
    assert line == (
        f"**Links:** [Record](<{address}incidents/INC-1/incident.yaml>)"
        f" · [Postmortem](<{address}incidents/INC-1/postmortem.md>)"
        f" · [Runbook of auth](<{address}docs/log%20in.md>) · [Runbook of mail](<{address}runbooks/mail.md>)"
    )
    assert "Runbook of auth: `docs/log in.md`" in settled(text)


def test_the_latest_updates_stand_there_in_their_own_words() -> None:
    """Newest first, with time, audience, status and who wrote it."""
    at = [f"2025-01-02T12:{minute}:00Z" for minute in ("06", "08", "10", "12")]
    updates = [Update(at=when, audience="internal", status="investigating", text=f"Step {when[14:16]}") for when in at]
    said = Event(at=at[3], kind="communication", event="Update (internal): 'Step 12'", by="@bob")
    text = body(updates=updates, timeline=[said])
    assert text.index("**12:12 UTC** · internal, investigating · `@bob`\n> Step 12.") < text.index("> Step 10.")
    assert "Step 06" not in text.partition("<details>")[0]
    assert "1 earlier in the record." in text


def test_without_a_note_the_latest_internal_update_says_what_is_being_done() -> None:
    updates = [Update(at="2025-01-02T12:10:00Z", audience="internal", status="investigating", text="Rolling back")]
    assert fact(body(updates=updates), "Being done") == "Rolling back (12:10 UTC, internal update)."


def test_nobody_leads_and_nobody_took_it_come_with_the_command() -> None:
    text = body(roles=Roles(), state="new", times=Times(declared="2025-01-02T12:05:00Z"))
    assert fact(text, "Leads") == "**nobody.** Take the lead: `incident-ops assign commander @who INC-1`"
    assert fact(text, "Being done") == "**nobody has taken it yet.** Take it: `incident-ops ack INC-1`"


@pytest.mark.parametrize("preset", [S0, S1, S2, S3])
def test_a_command_is_the_last_of_its_line(preset: str) -> None:
    """What is copied from it runs into no sentence."""
    level = {S0: "SEV0", S1: "SEV-1", S2: "SEV-1", S3: "P0"}[preset]
    text = body(
        preset=preset, severity=level, state="new", roles=Roles(communications_lead="@bea"),
        impact=Impact(users=Users(count=5000)), description=None,
        times=Times(declared="2025-01-02T12:05:00Z", started="2025-01-02T12:00:00Z"),
    )  # fmt: skip
    commands = [line for line in text.splitlines() if "`incident-ops " in line]
    assert [line.split(":**")[0] for line in commands][:2] == ["- **Broken", "- **Being done"]
    for line in commands:
        assert re.search(r": `incident-ops [^`]*`$", line), line


@pytest.mark.parametrize(
    ("users", "told"),
    [
        (Users(count=5000), "5,000 users."),
        (Users(count=1), "1 user."),
        (Users(count=5000, percent=60), "5,000 users (60 %)."),
        (Users(percent=60), "60 % (number unknown)."),
    ],
)
def test_the_impact_counts_users(users: Users, told: str) -> None:
    done = Times(declared="2025-01-02T12:05:00Z", restored="2025-01-02T12:30:00Z", resolved="2025-01-02T12:40:00Z")
    assert fact(body(times=done, state="resolved", impact=Impact(users=users)), "Impact") == told


def test_sentences_of_ours_begin_with_a_capital_letter_where_they_begin_with_a_plain_word() -> None:
    def known(what: str, why: str | None = None) -> str:
        return fact(body(cause=Cause(category="deploy", what=what, why=why)), "Known")

    assert known("expired token", "no test.") == "Expired token. No test."
    for name in ("getUser fails", "my-service fails", "`rm` ran", "éclair fails", "pg_hba.conf is wrong"):
        assert known(name) == f"{name}."
    said = Update(at="2025-01-02T12:06:00Z", audience="internal", status="investigating", text="on it")
    assert "\n> on it.\n" in body(updates=[said])


def test_after_the_resolution_the_first_screen_is_another() -> None:
    """What happened, how long, how many were hit, and what is left."""
    done = Times(
        declared="2025-01-02T12:05:00Z", started="2025-01-02T12:00:00Z", acknowledged="2025-01-02T12:06:00Z",
        restored="2025-01-02T12:30:00Z", resolved="2025-01-02T12:40:00Z",
    )  # fmt: skip
    impact = Impact(summary="Nobody could log in.", users=Users(count=5000, percent=60))
    text = body(NOW.replace(hour=15), times=done, state="resolved", impact=impact)
    assert fact(text, "What happened") == "Nobody could log in."
    assert fact(text, "How long") == "30 minutes, 12:00 to 12:30 UTC."
    assert fact(text, "Impact") == "5,000 users (60 %)."
    left = text.partition("- **Left to do:**\n")[2].partition("\n- ")[0].splitlines()
    assert left == [
        "  - 1 of 3 action items, the first by 2025-02-01 (AI-1)",
        "  - The postmortem: draft",
        '  - Say in public that it is over: `incident-ops update INC-1 --public "..." --status resolved`',
        "  - Check that it stays up, then `incident-ops close INC-1 --verified`",
    ]
    assert "Being done" not in text


@pytest.mark.parametrize("scene", [*issue_scenes()], ids=lambda scene: scene.name)
def test_every_kind_of_issue_is_as_its_golden(scene: Scene) -> None:
    """The issues of the four examples, as GitHub gets them; no table, which would not fit a phone."""
    bodies = IssueBodies([scene.record], scene.policy, scene.now, Surroundings(is_there=lambda _: True))
    text = leave_places(fill_places(bodies[scene.key], scene.numbers, ADDRESS))
    assert_golden(GOLDEN.parent / "issues" / f"{scene.name}.md", text + "\n")
    assert not re.search(r"^\|", text, re.MULTILINE)
    assert not re.search(r"\b(ago|days? left)\b", text)


# --- texts that mean harm --------------------------------------------------------------------------------------------

HOSTILE = [
    "@everyone",
    "@org/team fixes #1",
    "fixes GH-1 closes owner/repo#1",
    "resolves https://github.com/o/r/issues/1",
    "<!-- incident-ops end -->",
    "<!-- incident-ops v1 key=INC-2 hash=0123456789abcdef -->",
    "`<!-- incident-ops end -->` `<!-- box:AI-1 -->`",
    "<img src=x onerror=alert(1)><script>x</script>",
    "![x](https://evil.example/pixel.png) ![y][z]",
    "\x1b[31mred\x9b0m \u202ereversed\u2066 \u200f\x00",
    "```\n# Heading\n| a | b |\n\n</details>\n[z]: https://evil.example",
    "- [x] done <!-- box:sev0-first/page -->",
]
AT = "2025-01-02T12:10:00Z"
ACTIVE = re.compile(r"(?<![A-Za-z0-9_&])[@#](?=[A-Za-z0-9])|\bGH-\d|<img|<script|<!--(?! box:)|</details>")
CLOSING = re.compile(r"(fix\w*|close[sd]?|resolve[sd]?)\s+(https?:|#\d|GH-\d|\w+/\w+#\d)", re.IGNORECASE)
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def everywhere(text: str) -> list[str]:
    """The text in every field that an issue shows."""
    flat = " ".join(text.split())
    items = [ActionItem(id="AI-1", title=flat, owner=flat, priority=flat, evidence=text, reason=text, done_by=flat)]
    fields = {
        "title": flat,
        "services": [flat] * 10,
        "roles": Roles(commander=flat, others={flat: flat}),
        "impact": Impact(summary=text),
        "links": Links(channel=flat, bridge=flat, dashboard=flat, runbook=flat, kb=flat),
        "action_items": items,
        "postmortem": Postmortem(status="draft", prevention=Prevention(short=[Measure(text=text)])),
        "public_status": flat,
        "timeline": [Event(at=AT, kind="action", event=text, action=text, result=text, by=flat)],
        "updates": [Update(at=AT, audience="internal", status="investigating", text=text)],
        "cause": Cause(category="deploy", what=text, why=text),
        "description": text,
    }
    record = Record(flat, msgspec.structs.replace(BASE, **fields), {})
    texts = [tracking_body(record, policy(S0), NOW), item_body(record, items[0], policy(S0), NOW)]
    return [settled(text) for text in texts]


FOLD = re.compile(r"^(<details>|</details>|<summary>[^<]*</summary>)$", re.MULTILINE)


def outside_code(text: str) -> str:
    """As HTML, without code and without the folds of our own, of which there are always as many."""
    assert len(FOLD.findall(text)) in (3 * 5, 3 * 6, 0), text
    text = FOLD.sub("", text)
    return re.sub(r"<code>.*?</code>", "", RENDERER.render(text), flags=re.DOTALL)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_does_nothing(text: str) -> None:
    """Nobody is pinged, nothing linked, closed, hidden, loaded or headed."""
    for made in everywhere(text):
        assert not ACTIVE.search(outside_code(made)), made
        assert not UNSEEN.search(made)
        assert not CLOSING.search(outside_code(made))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_forges_no_marker_and_no_box(text: str) -> None:
    """The block parses back whole, and its boxes are those of a harmless record."""
    made = everywhere(text)[0]
    whole = generated_block.compose("INC-1", generated_block.generated_text(made))
    assert generated_block.parse_body(whole).block == generated_block.generated_text(made)
    assert generated_block.ticked(generated_block.generated_text(made)) == frozenset()
    assert [key for key in keys(generated_block.generated_text(made)) if "prevention" not in key] == [
        key for key in keys(everywhere("harmless")[0]) if "prevention" not in key
    ]


@given(st.text(alphabet="`\\|@#<>!-~=*_[]:& \nab1GH;x.", max_size=40))
def test_no_text_breaks_a_box_or_a_marker(text: str) -> None:
    made = everywhere(text)[0]
    assert generated_block.parse_body(
        generated_block.compose("INC-1", generated_block.generated_text(made))
    ).block == generated_block.generated_text(made)
    assert len(keys(made)) == len(keys(everywhere("a")[0]))


# --- texts that are too long -----------------------------------------------------------------------------------------


def test_a_long_summary_is_cut_so_that_the_top_stays_on_a_screen() -> None:
    text = body(impact=Impact(summary="word " * 4_000))
    assert "word … (the record has the rest)" in text
    assert len(text.partition("### ")[0]) < 2_500


def test_a_text_too_long_for_a_tracker_leaves_out_what_is_needed_least_and_says_so() -> None:
    """Instants go first, then prevention, then checklists; the last line still names the record."""
    measures = [Measure(text=f"{number} {'y' * 250}") for number in range(150)]
    paper = Postmortem(status="draft", prevention=Prevention(long=measures))
    text = body(postmortem=paper)
    assert len(text) <= BODY_LIMIT
    assert "Too long" not in text
    items = [ActionItem(id=f"AI-{number}", title="x" * 200) for number in range(1, 100)]
    text = body(postmortem=paper, action_items=items)
    assert len(text) <= BODY_LIMIT
    left_out = "left out here: the times, the checklists of other phases, part of the prevention measures.**"
    assert f"**Too long for an issue, {left_out}" in text
    assert "<summary>Times" not in text
    assert "box:sev0-third/roll-back" in text
    assert text.splitlines()[-1].startswith("Record: `incidents/INC-1/incident.yaml`.")


def test_five_hundred_items_leave_as_many_as_fit_on_whole_lines() -> None:
    items = [ActionItem(id=f"AI-{number}", title="x" * 300) for number in range(1, 501)]
    text = body(action_items=items)
    assert BODY_LIMIT - 4_000 < len(text) <= BODY_LIMIT
    assert "the times, the checklists of other phases, the prevention measures, the checklists, part of the " in text
    assert keys(text) == [f"AI-{number}" for number in range(1, len(keys(text)) + 1)]


def test_the_worst_record_still_fits() -> None:
    """Every field as long as the schema lets it be."""
    long = "@" + "x" * 300
    others = {f"{number} {long}": long for number in range(200)}
    links = Links(**dict.fromkeys(("bridge", "dashboard", "kb", "logs", "runbook"), "https://e.com/" + "x" * 1_980))
    items = [ActionItem(id=f"AI-{number}", title=long) for number in range(1, 501)]
    text = body(services=[long] * 100, roles=Roles(others=others), links=links, action_items=items)
    assert len(text) <= BODY_LIMIT
    assert "Too long for an issue" in text
    assert len(of_item(reason="r" * 70_000)) <= BODY_LIMIT
