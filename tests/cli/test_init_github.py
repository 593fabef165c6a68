"""init --github: a repository that runs on GitHub, brought up to date without a byte of people's changed."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests
import yaml

from incident_ops import __version__, resources
from incident_ops.adapters.files import write_bytes
from incident_ops.app import laid_files
from incident_ops.app.doctor_release import pin_check
from incident_ops.app.laid_files import BESIDE, RECORD, DriftKind, drift, read_laid, release_files
from incident_ops.errors import WriteFailed
from incident_ops.records.policy import PolicyAndServices, load_policy, load_services
from tests.cli.scene import ROOT, Done, Folder, call, contents
from tests.github.gate import HOME, Gate
from tests.support.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
OWNER = ("--owner", "@acme/sre")
WHEEL = f"incident_ops-{__version__}-py3-none-any.whl"
PREVIOUS = Path(__file__).parent / "previous_release"
ACTIONLINT = next(iter((ROOT / ".venv/actionlint").glob("*/actionlint")), None)
USERS = {path.name for path in (ROOT / ".github/workflows").glob("*.yml")} - resources.OWN_WORKFLOWS


@pytest.fixture
def fresh(tmp_path: Path) -> Folder:
    """An empty repository with default branch `trunk` and a remote on GitHub."""
    made = Folder(tmp_path / "records", git=False)
    made.git("init", "-q", "-b", "trunk")
    made.has_git = True
    made.git("remote", "add", "origin", "git@github.com:acme/records.git")
    return made


def lay(folder: Folder, *options: str) -> Done:
    """Runs `init --github`."""
    done = call("init", "--github", *options, at=folder.path)
    assert done.code == 0, done
    return done


def laid(folder: Folder) -> dict[str, bytes]:
    """Every file below .github."""
    return {name: content for name, content in contents(folder.path).items() if name.startswith(".github/")}


def steps(folder: Folder, *options: str) -> list[dict[str, Any]]:
    """The commands of every step, as data."""
    data = json.loads(lay(folder, "--format", "json", "--dry-run", *options).out)
    return [command for step in data["github"] for command in step["commands"]]


# ------------------------------------------------------------------ a fresh repository


def test_everything_a_repository_needs_is_laid(fresh: Folder) -> None:
    """Workflows of users, owners, pins, templates, and the record of all that; none of the house's own workflows."""
    lay(fresh, *OWNER)
    names = set(laid(fresh))
    assert {f".github/workflows/{name}" for name in USERS} <= names
    assert names - {f".github/workflows/{name}" for name in USERS} == {
        ".github/CODEOWNERS",
        ".github/ISSUE_TEMPLATE/config.yml",
        ".github/PULL_REQUEST_TEMPLATE.md",
        ".github/incident-ops.txt",
        RECORD,
    }
    assert call("validate", at=fresh.path).code == 0
    assert drift(fresh.path) == []


def test_no_laid_file_names_another_default_branch(fresh: Folder) -> None:
    lay(fresh, *OWNER)
    for name, content in laid(fresh).items():
        lines = [re.sub(r"(^|\s)#.*", "", line) for line in content.decode().splitlines()]
        assert not [line for line in lines if re.search(r"\bmain\b(?!\()", line)], name


def test_owners_are_in_the_order_in_which_the_last_line_counts(fresh: Folder) -> None:
    lay(fresh, *OWNER, "--owner", "@alice")
    lines = [line.split() for line in (fresh.path / ".github/CODEOWNERS").read_text().splitlines() if line[:1] != "#"]
    assert [line[0] for line in lines if line] == [
        *("*", "/incidents/", "/policy.yaml", "/services.yaml", "/oncall/", "/gates/", "/runbooks/", "/freezes/"),
        *("/maintenance/", "/.github/"),
    ]
    assert all(line[1:] == ([] if line[0] == "/incidents/" else ["@acme/sre", "@alice"]) for line in lines if line)


@pytest.mark.skipif(ACTIONLINT is None, reason="actionlint is built where Go is")
def test_actionlint_finds_nothing_in_what_is_laid(fresh: Folder) -> None:
    fresh.write("policy.yaml", "extends: sev0-3\nnotify: {channels: [irc]}\n")
    lay(fresh, *OWNER, "--default-branch", "release+1")
    files = sorted(map(str, (fresh.path / ".github/workflows").glob("*.yml")))
    command = [str(ACTIONLINT), "-no-color", "-shellcheck=", "-pyflakes=", "-ignore", 'unexpected key "queue"', *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_laid_yaml_file_reads(fresh: Folder) -> None:
    lay(fresh, *OWNER)
    for name, content in laid(fresh).items():
        if name.endswith(".yml"):
            assert isinstance(yaml.safe_load(content), dict), name
    link = yaml.safe_load(laid(fresh)[".github/ISSUE_TEMPLATE/config.yml"])["contact_links"][0]["url"]
    assert link.startswith("https://github.com/acme/records/new/trunk?filename=incidents%2FINC-")


def test_the_secret_of_every_channel_reaches_every_workflow_that_sends(fresh: Folder) -> None:
    """Also of a channel that only this policy names, and of a service's pager."""
    fresh.write("policy.yaml", "extends: sev0-3\nnotify: {channels: [irc]}\n")
    fresh.write("services.yaml", "services: {api: {owner: '@team', pager_key_env: PAGER_KEY_API}}\n")
    lay(fresh, *OWNER)
    for name, content in laid(fresh).items():
        if "secrets.INCIDENT_OPS_CHANNEL_CHAT }}" in content.decode():
            for wanted in ("INCIDENT_OPS_CHANNEL_IRC", "PAGER_KEY_API"):
                assert f" {wanted}: ${{{{ secrets.{wanted} }}}}\n" in content.decode(), name


def test_the_second_run_changes_nothing(fresh: Folder) -> None:
    lay(fresh, *OWNER)
    before = contents(fresh.path)
    done = lay(fresh)
    assert "nothing to do" in done.out
    assert contents(fresh.path) == before


def test_a_dry_run_shows_all_and_writes_nothing(fresh: Folder) -> None:
    before = contents(fresh.path)
    done = lay(fresh, *OWNER, "--dry-run")
    assert "nothing is written" in done.out
    assert ".github/CODEOWNERS" in done.out
    assert "gh api --method POST repos/acme/records/rulesets" in done.out
    assert contents(fresh.path) == before


def test_a_plain_init_lays_nothing_for_github(fresh: Folder) -> None:
    assert call("init", at=fresh.path).code == 0
    assert laid(fresh) == {}
    assert drift(fresh.path) is None


# ------------------------------------------------------------------ what cannot be used


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "nobody owns the repository"),
        (("--owner", "acme/sre"), "cannot own files on GitHub"),
        (("--owner", "@a b"), "cannot own files on GitHub"),
        (("--owner", "@a\n* @evil"), "cannot own files on GitHub"),
        ((*OWNER, "--default-branch", "a..b"), "cannot be the name of a branch"),
        ((*OWNER, "--default-branch", "a\nb"), "cannot be the name of a branch"),
        ((*OWNER, "--wheel", "https://x.example/a.whl"), "has no hash"),
        ((*OWNER, "--wheel", "http://x.example/a.whl#sha256=" + "0" * 64), "not a file of this repository"),
        ((*OWNER, "--wheel", "https://me:secret@x.example/a.whl#sha256=" + "0" * 64), "has a login in it"),
        ((*OWNER, "--wheel", "../a.whl"), "not a file of this repository"),
        ((*OWNER, "--wheel", "git+https://x.example/a"), "is not a wheel"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_and_nothing_written(
    fresh: Folder, options: tuple[str, ...], words: str
) -> None:
    before = contents(fresh.path)
    call("init", "--github", *options, at=fresh.path).told_once(2, words)
    assert contents(fresh.path) == before


def test_records_in_a_folder_of_a_larger_repository_are_refused(tmp_path: Path) -> None:
    whole = Folder(tmp_path / "whole")
    inner = Folder(tmp_path / "whole/ops", git=False)
    call("init", "--github", *OWNER, at=inner.path).told_once(2, "from the top of a repository only")
    assert not (whole.path / ".github").exists()


@pytest.mark.parametrize("link", [".github", ".github/workflows", ".github/CODEOWNERS", RECORD])
def test_nothing_is_written_through_a_link(fresh: Folder, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    target = outside if "." not in link.rpartition("/")[2][1:] and link != ".github/CODEOWNERS" else outside / "file"
    if target != outside:
        target.write_text("theirs")
    (fresh.path / link).parent.mkdir(exist_ok=True)
    (fresh.path / link).symlink_to(target)
    done = call("init", "--github", *OWNER, at=fresh.path)
    assert done.code in (0, 2), done
    assert "Traceback" not in done.out + done.err
    assert contents(outside) == ({} if target == outside else {"file": b"theirs"})
    assert "link" in done.out + done.err or "regular file" in done.out + done.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("CODEOWNERS", "CODEOWNERS"),
        ("docs/CODEOWNERS", "CODEOWNERS"),
        ("docs/pull_request_template.md", "PULL_REQUEST_TEMPLATE.md"),
        (".github/pull_request_template.md", "PULL_REQUEST_TEMPLATE.md"),
    ],
)
def test_what_people_keep_elsewhere_is_not_hidden(fresh: Folder, theirs: str, ours: str) -> None:
    fresh.write(theirs, "* @acme/all\n")
    for _ in range(2):
        assert theirs in re.sub(r"\s+", " ", lay(fresh, *OWNER).out)
        assert not (fresh.path / ".github" / ours).exists()
    assert drift(fresh.path) == []


def test_without_git_everything_is_laid_and_the_next_release_lies_beside_what_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Folder(tmp_path / "plain", git=False)
    a_release(monkeypatch, "0.0.1", extra=OLD)
    lay(plain, *OWNER)
    plain.write(EXTRA, OLD + "# ours\n")
    a_release(monkeypatch, "0.0.2", extra=NEW)
    lay(plain)
    assert (plain.path / EXTRA).read_text() == OLD + "# ours\n"
    assert (plain.path / (EXTRA + BESIDE)).read_text() == NEW


def test_the_checkout_of_the_program_itself_is_left_alone() -> None:
    call("init", "--github", *OWNER, "--dry-run", at=ROOT).told_once(2, "repository of incident-ops itself")


def test_at_a_terminal_the_owners_are_asked_for_until_they_can_be_used(
    fresh: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incident_ops.cli.init.at_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("acme/sre\n@acme/sre @alice\n"))
    lay(fresh, "--preset", "sev0-3", "--by", "@me")
    assert "*                @acme/sre @alice\n" in (fresh.path / ".github/CODEOWNERS").read_text()
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    lay(fresh)


# ------------------------------------------------------------------ channels


@pytest.fixture
def bare(fresh: Folder) -> Folder:
    """The same without a policy."""
    (fresh.path / "policy.yaml").unlink()
    return fresh


def variables(folder: Folder) -> list[str]:
    """The secrets that the laid workflows hand over."""
    found: list[str] = json.loads((folder.path / RECORD).read_text())["values"]["variables"]
    return sorted(found)


@pytest.mark.parametrize("preset", resources.preset_names())
def test_only_the_channels_that_are_there_are_asked_for(bare: Folder, preset: str) -> None:
    """Named on the command line: each level has those of them that fit it: the worst all, the least none that ring."""
    lay(bare, *OWNER, "--preset", preset, "--channel", "chat", "--channel", "sms")
    assert variables(bare) == ["INCIDENT_OPS_CHANNEL_CHAT", "INCIDENT_OPS_CHANNEL_SMS", "INCIDENT_OPS_HEARTBEAT_URL"]
    files = load_policy((bare.path / "policy.yaml").read_text())
    policy, _ = PolicyAndServices(files, load_services((bare.path / "services.yaml").read_text())).require()
    for level in (*policy.levels, *policy.scheme.major):
        assert set(level.channels) - {"ticket"} <= {"chat", "sms"}
        assert level.rank > 1 or set(level.channels) >= {"chat", "sms"}
        assert level.rank <= 2 or "sms" not in level.channels
    assert call("validate", at=bare.path).code == 0
    assert call("policy", "lint", at=bare.path).code == 0


def test_the_channels_are_asked_for_at_a_terminal(bare: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until they can be used; none is an answer, too, and a policy that is there already is not asked about."""
    monkeypatch.setattr("incident_ops.cli.init.at_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("Teams!\nchat pagerduty\n"))
    done = lay(bare, *OWNER, "--preset", "sev0-3", "--by", "@me")
    assert variables(bare)[:2] == ["INCIDENT_OPS_CHANNEL_CHAT", "INCIDENT_OPS_CHANNEL_PAGERDUTY"]
    assert len(variables(bare)) == 3
    assert "write into policy.yaml who is reached: contacts" in done.out
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    lay(bare)


def test_a_channel_that_cannot_be_one_is_refused(bare: Folder) -> None:
    done = call("init", "--github", *OWNER, "--channel", "https://hooks/secret", at=bare.path)
    done.told_once(2, "is not the name of a channel", "--channel chat")
    assert not (bare.path / "policy.yaml").exists()


def test_channels_are_not_written_into_a_policy_that_is_there(fresh: Folder) -> None:
    fresh.write("policy.yaml", "extends: sev0-3\n")
    assert "it exists, so --channel was not applied" in lay(fresh, *OWNER, "--channel", "chat").out
    assert (fresh.path / "policy.yaml").read_text() == "extends: sev0-3\n"


# ------------------------------------------------------------------ services of other tools


CATALOGUE = "kind: API\nmetadata: {name: ledger}\nspec: {owner: finance}\n---\nkind: Group\nmetadata: {name: g}\n"


def test_services_come_from_a_catalogue_and_the_rest_is_listed(fresh: Folder) -> None:
    fresh.write("catalog-info.yaml", CATALOGUE)
    (fresh.path / "services.yaml").unlink()
    done = call("init", "--services-from", "catalog-info.yaml", at=fresh.path)
    assert done.code == 0, done
    assert "services.yaml: 1 service\n" in done.out
    assert "line 5: Group is not a Component, System or API" in done.out
    assert (fresh.path / "services.yaml").read_text().endswith("services:\n  ledger:\n    owner: finance\n")
    assert call("validate", at=fresh.path).code == 0
    names = json.loads((fresh.path / "schemas/incident.schema.json").read_text())
    assert "ledger" in json.dumps(names)


def test_services_are_added_to_those_that_are_there(fresh: Folder) -> None:
    fresh.write(
        "catalog-info.yaml", CATALOGUE.replace("---", "---\nkind: API\nmetadata: {name: api}\nspec: {owner: x}\n---")
    )
    before = (fresh.path / "services.yaml").read_text()
    data = json.loads(call("init", "--services-from", "catalog-info.yaml", "--format", "json", at=fresh.path).out)
    assert data["added_to"][0] == "services.yaml"
    assert "line 5: api is in services.yaml already" in data["left_out"]
    assert (fresh.path / "services.yaml").read_text() == before + "  ledger:\n    owner: finance\n"


@pytest.mark.parametrize("text", [None, "a: [", b"\xff"])
def test_a_catalogue_that_cannot_be_read_is_refused_and_nothing_written(
    fresh: Folder, text: str | bytes | None
) -> None:
    if text is not None:
        fresh.write("catalog-info.yaml", text)
    before = contents(fresh.path)
    call("init", "--services-from", "catalog-info.yaml", at=fresh.path).told_once(2)
    assert contents(fresh.path) == before


def test_a_damaged_record_of_what_was_laid_is_refused(fresh: Folder) -> None:
    lay(fresh, *OWNER)
    record = json.loads((fresh.path / RECORD).read_text())
    for broken in ("{", "[]", json.dumps({**record, "values": {**record["values"], "owners": ["@a\n* @evil"]}})):
        fresh.write(RECORD, broken)
        call("init", "--github", at=fresh.path).told_once(2, "damaged")


@pytest.mark.slow
@pytest.mark.parametrize("branch", ["release+1", "feature!", "a'b", 'a"b', "$(id)", "été/1", "-"])
def test_branches_with_odd_names_are_quoted(fresh: Folder, branch: str) -> None:
    """In commands and in addresses."""
    if branch == "-":
        call("init", "--github", *OWNER, "--default-branch", branch, at=fresh.path).told_once(2, "name of a branch")
        return
    lay(fresh, *OWNER, "--default-branch", branch)
    [named] = [one["body"] for one in steps(fresh) if one.get("path", "").endswith("branch-policies")]
    assert named == {"name": branch, "type": "branch"}
    link = yaml.safe_load(laid(fresh)[".github/ISSUE_TEMPLATE/config.yml"])["contact_links"][0]["url"]
    assert unquote(link).startswith(f"https://github.com/acme/records/new/{branch}?")
    assert f"HEAD:{branch}" in [word for one in steps(fresh) for word in shlex.split(one["command"].partition("<<")[0])]


# ------------------------------------------------------------------ the commands


def api_calls(commands: list[dict[str, Any]]) -> Iterator[requests.PreparedRequest]:
    """Each `gh api` command as the request that it sends."""
    for one in commands:
        line, _, document = one["command"].partition("\n")
        words = shlex.split(line)
        if words[:2] == ["gh", "api"]:
            assert words[2] == "--method"
            assert words[5:] == ["--input", "-", "<<JSON"]
            body, _, end = document.rpartition("\n")
            assert (end, json.loads(body), words[3:5]) == ("JSON", one["body"], [one["method"], one["path"]])
            yield requests.Request(words[3], f"{HOME}/{words[4]}", json=json.loads(body)).prepare()


@pytest.mark.parametrize("app", [(), ("--app", "4711")])
def test_every_printed_call_fits_githubs_description(fresh: Folder, app: tuple[str, ...]) -> None:
    gate = Gate()
    for asked in api_calls(steps(fresh, *OWNER, *app)):
        gate.check(asked, None)
    gate.must_be_clean()
    assert gate.seen == (6 if app else 5)


def test_the_check_of_calls_sees_a_wrong_one() -> None:
    gate = Gate()
    wrong = {"name": "x", "enforcement": "active", "rules": [{"type": "update", "parameters": {"nonsense": 1}}]}
    gate.check(requests.Request("POST", f"{HOME}/repos/acme/records/rulesets", json=wrong).prepare(), None)
    assert gate.bad


def test_the_rulesets_say_what_is_held(fresh: Folder) -> None:
    """Without an App nobody passes anything by; with one, only it moves its refs, and it cannot rewrite history."""

    def rules(*options: str) -> dict[str, dict[str, Any]]:
        bodies = [one["body"] for one in steps(fresh, *OWNER, *options) if one.get("path", "").endswith("/rulesets")]
        return {one["name"].removeprefix("incident-ops: "): one for one in bodies}

    plain, with_app = rules(), rules("--app", "4711")
    refs = [f"refs/heads/incident-ops/{name}" for name in ("ledger", "ids", "accepted", "public")]
    assert plain.keys() == {"history", "review"}
    assert with_app.keys() == {"history", "review", "refs"}
    assert all(one["bypass_actors"] == [] for one in plain.values())
    assert [one["bypass_actors"] != [] for one in with_app.values()] == [False, True, True]
    assert plain["history"]["conditions"]["ref_name"]["include"] == ["~DEFAULT_BRANCH", *refs]
    assert [one["type"] for one in plain["history"]["rules"]] == ["deletion", "non_fast_forward"]
    review = {one["type"]: one["parameters"] for one in plain["review"]["rules"]}
    assert review["pull_request"]["require_code_owner_review"] is True
    assert review["required_status_checks"] == {
        "strict_required_status_checks_policy": False,
        "required_status_checks": [{"context": "incident-ops/validate"}],
    }
    assert with_app["refs"]["conditions"]["ref_name"]["include"] == refs


@pytest.mark.slow
def test_a_shell_runs_the_printed_text_as_it_is_meant(fresh: Folder, tmp_path: Path) -> None:
    """The commands as they stand on the screen, with names that a shell could take for something else."""
    names = {"incident": "it's $(touch oops)", "ticket": "--force", "overdue": 'a`touch oops`b"c'}
    fresh.write("policy.yaml", "extends: sev0-3\ntracker: {labels: " + json.dumps(names) + "}\n")
    program = tmp_path / "bin/gh"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        "text = sys.stdin.read() if '-' in sys.argv else ''\n"
        f"open({str(tmp_path / 'calls')!r}, 'a').write(json.dumps([sys.argv[1:], text]) + chr(10))\n"
    )
    program.chmod(0o755)
    shown = lay(fresh, *OWNER, "--dry-run").out
    script = re.sub(r"^ +\d+\. .*:$|^(?:git push|incident-ops|GH_TOKEN).*$", "", shown, flags=re.MULTILINE)
    script = script[script.index("gh api") :]
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-eu"], input=script, text=True, cwd=tmp_path, env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")
    calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    assert not (tmp_path / "oops").exists()
    labels = [words[-1] for words, _ in calls if words[:2] == ["label", "create"]]
    assert labels[:2] + labels[3:4] == [names["incident"], names["ticket"], names["overdue"]]
    bodies = [json.loads(text) for words, text in calls if words[0] == "api"]
    assert bodies == [one["body"] for one in steps(fresh, *OWNER) if "body" in one]


def test_without_a_remote_gh_finds_the_repository_itself(fresh: Folder) -> None:
    fresh.git("remote", "remove", "origin")
    commands = [one["command"] for one in steps(fresh, *OWNER)]
    assert any("'repos/{owner}/{repo}/rulesets'" in one for one in commands)
    assert not any("--repo" in one for one in commands)


# ------------------------------------------------------------------ the pin file


def test_the_pin_file_has_every_package_of_the_release_with_its_hashes(fresh: Folder) -> None:
    lay(fresh, *OWNER, "--wheel", f"https://x.example/incident_ops-1-py3-none-any.whl#sha256={'a' * 64}")
    text = (fresh.path / ".github/incident-ops.txt").read_text()
    assert (
        f"incident-ops @ https://x.example/incident_ops-1-py3-none-any.whl \\\n    --hash=sha256:{'a' * 64}\n" in text
    )
    assert (ROOT / "requirements/run.txt").read_text() in text
    lay(fresh)
    assert (fresh.path / ".github/incident-ops.txt").read_text() == text


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [("https://x.example/{}", True), ("https://me:secret@x.example/{}", False), ("file:///home/me/{}", False)],
)
def test_the_wheel_that_is_installed_is_pinned_by_itself(
    fresh: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, is_taken: bool
) -> None:
    """Where the installer noted its address; one with a password in it, or of this machine alone, is not."""
    info = tmp_path / f"site/incident_ops-{__version__}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: incident-ops\nVersion: {__version__}\n")
    noted = {"url": url.format(WHEEL), "archive_info": {"hashes": {"sha256": "b" * 64}}}
    (info / "direct_url.json").write_text(json.dumps(noted))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    lay(fresh, *OWNER)
    text = (fresh.path / ".github/incident-ops.txt").read_text()
    assert (f"incident-ops @ {noted['url']} \\\n    --hash=sha256:{'b' * 64}\n" in text) == is_taken
    assert "secret" not in text


@pytest.mark.slow
def test_pip_takes_a_wheel_of_the_repository_by_its_hash_and_no_other(fresh: Folder) -> None:
    """The line of the pin file, as pip reads it with --require-hashes; without a hash pip refuses it."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(fresh.path / "wheels")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    wheel = next((fresh.path / "wheels").glob("*.whl"))
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--no-index", "--ignore-installed"]
    command += ["--find-links", "wheels", "--require-hashes", "--disable-pip-version-check", "-r", "own.txt"]

    def asked() -> subprocess.CompletedProcess[str]:
        text = (fresh.path / ".github/incident-ops.txt").read_text().partition("# made from")[0]
        fresh.write("own.txt", text)
        return subprocess.run(command, cwd=fresh.path, capture_output=True, text=True, check=False)

    lay(fresh, *OWNER)
    assert "Hashes are required" in asked().stderr
    lay(fresh, "--wheel", f"wheels/{wheel.name}")
    done = asked()
    assert done.returncode == 0, done.stderr
    assert "Would install incident-ops" in done.stdout
    wheel.write_bytes(wheel.read_bytes() + b" ")
    assert "DO NOT MATCH" in asked().stderr


def release_pins(version: str = __version__, digest: str = "c" * 64) -> str:
    """The pin file of a release: the program, and what it was tested with."""
    tested = (ROOT / "requirements/run.txt").read_text()
    return f"incident-ops=={version} \\\n    --hash=sha256:{digest}\n{tested}"


def test_the_pin_file_of_the_release_is_taken_and_kept(fresh: Folder, tmp_path: Path) -> None:
    """Nothing is left to do about it then, and the next run knows it still."""
    given = tmp_path / "downloaded.txt"
    given.write_text(release_pins())
    first = lay(fresh, *OWNER)
    address = f"{resources.HOME}/releases/download/v{__version__}/incident-ops-{__version__}.txt"
    assert f"incident-ops init --github --pins {address}" in first.out
    commands = first.out.splitlines()
    pinned, added, committed, pushed = (
        next(number for number, line in enumerate(commands) if line.startswith(begins))
        for begins in ("incident-ops init --github --pins", "git add .github", "git commit", "git push")
    )
    assert pinned < added < committed < pushed, "the pin file has to be in what is pushed"
    assert address in (fresh.path / ".github/incident-ops.txt").read_text()
    lay(fresh, "--pins", str(given))
    text = (fresh.path / ".github/incident-ops.txt").read_text()
    assert f"\nincident-ops=={__version__} \\\n    --hash=sha256:{'c' * 64}\n" in text
    assert (ROOT / "requirements/run.txt").read_text() in text
    assert pin_check(fresh.path).state == "ok"
    assert "--pins" not in lay(fresh, "--dry-run").out
    assert (fresh.path / ".github/incident-ops.txt").read_text() == text


def test_the_pin_file_is_fetched_where_files_of_a_release_lie(fresh: Folder, server: ScriptedServer) -> None:
    moved = {"location": "/elsewhere/incident-ops.txt"}
    server.script(Reply(302, headers=moved), Reply(200, text=release_pins()))
    lay(fresh, *OWNER, "--pins", f"{server.url}/releases/download/v1/incident-ops.txt")
    assert server.lines == ["GET /releases/download/v1/incident-ops.txt", "GET /elsewhere/incident-ops.txt"]
    assert "c" * 64 in (fresh.path / ".github/incident-ops.txt").read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (release_pins("9.9.9"), f"is of 9.9.9, and this is {__version__}"),
        (release_pins(digest=""), "is not a package with its version and hashes"),
        (release_pins().partition("\n    ")[2].partition("\n")[2], "is not the pin file of a release"),
        (
            release_pins().replace("\nclick==", "\nclick==8.0.0 --hash=sha256:" + "d" * 64 + "\nclack=="),
            "differs from what",
        ),
        ("<html>", "is not a package with its version and hashes"),
        (f"incident-ops=={__version__}\n", "is not the pin file of a release"),
    ],
)
def test_another_pin_file_is_refused_and_nothing_written(fresh: Folder, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "given.txt").write_text(text)
    before = contents(fresh.path)
    call("init", "--github", *OWNER, "--pins", str(tmp_path / "given.txt"), at=fresh.path).told_once(2, words)
    assert contents(fresh.path) == before


@pytest.mark.parametrize(
    ("place", "reply", "words"),
    [
        ("nowhere.txt", None, "No such file"),
        ("http://x.example/a.txt", None, "does not lead to an https address"),
        ("ftp://x.example/a.txt", None, "does not lead to an https address"),
        ("{server}/a.txt", Reply(404), "answered 404"),
        ("{server}/a.txt", Reply(302, headers={"location": "http://x.example/b"}), "does not lead to an https address"),
    ],
)
def test_a_pin_file_that_is_not_there_is_said(
    fresh: Folder, server: ScriptedServer, place: str, reply: Reply | None, words: str
) -> None:
    server.script(*([reply] if reply else []))
    call("init", "--github", *OWNER, "--pins", place.format(server=server.url), at=fresh.path).told_once(2, words)


def test_a_wheel_and_a_pin_file_are_one_too_many(fresh: Folder) -> None:
    wheel = ("--wheel", f"https://x.example/{WHEEL}#sha256={'a' * 64}")
    call("init", "--github", *OWNER, *wheel, "--pins", "a.txt", at=fresh.path).told_once(2, "give one of them")


@pytest.mark.parametrize(
    ("wheel", "state"),
    [("", "error"), (f"https://x.example/{WHEEL}#sha256={'a' * 64}", "ok"), (f"wheels/{WHEEL}", "ok")],
)
def test_doctor_reads_the_pin_that_was_laid(fresh: Folder, wheel: str, state: str) -> None:
    fresh.write(f"wheels/{WHEEL}", "a wheel")
    lay(fresh, *OWNER, *(("--wheel", wheel) if wheel else ()))
    assert pin_check(fresh.path).state == state


# ------------------------------------------------------------------ the next release


def a_release(monkeypatch: pytest.MonkeyPatch, version: str, **texts: str | None) -> None:
    """Makes the program one of another release, with these workflows more, or others (None: without one)."""
    whole = TRUE_TEXTS() | {f".github/workflows/{name}.yml": text for name, text in texts.items() if text is not None}
    for name, text in texts.items():
        if text is None:
            whole.pop(f".github/workflows/{name}.yml", None)
    monkeypatch.setattr(resources, "template_texts", lambda: whole)
    monkeypatch.setattr(laid_files, "__version__", version)


TRUE_TEXTS = resources.template_texts
OLD = "name: extra\non: push\njobs:\n" + "".join(f"  step{number}: {{}}\n" for number in range(20))
NEW = OLD.replace("step3:", "step3-new:")


@pytest.fixture
def upgraded(fresh: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A repository with the files of an older release, committed."""
    a_release(monkeypatch, "0.0.1", extra=OLD)
    lay(fresh, *OWNER)
    fresh.commit()
    a_release(monkeypatch, "0.0.2", extra=NEW)
    return fresh


EXTRA = ".github/workflows/extra.yml"


def test_a_file_that_nobody_changed_is_replaced(upgraded: Folder) -> None:
    found = [(one.path, one.kind) for one in drift(upgraded.path) or ()]
    assert found == [(".github/incident-ops.txt", DriftKind.OLDER), (EXTRA, DriftKind.OLDER)]
    assert f"updated          {EXTRA}" in lay(upgraded).out
    assert (upgraded.path / EXTRA).read_text() == NEW
    assert drift(upgraded.path) == []


def test_what_only_people_changed_stays(upgraded: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    a_release(monkeypatch, "0.0.2", extra=OLD)
    upgraded.write(EXTRA, OLD + "# ours\n")
    lay(upgraded)
    assert (upgraded.path / EXTRA).read_text() == OLD + "# ours\n"
    assert [(one.path, one.kind) for one in drift(upgraded.path) or ()] == [(EXTRA, DriftKind.PEOPLE)]


@pytest.mark.parametrize("is_committed", [True, False])
def test_changes_of_both_sides_are_joined(upgraded: Folder, is_committed: bool) -> None:
    ours = OLD.replace("step15:", "step15-ours:")
    upgraded.write(EXTRA, ours)
    if is_committed:
        upgraded.commit()
    assert f"merged           {EXTRA}" in lay(upgraded).out
    assert (upgraded.path / EXTRA).read_text() == ours.replace("step3:", "step3-new:")
    assert "nothing to do" in lay(upgraded).out


@pytest.mark.slow
@pytest.mark.parametrize("writes", range(4))
def test_a_run_that_stopped_anywhere_is_ended_by_the_next(
    upgraded: Folder, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """Nothing of people's is lost, nothing is merged twice, and what was laid is known again."""
    ours = OLD.replace("step15:", "step15-ours:")
    upgraded.write(EXTRA, ours)
    left = iter(range(writes))

    def failing(path: Path, content: bytes) -> None:
        if next(left, None) is None:
            raise WriteFailed("could not be written", hint="free some space", where=path.name)
        write_bytes(path, content)

    with monkeypatch.context() as broken:
        broken.setattr("incident_ops.app.first_files.write_bytes", failing)
        done = call("init", "--github", at=upgraded.path)
    assert done.code == (4 if writes < 3 else 0), done
    lay(upgraded)
    assert (upgraded.path / EXTRA).read_text() == ours.replace("step3:", "step3-new:")
    assert not list(upgraded.path.rglob(f"*{BESIDE}"))
    assert "nothing to do" in lay(upgraded).out


def test_what_was_edited_before_the_first_commit_is_joined_too(fresh: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    a_release(monkeypatch, "0.0.1", extra=OLD)
    lay(fresh, *OWNER)
    fresh.write(EXTRA, OLD.replace("step15:", "step15-ours:"))
    fresh.commit()
    a_release(monkeypatch, "0.0.2", extra=NEW)
    assert "merged" in lay(fresh).out


def test_changes_that_touch_leave_peoples_file_and_lay_the_new_one_beside_it(upgraded: Folder) -> None:
    ours = OLD.replace("step3:", "step3-ours:")
    upgraded.write(EXTRA, ours)
    done = lay(upgraded)
    assert (upgraded.path / EXTRA).read_text() == ours
    assert (upgraded.path / (EXTRA + BESIDE)).read_text() == NEW
    [line] = [line for line in re.sub(r"\n {10,}", " ", done.out).splitlines() if BESIDE in line]
    assert "take over what you need" in line
    [found] = drift(upgraded.path) or ()
    assert (found.path, found.kind, found.waits) == (EXTRA, DriftKind.PEOPLE, True)
    # named until it is gone, and then never again
    assert BESIDE in lay(upgraded).out
    (upgraded.path / (EXTRA + BESIDE)).unlink()
    assert "nothing to do" in lay(upgraded).out
    assert (upgraded.path / EXTRA).read_text() == ours


def test_a_new_version_that_waits_is_never_written_over(upgraded: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    upgraded.write(EXTRA, OLD.replace("step3:", "step3-ours:"))
    upgraded.write(EXTRA + BESIDE, "notes of ours")
    lay(upgraded)
    assert (upgraded.path / (EXTRA + BESIDE)).read_text() == "notes of ours"
    (upgraded.path / (EXTRA + BESIDE)).unlink()
    lay(upgraded)
    assert (upgraded.path / (EXTRA + BESIDE)).read_text() == NEW


def test_what_people_deleted_stays_deleted(upgraded: Folder) -> None:
    (upgraded.path / EXTRA).unlink()
    for _ in range(2):
        lay(upgraded)
        assert not (upgraded.path / EXTRA).exists()
    assert [(one.path, one.kind) for one in drift(upgraded.path) or ()] == [(EXTRA, DriftKind.MISSING)]


@pytest.mark.parametrize("is_edited", [False, True])
def test_a_file_that_a_release_drops_goes_unless_it_was_edited(
    upgraded: Folder, monkeypatch: pytest.MonkeyPatch, is_edited: bool
) -> None:
    a_release(monkeypatch, "0.0.2", extra=None)
    if is_edited:
        upgraded.write(EXTRA, OLD + "# ours\n")
    lay(upgraded)
    assert (upgraded.path / EXTRA).exists() == is_edited
    assert "nothing to do" in lay(upgraded).out


def test_without_the_base_the_new_version_lies_beside(upgraded: Folder) -> None:
    """As in a shallow clone: nothing is guessed."""
    ours = OLD.replace("step15:", "step15-ours:")
    upgraded.write(EXTRA, ours)
    record = json.loads((upgraded.path / RECORD).read_text())
    record["files"][EXTRA]["blob"] = "0" * 40
    upgraded.write(RECORD, json.dumps(record))
    lay(upgraded)
    assert (upgraded.path / EXTRA).read_text() == ours
    assert (upgraded.path / (EXTRA + BESIDE)).read_text() == NEW


def test_files_that_were_copied_by_hand_are_not_written_over(fresh: Folder) -> None:
    """As the documentation of the release before told people to do."""
    for path in PREVIOUS.glob("*.yml"):
        fresh.write(f".github/workflows/{path.name}", path.read_text() + "# ours\n")
    lay(fresh, *OWNER)
    for path in PREVIOUS.glob("*.yml"):
        here = fresh.path / f".github/workflows/{path.name}"
        assert here.read_text() == path.read_text() + "# ours\n"
        if path.name in USERS:
            assert here.with_name(here.name + BESIDE).exists()


def test_the_workflows_of_the_release_before_are_brought_up_to_date(
    fresh: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over what people do to them: a line more, another time, a file deleted. Nothing of theirs is lost."""
    a_release(monkeypatch, "0.0.1", **{path.stem: path.read_text() for path in PREVIOUS.glob("*.yml")})
    lay(fresh, *OWNER)
    fresh.commit()
    folder = fresh.path / ".github/workflows"
    first = "# who to ask: @acme/sre\n"
    (folder / "reconcile.yml").write_text(first + (folder / "reconcile.yml").read_text())
    (folder / "sla.yml").write_text((folder / "sla.yml").read_text().replace("runs-on: ubuntu-24.04", "runs-on: ours"))
    (folder / "validate.yml").unlink()
    before = {name: (folder / name).read_text() for name in ("reconcile.yml", "sla.yml")}
    monkeypatch.undo()
    record = read_laid(fresh.path)
    assert record is not None
    wanted = {name: text.decode() for name, text in release_files(record.values).items()}
    lay(fresh)
    assert not (folder / "validate.yml").exists()
    for name, ours in before.items():
        now, beside = (folder / name).read_text(), folder / (name + BESIDE)
        assert now == ours or not beside.exists()
        assert ("who to ask" if name == "reconcile.yml" else "runs-on: ours") in now
        new = beside.read_text() if beside.exists() else now
        assert set(wanted[f".github/workflows/{name}"].splitlines()) - set(new.splitlines()) <= {
            "    runs-on: ubuntu-24.04"
        }
    again = contents(fresh.path)
    lay(fresh)
    assert contents(fresh.path) == again


def test_what_is_to_be_committed_is_all_that_runs_need(fresh: Folder) -> None:
    """The wheel in the repository beside the files; before the first commit the policy and the services as well."""
    call("init", at=fresh.path)
    fresh.write(f"wheels/{WHEEL}", "a wheel")
    assert 'git add -A && git commit -m "Incidents as code"' in lay(fresh, *OWNER, "--dry-run").out
    fresh.git("add", "policy.yaml", "services.yaml")
    fresh.git("commit", "--quiet", "--message", "first")
    assert "git add .github wheels && git commit" in lay(fresh, *OWNER, "--wheel", f"wheels/{WHEEL}").out


def test_secrets_are_set_one_at_a_time(fresh: Folder) -> None:
    """`gh secret set` reads what is pasted after it as the value."""
    assert "one at a time: gh asks for each" in lay(fresh, *OWNER).out
