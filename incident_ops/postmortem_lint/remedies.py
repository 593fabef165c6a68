"""Language about remedies: those that ask people to take care, and those that only teach or remind."""

from __future__ import annotations

import re

from incident_ops.postmortem_lint.grammar import HUMAN, Line, Subject
from incident_ops.postmortem_lint.patterns import (
    Pattern,
    both,
    not_followed_by,
    pattern,
    with_words,
    without_words,
    words,
)
from incident_ops.postmortem_lint.words import DUTY

_AHEAD = re.compile(
    r"\b(?:will|shall|must|should|need to|needs to|have to|has to|going to|in (?:the )?future|"
    r"from now on|going forward|next time|henceforth|measure|measures|action|actions|"
    r"remedy|fix|solution|lesson|prevent|preventive|corrective|to make sure|to ensure|to avoid|"
    r"so that this|again|plan to|plans to|please|let us|let's|are to be|is to be|answer|we need|"
    r"need more|needs more|is needed|are needed|"
    r"consequence|conclusion|plan|planned|promise\w*|promising|"
    r"remember|always|never|make sure|ensure|avoid|improve|recommend\w*|agreed to|asked to|"
    r"urged to|required to|expected to|reminded to|told to|instructed to|it is important|"
    r"response)\b"
)


def looks_ahead(line: Line, first: int, _behind: int) -> bool:
    """The sentence says what is to be done, not what was done: a future, an order, or a measure."""
    if _AHEAD.search(line.text):
        return True
    return is_order(line, first)


def is_order(line: Line, first: int) -> bool:
    """The verb opens the sentence, or the part behind a colon."""
    head = first
    while head > 0 and (line.is_adverb(head - 1) or line.word(head - 1) in ("to", "and", "the", "a", "an", "please")):
        head -= 1
    return head == 0 or line.word(head - 1) in (":", ",", "–", "—", "-", "and", "then", ";", "(", ".")


def _people_check(line: Line, first: int, behind: int) -> bool:
    """Nothing technical governs the verb, and it looks ahead."""
    if line.has(_IMPORTANT):
        return True
    return line.subject(first, "notice") is not Subject.THING and looks_ahead(line, first, behind)


_IMPORTANT = re.compile(
    r"\bit is (?:\w+ )?(?:important|necessary|essential|crucial|vital|advisable|"
    r"imperative) (?:for .+ )?to\b"
)


def _asks_for_more(line: Line, first: int, behind: int) -> bool:
    """It looks ahead, or the sentence begins with an order."""
    return looks_ahead(line, first, behind) or line.word(0) in DUTY


CAREFUL: tuple[Pattern, ...] = (
    pattern(
        r"(?:be|being|is|are|stay|remain|become) (?:\w+ly |even |far |much |a bit |a lot )?(?:more |"
        r"extra |very |especially |particularly |doubly |twice as |always |as )?(?:careful|"
        r"attentive|vigilant|cautious|mindful|alert|diligent|thorough|disciplined|conscientious|"
        r"watchful|aware|conscious|"
        r"considerate|prudent|thoughtful|rigorous|meticulous|wary|on (?:the|their|our) (?:guard|"
        r"lookout|toes)|responsible|focus(?:s)?ed|proactive|on the ball)(?: (?:of|about|with|when|"
        r"in))?",
        _people_check,
    ),
    pattern(
        r"(?:more|greater|closer|better|extra|increased|special|additional|careful|particular|due|"
        r"full|proper|sufficient|utmost|heightened|renewed) (?:care|attention|caution|vigilance|"
        r"diligence|discipline|awareness|prudence|thoroughness|alertness|rigou?r|focus|effort)",
        looks_ahead,
    ),
    pattern(
        r"(?:pay|paying|give|take|taking|exercise|exercising|apply|show|use|"
        r"using) (?:\w+ ){0,3}?(?:care|attention|caution|vigilance|diligence|discipline|(?:judgment|"
        r"judgement))",
        both(_people_check, not_followed_by(r"of\b")),
    ),
    pattern(
        r"(?:double|triple|re|cross)-?(?: )?check(?:s|ed|ing)?|checks? (?:\S+ ){0,4}?twice|(?:look|"
        r"think|read|count) (?:\w+ )?twice|(?:think|look) (?:carefully|harder|before)|(?:check|test|"
        r"review|read|verify|examine|inspect|look|proofread) (?:\S+ ){0,6}?(?:more |very |"
        r"extra )?(?:carefully|thoroughly|closely|diligently|attentively|conscientiously|properly)",
        _people_check,
    ),
    pattern(
        r"(?:try|work|think|trying) (?:even )?harder|do better|take (?:more |their |our )?time|"
        r"slow down|concentrate|keep (?:a |an )?(?:close |closer |better |sharp )?(?:eye|watch)|"
        r"watch out|look out|beware|bear in mind|keep (?:\w+ )?in mind|(?:do not|don't|never|avoid|"
        r"no) (?:rush\w*|hurry\w*)|remember to|(?:do|must) not forget|don't forget|never forget|"
        r"use common sense|"
        r"act (?:more )?responsibly|take (?:more )?(?:ownership|responsibility)|"
        r"show (?:more )?(?:ownership|responsibility|initiative)|think (?:more )?(?:carefully|"
        r"ahead)|(?:must|should|will|to) not (?:make|repeat) (?:this|the same|such) (?:mistake|"
        r"error)|avoid (?:making )?(?:this|the same|such|similar) (?:mistakes?|errors?)|"
        r"stick to the (?:rules|procedure|process)|be sure to|take it seriously|(?:take|"
        r"treat) (?:\S+ ){1,4}(?:more )?seriously|keep (?:their|our) eyes open|stay focus(?:s)?ed",
        _people_check,
    ),
    pattern(
        r"please (?:\w+ly |also |always |first )*(?:check|verify|test|confirm|read|review|look|ask|"
        r"think|follow|consult|consider|remember|make|be|double|use|note|watch|take|pay|avoid|"
        r"refrain|wait)",
        lambda line, first, _behind: first == 0 or line.word(first - 1) in (",", ":", ";", "-"),
    ),
    pattern(
        rf"{words(DUTY)} (?:\S+ ){{0,3}}?(?:earlier|sooner|better|faster|more \w+ly)",
        lambda line, first, behind: is_order(line, first) and looks_ahead(line, first, behind),
    ),
    pattern(
        r"(?:we|the team|everyone|everybody) (?:will|must|shall|should) (?:\w+ )?(?:make sure|"
        r"ensure|see to it) (?:that )?"
        r"(?:\S+ ){1,3}?(?:does|do|will|can) ?not (?:happen|occur|recur|repeat)\w*(?: again)?\W*$"
    ),
    pattern(
        rf"(?:must|should|have to|has to|need to|needs to) (?:always |first )?{words(DUTY)}",
        both(
            lambda line, first, _behind: line.subject(first, "notice") in HUMAN,
            with_words(
                r"\b(?:in (?:the )?future|from now on|next time|going forward|henceforth|before (?:\w+ing|"
                r"they|you|we))\b"
            ),
        ),
    ),
    pattern(
        r"(?:never|do not|don't) (?:\S+ ){1,6}?without (?:thinking|checking|asking|looking|reading|testing)",
        _people_check,
    ),
    pattern(
        r"(?:always|carefully) (?:check|verify|test|confirm|read|review|look|ask|think|follow|"
        r"consult|consider|make sure)",
        _people_check,
    ),
    pattern(
        r"(?:more|very|extra) (?:carefully|closely|thoroughly|diligently|attentively|"
        r"conscientiously|rigorously|responsibly|cautiously|critically)|with (?:more |greater |"
        r"extra |the (?:necessary|required|utmost) )?(?:care|caution|diligence)",
        _asks_for_more,
    ),
    pattern(
        r"(?:make|making|makes) sure (?:that )?(?:you|we|they|everyone|everybody|to|engineers|"
        r"people|the team|all)(?: \w+){0,3}? (?:check|verify|look|follow|read|know|knows|understand|"
        r"remember|pay|are|is|think|test)",
        without_words(r"\b(?:pipeline|job|alert|tool)\b"),
    ),
)

_PUPILS = (
    r"(?:everyone|everybody|all|the (?:(?!for |of |in |on |to |with )[\w-]+ ){0,3}?(?:team|"
    r"teams|engineers?|developers?|staff|operators?|people|shift|crew|colleagues|responders?|"
    r"on-call|department|group|reviewers?|managers?|agents?|admins?|administrators?)|(?:(?!for |"
    r"of |in |on |to |with )[\w-]+ ){0,3}?(?:teams?|engineers?|developers?|staff|operators|"
    r"people|colleagues|responders|employees|reviewers|personnel|newcomers|members|admins|"
    r"administrators|contractors|juniors|managers|agents|hires|analysts|testers|us|them|him|her|"
    r"@\S+))"
)
NOT_COURSES = (
    r"(?! (?:environment|data|set|job|cluster|run|mode|model|material|system|pipeline|account|"
    r"tenant|region)s?\b)"
)
_COURSE = (
    rf"(?:trainings?{NOT_COURSES}|workshops?|refreshers?|course|courses|seminars?|webinars?|"
    rf"lecture|lunch-and-learn|brown[- ]bag|tutorials?|bootcamps?|coaching|briefings?|awareness|"
    rf"e-learning|instructions?(?= \W|\W|$)|guidance|onboarding session|session on|sessions on|"
    rf"talks?(?: \S+){{0,6}}? (?:on|about)|presentation|drills?|class on|education|induction)"
)

_TAUGHT = (
    r"(?:retrained|re-trained|trained|reminded|briefed|instructed|coached|educated|"
    r"sensiti[sz]ed|taught|told to|made aware|asked to (?:be|take|pay|check|read|follow)|"
    r"urged to|advised to)"
)


def _pupils_govern(line: Line, first: int, _behind: int) -> bool:
    """People, or nothing at all, govern the verb: no model that is trained."""
    return line.subject(first, "notice") is not Subject.THING


TRAINING: tuple[Pattern, ...] = (
    pattern(
        r"(?:re-?)?(?:remind|train|educate|brief|instruct|coach|sensiti[sz]e|teach|retrain|urge|"
        r"warn|advise|encourage|admonish|caution|tell|inform|ask)(?:s|ed|ing)? (?:again )?" + _PUPILS,
        both(looks_ahead, lambda line, first, behind: _about_people(line, first, behind)),
    ),
    pattern(rf"(?:have|has) been (?:\w+ly )?{_TAUGHT}", _pupils_govern),
    pattern(
        rf"(?:be|been|get|being|was|were|are) (?:\w+ly |all |also |again )*{_TAUGHT}", both(_pupils_govern, looks_ahead)
    ),
    pattern(
        rf"(?:hold|run|organi[sz]e|give|schedule|offer|attend|receive|undergo|arrange|provide|"
        rf"deliver|take|repeat|conduct|complete|get|plan|prepare|join|"
        rf"host)s? (?:\S+ ){{0,7}}?{_COURSE}",
        _pupils_govern,
    ),
    pattern(
        rf"(?:hold|run|organi[sz]e|give|schedule|offer|attend|arrange|provide|deliver|repeat|conduct|"
        rf"plan|book|mandatory|additional|further|more|extra|better|compulsory|annual|regular|"
        rf"refresher|new|internal|obligatory|targeted|quarterly) (?:\S+ ){{0,5}}?{_COURSE}",
        both(looks_ahead, not_followed_by(r"(?:environment|data|set|job|cluster|run|pipeline|mode|system|model)")),
    ),
    pattern(
        rf"{_COURSE} (?:\S+ ){{0,5}}?(?:for|with|of) {_PUPILS}",
        both(
            looks_ahead,
            lambda line, first, _behind: not line.word(first).startswith(("presentation", "drill", "class")),
        ),
    ),
    pattern(
        r"(?:blog post|newsletter|article|e-?mail|memo|video|wiki page) (?:will|shall|"
        r"should) (?:explain|remind|tell|describe|teach)"
    ),
    pattern(
        r"rais(?:e|es|ing) (?:the |more |general |everyone's )?awareness|awareness (?:campaign|"
        r"session|training)|spread the word|make (?:everyone|everybody|people|the team|engineers|"
        r"developers|staff|sure (?:that )?(?:everyone|everybody|all|the team|engineers|"
        r"developers)) (?:\w+ )?(?:aware|knows?|understands?|is aware|are aware)|"
        r"(?:send|sent|circulate|write|post|issue|publish) (?:\S+ ){0,4}?(?:reminder|e-mail|email|"
        r"mail|memo|circular|newsletter|announcement|message)(?: \S+){0,3}? (?:to|that|about|for|"
        r"asking|reminding)|share (?:this |the |our )?(?:postmortem|lessons?|incident|findings?|"
        r"learnings?) (?:with|in)|discuss(?:ed)? (?:\S+ ){0,4}?(?:in|at) (?:the |our )?(?:next |"
        r"weekly |team |engineering )*(?:meeting|retrospective|retro|stand-?up|all-hands)",
        looks_ahead,
    ),
    pattern(
        rf"(?:reminder|refresher|briefing|training{NOT_COURSES}|coaching|workshop|education|"
        rf"retraining|re-training)(?: \S+){{0,3}}? (?:to|for|on|about|in|of|that|will|should|must|"
        rf"is planned|are planned|as)",
        both(
            looks_ahead,
            lambda line, first, behind: (
                is_order(line, first)
                or with_words(r"\b(?:will|measure|remedy|should|must|fix|action|solution|response|prevent)\b")(
                    line, first, behind
                )
            ),
            not_followed_by(r"(?:environment|data|set|job|cluster)"),
        ),
    ),
)

_SYSTEM = re.compile(
    r"\b(?:rejects|blocks|refuses|automatically|automated|dry[- ]run mode|by default|"
    r"required field|goes through|stops when|"
    r"now (?:asks|shows|counts|runs|fails)|admission policy|unless a second person)\b"
)


def _about_people(line: Line, first: int, _behind: int) -> bool:
    """`asks the team`, in what was done, is a fact; as a measure it teaches."""
    if line.word(first).startswith(("ask", "tell", "inform", "warn", "advise", "brief")):
        return line.has(
            re.compile(
                r"\b(?:to (?:be|pay|follow|check|read|take|remember|avoid|double|always|never|stick|use|"
                r"look|think)|about|that|not to|again|how|of the|on the)\b"
            )
        )
    return True


def changes_system(line: Line) -> bool:
    """Whether the sentence also names a change that does not rest on people."""
    return _SYSTEM.search(line.text) is not None
