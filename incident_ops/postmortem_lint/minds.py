"""Language about what people thought, felt or wanted."""

from __future__ import annotations

from incident_ops.postmortem_lint.asks import human_not_we
from incident_ops.postmortem_lint.grammar import Line, Subject
from incident_ops.postmortem_lint.patterns import (
    ADV,
    Pattern,
    both,
    either,
    not_followed_by,
    pattern,
    people_named,
    person_acts,
    person_not_we,
    unattributed,
    unexplained,
    with_words,
    words,
)
from incident_ops.postmortem_lint.words import BE, PASTS, past

_STATE = (
    r"(?:tired|bored|distracted|stressed|confused|panicked|panicking|nervous|keen|eager|"
    r"reluctant|unwilling|afraid|scared|annoyed|frustrated|"
    r"embarrassed|impatient|indifferent|uninterested|unmotivated|unconcerned|relaxed|hungover|"
    r"in a (?:hurry|rush)|in denial|on autopilot|"
    r"half asleep|asleep|not (?:\w+ )?(?:interested|focus(?:s)?ed|motivated|engaged|"
    r"concentrating|listening|bothered|thinking|paying|awake|convinced|willing)|"
    r"thinking (?:of|about)|hoping|daydreaming|trying to (?:hide|cover|impress|avoid|save)|"
    r"more (?:interested|concerned)|preoccupied|convinced|overwhelmed|"
    r"only interested|(?:sure|certain|confident|full) of (?:him|her|them)sel(?:f|ves)|obsessed|"
    r"determined|desperate|happy to|content to|too (?:proud|embarrassed|tired|busy|focused|"
    r"focussed|sure|afraid))"
)


_THOUGHT = past("think assume believe hope figure feel want presume decide suppose fancy fear imagine wish care") | {
    "felt",
    "thought",
}


_BELIEVED = {"thought", "assumed", "believed", "hoped", "figured", "presumed", "felt", "imagined", "supposed", "feared"}


_PERHAPS = (
    r"(?:evidently|apparently|obviously|presumably|clearly|probably|perhaps|maybe|seemingly|"
    r"surely|doubtless|no doubt|undoubtedly|likely|supposedly|plainly)"
)


def _guess_about_person(line: Line, first: int, behind: int) -> bool:
    """A guess stands beside a verb whose subject is people."""
    before = first - 1
    if line.word(before) in BE and line.subject(before) is Subject.PERSON:
        return True
    for place in range(behind, min(behind + 7, len(line.words))):
        word = line.word(place)
        if word in "-–—;:.(":
            return False
        if (
            word.endswith(("ed", "n't")) or word in PASTS or word in ("was", "were", "had", "did", "has", "is")
        ) and not line.is_person(place):
            return line.subject(place) is Subject.PERSON
    return False


MIND_READING: tuple[Pattern, ...] = (
    pattern(
        r"must (?:\w+ly |simply |just )?(?:not )?have",
        both(human_not_we, not_followed_by(r"(?:access|permission|approval|an?|the|at|two|both|one)\b")),
    ),
    pattern(_PERHAPS, both(_guess_about_person, unattributed)),
    pattern(
        r"did not (?:seem|appear|want|care|mind|feel|bother|wish|like|dare|take)|didn't (?:seem|"
        r"appear|want|care|mind|feel|bother|wish|like|dare|take)|cared little|could(?:n't|"
        r" not) be bothered|had no (?:interest|intention|sense of|desire|time for|patience)",
        both(
            human_not_we,
            lambda line, _first, behind: (
                line.word(behind - 1) != "take" or "seriously" in line.words or "lightly" in line.words
            ),
        ),
    ),
    pattern(
        r"(?:take|took|taking|taken) (?:\S+ ){0,6}?(?:seriously|lightly|for granted|personally)",
        either(person_acts, people_named),
    ),
    pattern(
        rf"(?:was|were|is|been|being|felt|seemed|appeared|looked|became|got|grew|acted) {ADV}{_STATE}",
        both(human_not_we, unattributed),
    ),
    pattern(
        rf"(?:seem(?:s|ed)|appear(?:s|ed)) to (?:have )?(?:been )?(?:\w+ly )?(?:{words(_THOUGHT)}|"
        rf"think|believe|assume|care|know|not|{_STATE}|ignored|regard\w*|consider\w*|lost|given)",
        human_not_we,
    ),
    pattern(
        words(_BELIEVED), both(person_not_we, unattributed, lambda line, _first, behind: not line.gives_reason(behind))
    ),
    pattern(r"(?:just|only|simply) wanted", human_not_we),
    pattern(r"knew", both(human_not_we, with_words(r"\b(?:anyway|nevertheless|regardless|all the same)\b"))),
    pattern(
        r"(?:wanted|hoped|tried|preferred|intended|chose|decided|meant) to (?:\w+ly )?(?:finish|get|"
        r"go|avoid|look|impress|save|hide|cover|leave|ignore|be|show|keep|prove|skip|protect|blame)",
        both(person_not_we, unattributed, lambda line, _first, behind: not line.gives_reason(behind)),
    ),
    pattern(
        r"(?:rushed|panicked|lost (?:interest|focus|concentration|patience|their nerve|his nerve|"
        r"her nerve|sight)|gave up|could not care less|couldn't care less|wasn't thinking)",
        person_acts,
    ),
    pattern(
        r"(?:deliberately|intentionally|knowingly|(?:willfully|wilfully)|on purpose|consciously|purposely)",
        both(
            lambda line, first, behind: any(
                line.subject(place) is Subject.PERSON for place in (first, behind) if 0 < place < len(line.words)
            ),
            unexplained,
        ),
    ),
    pattern(
        r"(?:out of|from|through|due to|because of) (?:sheer |pure |simple |mere |plain )?(?:habit|"
        r"laziness|fear|convenience|pride|impatience|ignorance|curiosity|boredom|frustration|"
        r"arrogance|stubbornness|panic|complacency|fatigue|indifference|spite)",
        people_named,
    ),
    pattern(
        r"no sense of (?:urgency|responsibility|ownership)|false sense of (?:security|safety)|"
        r"lack of (?:interest|motivation|will|concern)",
        people_named,
    ),
    pattern(
        r"(?:to|so as to|in order to) (?:impress|save face|look good|cover (?:up|their|his|her)|"
        r"get (?:home|it over with|away))",
        people_named,
    ),
)
