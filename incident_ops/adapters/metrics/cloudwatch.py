"""Amazon CloudWatch's GetMetricData over its JSON protocol, from the published shape; never run against the service.

A query is a metric expression or a Metrics Insights query. Minutes are counted whole and once: a tick reads the last
interval that ended at least two minutes ago.

The signature is AWS' Version 4, from its published steps.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from incident_ops.adapters.http import Place, ask_json
from incident_ops.adapters.processes import one_line
from incident_ops.domain.metric_kinds import CLOUDWATCH
from incident_ops.domain.ports import MetricSeries, Tick
from incident_ops.errors import Incomplete, UserError

if TYPE_CHECKING:
    from incident_ops.adapters.metrics.connect import SourceSettings

KIND = CLOUDWATCH
LAG = 120.0
"""Seconds after which a minute is taken to be complete."""

_ALGORITHM = "AWS4-HMAC-SHA256"
_TARGET = "GraniteServiceVersion20100801.GetMetricData"
_TYPE = "application/x-amz-json-1.0"


class CloudWatch:
    """One region; see `domain.ports.MetricSource`."""

    is_cumulative, is_promql, unproven = KIND.is_cumulative, KIND.is_promql, KIND.unproven

    def __init__(self, place: Place, region: str, who: Credentials) -> None:
        self._place, self._region, self._who = place, region, who

    def value(self, query: str, tick: Tick, /) -> object:
        """The values of the interval, one for each series; empty where nothing was published."""
        return [value for value in self._asked(query, tick).values() if value is not None]

    def counts(self, query: str, tick: Tick, /) -> MetricSeries:
        """The counts of the interval; a series that published nothing is left out: that is not a zero."""
        return {name: value for name, value in self._asked(query, tick).items() if value is not None}

    def history(self, _query: str, _last: Tick, _ticks: int, /) -> Sequence[MetricSeries]:
        """None is read."""
        return ()

    def spacing(self, _query: str, _at: datetime, /) -> float:
        """Not needed: what is asked for is the interval itself."""
        return 0.0

    def _asked(self, query: str, tick: Tick) -> dict[str, Any]:
        end = (tick.end.timestamp() - LAG) // tick.seconds * tick.seconds
        asked = {"Id": "a", "Expression": query, "Period": round(tick.seconds), "ReturnData": True}
        content = {"MetricDataQueries": [asked], "StartTime": end - tick.seconds, "EndTime": end}
        body = json.dumps(content).encode()
        host = urlsplit(self._place.url).netloc
        headers = {"Content-Type": _TYPE, "X-Amz-Target": _TARGET}
        sent = signed(self._who, self._region, "monitoring", host, body, headers, tick.end)
        found = ask_json(self._place, "POST", "/", data=body, headers=sent)
        try:
            if found.get("Messages") or found.get("NextToken"):
                raise Incomplete(f"{self._place.name}: {one_line(str(found.get('Messages') or 'too much'))}")
            results = enumerate(found["MetricDataResults"])
            return {f"{place} {one.get('Label', '')}": self._only(one) for place, one in results}
        except (LookupError, TypeError, AttributeError):
            raise Incomplete(f"{self._place.name}: the answer is not of CloudWatch's shape") from None

    def _only(self, one: dict[str, Any]) -> Any:
        """The value of the one period asked for, None where there is none."""
        if one["StatusCode"] != "Complete":
            raise Incomplete(f"{self._place.name}: the data is {one_line(str(one['StatusCode']), 40)}")
        if len(one["Values"]) > 1:
            raise Incomplete(f"{self._place.name}: more than one period was answered")
        return one["Values"][0] if one["Values"] else None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What AWS gives out; `session` is "" for keys that do not expire."""

    key_id: str
    secret: str = field(repr=False)
    session: str = field(default="", repr=False)


def signed(
    who: Credentials, region: str, service: str, host: str, body: bytes, headers: Mapping[str, str], at: datetime
) -> dict[str, str]:
    """All headers of a POST to `/` of a host, the signature among them. `headers` are those of the request itself."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    named = {name.lower(): value.strip() for name, value in headers.items()} | {"host": host, "x-amz-date": stamp}
    if who.session:
        named["x-amz-security-token"] = who.session
    names = ";".join(sorted(named))
    lines = "".join(f"{name}:{named[name]}\n" for name in sorted(named))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(_key(who.secret, stamp[:8], region, service), text.encode(), hashlib.sha256).hexdigest()
    authorization = f"{_ALGORITHM} Credential={who.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**named, "authorization": authorization}


def _key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def connect(given: SourceSettings) -> CloudWatch:
    """See `connect`."""
    region, secrets = given.source.region, given.secrets
    if region is None:
        raise UserError(f"data source {given.name} has no region", hint="add e.g. region: eu-central-1 in policy.yaml")
    who = Credentials(
        secrets.variable("AWS_ACCESS_KEY_ID", "a secret"),
        secrets.variable("AWS_SECRET_ACCESS_KEY", "a secret"),
        secrets.optional("AWS_SESSION_TOKEN"),
    )
    return CloudWatch(given.place(f"https://monitoring.{region}.amazonaws.com"), region, who)
