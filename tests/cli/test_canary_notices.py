"""Who hears of a canary: that it begins, failed, or waits for a person; over the quiet channels that are set up."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.canary_scene import POLICY, Clock, Source, gate, stage, write
from tests.cli.scene import Done, Folder, call
from tests.support.http_sink import HttpSink

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])
Patch = pytest.MonkeyPatch
STEPS = "[{weight: 10, duration: 10m}]"


class Scene:
    """A service whose canary is rolled out, with Slack and SMS set up."""

    def __init__(self, folder: Folder, sink: HttpSink, monkeypatch: Patch) -> None:
        self.folder, self.sink, self._patch = folder, sink, monkeypatch
        monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/200?+to=slack"))
        monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SMS", sink.address("/200?+to=sms"))

    def rollout(self, *words: str, source: Source | None = None, text: str = "") -> Done:
        """One run."""
        clock = stage(self._patch, source or Source(), Clock())
        self._patch.setattr("incident_ops.adapters.clock.now", clock.now)
        name = write(self.folder.path, text or gate(steps=STEPS).replace("  duration: 10m\n", ""))
        done = call("canary", "run", "-f", name, "-s", "api", *words, at=self.folder.path, clock=None)
        assert "Traceback" not in done.err
        return done

    def heard(self) -> list[tuple[str, str, str]]:
        """(channel, title, text) of what arrived since the last look."""
        found = []
        for one in self.sink.taken:
            data: dict[str, Any] = json.loads(one.body)
            found.append((one.headers.get("to", ""), data["title"], data["message"]))
        self.sink.taken.clear()
        return found


@pytest.fixture
def scene(make: Callable[..., Folder], sink: HttpSink, monkeypatch: Patch) -> Scene:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ACTOR", "GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    folder = make("repo", policy=POLICY)
    folder.commit()
    return Scene(folder, sink, monkeypatch)


def test_people_hear_that_it_begins_and_of_a_pass_no_more(scene: Scene) -> None:
    """Over the quiet channel of the level that a failed canary would have; SMS rings, and is left alone."""
    assert scene.rollout("--sha", "7be19f2").code == 0
    ((channel, title, text),) = scene.heard()
    assert (channel, title) == ("slack", "Canary of api to production began: checkout-errors, commit 7be19f2")
    assert text == "10 % of the traffic first; it may take 10m."


def test_a_fail_says_what_became_of_it(scene: Scene) -> None:
    """The verdict, the rollback and the incident, after the rollback."""
    words = ("--on-fail", "true", "--declare", "--sha", "7be19f2")
    assert scene.rollout(*words, source=Source(5.0)).code == 1
    _, (channel, title, text) = scene.heard()
    assert (channel, title) == ("slack", "Canary of api to production failed: checkout-errors, commit 7be19f2")
    first, *rest = text.splitlines()
    assert first.startswith("fail: the canary has more errors than the baseline (error_rate), after ")
    assert "Rolled back: the --on-fail command succeeded" in rest
    assert any(line.startswith("Incident declared: INC-") for line in rest)
    assert any(line.startswith("next: incident-ops ack INC-") for line in rest)


def test_an_inconclusive_end_waits_for_a_person_and_says_so(scene: Scene) -> None:
    """Also where a command failed: the canary is still out."""
    assert scene.rollout(source=Source(rps=0.5)).code == 3
    _, (_, title, text) = scene.heard()
    assert title == "Canary of api to production waits for a person: checkout-errors"
    assert "The canary is still out at 10 % of the traffic" in text
    assert scene.rollout("--on-step", "exit 7").code == 4
    (_, title, text) = scene.heard()[-1]
    assert title.startswith("Canary of api to production waits for a person")
    assert "the command of --on-step ended with exit code 7" in text


def test_the_policy_decides_which_and_how(scene: Scene) -> None:
    """`none` is nobody, `page` rings too; ranks as for every other kind."""
    kinds = "notify: {kinds: {canary_started: none, canary_failed: {page: [1], tell: [2, 3, 4]}}}\n"
    scene.folder.write("policy.yaml", POLICY + kinds)
    assert scene.rollout("--declare", "--severity", "SEV0", source=Source(5.0)).code == 1
    assert sorted(channel for channel, _, _ in scene.heard()) == ["slack", "sms"]
    assert scene.rollout("--declare", "--severity", "SEV1", source=Source(5.0)).code in (1, 3)
    shown = call("policy", "show", at=scene.folder.path).out
    assert "canary_started" in shown


def test_nothing_is_sent_without_a_channel(scene: Scene, monkeypatch: Patch) -> None:
    """And nothing is said of it: most teams have set up none for this."""
    monkeypatch.delenv("INCIDENT_OPS_CHANNEL_SLACK")
    done = scene.rollout()
    assert (done.code, scene.heard()) == (0, [])
    assert "slack" not in done.out + done.err


def test_a_dry_run_shows_them_and_sends_none(scene: Scene) -> None:
    """`dryRun: true` of the gate file; what is not set up is said here."""
    text = gate(dryRun="true", steps=STEPS).replace("  duration: 10m\n", "")
    done = scene.rollout("--declare", "--severity", "SEV0", source=Source(5.0), text=text)
    assert scene.heard() == []
    assert "dry run: canary_started would go to slack; not set up: email (INCIDENT_OPS_CHANNEL_EMAIL)" in done.err
    assert "dry run: canary_failed would go to slack" in done.err


def test_a_channel_that_fails_changes_no_verdict(scene: Scene, sink: HttpSink, monkeypatch: Patch) -> None:
    """It is said, and the rollout goes on."""
    monkeypatch.setenv("INCIDENT_OPS_CHANNEL_SLACK", sink.address("/500"))
    done = scene.rollout()
    assert done.code == 0
    assert "canary_started did not go out: channel slack: answered 500" in done.err


def test_a_policy_that_only_observes_sends_nothing(scene: Scene) -> None:
    scene.folder.write("policy.yaml", POLICY + "mode: observe\n")
    assert scene.rollout().code == 0
    assert scene.heard() == []


def test_a_run_that_goes_on_does_not_say_again_that_it_begins(scene: Scene) -> None:
    """With a state file: the second run is the same rollout."""
    words = ("--state", "s.json", "--sha", "7be19f2")
    assert scene.rollout(*words, "--on-step", "exit 7").code == 4
    scene.heard()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "incident_ops.app.canary_run._Rollout._at_full", lambda *_: (_ for _ in ()).throw(SystemExit(143))
        )
        assert scene.rollout(*words).code == 143
    titles = [title for _, title, _ in scene.heard()]
    assert [title.split(" to production ")[1].split(":")[0] for title in titles] == ["began"]
    assert scene.rollout(*words).code == 0
    assert scene.heard() == []
