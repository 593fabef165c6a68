"""What `init --github` lays into a repository: the shipped files with the repository's own values filled in.

Files of `template/` named `.j2` are templates. A workflow is laid as it is, whatever the default branch is called; only
the secrets of channels, which GitHub wants named one by one, are added to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlencode

import msgspec

from incident_ops.resources import PULL_TEMPLATE, TEMPLATE_SUFFIX, pin_file_address, resource_text

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

OWN_BRANCH = "main"
"""The default branch of this house, which its pages name."""
WORKFLOWS = ".github/workflows/"
LINKS = ".github/ISSUE_TEMPLATE/config.yml"
PIN_FILE = ".github/incident-ops.txt"
OWNERS_FILE = ".github/CODEOWNERS"
PULL_FILE = f".github/{PULL_TEMPLATE}"
EXAMPLE_ID = "INC-20250126-120500"
_CHANNELS = re.compile(r"^( +)INCIDENT_OPS_CHANNEL_[A-Z0-9_]+: .*\n(?:\1[A-Z0-9_]+: .*\n)*", re.MULTILINE)
_WHETHER_SET = " && 'set'"
"""What follows the name of a secret where a step only learns that it is there."""

OWNER = r"\A@[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?\Z"
"""Who can own files on GitHub: a person or a team."""
_Owner = Annotated[str, msgspec.Meta(pattern=OWNER)]
_Repository = Annotated[str, msgspec.Meta(pattern=r"\A(?:[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)?\Z")]
_Wheel = Annotated[
    str,
    msgspec.Meta(pattern=r"\A(?:(?:(?:https://|\./)[^\s#]+\.whl|incident-ops==[0-9][\w.+!]*)#sha256=[0-9a-f]{64})?\Z"),
]
_Variable = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z][A-Z0-9_]*\Z")]
_OneLine = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00-\x1f\x7f]*\Z")]


class LaidValues(msgspec.Struct, frozen=True, kw_only=True):
    """What is filled in. `wheel` is an address, a path or a version, `#sha256=` and the digest; `repository` is
    owner/name; `level` is the line of a record with its level; `variables` are those that hold addresses and keys of
    channels."""

    owners: list[_Owner] = []
    branch: _OneLine = OWN_BRANCH
    repository: _Repository = ""
    wheel: _Wheel = ""
    level: _OneLine = ""
    variables: list[_Variable] = []


def laid_texts(sources: Mapping[str, str], values: LaidValues, version: str) -> dict[str, bytes]:
    """Path -> content of every file of this release. Without a `repository` there is no link to declare at."""
    facts = _facts(values, version)
    made = {}
    for source, text in sources.items():
        path = source.removesuffix(TEMPLATE_SUFFIX)
        if path == LINKS and not values.repository:
            continue
        if path != source:
            text = plain_templates().from_string(text).render(facts)
        elif path.startswith(WORKFLOWS):
            text = _with_variables(text, values.variables)
        else:
            text = text.replace(f"origin/{OWN_BRANCH}`", f"origin/{values.branch}`")
        made[path] = text.encode()
    return made


def _facts(values: LaidValues, version: str) -> dict[str, object]:
    package, _, digest = values.wheel.partition("#sha256=")
    return {
        "version": version,
        "owners": values.owners,
        "package": package,
        "digest": digest,
        "pins_url": pin_file_address(version),
        "packages": resource_text("requirements/run.txt").rstrip("\n"),
        "attestation": resource_text("requirements/attestation.txt").rstrip("\n"),
        "declare_url": _declare_url(values),
    }


def _declare_url(values: LaidValues) -> str:
    """Where GitHub opens a new record in the browser, with the least that it needs."""
    record = (
        "# yaml-language-server: $schema=../../schemas/incident.schema.json\n"
        f"id: {EXAMPLE_ID} # the time now, UTC; the folder has the same name\n"
        f"title: \n{values.level}\nstate: new\nservices: []\ntimes: {{declared: 2025-01-26T12:05:00Z}}\n"
    )
    asked = urlencode({"filename": f"incidents/{EXAMPLE_ID}/incident.yaml", "value": record}, quote_via=quote)
    return f"https://github.com/{values.repository}/new/{quote(values.branch)}?{asked}"


def _with_variables(text: str, variables: Sequence[str]) -> str:
    """A workflow in which each step that gets the secrets of channels gets all of `variables`."""

    def filled(block: re.Match[str]) -> str:
        named = set(re.findall(r"^ +([A-Z0-9_]+):", block[0], re.MULTILINE))
        more = [one for one in variables if one not in named]
        given = _WHETHER_SET if _WHETHER_SET in block[0] else ""
        return block[0] + "".join(f"{block[1]}{one}: ${{{{ secrets.{one}{given} }}}}\n" for one in more)

    return _CHANNELS.sub(filled, text)


@cache
def plain_templates() -> SandboxedEnvironment:
    """Templates of files that are not HTML; whoever fills one in has checked each value for its place."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # no HTML: every value has been checked for the place where it stands
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
