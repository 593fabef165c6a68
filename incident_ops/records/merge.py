"""Two people's versions of one record and what they began with -> one record, with the text of both kept.

The data is merged by rules (`merge_data`), and the lines follow it value by value (`merge_text`), so that comments and
quotes of both sides stay. The text is read again and compared with the merged data, type by type: on our side and on
theirs where they clash. A result that does not read back as intended is not returned.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from incident_ops.findings import Route
from incident_ops.records.editor import same_data
from incident_ops.records.merge_data import ITEMS, Choice, Versions, broken_chains, by_name, emptied, merge_data, settle
from incident_ops.records.merge_text import TextMerge
from incident_ops.records.text_parts import (
    Chunk,
    NotDivisible,
    lines_of,
    text_of_side,
    text_with_markers,
    top_collection,
)
from incident_ops.records.yaml_positions import nodes
from incident_ops.records.yaml_reader import Document, read_yaml

MARKER_SIZE = 7
CHAINS: tuple[Route, ...] = (("changes",), ("corrections",))

CountErrors = Callable[[Any], int]
"""The data of a record -> how many count_errors its history of states has."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged text; `conflicts` describes what is between its conflict markers, empty where it has none."""

    text: str
    conflicts: tuple[str, ...] = ()


def merge_records(
    base: str, ours: str, theirs: str, *, count_errors: CountErrors, size: int = MARKER_SIZE
) -> Merged | None:
    """The record with what both sides did since `base`; None where only its lines can be merged.

    `size` is the length of a conflict marker. None means that a version is not a readable record, is laid out so that
    its lines cannot be conflicts apart by value, or that the result would not be exactly the data that was meant.
    """
    if theirs in (ours, base):
        return Merged(ours)
    if ours == base:
        return Merged(theirs)
    eol = "\r\n" if "\r\n" in ours else "\n"
    texts = _with_ends_of(ours, [base, ours, theirs])
    read_texts = [read_yaml(text, "") for text in texts]
    documents = [
        document for document in read_texts if isinstance(document, Document) and isinstance(document.data, dict)
    ]
    if len(documents) < len(texts):
        return None
    data = Versions(*(document.data for document in documents))
    settled = settle(data)
    text_merge = TextMerge(_broken_histories(data, settled, count_errors), settled)
    try:
        chunks = _merged_text(text_merge, texts, data, eol)
    except NotDivisible:
        return None
    if not _is_as_meant(chunks, data, text_merge) or _comment_lost(texts, chunks):
        return None
    conflicts = [
        *(_explained(route, data.base) for route in dict.fromkeys(text_merge.clashes)),
        *map(_comments_clash, dict.fromkeys(text_merge.comment_clashes)),
    ]
    return Merged(text_with_markers(chunks, size, eol), tuple(conflicts))


def _with_ends_of(ours: str, texts: Sequence[str]) -> list[str]:
    """The texts with our line ends, where those are all of one kind."""
    ends = set(re.findall("\r?\n", ours))
    if len(ends) != 1:
        return list(texts)
    (eol,) = ends
    return [re.sub("\r?\n", eol, text) for text in texts]


def _broken_histories(data: Versions, settled: Mapping[Route, bool], count_errors: CountErrors) -> frozenset[Route]:
    """The histories that each side could have written, but that do not go together."""
    merged_data = merge_data(data, (), Choice(settled=settled))
    broken = {
        route
        for route in CHAINS
        if broken_chains(merged_data.get(route[0])) > max(broken_chains(side.get(route[0])) for side in data[1:])
    }
    if not any(same_data(merged_data.get("changes"), side.get("changes")) for side in data[1:]):
        broken |= {("changes",)} if count_errors(merged_data) > max(map(count_errors, data[1:])) else set()
    return frozenset(broken)


def _merged_text(text_merge: TextMerge, texts: Sequence[str], data: Versions, eol: str) -> list[Chunk]:
    pages = [text if text.endswith("\n") else text + eol for text in texts]
    tops = [nodes(page) for page in pages]
    if any(top.kind != "map" or top.style != "block" for top in tops):
        raise NotDivisible
    column = tops[1].column
    if any(top.column != column for top in tops):
        raise NotDivisible
    parted = [top_collection(page, top, side) for page, top, side in zip(pages, tops, data, strict=True)]
    base, ours, theirs = parted
    chunks = text_merge.collections((), ours, base, theirs)
    was_ended, ended, others_ended = (text.endswith("\n") for text in texts)
    last = chunks[-1] if (chunks := [chunk for chunk in chunks if chunk]) else ""
    if not (others_ended if ended == was_ended else ended) and isinstance(last, str):
        chunks[-1] = last.removesuffix(eol)
    return chunks


def _is_as_meant(chunks: Sequence[Chunk], data: Versions, text_merge: TextMerge) -> bool:
    clashes = frozenset(text_merge.clashes)
    for is_ours in (True, False):
        document = read_yaml(text_of_side(chunks, ours=is_ours), "")
        intended = merge_data(data, (), Choice(is_ours, clashes, settled=text_merge.settled))
        if not isinstance(document, Document) or not same_data(document.data, intended):
            return False
    return True


def _comment_lost(texts: Sequence[str], chunks: Sequence[Chunk]) -> bool:
    """True where a comment that a side wrote is in neither side of the result."""
    base, ours, theirs = (_comments(text) for text in texts)
    kept = _comments(text_of_side(chunks, ours=True)) | _comments(text_of_side(chunks, ours=False))
    return bool(((ours - base) | (theirs - base)) - kept)


def _comments(text: str) -> Counter[str]:
    return Counter(line.strip() for line in lines_of(text) if line.lstrip().startswith("#"))


def _explained(route: Route, base: Any) -> str:
    name = ".".join(map(str, route))
    if route in CHAINS:
        return f"{name}: the entries that both sides added do not form one valid history"
    if route[:-1] in ITEMS:
        known = by_name(route[:-1], emptied(base.get(route[0]), [])) or {}
        if route[-1] not in known:
            return f"{name}: both sides gave this id to a new item: keep both, and give one of them a new id"
        return f"{name}: both sides changed this item"
    return f"{name}: both sides changed it"


def _comments_clash(route: Route) -> str:
    return f"{'.'.join(map(str, route)) or 'the record'}: both sides changed the comments here"
