"""validate with a base: what a change brought about counts, all else is a note; and comments that silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_ops.findings import Finding, Level
from incident_ops.records.base_revision import changes_since
from incident_ops.records.store import load_some
from incident_ops.validation import ValidationReport, record_checker, validate_records
from tests.support.repository import NOW, IndexCache, Repo, record_text

BAD = "severity: SEV9\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Main holds two good records and one broken one; the branch `change` is checked out."""
    repo = Repo(tmp_path / "repo")
    repo.put("INC-1")
    repo.put("INC-2")
    repo.put("INC-3", severity="SEV9")
    repo.commit("merged")
    repo.git("checkout", "--quiet", "-b", "change")
    return repo


def report(repo: Repo, revision: str | None = "main") -> ValidationReport:
    store, setting, catalogue = repo.store(), repo.setting(), repo.catalogue()
    present = [*catalogue.paths(), *(path for path, _ in store.others()), "policy.yaml", "services.yaml"]
    base = changes_since(store, revision, present) if revision else None
    return validate_records(store, setting, catalogue, NOW, base=base)


def told(report: ValidationReport, level: Level = Level.ERROR) -> list[tuple[str, str]]:
    return [(one.rule, one.where.file.split("/")[1]) for one in report.findings if one.level is level]


def test_a_record_that_was_broken_before_is_a_note_with_its_message(repo: Repo) -> None:
    plain, based = report(repo, None), report(repo)
    assert told(plain) == [("label", "INC-3")]
    assert (based.errors, based.warnings) == (0, 0)
    assert told(based, Level.NOTE) == [("label", "INC-3")]
    assert [(one.message, one.hint, one.where) for one in plain.findings] == [
        (one.message, one.hint, one.where) for one in based.findings
    ]


@pytest.mark.parametrize("text", ["id: [\n", "id: INC-4\n", record_text(id="INC-4", severity="SEV9")])
def test_a_fault_in_a_new_file_counts(repo: Repo, text: str) -> None:
    repo.write("incidents/INC-4/incident.yaml", text)
    assert {where for _, where in told(report(repo))} == {"INC-4"}


def test_whoever_edits_a_broken_record_mends_it(repo: Repo) -> None:
    repo.put("INC-3", severity="SEV9", title="Other")
    assert told(report(repo)) == [("label", "INC-3")]


def test_history_is_compared(repo: Repo) -> None:
    repo.put("INC-1", times={"declared": "2025-01-26T12:06:00Z"})
    (found,) = [one for one in report(repo).findings if one.level is Level.ERROR]
    assert (found.rule, found.where.file) == ("merged-instant", "incidents/INC-1/incident.yaml")
    assert "12:06" in (repo.root / found.where.file).read_text().splitlines()[found.where.line - 1]


def test_a_moved_record_is_compared_in_its_new_place(repo: Repo) -> None:
    (repo.root / "incidents/INC-1").rename(repo.root / "incidents/INC-1-x")
    repo.write("incidents/INC-1-x/incident.yaml", record_text(id="INC-1", times={"declared": "2025-01-26T12:06:00Z"}))
    assert ("merged-instant", "INC-1-x") in told(report(repo))
    assert told(report(repo), Level.WARNING) == []


def test_a_record_under_another_id_is_compared_with_what_it_was(repo: Repo) -> None:
    """Folder and id renamed together: else a merged history could be rewritten as a new incident."""
    for path in ("INC-2", "INC-3"):
        (repo.root / f"incidents/{path}/incident.yaml").unlink()
    event = {"at": "2025-01-26T12:06:00Z", "kind": "note", "event": "paged"}
    repo.put("INC-1", timeline=[event])
    repo.commit("one record")
    repo.git("branch", "--force", "main")
    for changes in ({"timeline": [{**event, "event": "nothing"}]}, {"title": "Other", "timeline": [event]}):
        (repo.root / "incidents/INC-1/incident.yaml").unlink(missing_ok=True)
        repo.put("INC-9", **changes)
        found = report(repo)
        assert ("id-kept", "INC-9") in told(found)
        assert (("append-only", "INC-9") in told(found)) == ("title" not in changes)
        retitled = [("detail-recorded", "INC-9")] * ("title" in changes)
        assert told(found, Level.WARNING) == [("record-deleted", "INC-1"), *retitled]
    repo.put("INC-9", title="Other", times={"declared": "2025-01-26T12:05:00Z"})
    assert told(report(repo)) == []


def test_a_number_given_twice_may_be_mended(repo: Repo) -> None:
    """The mend that the clash of two ids asks for: the record merged last takes another folder and id."""
    repo.git("checkout", "--quiet", "main")
    repo.write("incidents/INC-1b/incident.yaml", record_text(id="INC-1"))
    repo.commit("a clash")
    repo.git("checkout", "--quiet", "-B", "change")
    (repo.root / "incidents/INC-1b/incident.yaml").unlink()
    repo.put("INC-4")
    found = report(repo)
    assert (told(found), told(found, Level.WARNING)) == ([], [])


def test_a_deletion_is_a_warning(repo: Repo) -> None:
    (repo.root / "incidents/INC-1/incident.yaml").unlink()
    based = report(repo)
    assert told(based) == []
    assert told(based, Level.WARNING) == [("record-deleted", "INC-1")]


def test_a_link_that_leads_nowhere_since_this_change_counts_where_it_stands(repo: Repo) -> None:
    """The file with the link is untouched; what it names was deleted."""
    repo.git("checkout", "--quiet", "main")
    repo.put("INC-4", related=["INC-1"])
    repo.put("INC-5", related=["INC-77"])
    repo.commit("links")
    repo.git("checkout", "--quiet", "-B", "change")
    assert told(report(repo)) == []
    (repo.root / "incidents/INC-1/incident.yaml").unlink()
    assert told(report(repo)) == [("link-known", "INC-4")]


def test_a_clash_of_ids_counts_at_both_files(repo: Repo) -> None:
    repo.write("incidents/INC-1b/incident.yaml", record_text(id="INC-1"))
    assert {where for rule, where in told(report(repo)) if rule == "id-unique"} == {"INC-1", "INC-1b"}


def test_a_clash_that_was_there_before_is_a_note(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "main")
    repo.write("incidents/INC-1b/incident.yaml", record_text(id="INC-1"))
    repo.commit("a clash")
    repo.git("checkout", "--quiet", "-B", "change")
    repo.put("INC-2", title="Other")
    assert report(repo).errors == 0
    assert ("id-unique", "INC-1") in told(report(repo), Level.NOTE)


def test_a_circle_closed_by_this_change_counts_at_every_link(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "main")
    repo.put("INC-1", duplicate_of="INC-2", outcome="duplicate")
    repo.commit("a link")
    repo.git("checkout", "--quiet", "-B", "change")
    repo.put("INC-2", duplicate_of="INC-1", outcome="duplicate")
    assert {where for rule, where in told(report(repo)) if rule == "link-cycle"} == {"INC-1", "INC-2"}


def test_a_changed_policy_makes_rules_count_everywhere(repo: Repo) -> None:
    """But not what no policy can have caused."""
    repo.git("checkout", "--quiet", "main")
    repo.write("incidents/INC-4/incident.yaml", "id: [\n")
    repo.commit("unreadable")
    repo.git("checkout", "--quiet", "-B", "change")
    repo.write("policy.yaml", "extends: sev1-3\n")
    assert {where for _, where in told(report(repo))} == {"INC-1", "INC-2", "INC-3"}
    repo.write("policy.yaml", "extends: sev0-3\n")
    repo.write("services.yaml", 'services: {auth: {owner: "@team"}}\n')
    based = report(repo)
    found = [*told(based), *told(based, Level.WARNING)]
    assert {where for rule, where in found if rule == "service-known"} == {"INC-1", "INC-2", "INC-3"}


def test_a_policy_broken_by_this_change_counts_and_merged_records_are_still_compared(repo: Repo) -> None:
    repo.write("policy.yaml", "extends: nothing\n")
    repo.put("INC-1", times={"declared": "2025-01-26T12:06:00Z"})
    found = [one for one in report(repo).findings if one.level is Level.ERROR]
    assert {"policy.yaml", "incidents/INC-1/incident.yaml"} == {one.where.file for one in found}
    assert "merged-instant" in {one.rule for one in found}


def test_other_records_count_only_where_they_changed(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "main")
    repo.write("freezes/old.yaml", "x: 1\n")
    repo.commit("a broken freeze")
    repo.git("checkout", "--quiet", "-B", "change")
    assert report(repo).errors == 0
    repo.write("freezes/new.yaml", "x: 1\n")
    assert {one.where.file for one in report(repo).findings if one.level is Level.ERROR} == {"freezes/new.yaml"}


# ------------------------------------------------------------------ silencing

SERVICE = "services:\n- api\n- gone # incident-ops: ignore[service-known] retired in May\n"


def with_comment(text: str, old: str = "services:\n- api\n") -> str:
    return record_text().replace(old, text)


def test_a_silenced_finding_is_kept_apart_with_its_reason(repo: Repo) -> None:
    repo.write("incidents/INC-1/incident.yaml", with_comment(SERVICE))
    found = report(repo, None)
    assert [(one.finding.rule, one.reason) for one in found.silenced] == [("service-known", "retired in May")]
    assert ("service-known", "INC-1") not in told(found)


@pytest.mark.parametrize("rule", ["moves", "secret", "text-safety", "unknown-key", "append-only", "silence-reason"])
def test_what_cannot_be_silenced_is_not(repo: Repo, rule: str) -> None:
    """A comment at the line of the finding changes nothing, and says so."""
    texts = {
        "moves": record_text(state="triaged").replace("state: triaged", "state: triaged {}"),
        "secret": record_text(title="AKIAIOSFODNN7EXAMPLE").replace("EXAMPLE\n", "EXAMPLE {}\n"),
        "text-safety": record_text(title="x").replace("title: x", 'title: "a\\u202eb" {}'),
        "unknown-key": record_text().replace("state: new", "stat: x {}\nstate: new"),
        "append-only": record_text(tags=["a"]).replace("id: INC-1", "id: INC-1 {}"),
        "silence-reason": record_text().replace(
            "state: new", "# incident-ops: ignore[silence-reason] {}\nstate: new # incident-ops: ignore[label]"
        ),
    }
    if rule == "append-only":
        repo.git("checkout", "--quiet", "main")
        repo.put("INC-1", timeline=[{"at": "2025-01-26T12:05:00Z", "kind": "note", "event": "e"}])
        repo.commit("a timeline")
        repo.git("checkout", "--quiet", "-B", "change")
    comment = f"# incident-ops: ignore[{rule}] it is fine"
    repo.write("incidents/INC-1/incident.yaml", texts[rule].replace("{}", comment))
    found = report(repo)
    assert rule in {one for one, _ in told(found)}
    assert not found.silenced


def test_a_silence_holds_for_its_line_and_rule_only(repo: Repo) -> None:
    for text in (
        SERVICE.replace("- gone #", "- gone\n- api #"),
        SERVICE.replace("service-known", "label"),
        SERVICE.replace("- gone #", "# incident-ops: ignore[service-known] far away\n\n- gone #").replace(
            "gone # incident-ops: ignore[service-known] retired in May", "gone"
        ),
    ):
        repo.write("incidents/INC-1/incident.yaml", with_comment(text))
        assert report(repo, None).silenced == ()


def test_a_finding_about_several_records_can_be_silenced(repo: Repo) -> None:
    text = record_text() + "related:\n- INC-77 # incident-ops: ignore[link-known] of the old system\n"
    repo.write("incidents/INC-1/incident.yaml", text)
    found = report(repo, None)
    assert [one.finding.rule for one in found.silenced] == ["link-known"]
    assert "silence-unused" not in {one.rule for one in found.findings}


def test_a_part_of_the_records_does_not_call_a_silence_unused(repo: Repo) -> None:
    """What only all records together show is not asked of a few."""
    text = record_text() + "related:\n- INC-2 # incident-ops: ignore[link-cycle] both were first\n"
    repo.write("incidents/INC-1/incident.yaml", text)
    store, setting = repo.store(), repo.setting()
    path = "incidents/INC-1/incident.yaml"
    few = load_some(store, record_checker(setting, NOW), [path])
    found: list[Finding] = [*validate_records(store, setting, few, NOW, lambda one: one == path).findings]
    assert "silence-unused" not in {one.rule for one in found}
    assert "silence-unused" in {one.rule for one in report(repo, None).findings}


def test_silences_are_kept_between_runs(repo: Repo) -> None:
    """The second run reads no file, and tells the same."""

    class Memory:
        content: bytes | None = None

        def load(self) -> bytes | None:
            return self.content

        def save(self, content: bytes) -> None:
            self.content = content

    keep: IndexCache = Memory()
    repo.write("incidents/INC-1/incident.yaml", with_comment(SERVICE))
    repo.commit("silenced")
    first, second = repo.report(keep=keep), repo.report(keep=keep)
    assert first == second
    assert len(second.silenced) == 1


def test_a_silence_goes_with_its_record(repo: Repo) -> None:
    repo.write("incidents/INC-1/incident.yaml", with_comment(SERVICE))
    catalogue = repo.catalogue()
    assert len(catalogue.silences()) == 1
    catalogue.drop("incidents/INC-1/incident.yaml")
    assert catalogue.silences() == []
