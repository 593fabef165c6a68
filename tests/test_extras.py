"""What needs an extra that is not installed names it, with the command that brings it; all else goes without."""

from __future__ import annotations

import ast
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from incident_ops.errors import UserError
from incident_ops.extras import EXTRAS, demand, is_installed
from tests.cli.scene import AT, POLICY, Folder, call, example
from tests.support.absent import without

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "incident_ops"
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
TOPS = sorted({module.partition(".")[0] for modules in EXTRAS.values() for module in modules} | {"urllib3"})
SOURCES = "datasources:\n  main: {kind: prometheus, url: 'https://prometheus.example'}\n"
GATE = (ROOT / "gates/error-rate.yaml").read_text(encoding="utf-8")
SCHEDULE = (
    "name: api\nzone: UTC\nlayers:\n- {name: main, people: ['@a', '@b'], start: 2025-01-01, rotate: 1w, at: '09:00'}\n"
)
HUB = {"GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "acme/records", "GITHUB_API_URL": "http://127.0.0.1:9"}


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A folder of records, and no extra."""
    folder = Folder(tmp_path / "plain", policy=POLICY + SOURCES)
    folder.put()
    folder.write("gates/error-rate.yaml", GATE)
    folder.write("oncall/api.yaml", SCHEDULE)
    folder.write("shifts.ics", "BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    folder.commit()
    without(monkeypatch, *TOPS)
    return folder


@pytest.mark.parametrize(
    ("extra", "words", "variables"),
    [
        ("github", "plan --tracker github", HUB),
        ("calendars", "policy holidays DE", {}),
        ("calendars", "oncall calendar api", {}),
        ("calendars", "oncall import shifts.ics --name new", {}),
        ("metrics", "canary probe -f gates/error-rate.yaml", {}),
        ("metrics", "canary run -f gates/error-rate.yaml", {}),
    ],
)
def test_what_needs_an_extra_names_it_and_its_command(
    plain: Folder, extra: str, words: str, variables: dict[str, str]
) -> None:
    done = call(*words.split(), at=plain.path, clock=None if extra == "metrics" else AT, **variables)
    done.told_once(2, f"needs the extra {extra}, which is not installed (pip install 'incident-ops[{extra}]'")


def test_a_channel_that_cannot_be_used_says_what_it_needs(plain: Folder) -> None:
    """Exit code 2, as for one that is not set up; the other channels go on."""
    words = ["notify", "INC-1", "--text", "hello", "--channel", "email"]
    done = call(*words, at=plain.path, INCIDENT_OPS_CHANNEL_EMAIL="json://127.0.0.1")
    assert done.code == 2, done
    assert "channel email needs the extra notify, which is not installed" in done.out


def test_a_gate_json_by_its_address_holds_and_says_why(plain: Folder) -> None:
    """A gate that cannot ask is inconclusive, never free."""
    done = call("gate", "check", "--service", "api", "--records", "https://x.example/gate.json", at=plain.path)
    assert done.code in (2, 3), done
    assert "pip install 'incident-ops[github]'" in done.out + done.err


def test_a_held_deploy_says_that_earlier_passes_are_unknown(plain: Folder) -> None:
    """They are asked of GitHub; without it the gate still answers from git."""
    words = ["gate", "check", "--service", "api", "--sha", "a" * 40]
    done = call(*words, at=plain.path, **HUB)
    assert done.code == 3, done
    assert "INC-1" in done.out
    assert "unknown whether aaaaaaaaaaaa passed before: GitHub needs the extra github" in done.out


def test_the_heartbeat_and_the_pager_say_it_where_they_are_used(plain: Folder) -> None:
    """Neither ends a run in a crash."""
    from incident_ops.adapters.heartbeat import ping
    from incident_ops.adapters.pager_reads import pager_reads
    from incident_ops.errors import WriteFailed

    with pytest.raises(WriteFailed, match="extra notify"):
        ping("https://monitor.example/1")
    reads = pager_reads({"PAGERDUTY_API_TOKEN": "token"})
    assert reads is not None
    assert "extra notify" in reads.problem


@pytest.mark.parametrize(
    "words",
    [
        "validate",
        "declare Login_fails --severity SEV2 --service web",
        "show INC-1",
        "list",
        "sla check",
        "sla report",
        "plan --tracker local",
        "apply",
        "render",
        "oncall who",
        "policy show",
        "gate check --service web",
        "canary plan --baseline-rate 0.5% --rps 100 --share 10%",
    ],
)
def test_the_core_is_enough_for(plain: Folder, words: str) -> None:
    done = call(*words.split(), at=plain.path)
    assert done.code in (0, 1), done
    assert "extra" not in done.err


def test_an_issue_is_shown_as_plain_text_without_rich(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words, as they are in a pipe."""
    folder = example("sev0-3", tmp_path / "records")
    without(monkeypatch, "rich")
    assert call("apply", at=folder).code == 0
    in_pipe = call("issues", "1", at=folder)
    shown = call("issues", "1", at=folder, columns=80)
    assert (in_pipe.code, shown.code, shown.err) == (0, 0, "")
    assert in_pipe.out.partition("\n\n")[2].partition("\n#")[0] in shown.out


def test_the_live_display_falls_back_to_lines(plain: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    from incident_ops.cli import canary

    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with canary.Progress() as progress:
        assert progress._table is None


def test_half_an_extra_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package without the one that it needs is of no use."""
    assert is_installed("github")
    without(monkeypatch, "requests")
    assert not is_installed("github")
    assert not is_installed("google")
    without(monkeypatch, "botocore")
    with pytest.raises(UserError, match=r"^It needs the extra aws, which is not installed \(pip .*; in a workflow\)"):
        demand("aws", "It", hint="in a workflow")


def _inner_imports(path: Path) -> tuple[set[str], set[str]]:
    """The packages of extras that a module imports at its top, and those that it imports inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    quiet = {id(one) for node in ast.walk(tree) if _is_for_types(node) for one in ast.walk(node)}
    top = {id(node) for node in tree.body}
    found: tuple[set[str], set[str]] = (set(), set())
    for node in ast.walk(tree):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        of_extras = {name.partition(".")[0] for name in names} & set(TOPS)
        if id(node) not in quiet:
            found[id(node) not in top].update(of_extras)
    return found


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@pytest.mark.slow
def test_no_module_needs_an_extra_to_be_loaded() -> None:
    found = {path.relative_to(ROOT).as_posix(): _inner_imports(path)[0] for path in sorted(PACKAGE.rglob("*.py"))}
    assert {name: tops for name, tops in found.items() if tops} == {}


BEHIND_OTHERS = {"incident_ops/adapters/http.py"}
"""Asked by the modules that go out through it: each of them demands the extra that is its own."""


@pytest.mark.slow
def test_whoever_imports_a_package_of_an_extra_asks_for_it_first() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        if _inner_imports(path)[1] and name not in BEHIND_OTHERS:
            assert "demand(" in text or "is_installed(" in text, name
        if "adapters.http import" in text and ("exchange" in text or " ask," in text or "import ask" in text):
            assert "demand(" in text or "/metrics/" in name, name


def test_the_extras_are_those_of_the_project() -> None:
    """Each module that tells of an extra comes with that extra, and each package of the project has one."""
    providers = packages_distributions()
    names = {extra: {_name(one) for one in DECLARED[extra]} for extra in DECLARED if extra != "all"}
    assert set(EXTRAS) == set(names)
    assert DECLARED["all"] == ["incident-ops[github,notify,metrics,terminal,calendars]"]
    for extra, modules in EXTRAS.items():
        told = {_name(providers[_providing(module)][0]) for module in modules}
        assert told <= names[extra], extra
        assert names[extra] - told <= {"urllib3", "requests"}, extra


def _providing(module: str) -> str:
    return module.partition(".")[0]


def _name(requirement: str) -> str:
    return requirement.partition(">")[0].replace("_", "-").lower()
