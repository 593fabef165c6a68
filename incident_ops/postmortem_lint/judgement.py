"""Language that grades people and their decisions."""

from __future__ import annotations

from incident_ops.postmortem_lint.asks import human_acts, somebodys
from incident_ops.postmortem_lint.grammar import HUMAN, Line
from incident_ops.postmortem_lint.patterns import (
    ADV,
    Pattern,
    both,
    either,
    followed_by,
    not_followed_by,
    not_negated,
    pattern,
    people_named,
    person_acts,
    with_words,
    without_words,
)
from incident_ops.postmortem_lint.words import PASTS

_POOR = (
    r"(?:poor|bad|wrong|questionable|terrible|unwise|foolish|rash|reckless|weak|ill-advised|"
    r"ill-judged|ill-considered|misguided|stupid|"
    r"unfortunate|careless|premature|dubious|awful|horrible|hasty|flawed|inexcusable|"
    r"unacceptable|lousy|dreadful|silly|sloppy|unreasonable|irresponsible|amateurish)"
)


_TRAIT = (
    r"(?:careless|incompetent|inexperienced|unqualified|negligent|reckless|lazy|sloppy|"
    r"inattentive|complacent|overconfident|over-confident|"
    r"irresponsible|unprofessional|naive|ignorant|clueless|stubborn|impatient|untrained|"
    r"unprepared|unfit|undisciplined|unmotivated|thoughtless|"
    r"disorgani[sz]ed|uncooperative|arrogant|lax|indifferent|unskilled|forgetful|gullible|timid|"
    r"hesitant|indecisive|passive|dismissive|"
    r"out of (?:his|her|their) depth|not up to (?:the|this|their|his|her) (?:task|job|role|standard)|"
    r"not (?:\w+ )?(?:experienced|qualified|trained|competent|skilled|careful|good|disciplined|"
    r"attentive|prepared) enough|not (?:\w+ )?(?:qualified|competent|skilled|fit)|"
    r"too (?:slow|late|quick|hasty|optimistic|timid|cautious|trusting|confident|junior|eager|"
    r"relaxed|inexperienced|busy|impatient|proud|careless|lazy|green|passive|lenient))"
)


_BADLY = (
    r"(?:poorly|badly|wrongly|improperly|inadequately|carelessly|rashly|prematurely|needlessly|"
    r"unnecessarily|blindly|foolishly|"
    r"naively|stubbornly|recklessly|hastily|unwisely|irresponsibly|incompetently|sloppily|"
    r"clumsily|stupidly|inexplicably|unreasonably|"
    r"too (?:slowly|late|quickly|hastily|long|casually|lightly|readily))"
)


def _no_machine_behind(line: Line, _first: int, behind: int) -> bool:
    """No `by the scheduler` follows, which would make it a statement about a machine."""
    if line.word(behind) in ("by", "of") and line.noun_ahead(behind + 1) >= 0:
        return line.person_ahead(behind + 1) or line.word(behind) == "of"
    return True


def _is_noun_of_people(line: Line, place: int) -> bool:
    return line.is_person(place) and line.word(place) not in ("he", "she", "i", "you", "who")


JUDGEMENT: tuple[Pattern, ...] = (
    pattern(
        rf"{_POOR} (?:\w+ )?(?:decisions?|(?:judgment|judgement)|(?:judgment|judgement) call|idea|"
        rf"thinking|attitude|"
        rf"leadership|conduct|teamwork|discipline|workmanship|instincts?|work ethic)",
        _no_machine_behind,
    ),
    pattern(
        rf"{_POOR} (?:communication|coordination|planning|preparation|call|job|choices?|response|"
        rf"reaction|handling|performance|work|management|behaviours?|behaviors?|move|practice|handover)",
        both(
            either(people_named, followed_by(r"(?:to|not to)\b"), followed_by(r"between\b")),
            _no_machine_behind,
            not_followed_by("times?|codes?|from the (?:server|service)"),
        ),
    ),
    pattern(
        rf"(?:decisions?|(?:judgment|judgement)|choice|call|attitude|reaction|response|performance|"
        rf"handling|idea|"
        rf"approach|behaviours?|behaviors?|conduct) (?:\S+ ){{0,8}}?(?:was|were|is) {ADV}(?:an? |"
        rf"the )?(?:\w+ )?{_POOR}",
        both(people_named, without_words(r"\b(?:decision|choice|(?:judgment|judgement)|idea|attitude) ")),
    ),
    pattern(
        rf"(?:decisions?|(?:judgment|judgement)|choice|attitude|idea) (?:\S+ ){{0,8}}?(?:was|were|"
        rf"is) {ADV}(?:an? |the )?(?:\w+ )?{_POOR}"
    ),
    pattern(
        rf"(?:it|this|that|which|doing so) (?:is|was) {ADV}(?:an? )?{_POOR} (?:of|for|to|not)",
        not_followed_by(r"\w+ (?:the )?(?:format|value)"),
    ),
    pattern(
        r"(?:was|were|is) (?:clearly |simply |plainly |just )*(?:an? |the )(?:\w+ )?(?:mistake|"
        r"blunder|error of (?:judgment|judgement)|bad idea|poor choice|wrong (?:decision|call|choice|"
        r"thing to do|move|order))",
        both(
            lambda line, first, _behind: line.word(first - 1) not in ("there", "xxxx"),
            not_followed_by(r"in (?:the|a|our)\b"),
        ),
    ),
    pattern(rf"(?:was|were|is|are|being|been|seemed|proved) {ADV}(?:an? )?{_TRAIT}", both(human_acts, not_negated)),
    pattern(_TRAIT, lambda line, first, _behind: line.owns(first - 1) and line.word(first - 1) not in ("our", "my")),
    pattern(
        rf"(?:was|were|is) {ADV}{_TRAIT}",
        both(
            somebodys,
            lambda line, first, _behind: {"our", "their", "my", "your"}.isdisjoint(
                line.words[max(0, first - 3) : first]
            ),
        ),
    ),
    pattern(
        _TRAIT, lambda line, _first, behind: any(_is_noun_of_people(line, place) for place in (behind, behind + 1))
    ),
    pattern(
        rf"(?:was|were) {ADV}(?:an? )?(?:ill-advised|ill-judged|ill-considered|unwise|foolish|"
        rf"irresponsible|reckless|"
        r"negligent|careless|rash|short-sighted|stupid|misguided)",
        not_negated,
    ),
    pattern(rf"{_BADLY}", both(lambda line, first, _behind: _person_verb_near(line, first), _no_machine_behind)),
    pattern(r"(?:was|were) (?:too )?(?:slow|late|quick|reluctant) (?:to|in)", person_acts),
    pattern(r"took (?:far |much |way )?too long|took (?:his|her|their|its) (?:sweet )?time", person_acts),
    pattern(r"(?:should|ought to) be ashamed|shame on", people_named),
    pattern(r"lost (?:control|track|the overview|the plot|their head|his head|her head)", person_acts),
    pattern(r"know(?:n)? better|knew better", not_negated),
    pattern(rf"(?:did|does|do|done|doing) (?:an? |such an? )?(?:\w+ )?{_POOR} (?:job|work)", people_named),
    pattern(
        r"not up to (?:the|this|their|his|her|our) (?:task|job|role|standards?)|below (?:the |our |"
        r"any )?(?:expect\w+|standards?)|not good enough|"
        r"(?:left|leaves) (?:a lot|much|something) to be desired|(?:weak|poor) performance",
        people_named,
    ),
    pattern(
        r"(?:it|this|that) (?:is|was) (?:simply |completely |totally |just |"
        r"absolutely )*(?:unacceptable|inexcusable|unforgivable|indefensible|shameful|disgraceful|"
        r"embarrassing|disappointing|appalling|"
        r"baffling|inexplicable|astonishing|incomprehensible|unbelievable|outrageous|negligent)"
    ),
    pattern(r"(?:unforgivabl|inexcusabl|disgraceful|shameful|embarrassing|disappointing)(?:e|y|ly)?", people_named),
    pattern(
        r"(?:an?|the|such) (?:\w+ )?(?:amateur|beginner's|rookie|schoolboy|elementary|stupid|silly|"
        r"dumb|classic|basic) (?:\w+ )?(?:mistake|error|blunder)"
    ),
    pattern(
        r"(?:any|every|a|an|no) (?:\w+ )?(?:competent|experienced|decent|good|reasonable|"
        r"responsible|half-decent|senior|trained|qualified) (?:\w+ )?\w+ (?:would|should|could|"
        r"knows)",
        with_words(r"\b(?:would|should|could|knows)\b"),
    ),
)


def _person_verb_near(line: Line, adverb: int) -> bool:
    """A verb with people as its subject stands beside an adverb, with its object between at most."""
    for place in (adverb + 1, *range(adverb - 1, max(-1, adverb - 8), -1)):
        word = line.word(place)
        if word.endswith("ed") or word in PASTS:
            if line.be_before(place):
                return False
            return line.subject(place) in HUMAN
    return False
