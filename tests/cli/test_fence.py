"""One record that passes `validate` and whose numbers break a calculation: it is named, and all others are served."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from incident_ops import app
from incident_ops.domain.incident import Incident
from tests.cli.scene import Folder
from tests.cli.scene import call_merged as call

for _use_case in pkgutil.iter_modules(app.__path__):  # one that is imported under a mock would keep it for other tests
    importlib.import_module(f"{app.__name__}.{_use_case.name}")

POISON = "INC-2"
CHANNEL = "slack"
BROKEN = f"a calculation with the values of {POISON} failed: OverflowError: date value out of range"
PLACES = {
    "clocks": "incident_ops.sla.status.clocks",
    "obligations": "incident_ops.sla.obligations.incident_obligations",
    "outcomes": "incident_ops.sla.compliance.outcomes",
    "goals": "incident_ops.sla.compliance.level_of",
    "documents": "incident_ops.app.render_memory.incident_documents",
    "issue text": "incident_ops.documents.issue_bodies.tracking_body",
    "notices": "incident_ops.app.due.notices",
    "list": "incident_ops.render.lists._entry",
    "gate": "incident_ops.deploy_gate.holds.is_worked_on",
    "budget": "incident_ops.sla.error_budget.as_of",
}


def breaking(name: str) -> Any:
    """The calculation at this place, which fails for the one record alone."""
    target = PLACES[name]
    module, _, attribute = target.rpartition(".")
    real: Callable[..., Any] = getattr(__import__(module, fromlist=[attribute]), attribute)

    def failing(first: Any, *rest: Any, **more: Any) -> Any:
        incident = first if isinstance(first, Incident) else getattr(first, "incident", None)
        names = [incident.id] if incident else [one.incident for one in first]
        if POISON in names:
            raise OverflowError("date value out of range")
        return real(first, *rest, **more)

    return mock.patch(target, failing)


ESCALATION = (
    '[{{key: "{name}/resolution/1/escalate.SEV1", at: "2025-01-26T13:00:00Z", rule: time, reason: late, '
    'notified: ["@lead"], noticed_at: "{noticed}"}}]'
)


def breaking_text(target: str, poison: str) -> Any:
    """The function at this place, which fails for this one text."""
    module, _, attribute = target.rpartition(".")
    real: Callable[..., Any] = getattr(__import__(module, fromlist=[attribute]), attribute)

    def failing(text: Any, *rest: Any, **more: Any) -> Any:
        if text == poison:
            raise OverflowError("date value out of range")
        return real(text, *rest, **more)

    return mock.patch(target, failing)


@pytest.fixture
def three(folder: Folder) -> Folder:
    for name in ("INC-1", POISON, "INC-3"):
        folder.put(name)
    folder.commit()
    assert call("validate", at=folder.path).code == 0
    return folder


@pytest.mark.parametrize(
    ("broken", "args"),
    [
        ("clocks", ("sla", "check", "--format", "json")),
        ("obligations", ("sla", "check", "--format", "json")),
        ("outcomes", ("sla", "report", "--format", "json")),
        ("goals", ("sla", "report", "--format", "json")),
        ("obligations", ("plan", "--format", "json")),
        ("notices", ("plan", "--format", "json")),
        ("issue text", ("plan", "--format", "json")),
        ("list", ("list", "--format", "json")),
    ],
)
def test_it_is_a_row_under_unread_and_the_others_are_there(three: Folder, broken: str, args: tuple[str, ...]) -> None:
    with breaking(broken):
        done = call(*args, at=three.path)
    assert done.code == 3, done
    data = json.loads(done.out)
    [row] = data["unread"]
    assert BROKEN in (row.get("message") or row.get("reason")), row
    assert f"incidents/{POISON}/incident.yaml" in row.values()
    left = ("unread", "obligations") if broken == "clocks" else ("unread",)
    served = json.dumps({key: value for key, value in data.items() if key not in left})
    assert POISON not in served
    assert args[1] == "report" or ("INC-1" in served and "INC-3" in served)


def test_the_report_counts_the_escalations_of_others_where_one_has_an_instant_that_breaks(folder: Folder) -> None:
    noticed = {"INC-1": "2025-01-26T13:20:00Z", POISON: "2025-01-26T13:25:00Z", "INC-3": "2025-01-26T13:30:00Z"}
    for name, at in noticed.items():
        folder.put(name, escalations=ESCALATION.format(name=name, noticed=at))
    folder.commit()
    whole = json.loads(call("sla", "report", "--format", "json", at=folder.path).out)
    assert (whole["noticing"]["seconds"]["n"], whole["incidents"]) == (3, 3)
    with breaking_text("incident_ops.sla.compliance.instant", noticed[POISON]):
        done = call("sla", "report", "--format", "json", at=folder.path)
    assert done.code == 3, done
    data = json.loads(done.out)
    assert [BROKEN in row["message"] for row in data["unread"]] == [True]
    assert (data["noticing"]["seconds"]["n"], data["incidents"]) == (2, 2)


def test_healthy_incidents_beside_it_are_announced(three: Folder) -> None:
    with breaking("obligations"):
        done = call("apply", "--format", "json", at=three.path)
    assert done.code == 3, done
    assert three.open_keys() == ["INC-1", "INC-3"]
    assert BROKEN in done.err
    sent = {one["key"].partition("/")[0] for one in json.loads(done.out)["notices"]}
    assert sent == {"INC-1", "INC-3"}


def test_its_documents_are_not_written_and_those_of_others_are(three: Folder) -> None:
    with breaking("documents"):
        done = call("render", at=three.path)
    assert done.code == 3, done
    assert BROKEN in done.err
    written = {path.parent.name for path in three.path.glob("incidents/*/incident.md")}
    assert written == {"INC-1", "INC-3"}


def test_another_incident_is_shown_and_notified_and_it_is_named_itself(three: Folder) -> None:
    with breaking("list"):
        assert call("show", "INC-1", at=three.path).code == 0
    with mock.patch("incident_ops.app.views.clocks", side_effect=OverflowError("date value out of range")):
        call("show", POISON, at=three.path).told_once(3, POISON, BROKEN)
    with mock.patch(
        "incident_ops.app.notify_by_hand.incident_obligations", side_effect=OverflowError("date value out of range")
    ):
        call("notify", POISON, "--mark", "declared", "--channel", CHANNEL, "--dry-run", at=three.path).told_once(
            3, BROKEN
        )


def test_the_gate_cannot_tell(folder: Folder) -> None:
    folder.put(POISON)
    folder.commit()
    with breaking("gate"):
        done = call("gate", "check", "-s", "api", "--format", "json", at=folder.path)
    assert done.code == 3, done
    told = json.loads(done.out)
    assert (told["verdict"], told["reason_code"]) == ("inconclusive", "unreadable_record")


BUDGET = "extends: sev0-3\nslo: {target_pct: 99.9, window: 30d}\ngate: {budget: hold}\n"
IN_THE_WINDOW = {
    "state": "closed",
    "times": "{declared: 2025-01-20T10:20:00Z, started: 2025-01-20T10:15:00Z, acknowledged: 2025-01-20T10:25:00Z, "
    "restored: 2025-01-20T10:35:00Z, resolved: 2025-01-20T10:45:00Z, closed: 2025-01-20T11:00:00Z}",
    "cause": "{category: unknown}",
}
BEFORE_THE_WINDOW = {**IN_THE_WINDOW, "times": IN_THE_WINDOW["times"].replace("2025-01", "2024-01")}


def verdict(folder: Folder, *more: str, service: str = "api") -> tuple[int, str, str]:
    """Exit code, verdict, reason code."""
    done = call("gate", "check", "-s", service, "--format", "json", *more, at=folder.path)
    data = json.loads(done.out)
    return done.code, data["verdict"], data["reason_code"]


CANNOT_TELL = (3, "inconclusive", "unreadable_record")
PASSED = (0, "pass", "ok")


@pytest.mark.parametrize("more", ["", "gate: {budget: hold, block_on_open_rank: null}", "gate: {budget: burn}"])
@pytest.mark.parametrize("committed", [True, False])
def test_a_closed_incident_that_the_error_budget_cannot_count_is_never_a_pass(
    folder: Folder, more: str, committed: bool
) -> None:
    folder.write("policy.yaml", BUDGET.replace("gate: {budget: hold}", more or "gate: {budget: hold}"))
    folder.put(POISON, **IN_THE_WINDOW)
    if committed:
        folder.commit()
    assert verdict(folder) == PASSED
    with breaking("budget"):
        assert verdict(folder) == CANNOT_TELL
        assert verdict(folder, service="web") == PASSED
        done = call("gate", "check", "-s", "api", at=folder.path)
    assert f"incidents/{POISON}/incident.yaml" in done.out
    assert BROKEN in done.out


def test_the_budget_counts_requests_and_one_record_cannot_be_counted(folder: Folder) -> None:
    folder.write("policy.yaml", BUDGET.replace("window: 30d", "window: 30d, mode: requests"))
    folder.put(POISON, impact="{failed_requests: 3}", **IN_THE_WINDOW)
    folder.commit()
    assert verdict(folder, "--requests", "1000000") == PASSED
    with breaking("budget"):
        assert verdict(folder, "--requests", "1000000") == CANNOT_TELL


def test_a_closed_record_that_cannot_be_read_counts_while_its_impact_lies_in_the_window(folder: Folder) -> None:
    folder.write("policy.yaml", BUDGET)
    folder.put("INC-1", **IN_THE_WINDOW)
    folder.put("INC-3", **BEFORE_THE_WINDOW)
    folder.commit()
    folder.put("INC-3", text="id: [\n")
    assert verdict(folder) == PASSED
    folder.put("INC-1", text="id: [\n")
    assert verdict(folder) == CANNOT_TELL
    assert verdict(folder, service="web") == PASSED
    folder.write("policy.yaml", "extends: sev0-3\n")
    assert verdict(folder) == PASSED


def test_what_is_published_says_that_the_budget_is_unknown(folder: Folder) -> None:
    folder.write("policy.yaml", BUDGET)
    folder.put(POISON, **IN_THE_WINDOW)
    folder.commit()
    with breaking("budget"):
        done = call("gate", "publish", "--output", "gate.json", at=folder.path)
    assert done.code in (0, 3), done
    services = json.loads((folder.path / "gate.json").read_text())["services"]
    assert (services["api"]["held"], services["api"]["reasons"]) == (True, ["unreadable_record"])
    assert services["web"]["held"] is False


SHA = "7be19f2" + "0" * 33
EXPIRES = "2025-01-26T15:30:00Z"


def test_an_override_that_breaks_releases_nothing_and_one_in_a_file_still_does(folder: Folder) -> None:
    """One in another record releases from that incident alone, and what breaks may hold for another reason."""
    entry = (
        f"[{{{{at: '2025-01-26T13:00:00Z', service: api, environment: production, sha: '{SHA}', by: '@a', reason: r, "
        "expires: '{end}'}}]"
    )
    folder.put(POISON, overrides=entry.format(end=EXPIRES))
    folder.commit()
    assert verdict(folder, "--sha", SHA) == (0, "overridden", "override")
    with breaking_text("incident_ops.deploy_gate.release.parse_instant", EXPIRES):
        assert verdict(folder, "--sha", SHA) == CANNOT_TELL
        folder.put("INC-3", overrides=entry.format(end="2025-01-26T16:00:00Z"))
        assert verdict(folder, "--sha", SHA) == CANNOT_TELL
        file = f"name: o\nkind: override\nreason: r\nfrom: 2025-01-26T12:00:00Z\nsha: {SHA}\nby: '@a'\n"
        folder.write("freezes/o.yaml", f"{file}until: 2025-01-26T18:00:00Z\nservices: [api]\n")
        assert verdict(folder, "--sha", SHA) == (0, "overridden", "override")


FREEZE = "name: f\nreason: books\nfrom: 2025-01-26T12:00:00Z\n"
WINDOW = (
    "id: CHG-2025-0001\ntitle: Upgrade\nstatus: approved\nservices: [api]\n"
    "window: {zone: Etc/UTC, from: 2025-01-26T13:00:00, until: 2025-01-26T15:00:00}\n"
)


@pytest.mark.parametrize(
    ("path", "text", "broken"),
    [
        ("freezes/f.yaml", FREEZE, "planned_freeze"),
        ("maintenance/CHG-2025-0001.yaml", WINDOW, "planned_change"),
    ],
)
def test_a_freeze_or_a_window_whose_times_break_is_named_and_nothing_passes(
    folder: Folder, path: str, text: str, broken: str
) -> None:
    folder.write(path, text)
    folder.commit()
    failing = mock.Mock(side_effect=OverflowError("date value out of range"))
    with (
        mock.patch(f"incident_ops.deploy_gate.holds.{broken}", failing),
        mock.patch(f"incident_ops.deploy_gate.plan_check.{broken}", failing),
    ):
        done = call("gate", "check", "-s", "api", "--format", "json", at=folder.path)
        checked = call("validate", at=folder.path)
    data = json.loads(done.out)
    assert (done.code, data["verdict"], data["reason_code"]) == CANNOT_TELL
    [row] = data["unread"]
    assert row["file"] == path
    assert "OverflowError: date value out of range" in row["message"]
    assert checked.code == 1, checked
    assert "plan-times" in checked.out


def test_an_override_file_whose_times_break_releases_nothing(folder: Folder) -> None:
    folder.put("INC-1")
    folder.write(
        "freezes/override-7be19f2.yaml",
        "name: override-7be19f2\nreason: r\nkind: override\nfrom: 2025-01-26T13:00:00Z\n"
        f"until: {EXPIRES}\nsha: '{SHA}'\nby: '@a'\n",
    )
    folder.commit()
    assert verdict(folder, "--sha", SHA) == (0, "overridden", "override")
    with mock.patch("incident_ops.deploy_gate.release.planned_freeze", side_effect=OverflowError("out of range")):
        assert verdict(folder, "--sha", SHA) == (3, "frozen", "open_incident")
    with mock.patch("incident_ops.deploy_gate.public_state.planned_freeze", side_effect=OverflowError("out of range")):
        done = call("gate", "publish", "--output", "gate.json", at=folder.path)
    assert done.code == 0, done
    assert json.loads((folder.path / "gate.json").read_text())["services"]["api"]["overrides"] == []


def test_a_freeze_whose_times_break_is_not_lifted_and_its_file_is_named(folder: Folder) -> None:
    file = folder.write("freezes/f.yaml", FREEZE)
    with mock.patch("incident_ops.edits.freeze.planned_freeze", side_effect=OverflowError("date value out of range")):
        done = call("unfreeze", "f", at=folder.path)
    done.told_once(3, "freezes/f.yaml", "a calculation with the values of f failed", "check its times")
    assert file.read_text() == FREEZE


def test_a_window_or_a_freeze_whose_times_break_does_not_keep_another_freeze_from_being_written(folder: Folder) -> None:
    folder.write("maintenance/CHG-2025-0001.yaml", WINDOW)
    failing = mock.Mock(side_effect=OverflowError("date value out of range"))
    with mock.patch("incident_ops.app.planned_changes.planned_change", failing):
        assert call("freeze", "g", "--reason", "r", at=folder.path).code == 0
    with mock.patch("incident_ops.app.planned_changes.planned_freeze", failing):
        assert call("freeze", "h", "--reason", "r", at=folder.path).code == 0
        call("freeze", "h", "--reason", "r", at=folder.path).told_once(2, "freezes/h.yaml", "it is there already")


def test_an_unreadable_freeze_whose_last_version_breaks_may_hold(folder: Folder) -> None:
    folder.write("freezes/f.yaml", f"{FREEZE}until: 2025-01-26T13:00:00Z\n")
    folder.commit()
    folder.write("freezes/f.yaml", "name: [\n")
    assert verdict(folder) == PASSED
    failing = mock.Mock(side_effect=OverflowError("date value out of range"))
    with mock.patch("incident_ops.app.gate_check.planned_freeze", failing):
        assert verdict(folder) == CANNOT_TELL


def test_a_command_that_edits_it_names_the_file_and_what_to_check_and_writes_nothing(three: Folder) -> None:
    before = (three.path / f"incidents/{POISON}/incident.yaml").read_bytes()
    with mock.patch(
        "incident_ops.cli.resolve.respond.acknowledge", side_effect=OverflowError("date value out of range")
    ):
        done = call("ack", POISON, "--by", "@a", at=three.path)
    done.told_once(3, f"incidents/{POISON}/incident.yaml", BROKEN, "check its times, dates and numbers")
    assert (three.path / f"incidents/{POISON}/incident.yaml").read_bytes() == before


def test_an_edit_may_mend_a_record_that_breaks_a_rule_and_none_that_stays_broken_is_written(three: Folder) -> None:
    def rule(record: Any, _world: Any) -> Any:
        if record.incident.id == POISON and record.incident.state in broken:
            raise OverflowError("date value out of range")
        return iter(())

    broken = {"new", "in_progress"}
    before = (three.path / f"incidents/{POISON}/incident.yaml").read_bytes()
    with mock.patch.dict("incident_ops.rules._BY_TIMED", {False: (rule,)}):
        call("ack", POISON, "--by", "@a", at=three.path).told_once(3, f"incidents/{POISON}/incident.yaml", BROKEN)
        assert (three.path / f"incidents/{POISON}/incident.yaml").read_bytes() == before
        assert call("ack", "INC-1", "--by", "@a", at=three.path).code == 0
        broken.remove("in_progress")
        assert call("ack", POISON, "--by", "@a", at=three.path).code == 0
    assert "in_progress" in (three.path / f"incidents/{POISON}/incident.yaml").read_text()


def test_what_comes_next_is_known_before_anything_is_written(three: Folder) -> None:
    before = (three.path / f"incidents/{POISON}/incident.yaml").read_bytes()
    with mock.patch("incident_ops.edits.declare.next_steps", side_effect=OverflowError("date value out of range")):
        call("ack", POISON, "--by", "@a", at=three.path).told_once(3, f"incidents/{POISON}/incident.yaml", BROKEN)
    assert (three.path / f"incidents/{POISON}/incident.yaml").read_bytes() == before


def test_a_rule_that_breaks_is_a_finding(three: Folder) -> None:
    def rule(record: Any, _world: Any) -> Any:
        if record.incident.id == POISON:
            raise OverflowError("date value out of range")
        return iter(())

    three.put("INC-4")  # what is in no commit is judged anew by every command
    with mock.patch.dict("incident_ops.rules._BY_TIMED", {False: (rule,)}):
        three.put(POISON, tags="[anew]")
        listed = call("list", "--format", "json", at=three.path)
        checked = call("validate", at=three.path)
    assert listed.code == 3, listed
    data = json.loads(listed.out)
    assert [BROKEN in one["message"] for one in data["unread"]] == [True]
    assert {one["id"] for one in data["incidents"]} == {"INC-1", "INC-3", "INC-4"}
    assert checked.code == 1
    assert "calculation" in checked.out


def test_a_fault_outside_one_record_still_ends_the_run(three: Folder) -> None:
    with mock.patch("incident_ops.app.sla.clock_report", side_effect=OverflowError("not of one record")):
        done = call("sla", "check", at=three.path)
    assert done.code not in (0, 1)
    assert "not of one record" in done.err
