"""Levels as people choose them: declare and triage, at a terminal and by options."""

from __future__ import annotations

import json
import shlex
from unittest import mock

import click
import pytest

from incident_ops.cli.triage_options import YES_NO, _one_of
from incident_ops.domain.triage import FEATURES
from tests.cli.scene import Done, Folder, call, ok

pytestmark = pytest.mark.usefixtures("somebody")

ID = "INC-20250126-120500"


def under(folder: Folder, preset: str) -> Folder:
    (folder.path / "policy.yaml").write_text(f"extends: {preset}\n", encoding="utf-8")
    return folder


def act(folder: Folder, *args: str, clock: str = "12:05:00") -> Done:
    return ok(folder, *args, clock=f"2025-01-26T{clock}Z")


def asked(folder: Folder, answers: list[object], *args: str) -> tuple[Done, list[str]]:
    """A command at a terminal, and the questions that were asked."""
    with (
        mock.patch("incident_ops.cli.declare.at_terminal", return_value=True),
        mock.patch("click.prompt", side_effect=answers) as prompt,
    ):
        done = act(folder, *args)
    return done, [one.args[0] for one in prompt.call_args_list]


def notified(folder: Folder) -> dict[str, str]:
    """Who is notified of a declaration, by which channels, as `plan` says."""
    done = act(folder, "plan", "--format", "json", clock="12:06:00")
    found: dict[str, str] = {}
    for one in json.loads(done.out)["changes"]:
        if one["action"] == "notify":
            fields = one["fields"]
            found |= dict.fromkeys(fields["channels"], fields["recipient"])
    return found


def test_one_person_without_vpn_is_a_ticket_and_nobody_is_paged(folder: Folder) -> None:
    """R66: a SEV is for major incidents."""
    words = ("declare", "VPN drops", "-s", "api", "--feature", "secondary", "--users", "1")
    done = act(under(folder, "itil-p1-p4"), *words)
    assert done.out.startswith(f"{ID}: ticket opened, P3: VPN drops\n")
    assert "severity" not in folder.data(ID)
    assert not {"pager", "sms"} & {*notified(folder)}


def test_a_p1_is_paged_without_a_severity(folder: Folder) -> None:
    act(under(folder, "itil-p1-p4"), "declare", "Server down", "-s", "api", "--priority", "P1")
    assert "pager" in notified(folder)


def test_a_priority_that_meets_a_severity_is_declared_with_it(folder: Folder) -> None:
    """R20."""
    words = ("declare", "Server down", "-s", "api", "--priority", "P1", "--users", "all", "--feature", "core")
    done = act(under(folder, "itil-p1-p4"), *words)
    assert done.out.startswith(f"{ID}: declared, P1 SEV-1: Server down\n")
    assert "a major incident: the answers meet SEV-1 (rule 2: all users and core feature" in done.err
    assert folder.data(ID)["severity"] == "SEV-1"


def test_the_lowest_priority_beside_the_highest_severity_is_found(folder: Folder) -> None:
    words = ("declare", "Odd", "-s", "api", "--priority", "P4", "--severity", "SEV-1")
    done = act(under(folder, "itil-p1-p4"), *words)
    assert "P4 beside SEV-1: the triage rules give SEV-1 the priority P1" in done.err
    assert "P4 beside SEV-1: the triage rules give SEV-1 a P1 [major-priority]" in act(folder, "validate").out


@pytest.mark.parametrize(
    ("preset", "questions"),
    [
        ("sev0-3", ["Share", "What is", "What may", "Is revenue", "Is our", "Is it still", "Level"]),
        ("p0-p3", ["Share", "What is", "What may", "Service", "Is a serv", "Is revenue", "Is our", "Is it", "Level"]),
    ],
)
def test_at_a_terminal_every_question_that_can_decide_is_asked(
    folder: Folder, preset: str, questions: list[str]
) -> None:
    """R11; and the levels are shown before the person settles on one."""
    answers: list[object] = ["" for _ in questions]
    answers[0] = ">50"
    answers[-1] = "P1" if preset == "p0-p3" else "SEV1"
    done, were = asked(under(folder, preset), answers, "declare", "Payments are down", "-s", "api")
    assert len(were) == len(questions)
    assert all(one.startswith(begin) for one, begin in zip(were, questions, strict=True)), were
    assert "for example: " in done.err
    assert "assumed: " in done.out
    assert folder.data(ID)["triage"] == {"users_percent": ">50"}


def test_lost_revenue_is_asked_for_and_decides(folder: Folder) -> None:
    """Payments are an example of P0."""
    answers: list[object] = [30, "secondary", "none", "ok", "no", "yes", "no", "yes", "P0"]
    done, _ = asked(under(folder, "p0-p3"), answers, "declare", "Payments are down", "-s", "api")
    assert "declared, P0: Payments are down\n  rule 2: core or secondary feature and revenue lost -> P0" in done.out
    assert folder.data(ID)["triage"] == {
        "users_percent": 30,
        "feature": "secondary",
        "data_risk": "none",
        "slo": "ok",
        "sla": "ok",
        "revenue": True,
        "reputation": False,
        "ongoing": True,
    }


@pytest.mark.parametrize(
    ("words", "typed", "read"),
    [(FEATURES, "s", "secondary"), (FEATURES, "Core ", "core"), (YES_NO, "y", "yes"), (YES_NO, "", "")],
)
def test_the_beginning_of_an_answer_is_enough(words: tuple[str, ...], typed: str, read: str) -> None:
    assert _one_of(words)(typed) == read


@pytest.mark.parametrize("typed", ["c", "sore", "cores"])
def test_what_fits_no_answer_or_two_is_asked_again(typed: str) -> None:
    with pytest.raises(click.BadParameter, match="is not one of core, secondary, cosmetic"):
        _one_of(FEATURES)(typed)


def test_whoever_knows_better_chooses_another_level(folder: Folder) -> None:
    answers: list[object] = [30, "core", "none", "no", "no", "yes", "SEV0"]
    done, _ = asked(folder, answers, "declare", "Login fails", "-s", "api")
    assert done.out.startswith(f"{ID}: declared, SEV0: Login fails")
    assert "the triage rules would give SEV1 (rule 5: core feature" in done.err


def test_open_questions_are_printed_with_the_level_they_lead_to(folder: Folder) -> None:
    done = act(under(folder, "p0-p3"), "declare", "Search is slow", "-s", "api", "--users", "30")
    assert (
        "  assumed: the feature is not known, so the worst level that fits counts (P0\n"
        "    only where the answers say so)\n"
        "  open question: data loss, corruption or breach -> P0\n"
        "  open question: SLA violation imminent -> P0\n"
    ) in done.out


def test_levels_are_explained(folder: Folder) -> None:
    shown = act(folder, "triage", "--levels").out
    assert [line.partition(":")[0] for line in shown.splitlines() if line.startswith("SEV")] == [
        *("SEV0", "SEV1", "SEV2", "SEV3")
    ]
    assert "for example: " in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_record_is_triaged_again(folder: Folder) -> None:
    """R21, R25: the answers, the level with the rule that gave it, the category, and the move."""
    folder.put(ID, state="new", severity="SEV2", id=ID)
    done = act(folder, "triage", "120500", "--users", ">50%", "--feature", "core", "--category", "database")
    assert "severity raised from SEV2 to SEV1" in done.out
    assert "triaged (new -> triaged)" in done.out
    record = folder.data(ID)
    assert record["triage"] == {"users_percent": ">50", "feature": "core", "category": "database"}
    changes = {one["field"]: one for one in record["changes"]}
    assert changes["severity"]["reason"] == "rule 4: more than 50 % of users -> SEV1 (rule table)"
    assert (changes["state"]["from"], changes["state"]["to"]) == ("new", "triaged")
    assert act(folder, "validate").out == "3 files checked: all fine\n"
    assert "nothing changed" in act(folder, "triage", "120500", "--feature", "core").out


def test_a_level_is_lowered_only_with_a_reason(folder: Folder) -> None:
    folder.put(ID, state="new", severity="SEV0", id=ID)
    kept = act(folder, "triage", "120500", "--users", "<10", "--feature", "secondary")
    assert "severity stays SEV0; the answers give SEV2 (rule 6" in kept.err
    assert folder.data(ID)["severity"] == "SEV0"
    act(folder, "triage", "120500", "--reason", "one region only")
    assert folder.data(ID)["severity"] == "SEV2"
    assert [one["reason"] for one in folder.data(ID)["changes"] if one["field"] == "severity"] == ["one region only"]


def test_a_category_alone_decides_no_level(folder: Folder) -> None:
    folder.put(ID, state="new", severity="SEV3", id=ID)
    act(folder, "triage", "120500", "--category", "network")
    assert (folder.data(ID)["severity"], folder.data(ID)["triage"]) == ("SEV3", {"category": "network"})


def test_an_answer_that_is_none_is_refused(folder: Folder) -> None:
    call("triage", "--users", "many", at=folder.path).told_once(2, "'many'", "all, >50, <10")
    call("triage", "--users", " ", at=folder.path).told_once(2, "empty")
    call("triage", "--reason", "x", at=folder.path).told_once(2, "--reason goes with an incident")
    folder.put(ID, id=ID)
    call("triage", "120500", at=folder.path).told_once(2, "no triage answers", "--users 60")


def test_closed_without_verification_is_found_in_every_check(folder: Folder) -> None:
    """R88."""
    act(folder, "declare", "Login fails", "-s", "api", "--severity", "SEV1")
    act(folder, "resolve", "--restored", "now", "--cause", "deploy", clock="12:20:00")
    act(folder, "close", clock="13:00:00")
    found = act(folder, "validate", clock="13:01:00").out
    assert "times.verified is missing: SEV1 asks to verify first [verified]" in found
    assert f"incident-ops close {ID} --verified; if it was earlier: --at WHEN" in found
    act(folder, "timeline", "Looked again", ID, "--mark", "verified", clock="13:02:00")
    assert "[verified]" not in act(folder, "validate", clock="13:03:00").out


def test_what_is_over_asks_since_when(folder: Folder) -> None:
    done = act(folder, "declare", "Login failed", "-s", "api", "--severity", "SEV2", "--over")
    assert "it is over: when was service back?" in done.err
    assert "triage says it is over, but not when service was back [contradiction]" in act(folder, "validate").out


def test_answers_that_are_not_recorded_say_so_and_what_records_them(folder: Folder) -> None:
    """Where an incident is worked on; the command that is printed records them."""
    words = ("triage", "--users", ">50", "--feature", "core", "--no-revenue", "--ongoing")
    assert "recorded" not in act(folder, *words).out
    folder.put("INC-1", severity="SEV2")
    done = act(folder, *words)
    typed = "incident-ops triage INC-1 --users '>50' --feature core --no-revenue --ongoing"
    assert f"nothing was recorded; INC-1 is open; to record it: {typed}" in " ".join(done.out.split())
    assert "triage" not in folder.data("INC-1")
    act(folder, *shlex.split(typed)[1:])
    assert folder.data("INC-1")["triage"] == {
        "users_percent": ">50",
        "feature": "core",
        "revenue": False,
        "ongoing": True,
    }
    folder.put("INC-2")
    said = " ".join(act(folder, "triage", "--users", "60").out.split())
    assert "nothing was recorded; 2 incidents are open; to record it: incident-ops triage INC --users 60" in said
    assert "recorded" not in act(folder, "triage", "--users", "60", "--format", "json").out
