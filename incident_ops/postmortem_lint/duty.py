"""Language that measures people against a duty: failed to, forgot, careless."""

from __future__ import annotations

from incident_ops.postmortem_lint.asks import human_acts, owner_before
from incident_ops.postmortem_lint.grammar import HUMAN, Line, Subject
from incident_ops.postmortem_lint.patterns import (
    ADV,
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
    with_words,
    words,
)
from incident_ops.postmortem_lint.words import (
    DUTY,
    DUTY_PAST,
    FOR_PEOPLE,
    NO_DUTY,
    ONLY_PEOPLE,
    OUTSIDERS,
    forms,
    past,
    word_set,
)

_CARELESS = (
    r"careless(?:ly|ness)?|slopp(?:y|ily|iness)|negligent(?:ly)?|negligence|reckless(?:ly|"
    r"ness)?|lazily|laziness|"
    r"inattentive(?:ly|ness)?|inattention|thoughtless(?:ly|ness)?|heedless(?:ly)?|slapdash|"
    r"slipshod|half-hearted(?:ly)?|"
    r"irresponsib(?:le|ly|ility)|unprofessional(?:ly)?|complacen(?:t|cy|tly)|cavalier|"
    r"lackadaisical(?:ly)?|sloth|nonchalant(?:ly)?|"
    r"absent-minded(?:ly|ness)?|hastily|overhasty|rashly|incompeten(?:t|ce|tly)"
)


_VIRTUES = (
    r"(?:care|attention(?: to detail)?|diligence|discipline|thoroughness|rigou?r|competence|"
    r"skills?|experience|professionalism|"
    r"responsibility|foresight|vigilance|effort|commitment|concentration|focus|common sense|"
    r"interest|urgency|motivation|"
    r"(?:judgment|judgement)|accountability|knowledge|awareness|understanding|expertise|"
    r"training|prudence|"
    r"caution|seriousness)"
)


_NEGLECT = forms(
    "ignore disregard skip bypass circumvent miss omit violate disobey flout bungle botch "
    "mishandle mismanage abandon "
    "sidestep shirk shrug"
)


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
    subject = line.subject(
        first + 1 if line.word(first) not in ("did", "do", "does", "had", "has", "have") else first, base
    )
    if line.word(first) in ("do", "don't", "does", "doesn't") and verb not in ("bother", "care"):
        return False
    if verb in ("bother", "bothered", "care", "cared"):
        return subject in HUMAN
    if line.word(0) in ("why", "what", "how") and not pressed:
        return False
    if subject is Subject.WE:
        return pressed and not line.gives_reason(behind)
    return subject is Subject.PERSON and (pressed or not (line.gives_reason(behind) or (line.has_figure and not base)))


_DONE = word_set(
    """
    ran run performed done made taken conducted written added created set updated tried
    """
)


def _nobody_did(line: Line, first: int, behind: int) -> bool:
    """`nobody` with a verb of duty in the past."""
    place = line.next_word(behind)
    if line.word(place) in ("in", "on", "at", "from", "of"):
        place = next((ahead for ahead in range(place, place + 6) if line.word(ahead) in DUTY_PAST | {"had"}), place)
    while line.word(place) in ("had", "has", "have", "was", "were"):
        place = line.next_word(place + 1)
    bothered = line.word(place) in ("bothered", "cared", "thought")
    explained = line.gives_reason(place) or line.has_figure or line.word(0) == "why"
    if line.word(first) == "none" and not any(line.is_person(head) for head in range(first, place)):
        return False
    return line.word(place) in DUTY_PAST and (bothered or not explained)


_BY_HAND = pattern(
    rf"(?:was|were) {ADV}(?:merged|deployed|rolled out|released|pushed|changed|applied|run|"
    rf"executed|made|shipped|approved|promoted)"
)


NEGLIGENCE: tuple[Pattern, ...] = (
    pattern(_CARELESS, not_negated),
    pattern(
        r"lazy|lax|hasty|rash",
        either(person_ahead, people_act, followed_by("attitude|discipline|approach|work|handover|cleanup|review")),
    ),
    pattern(
        r"forgot(?:ten)?|forgets?|forgetting|neglect(?:ed|s|ing)?|overlook(?:ed|s|ing)?",
        either(
            both(
                lambda line, first, _behind: line.subject(first, "notice") is not Subject.THING,
                not_followed_by("flag|job|password|branch|host|server|corner"),
            ),
            lambda line, first, _behind: line.be_before(first),
        ),
    ),
    pattern(rf"(?:fail|fails|failed|failing|neglected|omitted|refused) {ADV}to", _people_fail),
    pattern(
        r"failed (?:in|at) (?:his|her|their|its) (?:\w+ )?(?:duty|duties|task|job|responsibilit(?:y|"
        r"ies)|role|obligations?)"
    ),
    pattern(r"failures? (?:of|by|on the part of) ", person_ahead),
    pattern(
        r"(?:failure|inability|unwillingness|refusal|reluctance) to",
        lambda line, first, behind: (
            line.word(line.next_word(behind)) in ONLY_PEOPLE
            or owner_before(line, first, behind)
            or (
                line.word(line.next_word(behind)) in DUTY
                and any(word in FOR_PEOPLE for word in line.words[behind : behind + 6])
            )
        ),
    ),
    pattern(words(_NEGLECT - _SKIP - forms("ignore")), both(human_acts, not_followed_by(_AIMS))),
    pattern(words(forms("ignore")), both(person_acts, not_followed_by(_AIMS))),
    pattern(words(_SKIP), both(person_acts, unexplained, not_followed_by(_AIMS))),
    pattern(
        rf"(?:was|were|been|being) {ADV}{words(past('ignore disregard neglect flout violate'))}",
        not_followed_by(r"(?:by|in) (?:the )?(?:\w+ )?(?:parser|client|scheduler|service|tool)"),
    ),
    pattern(
        r"did not|didn't|had not|hadn't|has not|hasn't|have not|haven't|do not|don't|does not|doesn't|never", _duty_left
    ),
    pattern(rf"(?:was|were|been) (?:not|never) (?:\w+ly )?{words(DUTY_PAST)} by", person_ahead),
    pattern(r"let (?:\S+ ){1,4}(?:sit|lie|slide|slip|drift|run on)|waved (?:\S+ ){1,4}through", person_acts),
    pattern(r"(?:nobody|no one|no-one) (?:took|had taken|made) the (?:trouble|time|effort|care)"),
    pattern(r"nobody|no one|no-one|not a single person|none", _nobody_did),
    pattern(
        r"without (?:even |ever |first |proper(?:ly)? |any |the |a |due |sufficient )*"
        r"(?:check\w*|test\w*|read\w*|ask\w*|think\w*|thought|consult\w*|verif\w+|confirm\w*|"
        r"tell\w*|inform\w*|look\w*|review\w*|"
        r"bother\w*|follow\w*|mention\w*|investigat\w+|analy[sz]ing|document\w*|ensuring|specify\w*|"
        r"specifie[sd]|"
        r"escalat\w+|wait\w+|warn\w+|notif\w+|approv\w+|authori[sz]\w+|permission|notice|warning|"
        r"announc\w+|coordinat\w+|validat\w+|consider\w*|"
        r"understand\w*|realis\w*|care|consent|backup|peer review|sign-off)",
        both(lambda line, _first, _behind: line.people_act() or line.has(_BY_HAND.regex), unexplained),
    ),
    pattern(
        rf"(?:lack|want|absence|insufficient|inadequate|too little|not enough|poor|"
        rf"more) (?:of )?(?:\w+ )?{_VIRTUES}",
        both(
            not_followed_by(r"(?:page|job|set|data|run|environment|cluster|pipeline)\b"),
            lambda line, first, _behind: (
                line.word(first) != "more" and not (line.word(first) == "poor" and line.word(first + 1) == "of")
            ),
            either(
                people_named, with_words(r"\b(?:cause|reason|due|because|result|through|to|was|from|explain\w*|led)\b")
            ),
        ),
    ),
    pattern(
        rf"(?:lack(?:ed|s|ing)?|had (?:no|little|insufficient)|has (?:no|little)|showed (?:no|"
        rf"little)) (?:the |any |enough |sufficient |necessary |basic )*{_VIRTUES}",
        person_not_we,
    ),
    pattern(
        r"(?:not|n't) (?:\w+ )?(?:careful|attentive|diligent|thorough|vigilant|cautious|"
        r"conscientious|disciplined|alert)(?: enough)?",
        people_named,
    ),
    pattern(
        r"(?:despite|in spite of|even though|although|though) (?:\S+ ){0,4}?(?:warn\w*|remind\w*|"
        r"instruct\w*|train\w*|told|advised|knowing|policy|rules?|guidelines?)",
        both(lambda line, _first, _behind: line.people_act() or line.has(_BY_HAND.regex), unattributed),
    ),
    pattern(
        r"against (?:all |the |our |own |company |explicit |clear |better )*(?:procedures?|"
        r"polic(?:y|ies)|rules?|instructions?|advice|guidelines?|judgement|judgment|orders)|"
        r"in (?:violation|breach|disregard|defiance) of|contrary to (?:the |our |all |every |"
        r"explicit )*(?:procedures?|polic(?:y|ies)|rules?|instructions?|advice|guidelines?)",
        either(people_act, with_words(r"\b(?:was|were) \w+(?:ed|n)\b")),
    ),
    pattern(
        r"(?:cut|cutting|cuts) corners|drop(?:ped|s|ping)? the ball|asleep at|fell asleep|"
        r"phoned it in|half a job|look(?:ed|ing)? the other way|"
        r"turn(?:ed|ing) a blind eye|(?:mess|screw|foul|bugger|muck)(?:ed|ing|s)? (?:it |this |"
        r"things )?up|sat on (?:it|the|their)",
        no_thing_acts,
    ),
    pattern(
        r"(?:was|were) supposed to|(?:was|were) expected to|(?:was|were) meant to",
        both(person_not_we, with_words(r"\b(?:but|not|never|n't|instead|yet)\b|n't\b")),
    ),
)
