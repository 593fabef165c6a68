"""What doctor says of the wheel that workflows install: by its hash, and by the statement of who built it.

`recorded/attestations.json` is a true one, from the public log: the sdist of pypi-attestations 0.0.19, which the
release workflow of trailofbits/pypi-attestations built on GitHub at that tag, in the form that GitHub's API has.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_ops import __version__, resources
from incident_ops.app import doctor_release
from incident_ops.app.doctor_release import attestation_checks, pin_check
from incident_ops.errors import Incomplete
from incident_ops.render.set_up import SetUpCheck, SetUpState
from tests.support.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
ERROR, WARNING, UNKNOWN, OK = SetUpState.ERROR, SetUpState.WARNING, SetUpState.UNKNOWN, SetUpState.OK
HEX = "a" * 64
RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded/attestations.json").read_text())
DIGEST = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3"
BUILDER = "https://github.com/trailofbits/pypi-attestations"
VERSION = "0.0.19"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (None, ERROR),
        ("click==8\n", ERROR),
        (f"incident-ops=={__version__}\n\n# more\nclick==8 --hash=sha256:{HEX}\n", ERROR),
        (
            f"incident-ops @ https://x.example/incident_ops-{__version__}-py3-none-any.whl \\\n  --hash=sha256:{HEX}\n",
            OK,
        ),
        (f"incident-ops=={__version__} \\\n    --hash=sha256:{HEX}\n", OK),
        (f"incident-ops==0.0.1 \\\n    --hash=sha256:{HEX}\n", WARNING),
    ],
)
def test_what_the_workflows_install(tmp_path: Path, text: str | None, state: SetUpState) -> None:
    (tmp_path / ".github").mkdir()
    if text is not None:
        (tmp_path / ".github/incident-ops.txt").write_text(text)
    assert pin_check(tmp_path).state is state


def pinned(top: Path, version: str = VERSION, digest: str = DIGEST) -> Path:
    """A repository whose workflows install this."""
    (top / ".github").mkdir()
    (top / ".github/incident-ops.txt").write_text(f"incident-ops=={version} \\\n    --hash=sha256:{digest}\n")
    return top


def asked(top: Path, server: ScriptedServer, *replies: Reply, site: str = "https://github.com") -> list[SetUpCheck]:
    """What doctor says where GitHub's API answers so."""
    server.script(*replies)
    environment = {"GITHUB_API_URL": server.url, "GITHUB_SERVER_URL": site, "GITHUB_TOKEN": "a-token"}
    return [*attestation_checks(top, environment)]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this program were the one whose attestation was recorded."""
    monkeypatch.setattr(resources, "HOME", BUILDER)


def test_a_release_is_verified_by_its_digest_alone(tmp_path: Path, server: ScriptedServer, home: None) -> None:
    """Signature, certificate, entry in the log, the workflow and its tag: all as they were recorded."""
    (seen,) = asked(pinned(tmp_path), server, Reply(200, RECORDED))
    assert (seen.check, seen.state) == ("attestation", OK), seen
    assert "built and signed by release.yml at its tag" in seen.message
    assert server.lines == [f"GET /repos/trailofbits/pypi-attestations/attestations/sha256:{DIGEST}"]


def _other_payload(bundle: dict[str, Any]) -> None:
    envelope = bundle["dsseEnvelope"]
    text = base64.b64decode(envelope["payload"]).replace(DIGEST.encode(), b"b" * 64)
    envelope["payload"] = base64.b64encode(text).decode()


def _other_signature(bundle: dict[str, Any]) -> None:
    raw = bytearray(base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"]))
    raw[-1] ^= 1
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(bytes(raw)).decode()


def _no_log(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"] = []


def _other_log(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = "1700000000"


def _no_certificate(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["certificate"]["rawBytes"] = base64.b64encode(b"none").decode()


def _of_nothing(bundle: dict[str, Any]) -> None:
    bundle.clear()


@pytest.mark.parametrize(
    "forge",
    [_other_payload, _other_signature, _no_log, _other_log, _no_certificate, _of_nothing],
    ids=lambda one: one.__name__,
)
def test_what_is_forged_in_any_part_is_an_error(
    tmp_path: Path, server: ScriptedServer, home: None, forge: Callable[[dict[str, Any]], None]
) -> None:
    forged = copy.deepcopy(RECORDED)
    forge(forged["attestations"][0]["bundle"])
    (seen,) = asked(pinned(tmp_path), server, Reply(200, forged))
    assert seen.state is ERROR, seen
    assert "is not that of 0.0.19: " in seen.message
    assert "built and signed" not in seen.message


def test_a_true_statement_of_another_file_tag_or_repository_is_an_error(
    tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [(BUILDER, VERSION, "b" * 64), (BUILDER, "0.0.18", DIGEST), (f"{BUILDER}-fork", VERSION, DIGEST)]
    for number, (at, version, digest) in enumerate(places):
        monkeypatch.setattr(resources, "HOME", at)
        top = tmp_path / str(number)
        top.mkdir()
        (seen,) = asked(pinned(top, version, digest), server, Reply(200, RECORDED))
        assert seen.state is ERROR, (at, version, digest, seen)


def test_a_wheel_that_nobody_attested_is_said_to_be_not_verified(tmp_path: Path, server: ScriptedServer) -> None:
    top = pinned(tmp_path)
    nothing = [
        Reply(404, {"message": "Not Found"}),
        Reply(200, {"attestations": []}),
        Reply(200, {"attestations": [{}]}),
    ]
    for reply in nothing:
        (seen,) = asked(top, server, reply)
        assert seen.state is WARNING
        assert seen.message.startswith("not verified: ")


def test_another_github_is_not_asked(tmp_path: Path, server: ScriptedServer) -> None:
    (seen,) = asked(pinned(tmp_path), server, site="https://github.acme.example")
    assert (seen.state, server.asked) == (UNKNOWN, [])
    assert seen.message.startswith("not verified: ")
    assert seen.commands[1] == (
        f"gh attestation verify incident_ops-{VERSION}-py3-none-any.whl --repo incident-ops/incident-ops "
        f"--signer-workflow incident-ops/incident-ops/.github/workflows/release.yml --source-ref refs/tags/v{VERSION}"
    )


def test_a_github_that_does_not_answer_verifies_nothing(tmp_path: Path, server: ScriptedServer) -> None:
    refused = Reply(403, {"message": "Resource not accessible by integration"})
    with pytest.raises(Incomplete, match="who built the wheel"):
        asked(pinned(tmp_path), server, refused)


def test_without_the_extra_nothing_is_verified_and_gh_is_named(
    tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_release, "can_verify", lambda: False)
    (seen,) = asked(pinned(tmp_path), server)
    assert (seen.state, server.asked) == (UNKNOWN, [])
    assert "pip install 'incident-ops[attestation]'" in seen.way
    assert str(seen.commands[1]).startswith("gh attestation verify")


def test_nothing_is_said_of_what_is_not_pinned(tmp_path: Path, server: ScriptedServer) -> None:
    assert asked(tmp_path, server) == []
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/incident-ops.txt").write_text("incident-ops==0.1.0\n")
    assert asked(tmp_path, server) == []
