"""Two people's versions of one record and what they began with -> one record, with the text of both kept.

The text is woven line by line, value by value (`weave`), read again, and compared with the data that was meant
(`meld`), type by type: on our side and on theirs where they clash. What does not read back as meant is not given.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from incident_ops.findings import Route
from incident_ops.records.edit import same
from incident_ops.records.meld import ITEMS, Choice, Versions, broken_chains, by_name, emptied, meld
from incident_ops.records.nodes import nodes
from incident_ops.records.pieces import Piece, Unweavable, chosen, lines_of, marked, top_collection
from incident_ops.records.read import Document, read
from incident_ops.records.weave import Weaver

MARKER_SIZE = 7
CHAINS: tuple[Route, ...] = (("changes",), ("corrections",))

Faults = Callable[[Any], int]
"""The data of a record -> how many faults its history of states has."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged text; `conflicts` tells what stands between its conflict markers, empty where it has none."""

    text: str
    conflicts: tuple[str, ...] = ()


def merge(base: str, ours: str, theirs: str, *, faults: Faults, size: int = MARKER_SIZE) -> Merged | None:
    """The record with what both sides did since `base`; None where only its lines can be merged.

    `size` is the length of a conflict marker. None means that a version is no readable record, is laid out so that its
    lines cannot be told apart by value, or that the result would not be exactly the data that was meant.
    """
    if theirs in (ours, base):
        return Merged(ours)
    if ours == base:
        return Merged(theirs)
    eol = "\r\n" if "\r\n" in ours else "\n"
    texts = _with_ends_of(ours, [base, ours, theirs])
    read_texts = [read(text, "") for text in texts]
    documents = [one for one in read_texts if isinstance(one, Document) and isinstance(one.data, dict)]
    if len(documents) < len(texts):
        return None
    data = Versions(*(one.data for one in documents))
    weaver = Weaver(_held(data, faults))
    try:
        pieces = _woven(weaver, texts, data, eol)
    except Unweavable:
        return None
    if not _is_as_meant(pieces, data, frozenset(weaver.met)) or _lost(texts, pieces):
        return None
    told = [
        *(_told(route, data.base) for route in dict.fromkeys(weaver.met)),
        *map(_told_beside, dict.fromkeys(weaver.beside)),
    ]
    return Merged(marked(pieces, size, eol), tuple(told))


def _with_ends_of(ours: str, texts: Sequence[str]) -> list[str]:
    """The texts with our line ends, where those are all of one kind."""
    ends = set(re.findall("\r?\n", ours))
    if len(ends) != 1:
        return list(texts)
    (eol,) = ends
    return [re.sub("\r?\n", eol, text) for text in texts]


def _held(data: Versions, faults: Faults) -> frozenset[Route]:
    """The histories that each side could have written, but that do not go together."""
    melded = meld(data, (), Choice())
    held = {
        route
        for route in CHAINS
        if broken_chains(melded.get(route[0])) > max(broken_chains(one.get(route[0])) for one in data[1:])
    }
    if not any(same(melded.get("changes"), one.get("changes")) for one in data[1:]):
        held |= {("changes",)} if faults(melded) > max(map(faults, data[1:])) else set()
    return frozenset(held)


def _woven(weaver: Weaver, texts: Sequence[str], data: Versions, eol: str) -> list[Piece]:
    pages = [text if text.endswith("\n") else text + eol for text in texts]
    tops = [nodes(page) for page in pages]
    if any(top.kind != "map" or top.style != "block" for top in tops):
        raise Unweavable
    column = tops[1].column
    if any(top.column != column for top in tops):
        raise Unweavable
    parted = [top_collection(page, top, one) for page, top, one in zip(pages, tops, data, strict=True)]
    base, ours, theirs = parted
    pieces = weaver.collections((), ours, base, theirs)
    was_ended, ended, others_ended = (text.endswith("\n") for text in texts)
    last = pieces[-1] if (pieces := [one for one in pieces if one]) else ""
    if not (others_ended if ended == was_ended else ended) and isinstance(last, str):
        pieces[-1] = last.removesuffix(eol)
    return pieces


def _is_as_meant(pieces: Sequence[Piece], data: Versions, met: frozenset[Route]) -> bool:
    for is_ours in (True, False):
        document = read(chosen(pieces, ours=is_ours), "")
        meant = meld(data, (), Choice(is_ours, met))
        if not isinstance(document, Document) or not same(document.data, meant):
            return False
    return True


def _lost(texts: Sequence[str], pieces: Sequence[Piece]) -> bool:
    """True where a comment that a side wrote is in neither side of the result."""
    base, ours, theirs = (_comments(text) for text in texts)
    kept = _comments(chosen(pieces, ours=True)) | _comments(chosen(pieces, ours=False))
    return bool(((ours - base) | (theirs - base)) - kept)


def _comments(text: str) -> Counter[str]:
    return Counter(line.strip() for line in lines_of(text) if line.lstrip().startswith("#"))


def _told(route: Route, base: Any) -> str:
    name = ".".join(map(str, route))
    if route in CHAINS:
        return f"{name}: what both sides added does not make one history"
    if route[:-1] in ITEMS:
        known = by_name(route[:-1], emptied(base.get(route[0]), [])) or {}
        if route[-1] not in known:
            return f"{name}: both sides gave this id to a new item: keep both, and give one of them a free id"
        return f"{name}: both sides changed this item"
    return f"{name}: both sides changed it"


def _told_beside(route: Route) -> str:
    return f"{'.'.join(map(str, route)) or 'the record'}: both sides changed the comments here"
