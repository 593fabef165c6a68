"""The one-screen picture of an incident: right, on one screen, and safe to print."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_ops.app.demo import scenes
from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident, Relation
from incident_ops.domain.item_due import days_late
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.time import parse_instant
from incident_ops.edits.declare import next_steps
from incident_ops.records.policy import load_policy
from incident_ops.records.yaml_reader import Document, read_bytes
from incident_ops.render.incident import IncidentView, to_text
from incident_ops.render.incident_data import to_json
from incident_ops.render.sla import URGENCY, phase_words
from incident_ops.render.text import UNCUT, columns, fit_line, wrap
from incident_ops.sla.clocks import clocks
from incident_ops.sla.status import PhaseStatus
from tests.support.golden import assert_golden

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2025, 1, 26, 14, 0, tzinfo=UTC)


def policy(extends: str = "sev0-3") -> Policy:
    loaded = load_policy(f"extends: {extends}\n").policy
    assert loaded is not None
    return loaded


def view(data: dict[str, Any], now: datetime = NOW, extends: str = "sev0-3", pending: bool = False) -> IncidentView:
    incident, rules = msgspec.convert(data, Incident), policy(extends)
    record = Record(f"incidents/{incident.id}/incident.yaml", incident, data, pending)
    return IncidentView(
        record,
        rules,
        clocks(as_of(incident, now), rules),
        now,
        days_late(incident, rules, now),
        next_steps(incident, rules),
    )


def small(**fields: Any) -> dict[str, Any]:
    return {
        "id": "INC-1",
        "title": "Login fails",
        "severity": "SEV1",
        "state": "new",
        "services": ["api"],
        "times": {"declared": "2025-01-26T12:05:00Z"},
        **fields,
    }


HUGE = small(
    title="💥 " + "名前" * 5000 + "\n\x1b[31mred",
    services=[f"service-number-{number}" for number in range(50)],
    impact={"summary": "many words " * 500},
    roles={"others": {f"role_{number}": "@" + "x" * 39 for number in range(20)}},
    updates=[{"at": "2025-01-26T13:00:00Z", "audience": "public", "status": "identified", "text": "y" * 10_000}],
    timeline=[{"at": "2025-01-26T13:00:00Z", "kind": "note", "event": "z" * 2000}] * 9,
    action_items=[{"id": "AI-1", "title": "w" * 300, "due": "2025-01-01", "owner": "@" + "o" * 39}],
    links=dict.fromkeys(
        ("channel", "bridge", "dashboard", "logs", "runbook", "kb"), "https://example.com/" + "l" * 200
    ),
    drill=True,
    visibility="restricted",
)


def examples() -> list[tuple[str, str, str]]:
    """(preset, clock, path) of every example record."""
    return [
        (scene.preset, scene.clock, str(path.relative_to(ROOT)))
        for scene in scenes()
        for path in sorted((ROOT / "examples" / scene.preset / "incidents").glob("*/incident.yaml"))
    ]


def example(preset: str, at: str, path: str) -> IncidentView:
    document = read_bytes((ROOT / path).read_bytes(), path)
    assert isinstance(document, Document)
    return view(document.data, parse_instant(at), preset)


def test_the_pictures_of_the_examples_are_the_ones_that_were_approved() -> None:
    shown = "".join(f"$ {path} at {at}\n{to_text(example(preset, at, path))}\n" for preset, at, path in examples())
    assert_golden(GOLDEN / "pictures.txt", shown)


def test_the_json_of_an_example_is_the_one_that_was_approved() -> None:
    told = to_json(
        example("itil-p1-p4", scenes()[1].clock, "examples/itil-p1-p4/incidents/INC-2025-04567/incident.yaml")
    )
    assert_golden(GOLDEN / "picture.json", told)


@pytest.mark.parametrize("data", [small(), HUGE], ids=["small", "huge"])
def test_a_picture_is_one_screen_of_80_columns_and_24_lines_with_its_prompt(data: dict[str, Any]) -> None:
    """Wide characters count as two, and nothing in a record steers the terminal."""
    lines = to_text(view(data)).splitlines()
    assert max(map(columns, lines)) <= 80
    assert len(lines) <= 23
    assert all(line.isprintable() for line in lines)


def test_every_example_is_one_screen() -> None:
    for one in examples():
        lines = to_text(example(*one)).splitlines()
        assert max(map(columns, lines)) <= 80
        assert len(lines) <= 23


def test_what_runs_out_comes_first_and_has_its_tone() -> None:
    tones: list[str] = []
    to_text(view(small()), lambda tone, line: (tones.append(tone), line)[1])
    clocks_seen = [tone for tone in tones if tone in URGENCY]
    assert clocks_seen == ["breached", "breached", "ok"]


def test_nobody_in_a_role_is_to_be_determined() -> None:
    text = to_text(view(small(roles={"commander": "@alice"})))
    assert "commander @alice, technical lead TBD" in text


def test_the_last_update_has_its_age_and_audience() -> None:
    updates = [
        {"at": "2025-01-26T13:48:00Z", "audience": "internal", "status": "investigating", "text": "Looking"},
        {"at": "2025-01-26T13:00:00Z", "audience": "public", "status": "identified", "text": "We know"},
        {"at": "2025-01-26T14:30:00Z", "audience": "public", "status": "identified", "text": "From the future"},
    ]
    text = to_text(view(small(updates=updates)))
    assert "Update     12m ago, internal, investigating: Looking" in text
    assert "last public update 1h ago" in text


def test_the_timeline_shows_the_last_three_by_time_and_nothing_ahead() -> None:
    events = [{"at": f"2025-01-26T1{hour}:00:00Z", "kind": "note", "event": f"at {hour}"} for hour in (3, 0, 2, 1, 5)]
    text = to_text(view(small(timeline=events)))
    assert "Timeline   11:00 at 1\n           12:00 at 2\n           13:00 at 3\n" in text


def test_late_items_are_counted_and_the_one_due_first_is_named() -> None:
    items = [
        {"id": "AI-1", "title": "b", "due": "2025-01-26"},
        {"id": "AI-2", "title": "a", "due": "2025-01-25", "owner": "@a"},
        {"id": "AI-3", "title": "c", "due": "2025-01-20", "status": "done"},
    ]
    assert "Items      2 open of 3, 1 late; next AI-2, due 2025-01-25, @a: a" in to_text(
        view(small(action_items=items))
    )


def test_marks_stand_in_the_first_line() -> None:
    first = to_text(view(small(drill=True), pending=True)).splitlines()[0]
    assert first == "INC-1  SEV1  new  ACTIVE, open 1h 55m  [not merged yet]  [drill]"


def test_a_level_the_policy_does_not_know_leaves_the_rest_of_the_picture() -> None:
    incident = msgspec.convert(small(severity="SEV9"), Incident)
    strange = IncidentView(
        Record("incidents/INC-1/incident.yaml", incident, {}), policy(), "no such level", NOW, {}, ()
    )
    text = to_text(strange)
    assert "Clocks     unknown: no such level" in text
    assert '"clocks_unknown": "no such level"' in to_json(strange)


def test_links_take_what_is_left_of_the_screen() -> None:
    links = {"channel": "https://chat.example.com/x", "dashboard": "https://graphs.example.com/y"}
    text = to_text(view(small(links=links)))
    assert "Links      channel https://chat.example.com/x\n           dashboard https://graphs.example.com/y\n" in text


def test_the_same_view_gives_the_same_bytes() -> None:
    assert (to_text(view(HUGE)), to_json(view(HUGE))) == (to_text(view(HUGE)), to_json(view(HUGE)))


def test_text_is_cut_by_columns_and_never_in_the_middle_of_a_wide_character() -> None:
    assert fit_line("abc", 3) == "abc"
    assert fit_line("abcd", 3) == "ab…"
    assert fit_line("名前名前", 6) == "名前…"
    assert fit_line("a\nb\x1b", 20) == "a b\\x1b"
    assert columns("e\u0301") == 1


def test_marks_above_and_below_a_letter_take_no_column() -> None:
    """Thai vowels, a variation selector and an enclosing circle, whose combining class is zero."""
    assert columns("\u0e01\u0e35") == 1
    assert columns("\u2764\ufe0f") == 1
    assert columns("1\u20dd") == 1


def test_parts_stay_whole_when_they_are_wrapped() -> None:
    """The comma that ends a line is counted, too."""
    assert wrap(["one two", "three", "four"], 15, ", ") == ["one two, three,", "four"]
    assert wrap(["one two", "three", "four"], 14, ", ") == ["one two,", "three, four"]
    assert wrap([], 14) == []


@pytest.mark.parametrize("width", [40, 200, UNCUT])
def test_phase_and_relations_have_the_width_of_the_screen(width: int) -> None:
    phase = PhaseStatus("triage", NOW - timedelta(days=2), NOW - timedelta(days=1), None, 86_400)
    related = [Relation(id=f"INC-2025-0000{number}", kind="depends_on") for number in range(5)]
    shown = to_text(view(small())._replace(phase=phase, related=related, width=width))
    assert max(map(columns, shown.splitlines())) <= width
    assert phase_words(phase, NOW) in " ".join(shown.split())
    lines = shown.splitlines()
    assert (len([line for line in lines if "INC-2025-0000" in line]) == 1) == (width >= 200)
