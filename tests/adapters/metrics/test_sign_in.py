"""Signing in to a metric source: what is sent, when a token is asked for anew, and what is said where it cannot be."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from incident_ops.adapters.metrics import sign_in as signing
from incident_ops.adapters.metrics.cloudwatch import Credentials, signed
from incident_ops.adapters.metrics.connect import WebQuestion, connect
from incident_ops.domain.policy_sections import BasicAuth, Datasource, GoogleAuth, OAuth2Client, SignIn, SigV4
from incident_ops.domain.ports import MetricSource, Tick
from incident_ops.errors import Incomplete, UserError
from tests.support.absent import without
from tests.support.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
Patch = pytest.MonkeyPatch
TICK = Tick(datetime(2025, 1, 26, 12, 5, tzinfo=UTC), 15.0)
SECRETS = {
    "USER": "gate",
    "PASSWORD": "pa55:word",
    "ID": "client id",
    "SECRET": "cl1ent/secret",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENG",
    "AWS_SESSION_TOKEN": "session-of-aws",
}
BASIC = SignIn(basic=BasicAuth(user_env="USER", password_env="PASSWORD"))
SIGV4 = SignIn(sigv4=SigV4(service="aps", region="eu-central-1"))
GOOGLE = SignIn(google=GoogleAuth())


def oauth2(server: ScriptedServer, *scopes: str, path: str = "/token") -> SignIn:
    names = {"client_id_env": "ID", "client_secret_env": "SECRET"}
    return SignIn(oauth2=OAuth2Client(token_url=f"{server.url}{path}", scopes=[*scopes], **names))


def source(
    server: ScriptedServer, auth: SignIn, kind: str = "web", question: WebQuestion | None = None
) -> MetricSource:
    made = Datasource(kind=kind, url=server.url, allow_private=True, auth=auth)
    return connect("main", made, SECRETS, 2.0, question or WebQuestion(), is_checked=True)


def ask(made: MetricSource) -> Any:
    return made.value("/x?b=2&a=1 ".strip(), TICK)


def token(name: str, **more: Any) -> Reply:
    return Reply(200, {"access_token": name, "token_type": "Bearer", "expires_in": 3600, **more})


def test_basic_sends_user_and_password(server: ScriptedServer) -> None:
    """As RFC 7617 joins them."""
    server.script(Reply(200, 1))
    ask(source(server, BASIC))
    assert server.asked[0].headers["authorization"] == "Basic Z2F0ZTpwYTU1OndvcmQ="


@pytest.mark.parametrize("kind", ["web", "prometheus"])
def test_who_is_refused_does_not_read_its_secrets(server: ScriptedServer, kind: str) -> None:
    """A service may say again what it was sent; what is shown of it is without."""
    more = {"header_env": {"X-Key": "AWS_SESSION_TOKEN"}, "allow_private": True, "url": server.url, "kind": kind}
    body = {"status": "error", "errorType": "auth", "error": "no pa55:word, Z2F0ZTpwYTU1OndvcmQ=, session-of-aws here"}
    for auth, first in ((BASIC, []), (oauth2(server), [token("token-of-hours")])):
        server.script(*first, Reply(403, {**body, "error": body["error"] + " token-of-hours cl1ent/secret"}))
        with pytest.raises(Incomplete, match=r"answered 403.*\*\*\*") as error:
            ask(connect("main", Datasource(auth=auth, **more), SECRETS, 2.0))
        shown = ["session-of-aws", *(["token-of-hours", "cl1ent/secret"] if first else ["pa55:word", "Z2F0ZTpwYTU1"])]
        assert [one for one in shown if one in str(error.value)] == []


def test_a_user_with_a_colon_is_refused(server: ScriptedServer, monkeypatch: Patch) -> None:
    """Its end would be part of the password."""
    monkeypatch.setitem(SECRETS, "USER", "a:b")
    with pytest.raises(UserError, match="USER holds a colon"):
        source(server, BASIC)


def test_a_client_gets_one_token_and_uses_it(server: ScriptedServer) -> None:
    """Asked for once, over the same guard; id and secret encoded as RFC 6749 asks, and in no address."""
    server.script(token("t1"), Reply(200, 1), Reply(200, 2))
    made = source(server, oauth2(server, "metrics.read", "more"))
    assert (ask(made), ask(made)) == (1, 2)
    assert server.lines == ["POST /token", "GET /x", "GET /x"]
    first, *others = server.asked
    assert first.body == {"grant_type": "client_credentials", "scope": "metrics.read more"}
    assert first.headers["authorization"] == "Basic Y2xpZW50JTIwaWQ6Y2wxZW50JTJGc2VjcmV0"
    assert [one.headers["authorization"] for one in others] == ["Bearer t1"] * 2


def test_a_token_is_asked_for_anew_before_it_ends_and_after_a_401(server: ScriptedServer, monkeypatch: Patch) -> None:
    """Thirty seconds before; a short one at half of its time."""
    now = [1000.0]
    monkeypatch.setattr(signing.time, "monotonic", lambda: now[0])
    made = source(server, oauth2(server))
    server.script(token("t1"), Reply(200, 1))
    ask(made)
    now[0] += 3569
    server.script(Reply(200, 1))
    ask(made)
    now[0] += 2
    server.script(token("t2", expires_in=10), Reply(200, 1))
    ask(made)
    now[0] += 6
    server.script(token("t3"), Reply(401, {"error": "revoked"}))
    with pytest.raises(Incomplete, match="answered 401"):
        ask(made)
    server.script(token("t4", expires_in=None), Reply(200, 1))
    ask(made)
    sent = [one.headers["authorization"] for one in server.asked if one.path != "/token"]
    assert sent == ["Bearer t1", "Bearer t1", "Bearer t2", "Bearer t3", "Bearer t4"]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(401, {"error": "invalid_client"}), "answered 401"),
        (Reply(500, text="oops"), "answered 500"),
        (Reply(302, None, {"Location": "{url}/other"}), "answered 302"),
        (Reply(200, text="<html>"), "not JSON"),
        (Reply(200, {"token": "x"}), "gave no token"),
        (Reply(200, []), "gave no token"),
        (Reply(200, {"access_token": "a\r\nHost: b"}), "gave no token"),
    ],
)
def test_a_token_that_does_not_come_is_an_error_of_the_tick(server: ScriptedServer, reply: Reply, said: str) -> None:
    """The source is not asked without one, and the secret is not shown."""
    server.script(reply)
    with pytest.raises(Incomplete, match=said) as refused:
        ask(source(server, oauth2(server)))
    assert server.lines == ["POST /token"]
    assert SECRETS["SECRET"] not in str(refused.value)


def test_the_address_of_tokens_is_guarded_too(server: ScriptedServer) -> None:
    """It is named in a file as well."""
    made = Datasource(kind="web", url="https://m.example", auth=oauth2(server))
    with pytest.raises(UserError, match="over http"):
        connect("main", made, SECRETS)


@pytest.mark.parametrize("kind", ["web", "prometheus"])
def test_a_request_is_signed_for_aws(server: ScriptedServer, kind: str, monkeypatch: Patch) -> None:
    """Body, address and headers are in it: our own implementation of the published steps gives the same for a POST."""
    question = WebQuestion("$", "POST", '{"a": 1}')
    server.script(
        Reply(200, 1 if kind == "web" else {"status": "success", "data": {"resultType": "vector", "result": []}})
    )
    made = source(server, SIGV4, kind, question)
    made.value("/" if kind == "web" else "up", TICK)
    (asked,) = server.asked
    assert asked.headers["x-amz-security-token"] == SECRETS["AWS_SESSION_TOKEN"]
    found = asked.headers["authorization"]
    assert "/eu-central-1/aps/aws4_request" in found
    if kind == "web":
        at = datetime.strptime(asked.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        who = Credentials("AKIDEXAMPLE", SECRETS["AWS_SECRET_ACCESS_KEY"], SECRETS["AWS_SESSION_TOKEN"])
        host, words = server.url.partition("//")[2], {"Content-Type": "application/json"}
        assert found == signed(who, "eu-central-1", "aps", host, b'{"a": 1}', words, at)["authorization"]


def test_without_keys_for_aws_the_way_is_named(server: ScriptedServer, monkeypatch: Patch, tmp_path: Path) -> None:
    """Nothing is asked of a machine's own service: here is none."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delitem(SECRETS, name, raising=False)
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match="there are no credentials for AWS"):
        source(server, SIGV4)


@pytest.fixture
def account(server: ScriptedServer, tmp_path: Path, monkeypatch: Patch) -> Path:
    """A service account of Google whose tokens the stand-in gives out."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    data = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "k",
        "private_key": text,
        "client_email": "gate@p.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": f"{server.url}/token",
    }
    path = tmp_path / "account.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return path


def test_google_gives_a_token_for_reading_metrics(server: ScriptedServer, account: Path) -> None:
    """google-auth asks for it, once."""
    server.script(token("g1"), Reply(200, 1), Reply(200, 2))
    made = source(server, GOOGLE)
    assert (ask(made), ask(made)) == (1, 2)
    assert server.lines == ["POST /token", "GET /x", "GET /x"]
    assert server.asked[1].headers["authorization"] == "Bearer g1"


def test_what_google_refuses_is_an_error_of_the_tick(server: ScriptedServer, account: Path) -> None:
    """And where there are no credentials at all nothing begins."""
    server.script(Reply(400, {"error": "invalid_grant", "error_description": "no such account"}))
    with pytest.raises(Incomplete, match="Google gives no token"):
        ask(source(server, GOOGLE))
    account.write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="there are no credentials for Google"):
        source(server, GOOGLE)


@pytest.mark.parametrize(
    ("auth", "package", "said"),
    [
        (SIGV4, "botocore", r"sigv4 needs the extra aws, .*extras: true"),
        (GOOGLE, "google", r"google needs the extra google, .*extras: true"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(
    server: ScriptedServer, monkeypatch: Patch, auth: SignIn, package: str, said: str
) -> None:
    """Before anything is rolled out."""
    without(monkeypatch, package)
    with pytest.raises(UserError, match=said):
        source(server, auth)


def test_a_token_and_a_sign_in_are_one_too_many(server: ScriptedServer) -> None:
    """One would hide the other."""
    made = Datasource(kind="web", url="https://m.example", token_env="USER", auth=BASIC)
    header = Datasource(kind="web", url="https://m.example", header_env={"authorization": "USER"}, auth=BASIC)
    for source_of in (made, header):
        with pytest.raises(UserError, match="signs in twice"):
            connect("main", source_of, SECRETS)
