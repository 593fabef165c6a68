"""The rules of language on sentences of many shapes: who is blamed how, and what is left alone."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest
import yaml

from incident_ops.postmortem_lint import language
from incident_ops.postmortem_lint.grammar import Line
from incident_ops.postmortem_lint.sentences import sentences
from incident_ops.postmortem_lint.texts import Kind, RecordText

HERE = Path(__file__).parent
SENTENCES: dict[str, list[str]] = yaml.safe_load((HERE / "sentences.yaml").read_text(encoding="utf-8"))
FAULTY = {kind: found for kind, found in SENTENCES.items() if kind not in ("fine", "missed")}


def rules_on(text: str, kind: Kind = Kind.ACCOUNT, people: frozenset[str] = frozenset()) -> set[str]:
    """The rules that find something in a text."""
    return {remark.rule for remark in language.remarks_on(RecordText(("x",), text, kind), people)}


@pytest.mark.parametrize("text", list(chain(*FAULTY.values())))
def test_a_sentence_that_a_reviewer_stops_at_is_found(text: str) -> None:
    """Whatever its tense, voice, noun and whoever it is about."""
    assert rules_on(text)


@pytest.mark.parametrize("kind", FAULTY)
def test_most_are_found_as_what_a_reviewer_calls_them(kind: str) -> None:
    """Kinds overlap by nature."""
    name = {"blame-person": "blame"}.get(kind, kind)
    found = [name in rules_on(text) for text in FAULTY[kind]]
    assert sum(found) >= 0.85 * len(found)


@pytest.mark.parametrize("text", SENTENCES["fine"])
def test_a_fine_sentence_is_left_alone(text: str) -> None:
    """Machines fail, clients should retry, a role acted at a time, a figure is an upper bound."""
    assert rules_on(text) == set()


@pytest.mark.parametrize("text", SENTENCES["missed"])
def test_what_is_missed_is_known(text: str) -> None:
    """A sentence that is found by now moves to its kind."""
    assert rules_on(text) == set()


@pytest.mark.parametrize("text", list(chain(*SENTENCES.values())))
def test_leaving_patterns_out_by_their_first_letters_changes_nothing(text: str) -> None:
    """A pattern that is not tried finds nothing where it is tried."""
    rules = {**language.ABOUT_PEOPLE, **language.ABOUT_EVENTS, **language.ABOUT_REMEDIES}
    for sentence in sentences(text):
        line = Line(sentence)
        for one in chain(*rules.values()):
            if one.starts is not None and one.starts.isdisjoint(line.beginnings):
                assert list(line.find(one.regex)) == []


@pytest.mark.parametrize(
    "text",
    [
        'A customer wrote: "your engineers were careless and should have told us".',
        "The log says `operator failed to follow the procedure`.",
        "```\nERROR: the admin forgot to set the flag\n```",
        "> The team ignored us, said the customer.",
        "Two journalists asked ‘who is to blame?’ that evening.",
        "See https://example.com/the-team-failed-to-follow-the-runbook for the rule.",
        "<!-- the on-call engineer was careless -->",
    ],
)
def test_what_others_said_and_what_machines_print_is_evidence(text: str) -> None:
    """Quotations, code, blocks of it, addresses, comments."""
    assert rules_on(text) == set()


def test_a_verdict_in_quotation_marks_is_still_one() -> None:
    """Quotation marks around the cause quote nobody."""
    assert rules_on('The root cause was "human error".') == {"human-error"}


def test_the_names_in_a_record_are_people() -> None:
    """A name that no list has is known from who noted, owned or led."""
    text = "The restart came late, because Thandeka failed to look at the queue."
    assert rules_on(text) == set()
    assert rules_on(text, people=frozenset({"thandeka"})) == {"negligence"}


def test_luck_may_be_told_as_what_might_have_been() -> None:
    """Elsewhere the same sentence is a counterfactual."""
    text = "A slower attacker would have been noticed."
    assert rules_on(text) == {"counterfactual"}
    assert rules_on(text, Kind.LUCK) == set()


@pytest.mark.parametrize("kind", [Kind.EVENT, Kind.CAUSE, Kind.ITEM])
def test_remedies_are_looked_for_where_remedies_stand(kind: Kind) -> None:
    """An event may be that somebody was reminded; what items ask for is a matter of structure."""
    text = "We will be more careful and remind all engineers."
    assert rules_on(text) == {"careful-fix", "training-fix"}
    assert rules_on(text, kind) == set()


def test_each_rule_says_where_its_sentence_begins() -> None:
    """By the offset in the text, with the words that set it off as they are written."""
    text = "# Cause\n\n- All was well.\n- Dr. Meyer's pod restarted. The **on-call engineer** Failed to look.\n"
    (remark,) = language.remarks_on(RecordText(("x",), text, Kind.ACCOUNT))
    assert text[remark.offset :].startswith("The **on-call")
    assert remark.detail == "Failed to"
    assert remark.sentence == "The **on-call engineer** Failed to look."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It rose, e.g. to 3.5 s. Then it fell.", 2),
        ("Version 8.2 ran. v9 did not.", 1),
        ("One\n\nTwo\n- three\n- four", 4),
        ("## Heading\nA sentence. Another one!", 3),
        ("Is it on? It is.", 2),
        ("", 0),
        ("- \n- ", 0),
    ],
)
def test_text_is_cut_at_sentences(text: str, count: int) -> None:
    """Not at abbreviations and decimals; at headings, items and paragraphs."""
    assert len(list(sentences(text))) == count
