"""Who built a file, by a signed statement: signature, certificate and entry in the public log, checked by `sigstore`.

The library comes with an extra, for it brings two dozen packages. It checks with the keys that its own release ships,
so nothing is fetched; keys that are newer than that release make a check fail, never pass.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from incident_ops.extras import is_installed

if TYPE_CHECKING:
    from sigstore.verify import Verifier

EXTRA = "attestation"
_ISSUER = "https://token.actions.githubusercontent.com"
_ENVELOPE = "application/vnd.in-toto+json"
_PROVENANCE = "https://slsa.dev/provenance/v1"


class _Subject(msgspec.Struct, frozen=True):
    digest: dict[str, str] = {}


class _Statement(msgspec.Struct, frozen=True, rename="camel"):
    predicate_type: str
    subject: list[_Subject] = []


def can_verify() -> bool:
    """Whether the library is installed."""
    return is_installed(EXTRA)


def why_unproven(bundle: Mapping[str, Any], digest: str, builder: str) -> str:
    """Why a bundle does not prove that `builder` built the file of this sha256; "" where it does.

    `builder` is the address of a workflow of GitHub Actions with the ref that it ran at.
    """
    from sigstore.errors import Error
    from sigstore.models import Bundle
    from sigstore.verify.policy import Identity

    try:
        signed = Bundle.from_json(msgspec.json.encode(bundle))
        kind, payload = _verifier().verify_dsse(signed, Identity(identity=builder, issuer=_ISSUER))
        statement = msgspec.json.decode(payload, type=_Statement)
    except (Error, ValueError) as error:  # the models of the bundle refuse with a ValueError
        return " ".join(str(error).split())[:200] or type(error).__name__
    if kind != _ENVELOPE or statement.predicate_type != _PROVENANCE:
        return f"it is a statement of another kind: {statement.predicate_type}"
    if all(one.digest.get("sha256") != digest for one in statement.subject):
        return "it is about another file"
    return ""


@cache
def _verifier() -> Verifier:
    from sigstore.verify import Verifier

    logging.getLogger("sigstore").setLevel(logging.ERROR)  # it warns that it asks nobody, which is what is wanted
    return Verifier.production(offline=True)
