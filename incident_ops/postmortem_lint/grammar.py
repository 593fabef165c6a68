"""Who does what in a sentence: its words, and whether a verb's subject is a person.

Shallow on purpose: from a verb it looks leftwards over adverbs and auxiliaries for the noun that governs it. Where it
cannot tell, it says so, and rules that need a person find nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from enum import Enum

from incident_ops.postmortem_lint.beginnings import beginnings_of
from incident_ops.postmortem_lint.sentences import Sentence
from incident_ops.postmortem_lint.words import (
    ADVERBS,
    AUXILIARIES,
    BE,
    CLAUSE_STARTS,
    CONJUNCTIONS,
    DETERMINERS,
    FIRST_NAMES,
    LEADS_ON,
    MACHINE_WORDS,
    MOSTLY_PEOPLE,
    NEGATIONS,
    ONLY_PEOPLE,
    PASTS,
    PEOPLE,
    PEOPLES_THINGS,
    PEOPLES_WORDS,
    PERHAPS_PEOPLE,
    PREPOSITIONS,
    QUANTITIES,
    word_set,
)

_WORD = re.compile(r"@[\w/.-]*\w|[^\W\d_][\w]*(?:[-'][\w]+)*|\d[\d.,:%/-]*|[^\w\s]")
_STOP = frozenset(";:.!?()[]–—|")
_REASON = re.compile(
    r"\b(?:because|since(?! (?:then|last|yesterday|\d|january|february|march|april|may|june|"
    r"july|august|september|october|november|december|monday|tuesday|wednesday|thursday|friday|"
    r"saturday|sunday)\b)|whose|"
    r"as (?:the|its?|their|our|in|step|described|that|a|an|no|long)|"
    r"according to|in line with|"
    r"as part of|due to|owing to|so that|per the|in order to)\b|;|: (?=\w)"
)
_SOURCE = re.compile(
    r"\b(?:said|says|told|recalls?|recalled|reported|reports|explained|wrote|describes?|"
    r"described|interviews?)\b"
)


class Subject(Enum):
    """What governs a verb."""

    PERSON = "person"
    WE = "we"
    THEY = "they"
    THING = "thing"
    NOBODY = "none"
    """The verb opens its clause: an order, or a fragment without a subject."""


HUMAN = (Subject.PERSON, Subject.WE)


class Line:
    """A sentence as words. `people` are further names of people, in lower case; words are compared in lower case."""

    def __init__(self, sentence: Sentence, people: frozenset[str] = frozenset()) -> None:
        self.sentence = sentence
        self.text = sentence.masked.replace("\n", " ").lower()
        found = list(_WORD.finditer(sentence.masked))
        self.written = [word[0] for word in found]
        self.words = [word.lower() for word in self.written]
        self.starts = [word.start() for word in found]
        self.people = people
        self.beginnings = beginnings_of(self.words)
        self.about_people = not PEOPLES_THINGS.isdisjoint(self.words)

    def index_at(self, position: int) -> int:
        """The word that stands at a position of `text`."""
        return max(0, bisect_right(self.starts, position) - 1)

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """(first word, word behind the last) of each place where a pattern stands in `text`."""
        for found in pattern.finditer(self.text):
            yield self.index_at(found.start()), self.index_at(max(found.start(), found.end() - 1)) + 1

    def as_written(self, first: int, behind: int) -> str:
        """The words of a place as the sentence has them."""
        last = behind - 1
        return self.sentence.text[self.starts[first] : self.starts[last] + len(self.written[last])]

    def has(self, pattern: re.Pattern[str]) -> bool:
        """Whether a pattern stands in `text`."""
        return pattern.search(self.text) is not None

    def word(self, index: int) -> str:
        """The word at an index, "" outside the sentence."""
        return self.words[index] if 0 <= index < len(self.words) else ""

    def next_word(self, index: int) -> int:
        """The first index from here that is not an adverb."""
        while self.is_adverb(index):
            index += 1
        return index

    def is_adverb(self, index: int) -> bool:
        """`only`, `carelessly`."""
        word = self.word(index)
        return word in ADVERBS or (len(word) > 4 and word.endswith("ly") and word not in ("reply", "supply", "apply"))

    def gives_reason(self, index: int = 0) -> bool:
        """Whether the sentence says why, from a word on."""
        return _REASON.search(self.text, self.starts[index] if index < len(self.starts) else 0) is not None

    @property
    def is_specific(self) -> bool:
        """Whether it names a figure or something quoted: then it does not hide what happened."""
        return any(word[0].isdigit() or word in _NUMBERS for word in self.words) or "xxx" in self.text

    @property
    def has_figure(self) -> bool:
        """Whether it names a figure."""
        return any(word[0].isdigit() for word in self.words)

    @property
    def names_source(self) -> bool:
        """Whether somebody is quoted with what stands here."""
        return _SOURCE.search(self.text) is not None

    def negated(self, index: int, reach: int = 3) -> bool:
        """Whether a negation stands right before a word."""
        before = self.words[max(0, index - reach) : index]
        return any(word in NEGATIONS or word.endswith("n't") for word in before)

    def is_person(self, index: int, verb: str = "") -> bool:
        """Whether the noun at `index` means people; `verb` in its base form may tell where the noun alone does not."""
        if not 0 <= index < len(self.words):
            return False
        word = self.words[index]
        if word.startswith("@") and len(word) > 1:
            return True
        if word in PEOPLE or word in self.people or self.is_name(index):
            return True
        before = self.word(index - 1)
        if word in MOSTLY_PEOPLE:
            return before not in MACHINE_WORDS
        if word in PERHAPS_PEOPLE:
            return before in PEOPLES_WORDS or verb in ONLY_PEOPLE or self.about_people
        return False

    def is_name(self, index: int) -> bool:
        """A first name, alone or before a surname; a surname behind it."""
        word, written = self.words[index], self.written[index]
        if not written[0].isupper() or written.isupper():
            return False
        if word in FIRST_NAMES:
            return True
        before = self.word(index - 1)
        return before in FIRST_NAMES and self.written[index - 1][0].isupper()

    def owns(self, index: int) -> bool:
        """Whether the word is a possessive of people: `engineer's`, `teams'`, `his`."""
        word = self.word(index)
        if word in ("his", "her", "their", "my", "our", "your", "somebody's", "someone's", "whose"):
            return word != "whose"
        if not word.endswith("'s"):
            return False
        base = word[:-2]
        if base in PEOPLE or base in self.people or (base in FIRST_NAMES and self.written[index][0].isupper()):
            return True
        if base.startswith("@"):
            return True
        before = self.word(index - 1)
        return (base in MOSTLY_PEOPLE and before not in MACHINE_WORDS) or (
            base in PERHAPS_PEOPLE and before in PEOPLES_WORDS
        )

    def subject(self, verb: int, base: str = "") -> Subject:
        """Who governs the verb at an index; `base` is its base form, or that of the verb below it."""
        index = verb - 1
        while index >= 0 and (self.word(index) in AUXILIARIES or self.is_adverb(index) or self._leads_on(index)):
            index -= 1
        if index < 0 or self.word(index) in ("please", "let", "let's"):
            return Subject.NOBODY
        word = self.words[index]
        if word in CONJUNCTIONS or word == ",":
            return self._earlier_subject(index, base)
        if word in _STOP or word in CLAUSE_STARTS:
            return Subject.NOBODY
        if word in ("who", "whoever"):
            return Subject.PERSON
        if word == "that":
            index -= 1
        return self._kind(index, base)

    def _leads_on(self, index: int) -> bool:
        return self.word(index) in LEADS_ON and self.word(index + 1) == "to"

    def _kind(self, index: int, base: str) -> Subject:
        word = self.word(index)
        if word in ("we", "us"):
            return Subject.WE
        if word == "they":
            return Subject.THEY
        if self.is_person(index, base):
            return Subject.THING if self._governed(index) else Subject.PERSON
        return Subject.PERSON if self._person_left(index, base) else Subject.THING

    def _person_left(self, index: int, base: str) -> bool:
        """A person to the left that phrases separate from the verb: `the engineer on call for payments`."""
        for step in range(1, 10):
            place = index - step
            word = self.word(place)
            if word in ("that", "which"):
                continue
            if not word or word in _STOP or word in CLAUSE_STARTS or word in AUXILIARIES:
                return False
            if word in CONJUNCTIONS or word == ",":
                return False
            follows = self.word(place + 1)
            attached = (
                follows in PREPOSITIONS
                or follows.endswith(("ing", "ed"))
                or follows in ("responsible", "who", "that", "which")
            )
            if attached and self.is_person(place, base):
                return not self._governed(place)
        return False

    def _governed(self, head: int) -> bool:
        """Whether a noun phrase hangs on a preposition whose own noun is not people: `the page to the engineer`."""
        start = self.phrase_start(head)
        before = self.word(start - 1)
        if before not in PREPOSITIONS:
            return False
        outer = start - 2
        if before == "on" and self.word(outer) in ("now", "then", "later", "early"):
            return False
        if outer < 0 or self.word(outer) in _STOP or self.word(outer) == ",":
            return True
        return not (self.is_person(outer) or self.word(outer) in QUANTITIES or self.word(outer) in PERHAPS_PEOPLE)

    def phrase_start(self, head: int) -> int:
        """Where the noun phrase that ends at `head` begins."""
        start = head
        while start > 0 and head - start < 6 and self.word(start) not in DETERMINERS:
            before = self.words[start - 1]
            if not (before[0].isalnum() or before[0] == "@"):
                break
            if before in PREPOSITIONS | AUXILIARIES | CONJUNCTIONS | CLAUSE_STARTS - {"that"}:
                break
            start -= 1
        return start

    def _earlier_subject(self, index: int, base: str) -> Subject:
        """The subject that a verb behind `and`, or behind an insertion, shares with an earlier one."""
        for place in range(index - 1, -1, -1):
            if self.words[place] in _STOP:
                break
        else:
            place = -1
        for head in range(place + 1, index):
            if self.words[head] == "we":
                return Subject.WE
            follows = self.word(self.next_word(head + 1))
            acts = follows in AUXILIARIES or follows in ("who", ",") or follows.endswith("ed") or follows in _ACTS
            if acts and self.is_person(head, base) and not self._governed(head):
                return Subject.PERSON
        earlier = self.words[place + 1 : index]
        finite = any(word in AUXILIARIES or word.endswith("ed") or word in _ACTS for word in earlier)
        return Subject.THING if finite else Subject.NOBODY

    def noun_ahead(self, index: int, most: int = 7) -> int:
        """The head of the noun phrase that begins at `index`, -1 where there is none."""
        last = -1
        for place in range(index, min(index + most, len(self.words))):
            word = self.words[place]
            if not (word[0].isalnum() or word[0] == "@"):
                break
            if word in PREPOSITIONS or word in AUXILIARIES or word in CONJUNCTIONS or word in CLAUSE_STARTS:
                break
            if word in ("who", "that", "which", "there", "here"):
                break
            last = place
        return last

    def person_ahead(self, index: int) -> bool:
        """Whether the noun phrase that begins at `index` is people, or belongs to people."""
        index = self.next_word(index)
        head = self.noun_ahead(index)
        if head < 0:
            return False
        if any(self.names_owner(place) for place in range(index, head + 1)):
            return True
        if self.word(head + 1) == "of" and (self.word(head) in PERHAPS_PEOPLE or self.word(head) in QUANTITIES):
            return self.person_ahead(head + 2)
        return any(self.is_person(place) and self.ends_phrase(place) for place in range(index, head + 1))

    def names_owner(self, place: int) -> bool:
        """Whether the word is the possessive of a named person: `Priya's`."""
        word, written = self.words[place], self.written[place]
        base = word.removesuffix("'s")
        return base != word and (base.startswith("@") or (base in FIRST_NAMES and written[0].isupper()))

    def ends_phrase(self, place: int) -> bool:
        """Whether a word ends its noun phrase: nothing behind it, or a verb, an adverb or a participle."""
        follows = self.word(place + 1)
        if not follows or not (follows[0].isalnum() or follows[0] == "@"):
            return True
        if follows in PREPOSITIONS | AUXILIARIES | CONJUNCTIONS | CLAUSE_STARTS | {"who", "which", "there", "here"}:
            return True
        return self.is_adverb(place + 1) or follows.endswith(("ing", "ed")) or follows in _ACTS

    def people_act(self) -> bool:
        """Whether people do something in this sentence: a person that hangs on nothing and is followed by a verb."""
        for place in range(len(self.words)):
            if self.words[place] == "we":
                return True
            if self.is_person(place) and not self._governed(place):
                follows = self.word(self.next_word(place + 1))
                if follows in AUXILIARIES or follows.endswith("ed") or follows in _ACTS or follows in ("who", "which"):
                    return True
        return False

    def names_people(self) -> bool:
        """Whether people stand anywhere in this sentence."""
        return any(self.is_person(place) or self.owns(place) for place in range(len(self.words)))

    def be_before(self, index: int) -> bool:
        """Whether a form of be stands before a word, adverbs apart."""
        index -= 1
        while index >= 0 and (self.is_adverb(index) or self.word(index) == "not"):
            index -= 1
        return self.word(index) in BE


_NUMBERS = word_set(
    """
    two three four five six seven eight nine ten eleven twelve twenty hundred
    """
)

_ACTS = PASTS | word_set(
    """
    get run make take push deploy do use change write go
    """
)
"""Behind a noun they are its verb."""
