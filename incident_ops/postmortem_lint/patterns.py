"""What a rule of language looks for: patterns over a sentence's words, each with a question about its grammar."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

from incident_ops.postmortem_lint.beginnings import beginnings
from incident_ops.postmortem_lint.grammar import HUMAN, Line, Subject

Ask = Callable[[Line, int, int], bool]
"""(sentence, first word, word behind the last) -> whether the rule applies there."""

ADV = (
    r"(?:(?:\w+ly|not|also|even|just|ever|already|really|well|only|so|then|still|much|been|too|"
    r"far|more|rather) ){0,3}"
)


class Pattern(NamedTuple):
    """Where a rule looks, what has to hold there, and with which letters its first word begins (None: any)."""

    regex: re.Pattern[str]
    ask: Ask
    starts: frozenset[str] | None


def pattern(regex: str, ask: Ask | None = None) -> Pattern:
    """A pattern over lower-case text, between boundaries of words."""
    return Pattern(re.compile(rf"(?<![\w-])(?:{regex})(?![\w-])"), ask or always, beginnings(regex))


def words(names: Iterable[str]) -> str:
    """An alternative of these words, the longest first."""
    return "(?:" + "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name))) + ")"


def first_hit(line: Line, patterns: Iterable[Pattern]) -> str | None:
    """The words, as written, of the first place where a pattern applies; None where none does."""
    for one in patterns:
        if one.starts is not None and one.starts.isdisjoint(line.beginnings):
            continue
        for first, behind in line.find(one.regex):
            if one.ask(line, first, behind):
                return line.as_written(first, behind)
    return None


def always(_line: Line, _first: int, _behind: int) -> bool:
    """Wherever the pattern stands."""
    return True


def both(*asks: Ask) -> Ask:
    """Where all of these hold."""
    return lambda line, first, behind: all(ask(line, first, behind) for ask in asks)


def either(*asks: Ask) -> Ask:
    """Where one of these holds."""
    return lambda line, first, behind: any(ask(line, first, behind) for ask in asks)


def person_acts(line: Line, first: int, _behind: int) -> bool:
    """A person, a group or we govern the verb."""
    return line.subject(first) in HUMAN


def person_not_we(line: Line, first: int, _behind: int) -> bool:
    """A person or group other than ourselves governs the verb."""
    return line.subject(first) is Subject.PERSON


def no_thing_acts(line: Line, first: int, _behind: int) -> bool:
    """Nothing technical governs the verb, as far as the sentence shows."""
    return line.subject(first) is not Subject.THING


def person_ahead(line: Line, _first: int, behind: int) -> bool:
    """People follow."""
    return line.person_ahead(behind)


def people_named(line: Line, _first: int, _behind: int) -> bool:
    """People stand in the sentence."""
    return line.names_people()


def people_act(line: Line, _first: int, _behind: int) -> bool:
    """People do something in the sentence."""
    return line.people_act()


def not_negated(line: Line, first: int, _behind: int) -> bool:
    """No negation stands before it."""
    return not line.negated(first)


def unexplained(line: Line, _first: int, behind: int) -> bool:
    """The sentence says no reason behind it."""
    return not line.gives_reason(behind)


def vague(line: Line, _first: int, _behind: int) -> bool:
    """Neither a figure nor a reason nor a quotation says what happened."""
    return not line.is_specific and not line.gives_reason()


def unattributed(line: Line, _first: int, _behind: int) -> bool:
    """Nobody is quoted with it."""
    return not line.names_source


@cache
def _compiled(regex: str) -> re.Pattern[str]:
    return re.compile(regex)


def followed_by(regex: str) -> Ask:
    """Where this stands right behind it."""
    return lambda line, _first, behind: _compiled(rf"\s*(?:{regex})").match(line.text, _end(line, behind)) is not None


def not_followed_by(regex: str) -> Ask:
    """Where this does not stand right behind it."""
    follows = followed_by(regex)
    return lambda line, first, behind: not follows(line, first, behind)


def _end(line: Line, behind: int) -> int:
    last = behind - 1
    return line.starts[last] + len(line.words[last])


def with_words(regex: str) -> Ask:
    """Where this stands anywhere in the sentence."""
    return lambda line, _first, _behind: _compiled(regex).search(line.text) is not None


def without_words(regex: str) -> Ask:
    """Where this stands nowhere in the sentence."""
    return lambda line, _first, _behind: _compiled(regex).search(line.text) is None
