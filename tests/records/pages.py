"""Random YAML texts of every layout that records can have, and random edits of their data."""

from __future__ import annotations

import random
from typing import Any

from incident_ops.domain.record import Append, Edit, Set
from incident_ops.findings import Route

KEYS = ["id", "title", "state", "times", "roles", "note", "a b", "x-1", "é", "no", "12", "ключ", "url", "last"]
QUOTED_KEYS = ["'it''s'", '"q: \\"x\\""', '"# k"', '"null"', "'- d'"]
PLAIN = ["x", "SEV1", "two words", "2025-01-26T12:05:00Z", "2025-01-26", "12", "1.5", "true", "no", "http://a/b?c#e",
         "é 日本 😀", "tab\there", "it's", 'say "hi"', "a:b", "-x", "12:30", "1e3", "0o17", "=", "end #no"]  # fmt: skip
QUOTED = [
    "'it''s'",
    '"a\\nb"',
    '"0123"',
    "''",
    '""',
    "'# no'",
    '"u\\u2028v"',
    "'{x}'",
    '"é😀"',
    '"- a: b"',
]
BLOCKS = ["|", ">", "|-", ">-", "|+", ">+", "|2", ">2-", "|2+"]
TEXTS = ["x", "", "SEV2", "no", "NO", "y", "~", "null", "0123", "1e3", "12:30", "1_000", "0x1F", "=", "<<", ".5", "+1",
         "2025-01-26", "2025-01-26T12:05:00Z", "2025-01-26 12:05:00", "@maya", "# c", "- a", "{a", "[b", "*c", "&d",
         "!e", "|f", ">g", "%h", "`i", "a: b", "a #b", "a:", ":a", "?b", "? c", ", d", "---", "...", "--- x", "'q'",
         '"q"', "back\\slash", " lead", "trail ", "tab\tin", "\ttab", "a, b]", "{{ x }}", "http://x.y/z#f", "é日本😀",
         "line\nline", "line\n", "a\n\nb\n", "\n\na", "  in\nout", "a\n\n", "\n", "a \nb", "a\r\nb", "u\u2028v",
         "n\u0085x", "p\u2029q", "\u202eevil", "\x07bell", "\ufeffbom", "# h\n- i\n", "---\nx", "\tt\nu", "w" * 300,
         "7" * 25]  # fmt: skip


class Writer:
    """Writes one random document; comments carry running numbers `#~7~` so that each can be found again."""

    def __init__(self, rnd: random.Random) -> None:
        self.rnd, self.comments = rnd, 0
        self.ends = rnd.choice([["\n"], ["\n"], ["\r\n"], ["\n", "\r\n"]])
        self.busy = rnd.choice([0.0, 0.15, 0.4])

    def eol(self) -> str:
        return self.rnd.choice(self.ends)

    def comment(self) -> str:
        self.comments += 1
        extra = self.rnd.choice(["", "", "", "", " a: b", " - x", "\u2028", "\u0085", " ' \" {", "\r"])
        return f"#~{self.comments}~{extra}"

    def tail(self) -> str:
        """The end of a line, sometimes with a comment."""
        space = self.rnd.choice([" ", "  ", " \t"])
        return (space + self.comment() if self.rnd.random() < self.busy else "") + self.eol()

    def between(self, column: int) -> str:
        """Lines that mean nothing."""
        text = ""
        while self.rnd.random() < self.busy:
            indent = " " * self.rnd.choice([column, column, column + 1, column + 2, 0])
            text += self.rnd.choice([indent + self.comment(), "", indent]) + self.eol()
        return text

    def keys(self) -> list[str]:
        pool = KEYS if self.rnd.random() < 0.8 else KEYS + QUOTED_KEYS
        return self.rnd.sample(pool, self.rnd.choice([1, 2, 2, 3, 4]))

    def mapping(self, column: int, depth: int, *, compact: bool = False) -> str:
        text = "" if compact else self.between(column)
        for key in self.keys():
            indent = "" if compact else " " * column
            gap = self.rnd.choice(["", "", "", " "])
            text += f"{indent}{key}{gap}:{self.value(column, depth)}{self.between(column)}"
            compact = False
        return text

    def sequence(self, column: int, depth: int, *, compact: bool = False) -> str:
        text = "" if compact else self.between(column)
        for _ in range(self.rnd.choice([1, 2, 2, 3])):
            text += ("" if compact else " " * column) + "-" + self.item(column, depth) + self.between(column)
            compact = False
        return text

    def item(self, column: int, depth: int) -> str:
        if depth > 0 and self.rnd.random() < 0.5:
            wide = self.rnd.choice([1, 1, 1, 3])
            write = self.rnd.choice([self.mapping, self.mapping, self.sequence])
            return " " * wide + write(column + 1 + wide, depth - 1, compact=True)
        return self.leaf(column)

    def value(self, column: int, depth: int) -> str:
        if depth > 0 and self.rnd.random() < 0.5:
            if self.rnd.random() < 0.5:
                return self.tail() + self.mapping(column + self.rnd.choice([2, 2, 2, 4, 1]), depth - 1)
            return self.tail() + self.sequence(column + self.rnd.choice([0, 0, 2]), depth - 1)
        return self.leaf(column)

    def leaf(self, column: int) -> str:
        kind = self.rnd.choice(
            ["null", "plain", "plain", "plain", "quoted", "lines", "block", "block", "below", "flow", "flow"]
        )
        inset = " " * (column + self.rnd.choice([1, 2, 2, 3]))
        if kind == "null":
            return self.rnd.choice(["", "", " ~", " null"]) + self.tail()
        if kind == "plain":
            return " " + self.rnd.choice(PLAIN) + self.tail()
        if kind == "quoted":
            return self.rnd.choice([" ", "  "]) + self.rnd.choice(QUOTED) + self.tail()
        if kind == "lines":
            quote = self.rnd.choice(["", "'", '"'])
            return f" {quote}one{self.eol()}{inset}two{quote}{self.tail()}"
        if kind == "below":
            return self.tail() + inset + self.rnd.choice(PLAIN + QUOTED) + self.tail()
        if kind == "block":
            return self.block(column)
        return " " + self.flow(2) + self.tail()

    def block(self, column: int) -> str:
        header = self.rnd.choice(BLOCKS)
        inset = " " * (column + 2)
        text = f" {header}{self.tail()}"
        for line in self.rnd.choice(
            [["t"], ["t", "u"], ["t", "", "u"], ["t", "  deep", "# not a comment"], [], ["- a: b", ""]]
        ):
            text += (inset + line if line else "") + self.eol()
        return text + "".join(self.eol() for _ in range(self.rnd.choice([0, 0, 1, 2])))

    def flow(self, depth: int) -> str:
        join = self.rnd.choice([", ", ", ", ",", f",{self.eol()}               "])
        close = self.rnd.choice(
            [""] * 12 + [",", " ", f"{self.eol()}               ", f" {self.comment()}\n               "]
        )
        inner = [self.flow_one(depth) for _ in range(self.rnd.choice([0, 1, 2, 3]))]
        if self.rnd.random() < 0.5:
            inner = [one for one in inner if ": " not in one or one[0] in "[{'\""]
            names = self.keys()[: len(inner)]
            pairs = [
                self.rnd.choice([f"{name}: {one}"] * 12 + [name, f"{name}: "])
                for name, one in zip(names, inner, strict=False)
            ]
            return "{" + join.join(pairs) + (close if pairs else "") + "}"
        return "[" + join.join(inner) + (close if inner else "") + "]"

    def flow_one(self, depth: int) -> str:
        if depth > 0 and self.rnd.random() < 0.3:
            return self.flow(depth - 1)
        return self.rnd.choice(["1", "a", "two words", "'q'", '"d, e"', "k: v", "null", "2025-01-26", "é"])

    def document(self) -> str:
        head = self.rnd.choice(["", "", "", "# head\n", "---" + self.eol(), "%YAML 1.1\n---\n", "\n"])
        if self.rnd.random() < 0.01:
            head = "\ufeff" + head
        body = self.rnd.choice([self.mapping] * 8 + [self.sequence])(0, self.rnd.choice([1, 2, 3]))
        if self.rnd.random() < 0.03:
            body = self.flow(3) + self.eol()
        foot = self.rnd.choice(["", "", "", "...\n", "# foot\n"])
        text = head + body + foot
        return text.rstrip("\r\n") if self.rnd.random() < 0.2 else text


def any_value(rnd: random.Random, depth: int = 2) -> Any:
    """A value that an edit may bring."""
    kind = rnd.choice(["text"] * 5 + ["number", "word", "map", "list"])
    if kind == "number":
        return rnd.choice([0, 1, -7, 1.0, 0.5, 1e21, 1.5e-7, 10**17, True, False])
    if kind == "word":
        return rnd.choice([None, True, False, [], {}])
    if kind == "text" or depth == 0:
        return rnd.choice(TEXTS)
    if kind == "map":
        return {
            name: any_value(rnd, depth - 1) for name in rnd.sample([*KEYS, "a: b", "", "null"], rnd.choice([1, 2, 3]))
        }
    return [any_value(rnd, depth - 1) for _ in range(rnd.choice([1, 2]))]


def routes(data: Any, route: Route = ()) -> list[Route]:
    """Every route of the data."""
    below = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [route, *(one for step, value in below for one in routes(value, (*route, step)))]


def any_edit(rnd: random.Random, data: Any) -> Edit:
    """An edit that has a place in the data."""
    found = routes(data)
    values = {route: at(data, route) for route in found}
    lists = [route for route in found if isinstance(values[route], list)]
    nulls = [route for route in found if route and values[route] is None]
    maps = [route for route in found if isinstance(values[route], dict)]
    for kind in rnd.sample(["set", "set", "insert", "insert", "append", "append", "fill"], 7):
        value = any_value(rnd)
        if kind == "set" and len(found) > 1:
            return Set(rnd.choice(found[1:]), value)
        if kind == "insert" and maps:
            steps = tuple(rnd.sample(["new", "roles", "zz", "a: b"], rnd.choice([1, 1, 2])))
            route = (*rnd.choice(maps), *steps)
            there = at(data, route[: -len(steps)]).get(steps[0])
            if there is not None and (len(steps) == 2 or rnd.random() < 0.3):
                route = (*route[: -len(steps)], "fresh")
            return Append(route, value) if there is None and rnd.random() < 0.3 else Set(route, value)
        if kind == "append" and lists:
            return Append(rnd.choice(lists), value)
        if kind == "fill" and nulls:
            route = rnd.choice(nulls)
            return Append(route, value) if rnd.random() < 0.5 else Set((*route, "new"), value)
    return Append(("fresh",), "x") if isinstance(data, dict) else Append((), "x")


def at(data: Any, route: Route) -> Any:
    """The value at a route that is there."""
    for step in route:
        data = data[step]
    return data
