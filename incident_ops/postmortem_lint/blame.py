"""Language that blames: a person as the cause, human error as an explanation, punishment."""

from __future__ import annotations

from incident_ops.postmortem_lint.asks import human_acts, owner_before, person_in_front, somebodys
from incident_ops.postmortem_lint.grammar import Line, Subject
from incident_ops.postmortem_lint.patterns import (
    ADV,
    Pattern,
    both,
    either,
    no_thing_acts,
    not_followed_by,
    not_negated,
    pattern,
    people_act,
    people_named,
    person_acts,
    person_ahead,
    person_not_we,
    vague,
    with_words,
    without_words,
    words,
)
from incident_ops.postmortem_lint.words import BAD_OUTCOMES, PERHAPS_PEOPLE, TECHNICAL, past, word_set

_OUTCOME = words(BAD_OUTCOMES)


def without_wider(line: Line, _first: int, behind: int) -> bool:
    """The verb's object is about taking a thing to pieces, not about a fault: `broke the work into parts`."""
    return not any(word in ("into", "even", "ground", "news", "records") for word in line.words[behind : behind + 6])


def named_owner_acts(line: Line, first: int, _behind: int) -> bool:
    """What a named person made governs the verb: `Priya's change`."""
    near = range(max(0, first - 5), first)
    acts = not _ACTS_OF_PEOPLE.isdisjoint(line.words[max(0, first - 2) : first])
    return any(
        line.names_owner(place) or (acts and line.owns(place) and line.words[place] not in ("our", "their"))
        for place in near
    )


_ACTS_OF_PEOPLE = word_set(
    """
    change changes deploy deployment commit merge upgrade patch action actions push command edit migration release
    """
)


BLAME: tuple[Pattern, ...] = (
    pattern(r"to blame|at fault|culpable|guilty", both(no_thing_acts, not_negated)),
    pattern(
        r"blame (?:for|lies|rests|is|falls|belongs)|fault (?:lies|rests|is)|culprits?|"
        r"responsibility (?:for|lies|rests)",
        both(people_named, not_negated, not_followed_by(TECHNICAL), with_words(rf"blame|fault|culprit|{_OUTCOME}")),
    ),
    pattern(r"(?:my|his|her|our|your|whose)(?: own)? fault|faults? on the part of", not_negated),
    pattern(r"fault", both(owner_before, not_negated, not_followed_by(TECHNICAL))),
    pattern(r"fault (?:of|with)", both(person_ahead, not_negated)),
    pattern(
        words(past("cause break crash ruin wreck destroy sabotage provoke") | {"breaks", "causes"}),
        both(either(person_acts, named_owner_acts), without_wider),
    ),
    pattern(
        r"(?:took|brought|knocked|taken) (?:\S+ ){1,5}(?:down|offline|to (?:a halt|its knees|a standstill))",
        both(either(person_acts, named_owner_acts), vague),
    ),
    pattern(r"doing", both(owner_before, lambda line, first, _behind: line.word(first + 1) in (".", ",", "", ";"))),
    pattern(r"(?:took|brought|knocked) (?:down|offline|out)", both(either(person_acts, named_owner_acts), vague)),
    pattern(rf"(?:caused|broken|provoked|ruined|wrecked|brought about|brought down) {ADV}by", person_ahead),
    pattern(
        r"(?:because of|attributable to|attributed to|traced(?: back)? to|down to|(?:goes|going|went|"
        r"leads|led) back to|courtesy of)",
        person_ahead,
    ),
    pattern(
        rf"(?:responsible|accountable|answerable) for (?:\S+ ){{0,4}}{_OUTCOME}",
        both(no_thing_acts, people_named, not_negated),
    ),
    pattern(
        r"(?:let|lets) (?:us|everyone|everybody|the \w+|our \w+) down|cost (?:us|the company|customers)", person_not_we
    ),
    pattern(r"what happens (?:when|if)", person_ahead),
    pattern(
        r"(?:is|was|are|were) (?:the |one |a )?(?:\w+ )?(?:reason|cause|origin) (?:why|for|of|behind|that)", person_acts
    ),
    pattern(r"(?:this|that|incident|outage|failure|mistake) (?:is|was) on", person_ahead),
    pattern(
        r"(?:it|this) (?:was|is)",
        lambda line, _first, behind: (
            line.person_ahead(behind) and line.word(line.noun_ahead(behind) + 1) in ("who", "that")
        ),
    ),
    pattern(r"whoever (?:\w+ly )?(?:has |had )?\w+(?:ed|te|de|ne|an|ook|ut|id)"),
    pattern(
        r"(?:root )?(?:cause|reason|problem|culprit)(?: \w+){0,6}? (?:is|was|were)(?: that)?",
        both(person_ahead, with_words(r"\b(?:cause|reason|culprit)\b")),
    ),
    pattern(rf"{_OUTCOME}(?: \w+){{0,5}}? (?:happened|occurred|began|started|arose|came about) because", person_ahead),
)


_SLIP = (
    r"(?:errors?|mistakes?|slips?|slip-ups?|blunders?|lapses?|oversights?|carelessness|"
    r"negligence|inattention)"
)


HUMAN_ERROR: tuple[Pattern, ...] = (
    pattern(
        r"(?:human|manual|pilot|clerical|personal|individual|personnel|finger|keyboard|operational) "
        r"(?:errors?|mistakes?|slips?|failures?|failings?|lapses?|oversights?|fault|trouble|factors?)",
        both(
            not_followed_by(TECHNICAL), without_words(r"\b(?:stop at|not stop|instead of|rather than|never accept)\b")
        ),
    ),
    pattern(_SLIP, both(person_in_front, not_followed_by(TECHNICAL))),
    pattern(_SLIP, both(somebodys, not_followed_by(TECHNICAL), without_words(r"\berror (?:handling|budget)"))),
    pattern(rf"{_SLIP}(?: \w+){{0,3}}? (?:by|of|from|on the part of)", person_ahead),
    pattern(
        r"(?:mistakes?|slips?|lapses?|oversights?|carelessness)(?: \w+){0,2}? (?:by|of)",
        lambda line, _first, behind: line.word(line.noun_ahead(behind)) in PERHAPS_PEOPLE,
    ),
    pattern(r"(?:made|makes|making|make|committed) (?:\S+ ){0,4}?(?:mistake|error|slip|blunder|slip-up)", person_acts),
    pattern(r"by mistake|mistakenly|erroneously", either(people_act, with_words(r"\b(?:was|were|been) "))),
    pattern(r"in error by", person_ahead),
    pattern(r"in error", both(people_act, not_followed_by("rate|state|handling"))),
    pattern(
        r"(?:was|were|through|by|due to|because of|is|to) (?:simply |just |purely )?(?:an?|the|"
        r"some) (?:\w+ )?"
        r"(?:oversight|blunder|lapse|slip-up|slip)",
        lambda line, first, _behind: line.word(first - 1) != "there",
    ),
    pattern(r"(?:incorrect|wrong|faulty|mistaken|erroneous) (?:\w+ ){1,2}by", person_ahead),
    pattern(r"between (?:the )?(?:keyboard|chair) and (?:the )?(?:keyboard|chair)"),
    pattern(r"(?:accidentally|inadvertently) by|(?:accidentally|inadvertently) \w+ed by", person_ahead),
    pattern(r"accidentally|inadvertently|unintentionally", person_acts),
    pattern(r"(?:fat|butter)[- ]?finger\w*|pebkac|layer[- ]8 (?:problem|issue|error)"),
    pattern(
        words(
            past(
                "mistype misread misjudge misinterpret misunderstand mis-click misclick miscount misconfigure "
                "miscalculate"
            )
        ),
        person_acts,
    ),
    pattern(rf"(?:misconfigured|mistyped|misread|misjudged|misinterpreted|mishandled) {ADV}by", person_ahead),
)


PUNISHMENT: tuple[Pattern, ...] = (
    pattern(
        r"disciplin(?:ary|ed)|reprimand\w*|(?:written|formal|verbal|official|final) warning|"
        r"dismissed|dismissal|demot(?:ed|ion)|suspend(?:ed)?|sanction(?:ed|s)?|"
        r"penali[sz]\w+|penalty|punish\w*|terminated|sacked|fired",
        both(either(people_named, human_acts), lambda line, first, _behind: _on_person(line, first)),
    ),
    pattern(
        r"disciplinary (?:action|measures?|procedure|steps?|proceedings?)|punished|punishment|"
        r"reprimand(?:ed)?|warning letter|performance (?:review|improvement plan|rating|appraisal)|"
        r"name and shame"
    ),
    pattern(
        r"(?:face|faces|faced|bear|bore|suffer) (?:the )?consequences|(?:there )?(?:will|must|"
        r"should) be consequences|consequences for",
        people_named,
    ),
    pattern(
        r"(?:held|hold|holding|holds|be made|is made) (?:\S+ ){0,5}?(?:accountable|responsible|"
        r"to account|liable)|answer for (?:this|it|their|his|her)"
    ),
    pattern(
        r"(?:lost|lose|loses|revoked?|removed?|withdrawn?|taken away|"
        r"stripped) (?:\S+ ){0,4}?(?:rights?|privileges?|access|permissions?) (?:for|from|of|"
        r"because|until|as a (?:consequence|result))",
        both(
            people_named,
            with_words(r"\b(?:his|her|their|engineer|developer|person|consequence|punish\w*|mistake)\b"),
            without_words(r"\b(?:service account|role)\b"),
        ),
    ),
)


def _on_person(line: Line, first: int) -> bool:
    word = line.word(first)
    if word in (
        "fired",
        "suspended",
        "suspend",
        "terminated",
        "dismissed",
        "dismissal",
        "sanction",
        "sanctions",
        "penalty",
    ):
        return line.be_before(first) and line.subject(first, "notice") is Subject.PERSON
    return True
