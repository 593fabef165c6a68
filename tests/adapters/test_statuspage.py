"""An existing Statuspage follows the records: each update once, whatever fails, and nothing of people's undone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec
import pytest

from incident_ops.adapters.statuspage import Statuspage, statuspage
from incident_ops.app.run_parts import PartDone
from incident_ops.app.status_page import carry_out
from incident_ops.documents.status_page import wanted_on_page
from incident_ops.domain.incident import Incident, Times
from incident_ops.domain.policy import Service
from incident_ops.domain.time import parse_instant
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.reconcile.status_page import plan_page
from tests.render.test_documents import policy
from tests.render.test_public_texts import PUBLIC_TIMES, Canaries, full_record
from tests.support.statuspage import DROP, HALF, HANG, KEY, LOST, PAGE, StatuspageDesk, statuspage_desk

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost"])
SERVICES = {"auth": Service(owner="@team", public_name="Login"), "api": Service(owner="@team", public_name="API")}
IDS = {"auth": "login1", "api": "api2"}
DAY = "2025-01-26T"


@pytest.fixture
def desk() -> Iterator[StatuspageDesk]:
    with statuspage_desk() as made:
        yield made


def said(clock: str, status: str, text: str, audience: str = "public") -> dict[str, Any]:
    return {"at": f"{DAY}{clock}:00Z", "audience": audience, "status": status, "text": text}


def incident(*updates: dict[str, Any], **fields: Any) -> Incident:
    made = {
        "id": "INC-1",
        "title": "The login database is down",
        "severity": "SEV1",
        "state": "in_progress",
        "services": ["auth"],
        "times": {"declared": f"{DAY}12:00:00Z"},
        "updates": list(updates),
        **fields,
    }
    return msgspec.convert(made, Incident)


def over(*updates: dict[str, Any], state: str = "resolved", **fields: Any) -> Incident:
    times = {"declared": f"{DAY}12:00:00Z", "restored": f"{DAY}12:40:00Z", "resolved": f"{DAY}12:40:00Z"}
    return incident(*updates, state=state, times=times, **fields)


LOOK = said("12:10", "investigating", "Logins fail.")
CAUSE = said("12:20", "identified", "We found the cause.")
WATCH = said("12:30", "monitoring", "Logins work again.")
LAST = said("12:41", "resolved", "Logins work.")


def run(desk: StatuspageDesk, *incidents: Incident, clock: str = "12:42", seconds: float = 5) -> PartDone:
    """One run of the part that publishes."""
    page = Statuspage(KEY, PAGE, desk.url, seconds)
    now = parse_instant(f"{DAY}{clock}:00Z")
    wanted = [wanted_on_page(one, policy("sev0-3"), SERVICES, IDS, now) for one in incidents]
    try:
        return carry_out(page, plan_page(wanted, page.read()))
    except IncidentOpsError as error:
        return PartDone(errors=(error,))


def idle(desk: StatuspageDesk, *incidents: Incident) -> None:
    """A further run changes nothing."""
    before = len(desk.changes)
    assert run(desk, *incidents) == PartDone()
    assert len(desk.changes) == before


def test_an_incident_goes_through_its_life_once(desk: StatuspageDesk) -> None:
    """Opened before any update, each update once, its component with it, green when it is over."""
    run(desk, incident(), clock="12:01")
    assert desk.bodies == [("investigating", "We are investigating issues with Login.")]
    assert desk.components == {"login1": "partial_outage", "api2": "operational"}
    assert desk.incidents[0]["name"] == "We are investigating issues with Login"
    idle(desk, incident())
    for known in ([LOOK], [LOOK, CAUSE], [LOOK, CAUSE, WATCH]):
        done = run(desk, incident(*known), clock=known[-1]["at"][11:16])
        assert done == PartDone((f"status page: INC-1: an update is published, {known[-1]['status']}",))
        idle(desk, incident(*known))
    ended = over(LOOK, CAUSE, WATCH, LAST)
    run(desk, ended)
    assert desk.bodies[1:] == [(one["status"], one["text"]) for one in (LOOK, CAUSE, WATCH, LAST)]
    assert set(desk.components.values()) == {"operational"}
    idle(desk, ended)
    assert desk.wrong == []


def test_several_updates_come_in_order_and_subscribers_hear_of_the_last(desk: StatuspageDesk) -> None:
    run(desk, incident(), clock="12:01")
    run(desk, incident(LOOK, CAUSE, WATCH), clock="12:31")
    updates = desk.incidents[0]["incident_updates"]
    assert [(one["status"], one["notified"]) for one in updates] == [
        ("investigating", True),
        ("investigating", False),
        ("identified", False),
        ("monitoring", True),
    ]
    assert updates[1]["body"] == "Logins fail.\n\nWritten at 2025-01-26 12:10 UTC."
    assert updates[3]["body"] == "Logins work again."


def test_it_ends_without_a_last_word_too(desk: StatuspageDesk) -> None:
    """The record is over, so the page says so; a word that comes later takes nothing back."""
    run(desk, incident(LOOK))
    run(desk, over(LOOK))
    assert desk.bodies[-1] == ("resolved", "This incident is resolved.")
    late = said("12:50", "monitoring", "We watched it for ten minutes.")
    run(desk, over(LOOK, late), clock="12:51")
    assert desk.bodies[-1] == ("resolved", late["text"])
    assert set(desk.components.values()) == {"operational"}


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        ("false_alarm", "We have found no problem with Login on our side."),
        ("withdrawn", "We no longer follow this incident."),
        ("duplicate", "We follow this under another incident."),
    ],
)
def test_what_was_none_is_closed_and_never_begun(desk: StatuspageDesk, outcome: str, word: str) -> None:
    """Of a duplicate nothing is claimed: what it doubles may be a running outage."""
    ended = over(LOOK, outcome=outcome, state="closed")
    assert run(desk, ended) == PartDone()
    run(desk, incident(LOOK))
    run(desk, ended)
    assert desk.bodies[-1] == ("resolved", word)


def test_an_update_whose_text_is_corrected_is_not_sent_again(desk: StatuspageDesk) -> None:
    run(desk, incident(LOOK, CAUSE))
    sent = len(desk.changes)
    run(desk, incident(LOOK, said("12:20", "identified", "We have found the cause.")))
    assert len(desk.changes) == sent


def test_services_that_share_a_component_show_the_worst_of_them() -> None:
    degrees = [{"service": "auth", "degree": "major", "from": f"{DAY}12:00:00Z"}]
    degrees += [{"service": "api", "degree": "degraded", "from": f"{DAY}12:00:00Z"}]
    both = incident(services=["auth", "api"], impact={"services": degrees})
    now = parse_instant(f"{DAY}12:10:00Z")
    wanted = wanted_on_page(both, policy("sev0-3"), SERVICES, {"auth": "one", "api": "one"}, now)
    assert wanted.components == {"one": "major_outage"}


def test_a_component_that_people_attached_stays_attached(desk: StatuspageDesk) -> None:
    run(desk, incident(LOOK))
    desk.by_hand(0, component_ids=["api2", "login1"])
    run(desk, incident(LOOK, CAUSE))
    assert desk.incidents[0]["component_ids"] == ["api2", "login1"]


@pytest.mark.parametrize("url", ["https://[", "http://example.com", "ftp://x"])
def test_an_address_that_is_none_is_refused_in_words(url: str) -> None:
    with pytest.raises(UserError, match="is not an https address"):
        statuspage(PAGE, {"INCIDENT_OPS_STATUSPAGE_TOKEN": "k", "INCIDENT_OPS_STATUSPAGE_URL": url})


def test_one_that_came_back_is_another_incident_of_the_page(desk: StatuspageDesk) -> None:
    """The first stays resolved; what was said of it is not said again."""
    run(desk, over(LOOK, LAST))
    again = {"cycles": [{"reopened": f"{DAY}13:00:00Z"}], "state": "reopened"}
    back = said("13:05", "investigating", "Logins fail again.")
    run(desk, over(LOOK, LAST, back, **again), clock="13:06")
    assert [one["status"] for one in desk.incidents] == ["resolved", "investigating"]
    assert desk.bodies[-1] == ("investigating", "Logins fail again.")
    idle(desk, over(LOOK, LAST, back, **again))


def test_one_that_was_lowered_is_followed_to_its_end(desk: StatuspageDesk) -> None:
    lowered = {
        "severity": "SEV2",
        "changes": [{"at": f"{DAY}12:15:00Z", "field": "severity", "from": "SEV1", "to": "SEV2", "by": "@a"}],
    }
    assert run(desk, incident(LOOK, **lowered)) == PartDone()
    run(desk, incident(LOOK))
    run(desk, incident(LOOK, WATCH, **lowered))
    assert desk.bodies[-1][0] == "monitoring"
    run(desk, over(LOOK, WATCH, LAST, **lowered))
    assert desk.bodies[-1] == ("resolved", "Logins work.")


@pytest.mark.parametrize(
    "fields",
    [{"severity": "SEV2"}, {"drill": True}, {"visibility": "restricted"}],
    ids=["level", "drill", "restricted"],
)
def test_what_is_not_for_the_page_never_comes_there(desk: StatuspageDesk, fields: dict[str, Any]) -> None:
    assert run(desk, incident(LOOK, **fields)) == PartDone()
    assert desk.incidents == []


@pytest.mark.parametrize("fields", [{"visibility": "restricted"}, {"drill": True}])
def test_one_that_is_restricted_later_is_left_and_reported(desk: StatuspageDesk, fields: dict[str, Any]) -> None:
    run(desk, incident(LOOK))
    done = run(desk, incident(LOOK, CAUSE, **fields))
    assert done.lines == (
        "status page: INC-1 is restricted or an exercise and stands on the status page: take it off there by hand, "
        "and set login1 back to operational",
    )
    assert len(desk.changes) == 1


def test_one_that_was_over_before_the_page_knew_it_comes_there_for_a_day(desk: StatuspageDesk) -> None:
    """Once, as resolved; an older one never does, so that setting the page up says nothing of the past."""
    page = Statuspage(KEY, PAGE, desk.url)
    late = wanted_on_page(over(LAST), policy("sev0-3"), SERVICES, IDS, parse_instant("2025-01-27T12:41:00Z"))
    assert plan_page([late], page.read()).changes == ()
    run(desk, over(WATCH))
    assert desk.bodies == [("resolved", "Logins work again.\n\nThis incident is resolved.")]
    idle(desk, over(WATCH))


def test_the_title_is_public_only_where_the_record_says_so(desk: StatuspageDesk) -> None:
    run(desk, incident(visibility="public"))
    assert desk.incidents[0]["name"] == "The login database is down"


def test_a_status_goes_back_only_by_an_update_that_says_so(desk: StatuspageDesk) -> None:
    run(desk, incident(WATCH), clock="12:30")
    forgotten = said("11:59", "identified", "We knew the cause before.")
    run(desk, incident(forgotten, WATCH), clock="12:32")
    assert desk.bodies[-1][0] == "monitoring"
    run(desk, incident(forgotten, WATCH, public_status="investigating"), clock="12:33")
    assert desk.incidents[0]["status"] == "monitoring"
    back = said("12:35", "investigating", "It fails again.")
    run(desk, incident(forgotten, WATCH, back), clock="12:35")
    assert desk.bodies[-1] == ("investigating", "It fails again.")


def test_public_status_of_the_record_moves_the_page_on(desk: StatuspageDesk) -> None:
    run(desk, incident(LOOK), clock="12:10")
    moved = incident(LOOK, public_status="monitoring")
    run(desk, moved)
    assert (desk.incidents[0]["status"], len(desk.bodies)) == ("monitoring", 1)
    idle(desk, moved)


# components


def test_components_have_the_degree_of_the_record_else_that_of_the_level(desk: StatuspageDesk) -> None:
    hurt = {"services": [{"service": "auth", "degree": "degraded", "from": f"{DAY}12:00:00Z"}]}
    both = incident(services=["auth", "api"], severity="SEV0", impact=hurt)
    run(desk, both)
    assert desk.components == {"login1": "degraded_performance", "api2": "major_outage"}
    healed = {"services": [{**hurt["services"][0], "degree": "major", "to": f"{DAY}12:20:00Z"}]}
    assert run(desk, incident(services=["auth", "api"], severity="SEV0", impact=healed)) == PartDone()
    assert desk.components["login1"] == "degraded_performance", "never operational while the incident is open"


def test_a_change_of_a_component_alone_notifies_nobody(desk: StatuspageDesk) -> None:
    run(desk, incident(LOOK))
    worse = incident(LOOK, severity="SEV0")
    assert run(desk, worse).lines == ("status page: INC-1: component login1: major_outage",)
    assert desk.changes[-1].data["deliver_notifications"] is False
    assert "body" not in desk.changes[-1].data
    idle(desk, worse)


def test_of_two_incidents_the_worse_decides_and_the_last_makes_it_green(desk: StatuspageDesk) -> None:
    first, second = incident(LOOK, severity="SEV0"), incident(CAUSE, id="INC-2")
    run(desk, first, second)
    assert desk.components["login1"] == "major_outage"
    idle(desk, first, second)
    run(desk, over(LOOK, LAST, severity="SEV0"), second)
    assert desk.components["login1"] == "partial_outage"
    idle(desk, over(LOOK, LAST, severity="SEV0"), second)
    run(desk, over(LOOK, LAST, severity="SEV0"), over(CAUSE, LAST, id="INC-2"))
    assert desk.components["login1"] == "operational"


def test_a_component_that_the_page_has_not_is_reported(desk: StatuspageDesk) -> None:
    del desk.components["login1"]
    assert run(desk, incident(LOOK)).lines[0] == (
        "status page: INC-1: the status page has no component login1: see publish.components"
    )
    assert desk.bodies == [("investigating", "Logins fail.\n\nWritten at 2025-01-26 12:10 UTC.")]


# people


def test_what_people_set_on_the_page_stays(desk: StatuspageDesk) -> None:
    """A status and a component, reported at each run until the record agrees."""
    run(desk, incident(LOOK))
    desk.by_hand(0, status="monitoring", components={"login1": "operational"})
    done = run(desk, incident(LOOK))
    assert sorted(done.lines) == [
        "status page: INC-1 is monitoring on the status page, where people set it, and investigating in its record",
        "status page: INC-1: component login1 is operational on the status page, where people set it, and not "
        "partial_outage",
    ]
    assert (len(desk.changes), desk.components["login1"]) == (1, "operational")


def test_one_that_people_resolved_there_is_not_opened_again(desk: StatuspageDesk) -> None:
    run(desk, incident(LOOK))
    desk.by_hand(0, status="resolved", body="All is well.", components={"login1": "operational"})
    assert len(run(desk, incident(LOOK)).lines) == 2
    run(desk, over(LOOK))
    assert (len(desk.incidents), desk.bodies[-1]) == (1, ("resolved", "All is well."))
    idle(desk, over(LOOK))


def test_incidents_of_people_are_theirs(desk: StatuspageDesk) -> None:
    """One that holds the same component keeps it from becoming green."""
    desk.opened_by_hand("Logins are slow", "login1")
    before = dict(desk.incidents[0])
    run(desk, incident(LOOK))
    run(desk, over(LOOK, LAST))
    assert desk.incidents[0] == before
    assert desk.components["login1"] == "partial_outage"


def test_metadata_of_others_stays(desk: StatuspageDesk) -> None:
    run(desk, incident(LOOK))
    desk.by_hand(0, metadata={**desk.incidents[0]["metadata"], "jira": {"issue": "OPS-1"}})
    run(desk, incident(LOOK, CAUSE))
    assert desk.incidents[0]["metadata"]["jira"] == {"issue": "OPS-1"}


BROKEN_MARKS: tuple[Any, ...] = (
    {"incident": ""},
    "text",
    {"incident": "INC-1", "cycle": "9" * 5001},
    {"incident": "INC-1", "cycle": "0", "components": "\x1b[31mX=major_outage"},
    {"incident": "INC-1", "cycle": "0", "components": "login1=on fire"},
    {"incident": "rubbish", "cycle": "0"},
)


@pytest.mark.parametrize("mark", BROKEN_MARKS)
def test_a_mark_that_people_broke_ends_in_one_line_and_no_second_incident(desk: StatuspageDesk, mark: Any) -> None:
    """It may be any of ours, so none is opened; those that stand there are followed on."""
    other = incident(LOOK, id="INC-2", services=["api"])
    run(desk, incident(LOOK), other)
    desk.by_hand(0, metadata={"incident_ops": mark})
    done = run(desk, incident(LOOK), incident(LOOK, CAUSE, id="INC-2", services=["api"]))
    (error,) = done.errors
    assert str(error) == (
        "Statuspage: somebody edited the metadata of incident inc0 (until that incident or its metadata incident_ops "
        "is deleted there, no other one is opened)"
    )
    assert len(desk.incidents) == 2
    assert desk.incidents[1]["incident_updates"][-1]["body"].startswith("We found the cause.")


# faults

NEXT = "the next run tries again"
SECRET = "make an API key in Statuspage (your name > API info), and give it to that secret"
BUSY = f"it takes about one request a second; {NEXT}; it asks to wait 60 s"
PLACE = "check publish.page in policy.yaml, and that the key may manage that page; it asks to wait 60 s"
LATER = "the next run looks, and publishes nothing twice"
OF_A_CHANGE = {
    401: f"it answered 401 (check INCIDENT_OPS_STATUSPAGE_TOKEN; {SECRET}; it asks to wait 60 s)",
    404: f"it answered 404 ({PLACE})",
    420: f"it answered 420 ({BUSY})",
    429: f"it answered 429 ({BUSY})",
    500: f"it answered 500 ({NEXT}; it asks to wait 60 s)",
    503: f"it answered 503 ({NEXT}; it asks to wait 60 s)",
    422: 'it answered 422, {"error": "fault ***"} (mend the update, or the ids in publish.components)',
    LOST: f"the connection broke: it may be published ({LATER})",
    DROP: f"the connection broke: it may be published ({LATER})",
    HANG: f"no answer within 0.5 s: it may be published ({LATER})",
    HALF: f"the connection broke: it may be published ({LATER})",
}


@pytest.mark.parametrize("fault", OF_A_CHANGE)
@pytest.mark.parametrize("known", [[], [LOOK]], ids=["begin", "update"])
def test_a_change_that_fails_is_one_line_and_made_once(
    desk: StatuspageDesk, fault: int | str, known: list[dict[str, Any]]
) -> None:
    """Whatever the page answers, or does without an answer: the next run ends where it should have."""
    if known:
        run(desk, incident())
    desk.faults = [fault]
    (error,) = run(desk, incident(*known), seconds=0.5).errors
    assert str(error) == f"INC-1: Statuspage: {OF_A_CHANGE[fault]}"
    run(desk, incident(*known))
    idle(desk, incident(*known))
    texts = [
        "We are investigating issues with Login.",
        *([f"{LOOK['text']}\n\nWritten at 2025-01-26 12:10 UTC."] if known else []),
    ]
    assert [body for _, body in desk.bodies] == texts
    assert len(desk.incidents) == 1


@pytest.mark.parametrize("fault", [401, 403, 404, 420, 429, 500, LOST, DROP, HANG, HALF])
def test_a_page_that_cannot_be_read_is_not_written(desk: StatuspageDesk, fault: int | str) -> None:
    for reads in range(3):
        desk.read_faults = [""] * reads + [fault]
        (error,) = run(desk, incident(LOOK), seconds=0.5).errors
        assert str(error).startswith("Statuspage: ")
        assert KEY not in str(error)
        assert error.hint
        desk.read_faults = []
    assert desk.changes == []


def test_what_the_page_refuses_of_one_keeps_no_other_from_its_turn(desk: StatuspageDesk) -> None:
    desk.faults = [422]
    done = run(desk, incident(LOOK), incident(CAUSE, id="INC-2"))
    assert [error.where for error in done.errors] == ["INC-1"]
    assert done.lines == ("status page: INC-2: opened as identified",)


@pytest.mark.parametrize("killed_after", range(4))
def test_a_run_that_is_killed_leaves_nothing_double_and_nothing_out(desk: StatuspageDesk, killed_after: int) -> None:
    """Between any two changes; the dying run's last change is done and its answer never read."""
    run(desk, incident())
    desk.faults = [""] * killed_after + [LOST]
    known = over(LOOK, CAUSE, WATCH, LAST)
    run(desk, known)
    desk.faults = []
    run(desk, known)
    idle(desk, known)
    assert [body.partition("\n")[0] for _, body in desk.bodies[1:]] == [
        one["text"] for one in (LOOK, CAUSE, WATCH, LAST)
    ]
    assert set(desk.components.values()) == {"operational"}


def test_more_incidents_than_a_page_of_answers_are_all_seen(desk: StatuspageDesk) -> None:
    run(desk, incident(LOOK))
    for number in range(120):
        desk.opened_by_hand(f"Old {number}")
    idle(desk, incident(LOOK))


def test_without_a_key_or_a_page_it_says_what_to_set() -> None:
    for page, variables, text in (
        (PAGE, {}, "INCIDENT_OPS_STATUSPAGE_TOKEN is not set"),
        (PAGE, {"INCIDENT_OPS_STATUSPAGE_TOKEN": f"{KEY} x"}, "has spaces"),
        (None, {"INCIDENT_OPS_STATUSPAGE_TOKEN": KEY}, "publish.page is not set"),
        (PAGE, {"INCIDENT_OPS_STATUSPAGE_TOKEN": KEY, "INCIDENT_OPS_STATUSPAGE_URL": "http://example.com"}, "https"),
    ):
        with pytest.raises(UserError, match=text) as raised:
            statuspage(page, variables)
        assert KEY not in str(raised.value)


# what leaves the house


OPEN = {"state": "in_progress", "times": dict.fromkeys(("declared", "acknowledged"), PUBLIC_TIMES["declared"])}


@pytest.mark.parametrize(
    "state",
    [{}, OPEN, {"outcome": "false_alarm", "state": "closed"}, {"updates": []}, {"visibility": "restricted"}],
    ids=["resolved", "open", "false alarm", "no updates", "restricted"],
)
def test_nothing_that_is_not_public_is_in_a_request(desk: StatuspageDesk, state: dict[str, Any]) -> None:
    """Every other field holds a word of its own. The page knows the incident already, so that all of it is published;
    ids of components are the policy's."""
    canaries = Canaries()
    state = {name: msgspec.convert(value, Times) if name == "times" else value for name, value in state.items()}
    record = full_record(canaries, **state)
    services = {
        "internal-host-name": canaries.filled(Service, "services.yaml", public_name="Login"),
        "another-host-name": canaries.filled(Service, "services.yaml", public_name=None),
    }
    ids, page = {"internal-host-name": "login1", "another-host-name": "api2"}, Statuspage(KEY, PAGE, desk.url)
    begun = full_record(Canaries(), **OPEN | {"times": msgspec.convert(OPEN["times"], Times), "updates": []})
    for known, clock in ((begun, "08:06"), (record, "10:00"), (record, "10:01")):
        now = parse_instant(f"2025-03-02T{clock}:00Z")
        carry_out(page, plan_page([wanted_on_page(known, policy("sev1-3"), services, ids, now)], page.read()))
    sent = "\n".join(f"{one.method} {one.path} {one.text} {one.headers}" for one in desk.sent)
    assert len(canaries.placed) > 150
    assert {place for canary, place in canaries.placed.items() if canary in sent} == set()
    assert ("Public words." in sent) == (not {"updates", "visibility"} & set(state))


def test_its_key_stands_in_one_header_alone(desk: StatuspageDesk) -> None:
    run(desk, incident(LOOK))
    for one in desk.sent:
        assert one.headers["authorization"] == f"OAuth {KEY}"
        assert KEY not in f"{one.path}{one.text}"


def test_names_and_texts_fit_what_the_page_takes(desk: StatuspageDesk) -> None:
    """However long the record's are."""
    numbers = count()
    for length in (254, 255, 256, 24_800, 30_000):
        long = said("12:10", "investigating", "x" * length)
        run(desk, incident(long, id=f"INC-{next(numbers)}", visibility="public", title="y" * length))
    assert (desk.wrong, len(desk.incidents)) == ([], 5)
