"""`postmortem new|edit|review|final`: a postmortem by commands alone, from the draft to its final form."""

from __future__ import annotations

import pytest

from tests.cli.scene import CLOSED, Done, Folder, call, contents, ok, record
from tests.support.typing import at_terminal

pytestmark = pytest.mark.usefixtures("somebody")

CLOCK = "2025-01-27T09:00:00Z"


def put(folder: Folder, **lines: str) -> None:
    folder.put(text=record(**CLOSED, **lines))
    folder.commit()


def say(folder: Folder, verb: str, *args: str) -> Done:
    return ok(folder, "postmortem", verb, "INC-1", *args, clock=CLOCK)


WRITTEN = (
    *("--summary", "Logins failed.", "--public-summary", "You could not log in.", "--conclusion", "It is mended."),
    *("--well", "Seen at once", "--poorly", "No canary", "--lucky", "It was Sunday", "--author", "@ann"),
    *("--lesson", "technical=Test it", "--lesson", "cultural=Stay calm", "--prevent", "short=Alert on failures"),
    *("--attendee", "@bob", "--meeting", "2025-01-28T14:00:00Z"),
)


def test_from_the_first_word_to_the_final_form(folder: Folder) -> None:
    put(folder)
    assert "postmortem begun, status draft" in say(folder, "new", *WRITTEN).out
    assert folder.data()["postmortem"] == {
        "status": "draft",
        "summary": "Logins failed.",
        "public_summary": "You could not log in.",
        "conclusion": "It is mended.",
        "meeting": "2025-01-28T14:00:00Z",
        "went_well": ["Seen at once"],
        "went_poorly": ["No canary"],
        "lucky": ["It was Sunday"],
        "authors": ["@ann"],
        "attendees": ["@bob"],
        "lessons": {"technical": ["Test it"], "cultural": ["Stay calm"]},
        "prevention": {"short": [{"text": "Alert on failures"}]},
    }
    assert "postmortem: draft -> review" in say(folder, "review", "--reviewer", "@bob").out
    assert "postmortem: review -> final, approved by @cy" in say(folder, "final", "--approved-by", "@cy").out
    paper = folder.data()["postmortem"]
    assert (paper["status"], paper["reviewers"], paper["approved_by"]) == ("final", ["@bob"], "@cy")
    assert (paper["reviewed_at"], paper["final_at"]) == ("2025-01-27", CLOCK)
    ok(folder, "render", clock=CLOCK)
    text = (folder.path / "incidents/INC-1/postmortem.md").read_text()
    assert "Not written yet" not in text
    assert "- Approved by: `@cy`" in text


def test_edit_adds_and_takes_away(folder: Folder) -> None:
    put(folder)
    say(folder, "edit", "--well", "Seen at once", "--well", "Calm")
    done = say(folder, "edit", "--well", "-seen", "--summary", "Logins failed.")
    assert "went well: Seen at once: taken away" in done.out
    assert folder.data()["postmortem"] == {"status": "draft", "went_well": ["Calm"], "summary": "Logins failed."}
    assert "nothing changed" in say(folder, "edit", "--summary", "Logins failed.").out


def test_a_story_comes_from_a_file(folder: Folder) -> None:
    put(folder)
    folder.write("story.md", "# Night\n\nIt was *dark*.\n")
    say(folder, "edit", "--narrative", str(folder.path / "story.md"))
    ok(folder, "render", clock=CLOCK)
    assert "### Night\n\nIt was _dark_." in (folder.path / "incidents/INC-1/postmortem.md").read_text()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("new", "--summary", "x"), "INC-1 has a postmortem, in status draft"),
        (("edit", "--lesson", "human=Try harder"), "--lesson 'human=Try harder' does not say of which kind it is"),
        (("edit", "--prevent", "short="), "--prevent 'short=' does not say of which kind it is"),
        (("edit", "--meeting", "soonish"), "--meeting"),
        (("final", "--approved-by", "@cy"), "nobody has reviewed the postmortem"),
        (("final", "--approved-by", "@ann", "--reviewer", "@bob"), "@ann wrote it, so somebody else has to approve it"),
    ],
    ids=["twice", "kind of lesson", "no measure", "time", "not reviewed", "approved by its author"],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    folder: Folder, words: tuple[str, ...], reason: str
) -> None:
    put(folder, postmortem="{status: draft, authors: ['@ann']}")
    before = contents(folder.path)
    call("postmortem", words[0], "INC-1", *words[1:], at=folder.path, clock=CLOCK).told_once(2, reason)
    assert contents(folder.path) == before


def test_what_is_final_stays_as_it_is(folder: Folder) -> None:
    put(folder, postmortem="{status: final, reviewers: ['@bob'], approved_by: '@cy', final_at: 2025-01-27}")
    for words in (("edit", "--summary", "x"), ("review",), ("final", "--approved-by", "@dan")):
        call("postmortem", words[0], "INC-1", *words[1:], at=folder.path, clock=CLOCK).told_once(
            2, "the postmortem of INC-1 is final"
        )


def test_from_review_it_goes_back_to_draft_with_a_reason(folder: Folder) -> None:
    """The timeline keeps why, the reviewers stay, and what is written at once is written."""
    put(folder, postmortem="{status: review, reviewers: ['@bob']}")
    done = say(folder, "edit", "--reopen", "The cause is not said yet", "--summary", "Logins failed.")
    assert "postmortem: review -> draft" in done.out
    assert folder.data()["postmortem"] == {"status": "draft", "reviewers": ["@bob"], "summary": "Logins failed."}
    entry = folder.data()["timeline"][-1]
    assert (entry["kind"], entry["event"]) == ("decision", "Postmortem: review -> draft")
    assert (entry["result"], entry["by"]) == ("The cause is not said yet", "@alice")
    assert "postmortem: draft -> review" in say(folder, "review").out


def test_a_final_one_is_reopened_with_a_reason_and_needs_its_approval_again(folder: Folder) -> None:
    """Who had approved it, and when, stays in the timeline."""
    paper = ("status: final", "reviewers: ['@bob']", "reviewed_at: 2025-01-26", "approved_by: '@cy'")
    put(folder, postmortem="\n  ".join(("", *paper, "final_at: 2025-01-27T08:00:00Z")))
    done = say(folder, "edit", "--reopen", "A second cause was found")
    assert "postmortem: final -> draft" in done.out
    assert folder.data()["postmortem"] == {"status": "draft", "reviewers": ["@bob"]}
    event = "Postmortem: final -> draft; it was approved by @cy, final since 2025-01-27T08:00:00Z"
    assert folder.data()["timeline"][-1]["event"] == event
    assert "[postmortem-final]" not in call("validate", at=folder.path, clock=CLOCK).out
    say(folder, "edit", "--summary", "Both causes.")
    assert "postmortem: draft -> final, approved by @dan" in say(folder, "final", "--approved-by", "@dan").out
    assert event in [one["event"] for one in folder.data()["timeline"]]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"postmortem": "{status: draft}"}, "is a draft already"),
        ({}, "INC-1 has no postmortem"),
    ],
)
def test_only_what_is_no_draft_is_reopened(folder: Folder, lines: dict[str, str], said: str) -> None:
    put(folder, **lines)
    before = contents(folder.path)
    words = ("postmortem", "edit", "INC-1", "--reopen", "Why not")
    call(*words, at=folder.path, clock=CLOCK).told_once(2, said)
    assert contents(folder.path) == before


def test_who_edits_a_final_one_reads_how_it_is_reopened(folder: Folder) -> None:
    put(folder, postmortem="{status: final, reviewers: ['@bob'], approved_by: '@cy', final_at: 2025-01-27}")
    done = call("postmortem", "edit", "INC-1", "--summary", "x", at=folder.path, clock=CLOCK)
    assert 'incident-ops postmortem edit INC-1 --reopen "WHY"' in done.err


def test_without_one_review_says_how_to_begin(folder: Folder) -> None:
    put(folder)
    done = call("postmortem", "review", "INC-1", "--reviewer", "@bob", at=folder.path, clock=CLOCK)
    done.told_once(2, "INC-1 has no postmortem")
    assert "incident-ops postmortem new INC-1" in done.err


def test_the_follow_up_becomes_an_item(folder: Folder) -> None:
    folder.write("policy.yaml", "extends: sev0-3\ndocuments: {follow_up: 30d}\n")
    put(folder, postmortem="{status: review, authors: ['@ann'], reviewers: ['@bob']}")
    done = say(folder, "final", "--approved-by", "@cy")
    assert "AI-1 added: Hold the follow-up review of the postmortem, due 2025-02-26" in done.out
    assert folder.data()["postmortem"]["follow_up_on"] == "2025-02-26"
    (item,) = folder.data()["action_items"]
    assert (item["owner"], item["due"]) == ("@ann", "2025-02-26")


def test_a_new_one_is_the_commanders_and_due_when_the_policy_says(folder: Folder) -> None:
    """What somebody says counts instead."""
    folder.write(
        "policy.yaml", "extends: sev0-3\nlevels: [{id: SEV1, postmortem: {required: true, final_within: 5d}}]\n"
    )
    put(folder, roles="{commander: '@ann'}")
    done = say(folder, "new")
    assert "authors: @ann" in done.out
    paper = {"status": "draft", "due": "2025-01-31T12:30:00Z", "authors": ["@ann"]}
    assert folder.data()["postmortem"] == paper
    put(folder, roles="{commander: '@ann'}", title="Logins fail")
    say(folder, "new", "--author", "@bob")
    assert folder.data()["postmortem"] == paper | {"authors": ["@bob"]}


def test_at_a_terminal_it_asks_what_and_how(folder: Folder) -> None:
    put(folder)
    shown = at_terminal(
        folder.path, "postmortem", "new", "INC-1", clock=CLOCK, answers="Logins failed.\nSeen at once\n\n\n"
    )
    assert "What made it harder or longer than it had to be?" in shown
    assert folder.data()["postmortem"] == {
        "status": "draft",
        "summary": "Logins failed.",
        "went_well": ["Seen at once"],
    }


def test_without_a_terminal_a_new_one_is_empty(folder: Folder) -> None:
    put(folder)
    say(folder, "new")
    assert folder.data()["postmortem"] == {"status": "draft"}


def test_final_warns_of_open_gates_and_of_a_meeting_to_come_and_says_the_way_back(folder: Folder) -> None:
    put(folder, postmortem="{status: review, reviewers: ['@bob'], meeting: 2025-01-28T14:00:00Z}")
    gates = call("postmortem", "lint", "INC-1", at=folder.path, clock=CLOCK).out.partition("; open: ")[2].splitlines()
    assert gates
    done = say(folder, "final", "--approved-by", "@cy")
    warned = " ".join((done.out + done.err).split())
    assert "final although these quality gates are open: " in warned
    assert "lessons written down" in warned
    assert "its meeting is still to come, 2025-01-28 14:00 UTC" in warned
    assert 'incident-ops postmortem edit INC-1 --reopen "..."' in warned


def test_what_comes_next_leads_on_from_a_review_and_from_the_final_form(folder: Folder) -> None:
    put(folder, postmortem="{status: draft, authors: ['@ann']}")

    def following(*words: str) -> list[str]:
        done = say(folder, *words)
        return [line.strip() for line in (done.out + done.err).splitlines() if line.strip().startswith("next: ")]

    final = "next: incident-ops postmortem final INC-1 --approved-by @who"
    assert following("review") == ["next: incident-ops postmortem review INC-1 --reviewer @who", final]
    assert following("review", "--reviewer", "@bob") == [final]
    assert following("final", "--approved-by", "@cy") == ["next: incident-ops render"]


def test_after_the_last_one_is_closed_its_postmortem_is_meant(folder: Folder) -> None:
    """And it is said which one that is."""
    folder.put("INC-1", **CLOSED)
    done = call("postmortem", "new", at=folder.path, clock="2025-01-27T12:00:00Z")
    assert (done.code, "this one was closed last" in done.err) == (0, True)
    assert folder.data()["postmortem"]["status"] == "draft"
