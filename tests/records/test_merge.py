"""Merging two versions of a record: both sides' work is there once, in order, and nothing else moved."""

from __future__ import annotations

import copy
import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.record import Append, Set
from incident_ops.records.editor import Refused, edit, key_order, same_data
from incident_ops.records.merge import Merged, merge_records
from incident_ops.records.merge_data import APPENDED
from incident_ops.records.schema import schema
from incident_ops.records.yaml_reader import Document, read_yaml
from tests.records.pages import Writer, any_edit
from tests.support.laws import law
from tests.support.patience import patience

EXAMPLES, SAMPLE = 2_000, 60
ORDER = key_order(schema("incident"))
SEEDS = st.integers(min_value=0, max_value=2**64 - 1)


def no_faults(_data: Any) -> int:
    return 0


def merged(base: str, ours: str, theirs: str, count_errors: Callable[[Any], int] = no_faults) -> Merged:
    """The merge of records that must be mergeable as records."""
    found = merge_records(base, ours, theirs, count_errors=count_errors)
    assert found is not None
    return found


def data(text: str) -> Any:
    found = read_yaml(text, "f.yaml")
    assert isinstance(found, Document), (found, text)
    return found.data


def resolved(text: str, *, ours: bool) -> str:
    """A text with conflict markers as a person would have it who takes one side everywhere."""
    keep = r"\1" if ours else r"\2"
    return re.sub(r"<{7} ours\r?\n(.*?)={7}\r?\n(.*?)>{7} theirs\r?\n", keep, text, flags=re.DOTALL)


# ------------------------------------------------------------------ by name

BASE = """\
# head
id: INC-1
title: "Login fails"  # said so
severity: SEV2
state: new
services: [api]
times:
  declared: 2025-01-26T12:05:00Z
timeline:
- at: 2025-01-26T12:00:00Z
  kind: note
  event: one
# end
tags:
- a
- b
action_items:
- id: AI-1
  title: t
  status: open
"""
NOTE = "- at: 2025-01-26T12:{}:00Z\n  kind: note\n  event: {}\n"
ONE = NOTE.format("00", "one")

CASES: dict[str, tuple[str, str, str, str]] = {
    "both appended, theirs earlier": (
        ONE,
        ONE + NOTE.format("20", "mine"),
        ONE + NOTE.format("10", "yours"),
        ONE + NOTE.format("10", "yours") + NOTE.format("20", "mine"),
    ),
    "ours first on a tie": (
        ONE,
        ONE + NOTE.format("10", "mine"),
        ONE + NOTE.format("10", "yours"),
        ONE + NOTE.format("10", "mine") + NOTE.format("10", "yours"),
    ),
    "the same entry once": (
        ONE,
        ONE + NOTE.format("10", "same") + NOTE.format("11", "mine"),
        ONE + NOTE.format("10", "same"),
        ONE + NOTE.format("10", "same") + NOTE.format("11", "mine"),
    ),
    "zones are compared as instants": (
        ONE,
        ONE + "- {at: 2025-01-26T13:30:00+01:00, kind: note, event: mine}\n",
        ONE + NOTE.format("10", "yours"),
        ONE + NOTE.format("10", "yours") + "- {at: 2025-01-26T13:30:00+01:00, kind: note, event: mine}\n",
    ),
    "comments and quoting of theirs come along": (
        ONE,
        ONE + NOTE.format("20", "mine"),
        ONE + "# seen by two\n- at: 2025-01-26T12:10:00Z # clock of theirs\n  event: 'x'\n    # deeper\n",
        ONE
        + "# seen by two\n- at: 2025-01-26T12:10:00Z # clock of theirs\n  event: 'x'\n    # deeper\n"
        + NOTE.format("20", "mine"),
    ),
    "a comment that ended the list stays once": (
        ONE + "# end\n",
        ONE + "# end\n" + NOTE.format("20", "mine"),
        ONE + "# end\n" + NOTE.format("10", "yours"),
        ONE + "# end\n" + NOTE.format("10", "yours") + NOTE.format("20", "mine"),
    ),
    "an entry may correct an entry that moved": (
        ONE,
        ONE + NOTE.format("20", "mine") + "- at: 2025-01-26T12:21:00Z\n  corrects: 2  # mine\n",
        ONE + NOTE.format("10", "yours"),
        ONE
        + NOTE.format("10", "yours")
        + NOTE.format("20", "mine")
        + "- at: 2025-01-26T12:21:00Z\n  corrects: 3  # mine\n",
    ),
    "an entry that tells of an earlier time stays below what it followed": (
        ONE,
        ONE + NOTE.format("20", "mine") + NOTE.format("05", "late"),
        ONE + NOTE.format("10", "yours"),
        ONE + NOTE.format("10", "yours") + NOTE.format("20", "mine") + NOTE.format("05", "late"),
    ),
    "late entries of both before one that was there": (
        NOTE.format("00", "paged") + NOTE.format("30", "mended"),
        NOTE.format("00", "paged") + NOTE.format("20", "mine") + NOTE.format("30", "mended"),
        NOTE.format("00", "paged") + "# seen\n" + NOTE.format("10", "yours") + NOTE.format("30", "mended"),
        NOTE.format("00", "paged")
        + "# seen\n"
        + NOTE.format("10", "yours")
        + NOTE.format("20", "mine")
        + NOTE.format("30", "mended"),
    ),
    "late entries of both at several places, one of them the same, and new ones": (
        NOTE.format("10", "paged") + NOTE.format("30", "mended"),
        NOTE.format("05", "same")
        + NOTE.format("10", "paged")
        + NOTE.format("30", "mended")
        + NOTE.format("50", "mine"),
        NOTE.format("05", "same")
        + NOTE.format("10", "paged")
        + NOTE.format("20", "yours")
        + NOTE.format("30", "mended")
        + NOTE.format("40", "yours"),
        NOTE.format("05", "same")
        + NOTE.format("10", "paged")
        + NOTE.format("20", "yours")
        + NOTE.format("30", "mended")
        + NOTE.format("40", "yours")
        + NOTE.format("50", "mine"),
    ),
    "a merged entry that one side completed": (
        "- at: 2025-01-26T12:00:00Z\n  event: x\n",
        "- at: 2025-01-26T12:00:00Z\n  event: x\n  ref: abc\n",
        "- at: 2025-01-26T12:00:00Z\n  event: x\n- at: 2025-01-26T12:09:00Z\n  event: y\n",
        "- at: 2025-01-26T12:00:00Z\n  event: x\n  ref: abc\n- at: 2025-01-26T12:09:00Z\n  event: y\n",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_timelines(name: str) -> None:
    base, ours, theirs, expected = (f"id: INC-1\ntimeline:\n{text}title: t\n" for text in CASES[name])
    assert merged(base, ours, theirs) == Merged(expected)


def changed(*pairs: tuple[str, str]) -> str:
    text = BASE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


CLEAN: dict[str, tuple[str, str, str]] = {
    "neighbouring scalars": (
        changed(("SEV2", "SEV1")),
        changed(("state: new", "state: triaged")),
        changed(("SEV2", "SEV1"), ("state: new", "state: triaged")),
    ),
    "a value here, the comment beside it there": (
        changed(('"Login fails"', '"No login"')),
        changed(("# said so", "# not checked")),
        changed(('"Login fails"', '"No login"'), ("# said so", "# not checked")),
    ),
    "both add the same": (changed(("SEV2", "SEV1")), changed(("SEV2", "SEV1")), changed(("SEV2", "SEV1"))),
    "a flow set": (
        changed(("[api]", "[api, 'web']")),
        changed(("[api]", "[api, auth]")),
        changed(("[api]", "[api, 'web', auth]")),
    ),
    "a block set, one side takes out": (
        changed(("- a\n", "")),
        changed(("- b\n", "- b\n- c  # new\n")),
        changed(("- a\n", ""), ("- b\n", "- b\n- c  # new\n")),
    ),
    "instants of one mapping": (
        changed(("  declared", "  started: 2025-01-26T12:00:00Z\n  declared")),
        changed(("12:05:00Z\n", "12:05:00Z\n  closed: 2025-01-26T13:00:00Z # c\n")),
        changed(
            ("  declared", "  started: 2025-01-26T12:00:00Z\n  declared"),
            ("12:05:00Z\n", "12:05:00Z\n  closed: 2025-01-26T13:00:00Z # c\n"),
        ),
    ),
    "two fields of one action item, and an item each": (
        changed(("status: open\n", "status: done\n- id: AI-2\n  title: mine\n")),
        changed(
            ("title: t\n", "title: better # t\n"), ("status: open\n", "status: open\n- id: AI-3\n  title: yours\n")
        ),
        changed(
            ("title: t\n", "title: better # t\n"),
            ("status: open\n", "status: done\n- id: AI-2\n  title: mine\n- id: AI-3\n  title: yours\n"),
        ),
    ),
    "the first key of an item": (
        changed(("- id: AI-1\n", "- id: AI-1  # mine\n")),
        changed(("status: open", "status: done")),
        changed(("- id: AI-1\n", "- id: AI-1  # mine\n"), ("status: open", "status: done")),
    ),
    "a list that both began": (
        BASE + "updates:\n- at: 2025-01-26T12:20:00Z\n  text: mine\n",
        BASE + "updates:\n- at: 2025-01-26T12:10:00Z\n  text: yours\n",
        BASE + "updates:\n- at: 2025-01-26T12:10:00Z\n  text: yours\n- at: 2025-01-26T12:20:00Z\n  text: mine\n",
    ),
    "a mapping that both began": (
        BASE + "roles:\n  scribe: '@a'\n",
        BASE + "roles:  # who\n  commander: '@b'\n",
        BASE + "roles:  # who\n  scribe: '@a'\n  commander: '@b'\n",
    ),
    "theirs is indented otherwise": (
        changed(("# end\n", NOTE.format("20", "mine") + "# end\n")),
        BASE + "updates:\n  - at: 2025-01-26T12:10:00Z\n    text: |\n      yours\n       deep\n",
        changed(("# end\n", NOTE.format("20", "mine") + "# end\n"))
        + "updates:\n  - at: 2025-01-26T12:10:00Z\n    text: |\n      yours\n       deep\n",
    ),
    "comments of theirs elsewhere": (
        changed(("state: new", "state: triaged")),
        changed(("# end", "# the end")),
        changed(("state: new", "state: triaged"), ("# end", "# the end")),
    ),
    "one side takes a key out": (
        changed(("severity: SEV2\n", "")),
        changed(("state: new", "state: triaged")),
        changed(("severity: SEV2\n", ""), ("state: new", "state: triaged")),
    ),
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_merges(name: str) -> None:
    ours, theirs, expected = CLEAN[name]
    assert merged(BASE, ours, theirs) == Merged(expected)


def test_relations_of_both_sides_are_kept_in_either_form() -> None:
    """An id alone, and an id with its kind, are found by the id."""
    base = "id: INC-1\nrelated:\n- INC-2\n"
    ours = "id: INC-1\nrelated:\n- INC-2\n- id: INC-3\n  kind: causes\n"
    theirs = "id: INC-1\nrelated:\n- id: INC-2\n  kind: similar\n- INC-4\n"
    done = merged(base, ours, theirs)
    assert not done.conflicts
    assert data(done.text)["related"] == [
        {"id": "INC-2", "kind": "similar"},
        {"id": "INC-3", "kind": "causes"},
        "INC-4",
    ]


def test_entries_of_theirs_are_moved_to_our_column_and_get_our_line_ends() -> None:
    base = f"id: INC-1\ntimeline:\n{ONE}"
    ours = re.sub("(?m)^(?=[- ])", "  ", base + NOTE.format("20", "mine")).replace("\n", "\r\n")
    theirs = base + "- at: 2025-01-26T12:10:00Z\n  event: |\n    yours\n\n     deep\n"
    expected = (
        "id: INC-1\ntimeline:\n"
        + re.sub("(?m)^(?=[- ])", "  ", ONE + "- at: 2025-01-26T12:10:00Z\n  event: |\n    yours\n\n     deep\n")
        + re.sub("(?m)^(?=[- ])", "  ", NOTE.format("20", "mine"))
    )
    assert merged(base, ours, theirs).text == expected.replace("\n", "\r\n")


CLASHES: dict[str, tuple[tuple[str, str], tuple[str, str], str]] = {
    "a scalar": (("SEV2", "SEV1"), ("SEV2", "SEV3"), "severity: "),
    "changed here, taken out there": (("SEV2", "SEV1"), ("severity: SEV2\n", ""), "severity: "),
    "comments": (("# end", "# the end"), ("# end", "# end of it"), "tags: "),
}


@pytest.mark.parametrize("name", CLASHES)
@pytest.mark.parametrize("eol", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_clash_has_the_markers_that_git_writes_and_is_told(name: str, eol: str, tmp_path: Path) -> None:
    """Where lines and values clash alike, the text is that of `git merge-file`; what else both did is merged."""
    here, there, told = CLASHES[name]
    base, ours, theirs = (text.replace("\n", eol) for text in (BASE, changed(here), changed(there)))
    found = merged(base, ours, theirs)
    assert [one.startswith(told) for one in found.conflicts] == [True]
    for file, text in zip("abt", (ours, base, theirs), strict=True):
        (tmp_path / file).write_bytes(text.encode())
    labels = ("-L", "ours", "-L", "base", "-L", "theirs")
    done = subprocess.run(
        ["git", "merge-file", "-p", *labels, "a", "b", "t"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert found.text == done.stdout.decode()


@pytest.mark.parametrize("eol", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_two_items_of_one_id_stand_whole_between_the_markers(eol: str) -> None:
    """Both are wanted: whoever takes out the markers and gives one a free id has lost no line of either."""
    item = "- id: AI-2\n  title: {}\n  due: 2025-03-01\n"
    ours, theirs = (changed(("status: open\n", f"status: open\n{item.format(who)}")) for who in ("mine", "yours"))
    base, ours, theirs = (text.replace("\n", eol) for text in (BASE, ours, theirs))
    found = merged(base, ours, theirs)
    marks = f"<<<<<<< ours\n{item.format('mine')}=======\n{item.format('yours')}>>>>>>> theirs\n"
    assert found.text == changed(("status: open\n", f"status: open\n{marks}")).replace("\n", eol)
    assert found.conflicts == (
        "action_items.AI-2: both sides gave this id to a new item: keep both, and give one of them a new id",
    )
    both = re.sub(r"(?m)^(<{7} ours|={7}|>{7} theirs)\r?\n", "", found.text)
    assert [one["id"] for one in data(both)["action_items"]] == ["AI-1", "AI-2", "AI-2"]


def test_an_item_that_one_side_changed_and_the_other_took_out_is_not_called_new() -> None:
    two = changed(("status: open\n", "status: open\n- id: AI-2\n  title: u\n"))
    found = merged(two, two.replace("title: u", "title: v"), BASE)
    assert found.conflicts == ("action_items.AI-2: both sides changed this item",)


def test_markers_stand_around_the_clashing_lines_only() -> None:
    ours = changed(("SEV2", "SEV1"), ("# end\n", NOTE.format("20", "mine") + "# end\n"))
    theirs = changed(
        ("SEV2", "SEV3"), ("state: new", "state: triaged"), ("# end\n", NOTE.format("10", "yours") + "# end\n")
    )
    expected = changed(
        ("severity: SEV2\n", "<<<<<<< ours\nseverity: SEV1\n=======\nseverity: SEV3\n>>>>>>> theirs\n"),
        ("state: new", "state: triaged"),
        ("# end\n", NOTE.format("10", "yours") + NOTE.format("20", "mine") + "# end\n"),
    )
    assert merged(BASE, ours, theirs).text == expected


def test_the_size_of_a_marker_is_the_callers() -> None:
    found = merge_records(BASE, changed(("SEV2", "SEV1")), changed(("SEV2", "SEV3")), count_errors=no_faults, size=12)
    assert found is not None
    assert f"{'<' * 12} ours\n" in found.text


MOVE = "- at: 2025-01-26T12:{}:00Z\n  field: {}\n  from: {}\n  to: {}\n"


def test_histories_that_do_not_go_together_clash() -> None:
    """Both sides left the same state for different ones: one path cannot be made of that, whatever the order."""
    base = BASE + "changes:\n" + MOVE.format("00", "state", "new", "triaged")
    ours, theirs = (
        base + MOVE.format("10", "state", "triaged", "assigned"),
        base + MOVE.format("20", "state", "triaged", "closed"),
    )
    found = merged(base, ours, theirs)
    assert found.conflicts[0].startswith("changes: ")
    assert resolved(found.text, ours=True) == ours
    assert resolved(found.text, ours=False) == theirs


@pytest.mark.parametrize(("mine", "yours", "kept"), [("10", "20", "10"), ("20", "10", "10"), ("10", "10", "10")])
def test_the_same_move_of_both_sides_stands_once_as_the_earlier_one(mine: str, yours: str, kept: str) -> None:
    base = BASE + "changes:\n" + MOVE.format("00", "state", "new", "triaged")
    ours, theirs = (
        base + MOVE.format(at, "state", "triaged", "assigned") + f"  by: {who}\n"
        for at, who in ((mine, "a"), (yours, "b"))
    )
    found = merged(base, ours, theirs)
    assert found.conflicts == ()
    assert [(one["at"][14:16], one["to"]) for one in data(found.text)["changes"]] == [
        ("00", "triaged"), (kept, "assigned"),
    ]  # fmt: skip
    assert data(found.text)["changes"][1]["by"] == ("a" if mine <= yours else "b")


def test_moves_that_follow_upon_different_ones_are_not_the_same() -> None:
    """Back and away again by one of them: what is equal by chance is another move."""
    base = BASE + "changes:\n" + MOVE.format("00", "state", "new", "triaged")
    away = MOVE.format("10", "state", "triaged", "pending") + MOVE.format("11", "state", "pending", "triaged")
    last = ("state", "triaged", "assigned")
    found = merged(base, base + away + MOVE.format("12", *last), base + MOVE.format("13", *last))
    assert found.conflicts[0].startswith("changes: ")


def test_the_state_is_that_of_the_side_which_went_on_from_the_others() -> None:
    base = BASE + "changes:\n" + MOVE.format("00", "state", "new", "triaged")
    assigned = MOVE.format("{}", "state", "triaged", "assigned")
    ours = base.replace("state: new", "state: in_progress  # mine") + assigned.format("10")
    ours += MOVE.format("10", "state", "assigned", "in_progress")
    theirs = base.replace("state: new", "state: assigned") + assigned.format("08")
    for one, other in ((ours, theirs), (theirs, ours)):
        found = merged(base, one, other)
        assert found.conflicts == ()
        assert "state: in_progress  # mine\n" in found.text
        assert [one["at"][14:16] for one in data(found.text)["changes"]] == ["00", "08", "10"]


@pytest.mark.parametrize("flow", [False, True])
def test_of_two_acknowledgements_the_earlier_counts(flow: bool) -> None:
    """Another time that both wrote is still a clash: each of them is a claim about the incident."""
    block, line = "times:\n  declared: 2025-01-26T12:05:00Z\n", "times: {declared: 2025-01-26T12:05:00Z}\n"
    assert block in BASE
    base = BASE.replace(block, line) if flow else BASE
    end, more = ("05:00Z}", "05:00Z, {}: {}}}") if flow else ("05:00Z\n", "05:00Z\n  {}: {}\n")
    for name, conflicts in (("acknowledged", 0), ("diagnosed", 1)):
        first, second = (
            base.replace(end, more.format(name, at), 1) for at in ("2025-01-26T13:06:00+01:00", "2025-01-26T12:07:00Z")
        )
        for ours, theirs in ((first, second), (second, first)):
            found = merged(base, ours, theirs)
            assert len(found.conflicts) == conflicts
            if not conflicts:
                assert data(found.text)["times"][name] == "2025-01-26T13:06:00+01:00"


def test_histories_that_the_lifecycle_refuses_clash() -> None:
    """The judge of histories is asked about the merged data."""
    base = BASE + "changes:\n" + MOVE.format("00", "state", "new", "triaged")
    ours, theirs = (
        base + MOVE.format("10", "state", "triaged", "x"),
        base + MOVE.format("20", "severity", "SEV2", "SEV1"),
    )
    assert merged(base, ours, theirs).conflicts == ()
    assert (
        merged(base, ours, theirs, count_errors=lambda data: len(data["changes"]) - 2)
        .conflicts[0]
        .startswith("changes: ")
    )


def test_two_corrections_of_one_instant_clash() -> None:
    move = MOVE.replace("12:{}", "13:{}").format(
        "{}", "times.declared", "2025-01-26T12:05:00Z", "2025-01-26T12:0{}:00Z"
    )
    ours, theirs = (f"{BASE}corrections:\n{move.format(one, two)}" for one, two in (("10", "1"), ("20", "2")))
    assert merged(BASE, ours, theirs).conflicts[0].startswith("corrections: ")


@pytest.mark.parametrize("broken", ["", "a: [", "- x\n", "\ufeffid: x\n", "{id: INC-1}\n", "<<<<<<< ours\nid: 1\n"])
def test_what_is_no_readable_record_is_left_to_lines(broken: str) -> None:
    ours, theirs = changed(("SEV2", "SEV1")), changed(("state: new", "state: triaged"))
    assert merge_records(broken, ours, theirs, count_errors=no_faults) is None
    assert merge_records(BASE, broken, theirs, count_errors=no_faults) is None
    assert merge_records(BASE, ours, broken, count_errors=no_faults) is None


def test_long_histories_are_merged() -> None:
    """As long as a record can be: every entry of ours was compared with every entry of theirs."""
    entry = "- at: 2025-01-26T12:05:00Z\n  kind: note\n  event: {}{}\n"
    base = "id: INC-1\ntimeline:\n- at: 2025-01-26T12:00:00Z\n"
    ours, theirs = (base + "".join(entry.format(side, number) for number in range(1400)) for side in "ab")
    with patience():
        found = merged(base, ours, theirs)
    assert not found.conflicts
    assert found.text.count("kind: note") == 2800


def test_a_long_list_on_one_line_that_both_sides_filled_is_marked() -> None:
    """Every item more would be a reading of the whole list: minutes."""
    words = [[f"{side}{number}" for number in range(2000)] for side in "abc"]
    lists = (words[0], words[0] + words[1], words[0] + words[2])
    base, ours, theirs = (f"id: INC-1\ntags: [{', '.join(one)}]\n" for one in lists)
    with patience():
        found = merged(base, ours, theirs)
    assert found.conflicts == ("tags: both sides changed it",)
    assert resolved(found.text, ours=True) == ours
    assert resolved(found.text, ours=False) == theirs


# ------------------------------------------------------------------ by generated pairs of edits

SCALARS = [("title",), ("severity",), ("times", "started"), ("times", "detected"), ("roles", "commander"),
           ("roles", "scribe"), ("cause", "what"), ("description",), ("visibility",), ("impact", "summary"),
           ("factors", "os")]  # fmt: skip
WORDS = ["x", "two words", "a: b", "# no", "it's", "1", "true", "é 日本 😀", "line\nline\n", "- dash", "2025-01-26"]
Do = tuple[str, tuple[str, ...], Any]


def instant_of(rnd: random.Random) -> str:
    return f"2025-01-26T13:{rnd.randrange(12):02}:00Z"


def entry(rnd: random.Random, name: str, number: int) -> dict[str, Any]:
    """An entry of an append-only list; `number` makes it unlike all others."""
    made: dict[str, Any] = {APPENDED[(name,)]: instant_of(rnd), "text": f"E{number}e"}
    return made | ({"reason": rnd.choice(WORDS)} if rnd.random() < 0.4 else {})


def a_record(rnd: random.Random) -> str:
    """A record of any layout: lists indented or not, flow here and there, blank lines and comments between."""
    lines = ["# ~head~"] if rnd.random() < 0.5 else []
    lines += ["id: INC-1", "title: 'Login'  # ~title~", "severity: SEV2", "state: new"]
    lines += [rnd.choice(["services: [api]", "services:\n- api", "services: [ 'api' ]  # ~s~"])]
    lines += [
        rnd.choice(["times: {declared: 2025-01-26T12:05:00Z}", "times:\n  declared: 2025-01-26T12:05:00Z\n  # ~times~"])
    ]
    inset = rnd.choice(["", "", "  "])
    for (name,), by in APPENDED.items():
        shape = rnd.choice(["none", "none", "empty", "block", "block", "flow entries"])
        if shape == "empty":
            lines.append(f"{name}: []" + rnd.choice(["", f"  # ~{name}~"]))
        elif shape != "none":
            lines.append(f"{name}:")
            for number in range(rnd.choice([1, 2, 3])):
                if shape == "block":
                    lines.append(
                        f"{inset}- {by}: 2025-01-26T12:0{number}:00Z  # ~{name}{number}~\n{inset}  text: 'B{number}'"
                    )
                else:
                    lines.append(f"{inset}- {{{by}: 2025-01-26T12:0{number}:00Z, text: B{number}}}")
                lines += rnd.choice(
                    [[], [], [""], [f"{inset}# ~after {name}{number}~"], [f"{inset}    # ~in {name}{number}~"]]
                )
    if rnd.random() < 0.7:
        lines += ["action_items:"] + [f"- id: AI-{n}\n  title: t{n}  # ~ai{n}~" for n in range(1, rnd.choice([2, 3]))]
    text = "\n".join([*lines, *rnd.choice([[], ["# ~foot~"], ["", "# ~foot~"]])]) + rnd.choice(["\n", "\n", ""])
    return text.replace("\n", "\r\n") if rnd.random() < 0.25 else text


def acts(rnd: random.Random, base: Any, side: int) -> list[Do]:
    """What one side does; no place is touched by both sides, but lists and sets are appended to by both."""
    mine = [route for number, route in enumerate(SCALARS) if number % 2 == side]
    done: list[Do] = [("set", route, rnd.choice(WORDS)) for route in rnd.sample(mine, rnd.choice([0, 1, 2]))]
    for number in range(rnd.choice([1, 2, 3, 5])):
        (name,) = rnd.choice(list(APPENDED))
        done.append(("append", (name,), entry(rnd, name, 100 * side + number)))
    if rnd.random() < 0.5:
        done.append(("append", (rnd.choice(["services", "tags", "related"]),), f"set{side}"))
    if rnd.random() < 0.5:
        done.append(("append", ("action_items",), {"id": f"AI-{10 + side}", "title": rnd.choice(WORDS)}))
    if base.get("action_items") and rnd.random() < 0.5:
        done.append(("set", ("action_items", 0, ("owner", "due")[side]), rnd.choice(WORDS)))  # type: ignore[arg-type]
    rnd.shuffle(done)
    by_time = iter(sorted((one for one in done if one[1] in APPENDED), key=lambda one: one[2][APPENDED[one[1]]]))
    return [next(by_time) if one[1] in APPENDED else one for one in done]


def perform(text: str, deeds: list[Do], rnd: random.Random) -> str:
    """The text after a side's deeds, with comments of its own beside new entries."""
    for how, route, value in deeds:
        text = edit(text, [Set(route, value) if how == "set" else Append(route, value)], order=ORDER)
        if route in APPENDED and rnd.random() < 0.5:
            token = value["text"]
            text = re.sub(rf"(?m)^(.*\b{token}\b.*?)(\r?)$", rf"\1  # ~by {token}~\2", text, count=1)
    return text


def expected(base: Any, ours: list[Do], theirs: list[Do]) -> Any:
    """The data after the deeds of both, by the rules told in words: lists by instant, ours first; the rest as done."""
    meant = copy.deepcopy(base)
    for how, route, value in [*ours, *theirs]:
        holder = meant
        for step in route[:-1]:
            holder = holder.setdefault(step, {}) if isinstance(step, str) else holder[step]
        if how == "set":
            holder[route[-1]] = value
        else:
            holder[route[-1]] = [*(holder.get(route[-1]) or []), value]
    for (name,), by in APPENDED.items():
        count = len(base.get(name) or [])
        if name in meant:
            meant[name][count:] = sorted(meant[name][count:], key=lambda one: one[by])
    return meant


@law("merging records", whole=EXAMPLES, sample=SAMPLE)
@given(SEEDS)
def test_clean_merges_hold_the_work_of_both_once_in_order_and_nothing_else(seed: int) -> None:
    rnd = random.Random(seed)
    base = a_record(rnd)
    deeds = [acts(rnd, data(base), side) for side in (0, 1)]
    ours, theirs = (perform(base, one, rnd) for one in deeds)
    found = merge_records(base, ours, theirs, count_errors=no_faults)
    assert found is not None
    assert found.conflicts == ()
    assert same_data(data(found.text), expected(data(base), *deeds))
    comments = [Counter(re.findall("# ~.*?~", text)) for text in (base, ours, theirs, found.text)]
    assert comments[3] == comments[1] | comments[2]
    lines = [{line.rstrip("\r") for line in text.split("\n")} for text in (found.text, ours, theirs)]
    strange = lines[0] - lines[1] - lines[2]
    assert all(re.match(r"\s*(services|tags|related|times):.*[\[{]", line) for line in strange if line), strange
    assert ("\r\n" in found.text) == ("\r\n" in ours)
    back = merged(base, theirs, ours)  # whoever merges: only what happened at one instant, and sets, stand otherwise
    assert same_data(_orderless(data(back.text)), _orderless(data(found.text)))


def _orderless(value: Any) -> Any:
    return {name: sorted(one, key=repr) if isinstance(one, list) else one for name, one in value.items()}


@law("merging records", whole=EXAMPLES, sample=SAMPLE)
@given(SEEDS)
def test_clashing_sides_are_both_there_whole(seed: int) -> None:
    """With a clash the file holds both answers: taking a side at every marker gives that side's value."""
    rnd = random.Random(seed)
    base = a_record(rnd)
    deeds = [acts(rnd, data(base), side) for side in (0, 1)]
    route = rnd.choice([("title",), ("severity",), ("times", "declared"), ("description",)])
    values = rnd.sample(WORDS, 2)
    for one, value in zip(deeds, values, strict=True):
        one[:] = [deed for deed in one if deed[1][:1] != route[:1]] + [("set", route, value)]
    found = merged(base, *(perform(base, one, rnd) for one in deeds))
    assert [line.startswith(".".join(route[: line.count(".") + 1])) for line in found.conflicts] == [True]
    for is_ours, value in ((True, values[0]), (False, values[1])):
        meant = expected(data(base), *([deed for deed in one if deed[1] != route] for one in deeds))
        holder = meant if len(route) == 1 else meant[route[0]]
        holder[route[-1]] = value
        assert same_data(data(resolved(found.text, ours=is_ours)), meant)
    assert found.text.count("<<<<<<< ours") == 1


@law("merging records", whole=EXAMPLES, sample=SAMPLE)
@given(SEEDS)
def test_any_text_with_any_edits_is_merged_rightly_or_not_at_all(seed: int) -> None:
    """Pages of every layout, edited on both sides: what comes out reads, keeps comments, prefers nobody."""
    rnd = random.Random(seed)
    base = Writer(rnd).document()
    if not isinstance(read_yaml(base, ""), Document):
        return
    sides = []
    for _ in range(2):
        try:
            sides.append(edit(base, [any_edit(rnd, data(base))], order=lambda _route: ()))
        except Refused:
            sides.append(base)
    ours, theirs = sides
    assert merged(base, ours, base).text == ours
    assert merged(base, base, theirs).text == theirs
    found = merge_records(base, ours, theirs, count_errors=no_faults)
    if found is None:
        return
    for is_ours in (True, False):
        text = resolved(found.text, ours=is_ours)
        assert isinstance(read_yaml(text, ""), Document)
    if not found.conflicts:
        kept = Counter(re.findall("#~.*?~", found.text))
        written = [Counter(re.findall("#~.*?~", one)) for one in sides]
        assert not (written[0] & written[1]) - kept
        back = merge_records(base, theirs, ours, count_errors=no_faults)
        assert back is None or back.conflicts or same_data(_sorted(data(back.text)), _sorted(data(found.text)))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(one) for name, one in value.items()}
    return sorted(map(_sorted, value), key=repr) if isinstance(value, list) else value
