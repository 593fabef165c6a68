"""The automation's edits on a real remote: one branch, one commit, nobody's work lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incident_ops.adapters.git import Identity
from incident_ops.adapters.git_proposals import (
    DELETED,
    NOTHING,
    PEOPLES,
    PUSHED,
    SAME,
    ChangedFile,
    Proposals,
    Proposed,
    Read,
    SeenBranch,
)
from incident_ops.errors import UserError, WriteFailed
from tests.support.origin import Origin, race, remote_of
from tests.support.repository import Repo

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
BRANCH = "incident-ops/numbers"
RECORD = "incidents/INC-1/incident.yaml"

RACER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from incident_ops.adapters.git import Git
from incident_ops.adapters.git_proposals import Proposals
from incident_ops.adapters.git_remote import Remote
me = sys.argv[2]
proposals = Proposals(Remote.of(Git.around(Path(sys.argv[1]))))
print("ready", flush=True)
sys.stdin.readline()
for step in range(3):
    while True:
        try:
            proposals.land("main", lambda read: {"notes.txt": read("notes.txt") + f"{me}{step}\\n".encode()},
                           "a line", datetime(2025, 6, 1, 12, tzinfo=UTC))
        except Exception as error:
            if "others were faster" not in str(error):
                raise
            continue
        break
"""


@pytest.fixture
def proposals(clone: Repo) -> Proposals:
    return Proposals(remote_of(clone))


def propose(
    proposals: Proposals, base: str, files: dict[str, bytes | None], now: datetime = NOW, branch: str = BRANCH
) -> Proposed:
    return proposals.propose(base, "main", files, "Write back two closings", branch, now)


def seen(proposals: Proposals, base: str) -> SeenBranch | None:
    """The branch as it is."""
    found = proposals.seen(base, (BRANCH,))
    return found[0] if found else None


def held(proposals: Proposals, base: str) -> dict[str, bytes | None]:
    """What the branch makes of each file that it changes."""
    branch = seen(proposals, base)
    return {path: after for path, (_, after) in branch.files.items()} if branch else {}


def merge(origin: Origin, name: str, path: str, text: str) -> str:
    """Somebody's own commit on main."""
    other = origin.clone(name)
    other.write(path, text)
    commit = other.commit("by a person")
    other.git("push", "--quiet", "origin", "main")
    return commit


# ------------------------------------------------------------------ by pull request


def test_a_proposal_is_one_commit_on_its_base_that_changes_only_what_it_names(
    origin: Origin, proposals: Proposals
) -> None:
    files = {RECORD: b"id: INC-1\nstate: closed\n", "incidents/INC-2/incident.yaml": b"id: INC-2\n", "notes.txt": None}
    got = propose(proposals, origin.first, files)
    assert got == (PUSHED, origin.tip(BRANCH))
    assert origin.bare.git("rev-list", "--parents", "-1", BRANCH).split() == [got.commit, origin.first]
    assert origin.bare.git("diff-tree", "-r", "--name-status", origin.first, BRANCH).split("\n") == [
        "M\tincidents/INC-1/incident.yaml",
        "A\tincidents/INC-2/incident.yaml",
        "D\tnotes.txt",
    ]
    assert origin.show(BRANCH, RECORD) == "id: INC-1\nstate: closed"
    who = origin.bare.git("show", "-s", "--format=%an %cn %ae %at", BRANCH)
    assert (
        who
        == "github-actions[bot] github-actions[bot] 41898282+github-actions[bot]@users.noreply.github.com "
        + str(int(NOW.timestamp()))
    )


def test_the_same_inputs_give_the_same_commit(origin: Origin, proposals: Proposals) -> None:
    """From any clone, whatever the settings of the person there."""
    other = origin.clone("other")
    other.git("config", "user.name", "somebody")
    other.git("config", "core.autocrlf", "true")
    other.git("config", "i18n.commitEncoding", "ISO-8859-1")
    other.git("config", "core.splitIndex", "true")
    files: dict[str, bytes | None] = {RECORD: "id: ä\r\n".encode()}
    one = propose(proposals, origin.first, files)
    two = propose(Proposals(remote_of(other)), origin.first, files, branch="incident-ops/people/INC-2")
    assert one == two
    assert origin.bare.git("cat-file", "blob", f"{BRANCH}:{RECORD}") == "id: ä"
    assert not list((other.root / ".git").glob("sharedindex.*"))
    third = Proposals(remote_of(other), identity=Identity("an app", "app@example.invalid"))
    assert propose(third, origin.first, files, branch="incident-ops/people/INC-3").commit != one.commit


def test_what_is_proposed_already_is_not_pushed_again(origin: Origin, proposals: Proposals) -> None:
    first = propose(proposals, origin.first, {"notes.txt": b"new\n"})
    assert propose(proposals, origin.first, {"notes.txt": b"new\n"}, NOW + timedelta(hours=1)) == (SAME, first.commit)
    elsewhere = merge(origin, "person", "outside.txt", "changed\n")
    assert propose(proposals, origin.first, {"notes.txt": b"new\n"}, NOW) == (SAME, first.commit)
    held(proposals, origin.first)
    assert propose(proposals, elsewhere, {"notes.txt": b"new\n"}, NOW) == (SAME, first.commit)
    assert origin.tip(BRANCH) == first.commit


def test_a_base_that_moved_under_the_proposal_makes_it_anew(origin: Origin, proposals: Proposals) -> None:
    """Else the pull request could not be merged."""
    first = propose(proposals, origin.first, {"notes.txt": b"new\n"})
    base = merge(origin, "person", "notes.txt", "three\n")
    second = propose(proposals, base, {"notes.txt": b"new\n"})
    assert second.outcome == PUSHED
    assert second.commit != first.commit
    assert origin.bare.git("rev-parse", f"{BRANCH}^") == base


def test_a_base_whose_history_was_rewritten_makes_it_anew(origin: Origin, proposals: Proposals) -> None:
    """Else the pull request would bring the old history back."""
    propose(proposals, origin.first, {"notes.txt": b"new\n"})
    base = origin.bare.git("commit-tree", "-m", "all at once", "main^{tree}")
    origin.bare.git("update-ref", "refs/heads/main", base)
    assert propose(proposals, fetched(proposals, origin), {"notes.txt": b"new\n"}).outcome == PUSHED
    assert origin.bare.git("rev-parse", f"{BRANCH}^") == base


def test_other_edits_replace_the_proposal_on_the_same_branch(origin: Origin, proposals: Proposals) -> None:
    propose(proposals, origin.first, {"notes.txt": b"new\n"})
    got = propose(proposals, origin.first, {RECORD: b"id: INC-1\nx: 1\n"})
    assert got.outcome == PUSHED
    assert held(proposals, origin.first).keys() == {RECORD}


@pytest.mark.parametrize("files", [{}, {"notes.txt": b"two\n"}, {"missing.txt": None}])
def test_where_nothing_differs_the_branch_goes(
    origin: Origin, proposals: Proposals, files: dict[str, bytes | None]
) -> None:
    assert propose(proposals, origin.first, files) == (NOTHING, "")
    propose(proposals, origin.first, {"notes.txt": b"new\n"})
    assert propose(proposals, origin.first, files) == (DELETED, "")
    assert origin.tip(BRANCH) == ""


def test_a_merged_proposal_leaves_a_branch_that_goes(origin: Origin, proposals: Proposals) -> None:
    got = propose(proposals, origin.first, {"notes.txt": b"new\n"})
    origin.bare.git("update-ref", "refs/heads/main", got.commit)
    assert held(proposals, got.commit) == {}
    assert propose(proposals, got.commit, {}) == (DELETED, "")


def test_a_persons_commit_on_the_branch_is_never_lost(origin: Origin, proposals: Proposals) -> None:
    propose(proposals, origin.first, {"notes.txt": b"new\n"})
    person = origin.clone("person", "--branch", BRANCH)
    person.write("notes.txt", "better\n")
    theirs = person.commit("a better word")
    person.git("push", "--quiet", "origin", BRANCH)
    for files in ({"notes.txt": b"other\n"}, {}):
        assert propose(proposals, origin.first, dict(files)) == (PEOPLES, theirs)
    assert origin.tip(BRANCH) == theirs
    branch = seen(proposals, origin.first)
    assert branch is not None
    assert not branch.is_ours
    assert held(proposals, origin.first) == {"notes.txt": b"better\n"}


def test_main_merged_into_the_branch_by_a_button_holds_no_work(origin: Origin, proposals: Proposals) -> None:
    propose(proposals, origin.first, {"notes.txt": b"new\n"})
    base = merge(origin, "person", "outside.txt", "changed\n")
    person = origin.clone("button", "--branch", BRANCH)
    person.git("merge", "--quiet", "--no-edit", "origin/main")
    person.git("push", "--quiet", "origin", BRANCH)
    held(proposals, origin.first)
    assert propose(proposals, base, {"notes.txt": b"newer\n"}).outcome == PUSHED
    assert origin.bare.git("rev-parse", f"{BRANCH}^") == base


def test_what_a_branch_holds_is_known_also_after_that_button(origin: Origin, proposals: Proposals) -> None:
    proposals.propose(origin.first, "main", {"notes.txt": b"new\n"}, "Numbers", BRANCH, NOW, ["abc", "def"])
    base = merge(origin, "person", "outside.txt", "changed\n")
    person = origin.clone("button", "--branch", BRANCH)
    person.git("merge", "--quiet", "--no-edit", "origin/main")
    person.git("push", "--quiet", "origin", BRANCH)
    branch = seen(Proposals(remote_of(origin.clone("fresh"))), base)
    assert branch is not None
    assert (branch.holds, branch.is_ours) == (("abc", "def"), True)
    assert branch.files == {"notes.txt": (b"two\n", b"new\n")}


def test_what_is_proposed_is_told_by_path_and_bytes(origin: Origin, proposals: Proposals) -> None:
    assert held(proposals, origin.first) == {}
    propose(proposals, origin.first, {RECORD: b"x: 1\n", "notes.txt": None, "odd\nname": b"odd"})
    wanted = {RECORD: b"x: 1\n", "notes.txt": None, "odd\nname": b"odd"}
    assert held(proposals, origin.first) == wanted
    base = merge(origin, "person", "outside.txt", "changed\n")
    other = Proposals(remote_of(origin.clone("fresh")))
    assert held(other, base) == wanted


def test_what_a_branch_holds_is_known_by_its_words_and_by_both_sides_of_each_file(
    origin: Origin, proposals: Proposals
) -> None:
    """Of the branches of these names and below these folders, and of no other, such as one that people made from ours.

    One without shared history is a person's.
    """
    proposals.propose(origin.first, "main", {"notes.txt": b"new\n"}, "Numbers", BRANCH, NOW, ["abc", "def"])
    proposals.propose(origin.first, "main", {RECORD: b"x: 1\n"}, "People", "incident-ops/people/INC-1", NOW)
    orphan = origin.bare.git("commit-tree", "-m", "mine", "main^{tree}")
    origin.bare.git("update-ref", "refs/heads/incident-ops/people/INC-2", orphan)
    for other in ("lock", "numbers-of-mine"):
        origin.bare.git("update-ref", f"refs/heads/incident-ops/{other}", origin.tip(BRANCH))
    fresh = Proposals(remote_of(origin.clone("fresh")))
    first, second, third = fresh.seen(origin.first, (BRANCH, "incident-ops/people/"))
    assert (first.branch, first.holds, first.is_ours) == (BRANCH, ("abc", "def"), True)
    assert first.files == {"notes.txt": (b"two\n", b"new\n")}
    assert (second.branch, second.holds, second.is_ours) == ("incident-ops/people/INC-1", (), True)
    assert (third.branch, third.files, third.is_ours) == ("incident-ops/people/INC-2", {}, False)
    assert origin.bare.git("show", "-s", "--format=%B", BRANCH).strip().split("\n") == [
        "Numbers",
        "",
        "Incident-Ops-Proposal: 1",
        "Incident-Ops-Edits: abc def",
    ]


def test_work_that_nobody_pushed_is_not_proposed(origin: Origin, clone: Repo, proposals: Proposals) -> None:
    clone.write("secret.txt", "not yet\n")
    with pytest.raises(UserError, match="is not on main of origin") as told:
        propose(proposals, clone.commit("mine"), {"notes.txt": b"new\n"})
    assert "git push" in told.value.hint
    assert origin.tip(BRANCH) == ""
    with pytest.raises(UserError, match="main itself"):
        propose(proposals, origin.first, {"notes.txt": b"new\n"}, branch="main")


def test_a_shallow_clone_of_one_commit_proposes_and_reads(origin: Origin) -> None:
    shallow = Proposals(remote_of(origin.clone("shallow", "--depth=1")))
    got = propose(shallow, origin.first, {"notes.txt": b"new\n"})
    assert got.outcome == PUSHED
    assert propose(shallow, origin.first, {"notes.txt": b"new\n"}, NOW + timedelta(hours=1)).outcome == SAME
    base = merge(origin, "person", "outside.txt", "changed\n")
    later = Proposals(remote_of(origin.clone("later", "--depth=1")))
    assert held(later, base) == {"notes.txt": b"new\n"}
    assert propose(later, base, {"notes.txt": b"newer\n"}).outcome == PUSHED


def test_records_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    """Paths count from that folder, on every branch; what lies beside it is out of reach."""
    origin = Origin(tmp_path, prefix="ops/it's here/")
    clone = origin.clone()
    proposals = Proposals(remote_of(clone, origin.prefix))
    propose(proposals, origin.first, {RECORD: b"x: 1\n", "new.txt": b"1"})
    assert origin.show(BRANCH, f"{origin.prefix}{RECORD}") == "x: 1"
    assert held(proposals, origin.first).keys() == {RECORD, "new.txt"}
    with pytest.raises(UserError, match="leaves the records' folder"):
        propose(proposals, origin.first, {"../../outside.txt": b"mine now\n"})

    def edit(read: Read) -> dict[str, bytes | None]:
        return {"notes.txt": (read("notes.txt") or b"") + b"three\n"}

    assert proposals.land("main", edit, "a line", NOW).outcome == PUSHED
    assert origin.show("main", f"{origin.prefix}notes.txt") == "two\nthree"


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "./a", ".git/config", "a/.GIT/hooks/x", "a\0b"],
)
def test_a_path_that_leaves_the_records_is_refused(origin: Origin, proposals: Proposals, path: str) -> None:
    with pytest.raises(UserError, match="leaves the records' folder"):
        propose(proposals, origin.first, {path: b"x"})
    assert origin.tip(BRANCH) == ""


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("link", "is not a regular file"),
        ("link/x", "is not a folder"),
        ("incidents", "is not a regular file"),
        ("incidents/INC-1", "is not a regular file"),
        ("notes.txt/x", "is not a folder"),
        ("module", "is not a regular file"),
        ("module/x", "is not a folder"),
    ],
)
@pytest.mark.parametrize("content", [b"x", None], ids=["written", "taken out"])
def test_only_regular_files_are_written(
    origin: Origin, proposals: Proposals, path: str, why: str, content: bytes | None
) -> None:
    other = origin.clone("other")
    (other.root / "link").symlink_to("/etc")
    other.git("update-index", "--add", "--cacheinfo", f"160000,{origin.first},module")
    other.git("add", "link")
    other.git("commit", "--quiet", "--message", "odd things")
    other.git("push", "--quiet", "origin", "main")
    with pytest.raises(UserError, match=why):
        propose(proposals, fetched(proposals, origin), {path: content})
    assert origin.tip(BRANCH) == ""


def fetched(proposals: Proposals, origin: Origin) -> str:
    """The tip of main, after a landing of nothing has fetched it."""
    assert proposals.land("main", lambda _: {}, "nothing", NOW).outcome == NOTHING
    return origin.tip("main")


def test_a_file_and_a_folder_of_one_name_are_refused(origin: Origin, proposals: Proposals) -> None:
    with pytest.raises(UserError, match="cannot be a file and a folder"):
        propose(proposals, origin.first, {"a": b"1", "a/b": b"2"})


def test_a_file_keeps_its_mode(origin: Origin, proposals: Proposals) -> None:
    other = origin.clone("other")
    other.write("run.sh", "true\n").chmod(0o755)
    other.commit("a program")
    other.git("push", "--quiet", "origin", "main")
    propose(proposals, fetched(proposals, origin), {"run.sh": b"false\n"})
    assert origin.bare.git("ls-tree", BRANCH, "run.sh").startswith("100755 ")


# ------------------------------------------------------------------ by push


def test_a_landing_is_made_again_on_what_others_pushed_meanwhile(origin: Origin, proposals: Proposals) -> None:
    seen: list[bytes | None] = []

    def edit(read: Read) -> dict[str, bytes | None]:
        seen.append(read("notes.txt"))
        if len(seen) == 1:
            merge(origin, "person", "notes.txt", "theirs\n")
        return {"notes.txt": (seen[-1] or b"") + b"ours\n"}

    got = proposals.land("main", edit, "a line", NOW)
    assert seen == [b"two\n", b"theirs\n"]
    assert got == (PUSHED, origin.tip("main"))
    assert origin.show("main", "notes.txt") == "theirs\nours"
    assert origin.bare.git("rev-list", "--count", "main") == "4"


def test_a_landing_of_nothing_pushes_nothing(origin: Origin, proposals: Proposals) -> None:
    assert proposals.land("main", lambda read: {"notes.txt": read("notes.txt")}, "m", NOW) == (NOTHING, "")
    assert proposals.land("main", lambda read: {"absent": read("absent")}, "m", NOW) == (NOTHING, "")
    assert origin.tip("main") == origin.first


def test_a_landing_that_is_refused_says_why(origin: Origin, proposals: Proposals) -> None:
    origin.hook("echo main is protected >&2; exit 1")
    with pytest.raises(WriteFailed, match=r"nothing was written to main: .*main is protected"):
        proposals.land("main", lambda _: {"notes.txt": b"x"}, "m", NOW)
    with pytest.raises(UserError, match="no branch trunk"):
        proposals.land("trunk", lambda _: {}, "m", NOW)


@pytest.mark.slow
def test_always_somebody_faster_ends_after_five_tries(origin: Origin, proposals: Proposals) -> None:
    tries: list[int] = []

    def edit(read: Read) -> dict[str, bytes | None]:
        tries.append(1)
        merge(origin, f"person-{len(tries)}", "notes.txt", f"{len(tries)}\n")
        return {"notes.txt": b"ours\n"}

    with pytest.raises(WriteFailed, match="others were faster 5 times"):
        proposals.land("main", edit, "m", NOW)
    assert len(tries) == 5
    assert origin.show("main", "notes.txt") == "5"


def test_of_writers_at_once_no_line_is_lost(origin: Origin) -> None:
    clones = [origin.clone(f"racer-{name}") for name in "abc"]
    race(RACER, [(str(clone.root), name) for clone, name in zip(clones, "abc", strict=True)])
    lines = origin.show("main", "notes.txt").split("\n")
    assert lines[0] == "two"
    assert sorted(lines[1:]) == sorted(f"{name}{step}" for name in "abc" for step in range(3))
    for name in "abc":
        assert [line for line in lines if line.startswith(name)] == [f"{name}{step}" for step in range(3)]


def test_of_two_proposals_at_once_the_last_one_stands_whole(origin: Origin, clone: Repo, proposals: Proposals) -> None:
    """A push from what is no longer there is not made; the loser looks again."""
    one = propose(proposals, origin.first, {"notes.txt": b"one\n"})
    late = Proposals(remote_of(origin.clone("late")))
    two = propose(late, origin.first, {"notes.txt": b"two!\n"})
    assert held(proposals, origin.first) == {"notes.txt": b"two!\n"}
    assert one.commit != two.commit


# ------------------------------------------------------------------ commits of the host


class Host:
    """Makes commits in the bare repository, on no branch, as GitHub does; `adds` is a file that nobody asked for."""

    def __init__(self, origin: Origin, *, signs: bool = True, adds: str = "") -> None:
        self.origin, self.signs, self.adds = origin, signs, adds
        self.asked: list[list[ChangedFile]] = []

    def signed(self, base_tree: str, tree: str, changed: Sequence[ChangedFile], parent: str, message: str) -> str:
        self.asked.append(list(changed))
        if not self.signs:
            return ""
        repo = self.origin.clone(f"host-{len(self.asked)}")
        repo.git("read-tree", base_tree)
        rows = [*changed, *([ChangedFile(self.adds, "100644", b"x")] if self.adds else [])]
        for path, mode, content in rows:
            blob = "" if content is None else repo.git("hash-object", "-w", "--stdin", text=content.decode())
            words = ["--force-remove", path] if content is None else ["--add", "--cacheinfo", f"{mode},{blob},{path}"]
            repo.git("update-index", *words)
        made = repo.git("write-tree")
        assert made == tree or self.adds
        commit = repo.git("commit-tree", made, "-p", parent, "-m", message)
        repo.git("push", "--quiet", "origin", f"{commit}:refs/heads/scratch")
        self.origin.bare.git("update-ref", "-d", "refs/heads/scratch")
        return commit


@pytest.mark.parametrize("depth", [(), ("--depth=1",)], ids=["whole clone", "shallow clone"])
def test_a_branch_holds_the_commit_that_the_host_made_and_signed(origin: Origin, depth: tuple[str, ...]) -> None:
    """It is asked for once, with each file as it is to be; the same edits again ask for none."""
    host = Host(origin)
    proposals = Proposals(remote_of(origin.clone("other", *depth)), host)
    files = {RECORD: b"id: INC-1\nstate: closed\n", "incidents/INC-2/incident.yaml": b"id: INC-2\n", "notes.txt": None}
    got = propose(proposals, origin.first, files)
    assert got == (PUSHED, origin.tip(BRANCH))
    assert origin.bare.git("show", "-s", "--format=%an", BRANCH) == "tester"
    assert [sorted((one.path, one.mode, one.content) for one in asked) for asked in host.asked] == [
        sorted((path, "100644", content) for path, content in files.items())
    ]
    assert propose(proposals, origin.first, files, NOW + timedelta(hours=1)) == (SAME, got.commit)
    assert len(host.asked) == 1
    assert held(proposals, origin.first) == files


def test_below_a_folder_the_host_is_told_the_whole_path(tmp_path: Path) -> None:
    origin = Origin(tmp_path, "records/")
    host = Host(origin)
    propose(Proposals(remote_of(origin.clone("clone"), "records/"), host), origin.first, {RECORD: b"id: INC-1\n# x\n"})
    assert [one.path for asked in host.asked for one in asked] == [f"records/{RECORD}"]
    assert origin.show(BRANCH, f"records/{RECORD}") == "id: INC-1\n# x"


def test_a_host_that_signs_none_leaves_the_commit_to_us(origin: Origin, clone: Repo) -> None:
    propose(Proposals(remote_of(clone), Host(origin, signs=False)), origin.first, {RECORD: b"id: INC-1\n# x\n"})
    assert origin.bare.git("show", "-s", "--format=%an", BRANCH) == "github-actions[bot]"


def test_a_commit_with_more_than_was_asked_for_moves_no_branch(origin: Origin, clone: Repo) -> None:
    proposals = Proposals(remote_of(clone), Host(origin, adds="more.txt"))
    with pytest.raises(WriteFailed, match="is not what was asked for"):
        propose(proposals, origin.first, {RECORD: b"id: INC-1\n# x\n"})
    assert origin.tip(BRANCH) == ""


def test_what_lands_on_the_default_branch_is_signed_as_well(origin: Origin, clone: Repo) -> None:
    proposals = Proposals(remote_of(clone), Host(origin))
    got = proposals.land("main", lambda read: {"notes.txt": b"three\n"}, "a line", NOW)
    assert got == (PUSHED, origin.tip("main"))
    assert origin.bare.git("show", "-s", "--format=%an", "main") == "tester"
