"""Drafts of messages and reports, as JSON and on the screen."""

from __future__ import annotations

from incident_ops.documents.duty_reports import DutyReport
from incident_ops.documents.messages import Message
from incident_ops.domain.time import stamp
from incident_ops.render.findings import inert_lines, json_text, without_commands


def draft_text(markdown: str) -> str:
    """A draft as it can be copied from the screen; it steers neither a terminal nor a runner."""
    return without_commands(inert_lines(markdown))


def message_json(incident: str, message: Message) -> str:
    """A text for scripts; `next_update` null = nothing is promised."""
    wanted, due = message.request, message.next_update
    return json_text(
        {
            "schema": 1,
            "incident": incident,
            "audience": wanted.audience,
            "as": wanted.kind,
            "status": wanted.status,
            "subject": message.subject,
            "text": message.text,
            "markdown": message.markdown,
            "next_update": stamp(due) if due else None,
        }
    )


def report_json(incident: str, name: str, report: DutyReport) -> str:
    """A report for scripts; `unknown` are the headings that somebody must fill in."""
    head = {"schema": 1, "incident": incident, "report": name, "owed": report.is_due, "subject": report.subject}
    return json_text({**head, "text": report.text, "markdown": report.markdown, "unknown": [*report.unknown]})
