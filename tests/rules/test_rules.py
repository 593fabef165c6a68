"""The rules about incident records, and what reading and the schema find: each folder of examples is the rule's test.

A bad example names in its first line where its finding must be: `# expect: LINE:COLUMN LEVEL`. What an example needs
beside its record stands in `_<name>.yaml`: `now`, `policy`, `services`, `folder`, `others` (records for rules that
look at all), `base` (the record as it was merged), `deleted` (the example is what was merged, and is gone), or
`expect` where the first line cannot be a comment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops import rules
from incident_ops.domain.as_of import is_settled
from incident_ops.domain.incident import Cycle, Incident, Times
from incident_ops.domain.policy import Service
from incident_ops.domain.record import Crossings, IdClash, Link, MergedPolicy, Record, World
from incident_ops.domain.time import parse_instant
from incident_ops.errors import UserError
from incident_ops.findings import Finding, Level
from incident_ops.records.file_findings import FAULTS
from incident_ops.records.policy import load_policy, policy_digest, preset, resolve_policy
from incident_ops.records.schema import check_document, fast_validator
from incident_ops.records.suppressions import find_suppressions
from incident_ops.records.yaml_reader import Document, read_bytes, read_yaml
from incident_ops.render import rule_pages
from incident_ops.rules import apply_suppressions, base
from incident_ops.rules.future_instant import past_instants

HERE = Path(__file__).parent
NOT_REACHED = {
    "calculation",
    "schema",
    "gate-length",
    "gate-count",
    "schema-copy",
    "gate-command",
    "gate-settings",
    "gate-condition",
    "gate-query",
    "known-names",  # tests/cli/test_gate_names.py
    "near-name",  # tests/cli/test_any_depth.py
    "plan-times",
    "team-names",
    "team-unused",
}
"""The word for a disagreement of the two validators, of which no example is known; a rule about files of `schemas/`
(tests/test_validate.py); a calculation that fails
(tests/cli/test_fence.py); those about gate files (tests/records/test_gate_file.py, tests/canary/test_config_check.py);
one about plans (tests/deploy_gate/test_plan_check.py); those about services.yaml (tests/cli/test_teams.py)."""


class Case(NamedTuple):
    """An example: its document (or why there is none), the world around it, the records beside it."""

    rule: str
    document: Document | list[Finding]
    path: str
    world: World
    others: list[dict[str, Any]]
    expected: str
    base: dict[str, Any] | None
    deleted: bool
    added: bool
    reused: str


def examples(kind: str) -> list[Path]:
    found = [path for path in HERE.glob(f"*/{kind}/*.yaml") if not path.name.startswith("_")]
    return sorted(path for path in found if path.parent.parent.parent == HERE)


def load(path: Path) -> Case:
    beside = path.with_name(f"_{path.name}")
    around = read_yaml(beside.read_text(), beside.name) if beside.exists() else None
    assert not isinstance(around, list), around
    needs: dict[str, Any] = around.data if around else {}
    raw = path.read_bytes()
    document = read_bytes(raw, path.name)
    policy = load_policy(json.dumps(needs.get("policy", {"extends": "sev0-3"}))).policy
    assert policy is not None
    services = {name: Service(owner="@team") for name in needs.get("services", ["auth"])}
    now = parse_instant(needs.get("now", "2026-01-01T00:00:00Z"))
    folder = needs.get("folder", "incidents/INC-20250126-120500")
    first = raw.split(b"\n")[0].decode(errors="replace")
    expected = needs.get("expect", first.removeprefix("# expect: "))
    record_path = f"{folder}/incident.yaml"
    world = World(policy, services, now)
    others, base, deleted = needs.get("others", []), needs.get("base"), needs.get("deleted", False)
    added, reused = needs.get("added", False), needs.get("reused", "")
    return Case(path.parts[-3], document, record_path, world, others, expected, base, deleted, added, reused)


def found_in(case: Case) -> list[Finding]:
    """Every finding of a case, in place: of the reader, else of the schema, else of the rules."""
    if isinstance(case.document, list):
        return case.document
    if faults := check_document(case.document, "incident"):
        return faults
    record = Record(case.path, msgspec.convert(case.document.data, Incident), case.document.data)
    found = [finding for timed in (False, True) for finding in rules.run(record, case.world, timed=timed)]
    found += [one for one in rules.run_all(crossings(record, case.others)) if one.where.file == case.path]
    if case.base is not None:
        assert fast_validator("incident").is_valid(case.base), case.base
        found += base.compare(Record(case.path, msgspec.convert(case.base, Incident), case.base), record, case.world)
    found += base.deleted(record) if case.deleted else []
    found += base.reused(record, case.reused) if case.reused else []
    if case.added:
        digest = policy_digest(resolve_policy({"extends": "sev0-3"}, preset("sev0-3")))
        found += base.added(record, [MergedPolicy(digest, case.world.policy, case.world.now, None)])
    assert all(one.where.file == case.path for one in found)
    placed = [finding.at(replace(case.document.locate(finding.where), file=case.path)) for finding in found]
    comments = find_suppressions(case.document.text, case.path)
    every = rules.RULE_DOCS.keys() | FAULTS.keys()
    timed = {name for name, rule in rules.RULE_DOCS.items() if rule.timed}
    return apply_suppressions(placed, comments, rules.SUPPRESSIBLE, every, timed)[0]


def crossings(record: Record, others: list[dict[str, Any]]) -> Crossings:
    """What is true of a record and those beside it together."""
    paths: dict[str, list[str]] = {}
    links = []
    for data in [{**record.data, "path": record.path}, *others]:
        path = data.get("path", f"incidents/{data['id']}/incident.yaml")
        paths.setdefault(data["id"], []).append(path)
        if "duplicate_of" in data:
            links.append(Link(path, data["id"], "duplicate_of", data["duplicate_of"], ("duplicate_of",)))
        for index, target in enumerate(data.get("related", [])):
            links.append(Link(path, data["id"], "related", target, ("related", index)))
    clashes = tuple(IdClash(name, tuple(where), "INC-99") for name, where in paths.items() if len(where) > 1)
    return Crossings(clashes, tuple(link for link in links if link.target not in paths), tuple(links))


def named(path: Path) -> str:
    return f"{path.parts[-3]}/{path.stem}"


@pytest.mark.parametrize("path", examples("good"), ids=named)
def test_a_good_example_is_not_touched_by_its_rule(path: Path) -> None:
    case = load(path)
    assert [one for one in found_in(case) if one.rule == case.rule] == []


@pytest.mark.parametrize("path", examples("bad"), ids=named)
def test_a_bad_example_is_found_at_its_place(path: Path) -> None:
    case = load(path)
    found = [one for one in found_in(case) if one.rule == case.rule]
    assert case.expected in [f"{one.where.line}:{one.where.column} {one.level}" for one in found]
    assert all(one.message for one in found)


def test_every_rule_and_every_fault_has_good_and_bad_examples() -> None:
    registered = (set(rules.RULE_DOCS) | set(FAULTS)) - NOT_REACHED
    for kind in ("good", "bad"):
        shown = {path.parts[-3] for path in examples(kind)}
        assert registered - shown == set()
        assert shown - registered == set()


def test_a_level_of_a_bad_example_is_one_its_rule_says_it_has() -> None:
    for path in examples("bad"):
        case = load(path)
        if case.rule in rules.RULE_DOCS:
            level = Level(case.expected.split()[-1])
            assert level in rules.RULE_DOCS[case.rule].levels, path


def test_every_level_a_rule_says_it_has_is_shown_by_an_example() -> None:
    shown = {(case.rule, Level(case.expected.split()[-1])) for case in map(load, examples("bad"))}
    claimed = {(name, level) for name, rule in rules.RULE_DOCS.items() for level in rule.levels}
    assert claimed - shown == set()


def settled_cases() -> Iterator[tuple[Record, World]]:
    for path in [*examples("good"), *examples("bad")]:
        case = load(path)
        if isinstance(case.document, Document) and not check_document(case.document, "incident"):
            record = Record(case.path, msgspec.convert(case.document.data, Incident), case.document.data)
            if is_settled(record.incident, case.world.policy):
                yield record, case.world


def test_of_a_settled_record_time_says_nothing_new() -> None:
    cases = list(settled_cases())
    assert len(cases) > 30
    for record, world in cases:
        in_ten_years = world._replace(now=world.now + timedelta(days=3653))
        assert rules.run(record, world, timed=True) == rules.run(record, in_ten_years, timed=True)


def test_rules_without_a_clock_give_the_same_at_any_time() -> None:
    for path in examples("bad"):
        case = load(path)
        if isinstance(case.document, Document) and not check_document(case.document, "incident"):
            record = Record(case.path, msgspec.convert(case.document.data, Incident), case.document.data)
            long_ago = case.world._replace(now=datetime(2001, 1, 1, tzinfo=UTC))
            assert rules.run(record, case.world, timed=False) == rules.run(record, long_ago, timed=False), path


def test_time_alone_never_brings_an_error() -> None:
    """What is no error now is none in ten years."""
    for path in [*examples("good"), *examples("bad")]:
        case = load(path)
        later = case._replace(world=case.world._replace(now=case.world.now + timedelta(days=3653)))
        now, then = (
            {(one.rule, one.where) for one in found_in(at) if one.level is Level.ERROR} for at in (case, later)
        )
        assert then <= now, path


def test_in_the_last_minutes_of_the_range_no_rule_crashes() -> None:
    case = load(next(path for path in examples("good") if path.parts[-3] == "future-instant"))
    assert isinstance(case.document, Document)
    last = "9899-12-31T23:59:59Z"
    data = {**case.document.data, "times": {"declared": last.replace("Z", "+00:00")}}
    record = Record(case.path, msgspec.convert(data, Incident), data)
    found = rules.run(record, case.world._replace(now=parse_instant(last)), timed=True)
    assert [one for one in found if one.rule == "future-instant"] == []


def test_a_secret_is_not_repeated_in_its_finding() -> None:
    for path in examples("bad"):
        if path.parts[-3] == "secret":
            told = " ".join(one.message + one.hint for one in found_in(load(path)) if one.rule == "secret")
            assert "xample" not in told
            assert "EXAMPLE" not in told


def test_every_past_instant_of_the_schema_is_looked_at() -> None:
    """A field added to the schema as an instant is either looked at or named here as a plan."""
    planned = {"meeting", "due", "follow_up_on", "until", "expires", "eta"}
    looked_at = {str(route[-1]) for route, _ in past_instants(_with_everything())} | {"from", "to"}
    assert _instant_fields() - planned - looked_at == set()


def _instant_fields() -> set[str]:
    schema = json.loads((HERE.parent.parent / "schemas" / "incident.schema.json").read_text())
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for name, field in node.get("properties", {}).items():
                if "instant" in field.get("$ref", "") or "day" in field.get("$ref", ""):
                    found.add(name)
                walk(field)
            walk(node.get("items"))
            for branch in node.get("anyOf", []):
                walk(branch)

    walk(schema)
    return found


def _with_everything() -> Incident:
    at = "2025-01-26T12:05:00Z"
    return msgspec.convert(
        {
            "id": "INC-1",
            "title": "t",
            "services": ["a"],
            "state": "new",
            "times": dict.fromkeys(Times.__struct_fields__, at),
            "cycles": [dict.fromkeys(Cycle.__struct_fields__, at)],
            "timeline": [{"at": at, "kind": "note", "event": "e"}],
            "postmortem": {"status": "draft"},
            "action_items": [{"id": "AI-1", "title": "t"}],
            "pauses": [{"from": at, "waiting_for": "user"}],
            "escalations": [{"at": at, "key": "k", "rule": "time", "reason": "r", "noticed_at": at}],
        },
        Incident,
    )


def test_the_page_of_rules_is_current() -> None:
    """`python -c "from incident_ops.render.rule_pages import page; print(page(), end='')" > docs/rules.md` makes it."""
    assert (HERE.parent.parent / "docs" / "rules.md").read_text() == rule_pages.page()


@pytest.mark.parametrize("rule", [*rules.RULE_DOCS, *FAULTS])
def test_every_rule_is_explained(rule: str) -> None:
    told = rule_pages.rule_page(rule)
    assert told.startswith(f"{rule} (")
    if rule in rules.RULE_DOCS:
        assert rules.RULE_DOCS[rule].sentence.endswith(".")
        assert "before:" in told
        assert "after:" in told


def test_an_unknown_rule_is_a_users_mistake_with_a_hint() -> None:
    with pytest.raises(UserError, match="did you mean duplicate-key") as told:
        rule_pages.rule_page("duplicate-keys")
    assert told.value.exit_code == 2


def test_ids_of_rules_follow_their_file_names() -> None:
    folder = HERE.parent.parent / "incident_ops" / "rules"
    for path in [*folder.glob("*.py"), *folder.glob("base/*.py")]:
        if "\nID = " in (text := path.read_text()):
            assert f'\nID = "{path.stem.replace("_", "-")}"\n' in text
            assert path.stem.replace("_", "-") in rules.RULE_DOCS


def test_no_unsafe_character_slips_past_the_fast_look() -> None:
    """The bytes looked for first are in every text that holds an unsafe character."""
    safe = load(HERE / "text-safety" / "good" / "other_languages.yaml")
    assert isinstance(safe.document, Document)
    for code in (
        *range(0x20),
        *range(0x7F, 0xA0),
        0xAD,
        0x61C,
        0x200E,
        0x200F,
        *range(0x2028, 0x202F),
        *range(0x2060, 0x206A),
        *(0x115F, 0x1160, 0x180E, 0x200B, 0x200C, 0x200D, 0x3164, 0xFFA0),
        *range(0xE0000, 0xE0080),
    ):
        for title in (f"a{chr(code)}b", f"ü{chr(code)}b"):
            data = {**safe.document.data, "title": title}
            record = Record(safe.path, msgspec.convert(data, Incident), data)
            found = [one for one in rules.run(record, safe.world, timed=False) if one.rule == "text-safety"]
            assert len(found) == (0 if chr(code) in "\t\n\u202f\u200c\u200d" else 1), hex(code)


def _leaves(value: Any, route: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if route:
        yield route
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _leaves(inner, (*route, key))


def _plain_documents() -> list[dict[str, Any]]:
    cases = [load(path) for kind in ("good", "bad") for path in examples(kind) if path.parts[-3] in rules.RULE_DOCS]
    return [case.document.data for case in cases if isinstance(case.document, Document)]


DOCUMENTS = _plain_documents()
WORLD = load(examples("good")[0]).world
WORDS = (
    "unknown",
    "2025-01-26T12:30:00Z",
    "2025-01-26T13:30:00+01:00",
    "2025-01-26",
    "closed",
    "cycles.1.restored",
    0,
    2,
)


@given(st.sampled_from(DOCUMENTS), st.data())
def test_no_valid_record_makes_a_rule_fail(data: dict[str, Any], draw: st.DataObject) -> None:
    """Whatever a record says, rules answer with findings at places that exist, never with an exception."""
    changed = json.loads(json.dumps(data))
    for _ in range(draw.draw(st.integers(1, 4))):
        route = draw.draw(st.sampled_from(list(_leaves(changed))))
        holder: Any = changed
        for step in route[:-1]:
            holder = holder[step]
        action = draw.draw(st.sampled_from(["remove", "repeat", *WORDS]))
        if action == "remove":
            del holder[route[-1]]
        elif action == "repeat" and isinstance(holder, list):
            holder.append(json.loads(json.dumps(holder[int(route[-1])])))
        else:
            holder[route[-1]] = action
        if not changed:
            return
    if not fast_validator("incident").is_valid(changed):
        return
    record = Record("incidents/INC-1/incident.yaml", msgspec.convert(changed, Incident), changed)
    for timed in (False, True):
        for finding in rules.run(record, WORLD, timed=timed):
            assert finding.message
            assert finding.where.file == record.path
