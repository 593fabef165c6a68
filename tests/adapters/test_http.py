"""One guarded request: addresses that are refused, a name that changes its mind, limits of time and size, the token."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from incident_ops.adapters.http import MOST_BYTES, Place, ask, ask_json, judged, refusal
from incident_ops.errors import Incomplete, UserError
from tests.support.certificate import CERTIFICATE, make_certificate, server_context
from tests.support.scripted_server import CUT, DROP, HANG, Reply, ScriptedServer

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])

PUBLIC = "93.184.216.34"
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "127.0.0.1", "::1", "198.18.0.1"]
NEVER = ["169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "fe80::1%eth0"]
CLOUDS = ["100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"]
WRAPPED = [
    "::ffff:100.100.100.200",
    "::ffff:169.254.169.254",
    "::a9fe:a9fe",  # the old form of an IPv4 address in an IPv6 one
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1:ffff::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
]
WRAPPED_PRIVATE = ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "64:ff9b:1::808:808", "fec0::1"]


def place(server: ScriptedServer, **words: object) -> Place:
    return Place("data source main", **{"url": server.url, "allow_private": True, "seconds": 2.0, **words})


@pytest.mark.parametrize("address", [*PRIVATE, *NEVER, *CLOUDS, *WRAPPED, *WRAPPED_PRIVATE])
def test_addresses_inside_a_network_are_refused(address: str) -> None:
    """Private, loopback, link-local, and the same wrapped in IPv6."""
    assert refusal(address, allow_private=False)


@pytest.mark.parametrize("address", [*NEVER, *CLOUDS, *WRAPPED])
def test_link_local_addresses_stay_refused(address: str) -> None:
    """Where clouds keep their credentials nothing is ever asked."""
    assert refusal(address, allow_private=True)


@pytest.mark.parametrize("address", [*PRIVATE, "::ffff:10.0.0.1", "fec0::1"])
def test_private_addresses_are_allowed_by_the_policy(address: str) -> None:
    """For a self-hosted runner."""
    assert refusal(address, allow_private=True) == ""


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", f"::ffff:{PUBLIC}"])
def test_public_addresses_are_connected_to(address: str) -> None:
    assert refusal(address, allow_private=False) == ""


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::1]"])
def test_this_machine_is_refused_however_it_is_spelt(host: str) -> None:
    """The address is judged, not its spelling."""
    with pytest.raises(Incomplete, match=r"refused|no address"):
        ask(Place("data source main", f"https://{host}:1/"), "GET")


def test_one_bad_address_among_good_ones_refuses_the_host() -> None:
    """A name that points inside and outside is not trusted."""
    mixed = Place("data source main", "https://m.example", resolve=lambda *_: [PUBLIC, "10.0.0.1"])
    with pytest.raises(Incomplete, match="private address"):
        judged(mixed, "m.example", 443)
    with pytest.raises(Incomplete, match="no address"):
        judged(Place("data source main", "https://m.example", resolve=lambda *_: []), "m.example", 443)


def test_a_name_that_changes_its_mind_gains_nothing(server: ScriptedServer) -> None:
    """It is resolved once; the connection goes to the address that was judged, under the host's own name."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    port = server.url.rpartition(":")[2]
    server.script(Reply(200, {"ok": True}))
    rebound = place(server, url=f"http://metrics.example:{port}", resolve=lambda *_: answers.pop(0))
    assert ask_json(rebound, "GET", "/x") == {"ok": True}
    assert len(answers) == 1
    assert server.asked[0].headers["host"] == f"metrics.example:{port}"


def test_a_name_that_now_points_inside_is_refused_before_anything_is_sent(server: ScriptedServer) -> None:
    """The second look finds the bad address, and no byte leaves."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    port = server.url.rpartition(":")[2]
    server.script(Reply(200, {}), Reply(200, {}))
    rebound = place(server, url=f"http://metrics.example:{port}", resolve=lambda *_: answers.pop(0))
    ask(rebound, "GET")
    with pytest.raises(Incomplete, match="link-local"):
        ask(rebound, "GET")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://m.example", "over http"),
        ("ftp://m.example", "no usable address"),
        ("file:///etc/passwd", "no usable address"),
        ("https://", "no usable address"),
        ("https://m.example/?a=b", "no usable address"),
        ("https://u:p@m.example", "password"),
    ],
)
def test_an_address_of_another_kind_is_refused(url: str, message: str) -> None:
    """https alone, and no secret in it; the error does not show the address."""
    with pytest.raises(UserError, match=message) as told:
        Place("data source main", url)
    assert "m.example" not in str(told.value)


def test_redirects_are_not_followed(server: ScriptedServer) -> None:
    """Neither to another path nor to another host; the token stays."""
    server.script(Reply(302, None, {"Location": "{url}/elsewhere"}))
    with pytest.raises(Incomplete, match=r"answered 302.*redirects are not followed"):
        ask_json(place(server, headers={"Authorization": "Bearer s3cret"}), "GET", "/a")
    assert server.lines == ["GET /a"]


def test_proxies_and_stored_passwords_are_not_used(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The token goes to the named host alone, and is the data source's own."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.script(Reply(200, {}), Reply(200, {}))
    ask_json(place(server, headers={"Authorization": "Bearer s3cret"}), "GET")
    ask_json(place(server), "GET")
    assert server.asked[0].headers["authorization"] == "Bearer s3cret"
    assert "authorization" not in server.asked[1].headers


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(fault=DROP), "connection broke"),
        (Reply(200, {"a": 1}, fault=CUT), "connection broke"),
        (Reply(200, text="<html>sign in</html>"), "not JSON"),
        (Reply(200, text='{"a": NaN}'), "not JSON"),
        (Reply(200, text="[" * 100_000), "not JSON"),
        (Reply(200, text=""), "not JSON"),
        (Reply(500, text="<html>x</html>"), "answered 500$"),
        (Reply(429, {"message": "slow"}), "answered 429.*ask less often"),
        (Reply(401, None), "answered 401.*check its token"),
        (Reply(204, None), "answered 204"),
        (Reply(200, text='"' + "x" * MOST_BYTES + '"'), "more than 2 MiB"),
    ],
    ids=["drop", "cut", "page", "nan", "nested", "empty", "500", "429", "401", "204", "large"],
)
def test_every_other_end_is_an_error_with_its_reason(server: ScriptedServer, reply: Reply, message: str) -> None:
    """Never an empty answer."""
    server.script(reply)
    with pytest.raises(Incomplete, match=message):
        ask_json(place(server, seconds=10.0), "GET")


def test_a_small_answer_that_unpacks_to_a_large_one_is_cut(server: ScriptedServer) -> None:
    """The limit counts what is unpacked."""
    import gzip

    packed = gzip.compress(b'"' + b"x" * (20 * MOST_BYTES) + b'"')

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        def log_message(self, format: str, *words: object) -> None:  # noqa: A002
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as bomb:
        threading.Thread(target=bomb.handle_request, daemon=True).start()
        with pytest.raises(Incomplete, match="more than 2 MiB"):
            ask(place(server, url=f"http://127.0.0.1:{bomb.server_port}"), "GET")


def test_a_server_that_hangs_is_left(server: ScriptedServer) -> None:
    """After the time that the gate file gives, at most ten seconds."""
    server.script(Reply(fault=HANG))
    begin = time.monotonic()
    with pytest.raises(Incomplete, match=r"no answer within 0\.3 s"):
        ask(place(server, seconds=0.3), "GET")
    assert time.monotonic() - begin < 3


def test_a_server_that_drips_is_left() -> None:
    """A byte now and then does not lengthen the wait."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def drip() -> None:
            line, _ = listening.accept()
            with line:
                try:
                    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                    for _ in range(12):
                        line.sendall(b"x")
                        time.sleep(0.1)
                except OSError:
                    return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises(Incomplete, match="no answer within"):
            ask(
                Place(
                    "data source main",
                    f"http://127.0.0.1:{listening.getsockname()[1]}",
                    allow_private=True,
                    seconds=0.5,
                ),
                "GET",
            )
        thread.join()


def test_nobody_there_is_told() -> None:
    """A refused connection."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with pytest.raises(Incomplete, match="cannot be reached"):
        ask(Place("data source main", f"http://127.0.0.1:{port}", allow_private=True), "GET")


def test_neither_address_nor_token_is_ever_shown(server: ScriptedServer) -> None:
    """Not in an error, not in the place's own text form."""
    secret = place(server, headers={"Authorization": "Bearer s3cret"})
    server.script(Reply(500, {"message": "x"}), Reply(fault=DROP))
    for _ in range(2):
        with pytest.raises(Incomplete) as told:
            ask_json(secret, "GET")
        assert "s3cret" not in str(told.value)
        assert "127.0.0.1" not in str(told.value)
    assert "s3cret" not in repr(secret)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key for metrics.example."""
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder, "metrics.example")
    return folder


@pytest.mark.parametrize(
    ("host", "trusted", "message"),
    [
        ("metrics.example", True, ""),
        ("metrics.example", False, "certificate is not trusted"),
        ("other.example", True, "certificate is not trusted"),
    ],
)
def test_certificates_are_checked_against_the_name(certificate: Path, host: str, trusted: bool, message: str) -> None:
    """Although the connection goes to an address: the name in the address decides."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *words: object) -> None:  # noqa: A002
            """Nothing."""

    context = server_context(certificate)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        authorities = str(certificate / CERTIFICATE) if trusted else None
        url = f"https://{host}:{server.server_port}"
        asked = Place("data source main", url, {}, True, 5, authorities, lambda *_: ["127.0.0.1"])
        if message:
            with pytest.raises(Incomplete, match=message):
                ask_json(asked, "GET")
        else:
            assert ask_json(asked, "GET") == {}
        thread.join(5)
