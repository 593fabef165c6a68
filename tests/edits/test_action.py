"""action: items from open to done or dropped."""

from __future__ import annotations

import pytest

from incident_ops.edits.action_items import NewItem, add_item, drop_item, finish_item, set_status, start_item
from incident_ops.errors import UserError
from tests.edits.scene import SEV, Page, policy


def page_with(*statuses: str) -> Page:
    """A record with items AI-1, AI-2, ... in these states."""
    more = {"wont_do": {"reason": "x"}, "done": {"done_at": "2025-01-26"}}
    items = [
        {"id": f"AI-{n}", "title": f"t{n}", "status": status, **more.get(status, {})}
        for n, status in enumerate(statuses, 1)
    ]
    return Page(action_items=items)


def test_a_new_item_gets_the_next_id_and_only_what_was_said() -> None:
    """In the file's own block style, below the others."""
    page = page_with("open", "done")
    item = NewItem("Add: an alert", owner="@b", due="2025-02-01", priority="P1", kind="detective")
    step = page.take(1, lambda one, now: add_item(one, SEV, now, item))
    assert step.messages == ("AI-3 added: Add: an alert, due 2025-02-01",)
    assert page.text.endswith(
        '- id: AI-3\n  title: "Add: an alert"\n  owner: "@b"\n  due: 2025-02-01\n  priority: P1\n  kind: detective\n'
        "  status: open\n  added: 2025-01-26T12:06:00Z\n"
    )


def test_a_gap_is_not_filled() -> None:
    """An id that was given is never given again."""
    page = Page(action_items=[{"id": "AI-7", "title": "t"}])
    page.take(1, lambda one, now: add_item(one, SEV, now, NewItem("u")))
    assert [one.id for one in page.incident.action_items] == ["AI-7", "AI-8"]


def test_without_owner_and_due_it_warns() -> None:
    """It may be written down first."""
    judge = policy("extends: sev0-3\naction_items: {metric_days: null}\n")
    step = Page().take(1, lambda one, now: add_item(one, judge, now, NewItem("t")))
    assert "no owner and no due" in step.warnings[0]


def test_an_item_is_started_and_done() -> None:
    """done says when, by whom, and where it can be seen."""
    page = page_with("open", "open")
    page.take(1, lambda one, _: start_item(one, "ai-2"))
    assert page.incident.action_items[1].status == "in_progress"
    page.take(2, lambda one, now: finish_item(one, now, "@a", "2", "http://x", None))
    item = page.incident.action_items[1]
    assert (item.status, item.done_at, item.done_by, item.evidence) == (
        "done",
        "2025-01-26T12:07:00Z",
        "@a",
        "http://x",
    )
    assert page.take(3, lambda one, now: finish_item(one, now, "@b", "AI-2", None, None)).edits == ()
    assert page.incident.action_items[0].status == "open"


def test_a_dropped_item_says_why() -> None:
    """wont_do with a reason."""
    page = page_with("open")
    page.take(1, lambda one, _: drop_item(one, "AI-1", "replaced"))
    assert (page.incident.action_items[0].status, page.incident.action_items[0].reason) == ("wont_do", "replaced")


@pytest.mark.parametrize("status", ["done", "wont_do"])
def test_what_is_closed_stays_so(status: str) -> None:
    """The hint says what opens it again."""
    page = page_with(status)
    with pytest.raises(UserError) as told:
        page.take(1, lambda one, _: drop_item(one, "AI-1", "x"))
    assert "action edit AI-1 INC-1 --status open" in told.value.hint
    with pytest.raises(UserError):
        page.take(1, lambda one, _: start_item(one, "AI-1"))


def test_an_item_that_is_not_there() -> None:
    """The nearest is named."""
    with pytest.raises(UserError) as told:
        page_with("open").take(1, lambda one, _: start_item(one, "AI-9"))
    assert "AI-1" in told.value.hint
    with pytest.raises(UserError, match="no action item"):
        Page().take(1, lambda one, _: start_item(one, "AI-9"))


@pytest.mark.parametrize("status", ["done", "in_progress"])
def test_a_reason_that_is_given_is_kept(status: str) -> None:
    """Of whatever status it was given for."""
    page = page_with("open")
    page.take(5, lambda one, now: set_status(one, now, "@a", "1", status, "the vendor did it"))
    (item,) = page.incident.action_items
    assert item.status == status
    assert [(one.field, one.old, one.new, one.reason) for one in item.changes] == [
        ("status", "open", status, "the vendor did it")
    ]
