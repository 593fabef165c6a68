"""The chat channel of an incident's own, in Slack: made or found by its name, its topic kept, messages posted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from incident_ops.adapters.http import is_https_or_local
from incident_ops.adapters.notifiers import NotifierSettings
from incident_ops.adapters.processes import within
from incident_ops.domain.incident import Incident
from incident_ops.domain.mentions import without_mentions
from incident_ops.domain.notification import INCIDENT_CHANNEL, Message
from incident_ops.errors import Ambiguous, NotSetUp, UserError, WriteFailed
from incident_ops.extras import demand

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.web import SlackResponse


CHANNELS, TAKES_BACK, ESCAPES = (INCIDENT_CHANNEL,), False, False
URL = "https://slack.com/api/"
URL_VARIABLE, TOKEN_VARIABLE = "INCIDENT_OPS_SLACK_URL", "SLACK_BOT_TOKEN"
LONGEST = 15.0
"""Seconds that one notice may take, with all its requests."""

_REQUEST = 5
_PAGES = 20
_MOST_GUESTS = 10
_LONGEST_NAME, _LONGEST_TOPIC, _LONGEST_TEXT = 80, 250, 39_000
_HINTS = {
    "missing_scope": "give the bot channels:manage, :read, :join, chat:write; restricted: groups:*, users:read.email",
    "is_archived": "take the channel out of the archive, or name another in policy notify.incident_channel",
    "invalid_auth": f"check {TOKEN_VARIABLE}",
    "not_authed": f"check {TOKEN_VARIABLE}",
    "token_revoked": f"check {TOKEN_VARIABLE}",
    "ratelimited": "the next run sends it",
}


def connect(settings: NotifierSettings) -> Chat:
    """The chat channels of the incidents, each by its own name."""
    names = {incident.id: settings.room(incident) for incident in settings.incidents}
    topics = {incident.id: topic(incident) for incident in settings.incidents}
    guests = {one.id: settings.addresses(one) for one in settings.incidents if one.visibility == "restricted"}
    return Chat.of(settings.environment, names, topics, guests)


def topic(incident: Incident) -> str:
    """The topic of an incident's channel: level, id, title (not of a restricted one), who commands."""
    title = incident.title if incident.visibility != "restricted" else "restricted"
    leads = incident.roles.commander
    commander = f"commander {leads.removeprefix('@')}" if leads else "no commander yet"
    level = incident.severity or incident.priority or ""
    parts = ("DRILL" if incident.drill else "", level, incident.id, title, commander)
    return without_mentions(" · ".join(part for part in parts if part))


def channel_name(wanted: str) -> str:
    """The name of a channel as Slack takes it: `#incident-INC-20250126-120500` -> `incident-inc-20250126-120500`."""
    name = re.sub(r"[^a-z0-9_-]", "-", wanted.removeprefix("#").casefold())
    return name[:_LONGEST_NAME].strip("-")


class Chat:
    """The channels of incidents; `names`, `topics` and `guests` are theirs, by incident.

    `guests` are the addresses of the people who are invited into a private channel, which nobody finds by looking.
    """

    def __init__(
        self,
        token: str,
        names: Mapping[str, str],
        topics: Mapping[str, str],
        url: str = URL,
        seconds: float = LONGEST,
        guests: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._token, self._names, self._topics, self._guests = token, names, topics, guests or {}
        self._url, self._seconds = url, seconds

    @classmethod
    def of(
        cls,
        environment: Mapping[str, str],
        names: Mapping[str, str],
        topics: Mapping[str, str],
        guests: Mapping[str, Sequence[str]] | None = None,
    ) -> Chat:
        """With the token of SLACK_BOT_TOKEN; NotSetUp without one."""
        token = environment.get(TOKEN_VARIABLE, "").strip()
        if not token.isascii() or not token.isprintable() or not token:
            hint = "a bot token, which begins with xoxb-: in the secrets, never in the policy"
            raise NotSetUp(INCIDENT_CHANNEL, TOKEN_VARIABLE, hint)
        url = environment.get(URL_VARIABLE, "").strip() or URL
        if not is_https_or_local(url):
            raise UserError(f"{URL_VARIABLE} is not an https address", hint=f"leave it out, it is {URL}")
        demand("notify", f"channel {INCIDENT_CHANNEL}", "slack_sdk")
        return cls(token, names, topics, url.rstrip("/") + "/", guests=guests)

    def send(self, message: Message) -> None:
        """Finds or makes the channel, sets its topic, posts with the key as metadata; see `domain.ports.Notifier`."""
        try:
            within(self._seconds, lambda: self._send(message))
        except TimeoutError:
            problem = f"channel {message.channel}: no answer within {self._seconds:g} s"
            raise Ambiguous(problem, hint="nobody can tell whether it arrived") from None

    def _send(self, message: Message) -> None:
        # every plan loads this module, only a sending needs these
        import html
        import logging

        from slack_sdk import WebClient

        quiet = logging.Logger("slack", logging.CRITICAL + 1)  # theirs tells of every failure on the error stream
        client = WebClient(self._token, self._url, timeout=_REQUEST, retry_handlers=[], logger=quiet)
        name = channel_name(self._names[message.incident])
        place = self._open(client, name, message)
        self._tell_topic(client, place, message)
        text = html.escape(f"{message.subject}\n{message.whole}", quote=False)[:_LONGEST_TEXT]
        metadata = {"event_type": "incident_ops_notice", "event_payload": {"key": message.key}}
        _asked(
            message,
            lambda: client.chat_postMessage(
                channel=place["id"], text=text, metadata=metadata, unfurl_links=False, unfurl_media=False
            ),
            is_final=True,
        )
        if message.restricted:
            self._invite(client, place, message)

    def _open(self, client: WebClient, name: str, message: Message) -> Mapping[str, Any]:
        """The channel of that name: made, or the one that is there and joined."""
        try:
            made = _asked(message, lambda: client.conversations_create(name=name, is_private=message.restricted))
        except _Refused as error:
            if error.word != "name_taken":
                raise
            found = self._find(client, name, message)
            if not found.get("is_member") and not found.get("is_private"):
                _asked(message, lambda: client.conversations_join(channel=found["id"]))
            return found
        place: Mapping[str, Any] = made["channel"]
        return place

    def _find(self, client: WebClient, name: str, message: Message) -> Mapping[str, Any]:
        cursor = ""
        kinds = "public_channel,private_channel"
        for _ in range(_PAGES):
            page = _asked(
                message,
                lambda cursor=cursor: client.conversations_list(types=kinds, limit=1000, cursor=cursor or None),  # type: ignore[misc]
            )
            for one in page["channels"]:
                if one["name"] == name:
                    found: Mapping[str, Any] = one
                    return found
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        problem = f"channel {message.channel}: #{name} is taken, and the bot cannot see it"
        raise WriteFailed(problem, hint="invite the bot into it, or name another in policy notify.incident_channel")

    def _tell_topic(self, client: WebClient, place: Mapping[str, Any], message: Message) -> None:
        """Sets the topic where it is another; a topic that is refused keeps no message back."""
        topic = self._topics.get(message.incident, "")[:_LONGEST_TOPIC]
        from html import unescape

        now = unescape((place.get("topic") or {}).get("value") or "")
        if not topic or topic == now:
            return
        try:
            _asked(message, lambda: client.conversations_setTopic(channel=place["id"], topic=topic))
        except WriteFailed:
            return

    def _invite(self, client: WebClient, place: Mapping[str, Any], message: Message) -> None:
        """Invites the people of a restricted incident whom Slack knows by their address; who is in it already stays.

        What is refused keeps nothing back: the message is posted.
        """
        for address in self._guests.get(message.incident, ())[:_MOST_GUESTS]:
            try:
                found = _asked(message, lambda address=address: client.users_lookupByEmail(email=address))  # type: ignore[misc]
                who = found["user"]["id"]
                _asked(message, lambda who=who: client.conversations_invite(channel=place["id"], users=who))  # type: ignore[misc]
            except _Refused:
                continue
            except WriteFailed:
                return


class _Refused(WriteFailed):
    """What Slack said no to, as its one `word`."""

    def __init__(self, message: Message, word: str) -> None:
        super().__init__(f"channel {message.channel}: Slack says {word}", hint=_HINTS.get(word, ""))
        self.word = word


def _asked(message: Message, ask: Callable[[], SlackResponse], *, is_final: bool = False) -> SlackResponse:
    """One request. `is_final` for the one that must not be sent twice: without an answer nobody can tell."""
    from urllib.error import URLError

    from slack_sdk.errors import SlackApiError, SlackClientError

    try:
        return ask()
    except SlackApiError as error:
        response: Any = error.response
        word = str(response.get("error") or "") if hasattr(response, "get") else ""
        known = re.fullmatch(r"[a-z_]{1,60}", word)
        raise _Refused(message, word if known else f"{getattr(response, 'status_code', 'something else')}") from None
    except (SlackClientError, URLError, OSError, ValueError) as error:
        problem = f"channel {message.channel}: Slack cannot be reached ({type(error).__name__})"
        if is_final and not isinstance(getattr(error, "reason", None), ConnectionRefusedError):
            raise Ambiguous(problem, hint="nobody can tell whether it arrived") from None
        raise WriteFailed(problem, hint="the next run tries") from None
