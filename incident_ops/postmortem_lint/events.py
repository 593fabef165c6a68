"""Language about events: other courses they did not take, hindsight, and passives that hide what happened."""

from __future__ import annotations

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
    people_named,
    person_acts,
    unexplained,
    vague,
    with_words,
    without_words,
    words,
)
from incident_ops.postmortem_lint.words import forms, past

_PREVENTED = words(past("prevent avoid catch detect notice spot stop avert mitigate limit shorten contain reveal flag discover "
                        "find foresee anticipate expose uncover show surface warn alert save spare help resolve fix suffice identify reduce "
                        "recognise recognize see know tell halve block intercept reject signal prove protect") | {"been enough", "made a difference"})
_HANDLED = words(past("catch notice test review document escalate communicate merge deploy roll do take avoid prevent detect spot anticipate "
                      "foresee plan check verify announce inform involve consult consider release make push run follow monitor update approve "
                      "discuss coordinate call page tell train question stop pause know ask raise reject revert postpone delay automate warn "
                      "alert inspect validate see identify remove replace expect recognise recognize apply change start begin allow give find "
                      "handle address schedule fix assign declare upgrade patch renew rotate back leave limit delete disable enable set read") | {"in place", "left", "put", "clear", "obvious", "ready", "sent", "set", "read", "there", "more careful"})
_PROCESS = r"(?:review\w*|tests?|testing|alerts?|alerting|alarms?|monitoring|checks?|change|deployment|deploy|rollout|release|upgrade|migration|rollback|runbook|procedure|process|plan|handover|response|announcement|staging|qa|canary)"
_WORSE = r"(?:longer|worse|more|lost|losing|affected|impacted|exposed|spread|failed|doubled|tripled|exhausted|reached|filled|overflowed|corrupted|deleted|unavailable|missed until|double)"
_NOT_ACTORS = r"(?:attackers?|intruders?|customers?|users?|clients?|people|readers?|visitors?|buyers?|subscribers?|third parties|anyone|anybody|persons?|individuals|patients?|students?)"


def _own_people_act(line: Line, first: int, _behind: int) -> bool:
    """Those who ran the system govern the verb, not those who used or attacked it."""
    if line.subject(first) not in HUMAN:
        return False
    before = line.words[max(0, first - 3) : first]
    return not any(followed in _OUTSIDERS for followed in before)


_OUTSIDERS = frozenset("attacker attackers intruder customer customers user users client clients people readers visitors buyers patients students".split())


def _process_acts(line: Line, first: int, _behind: int) -> bool:
    """A review, a test, an alert governs the verb: what was expected of it is what is said."""
    start = max(0, first - 4)
    near = " ".join(line.words[start:first])
    return any(word in _PROCESS_WORDS for word in near.split())


_PROCESS_WORDS = frozenset(
    "review reviews test tests testing alert alerts alerting alarm alarms monitoring runbook procedure process plan handover response staging qa canary".split()
)


def _risk_told(line: Line, _first: int, behind: int) -> bool:
    """What follows is something worse that did not come about: an estimate of risk, not a better course."""
    return any(word in _WORSE_WORDS for word in line.words[max(0, behind - 1) : behind + 8])


_WORSE_WORDS = frozenset(
    """longer worse lost affected impacted exposed spread failed doubled tripled exhausted reached filled overflowed corrupted deleted unavailable
    leaked stolen compromised double bigger larger""".split()
)


def _better_outcome(line: Line, first: int, behind: int) -> bool:
    """A better outcome is told: something prevented, shorter, or not happening at all."""
    tail = line.text[line.starts[first] :]
    if _BETTER.search(tail):
        return True
    return False


import re

_BETTER = re.compile(
    r"\b(?:avoid\w*|prevent\w*|caught|notice[d]?|spotted|shorter|sooner|earlier|faster|quicker|smaller|less|fewer|fine|saved|stopped|averted|"
    r"detected|not have (?:happened|occurred|been|reached|lasted|spread|gone|needed|had)|never have|never happened|known|seen it|minor|nothing|no outage|"
    r"contained|limited|half|only|minutes instead|under control|safe|unaffected|clear|obvious)\b|n't have"
)

_PARTICIPLE = (
    r"(?:\w+ed|\w+en|been|done|gone|made|put|set|read|run|left|kept|told|sent|built|held|found|come|known|shown|thought|brought|caught|"
    r"had|felt|let|led|met|paid|said|shut|stood|understood|won|cut|hit|become|begun|drawn|grown|thrown|begged)"
)
COUNTERFACTUAL: tuple[Pattern, ...] = (
    pattern(rf"(?:should've|(?:should|ought to) (?:\w+ly |also |at least |never |not |really |all |both )*have) {ADV}(?:been )?(?:\w+ly )?{_PARTICIPLE}|shouldn't have {ADV}(?:been )?{_PARTICIPLE}",
            either(_own_people_act, both(lambda line, first, behind: line.word(behind - 1) in _HANDLED_WORDS or line.word(behind - 2) == "been" and line.word(behind - 1) in _HANDLED_WORDS),
                   _process_acts, with_words(r"\bhave (?:\S+ ){0,6}?(?:earlier|sooner|immediately|at once|right away|straight away|beforehand|faster|first)\b"), lambda line, first, _b: line.subject(first) is Subject.NOBODY or line.word(first - 1) in ("this", "it", "that", "there", "which", "what"))),
    pattern(rf"(?:could|might|may) (?:\w+ly |also |at least |well |just |simply |perhaps )*have {ADV}(?:been )?(?:\w+ly )?{_PREVENTED}", 
            either(_own_people_act, both(not_negated, lambda line, first, behind: not _risk_told(line, first, behind), without_words(r"\bup to\b"),
                 either(followed_by(r"(?:by|if|had|with|earlier|sooner|in|at|before|the|this|it|us|entirely|altogether|completely|easily|within|much|days|weeks|hours|minutes|on|\d|[.!]|$)"))))),
    pattern(rf"(?:could|might)(?:'ve| (?:\w+ly |also |at least |well |just |simply |perhaps )*have)(?: \w+)?", both(_own_people_act, not_followed_by(r"(?:known|foreseen|predicted)"))),
    pattern(rf"would (?:\w+ly |also |at least |well |just |simply |perhaps |have |not |never )*have {ADV}(?:been )?(?:\w+ly )?{_PREVENTED}",
            both(lambda line, first, behind: "not" not in line.words[first:behind] or True, lambda line, first, behind: not _risk_told(line, first, behind), without_words(r"^without\b(?!.*\bcould\b)"))),
    pattern(r"if only|had (?:it|there) (?:only |not )?been|were it not for", without_words(r"\bif only (?:one|the|a|two|\d)\b.*\b(?:is|are)\b")),
    pattern(r"if (?:\S+ ){1,8}?(?:had|hadn't|'d) ", both(with_words(r"\b(?:would|could|might|should)(?:n't)?\b"), _better_outcome)),
    pattern(r"had (?:any|some|every|no)(?:one|body)|had (?:we|they|he|she|i|you)|had (?:the |our |a |an )?(?:\w+[ -]){0,3}?(?:team|engineers?|developers?|operators?|reviewers?|person|people|shift|admins?|managers?|vendor|responders?|author)", with_words(r"\b(?:would|could|might)(?:n't)?\b")),
    pattern(r"(?:had|hadn't) (?:\S+ ){1,7}?\w+", both(lambda line, first, _b: first == 0 or line.word(first - 1) in (",", "and", ";", ":", "but", "that", "happened", "avoided", "prevented", "if", "place") or line.word(first - 1).endswith("ed"),
                                                   with_words(r"\b(?:would|could|might)(?:n't)?\b"), _better_outcome)),
    pattern(r"would not have|wouldn't have|would never have|need(?:ed)? not have|needn't have|could have been (?:so |much |a lot )?(?:shorter|smaller|quicker|faster|better|different|over|done)",
            both(lambda line, first, _b: line.subject(first) not in () and not line.text.startswith("without "), with_words(r"\b(?:happen\w*|occur\w*|been|come|become|gone|lasted|reached|broken|failed|spread|needed|started|have had|lost|escalated|arisen)\b"),
                 either(with_words(r"\b(?:if|had|with|but for|unless)\b"), with_words(r"\bneed(?:ed)?n?'?t? (?:not )?have|could have been")))),
    pattern(r"(?:it )?would have been (?:\w+ly |far |much |so )?(?:better|best|enough|wise|wiser|sensible|prudent|safer|easier|easy|simple|possible|preferable|helpful|appropriate|correct|right|advisable|sufficient|trivial|good|reasonable|quicker|faster|simpler)"),
    pattern(r"(?:the )?(?:better|right|correct|safer|proper|obvious|sensible|simpler|wiser) (?:choice|course|decision|action|approach|move|thing|option|step|response|way|call)(?: \w+){0,4}? (?:would have been|was to|had been|is to have)"),
    pattern(r"(?:only had|had only|needed only|only needed|need only have|only have had) to|all (?:\w+ ){1,4}(?:had|needed) to do (?:was|is)|all (?:it|this|that) (?:\w+ )?(?:took|needed|required)|would have (?:taken|cost|needed|required) (?:only |just |less |a |an |one |two |five |ten |\w+ )?(?:\w+ )?(?:seconds?|minutes?|moments?|glance|look|hour|call|question|line)",
            without_words(r"\bwe (?:only had|had only) to\b")),
    pattern(r"(?:was|were|is) (?:\w+ly |all |quite |wholly |totally )?(?:avoidable|preventable)|(?:an?|this|the|these|entirely|completely|easily) (?:\w+ly )?(?:avoidable|preventable) (?:\w+)|(?:needless|unnecessary) (?:outage|incident|downtime|failure|disruption|delay)", not_negated),
    pattern(r"(?:missed|wasted|lost) (?:the |an? |every |several |this |that )?(?:\w+ )?(?:opportunit(?:y|ies)|chances?) to|(?:the |an )?opportunit(?:y|ies) (?:\w+ )?(?:was|were) (?:missed|wasted|lost)|chances? to (?:\S+ ){1,6}(?:was|were) missed"),
    pattern(r"instead of (?:check|ask|wait|read|follow|test|escalat|call|consult|think|verify|roll|look|tell|inform|investigat|stop|report|review)\w*", both(person_acts_anywhere := people_act, unexplained)),
    pattern(r"(?:if|had) (?:the |our |this |that |these |a |any |someone|anyone|we|they|he|she|@?\w+)(?: \S+){0,10}?, (?:the |this |our |none of this |it |we |there |nobody )?(?:\S+ ){0,4}?(?:would|could|might) (?:not |never |still |only )?(?:have|be)", _better_outcome),
)
_HANDLED_WORDS = frozenset(past("catch notice test review document escalate communicate merge deploy do take avoid prevent detect spot anticipate foresee plan check verify "
    "announce inform involve consult consider release make push run follow monitor update approve discuss coordinate call page tell train question stop pause know ask "
    "raise revert postpone delay automate warn inspect validate see identify recognise recognize allow find handle address schedule fix assign declare upgrade patch renew "
    "rotate limit read roll leave give happen tell set")) | frozenset("rolled set left put ready clear obvious happened sent".split())

_EVENT = r"(?:outage|incident|failure|problem|error|mistake|risk|danger|consequences?|result|outcome|sign|signs|symptoms?|warning|warnings|fix|cause|solution|step|choice|answer|bug|fault|flaw|gap|candidate|question|precaution|thing to do|course|need|threat|defect|oversight|weakness)"

HINDSIGHT: tuple[Pattern, ...] = (
    pattern(r"(?:in|with)(?: the benefit of| perfect| 20/20| full| the)? hindsight|in retrospect|retrospectively|looking back", not_negated),
    pattern(r"obviously|unmistakabl[ey]|plainly|unsurprisingly|predictably|inevitably|undeniably|foreseeably|understandably not", lambda line, first, _b: line.word(first - 1) not in ("not", "less", "more", "as", "n't")),
    pattern(r"clearly|evidently|undoubtedly|surely|certainly", both(lambda line, first, behind: line.word(first - 1) not in ("more", "less", "as", "not", "very", "is", "are", "be", "shows", "show"),
            either(followed_by(r"(?:showed|shown|indicated|pointed|said|says|stated?s?|warned|signalled|signaled|documented|described|written|visible|wrong|insufficient|inadequate|not|should|would|could|an?|the|seen|predicted|announced|"
                               r"too|had|was|were|did|didn't|marked as|flagged|demonstrated|explained|suggested|recommended|noticeable|missing|overdue|unfit|the wrong|going|about|explains?|prohibits?|forbids?|forbade|requires?|required|told|meant|recognisable|recognizable|foreseeable)\b"),
                   ))),
    pattern(rf"(?:was|were|is|are|been|be|seemed|wasn't it) (?:\w+ly |all too |quite |so |already |long |perfectly |all |totally |only too )*(?:obvious|foreseeable|predictable|inevitable|evident|self-evident|glaring|unsurprising|to be expected|easy to (?:see|spot|predict|foresee|avoid|prevent|anticipate|find|detect|notice)|"
            rf"hard to (?:miss|overlook)|difficult to (?:miss|overlook)|impossible to (?:miss|overlook)|bound to|doomed|destined|visible to (?:anyone|everyone|all)|plain to see|there for (?:all|anyone|everyone)|plain|"
            rf"(?:only |just )?a (?:matter|question) of time|(?:an? )?(?:accident|disaster|outage) waiting|no surprise|common knowledge|well known|an open secret|known to everyone)",
            both(not_negated, lambda line, first, behind: line.word(behind - 1) != "known" or with_words(r"\b(?:had been|for (?:\w+ )?(?:months|years|weeks)|everyone|anyone)\b")(line, first, behind))),
    pattern(r"(?:was|were|is|been) (?:\w+ly |all too |quite |so |already |long |perfectly |abundantly |painfully )*(?:clear|apparent) (?:from|to (?:anyone|everyone|all)|in advance|at the time|beforehand)|"
            r"(?:was|were|been) (?:already|long|perfectly|abundantly|painfully|crystal|all too|only too) (?:clear|apparent)", not_negated),
    pattern(rf"(?:the|an?|such an?|these|those|this|every|all|many|several|some) (?:\w+ )?(?:obvious|glaring|blatant|clear|unmistakable|evident|foreseeable|predictable|inevitable|tell-tale|telltale|plain) (?:\w+ )?{_EVENT}", not_negated),
    pattern(r"(?:all|every|the|there were|many|several|enough|plenty of|numerous) (?:of the |the |early |clear |obvious )*(?:warning )?(?:signs?|signals?|clues?|hints?|indications?|evidence|information) (?:\w+ )?(?:was|were|had been) (?:\w+ )?(?:there|visible|present|available|clear|plain|obvious|in plain sight|on the (?:dashboard|wall))"),
    pattern(r"(?:early |clear |obvious |ample |plenty of |enough |many |several |the |all )*warning signs|red flags? (?:was|were|had|that|about)|in plain sight|staring (?:us|them|everyone|him|her) in the face|(?:screaming|shouting) (?:at|about)|writing (?:was|is) on the wall|waiting to happen|only a matter of time|just a matter of time|it was bound to|were bound to|was bound to|"
            r"for all to see|for anyone (?:who|to)|(?:come|comes|came) as no surprise|as a surprise to (?:no one|nobody)|no one should be surprised|nobody should be surprised|needless to say|common sense|no-brainer|goes without saying|could see (?:it |this )?coming|saw (?:it|this) coming|see (?:it|this|that) coming|"
            r"as (?:anyone|anybody|everyone|everybody) (?:knows|could|would|should|can)|as (?:was|were|could be|might be|is) (?:to be )?expected|knew all along|there all along|all along", not_negated),
    pattern(r"(?:anyone|anybody|everyone|everybody|any \w+|any \w+ \w+) (?:who \S+ (?:\S+ ){0,6}?)?(?:would|should|could|must|knew|knows|can)(?: \w+){0,2}? (?:have |that |how |about )?(?:seen?|known?|noticed?|realis\w+|realiz\w+|recognis\w+|recogniz\w+|spotted?|told|foreseen|guessed|predicted|expected|understood|that)"),
    pattern(r"(?:everyone|everybody|we all|the whole team|people) (?:knew|knows|had known)", lambda line, first, _b: True),
    pattern(r"a (?:quick|simple|single|brief|short|cursory|five-minute|closer|careful|mere) (?:\w+ )?(?:glance|look|check|search|test|question|call|read|reading|review|grep|query|inspection|e-mail|email|message|phone call)(?: \S+){0,8}? (?:would|could|might|was all|shows|showed|is enough|was enough|suffic\w+|reveals|revealed)"),
    pattern(r"(?:simple|basic|elementary|trivial|minimal|most basic|simplest|easiest) (?:\w+ )?(?:precautions?|checks?|tests?|care|hygiene|rules?|safeguards?)", either(with_words(r"\b(?:not|never|n't|without|missing|omitted|ignored|skipped|would|should|failed|lack\w*|neglected|even)\b|n't\b"))),
)

_OMITTED = words(past("skip ignore miss overlook neglect omit forget disregard bypass drop lose mishandle misunderstand misjudge mismanage botch misread misinterpret circumvent cut break"))
_UNDONE = words(past("communicate inform follow announce escalate consider respect heed notify coordinate consult involve observe share appreciate challenge question prioritise prioritize anticipate discuss raise understand recognise recognize "
                     "notice identify tell act warn appraise apprise brief realise realize listen foresee") | {"acted on", "acted upon", "passed on", "passed along", "taken seriously", "taken into account", "thought through", "made aware", "kept informed", "kept up to date", "looked at", "looked into", "followed up", "dealt with", "taken", "given", "made clear", "adhered to", "thought of", "understood", "told", "paid"})
_CARED = words(past("test check verify review validate document monitor perform do carry plan prepare assess examine maintain evaluate investigate update inspect handle manage execute complete define clarify") | {"carried out", "done", "made"})
_DULY = r"(?:properly|adequately|sufficiently|thoroughly|carefully|correctly|fully|well|appropriately|duly|really|ever|completely|closely|diligently|seriously|enough)"

PASSIVE: tuple[Pattern, ...] = (
    pattern(r"(?:mistakes?|errors?|wrong (?:decisions?|choices?|assumptions?|calls?)|bad (?:decisions?|choices?|calls?)|poor (?:decisions?|choices?)|misjudge?ments?|assumptions?|oversights?|blunders?|missteps?|omissions?|(?:incorrect|false|wrong) assumptions?|shortcuts?) "
            rf"(?:\S+ ){{0,4}}?(?:was|were|had been|have been) {ADV}(?:made|taken|committed|happening|drawn)", vague_here := lambda line, first, behind: not line.has(re.compile(r"\bby (?:the )?\w*(?:parser|scheduler|script|tool|service|client|controller|autoscaler|model)"))),
    pattern(rf"(?:was|were|had been|have been|has been|got|being) {ADV}{_OMITTED}", both(vague, lambda line, first, behind: not _by_machine(line, behind), lambda line, first, behind: _omitted_by_people(line, first, behind))),
    pattern(rf"(?:was|were|had|has|have|been) (?:\w+ )?(?:not|never)(?: been)? (?:\w+ly |been |yet |really |ever |also |first )*{_UNDONE}|(?:wasn't|weren't|hadn't been|hasn't been) (?:\w+ly |really |ever )*{_UNDONE}", both(vague, lambda line, first, behind: _human_matter(line, first, behind))),
    pattern(rf"(?:was|were|had|has|have) (?:not|never)(?: been)? (?:\w+ )?{_DULY} {_CARED}|(?:was|were|had|has|have) (?:not|never)(?: been)? {_CARED} (?:\w+ )?{_DULY}|(?:wasn't|weren't|hadn't been|hasn't been) (?:{_DULY} {_CARED}|{_CARED} {_DULY})", vague),
    pattern(rf"(?:was|were) {ADV}(?:inadequately|insufficiently|improperly|poorly|badly|incorrectly|wrongly) (?:handled|managed|communicated|planned|prepared|executed|coordinated|performed|conducted|tested|documented|carried out|understood|judged|assessed|supervised)", vague),
    pattern(r"(?:tests?|testing|checks?|reviews?|verification|validation|due diligence|analysis|communication|procedures?|steps?|precautions?|safeguards?|approvals?|instructions?|guidelines?|rules?|polic(?:y|ies)|protocols?|measures?) (?:\S+ ){0,6}?(?:was|were|had|has|have) (?:not|never)(?: been)? (?:\w+ly |also )*"
            r"(?:done|performed|carried out|followed|observed|respected|applied|taken|made|conducted|completed|obtained|given|undertaken|met|adhered to|done properly)|"
            r"(?:tests?|testing|checks?|reviews?|verification|procedures?|steps?|precautions?|rules?|polic(?:y|ies)) (?:\S+ ){0,3}?(?:wasn't|weren't) (?:\w+ly )*(?:done|performed|carried out|followed|observed|respected|applied|taken|made|conducted|completed)", vague),
    pattern(r"(?:corners were cut|balls? (?:was|were) dropped|things (?:went|got|were) (?:wrong|missed|out of hand|overlooked|forgotten|lost)|something (?:went|was) (?:wrong|missed|amiss|overlooked)|(?:it|this|that) (?:fell|slipped) through|fell (?:through|between) the cracks|slipped through the (?:cracks|net)|"
            r"mistakes happened|errors occurred|lessons (?:were|have been|had been) not|nothing was done|no action was taken|action was not taken|not enough was done|got lost|went unnoticed|went unheeded|went unanswered|was allowed to happen|were allowed to happen)", vague),
    pattern(r"(?:no|little|insufficient|inadequate|not enough|too little) (?:\w+ )?(?:testing|communication|attention|thought|consideration|planning|review|care|notice|warning|coordination|preparation|checks?|verification|follow-up|validation) (?:\S+ ){0,4}?(?:was|were|had been|took place|happened)", vague),
    pattern(r"(?:wrong|incorrect|unsuitable|inappropriate) (?:\w+ ){1,3}(?:was|were|had been) (?:chosen|selected|used|pressed|clicked|entered|picked|applied|run|executed|deleted|given|typed|taken)", both(vague, lambda line, first, behind: not _by_machine(line, behind))),
    pattern(r"(?:communication|coordination|handover|information flow|teamwork|the (?:handover|communication|coordination)) (?:\S+ ){0,3}?(?:broke down|failed|was lacking|was (?:poor|bad|insufficient|inadequate|missing|unclear|suboptimal)|could have been better|went wrong|did not (?:work|happen))", vague),
    pattern(r"(?:it|this) (?:was|had been) (?:\w+ly )?(?:assumed|believed|thought|decided|felt|deemed|considered|agreed|understood|expected|hoped|forgotten)", vague),
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


def _human_matter(line: Line, first: int, _behind: int) -> bool:
    """The passive is about something that people tell each other or hold to."""
    return True


_PEOPLES_MATTERS = frozenset(
    """check checks step steps test tests review reviews warning warnings alert alerts alarm alarms sign signs procedure procedures rule rules process
    policy policies instruction instructions approval approvals message messages e-mail email notification notifications symptom symptoms page pages ticket
    tickets deadline detail details ball balls corner corners verification testing sign-off signals signal hint hints concern concerns report reports advice
    guideline guidelines protocol protocols precautions precaution it this that opportunity opportunities item items request requests information""".split()
)
