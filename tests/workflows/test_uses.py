"""Every `uses:` of every workflow and action with what it is given: no input changes without a line here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.golden import assert_golden
from tests.workflows.act import HONOURED
from tests.workflows.running import ROOT

FILES = sorted(
    [
        *ROOT.glob(".github/workflows/*.y*ml"),
        *ROOT.glob("actions/*/action.yml"),
        *ROOT.glob("examples/*/.github/workflows/*.y*ml"),
    ]
)
SIGNING = "actions/attest-build-provenance@"
"""What signs a release, which nothing here can stand in for."""
Use = tuple[str, str, dict[str, Any]]


def uses(file: Path) -> list[Use]:
    """(where, what is used, with what) in the order of the file; of a called workflow its secrets as well."""
    document = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)
    jobs = document.get("jobs") or {"": {"steps": document["runs"]["steps"]}}
    found = []
    for name, job in jobs.items():
        if "uses" in job:
            found.append((name, job["uses"], {key: job[key] for key in ("with", "secrets") if key in job}))
        for number, step in enumerate(job.get("steps", []), 1):
            if "uses" in step:
                where = f"{name}: {step.get('name', f'step {number}')}".removeprefix(": ")
                found.append((where, step["uses"], step.get("with", {})))
    return found


ALL = [(file, *use) for file in FILES for use in uses(file)]
GITHUBS = [(file, where, name.partition("@")[0].partition("/")[2], given) for file, where, name, given in ALL
           if name.startswith("actions/") and not name.startswith(SIGNING)]  # fmt: skip
OWN = [(file, name.partition("@")[0].rpartition("/")[2], given) for file, _, name, given in ALL
       if "incident-ops/incident-ops/actions/" in name or name.startswith("$/actions/")]  # fmt: skip


def test_every_use_is_the_one_that_was_approved() -> None:
    lines = []
    for file in FILES:
        lines.append(str(file.relative_to(ROOT)))
        for where, name, given in uses(file):
            lines += [f"  {where}", f"    {name}", *(f"      {key}: {value}" for key, value in given.items())]
    assert_golden(Path(__file__).parent / "golden/uses.txt", "\n".join([*lines, ""]))


@pytest.mark.parametrize(("file", "where", "name", "given"), GITHUBS)
def test_what_github_s_actions_are_given_is_honoured_where_workflows_run_whole(
    file: Path, where: str, name: str, given: dict[str, str]
) -> None:
    """So that an input never only looks as if it had been tried."""
    assert set(given) <= set(HONOURED[name]), (file, where)


def test_no_checkout_leaves_its_token_behind() -> None:
    checkouts = [(file, where, given) for file, where, name, given in GITHUBS if name == "checkout"]
    assert checkouts
    assert [one for one in checkouts if one[2].get("persist-credentials") != "false"] == []


@pytest.mark.parametrize(("file", "name", "given"), OWN)
def test_our_own_actions_are_given_what_they_declare(file: Path, name: str, given: dict[str, str]) -> None:
    """Every input by its name, and the required ones."""
    declared = yaml.safe_load((ROOT / "actions" / name / "action.yml").read_text(encoding="utf-8"))["inputs"]
    assert set(given) <= set(declared), file
    assert {one for one, told in declared.items() if told.get("required")} <= set(given), file
