"""A metric source from the policy and the environment: addresses by name, secrets from variables, neither shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from incident_ops.adapters.http import LONGEST, Place, demand_allowed
from incident_ops.adapters.metrics.cloudwatch import CloudWatch, Credentials
from incident_ops.adapters.metrics.datadog import DATADOG_URL, Datadog
from incident_ops.adapters.metrics.newrelic import NEW_RELIC_URL, NewRelic
from incident_ops.adapters.metrics.prometheus import Prometheus
from incident_ops.adapters.metrics.web import Web
from incident_ops.domain.policy_sections import Datasource
from incident_ops.domain.ports import MetricSource
from incident_ops.errors import UserError

_AUTHORITIES = "REQUESTS_CA_BUNDLE"


def connect(
    name: str,
    source: Datasource,
    environment: Mapping[str, str],
    seconds: float = LONGEST,
    json_path: str = "$",
    *,
    is_checked: bool = False,
) -> MetricSource:
    """The source that a data source of the policy names. UserError, which names the variable, where one is not set.

    `is_checked`: its host is resolved, and UserError where it has an address that would be refused.
    """
    make = _MAKERS.get(source.kind)
    if make is None:
        raise UserError(f"data source {name} is of kind {source.kind}, which answers no queries")
    given = _Request(name, source, environment, min(seconds, LONGEST), json_path)
    made = make(given)
    for place in given.places if is_checked else ():
        demand_allowed(place)
    return made


class _Request:
    """What a source is made from."""

    def __init__(
        self, name: str, source: Datasource, environment: Mapping[str, str], seconds: float, json_path: str
    ) -> None:
        self.name, self.source, self.json_path = name, source, json_path
        self._environment, self._seconds = environment, seconds
        self.places: list[Place] = []

    def place(self, url: str = "", headers: Mapping[str, str] | None = None) -> Place:
        """The source's place; `url` where the policy names none."""
        source = self.source
        if source.url_env is not None:
            url = self.variable(source.url_env, "its address")
        place = Place(
            f"data source {self.name}",
            source.url if source.url_env is None and source.url else url,
            headers or {},
            source.allow_private,
            self._seconds,
            self._environment.get(_AUTHORITIES) or None,
        )
        self.places.append(place)
        return place

    def variable(self, variable: str, what: str) -> str:
        """The value of a variable, which has to be set."""
        value = self._environment.get(variable, "").strip()
        if not value:
            hint = f"set {variable}: in the workflow from the repository's secrets, at home with export"
            raise UserError(f"data source {self.name}: {what} is missing, {variable} is not set", hint=hint)
        if not value.isascii() or not value.isprintable():
            raise UserError(f"data source {self.name}: {variable} holds characters that cannot be sent")
        return value

    def optional(self, variable: str) -> str:
        """The value of a variable that need not be set."""
        return self.variable(variable, "a secret") if self._environment.get(variable) else ""

    def secret(self, field: str) -> str:
        """The secret whose variable stands in a field of the data source."""
        variable: str | None = getattr(self.source, field)
        if variable is None:
            raise UserError(f"data source {self.name} has no {field}", hint=f"add {field} in policy.yaml")
        return self.variable(variable, "a secret")

    def bearer(self) -> dict[str, str]:
        """The header with the bearer token, where there is one."""
        return {"Authorization": f"Bearer {self.secret('token_env')}"} if self.source.token_env else {}


def _prometheus(given: _Request) -> MetricSource:
    return Prometheus(given.place(headers=given.bearer()))


def _web(given: _Request) -> MetricSource:
    return Web(given.place(headers=given.bearer()), given.json_path)


def _datadog(given: _Request) -> MetricSource:
    headers = {"DD-API-KEY": given.secret("token_env"), "DD-APPLICATION-KEY": given.secret("application_key_env")}
    return Datadog(given.place(DATADOG_URL, headers))


def _new_relic(given: _Request) -> MetricSource:
    if given.source.account is None:
        raise UserError(f"data source {given.name} has no account", hint="add account: NUMBER in policy.yaml")
    return NewRelic(given.place(NEW_RELIC_URL, {"API-Key": given.secret("token_env")}), given.source.account)


def _cloudwatch(given: _Request) -> MetricSource:
    region = given.source.region
    if region is None:
        raise UserError(f"data source {given.name} has no region", hint="add e.g. region: eu-central-1 in policy.yaml")
    who = Credentials(
        given.variable("AWS_ACCESS_KEY_ID", "a secret"),
        given.variable("AWS_SECRET_ACCESS_KEY", "a secret"),
        given.optional("AWS_SESSION_TOKEN"),
    )
    return CloudWatch(given.place(f"https://monitoring.{region}.amazonaws.com"), region, who)


_MAKERS: Mapping[str, Callable[[_Request], MetricSource]] = {
    "prometheus": _prometheus,
    "datadog": _datadog,
    "cloudwatch": _cloudwatch,
    "newRelic": _new_relic,
    "web": _web,
}
