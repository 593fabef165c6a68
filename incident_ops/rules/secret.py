"""A record contains no key, token or password, and no other file beside it does.

Comments, the policy, services.yaml, freezes and maintenance windows are read too. Many people read these files, and git
history keeps them forever. The check knows the formats of common tokens and private keys, and never prints what it
finds. If it finds one, revoke it first, then remove it.

    before: event: Logged in with AKIA****************
    after:  event: Logged in with the key of the deploy user
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import Any

from incident_ops.domain.record import Record, World
from incident_ops.findings import Finding, Level
from incident_ops.rules._support import packed, rule_finding, text_values

ID = "secret"
LEVEL = Level.ERROR
TIMED = False
NOT_SUPPRESSIBLE = True
HINT = "revoke it first, then remove it from the file"

_PATTERNS = tuple(
    (kind, re.compile(pattern, re.ASCII))
    for kind, pattern in (
        ("a cloud access key id", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
        ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b"),
        ("a GitHub token", r"\bgithub_pat_[A-Za-z0-9_]{40,255}\b"),
        ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,64}"),
        ("a Slack token", r"\bxox[abeprs]-[A-Za-z0-9-]{16,250}"),
        ("a Slack webhook", r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,}"),
        ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("a payment key", r"\b[sr]k_live_[0-9A-Za-z]{16,128}\b"),
        ("a mail service key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
        ("a package registry token", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("a package registry token", r"\bpypi-AgEI[A-Za-z0-9_-]{50,}"),
        ("a private key", r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY"),
        ("a signed web token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
    )
)
_MARKS = tuple(
    b"AKIA ASIA AIza SG. eyJ xox ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- k_live_ npm_ pypi-AgEI slack.com".split()
)
# Every token above has 20 of these characters in a row somewhere; hardly any other text has.
_TOKEN_CHARACTERS = string.ascii_letters + string.digits + "-_"
_RUNS = bytes(120 if chr(code) in _TOKEN_CHARACTERS else 32 for code in range(256))
_LONG_RUN = b"x" * 20


def check(record: Record, _world: World) -> Iterator[Finding]:
    """Every text and key of the record."""
    return secrets_in(record.data)


def secrets_in(data: Any) -> Iterator[Finding]:
    """Every text and key of some data; the search for places starts only where a token can be."""
    if not _suspect(packed(data)):
        return
    for route, text, is_key in text_values(data):
        if (found := find_secret(text)) is not None:
            yield rule_finding(ID, LEVEL, route, found[1], HINT, on_key=is_key)


def find_secret(text: str) -> tuple[int, str] | None:
    """Where in a text the first of what looks like a secret begins, and what it looks like."""
    for kind, pattern in _PATTERNS:
        if match := pattern.search(text):
            return match.start(), f"this looks like {kind}"
    return None


def hide_secrets(text: str) -> str:
    """The text with *** in place of all that looks like a secret."""
    for _, pattern in _PATTERNS:
        text = pattern.sub("***", text)
    return text


def holds_secret(data: Any) -> bool:
    """True where a text or key of `data` looks like a secret."""
    return any(find_secret(text) is not None for _, text, _ in text_values(data))


def _suspect(whole: bytes) -> bool:
    if b"PRIVATE KEY" in whole:
        return True
    return _LONG_RUN in whole.translate(_RUNS) and any(mark in whole for mark in _MARKS)
