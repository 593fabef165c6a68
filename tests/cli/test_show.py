"""show: the incident that is meant, on one screen or as JSON; a record that cannot be read is told by its line."""

from __future__ import annotations

import json

import click
import pytest
from click.shell_completion import ShellComplete

from incident_ops.app.demo import scenes
from incident_ops.cli.completion import complete_service
from incident_ops.cli.main import cli
from incident_ops.cli.options import complete_incident
from tests.cli.scene import CLOSED, ROOT, Folder, call, contents

KEYS = [
    "schema", "at", "id", "kind", "file", "title", "severity", "priority", "state", "outcome", "phase",
    "response_phase", "public_status", "services", "pending", "drill", "visibility", "declared",
    "age_seconds", "impact_seconds", "impact",
    "impact_services", "contributing", "roles", "commander_due", "waiting", "snooze",
    "assigned_to", "last_update", "clocks", "timeline", "action_items", "links", "related", "next",
]  # fmt: skip


@pytest.mark.parametrize("scene", scenes(), ids=lambda scene: scene.preset)
def test_every_example_is_shown_on_one_screen_without_colour_codes(scene) -> None:  # type: ignore[no-untyped-def]
    folder = ROOT / "examples" / scene.preset
    for record in sorted((folder / "incidents").iterdir()):
        done = call("show", record.name, at=folder, clock=scene.clock)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(record.name)
        assert "\x1b" not in done.out
        assert len(done.out.splitlines()) <= 23


def test_the_json_has_its_keys_in_this_order(folder: Folder) -> None:
    folder.put()
    data = json.loads(call("show", "--format", "json", at=folder.path).out)
    assert list(data) == KEYS
    assert (data["schema"], data["id"], data["age_seconds"], data["impact_seconds"]) == (1, "INC-1", 6900, None)
    assert [one["clock"] for one in data["clocks"]] == ["response", "resolution", "update_internal"]
    assert data["next"] == ["incident-ops ack INC-1"]


def test_colours_are_shown_when_asked_for(folder: Folder) -> None:
    """A breached clock is red, the next step bold."""
    folder.put()
    out = call("--color", "always", "show", at=folder.path).out
    assert "\x1b[31mClocks     breached" in out
    assert "\x1b[1mNext" in out


def test_without_an_id_the_only_open_incident_is_shown(folder: Folder) -> None:
    folder.put("INC-1", **CLOSED)
    folder.put("INC-2")
    assert call("show", at=folder.path).out.startswith("INC-2  SEV1  new")


def test_several_open_incidents_are_listed_to_choose_from(folder: Folder) -> None:
    folder.put("INC-1", severity="SEV2")
    folder.put("INC-2")
    done = call("show", at=folder.path)
    done.told_once(2, "Which incident? 2 are open")
    assert [line.split()[0] for line in done.err.splitlines()] == ["error:", "INC-2", "INC-1"]
    as_json = call("show", "--format", "json", at=folder.path)
    assert (as_json.code, as_json.out) == (2, "")


def test_no_open_incident_is_told(folder: Folder) -> None:
    call("show", at=folder.path).told_once(2, "no incident is open")


@pytest.mark.parametrize("asked", ["INC-20250126-120500", "inc-20250126-120500", "20250126-120500", "120500"])
def test_an_id_can_be_shortened(folder: Folder, asked: str) -> None:
    folder.put("INC-20250126-120500")
    folder.put("INC-20250126-120501")
    assert call("show", asked, at=folder.path).out.startswith("INC-20250126-120500  ")


def test_an_end_that_two_ids_have_and_a_slip_are_told(folder: Folder) -> None:
    folder.put("INC-20250126-120500")
    folder.put("INC-20250127-120500")
    call("show", "120500", at=folder.path).told_once(2, "INC-20250126-120500", "INC-20250127-120500")
    call("show", "INC-20250126-120509", at=folder.path).told_once(2, "did you mean INC-20250126-120500")


def test_a_closed_incident_is_shown_with_how_long_it_took(folder: Folder) -> None:
    folder.put("INC-1", **CLOSED)
    assert call("show", "INC-1", at=folder.path).out.startswith("INC-1  SEV1  closed  took 25m, impact time unknown\n")


def test_a_record_that_cannot_be_read_is_told_with_its_line(folder: Folder) -> None:
    folder.put("INC-1", text="id: INC-1\ntitle: [\n")
    folder.put("INC-2", severity="SEV1\nnonsense: true")
    call("show", "INC-1", at=folder.path).told_once(2, "incidents/INC-1/incident.yaml:")
    call("show", "INC-2", at=folder.path).told_once(2, "incidents/INC-2/incident.yaml:4:1", "nonsense")


def test_while_a_record_cannot_be_read_no_incident_is_taken_for_the_only_one(folder: Folder) -> None:
    folder.put("INC-1", text="id: INC-1\ntitle: [\n")
    folder.put("INC-2")
    call("show", at=folder.path).told_once(2, "INC-1")


def test_a_label_that_is_no_level_leaves_the_rest(folder: Folder) -> None:
    """The record is wrong, and at night it is still shown."""
    folder.put("INC-1", severity="SEV9")
    done = call("show", "INC-1", at=folder.path)
    assert done.code == 0
    assert "Clocks     unknown: " in done.out


def test_an_older_revision_can_be_shown(folder: Folder) -> None:
    folder.put()
    folder.commit()
    folder.put(title="Another title")
    assert "Login fails" in call("--rev", "HEAD", "show", at=folder.path).out


def test_showing_writes_nothing(folder: Folder) -> None:
    folder.put()
    before = contents(folder.path)
    call("show", at=folder.path)
    assert contents(folder.path) == before


def test_the_shell_completes_ids_and_services(folder: Folder) -> None:
    folder.put("INC-20250126-120500")
    folder.put("INC-7", **CLOSED)

    def completed(*words: str, end: str) -> list[str]:
        shell = ShellComplete(cli, {}, "incident-ops", "_X")
        return [one.value for one in shell.get_completions(["--repo", str(folder.path), *words], end)]

    assert completed("show", end="") == ["INC-20250126-120500", "INC-7"]
    assert completed("show", end="inc-2") == ["INC-20250126-120500"]
    assert completed("show", end="2025") == ["INC-20250126-120500"]
    assert completed("list", "--service", end="a") == ["api"]


def test_completion_never_raises() -> None:
    """Without a folder, without services.yaml, with one that is broken."""
    context = click.Context(cli, info_name="incident-ops")
    context.obj = {"repo": "/nowhere/at/all"}
    parameter = click.Argument(["incident"])
    assert complete_incident(context, parameter, "I") == []
    assert complete_service(context, parameter, "a") == []


def test_help_has_examples() -> None:
    assert "incident-ops show 120500" in call("show", "--help", at=ROOT).out
