"""The rules of structure: whys that end in people, causes that are triggers, items nobody could call done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_ops.postmortem_lint.actions import ItemText, is_vague, names_day, names_nobody, only_teaches
from incident_ops.postmortem_lint.structure import is_placeholder, structure_remarks, trigger_only

KNOWN = yaml.safe_load((Path(__file__).parent / "structure.yaml").read_text(encoding="utf-8"))


def rules_of(data: Mapping[str, Any], *, has_due: bool = True) -> set[str]:
    """The rules that find something in the data of a record."""
    return {remark.rule for remark in structure_remarks(data, lambda _index, _item: has_due)}


def of_last_why(answer: str) -> set[str]:
    """The same, of a chain of whys with this last answer."""
    whys = [{"why": "Why?", "because": "The engineer ran it."}, {"why": "Why?", "because": answer}]
    return rules_of({"cause": {"why": "The pool has one worker for each host", "five_whys": whys}})


def titled(title: str, **more: str) -> ItemText:
    """An action item with this title."""
    return ItemText.of({"title": title, **more})


@pytest.mark.parametrize("answer", KNOWN["whys_end_in_people"])
def test_a_chain_of_whys_that_ends_in_people_is_found(answer: str) -> None:
    """A person, a group, or a trait of theirs."""
    assert of_last_why(answer) == {"whys-end-in-person"}


@pytest.mark.parametrize("answer", KNOWN["whys_end_in_conditions"])
def test_a_chain_of_whys_that_ends_in_a_condition_is_complete(answer: str) -> None:
    """People may stand in it, as they do earlier in the chain."""
    assert of_last_why(answer) == set()


@pytest.mark.parametrize("title", KNOWN["vague"])
def test_an_item_without_an_end_is_vague(title: str) -> None:
    """Nobody could say when it is done; with a criterion of acceptance somebody can."""
    assert is_vague(titled(title))
    assert not is_vague(titled(title, acceptance="the dashboard shows it"))


@pytest.mark.parametrize("title", KNOWN["specific"])
def test_an_item_with_an_end_is_specific(title: str) -> None:
    """It says what will be there, and changes more than people's minds."""
    assert not is_vague(titled(title))
    assert not only_teaches(titled(title))


@pytest.mark.parametrize("title", KNOWN["teaches"])
def test_an_item_that_teaches_reminds_or_asks_for_care(title: str) -> None:
    """Alone it is all there is; beside one that changes something it may stand."""
    taught = {"title": title, "owner": "@a"}
    assert "action-training-only" in rules_of({"action_items": [taught]})
    changes = {"title": "Alert on replication lag above 30 seconds", "owner": "@a"}
    assert "action-training-only" not in rules_of({"action_items": [taught, changes]})


@pytest.mark.parametrize("title", KNOWN["does_not_only_teach"])
def test_an_item_about_training_may_change_the_system(title: str) -> None:
    """The training environment is a machine."""
    assert not only_teaches(titled(title))


@pytest.mark.parametrize("owner", [None, *KNOWN["nobody"]])
def test_a_stand_in_is_nobody(owner: str | None) -> None:
    """TBD, everyone, the team."""
    assert names_nobody(owner)


@pytest.mark.parametrize("owner", KNOWN["somebody"])
def test_a_person_or_a_named_team_is_somebody(owner: str) -> None:
    """By handle or name."""
    assert not names_nobody(owner)


@pytest.mark.parametrize("due", [None, *KNOWN["no_day"]])
def test_a_stand_in_is_not_a_day(due: str | None) -> None:
    """Soon, Q3, next sprint."""
    assert not names_day(due)


@pytest.mark.parametrize("due", KNOWN["day"])
def test_a_date_is_a_day(due: str) -> None:
    """However it is written."""
    assert names_day(due)


@pytest.mark.parametrize("text", KNOWN["says_nothing"])
def test_a_placeholder_says_nothing(text: str) -> None:
    """A list of them is as good as none."""
    assert is_placeholder(text)
    assert rules_of({"postmortem": {"summary": "x", "went_well": [text]}}) == {"no-went-well"}


@pytest.mark.parametrize("text", KNOWN["says_something"])
def test_a_sentence_is_not_a_placeholder(text: str) -> None:
    """However short."""
    assert rules_of({"postmortem": {"summary": "x", "went_well": [text]}}) == set()


@pytest.mark.parametrize("cause", KNOWN["trigger_only"], ids=str)
def test_an_event_is_not_a_cause(cause: dict[str, Any]) -> None:
    """Nor is one that is said twice."""
    assert trigger_only(cause)


@pytest.mark.parametrize("cause", KNOWN["with_condition"], ids=str)
def test_a_condition_makes_a_cause(cause: dict[str, Any]) -> None:
    """In `why`, or as a contributing factor."""
    assert not trigger_only(cause)


def test_owner_and_day_are_asked_of_each_item_that_will_be_done() -> None:
    """The day may come from the policy, which whoever asks knows."""
    items = [{"id": "AI-1", "title": "Add a limit to the pool"}, {"id": "AI-2", "title": "x y", "status": "wont_do"}]
    remarks = list(structure_remarks({"action_items": items}, lambda _index, _item: False))
    assert [(remark.rule, remark.route) for remark in remarks] == [
        ("action-owner", ("action_items", 0)),
        ("action-due", ("action_items", 0)),
    ]


def test_an_item_answers_something_that_was_found() -> None:
    """By a word it shares with a cause, a factor or an event, in whatever form."""
    cause = {"why": "Sessions of the old format could not be decoded"}
    known = {"title": "Decode the session formats of two versions", "owner": "@a"}
    stray = {"title": "Paint the office", "owner": "@a"}
    remarks = list(structure_remarks({"cause": cause, "action_items": [known, stray]}, lambda _index, _item: True))
    assert [(remark.rule, remark.route) for remark in remarks] == [("action-link", ("action_items", 1))]
