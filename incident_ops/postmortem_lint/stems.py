"""Words without their endings, to see whether two texts are about the same thing."""

from __future__ import annotations

import re

from incident_ops.postmortem_lint.words import word_set

_SMALL = word_set(
    """
    about after again also because been before being between both could does done during each from have here into
    just like made make more most much must need only other over same should some such than that their them then
    there these they this those through time under until very were what when where which while will with without
    would your because every added adds add new the and for not are was had has
    """
)
_WORD = re.compile(r"[^\W_]{3,}")
_SUFFIX = re.compile(r"(?:ations?|ments?|ments|ingly|edly|ings?|ions?|ers?|ed|es|ies|ly|ability|able|ives?|s|e|y)$")


def stems(text: str) -> frozenset[str]:
    """The words of a text that say something, cut down to what their forms share."""
    return frozenset(_stem(word) for word in _WORD.findall(text.lower()) if word not in _SMALL)


def _stem(word: str) -> str:
    cut = _SUFFIX.sub("", word)
    cut = cut if len(cut) >= 3 else word
    return cut[:-1] if len(cut) > 4 and cut[-1] == cut[-2] else cut
