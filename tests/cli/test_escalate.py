"""`escalate` and `escalations review` on real files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.scene import Folder, call, contents

pytestmark = pytest.mark.usefixtures("somebody")

POLICY = 'extends: itil-p1-p4\ncontacts:\n  roles: {tier_2_lead: ["@lead"]}\n  tiers: {tier-2: ["@lead"]}\n'


@pytest.fixture
def ladder(tmp_path: Path) -> Folder:
    """One open P2 in a repository with a ladder."""
    made = Folder(tmp_path / "records", policy=POLICY)
    made.put(severity="", priority="P2")
    return made


def test_escalate_and_review(ladder: Folder) -> None:
    """Both edits leave a record that validates; what was merged may only get its judgement."""
    done = call("escalate", "--reason", "needs a DBA", at=ladder.path, clock="2025-01-26T12:06:00Z")
    assert done.code == 0, done
    assert "escalated to tier 2 (Tier 2); to be notified: @lead" in done.out
    assert call("validate", at=ladder.path).code == 0
    ladder.commit()
    done = call("escalations", "review", "INC-1", "--appropriate", "no", at=ladder.path)
    assert done.code == 0, done
    text = (ladder.path / "incidents/INC-1/incident.yaml").read_text(encoding="utf-8")
    assert "appropriate: false" in text
    assert call("validate", "--base", "HEAD", at=ladder.path).code == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("escalate", "--reason", "x", "--to", "tier-9"), ("unknown tier 'tier-9'",)),
        (("escalate", "INC-9", "--reason", "x"), ("INC-9",)),
        (("escalations", "review", "INC-1", "--appropriate", "yes"), ("no escalations",)),
        (("escalate", "--reason", " "), ("--reason is empty",)),
    ],
)
def test_bad_input_is_told_and_changes_nothing(ladder: Folder, args: tuple[str, ...], words: tuple[str, ...]) -> None:
    """One line, exit 2."""
    before = contents(ladder.path)
    call(*args, at=ladder.path).told_once(2, *words)
    assert contents(ladder.path) == before


@pytest.mark.parametrize("args", [("escalate",), ("escalations",), ("escalations", "review")])
def test_help_has_examples(args: tuple[str, ...], tmp_path: Path) -> None:
    """Every command shows how it is used."""
    assert "Examples:" in call(*args, "--help", at=tmp_path).out
