"""Documents beside records, kept in step by a run in Actions: one pull request, once a day, or a push."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import Done
from tests.cli.test_apply_notices import Place, place  # noqa: F401 - a fixture
from tests.cli.test_run import in_actions, tip
from tests.support.standin import PERSON_TOKEN

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])
BRANCH = "incident-ops/documents"
INCIDENT, TIMELINE, RECORD = (f"incidents/INC-1/{name}" for name in ("incident.md", "timeline.md", "incident.yaml"))
TWO_DAYS_AGO = "2025-01-24T14:00:00Z"  # by the clock of the place


@pytest.fixture
def rendered(place: Place) -> Place:  # noqa: F811
    """Two incidents; one of them has documents, which are merged."""
    place.folder.put("INC-2", title="Payments are slow")
    assert place.call("render", "INC-1").code == 0
    place.push()
    return place


def retitled(place: Place, title: str) -> None:  # noqa: F811
    place.folder.put("INC-1", title=title)
    place.push()


def run(place: Place, tmp_path: Path) -> Done:  # noqa: F811
    done, _ = in_actions(place, tmp_path)
    assert done.code == 0, done
    return done


def pulls(place: Place, state: str = "open") -> list[dict[str, Any]]:  # noqa: F811
    return [one for one in place.ask("GET", f"/pulls?state={state}&per_page=100") if one["head"]["ref"] == BRANCH]


def proposed(place: Place) -> dict[str, str]:  # noqa: F811
    """Path -> content of each file in which the branch differs from the default branch."""
    git = place.folder.git
    git("fetch", "--quiet", "origin", BRANCH)
    names = git("diff", "--name-only", "origin/main...FETCH_HEAD").split()
    return {name: git("show", f"FETCH_HEAD:{name}") for name in names}


def head(place: Place) -> str:  # noqa: F811
    return place.folder.git("ls-remote", "origin", f"refs/heads/{BRANCH}").partition("\t")[0]


def is_there(place: Place) -> bool:  # noqa: F811
    return bool(head(place))


def make_old(place: Place) -> None:  # noqa: F811
    """The branch as it was proposed two days ago."""
    git, dated = place.folder.git, {"GIT_COMMITTER_DATE": TWO_DAYS_AGO}
    git("fetch", "--quiet", "origin", f"+{BRANCH}:refs/old")
    tree, parent = git("rev-parse", "refs/old^{tree}").strip(), git("rev-parse", "refs/old^").strip()
    message = git("show", "--no-patch", "--format=%B", "refs/old")
    with pytest.MonkeyPatch.context() as scene:
        for name, value in dated.items():
            scene.setenv(name, value)
        made = git("commit-tree", tree, "-p", parent, "-m", message).strip()
    git("push", "--quiet", "--force", "origin", f"{made}:refs/heads/{BRANCH}")


def test_a_repository_that_renders_nothing_is_left_alone(place: Place, tmp_path: Path) -> None:  # noqa: F811
    done = run(place, tmp_path)
    assert "document" not in done.out
    assert (pulls(place), is_there(place)) == ([], False)


@pytest.mark.slow
def test_documents_that_fell_behind_are_proposed_in_one_pull_request(rendered: Place, tmp_path: Path) -> None:
    """Only those that are there and differ; the next run has nothing to do; the head is judged."""
    assert not is_there(rendered)
    retitled(rendered, "Login failed for all")
    done = run(rendered, tmp_path)
    (pull,) = pulls(rendered)
    assert f"pull request #{pull['number']} proposes 1 edit" in done.out
    texts = proposed(rendered)
    assert set(texts) == {
        f"incidents/INC-1/{name}.md" for name in ("incident", "timeline", "action-items", "postmortem")
    }
    assert texts[INCIDENT].startswith("# Login failed for all\n")
    assert pull["title"] == "Documents beside the records"
    assert "**INC-1** action-items.md, incident.md, postmortem.md, timeline.md no longer say" in pull["body"]
    (status,) = rendered.ask("GET", f"/commits/{head(rendered)}/statuses")
    assert (status["context"], status["state"]) == ("incident-ops/validate", "success")
    before = head(rendered)
    again = run(rendered, tmp_path)
    assert "proposes" not in again.out
    assert (len(pulls(rendered)), head(rendered)) == (1, before)


@pytest.mark.slow
def test_it_is_proposed_once_a_day(rendered: Place, tmp_path: Path) -> None:
    retitled(rendered, "Login failed for all")
    run(rendered, tmp_path)
    retitled(rendered, "Login failed in Europe")
    run(rendered, tmp_path)
    assert "# Login failed for all\n" in proposed(rendered)[INCIDENT]
    make_old(rendered)
    run(rendered, tmp_path)
    assert "# Login failed in Europe\n" in proposed(rendered)[INCIDENT]
    assert len(pulls(rendered)) == 1


@pytest.mark.slow
def test_after_a_merge_the_next_one_waits_for_a_day_too(rendered: Place, tmp_path: Path) -> None:
    """The branch may be gone: what was merged tells when it was proposed."""
    retitled(rendered, "Login failed for all")
    run(rendered, tmp_path)
    git, (pull,) = rendered.folder.git, pulls(rendered)
    git("fetch", "--quiet", "origin", BRANCH)
    git("merge", "--quiet", "--no-edit", "FETCH_HEAD")
    rendered.push()
    rendered.ask("PUT", f"/pulls/{pull['number']}/merge", {}, token=PERSON_TOKEN)
    run(rendered, tmp_path)
    assert not is_there(rendered)
    retitled(rendered, "Login failed in Europe")
    run(rendered, tmp_path)
    assert (pulls(rendered), is_there(rendered)) == ([], False)


@pytest.mark.slow
def test_documents_that_somebody_rendered_meanwhile_end_the_proposal(rendered: Place, tmp_path: Path) -> None:
    retitled(rendered, "Login failed for all")
    run(rendered, tmp_path)
    assert rendered.call("render", "INC-1").code == 0
    rendered.push()
    done = run(rendered, tmp_path)
    assert f"nothing is left to propose on {BRANCH}" in done.out
    assert (pulls(rendered), is_there(rendered)) == ([], False)


@pytest.mark.slow
def test_what_people_wrote_in_a_document_is_left_to_them_and_said(rendered: Place, tmp_path: Path) -> None:
    """Also where they committed it; the others are proposed."""
    text = (rendered.folder.path / TIMELINE).read_text() + "\nWe were lucky.\n"
    rendered.folder.write(TIMELINE, text)
    retitled(rendered, "Login failed for all")
    done = run(rendered, tmp_path)
    assert TIMELINE not in proposed(rendered)
    assert INCIDENT in proposed(rendered)
    (line,) = [line for line in done.out.splitlines() if "edited by hand" in line]
    assert TIMELINE in line
    assert INCIDENT not in line
    assert "edited by hand" not in run(rendered, tmp_path).out  # once, and again when one of the two changes
    retitled(rendered, "Login failed in Europe")
    assert TIMELINE in run(rendered, tmp_path).out


@pytest.mark.slow
def test_a_no_is_kept_until_the_documents_would_be_others(rendered: Place, tmp_path: Path) -> None:
    retitled(rendered, "Login failed for all")
    run(rendered, tmp_path)
    (pull,) = pulls(rendered)
    rendered.ask("PATCH", f"/pulls/{pull['number']}", {"state": "closed"}, token=PERSON_TOKEN)
    make_old(rendered)
    run(rendered, tmp_path)
    assert pulls(rendered) == []
    retitled(rendered, "Login failed in Europe")
    run(rendered, tmp_path)
    assert "# Login failed in Europe\n" in proposed(rendered)[INCIDENT]
    assert len(pulls(rendered)) == 1


@pytest.mark.slow
def test_where_the_automation_pushes_they_follow_at_once(rendered: Place, tmp_path: Path) -> None:
    """On top of what the run wrote back itself; a document of which people wrote a part is left."""
    with (rendered.folder.path / "policy.yaml").open("a") as policy:
        policy.write("write_back: {automation: push}\n")
    for title in ("Login failed for all", "Login failed in Europe"):
        rendered.folder.git("fetch", "--quiet", "origin", "main")
        rendered.folder.git("reset", "--quiet", "--mixed", "FETCH_HEAD")
        rendered.folder.git("checkout", "--quiet", "--", "incidents")
        record = rendered.folder.path / RECORD
        lines = [f"title: {title}" if line.startswith("title:") else line for line in record.read_text().splitlines()]
        record.write_text("\n".join(lines) + "\n")
        rendered.push()
        done = run(rendered, tmp_path)
        assert "documents of INC-1 rendered again: commit" in done.out
        rendered.folder.git("fetch", "--quiet", "origin", "main")
        assert f"# {title}\n" in rendered.folder.git("show", f"FETCH_HEAD:{INCIDENT}")
    before = tip(rendered)
    run(rendered, tmp_path)
    assert (tip(rendered), is_there(rendered), pulls(rendered)) == (before, False, [])
