"""Requests as PyGithub's requester sends them, and nothing that it would do by itself: no repeats, no redirects.

Its retry sends a POST again after a 502, which makes a second issue; its redirect loses the query, which would list
other issues than those asked for. Both are off here; `client` and `retry` decide.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import requests
from github import Auth, Github
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass

from incident_ops import __version__
from incident_ops.adapters.github.exchange import DROPPED, GARBLED, TIMEOUT, UNSENT, Answer, Lost
from incident_ops.adapters.heard import never_left

PER_PAGE = 100
TIMEOUT_SECONDS = 15
_API_VERSION = "2022-11-28"
_HELD = (202, 301, 302, 307, 308)  # what PyGithub would act upon before anybody sees it


class _Held(Exception):
    """An answer taken out of PyGithub's hands."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Wire:
    """One connection to the API at `api`; `pause` seconds at least lie between two writes."""

    def __init__(self, api: str, token: str, *, pause: float) -> None:
        self.host = urlsplit(api).netloc
        self._requester = Github(
            auth=Auth.Token(token),
            base_url=api,
            timeout=TIMEOUT_SECONDS,
            user_agent=f"incident-ops/{__version__}",
            per_page=PER_PAGE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=pause,
            api_version=_API_VERSION,
        ).requester
        self._connection = _connection(api)

    def send(self, method: str, place: str, body: object) -> Answer | Lost:
        """One request, sent once. `place` is a path below the API's address, or an address GitHub gave."""
        try:
            status, headers, text = self._requester.requestJson(method, place, input=body, cnx=self._connection)
        except _Held as held:
            response = held.response
            status, text = response.status_code, response.text
            headers = {name.lower(): value for name, value in response.headers.items()}
        except requests.RequestException as error:
            if never_left(error):
                return Lost(UNSENT, f"{self.host} cannot be reached")
            if isinstance(error, requests.Timeout):
                return Lost(TIMEOUT, f"no answer within {TIMEOUT_SECONDS} s")
            return Lost(DROPPED, "the connection broke")
        except (ValueError, RuntimeError, AssertionError):
            return Lost(GARBLED, "the answer cannot be read")
        return _answer(method, status, headers, text)


def _connection(api: str) -> HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass:
    parts = urlsplit(api)
    kind = HTTPSRequestsConnectionClass if parts.scheme == "https" else HTTPRequestsConnectionClass
    made = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    made.session.hooks["response"].append(_hold)
    return made


def _hold(response: requests.Response, *_args: object, **_words: object) -> None:
    response.encoding = "utf-8"  # without it the text is guessed where the header names no charset
    if response.status_code in _HELD:
        raise _Held(response)


def _answer(method: str, status: int, headers: dict[str, Any], text: str) -> Answer | Lost:
    try:
        data = json.loads(text) if text else None
    except (ValueError, RecursionError):
        if status < 300:
            return Lost(GARBLED, "the answer is cut short or is not JSON")
        data = None
    if status in (200, 201) and data is None:
        return Lost(GARBLED, "the answer is empty")
    if status == 202 and method == "GET":
        return Lost(GARBLED, "the answer is not ready")
    return Answer(status, headers, data)
