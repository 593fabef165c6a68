"""Text of a record for chat, mail and text messages, where it notifies nobody: `@everyone` -> `@ everyone`.

Each service spells a mention in its own way, and new ones come. A visible space after the sign breaks all of them: it
can be read aloud, is in every alphabet of text messages, and needs no list of services or of their words.
"""

from __future__ import annotations

import re

_ADDRESS = r"(?P<address>https?://[^\s<>\"\[\]]+)"
_OPENS = r"""
    (?P<opens>
        [@\uFF20\uFE6B]  # a handle, everybody, a role
      | <(?=[@!\#&/a-z])  # <!channel>, <@U123>, <users/all>, <at user_id="all">
      | \](?=\()  # [all](mention:1), a link that hides where it leads
      | \[(?=~|CQ:) | \((?=(?:met|rol)\))  # Jira; chat of KOOK and OneBot
    )(?=\S)
"""
_FOUND = re.compile(f"{_ADDRESS}|{_OPENS}", re.VERBOSE | re.IGNORECASE)


def without_mentions(text: str) -> str:
    """The same words with a space after each sign that could begin a mention; in addresses `@` becomes `%40`, which
    leads to the same place. What it gives back it leaves alone."""
    return _FOUND.sub(_broken, text)


def _broken(found: re.Match[str]) -> str:
    if found["address"]:
        return found["address"].replace("@", "%40")
    return f"{found['opens']} "
