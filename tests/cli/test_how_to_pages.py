"""Every command of the how-to pages works as printed, in the order of the page; those of the set-up are counted."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.scene import AT, ROOT, Folder, call

DOCS = ROOT / "docs"
MOST_COMMANDS = 12
"""Commands from an empty organisation to a clean `doctor`."""
ID = "INC-20250126-120000"
COMMIT = "7be19f2" + "0" * 33
HELD = 3
POLICY = """extends: sev0-3
contacts:
  "@alice": {channels: [chat], name: Alice Smith, git: [alice@example.org]}
  "@ben": {channels: [chat], name: Ben Okoro, git: [ben@example.org]}
  "@cleo": {channels: [chat], name: Cleo Park, git: [cleo@example.org]}
  "@dan": {channels: [chat], name: Dan Ruiz, git: [dan@example.org]}
"""
SERVICES = 'services:\n  auth: {owner: "@acme/id"}\n'
CATALOGUE = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: ledger}\nspec: {owner: finance}\n"
PLAYBOOK = {"agents": {"incident_coordinator": {"enabled": True, "severity_levels": ["SEV0", "SEV1", "SEV2", "SEV3"]}}}
WHEEL = f"https://x.example/incident_ops-1-py3-none-any.whl#sha256={'a' * 64}"
PAGES = ["moving-in.md", "change-a-policy.md", "gate-a-pipeline.md", "leaving.md"]
ON_GITHUB = ("doctor", "https://github.com/")
"""Words of commands that ask GitHub; what `doctor` says there is seen in test_doctor.py."""


def typed(page: str) -> Iterator[str]:
    """The commands of a page, in its blocks and in its code spans, without comments and redirections."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for block, span in re.findall(r"^ *(incident-ops [^\n]+)$|`(incident-ops [^`\n]+)`", text, re.MULTILINE):
        line = re.sub(r" +#.*| [>|] .*", "", block or span)
        if not any(word in line for word in ON_GITHUB):
            yield line


@pytest.fixture
def team(tmp_path: Path, somebody: None) -> Folder:
    """A repository with a remote, an incident that its commander works on, and what other tools exported."""
    folder = Folder(tmp_path / "ops", policy=POLICY, services=SERVICES)
    for words in (
        ("init", "--on-call", "@alice", "--on-call", "@ben"),
        ("declare", "Login fails", "-s", "auth", "--severity", "SEV1", "--commander", "@alice"),
        ("ack",),
    ):
        assert call(*words, at=folder.path, clock="2025-01-26T12:00:00Z").code == 0
    shutil.copy(folder.path / "policy.yaml", folder.path / "next.yaml")
    folder.write("catalog-info.yaml", CATALOGUE)
    folder.write(".github/CODEOWNERS", "/billing/  @acme/billing\n")
    folder.write("old.json", json.dumps(PLAYBOOK))
    folder.write("people.yaml", '"alice@example.org": "@alice"\n')
    shutil.copy(ROOT / "tests/oncall/exports/pagerduty.json", folder.path / "schedule.json")
    folder.commit()
    origin = folder.path.with_suffix(".git")
    folder.git("clone", "-q", "--bare", str(folder.path), str(origin))
    folder.git("remote", "add", "origin", origin.as_uri())
    folder.git("fetch", "-q", "origin")
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work_in_its_order(page: str, team: Folder) -> None:
    """The gate is asked while an incident is open on the service, and says so."""
    lines = list(typed(page))
    assert len(lines) >= 4
    for line in lines:
        words = [ID if re.fullmatch(r"INC-\d+", word) else word for word in shlex.split(line)[1:]]
        words = [COMMIT if word == "SHA" else word for word in words]
        if words[:3] == ["oncall", "import", "schedule.json"]:
            (team.path / "oncall/primary.yaml").unlink(missing_ok=True)
        done = call(*words, at=team.path, clock=AT)
        assert done.code == (HELD if words[:2] == ["gate", "check"] and "--fixes" not in words else 0), (line, done)


def test_the_policy_of_the_page_is_what_it_says(team: Folder) -> None:
    """SEV1 is answered within ten minutes, and all that `init` wrote is still there and fits."""
    text = (DOCS / "change-a-policy.md").read_text(encoding="utf-8")
    block = re.search(r"    ```yaml\n(.*?)\n    ```", text, re.DOTALL)
    assert block
    policy = (team.path / "policy.yaml").read_text(encoding="utf-8")
    team.write("policy.yaml", policy + re.sub(r"^    ", "", block[1], flags=re.MULTILINE) + "\n")
    assert call("policy", "lint", at=team.path).code == 0
    assert call("validate", at=team.path, clock=AT).code == 0
    assert "10m" in call("policy", "show", "--resolved", at=team.path).out


# ------------------------------------------------------------------ the set-up, counted and typed


def set_up_lines() -> list[str]:
    """The lines of the set-up, as they are typed."""
    text = (DOCS / "setup.md").read_text(encoding="utf-8")
    part = re.search(r"\*\*\d+ commands\*\*:\n(.*?)\n\*\*Read `set-up.sh`", text, re.DOTALL)
    assert part
    return [line.removeprefix("    ") for line in part[1].splitlines() if line.startswith("    ")]


def counted(line: str) -> int:
    """The commands of a line: a pipe, `&&` or `$(` begins another one."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
    lexer.whitespace_split = True
    return 1 + line.count("$(") + sum(word in {"|", "&&", "||", ";"} for word in lexer)


def test_commands_are_counted_as_they_are_typed() -> None:
    assert [counted(line) for line in ("a b", "a | b", "a && b; c", "a 'x | y'", 'A="$(b)" c')] == [1, 2, 3, 1, 2]


def test_the_page_says_how_many_commands_the_set_up_takes() -> None:
    """And they are few."""
    count = sum(map(counted, set_up_lines()))
    assert f"**{count} commands**" in (DOCS / "setup.md").read_text(encoding="utf-8")
    assert count <= MOST_COMMANDS


@pytest.mark.slow
def test_a_shell_runs_the_set_up_as_it_is_typed(tmp_path: Path) -> None:
    """In an empty place, with a `gh` that writes down what it is asked for; the files reach the default branch."""
    programs(tmp_path / "bin", tmp_path)
    lines = [line for line in set_up_lines() if not line.startswith("pipx ")]
    script = "\n".join(lines).replace("--owner ", f"--wheel '{WHEEL}' --owner ")
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "GIT_CONFIG_COUNT": "1"}
    environment |= {"GIT_CONFIG_KEY_0": "commit.gpgsign", "GIT_CONFIG_VALUE_0": "false"}
    done = subprocess.run(
        ["sh", "-eu"], input=script, text=True, cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done
    asked = [json.loads(line) for line in (tmp_path / "asked").read_text(encoding="utf-8").splitlines()]
    kinds = [" ".join(words[:2]) for words in asked]
    assert {"repo create", "api --method", "secret set", "label create", "workflow run"} <= set(kinds)
    assert [words for words in asked if "rulesets" in " ".join(words)]
    assert asked[-1] == ["auth", "token"]
    listed = subprocess.run(
        ["git", "-C", str(tmp_path / "origin.git"), "ls-tree", "-r", "--name-only", "main"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert {"policy.yaml", "services.yaml", ".github/workflows/reconcile.yml", ".github/incident-ops.txt"} <= {*listed}


def programs(folder: Path, place: Path) -> None:
    """Lays `gh`, which makes the repository and else writes down its words, `incident-ops`, and `jq`."""
    folder.mkdir()
    origin = place / "origin.git"
    made = [
        f"git init -q --bare -b main {origin}",
        f"git clone -q {origin} records",
        "git -C records checkout -q -B main",
    ]
    write(
        folder / "gh",
        f"""import json, os, sys
words = sys.argv[1:]
if words[-1] == "-":
    sys.stdin.read()
open({str(place / "asked")!r}, "a").write(json.dumps(words) + chr(10))
if words[:2] == ["repo", "create"]:
    sys.exit(os.system({" && ".join(f"{one} 2>/dev/null" for one in made)!r}))
if words[:2] == ["auth", "token"]:
    print("t0ken")
""",
    )
    write(
        folder / "incident-ops",
        f"""import os, sys
sys.path.insert(0, {str(ROOT)!r})
if "doctor" not in sys.argv:
    from incident_ops.cli.main import main
    main()
""",
    )
    lay_jq(folder)


def lay_jq(folder: Path) -> None:
    """A `jq` for the one thing that pages ask of it, where none is installed."""
    if not shutil.which("jq"):
        said = 'print("\\n".join(c["command"] for s in json.load(sys.stdin)["github"] for c in s["commands"]))'
        asked = "['-r', '.github[].commands[].command']"
        write(folder / "jq", f"import json, sys\nassert sys.argv[1:] == {asked}\n{said}\n")


def write(program: Path, source: str) -> None:
    """A program in Python, by its name."""
    program.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
    program.chmod(0o755)
