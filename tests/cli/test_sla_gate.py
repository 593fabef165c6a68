"""sla check and gate check: JSON of docs/contract.md#json, exit codes, and never a yes for what is not known."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import CLOSED, Folder, record
from tests.cli.scene import call_merged as call

CLOCK_KEYS = [
    "incident", "clock", "cycle", "level", "start", "due", "state", "risk",
    "elapsed_seconds", "remaining_seconds", "paused_seconds", "stopped_at",
]  # fmt: skip
GATE_KEYS = [
    "schema", "verdict", "reason_code", "metrics", "stopped_at_seconds", "needed_requests", "incident_ids",
    "service", "environment", "at", "looked_at", "holds",
]  # fmt: skip


def clocks(folder: Folder, *args: str, clock: str | None = None) -> dict[tuple[str, str], dict[str, object]]:
    """The clocks of `sla check --format json` by incident and name."""
    done = call("sla", "check", "--format", "json", *args, at=folder.path, **({"clock": clock} if clock else {}))
    return {(one["incident"], one["clock"]): one for one in json.loads(done.out)["clocks"]}


def test_the_json_of_sla_check_is_the_shape_of_contract_4(folder: Folder) -> None:
    """Keys in this order; the numbers of one running and one breached clock."""
    folder.put()
    folder.write("policy.yaml", "extends: sev0-3\nescalation: {tiers: [{id: on-call, wait: null}]}\n")
    data = json.loads(call("sla", "check", "--format", "json", at=folder.path).out)
    assert list(data) == ["schema", "at", "lag_seconds", "clocks", "obligations", "incidents"]
    assert (data["schema"], data["at"], data["lag_seconds"]) == (1, "2025-01-26T14:00:00Z", 6900)
    assert [(one["key"], one["kind"], one["due"]) for one in data["obligations"]] == [
        ("INC-1/incident/1/declared", "declared", "2025-01-26T12:05:00Z"),
        ("INC-1/response/1/due", "breach", "2025-01-26T12:20:00Z"),
        ("INC-1/update_internal/1/slot.2025-01-26T12:05:00Z.3", "breach", "2025-01-26T13:35:00Z"),
    ]
    assert list(data["obligations"][0]) == ["key", "kind", "incident", "reason", "due", "noticed_at"]
    by_name = {one["clock"]: one for one in data["clocks"]}
    assert sorted(by_name) == ["resolution", "response", "update_internal"]
    assert all(list(one) == CLOCK_KEYS for one in data["clocks"])
    assert by_name["response"] == {
        "incident": "INC-1", "clock": "response", "cycle": 1, "level": "SEV1",
        "start": "2025-01-26T12:05:00Z", "due": "2025-01-26T12:20:00Z", "state": "running", "risk": "breached",
        "elapsed_seconds": 6900, "remaining_seconds": -6000, "paused_seconds": 0, "stopped_at": None,
    }  # fmt: skip
    assert by_name["resolution"]["risk"] == "ok"


def test_closed_incidents_are_listed_with_all_only(folder: Folder) -> None:
    """--all adds them; their clocks are over."""
    folder.put("INC-1")
    folder.put("INC-2", **CLOSED, postmortem="{status: final}")
    assert {name for name, _ in clocks(folder)} == {"INC-1"}
    everything = clocks(folder, "--all")
    assert {name for name, _ in everything} == {"INC-1", "INC-2"}
    assert everything["INC-2", "resolution"]["state"] == "met"


@pytest.mark.parametrize(("minutes", "at_risk", "breached"), [("15:00", 0, 0), ("15:06", 1, 0), ("16:06", 1, 1)])
def test_fail_on_decides_the_exit_code(folder: Folder, minutes: str, at_risk: int, breached: int) -> None:
    """A report ends with 0 whatever it says, and with 1 only where --fail-on asks for it."""
    folder.write("policy.yaml", "extends: itil-p1-p4\n")
    times = "{declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:06:00Z}"
    folder.put(severity="", priority="P1", state="in_progress", times=times)
    clock = f"2025-01-26T{minutes}:00Z"
    assert call("sla", "check", at=folder.path, clock=clock).code == 0
    assert call("sla", "check", "--fail-on", "at_risk", at=folder.path, clock=clock).code == at_risk
    assert call("sla", "check", "--fail-on", "breached", at=folder.path, clock=clock).code == breached


def test_an_unread_record_is_listed_and_ends_with_3(folder: Folder) -> None:
    """Its clocks are not known: 3, even with --fail-on and a breach elsewhere."""
    folder.put("INC-1")
    folder.put("INC-2", text="id: [")
    done = call("sla", "check", "--fail-on", "breached", "--format", "json", at=folder.path)
    assert done.code == 3
    assert [one["file"] for one in json.loads(done.out)["unread"]] == ["incidents/INC-2/incident.yaml"]
    text = call("sla", "check", at=folder.path)
    assert text.code == 3
    assert "INC-2/incident.yaml" in text.out


def gate(folder: Folder, service: str = "api") -> tuple[int, str, str, list[str]]:
    """Exit code, verdict, reason and incidents of `gate check`."""
    done = call("gate", "check", "--service", service, "--format", "json", at=folder.path)
    data = json.loads(done.out)
    assert [key for key in data if key != "unread"] == GATE_KEYS
    assert data["schema"] == 1
    return done.code, data["verdict"], data["reason_code"], data["incident_ids"]


def test_an_open_incident_holds_its_services_only(folder: Folder) -> None:
    """frozen and 3 for its service, pass and 0 for another one and once it is closed."""
    folder.put()
    assert gate(folder) == (3, "frozen", "open_incident", ["INC-1"])
    assert gate(folder, "web") == (0, "pass", "ok", [])
    text = call("gate", "check", "-s", "api", at=folder.path)
    assert text.code == 3
    assert text.out.startswith("frozen: ")
    folder.put(**CLOSED)
    assert gate(folder) == (0, "pass", "ok", [])
    assert call("gate", "check", "-s", "api", at=folder.path).out.startswith("pass: ")


BROKEN = "id: INC-1\ntitle: [\n"


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        (None, (3, "inconclusive", "unreadable_record", [])),
        (record(), (3, "inconclusive", "unreadable_record", [])),
        (record(**CLOSED), (0, "pass", "ok", [])),
        (record(services="[web]"), (0, "pass", "ok", [])),
    ],
)
def test_an_unreadable_record_counts_as_what_it_was_in_git(
    folder: Folder, before: str | None, answer: tuple[int, str, str, list[str]]
) -> None:
    """inconclusive, unless the last version that can be read was closed or on other services."""
    if before is not None:
        folder.put(text=before)
        folder.commit()
    folder.put(text=BROKEN)
    assert gate(folder) == answer
    folder.put(text=BROKEN + "\n")
    assert gate(folder) == answer


def test_an_open_incident_holds_whatever_else_cannot_be_read(folder: Folder) -> None:
    """frozen wins over inconclusive, and the unread record is still listed."""
    folder.put("INC-1")
    folder.put("INC-2", text=BROKEN)
    assert gate(folder) == (3, "frozen", "open_incident", ["INC-1"])
    assert "INC-2/incident.yaml" in call("gate", "check", "-s", "api", at=folder.path).out


def test_an_unknown_service_is_a_mistake_even_when_nothing_is_open(folder: Folder) -> None:
    """Exit 2 with a suggestion: a typo in a pipeline must never pass."""
    folder.put(**CLOSED)
    call("gate", "check", "-s", "apii", at=folder.path).told_once(2, "'apii'", "did you mean api?")
    call("gate", "check", "-s", "zzz", at=folder.path).told_once(2, "'zzz'", "known: api, web")
