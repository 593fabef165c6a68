"""What a generated text cannot know when it is made: the numbers of issues, and where the records can be read. Pure.

A text holds places for both, of characters that no text of a record ever holds (the Markdown filter takes them out).
They are filled where the tracker is known, so that one text serves every tracker, and a run can name an issue that it
opens itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

_NONE: Mapping[str, str] = MappingProxyType({})
_NUMBER, _FILE, _HERE, _ELSE = "\x02", "\x03", "\x04", "\x05"
_NUMBER_OF: Final = re.compile(rf"{_NUMBER}([^{_NUMBER}]*){_NUMBER}([^{_NUMBER}]*){_NUMBER}([^{_NUMBER}]*){_NUMBER}")
_FILE_AT: Final = re.compile(rf"{_FILE}([^{_FILE}{_ELSE}]*){_ELSE}([^{_FILE}]*){_FILE}")

_LINK_BEGUN: Final = re.compile(r"\]\(<(https?://[^<>\s]+/)\Z")
_FILES_OF: Final = re.compile(
    r"(?P<site>https?://[\w.:-]+)/(?P<owner>[\w-]+)/(?P<name>[\w.-]*[\w-][\w.-]*)(?P<folder>/blob/HEAD/.*)", re.ASCII
)


def issue_place(key: str, before: str = "", otherwise: str = "") -> str:
    """The place of the number of a key's issue: `before` and `#2`; `otherwise` while it has none."""
    return f"{_NUMBER}{key}{_NUMBER}{before}{_NUMBER}{otherwise}{_NUMBER}"


def file_place(name: str, path: str, otherwise: str) -> str:
    """The place of a link called `name` (Markdown) to a file of the records; `otherwise` where it has no address."""
    return f"{_FILE}[{name}](<{_HERE}{quote(path)}>){_ELSE}{otherwise}{_FILE}"


def fill_places(text: str, numbers: Mapping[str, int], address: str, elsewhere: Mapping[str, str] = _NONE) -> str:
    """A text with the numbers that are known and the address of the records' folder ("" = there is none).

    `numbers` are those of the repository that has the text, `elsewhere` the names of issues in another one. The places
    of unknown numbers stay, see `leave_places`.
    """

    def number(found: re.Match[str]) -> str:
        known = f"#{numbers[found[1]]}" if found[1] in numbers else elsewhere.get(found[1])
        return found[0] if known is None else f"{found[2]}{known}"

    return _NUMBER_OF.sub(
        number, _FILE_AT.sub(lambda found: found[1].replace(_HERE, address) if address else found[2], text)
    )


def leave_places(text: str) -> str:
    """A text without the places that nobody could fill."""
    return _NUMBER_OF.sub(lambda found: found[3], _FILE_AT.sub(lambda found: found[2], text))


def named_keys(text: str) -> Iterator[str]:
    """The keys whose issues a text has places for."""
    return (found[1] for found in _NUMBER_OF.finditer(text))


def kept_address(old: str, path: str, address: str, former: Collection[str] = ()) -> str:
    """The address of the records that a text of ours (`old`) gives for the record at `path`, else `address`.

    One that differs in the name of the repository alone is kept, and one with a name (owner/name) that it is known to
    have had (`former`): after it got another name or owner GitHub leads from there to the new one, and nothing has to
    be written anew. Whoever may edit an issue can put any address there, with the digest that fits: others give way.
    """
    before, end, _ = old.partition(f"{quote(path)}>)")
    link = _LINK_BEGUN.search(before, before.rfind("](<")) if end and "](<" in before else None
    there, here = _FILES_OF.fullmatch(link[1]) if link else None, _FILES_OF.fullmatch(address)
    if there is None or here is None:
        return address
    is_same_place = (there["site"].casefold(), there["folder"]) == (here["site"].casefold(), here["folder"])
    is_same_owner = there["owner"].casefold() == here["owner"].casefold()
    had = {name.casefold() for name in former}
    return there[0] if is_same_place and (is_same_owner or _name_in(there).casefold() in had) else address


def known_addresses(address: str, former: Collection[str]) -> list[str]:
    """The address of the records, and those that it had under the names (owner/name) of `former`."""
    here = _FILES_OF.fullmatch(address)
    had = [f"{here['site']}/{name}{here['folder']}" for name in former] if here else []
    return [*dict.fromkeys([address, *had])]


def repository_at(address: str) -> str:
    """`owner/name` of the repository with these files; "" for anything but an address of files."""
    found = _FILES_OF.fullmatch(address)
    return _name_in(found) if found else ""


def _name_in(found: re.Match[str]) -> str:
    return f"{found['owner']}/{found['name']}"
