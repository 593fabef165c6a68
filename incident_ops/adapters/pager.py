"""The pager: PagerDuty's Events API v2, whose receiver drops a repeat of the same key by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from incident_ops.adapters.heard import never_left
from incident_ops.adapters.within import within
from incident_ops.domain.notification import ACKNOWLEDGED, RESOLVED_EVENT, Message, page_key
from incident_ops.errors import Ambiguous, UserError, WriteFailed

URL = "https://events.pagerduty.com"
URL_VARIABLE = "INCIDENT_OPS_PAGER_URL"
LONGEST = 15.0
"""Seconds that one event may take."""

_ACTIONS = {ACKNOWLEDGED: "acknowledge", RESOLVED_EVENT: "resolve"}
_SEVERITIES = {1: "critical", 2: "error", 3: "warning"}
_LONGEST_SUMMARY, _LONGEST_KEY = 1024, 255
_HERE = ("localhost", "127.0.0.1", "::1")
_SOURCE = "incident-ops"


def pager_url(environment: Mapping[str, str]) -> str:
    """INCIDENT_OPS_PAGER_URL, else PagerDuty's. UserError where it is neither https nor on this machine."""
    url = environment.get(URL_VARIABLE, "").strip().rstrip("/") or URL
    parts = urlsplit(url)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)):
        raise UserError(f"{URL_VARIABLE} is no https address", hint=f"for PagerDuty it is {URL}, or not set at all")
    return url


def event(message: Message, routing_key: str, dedup_key: str) -> dict[str, Any]:
    """The event for a notice: acknowledge or resolve by its mark, else trigger with a severity by its rank."""
    named = {
        "routing_key": routing_key,
        "event_action": _ACTIONS.get(message.mark, "trigger"),
        "dedup_key": dedup_key if len(dedup_key) <= _LONGEST_KEY else sha256(dedup_key.encode()).hexdigest(),
    }
    if message.mark in _ACTIONS:
        return named
    details = {"mark": message.mark, "audience": message.audience, "drill": message.drill, "text": message.text}
    payload = {
        "summary": message.subject[:_LONGEST_SUMMARY],
        "source": _SOURCE,
        "severity": _SEVERITIES.get(message.rank, "info"),
        "component": message.incident,
        "custom_details": details,
    }
    return {**named, "client": _SOURCE, "payload": payload}


class Pager:
    """The pagers behind a channel; `keys` are the routing keys of an incident's services, by incident."""

    def __init__(self, channel: str, url: str, keys: Mapping[str, Sequence[str]], seconds: float = LONGEST) -> None:
        self._channel, self._keys = channel, keys
        self._place = f"{url}/v2/enqueue"
        self._seconds = seconds

    def send(self, message: Message) -> None:
        """One event to the pager of each service, under the key of the page; see `ports.Notifier`.

        Where one of several fails the next run sends to all of them again, which the pagers know to be the same.
        """
        keys = self._keys.get(message.incident)
        if not keys:
            hint = "name it in services.yaml, pager_key_env, and set that variable"
            raise WriteFailed(f"channel {self._channel}: no service of {message.incident} has a pager key", hint=hint)
        failed: list[WriteFailed | Ambiguous] = []
        for key in dict.fromkeys(keys):
            try:
                self._post(event(message, key, page_key(message)))
            except (WriteFailed, Ambiguous) as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def _post(self, body: Mapping[str, Any]) -> None:
        import requests

        def post() -> int:
            answer = requests.post(self._place, json=body, timeout=(5, 10), allow_redirects=False)
            return answer.status_code

        try:
            status = within(self._seconds, post)
        except TimeoutError:
            raise self._unknown(f"no answer within {self._seconds:g} s") from None
        except requests.RequestException as error:
            if never_left(error):
                raise WriteFailed(f"channel {self._channel}: cannot be reached", hint="the next run tries") from None
            raise self._unknown("the connection broke, or no answer came") from None
        self._judge(status)

    def _judge(self, status: int) -> None:
        if status in (200, 202):
            return
        told = f"channel {self._channel}: answered {status}"
        if status == 429:
            raise WriteFailed(f"{told}, too many events", hint="the next run sends it")
        if status in (400, 401, 403, 404):
            hint = "check the routing key: an integration of the kind Events API v2, in the variable of services.yaml"
            raise WriteFailed(f"{told}, the event was refused", hint=hint)
        raise WriteFailed(told, hint="the next run sends it again")

    def _unknown(self, why: str) -> Ambiguous:
        return Ambiguous(f"channel {self._channel}: {why}", hint="sent again; the pager drops what it has already")
