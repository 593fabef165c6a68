"""People edit while runs fail: whatever the order, the last runs agree with the records, and people's words stay."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from incident_ops.reconcile import generated_block
from incident_ops.reconcile.limits import LimitOverrides
from tests.github.faulty import STALE, TIMEOUT, Fault, Proxy
from tests.github.gate import Gate
from tests.github.matrix import KINDS, Stage
from tests.github.runs import broken_laws, issues, wanted
from tests.support.laws import seeds
from tests.support.standin import LOGIN, PERSON_TOKEN, Standin

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])

STEPS = 8
SEEDS = 260
_words = itertools.count(1)


class _People:
    """What people do to issues, and the words they wrote that must stay."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self.stage, self.chance = stage, chance
        self.words: list[str] = []
        self.labelled: set[int] = set()
        self.handed: set[int] = set()

    def act(self) -> None:
        """One random act on one random issue of ours."""
        ours = [one for one in issues(self.stage.github, self.stage.repository) if one["user"]["login"] == LOGIN]
        if ours:
            acts: tuple[Callable[[dict[str, Any]], None], ...] = (
                *(self.write_below, self.write_above, self.edit_block, self.cut_marker, self.empty, self.retitle),
                *(self.relabel, self.unassign, self.close, self.reopen, self.paste, self.say),
            )
            self.chance.choice(acts)(self.chance.choice(ours))

    def change(self, one: dict[str, Any], **fields: object) -> None:
        """An edit by a person."""
        path = f"/repos/{self.stage.repository}/issues/{one['number']}"
        self.stage.github.ask("PATCH", path, fields, token=PERSON_TOKEN)

    def word(self) -> str:
        """A text that is nowhere else."""
        self.words.append(f"people wrote this {next(_words)}.")
        return self.words[-1]

    def write_below(self, one: dict[str, Any]) -> None:
        self.change(one, body=f"{one['body']}\n\n{self.word()}")

    def write_above(self, one: dict[str, Any]) -> None:
        self._write_before(generated_block.BEGIN, one)

    def edit_block(self, one: dict[str, Any]) -> None:
        self._write_before(generated_block.END, one)

    def _write_before(self, mark: str, one: dict[str, Any]) -> None:
        if mark in one["body"]:  # somebody may have emptied the text
            self.change(one, body=one["body"].replace(mark, f"{self.word()}\n{mark}", 1))

    def cut_marker(self, one: dict[str, Any]) -> None:
        if one["number"] in self.numbered():  # without a number nothing leads back to the issue
            self.change(one, body=one["body"].split("\n", 1)[1])

    def empty(self, one: dict[str, Any]) -> None:
        if one["number"] in self.numbered() and not any(word in str(one["body"]) for word in self.words):
            self.change(one, body="", labels=[])
            self.labelled.discard(one["number"])

    def numbered(self) -> list[int | None]:
        """The numbers that records name, and those that earlier runs kept."""
        named = [wish.number for wish in wanted(self.stage.records).issues.values()]
        return [*named, *self.stage.numbers.values()]

    def retitle(self, one: dict[str, Any]) -> None:
        self.change(one, title="a title of people")

    def relabel(self, one: dict[str, Any]) -> None:
        names = [label["name"] for label in one["labels"]]
        kept = [name for name in names if name in ("incident", "action-item") or self.chance.random() < 0.5]
        self.labelled.add(one["number"])
        self.change(one, labels=[*kept, "people"])

    def unassign(self, one: dict[str, Any]) -> None:
        self.handed.add(one["number"])
        self.change(one, assignees=[])

    def close(self, one: dict[str, Any]) -> None:
        if "/" in (generated_block.owner(one["body"]) or "") and one["state"] == "open":
            self.change(one, state="closed", state_reason=self.chance.choice(["completed", "not_planned"]))

    def reopen(self, one: dict[str, Any]) -> None:
        if one["state"] == "closed" and not generated_block.parse_body(one["body"]).was_closed:
            self.change(one, state="open")

    def paste(self, one: dict[str, Any]) -> None:
        """A stranger's issue with our marker and label is not ours, whatever it says."""
        path, body = (
            f"/repos/{self.stage.repository}/issues",
            {"title": "x", "body": one["body"], "labels": ["incident"]},
        )
        self.stage.github.ask("POST", path, body, token=PERSON_TOKEN)

    def say(self, one: dict[str, Any]) -> None:
        path = f"/repos/{self.stage.repository}/issues/{one['number']}/comments"
        self.stage.github.ask("POST", path, {"body": self.word()}, token=PERSON_TOKEN)

    def lost_words(self) -> list[str]:
        """What people wrote outside the block and is nowhere now."""
        github, repository = self.stage.github, self.stage.repository
        seen = issues(github, repository)
        path = f"/repos/{repository}/issues/{{}}/comments?per_page=100"
        said = [text for one in seen if one["comments"] for text in github.ask("GET", path.format(one["number"]))]
        text = "\n".join(str(one["body"]) for one in (*seen, *said))
        labels = {one["number"] for one in seen if "people" in {label["name"] for label in one["labels"]}}
        return [word for word in self.words if word not in text] + [f"label of #{n}" for n in self.labelled - labels]


@seeds("people who edit while runs fail", whole=SEEDS, sample=4)
def test_people_and_faults_together(github: Standin, proxy: Proxy, gate: Gate, seed: int) -> None:
    """One open issue for each open key, nothing people wrote lost, no second comment, and at the end nothing to do."""
    chance = random.Random(seed)
    stage = Stage(github, proxy, chance.choice(["first", "later"]))
    people = _People(stage, chance)
    doubles = stage.scene == "later"
    for _ in range(STEPS):
        for _ in range(chance.randrange(3)):
            people.act()
        kind = chance.choice([one for one in KINDS if one.what != TIMEOUT])
        fault, hidden = Fault(chance.randrange(25), kind.what, kind.when), chance.choice((0, 0, 0, 30))
        doubles = doubles or fault.what == STALE or hidden > 0
        done = stage.run(fault, hidden_for=hidden)
        if done is not None and chance.random() < 0.7:
            stage.records = done.records  # the proposal was merged
    stage.settle(
        lifts=LimitOverrides(closes=100)
    )  # what many stale lists let through is more than a run closes by itself
    faults = broken_laws(github, stage.repository, stage.records, doubles=doubles, handed=people.handed)
    assert not faults, faults
    assert people.lost_words() == []
