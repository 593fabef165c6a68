"""Cycles in a graph of links."""

from __future__ import annotations

from collections.abc import Iterable


def cycles(edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Every node that lies on a cycle of two or more -> the number of its cycle (its strongly connected component).

    Without recursion, in time linear in the edges (Tarjan's algorithm). Self-links are not looked at.
    """
    following: dict[str, list[str]] = {}
    for source, target in edges:
        following.setdefault(source, []).append(target)
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    placed: set[str] = set()
    found: dict[str, int] = {}
    for root in following:
        if root in order:
            continue
        path = [(root, iter(following[root]))]
        order[root] = lowest[root] = len(order)
        waiting.append(root)
        while path:
            node, rest = path[-1]
            step = next(rest, None)
            if step is None:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
                if lowest[node] == order[node]:
                    group = waiting[waiting.index(node) :] if waiting[-1] != node else [node]
                    del waiting[-len(group) :]
                    placed.update(group)
                    if len(group) > 1:
                        found.update(dict.fromkeys(group, order[node]))
            elif step not in order:
                order[step] = lowest[step] = len(order)
                waiting.append(step)
                path.append((step, iter(following.get(step, ()))))
            elif step not in placed:
                lowest[node] = min(lowest[node], order[step])
    return found
