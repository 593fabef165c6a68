"""Language about another course of events than the one that took place."""

from __future__ import annotations

import re

from incident_ops.postmortem_lint.grammar import HUMAN, Line, Subject
from incident_ops.postmortem_lint.patterns import (
    ADV,
    Pattern,
    both,
    either,
    followed_by,
    not_followed_by,
    not_negated,
    pattern,
    people_act,
    unexplained,
    with_words,
    without_words,
    words,
)
from incident_ops.postmortem_lint.words import OUTSIDERS, past, word_set

_PREVENTED = words(
    past(
        "prevent avoid catch detect notice spot stop avert mitigate limit shorten contain reveal "
        "flag discover "
        "find foresee anticipate expose uncover show surface warn alert save spare help resolve "
        "fix suffice identify reduce "
        "recognise recognize see know tell halve block intercept reject signal prove protect wait "
        "end finish cut ease speed keep isolate confine lower bring"
    )
    | {"been enough", "made a difference"}
)


def _own_people_act(line: Line, first: int, _behind: int) -> bool:
    """Those who ran the system govern the verb, not those who used or attacked it."""
    if line.subject(first) not in HUMAN:
        return False
    before = line.words[max(0, first - 3) : first]
    return not any(word in OUTSIDERS for word in before)


def _human_verb_last(line: Line, _first: int, behind: int) -> bool:
    """What was found ends in something people do."""
    return line.word(behind - 1) in _HANDLED_WORDS


def _not_passive(line: Line, _first: int, behind: int) -> bool:
    """People are not those to whom something is done: `could have been paged`."""
    return line.word(behind - 1) != "been"


def _they_act(line: Line, first: int, behind: int) -> bool:
    """`they` govern the verb, which is one of people's."""
    return line.subject(first) is Subject.THEY and line.word(behind - 1) in _HANDLED_WORDS


def _process_acts(line: Line, first: int, _behind: int) -> bool:
    """A review, a test, an alert governs the verb: what was expected of it is what is said."""
    start = max(0, first - 4)
    near = " ".join(line.words[start:first])
    return any(word in _PROCESS_WORDS for word in near.split())


_PROCESS_WORDS = word_set(
    """
    review reviews test tests testing alert alerts alerting alarm alarms monitoring runbook procedure process plan
    handover response staging qa canary
    """
)


def _names_risk(line: Line, _first: int, behind: int) -> bool:
    """What follows is something worse that did not come about: an estimate of risk, not a better course."""
    return any(word in _WORSE_WORDS for word in line.words[max(0, behind - 1) : behind + 8])


_WORSE_WORDS = word_set(
    """
    longer worse lost affected impacted exposed spread failed doubled tripled exhausted reached filled overflowed
    corrupted deleted unavailable leaked hit down offline stolen compromised double bigger larger
    """
)


def _people_had(line: Line, behind: int) -> bool:
    """`anyone had`, `the responders had`: a condition about what people did."""
    head = line.noun_ahead(behind)
    place = line.next_word(head + 1)
    return head >= 0 and line.is_person(head, "notice") and line.word(place) in ("had", "hadn't")


def _better_outcome(line: Line, _first: int, _behind: int) -> bool:
    """A better outcome is named behind the modal: something prevented, shorter, or not happening at all."""
    modal = _MODAL.search(line.text)
    return modal is not None and _BETTER.search(line.text[modal.start() :].partition(" if ")[0]) is not None


_MODAL = re.compile(r"\b(?:would|could|might|should)\b")


_BETTER = re.compile(
    r"\b(?:avoid\w*|prevent\w*|caught|notice[d]?|spotted|shorter|sooner|earlier|faster|quicker|"
    r"smaller|less|fewer|fine|saved|stopped|averted|"
    r"detected|not have (?:happened|occurred|been|reached|lasted|spread|gone|needed|had)|"
    r"never have|never happened|known|seen it|minor|nothing|no outage|"
    r"contained|limited|half|worked|succeeded|survived|been (?:able|possible|there)|only|"
    r"minutes instead|under control|safe|unaffected|clear|"
    r"obvious)\b|n't have"
)


_PARTICIPLE = (
    r"(?:\w+ed|\w+en|been|done|gone|made|put|set|read|run|left|kept|told|sent|built|held|found|"
    r"come|known|shown|thought|brought|caught|"
    r"had|felt|let|led|met|paid|said|shut|stood|understood|won|cut|hit|become|begun|drawn|grown|"
    r"thrown|begged)"
)


_HANDLED_WORDS = frozenset(
    past(
        "catch notice test review document escalate communicate merge deploy do take avoid prevent "
        "detect spot anticipate foresee plan check verify "
        "announce inform involve consult consider release make push run follow monitor update "
        "approve discuss coordinate call page tell train question stop pause know ask "
        "raise revert postpone delay automate warn inspect validate see identify recognise "
        "recognize allow find handle address schedule fix assign declare upgrade patch renew "
        "rotate limit read roll leave give happen tell set reach"
    )
) | word_set(
    """
    rolled set left put ready clear obvious happened sent gone
    """
)


COUNTERFACTUAL: tuple[Pattern, ...] = (
    pattern(
        rf"(?:should've|(?:should|ought to) (?:\w+ly |also |at least |never |not |really |all |"
        rf"both )*have) {ADV}(?:been )?(?:\w+ly )?{_PARTICIPLE}|"
        rf"shouldn't have {ADV}(?:been )?{_PARTICIPLE}",
        either(
            _own_people_act,
            both(
                lambda line, _first, behind: (
                    line.word(behind - 1) in _HANDLED_WORDS
                    or (line.word(behind - 2) == "been" and line.word(behind - 1) in _HANDLED_WORDS)
                )
            ),
            _process_acts,
            with_words(
                r"\bhave (?:\S+ ){0,6}?(?:earlier|sooner|immediately|at once|right away|straight away|"
                r"beforehand|faster|first|from day one|from the (?:start|beginning|outset)|long ago|"
                r"(?:months|years|weeks) ago)\b"
            ),
            lambda line, first, _behind: (
                line.subject(first) is Subject.NOBODY
                or line.word(first - 1) in ("this", "it", "that", "there", "which", "what")
            ),
        ),
    ),
    pattern(
        rf"(?:could|might|may) (?:\w+ly |also |at least |well |just |simply |"
        rf"perhaps )*have {ADV}(?:been )?(?:\w+ly )?{_PREVENTED}",
        either(
            _own_people_act,
            both(
                not_negated,
                lambda line, first, behind: not _names_risk(line, first, behind),
                without_words(r"\bup to\b"),
                either(
                    followed_by(
                        r"(?:by|if|had|with|earlier|sooner|in|at|before|until|for|the|this|it|us|entirely|"
                        r"altogether|completely|easily|within|much|days|weeks|hours|minutes|on|\d|[.!]|$)"
                    )
                ),
            ),
        ),
    ),
    pattern(
        r"(?:could|might)(?:'ve| (?:\w+ly |also |at least |well |just |simply |perhaps )*have)(?: \w+)?",
        both(either(_own_people_act, _they_act), _not_passive, not_followed_by(r"(?:known|foreseen|predicted)")),
    ),
    pattern(
        r"(?:could|might) (?:\w+ly )?have been (?:\w+ly )?\w+ (?:\S+ ){0,4}?(?:earlier|sooner|"
        r"faster|beforehand|in time)",
        not_negated,
    ),
    pattern(
        rf"would (?:\w+ly |also |at least |well |just |simply |perhaps |have |not |"
        rf"never )*have {ADV}(?:been )?(?:\w+ly )?{_PREVENTED}",
        both(
            lambda line, first, behind: not _names_risk(line, first, behind) and "not" not in line.words[first:behind],
            without_words(r"^without\b(?!.*\bcould\b)"),
        ),
    ),
    pattern(
        r"if only|had (?:it|there) (?:only |not )?been|were it not for",
        without_words(r"\bif only (?:one|the|a|two|\d)\b.*\b(?:is|are)\b"),
    ),
    pattern(
        r"if",
        both(
            lambda line, _first, behind: _people_had(line, behind),
            with_words(r"\b(?:would|could|might)(?:n't)?\b"),
            lambda line, _first, _behind: _WORSE_WORDS.isdisjoint(line.words),
        ),
    ),
    pattern(
        r"if (?:\S+ ){1,8}?(?:had|hadn't|'d) ",
        both(with_words(r"\b(?:would|could|might|should)(?:n't)?\b"), _better_outcome),
    ),
    pattern(
        r"had (?:any|some|every|no)(?:one|body)|had (?:we|they|he|she|i|you)|had (?:the |our |a |"
        r"an )?(?:\w+[ -]){0,3}?(?:team|engineers?|developers?|operators?|reviewers?|person|people|"
        r"shift|admins?|managers?|vendor|responders?|author)",
        with_words(r"\b(?:would|could|might)(?:n't)?\b"),
    ),
    pattern(
        r"(?:had|hadn't) (?:\S+ ){1,7}?\w+",
        both(
            lambda line, first, _behind: (
                first == 0
                or line.word(first - 1)
                in (",", "and", ";", ":", "but", "that", "happened", "avoided", "prevented", "if", "place")
                or line.word(first - 1).endswith("ed")
            ),
            with_words(r"\b(?:would|could|might)(?:n't)?\b"),
            _better_outcome,
        ),
    ),
    pattern(
        r"would not have|wouldn't have|would never have|need(?:ed)? not have|needn't have|(?:could|"
        r"might) have (?:been|gone) (?:so |much |a lot |far )?(?:shorter|smaller|quicker|faster|"
        r"better|different|differently|smoother|over|done)",
        both(
            without_words(r"^without\b"),
            with_words(
                r"\b(?:happen\w*|occur\w*|been|come|become|gone|lasted|reached|broken|failed|spread|needed|"
                r"started|have had|lost|escalated|arisen)\b"
            ),
            either(
                with_words(r"\b(?:if|had|with|but for|unless)\b"),
                with_words(r"\bneed(?:ed)?n?'?t? (?:not )?have|(?:could|might) have (?:been|gone)"),
            ),
        ),
    ),
    pattern(
        r"had",
        both(
            lambda _line, first, _behind: first == 0,
            with_words(r"\b(?:would|could|might)(?:n't)?\b"),
            lambda line, _first, _behind: _WORSE_WORDS.isdisjoint(line.words),
        ),
    ),
    pattern(r"(?:nobody|no one|no \w+) would (?:ever )?have \w+", _human_verb_last),
    pattern(r"would have been (?:plenty of|enough|sufficient|ample|more) (?:\w+ )?(?:time|warning|notice)"),
    pattern(r"would have gone (?:\w+ )?(?:better|differently|faster|smoother|quicker|well|smoothly)"),
    pattern(
        r"(?:it )?would have been (?:\w+ly |far |much |so )?(?:better|best|enough|wise|wiser|"
        r"sensible|prudent|safer|easier|easy|simple|possible|preferable|helpful|appropriate|correct|"
        r"right|advisable|sufficient|trivial|good|reasonable|quicker|faster|simpler)"
    ),
    pattern(
        r"(?:the )?(?:better|right|correct|safer|proper|obvious|sensible|simpler|wiser) (?:choice|"
        r"course|decision|action|approach|move|thing|option|step|response|reaction|way|"
        r"call)(?: \w+){0,4}? (?:would have been|was to|had been|is to have)"
    ),
    pattern(
        r"(?:only had|had only|needed only|only needed|need only have|only have had) to|"
        r"all (?:\w+ ){1,4}(?:had|needed) to do (?:was|is)|all (?:it|this|that) (?:\w+ )?(?:took|"
        r"needed|required)|would have (?:taken|cost|needed|required) (?:(?:only|just|less than|"
        r"no more than|hardly|merely) (?:\w+ )?|an? |one |a few |a couple of )(?:\w+ )?(?:seconds?|"
        r"minutes?|moments?|glance|look|hour|call|question|line|command|click|query|mail|message)",
        without_words(r"\bwe (?:only had|had only) to\b"),
    ),
    pattern(
        r"(?:was|were|is) (?:\w+ly |all |quite |wholly |totally )?(?:avoidable|preventable)|(?:an?|"
        r"this|the|these|entirely|completely|easily) (?:\w+ly )?(?:avoidable|preventable) (?:\w+)|"
        r"(?:needless|unnecessary) (?:outage|incident|downtime|failure|disruption|delay)",
        not_negated,
    ),
    pattern(
        r"(?:missed|wasted|lost) (?:the |an? |every |several |this |"
        r"that )?(?:\w+ )?(?:opportunit(?:y|ies)|chances?) to|(?:the |an )?opportunit(?:y|"
        r"ies) (?:\w+ )?(?:was|were) (?:missed|wasted|lost)|chances? to (?:\S+ ){1,6}(?:was|"
        r"were) missed"
    ),
    pattern(
        r"instead of (?:check|ask|wait|read|follow|test|escalat|call|consult|think|verify|roll|look|"
        r"tell|inform|investigat|stop|report|review)\w*",
        both(people_act, unexplained),
    ),
    pattern(
        r"if (?:the |our |this |that |these |a |any |someone|anyone|we|they|he|she|"
        r"@?\w+)(?: \S+){0,10}?, (?:the |this |our |none of this |it |we |there |"
        r"nobody )?(?:\S+ ){0,4}?(?:would|could|might) (?:not |never |still |only )?(?:have|be)",
        _better_outcome,
    ),
)
