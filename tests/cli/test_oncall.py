"""oncall who, next, lint, swap, load, calendar: what they print, what they write, and every bad input."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from incident_ops.records.yaml_reader import Document, read_yaml
from tests.cli.scene import ROOT, Folder, as_json, call, ok

READERS = ROOT / "tests/oncall/readers"
WEEK = """name: primary
zone: Europe/Berlin
layers:
- name: week
  people: ["@alice", "@ben"]
  start: 2025-01-06
  rotate: 1w
  at: "09:00"
"""
OFFICE = """name: office
zone: America/New_York
layers:
- name: days
  people: ["@cleo", "@dan"]
  start: 2025-01-06
  rotate: 1w
  at: "09:00"
  restrict:
  - days: [mon, tue, wed, thu, fri]
    from: "09:00"
    to: "17:00"
"""
CONTACTS = """extends: sev0-3
contacts:
  "@alice": {channels: [pagerduty], git: [alice@example.org], name: Alice Smith}
  "@ben": {channels: [pagerduty], git: [ben@example.org]}
  "@cleo": {channels: [pagerduty]}
  "@dan": {channels: [pagerduty]}
  roles:
    on_call: ["oncall:primary"]
"""


@pytest.fixture
def rota(folder: Folder) -> Folder:
    """A repository with a schedule around the clock and one of office hours."""
    folder.write("oncall/primary.yaml", WEEK)
    folder.write("oncall/office.yaml", OFFICE)
    folder.commit()
    return folder


def data_of(folder: Folder, name: str = "primary") -> Any:
    """What the file of a schedule holds."""
    document = read_yaml((folder.path / f"oncall/{name}.yaml").read_text(), name)
    assert isinstance(document, Document), document
    return document.data


def test_who_says_who_until_when_and_who_then(rota: Folder) -> None:
    """In the zone of each schedule; nobody is said, not left out."""
    told = ok(rota, "oncall", "who").out.splitlines()
    assert told == [
        "On call at 2025-01-26 14:00 UTC:",
        "SCHEDULE  ON CALL  UNTIL                     THEN",
        "office    nobody   Mon 2025-01-27 09:00 EST  @dan",
        "primary   @alice   Mon 2025-01-27 09:00 CET  @ben",
    ]


def test_who_at_a_time_ahead(rota: Folder) -> None:
    """`--at` behind the command is a time to come."""
    told = ok(rota, "oncall", "who", "primary", "--at", "2025-03-31T07:00:00Z").out
    assert "@alice" in told.splitlines()[2]
    before = as_json(rota, "oncall", "who", "primary", "--at", "2025-03-31T06:59:59Z")
    assert before["on_call"][0]["who"] == "@ben"
    assert before["on_call"][0]["until"] == "2025-03-31T07:00:00Z"


def test_who_at_a_time_of_day_or_a_weekday_is_the_last_one(rota: Folder) -> None:
    """As with every other --at: who was on call then is asked after the night, and what is ahead has its date."""
    for typed, at in (
        ("02:00", "2025-01-26T01:00:00Z"),
        ("saturday 03:00", "2025-01-25T02:00:00Z"),
        ("2h", "2025-01-26T12:00:00Z"),
        ("in 2h", "2025-01-26T16:00:00Z"),
        ("tomorrow 02:00", "2025-01-27T01:00:00Z"),
    ):
        done = call("oncall", "who", "primary", "--at", typed, "--format", "json", at=rota.path, TZ="Europe/Berlin")
        assert json.loads(done.out)["at"] == at, typed


def test_who_of_a_service_asks_the_schedule_of_its_owner_else_that_of_the_role(rota: Folder) -> None:
    """An owner may be a schedule; else the role on_call says."""
    rota.write("policy.yaml", CONTACTS)
    rota.write("services.yaml", 'services:\n  api: {owner: "oncall:office"}\n  web: {owner: "@team"}\n')
    names = [as_json(rota, "oncall", "who", "-s", one)["on_call"][0]["schedule"] for one in ("api", "web")]
    assert names == ["office", "primary"]


def test_who_without_a_schedule_says_how_to_write_one(folder: Folder) -> None:
    """The next step is named."""
    for command in ("who", "lint", "load"):
        call("oncall", command, at=folder.path).told_once(2, "no schedules yet", "init --on-call")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("who", "primry"), ("'primry'", "did you mean primary?")),
        (("who", "-s", "apii"), ("'apii'", "did you mean api?")),
        (("who", "-s", "api"), ("api (owner @team) has no schedule", "oncall:primary")),
        (("who", "primary", "-s", "api"), ("leave out one",)),
        (("who", "--at", "soon"), ("--at 'soon' is not a time",)),
        (("next", "not a handle"), ("is not a GitHub handle",)),
        (("lint", "nope"), ("'nope'",)),
        (("calendar", "nope"), ("'nope'",)),
        (("load", "--month", "13"), ("--month",)),
        (("swap", "@alice", "@ben", "--from", "2025-01-30", "--to", "2025-01-28"), ("--to is not after --from",)),
        (("swap", "@alice", "@alice", "--from", "2025-01-28", "--to", "2025-01-30"), ("cannot swap with themselves",)),
        (("swap", "@x", "@y", "--from", "2025-01-28", "--to", "2025-01-30"), ("neither @x nor @y is on call",)),
        (("swap", "@ben", "@dan", "--from", "2025-01-27", "--to", "2025-02-03", "--schedule", "no"), ("'no'",)),
    ],
)
def test_a_slip_is_told_in_one_line_and_writes_nothing(rota: Folder, args: tuple[str, ...], words: Any) -> None:
    """What is wrong, and what would do."""
    call("oncall", *args, at=rota.path).told_once(2, *words)
    assert rota.git("status", "--porcelain") == ""


BROKEN = [
    ("zone: CET", "'CET' is not an IANA time zone of a place", "oncall-zone"),
    ("zone: Mars/Olympus", "'Mars/Olympus'", "oncall-zone"),
    ("rotate: 0d", "lasts no time", "oncall-rotation"),
    ("rotate: 1m", "rotate", "bad-format"),
    ("start: 2025-02-30", "2025-02-30", "impossible-date"),
    ("people: []", "people", "limits"),
]


@pytest.mark.parametrize(("line", "words", "rule"), BROKEN, ids=[one[0] for one in BROKEN])
def test_a_broken_schedule_is_an_error_on_its_line_and_never_a_person(
    rota: Folder, line: str, words: str, rule: str
) -> None:
    """`lint` and `validate` say where; `who` ends with 3 and says that nobody can know."""
    key = line.partition(":")[0]
    rota.write("oncall/primary.yaml", re.sub(rf"{key}: .*", line, WEEK))
    for command in (("oncall", "lint"), ("validate",)):
        found = call(*command, at=rota.path)
        assert (found.code, words in found.out, f"[{rule}]" in found.out) == (1, True, True), found
        assert re.search(r"^oncall/primary.yaml:\d+:\d+: error", found.out, re.MULTILINE)
    asked = call("oncall", "who", at=rota.path)
    assert asked.code == 3
    assert "oncall/primary.yaml" in asked.out
    assert "office" in asked.out


def test_lint_lists_every_stretch_that_nobody_covers(rota: Folder) -> None:
    """In the zone of the schedule, also over the change of clocks."""
    done = ok(rota, "oncall", "lint", "office", clock="2025-03-07T12:00:00Z")
    assert "[oncall-uncovered]" in done.out
    assert "  Fri 2025-03-07 17:00 EST to Mon 2025-03-10 09:00 EDT  (2d 15h)" in done.out
    gaps = as_json(rota, "oncall", "lint", "office", clock="2025-03-07T12:00:00Z")["uncovered"]
    assert gaps[1] == {"schedule": "office", "from": "2025-03-07T22:00:00Z", "to": "2025-03-10T13:00:00Z"}


def test_a_gap_over_a_change_of_clocks_is_as_long_as_it_is(folder: Folder) -> None:
    """From 02:00 to 04:00 is one hour in the spring night, and that is what is said."""
    hours = '  restrict:\n  - to: "02:00"\n  - from: "04:00"\n'
    folder.write("oncall/primary.yaml", WEEK + hours)
    gaps = as_json(folder, "oncall", "lint", clock="2025-03-29T12:00:00Z")["uncovered"]
    assert gaps[0] == {"schedule": "primary", "from": "2025-03-30T01:00:00Z", "to": "2025-03-30T02:00:00Z"}


def test_somebody_who_left_is_said(rota: Folder) -> None:
    """Their contact is gone, their turn is still there."""
    rota.write("policy.yaml", CONTACTS.replace('  "@ben": {channels: [pagerduty], git: [ben@example.org]}\n', ""))
    found = call("validate", at=rota.path)
    assert "oncall/primary.yaml:5:22: warning: @ben is not in the policy's contacts" in found.out


def test_a_reference_to_a_schedule_that_is_not_there_is_an_error(rota: Folder) -> None:
    """In the policy and in the services, on its line."""
    rota.write("policy.yaml", CONTACTS.replace("oncall:primary", "oncall:primry"))
    rota.write("services.yaml", 'services:\n  api:\n    owner: "oncall:nobody"\n  web: {owner: "@team"}\n')
    found = call("validate", at=rota.path)
    assert found.code == 1
    assert re.search(r"^policy.yaml:8:\d+: error: 'oncall:primry' names no schedule", found.out, re.MULTILINE)
    assert re.search(r"^services.yaml:3:12: error: 'oncall:nobody' names no schedule", found.out, re.MULTILINE)
    assert "did you mean primary?" in found.out
    assert "[oncall-known]" in call("oncall", "lint", at=rota.path).out


def test_an_override_that_has_begun_stays_against_the_base(rota: Folder) -> None:
    """Who was on call yesterday is history."""
    over = 'overrides:\n- from: 2025-01-20\n  to: 2025-01-21\n  who: "@ben"\n'
    rota.write("oncall/primary.yaml", WEEK + over)
    rota.commit()
    rota.write("oncall/primary.yaml", WEEK + over.replace("@ben", "@alice"))
    found = call("validate", "--base", "HEAD", at=rota.path)
    assert (found.code, "[oncall-override-kept]" in found.out) == (1, True)
    rota.write("oncall/primary.yaml", WEEK + over + '- from: 2025-02-20\n  to: 2025-02-21\n  who: "@ben"\n')
    assert "oncall-override-kept" not in call("validate", "--base", "HEAD", at=rota.path).out


def test_a_swap_writes_overrides_that_who_follows(rota: Folder) -> None:
    """Both directions, each shift one override, in the words of the file."""
    words = ("--from", "2025-02-01T00:00:00Z", "--to", "2025-02-05T00:00:00Z", "--reason", "concert", "--by", "@alice")
    done = ok(rota, "oncall", "swap", "@alice", "@ben", *words)
    assert data_of(rota)["overrides"] == [
        {"from": "2025-02-01T00:00:00Z", "to": "2025-02-03T08:00:00Z", "who": "@alice", "by": "@alice",
         "reason": "concert"},
        {"from": "2025-02-03T08:00:00Z", "to": "2025-02-05T00:00:00Z", "who": "@ben", "by": "@alice",
         "reason": "concert"},
    ]  # fmt: skip
    assert "primary: @alice is on call from Sat 2025-02-01 01:00 to Mon 2025-02-03 09:00 CET" in done.out
    assert "next: git add oncall/primary.yaml" in done.out
    asked = as_json(rota, "oncall", "who", "primary", "--at", "2025-02-02T12:00:00Z")["on_call"][0]
    assert (asked["who"], asked["until"], asked["then"]) == ("@alice", "2025-02-03T08:00:00Z", "@ben")
    told = ok(rota, "oncall", "who", "primary", "--at", "2025-02-02T12:00:00Z").out
    assert "  primary: @alice by an override by @alice: concert" in told
    assert call("validate", at=rota.path).code == 0


@pytest.mark.parametrize("day", ["2025-01-24", "2025-01-25", "2025-01-26", "2025-01-27"])
def test_a_swap_ends_after_it_begins_whatever_day_it_is(rota: Folder, day: str) -> None:
    """A weekday of --to is the first one after --from."""
    words = ("--from", "friday 18:00", "--to", "monday 09:00")
    done = call("oncall", "swap", "@alice", "@ben", *words, at=rota.path, clock=f"{day}T18:30:00Z", TZ="Europe/Berlin")
    assert done.code == 0, done
    (over,) = data_of(rota)["overrides"]
    assert (over["from"], over["to"]) == ("2025-01-31T17:00:00Z", "2025-02-03T08:00:00Z")
    assert "--to monday 09:00: 2025-02-03 09:00 CET" in done.err


@pytest.mark.parametrize(
    ("until", "end"),
    [("18:00", "2025-01-27T17:00:00Z"), ("12h", "2025-01-27T20:00:00Z"), ("tomorrow 18:00", "2025-01-27T17:00:00Z")],
)
def test_the_end_of_a_swap_counts_from_its_beginning_or_from_today(rota: Folder, until: str, end: str) -> None:
    """A time of day or a length counts from --from; tomorrow is the day after today."""
    words = ("--from", "tomorrow 09:00", "--to", until)
    done = call("oncall", "swap", "@alice", "@ben", *words, at=rota.path, TZ="Europe/Berlin")
    assert done.code == 0, done
    assert data_of(rota)["overrides"][-1]["to"] == end


def test_a_swap_takes_handles_in_any_case(rota: Folder) -> None:
    """The file keeps its own spelling."""
    ok(rota, "oncall", "swap", "@Alice", "@BEN", "--from", "2025-02-05T00:00:00Z", "--to", "2025-02-06T00:00:00Z")
    assert data_of(rota)["overrides"][0]["who"] == "@ben"


def test_who_i_am_is_asked_where_nobody_knows(rota: Folder) -> None:
    """A guess is not a person on call."""
    done = call(
        "oncall", "next", "@me", at=rota.path, GIT_CONFIG_GLOBAL="/dev/null", GIT_AUTHOR_NAME="", GIT_AUTHOR_EMAIL=""
    )
    done.told_once(2, "who is @me?", "init --by")


def test_next_finds_the_shifts_of_a_person_in_every_schedule(rota: Folder) -> None:
    """@me is whoever git or the environment says."""
    told = call("oncall", "next", "@me", "--count", "2", at=rota.path, INCIDENT_OPS_BY="@cleo").out.splitlines()
    assert told == [
        "@cleo is on call next in 8d:",
        "SCHEDULE  FROM                      TO                        LASTS",
        "office    Mon 2025-02-03 09:00 EST  Mon 2025-02-03 17:00 EST  8h",
        "office    Tue 2025-02-04 09:00 EST  Tue 2025-02-04 17:00 EST  8h",
    ]
    now = ok(rota, "oncall", "next", "alice", "--count", "1").out.splitlines()
    assert now[0] == "@alice is on call now:"
    assert now[2] == "primary   Mon 2025-01-20 09:00 CET  Mon 2025-01-27 09:00 CET  7d"
    assert ok(rota, "oncall", "next", "@zoe").out == "@zoe is not on call in the next 90 days.\n"


def test_load_counts_hours_nights_weekends_and_escalations(rota: Folder) -> None:
    """The hours of a month are the hours of the month, and an escalation counts for whom it reached."""
    entry = (
        "[{at: 2025-01-26T03:00:00Z, key: k, rule: time, reason: late, from_tier: 1, to_tier: 2, "
        "notified: ['@alice'], noticed_at: 2025-01-26T03:00:00Z}]"
    )
    rota.put(escalations=entry)
    people = {one["who"]: one for one in as_json(rota, "oncall", "load", "--month", "2025-01")["people"]}
    month = people["@alice"]["on_call_seconds"] + people["@ben"]["on_call_seconds"]
    assert month == 31 * 86_400 - (5 * 24 + 8) * 3600
    alice = people["@alice"]
    assert (alice["escalations"], alice["escalations_at_night"]) == (1, 1)
    assert alice["weekend_seconds"] == 4 * 86_400
    assert max(map(len, ok(rota, "oncall", "load", "--month", "2025-01").out.splitlines())) <= 80


def read_by_others(text: str, path: Path) -> dict[str, list[dict[str, Any]]]:
    """The events that ical.js and node-ical see in a calendar."""
    if not shutil.which("node") or not (READERS / "node_modules").is_dir():
        pytest.skip("tests/oncall/readers has no node_modules: `make test` installs them where npm is")
    path.write_bytes(text.encode())
    done = subprocess.run(["node", READERS / "read.mjs", path], capture_output=True, text=True, check=True)
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def test_other_programs_read_the_calendar(rota: Folder, tmp_path: Path) -> None:
    """ical.js and node-ical see the same shifts, with the same UID, as `who` says."""
    found = read_by_others(ok(rota, "oncall", "calendar", "primary").out, tmp_path / "primary.ics")
    assert found["mozilla"] == found["node"]
    assert len(found["mozilla"]) > 12
    for event in found["mozilla"]:
        middle = event["start"].replace(".000Z", "Z")
        who = as_json(rota, "oncall", "who", "primary", "--at", middle)["on_call"][0]["who"]
        assert event["summary"] == f"On call: {who} (primary)"


def test_a_swap_keeps_the_uids_that_it_does_not_touch_and_raises_the_sequence(rota: Folder, tmp_path: Path) -> None:
    """A calendar that subscribes takes the change over: the same UID, a higher SEQUENCE."""
    before = read_by_others(ok(rota, "oncall", "calendar", "primary").out, tmp_path / "1.ics")["mozilla"]
    words = ("--from", "2025-02-05T00:00:00Z", "--to", "2025-02-06T00:00:00Z")
    ok(rota, "oncall", "swap", "@alice", "@ben", *words)
    edited = ok(rota, "oncall", "calendar", "primary").out
    rota.commit()
    after = read_by_others(ok(rota, "oncall", "calendar", "primary").out, tmp_path / "2.ics")["mozilla"]
    assert edited == ok(rota, "oncall", "calendar", "primary").out
    assert {one["uid"] for one in before} <= {one["uid"] for one in after}
    assert len({one["uid"] for one in after}) == len(after) == len(before) + 2
    assert {one["sequence"] for one in before} == {1}
    assert {one["sequence"] for one in after} == {2}


def test_the_calendar_of_another_day_has_the_same_uids(rota: Folder) -> None:
    """Where a shift begins does not hang on when the file is made."""
    uids = [
        set(re.findall(r"UID:(\S+)", ok(rota, "oncall", "calendar", "primary", clock=f"2025-02-{day}T12:00:00Z").out))
        for day in ("14", "15")
    ]
    assert uids[0] == uids[1]


def test_a_calendar_of_one_person(rota: Folder) -> None:
    """Only their shifts."""
    done = ok(rota, "oncall", "calendar", "office", "--person", "@dan", "--days", "7")
    assert set(re.findall(r"SUMMARY:([^\r\n]+)", done.out)) == {"On call: @dan (office)"}


def test_lines_of_the_calendar_end_as_the_format_asks(rota: Folder) -> None:
    """CRLF, no line over 75 bytes."""
    done = subprocess.run(
        ["incident-ops", "--at", "2025-01-26T14:00:00Z", "oncall", "calendar", "primary"],
        cwd=rota.path, capture_output=True, check=True,
        env={"PATH": f"{ROOT / '.venv/bin'}:/usr/bin:/bin", "HOME": str(rota.path)},
    )  # fmt: skip
    lines = done.stdout.split(b"\n")
    assert all(line.endswith(b"\r") and len(line) <= 76 for line in lines[:-1])


def test_init_writes_the_first_schedule_where_it_is_asked_for(tmp_path: Path) -> None:
    """Weeks in turn, in the zone of this machine, and valid."""
    words = ("init", "--on-call", "@alice", "--on-call", "ben")
    done = call(*words, at=tmp_path, TZ="Europe/Berlin")
    assert done.code == 0, done
    contacts = next(line for line in done.out.splitlines() if "contacts: {" in line).partition(": ")[2]
    assert contacts == (
        'contacts: {"@alice": {channels: [pagerduty, chat]}, "@ben": {channels: [pagerduty, chat]}, '
        'roles: {on_call: ["oncall:primary"]}}'
    )
    text = (tmp_path / "oncall/primary.yaml").read_text()
    document = read_yaml(text, "primary.yaml")
    assert isinstance(document, Document)
    layer = {"name": "week", "people": ["@alice", "@ben"], "start": "2025-01-20", "rotate": "1w", "at": "09:00"}
    assert document.data == {"name": "primary", "zone": "Europe/Berlin", "layers": [layer]}
    assert "@alice is not in the policy's contacts" in call("oncall", "lint", at=tmp_path).out
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"{policy.read_text()}{contacts}\n")
    assert call("oncall", "lint", at=tmp_path).out == "1 file checked: all fine\n"
    assert "@alice   Mon 2025-01-27 09:00 CET  @ben" in call("oncall", "who", at=tmp_path).out
    again = call(*words, at=tmp_path, TZ="Europe/Berlin")
    assert "nothing to do" in again.out
    assert "it exists, so --on-call was not applied" in call(*words, "--on-call", "@c", at=tmp_path).out


def test_somebody_is_on_call_when_init_runs_early_on_a_monday(tmp_path: Path) -> None:
    """Before the handover of 09:00 the first turn is that of the week before."""
    assert call("init", "--on-call", "@alice", at=tmp_path, clock="2025-01-27T05:00:00Z", TZ="Europe/Berlin").code == 0
    assert "nobody" not in call("oncall", "who", at=tmp_path, clock="2025-01-27T05:00:00Z").out


def test_init_without_people_writes_no_schedule(tmp_path: Path) -> None:
    """Nobody is put on call who was not named."""
    assert call("init", at=tmp_path).code == 0
    assert [path.name for path in (tmp_path / "oncall").iterdir()] == [".gitkeep"]
    call("init", "--on-call", "not a handle", at=tmp_path).told_once(2, "is not a GitHub handle")
