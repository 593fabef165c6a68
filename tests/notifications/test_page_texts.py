"""What a page says by each kind of channel, as it arrives: what is broken, how bad, where to click."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

import pytest

from incident_ops.adapters import notifiers
from incident_ops.adapters.notifiers.issue_comment import IssueComment
from incident_ops.documents.markdown import markdown
from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import Message, NoticePlaces
from incident_ops.domain.policy import Policy, Service
from incident_ops.notifications.notice_text import headline, notice_facts
from incident_ops.notifications.recipients import notices
from incident_ops.sla.obligations import incident_obligations
from tests.adapters.notifiers.test_slack import messages as slack_messages
from tests.sla.escalating import ITIL, at, incident, policy
from tests.support.golden import assert_golden
from tests.support.http_sink import HttpSink
from tests.support.mail_sink import mail_sink
from tests.support.notifier_scene import settings
from tests.support.standin import standin

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])
GOLDEN = Path(__file__).parent / "golden"
SERVICES = {
    "auth": Service(owner="@acme/identity", pager_key_env="AUTH_PAGER"),
    "api": Service(owner="@acme/platform"),
}
SITE = "https://github.com/acme/records"
PLACES = NoticePlaces(
    issue=f"{SITE}/issues/41",
    record=f"{SITE}/blob/HEAD/incidents/INC-1/incident.yaml",
    runbooks=(("Runbook of auth", f"{SITE}/blob/HEAD/runbooks/auth.md"),),
)
LOGIN: Mapping[str, Any] = {
    "title": "Login fails for most users",
    "services": ["auth", "api"],
    "impact": {"summary": "Most users cannot log in.", "users": {"count": 5000, "percent": 60}},
    "roles": {"commander": "@alice"},
    "links": {"bridge": "https://meet.example/j/7", "channel": "#incident-inc-1", "tracking_issue": 41},
}
SEV0 = policy("sev0-3")


def message(one: Incident, judge: Policy, kind: str = "declared", now: str = "6m", who: str = "internal") -> Message:
    """The notice of one kind, with its facts."""
    owed = [each for each in incident_obligations(as_of(one, at(now)), judge) if each.kind == kind]
    found = notices(owed, {one.id: one}, judge, SERVICES, at(now)).messages
    chosen = next(each for each in found if each.audience == who)
    facts = notice_facts(one, judge, SERVICES, PLACES, at(now)).spelled(str, responds=who != "executive")
    return chosen._replace(facts=facts)


def login(**fields: Any) -> Incident:
    return incident(**{"priority": None, "severity": "SEV0", **LOGIN, **fields})


def lock_screen(subject: str, body: str) -> str:
    """As a phone of 40 columns shows it."""
    lines = [line for part in (subject, "", *body.split("\n")) for line in (wrap(part, 40) or [""])]
    return "\n".join(lines).rstrip() + "\n"


def made(channel: str, environment: Mapping[str, str], one: Incident, said: Message) -> Any:
    """The notifier of a channel, as a run makes it."""
    given = {"incidents": [one], "services": SERVICES, "facts": {one.id: said.facts}}
    return notifiers.connect(settings(channel, environment, **given))


def test_chat_and_text_messages(sink: HttpSink) -> None:
    """What every address gets: the first line for the lock screen, then what to do and where to click."""
    one = login()
    said = message(one, SEV0)
    made("chat", {"INCIDENT_OPS_CHANNEL_CHAT": sink.address("/200")}, one, said).send(said)
    assert_golden(GOLDEN / "chat.txt", lock_screen(sink.taken[0].data["title"], sink.taken[0].data["message"]))


def test_mail() -> None:
    """At a real mail server."""
    one = login(priority="P1", severity="SEV-1")
    said = message(one, ITIL)
    with mail_sink() as mail:
        made("email", {"INCIDENT_OPS_CHANNEL_EMAIL": mail.url}, one, said).send(said)
        (got,) = mail.messages
    part = next(each for each in got.walk() if each.get_content_type().startswith("text/"))
    body = part.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert_golden(GOLDEN / "mail.txt", f"Subject: {' '.join(str(got['Subject']).split())}\n\n{body.decode()}\n")


def test_the_pager(sink: HttpSink) -> None:
    """Links that can be clicked, and the fields by which PagerDuty groups and routes."""
    one = login()
    said = message(one, SEV0)
    given = {"AUTH_PAGER": "0" * 32, "INCIDENT_OPS_PAGER_URL": sink.url}
    made("pager", given, one, said).send(said)
    shown = {name: value for name, value in sink.taken[0].data.items() if name != "dedup_key"}
    assert_golden(GOLDEN / "pager.json", json.dumps(shown, indent=2) + "\n")


def test_the_chat_room_of_the_incident() -> None:
    """Slack's own interface."""
    one = login()
    said = message(one, SEV0, "breach", "2h")
    with standin(service="slack") as slack:
        given = {"SLACK_BOT_TOKEN": "xoxb-anything", "INCIDENT_OPS_SLACK_URL": f"{slack.url}/api/"}
        made("incident_channel", given, one, said).send(said)
        (posted,) = slack_messages(slack, "incident-inc-1")
    assert_golden(GOLDEN / "room.txt", posted["text"] + "\n")


def test_the_comment_on_the_issue() -> None:
    """The issue above it has the facts, so it says what is due and what to do about it."""

    class Written:
        text = ""

        def comment(self, number: int, topic: str, text: str) -> None:
            self.text = text

    written = Written()
    IssueComment(written, {"INC-1": 41}, markdown).send(message(login(), SEV0))  # type: ignore[arg-type]
    assert_golden(GOLDEN / "comment.md", written.text + "\n")


@pytest.mark.parametrize(
    ("name", "one", "judge", "who"),
    [
        ("executive", login(priority="P1", severity="SEV-1"), "itil", "executive"),
        ("bare", incident(priority=None, severity="SEV0", title="Login fails"), "sev0", "internal"),
        ("drill", login(drill=True), "sev0", "internal"),
        ("restricted", login(visibility="restricted"), "sev0", "internal"),
    ],
)
def test_other_pages(name: str, one: Incident, judge: str, who: str) -> None:
    """The director's, one of which little is known, a drill, and one of which nothing may be said but where it is."""
    reached = '"@cto": {channels: [sms]}\n  roles: {cto: ["@cto"], it_director: ["@cto"]}\n  executive: ["@cto"]\n'
    judged = policy(extra=f"contacts:\n  {reached}") if judge == "itil" else SEV0
    said = message(one, judged, who=who)
    if name == "bare":
        said = said._replace(facts=notice_facts(one, judged, {}, NoticePlaces(), at("6m")))
    assert_golden(GOLDEN / f"{name}.txt", lock_screen(said.subject, said.whole))


@pytest.mark.parametrize("length", [1, 30, 60, 200])
@pytest.mark.parametrize("level", [("SEV0", "sev0-3"), ("SEV-1", "itil-p1-p4")])
def test_the_first_sixty_characters_say_it(length: int, level: tuple[str, str]) -> None:
    """How bad, then what is broken; a long title is cut, and then stands whole among the facts."""
    title = ("Checkout fails for customers in Europe who pay by card " * 4)[:length].strip()
    severity, preset = level
    one = login(title=title, severity=severity, priority="P1" if preset.startswith("itil") else None)
    judge = policy(preset)
    first = headline(one, judge, at("6m"))
    assert len(first) <= 60
    assert first.startswith(("SEV0 ", "P1/SEV-1 "))
    assert title[:20] in first
    rows = dict(notice_facts(one, judge, SERVICES, PLACES, at("6m")).rows)
    assert rows.get("Title", title) == title
    assert ("Title" in rows) == first.endswith("...")


def test_what_is_not_an_address_is_no_link_of_the_pager(sink: HttpSink) -> None:
    """A bridge may be a telephone number: it is said, and cannot be clicked."""
    one = login(links={"bridge": "+49 30 1234 pin 7"})
    said = message(one, SEV0)._replace(facts=notice_facts(one, SEV0, SERVICES, NoticePlaces(), at("6m")))
    made("pager", {"AUTH_PAGER": "0" * 32, "INCIDENT_OPS_PAGER_URL": sink.url}, one, said).send(said)
    event = sink.taken[0].data
    assert "links" not in event
    assert "client_url" not in event
    assert event["payload"]["custom_details"]["bridge"] == "+49 30 1234 pin 7"


def test_nobody_commands_yet() -> None:
    """That is a fact, too; of impact nothing is said while nobody knows."""
    one = incident(priority=None, severity="SEV0")
    rows = dict(notice_facts(one, SEV0, SERVICES, PLACES, at("6m")).rows)
    assert rows["Commander"] == "nobody yet"
    assert "Impact" not in rows
