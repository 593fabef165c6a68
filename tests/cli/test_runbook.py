"""`runbook list`, `show`, `lint` and `new`: what a person reads at a terminal, and what scripts get."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import Folder, as_json, call, ok

pytestmark = pytest.mark.usefixtures("somebody")

P0 = "extends: p0-p3\n"
SHORT = "# The web fails\n\n1. Look\n\n   ```sh\n   uptime\n   ```\n\n2. Think\n"


@pytest.fixture
def written(folder: Folder) -> Folder:
    """A repository in which one of two services has a runbook."""
    ok(folder, "runbook", "new", "api", "--from", "rollback")
    folder.commit()
    return folder


def test_a_missing_runbook_is_an_error_that_lists_those_that_exist(written: Folder) -> None:
    written.write("runbooks/web-database.md", SHORT)
    for command in (("show", "web"), ("lint", "web"), ("run", "web"), ("run", "web", "--execute")):
        done = call("runbook", *command, at=written.path, clock=None)
        done.told_once(1, "web has no runbook: runbooks/web.md is not there", "runbook new web --from rollback")
        assert done.err.splitlines()[1:] == ["Runbooks that exist:", "  runbooks/api.md", "  runbooks/web-database.md"]
    call("runbook", "show", "wob", at=written.path).told_once(1, "wob is neither a service nor a runbook", "web")


def test_the_policy_says_where_a_runbook_lies_and_a_service_may_say_otherwise(folder: Folder) -> None:
    folder.write("policy.yaml", P0)
    folder.write("services.yaml", 'services:\n  api: {owner: "@team", runbook: docs/api.md}\n  web: {owner: "@team"}\n')
    folder.write("docs/api.md", SHORT)
    ok(folder, "runbook", "new", "web", "--from", "capacity")
    assert (folder.path / "monitoring/runbooks/web.md").is_file()
    rows = as_json(folder, "runbook", "list")["runbooks"]
    assert [(one["service"], one["path"], one["steps"]) for one in rows] == [
        ("api", "docs/api.md", 2),
        ("web", "monitoring/runbooks/web.md", 12),
    ]


def test_a_runbook_at_an_address_is_named_and_not_read(folder: Folder) -> None:
    folder.write("services.yaml", 'services:\n  api: {owner: "@team", runbook: "https://example.org/api"}\n')
    call("runbook", "show", "api", at=folder.path).told_once(1, "not in this repository: https://example.org/api")
    assert "https://example.org/api" in ok(folder, "runbook", "list").out


@pytest.mark.parametrize("width", [80, 140])
def test_the_steps_are_shown_in_order_and_fit_the_terminal(written: Folder, width: int) -> None:
    """Then the mark of the end, and what comes next. A command is whole, so that it can be copied."""
    out = call("runbook", "show", "api", at=written.path, columns=width).out
    assert max(map(len, out.splitlines())) <= width
    titles = ("Service health", "Recent deployments", "Error logs", "Metrics", "Find the last version that worked")
    places = [out.index(f"{number:>2}. {title}") for number, title in enumerate(titles, 1)]
    assert places == sorted(places)
    assert "git log --oneline -10\n" in out
    assert out.endswith("\nEnd of the runbook.\nReview what you found, and decide how to mitigate.\n")


def test_a_path_is_as_good_as_a_service_wherever_it_is_typed(written: Folder) -> None:
    """Relative to the current folder, or to that of the records; never outside of it."""
    by_service = ok(written, "runbook", "show", "api").out
    assert ok(written, "runbook", "show", "runbooks/api.md").out == by_service
    for place, path in ((written.path / "runbooks", "api.md"), (written.path / "runbooks", "runbooks/api.md")):
        assert call("runbook", "show", path, at=place).out == by_service
    call("runbook", "show", "../other.md", at=written.path).told_once(2, "outside the records' folder")


def test_other_markdown_is_not_a_runbook(written: Folder) -> None:
    """A document beside a record has words of anybody, and nobody reviews it for its commands."""
    written.write("incidents/INC-1/postmortem.md", SHORT)
    for words in (("show",), ("run",), ("run", "--execute")):
        done = call("runbook", words[0], "incidents/INC-1/postmortem.md", *words[1:], at=written.path, clock=None)
        done.told_once(1, "is neither a service nor a runbook")
    done = call("runbook", "new", "web", "--from", "database", "--output", "docs/web.md", at=written.path)
    done.told_once(2, "docs/web.md: runbooks lie in runbooks")


def test_text_of_a_runbook_steers_no_terminal(folder: Folder) -> None:
    folder.write("runbooks/api.md", "# \x1b[31mT\n\n- Look \x1b]0;x\x07\n\n  ```sh\n  echo \x1b[2J\n  ```\n")
    for command in ("show", "run"):
        done = call("runbook", command, "api", at=folder.path, columns=80)
        assert "\x1b" not in done.out
        assert "\x07" not in done.out


def test_lint_ends_with_1_for_an_error_and_with_0_for_a_review_that_is_late(written: Folder) -> None:
    late = call("runbook", "lint", at=written.path, clock="2026-01-26T14:00:00Z")
    assert late.code == 0
    assert "runbooks/api.md:1:1: warning: its review was due on" in late.out
    assert late.out.endswith("1 file checked: 1 warning\n")
    assert ok(written, "runbook", "lint").out == "1 file checked: all fine\n"
    written.write("runbooks/web.md", "Only words.\n")
    done = call("runbook", "lint", at=written.path)
    assert done.code == 1
    assert "runbooks/web.md:1:1: error: there is no step in it [runbook-file]" in done.out
    assert json.loads(call("runbook", "lint", "api", "--format", "json", at=written.path).out)["findings"] == []


def test_a_first_runbook_is_never_written_over_and_a_second_one_has_its_own_place(written: Folder) -> None:
    before = (written.path / "runbooks/api.md").read_bytes()
    done = call("runbook", "new", "api", "--from", "database", at=written.path)
    done.told_once(2, "runbooks/api.md: is there already", "--output runbooks/api-database.md")
    assert (written.path / "runbooks/api.md").read_bytes() == before
    ok(written, "runbook", "new", "api", "--from", "database", "--output", "runbooks/api-database.md")
    assert [one["path"] for one in as_json(written, "runbook", "list")["runbooks"]] == [
        "runbooks/api.md",
        "runbooks/web.md",
        "runbooks/api-database.md",
    ]
    call("runbook", "new", "nobody", "--from", "database", at=written.path).told_once(2, "not in services.yaml")


def test_an_older_revision_has_its_own_runbooks(written: Folder) -> None:
    written.write("runbooks/api.md", SHORT)
    written.write("runbooks/web.md", SHORT)
    assert "api: roll back" in ok(written, "--rev", "HEAD", "runbook", "show", "api").out
    rows = as_json(written, "--rev", "HEAD", "runbook", "list")["runbooks"]
    assert [one["steps"] for one in rows] == [10, None]
