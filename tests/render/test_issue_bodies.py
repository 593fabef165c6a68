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
from incident_ops.documents.markdown import BODY_LIMIT
from incident_ops.domain.incident import (
    ActionItem,
    Correction,
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
)
from incident_ops.domain.record import Record
from incident_ops.reconcile import generated_block
from incident_ops.records.schema import schema
from tests.support.golden import assert_golden
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
    return tracking_body(Record("incidents/INC-1/incident.yaml", incident, {}, pending), policy(preset), now)


def of_item(**fields: object) -> str:
    item = msgspec.structs.replace(ITEMS[0], **fields)
    return item_body(Record("incidents/INC-1/incident.yaml", BASE, {}), item, policy(S0), NOW)


def row(text: str, name: str) -> list[str]:
    """The cells of the table row that begins with a name."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def keys(text: str) -> list[str]:
    """The keys of all boxes, in order."""
    return re.findall(r"^ *- \[[ x]\] .*<!-- box:(\S+) -->$", text, re.MULTILINE)


@pytest.mark.parametrize(("key", "name"), [("INC-1", "issue_tracking.md"), ("INC-1/AI-2", "issue_item.md")])
def test_the_text_is_the_golden_one(key: str, name: str) -> None:
    """What an issue says of a small record."""
    text = IssueBodies([Record("incidents/INC-1/incident.yaml", BASE, {})], policy(S0), NOW)[key] + "\n"
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
    """Level, state, goal (R28), impact, next update, clocks, people and places come before any list."""
    top = body().partition("### ")[0]
    assert len(top.splitlines()) <= 22
    for told in (
        "**SEV0, Critical (All Hands on Deck)** · **In progress (active)** · `auth`",
        "> **Goal:** Restore service as soon as possible, root cause later",
        "Nobody can log in.",
        "**Next update due by 2025-01-02 12:20 UTC**",
        "Public status: **investigating** · Status page: required, no public update on the record",
        "| `@alice` | **TBD** | **TBD** | **TBD** |",
        "[Bridge](<https://meet.example.com/a(b)>) · Channel: `#incident-1` · Runbook: `runbooks/auth.md`",
    ):
        assert told in top, told


def test_principles_stand_at_the_head_of_an_open_incident() -> None:
    """R257, R258: five and two; gone once the incident is closed."""
    line = next(line for line in body(preset=S2, severity="SEV-1").splitlines() if "Stay calm" in line)
    assert line.startswith("> ")
    assert len(line.split(" · ")) == 7
    assert "Stay calm" not in body(preset=S2, severity="SEV-1", state="closed")


@pytest.mark.parametrize(
    ("minute", "update", "response"),
    [(10, "running", "running"), (20, "running", "**overdue**"), (21, "**overdue**", "**overdue**")],
)
def test_a_clock_says_running_until_it_is_overdue(minute: int, update: str, response: str) -> None:
    times = Times(declared="2025-01-02T12:05:00Z")
    text = body(NOW.replace(minute=minute), times=times, state="new")
    assert row(text, "Internal update")[1:] == ["every 15m", "2025-01-02 12:20 UTC", update]
    assert row(text, "Response")[1:] == ["5m", "2025-01-02 12:10 UTC", response]


def test_a_clock_that_ended_says_when() -> None:
    assert row(body(), "Response")[3] == "met, 2025-01-02 12:08 UTC"
    late = Times(declared="2025-01-02T12:05:00Z", acknowledged="2025-01-02T12:11:00Z")
    assert row(body(times=late), "Response")[3] == "**missed**, 2025-01-02 12:11 UTC"
    unknown = Times(declared="2025-01-02T12:05:00Z", acknowledged="unknown")
    assert row(body(times=unknown), "Response")[3] == "end time unknown"


def test_a_clock_that_rests_says_paused() -> None:
    wait = Pause(start="2025-01-02T12:15:00Z", waiting_for="vendor")
    text = body(severity="SEV1", state="pending", pauses=[wait])
    assert row(text, "Resolution")[1:] == ["2h", "unknown", "paused"]


def test_the_text_changes_only_when_something_happens() -> None:
    """Minutes go by, and nothing is written anew before a clock runs out."""
    assert body(NOW.replace(minute=9)) == body(NOW.replace(minute=20))
    assert body(NOW.replace(minute=20)) != body(NOW.replace(minute=21))


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
    assert "Last public update 2025-01-02 12:11 UTC, public updates every 15m to 30m" in text


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


def test_lists_of_the_response_are_folded_once_the_incident_is_closed_and_keep_their_keys() -> None:
    """Standing down comes after the resolution, so until then they stay open."""
    during, closed = (body(preset=S3, severity="P0", state=state) for state in ("in_progress", "closed"))
    assert "<details>" not in body(preset=S3, severity="P0", state="resolved")
    assert closed.count("<details>") == closed.count("</details>") == 1
    assert {key.rstrip("!") for key in keys(during)} < {key.rstrip("!") for key in keys(closed)}


def test_what_was_no_incident_has_no_list() -> None:
    assert not keys(body(state="closed", outcome="false_alarm", action_items=[], postmortem=None))


def test_a_checklist_of_the_users_own_shows_its_time() -> None:
    more = (
        "tracker: {checklists: [{id: own, title: 'Ours | @x', levels: [SEV1], from: 90m, to: 2h, "
        "items: [{id: a, text: 'Tell @x'}]}, {id: open-end, title: Later, from: 1h, items: [{id: a, text: b}]}]}\n"
    )
    incident = msgspec.structs.replace(BASE, severity="SEV1")
    text = tracking_body(Record("p", incident, {}), policy(S0, more), NOW)
    assert "### Ours \\| @&#8203;x (1h 30m to 2h)\n\n- [ ] Tell @&#8203;x <!-- box:own/a -->" in text
    assert "### Later (from 1h on)\n" in text


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


def test_no_text_carries_the_number_of_an_issue() -> None:
    """So that a second plan is empty before the numbers are merged."""
    numbered = [msgspec.structs.replace(one, issue=77) for one in ITEMS]
    links = msgspec.structs.replace(BASE.links, tracking_issue=78)
    assert body(action_items=numbered, links=links) == body()


def test_an_instant_is_shown_after_its_corrections() -> None:
    """The effective value counts, not the first one written."""
    old, new = "2025-01-01T00:00:00Z", "2025-01-01T09:30:00Z"
    fix = Correction(at="2025-01-03T00:00:00Z", field="times.started", old=old, new=new, by="@a", reason="log")
    assert row(body(corrections=[fix]), "Started")[1] == "2025-01-01 09:30 UTC (corrected)"


def test_a_record_that_is_not_merged_and_a_drill_say_so_first() -> None:
    assert body(pending=True, drill=True).startswith("> **Pending: ")
    assert "> **Drill: " in body(pending=True, drill=True).split("\n\n")[0]
    assert body(drill=True).startswith("> **Drill: ")


def test_an_item_says_what_who_and_until_when() -> None:
    assert row(of_item(owner=None), "Owner")[1] == "**nobody yet**"
    assert row(of_item(due="2025-02-01"), "Due")[1] == "2025-02-01"
    assert row(of_item(), "Incident")[1] == "`INC-1` Login fails"
    assert row(of_item(evidence="https://example.com/pull/1"), "Evidence")[1] == "<https://example.com/pull/1>"


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
    }
    record = Record(flat, msgspec.structs.replace(BASE, **fields), {})
    return [tracking_body(record, policy(S0), NOW), item_body(record, items[0], policy(S0), NOW)]


def outside_code(text: str) -> str:
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
    assert "**Too long for an issue, left out here: the times, part of the prevention measures.**" in text
    assert "### Times" not in text
    assert "box:sev0-rest/postmortem" in text
    assert text.splitlines()[-1].startswith("Record: `incidents/INC-1/incident.yaml`.")


def test_five_hundred_items_leave_as_many_as_fit_on_whole_lines() -> None:
    items = [ActionItem(id=f"AI-{number}", title="x" * 300) for number in range(1, 501)]
    text = body(action_items=items)
    assert BODY_LIMIT - 1_000 < len(text) <= BODY_LIMIT
    assert "left out here: the times, the prevention measures, the checklists, part of the action items" in text
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
