"""What is written to people about an incident: to the public, to the management, to the team.

Texts come from the templates of `templates/comms`. A public one is made of the public facts alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from incident_ops.documents.incident_documents import document_environment, tidied
from incident_ops.documents.internal_view import internal_view
from incident_ops.documents.markdown import printable
from incident_ops.documents.message_request import PAGE, MessageRequest, MessageSources
from incident_ops.documents.promises import Promise, promise_of
from incident_ops.documents.public_view import public_view
from incident_ops.domain.incident import Incident, Update
from incident_ops.domain.lifecycle import RESOLVED
from incident_ops.domain.public_facts import public_facts
from incident_ops.domain.public_updates import PUBLIC
from incident_ops.domain.time import stamp

if TYPE_CHECKING:
    from jinja2 import Environment


class Message(NamedTuple):
    """A text to send. `markdown` is inert on GitHub, `text` says the same as plain text; `update` is the part that
    becomes an entry of `updates`. `next_update` is aware UTC, None where nothing is promised."""

    request: MessageRequest
    subject: str
    markdown: str
    text: str
    update: str
    next_update: datetime | None


def message_for(incident: Incident, sources: MessageSources, wanted: MessageRequest) -> Message:
    """The text that is wanted. UserError where the clocks cannot be worked out."""
    promise = _promise(incident, sources, wanted)
    if wanted.audience == PUBLIC:
        facts = public_facts(incident, sources.policy, sources.services)
        reviews = sources.policy.for_incident(incident).requires_postmortem(incident)
        view = public_view(facts, wanted, sources.now, promise, reviews=reviews)
        whole, part = f"public-{wanted.kind}", f"public-{wanted.status}"
    else:
        view = internal_view(incident, sources, wanted, promise)
        whole, part = f"{wanted.audience}-message", f"{wanted.audience}-text"
    shown, plain = rendered_texts(whole, view)
    return Message(
        request=wanted,
        subject=" ".join(printable(view["subject"]).split()),
        markdown=shown,
        text=plain,
        update=rendered_texts(part, view)[1].strip(),
        next_update=promise.due if promise else None,
    )


def rendered_texts(template: str, view: Mapping[str, Any]) -> tuple[str, str]:
    """A template of `templates/comms` as Markdown, and as plain text."""
    name = f"comms/{template}.md.j2"
    shown, plain = (one.get_template(name).render(view) for one in (document_environment(), _plain_environment()))
    return tidied(shown), tidied(plain)


def _promise(incident: Incident, sources: MessageSources, wanted: MessageRequest) -> Promise | None:
    """What may be promised: with a text that is an update, what is due once it is sent."""
    if wanted.status == RESOLVED:
        return None
    now, audience = sources.now, wanted.audience
    sent = Update(at=stamp(now), audience=audience, status=wanted.status, text=wanted.kind)
    return promise_of(incident, sources.policy, now, audience, None if wanted.kind == PAGE else sent)


@cache
def _plain_environment() -> Environment:
    """The same sandbox for texts that nobody renders: mails, chat, an entry of the record."""
    environment = document_environment().overlay(finalize=_on_one_line)
    environment.filters = {**environment.filters, "block": lambda text: _Paragraphs(printable(text))}
    return environment


class _Paragraphs(str):
    """Text that keeps its lines."""


def _on_one_line(value: object) -> str:
    return value if isinstance(value, _Paragraphs) else " ".join(printable(str(value)).split())
