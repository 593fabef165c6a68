"""The proxy does to requests what a test asks of it, and else nothing."""

from __future__ import annotations

import json
import threading

import pytest
import requests

from tests.github.faulty import AFTER, BEFORE, CUT, DROP, KILL, OUTAGE, STALE, TIMEOUT, Fault, Killed, Proxy, dying
from tests.github.gate import Gate
from tests.support.standin import Standin

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])


class _Shop:
    """One repository behind the proxy, asked with plain requests."""

    def __init__(self, github: Standin, proxy: Proxy) -> None:
        self.proxy, self.repository, self.github = proxy, github.new_repository(), github
        self.base = f"{proxy.url}/repos/{self.repository}"
        self.session, self.patience = requests.Session(), 20.0
        self.session.headers["Authorization"] = f"token {github.token}"

    def create(self, title: str = "x", **more: object) -> requests.Response:
        return self.session.post(f"{self.base}/issues", json={"title": title, **more}, timeout=self.patience)

    def titles(self, **query: str) -> list[str]:
        return [one["title"] for one in self.session.get(f"{self.base}/issues", params=query, timeout=20).json()]


@pytest.fixture
def shop(github: Standin, proxy: Proxy, gate: Gate) -> _Shop:
    """See `_Shop`."""
    return _Shop(github, proxy)


def test_without_a_fault_only_addresses_are_changed(shop: _Shop) -> None:
    """Nothing in an answer, nor in its link header, names the server behind."""
    for number in range(3):
        assert shop.create(f"issue {number}").status_code == 201
    answer = shop.session.get(f"{shop.base}/issues", params={"per_page": "1"}, timeout=20)
    assert answer.links["next"]["url"].startswith(shop.proxy.url)
    assert shop.github.url not in answer.text + str(answer.headers)
    assert answer.json()[0]["url"].startswith(shop.base)
    assert shop.session.get(answer.links["next"]["url"], timeout=20).json()[0]["title"] == "issue 1"


@pytest.mark.parametrize(("when", "made"), [(BEFORE, []), (AFTER, ["x"])])
@pytest.mark.parametrize("name", ["502", "500", "403_secondary", "401"])
def test_an_answer_of_ours_stands_for_the_servers(shop: _Shop, name: str, when: str, made: list[str]) -> None:
    """Before: the server knows nothing of it. After: it acted, and nobody is told."""
    shop.proxy.arm(Fault(1, name, when))
    assert shop.titles() == []
    assert shop.create().status_code == int(name[:3])
    assert shop.titles() == made
    assert [one.acted for one in shop.proxy.log] == [True, when == AFTER, True]


@pytest.mark.parametrize(("when", "made"), [(BEFORE, []), (AFTER, ["x"])])
@pytest.mark.parametrize(
    ("what", "error"),
    [(DROP, requests.ConnectionError), (TIMEOUT, requests.Timeout), (KILL, Killed)],
)
def test_no_answer_at_all(shop: _Shop, what: str, error: type[BaseException], when: str, made: list[str]) -> None:
    shop.proxy.arm(Fault(0, what, when))
    shop.patience = 0.5
    with dying(shop.proxy), pytest.raises(error):
        shop.create()
    shop.proxy.arm()
    assert shop.titles() == made


def test_an_answer_breaks_off_in_its_middle(shop: _Shop) -> None:
    shop.create()
    shop.proxy.arm(Fault(0, CUT, AFTER))
    with pytest.raises(requests.RequestException):
        shop.titles()
    assert shop.titles() == ["x"]


def test_an_outage_lasts(shop: _Shop) -> None:
    shop.proxy.arm(Fault(1, OUTAGE))
    assert [shop.create().status_code for _ in range(3)] == [201, 502, 502]
    shop.proxy.arm()
    assert shop.titles() == ["x"]


def test_a_stale_list_hides_what_was_made_of_late(shop: _Shop) -> None:
    """It is still there by its number, and later the list shows it."""
    shop.create("old")
    shop.proxy.arm(Fault(0, STALE, AFTER))
    assert shop.create("new").status_code == 502
    assert shop.titles() == []  # hidden, with all that was made of late
    assert shop.session.get(f"{shop.base}/issues/2", timeout=20).json()["title"] == "new"
    shop.proxy.arm(hidden_for=3)
    assert shop.titles() == ["old"]
    assert shop.titles() == ["new", "old"]


def test_what_the_standin_lacks(shop: _Shop) -> None:
    """Lengths, ETags, 304 and gzip are as GitHub's."""
    assert shop.create(body="x" * 65_537).json()["errors"][0]["field"] == "body"
    assert shop.create().status_code == 201
    address = f"{shop.base}/issues/1"
    first = shop.session.get(address, timeout=20)
    again = shop.session.get(address, headers={"If-None-Match": first.headers["etag"]}, timeout=20)
    assert (again.status_code, again.content) == (304, b"")
    shop.proxy.gzip = True
    packed = shop.session.get(address, timeout=20)
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == first.json()


def test_requests_at_once_get_their_own_answers(shop: _Shop) -> None:
    """Ten writers: ten issues, and each is counted."""
    head, address = dict(shop.session.headers), f"{shop.base}/issues"

    def create(title: str) -> None:
        requests.post(address, json={"title": title}, headers=head, timeout=20)

    threads = [threading.Thread(target=create, args=(f"n{number}",)) for number in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(shop.titles()) == sorted(f"n{number}" for number in range(10))
    assert len(shop.proxy.log) == 11


def test_a_renamed_repository_is_found_by_its_number(shop: _Shop) -> None:
    """The redirect names the proxy, and what it names answers."""
    shop.create()
    shop.proxy.arm(Fault(0, "moved"))
    answer = shop.session.get(f"{shop.base}/issues", timeout=2, allow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["location"].startswith(f"{shop.proxy.url}/repositories/")
    assert shop.session.get(answer.headers["location"], timeout=20).json()[0]["title"] == "x"
    assert json.loads(answer.text)["url"] == answer.headers["location"]
