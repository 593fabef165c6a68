"""Cassettes: whole runs as they went over the wire, to be played again without any server.

    python -m tests.github.record --against standin
    GITHUB_TOKEN=... GITHUB_REPOSITORY=owner/empty python -m tests.github.record --against https://api.github.com

records every scene anew. Against a real service the repository must have no issue, the token is a person's that may
write issues, the people `alice` and `bob` must be assignable, and GITHUB_TOKEN_PERSON (else the same token) closes one
issue. What is kept is written as if `keeper` had asked https://api.github.com about acme/incidents.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import vcr

from tests.github.faulty import Fault, Proxy, faulty
from tests.github.gate import HOME
from tests.github.runs import FIRST, run, tracker_at
from tests.support.standin import LOGIN, PERSON_TOKEN, TOKEN, standin

FOLDER = Path(__file__).parent / "cassettes"
REPOSITORY = "acme/incidents"
SCENES = ("first_sync", "unchanged", "closed_by_a_person", "rate_limited")
RECORDS = FIRST[:1]
LIMITED_AT = 1  # the request of the last scene that meets a limit
_HEADERS = {"content-type", "link", "location", "retry-after"}
_SECRET = re.compile(r"gh[pousr]_\w+|github_pat_\w+|xox[a-z]-[\w-]+|[\w.+-]+@[\w-]+\.[\w.-]+")


class Service(NamedTuple):
    """What is recorded from: its address, the repository and login there, the tokens of our program and a person."""

    url: str
    repository: str
    login: str
    token: str
    person_token: str


def leaks(text: str) -> list[str]:
    """What must not stand in a cassette: tokens, addresses of mail, headers that carry credentials."""
    return _SECRET.findall(text) + re.findall(r"(?im)^\s*-?\s*(?:authorization|set-cookie|cookie)\b", text)


def player(**more: Any) -> vcr.VCR:
    """vcrpy as it is used here: every request must be there with its method, address, query and body."""
    return vcr.VCR(
        cassette_library_dir=str(FOLDER),
        match_on=["method", "scheme", "host", "path", "query", "body"],
        decode_compressed_response=True,
        **more,
    )


def recorder(service: Service, proxy: Proxy) -> vcr.VCR:
    """The same, writing down what goes through `proxy` as if it were GitHub's."""

    def home(text: str) -> str:
        for there, here in ((proxy.url, HOME), (service.repository, REPOSITORY), (f'"{service.login}"', f'"{LOGIN}"')):
            text = text.replace(there, here)
        return text

    def request(sent: Any) -> Any:
        sent.uri, sent.headers = home(sent.uri), {}
        return sent

    def response(came: dict[str, Any]) -> dict[str, Any]:
        text = home((came["body"].get("string") or b"").decode())
        kept = {name.lower(): values for name, values in came["headers"].items() if name.lower() in _HEADERS}
        return {
            "status": came["status"],
            "headers": {name: [home(value) for value in values] for name, values in kept.items()},
            "body": {"string": _without_mail(text).encode()},
        }

    return player(record_mode="all", before_record_request=request, before_record_response=response)


def _without_mail(text: str) -> str:
    """JSON in which nobody's address of mail stands."""
    try:
        data = json.loads(text, object_hook=lambda found: {**found, "email": None} if "email" in found else found)
    except ValueError:
        return text
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def record(service: Service) -> None:
    """Writes every cassette; the scenes follow one upon the other in one repository."""
    with faulty(service.url) as proxy:
        kept, records = recorder(service, proxy), RECORDS
        for scene in SCENES:
            (FOLDER / f"{scene}.yaml").unlink(missing_ok=True)
            if scene == "unchanged":
                records = run(tracker_at(proxy.url, service.repository, service.token), records).records
            if scene == "closed_by_a_person":
                _close(service, 3)
            proxy.arm(Fault(LIMITED_AT, "429_retry_after") if scene == "rate_limited" else None)
            with kept.use_cassette(f"{scene}.yaml"):
                done = run(tracker_at(proxy.url, service.repository, service.token), records)
            assert not done.errors, done.errors


def _close(service: Service, number: int) -> None:
    request = urllib.request.Request(
        f"{service.url}/repos/{service.repository}/issues/{number}",
        method="PATCH",
        data=json.dumps({"state": "closed", "state_reason": "completed"}).encode(),
        headers={"Authorization": f"token {service.person_token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20):
        pass


@contextmanager
def _service(against: str) -> Iterator[Service]:
    if against == "standin":
        with standin() as github:
            yield Service(github.url, github.new_repository(), LOGIN, TOKEN, PERSON_TOKEN)
        return
    token, repository = os.environ["GITHUB_TOKEN"], os.environ["GITHUB_REPOSITORY"]
    asked = urllib.request.Request(f"{against}/user", headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        login = json.load(answer)["login"]
    yield Service(against, repository, login, token, os.environ.get("GITHUB_TOKEN_PERSON", token))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--against", required=True, metavar="standin|URL")
    with _service(arguments.parse_args().against) as found:
        record(found)
