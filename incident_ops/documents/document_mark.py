"""The hidden last line of a rendered document, by which it is known whether somebody wrote in it since."""

from __future__ import annotations

import re
from hashlib import sha256

POSTMORTEM_NAME = "postmortem.md"
REPORT_NAME = "incident-report.md"
DOCUMENT_NAMES = ("incident.md", "timeline.md", "action-items.md", POSTMORTEM_NAME, REPORT_NAME)
"""The documents that are rendered beside a record, the last one only in some layouts."""

_MARK = re.compile(rb"(?s)(.*)\n<!-- incident-ops v1 document ([0-9a-f]{16}) -->\n?")


def marked(text: str) -> str:
    """A document with the line below it that tells its text, which ends with a line end."""
    return f"{text}\n<!-- incident-ops v1 document {_digest(text.encode())} -->\n"


def is_as_rendered(content: bytes) -> bool:
    """True where a document is as the program wrote it; False where somebody edited it, and for any other file."""
    found = _MARK.fullmatch(content.replace(b"\r\n", b"\n"))
    return found is not None and _digest(found[1]) == found[2].decode()


def without_mark(text: str) -> str:
    """A document without that line, as it was rendered or as somebody left it."""
    return re.sub(r"\n<!-- incident-ops v1 document [0-9a-f]{16} -->", "", text.replace("\r\n", "\n"))


def _digest(text: bytes) -> str:
    return sha256(text).hexdigest()[:16]
