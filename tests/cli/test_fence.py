"""One record that passes `validate` and whose numbers break a calculation: it is named, and all others are served."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from incident_ops.domain.incident import Incident
from tests.cli.scene import Folder, call

POISON = "INC-2"
CHANNEL = "slack"
BROKEN = f"a calculation with the values of {POISON} failed: OverflowError: date value out of range"
PLACES = {
    "clocks": "incident_ops.sla.status.clocks",
    "obligations": "incident_ops.sla.obligations.incident_obligations",
    "outcomes": "incident_ops.sla.compliance.outcomes",
    "documents": "incident_ops.app.render.incident_documents",
    "issue text": "incident_ops.documents.issue_bodies.tracking_body",
    "notices": "incident_ops.app.due.notices",
    "list": "incident_ops.render.lists._entry",
    "gate": "incident_ops.deploy_gate.holds.is_worked_on",
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
        "incident_ops.app.notify.incident_obligations", side_effect=OverflowError("date value out of range")
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
