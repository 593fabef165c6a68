"""What a pin file says: each package, its one version or place, and the digests that pip takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from incident_ops.errors import UserError

TOOL = "incident-ops"
_WHEEL_NAME = re.compile(r"(?:^|/)incident_ops-(?P<version>[^-/\s]+)-py3-none-any\.whl$")
_PIN = re.compile(
    r"(?:(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[A-Za-z0-9,._-]+\])?"
    r"(?:==(?P<version>[^\s;@]+)| @ (?P<place>\S+))|(?P<path>\./\S+\.whl))"
    r"(?P<marker> *;.*?)?(?P<hashes>(?: +--hash=sha256:[0-9a-f]{64})*)"
)
_HASH = re.compile(r"sha256:([0-9a-f]{64})")


class Pin(NamedTuple):
    """A package: its version where one is named, the place that it comes from where it is none of an index, the
    surroundings that need it ("" = all), and its digests, sha256 in hexadecimal."""

    name: str
    version: str
    place: str = ""
    marker: str = ""
    digests: tuple[str, ...] = ()


def read_pins(text: str) -> list[Pin]:
    """The packages of a pin file, in its order; options of pip are left out. UserError for any other line."""
    joined = re.sub(r"(?m)(?:^|\s)#.*$", "", text.replace("\r\n", "\n")).replace("\\\n", " ")
    return [
        _pin(" ".join(line.split()))
        for line in joined.splitlines()
        if line.strip() and not line.lstrip().startswith("-")
    ]


def _pin(line: str) -> Pin:
    found = _PIN.fullmatch(line)
    if found is None:
        raise UserError(
            f"{line[:60]!r} is not a package with its version and hashes", hint="NAME==VERSION --hash=sha256:HEX"
        )
    place = found["place"] or found["path"] or ""
    wheel = _WHEEL_NAME.search(place.partition("#")[0])
    name = re.sub(r"[-_.]+", "-", found["name"] or (TOOL if wheel else place)).lower()
    version = found["version"] or (wheel["version"] if wheel else "")
    return Pin(name, version, place, (found["marker"] or "").strip(" ;"), tuple(_HASH.findall(found["hashes"])))


def tool_pin(pins: Sequence[Pin]) -> Pin | None:
    """The line of this program itself; None where there is none."""
    return next((one for one in pins if one.name == TOOL), None)
