"""The pager: PagerDuty's Events API v2, whose receiver drops a repeat of the same key by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from incident_ops.adapters.http import NoAnswer, exchange, is_https_or_local
from incident_ops.adapters.notifiers import NotifierSettings
from incident_ops.domain.incident import Incident
from incident_ops.domain.notice_kinds import PAGERS
from incident_ops.domain.notification import ACKNOWLEDGED, ISSUE_LINK, RECORD_LINK, RESOLVED_EVENT, Message, page_key
from incident_ops.domain.policy import Service
from incident_ops.errors import Ambiguous, NotSetUp, UserError, WriteFailed
from incident_ops.extras import demand

CHANNELS, TAKES_BACK, ESCAPES = PAGERS, True, False

URL = "https://events.pagerduty.com"
URL_VARIABLE = "INCIDENT_OPS_PAGER_URL"
LONGEST = 15.0
"""Seconds that one event may take."""

_ACTIONS = {ACKNOWLEDGED: "acknowledge", RESOLVED_EVENT: "resolve"}
_SEVERITIES = {1: "critical", 2: "error", 3: "warning"}
_LONGEST_SUMMARY, _LONGEST_KEY = 1024, 255
_SOURCE = "incident-ops"
_ADDRESS = re.compile(r"https?://[^\s]+$", re.IGNORECASE)


def connect(settings: NotifierSettings) -> Pager | None:
    """The pagers of services and tiers; None where neither services.yaml nor a tier of the policy names any.

    NotSetUp where no variable with a key is set; where some are, those are paged, and a message names what is missing.
    """
    if not settings.has_tier_pagers and not any(service.pager_key_env for service in settings.services.values()):
        return None
    keys = pager_keys(settings.channel, settings.incidents, settings.services, settings.environment)
    every = [key for of_incident in keys.values() for key in of_incident]
    unset = [key for key in every if isinstance(key, NotSetUp)]
    if unset and len(unset) == len(every) and not settings.has_tier_pagers:
        raise unset[0]
    demand("notify", f"channel {settings.channel}", "requests")
    made = Pager(settings.channel, pager_url(settings.environment), keys)
    made.for_alerts(settings.repository, settings.environment)
    return made


def pager_keys(
    channel: str, incidents: Sequence[Incident], services: Mapping[str, Service], environment: Mapping[str, str]
) -> dict[str, list[str | NotSetUp]]:
    """The routing keys of an incident's services, by incident; a NotSetUp for a service whose variable is not set."""
    keys: dict[str, list[str | NotSetUp]] = {}
    for incident in incidents:
        for name in incident.services:
            service = services.get(name)
            if service is None or service.pager_key_env is None:
                continue
            hint = f"the routing key of service {name}, which services.yaml names in pager_key_env"
            key = environment.get(service.pager_key_env, "").strip()
            keys.setdefault(incident.id, []).append(key or NotSetUp(channel, service.pager_key_env, hint))
    return keys


def pager_url(environment: Mapping[str, str]) -> str:
    """INCIDENT_OPS_PAGER_URL, else PagerDuty's. UserError where it is neither https nor on this machine."""
    url = environment.get(URL_VARIABLE, "").strip().rstrip("/") or URL
    if not is_https_or_local(url):
        raise UserError(f"{URL_VARIABLE} is not an https address", hint=f"for PagerDuty it is {URL}, or not set at all")
    return url


def event(message: Message, routing_key: str, dedup_key: str) -> dict[str, Any]:
    """The event for a notice: acknowledge or resolve by its mark, else trigger with a severity by its rank."""
    named = {
        "routing_key": routing_key,
        "event_action": _ACTIONS.get(message.mark, "trigger"),
        "dedup_key": _fitting(dedup_key),
    }
    if message.mark in _ACTIONS:
        return named
    facts = message.facts
    places = [one for one in facts.links if not _ADDRESS.match(one[1])]
    rows = {name.lower(): value for name, value in (*facts.rows, *places)}
    details = {"mark": message.mark, "audience": message.audience, "drill": message.drill, "text": message.text}
    payload = {
        "summary": message.subject[:_LONGEST_SUMMARY],
        "source": _SOURCE,
        "severity": _SEVERITIES.get(message.rank, "info"),
        "component": ", ".join(facts.services) or message.incident,
        "class": message.kind or message.mark,
        "custom_details": {"incident": message.incident, **rows, **details},
        **({"group": ", ".join(facts.teams)} if facts.teams else {}),
    }
    links = [{"href": place, "text": name} for name, place in facts.links if _ADDRESS.match(place)]
    home = next(({"client_url": one["href"]} for one in links if one["text"] in (ISSUE_LINK, RECORD_LINK)), {})
    return {**named, "client": _SOURCE, **home, **({"links": links} if links else {}), "payload": payload}


def alert_key(repository: str, incident: str) -> str:
    """The dedup key of an incident's alert, as the pager knows it."""
    return _fitting(f"{repository}/{incident}")


def _fitting(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else sha256(key.encode()).hexdigest()


class Pager:
    """The pagers behind a channel; `keys` are the routing keys of an incident's services, by incident."""

    def __init__(
        self, channel: str, url: str, keys: Mapping[str, Sequence[str | NotSetUp]], seconds: float = LONGEST
    ) -> None:
        self._channel, self._keys = channel, keys
        self._place = f"{url}/v2/enqueue"
        self._seconds = seconds
        self._repository, self._environment = "", dict[str, str]()

    def for_alerts(self, repository: str, environment: Mapping[str, str]) -> None:
        """What alerts need: the name of the repository, the same wherever it is run, and the variables with keys."""
        self._repository, self._environment = repository, dict(environment)

    def send(self, message: Message) -> None:
        """One event to the pager of the message's route, or of each service; see `domain.ports.Notifier`.

        An alert goes under one key an incident, a page that a person wrote under its own. Where one of several fails
        the next run sends to all of them again, which the pagers know to be the same.
        """
        keys = self._keys_of(message)
        dedup = alert_key(self._repository, message.incident) if message.is_alert else page_key(message)
        if not keys:
            hint = "name it in services.yaml, pager_key_env, and set that variable"
            raise WriteFailed(f"channel {self._channel}: no service of {message.incident} has a pager key", hint=hint)
        failed: list[WriteFailed | Ambiguous | NotSetUp] = [key for key in keys if isinstance(key, NotSetUp)]
        for key in dict.fromkeys(key for key in keys if isinstance(key, str)):
            try:
                self._post(event(message, key, dedup))
            except (WriteFailed, Ambiguous) as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def _keys_of(self, message: Message) -> Sequence[str | NotSetUp]:
        if not message.route:
            return self._keys.get(message.incident) or ()
        key = self._environment.get(message.route, "").strip()
        if not key:
            hint = "a routing key, which a service or a step of the ladder names in pager_key_env"
            raise NotSetUp(self._channel, message.route, hint)
        return (key,)

    def _post(self, body: Mapping[str, Any]) -> None:
        try:
            answer = exchange("POST", self._place, seconds=self._seconds, json=body)
        except NoAnswer as error:
            if not error.was_sent:
                raise WriteFailed(f"channel {self._channel}: cannot be reached", hint="the next run tries") from None
            hint = "sent again; the pager drops what it has already"
            raise Ambiguous(f"channel {self._channel}: {error}", hint=hint) from None
        self._judge(answer.status)

    def _judge(self, status: int) -> None:
        if status in (200, 202):
            return
        problem = f"channel {self._channel}: answered {status}"
        if status == 429:
            raise WriteFailed(f"{problem}, too many events", hint="the next run sends it")
        if status in (400, 401, 403, 404):
            hint = "check the routing key: an integration of the kind Events API v2, in the variable of services.yaml"
            raise WriteFailed(f"{problem}, the event was refused", hint=hint)
        raise WriteFailed(problem, hint="the next run sends it again")
