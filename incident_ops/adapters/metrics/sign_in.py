"""How requests to a metric source are signed in: each way gives `Authorize`, which is asked for every request.

Secrets are read from the environment and shown nowhere. A token is kept until shortly before it expires, or until the
source refuses it. What AWS and Google need comes with extras of the package, and is imported only where it is asked
for.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from incident_ops.adapters.http import Authorize, Place, ask_json
from incident_ops.adapters.processes import one_line
from incident_ops.domain.policy_sections import GoogleAuth, OAuth2Client, SignIn, SigV4
from incident_ops.errors import Incomplete, UserError
from incident_ops.extras import demand

_READ_METRICS = "https://www.googleapis.com/auth/monitoring.read"
_IN_WORKFLOWS = "in a workflow extras: true of actions/canary-gate"
_EARLIER, _UNKNOWN = 30.0, 300.0
"""Seconds before its end in which a token is not used any more, and that it lasts where nobody says how long."""


class SecretReader:
    """Reads the secrets of `owner` ("data source NAME") from the environment. UserError names the variable alone."""

    def __init__(self, owner: str, environment: Mapping[str, str]) -> None:
        self.owner, self._environment = owner, environment
        self.known: list[str] = []
        """What was read, and tokens that were given for it: to be shown nowhere."""

    def variable(self, variable: str, what: str) -> str:
        """The value of a variable, which has to be set."""
        value = self._environment.get(variable, "").strip()
        if not value:
            hint = f"set {variable}: in the workflow from the repository's secrets, at home with export"
            raise UserError(f"{self.owner}: {what} is missing, {variable} is not set", hint=hint)
        if not value.isascii() or not value.isprintable():
            raise UserError(f"{self.owner}: {variable} holds characters that cannot be sent")
        self.known.append(value)
        return value

    def optional(self, variable: str) -> str:
        """The value of a variable that need not be set."""
        return self.variable(variable, "a secret") if self._environment.get(variable) else ""


def sign_in(auth: SignIn, secrets: SecretReader, token_place: Callable[[str], Place]) -> Authorize:
    """The way that the policy names. UserError where a secret, or what has to be installed for it, is missing."""
    if auth.basic is not None:
        user, password = secrets.variable(auth.basic.user_env, "the user"), auth.basic.password_env
        if ":" in user:
            raise UserError(f"{secrets.owner}: the user of {auth.basic.user_env} holds a colon, which ends its name")
        encoded = _encoded(user, secrets.variable(password, "the password"))
        secrets.known.append(encoded)
        return Constant(f"Basic {encoded}")
    if auth.oauth2 is not None:
        return ClientToken(auth.oauth2, secrets, token_place(auth.oauth2.token_url))
    if auth.sigv4 is not None:
        return AwsSignature(auth.sigv4, secrets)
    return GoogleToken(auth.google or GoogleAuth(), secrets)


def _encoded(user: str, password: str) -> str:
    return b64encode(f"{user}:{password}".encode()).decode()


class Constant:
    """The same header for every request."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = self._value
        return request


class Expiring:
    """A bearer token that is asked for anew when it ends, and after a request that was refused with 401."""

    def __init__(self) -> None:
        self._token, self._until = "", 0.0

    def __call__(self, request: Any) -> Any:
        if not self._token or time.monotonic() >= self._until:
            self._token, seconds = self._new_token()
            self._until = time.monotonic() + max(seconds - _EARLIER, seconds / 2)
        request.headers["Authorization"] = f"Bearer {self._token}"
        request.register_hook("response", self._forget_refused)
        return request

    def _new_token(self) -> tuple[str, float]:
        """A token and the seconds that it lasts. Raises Incomplete."""
        raise NotImplementedError

    def _forget_refused(self, response: Any, **_words: Any) -> None:
        if response.status_code == 401:
            self._token = ""


class ClientToken(Expiring):
    """OAuth2 client credentials (RFC 6749, 4.4)."""

    def __init__(self, client: OAuth2Client, secrets: SecretReader, place: Place) -> None:
        super().__init__()
        names = (secrets.variable(client.client_id_env, "the client's id"), client.client_secret_env)
        parts = (quote(names[0], safe=""), quote(secrets.variable(names[1], "the client's secret"), safe=""))
        encoded = _encoded(*parts)
        self._header, self._scopes = f"Basic {encoded}", " ".join(client.scopes)
        self.place, self._known = place, secrets.known
        self._known += [encoded, *parts]

    def _new_token(self) -> tuple[str, float]:
        form = {"grant_type": "client_credentials", **({"scope": self._scopes} if self._scopes else {})}
        try:
            found = ask_json(self.place, "POST", data=form, headers={"Authorization": self._header})
        except Incomplete as error:
            raise Incomplete(f"{error.message} (when it was asked for a token)", hint=error.hint) from None
        token = found.get("access_token") if isinstance(found, dict) else None
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise Incomplete(f"{self.place.name}: the token's address gave no token", hint="check token_url")
        self._known.append(token)
        seconds = found.get("expires_in")
        lasts = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < 1e9
        return token, float(seconds) if lasts else _UNKNOWN


class AwsSignature:
    """AWS' Version 4, by botocore. Keys of the environment come first, then where AWS' own tools look."""

    def __init__(self, sigv4: SigV4, secrets: SecretReader) -> None:
        demand("aws", f"{secrets.owner}: signing in with sigv4", hint=_IN_WORKFLOWS)
        from botocore.auth import SigV4Auth

        self.sigv4, self._owner = sigv4, secrets.owner
        self._add = SigV4Auth(self._credentials(secrets), sigv4.service, sigv4.region).add_auth

    def _credentials(self, secrets: SecretReader) -> Any:
        from botocore.credentials import Credentials
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session

        if key := secrets.optional("AWS_ACCESS_KEY_ID"):
            session = secrets.optional("AWS_SESSION_TOKEN") or None
            return Credentials(key, secrets.variable("AWS_SECRET_ACCESS_KEY", "a secret"), session)
        try:
            found = Session().get_credentials()
        except BotoCoreError as error:
            raise UserError(f"{self._owner}: AWS' credentials cannot be read: {one_line(str(error))}") from None
        if found is None:
            hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or let the workflow assume a role"
            raise UserError(f"{self._owner}: there are no credentials for AWS", hint=hint)
        return found

    def __call__(self, request: Any) -> Any:
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        kept = {name: value for name, value in request.headers.items() if name.lower() == "content-type"}
        asked = AWSRequest(method=request.method, url=request.url, data=request.body or b"", headers=kept)
        try:
            self._add(asked)
        except BotoCoreError as error:
            raise Incomplete(f"{self._owner}: AWS' credentials cannot be renewed: {one_line(str(error))}") from None
        request.headers.update(dict(asked.headers.items()))
        return request


class GoogleToken:
    """A token of Google's application default credentials, by google-auth, which knows when it ends."""

    def __init__(self, google: GoogleAuth, secrets: SecretReader) -> None:
        demand("google", f"{secrets.owner}: signing in with google", hint=_IN_WORKFLOWS)
        import google.auth as library
        from google.auth.exceptions import GoogleAuthError

        self.scopes, self._owner = google.scopes or [_READ_METRICS], secrets.owner
        self._who: Any
        try:
            self._who, _ = library.default(scopes=self.scopes)
        except (GoogleAuthError, OSError, ValueError) as error:
            hint = "let the workflow sign in to Google, or set GOOGLE_APPLICATION_CREDENTIALS"
            problem = f"{secrets.owner}: there are no credentials for Google: {_first(error)}"
            raise UserError(problem, hint=hint) from None

    def __call__(self, request: Any) -> Any:
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request

        try:
            if not self._who.valid:
                self._who.refresh(Request())
        except (GoogleAuthError, ValueError) as error:
            raise Incomplete(f"{self._owner}: Google gives no token: {_first(error)}") from None
        self._who.apply(request.headers)
        return request


def _first(error: Exception) -> str:
    """What Google's library says, without the answer that it may carry."""
    return one_line(str(error.args[0] if error.args else error), 160)
