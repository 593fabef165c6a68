"""What every preset of the folder must do, so that a new file there is tested; only its golden is written by hand.

That the program prints the golden is a test of `test_presets.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_ops import resources
from incident_ops.documents.document_mark import DOCUMENT_NAMES
from incident_ops.domain.notice_kinds import PAGED_RANKS
from incident_ops.records.policy import load_policy
from tests.cli.scene import ROOT, Done, call

GOLDEN = ROOT / "tests/presets/golden"
DECLARED = "2025-01-27T10:00:00Z"
LONG_AFTER = "2025-12-01T10:00:00Z"
each_preset = pytest.mark.parametrize("name", resources.preset_names())


def started(name: str, folder: Path) -> Path:
    """A new repository that `init` wrote with this preset."""
    folder.mkdir()
    done = call("init", "--preset", name, at=folder)
    assert (done.code, done.err) == (0, "")
    return folder


def works(*args: str, at: Path, clock: str = DECLARED) -> Done:
    """The run of a command that must succeed."""
    done = call(*args, at=at, clock=clock)
    assert done.code == 0, (args, done)
    return done


@each_preset
def test_its_golden_is_there(name: str) -> None:
    golden = GOLDEN / f"{name}.md"
    assert golden.is_file(), f"preset {name} has no golden: copy its playbook's tables to {golden.relative_to(ROOT)}"


def test_every_golden_belongs_to_a_preset() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} <= set(resources.preset_names())


@each_preset
def test_what_it_says_of_itself_is_complete_and_fits_a_line(name: str) -> None:
    """`init` lists it on one line of 80 columns; no column of its table and no label stands twice."""
    about = resources.preset(name)
    assert about.summary
    assert len(f"  {name:<11} {about.summary}") <= 80
    assert len(set(about.columns)) == len(about.columns) > 1
    assert about.columns[0] == "Level"
    assert len(set(about.labels)) == len(about.labels) > 1


@each_preset
def test_labels_targets_and_ladder_fit_its_scheme(name: str) -> None:
    """Ranks run from 1 on, targets name its levels, and the tiers of the ladder rise to an end."""
    policy = load_policy(f"extends: {name}\n").policy
    assert policy is not None
    assert policy.scheme.id == name
    assert policy.documents.layout == name
    assert tuple(policy.labels + policy.major_labels) == resources.preset(name).labels
    for scale in (policy.levels, policy.scheme.major):
        assert [level.rank for level in scale] == list(range(1, len(scale) + 1))
    assert {one.id for one in policy.targets.resolution} <= set(resources.preset(name).labels)
    for level in (*policy.levels, *policy.scheme.major):
        assert policy.calendar(level.calendar) is not None, level.id
    tiers = policy.escalation.tiers
    assert [tier.tier for tier in tiers] == list(range(1, len(tiers) + 1))
    ends = {level.id: tiers[-1].wait_at(level.id) is not None for level in policy.levels}
    assert ends == {level.id: level.rank <= PAGED_RANKS for level in policy.levels}
    assert tiers[-1].notify == ["manager"]


@each_preset
def test_init_writes_a_repository_that_validates_clean(name: str, tmp_path: Path) -> None:
    folder = started(name, tmp_path / "ops")
    assert works("validate", at=folder).out.endswith("all fine\n")
    works("policy", "lint", at=folder)


@each_preset
def test_policy_show_prints_its_tables(name: str, tmp_path: Path) -> None:
    """The same for the preset and for a policy that extends it; each row has as many cells as the table has columns."""
    folder = started(name, tmp_path / "ops")
    shown = works("policy", "show", "--preset", name, at=folder).out
    assert shown == works("policy", "show", at=folder).out
    first = shown.split("\n\n")[1].splitlines()
    assert {line.count(" | ") for line in first} == {len(resources.preset(name).columns) - 1}
    resolved = works("policy", "show", "--resolved", at=folder).out
    assert f"\n{resources.ABOUT_PRESET}:" not in f"\n{resolved}"


@each_preset
def test_an_incident_of_every_level_goes_through_the_loop(name: str, tmp_path: Path) -> None:
    """Declared, planned, shown and long overdue: no level has a clock, a list or a rung that a command cannot read."""
    folder, about = started(name, tmp_path / "ops"), resources.preset(name)
    policy = load_policy(f"extends: {name}\n").policy
    assert policy is not None
    for label in policy.labels:
        works("declare", f"Down at {label}", "-s", "api", f"--{about.drives_clocks}", label, at=folder)
    works("validate", at=folder)
    records = sorted(path.name for path in (folder / "incidents").iterdir() if path.is_dir())
    assert len(records) == len(policy.labels)
    for clock in (DECLARED, LONG_AFTER):
        works("plan", at=folder, clock=clock)
        works("sla", "check", "--all", at=folder, clock=clock)
        for record in records:
            works("show", record, at=folder, clock=clock)


@each_preset
def test_its_scene_of_the_demo_is_there(name: str) -> None:
    """A preset without a scene has none; one that has it names an example of its own, and what can be opened there."""
    scene = resources.preset(name).demo
    example = ROOT / "examples" / name
    assert bool(scene) == example.is_dir()
    if scene:
        assert set(scene) == {"story", "clock", "service", "incident", "document"}
        assert f"extends: {name}" in (example / "policy.yaml").read_text(encoding="utf-8")
        assert (example / "incidents" / scene["incident"] / "incident.yaml").is_file()
        assert scene["document"] in DOCUMENT_NAMES
