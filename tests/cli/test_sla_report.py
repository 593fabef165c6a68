"""sla report and sla backtest: options, exit codes, what is read, and never a clean sheet for what was not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.scene import CLOSED, Folder, call

LATE = {
    **CLOSED,
    "times": "{declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:06:00Z, restored: 2025-01-26T15:00:00Z, "
    "resolved: 2025-01-26T15:05:00Z, closed: 2025-01-26T16:00:00Z}",
}
NEXT_DAY = "2025-01-27T12:00:00Z"
OTHER = "extends: sev0-3\nlevels:\n- {id: SEV1, resolution: 10m, escalate_at: 5m}\n"


def report(folder: Folder, *args: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call("sla", "report", "--format", "json", *args, at=folder.path).out)
    return found


def resolutions(data: dict[str, Any]) -> dict[str, Any]:
    return next((one for one in data["total"] if one["clock"] == "resolution"), {})


def test_the_keys_of_the_report(folder: Folder) -> None:
    folder.put("INC-1", **CLOSED)
    data = report(folder)
    assert list(data) == [
        "schema", "at", "since", "until", "by", "incidents", "total", "groups", "goals", "noticing", "late",
    ]  # fmt: skip
    assert list(data["total"][0]) == [
        "clock", "n", "met", "missed", "unfinished", "percent", "seconds", "slots", "excluded",
    ]  # fmt: skip
    assert (data["by"], data["incidents"]) == ("level", 1)
    assert [group["name"] for group in data["groups"]] == ["SEV1"]


def test_since_and_until_choose_by_the_declaration(folder: Folder) -> None:
    """The day of --since is in, that of --until is not; an instant may be given in place of a day."""
    folder.put("INC-1", **CLOSED)
    folder.commit()
    for args, incidents in (
        (("--since", "2025-01-26"), 1),
        (("--since", "2025-01-27"), 0),
        (("--until", "2025-01-26"), 0),
        (("--until", "2025-01-27"), 1),
        (("--since", "2025-01-26T12:05:00Z"), 1),
        (("--since", "2025-01-26T12:05:01Z"), 0),
    ):
        assert report(folder, *args)["incidents"] == incidents, args


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--since", "someday"), ("--since", "someday")),
        (("--since", "2025-02-01", "--until", "2025-01-01"), ("--until is not after --since",)),
    ],
)
def test_a_period_that_is_none_is_refused(folder: Folder, args: tuple[str, ...], words: tuple[str, ...]) -> None:
    call("sla", "report", *args, at=folder.path).told_once(2, *words)


@pytest.mark.parametrize(
    ("args", "since", "until"),
    [
        (("--last", "30d"), "2024-12-27T14:00:00Z", None),
        (("--last", "2w"), "2025-01-12T14:00:00Z", None),
        (("--month", "2025-01"), "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"),
        (("--month", "2024-12"), "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"),
        (("--last-month",), "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"),
        (("--since", "yesterday"), "2025-01-25T00:00:00Z", None),
    ],
)
def test_a_period_by_the_words_people_use(folder: Folder, args: tuple[str, ...], since: str, until: str | None) -> None:
    made = report(folder, *args)
    assert (made["since"], made["until"]) == (since, until)


@pytest.mark.parametrize(
    "args",
    [("--last", "friday"), ("--month", "october"), ("--month", "2025-13"), ("--last", "30d", "--since", "2025-01-01"),
     ("--month", "2025-01", "--last-month")],
)  # fmt: skip
def test_a_period_that_says_two_things_or_nothing_is_refused(folder: Folder, args: tuple[str, ...]) -> None:
    call("sla", "report", *args, at=folder.path).told_once(2, args[0])


def test_a_report_ends_with_0_and_with_1_only_where_it_is_asked(folder: Folder) -> None:
    folder.put("INC-1", **LATE)
    assert call("sla", "report", at=folder.path, clock=NEXT_DAY).code == 0
    assert call("sla", "report", "--fail-on", "missed", at=folder.path, clock=NEXT_DAY).code == 1
    folder.put("INC-1", **CLOSED)
    clean = call("sla", "report", "--until", "2025-01-26", "--fail-on", "missed", at=folder.path)
    assert clean.code == 0


def test_fail_on_goal_needs_a_goal(folder: Folder) -> None:
    """Without one it could never fail, and would look like a check."""
    folder.write("policy.yaml", "extends: sev1-3\n")
    folder.put("INC-1", **LATE)
    call("sla", "report", "--fail-on", "goal", at=folder.path).told_once(2, "sets no goal", "sla_compliance_pct")
    folder.write("policy.yaml", "extends: sev0-3\ntargets: {sla_compliance_pct: 95}\n")
    assert call("sla", "report", "--fail-on", "goal", at=folder.path, clock=NEXT_DAY).code == 1
    folder.write("policy.yaml", "extends: sev0-3\ntargets: {sla_compliance_pct: 20}\n")
    assert call("sla", "report", "--fail-on", "goal", at=folder.path, clock=NEXT_DAY).code == 0


@pytest.mark.parametrize("command", [("report",), ("backtest", "--policy", "other.yaml")], ids=lambda one: one[0])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_record_that_cannot_be_read_is_listed_and_ends_with_3(
    folder: Folder, command: tuple[str, ...], form: str
) -> None:
    """Also where --fail-on finds nothing to complain of."""
    folder.write("other.yaml", OTHER)
    folder.put("INC-1", **CLOSED)
    folder.put("INC-2", "id: [\n")
    done = call("sla", *command, "--format", form, at=folder.path)
    assert done.code == 3
    assert "incidents/INC-2/incident.yaml" in done.out


def test_a_name_of_a_file_cannot_steer_the_terminal(folder: Folder) -> None:
    folder.put("INC-1", **CLOSED)
    folder.put("INC-\x1b[31m2", "id: [\n")
    for form in ("text", "markdown"):
        assert "\x1b" not in call("sla", "report", "--format", form, at=folder.path).out


@pytest.mark.parametrize("git", [True, False])
def test_without_a_record_a_note(make: Callable[..., Folder], git: bool) -> None:
    folder = make("empty", git=git)
    folder.write("other.yaml", OTHER)
    for command in (("report",), ("backtest", "--policy", "other.yaml")):
        done = call("sla", *command, at=folder.path)
        assert done.code == 0
        assert "No incident records yet" in done.err


def test_what_is_kept_between_runs_changes_no_answer(folder: Folder) -> None:
    """Settled records come from what an earlier run kept; a changed record is read anew."""
    folder.put("INC-1", **CLOSED, postmortem="{status: final}")
    folder.commit()
    first = report(folder)
    assert (folder.path / ".git/incident-ops/settled").exists()
    assert report(folder) == first
    folder.put("INC-1", **LATE)
    assert resolutions(report(folder))["missed"] == 0  # resolved after --at: it still runs, in time
    folder.commit()
    late = call("sla", "report", "--format", "json", at=folder.path, clock=NEXT_DAY)
    assert resolutions(json.loads(late.out))["missed"] == 1


def test_the_backtest_says_what_would_differ(folder: Folder) -> None:
    folder.write("other.yaml", OTHER)
    folder.put("INC-1", **CLOSED)
    done = call("sla", "backtest", "--policy", "other.yaml", "--format", "json", at=folder.path, clock=NEXT_DAY)
    assert done.code == 0
    data = json.loads(done.out)
    assert list(data) == [
        "schema", "at", "since", "incidents", "replayed", "left_out", "breaches", "escalations", "pages", "recorded",
        "differences",
    ]  # fmt: skip
    assert {"clock": "resolution", "level": "SEV1", "before": 0, "after": 1, "no_more": 0, "new": 1} in data["breaches"]
    assert [one["rule"] for one in data["escalations"]] == ["time"]
    shown = call("sla", "backtest", "--policy", "other.yaml", at=folder.path, clock=NEXT_DAY).out
    assert "+ breach    INC-1     resolution" in shown
    none = call("sla", "backtest", "--policy", "other.yaml", "--since", "2025-01-27", at=folder.path, clock=NEXT_DAY)
    assert none.out.startswith("The change affects 0 of 0 incidents declared since 2025-01-27 00:00 UTC")


def test_the_policy_in_force_differs_in_nothing(folder: Folder) -> None:
    folder.put("INC-1", **LATE)
    done = call("sla", "backtest", "--policy", "policy.yaml", at=folder.path, clock=NEXT_DAY)
    assert "The change affects 0 of 1 incident" in done.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ("it cannot be read",)),
        (b"\xff\xfe", ("UTF-8",)),
        ("extends: nothing\n", ("there is no preset",)),
        ("extends: sev0-3\nlevels:\n- {id: SEV1, resolution: soon}\n", ("other.yaml",)),
    ],
)
def test_another_policy_that_cannot_be_used_is_told_once(
    folder: Folder, text: str | bytes | None, words: tuple[str, ...]
) -> None:
    if text is not None:
        folder.write("other.yaml", text)
    folder.put("INC-1", **CLOSED)
    call("sla", "backtest", "--policy", "other.yaml", at=folder.path).told_once(2, "other.yaml", *words)


def test_comments_of_people_come_from_observed(folder: Folder) -> None:
    """A keyword in a comment escalates under a policy that knows it."""
    folder.write("other.yaml", "extends: sev0-3\nescalation: {keywords: [urgent]}\n")
    folder.put("INC-1", links="{tracking_issue: 7}", **LATE)
    comment = {"issue": 7, "by": "user", "at": "2025-01-26T13:00:00Z", "body": "this is URGENT"}
    seen = {"source": "local", "repository": "", "issues": [], "comments": [comment]}
    folder.write("seen.json", json.dumps({"schema": 1, **seen}))
    args = ("sla", "backtest", "--policy", "other.yaml", "--format", "json")
    with_it = call(*args, "--observed", "seen.json", at=folder.path, clock=NEXT_DAY)
    assert "keyword" in [one["rule"] for one in json.loads(with_it.out)["escalations"]]
    assert json.loads(call(*args, at=folder.path, clock=NEXT_DAY).out)["escalations"] == []
    call(*args, "--observed", "other.yaml", at=folder.path, clock=NEXT_DAY).told_once(2, "other.yaml")
