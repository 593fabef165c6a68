"""Action items: whether they name somebody, whether they can be seen to be done, whether they only teach or remind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from incident_ops.postmortem_lint.grammar import Line
from incident_ops.postmortem_lint.patterns import first_hit
from incident_ops.postmortem_lint.remedies import CAREFUL, NOT_COURSES
from incident_ops.postmortem_lint.sentences import Sentence, masked


class ItemText(NamedTuple):
    """What an action item says: its title in lower case with evidence blanked out, and all of it."""

    title: str
    line: Line
    whole: str
    has_acceptance: bool

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> ItemText:
        """The texts of an action item, given as its data."""
        title = str(item.get("title") or "")
        more = " ".join(str(item[key]) for key in ("description", "acceptance") if item.get(key))
        return cls(
            title,
            Line(Sentence(title, masked(title), 0)),
            f"{title} {more}".strip().lower(),
            bool(item.get("acceptance")),
        )


_NOBODY = re.compile(
    r"[@(\[\s]*(?:tbd|tba|tbc|to-?do|n/?a|none|nobody|no[ -]one|unassigned|unknown|open|someone|"
    r"somebody|anyone|anybody|everyone|everybody|all|all teams|"
    r"(?:the )?teams?|us|we|pending|later|various|several|not assigned(?: yet)?|"
    r"not yet(?: \w+)?|to be \w+|who\?|owner|xxx+|[?.\-–—\s]*)[)\]\s?.!]*",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"\b\d{4}-\d{2}-\d{2}(?!\d)|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{1,2}(?:st|nd|rd|"
    r"th)?\.? (?:of )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*|"
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w* \d{1,2}\b",
    re.IGNORECASE,
)


def names_nobody(owner: object) -> bool:
    """Whether an owner is missing, or a stand-in such as TBD or everybody."""
    return not isinstance(owner, str) or _NOBODY.fullmatch(owner) is not None


def names_day(due: object) -> bool:
    """Whether a due date is a day: `2025-04-04`, not `soon` or `Q3`."""
    return due is not None and _DAY.search(str(due)) is not None


_LEAD = re.compile(
    r"^(?:action|todo|item|task|ai-?\d+)?[:\s\-–]*(?:(?:we|the team|[\w-]+ team|somebody|"
    r"someone|everyone|engineers|@\S+) )?(?:(?:will|should|shall|must|need to|needs to|have to|"
    r"has to|want to|plan to|to|please|let's|also|then|finally|generally|in general|again|"
    r"properly|carefully|thoroughly) )*"
)
_EXPLORE = re.compile(
    r"^(?:have a (?:\w+ )?look|take a (?:\w+ )?look|look (?:into|at|over|for)|investigat\w+|"
    r"explor\w+|examine\w*|examining|analy[sz]\w+|consider\w*|discuss\w*|think (?:about|of|through)|"
    r"rethink|reconsider|revisit|evaluat\w+|assess\w*|research|"
    r"find out|figure out|review|check (?:the|our|all|that|if|whether|on|in|out|again)|"
    r"talk (?:to|about|with)|"
    r"monitor (?!on|that|for|in)|observe|watch|study|understand|clarify|address|tackle|"
    r"deal with|take care|work (?:on|towards?)|see (?:if|whether|what|how)|follow up|follow-up|keep |"
    r"be |stay |pay |try |do |get better|get to|learn|reflect|brainstorm|dig|determine|identify|"
    r"continue|start |begin |plan |prepare for|look|sync|align|coordinate|communicate|focus|aim|"
    r"strive|support|help|collaborate|raise|push for|spend|investigation|analysis|discussion|"
    r"evaluation|exploration|assessment)"
)
_IMPROVE = re.compile(
    r"^(?:improv\w+|enhanc\w+|strengthen\w*|harden\w*|optimi[sz]\w+|boost\w*|streamlin\w+|"
    r"simplif\w+|clean(?:ing)? up|clean-?up|tidy\w*|moderni[sz]\w+|stabili[sz]\w+|fine-?tun\w+|"
    r"tune|increase\w*|increasing|reduc\w+|minimi[sz]\w+|maximi[sz]\w+|better|more|less|fewer|faster|"
    r"stronger|greater|safer|"
    r"mak(?:e|ing) (?:\S+ ){0,6}?(?:more|better|less|safer|safe|faster|stronger|simpler|easier|"
    r"clearer|quicker|robust|resilient|reliable|stable|scalable|secure|transparent|foolproof|"
    r"bulletproof|nicer|cleaner|ready|great|work)\b|"
    r"mak(?:e|ing) sure|ensur\w+|guarantee|prevent\w*|avoid\w*|stop (?:this|such|these|similar|"
    r"outages|incidents)|increased|reduced|improved|upgrade (?:the )?(?:process|quality)|"
    r"(?:fix|solve|resolve|sort out|handle|mitigate|rework|overhaul|refactor|redesign|redo|"
    r"rewrite|revise|adjust|update|change|refine) (?:the |our |all |these |this |those |any |"
    r"some )?(?:\w+ )?(?:issues?|problems?|situation|process(?:es)?|stuff|things?|everything|"
    r"architecture|system|setup|code|topic|matter|weakness(?:es)?|shortcomings|deficits?|"
    r"root cause|bugs?|approach|way)\b)"
)
_VAGUE = re.compile(
    r"\b(?:something|somehow|somewhere|things|stuff|anything|as (?:needed|necessary|appropriate|"
    r"required)|if (?:possible|needed|necessary)|where (?:possible|needed|necessary|"
    r"appropriate)|when (?:possible|there is time|time permits)|"
    r"at some point|eventually|some day|someday|maybe|perhaps|possibly|in general|generally|"
    r"and so on|etc|various|further|some more|best practices?|next steps|low-hanging|"
    r"in (?:the )?future|does not happen again|never happens? again|more (?:robust|resilient|"
    r"reliable|stable)|better|as soon as possible|asap|tbd)\b"
)
_MEASURE = re.compile(
    r"\d|xxx|\b(?:by (?:\w+ly )?(?:\w+ing|a|an|the)\b|so that|such that|until|unless|whenever|"
    r"within|below|above|at least|at most|under a|over a|from .+ to |to (?:zero|one|two|three|"
    r"five|ten|half)|"
    r"instead of|rather than|via|using|through an?|for each|for every|per |whose|which|"
    r"before (?:the|each|every|a)|after (?:the|each|every|a)|on every|on each|every|"
    r"two|three|four|five|(?:one|zero|no) )|"
    r"\b(?:and|then|,) (?:\w+ly )?(?:write|document|decide|publish|propose|report|file|open|add|"
    r"replace|remove|delete|turn|raise|set|list|record|agree|fix|close|convert|move|move|create|"
    r"produce|deliver|present a|switch|archive|retire|name|assign|drop|enable|disable|migrate|"
    r"rotate|pin)\w*|"
    r"\b(?:report|decision|decision record|write-up|list of|proposal|adr|recommendation|"
    r"plan for|table of|inventory|document with)\b"
)
_PAGES = re.compile(
    r"(?:update|extend|complete|revise|write|create|add) (?:the |our |more |all |"
    r"some )*(?:documentation|docs|wiki)"
)
_MEANS = re.compile(
    r"(?:improv|enhanc|strengthen|harden|protect|securing|secure|stabili|"
    r"optimi)\w* (?:\S+ ){1,8}?with (?:an?|the|one|two|its|alerts?|tests?)\b"
)
_ABSTRACT = re.compile(
    r"\b(?:awareness|reliability|stability|resilience|resiliency|coverage|quality|visibility|"
    r"robustness|performance|capacity|security|communications?|collaboration|incidents?|"
    r"outages?|risks?|time to|response|complexity|monitoring|alerting|observability|"
    r"documentation|testing|tests?|process(?:es)?|deployments?|handovers?|reviews?|tooling|"
    r"logging|maintainability|availability|confidence|efficiency|noise|alerts?|debt|errors?|"
    r"failures?|downtime|impact|knowledge|redundancy|automation|maturity|culture|scalability|"
    r"latency|toil|effort|backups?|planning|preparedness)\b"
)


def is_vague(item: ItemText) -> bool:
    """Whether nobody could say when an action item is done."""
    if item.has_acceptance:
        return False
    text = _LEAD.sub("", item.line.text.strip(" .!"), count=1)
    whole = f"{text} {item.whole[len(item.title) :]}"
    if re.search(r"\b(?:do|doing) (?:something|anything)\b|\bsomething\b|\bsomehow\b", text):
        return True
    if not text or len(text.split()) == 1:
        return "xxx" not in text
    if first_hit(item.line, CAREFUL) is not None and not _CHANGE.match(text):
        return True
    if _MEASURE.search(whole) or "xxx" in text:
        return False
    if _EXPLORE.match(text):
        return True
    if _PAGES.fullmatch(text):
        return True
    if _MEANS.match(text):
        return False
    if _IMPROVE.match(text):
        return not re.match(
            r"^(?:increase|increasing|reduc|minimi|maximi|more|fewer|less|prevent|avoid|ensur|mak(?:e|"
            r"ing) sure|"
            r"clean|tidy|simplif|tune)",
            text,
        ) or bool(
            _ABSTRACT.search(text)
            or _VAGUE.search(text)
            or re.search(r"\b(?:this|that|such|similar|again)\b", text)
            or text.startswith(("more", "fewer", "less", "ensur", "make sure"))
        )
    return _VAGUE.search(text) is not None


_CHANGE = re.compile(
    r"^(?:add|alert|automate|block|build|configure|convert|create|delete|deploy|disable|drop|"
    r"enable|encrypt|enforce|export|extend|gate|implement|import|install|introduce|limit|lint|"
    r"lock|lower|make|migrate|move|nightly|page|pin|"
    r"pipeline|probe|protect|provision|purge|raise|reject|remove|rename|replace|require|retire|"
    r"rotate|route|run (?:the|all)|script|separate|set|split|store|switch|test|turn|wire|"
    r"write)\b"
)
_TEACH = re.compile(
    rf"\b(?:train(?:ings?|ing session)?{NOT_COURSES}|retrain\w*|re-train\w*|workshops?|"
    rf"refreshers?|courses?|coach\w*|remind\w*|brief|briefings?|educat\w+|awareness|teach\w*|"
    rf"lunch-and-learns?|brown[ -]bags?|webinars?|seminars?|lectures?|bootcamps?|"
    r"(?:present|presentation|talk|session|slides?) (?:\S+ ){0,6}?(?:on|about|to|in|at|for)|"
    r"tell|explain|tutorials?|sensiti[sz]\w*|instruct\w*|e-learning|"
    r"(?:e-?mail|mail|memo|write|message|announcement|post|newsletter)(?: \S+){0,3}? to (?:all|"
    r"every\w*|the|staff|teams?|engineers?|developers?)|circulate|"
    r"discuss \S+(?: \S+){0,6}? (?:with|in|at)|share (?:\S+ ){1,6}(?:with|in|at)|"
    r"onboarding session|quiz|certification course|make (?:sure )?(?:every\w+|all|people|"
    r"the team|engineers|developers) (?:\S+ ){0,2}?(?:aware|know|understand)\w*|"
    r"walk (?:\S+ ){1,4}through|reinforce|reiterate|emphasi[sz]e|stress|encourage|urge|"
    r"ask (?:\S+ ){1,4}to|"
    r"communicate (?:\S+ ){1,6}to|knowledge[ -](?:sharing|transfer)|"
    r"read(?:ing)? (?:\S+ )?(?:the )?(?:guide|docs|documentation|runbook|policy))\b"
)


def only_teaches(item: ItemText) -> bool:
    """Whether an action item only teaches, reminds or asks for care, and changes nothing else."""
    text = _LEAD.sub("", item.line.text.strip(" .!"), count=1)
    if _CHANGE.match(text) and not re.match(
        r"(?:raise|write|create|run|set|make|add|introduce) (?:\S+ ){0,5}?(?:awareness|reminder|"
        r"training|workshop|course|e-?mail|mail|slides?|session)",
        text,
    ):
        return bool(re.match(r"(?:make sure|make every|write to)", text) and _TEACH.search(text))
    return _TEACH.search(text) is not None or first_hit(item.line, CAREFUL) is not None
