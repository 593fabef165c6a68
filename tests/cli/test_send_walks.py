"""Random walks of two people who edit, send, merge and pull: no entry is lost or doubled, no branch is rewritten, and
what is taken away stays away."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.cli.scene import Folder, call
from tests.cli.test_send import EDIT, PATH, Team

pytestmark = pytest.mark.slow

STEPS = 14


class Walk:
    """One walk: who wrote what, and where each branch of the remote has been."""

    def __init__(self, team: Team, seed: int) -> None:
        self.team, self.dice = team, random.Random(seed)
        self.people = [team.clone("alice"), team.clone("bob")]
        self.wrote: list[str] = []
        self.tags: set[str] = set()
        self.tip = ""
        self.told: list[str] = []

    def step(self) -> None:
        who = self.dice.choice(self.people)
        act = self.dice.choice(
            ["edit", "edit", "edit-send", "edit-send", "tag", "tag", "tag", "offline", "send", "merge", "pull"]
        )
        self.told.append(f"{who.path.name} {act}")
        if act == "merge":
            self.merge()
        elif act == "pull":
            self.pull(who)
        elif act == "send":
            self.run(who, "send")
        elif act == "tag":
            self.tag(who)
        else:
            self.edit(who, act)
        self.look()

    def edit(self, who: Folder, act: str) -> None:
        text = f"entry {len(self.wrote)} of {who.path.name}"
        self.wrote.append(text)
        words = ("timeline", text, "INC-1", "--by", "@alice", "--kind", "note")
        if act == "offline":
            self.team.away()
            done = call(*words, "--send", at=who.path, clock=self.clock())
            self.team.back()
            assert done.code == 4, (self.told, done)
            return
        self.run(who, *words, *(["--send"] if act == "edit-send" else []))

    def tag(self, who: Folder) -> None:
        """A tag of their own, put on or taken off again."""
        name = who.path.name
        own = sorted(one for one in self.tags if one.startswith(name))
        is_off = bool(own) and self.dice.random() < 0.6
        tag = self.dice.choice(own) if is_off else f"{name}-{self.dice.randrange(1000)}"
        self.tags ^= {tag}
        self.told[-1] += f" {'-' if is_off else '+'}{tag}"
        is_sent = self.dice.random() < 0.5
        self.run(who, "edit", "INC-1", f"--tag={'-' if is_off else '+'}{tag}", *(["--send"] if is_sent else []))

    def clock(self) -> str:
        return f"2025-01-26T14:{len(self.wrote):02}:00Z"

    def run(self, who: Folder, *words: str) -> None:
        done = call(*words, at=who.path, clock=self.clock())
        assert done.code == 0, (self.told, done)

    def merge(self) -> None:
        if self.team.tip(EDIT) and self.team.changed(EDIT):
            how = self.dice.choice(["--no-ff", "--squash"])
            try:
                self.team.merge(EDIT, how)
            except subprocess.CalledProcessError:  # squashed before and not sent anew since: GitHub says "conflict"
                self.team.seed.git("reset", "-q", "--hard", "origin/main")
                return
            self.told[-1] += how
            if self.dice.random() < 0.5:
                self.team.git("branch", "-D", EDIT)
                self.tip = ""
                self.told[-1] += " and deleted"

    def pull(self, who: Folder) -> None:
        who.git("add", "incidents")
        done = subprocess.run(["git", "-C", str(who.path), "pull", "-q", "--ff-only"], capture_output=True, check=False)
        if done.returncode:
            who.git("reset", "-q")
            self.told[-1] += " (refused)"

    def look(self) -> None:
        """The branch of the remote holds all that it ever held."""
        now = self.team.tip(EDIT)
        if self.tip and now:
            assert self.team.git("merge-base", self.tip, now).strip() == self.tip, self.told
        self.tip = now

    def settle(self) -> tuple[Counter[str], set[str]]:
        """All is sent and merged -> the entries of main, and its tags."""
        for who in self.people:
            self.told.append(f"{who.path.name} send at the end")
            self.run(who, "send")
            self.look()
        if self.team.tip(EDIT) and self.team.changed(EDIT):
            self.team.merge(EDIT)
        found = yaml.safe_load(self.team.git("show", f"main:{PATH}"))
        return Counter(entry["event"] for entry in found.get("timeline", [])), set(found.get("tags", []))


@pytest.mark.parametrize("seed", range(6))
def test_no_walk_loses_or_doubles_an_entry(tmp_path: Path, seed: int) -> None:
    walk = Walk(Team(tmp_path), seed)
    for _ in range(STEPS):
        walk.step()
    assert walk.settle() == (Counter(walk.wrote), walk.tags), walk.told
