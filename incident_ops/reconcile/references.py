"""What a generated text cannot know when it is made: the numbers of issues, and where the records can be read. Pure.

A text holds places for both, of characters that no text of a record ever holds (the Markdown filter takes them out).
They are filled where the tracker is known, so that one text serves every tracker, and a run can name an issue that it
opens itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote, urlsplit

_NUMBER, _FILE, _HERE, _ELSE = "\x02", "\x03", "\x04", "\x05"
_NUMBER_OF: Final = re.compile(rf"{_NUMBER}([^{_NUMBER}]*){_NUMBER}([^{_NUMBER}]*){_NUMBER}([^{_NUMBER}]*){_NUMBER}")
_FILE_AT: Final = re.compile(rf"{_FILE}([^{_FILE}{_ELSE}]*){_ELSE}([^{_FILE}]*){_FILE}")


def issue_place(key: str, before: str = "", otherwise: str = "") -> str:
    """The place of the number of a key's issue: `before` and `#2`; `otherwise` while it has none."""
    return f"{_NUMBER}{key}{_NUMBER}{before}{_NUMBER}{otherwise}{_NUMBER}"


def file_place(name: str, path: str, otherwise: str) -> str:
    """The place of a link called `name` (Markdown) to a file of the records; `otherwise` where it has no address."""
    return f"{_FILE}[{name}](<{_HERE}{quote(path)}>){_ELSE}{otherwise}{_FILE}"


def fill_places(text: str, numbers: Mapping[str, int], address: str) -> str:
    """A text with the numbers that are known and the address of the records' folder ("" = there is none).

    The places of unknown numbers stay, see `leave_places`.
    """

    def number(found: re.Match[str]) -> str:
        known = numbers.get(found[1])
        return found[0] if known is None else f"{found[2]}#{known}"

    return _NUMBER_OF.sub(
        number, _FILE_AT.sub(lambda found: found[1].replace(_HERE, address) if address else found[2], text)
    )


def leave_places(text: str) -> str:
    """A text without the places that nobody could fill."""
    return _NUMBER_OF.sub(lambda found: found[3], _FILE_AT.sub(lambda found: found[2], text))


def named_keys(text: str) -> Iterator[str]:
    """The keys whose issues a text has places for."""
    return (found[1] for found in _NUMBER_OF.finditer(text))


def kept_address(old: str, path: str, address: str) -> str:
    """The address of the records that a text of ours (`old`) gives for the record at `path`, else `address`.

    One on the same site is kept: after the repository got another name GitHub leads from there to the new one, and
    nothing has to be written anew.
    """
    found = re.search(rf"\]\(<(https://[^<>\s]+/){re.escape(quote(path))}>\)", old)
    return found[1] if found and address and urlsplit(found[1])[:2] == urlsplit(address)[:2] else address
