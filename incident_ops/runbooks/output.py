"""What a record may keep of a command and of what it printed: few words, no secret, nothing that steers a terminal."""

from __future__ import annotations

import re

from incident_ops.rules.secret import hide_secrets
from incident_ops.runbooks.reading import RunbookStep

MOST_LINES, MOST_CHARACTERS = 5, 600
"""The last lines of an output that are kept, and how much of them."""
MOST_ACTION = 1000
HIDDEN = "***"

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])", re.DOTALL
)
_NAME = (
    r"(?:[\w.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|cookie"
    r"|session[_-]?id)[\w.-]*|(?<![A-Za-z0-9])(?:[\w.-]*[_.-])?(?:pass|pwd|pw)(?!\w))"
)
_ASSIGNED = re.compile(
    rf"""({_NAME}["']?\s*[:=]\s*|--{_NAME}\s+)(?:"[^"]*"|'[^']*'|(?!\$)[^\s,;&"'|]+)""", re.IGNORECASE
)
"""A name that says what follows is secret, and the value; not a variable, `$PASSWORD`."""
_HEADER = re.compile(r"(?i)\b(authorization\s*[:=]\s*|bearer\s+)(?:(?:bearer|basic|token)\s+)?[^\s\"',$]+")
_IN_ADDRESS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@$]+(?=@)")
_KEY_BEGINS, _KEY_ENDS = (re.compile(rf"-----{word} [A-Z0-9 ]*PRIVATE KEY") for word in ("BEGIN", "END"))
_OPTION = re.compile(
    r"(?<!\S)((?:-u|--user)[ =]?[^\s:=]+:|-p(?=\S{6})|sshpass +-p +|redis-cli(?: +-[hpn] +\S+)* +-a +)[^\s$]+"
)


def without_passwords(text: str) -> str:
    """The text without tokens, keys and what stands where passwords stand."""
    text = hide_secrets(text)
    for pattern in (_HEADER, _IN_ADDRESS, _OPTION, _ASSIGNED):
        text = pattern.sub(lambda found: found[1] + HIDDEN, text)
    return text


def plain_lines(output: bytes) -> list[str]:
    """The lines of an output as a person saw them last: without escapes, and what was written over in its last form."""
    text = _ESCAPES.sub("", output.decode("utf-8", "replace"))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    printable = ("".join(char if char.isprintable() else " " for char in line) for line in lines)
    return [line.rstrip() for line in printable if line.strip()]


def kept_output(lines: list[str]) -> str:
    """The last lines of an output, joined into one, as a record keeps it; "" where nothing was printed."""
    kept = [" ".join(without_passwords(line).split()) for line in _without_keys(lines)[-MOST_LINES:]]
    text = " / ".join(kept)
    text = text if len(text) <= MOST_CHARACTERS else f"...{text[3 - MOST_CHARACTERS :]}"
    return f"(last of {len(lines)} lines) {text}" if len(lines) > MOST_LINES else text


def _without_keys(lines: list[str]) -> list[str]:
    """The lines without those of private keys: one of them alone does not look like a secret."""
    kept: list[str] = []
    is_inside = False
    for line in lines:
        if _KEY_BEGINS.search(line):
            kept.append(HIDDEN)
            is_inside = True
        elif not is_inside:
            kept.append(line)
        is_inside = is_inside and not _KEY_ENDS.search(line)
    return kept


def kept_action(step: RunbookStep) -> str:
    """The commands of a step as a record keeps them."""
    lines = "\n".join(block.text.strip() for block in step.commands).split("\n")
    text = without_passwords("\n".join(_without_keys(lines)))
    return text if len(text) <= MOST_ACTION else f"{text[: MOST_ACTION - 3]}..."
