"""From the policy's name to a source: addresses and secrets come from the environment and are never shown."""

from __future__ import annotations

import pytest

from incident_ops.adapters.metrics.cloudwatch import CloudWatch
from incident_ops.adapters.metrics.connect import connect
from incident_ops.adapters.metrics.datadog import Datadog
from incident_ops.adapters.metrics.newrelic import NewRelic
from incident_ops.adapters.metrics.prometheus import Prometheus
from incident_ops.adapters.metrics.web import Web
from incident_ops.domain.policy_sections import Datasource
from incident_ops.errors import UserError

SECRETS = {
    "URL": "https://metrics.example/prom",
    "TOKEN": "t0ken",
    "APP": "appkey",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "s3cret",
}
SOURCES = {
    "prometheus": (Datasource(kind="prometheus", url_env="URL", token_env="TOKEN"), Prometheus),
    "prometheus without token": (Datasource(kind="prometheus", url="https://metrics.example"), Prometheus),
    "web": (Datasource(kind="web", url="https://metrics.example"), Web),
    "datadog": (Datasource(kind="datadog", token_env="TOKEN", application_key_env="APP"), Datadog),
    "newRelic": (Datasource(kind="newRelic", token_env="TOKEN", account=42), NewRelic),
    "cloudwatch": (Datasource(kind="cloudwatch", region="eu-central-1"), CloudWatch),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_data_source_becomes_a_source_of_its_kind(name: str) -> None:
    """Each kind of the policy's schema but file."""
    source, kind = SOURCES[name]
    assert isinstance(connect("main", source, SECRETS), kind)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Datasource(kind="prometheus", url_env="NOT_SET"), "NOT_SET is not set"),
        (Datasource(kind="prometheus", url="https://m.example", token_env="NOT_SET"), "NOT_SET is not set"),
        (Datasource(kind="prometheus"), "no usable address"),
        (Datasource(kind="prometheus", url="http://m.example"), "over http"),
        (Datasource(kind="datadog", token_env="TOKEN"), "no application_key_env"),
        (Datasource(kind="datadog", application_key_env="APP"), "no token_env"),
        (Datasource(kind="newRelic", token_env="TOKEN"), "no account"),
        (Datasource(kind="cloudwatch"), "no region"),
        (Datasource(kind="file"), "answers no queries"),
        (Datasource(kind="prometheus", url_env="URL", token_env="BROKEN"), "cannot be sent"),
    ],
)
def test_what_is_missing_is_named_and_nothing_secret_is_shown(source: Datasource, message: str) -> None:
    """A usage error, exit code 2; the variable's name, never its value."""
    with pytest.raises(UserError, match=message) as told:
        connect("main", source, {**SECRETS, "BROKEN": "a\nHost: b"})
    assert not any(secret in str(told.value) for secret in SECRETS.values())


def test_cloudwatch_without_credentials_says_which_variable() -> None:
    """The names that AWS' own tools read."""
    with pytest.raises(UserError, match="AWS_ACCESS_KEY_ID is not set"):
        connect("main", Datasource(kind="cloudwatch", region="eu-central-1"), {})


def test_an_http_address_inside_the_network_needs_the_policys_word() -> None:
    """`allow_private`, which stands in the reviewed policy."""
    source = Datasource(kind="prometheus", url="http://10.0.0.1:9090", allow_private=True)
    assert isinstance(connect("main", source, {}), Prometheus)
