"""What is written to people about an incident: the texts of the worked examples, and what they promise."""

from __future__ import annotations

from email.message import EmailMessage
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_ops.documents.duty_reports import QUESTIONS, duty_report
from incident_ops.documents.message_request import ANNOUNCEMENT, PAGE, UPDATE, MessageRequest, MessageSources
from incident_ops.documents.messages import Message, message_for
from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.known_at import incident_at
from incident_ops.domain.policy import Deadline, Service
from incident_ops.domain.public_updates import STATUSES
from incident_ops.domain.time import parse_instant
from incident_ops.records.deadline_blocks import BLOCKS, block
from incident_ops.records.policy import load_services
from incident_ops.sla.clocks import UPDATE_PUBLIC, clocks
from tests.render.test_documents import MINIMAL, load, policy
from tests.support.golden import assert_golden

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "messages"
EXAMPLES = {
    "INC-20250126-120500": ("sev0-3", ("12:06", "12:14", "12:31", "12:46")),
    "INC-20250120-102000": ("p0-p3", ("10:21", "10:28", "10:36", "10:46")),
    "INC-1": ("sev1-3", ("14:31", "14:36", "14:46", "15:01")),
    "INC-2025-05678": ("itil-p1-p4", ("14:03", "14:11", "14:46", "14:51")),
}
"""Each worked incident: its preset, and the times of the day at which each status is said of it."""


@cache
def services(name: str) -> dict[str, Service]:
    found = load_services((ROOT / f"examples/{name}/services.yaml").read_text(encoding="utf-8")).services
    assert found is not None
    return found


def then(incident_id: str, clock: str, *, whole: bool = False) -> tuple[Incident, MessageSources]:
    """A worked incident as it was known at a time of its day, or the whole of it, and what texts are written from."""
    preset = EXAMPLES[incident_id][0]
    incident = load(ROOT / f"examples/{preset}/incidents/{incident_id}/incident.yaml")
    now = parse_instant(f"{incident.times.declared[:10]}T{clock}:00Z")
    known = incident_at(incident, now)
    assert known is not None
    beside = f"incidents/{incident_id}/postmortem.md"
    return incident if whole else known.incident, MessageSources(policy(preset), services(preset), now, beside)


def message(
    audience: str, status: str, kind: str = UPDATE, *, at: str = "2025-03-01T23:40:00Z", **fields: Any
) -> Message:
    """A text about a small incident of the preset sev1-3, which has a cadence for everybody."""
    incident = msgspec.convert({**MINIMAL, "severity": "SEV-1", **fields}, Incident)
    known = {"api": Service(owner="@team", public_name="Shop")}
    sources = MessageSources(policy("sev1-3"), known, parse_instant(at))
    return message_for(incident, sources, MessageRequest(audience, status, kind))


@pytest.mark.parametrize("incident_id", EXAMPLES)
@pytest.mark.parametrize("audience", ["public", "internal", "executive"])
def test_the_updates_of_the_worked_incidents(incident_id: str, audience: str) -> None:
    """Each status in its turn, from what was known then."""
    for status, clock in zip(STATUSES, EXAMPLES[incident_id][1], strict=True):
        incident, sources = then(incident_id, clock, whole=status == "resolved")
        found = message_for(incident, sources, MessageRequest(audience, status))
        assert_golden(GOLDEN / incident_id / f"{audience}-{status}.md", found.markdown)


@pytest.mark.parametrize("incident_id", EXAMPLES)
def test_the_page_and_the_announcement_of_the_worked_incidents(incident_id: str) -> None:
    incident, sources = then(incident_id, EXAMPLES[incident_id][1][-1], whole=True)
    for kind in (PAGE, ANNOUNCEMENT):
        found = message_for(incident, sources, MessageRequest("public", "resolved", kind))
        assert_golden(GOLDEN / incident_id / f"public-{kind}.md", found.markdown)


def shipped() -> dict[str, Deadline]:
    return {one["id"]: msgspec.convert(one, Deadline) for name in BLOCKS for one in block(name)}


@pytest.mark.parametrize("name", shipped())
def test_the_reports_of_a_worked_incident(name: str) -> None:
    """Each says what the record knows, and names what somebody must still fill in."""
    incident, sources = then("INC-20250120-102000", "10:46", whole=True)
    report = duty_report(incident, sources, shipped()[name])
    assert_golden(GOLDEN / "reports" / f"{name}.md", report.markdown)
    for heading in report.unknown:
        assert f"- [ ] {heading}" in report.markdown


def test_every_shipped_deadline_has_a_report() -> None:
    assert set(QUESTIONS) == set(shipped())


def test_a_deadline_of_ones_own_has_a_report_of_all_that_is_known() -> None:
    incident, sources = then("INC-20250120-102000", "10:46", whole=True)
    own = Deadline(id="bank-notice", within="4h", to="Example Bank", source="our contract, Annex B")
    text = duty_report(incident, sources, own).text
    assert "- To: Example Bank" in text
    assert "- Basis: our contract, Annex B" in text
    assert "v2.3.0 rolled back." in text


def test_the_playbook_s_internal_update() -> None:
    """The other account of the same day, which the record's comment keeps: 15,000 users, 2,000 USD a minute, an ETA of
    15 minutes, next update at 11:00."""
    incident, sources = then("INC-20250120-102000", "10:44")
    impact = {
        "summary": "Checkout is unavailable, 15 % of requests fail",
        "users": {"count": 15000},
        "revenue": {"per_minute": 2000, "currency": "USD"},
    }
    told = msgspec.structs.replace(incident, impact=msgspec.convert(impact, type(incident.impact)))
    wanted = MessageRequest("internal", "identified", eta="2025-01-20T11:00:00Z")
    found = message_for(told, sources._replace(now=parse_instant("2025-01-20T10:45:00Z")), wanted)
    for line in (
        "- Users: 15,000",
        "- Functionality: Checkout is unavailable, 15 % of requests fail",
        "- Revenue per minute: 2,000 USD",
        "ETA: 11:00 UTC",
        "Next update: 11:00 UTC, every 15 minutes",
    ):
        assert line in found.text.splitlines()


def test_the_first_public_text_promises_the_policy_s_own_cadence() -> None:
    found = message("public", "investigating")
    assert "We are aware of issues affecting Shop, and our team is investigating." in found.text
    assert "Next update by 2025-03-02 00:10 UTC. Updates every 15 to 30 minutes until this is resolved." in found.text
    assert found.next_update == parse_instant("2025-03-02T00:10:00Z")


def test_a_level_without_cadence_promises_nothing() -> None:
    incident, sources = then("INC-20250126-120500", "12:06")
    found = message_for(incident, sources, MessageRequest("public", "investigating"))
    assert found.next_update is None
    assert "update by" not in found.text


def test_what_is_promised_is_what_the_clock_says_once_it_is_sent() -> None:
    at = "2025-03-01T23:47:00Z"
    for status in STATUSES[:3]:
        found = message("public", status, at=at)
        entry = {"at": at, "audience": "public", "status": status, "text": found.update}
        incident = msgspec.convert({**MINIMAL, "severity": "SEV-1", "updates": [entry]}, Incident)
        running = next(
            one for one in clocks(as_of(incident, parse_instant(at)), policy("sev1-3")) if one.clock == UPDATE_PUBLIC
        )
        assert found.next_update == running.due


def test_the_page_shows_what_was_published_newest_first_and_the_promise_that_stands() -> None:
    updates = [
        {"at": "2025-03-01T23:31:00Z", "audience": "public", "status": "investigating", "text": "We are looking."},
        {"at": "2025-03-01T23:36:00Z", "audience": "public", "status": "identified", "text": "A fix is coming."},
        {"at": "2025-03-01T23:38:00Z", "audience": "internal", "status": "identified", "text": "Not for them."},
    ]
    page = message("public", "identified", PAGE, updates=updates).text
    assert page.index("**23:36 UTC** - Identified\n\nA fix is coming.") < page.index("**23:31 UTC** - Investigating")
    assert "Not for them." not in page
    assert "Next update by 2025-03-02 00:06 UTC." in page


def test_a_title_is_public_where_the_record_is() -> None:
    assert message("public", "identified").subject == "Issues with Shop"
    assert message("public", "investigating").subject == "We are investigating issues with Shop"
    assert message("public", "identified", visibility="public").subject == "Something is wrong"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029", "\x1e", "\0"])
def test_no_title_adds_a_line_to_the_head_of_a_mail(end: str) -> None:
    """The subject fits a header, as a mail library checks it, and no line of a text is one of the title's own."""
    title = f"Down{end}Bcc: spy@example.invalid{end}{end}<b>Pay here</b>"
    for audience, status in product(("public", "executive", "internal"), ("investigating", "monitoring")):
        found = message(audience, status, title=title, description=title, visibility="public")
        mail = EmailMessage()
        mail["Subject"] = found.subject
        assert "Bcc" not in mail
        assert found.subject.splitlines() == [found.subject]
        lines = [line for text in (found.markdown, found.text, found.update) for line in text.splitlines()]
        assert not [line for line in lines if line.lstrip().startswith(("Bcc", "<b>"))]


def test_a_service_without_public_name_is_not_named() -> None:
    assert "issues affecting some of our services" in message("public", "investigating", services=["hidden"]).text
    both = message("public", "resolved", services=["api", "hidden"]).text
    assert "issues affecting Shop and other services are resolved" in both
    assert "hidden" not in both


def test_a_false_alarm_ends_in_no_repair() -> None:
    text = message("public", "resolved", outcome="false_alarm", state="closed").text
    assert "found no problem on our side" in text
    assert "operating normally again" not in text


def test_the_public_learns_an_eta_only_from_what_was_published() -> None:
    inside = [{"at": "2025-03-01T23:31:00Z", "audience": "internal", "status": "identified", "text": "x", "eta": "2h"}]
    assert "cannot say yet how long" in message("public", "identified", updates=inside).text
    outside = [{**inside[0], "audience": "public"}]
    cause = {"category": "deploy"}
    text = message("public", "identified", updates=outside, cause=cause).text
    assert "We expect it to be in place by 2025-03-02 01:31 UTC." in text
    text = message("public", "identified", updates=outside).text
    assert "We expect this to be resolved by 2025-03-02 01:31 UTC." in text
    assert "ETA: 2025-03-02 01:31 UTC" in message("internal", "identified", updates=inside).text


def test_an_exercise_says_so() -> None:
    for audience in ("internal", "executive"):
        assert "This is an exercise." in message(audience, "investigating", drill=True).update


def test_an_end_that_nobody_knows_is_not_made_up() -> None:
    times = {"declared": "2025-03-01T23:30:00Z", "acknowledged": "unknown", "resolved": "unknown"}
    text = message("public", "resolved", ANNOUNCEMENT, state="resolved", times=times).text
    assert "Resolved:" not in text
    assert "Duration:" not in text
    assert "- Affected: Shop" in text


def test_a_level_with_business_hours_promises_a_time_and_no_rhythm() -> None:
    """On a Saturday evening the next update of the third level is due on Monday morning, and not every half an hour."""
    found = message("public", "investigating", severity="SEV-3")
    assert "Next update by 2025-03-03 09:30 UTC." in found.text
    assert "Updates every" not in found.text
