"""The ladder as docs/sla.md shows it, typed into a policy of each preset."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.scene import Folder, call

DOCS = Path(__file__).resolve().parents[2] / "docs/sla.md"
PRESETS = {"sev0-3": "SEV0", "sev1-3": "SEV-1", "p0-p3": "P0"}


def sample() -> str:
    found = [part for part in DOCS.read_text().split("```yaml\n") if part.startswith("contacts:\n")]
    return next(part for part in found if "escalation:" in part).partition("```")[0]


@pytest.mark.parametrize("preset", PRESETS)
def test_the_people_of_the_docs_can_be_reached(preset: str, tmp_path: Path) -> None:
    """A phone is a channel of every preset: nobody has to repeat the list of channels to ring one."""
    text = sample().replace("SEV0", PRESETS[preset])
    folder = Folder(tmp_path / preset, policy=f"extends: {preset}\n{text}")
    folder.write("services.yaml", 'services: {app: {owner: "@ann", pager_key_env: APP_PAGER}}\n')
    done = call("policy", "lint", at=folder.path)
    assert "notify.channels" not in done.out, done.out
    assert done.code == 0, done.out
