"""Passives that hide what happened."""

from __future__ import annotations

import re

from incident_ops.postmortem_lint.grammar import Line
from incident_ops.postmortem_lint.patterns import ADV, Pattern, both, pattern, vague, words
from incident_ops.postmortem_lint.words import past, word_set

_OMITTED = words(
    past(
        "skip ignore miss overlook neglect omit forget disregard bypass underestimate overestimate "
        "mishandle misunderstand misjudge mismanage botch misread misinterpret circumvent cut break"
    )
)


_UNDONE = words(
    past(
        "communicate inform follow announce escalate consider respect heed notify coordinate "
        "consult involve observe share appreciate challenge question prioritise prioritize "
        "anticipate discuss raise understand recognise recognize "
        "notice identify tell act warn appraise apprise brief realise realize listen foresee"
    )
    | {
        "acted on",
        "acted upon",
        "passed on",
        "passed along",
        "taken seriously",
        "taken into account",
        "thought through",
        "made aware",
        "kept informed",
        "kept up to date",
        "looked at",
        "looked into",
        "followed up",
        "dealt with",
        "taken",
        "given",
        "made clear",
        "adhered to",
        "thought of",
        "understood",
        "told",
        "paid",
    }
)


_CARED = words(
    past(
        "test check verify review validate document monitor perform do carry plan prepare assess "
        "examine maintain evaluate investigate update inspect handle manage execute complete "
        "define clarify"
    )
    | {"carried out", "done", "made"}
)


_DULY = (
    r"(?:properly|adequately|sufficiently|thoroughly|carefully|correctly|fully|well|"
    r"appropriately|duly|really|ever|completely|closely|diligently|seriously|enough)"
)


def _by_machine(line: Line, behind: int) -> bool:
    """`by the parser` follows: then the passive hides nothing."""
    for place in range(behind, min(behind + 3, len(line.words))):
        if line.word(place) in ("by", "from", "in", "at"):
            return line.noun_ahead(place + 1) >= 0 and not line.person_ahead(place + 1)
    return False


def _omitted_by_people(line: Line, first: int, behind: int) -> bool:
    """What was left out is something that people do or read: a check, a step, a warning."""
    verb = line.word(behind - 1)
    if verb in ("dropped", "lost", "broken", "bypassed", "ignored", "missed", "cut", "skipped"):
        return any(word in _PEOPLES_MATTERS for word in line.words[max(0, first - 6) : first])
    return True


_PEOPLES_MATTERS = word_set(
    """
    check checks step steps test tests review reviews warning warnings alert alerts alarm alarms sign signs
    procedure procedures rule rules process policy policies instruction instructions approval approvals message
    messages e-mail email notification notifications symptom symptoms page pages ticket tickets deadline detail
    details ball balls corner corners verification testing sign-off signals signal hint hints concern concerns
    report reports advice guideline guidelines protocol protocols precautions precaution it this that opportunity
    opportunities item items request requests information
    """
)


PASSIVE: tuple[Pattern, ...] = (
    pattern(
        r"(?:mistakes?|errors?|wrong (?:decisions?|choices?|assumptions?|calls?)|bad (?:decisions?|"
        r"choices?|calls?)|poor (?:decisions?|choices?)|misjudgments?|misjudgements?|assumptions?|"
        r"oversights?|"
        r"blunders?|missteps?|omissions?|(?:incorrect|false|wrong) assumptions?|shortcuts?) "
        rf"(?:\S+ ){{0,4}}?(?:was|were|had been|have been) {ADV}(?:made|taken|committed|happening|drawn)",
        vague_here := lambda line, _first, _behind: (
            not line.has(
                re.compile(
                    r"\bby (?:the )?\w*(?:parser|scheduler|script|tool|service|client|controller|autoscaler|model)"
                )
            )
        ),
    ),
    pattern(
        rf"(?:was|were|had been|have been|has been|got|being) {ADV}{_OMITTED}",
        both(
            vague,
            lambda line, _first, behind: not _by_machine(line, behind),
            lambda line, first, behind: _omitted_by_people(line, first, behind),
        ),
    ),
    pattern(
        rf"(?:was|were|had|has|have|been) (?:\w+ )?(?:not|never)(?: been)? (?:\w+ly |been |yet |"
        rf"really |ever |also |first )*{_UNDONE}|(?:wasn't|weren't|hadn't been|"
        rf"hasn't been) (?:\w+ly |really |ever )*{_UNDONE}",
        vague,
    ),
    pattern(
        rf"(?:was|were|had|has|have) (?:not|never)(?: been)? (?:\w+ )?{_DULY} {_CARED}|(?:was|were|"
        rf"had|has|have) (?:not|never)(?: been)? {_CARED} (?:\w+ )?{_DULY}|(?:wasn't|weren't|"
        rf"hadn't been|hasn't been) (?:{_DULY} {_CARED}|{_CARED} {_DULY})",
        vague,
    ),
    pattern(
        r"(?:was|were) (?:informed|notified|told|alerted|called|consulted|escalated|announced|"
        r"communicated|involved|"
        r"reported) (?:far |much )?too late|"
        r"(?:was|were) never (?:tested|verified|checked|reviewed|documented|validated|questioned|raised)",
        vague,
    ),
    pattern(
        r"(?:was|were) (?:handled|managed|communicated|planned|prepared|executed|coordinated|"
        r"conducted|tested|documented) "
        r"(?:very |so |rather )?(?:badly|poorly|inadequately|insufficiently|improperly|wrongly)",
        vague,
    ),
    pattern(
        rf"(?:was|were) {ADV}(?:inadequately|insufficiently|improperly|poorly|badly|incorrectly|"
        rf"wrongly) (?:handled|managed|communicated|planned|prepared|executed|coordinated|performed|"
        rf"conducted|tested|documented|carried out|understood|judged|assessed|supervised)",
        vague,
    ),
    pattern(
        r"(?:tests?|testing|checks?|reviews?|verification|validation|due diligence|analysis|"
        r"communication|procedures?|steps?|precautions?|safeguards?|approvals?|instructions?|"
        r"guidelines?|rules?|polic(?:y|ies)|protocols?|measures?) (?:\S+ ){0,6}?(?:was|were|had|has|"
        r"have) (?:not|never)(?: been)? (?:\w+ly |also )*"
        r"(?:done|performed|carried out|followed|observed|respected|applied|taken|made|conducted|"
        r"completed|obtained|given|undertaken|met|adhered to|done properly)|"
        r"(?:tests?|testing|checks?|reviews?|verification|procedures?|steps?|precautions?|rules?|"
        r"polic(?:y|ies)) (?:\S+ ){0,3}?(?:wasn't|weren't) (?:\w+ly )*(?:done|performed|carried out|"
        r"followed|observed|respected|applied|taken|made|conducted|completed)",
        vague,
    ),
    pattern(
        r"(?:corners were cut|balls? (?:was|were) dropped|things (?:went|got|were) (?:wrong|missed|"
        r"out of hand|overlooked|forgotten|lost)|something (?:went|was) (?:wrong|missed|amiss|"
        r"overlooked)|(?:it|this|that) (?:fell|slipped) through|fell (?:through|between) the cracks|"
        r"slipped through the (?:cracks|net)|"
        r"mistakes happened|errors occurred|lessons (?:were|have been|had been) not|"
        r"nothing was done|no action was taken|action was not taken|not enough was done|got lost|"
        r"went unnoticed|went unheeded|went unanswered|was allowed to happen|were allowed to happen)",
        vague,
    ),
    pattern(
        r"(?:no|little|insufficient|inadequate|not enough|too little) (?:\w+ )?(?:testing|"
        r"communication|attention|thought|consideration|planning|review|care|notice|warning|"
        r"coordination|preparation|checks?|verification|follow-up|validation) (?:\S+ ){0,4}?(?:was|"
        r"were|had been|took place|happened)",
        vague,
    ),
    pattern(
        r"(?:wrong|incorrect|unsuitable|inappropriate) (?:\w+ ){1,3}(?:was|were|had been) (?:chosen|"
        r"selected|used|pressed|clicked|entered|picked|applied|run|executed|deleted|given|typed|"
        r"taken)",
        both(vague, lambda line, _first, behind: not _by_machine(line, behind)),
    ),
    pattern(
        r"(?:communication|coordination|handover|information flow|teamwork|the (?:handover|"
        r"communication|coordination)) (?:\S+ ){0,3}?(?:broke down|failed|was lacking|was (?:poor|"
        r"bad|insufficient|inadequate|missing|unclear|suboptimal)|could have been better|went wrong|"
        r"did not (?:work|happen))",
        vague,
    ),
    pattern(
        r"(?:wrong|false) (?:priorities|conclusions?|focus|signals?) (?:was|were) (?:set|drawn|"
        r"chosen|sent)|"
        r"(?:it|this) (?:was|had been) (?:\w+ly )?(?:assumed|believed|thought|decided|felt|deemed|"
        r"considered|agreed|understood|expected|hoped|forgotten)",
        vague,
    ),
)
