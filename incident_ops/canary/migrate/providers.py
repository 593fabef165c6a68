"""Providers of Argo Rollouts' metrics: what a gate asks instead, or why it cannot and the way on."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from incident_ops.canary.condition_words import RESULT, TEXT
from incident_ops.canary.conditions import INDEX, ConditionNode
from incident_ops.canary.migrate.cloudwatch import cloudwatch_query, values_of
from incident_ops.canary.migrate.conditions import TreeChange
from incident_ops.canary.migrate.notebook import SourcePart
from incident_ops.canary.migrate.reading import duration_of, query_text, spelled
from incident_ops.canary.migrate.sources import Migration, headers_of, sign_in_settings

LONGEST_ANSWER, LONGEST_COMMAND = 10, 600
"""Seconds that a source, or a command, may take."""

ASK_BY_COMMAND = "ask it by a command: provider: {command: {name: NAME}}, and --command NAME='...'"

_JSON_PATH = re.compile(
    r"""\{?\$(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]{1,6}\]|\["[^"\]]+"\]|\['[^'\]]+'\])*\}?""", re.ASCII
)
_ARITHMETIC = re.compile(r"[)}]\s*[-+*/]\s*")
_SINCE = re.compile(
    r"\s+(?:SINCE|UNTIL)\s+.+?(?=\s+(?:SINCE|UNTIL|LIMIT|FACET|TIMESERIES|WHERE)\b|\s*$)", re.IGNORECASE
)
_REFUSED = {
    "wavefront": ASK_BY_COMMAND,
    "graphite": ASK_BY_COMMAND,
    "influxdb": ASK_BY_COMMAND,
    "skywalking": ASK_BY_COMMAND,
    "kayenta": "compare the two versions here: a metric of type errorRate, or slow requests by a threshold",
    "plugin": ASK_BY_COMMAND,
}


class ArgoQuestion(NamedTuple):
    """What a gate asks: the provider, the query (None for a command), and how a condition has to change."""

    provider: dict[str, Any]
    query: str | None
    change: TreeChange | None = None


def asked_of(metric: SourcePart, migration: Migration, name: str) -> ArgoQuestion | None:
    """What a metric of Argo asks, in the words of a gate; None where that was refused."""
    provider = metric.part("provider")
    kinds = [key for key in provider.data if provider.data[key] is not None]
    if len(kinds) != 1:
        metric.refused("provider", f"there should be one provider, here are {len(kinds)}", "name one", weakens=True)
        return None
    kind = kinds[0]
    if kind in _KINDS:
        asked = _KINDS[kind](provider.part(kind), migration, name)
        if asked is None:
            provider.whole(kind)  # it is refused as a whole
        return asked
    if kind in _REFUSED:
        provider.refused(kind, f"{kind} cannot be asked by a gate", _REFUSED[kind], weakens=True)
    else:
        provider.refused(kind, "no provider of this name is known", ASK_BY_COMMAND, weakens=True)
    return None


def _timeout(part: SourcePart, key: str, migration: Migration, most: int = LONGEST_ANSWER) -> dict[str, str]:
    found = duration_of(part, key, migration.arguments)
    if found is None:
        return {}
    kept = min(max(found, 1), most)
    if kept == found:
        part.same(key, f"timeout: {spelled(kept)}")
    else:
        part.differs(key, f"timeout: {spelled(kept)}", f"a gate waits {spelled(most)} at most, 1s at least")
    return {"timeout": spelled(kept)}


def refuse_insecure(part: SourcePart, key: str = "insecure") -> None:
    """Certificates are always checked."""
    if part.text(key) == "true":
        part.refused(key, "certificates are always checked", "set REQUESTS_CA_BUNDLE to your own certificates")


def _prometheus(part: SourcePart, migration: Migration, _name: str) -> ArgoQuestion | None:
    if "rangeQuery" in part:
        way = "ask for one instant: max_over_time((QUERY)[5m:1m])"
        part.refused("rangeQuery", "a gate asks for one instant, not for a range", way, weakens=True)
        part.whole("query")
        return None
    query = query_text(part, "query", migration.arguments)
    refuse_insecure(part)
    _, secret = headers_of(part, migration, in_gate=False)
    provider = _named(part, "prometheus", migration, {**secret, **sign_in_settings(part, "prometheus")})
    provider |= _timeout(part, "timeout", migration)
    return None if query is None else ArgoQuestion({"prometheus": provider}, query)


def _named(part: SourcePart, kind: str, migration: Migration, settings: Mapping[str, Any]) -> dict[str, str]:
    address = migration.arguments.filled(part.text("address"))
    if "{{" in address or "$" in address:
        address = ""
    name = migration.sources.name(kind, address.rstrip("/"), settings)
    if "address" in part:
        part.differs(
            "address", f"datasource: {name}", "addresses are kept in policy.yaml", f"let {name} there be this one"
        )
    return {"datasource": name}


def _web(part: SourcePart, migration: Migration, _name: str) -> ArgoQuestion | None:
    url = migration.arguments.filled(part.text("url"))
    split = urlsplit(url.partition("{{")[0])
    if "{{" in url or split.scheme not in ("http", "https") or not split.netloc or "@" in split.netloc:
        why = "an argument without a value, or no plain http(s) address"
        part.refused("url", why, "import again with --arg NAME=VALUE for each, or write the address", weakens=True)
        return None
    origin = f"{split.scheme}://{split.netloc}"
    path = quote(f"/{url.partition('#')[0][len(origin) :].removeprefix('/')}", safe="/!$&'()*+,;=:@%?-._~")
    plain, secret = headers_of(part, migration, in_gate=True)
    refuse_insecure(part)
    settings = {**secret, **sign_in_settings(part, "web")}
    provider: dict[str, Any] = {"datasource": migration.sources.name("web", origin, settings)}
    part.differs("url", f"datasource: {provider['datasource']}, query: {path}", "addresses are kept in policy.yaml",
                 f"let {provider['datasource']} there be {origin}")  # fmt: skip
    body = _body(part, migration)
    if body is None:
        return None
    provider |= body
    provider |= {"headers": plain} if plain else {}
    json_path = part.text("jsonPath") or "$"
    if not _JSON_PATH.fullmatch(json_path):
        way = 'names, ["name"] and [0] after $ are; let the service give the value itself, or compare in a command'
        part.refused("jsonPath", "this JSON path is not understood here", way, weakens=True)
        return None
    provider["jsonPath"] = json_path
    part.same("jsonPath", f"jsonPath: {json_path}")
    provider |= _timeout(part, "timeoutSeconds", migration)
    return ArgoQuestion({"web": provider}, path)


def _body(part: SourcePart, migration: Migration) -> dict[str, str] | None:
    """`method` and `body` of a web metric; None where they were refused."""
    method = part.text("method").upper() or "GET"
    json_body = part.whole("jsonBody")
    body = json.dumps(json_body) if json_body is not None else part.text("body")
    if method not in ("GET", "POST"):
        part.refused("method", f"a gate asks by GET or POST, not by {method}", ASK_BY_COMMAND, weakens=True)
        return None
    if method == "GET":
        if body:
            part.refused("body", "a GET has no body", "write method: POST", weakens=True)
            return None
        return {}
    part.same("method", "method: POST")
    key = "jsonBody" if json_body is not None else "body"
    if not body:
        return {"method": "POST"}
    filled = query_text(part, key, migration.arguments, body, "body")
    return None if filled is None else {"method": "POST", "body": filled}


def _datadog(part: SourcePart, migration: Migration, _name: str) -> ArgoQuestion | None:
    version = part.text("apiVersion") or "v1"
    _windows(part, migration)
    if part.text("aggregator") not in ("", "last"):
        way = "roll it up in the query: .rollup(sum, 300), or moving_rollup(...)"
        part.refused("aggregator", "a threshold takes the newest value (last)", way, weakens=True)
        return None
    if "queries" in part or "formula" in part:
        return _datadog_formula(part, migration)
    query = query_text(part, "query", migration.arguments)
    if query is None:
        return None
    if version == "v1" and _ARITHMETIC.search(query):
        _refuse_formula(part, "query")
        return None
    return ArgoQuestion({"datadog": _secret_source(part, "datadog", migration)}, query.strip())


def _refuse_formula(part: SourcePart, key: str) -> None:
    way = "for errors by requests write type: errorRate with the two as queries; else a metric for each query"
    part.refused(key, "a gate asks Datadog for one query, not for a calculation over several", way, weakens=True)


def _datadog_formula(part: SourcePart, migration: Migration) -> ArgoQuestion | None:
    queries, formula = part.part("queries"), part.text("formula").strip()
    names = list(queries.data)
    if len(names) != 1 or formula not in ("", names[0]):
        for name in names:
            queries.whole(name)
        _refuse_formula(part, "formula" if formula else "queries")
        return None
    query = query_text(queries, names[0], migration.arguments)
    if query is None:
        return None
    return ArgoQuestion({"datadog": _secret_source(part, "datadog", migration)}, query.strip())


def _windows(part: SourcePart, migration: Migration) -> None:
    """The window of a query is the time since the last measurement here."""
    if duration_of(part, "interval", migration.arguments) is not None:
        text = "what is asked for is the time since the last measurement"
        part.differs("interval", "", text, "for a longer window roll it up in the query, or measure less often")


def _secret_source(part: SourcePart, kind: str, migration: Migration) -> dict[str, str]:
    """A data source whose address and keys a secret of the cluster holds."""
    settings: dict[str, Any] = {
        "datadog": {"token_env": "DD_API_KEY", "application_key_env": "DD_APP_KEY"},
        "newRelic": {"token_env": "NEW_RELIC_API_KEY"},
        "cloudwatch": {},
    }[kind]
    name = migration.sources.name(kind, "", settings)
    for key in ("secretRef", "profile"):
        if key in part:
            part.whole(key)
            part.differs(
                key, f"datasource: {name}", "keys are environment variables of the gate", "see the lines to add"
            )
    return {"datasource": name} | _timeout(part, "requestTimeout" if kind == "datadog" else "timeout", migration)


def _new_relic(part: SourcePart, migration: Migration, _name: str) -> ArgoQuestion | None:
    query = query_text(part, "query", migration.arguments)
    if query is None:
        return None
    said = migration.notebook.lines.pop()
    plain = _SINCE.sub("", " ".join(query.split()))
    if plain != " ".join(query.split()):
        text = "SINCE and UNTIL are left out: what is asked for is the time since the last measurement"
        part.differs("query", "query", text, "measure less often for a longer window")
    else:
        migration.notebook.lines.append(said)
    return ArgoQuestion({"newRelic": _secret_source(part, "newRelic", migration)}, plain, _number_of_row)


def _number_of_row(node: ConditionNode) -> ConditionNode:
    """`result.NAME` of the one row there is -> `result`: a single number stands for itself here."""
    is_named = node.kind == INDEX and node.parts[0].kind == RESULT and node.parts[1].kind == TEXT
    return node.parts[0] if is_named else node


def _cloudwatch(part: SourcePart, migration: Migration, _name: str) -> ArgoQuestion | None:
    _windows(part, migration)
    query = cloudwatch_query(part, "metricDataQueries", part.parts("metricDataQueries"), migration)
    return (
        None
        if query is None
        else ArgoQuestion({"cloudwatch": _secret_source(part, "cloudwatch", migration)}, query, values_of)
    )


def _job(part: SourcePart, migration: Migration, name: str) -> ArgoQuestion:
    part.whole("metadata")
    spec = part.part("spec")
    provider: dict[str, Any] = {"name": name}
    provider |= _timeout(spec, "activeDeadlineSeconds", migration, LONGEST_COMMAND)
    if spec.text("backoffLimit") not in ("", "0"):
        spec.refused("backoffLimit", "a command is not tried again", "let the command try again itself")
    ran = _job_command(spec.whole("template"))
    migration.sources.commands[name] = ran
    text = f"its exit code decides; what the Job ran: {ran}"
    part.differs("spec", f"provider: {{command: {{name: {name}}}}}", text, f"canary run --command {name}='...'")
    return ArgoQuestion({"command": provider}, None)


def _job_command(template: Any) -> str:
    """The image and the command of a Job's container, as far as it says one."""
    try:
        container = template["spec"]["containers"][0]
        words = [str(word) for key in ("command", "args") for word in container.get(key) or []]
        return f"{container.get('image', 'an image')}: {shlex.join(words) or 'its own command'}"
    except (LookupError, TypeError, AttributeError):
        return "no container that can be read"


_KINDS: dict[str, Callable[[SourcePart, Migration, str], ArgoQuestion | None]] = {
    "prometheus": _prometheus,
    "web": _web,
    "datadog": _datadog,
    "newRelic": _new_relic,
    "cloudWatch": _cloudwatch,
    "job": _job,
}
