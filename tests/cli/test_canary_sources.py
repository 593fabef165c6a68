"""Where a gate's measurements come from: several data sources in one gate, and commands of the caller."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from incident_ops.errors import Incomplete
from tests.cli.canary_scene import Clock, Source, gate, stage, write
from tests.cli.scene import Done, Folder, call
from tests.support.prometheus import need_prometheus, prometheus
from tests.support.scripted_server import Reply, ScriptedServer, scripted_server

Patch = pytest.MonkeyPatch
HEAD = """\
apiVersion: incident-ops/v1
kind: CanaryAnalysis
metadata: {name: checkout}
spec:
  provider: {prometheus: {datasource: main}}
  warmup: 0s
  interval: 15s
  duration: 1m
  metrics:
"""
SMOKE = """\
  - name: smoke
    type: threshold
    count: 1
    provider: {command: {name: smoke, inconclusiveExitCode: 99}}
"""
POLICY = """\
extends: sev0-3
gate: {max_error_pct: null}
datasources:
  main: {kind: prometheus, url: "http://localhost:9", allow_private: true}
  shop:
    kind: web
    url_env: SHOP_URL
    allow_private: true
    header_env: {X-Tenant-Key: SHOP_TENANT}
    auth: {basic: {user_env: SHOP_USER, password_env: SHOP_PASSWORD}}
"""
SECRETS = {"SHOP_TENANT": "tenant-key-1", "SHOP_USER": "gate", "SHOP_PASSWORD": "pa55-word"}
ORDERS = """\
  - name: orders
    type: threshold
    count: 1
    query: /ratio
    provider:
      web:
        datasource: shop
        method: POST
        body: '{"service": "{{args.service}}"}'
        headers: {X-Scope-OrgID: team-a}
        jsonPath: $.data.ratio
    successCondition: result < 0.01
"""


@pytest.fixture
def clock(monkeypatch: Patch) -> Clock:
    clock = Clock()
    for module in ("canary_run", "canary_probe"):
        monkeypatch.setattr(f"incident_ops.app.{module}.Ticking", lambda: clock)
    return clock


@pytest.fixture
def shop() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


def run(here: Folder, text: str, *words: str, verb: str = "run", **variables: str) -> Done:
    """A run of a gate."""
    (here.path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    done = call("canary", verb, "-f", write(here.path, text), *words, at=here.path, clock=None, **variables)
    assert "Traceback" not in done.err
    return done


def smoke(here: Folder, command: str, *words: str, text: str = HEAD + SMOKE, **variables: str) -> Done:
    return run(here, text, "--command", f"smoke={command}", *words, **variables)


@pytest.mark.parametrize(
    ("command", "code", "verdict"),
    [("true", 0, "pass"), ("exit 1", 1, "fail"), ("exit 42", 1, "fail"), ("exit 99", 3, "inconclusive")],
)
def test_a_commands_exit_code_is_the_measurement(
    here: Folder, clock: Clock, command: str, code: int, verdict: str
) -> None:
    """0 is a success, the declared code decides nothing, every other one is a failure."""
    done = smoke(here, command, "--format", "json")
    assert (done.code, json.loads(done.out)["verdict"]) == (code, verdict), done
    if code:
        assert f"exit code: {command.removeprefix('exit ')}" in done.err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("sleep 30", "command smoke took longer than 1 s and was ended"),
        ("kill -9 $$", "command smoke was ended by signal 9"),
        ("./not-there.sh", "there is no such command"),
        ("./policy.yaml", "permission to run it is missing"),
    ],
)
def test_a_command_that_measured_nothing_is_no_verdict_on_the_canary(
    here: Folder, clock: Clock, command: str, said: str
) -> None:
    """Late, killed, not there: neither a pass nor a fail, and why."""
    text = HEAD + SMOKE.replace("name: smoke, ", "name: smoke, timeout: 1s, ") + "    consecutiveErrorLimit: 0\n"
    done = smoke(here, command, text=text)
    assert done.code == 4, done
    assert said in " ".join(done.out.split()), done


def test_what_a_command_prints_is_shown_short_and_without_secrets(here: Folder, clock: Clock) -> None:
    """The last line, at most; the values of variables that are secrets are not there."""
    command = 'yes noise | head -c 3000000; echo; echo "login with $SHOP_TOKEN failed"; exit 1'
    done = smoke(here, command, SHOP_TOKEN="s3cr3t-value")
    assert done.code == 1
    assert "command smoke ended with exit code 1: login with *** failed" in done.err
    assert "s3cr3t-value" not in done.out + done.err
    assert "noise" not in done.out + done.err


@pytest.mark.parametrize("command", ['echo "$SHOP_TOKEN"', 'printf "%s" "$SHOP_TOKEN" | tail -n 1', "echo $SHOP_TOKEN"])
def test_a_secret_of_several_lines_is_no_more_shown_than_another(here: Folder, clock: Clock, command: str) -> None:
    """A key, or a token with the line break of its file: not one line of it."""
    for secret in ("first-line\nlast-line-of-it", "last-line-of-it\n", "first-line\r\nlast-line-of-it\r\n"):
        done = smoke(here, f"{command}; exit 1", SHOP_TOKEN=secret)
        assert done.code == 1
        assert "command smoke ended with exit code 1: " in done.err
        assert "last-line-of-it" not in done.out + done.err


def test_a_command_knows_what_is_rolled_out(here: Folder, clock: Clock) -> None:
    """The facts that --on-step has, too."""
    text = (HEAD + SMOKE).replace("  duration: 1m\n", "  steps: [{weight: 10, duration: 1m}]\n")
    done = smoke(here, 'echo "$INCIDENT_OPS_GATE at $INCIDENT_OPS_WEIGHT" > seen; true', text=text)
    assert done.code == 0, done
    assert (here.path / "seen").read_text() == "checkout at 10\n"


def test_conditions_may_read_the_exit_code(here: Folder, clock: Clock) -> None:
    """Then they decide instead."""
    text = (HEAD + SMOKE).replace(", inconclusiveExitCode: 99", "") + '    successCondition: "result in [0, 2]"\n'
    assert smoke(here, "exit 2", text=text).code == 0
    assert smoke(here, "exit 3", text=text).code == 1


def test_the_command_comes_from_the_caller_alone(here: Folder, clock: Clock) -> None:
    """A missing one, one that nobody asks for, one given twice; each names the way."""
    run(here, HEAD + SMOKE).told_once(2, "asks for the command 'smoke'")
    assert "--command smoke='./smoke.sh'" in run(here, HEAD + SMOKE).err
    run(here, HEAD + SMOKE, "--command", "smok=true").told_once(2, "--command 'smok' is none that the gate asks for")
    run(here, HEAD + SMOKE, "--command", "smoke").told_once(2, "--command has no name before its command")
    done = run(here, HEAD + SMOKE, "--command", "curl -u gate:pa55-word https://shop.example/?a=b")
    done.told_once(2, "--command has no name before its command")
    assert "pa55-word" not in done.out + done.err
    smoke(here, "true", "--command", "smoke=false").told_once(2, "given twice")


@pytest.mark.parametrize(
    "provider",
    [
        "{command: touch ran}",
        "{command: {name: smoke, command: touch ran}}",
        "{command: {name: smoke, run: touch ran}}",
    ],
)
def test_a_gate_file_cannot_bring_a_command(here: Folder, clock: Clock, provider: str) -> None:
    """It is a finding at its place, and nothing is run."""
    text = HEAD + SMOKE.replace("{command: {name: smoke, inconclusiveExitCode: 99}}", provider)
    done = smoke(here, "true", text=text)
    done.told_once(2, "a gate file cannot contain commands")
    assert not (here.path / "ran").exists()
    assert run(here, text, verb="validate").code == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("type: threshold", "type: errorRate", "an exit code is one measurement and no count"),
        ("    count: 1\n", "    count: 1\n    query: up\n", "a command takes no query"),
        ("    count: 1\n", "    count: 1\n    successCondition: result == 0\n", "the conditions say already"),
        ("name: smoke, inc", "name: smoke, timeout: 11m, inc", "the timeout must be between 1s and 10m"),
    ],
)
def test_what_a_command_cannot_be_asked_is_a_finding(
    here: Folder, clock: Clock, old: str, new: str, message: str
) -> None:
    """`canary validate`, and a run before it begins."""
    text = (HEAD + SMOKE).replace(old, new)
    assert message in run(here, text, verb="validate").out
    assert smoke(here, "true", text=text).code == 2


def test_a_gate_asks_several_sources(here: Folder, clock: Clock, shop: ScriptedServer, monkeypatch: Patch) -> None:
    """An error rate of one, a number that another gives to a POST, and a command: one verdict."""
    monkeypatch.setattr("incident_ops.app.canary_sources.connect", _main_is_made_up)
    text = gate(args="[{name: service, value: api}]").replace("  metrics:\n", f"  metrics:\n{ORDERS}{SMOKE}")
    shop.script(Reply(200, {"data": {"ratio": 0.001}}))
    done = run(here, text, "--command", "smoke=true", "--format", "json", SHOP_URL=shop.url, **SECRETS)
    assert done.code == 0, done
    assert {one["name"]: one["verdict"] for one in json.loads(done.out)["metrics"]} == {
        "http-5xx": "pass", "orders": "pass", "smoke": "pass",
    }  # fmt: skip
    (asked,) = shop.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/ratio", {"service": "api"})
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-scope-orgid"] == "team-a"
    assert asked.headers["x-tenant-key"] == "tenant-key-1"
    assert asked.headers["authorization"] == "Basic Z2F0ZTpwYTU1LXdvcmQ="
    assert not any(secret in done.out + done.err for secret in SECRETS.values() if secret != "gate")


def test_one_source_that_says_no_is_enough(
    here: Folder, clock: Clock, shop: ScriptedServer, monkeypatch: Patch
) -> None:
    """The worst of the metrics is the verdict."""
    monkeypatch.setattr("incident_ops.app.canary_sources.connect", _main_is_made_up)
    text = gate(args="[{name: service, value: api}]").replace("  metrics:\n", f"  metrics:\n{ORDERS}")
    shop.script(Reply(200, {"data": {"ratio": 0.5}}))
    assert run(here, text, SHOP_URL=shop.url, **SECRETS).code == 1


def test_a_probe_asks_each_source_once(here: Folder, clock: Clock, shop: ScriptedServer) -> None:
    """And names them before; a command is run, too."""
    text = HEAD.replace("  metrics:", "  args: [{name: service, value: api}]\n  metrics:") + ORDERS + SMOKE
    shop.script(Reply(200, {"data": {"ratio": 0.001}}))
    done = run(here, text, "--command", "smoke=exit 7", verb="probe", SHOP_URL=shop.url, **SECRETS)
    assert "asking data source shop, command smoke ..." in done.err
    assert "orders: 0.001: Successful" in done.out
    assert "smoke: 7: Failed" in done.out
    assert done.code == 0, done


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("        method: POST\n", "", "a body is sent with POST only"),
        ("X-Scope-OrgID: team-a", "Authorization: Bearer x", "header Authorization carries a secret"),
        ("X-Scope-OrgID: team-a", "X-Api-Key: x", "header X-Api-Key carries a secret"),
        ("X-Scope-OrgID: team-a", "Host: other.example", "set by the connection itself"),
        ("X-Scope-OrgID: team-a", "Content-Length: '0'", "set by the connection itself"),
        ("X-Scope-OrgID: team-a", "X-Team: '{{args.service}}'", "an argument cannot be used in a header"),
        ('"{{args.service}}"', "{{args.service}}", "is outside quotes"),
        ("datasource: shop", "datasource: shops", "data source 'shops' is not in policy.yaml"),
        ("datasource: shop", "datasource: main", "data source 'main' is of kind prometheus, not web"),
        ("        jsonPath: $.data.ratio\n", "        timeout: 11s\n", "between 1s and 10s"),
    ],
)
def test_what_is_wrong_with_a_metrics_own_provider_is_found(here: Folder, old: str, new: str, message: str) -> None:
    """At its line, by `canary validate`."""
    text = HEAD.replace("  metrics:", "  args: [{name: service, value: api}]\n  metrics:") + ORDERS
    assert run(here, text, verb="validate").code == 0
    done = run(here, text.replace(old, new), verb="validate")
    assert done.code == 1
    assert message in " ".join(done.out.split()), done


def test_settings_that_do_nothing_are_said(here: Folder) -> None:
    """A sign-in that a kind of source does not have would never be sent."""
    text = HEAD + ORDERS.replace("{{args.service}}", "api")
    for new, message in (
        ("kind: web\n    token_env: T", "has token_env and auth, and only one can sign in"),
        (
            "kind: web",
            "has auth and header_env Authorization, and only one can sign in",
        ),
        ("kind: web\n    account: 5", "has account, which does nothing for web"),
    ):
        policy = POLICY.replace("X-Tenant-Key", "Authorization") if "header_env" in message else POLICY
        done = _validated(here, text, policy.replace("kind: web", new))
        assert message in " ".join(done.out.split())


ENTRY = {"gate": "$2b$10$abcdefghijklmnopqrstuuDmNPTKLlqlarXh6TMSo9dbVtqrlOw7G"}
"""The user of a real Prometheus, with the bcrypt of `pa55-word`."""


def test_a_real_prometheus_lets_in_who_signs_in(here: Folder, tmp_path: Path) -> None:
    """Its own basic auth; with another password it says so, and the password is not shown."""
    need_prometheus()
    auth = "auth: {basic: {user_env: SHOP_USER, password_env: SHOP_PASSWORD}}"
    text = HEAD + "  - {name: up, type: threshold, query: vector(7), successCondition: result == 7}\n"
    with prometheus(tmp_path / "server", users=ENTRY) as server:
        source = f'main: {{kind: prometheus, url: "{server.url}", allow_private: true, {auth}}}'
        policy = f"extends: sev0-3\ndatasources:\n  {source}\n"
        (here.path / "policy.yaml").write_text(policy, encoding="utf-8")
        words = ("canary", "probe", "-f", write(here.path, text))
        done = call(*words, at=here.path, clock=None, **SECRETS)
        assert (done.code, "up: [7]: Successful" in done.out) == (0, True), done
        done = call(*words, at=here.path, clock=None, **{**SECRETS, "SHOP_PASSWORD": "wr0ng-word"})
        assert (done.code, "answered 401" in done.out) == (4, True), done
        assert "how it signs in" in " ".join(done.out.split())
        assert "wr0ng-word" not in done.out + done.err


def _validated(here: Folder, text: str, policy: str) -> Done:
    (here.path / "policy.yaml").write_text(policy, encoding="utf-8")
    return call("canary", "validate", "-f", write(here.path, text), at=here.path, clock=None)


def _main_is_made_up(name: str, *given: Any, **words: Any) -> Any:
    from incident_ops.adapters.metrics.connect import connect
    from tests.cli.canary_scene import Source

    return Source() if name == "main" else connect(name, *given, **words)


pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])


@pytest.mark.parametrize("query", ["ratio", "//other.example/x", "/a/../b", "/a/%2e%2e/b", "https://other.example/"])
def test_a_query_that_is_no_path_is_found_before_a_run(here: Folder, query: str) -> None:
    """By validate, and by a run before anything moves."""
    text = HEAD + ORDERS.replace("query: /ratio", f"query: '{query}'")
    done = _validated(here, text, POLICY)
    assert done.code == 1
    assert "the query of a web service is its path, and this is none" in done.out + done.err


def test_an_argument_does_not_lead_out_of_the_address(here: Folder, clock: Clock, shop: ScriptedServer) -> None:
    """What a value makes of a path is judged before the first step."""
    text = HEAD.replace("  metrics:", "  args: [{name: service}]\n  metrics:") + ORDERS.replace(
        "query: /ratio", "query: \"/of?name='{{args.service}}'\""
    )
    done = run(here, text, "--arg", "service=a/../../b", SHOP_URL=shop.url, **SECRETS)
    assert done.code == 2, done
    assert "with its arguments the query \"/of?name='a/../../b'\" is not a path" in done.err
    assert not shop.asked


def test_commands_alone_that_say_neither_are_not_told_to_plan_requests(here: Folder, clock: Clock) -> None:
    """There are no requests to plan."""
    done = smoke(here, "exit 99")
    assert (done.code, "canary plan" in done.out + done.err) == (3, False), done.out


def test_the_page_says_what_an_exit_code_means(here: Folder, clock: Clock) -> None:
    """In words, and not as the name of a condition that no file has."""
    smoke(here, "exit 1", "--html", "run.html")
    page = (here.path / "run.html").read_text(encoding="utf-8")
    assert "good where the exit code is 0; failed where it is any other but 99." in page
    assert "where exit code" not in page


@pytest.mark.parametrize(("kind", "delay"), [("cloudwatch", "0s"), ("cloudwatch", "90s"), ("datadog", "0s")])
def test_a_measurement_is_asked_for_a_whole_interval(here: Folder, monkeypatch: Patch, kind: str, delay: str) -> None:
    """The first one and the one after an error, too: of a second, or of half a minute, these services have nothing."""
    source, said = Source(), iter([Incomplete("down"), 1.0, 1.0, 1.0, 1.0])
    source.answers = {"q": lambda _: next(said)}
    stage(monkeypatch, source)
    more = "region: eu-central-1" if kind == "cloudwatch" else "token_env: A, application_key_env: B"
    (here.path / "policy.yaml").write_text(f"extends: sev0-3\ndatasources:\n  main: {{kind: {kind}, {more}}}\n")
    metric = f"  - {{name: p, type: threshold, query: q, successCondition: result == 1, initialDelay: {delay}}}\n"
    text = HEAD.replace("prometheus", kind).replace("15s", "1m").replace("1m\n  metrics", "4m\n  metrics") + metric
    done = call("canary", "run", "-f", write(here.path, text), at=here.path, clock=None)
    assert done.code == 0, done
    assert len(source.asked) > 2
    assert {tick.seconds for _, tick in source.asked} == ({60.0, 120.0} if delay == "90s" else {60.0})
