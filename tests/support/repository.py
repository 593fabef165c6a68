"""Small repositories for tests: a folder of records, with git around it or not."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from incident_ops.adapters.git import Git
from incident_ops.records.index import RecordIndex
from incident_ops.records.policy import PolicyAndServices, load_policy_and_services
from incident_ops.records.store import IndexCache, Store, load_index
from incident_ops.records.yaml_writer import to_yaml
from incident_ops.validation import ValidationReport, record_checker, validate_records

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
POLICY = "extends: sev0-3\n"
SERVICES = 'services: {api: {owner: "@team"}, auth: {owner: "@team"}}\n'

_QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "tester",
    "GIT_AUTHOR_EMAIL": "tester@example.invalid",
    "GIT_COMMITTER_NAME": "tester",
    "GIT_COMMITTER_EMAIL": "tester@example.invalid",
    "GIT_AUTHOR_DATE": "2025-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2025-01-01T00:00:00Z",
}


def record(**changes: Any) -> dict[str, Any]:
    """The data of a small valid record; a change of `None` takes the key out."""
    data = {
        "id": "INC-1",
        "title": "Login fails",
        "severity": "SEV2",
        "state": "new",
        "services": ["api"],
        "times": {"declared": "2025-01-26T12:05:00Z"},
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


def record_text(**changes: Any) -> str:
    """The text of a small valid record in block style; see `record`."""
    return to_yaml(record(**changes))


class Repo:
    """A folder of records that a test fills; `git` runs the real program in it."""

    def __init__(self, root: Path, *, git: bool = True, settings: bool = True) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        if git:
            self.git("init", "--quiet", "--initial-branch=main")
        if settings:
            self.write("policy.yaml", POLICY)
            self.write("services.yaml", SERVICES)

    def git(self, *words: str, text: str | None = None) -> str:
        """Runs git here -> what it printed; fails the test where git fails."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = ["git", "-c", "core.hooksPath=/dev/null", "-C", str(self.root), *words]
        done = subprocess.run(command, env=kept | _QUIET, capture_output=True, text=True, input=text, check=False)
        assert not done.returncode, f"git {' '.join(words)}: {done.stderr}"
        return done.stdout.strip()

    def write(self, path: str, content: str | bytes) -> Path:
        """Writes a file, with the folders above it."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def put(self, name: str = "INC-1", **changes: Any) -> str:
        """Writes the record of an id -> its path."""
        path = f"incidents/{name}/incident.yaml"
        self.write(path, record_text(**{"id": name, **changes}))
        return path

    def commit(self, message: str = "a step") -> str:
        """Commits everything -> the commit id."""
        self.git("add", "--all", "--force", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def around(self) -> Git:
        """The adapter over this repository as it is now."""
        found = Git.around(self.root)
        assert found is not None
        return found

    def store(self, revision: str | None = None) -> Store:
        """The store of the work tree, or of a revision."""
        git = Git.around(self.root)
        return Store(self.root, git, git.resolve(revision) if git and revision else None)

    def setting(self, revision: str | None = None) -> PolicyAndServices:
        """Policy and services as they are now."""
        return load_policy_and_services(self.store(revision))

    def catalogue(
        self, revision: str | None = None, keep: IndexCache | None = None, now: datetime = NOW
    ) -> RecordIndex:
        """The catalogue as one run sees it."""
        setting = self.setting(revision)
        return load_index(self.store(revision), record_checker(setting, now), setting.fingerprint, keep)

    def report(
        self, revision: str | None = None, keep: IndexCache | None = None, now: datetime = NOW
    ) -> ValidationReport:
        """The whole validation as one run sees it."""
        catalogue = self.catalogue(revision, keep, now)
        return validate_records(self.store(revision), self.setting(revision), catalogue, now)


def seen(catalogue: RecordIndex) -> dict[str, Any]:
    """All a catalogue tells, comparable; blob ids (which differ between the work tree and a commit) left out."""
    return {
        "paths": list(catalogue.paths()),
        "ids": list(catalogue.ids()),
        "findings": list(catalogue.findings()),
        "unreadable": catalogue.unreadable(),
        "live": list(catalogue.live()),
        "settled": catalogue.settled_after(-(2**62)),
        "clashes": catalogue.clashes(),
        "dangling": catalogue.dangling(),
        "links": catalogue.links(),
    }
