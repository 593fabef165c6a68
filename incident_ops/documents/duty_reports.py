"""Drafts of the reports that are owed to others, by the id of the deadline: what the record knows of each thing that
such a report usually says, and what it does not know.

Which law asks for what is not judged here: the headings only sort the facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from incident_ops.documents.incident_facts import FactRow, impact_rows, item_dates, levels, spell_word
from incident_ops.documents.message_request import MessageSources
from incident_ops.documents.messages import rendered_texts
from incident_ops.documents.public_view import affected_services
from incident_ops.domain.as_of import corrected_instants, known_status
from incident_ops.domain.deadlines import STARTS, duties_at
from incident_ops.domain.impact import affected_users, spell_users
from incident_ops.domain.incident import Cause, Incident, Resolution
from incident_ops.domain.policy import Deadline, Policy
from incident_ops.domain.public_facts import public_facts
from incident_ops.domain.time import UNKNOWN, spell_instant, spell_minute

_AWARE, _STATE, _SERVICES = ("Became aware", "aware"), ("State now", "state"), ("Services affected", "services")
_HURT, _CAUSE = ("Severity and impact", "impact"), ("Type of threat, or root cause", "cause")
_DONE, _COMING = ("Measures taken", "done"), ("Measures still to come", "coming")
_ATTACK = ("Caused by unlawful or malicious acts, as far as is suspected", "")
_BORDER = ("Effects in other countries", "")
_STATES = ("Member States in which the product is available", "")
_USERS_CAN, _SECRECY = ("What users can do", ""), ("How sensitive this information is", "")
_CONTACT = ("Whom to contact", "")
_DESCRIPTION, _PRODUCT = ("What happened", "description"), ("Product concerned", "services")
_EXPLOIT, _FLAW = ("Nature of the exploit", ""), ("Nature of the vulnerability", "cause")
_EXPLOITED_BY, _FIX = ("Who exploited it", ""), ("Security update", "permanent")
_COMPROMISE, _WHO = ("Indicators of compromise", ""), ("How many people, and which groups of them", "users")
_DATA = ("What kind of personal data, and how many records", "")
_FOR_THEM = ("What it may mean for the people concerned", "")
_WE_DID, _YOU_CAN = ("What we have done", ""), ("What you can do", "")

_EARLY = (_DESCRIPTION, _AWARE, _SERVICES, _STATE)
_FINAL = (_DESCRIPTION, _AWARE, _HURT, _CAUSE, _DONE, _COMING)
_ADVICE = (_DONE, _USERS_CAN, _SECRECY)
QUESTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "nis2-early-warning": (*_EARLY, _ATTACK, _BORDER),
    "nis2-incident-notification": (*_EARLY, _HURT, _COMPROMISE, _ATTACK, _BORDER, _DONE),
    "nis2-final-report": (*_FINAL, _BORDER),
    "cra-vulnerability-early-warning": (_DESCRIPTION, _AWARE, _PRODUCT, _STATES),
    "cra-vulnerability-notification": (_PRODUCT, _AWARE, _EXPLOIT, _FLAW, *_ADVICE),
    "cra-vulnerability-final-report": (_FLAW, _HURT, _EXPLOITED_BY, _FIX),
    "cra-incident-early-warning": (*_EARLY, _ATTACK, _STATES),
    "cra-incident-notification": (*_EARLY, _HURT, *_ADVICE),
    "cra-incident-final-report": _FINAL,
    "gdpr-authority": (_DESCRIPTION, _AWARE, _WHO, _DATA, _FOR_THEM, _DONE, _COMING, _CONTACT),
    "gdpr-data-subjects": (_DATA, _FOR_THEM, _WE_DID, _YOU_CAN, _CONTACT),
}
"""What each shipped report says: (heading, the fact of the record that answers it, "" = no record knows)."""
_OTHERWISE = (_DESCRIPTION, _AWARE, _SERVICES, _HURT, _CAUSE, _DONE, _COMING, _CONTACT)
LETTERS = ("gdpr-data-subjects",)
"""Reports to people outside: letters, made of the public facts alone."""


class DutyReport(NamedTuple):
    """A draft; `unknown` are the headings that somebody must still fill in. `is_due`: the incident asks for it."""

    subject: str
    markdown: str
    text: str
    unknown: tuple[str, ...]
    is_due: bool


def duty_report(incident: Incident, sources: MessageSources, deadline: Deadline) -> DutyReport:
    """The draft of the report that a deadline asks for."""
    policy, now = sources.policy.for_incident(incident), sources.now
    duties = duties_at(incident, policy, corrected_instants(incident), now)
    duty = next((one for one in duties if one.deadline.id == deadline.id), None)
    is_letter = deadline.id in LETTERS
    rows = _rows({} if is_letter else _known(incident, policy), deadline.id)
    unknown = tuple(row.name for row in rows if row.text == UNKNOWN)
    facts = public_facts(incident, policy, sources.services)
    view = {
        "incident": incident,
        "deadline": deadline,
        "due": spell_minute(duty.due) if duty and duty.due else "",
        "made": spell_minute(duty.done_at) if duty and duty.done_at else "",
        "written": spell_minute(now),
        "rows": rows,
        "unknown": unknown,
        "began": spell_minute(facts.started),
        "what": affected_services(facts),
        "summary": facts.summary or "",
    }
    shown, plain = rendered_texts("duty-letter" if is_letter else "duty-report", view)
    return DutyReport(f"{deadline.id}: {incident.id}", shown, plain, unknown, duty is not None)


def _rows(known: Mapping[str, str], deadline: str) -> list[FactRow]:
    questions = QUESTIONS.get(deadline, _OTHERWISE)
    return [FactRow(name, known.get(fact) or UNKNOWN) for name, fact in questions]


def _known(incident: Incident, policy: Policy) -> dict[str, str]:
    """What the record knows, by fact; "" where it says nothing."""
    at = corrected_instants(incident)
    cause, done = incident.cause or Cause(category=UNKNOWN), incident.resolution or Resolution()
    aware = next((text for name in STARTS["detected"] if (text := at.get(f"times.{name}"))), None)
    impact = [f"{row.name}: {row.text}" for row in (*levels(incident, policy), *impact_rows(incident))]
    dates = item_dates(incident, policy)
    coming = [f"{item.title}{f', due {dates[item.id]}' if item.id in dates else ''}" for item in incident.open_items]
    users = spell_users(affected_users(incident))
    return {
        "description": incident.description or incident.title,
        "aware": spell_instant(aware),
        "services": ", ".join(incident.services),
        "state": spell_word(known_status(incident)),
        "impact": "\n".join(f"- {text}" for text in impact if not text.endswith(UNKNOWN)),
        "users": "" if users == UNKNOWN else users,
        "cause": _sentences(cause.what, cause.why),
        "done": _sentences(done.immediate, done.permanent),
        "permanent": _sentences(done.permanent, done.deployed and f"Deployed: {done.deployed}"),
        "coming": "\n".join(f"- {text}" for text in coming),
    }


def _sentences(*texts: str | None) -> str:
    return " ".join(f"{text.rstrip('.')}." for text in texts if text)
