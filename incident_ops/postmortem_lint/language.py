"""The rules of language, put to the sentences of a text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from types import MappingProxyType

from incident_ops.postmortem_lint.blame import BLAME, HUMAN_ERROR, PUNISHMENT
from incident_ops.postmortem_lint.counterfactual import COUNTERFACTUAL
from incident_ops.postmortem_lint.duty import NEGLIGENCE
from incident_ops.postmortem_lint.grammar import Line
from incident_ops.postmortem_lint.hidden import PASSIVE
from incident_ops.postmortem_lint.hindsight import HINDSIGHT
from incident_ops.postmortem_lint.judgement import JUDGEMENT
from incident_ops.postmortem_lint.minds import MIND_READING
from incident_ops.postmortem_lint.patterns import Pattern, first_hit
from incident_ops.postmortem_lint.remarks import Remark
from incident_ops.postmortem_lint.remedies import CAREFUL, TRAINING, changes_system
from incident_ops.postmortem_lint.sentences import Sentence, sentences
from incident_ops.postmortem_lint.texts import Kind, RecordText

ABOUT_PEOPLE: MappingProxyType[str, tuple[Pattern, ...]] = MappingProxyType(
    {
        "blame": BLAME,
        "human-error": HUMAN_ERROR,
        "negligence": NEGLIGENCE,
        "judgement": JUDGEMENT,
        "mind-reading": MIND_READING,
        "punishment": PUNISHMENT,
    }
)
ABOUT_EVENTS: MappingProxyType[str, tuple[Pattern, ...]] = MappingProxyType(
    {"counterfactual": COUNTERFACTUAL, "hindsight": HINDSIGHT, "passive-voice": PASSIVE}
)
ABOUT_REMEDIES: MappingProxyType[str, tuple[Pattern, ...]] = MappingProxyType(
    {"careful-fix": CAREFUL, "training-fix": TRAINING}
)
_EVERY = {**ABOUT_PEOPLE, **ABOUT_EVENTS, **ABOUT_REMEDIES}
_NOT_ASKED = {
    Kind.ACCOUNT: frozenset[str](),
    Kind.REMEDY: frozenset[str](),
    Kind.LUCK: frozenset({"counterfactual"}),
    Kind.EVENT: frozenset(ABOUT_REMEDIES),
    Kind.CAUSE: frozenset(ABOUT_REMEDIES),
    Kind.ITEM: frozenset(ABOUT_REMEDIES),
}
"""Luck is what might have been; facts are not remedies; what items ask for is a matter of their structure."""


def remarks_on(text: RecordText, people: frozenset[str] = frozenset()) -> Iterator[Remark]:
    """What the rules of language say of a text; of each sentence, each rule once."""
    for sentence in sentences(text.text):
        for rule, words in faults_of(sentence.text, sentence.masked, people):
            if rule not in _NOT_ASKED[text.kind]:
                yield Remark(rule, text.route, words, sentence.text, sentence.offset)


@lru_cache(maxsize=4096)
def faults_of(text: str, masked: str, people: frozenset[str] = frozenset()) -> tuple[tuple[str, str], ...]:
    """(rule, the words that set it off) of a sentence."""
    line = Line(Sentence(text, masked, 0), people)
    found = []
    for rule, patterns in _EVERY.items():
        if rule in ABOUT_REMEDIES and changes_system(line):
            continue
        if (words := first_hit(line, patterns)) is not None:
            found.append((rule, words))
    return tuple(found)
