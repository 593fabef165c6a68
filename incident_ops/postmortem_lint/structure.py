"""The rules of structure: the chain of whys, what went well, the cause and its trigger, the action items."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from incident_ops.findings import Route
from incident_ops.postmortem_lint.actions import ItemText, is_vague, names_nobody, only_teaches
from incident_ops.postmortem_lint.grammar import Line
from incident_ops.postmortem_lint.language import ABOUT_PEOPLE
from incident_ops.postmortem_lint.patterns import first_hit
from incident_ops.postmortem_lint.remarks import Remark
from incident_ops.postmortem_lint.sentences import sentences
from incident_ops.postmortem_lint.stems import stems
from incident_ops.postmortem_lint.words import word_set

HasDue = Callable[[int, Mapping[str, Any]], bool]
"""(index, action item) -> whether a day for it is known."""

_PLACEHOLDER = re.compile(
    r"\W*(?:tbd|tba|tbc|to-?do|n/?a|none|nothing(?: .{0,40})?|nil|unknown|not (?:applicable|"
    r"known|yet.*|much.*|available)|to be (?:\w+)(?: .{0,20})?|"
    r"(?:see|same as) above|xxx+|lorem ipsum.*|fill (?:in|me).*|placeholder|empty|no|-)?\W*",
    re.IGNORECASE,
)


def is_placeholder(text: object) -> bool:
    """Whether a text says nothing: empty, `TBD`, `n/a`, `nothing`."""
    return not isinstance(text, str) or _PLACEHOLDER.fullmatch(text) is not None


def says_something(value: object) -> bool:
    """Whether a text, or one of a list, is more than a placeholder."""
    return any(not is_placeholder(text) for text in (value if isinstance(value, list) else [value]))


def structure_remarks(data: Mapping[str, Any], has_due: HasDue) -> Iterator[Remark]:
    """What the rules of structure say of a record, given as its data."""
    cause = _mapping(data.get("cause"))
    postmortem = _mapping(data.get("postmortem"))
    items = [item for item in data.get("action_items") or () if isinstance(item, Mapping)]
    yield from _whys(cause)
    if cause and trigger_only(cause):
        yield Remark("cause-trigger-only", ("cause",), "no `why` and nothing under `contributing`")
    if postmortem and not says_something(postmortem.get("went_well")):
        at: Route = ("postmortem", "went_well") if "went_well" in postmortem else ("postmortem",)
        yield Remark("no-went-well", at)
    yield from _item_remarks(items, has_due)
    yield from _unlinked(data, items)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _whys(cause: Mapping[str, Any]) -> Iterator[Remark]:
    whys = [why for why in cause.get("five_whys") or () if isinstance(why, Mapping)]
    if not whys or not isinstance(whys[-1].get("because"), str):
        return
    route = ("cause", "five_whys", len(whys) - 1, "because")
    for sentence in sentences(whys[-1]["because"]):
        line = Line(sentence)
        found = next((hit for one in ABOUT_PEOPLE.values() if (hit := first_hit(line, one)) is not None), None)
        if found is None and ends_in_people(line):
            found = sentence.text
        if found is not None:
            yield Remark("whys-end-in-person", route, found, sentence.text, sentence.offset)
            return


_TRAITS = re.compile(
    r"(?:lack|want|absence) of (?:[\w-]+ ){0,2}?(?:care|attention|diligence|discipline|"
    r"experience|knowledge|skills?|training|awareness|understanding|motivation|ownership|"
    r"responsibility|interest|concentration|focus|rigou?r|urgency|competence|communication|"
    r"accountability)|"
    r"\b(?:carelessness|inexperience|laziness|inattention|negligence|haste|complacency|"
    r"indifference|ignorance|fatigue|tiredness|distraction|forgetfulness|overconfidence|"
    r"sloppiness|"
    r"incompetence|arrogance|human nature|human error|human factors?|mentality|mindset|attitude|"
    r"work ethic|morale|bad habits?|stupidity|impatience|stubbornness)\b|"
    r"\b(?:poor|low|insufficient|missing|bad|weak|little) (?:[\w-]+ )?(?:discipline|training|"
    r"knowledge|skills?|experience|awareness|communication|motivation|attitude|(?:judgment|judgement)|"
    r"culture|care|attention)\b"
)
_CONDITION = re.compile(
    r"^(?:\w+ly |also |still |only |both |all )*(?:(?:have|has|had) (?:no|neither|only|\d|two|"
    r"three|four|five|access|different|separate|to)\b(?! (?:experience|knowledge|training|"
    r"skills?|idea|interest|discipline|understanding|motivation|time to care))|"
    r"cannot|can't|could not|couldn't|(?:are|is|was|were) (?:not )?(?:shown|given|notified|"
    r"paged|called|able|allowed|permitted|dissolved|split|merged|reorganised|reorganized|moved|"
    r"unable|asked|listed|named)\b|"
    r"(?:do|does|did) not (?:see|have|get|receive|share|own|hear|appear)|(?:don't|doesn't|"
    r"didn't) (?:see|have|get|receive|share|own|hear)|"
    r"sees?|saw|gets?|got|receives?|received|needs?|needed|owns?|shares?|shared|"
    r"lacks? (?:access|permission|a|the right)|uses? (?:different|the same|one|two|separate)|"
    r"must|has to|have to|depends?|relies|rely|works? from|is responsible|works? in)\b"
)


def ends_in_people(line: Line) -> bool:
    """Whether an answer's subject is people and what is said of them is not a condition they work under, or a trait."""
    if _TRAITS.search(line.text) and not line.has(_BY_SYSTEM):
        return True
    start = 1 if line.word(0) in ("because", "since", "as", "that", "it's") else 0
    start = line.next_word(start)
    if line.word(start) in ("it", "this", "that") and line.word(start + 1) in ("is", "was"):
        return _is_peoples(line, start + 2)
    head = _subject_head(line, start)
    if head < 0:
        return False
    behind = head + 1
    if line.word(behind) in ("of", "in", "on", "at", "from", "for", "with"):
        behind = line.noun_ahead(behind + 1) + 1 or behind
    if behind >= len(line.words) or line.word(behind) in (".", ","):
        return True
    rest = line.text[line.starts[behind] :]
    return (
        _CONDITION.match(rest) is None
        and not line.has(_GONE)
        and not line.gives_reason(behind)
        and not _owns_nothing(line, head, rest)
    )


_GONE = re.compile(r"\b(?:no longer exists?|does not exist|do not exist|(?:was|were|been) (?:dissolved|disbanded))\b")
_BY_SYSTEM = re.compile(r"\b(?:missing|no) (?:test|alert|check|limit|field|index|page)\b")


def _owns_nothing(line: Line, head: int, rest: str) -> bool:
    """`nobody owns it`: the absence of a role, not a trait of people."""
    return (
        line.word(head) in ("nobody", "no-one")
        and re.match(
            r"(?:owns?|is (?:responsible|assigned|in charge)|was (?:responsible|assigned|in charge|"
            r"named)|maintains?|has|had)\b",
            rest,
        )
        is not None
    )


def _subject_head(line: Line, start: int) -> int:
    """The first noun of people in the subject of a sentence, -1 where the subject is something else."""
    for place in range(start, min(start + 7, len(line.words))):
        if line.word(place) in ("of", "in", "to", "for", "by", "from", "with", ",", "and", "or", "that", "which"):
            return -1
        if line.is_person(place, "notice") and (line.ends_phrase(place) or line.word(place).endswith("s")):
            return place
        if line.word(place) in ("no", "one") and line.word(place + 1) == "one":
            return place + 1
    return -1


def _is_peoples(line: Line, place: int) -> bool:
    """`it was the vendor`, `it is the team's decision`, `it was skipped by the release engineer`."""
    head = line.noun_ahead(line.next_word(place))
    if head >= 0 and line.is_person(head) and line.ends_phrase(head):
        return not line.gives_reason(head)
    if any(line.owns(owner) for owner in range(place, min(place + 3, len(line.words)))) and line.word(place) not in (
        "our",
        "their",
    ):
        return line.has(
            re.compile(
                r"\b(?:decision|choice|responsibility|job|fault|mistake|idea|duty|task|turn|call|habit|style|way)\b"
            )
        )
    if head >= 0 and line.word(head) in _CHOICES and line.word(head + 1) == "of":
        return line.person_ahead(head + 2)
    by = next((index for index in range(place, min(place + 5, len(line.words))) if line.words[index] == "by"), -1)
    return by >= 0 and line.person_ahead(by + 1) and not line.gives_reason(by)


_CHOICES = word_set(
    """
    decision choice responsibility job fault mistake idea duty task habit
    """
)


def trigger_only(cause: Mapping[str, Any]) -> bool:
    """Whether a cause names an event and no condition that let it do harm."""
    trigger = stems(" ".join(str(cause[key]) for key in ("trigger", "what") if not is_placeholder(cause.get(key))))
    conditions = [cause.get("why"), *(cause.get("contributing") or ())]
    said = [stems(text) for text in conditions if isinstance(text, str) and not is_placeholder(text)]
    if any(len(words - trigger) >= 2 or (words and not words & trigger) for words in said):
        return False
    return bool(trigger or said)


def _item_remarks(items: Sequence[Mapping[str, Any]], has_due: HasDue) -> Iterator[Remark]:
    wanted = [(index, item) for index, item in enumerate(items) if item.get("status") != "wont_do"]
    texts = {index: ItemText.of(item) for index, item in wanted}
    teaching = [index for index, _ in wanted if only_teaches(texts[index])]
    all_teach = bool(wanted) and len(teaching) == len(wanted)
    if all_teach:
        yield Remark("action-training-only", ("action_items",))
    for index, item in wanted:
        route: Route = ("action_items", index)
        if not all_teach and is_vague(texts[index]):
            at: Route = (*route, "title") if "title" in item else route
            yield Remark("action-vague", at, "", texts[index].title)
        if names_nobody(item.get("owner")):
            yield Remark("action-owner", route, str(item.get("id", "")), texts[index].title)
        if not has_due(index, item):
            yield Remark("action-due", route, str(item.get("id", "")), texts[index].title)


def _unlinked(data: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> Iterator[Remark]:
    cause, postmortem = _mapping(data.get("cause")), _mapping(data.get("postmortem"))
    found = stems(
        " ".join(
            _all_texts(
                [
                    cause,
                    data.get("timeline"),
                    data.get("title"),
                    data.get("impact"),
                    data.get("description"),
                    data.get("services"),
                    data.get("resolution"),
                    *(postmortem.get(key) for key in ("went_poorly", "lucky", "lessons", "summary")),
                ]
            )
        )
    )
    if not found:
        return
    for index, item in enumerate(items):
        about = stems(" ".join(_all_texts([item.get("title"), item.get("description"), item.get("acceptance")])))
        if about and not about & found and item.get("status") != "wont_do":
            yield Remark("action-link", ("action_items", index), str(item.get("id", "")), str(item.get("title", "")))


def _all_texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _all_texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _all_texts(part)
