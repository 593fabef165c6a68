"""Language about people: blame, human error, negligence, judgement, states of mind, punishment."""

from __future__ import annotations

from incident_ops.postmortem_lint.grammar import HUMAN, Line, Subject
from incident_ops.postmortem_lint.patterns import (
    ADV,
    MODAL,
    Ask,
    Pattern,
    both,
    either,
    followed_by,
    no_thing_acts,
    not_followed_by,
    not_negated,
    pattern,
    people_act,
    people_named,
    person_acts,
    person_ahead,
    person_not_we,
    unattributed,
    unexplained,
    vague,
    with_words,
    without_words,
    words,
)
from incident_ops.postmortem_lint.words import (
    BAD_OUTCOMES,
    DUTY,
    DUTY_PAST,
    FOR_PEOPLE,
    NO_DUTY,
    ONLY_PEOPLE,
    OUTSIDERS,
    PASTS,
    forms,
    past,
)

TECHNICAL = (
    r"(?:rates?|pages?|handl\w+|codes?|messages?|logs?|budgets?|responses?|counts?|class(?:es)?|paths?|screens?|states?|"
    r"reports?|domains?|toleran\w+|injection|metrics?|ratios?|types?|values?|level|mask|correction|detection|isolation)"
)
_OUTCOME = words(BAD_OUTCOMES)


def owner_before(line: Line, first: int, _behind: int) -> bool:
    """A possessive of people stands before it: `the engineer's`."""
    return any(line.owns(place) for place in range(max(0, first - 3), first))


def person_in_front(line: Line, first: int, _behind: int) -> bool:
    """A noun of people stands right before it: `operator error`."""
    plain = line.word(first - 1) in ("user", "operator", "agent") and not line.word(first).endswith("s")
    return first > 0 and (line.is_person(first - 1) or plain)


def without_wider(line: Line, _first: int, behind: int) -> bool:
    """The verb's object is about taking a thing to pieces, not about a fault: `broke the work into parts`."""
    return not any(word in ("into", "even", "ground", "news", "records") for word in line.words[behind : behind + 6])


def human_acts(line: Line, first: int, _behind: int) -> bool:
    """People govern the verb, an `operator` too: no machine does such a thing."""
    return line.subject(first, "notice") in HUMAN


def human_not_we(line: Line, first: int, _behind: int) -> bool:
    """The same, other than ourselves."""
    return line.subject(first, "notice") in (Subject.PERSON, Subject.THEY)


def named_owner_acts(line: Line, first: int, _behind: int) -> bool:
    """What a named person made governs the verb: `Priya's change`."""
    near = range(max(0, first - 5), first)
    acts = not _ACTS_OF_PEOPLE.isdisjoint(line.words[max(0, first - 2) : first])
    return any(line.names_owner(place) or (acts and line.owns(place) and not line.words[place] in ("our", "their")) for place in near)


_ACTS_OF_PEOPLE = frozenset("change changes deploy deployment commit merge upgrade patch action actions push command edit migration release".split())


BLAME: tuple[Pattern, ...] = (
    pattern(r"to blame|at fault|culpable|guilty", both(no_thing_acts, not_negated)),
    pattern(
        r"blame (?:for|lies|rests|is|falls|belongs)|fault (?:lies|rests|is)|culprits?|responsibility (?:for|lies|rests)",
        both(people_named, not_negated, not_followed_by(TECHNICAL), with_words(rf"blame|fault|culprit|{_OUTCOME}")),
    ),
    pattern(r"(?:my|his|her|our|your|whose)(?: own)? fault|faults? on the part of", not_negated),
    pattern(r"fault", both(owner_before, not_negated, not_followed_by(TECHNICAL))),
    pattern(r"fault (?:of|with)", both(person_ahead, not_negated)),
    pattern(
        words(past("cause break crash ruin wreck destroy sabotage provoke") | {"breaks", "causes"}),
        both(either(person_acts, named_owner_acts), without_wider),
    ),
    pattern(r"(?:took|brought|knocked|taken) (?:\S+ ){1,5}(?:down|offline)", both(person_acts, vague)),
    pattern(r"(?:took|brought|knocked) (?:down|offline|out)", both(either(person_acts, named_owner_acts), vague)),
    pattern(rf"(?:caused|broken|provoked|ruined|wrecked|brought about|brought down) {ADV}by", person_ahead),
    pattern(r"(?:because of|attributable to|attributed to|traced back to|down to|courtesy of)", person_ahead),
    pattern(
        rf"(?:responsible|accountable|answerable) for (?:\S+ ){{0,4}}{_OUTCOME}",
        both(no_thing_acts, people_named, not_negated),
    ),
    pattern(r"(?:let|lets) (?:us|everyone|everybody|the \w+|our \w+) down|cost (?:us|the company|customers)", person_not_we),
    pattern(r"what happens (?:when|if)", person_ahead),
    pattern(
        r"(?:root )?(?:cause|reason|problem|culprit)(?: \w+){0,6}? (?:is|was|were)(?: that)?",
        both(person_ahead, with_words(r"\b(?:cause|reason|culprit)\b")),
    ),
    pattern(
        rf"{_OUTCOME}(?: \w+){{0,5}}? (?:happened|occurred|began|started|arose|came about) because", person_ahead
    ),
)

_SLIP = r"(?:errors?|mistakes?|slips?|slip-ups?|blunders?|lapses?|oversights?|carelessness|negligence|inattention)"

HUMAN_ERROR: tuple[Pattern, ...] = (
    pattern(
        r"(?:human|manual|pilot|clerical|personal|individual|personnel|finger|keyboard|operational) "
        r"(?:errors?|mistakes?|slips?|failures?|failings?|lapses?|oversights?|fault|trouble|factors?)",
        both(not_followed_by(TECHNICAL), without_words(r"\b(?:stop at|not stop|instead of|rather than|never accept)\b")),
    ),
    pattern(_SLIP, both(person_in_front, not_followed_by(TECHNICAL))),
    pattern(_SLIP, both(owner_before, not_followed_by(TECHNICAL), without_words(r"\berror (?:handling|budget)"))),
    pattern(rf"{_SLIP}(?: \w+){{0,3}}? (?:by|of|from|on the part of)", person_ahead),
    pattern(r"(?:made|makes|making|make|committed) (?:\S+ ){0,4}?(?:mistake|error|slip|blunder|slip-up)", person_acts),
    pattern(r"by mistake|mistakenly|erroneously", either(people_act, with_words(r"\b(?:was|were|been) "))),
    pattern(r"in error", both(people_act, not_followed_by("rate|state|handling"))),
    pattern(r"(?:was|were|through|by|due to|because of|is|to) (?:simply |just |purely )?(?:an?|the|some) (?:\w+ )?"
            r"(?:oversight|blunder|lapse|slip-up|slip)", lambda line, first, behind: line.word(first - 1) != "there"),
    pattern(r"(?:fat|butter)[- ]?finger\w*|pebkac|layer[- ]8 (?:problem|issue|error)"),
    pattern(words(past("mistype misread misjudge misinterpret misunderstand mis-click misclick miscount misconfigure "
                       "miscalculate")), person_acts),
    pattern(rf"(?:misconfigured|mistyped|misread|misjudged|misinterpreted|mishandled) {ADV}by", person_ahead),
)

_CARELESS = (
    r"careless(?:ly|ness)?|slopp(?:y|ily|iness)|negligent(?:ly)?|negligence|reckless(?:ly|ness)?|lazily|laziness|"
    r"inattentive(?:ly|ness)?|inattention|thoughtless(?:ly|ness)?|heedless(?:ly)?|slapdash|slipshod|half-hearted(?:ly)?|"
    r"irresponsib(?:le|ly|ility)|unprofessional(?:ly)?|complacen(?:t|cy|tly)|cavalier|lackadaisical(?:ly)?|sloth|nonchalant(?:ly)?|"
    r"absent-minded(?:ly|ness)?|hastily|overhasty|rashly|incompeten(?:t|ce|tly)"
)
_VIRTUES = (
    r"(?:care|attention(?: to detail)?|diligence|discipline|thoroughness|rigou?r|competence|skills?|experience|professionalism|"
    r"responsibility|foresight|vigilance|effort|commitment|concentration|focus|common sense|interest|urgency|motivation|"
    r"judg[e]?ment|accountability|knowledge|awareness|understanding|expertise|training|prudence|caution|seriousness)"
)
_NEGLECT = forms("ignore disregard skip bypass circumvent miss omit violate disobey flout bungle botch mishandle mismanage abandon "
                 "sidestep shirk shrug")
_SKIP = forms("skip bypass omit dismiss miss circumvent")
_AIMS = r"(?:\S+ ){0,3}(?:slo|slos|sla|targets?|deadlines?|objectives?|budgets?|goals?|milestones?)\b"


def _people_fail(line: Line, first: int, behind: int) -> bool:
    """People are the subject of `failed to`, as far as its own verb can tell."""
    base = line.word(line.next_word(behind))
    for_people = any(word in FOR_PEOPLE for word in line.words[behind : behind + 6])
    subject = line.subject(first, base if base in ONLY_PEOPLE or not for_people or base not in DUTY else "notice")
    return subject in HUMAN or (subject is Subject.THEY and base in ONLY_PEOPLE)


def _duty_left(line: Line, first: int, behind: int) -> bool:
    """`did not` with people as its subject and a verb of duty behind it."""
    place = line.next_word(behind)
    verb = line.word(place)
    base = verb if verb in DUTY else ""
    negated = line.word(first) in ("did", "didn't")
    pressed = line.word(behind) in ("even", "bother", "properly", "simply", "really", "ever")
    expected = base or verb in DUTY_PAST or pressed or (negated and verb not in NO_DUTY) or verb in _DONE
    if not expected or not OUTSIDERS.isdisjoint(line.words[max(0, first - 2) : first]):
        return False
    subject = line.subject(first + 1 if line.word(first) not in ("did", "do", "does", "had", "has", "have") else first, base)
    if line.word(first) in ("do", "don't", "does", "doesn't") and verb not in ("bother", "care"):
        return False
    if verb in ("bother", "bothered", "care", "cared"):
        return subject in HUMAN
    if line.word(0) in ("why", "what", "how") and not pressed:
        return False
    if subject is Subject.WE:
        return pressed and not line.gives_reason(behind)
    return subject is Subject.PERSON and (pressed or not (line.gives_reason(behind) or (line.is_specific and not base)))


_DONE = frozenset("ran run performed done made taken conducted written added created set updated tried".split())


def _nobody_did(line: Line, _first: int, behind: int) -> bool:
    """`nobody` with a verb of duty in the past."""
    place = line.next_word(behind)
    while line.word(place) in ("had", "has", "have", "was", "were"):
        place = line.next_word(place + 1)
    bothered = line.word(place) in ("bothered", "cared", "thought")
    explained = line.gives_reason(place) or line.is_specific or line.word(0) == "why"
    return line.word(place) in DUTY_PAST and (bothered or not explained)


NEGLIGENCE: tuple[Pattern, ...] = (
    pattern(_CARELESS, not_negated),
    pattern(r"lazy|lax|hasty|rash", either(person_ahead, people_act, followed_by("attitude|discipline|approach|work|handover|cleanup|review"))),
    pattern(r"forgot(?:ten)?|forgets?|forgetting|neglect(?:ed|s|ing)?|overlook(?:ed|s|ing)?",
            either(both(no_thing_acts, not_followed_by("flag|job|password|branch|host|server|corner")),
                   lambda line, first, _behind: line.be_before(first))),
    pattern(rf"{ADV}(?:fail|fails|failed|failing|neglected|omitted|refused) {ADV}to", _people_fail),
    pattern(rf"failures? (?:of|by|on the part of) ", person_ahead),
    pattern(r"(?:failure|inability|unwillingness|refusal|reluctance) to",
            lambda line, first, behind: line.word(line.next_word(behind)) in ONLY_PEOPLE
            or owner_before(line, first, behind)
            or (line.word(line.next_word(behind)) in DUTY and any(word in FOR_PEOPLE for word in line.words[behind : behind + 6]))),
    pattern(words(_NEGLECT - _SKIP - forms("ignore")), both(human_acts, not_followed_by(_AIMS))),
    pattern(words(forms("ignore")), both(person_acts, not_followed_by(_AIMS))),
    pattern(words(_SKIP), both(person_acts, unexplained, not_followed_by(_AIMS))),
    pattern(rf"(?:was|were|been|being) {ADV}{words(past('ignore disregard neglect flout violate'))}", not_followed_by(r"(?:by|in) (?:the )?(?:\w+ )?(?:parser|client|scheduler|service|tool)")),
    pattern(r"did not|didn't|had not|hadn't|has not|hasn't|have not|haven't|do not|don't|does not|doesn't|never", _duty_left),
    pattern(r"nobody|no one|no-one|not a single person|none of (?:us|them|the \w+)", _nobody_did),
    pattern(r"without (?:even |ever |first |proper(?:ly)? |any |the |a |due |sufficient )*"
            r"(?:check\w*|test\w*|read\w*|ask\w*|think\w*|thought|consult\w*|verif\w+|confirm\w*|tell\w*|inform\w*|look\w*|review\w*|"
            r"bother\w*|follow\w*|mention\w*|investigat\w+|analy[sz]ing|document\w*|ensuring|specif\w+|escalat\w+|wait\w+|warn\w+|notif\w+|approv\w+|authori[sz]\w+|permission|notice|warning|announc\w+|coordinat\w+|validat\w+|consider\w*|"
            r"understand\w*|realis\w*|care|consent|backup|peer review|sign-off)",
            both(lambda line, first, behind: line.people_act() or line.has(_BY_HAND.regex), unexplained)),
    pattern(rf"(?:lack|want|absence|insufficient|inadequate|too little|not enough|poor|more) (?:of )?(?:\w+ )?{_VIRTUES}",
            both(not_followed_by(r"(?:page|job|set|data|run|environment|cluster|pipeline)\b"), lambda line, first, _b: line.word(first) != "more"
                 and not (line.word(first) == "poor" and line.word(first + 1) == "of"), either(
                people_named, with_words(r"\b(?:cause|reason|due|because|result|through|to|was|from|explain\w*|led)\b")))),
    pattern(rf"(?:lack(?:ed|s|ing)?|had (?:no|little|insufficient)|has (?:no|little)|showed (?:no|little)) (?:the |any |enough |sufficient |necessary |basic )*{_VIRTUES}",
            person_not_we),
    pattern(r"(?:not|n't) (?:\w+ )?(?:careful|attentive|diligent|thorough|vigilant|cautious|conscientious|disciplined|alert)(?: enough)?", people_named),
    pattern(r"(?:despite|in spite of|even though|although|though) (?:\S+ ){0,4}?(?:warn\w*|remind\w*|instruct\w*|train\w*|told|advised|knowing|policy|rules?|guidelines?)",
            both(lambda line, first, behind: line.people_act() or line.has(_BY_HAND.regex), unattributed)),
    pattern(r"against (?:all |the |our |own |company |explicit |clear |better )*(?:procedures?|polic(?:y|ies)|rules?|instructions?|advice|guidelines?|judgement|judgment|orders)|"
            r"in (?:violation|breach|disregard|defiance) of|contrary to (?:the |our |all |every |explicit )*(?:procedures?|polic(?:y|ies)|rules?|instructions?|advice|guidelines?)",
            either(people_act, with_words(r"\b(?:was|were) \w+(?:ed|n)\b"))),
    pattern(r"(?:cut|cutting|cuts) corners|drop(?:ped|s|ping)? the ball|asleep at|fell asleep|phoned it in|half a job|look(?:ed|ing)? the other way|"
            r"turn(?:ed|ing) a blind eye|(?:mess|screw|foul|bugger|muck)(?:ed|ing|s)? (?:it |this |things )?up|sat on (?:it|the|their)", no_thing_acts),
    pattern(r"(?:was|were) supposed to|(?:was|were) expected to|(?:was|were) meant to", both(person_not_we, with_words(r"\b(?:but|not|never|n't|instead|yet)\b|n't\b"))),
)

_BY_HAND = pattern(rf"(?:was|were) {ADV}(?:merged|deployed|rolled out|released|pushed|changed|applied|run|executed|made|shipped|approved|promoted)")

_POOR = (
    r"(?:poor|bad|wrong|questionable|terrible|unwise|foolish|rash|reckless|weak|ill-advised|ill-judged|ill-considered|misguided|stupid|"
    r"unfortunate|careless|premature|dubious|awful|horrible|hasty|flawed|inexcusable|unacceptable|lousy|dreadful|silly|sloppy|unreasonable|irresponsible|amateurish)"
)
_TRAIT = (
    r"(?:careless|incompetent|inexperienced|unqualified|negligent|reckless|lazy|sloppy|inattentive|complacent|overconfident|over-confident|"
    r"irresponsible|unprofessional|naive|ignorant|clueless|stubborn|impatient|untrained|unprepared|unfit|undisciplined|unmotivated|thoughtless|"
    r"disorgani[sz]ed|uncooperative|arrogant|lax|indifferent|unskilled|forgetful|gullible|timid|hesitant|indecisive|passive|dismissive|"
    r"out of (?:his|her|their) depth|not up to (?:the|this|their|his|her) (?:task|job|role|standard)|"
    r"not (?:\w+ )?(?:experienced|qualified|trained|competent|skilled|careful|good|disciplined|attentive|prepared) enough|"
    r"too (?:slow|late|quick|hasty|optimistic|timid|cautious|trusting|confident|junior|eager|relaxed|inexperienced|busy|impatient|proud|careless|lazy|green|passive|lenient))"
)
_BADLY = (
    r"(?:poorly|badly|wrongly|improperly|inadequately|carelessly|rashly|prematurely|needlessly|unnecessarily|blindly|foolishly|"
    r"naively|stubbornly|recklessly|hastily|unwisely|irresponsibly|incompetently|sloppily|clumsily|stupidly|inexplicably|unreasonably|"
    r"too (?:slowly|late|quickly|hastily|long|casually|lightly|readily))"
)


def _no_machine_behind(line: Line, _first: int, behind: int) -> bool:
    """No `by the scheduler` follows, which would make it a statement about a machine."""
    if line.word(behind) in ("by", "of") and line.noun_ahead(behind + 1) >= 0:
        return line.person_ahead(behind + 1) or line.word(behind) == "of"
    return True


JUDGEMENT: tuple[Pattern, ...] = (
    pattern(rf"{_POOR} (?:\w+ )?(?:decisions?|judge?ment|judge?ment call|idea|thinking|attitude|leadership|conduct|teamwork|discipline|workmanship|instincts?|work ethic)",
            _no_machine_behind),
    pattern(rf"{_POOR} (?:communication|coordination|planning|preparation|call|job|choices?|response|reaction|handling|performance|work|management|behaviou?r|move|practice|handover)",
            both(either(people_named, followed_by(r"(?:to|not to)\b"), followed_by(r"between\b")), _no_machine_behind, not_followed_by("times?|codes?|from the (?:server|service)"))),
    pattern(rf"(?:decisions?|judge?ment|choice|call|attitude|reaction|response|performance|handling|idea|approach|behaviou?r|conduct) (?:\S+ ){{0,8}}?(?:was|were|is) {ADV}(?:an? |the )?(?:\w+ )?{_POOR}",
            both(people_named, without_words(r"\b(?:decision|choice|judge?ment|idea|attitude) "))),
    pattern(rf"(?:decisions?|judge?ment|choice|attitude|idea) (?:\S+ ){{0,8}}?(?:was|were|is) {ADV}(?:an? |the )?(?:\w+ )?{_POOR}"),
    pattern(rf"(?:it|this|that|which|doing so) (?:is|was) {ADV}(?:an? )?{_POOR} (?:of|for|to|not)", not_followed_by(r"\w+ (?:the )?(?:format|value)")),
    pattern(r"(?:was|were|is) (?:clearly |simply |plainly |just )*(?:an? |the )(?:\w+ )?(?:mistake|blunder|error of judge?ment|bad idea|poor choice|wrong (?:decision|call|choice|thing to do|move|order))",
            both(lambda line, first, behind: line.word(first - 1) not in ("there", "xxxx"), not_followed_by(r"in (?:the|a|our)\b"))),
    pattern(rf"(?:was|were|is|are|being|been|seemed|proved) {ADV}(?:an? )?{_TRAIT}", both(human_acts, not_negated)),
    pattern(_TRAIT, both(owner_before, not_negated)),
    pattern(rf"(?:was|were|is) {ADV}{_TRAIT}", lambda line, first, _behind: any(line.owns(place) and line.words[place] not in ("our", "their") for place in range(max(0, first - 3), first))),
    pattern(rf"{_TRAIT} (?:\w+ )?", lambda line, _first, behind: line.is_person(behind - 1) and line.word(behind - 1) not in ("he", "she", "i", "you")),
    pattern(rf"{_BADLY}", both(lambda line, first, _behind: _person_verb_near(line, first), _no_machine_behind)),
    pattern(r"(?:was|were) (?:too )?(?:slow|late|quick|reluctant) (?:to|in)", person_acts),
    pattern(r"took (?:far |much |way )?too long|took (?:his|her|their|its) (?:sweet )?time", person_acts),
    pattern(r"know(?:n)? better|knew better", not_negated),
    pattern(rf"(?:did|does|do|done|doing) (?:an? |such an? )?(?:\w+ )?{_POOR} (?:job|work)", people_named),
    pattern(r"not up to (?:the|this|their|his|her|our) (?:task|job|role|standards?)|below (?:the |our |any )?(?:expect\w+|standards?)|not good enough|"
            r"(?:left|leaves) (?:a lot|much|something) to be desired|(?:weak|poor) performance", people_named),
    pattern(r"(?:it|this|that) (?:is|was) (?:simply |completely |totally |just |absolutely )*(?:unacceptable|inexcusable|unforgivable|indefensible|shameful|disgraceful|embarrassing|disappointing|appalling|"
            r"baffling|inexplicable|astonishing|incomprehensible|unbelievable|outrageous|negligent)"),
    pattern(r"(?:unforgivabl|inexcusabl|disgraceful|shameful|embarrassing|disappointing)(?:e|y|ly)?", people_named),
    pattern(r"(?:an?|the|such) (?:\w+ )?(?:amateur|beginner's|rookie|schoolboy|elementary|stupid|silly|dumb|classic|basic) (?:\w+ )?(?:mistake|error|blunder)"),
    pattern(r"(?:any|every|a|an|no) (?:\w+ )?(?:competent|experienced|decent|good|reasonable|responsible|half-decent|senior|trained|qualified) (?:\w+ )?\w+ (?:would|should|could|knows)", with_words(r"\b(?:would|should|could|knows)\b")),
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


_STATE = (
    r"(?:tired|bored|distracted|stressed|confused|panicked|panicking|nervous|keen|eager|reluctant|unwilling|afraid|scared|annoyed|frustrated|"
    r"embarrassed|impatient|indifferent|uninterested|unmotivated|unconcerned|relaxed|hungover|in a (?:hurry|rush)|in denial|on autopilot|"
    r"half asleep|asleep|not (?:\w+ )?(?:interested|focus(?:s)?ed|motivated|engaged|concentrating|listening|bothered|thinking|paying|awake|convinced|willing)|"
    r"thinking (?:of|about)|hoping|daydreaming|trying to (?:hide|cover|impress|avoid|save)|more (?:interested|concerned)|preoccupied|convinced|overwhelmed|"
    r"only interested|obsessed|determined|desperate|happy to|content to|too (?:proud|embarrassed|tired|busy|focused|focussed|sure|afraid))"
)
_THOUGHT = past("think assume believe hope figure feel want presume decide suppose fancy fear imagine wish care") | {"felt", "thought"}
_BELIEVED = {"thought", "assumed", "believed", "hoped", "figured", "presumed", "felt", "imagined", "supposed", "feared"}
_PERHAPS = r"(?:evidently|apparently|obviously|presumably|clearly|probably|perhaps|maybe|seemingly|surely|doubtless|no doubt|undoubtedly|likely|supposedly|plainly)"


def _guess_about_person(line: Line, first: int, behind: int) -> bool:
    """A guess stands beside a verb whose subject is people."""
    for place in range(behind, min(behind + 7, len(line.words))):
        word = line.word(place)
        if word in "-–—;:.(":
            return False
        if (word.endswith(("ed", "n't")) or word in PASTS or word in ("was", "were", "had", "did", "has", "is")) and not line.is_person(place):
            return line.subject(place) is Subject.PERSON
    return False


MIND_READING: tuple[Pattern, ...] = (
    pattern(r"must (?:\w+ly |simply |just )?(?:not )?have", both(person_not_we, not_followed_by(r"(?:access|permission|approval|an?|the|at|two|both|one)\b"))),
    pattern(_PERHAPS, both(_guess_about_person, unattributed)),
    pattern(r"did not (?:seem|appear|want|care|mind|feel|bother|wish|like|dare|take)|didn't (?:seem|appear|want|care|mind|feel|bother|wish|like|dare|take)|cared little|could(?:n't| not) be bothered|had no (?:interest|intention|sense of|desire|time for|patience)",
            both(human_not_we, lambda line, first, behind: line.word(behind - 1) != "take" or "seriously" in line.words or "lightly" in line.words)),
    pattern(r"(?:take|took|taking|taken) (?:\S+ ){0,6}?(?:seriously|lightly|for granted|personally)", either(person_acts, people_named)),
    pattern(rf"(?:was|were|is|been|being|felt|seemed|appeared|looked|became|got|grew|acted) {ADV}{_STATE}", both(human_not_we, unattributed)),
    pattern(rf"(?:seem(?:s|ed)|appear(?:s|ed)) to (?:have )?(?:been )?(?:\w+ly )?(?:{words(_THOUGHT)}|think|believe|assume|care|know|not|{_STATE}|ignored|regard\w*|consider\w*|lost|given)", human_not_we),
    pattern(words(_BELIEVED), both(person_not_we, unattributed, lambda line, _first, behind: not line.gives_reason(behind))),
    pattern(r"(?:wanted|hoped|tried|preferred|intended|chose|decided|meant) to (?:\w+ly )?(?:finish|get|go|avoid|look|impress|save|hide|cover|leave|ignore|be|show|keep|prove|skip|protect|blame)",
            both(person_not_we, unattributed, lambda line, _first, behind: not line.gives_reason(behind))),
    pattern(r"(?:rushed|panicked|lost (?:interest|focus|concentration|patience|their nerve|his nerve|her nerve|sight)|gave up|could not care less|couldn't care less|wasn't thinking)", person_acts),
    pattern(r"(?:deliberately|intentionally|knowingly|wil[l]?fully|on purpose|consciously|purposely)", both(lambda line, first, behind: any(line.subject(place) is Subject.PERSON for place in (first, behind) if 0 < place < len(line.words)), unexplained)),
    pattern(r"(?:out of|from|through|due to|because of) (?:sheer |pure |simple |mere |plain )?(?:habit|laziness|fear|convenience|pride|impatience|ignorance|curiosity|boredom|frustration|arrogance|stubbornness|panic|complacency|fatigue|indifference|spite)",
            people_named),
    pattern(r"no sense of (?:urgency|responsibility|ownership)|false sense of (?:security|safety)|lack of (?:interest|motivation|will|concern)", people_named),
    pattern(r"(?:to|so as to|in order to) (?:impress|save face|look good|cover (?:up|their|his|her)|get (?:home|it over with|away))", people_named),
)

PUNISHMENT: tuple[Pattern, ...] = (
    pattern(r"disciplin(?:ary|ed)|reprimand\w*|(?:written|formal|verbal|official|final) warning|dismissed|dismissal|demot(?:ed|ion)|suspend(?:ed)?|sanction(?:ed|s)?|"
            r"penali[sz]\w+|penalty|punish\w*|terminated|sacked|fired",
            both(either(people_named, human_acts), lambda line, first, behind: _on_person(line, first))),
    pattern(r"disciplinary (?:action|measures?|procedure|steps?|proceedings?)|punish(?:ed|ment)|reprimand(?:ed)?|warning letter|performance (?:review|improvement plan|rating|appraisal)|name and shame"),
    pattern(r"(?:face|faces|faced|bear|bore|suffer) (?:the )?consequences|(?:there )?(?:will|must|should) be consequences|consequences for", people_named),
    pattern(r"(?:held|hold|holding|holds|be made|is made) (?:\S+ ){0,5}?(?:accountable|responsible|to account|liable)|answer for (?:this|it|their|his|her)"),
    pattern(r"(?:lost|lose|loses|revoked?|removed?|withdrawn?|taken away|stripped) (?:\S+ ){0,4}?(?:rights?|privileges?|access|permissions?) (?:for|from|of|because|until|as a (?:consequence|result))",
            both(people_named, with_words(r"\b(?:his|her|their|engineer|developer|person|consequence|punish\w*|mistake)\b"), without_words(r"\b(?:service account|role)\b"))),
)


def _on_person(line: Line, first: int) -> bool:
    word = line.word(first)
    if word in ("fired", "suspended", "suspend", "terminated", "dismissed", "dismissal", "sanction", "sanctions", "penalty"):
        return line.be_before(first) and line.subject(first, "notice") is Subject.PERSON
    return True
