"""What the workflows install: whether it is this version, by its hash, and whether a release of ours is what it is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from incident_ops import __version__, resources
from incident_ops.adapters.attestation import EXTRA, can_verify, why_unproven
from incident_ops.adapters.github.attestations import bundles_of
from incident_ops.domain.pin_file import Pin, read_pins, tool_pin
from incident_ops.records.store import read_regular
from incident_ops.render.github_steps import pin_command
from incident_ops.render.laid_texts import PIN_FILE
from incident_ops.render.set_up import SetUpCheck, SetUpState

ERROR, WARNING, UNKNOWN, OK = SetUpState.ERROR, SetUpState.WARNING, SetUpState.UNKNOWN, SetUpState.OK
_LAY = ("incident-ops init --github",)
_CHECK = "attestation"


def pin_check(top: Path) -> SetUpCheck:
    """Whether the workflows install the version that is asking."""
    raw = read_regular(top, PIN_FILE)
    if not isinstance(raw, bytes):
        if (top / "incident_ops" / "__init__.py").is_file():
            return SetUpCheck("pins", OK, "the workflows install the tool from this repository itself")
        text = f"there is no {PIN_FILE}: no workflow can install incident-ops"
        return SetUpCheck("pins", ERROR, text, "lay it", _LAY)
    pin = tool_pin(read_pins(raw.decode("utf-8", "replace")))
    if pin is None:
        return SetUpCheck("pins", ERROR, f"{PIN_FILE} does not name incident-ops", "lay it again", _LAY)
    if not pin.digests:
        text = f"{PIN_FILE} has no hash of incident-ops, and pip installs nothing without"
        return SetUpCheck("pins", ERROR, text, "give the pin file of this release", (pin_command(),))
    if pin.version != __version__:
        text = f"the workflows install {pin.version}, and this is {__version__}"
        return SetUpCheck("pins", WARNING, text, "bring both to one version", _LAY)
    return SetUpCheck("pins", OK, f"the workflows install {__version__}")


def attestation_checks(top: Path, environment: Mapping[str, str]) -> Iterator[SetUpCheck]:
    """Whether the pinned wheel was built by the release workflow at the tag of its version; nothing without a pin.

    What cannot be asked or checked is UNKNOWN, what was built elsewhere a warning, and a false statement an error.
    """
    raw = read_regular(top, PIN_FILE)
    pin = tool_pin(read_pins(raw.decode("utf-8", "replace"))) if isinstance(raw, bytes) else None
    if pin is None or not pin.digests:
        return
    if not can_verify():
        text = "not verified: what checks signatures is not installed here"
        way = f"pip install 'incident-ops[{EXTRA}]', or ask gh"
        yield SetUpCheck(_CHECK, UNKNOWN, text, way, _by_hand(pin))
        return
    for digest in pin.digests:
        yield _attested(pin, digest, environment)


def _attested(pin: Pin, digest: str, environment: Mapping[str, str]) -> SetUpCheck:
    named, home = f"the wheel sha256:{digest[:12]}...", resources.HOME
    builder = f"{home}/.github/workflows/release.yml@refs/tags/v{pin.version}"
    bundles = bundles_of(environment, home, digest)
    if bundles is None:
        text = f"not verified: {home} is not on the GitHub that is asked here"
        return SetUpCheck(_CHECK, UNKNOWN, text, "ask gh", _by_hand(pin))
    if not bundles:
        text = f"not verified: {home} has no attestation of {named}"
        return SetUpCheck(_CHECK, WARNING, text, "pin a release, unless you built it yourselves", (pin_command(),))
    reasons = [why_unproven(one, digest, builder) for one in bundles]
    if "" in reasons:
        return SetUpCheck(_CHECK, OK, f"{named} is that of {pin.version}, built and signed by release.yml at its tag")
    text = f"{named} is not that of {pin.version}: {reasons[0]}"
    return SetUpCheck(
        _CHECK, ERROR, text, "pin that release, and find out where this wheel came from", (pin_command(),)
    )


def _by_hand(pin: Pin) -> tuple[str, ...]:
    """The same, asked of GitHub's `gh`."""
    name, tag = resources.HOME.removeprefix("https://github.com/"), f"v{pin.version}"
    wheel = f"incident_ops-{pin.version}-py3-none-any.whl"
    signer = ("--signer-workflow", f"{name}/.github/workflows/release.yml", "--source-ref", f"refs/tags/{tag}")
    return (
        shlex.join(["gh", "release", "download", tag, "--repo", name, "--pattern", wheel]),
        shlex.join(["gh", "attestation", "verify", wheel, "--repo", name, *signer]),
        shlex.join(["sha256sum", wheel]),
    )
