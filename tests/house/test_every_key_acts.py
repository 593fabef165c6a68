"""Whatever key a file may set acts: another value changes what some command prints or writes.

Each key of the five schemas is changed in the worked repositories of tests/house/keys, one at a time. `policy show`,
`show --format json` and findings about policy.yaml itself only repeat a key, so they do not count. A key that nothing
reads yet is in `incident_ops.domain.not_used_yet`, and then setting it gives a warning.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any

import pytest

from incident_ops.domain.not_used_yet import NOT_USED_YET, places, value_at
from incident_ops.records.policy import load_services
from incident_ops.records.schema import check_document, schema
from incident_ops.records.yaml_reader import read_yaml
from incident_ops.records.yaml_writer import to_yaml
from incident_ops.rules.policy.not_used_yet import not_used_yet
from tests.support.every_key import Key, changed, keys, others, variations
from tests.support.laws import SHARE, chosen
from tests.support.worked import Output, Worked, loaded

KEYS = Path(__file__).parent / "keys"
FILES = {
    "policy": "policy.yaml",
    "services": "services.yaml",
    "incident": "incidents/*/incident.yaml",
    "gate": "gates/*.yaml",
    "oncall": "oncall/*.yaml",
}
MOST = 24
"""So many other values of a key are tried in one file."""
LIKELY, QUICK = 8, 2
"""So many values are first tried with so few commands: most keys show there."""
Change = tuple[Worked, str, str]
"""A repository, a file of it, and another text for that file."""

GENERAL = (
    "sla check",
    "render INC-1",
    "render INC-5",
    "plan --format json",
    "show INC-1",
    "show INC-5",
    "validate",
    "gate check -s api",
    "list",
)
DECLARE = 'declare "It is down" -s api --severity SEV1 --by @alice'
TRIAGE = (
    "triage --users 60 --feature core",
    "triage --users 60 --feature core --data-risk none",
    "triage -s api --users 5 --feature secondary",
    "triage -s api --users 5 --feature cosmetic",
    "triage --feature core --slo violated",
    "triage --feature core --sla imminent",
    "triage --data-risk loss --slo violated --sla imminent --revenue --reputation --ongoing",
)
GATE = (
    "gate check -s docs",
    "gate check -s docs -e production-canary",
    "gate check -s api",
    "gate check -s web",
    "gate check -s auth",
)
NOTIFY = ("notify INC-1 --mark declared --dry-run", "notify INC-8 --mark declared")
SMOKE = "--command 'smoke=sleep 0.1; exit 7'"
OF_A_BLOCK = {
    "automation": ("watch --dry-run",),
    "watch": ("watch --dry-run",),
    "access": (*GENERAL, "sla check --observed observed.json"),
    "datasources": (
        *(f"canary run -f gates/{name}.yaml" for name in ("web", "prometheus", "datadog", "cloudwatch", "newRelic")),
        f"canary run -f gates/sources.yaml {SMOKE}",
    ),
    "contacts": (*GENERAL, "timeline 'It is back' INC-1", "sla check --observed observed.json"),
    "deadlines": ("deadline list", "deadline list INC-1", *GENERAL),
    "documents": (DECLARE, "render"),
    "escalation": (*GENERAL, "escalate INC-7 --reason again --by @alice", "escalate INC-1 --reason again --by @alice"),
    "gate": (
        *GATE,
        "canary run -f gates/prometheus.yaml --declare -s web",
        "canary replay counts.csv -f gates/file.yaml",
    ),
    "ids": (DECLARE,),
    "levels": (*GENERAL, *TRIAGE, DECLARE, *NOTIFY, "notify INC-7 --mark declared"),
    "maintenance": (*GATE, *GENERAL),
    "channels": ("plan --format json",),
    "notify": (DECLARE, "notify INC-1 --mark declared --channel ticket --dry-run", "plan --format json", *NOTIFY),
    "publish": ("plan",),
    "scheme": (*GENERAL, *NOTIFY, "triage --users 100 --feature core"),
    "slo": GATE,
    "states": (
        *GENERAL,
        "resolve INC-1 --restored now --cause deploy --by @alice",
        "reopen INC-12 --reason again --by @alice",
        "sla check --observed observed.json",
    ),
    "targets": ("sla report",),
    "triage": (*TRIAGE, DECLARE),
}
"""Commands that a block of the policy is about; for the others GENERAL."""
OF_ANOTHER_FILE = {
    "services": (
        "comms draft INC-1 --audience public",
        *GATE,
        *GENERAL,
        DECLARE,
        "triage -s api --users 5 --feature secondary",
    ),
    "incident": (
        "show {}",
        "render {}",
        "sla check",
        "validate",
        "plan --format json",
        "gate check -s api",
        "list",
        "show {} --at 2025-01-26T12:20:00Z",
    ),
    "oncall": (
        "oncall who --format json",
        "oncall calendar primary",
        "oncall lint --format json",
        "oncall who",
    ),
    "gate": (
        "canary replay counts.csv -f {}",
        "canary validate -f {}",
        "canary run -f {}",
        "canary run --watch -f {}",
        "canary run -f {} --format json",
        f"canary run -f {{}} {SMOKE}",
    ),
}
"""`{}` stands for the incident, or for the gate's file."""


def named(kind: str) -> list[Key]:
    """The keys of a schema that can have another value; the `id` of an entry is its name, not a setting."""
    return [key for key in keys(schema(kind)) if key.path[-2:] != ("[]", "id") and others(key.schema, None) != []]


def waits(kind: str, key: Key) -> bool:
    """True where the key, or a block around it, is in the table of keys that nothing reads yet."""
    blocks = [tuple(path.split(".")) for path in NOT_USED_YET.get(kind, ())]
    return any(key.path[: len(block)] == block for block in blocks)


TESTED_ELSEWHERE = {
    "gate.after_rollout_pct": "tests/cli/test_canary_late.py::test_the_policy_s_limit_after_the_rollout_is_the_watch_s",
    "gate.max_age": "tests/deploy_gate/test_public_state.py::test_the_policy_says_how_old_it_may_be",
    "tracker.limits.creates": "tests/reconcile/test_safety.py::test_each_limit_of_the_policy_limits_a_run",
    "tracker.limits.closes": "tests/reconcile/test_safety.py::test_each_limit_of_the_policy_limits_a_run",
    "tracker.limits.closes_pct": "tests/reconcile/test_safety.py::test_each_limit_of_the_policy_limits_a_run",
    "tracker.limits.writes": "tests/reconcile/test_safety.py::test_each_limit_of_the_policy_limits_a_run",
    "tracker.limits.requests": "tests/cli/test_apply.py::test_the_policy_limits_the_requests_of_a_run",
    "services.*.issues": "tests/cli/test_team_repositories.py::test_the_issues_of_a_service_are_in_its_repository",
    "services.*.pager_key_env": "tests/adapters/notifiers/test_pagerduty.py::test_a_service_names_its_routing_key",
    "write_back.automation": "tests/cli/test_apply_github.py::test_a_push_writes_back_at_once",
}
"""Keys that act on GitHub, on a pager, on a watch of live metrics or on a reader of gate.json only: each has a test of
its own. At most ten."""


SAMPLE = 70
"""So many keys are tried by `make test`; continuous integration tries all."""


def acting() -> dict[tuple[str, str], list[Key]]:
    """The keys that this run tries in the worked repositories, by kind of file and block."""
    every = [(kind, key) for kind in FILES for key in named(kind) if not waits(kind, key)]
    every = [(kind, key) for kind, key in every if str(key) not in TESTED_ELSEWHERE]
    found: dict[tuple[str, str], list[Key]] = {}
    for kind, key in chosen("every key acts", every, SAMPLE) if SHARE == "sample" else every:
        found.setdefault((kind, key.path[0] if kind == "policy" else kind), []).append(key)
    return found


ACTING = acting()
WAITING = [(kind, key) for kind in FILES for key in named(kind) if waits(kind, key)]


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Worked]]:
    folder = tmp_path_factory.mktemp("worked")
    with pytest.MonkeyPatch.context() as surroundings:
        for name in ("INCIDENT_OPS_BY", "GITHUB_ACTOR"):
            surroundings.delenv(name, raising=False)
        for name, value in (("COUNT", "1"), ("KEY_0", "user.name"), ("VALUE_0", "Alice Smith")):
            surroundings.setenv(f"GIT_CONFIG_{name}", value)
        yield [Worked(KEYS / name, folder / name) for name in ("one", "two", "three", "teams")]


@pytest.mark.parametrize(("kind", "block"), ACTING)
def test_another_value_of_a_key_changes_some_output(kind: str, block: str, worked: list[Worked]) -> None:
    idle = [str(key) for key in ACTING[kind, block] if not acts(worked, kind, key)]
    assert not idle, (
        f"nothing acts on {', '.join(idle)} of the {kind} schema: write the code that reads it and set it in "
        "tests/house/keys, or name what it waits for in incident_ops/domain/not_used_yet.py"
    )


def test_a_key_that_acts_elsewhere_has_a_test_that_names_it() -> None:
    assert len(TESTED_ELSEWHERE) <= 10
    for key, place in TESTED_ELSEWHERE.items():
        file, _, name = place.partition("::")
        source = (KEYS.parents[2] / file).read_text(encoding="utf-8")
        (test,) = (one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef) and one.name == name)
        assert key.rpartition(".")[2] in re.findall(r"\w+", ast.unparse(test)), f"{place} does not name {key}"


def test_a_user_who_sets_a_key_that_nothing_reads_is_warned() -> None:
    for kind, key in WAITING:
        value = next(value for value in others(key.schema, None) if value is not None)
        for step in reversed(key.path):
            value = [value] if step == "[]" else {"any" if step == "*" else step: value}
        found = list(not_used_yet(kind, value, f"{kind}.yaml"))
        assert found, f"setting `{key}` gives no warning"
        assert all("is not used yet" in one.message for one in found)


@pytest.mark.parametrize("kind", ["policy", "services"])
def test_no_output_changes_with_the_keys_that_nothing_reads(kind: str, worked: list[Worked]) -> None:
    """All of them have another value at once; a key that acts has to leave the table."""
    for repository in worked:
        (file,) = files(repository, kind)
        data = other_values(kind, repository.parsed[repository.root / file])
        commands = [
            tuple(shlex.split(text)) for text in (*GENERAL, *TRIAGE, *GATE, DECLARE, "sla report", "show INC-2")
        ]
        before = [seen(kind, repository.unchanged(output)) for output in commands]
        with repository.changed(file, to_yaml(data)):
            after = [seen(kind, repository.run(output)) for output in commands]
        assert after == before


def other_values(kind: str, data: Any) -> Any:
    """The file with another value for each key that nothing reads, wherever it stands."""
    for of_kind, key in WAITING:
        for route in places(data, key.path) if of_kind == kind else ():
            made = (changed(data, route, value) for value in others(key.schema, value_at(data, route)))
            data = next((one for one in made if valid(kind, to_yaml(one))), data)
    return data


def test_every_key_named_here_is_a_key_of_its_schema() -> None:
    assert set(TESTED_ELSEWHERE) <= {str(key) for kind in FILES for key in keys(schema(kind))}
    assert [key for kind, key in WAITING if str(key) in TESTED_ELSEWHERE] == []
    for kind, table in NOT_USED_YET.items():
        known = [key.path for key in keys(schema(kind))]
        for path in table:
            steps = tuple(path.split("."))
            assert any(one[: len(steps)] == steps for one in known), path


def files(repository: Worked, kind: str) -> list[str]:
    return [str(path.relative_to(repository.root)) for path in sorted(repository.root.glob(FILES[kind]))]


def acts(repositories: Sequence[Worked], kind: str, key: Key) -> bool:
    """True where a command prints or writes something else with another value of the key, in some file.

    Each file gets its first other value before any gets its second. The commands that showed the last keys of the
    block are asked first, about several values, before all commands are.
    """
    changes = [each(repository, kind, file, key) for repository in repositories for file in files(repository, kind)]
    made = (one for turn in zip_longest(*changes) for one in turn if one is not None)
    likely = list(islice(made, LIKELY))
    asked = (*((one, QUICK) for one in likely), *((one, None) for one in likely))
    return any(shows(kind, key, change, most) for change, most in chain(asked, ((one, None) for one in made)))


def shows(kind: str, key: Key, change: Change, most: int | None) -> bool:
    """True where one of the first so many commands of the block shows a change; that one is the first from then on."""
    repository, file, text = change
    commands = commands_of(kind, key.path[0] if kind == "policy" else "")
    asked = commands[:most]
    before = {command: seen(kind, repository.unchanged(words(command, file))) for command in asked}
    with repository.changed(file, text):
        for command in asked:
            if seen(kind, repository.run(words(command, file))) != before[command]:
                commands.remove(command)
                commands.insert(0, command)
                return True
    return False


def words(command: str, file: str) -> Output:
    """A command's words about a file."""
    return tuple(shlex.split(command.format(file.split("/")[1] if file.startswith("incidents/") else file)))


def each(repository: Worked, kind: str, file: str, key: Key) -> Iterator[Change]:
    """The file with other values of a key: the texts that the schema accepts, not too many of them."""
    data: Any = repository.parsed[repository.root / file]
    fitting = (text for one in variations(data, key) if valid(kind, text := to_yaml(one)))
    return ((repository, file, text) for text in islice(fitting, MOST))


@cache
def commands_of(kind: str, block: str) -> list[str]:
    """The commands that may show what a block of a file says, those first that showed the last keys."""
    return [*(OF_ANOTHER_FILE.get(kind) or OF_A_BLOCK.get(block, (*GENERAL, "sla report")))]


def valid(kind: str, text: str) -> bool:
    if kind == "policy":
        return loaded(text, "policy.yaml").policy is not None
    if kind == "services":
        return load_services(text).services is not None
    document = read_yaml(text, f"{kind}.yaml")
    return not isinstance(document, list) and not check_document(document, kind)


def seen(kind: str, text: str) -> str:
    """An output without what only repeats the file that was changed: findings at it, its digest, lines and columns."""
    if kind in ("policy", "services"):
        text = re.sub(rf"(?m)^{kind}\.yaml:.*\n    .*\n|^\d+ files checked.*\n", "", text)
    if kind == "policy":
        text = re.sub("sha256:[0-9a-f]+", "", text)
    return re.sub(r"(?m)^([\w/.-]+yaml):\d+:\d+", r"\1", text)
