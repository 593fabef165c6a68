"""What GitHub takes at most; longer is refused here, before anything is sent, with words that say so."""

from __future__ import annotations

from incident_ops.domain.tracker import Label
from incident_ops.errors import WriteFailed

MOST_TITLE, MOST_BODY, MOST_LABEL, MOST_DESCRIPTION = 256, 65_536, 50, 100


def check_title(title: str, what: str) -> None:
    """At most 256 characters, at least one."""
    if not title.strip():
        raise WriteFailed(f"{what}: the title is empty", hint="give it a title")
    _check(title, MOST_TITLE, f"{what}: the title", "shorten the title")


def check_body(body: str, what: str) -> None:
    """At most 65,536 characters."""
    _check(body, MOST_BODY, f"{what}: the text", "shorten it: what does not fit belongs in the record")


def check_label(label: Label) -> None:
    """A name of at most 50 characters and a description of at most 100."""
    _check(label.name, MOST_LABEL, f"the name of label `{label.name[:20]}...`", "shorten it in policy.yaml")
    _check(label.description, MOST_DESCRIPTION, f"the description of label `{label.name}`", "shorten it in policy.yaml")


def _check(text: str, most: int, what: str, hint: str) -> None:
    if len(text) > most:
        raise WriteFailed(f"{what} has {len(text):,} characters, GitHub takes {most:,}; nothing was sent", hint=hint)
