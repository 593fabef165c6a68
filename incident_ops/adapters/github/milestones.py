"""GitHub's milestones: found by title, whatever the case, open or closed."""

from __future__ import annotations

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.responses import MilestoneSeen, as_milestone, check, refused
from incident_ops.domain.tracker import Milestone, fold_title
from incident_ops.errors import WriteFailed


class Milestones:
    """The milestones of one repository; listed once, when they are first asked for."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._numbers: dict[str, int] | None = None

    def listed(self) -> list[Milestone]:
        """Every milestone. Incomplete where the list cannot be read whole."""
        doing = f"listing the milestones of {self._client.repository}"
        pages = self._client.pages("/milestones", doing=doing, state="all")
        seen = [one for page in pages for one in check(page, list[MilestoneSeen], doing)]
        seen.sort(key=lambda one: (one.state != "open", one.number))  # of two in different case the open one counts
        self._numbers = {fold_title(one.title): one.number for one in reversed(seen)}
        return [as_milestone(one) for one in seen]

    def number_of(self, title: str) -> int | None:
        """The number by which an issue names a milestone; None where there is none of that title."""
        return self._known().get(fold_title(title))

    def make(self, milestone: Milestone) -> None:
        """Makes a milestone that is not there, due on its day.

        GitHub keeps the day that it is in California at the instant of `due_on`: at noon UTC it is the same one there.
        """
        if self.number_of(milestone.title) is not None:
            return
        doing = f"making the milestone `{milestone.title}`"
        body = {"title": milestone.title, "due_on": f"{milestone.due}T12:00:00Z"}
        answer = self._client.ask("POST", "/milestones", body=body, again=True)
        if answer.status == 422:  # made meanwhile, by another run or by this request's first sending
            self.listed()
            if self.number_of(milestone.title) is not None:
                return
        if answer.status >= 300:
            raise refused(answer, WriteFailed, doing, self._client.repository)
        made = check(answer.data, MilestoneSeen, doing)
        self._known()[fold_title(milestone.title)] = made.number  # GitHub may spell it otherwise

    def _known(self) -> dict[str, int]:
        if self._numbers is None:
            self.listed()
        return {} if self._numbers is None else self._numbers
