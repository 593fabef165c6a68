"""The impact as it was: each service with its own degree and time; the budget of a service takes its own minutes."""

from __future__ import annotations

import json

from tests.cli.scene import CLOSED, Folder, call, record

POLICY = "extends: sev0-3\ngate: {budget: hold}\nslo: {target_pct: 99.9, window: 30d}\n"
AT = "2025-01-27T12:00:00Z"
TIMES = CLOSED["times"].replace("12:20:00Z", "14:05:00Z").replace("12:30:00Z", "14:10:00Z").replace("13:00", "15:00")
WINDOWS = """
  services:
  - {service: api, degree: major, from: 2025-01-26T12:05:00Z, to: 2025-01-26T12:25:00Z}
  - {service: api, degree: degraded, from: 2025-01-26T12:25:00Z, to: 2025-01-26T12:35:00Z}
  - {service: web, degree: partial, from: 2025-01-26T13:00:00Z, to: 2025-01-26T14:00:00Z}"""


def put(folder: Folder, impact: str = WINDOWS, **lines: str) -> None:
    """An incident of two hours on two services."""
    folder.write("policy.yaml", POLICY)
    text = record(**{**CLOSED, "times": TIMES, "services": "[api, web]", "impact": impact, **lines})
    folder.put(text=text.replace("impact: \n", "impact:\n"))
    folder.commit()


def gate(folder: Folder, service: str, clock: str = AT) -> tuple[int, str]:
    done = call("gate", "check", "-s", service, at=folder.path, clock=clock)
    return done.code, done.out


def test_each_service_uses_its_own_minutes_of_the_budget(folder: Folder) -> None:
    """30 of 43.2 minutes of api, 60 of web; the whole incident took two hours."""
    put(folder)
    assert gate(folder, "api")[0] == 0
    code, out = gate(folder, "web")
    assert (code, "60 of 43.2 min" in out) == (3, True), out


def test_without_windows_every_service_was_hurt_for_all_of_it(folder: Folder) -> None:
    put(folder, "{summary: Logins failed}")
    assert all("120 of 43.2 min" in gate(folder, service)[1] for service in ("api", "web"))


def test_the_documents_say_when_each_service_was_hurt_and_how_badly(folder: Folder) -> None:
    put(folder)
    call("render", "INC-1", at=folder.path, clock=AT)
    document = (folder.path / "incidents/INC-1/incident.md").read_text(encoding="utf-8")
    assert "- **api:** major 20m (12:05–12:25 UTC), degraded 10m (12:25–12:35 UTC)\n" in document
    assert "- **web:** partial 1h (13:00–14:00 UTC)\n" in document


def test_show_says_how_each_service_stands(folder: Folder) -> None:
    put(folder)
    shown = call("show", "INC-1", at=folder.path, clock=AT).out
    assert "Services   api (major 20m, degraded 10m), web (partial 1h)\n" in shown
    data = json.loads(call("show", "INC-1", "--format", "json", at=folder.path, clock=AT).out)
    assert data["impact_services"][2] == {
        "service": "web", "degree": "partial", "from": "2025-01-26T13:00:00Z", "to": "2025-01-26T14:00:00Z"
    }  # fmt: skip


def test_what_goes_on_says_since_when(folder: Folder) -> None:
    folder.put(text=record(times="{declared: 2025-01-26T12:05:00Z}") +
               "impact:\n  services:\n  - {service: api, degree: partial, from: 2025-01-26T12:00:00Z}\n")  # fmt: skip
    shown = call("show", "INC-1", at=folder.path, clock="2025-01-26T12:30:00Z").out
    assert "Services   api (partial since 12:00)\n" in shown
    next_day = call("show", "INC-1", at=folder.path, clock="2025-01-27T12:30:00Z").out
    assert "Services   api (partial since 2025-01-26 12:00)\n" in next_day


def test_windows_that_contradict_the_record_are_found(folder: Folder) -> None:
    put(folder, """
  services:
  - {service: api, degree: major, from: 2025-01-26T13:05:00Z, to: 2025-01-26T12:25:00Z}
  - {service: nobody, degree: partial, from: 2025-01-26T12:05:00Z}""")  # fmt: skip
    out = call("validate", at=folder.path, clock=AT).out
    assert ":10:67: error: this time of api ends at 2025-01-26T12:25:00Z, before it begins" in out
    assert ":11:15: error: service 'nobody' is not in services.yaml" in out
    assert ":11:15: warning: impact.services names nobody, which services does not list" in out
    assert "is 'bad', allowed: degraded, partial, major" in call_with_degree(folder)


def call_with_degree(folder: Folder) -> str:
    put(folder, "{services: [{service: api, degree: bad, from: 2025-01-26T12:05:00Z}]}")
    return call("validate", at=folder.path, clock=AT).out


def test_what_contributed_is_shown(folder: Folder) -> None:
    cause = "\n  category: deploy\n  what: Bad migration\n  contributing: [No canary, The runbook was out of date]"
    put(folder, cause=cause, postmortem="{status: draft}")
    call("render", "INC-1", at=folder.path, clock=AT)
    document = (folder.path / "incidents/INC-1/postmortem.md").read_text(encoding="utf-8")
    assert "### Contributing factors\n\n- No canary\n- The runbook was out of date\n" in document
    assert "Factors    No canary; The runbook was out of date\n" in call("show", "INC-1", at=folder.path, clock=AT).out
    data = json.loads(call("show", "INC-1", "--format", "json", at=folder.path, clock=AT).out)
    assert data["contributing"] == ["No canary", "The runbook was out of date"]
