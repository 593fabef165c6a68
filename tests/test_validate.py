"""validate: every fault on its line, none hiding another, the same in every mode, nothing wrong by age alone."""

from __future__ import annotations

import random
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from incident_ops import rules
from incident_ops.domain.record import World
from incident_ops.findings import Finding, Level
from incident_ops.records.index import to_record
from incident_ops.records.schema import check_document
from incident_ops.records.store import load_some
from incident_ops.records.yaml_reader import Document, read_bytes
from incident_ops.validation import record_checker, validate_records
from tests.support.repository import NOW, Repo, record_text

ROOT = Path(__file__).resolve().parents[1]
REPOSITORIES = [ROOT, *sorted(path.parent for path in ROOT.glob("examples/*/policy.yaml"))]
GOOD = """\
id: INC-1
title: Login fails
severity: SEV2
state: new
services:
- api
times:
  declared: 2025-01-26T12:05:00Z
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo", git=False)


def findings(repo: Repo, path: str = "") -> list[Finding]:
    return [one for one in repo.report().findings if not path or one.where.file == path]


def errors(repo: Repo) -> list[Finding]:
    return [one for one in findings(repo) if one.level is Level.ERROR]


# ------------------------------------------------------------------ planted faults

FAULTS = {
    "severity": (GOOD.replace("SEV2", "SEV7"), "label", 3, 11, "SEV7"),
    "unknown key": (GOOD.replace("title:", "titel: x\ntitle:"), "unknown-key", 2, 1, "'titel'"),
    "duplicate key": (GOOD + "title: Again\n", "duplicate-key", 9, 1, "line 2"),
    "impossible date": (GOOD.replace("01-26", "02-30"), "impossible-date", 8, 13, "not on the calendar"),
    "a time of day": (GOOD.replace("2025-01-26T12:05:00Z", "12:30"), "bad-format", 8, 13, "'12:30'"),
    "no zone": (GOOD.replace("00Z", "00"), "instant-zone", 8, 13, "without a zone"),
    "alias": (GOOD.replace("- api", "- *api"), "yaml-feature", 6, 3, "alias *api"),
    "broken quote": (GOOD.replace("Login fails", '"Login fails'), "syntax", 2, 8, "quote"),
    "unknown state": (GOOD.replace("state: new", "state: openned"), "not-allowed", 4, 8, "'openned'"),
    "missing key": (GOOD.replace("title: Login fails\n", ""), "missing-key", 1, 1, "'title'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_on_its_line(repo: Repo, name: str) -> None:
    """The faults of the acceptance list, each alone in a record, with a sound record after it."""
    text, rule, line, column, told = FAULTS[name]
    repo.write("incidents/INC-1/incident.yaml", text)
    repo.put("INC-2", severity="SEV8")
    first = errors(repo)[0]
    assert (first.where.file, first.rule, first.where.line, first.where.column) == (
        "incidents/INC-1/incident.yaml",
        rule,
        line,
        column,
    )
    assert told in first.message
    assert first.hint
    assert [one.rule for one in findings(repo, "incidents/INC-2/incident.yaml") if one.level is Level.ERROR] == [
        "label"
    ]


def test_the_record_without_faults_has_none(repo: Repo) -> None:
    """Else the planted faults would prove nothing."""
    repo.write("incidents/INC-1/incident.yaml", GOOD)
    assert errors(repo) == []
    assert repo.report().files == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\1\2\xff", b"\xef\xbb\xbfid: INC-1", b"x" * 1_000_000, b"[" * 5000, b"- a", b"text", b"null", b"{}",
     b"a: &a [1]\nb: *a", b"id: INC-1\n---\nid: INC-2\n", b'id: "INC-1\\n"\n', b"id: ../../x"],
)  # fmt: skip
def test_a_file_that_is_no_record_is_told_and_hides_no_other(repo: Repo, content: bytes) -> None:
    repo.write("incidents/INC-1/incident.yaml", content)
    repo.put("INC-2", severity="SEV8")
    told = findings(repo, "incidents/INC-1/incident.yaml")
    assert told
    assert all(one.level is Level.ERROR and one.message and "\n" not in one.message + one.hint for one in told)
    assert "label" in [one.rule for one in findings(repo, "incidents/INC-2/incident.yaml")]
    assert [one.path for one in repo.catalogue().unreadable()] == ["incidents/INC-1/incident.yaml"]


def test_findings_come_in_order_of_file_and_line(repo: Repo) -> None:
    for name in ("INC-3", "INC-1", "INC-2"):
        repo.put(name, severity="SEV9", related=["INC-99", "INC-98"])
    told = [(one.where.file, one.where.line, one.where.column) for one in findings(repo)]
    assert told == sorted(told)
    assert len(told) >= 9


# ------------------------------------------------------------------ records together


def test_a_clash_of_ids_names_both_files_and_the_next_free_id(repo: Repo) -> None:
    repo.put("INC-12")
    repo.put("INC-12b", id="INC-12")
    repo.put("INC-13")
    told = [one for one in findings(repo) if one.rule == "id-unique"]
    assert [(one.where.file, one.where.line, one.where.column) for one in told] == [
        ("incidents/INC-12/incident.yaml", 1, 5),
        ("incidents/INC-12b/incident.yaml", 1, 5),
    ]
    assert "incidents/INC-12b/incident.yaml" in told[0].message
    assert "incidents/INC-12/incident.yaml" in told[1].message
    assert all("INC-14" in one.hint for one in told)


def test_a_clash_with_a_broken_record_is_a_clash(repo: Repo) -> None:
    repo.put("INC-12", severity=5)
    repo.put("INC-12b", id="INC-12")
    assert [one.where.file for one in findings(repo) if one.rule == "id-unique"] == [
        "incidents/INC-12/incident.yaml",
        "incidents/INC-12b/incident.yaml",
    ]


def test_a_link_that_leads_nowhere_is_told_at_its_place(repo: Repo) -> None:
    repo.put("INC-1", related=["INC-2", "INC-77"])
    repo.put("INC-2", title=None)
    [told] = [one for one in findings(repo) if one.rule == "link-known"]
    line = record_text(id="INC-1", related=["INC-2", "INC-77"]).splitlines().index("- INC-77") + 1
    assert (told.where.file, told.where.line, told.where.column) == ("incidents/INC-1/incident.yaml", line, 3)
    assert "INC-77" in told.message


def test_duplicates_that_lead_in_a_circle_are_told_in_every_file(repo: Repo) -> None:
    for source, target in (("INC-1", "INC-2"), ("INC-2", "INC-3"), ("INC-3", "INC-1"), ("INC-4", "INC-1")):
        repo.put(source, duplicate_of=target)
    told = [one for one in findings(repo) if one.rule == "link-cycle"]
    assert [one.where.file for one in told] == [f"incidents/INC-{number}/incident.yaml" for number in (1, 2, 3)]
    assert all(one.level is Level.ERROR and one.where.line > 1 for one in told)


# ------------------------------------------------------------------ modes


def generated(repo: Repo, seed: int) -> list[str]:
    """A repository of eight records with faults, links and circles, each under its own id -> their paths."""
    dice = random.Random(seed)
    names = [f"INC-{number}" for number in range(1, 9)]
    for name in names:
        changes: dict[str, object] = {"severity": dice.choice(["SEV1", "SEV2", "SEV9"])}
        if dice.random() < 0.5:
            changes["related"] = dice.sample([*names, "INC-77"], dice.randint(1, 3))
        if dice.random() < 0.4:
            changes["duplicate_of"] = dice.choice([*names, "INC-88"])
        if dice.random() < 0.2:
            changes["times"] = {"declared": "2031-01-01T00:00:00Z"}
        if dice.random() < 0.2:
            changes["title"] = None
        if dice.random() < 0.2:
            changes |= {"state": "closed", "outcome": "withdrawn"}
        repo.put(name, **changes)
        if dice.random() < 0.1:
            repo.write(f"incidents/{name}/incident.yaml", "id: [")
    return [f"incidents/{name}/incident.yaml" for name in names]


@pytest.mark.parametrize("seed", range(25))
def test_some_paths_are_judged_as_in_the_whole_run(repo: Repo, seed: int) -> None:
    """Only what the asked paths lead to is read, and yet nothing about them is missed or made up."""
    paths = generated(repo, seed)
    whole = repo.report().findings
    dice = random.Random(seed)
    for asked in ([path] for path in paths):
        asked = asked + dice.sample(paths, dice.randint(0, 2))
        catalogue = load_some(repo.store(), record_checker(repo.setting(), NOW), asked)
        some = validate_records(repo.store(), repo.setting(), catalogue, NOW, lambda path, asked=asked: path in asked)  # type: ignore[misc]
        assert list(some.findings) == [one for one in whole if one.where.file in asked]
        assert some.files == len(set(asked))


def test_some_paths_read_no_more_than_they_must(repo: Repo) -> None:
    for number in range(1, 40):
        repo.put(f"INC-{number}", related=[f"INC-{number + 1}"] if number < 3 else None)
    asked = ["incidents/INC-1/incident.yaml"]
    catalogue = load_some(repo.store(), record_checker(repo.setting(), NOW), asked)
    assert list(catalogue.ids()) == ["INC-1", "INC-2", "INC-3"]


def by_hand(repo: Repo, now: datetime) -> set[Finding]:
    """All findings of single records by the plainest way: every file read, every rule run on what fits the schema."""
    world, found = World(*repo.setting().require(), now), set()
    for file in sorted(repo.root.glob("incidents/*/incident.yaml")):
        path = file.relative_to(repo.root).as_posix()
        document = read_bytes(file.read_bytes(), path)
        if not isinstance(document, Document):
            found |= set(document)
        elif faults := check_document(document, "incident"):
            found |= set(faults)
            wrong = {fault.where.route[0] for fault in faults}
            rest = to_record(path, {key: value for key, value in document.data.items() if key not in wrong})
            found |= {one.at(document.locate(one.where)) for one in rules.run(rest, world, timed=False)}
        else:
            record = to_record(path, document.data)
            told = [*rules.run(record, world, timed=False), *rules.run(record, world, timed=True)]
            found |= {one.at(document.locate(one.where)) for one in told}
    return found


def plain(found: set[Finding]) -> set[tuple[object, ...]]:
    return {
        (one.rule, one.level, one.where.file, one.where.line, one.where.column, one.message, one.hint) for one in found
    }


def same_as_by_hand(repo: Repo, now: datetime) -> None:
    cross = {rule.ID for rule in rules.CROSS_RULES}
    told = {
        one
        for one in repo.report(now=now).findings
        if one.where.file.startswith("incidents/") and one.rule not in cross
    }
    assert plain(told) == plain(by_hand(repo, now))


@pytest.mark.parametrize("source", REPOSITORIES, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "day",
    [
        "2024-06-01T00:00:00+00:00",
        "2025-01-26T12:05:59+00:00",
        "2025-10-21T18:00:00+00:00",
        "2036-01-01T00:00:00+00:00",
    ],
)
def test_what_is_left_out_of_a_run_would_have_found_nothing(tmp_path: Path, source: Path, day: str) -> None:
    """Settled records are not read again, and rules that know no clock not run again: the findings are the same."""
    repo = Repo(tmp_path / "copy", git=False)
    for name in ("policy.yaml", "services.yaml"):
        shutil.copy(source / name, repo.root / name)
    shutil.copytree(source / "incidents", repo.root / "incidents")
    same_as_by_hand(repo, datetime.fromisoformat(day))


@pytest.mark.parametrize(
    "done_at",
    ["2025-06-01", "2025-06-02", "2025-06-03", "2099-01-01", "2025-06-01T12:01:59Z", "2025-06-01T12:02:00Z",
     "2025-06-01T12:02:00.5Z", "2025-06-01T12:02:01Z", "2025-06-01T23:59:59+12:00", "2025-06-02T01:00:00+14:00",
     "9999-12-31", "unknown"],
)  # fmt: skip
def test_a_settled_record_with_a_future_in_it_is_looked_at_again(repo: Repo, done_at: str) -> None:
    """To the second, and for dates without a time of day too."""
    item = {
        "id": "AI-1",
        "title": "x",
        "owner": "@a",
        "due": "2025-05-01",
        "status": "done",
        "done_at": done_at,
        "evidence": "x",
    }
    repo.put("INC-1", state="closed", outcome="withdrawn", action_items=[item])
    assert list(repo.catalogue().live()) == []
    same_as_by_hand(repo, NOW)


@pytest.mark.parametrize("written", ['"2099-01-\\u0030\\x31"', '"2099\\x2d01-01"', '"\\x32099-01-01"'])
def test_a_date_written_with_escapes_is_a_date(repo: Repo, written: str) -> None:
    item = 'action_items:\n- id: AI-1\n  title: x\n  status: done\n  owner: "@a"\n  done_at: ' + written + "\n"
    text = record_text(state="closed", outcome="withdrawn")
    repo.write("incidents/INC-1/incident.yaml", text + item)
    assert "future-instant" in [one.rule for one in findings(repo)]
    same_as_by_hand(repo, NOW)


# ------------------------------------------------------------------ the shipped records, and time


@pytest.mark.parametrize("source", REPOSITORIES, ids=lambda path: path.name)
@pytest.mark.parametrize("years", [0, 10])
def test_the_shipped_records_have_no_errors_today_and_in_ten_years(source: Path, years: int) -> None:
    repo = Repo(source, git=False, settings=False)
    now = datetime.now().astimezone() + timedelta(days=365.25 * years)
    report = repo.report(now=now)
    assert [str(one.where) + " " + one.message for one in report.findings if one.level is Level.ERROR] == []
    assert report.files >= 1
    assert "schema-copy" not in [one.rule for one in report.findings]


@pytest.mark.parametrize("seed", range(5))
def test_time_alone_makes_nothing_wrong(repo: Repo, seed: int) -> None:
    """A record without errors today has none on any later day (docs/contract.md#levels-of-findings)."""
    generated(repo, seed)

    def wrong(years: int) -> set[tuple[str, str, int]]:
        report = repo.report(now=NOW + timedelta(days=365 * years))
        return {(one.rule, one.where.file, one.where.line) for one in report.findings if one.level is Level.ERROR}

    assert wrong(30) <= wrong(10) <= wrong(1) <= wrong(0)


# ------------------------------------------------------------------ settings, other records, schema copies


@pytest.mark.parametrize(
    "policy", ["extends: sev9\n", "extends: policy.yaml\n", "levels: []\n", "extends: [\n", "", "\xff"]
)
def test_a_broken_policy_is_told_and_records_are_still_read(repo: Repo, policy: str) -> None:
    repo.write("policy.yaml", policy.encode("latin-1"))
    repo.put("INC-1", title=None, severity="SEV9")
    told = errors(repo)
    assert {one.where.file for one in told} == {"policy.yaml", "incidents/INC-1/incident.yaml"}
    assert {one.rule for one in told if one.where.file != "policy.yaml"} == {"missing-key"}


def test_missing_services_are_told_and_records_are_still_read(repo: Repo) -> None:
    (repo.root / "services.yaml").unlink()
    repo.put("INC-1", title=None)
    assert {one.where.file for one in errors(repo)} == {"services.yaml", "incidents/INC-1/incident.yaml"}


OTHERS = {
    "maintenance/CHG-2025-0001.yaml": "id: CHG-2025-0001\n",
    "problems/PRB-2025-0001.yaml": "id: PRB-2025-0001\ntitle: x\nstatus: nonsense\nincidents: [INC-1]\n",
    "freezes/year-end.yaml": "name: year-end\nreason: books\nfrom: 2025-12-19\n",
    "gates/checkout.yaml": "apiVersion: x\n",
}


@pytest.mark.parametrize("path", OTHERS)
def test_records_of_other_kinds_are_checked_too(repo: Repo, path: str) -> None:
    repo.write(path, OTHERS[path])
    told = errors(repo)
    assert told
    assert all(one.where.file == path and one.where.line >= 1 for one in told)
    assert repo.report().files == 1
    repo.write(path, "a: [")
    assert [one.rule for one in errors(repo)] == ["syntax"]


def test_a_sound_record_of_another_kind_has_no_findings(repo: Repo) -> None:
    repo.write("freezes/year-end.yaml", "name: year-end\nreason: Books\nfrom: 2025-12-19T17:00:00Z\n")
    repo.write("problems/PRB-2025-0012.yaml", "id: PRB-2025-0012\ntitle: VPN\nstatus: open\nincidents: [INC-12]\n")
    assert findings(repo) == []


def test_a_schema_copy_that_differs_is_a_warning(repo: Repo) -> None:
    shutil.copytree(ROOT / "schemas", repo.root / "schemas")
    assert findings(repo) == []
    repo.write("schemas/incident.schema.json", "{}")
    [told] = findings(repo)
    assert (told.rule, told.level, told.where.file) == ("schema-copy", Level.WARNING, "schemas/incident.schema.json")
    assert repo.report().errors == 0
    assert repo.report().warnings == 1


@pytest.mark.parametrize("number", ["42.0", "4.2e1"])
def test_a_whole_number_is_an_integer_however_it_is_written(repo: Repo, number: str) -> None:
    """JSON Schema takes 42.0 as an integer; the run must not end over it."""
    path = repo.put("INC-1", links={"tracking_issue": 7})
    text = (repo.root / path).read_text()
    repo.write(path, text.replace("tracking_issue: 7", f"tracking_issue: {number}"))
    assert repo.report().errors == 0
    (record,) = repo.catalogue().live()
    assert record.incident.links.tracking_issue == 42


def test_what_holds_up_every_comparison_cannot_be_silenced(repo: Repo) -> None:
    """A copy beside a record, both rules about ids silenced, would dodge all that is compared with the base."""
    path = repo.put("INC-1")
    text = (repo.root / path).read_text()
    line = "id: INC-1 # incident-ops: ignore[id-unique, id-folder] it is meant to be so\n"
    repo.write("incidents/A/incident.yaml", text.replace("id: INC-1\n", line))
    told = {finding.rule for finding in repo.report().findings if finding.level is Level.ERROR}
    assert {"id-unique", "id-folder"} <= told


WINDOW = """\
id: CHG-2025-0001
title: Upgrade
status: approved
services: [api]
window:
  zone: Etc/UTC
  from: 2025-01-26T13:00:00
  until: 2025-01-26T15:00:00
"""
FREEZE = "name: f\nreason: books\nfrom: 2025-01-26T12:00:00\nuntil: 2025-01-27T12:00:00\nzone: UTC\n"
OVERRIDE = FREEZE.replace("name: f", "name: override-7be19f2") + "kind: override\nby: '@a'\nsha: 7be19f2\n"


@pytest.mark.parametrize(
    ("path", "text", "place", "message"),
    [
        ("maintenance/CHG-2025-0001.yaml", WINDOW.replace("15:00", "12:00"), (8, 3), "ends before it begins"),
        (
            "maintenance/CHG-2025-0001.yaml",
            WINDOW.replace("Etc/UTC", "UTCC"),
            (6, 3),
            "'UTCC' is not a local time of a place",
        ),
        ("freezes/f.yaml", FREEZE.replace("27T", "25T"), (4, 1), "ends before it begins"),
        ("freezes/f.yaml", FREEZE.replace("UTC", "UTCC"), (5, 1), "'UTCC' is not a local time of a place"),
        ("freezes/f.yaml", FREEZE.replace("2025-01-27T", "9999-12-31T"), (4, 1), "years 1970 to 9899"),
        ("freezes/override-7be19f2.yaml", OVERRIDE.replace("27T", "25T"), (4, 1), "ends before it begins"),
    ],
)
def test_times_of_a_plan_that_the_gate_cannot_read_are_errors(
    repo: Repo, path: str, text: str, place: tuple[int, int], message: str
) -> None:
    """What `gate check` calls unreadable is found here, at the key to mend."""
    repo.write(path, text)
    [told] = repo.report().findings
    assert (told.rule, told.level, told.where.file) == ("plan-times", Level.ERROR, path)
    assert (told.where.line, told.where.column) == place
    assert message in told.message
    assert told.hint
    sound = {"maintenance": WINDOW, "freezes/f": FREEZE, "freezes/o": OVERRIDE}
    repo.write(path, next(good for begin, good in sound.items() if path.startswith(begin)))
    assert repo.report().findings == ()


def test_a_gate_file_is_judged_by_what_it_means(repo: Repo) -> None:
    """What the schema cannot see of a gate file, and a data source that the policy does not have."""
    shipped = (Path(__file__).parents[1] / "gates/error-rate.yaml").read_text()
    repo.write("gates/rate.yaml", shipped)
    told = {(finding.rule, finding.level) for finding in repo.report().findings}
    assert any(rule.startswith("gate-") and level is Level.ERROR for rule, level in told), told
    repo.write("policy.yaml", "extends: sev0-3\ndatasources:\n  main: {kind: prometheus, url_env: PROMETHEUS_URL}\n")
    assert repo.report().errors == 0
