"""Whatever key a file may set acts: another value changes what some command prints or writes.

Each key of the four schemas is changed in the worked repositories of tests/house/keys, one at a time. `policy show`,
`show --format json` and findings about policy.yaml itself only repeat a key, so they do not count. A key that nothing
reads yet is in `incident_ops.domain.not_used_yet`, and then setting it gives a warning.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from incident_ops.domain.not_used_yet import NOT_USED_YET, places, value_at
from incident_ops.records.policy import load_policy, load_services
from incident_ops.records.schema import check_document, schema
from incident_ops.records.yaml_reader import read_yaml
from incident_ops.records.yaml_writer import to_yaml
from incident_ops.rules.policy.not_used_yet import not_used_yet
from tests.support.every_key import Key, changed, keys, others, variations
from tests.support.worked import Output, Worked

KEYS = Path(__file__).parent / "keys"
FILES = {
    "policy": "policy.yaml",
    "services": "services.yaml",
    "incident": "incidents/*/incident.yaml",
    "gate": "gates/*.yaml",
}
MOST = 24
"""So many other values of a key are tried in one file."""

GENERAL = (
    "sla check",
    "render",
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
    "triage --feature core --slo violated",
    "triage --data-risk loss --slo violated --revenue --reputation --ongoing",
)
GATE = ("gate check -s api", "gate check -s web", "gate check -s auth", "gate publish --output gate.json")
OF_A_BLOCK = {
    "datasources": tuple(
        f"canary run -f gates/{name}.yaml" for name in ("web", "prometheus", "datadog", "cloudwatch", "newRelic")
    ),
    "documents": (DECLARE, "render"),
    "gate": (*GATE, "canary run -f gates/prometheus.yaml --declare -s web"),
    "ids": (DECLARE,),
    "levels": (*GENERAL, *TRIAGE, DECLARE, "notify INC-1 --mark declared --dry-run"),
    "notify": ("plan --format json", "notify INC-1 --mark declared --dry-run", DECLARE),
    "scheme": (*GENERAL, "triage --users 100 --feature core"),
    "slo": GATE,
    "states": (
        *GENERAL,
        "resolve INC-1 --restored now --cause deploy --by @alice",
        "reopen INC-2 --reason again --by @alice",
    ),
    "targets": ("sla report",),
    "triage": (*TRIAGE, DECLARE),
}
"""Commands that a block of the policy is about; for the others GENERAL."""


def named(kind: str) -> list[Key]:
    """The keys of a schema that can have another value; the `id` of an entry is its name, not a setting."""
    return [key for key in keys(schema(kind)) if key.path[-2:] != ("[]", "id") and others(key.schema, None) != []]


def waits(kind: str, key: Key) -> bool:
    """True where the key, or a block around it, is in the table of keys that nothing reads yet."""
    blocks = [tuple(path.split(".")) for path in NOT_USED_YET.get(kind, ())]
    return any(key.path[: len(block)] == block for block in blocks)


NOT_REACHED = {
    "policy": """
        scheme.major.[].examples.[] scheme.major.[].phases.[].from scheme.major.[].phases.[].to scheme.major.[].team
        levels.[].examples.[] levels.[].phases.[].from levels.[].phases.[].to levels.[].update.public_max
        levels.[].defer_if_active_within levels.[].phases.[].id levels.[].team
        triage.rules.[].when.feature.[] triage.rules.[].when.revenue triage.rules.[].when.reputation
        triage.rules.[].when.ongoing escalation.keywords.[] escalation.vip.[] escalation.pattern.count
        escalation.pattern.window states.auto_close states.auto_pending states.auto_reopen
        calendars.*.hours.monday.[] calendars.*.hours.tuesday.[] calendars.*.hours.wednesday.[]
        calendars.*.hours.thursday.[] calendars.*.hours.friday.[] gate.max_age access.private
        routing.by_phase.*.lead.[] routing.by_phase.*.supporting.[] tracker.identities.[] tracker.limits.creates
        tracker.limits.closes tracker.limits.closes_pct tracker.limits.writes tracker.limits.requests
        notify.channels.[] notify.incident_channel.name datasources.*.url releases.[].on
        calendars.*.hours.saturday.[] calendars.*.holidays.[] maintenance.buffer gate.steps.[] gate.observe
        levels.[].declare gate.canary_environment levels.[].audiences.[] write_back.automation""",
    "gate": """
        metadata.name spec.args.[].value spec.watch spec.earlyPass spec.metrics.[].canary.errors spec.metrics.[].query
        spec.metrics.[].consecutiveErrorLimit spec.metrics.[].consecutiveSuccessLimit spec.onInconclusive.extend.max
        spec.onNoData""",
    "incident": "timeline.[].kind priority",
}
"""Keys whose reader these repositories do not reach, so not proven here. Write a scene, take them off; add none."""


def is_reached(kind: str, key: Key) -> bool:
    return str(key) not in NOT_REACHED.get(kind, "").split()


ACTING = [(kind, key) for kind in FILES for key in named(kind) if not waits(kind, key) and is_reached(kind, key)]
WAITING = [(kind, key) for kind in FILES for key in named(kind) if waits(kind, key)]


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> list[Worked]:
    folder = tmp_path_factory.mktemp("worked")
    return [Worked(KEYS / name, folder / name) for name in ("one", "two")]


@pytest.mark.parametrize(("kind", "key"), ACTING, ids=lambda value: str(value))
def test_another_value_of_a_key_changes_some_output(kind: str, key: Key, worked: list[Worked]) -> None:
    assert any(acts(repository, kind, file, key) for repository in worked for file in files(repository, kind)), (
        f"nothing acts on `{key}` of the {kind} schema: write the code that reads it and set it in tests/house/keys, "
        "or name what it waits for in incident_ops/domain/not_used_yet.py"
    )


@pytest.mark.parametrize(("kind", "key"), WAITING, ids=lambda value: str(value))
def test_a_user_who_sets_a_key_that_nothing_reads_is_warned(kind: str, key: Key) -> None:
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
        data = other_values(kind, repository.data(repository.root / file))
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
    for kind, text in NOT_REACHED.items():
        assert set(text.split()) <= {str(key) for key in keys(schema(kind))}
    for kind, table in NOT_USED_YET.items():
        known = [key.path for key in keys(schema(kind))]
        for path in table:
            steps = tuple(path.split("."))
            assert any(one[: len(steps)] == steps for one in known), path


def files(repository: Worked, kind: str) -> list[str]:
    return [str(path.relative_to(repository.root)) for path in sorted(repository.root.glob(FILES[kind]))]


def acts(repository: Worked, kind: str, file: str, key: Key) -> bool:
    """True where a command prints or writes something else with another value of the key in a file."""
    commands = outputs(key.path[0] if kind == "policy" else kind, file)
    before = {output: seen(kind, repository.unchanged(output)) for output in commands}
    for text in islice(texts(repository, kind, file, key), MOST):
        with repository.changed(file, text):
            if any(seen(kind, repository.run(output)) != before[output] for output in commands):
                return True
    return False


def texts(repository: Worked, kind: str, file: str, key: Key) -> Iterator[str]:
    data: Any = repository.data(repository.root / file)
    return (text for one in variations(data, key) if valid(kind, text := to_yaml(one)))


def outputs(about: str, file: str) -> list[Output]:
    """The commands that may show what a file says."""
    if about == "gate" and file.startswith("gates/"):
        ways = (
            "canary run -f {}",
            "canary run --watch -f {}",
            "canary validate -f {}",
            "canary replay counts.csv -f {}",
        )
        return [tuple(shlex.split(way.format(file))) for way in ways]
    more = {"services": (*GATE, *GENERAL, DECLARE), "incident": (*GENERAL, "show INC-2")}
    return [tuple(shlex.split(text)) for text in more.get(about) or OF_A_BLOCK.get(about, (*GENERAL, "sla report"))]


def valid(kind: str, text: str) -> bool:
    if kind == "policy":
        return load_policy(text).policy is not None
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
