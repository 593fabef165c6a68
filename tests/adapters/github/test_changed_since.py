"""What changed since a whole list, by the dates that GitHub gives; in doubt nothing is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from incident_ops.domain.time import parse_instant, stamp
from incident_ops.domain.tracker import WholeList
from incident_ops.errors import UserError
from tests.adapters.github.building import NAME, body, issue, tracker
from tests.support.scripted_server import Reply, ScriptedServer

LABELS = [{"id": 1, "name": "incident"}, {"id": 2, "name": "people"}]
PULL = issue(9, pull_request={"url": "x"})
NOON = datetime(2025, 2, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def dated(data: object, at: datetime = NOON, **more: str) -> Reply:
    """An answer that GitHub gave at an instant."""
    return Reply(data=data, headers={"date": format_datetime(at, usegmt=True), **more})


def listed(server: ScriptedServer) -> WholeList:
    """A list that was read whole at noon."""
    server.script(dated(LABELS), dated([]), dated([]))
    at = tracker(server.url)
    at.labels()
    at.owned()
    assert at.whole is not None
    return at.whole


def test_a_whole_list_is_dated_by_github(server: ScriptedServer) -> None:
    """With how many requests it took; without the labels before it nothing is told."""
    whole = listed(server)
    assert (whole.at, whole.pages) == (stamp(NOON), 2)
    server.script(dated([]), dated([]), dated(LABELS), Reply(data=[]), Reply(data=[]))
    at = tracker(server.url)
    assert at.whole is None
    at.owned()
    assert at.whole is None
    at.labels()
    at.owned()
    assert at.whole is None, "GitHub did not say when"


def test_issues_are_told_whatever_their_labels_are(server: ScriptedServer) -> None:
    """One that lost its labels is among them, a pull request is not; a list lags ten minutes at most."""
    whole = listed(server)
    server.script(dated(LABELS), dated([issue(4, labels=[]), PULL]))
    at = tracker(server.url)
    at.labels()
    changed = at.changed_since(whole)
    assert changed is not None
    assert [one.number for one in changed] == [4]
    query = parse_qs(urlsplit(server.asked[-1].path).query)
    assert query["state"] == ["all"]
    assert "labels" not in query
    assert parse_instant(whole.at) - parse_instant(query["since"][0]) == 10 * MINUTE


@pytest.mark.parametrize(
    "labels",
    [
        LABELS[:1],
        [*LABELS, {"id": 3, "name": "new"}],
        [{"id": 1, "name": "incident"}, {"id": 2, "name": "folk"}],
        [{"id": 7, "name": "incident"}, {"id": 2, "name": "people"}],
    ],
)
def test_a_label_that_is_deleted_renamed_or_made_anew_is_a_doubt(server: ScriptedServer, labels: list) -> None:
    """None of it gives an issue a new date."""
    whole = listed(server)
    server.script(dated(labels), dated([]))
    at = tracker(server.url)
    at.labels()
    assert at.changed_since(whole) is None


@pytest.mark.parametrize(
    ("later", "is_sure"), [(0, True), (24 * 60 - 1, True), (24 * 60, False), (-9, True), (-60, False), (None, False)]
)
def test_a_list_of_yesterday_or_of_tomorrow_is_a_doubt(
    server: ScriptedServer, later: int | None, is_sure: bool
) -> None:
    """By GitHub's clock, whatever that of this machine says."""
    whole = listed(server)
    server.script(dated(LABELS), Reply(data=[]) if later is None else dated([], NOON + later * MINUTE))
    at = tracker(server.url)
    at.labels()
    assert at.changed_since(whole) == ([] if is_sure else None)


def test_more_pages_than_the_whole_list_has_are_a_doubt(server: ScriptedServer) -> None:
    """Then the whole list is the shorter one."""
    whole = listed(server)
    more = f'<{server.url}/repos/{NAME}/issues?page=2>; rel="next"'
    server.script(dated(LABELS), dated([issue(1)], link=more), dated([issue(2)]))
    at = tracker(server.url)
    at.labels()
    assert at.changed_since(WholeList(at=whole.at, pages=1, labels=whole.labels)) is None


def test_a_repository_that_was_renamed_is_a_doubt(server: ScriptedServer) -> None:
    """Its whole list tells the new name."""
    whole = listed(server)
    moved = {"location": f"{server.url}/repositories/1/issues"}
    server.script(dated(LABELS), Reply(301, headers=moved), dated([]))
    at = tracker(server.url)
    at.labels()
    assert at.changed_since(whole) is None


def test_a_marker_of_an_untrusted_bot_is_refused_there_too(server: ScriptedServer) -> None:
    """A forgotten identity must not look like nothing to do."""
    whole = listed(server)
    bot = issue(5, body=body("INC-1"), author="other[bot]")
    server.script(dated(LABELS), dated([bot]))
    at = tracker(server.url)
    at.labels()
    with pytest.raises(UserError, match=r"other\[bot\]"):
        at.changed_since(whole)
