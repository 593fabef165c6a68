"""`plan --base`: what a change adds to what would be done anyway; and old -> new, as it is read before a merge."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from incident_ops.adapters.files import LedgerFile
from tests.cli.scene import AT, CLOSED, Done, Folder, call, ok
from tests.support.hosted import hosted
from tests.support.standin import LOGIN, Standin

ITEM = "\n- {id: AI-1, title: Mend it, status: open}"


@pytest.fixture
def story(folder: Folder) -> Folder:
    """Five incidents on main, none of which has an issue yet; the branch `change` is checked out."""
    for number in range(1, 6):
        folder.put(f"INC-{number}", action_items=ITEM)
    folder.commit()
    folder.git("checkout", "-q", "-b", "change")
    return folder


def plan(folder: Folder, *words: str) -> dict[str, Any]:
    """The plan against main as data."""
    return dict(json.loads(ok(folder, "plan", "--base", "main", *words, "--format", "json").out))


def keys(changes: list[dict[str, Any]], action: str) -> list[str]:
    return [change["key"] for change in changes if change["action"] == action and change["kind"] != "label"]


def test_one_new_incident_is_one_new_issue_whatever_else_is_waiting(story: Folder) -> None:
    """Of the ten issues that the tracker still lacks none is of this change; the notice of INC-5 is not either."""
    story.put("INC-6", title="Search is slow")
    for is_committed in (False, True):
        if is_committed:
            story.commit()
        found = plan(story)
        assert keys(found["changes"], "create") == ["INC-6"]
        told = keys(found["changes"], "notify")
        assert told
        assert all(key.startswith("INC-6/") for key in told)
        assert found["dropped"] == []
    text = ok(story, "plan", "--base", "main").out
    assert text.startswith(f"On top of what would be done anyway (base main, {story.git('rev-parse', 'main')[:7]}):\n")
    assert "+ create INC-6" in text
    assert "INC-1" not in text


def test_a_change_that_adds_nothing_says_so(story: Folder) -> None:
    story.write("README.md", "words")
    done = call("plan", "--base", "main", "--fail-on", "changes", at=story.path)
    assert done.code == 0, done
    assert "this change adds nothing" in done.out


def test_what_falls_away_is_said(story: Folder) -> None:
    """A withdrawn incident will get no issue and nobody is paged for it."""
    story.put("INC-2", action_items="", outcome="false_alarm", **(CLOSED | {"cause": ""}))
    found = plan(story)
    assert sorted(keys(found["dropped"], "create")) == ["INC-2", "INC-2/AI-1"]
    assert [key for key in keys(found["dropped"], "notify") if key.startswith("INC-2/")]
    text = ok(story, "plan", "--base", "main").out
    assert re.match(r"Nothing to add to what would be done anyway \(base main, .{7}\); \d+ of it will", text)
    assert "No longer to be done" in text
    assert "create INC-2" in text
    assert call("plan", "--base", "main", "--fail-on", "changes", at=story.path).code == 1


def test_what_both_would_do_differently_is_told_as_the_difference(story: Folder) -> None:
    """An issue that is opened anyway gets another title: neither a second issue nor one less."""
    story.put("INC-3", title="Login fails for half of the users", action_items=ITEM)
    text = ok(story, "plan", "--base", "main", "--no-notify").out
    assert "title: INC-3: Login fails -> INC-3: Login fails for half of the users" in text
    assert "+ - **Incident:** `INC-3` Login fails for half of the users" in text
    assert "to create" not in text.splitlines()[1]


def test_the_tracker_is_looked_at_once_and_may_be_a_saved_one(story: Folder) -> None:
    """After `apply` a change of a title is an update of its issue and of its item's; the same from a file."""
    ok(story, "apply")
    story.put("INC-3", title="Logins are slow", action_items=ITEM)
    first = plan(story, "--save-observed", "seen.json")
    assert keys(first["changes"], "update") == ["INC-3", "INC-3/AI-1"]
    story.tracker.unlink()
    assert keys(plan(story, "--observed", "seen.json")["changes"], "update") == ["INC-3", "INC-3/AI-1"]


def test_the_ledger_is_read_once(story: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """For both plans, so that a notice that another run sends in between is in both or in neither."""
    reads, read = [], LedgerFile.read
    monkeypatch.setattr(LedgerFile, "read", lambda ledger: reads.append(ledger) or read(ledger))
    story.put("INC-6", title="Search is slow")
    assert keys(plan(story)["changes"], "notify")
    assert len(reads) == 1


def test_of_an_issue_that_is_changed_anyway_only_the_rest_is_shown(story: Folder) -> None:
    """Main has a new title that no run has brought to its issue yet; the change is another level."""
    ok(story, "apply")
    story.put("INC-3", title="Logins are slow", action_items=ITEM)
    story.commit()
    story.git("branch", "-f", "main")
    story.put("INC-3", title="Logins are slow", severity="SEV0", action_items=ITEM)
    (change,) = (one for one in plan(story, "--no-notify")["changes"] if one["key"] == "INC-3")
    assert {"add_labels", "remove_labels", "body"} == set(change["fields"])
    for words in ((), ("--format", "markdown")):
        assert "Login fails" not in ok(story, "plan", "--base", "main", "--no-notify", *words).out


def test_another_reason_to_close_an_issue_is_shown(story: Folder) -> None:
    """Main closes the item as done and the incident as a real one; with the change neither counts."""
    ok(story, "apply")
    done = "\n- {id: AI-1, title: Mend it, status: done, done_at: 2025-01-26T13:00:00Z, done_by: '@bob'}"
    story.put("INC-3", action_items=done, **CLOSED)
    story.commit()
    story.git("branch", "-f", "main")
    dropped = "\n- {id: AI-1, title: Mend it, status: wont_do, reason: too dear}"
    story.put("INC-3", action_items=dropped, outcome="false_alarm", **(CLOSED | {"cause": ""}))
    text = ok(story, "plan", "--base", "main", "--no-notify").out
    assert "to close" not in text
    assert text.count("it is done anyway, but the change alters it\n") == 2, text
    assert text.count("      state: closed as completed -> closed as not planned\n") == 2
    changes = {one["key"]: one for one in plan(story, "--no-notify")["changes"]}
    assert changes["INC-3/AI-1"]["fields"]["state_reason"] == "not_planned"
    assert changes["INC-3/AI-1"]["was"]["state"] == "closed as completed"


def test_without_github_it_is_said_where_items_of_a_service_live(folder: Folder) -> None:
    """The embedded tracker holds all issues; a line for each repository tells where GitHub has them, once."""
    services = (
        "services: {api: {owner: '@a', issues: acme/app}, web: {owner: '@w', issues: acme/app}, db: {owner: '@d'}}"
    )
    folder.write("services.yaml", services)
    folder.put(action_items=ITEM)
    folder.put("INC-2", services="[db, web]", action_items=ITEM)
    folder.put("INC-3", services="[db]", action_items=ITEM)
    folder.commit()
    told = "note: on GitHub the issues of action items of api, web are in acme/app\n"
    assert call("plan", "--no-notify", at=folder.path).err == told
    assert call("plan", "--no-notify", "--base", "main", at=folder.path).err == told
    assert json.loads(call("plan", "--no-notify", "--format", "json", at=folder.path).out)
    folder.put(action_items=ITEM.replace("status: open", "status: wont_do, reason: x"))
    folder.put("INC-2", services="[db, web]")
    assert call("plan", "--no-notify", at=folder.path).err == ""


@pytest.mark.parametrize("recreate", ["INC-6", "INC-6/AI-1"])
def test_a_key_that_the_base_lacks_can_be_recreated(story: Folder, recreate: str) -> None:
    """Its issue is gone; the base never had the record."""
    story.put(
        "INC-6", action_items="\n- {id: AI-1, title: Mend it, status: open, issue: 98}", links="{tracking_issue: 99}"
    )
    story.commit()
    found = plan(story, "--no-notify", "--recreate", recreate)
    assert recreate in keys(found["changes"], "create")
    assert recreate not in keys(found["dropped"], "create")
    done = call("plan", "--base", "main", "--recreate", "INC-66", at=story.path)
    done.told_once(2, "INC-66")
    assert "base" not in done.err


def test_a_saved_look_knows_what_was_sent_of_what_falls_away(story: Folder) -> None:
    """Who was notified of INC-2 is no longer to be notified of anything: neither live nor from the file."""
    ok(story, "apply")
    story.put("INC-2", action_items="", outcome="false_alarm", **(CLOSED | {"cause": ""}))
    live = plan(story, "--save-observed", "seen.json")
    assert keys(live["dropped"], "notify") == []
    assert plan(story, "--observed", "seen.json") == live


def test_what_others_merged_meanwhile_is_no_part_of_the_change(story: Folder) -> None:
    """The base is where the branch began."""
    story.put("INC-6")
    story.commit()
    story.git("checkout", "-q", "main")
    story.put("INC-7")
    story.commit()
    story.git("checkout", "-q", "change")
    found = plan(story)
    assert keys(found["changes"], "create") == ["INC-6"]
    assert found["dropped"] == []


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("origin/main", ("origin/main", "git fetch origin")),
        ("0123456789abcdef0123456789abcdef01234567", ("git fetch origin",)),
        ("--help-me", ("does not exist here",)),
    ],
)
def test_a_base_that_is_not_here_says_how_to_fetch_it(story: Folder, base: str, words: tuple[str, ...]) -> None:
    done = call("plan", f"--base={base}", at=story.path)
    done.told_once(2)
    assert all(word in done.err for word in words), done


def test_a_shallow_clone_says_how_to_fetch_its_base(story: Folder, tmp_path: Path) -> None:
    story.put("INC-6")
    story.commit()
    clone = tmp_path / "clone"
    story.git("clone", "-q", "--depth", "1", story.path.as_uri(), str(clone))
    done = call("plan", "--base", "origin/main", at=clone)
    assert done.code == 2
    assert "git fetch --unshallow" in done.err


def test_without_git_there_is_no_base(tmp_path: Path) -> None:
    plain = Folder(tmp_path / "plain", git=False)
    plain.put()
    call("plan", "--base", "main", at=plain.path).told_once(2, "not a git repository")


def test_a_base_without_a_policy_is_named(folder: Folder) -> None:
    """The first commit of a repository has nothing to compare with."""
    policy = (folder.path / "policy.yaml").read_text()
    (folder.path / "policy.yaml").unlink()
    folder.commit()
    folder.git("checkout", "-q", "-b", "change")
    folder.write("policy.yaml", policy)
    folder.put()
    done = call("plan", "--base", "main", at=folder.path)
    done.told_once(2, "base", "policy.yaml")


def test_a_record_that_the_base_could_not_read_is_mended_by_the_change(folder: Folder) -> None:
    folder.put("INC-1", "id: [\n")
    folder.commit()
    folder.git("checkout", "-q", "-b", "change")
    folder.put("INC-1")
    found = plan(folder)
    assert keys(found["changes"], "create") == ["INC-1"]
    folder.put("INC-2", "id: [\n")
    assert call("plan", "--base", "main", at=folder.path).code == 3


@pytest.mark.slow
@pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
def test_on_github_it_is_the_same(folder: Folder, github: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old -> new against what GitHub holds; the list is asked for once."""
    folder.write("policy.yaml", f"extends: sev0-3\ntracker: {{identities: [{LOGIN}]}}\n")
    folder.put(action_items=ITEM)
    folder.commit()
    hosted(folder, github, monkeypatch)
    folder.git("push", "-q", "origin", "main")
    assert call("apply", "--tracker", "github", "--no-notify", at=folder.path).code == 0
    folder.git("checkout", "-q", "-b", "change")
    folder.put(action_items=ITEM, severity="SEV0")
    folder.put("INC-2")
    folder.commit()
    words = ("plan", "--tracker", "github", "--no-notify", "--show-requests")
    alone = call(*words, at=folder.path)
    done = call(*words, "--base", "origin/main", at=folder.path)
    assert done.code == 0, done
    assert "+ create INC-2" in done.out
    assert re.search(r"update #\d+ INC-1: ", done.out)
    assert "labels: +SEV0 -SEV1" in done.out
    assert done.err.count("/issues?") == alone.err.count("/issues?")


class TestOldAndNew:
    """What a plan shows of each change."""

    @pytest.fixture
    def applied(self, folder: Folder) -> Folder:
        folder.write("policy.yaml", "extends: sev0-3\ncontacts: {'@team': {slack: '#x'}}\n")
        folder.put(action_items=ITEM)
        ok(folder, "apply")
        return folder

    def test_every_field_of_an_issue(self, applied: Folder) -> None:
        applied.put(
            title="Login fails for all",
            severity="SEV0",
            action_items="\n- {id: AI-1, title: Mend it all, status: open, owner: '@bob', due: 2025-02-03}",
        )
        text = ok(applied, "plan", "--no-notify").out
        assert "title: INC-1: Login fails -> INC-1: Login fails for all" in text
        assert "labels: +SEV0 -SEV1" in text
        assert "assignees: +bob" in text
        assert re.search(r"body: \d+ lines? changed", text)
        assert re.search(r"^ +\+ .*2025-02-03", text, re.MULTILINE)
        assert "<!--" not in text

    def test_a_long_body_is_cut_with_a_count_and_told_whole_with_v(self, applied: Folder) -> None:
        items = "".join(f"\n- {{id: AI-{number}, title: Mend {number}, status: open}}" for number in range(1, 40))
        applied.put(action_items=items)
        short = ok(applied, "plan", "--no-notify").out
        assert re.search(r"\.\.\. \d+ more lines \(-v shows them\)", short)
        assert "more lines" not in ok(applied, "plan", "--no-notify", "-v").out

    def test_every_field_of_a_record(self, folder: Folder) -> None:
        """A resolved incident closes by itself after a while: what stands there, and what will."""
        folder.write("policy.yaml", "extends: sev0-3\nstates: {auto_close: 7d}\n")
        times = "2025-01-06T12:0{}:00Z"
        ok(folder, "declare", "Slow", "-s", "api", "--severity", "SEV3", "--by", "@a", clock=times.format(0))
        ok(folder, "ack", "--by", "@a", clock=times.format(1))
        ok(folder, "resolve", "--restored", "now", "--cause", "deploy", "--by", "@a", clock=times.format(2))
        text = ok(folder, "plan", "--no-notify").out
        assert "      state: resolved -> closed\n" in text
        assert "      timeline: 1 line added\n        + at: 2025-01-13T12:02:00Z, kind: status" in text
        assert "      times.closed: none -> 2025-01-13T12:02:00Z\n" in text

    def test_values_of_a_restricted_record_are_not_shown(self, folder: Folder) -> None:
        """Only which fields of it are edited."""
        policy = "extends: sev0-3\nstates: {auto_close: 7d}\n"
        folder.write("policy.yaml", f"{policy}access: {{private: true}}\n")
        times = "2025-01-06T12:0{}:00Z"
        ok(folder, "declare", "Secret", "-s", "api", "--severity", "SEV3", "--by", "@a", clock=times.format(0))
        ok(folder, "edit", "--visibility", "restricted", "--by", "@a", clock=times.format(0))
        ok(folder, "ack", "--by", "@a", clock=times.format(1))
        ok(folder, "resolve", "--restored", "now", "--cause", "deploy", "--by", "@a", clock=times.format(2))
        folder.write("policy.yaml", policy)
        for words in ((), ("--format", "markdown")):
            text = ok(folder, "plan", "--no-notify", *words).out
            assert "closed" in text
            assert "resolved -> closed\n" not in text
            assert "Closed: No activity" not in text

    def test_the_words_of_a_notice(self, folder: Folder) -> None:
        folder.write("policy.yaml", "extends: sev0-3\ncontacts: {channels: {team: {slack: 'env:X'}}}\n")
        folder.put(times="{declared: 2025-01-26T13:59:00Z}")
        text = ok(folder, "plan").out
        found = re.search(r"^  ! would notify .* by .*SEV1 Login fails .*\n +\| Declared", text, re.MULTILINE)
        assert found, text

    def test_labels_are_no_issues(self, folder: Folder) -> None:
        """`3 to create` are issues; labels stand in one line of their own."""
        seen = '{"schema": 1, "source": "local", "labels": []}'
        folder.put(action_items=ITEM)
        folder.write("seen.json", seen)
        text = ok(folder, "plan", "--no-notify", "--observed", "seen.json").out
        assert re.match(r"2 issues to create, \d+ labels to create\.\n", text), text
        assert len([line for line in text.splitlines() if line.startswith("  + label")]) == 1
        markdown = ok(folder, "plan", "--no-notify", "--observed", "seen.json", "--format", "markdown").out
        assert "### Issues to create: 2" in markdown
        assert "### Labels to create: " in markdown

    def test_nothing_of_a_record_steers_a_terminal_or_a_workflow(self, folder: Folder) -> None:
        evil = r'"\e[31mred ::error::x ##[add-mask]y"'
        folder.put()
        ok(folder, "apply")
        folder.put(title=evil, description=r'"::error::a\n::warning::b\n##[error]c"')
        for columns in (None, 40, 80):
            done = call("plan", "--color", "never", at=folder.path, columns=columns)
            assert done.code == 0
            assert "\x1b" not in done.out
            assert "##[" not in done.out
            assert not re.search(r"^\s*::", done.out, re.MULTILINE), done.out

    def test_no_line_is_wider_than_the_terminal(self, applied: Folder) -> None:
        applied.put(title="Login fails " * 20, severity="SEV0", action_items=ITEM)
        done = call("plan", at=applied.path, columns=80)
        assert max(map(len, done.out.splitlines())) <= 80, done.out

    def test_colours(self, applied: Folder) -> None:
        applied.put(title="Login fails for all", action_items=ITEM)
        """The action, and which lines of a text go and come."""
        out = call("plan", "--color", "always", at=applied.path).out
        assert "\x1b[33m  ~ update" in out
        assert "\x1b[31m        - - **Incident" in out
        assert "\x1b[32m        + - **Incident" in out


def preview(folder: Folder, *words: str) -> str:
    done: Done = call("plan", "--base", "main", "--format", "markdown", *words, at=folder.path, clock=AT)
    assert done.code == 0, done
    return done.out


class TestPreview:
    """The same as Markdown: what a reviewer reads on a pull request, and in the summary of a step."""

    def test_the_first_screen_answers(self, story: Folder) -> None:
        """Which issues, who is notified, what will be due; the details are folded below."""
        ok(story, "apply")
        story.put("INC-6", title="Search is slow", times="{declared: 2025-01-26T13:59:00Z}")
        story.put("INC-1", title="Logins are slow", action_items=ITEM)
        text = preview(story)
        first, _, folded = text.partition("<details>")
        assert text.startswith("## What this change does\n")
        assert "2 issues to update, 1 to create" in first
        assert "`INC-6`" in first
        assert "### People to notify" in first
        assert "### Next due" in first
        assert re.search(r"\| 2025-01-26 14:\d\d UTC \| `INC-6` \| ", first)
        assert "```diff" in folded
        assert "- INC-1: Login fails" in folded
        assert "+ INC-1: Logins are slow" in folded

    def test_it_fits_a_comment_and_says_what_is_left_out(self, story: Folder) -> None:
        ok(story, "apply", "--no-notify")
        long = "".join(f"\n- {{id: AI-{number}, title: {'x' * 150}, status: open}}" for number in range(1, 300))
        for number in range(1, 6):
            story.put(f"INC-{number}", title="é" * 200, action_items=long)
        text = preview(story)
        assert len(text.encode()) <= 65_536
        assert "did not fit here" in text
        assert text.count("<details>") == text.count("</details>")
        assert text.count("```") % 2 == 0

    def test_a_fence_in_a_record_ends_nothing(self, folder: Folder) -> None:
        folder.put()
        folder.commit()
        ok(folder, "apply")
        folder.put(title='"``` </details> @everyone fixes #1"', description='"````\\n</details>\\n@all"')
        text = preview(folder)
        shown = re.sub(r"(?s)(`{3,})diff\n.*?\n\1", "", text)
        shown = re.sub(r"`[^`\n]*`", "", shown)
        assert shown.count("</details>") == text.count("<details>")
        assert not re.search(r"(?<![A-Za-z0-9_&])[@#][A-Za-z0-9]", shown)
