"""A metric source from the policy and the environment: addresses by name, secrets from variables, neither shown.

A source is one module of this folder and its row of `domain.metric_kinds`; nothing else lists it. The module has

    KIND        its row
    connect     SourceSettings -> the source; UserError, which names the variable, where one is not set
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple, Protocol, cast

import incident_ops.adapters.metrics as folder
from incident_ops.adapters.http import LONGEST, Authorize, Place, demand_allowed
from incident_ops.adapters.metrics.sign_in import SecretReader, sign_in
from incident_ops.domain.metric_kinds import MetricKind
from incident_ops.domain.policy_sections import Datasource, ways_to_sign_in
from incident_ops.domain.ports import MetricSource
from incident_ops.errors import UserError
from incident_ops.extras import demand

_AUTHORITIES = "REQUESTS_CA_BUNDLE"


class WebQuestion(NamedTuple):
    """How a web service is asked beside its path; `headers` hold no secrets."""

    json_path: str = "$"
    method: str = "GET"
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class SourceModule(Protocol):
    """A module of this folder that is a source."""

    KIND: MetricKind

    def connect(self, given: SourceSettings, /) -> MetricSource:
        """See above."""
        ...


@cache
def source_modules() -> Mapping[str, SourceModule]:
    """Every source that a data source can be, by its kind's name."""
    found = [import_module(f"{folder.__name__}.{module.name}") for module in iter_modules(folder.__path__)]
    sources = [cast("SourceModule", module) for module in found if hasattr(module, "KIND") and module.KIND.is_asked]
    return {source.KIND.name: source for source in sources}


def connect(
    name: str,
    source: Datasource,
    environment: Mapping[str, str],
    seconds: float = LONGEST,
    question: WebQuestion = WebQuestion(),  # noqa: B008 - a value
    *,
    is_checked: bool = False,
) -> MetricSource:
    """The source that a data source of the policy names. UserError, which names the variable, where one is not set.

    `is_checked`: its host is resolved, and UserError where it has an address that would be refused.
    """
    module = source_modules().get(source.kind)
    if module is None:
        raise UserError(f"data source {name} is of kind {source.kind}, which answers no queries")
    demand("metrics", f"data source {name}")
    given = SourceSettings(name, source, environment, min(seconds, LONGEST), question)
    made = module.connect(given)
    for place in given.places if is_checked else ():
        demand_allowed(place)
    return made


class SourceSettings:
    """What a source is made from."""

    def __init__(
        self, name: str, source: Datasource, environment: Mapping[str, str], seconds: float, question: WebQuestion
    ) -> None:
        self.name, self.source, self.question = name, source, question
        self.secrets = SecretReader(f"data source {name}", environment)
        self._environment, self._seconds = environment, seconds
        self.places: list[Place] = []

    def place(
        self, url: str = "", headers: Mapping[str, str] | None = None, authorize: Authorize | None = None
    ) -> Place:
        """The source's place; `url` where the policy names none."""
        source = self.source
        if source.url_env is not None:
            url = self.secrets.variable(source.url_env, "its address")
        return self._guarded(source.url if source.url_env is None and source.url else url, headers or {}, authorize)

    def _guarded(self, url: str, headers: Mapping[str, str], authorize: Authorize | None = None) -> Place:
        place = Place(
            self.secrets.owner,
            url,
            headers,
            self.source.allow_private,
            self._seconds,
            self._environment.get(_AUTHORITIES) or None,
            authorize=authorize,
            secrets=self.secrets.known,
        )
        self.places.append(place)
        return place

    def secret(self, field: str) -> str:
        """The secret whose variable stands in a field of the data source."""
        variable: str | None = getattr(self.source, field)
        if variable is None:
            raise UserError(f"data source {self.name} has no {field}", hint=f"add {field} in policy.yaml")
        return self.secrets.variable(variable, "a secret")

    def signed_in(self) -> Place:
        """The source's place with the headers and the sign-in that the policy gives it. UserError for two ways."""
        source = self.source
        headers = {name: self.secrets.variable(one, f"header {name}") for name, one in source.header_env.items()}
        if len(ways := ways_to_sign_in(source)) > 1:
            problem = f"data source {self.name} signs in twice"
            raise UserError(problem, hint=f"remove {' or '.join(ways)} in policy.yaml")
        if source.token_env:
            headers["Authorization"] = f"Bearer {self.secret('token_env')}"
        if source.auth is None:
            return self.place(headers=headers)
        return self.place(headers=headers, authorize=sign_in(source.auth, self.secrets, self._token_place))

    def _token_place(self, url: str) -> Place:
        """Where tokens for this source are given out: guarded as the source itself."""
        return self._guarded(url, {})
