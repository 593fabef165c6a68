"""The kinds of metric source, each declared once: what of one has to be known where nothing is asked.

A source is its row here and the module of its name in `adapters/metrics/`, which makes it. Gates are judged in rooms
that open no connection, so the row is here and not there. The schemas spell the same names for editors, and
tests/adapters/metrics/test_every_source.py holds all three together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote

_ADDRESS = ("url", "url_env", "allow_private")
_SIGNED_IN = (*_ADDRESS, "token_env", "header_env", "auth")


class MetricKind(NamedTuple):
    """A kind: its name in gate files and policies, and how the service is called in sentences.

    `settings` are the fields of a data source that act on it. Counts are running totals where `is_cumulative`, else
    those of the interval, which is whole multiples of `grain` seconds (0: any). `gives_nil`: whether a result can be
    null. `is_asked`: whether it answers queries of its own; `is_proven`: whether it was run against the real service.
    """

    name: str
    service: str
    settings: tuple[str, ...] = ()
    is_cumulative: bool = False
    is_promql: bool = False
    grain: float = 0.0
    gives_nil: bool = True
    is_asked: bool = True
    is_proven: bool = True

    @property
    def unproven(self) -> str:
        """What people have to know where it was never run against the real service, else ""."""
        return (
            "" if self.is_proven else f"not run against the service: {self.service} is asked as its documentation says"
        )


PROMETHEUS = MetricKind("prometheus", "Prometheus", _SIGNED_IN, is_cumulative=True, is_promql=True, gives_nil=False)
DATADOG = MetricKind("datadog", "Datadog", (*_ADDRESS, "token_env", "application_key_env"), is_proven=False)
CLOUDWATCH = MetricKind("cloudwatch", "CloudWatch", (*_ADDRESS, "region"), grain=60.0, gives_nil=False, is_proven=False)
NEW_RELIC = MetricKind("newRelic", "New Relic", (*_ADDRESS, "token_env", "account"), is_proven=False)
WEB = MetricKind("web", "the service", _SIGNED_IN, is_cumulative=True)
COMMAND = MetricKind("command", "a command of the caller", gives_nil=False, is_asked=False)
RECORDING = MetricKind("file", "a file", is_asked=False)

METRIC_KINDS: Mapping[str, MetricKind] = MappingProxyType(
    {kind.name: kind for kind in (PROMETHEUS, DATADOG, CLOUDWATCH, NEW_RELIC, WEB, COMMAND, RECORDING)}
)
"""Every kind by its name."""

_PATH = re.compile(r"/[A-Za-z0-9._~/!$&'()*+,;=:@%?-]*", re.ASCII)

PATH_HINT = "a path below the address of the data source, e.g. /stats/errors?window=1m"


def is_web_path(query: str) -> bool:
    """Whether a query of a web service is a path that stays below the address of its data source."""
    plain = unquote(query)
    return _PATH.fullmatch(query) is not None and "//" not in plain and ".." not in plain
