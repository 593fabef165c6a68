"""Language that judges by what is known only now."""

from __future__ import annotations

from incident_ops.postmortem_lint.patterns import (
    Pattern,
    both,
    either,
    followed_by,
    not_negated,
    pattern,
    person_acts,
    with_words,
)

_EVENT = (
    r"(?:outage|incident|failure|problem|error|mistake|risk|danger|consequences?|result|outcome|"
    r"sign|signs|symptoms?|warning|warnings|fix|cause|solution|step|choice|answer|bug|fault|"
    r"flaw|gap|candidate|question|precaution|thing to do|course|need|threat|defect|oversight|"
    r"weakness)"
)


HINDSIGHT: tuple[Pattern, ...] = (
    pattern(
        r"(?:in|with)(?: the benefit of| perfect| 20/20| full| the)? hindsight|in retrospect|"
        r"retrospectively|looking back",
        not_negated,
    ),
    pattern(
        r"obviously|unmistakabl[ey]|plainly|unsurprisingly|predictably|inevitably|undeniably|"
        r"foreseeably|understandably not",
        lambda line, first, _behind: line.word(first - 1) not in ("not", "less", "more", "as", "n't"),
    ),
    pattern(
        r"had (?:all|every|enough) (?:of )?(?:the )?(?:\w+ )?(?:information|data|evidence|signs|"
        r"facts|clues|indications?)",
        person_acts,
    ),
    pattern(r"(?:made|makes|making) (?:it|this) (?:\w+ly )?(?:obvious|plain|evident|unmistakable)", not_negated),
    pattern(
        r"clearly|evidently|undoubtedly|surely|certainly",
        both(
            lambda line, first, _behind: (
                line.word(first - 1) not in ("more", "less", "as", "not", "very", "is", "are", "be", "shows", "show")
            ),
            either(
                followed_by(
                    r",?\s*(?:showed|shown|indicated|pointed|said|says|stated?s?|warned|signalled|signaled|"
                    r"documented|described|written|visible|wrong|insufficient|inadequate|not|should|would|could|"
                    r"an?|the|seen|predicted|announced|"
                    r"too|had|was|were|did|didn't|marked as|flagged|demonstrated|explained|suggested|"
                    r"recommended|noticeable|missing|overdue|unfit|the wrong|going|about|explains?|prohibits?|"
                    r"forbids?|forbade|requires?|required|told|meant|recognisable|recognizable|foreseeable)\b"
                ),
            ),
        ),
    ),
    pattern(
        r"(?:was|were|is|are|been|be|seemed|wasn't it) (?:\w+ly |all too |quite |so |already |long |"
        r"perfectly |all |totally |only too )*(?:obvious|foreseeable|predictable|inevitable|evident|"
        r"self-evident|glaring|unsurprising|to be expected|easy to (?:see|spot|predict|foresee|"
        r"avoid|prevent|anticipate|find|detect|notice)|"
        r"hard to (?:miss|overlook)|difficult to (?:miss|overlook)|impossible to (?:miss|overlook)|"
        r"bound to|doomed|destined|visible to (?:anyone|everyone|all)|plain to see|there for (?:all|"
        r"anyone|everyone)|plain|"
        r"(?:only |just )?a (?:matter|question) of time|(?:an? )?(?:accident|disaster|"
        r"outage) waiting|no surprise|common knowledge|well known|an open secret|known to everyone)",
        both(
            not_negated,
            lambda line, first, behind: (
                line.word(behind - 1) != "known"
                or with_words(r"\b(?:had been|for (?:\w+ )?(?:months|years|weeks)|everyone|anyone)\b")(
                    line, first, behind
                )
            ),
        ),
    ),
    pattern(
        r"(?:was|were|is|been) (?:\w+ly |all too |quite |so |already |long |perfectly |abundantly |"
        r"painfully )*(?:clear|apparent) (?:from|to (?:anyone|everyone|all)|in advance|at the time|"
        r"beforehand)|"
        r"(?:was|were|been) (?:already|long|perfectly|abundantly|painfully|crystal|all too|"
        r"only too) (?:clear|apparent)",
        not_negated,
    ),
    pattern(
        rf"(?:the|an?|such an?|these|those|this|every|all|many|several|some) (?:\w+ )?(?:obvious|"
        rf"glaring|blatant|clear|unmistakable|evident|foreseeable|predictable|inevitable|tell-tale|"
        rf"telltale|plain) (?:\w+ )?{_EVENT}",
        not_negated,
    ),
    pattern(
        r"(?:all|every|the|there were|many|several|enough|plenty of|numerous) (?:of the |the |"
        r"early |clear |obvious )*(?:warning )?(?:signs?|signals?|clues?|hints?|indications?|"
        r"evidence|information) (?:\w+ )?(?:was|were|had been) (?:\w+ )?(?:there|visible|present|"
        r"available|clear|plain|obvious|in plain sight|on the (?:dashboard|wall))"
    ),
    pattern(
        r"(?:early |clear |obvious |ample |plenty of |enough |many |several |the |"
        r"all )*warning signs|red flags? (?:was|were|had|that|about)|in plain sight|staring (?:us|"
        r"them|everyone|him|her) in the face|(?:screaming|shouting) (?:at|about)|writing (?:was|"
        r"is) on the wall|waiting to happen|only a matter of time|just a matter of time|"
        r"it was bound to|were bound to|was bound to|"
        r"for all to see|for anyone (?:who|to)|(?:come|comes|came) as no surprise|"
        r"as a surprise to (?:no one|nobody)|no one should be surprised|nobody should be surprised|"
        r"needless to say|common sense|no-brainer|goes without saying|could see (?:it |"
        r"this )?coming|saw (?:it|this) coming|see (?:it|this|that) coming|"
        r"as (?:anyone|anybody|everyone|everybody) (?:knows|could|would|should|can)|as (?:was|were|"
        r"could be|might be|is) (?:to be )?expected|knew all along|there all along|all along",
        not_negated,
    ),
    pattern(
        r"(?:anyone|anybody|everyone|everybody|any \w+|"
        r"any \w+ \w+) (?:(?:who|with|in|on|at|from) \S+ (?:\S+ ){0,6}?)?(?:would|should|could|must|"
        r"knew|knows|"
        r"can)(?: \w+){0,2}? (?:have |that |how |about )?(?:seen?|known?|noticed?|realis\w+|"
        r"realiz\w+|recognis\w+|recogniz\w+|spotted?|told|foreseen|guessed|predicted|expected|"
        r"understood|that)"
    ),
    pattern(
        r"(?:everyone|everybody|we all|the whole team|people) (?:knew|knows|had known)",
        lambda _line, _first, _behind: True,
    ),
    pattern(
        r"a (?:quick|simple|single|brief|short|cursory|five-minute|closer|careful|"
        r"mere) (?:\w+ )?(?:glance|look|check|search|test|question|call|read|reading|review|grep|"
        r"query|inspection|e-mail|email|message|phone call)(?: \S+){0,8}? (?:would|could|might|"
        r"was all|shows|showed|is enough|was enough|suffic\w+|reveals|revealed)"
    ),
    pattern(
        r"(?:simple|basic|elementary|trivial|minimal|most basic|simplest|"
        r"easiest) (?:\w+ )?(?:precautions?|checks?|tests?|care|hygiene|rules?|safeguards?)",
        either(
            with_words(
                r"\b(?:not|never|n't|without|missing|omitted|ignored|skipped|would|should|failed|lack\w*|"
                r"neglected|even)\b|n't\b"
            )
        ),
    ),
)
