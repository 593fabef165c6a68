"""What to change on a status page, from what it should say and what it says.

An update is published once: its digest is in the mark of its incident. What people did on the page stays as they left
it, and is reported: a status that is not ours, a component in a state that none of our incidents gave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from incident_ops.domain.public_updates import STATUSES
from incident_ops.domain.status_page import (
    COMPONENT_STATES,
    NONE,
    OPERATIONAL,
    RESOLVED,
    Components,
    Mark,
    PageChange,
    PageIncident,
    PagePost,
    PageSeen,
    WantedOnPage,
)

_NO_MARK = Mark("", 0, "")


class PagePlan(NamedTuple):
    """The changes in their order; `left` says for people what is left as they made it on the page.

    `spoiled` are incidents of the page whose mark somebody edited: nothing that may be one of them is opened.
    """

    changes: tuple[PageChange, ...]
    left: tuple[str, ...]
    spoiled: tuple[str, ...] = ()


def plan_page(wanted: Sequence[WantedOnPage], seen: PageSeen) -> PagePlan:
    """What brings the page to what is wanted; nothing where a former run did."""
    planner = _Planner(wanted, seen)
    for one in sorted(wanted, key=lambda one: one.key):
        planner.settle(one)
    return PagePlan(tuple(planner.changes), tuple(planner.left), seen.spoiled)


class _Planner:
    def __init__(self, wanted: Sequence[WantedOnPage], seen: PageSeen) -> None:
        self.changes: list[PageChange] = []
        self.left: list[str] = []
        shown = [one for one in wanted if not one.is_hidden]
        self._seen = seen
        self._now = dict(seen.components)
        self._holding = [one for one in shown if not one.is_over and (one.may_begin or self._ours(one.key))]
        self._of_others = _held_by_others(seen, {one.key for one in shown})
        self._given: dict[str, set[str]] = {}
        for one in seen.incidents:
            if one.mark and not one.is_resolved:
                for component, state in one.mark.components.items():
                    self._given.setdefault(component, set()).add(state)

    def settle(self, one: WantedOnPage) -> None:
        """Plans what is to be done for one incident."""
        ours = self._ours(one.key)
        there = ours[0] if ours else None
        if one.is_hidden:
            if there and not there.is_resolved:
                held = ", ".join(sorted(there.mark.components if there.mark else ()))
                then = f", and set {held} back to operational" if held else ""
                why = "restricted or an exercise"
                self.left.append(f"{one.key} is {why} and stands on the status page: take it off there by hand{then}")
            return
        if len([two for two in ours if not two.is_resolved]) > 1:
            self.left.append(f"{one.key} stands on the status page twice: delete one of the two there")
        if there is None or there.mark is None or (there.is_resolved and there.mark.cycle < one.cycle):
            if one.may_begin and not self._seen.spoiled:
                self._begin(one)
        elif there.status not in STATUSES:
            if any(post.digest not in there.mark.published for post in one.posts):
                self.left.append(f"{one.key} is {there.status!r} on the status page: what is new is not published")
        else:
            self._follow(one, there, there.mark)

    def _ours(self, key: str) -> list[PageIncident]:
        """The incidents of the page that are this one, that of the present first."""
        found = [one for one in self._seen.incidents if one.mark and one.mark.key == key]
        return sorted(found, key=lambda one: (-one.mark.cycle if one.mark else 0, one.is_resolved, one.id))

    def _begin(self, one: WantedOnPage) -> None:
        last = one.posts[-1] if one.posts else None
        status = RESOLVED if one.is_over else one.status
        body = last.body if last else one.first_word
        if one.is_over and last and last.status != RESOLVED:
            body = f"{last.body}\n\n{one.last_word}"
        states = {} if one.is_over else dict(self._states(one, _NO_MARK))
        mark = Mark(one.key, one.cycle, status, frozenset(post.digest for post in one.posts), states)
        self._change(PageChange(one.key, "", f"opened as {status}", mark, one.name, status, body, states, True))

    def _follow(self, one: WantedOnPage, there: PageIncident, mark: Mark) -> None:
        new = [post for post in one.posts if post.digest not in mark.published]
        closes = one.is_over and not there.is_resolved
        is_settled = one.is_over and there.is_resolved and mark.status == RESOLVED
        states = {} if is_settled else dict(self._states(one, mark))
        after = {**mark.components, **states}
        if new:
            self._publish(one, there, new, states, mark)
        elif closes:
            mark = mark._replace(cycle=one.cycle, status=RESOLVED, components=after)
            self._change(_of(there, one, "resolved", mark, status=RESOLVED, body=one.last_word, components=states))
        elif (status := self._status_alone(one, there, mark)) or states:
            what = [status] if status else []
            what += [f"component {name}: {state}" for name, state in sorted(states.items())]
            agreed = there.status if there.status == one.status else mark.status
            mark = mark._replace(status=status or agreed, components=after)
            line = ", ".join(what)
            self._change(_of(there, one, line, mark, status=status, components=states)._replace(notifies=False))

    def _publish(
        self, one: WantedOnPage, there: PageIncident, new: Sequence[PagePost], states: Components, mark: Mark
    ) -> None:
        """The updates in their order; who subscribed hears of the last one, which the states come with."""
        closes = one.is_over and not there.is_resolved
        for post in new[:-1]:
            status = _onward(post, one, there)
            mark = mark._replace(cycle=one.cycle, status=status, published=mark.published | {post.digest})
            change = _of(there, one, _published(status), mark, status=status, body=post.body)
            self._change(change._replace(notifies=False))
        last = new[-1]
        status = RESOLVED if one.is_over else _onward(last, one, there)
        body = f"{last.body}\n\n{one.last_word}" if closes and last.status != RESOLVED else last.body
        published = mark.published | {last.digest}
        mark = Mark(one.key, one.cycle, status, published, {**mark.components, **states})
        self._change(_of(there, one, _published(status), mark, status=status, body=body, components=states))

    def _status_alone(self, one: WantedOnPage, there: PageIncident, mark: Mark) -> str | None:
        """The status that `public_status` of the record gives without an update: only onwards; None to leave it."""
        if there.status not in (mark.status, one.status):
            self.left.append(
                f"{one.key} is {there.status} on the status page, where people set it, and {one.status} in its record"
            )
        if there.status != mark.status or one.is_over or STATUSES.index(one.status) <= STATUSES.index(there.status):
            return None
        return one.status

    def _states(self, one: WantedOnPage, mark: Mark) -> Iterator[tuple[str, str]]:
        """The states to give to components with the next change of an incident."""
        for component in sorted({*one.components, *mark.components}):
            state, now = self._worst(component), self._now.get(component)
            before = mark.components.get(component)
            if now is None:
                self.left.append(f"{one.key}: the status page has no component {component}: see publish.components")
            elif state == OPERATIONAL and component in self._of_others:
                continue  # an incident of somebody else's holds it
            elif now == state:
                if before != state and (before is not None or not one.is_over):
                    yield component, state
            elif now in self._given.get(component, ()) or (before is None and now == OPERATIONAL):
                yield component, state
            else:
                said = f"component {component} is {now} on the status page, where people set it"
                self.left.append(f"{one.key}: {said}, and not {state}")

    def _worst(self, component: str) -> str:
        states = [one.components[component] for one in self._holding if component in one.components]
        return max(states, key=COMPONENT_STATES.index, default=OPERATIONAL)

    def _change(self, change: PageChange) -> None:
        self.changes.append(change)
        for component, state in change.components.items():
            self._now[component] = state
            self._given.setdefault(component, set()).add(state)


def _onward(post: PagePost, one: WantedOnPage, there: PageIncident) -> str:
    """The status of an update. One that was written before the page changed last takes nothing back."""
    if post.at >= there.changed and not (one.is_over and there.is_resolved):
        return post.status
    return max(post.status, there.status, key=STATUSES.index)


def _published(status: str) -> str:
    return f"an update is published, {status}"


def _held_by_others(seen: PageSeen, ours: Set[str]) -> frozenset[str]:
    """The components of unresolved incidents that are none of these."""
    others = [one for one in seen.incidents if not one.is_resolved and not (one.mark and one.mark.key in ours)]
    return frozenset[str]().union(*(one.components for one in others))


def _of(
    there: PageIncident,
    one: WantedOnPage,
    line: str,
    mark: Mark,
    *,
    status: str | None,
    body: str | None = None,
    components: Components = NONE,
) -> PageChange:
    """A change of an incident that stands on the page, of which those hear who subscribed."""
    known = (there.metadata, there.components)
    return PageChange(one.key, there.id, line, mark, None, status, body, components, True, *known)
