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
    assert text.startswith("# We are investigating issues with Shop\n\nPosted: 2025-01-26 12:10 UTC\n")
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


def test_a_text_that_says_resolved_too_early_gives_pause(shop: Folder) -> None:
    done = ok(shop, "comms", "draft", "--audience", "public", "--status", "resolved", clock=BEGIN)
    assert "the public update says resolved, and the incident is new" in done.err


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
