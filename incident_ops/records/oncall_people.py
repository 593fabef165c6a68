"""Who is who, for people that another tool names: by a map of the user's, else by the contacts of the policy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from incident_ops.domain.policy_sections import Contacts
from incident_ops.errors import UserError
from incident_ops.records.yaml_reader import read_yaml

PEOPLE_HINT = 'write a file with a line for each, e.g. `"alice@example.org": "@alice"`, and name it with --people'


_HANDLE_ALONE = re.compile(r"@[A-Za-z0-9][A-Za-z0-9-]{0,38}", re.ASCII)


class PeopleMap:
    """Handles by the names, addresses and ids of another tool; whoever is not known is collected."""

    def __init__(self, given: Mapping[str, str], contacts: Contacts) -> None:
        self._given = {key.casefold(): handle for key, handle in given.items()}
        self._contacts = contacts
        self._unknown: dict[str, None] = {}

    def handle(self, names: Iterable[str | None]) -> str:
        """The handle of somebody with these names, the best first; "" where nobody is known by any."""
        known = [one.strip() for one in names if one and one.strip()]
        for one in known:
            if found := self._given.get(one.casefold()):
                return found
            if _HANDLE_ALONE.fullmatch(one):
                return one
        if found := self._contacts.known_by_git(*known):
            return found
        full = {contact.name.casefold(): who for who, contact in self._contacts.people.items() if contact.name}
        for one in known:
            if one.casefold() in full:
                return full[one.casefold()]
        self._unknown[" or ".join(known[:2]) or "(somebody without a name)"] = None
        return ""

    def demand_all(self) -> None:
        """UserError that names everybody who is not known."""
        if self._unknown:
            raise UserError(f"who is {', '.join(self._unknown)}? they are in no contacts", hint=PEOPLE_HINT)


def read_people(text: str, file: str) -> dict[str, str]:
    """The map of a file `--people`: names of another tool -> handles. UserError where it is none."""
    document = read_yaml(text, file)
    if isinstance(document, list):
        raise UserError(document[0].message, where=str(document[0].where), hint=document[0].hint)
    data = document.data
    if not isinstance(data, dict) or not all(isinstance(one, str) and one.startswith("@") for one in data.values()):
        raise UserError("it is not a map of names to handles", where=file, hint=PEOPLE_HINT)
    return data
