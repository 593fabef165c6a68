"""The whole of `apply` under faults: look, lock, issues, proposals, notices, ledger; requests and git operations alike.

A stage is a fresh repository on the stand-in with a bare one beside it, whose rule takes signed proposals only. One run
meets one fault, the runs after it none; then the law of `Stage.broken_laws` must hold.
"""

from __future__ import annotations

import functools
import itertools
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import yaml

from incident_ops.adapters import clock
from incident_ops.adapters.git_branches import LOCK_BRANCH
from incident_ops.adapters.git_remote import Remote
from incident_ops.adapters.github import connect
from incident_ops.adapters.processes import Ran
from incident_ops.app.apply import AppliedRun, apply_plan
from incident_ops.app.plan import PlanOptions
from incident_ops.app.workspace import open_workspace
from incident_ops.domain.time import stamp
from incident_ops.errors import IncidentOpsError
from incident_ops.notifications.plan import CLAIMED
from incident_ops.reconcile.generated_block import owner
from tests.cli.scene import Folder
from tests.github.faulty import AFTER, BEFORE, CUT, DROP, KILL, OUTAGE, TIMEOUT, Fault, Killed, Proxy, dying
from tests.github.matrix import MOST_RUNS, Kind
from tests.support.hosted import address_on_github, ask_for_signatures, make_origin
from tests.support.standin import LOGIN, PERSON_TOKEN, Standin

KINDS = (
    *(Kind(what, when) for what in (KILL, DROP, TIMEOUT, "502") for when in (BEFORE, AFTER)),
    *(Kind(what, AFTER) for what in (CUT, "500")),
    *(Kind(what) for what in (OUTAGE, "401", "403_permission", "404", "422", "403_limit_far", "403_secondary")),
)
"""Of the kinds of `matrix.KINDS` those that lead a run another way; that one tests when a request is sent again."""

DOWN, LOST = "down", "lost"
GIT_KINDS = (Kind(KILL, BEFORE), Kind(KILL, AFTER), Kind(DOWN, BEFORE), Kind(LOST, AFTER))
"""What befalls a git operation: the process dies, the remote is not there, its answer is lost."""
SCENES = ("first", "later")

POLICY = f"""extends: sev0-3
tracker: {{identities: [{LOGIN}]}}
notify: {{incident_channel: {{create: false}}}}
levels:
- {{id: SEV1, escalate_at: 1h, channels: [ticket]}}
escalation: {{tiers: [{{id: first, tier: 1}}, {{id: second, tier: 2}}]}}
"""
ITEM = (
    "- {{id: AI-{0}, title: Part {0}, owner: '@bob', due: 2099-02-01, priority: P1, kind: detective, status: open}}\n"
)
NUMBERS, PEOPLE, AUTOMATION = "incident-ops/numbers", "incident-ops/people/INC-1", "incident-ops/automation/INC-1"

AHEAD = timedelta(minutes=4)
"""The clock of a run is so much ahead of that of the stand-in, whose instants would else lie in the future."""

_tokens = itertools.count(1)


class GitFaults:
    """Counts what is asked of the remote, and lets one of it meet a fault."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.at, self.kind = -1, Kind("")
        self.is_dead = False

    def arm(self, at: int = -1, kind: Kind = Kind("")) -> None:  # noqa: B008 - a frozen value
        """Starts counting from 0 with this fault."""
        self.log, self.at, self.kind, self.is_dead = [], at, kind, False

    def run(self, real: Callable[[], Ran], words: tuple[str, ...]) -> Ran:
        """One operation."""
        if self.is_dead:
            raise Killed
        self.log.append(words[0])
        if len(self.log) - 1 != self.at:
            return real()
        if self.kind.when == AFTER:
            real()
        if self.kind.what == KILL:
            self.is_dead = True
            raise Killed
        if self.kind.what == DOWN:
            return Ran(128, b"", b"fatal: unable to access the remote: Could not resolve host")
        return Ran(None, b"", b"")


class Cell(NamedTuple):
    """A run of a scene in which request, or git operation, number `at` meets a kind."""

    scene: str
    is_git: bool
    at: int
    kind: Kind

    def __str__(self) -> str:
        return f"{self.scene}: {self.kind} at {'git operation' if self.is_git else 'request'} {self.at}"


class Stage:
    """A repository before a run, behind a proxy, with a token that no other cell uses up."""

    def __init__(self, github: Standin, proxy: Proxy, folder: Path, scene: str) -> None:
        self.github, self.proxy, self.scene = github, proxy, scene
        self.git = GitFaults()
        self.token = f"ghp_command{next(_tokens)}"
        self.later = timedelta()
        self.now = datetime.now(UTC).replace(microsecond=0) + AHEAD
        self.folder = Folder(folder / "clone", policy=POLICY)
        self.origin = make_origin(self.folder)
        self.repository = github.new_repository(homepage=self.origin.as_uri())
        self.way = address_on_github(self.folder, self.repository)
        ask_for_signatures(self.origin)
        self.declare("INC-1", timedelta(minutes=90), 2)
        if scene == "later":
            self.prepare()

    def declare(self, name: str, ago: timedelta, items: int) -> None:
        """A record, merged."""
        self.folder.put(name, services="[api]", times=f"{{declared: {stamp(self.now - ago)}}}")
        with (self.folder.path / "incidents" / name / "incident.yaml").open("a") as record:
            record.write("action_items:\n" + "".join(ITEM.format(number) for number in range(1, items + 1)))
        self.push(name)

    def prepare(self) -> None:
        """Numbers wait for a merge, a person closed an item, another incident came."""
        self.settle()
        (number,) = (one["number"] for one in self.issues() if owner(one["body"]) == "INC-1/AI-1")
        self.ask("PATCH", f"/issues/{number}", {"state": "closed", "state_reason": "completed"}, token=PERSON_TOKEN)
        self.declare("INC-2", timedelta(minutes=5), 1)

    def clone(self) -> None:
        """What a job of Actions begins with, without the branches of the automation."""
        path = self.folder.path
        shutil.rmtree(path)
        subprocess.run(["git", "clone", "--quiet", "--single-branch", self.origin.as_uri(), str(path)], check=True)
        address_on_github(self.folder, self.repository)

    def push(self, message: str) -> None:
        """Commits the work tree and pushes main."""
        self.folder.git("add", "--all")
        self.folder.git("commit", "--quiet", "--message", message)
        self.folder.git("push", "--quiet", self.origin.as_uri(), "main")

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """A request of somebody else, beside the proxy."""
        return self.github.ask(method, f"/repos/{self.repository}{path}", body, **options)

    def issues(self) -> list[dict[str, Any]]:
        """Every issue."""
        return list(self.ask("GET", "/issues?state=all&per_page=100&direction=asc"))

    def run(self, cell: Cell | None = None) -> AppliedRun | IncidentOpsError | None:
        """One run, in a clone of its own -> what it was, the error that ended it, None where it was killed."""
        self.clone()
        fault = cell and not cell.is_git
        self.proxy.arm(Fault(cell.at, cell.kind.what, cell.kind.when) if cell and fault else None)
        self.git.arm(*((cell.at, cell.kind) if cell and cell.is_git else ()))
        try:
            with self._patched(), dying(self.proxy):
                present = max(self.now, datetime.now(UTC).replace(microsecond=0) + AHEAD)  # a cell may take minutes
                options = {"repo": str(self.folder.path), "rev": None, "at": stamp(present + self.later)}
                return apply_plan(open_workspace(options), PlanOptions(tracker="github"))
        except Killed:
            self.forget_lock()
            return None
        except IncidentOpsError as error:
            return error

    def forget_lock(self) -> None:
        """What fifteen minutes do."""
        subprocess.run(["git", "-C", str(self.origin), "update-ref", "-d", f"refs/heads/{LOCK_BRANCH}"], check=True)

    def settle(self) -> int:
        """Runs without faults until nothing is planned -> how many there were.

        A notice that a killed run had claimed waits until that claim is old; what the record says of it waits, too.
        """
        for count in range(1, MOST_RUNS + 1):
            done = self.run()
            assert isinstance(done, AppliedRun), f"a run without faults ended: {done}"
            assert done.exit_code == 0, (
                f"a run without faults failed: {done.errors}, {done.summary}, {done.ledger_error}"
            )
            if any(one.action == CLAIMED for one in done.planned.notices):
                self.later += timedelta(minutes=11)
            elif not done.planned.plan.changes:
                return count
        planned = [(one.action, one.kind, one.key, one.reason) for one in done.planned.plan.changes]
        raise AssertionError(f"after {MOST_RUNS} runs something is still planned: {planned}")

    def untold(self) -> list[str]:
        """What open pull requests hold and their text does not tell, and heads that were once equal to their base.

        Both hold at every moment.
        """
        self.folder.git("fetch", "--quiet", "--prune", "origin", "+refs/heads/*:refs/remotes/origin/*")
        closed = self.origin / "closed"
        faults = [f"GitHub would have closed the pull request of {closed.read_text()}"] if closed.exists() else []
        for pull in self.ask("GET", "/pulls?state=open"):
            branch = pull["head"]["ref"]
            message = self.folder.git("show", "--no-patch", "--format=%B", f"origin/{branch}")
            held = next((line.split()[1:] for line in message.splitlines() if "Incident-Ops-Edits:" in line), [])
            faults += [f"{branch} holds {one}, which its text does not tell" for one in held if one not in pull["body"]]
        return faults

    def broken_laws(self) -> list[str]:
        """One issue a key, one open pull request a topic, every edit in it and told, no notice twice."""
        faults = self.untold()
        ours = {one["number"]: key for one in self.issues() if (key := owner(one["body"] or ""))}
        keys = ["INC-1", "INC-1/AI-1", "INC-1/AI-2", *(["INC-2", "INC-2/AI-1"] if self.scene == "later" else [])]
        faults += [] if sorted(ours.values()) == keys else [f"the issues are {ours}"]
        pulls = self.ask("GET", "/pulls?state=open")
        topics = [NUMBERS, AUTOMATION, *([PEOPLE] if self.scene == "later" else [])]
        found = sorted(one["head"]["ref"] for one in pulls)
        faults += [] if found == sorted(topics) else [f"open pull requests: {found}"]
        diffs = {topic: self.folder.git("diff", "-U0", f"origin/main...origin/{topic}") for topic in found}
        numbers = diffs.get(NUMBERS, "")
        faults += [
            f"#{number} of {key} is not proposed" for number, key in ours.items() if f"issue: {number}" not in numbers
        ]
        faults += [] if "escalate.SEV1" in diffs.get(AUTOMATION, "") else ["the escalation is not proposed"]
        if self.scene == "later":
            faults += [] if "done" in diffs.get(PEOPLE, "") else ["what a person closed is not proposed"]
        for number in ours:
            said = [one["body"].split("\n", 1)[0] for one in self.ask("GET", f"/issues/{number}/comments?per_page=100")]
            faults += [f"#{number} has a comment twice"] if len(said) != len(set(said)) else []
        return faults

    @contextmanager
    def _patched(self) -> Iterator[None]:
        """The environment of a run; the waits of the adapter take no time, and git meets its faults."""
        environment = self.github.environment(self.repository, token=self.token)
        environment |= {"GITHUB_API_URL": self.proxy.url, "GIT_SSH_COMMAND": self.way}
        real, real_now, faults = Remote._run, clock.now, self.git

        def ask(remote: Remote, *words: str, **limits: Any) -> Ran:
            if self.proxy.killed.is_set():
                raise Killed
            return faults.run(lambda: real(remote, *words, **limits), words)

        def later() -> datetime:
            return real_now() + self.later

        quick = functools.partial(connect.connect, pause=0.0, sleep=lambda _: None)
        with (
            mock.patch.dict(os.environ, environment),
            mock.patch.object(connect, "connect", quick),
            mock.patch.object(Remote, "_run", ask),
            mock.patch.object(clock, "now", later),
        ):
            yield


def lengths(github: Standin, proxy: Proxy, folder: Path, scene: str) -> tuple[int, int]:
    """Requests and git operations of a run of this scene without any fault."""
    stage = Stage(github, proxy, folder, scene)
    done = stage.run()
    assert isinstance(done, AppliedRun)
    assert done.exit_code == 0, done
    return len(proxy.log), len(stage.git.log)


def cells(scene: str, requests: int, operations: int) -> list[Cell]:
    """Every cell of a scene."""
    asked = [Cell(scene, False, at, kind) for kind in KINDS for at in range(requests)]
    return asked + [Cell(scene, True, at, kind) for kind in GIT_KINDS for at in range(operations)]


def go_through(github: Standin, proxy: Proxy, folder: Path, cell: Cell) -> int:
    """One cell -> its runs, the one with the fault included; fails where the law is broken."""
    stage = Stage(github, proxy, folder, cell.scene)
    stage.run(cell)
    asked, operations = [f"{one.method} {one.path} {one.status}" for one in proxy.log], list(stage.git.log)
    try:
        assert not (untold := stage.untold()), untold
        count = 1 + stage.settle()
        assert not (faults := stage.broken_laws()), faults
    except AssertionError as error:
        log = "\n".join(f"  {line}" for line in (*asked, *operations))
        raise AssertionError(f"{cell}: {error}\nthe run with the fault asked:\n{log}") from error
    finally:
        shutil.rmtree(folder)
    return count


class Life:
    """A stage on which people act at random between runs that fail at random."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self.stage, self.chance, self.incidents = stage, chance, 1
        stage.settle()

    def step(self) -> None:
        """Somebody does something, and a run follows, with a fault or without."""
        act = self.chance.choice((self.close, self.reopen, self.refuse, self.merge, self.declare, lambda: None))
        act()
        self.stage.now = datetime.now(UTC).replace(microsecond=0) + AHEAD
        is_git, at = self.chance.random() < 0.4, self.chance.randrange(18)
        kind = self.chance.choice(GIT_KINDS if is_git else KINDS)
        self.stage.run(Cell("life", is_git, at, kind) if self.chance.random() < 0.6 else None)

    def close(self) -> None:
        """A person closes the issue of an item."""
        if found := self._items("open"):
            reason = self.chance.choice(("completed", "not_planned"))
            self._edit(f"/issues/{self.chance.choice(found)}", {"state": "closed", "state_reason": reason})

    def reopen(self) -> None:
        """A person opens it again."""
        if found := self._items("closed"):
            self._edit(f"/issues/{self.chance.choice(found)}", {"state": "open"})

    def refuse(self) -> None:
        """A person closes a pull request without merging it."""
        if pulls := self.stage.ask("GET", "/pulls?state=open"):
            self._edit(f"/pulls/{self.chance.choice(pulls)['number']}", {"state": "closed"})

    def merge(self) -> None:
        """A person merges one that GitHub can merge."""
        pulls, folder = self.stage.ask("GET", "/pulls?state=open"), self.stage.folder
        if pulls:
            pull = self.chance.choice(pulls)
            folder.git("fetch", "--quiet", "origin", pull["head"]["ref"])
            try:
                folder.git("merge", "--quiet", "--no-edit", "FETCH_HEAD")
            except subprocess.CalledProcessError:
                folder.git("merge", "--abort")
                return
            folder.git("push", "--quiet", self.stage.origin.as_uri(), "main")
            self.stage.ask("PUT", f"/pulls/{pull['number']}/merge", {}, token=PERSON_TOKEN)

    def declare(self) -> None:
        """Another incident."""
        if self.incidents < 3:
            self.incidents += 1
            self.stage.declare(f"INC-{self.incidents}", timedelta(minutes=5), 1)

    def untold(self) -> list[str]:
        """The fields that the diff of an open pull request changes and its text does not name."""
        folder = self.stage.folder
        folder.git("fetch", "--quiet", "--prune", "origin", "+refs/heads/*:refs/remotes/origin/*")
        faults = []
        for pull in self.stage.ask("GET", "/pulls?state=open"):
            head, body = f"origin/{pull['head']['ref']}", pull["body"]
            base = folder.git("merge-base", "origin/main", head).strip()
            for path in folder.git("diff", "--name-only", base, head).split():
                before, after = (yaml.safe_load(folder.git("show", f"{at}:{path}")) for at in (base, head))
                named = [f"`{path}`", *(f"`{field}`" for field in changed_fields(before, after))]
                faults += [f"{head} changes {one}, which its text does not name" for one in named if one not in body]
        return faults

    def lost(self) -> list[str]:
        """Items that a person closed, of which neither record, pull request nor plan knows."""
        done = self.stage.run()
        assert isinstance(done, AppliedRun)
        kept = {(one.key, one.number) for one in done.planned.plan.kept}
        known = {issue.key: issue for issue in done.planned.desired.issues.values()}
        return [
            f"#{one['number']} of {key} was closed, and nothing says so"
            for one in self.stage.issues()
            if (key := owner(one["body"] or "")) and "/" in key and one["state"] == "closed"
            if known[key].closed_as is None and (key, one["number"]) not in kept
        ]

    def _items(self, state: str) -> list[int]:
        return [
            one["number"] for one in self.stage.issues() if one["state"] == state and "/" in (owner(one["body"]) or "")
        ]

    def _edit(self, path: str, body: dict[str, str]) -> None:
        self.stage.ask("PATCH", path, body, token=PERSON_TOKEN)


def changed_fields(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The fields of a record that differ, as a text names them: `action_items.AI-1.status`, `links.tracking_issue`."""
    fields = set()
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name == "action_items":
            pairs = {one["id"]: (one, next(item for item in new if item["id"] == one["id"])) for one in old}
            fields |= {f"{name}.{key}.{field}" for key, pair in pairs.items() for field in changed_fields(*pair)}
        elif isinstance(new, dict):
            fields |= {f"{name}.{field}" for field in changed_fields(old or {}, new)}
        else:
            fields.add(name)
    return fields
