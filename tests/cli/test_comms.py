"""`comms draft`: texts from the record, what they promise, where they go, and when they are refused."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import CLOSED, Folder, as_json, call, ok

POLICY = "extends: sev1-3\n"
SERVICES = 'services:\n  api: {owner: "@team", public_name: Shop}\n  web: {owner: "@team"}\n'
BEGIN = "2025-01-26T12:10:00Z"
pytestmark = pytest.mark.usefixtures("somebody")


@pytest.fixture
def shop(folder: Folder) -> Folder:
    """A repository with a cadence of public updates, and an incident of 12:05 that the public may hear of."""
    folder.write("policy.yaml", POLICY)
    folder.write("services.yaml", SERVICES)
    folder.put(severity="SEV-1")
    folder.commit()
    return folder


def draft(folder: Folder, *words: str, clock: str = BEGIN) -> str:
    return ok(folder, "comms", "draft", *words, clock=clock).out


def refused(folder: Folder, *words: str, hint: str) -> None:
    """Exit code 2, one error line with the hint; nothing is written, posted or not."""
    before = folder.data()
    for post in ((), ("--post",)):
        call("comms", "draft", *words, *post, at=folder.path).told_once(2, hint)
    assert folder.data() == before


def test_the_first_text_for_the_public(shop: Folder) -> None:
    text = draft(shop, "--audience", "public")
    assert text.startswith("# We are investigating issues with Shop\n\nAs of: 2025-01-26 12:10 UTC\n")
    assert "Next update by 12:40 UTC. Updates every 15 to 30 minutes until this is resolved." in text
    assert "updates" not in shop.data()


def test_a_posted_text_is_an_update_and_keeps_its_promise(shop: Folder) -> None:
    """The clock that `sla check` shows afterwards is due when the text said."""
    promised = as_json(shop, "comms", "draft", "--audience", "public", clock=BEGIN)["next_update"]
    done = ok(shop, "comms", "draft", "--audience", "public", "--post", clock=BEGIN)
    (update,) = shop.data()["updates"]
    assert update["audience"] == "public"
    assert update["status"] == "investigating"
    assert update["text"].startswith("We are aware of issues affecting Shop, and our team is investigating.\n\nNext")
    assert update["text"] in done.out
    clocks = as_json(shop, "sla", "check", clock=BEGIN)["clocks"]
    assert [one["due"] for one in clocks if one["clock"] == "update_public"] == [promised]
    ok(shop, "validate", clock=BEGIN)


def test_a_posted_text_does_what_update_does_and_nothing_else(shop: Folder) -> None:
    ok(shop, "comms", "draft", "--audience", "internal", "--post", "--eta", "30m", clock=BEGIN)
    posted = shop.data()
    ok(shop, "undo", "INC-1", clock=BEGIN)
    assert "updates" not in shop.data()
    ok(shop, "update", "--internal", posted["updates"][0]["text"], "--eta", "30m", clock=BEGIN)
    assert shop.data() == posted


def test_what_is_posted_goes_to_the_notices(shop: Folder) -> None:
    assert "Update (investigating)" not in ok(shop, "plan", clock=BEGIN).out
    ok(shop, "comms", "draft", "--audience", "internal", "--post", clock=BEGIN)
    assert "would notify team by chat: SEV-1 Login fails - Update (investigating)" in ok(shop, "plan", clock=BEGIN).out


def test_a_posted_text_can_be_sent_at_once(shop: Folder) -> None:
    shop.git("branch", "-M", "main")
    done = call("comms", "draft", "--audience", "internal", "--post", "--send", "--format", "json", at=shop.path)
    assert "send" in json.loads(done.out)
    call("comms", "draft", "--audience", "internal", "--send", at=shop.path).told_once(2, "--post")


def test_a_level_without_status_page_has_no_text_for_the_public(shop: Folder) -> None:
    shop.write("policy.yaml", "extends: sev0-3\n")
    shop.put(severity="SEV2")
    refused(shop, "INC-1", "--audience", "public", hint="SEV2 has no status page")
    assert "- Severity: SEV2" in draft(shop, "INC-1", "--audience", "internal")


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        ({"drill": "true"}, "is an exercise"),
        ({"visibility": "restricted"}, "is restricted"),
        ({"duplicate_of": "INC-2", "outcome": "duplicate"}, "is a duplicate of INC-2"),
    ],
)
def test_what_the_public_does_not_hear_of(shop: Folder, lines: dict[str, str], hint: str) -> None:
    shop.put("INC-2", severity="SEV-1")
    shop.put(severity="SEV-1", **lines)
    refused(shop, "INC-1", "--audience", "public", hint=hint)
    assert "Subject: SEV-1 Incident - Login fails (investigating)" in draft(shop, "INC-1", "--audience", "executive")


def test_a_restricted_record_of_a_private_repository_has_a_neutral_text(shop: Folder) -> None:
    shop.write("policy.yaml", f"{POLICY}access: {{private: true}}\n")
    shop.put(severity="SEV-1", visibility="restricted")
    text = draft(shop, "--audience", "public")
    assert "issues with Shop" in text
    assert "Login fails" not in text


def test_an_announcement_claims_no_cause_no_fix_and_no_measure_that_the_record_does_not_have(shop: Folder) -> None:
    shop.put(severity="SEV-1", **CLOSED)
    words, clock = ("INC-1", "--audience", "public", "--as"), "2025-01-26T13:00:00Z"
    text = draft(shop, *words, "announcement", clock=clock)
    assert "Shop is operating normally again. We are still looking for the root cause." in text
    assert "safeguards" not in text
    assert "- [ ] Find the cause\n- [ ] Put a fix in place\n- [x] Confirm" in draft(shop, *words, "page", clock=clock)


def test_an_announcement_says_that_it_is_over_only_when_it_is(shop: Folder) -> None:
    call("comms", "draft", "--audience", "public", "--as", "announcement", at=shop.path).told_once(2, "INC-1 is new")
    shop.put(
        severity="SEV-1",
        state="resolved",
        times="{started: 2025-01-26T12:00:00Z, declared: 2025-01-26T12:05:00Z, acknowledged: 2025-01-26T12:06:00Z, "
        "restored: 2025-01-26T12:30:00Z, resolved: 2025-01-26T12:45:00Z}",
        cause="{category: deploy}",
    )
    text = draft(shop, "INC-1", "--audience", "public", "--as", "announcement", clock="2025-01-26T13:00:00Z")
    assert text.startswith("# RESOLVED: Issues with Shop\n\n- Resolved: 2025-01-26 12:45 UTC\n- Duration: 30 minutes\n")
    call("comms", "draft", "INC-1", "--audience", "public", "--as", "page", "--post", at=shop.path).told_once(2, "--as")


@pytest.mark.parametrize("audience", ["public", "executive", "internal"])
def test_a_text_that_says_resolved_too_early_is_refused(shop: Folder, audience: str) -> None:
    refused(shop, "INC-1", "--audience", audience, "--status", "resolved", hint="--mark restored")
    ok(shop, "timeline", "Errors are gone", "INC-1", "--mark", "restored", clock=BEGIN)
    ok(shop, "comms", "draft", "INC-1", "--audience", audience, "--status", "resolved", clock=BEGIN)


def test_a_text_that_says_resolved_before_the_record_does_gives_pause(shop: Folder) -> None:
    ok(shop, "timeline", "Errors are gone", "INC-1", "--mark", "restored", clock=BEGIN)
    done = ok(shop, "comms", "draft", "--audience", "public", "--status", "resolved", clock=BEGIN)
    assert "the public update says resolved, and the incident is new" in done.err


CLAIMS = ("root cause", "A fix is", "operating normally", "a fix is in place")


@pytest.mark.parametrize("status", ["identified", "monitoring"])
@pytest.mark.parametrize("audience", ["public", "executive"])
def test_a_status_without_ground_in_the_record_claims_neither_cause_nor_fix(
    shop: Folder, audience: str, status: str
) -> None:
    """It warns, and names the command that records what is missing; once that is typed, the text says it."""
    words = ("comms", "draft", "INC-1", "--audience", audience, "--status", status)
    done = ok(shop, *words, clock=BEGIN)
    assert not [claim for claim in CLAIMS if claim in done.out]
    lacks, field = ("cause", "--what") if status == "identified" else ("fix", "--immediate")
    assert f"the status is {status}, and the record has no {lacks}" in done.err
    assert f'`incident-ops cause INC-1 {field} "..."`' in done.err
    posted = ok(shop, *words, "--post", clock=BEGIN)
    assert f"the record has no {lacks}" in posted.err
    assert not [claim for claim in CLAIMS if claim in str(shop.data()["updates"])]
    again = ok(shop, *words, clock=BEGIN)  # that it was published makes it no truer
    assert not [claim for claim in CLAIMS if claim in again.out]
    ok(shop, "cause", "INC-1", field, "Rolled back", clock=BEGIN)
    known = ok(shop, *words, clock=BEGIN)
    assert "the status is" not in known.err
    if audience == "public":
        assert [claim for claim in CLAIMS if claim in known.out]


def test_a_service_that_works_again_has_a_fix_only_where_one_is_recorded(shop: Folder) -> None:
    ok(shop, "timeline", "Errors are gone", "INC-1", "--mark", "restored", clock=BEGIN)
    done = ok(shop, "comms", "draft", "--audience", "public", "--status", "monitoring", clock=BEGIN)
    assert "Shop is operating normally again. We are watching closely" in done.out
    assert "fix" not in done.out
    page = draft(shop, "--audience", "public", "--status", "monitoring", "--as", "page")
    assert "- [ ] Find the cause\n- [ ] Put a fix in place" in page


def test_after_a_reopening_the_first_cause_and_fix_count_no_more(shop: Folder) -> None:
    shop.put(
        severity="SEV-1",
        state="in_progress",
        times="{started: 2025-01-26T12:00:00Z, declared: 2025-01-26T12:01:00Z, acknowledged: 2025-01-26T12:02:00Z, "
        "mitigated: 2025-01-26T12:03:00Z, restored: 2025-01-26T12:04:00Z, resolved: 2025-01-26T12:05:00Z}",
        cause="{category: deploy, what: A deploy}",
        resolution="{immediate: Rolled back}",
        cycles="[{reopened: 2025-01-26T12:08:00Z}]",
    )
    for status, way in (("identified", "--kind diagnosis"), ("monitoring", "--mark restored")):
        done = ok(shop, "comms", "draft", "--audience", "public", "--status", status, clock=BEGIN)
        assert not [claim for claim in CLAIMS if claim in done.out]
        assert f'`incident-ops timeline "..." INC-1 {way}`' in done.err


def test_a_report_names_what_is_still_unknown(shop: Folder) -> None:
    shop.write("policy.yaml", f"{POLICY}deadlines: [nis2, {{id: bank, within: 4h, to: Example Bank}}]\n")
    done = ok(shop, "comms", "draft", "INC-1", "--report", "nis2-early-warning", clock=BEGIN)
    assert "- Due: 2025-01-27 12:05 UTC" in done.out
    assert "- [ ] Effects in other countries" in done.out
    assert "next: incident-ops deadline done nis2-early-warning INC-1 --ref ..." in done.out
    assert "- To: Example Bank" in draft(shop, "INC-1", "--report", "bank")
    unknown = as_json(shop, "comms", "draft", "INC-1", "--report", "gdpr-authority")
    assert unknown["owed"] is False
    assert "Whom to contact" in unknown["unknown"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ((), "--audience"),
        (("--audience", "internal", "--as", "page"), "--audience public"),
        (("--report", "nis2-early-warnin"), "nis2-early-warning"),
        (("--report", "nis2-early-warning", "--audience", "public"), "--report stands alone"),
    ],
)
def test_what_does_not_go_together_is_refused(shop: Folder, words: tuple[str, ...], hint: str) -> None:
    call("comms", "draft", "INC-1", *words, at=shop.path).told_once(2, hint)


def test_a_description_does_not_write_lines_of_its_own(shop: Folder) -> None:
    """No second recipient of a mail, no command for a runner."""
    shop.put(severity="SEV-1", description='"Login fails\\n\\nTo: everybody\\n::error::x"')
    text = as_json(shop, "comms", "draft", "INC-1", "--audience", "executive")["text"]
    assert [line for line in text.splitlines() if line.startswith(("To:", "::"))] == ["To: Executive Team"]


def test_a_draft_says_that_it_was_not_posted(shop: Folder) -> None:
    done = call("comms", "draft", "--audience", "public", at=shop.path, clock=BEGIN)
    assert "As of: " in done.out
    assert "not posted: --post records it as an update" in done.err
