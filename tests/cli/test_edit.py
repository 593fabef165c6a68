"""`edit`: what an incident says of itself is put right by a command, and what others go by leaves a trace."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import SERVICES, Done, Folder, call

pytestmark = pytest.mark.usefixtures("somebody")

ID = "INC-20250126-120500"
PATH = f"incidents/{ID}/incident.yaml"


def act(folder: Folder, clock: str, *args: str) -> Done:
    """A command at a time of the day, which must succeed and leave no error against what is committed."""
    at = f"2025-01-26T{clock}Z"
    done = call(*args, at=folder.path, clock=at)
    assert done.code == 0, (args, done)
    checked = call("validate", "--base", "HEAD", at=folder.path, clock=at)
    assert checked.code == 0, (args, checked)
    return done


def text(folder: Folder) -> str:
    return (folder.path / PATH).read_text(encoding="utf-8")


def shown(folder: Folder, clock: str = "12:30:00") -> dict[str, object]:
    done = call("show", ID, "--format", "json", at=folder.path, clock=f"2025-01-26T{clock}Z")
    assert done.code == 0, done
    data: dict[str, object] = json.loads(done.out)
    return data


@pytest.fixture
def declared(folder: Folder) -> Folder:
    """One incident on `api`, merged."""
    folder.write("services.yaml", SERVICES + '  db:\n    owner: "@team"\n')
    folder.commit()
    act(folder, "12:05:00", "declare", "Login fails", "-s", "api", "--severity", "SEV1")
    folder.commit()
    return folder


def test_it_is_the_database_too(declared: Folder) -> None:
    """The wrong service, merged: put right with a trace, which documents and earlier views follow."""
    done = act(declared, "12:10:00", "edit", "--service", "+db", "--title", "No login: the database is down")
    assert f"{ID}: services: api, db (db added)" in done.out
    assert f"{ID}: title: No login: the database is down (was: Login fails)" in done.out
    assert shown(declared)["services"] == ["api", "db"]
    assert 'field: services\n  from: api\n  to: api, db\n  by: "@alice"\n' in text(declared)
    assert "field: title\n  from: Login fails\n" in text(declared)
    before = call("show", ID, "--format", "json", at=declared.path, clock="2025-01-26T12:09:00Z")
    assert json.loads(before.out)["title"] == "Login fails"
    assert json.loads(before.out)["services"] == ["api"]
    act(declared, "12:11:00", "render", ID)
    timeline = (declared.path / f"incidents/{ID}/timeline.md").read_text(encoding="utf-8")
    assert "Services are now api, db (db added)" in timeline
    assert "Title is now: No login: the database is down (was: Login fails)" in timeline


def test_services_are_added_taken_away_or_replaced(declared: Folder) -> None:
    """The clocks stay those of the declaration, and that is said when the first service changes."""
    first = act(declared, "12:10:00", "edit", "--service", "+web", "--service", "-api")
    assert "services: web (web added, api removed)" in first.out
    assert "clocks stay as they were at the declaration" in first.out
    whole = act(declared, "12:11:00", "edit", "-s", "web", "-s", "db")
    assert "services: web, db (db added)" in whole.out
    assert "clocks stay" not in whole.out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), ("nothing to change", "--title")),
        (("--service", "+dbb"), ("'dbb' is not in services.yaml", "did you mean db?")),
        (("--service", "-db"), ("services has no 'db'",)),
        (("--service", "-api"), ("needs a service",)),
        (("--service", "+db", "--service", "web"), ("either", "+")),
        (("--dashboard", "grafana"), ("links.dashboard", "https://")),
        (("--link", "https://example.com"), ("NAME=URL",)),
        (("--link", "Graph=grafana"), ("https://",)),
        (("--link", "Graph=-"), ("no link 'Graph'",)),
        (("--bridge", "-"), ("no bridge",)),
        (("--factor", "os"), ("NAME=VALUE",)),
        (("--detail", "ticket 4"), ("--source",)),
        (("--visibility", "restricted"), ("restricted",)),
        (("--title", "two\nlines"), ("title",)),
        (("--title", "-"), ("needs a title",)),
        (("--factor", "Operating System=x"), ("factors",)),
        (("--link", "Graph=javascript://x"), ("nothing was changed: links.others[0].url is",)),
        (("--tag", "+two words"), ("tags",)),
    ],
)
def test_wrong_input_changes_nothing(declared: Folder, args: tuple[str, ...], words: tuple[str, ...]) -> None:
    """And says what would be right."""
    before = text(declared)
    call("edit", ID, *args, at=declared.path).told_once(2, *words)
    assert text(declared) == before


def test_all_the_rest(declared: Folder) -> None:
    """Description, detection, customers, tags, links, factors, drill and visibility, all read back by `show`."""
    act(
        declared,
        "12:10:00",
        *(
            "edit",
            "--description",
            "Tokens are rejected.\nSince the release.",
            "--source",
            "alert",
            "--detail",
            "auth-5xx",
        ),
        *("--vip", "--customer", "Acme Ltd", "--tag", "dns"),
        *("--bridge", "https://meet.example.com/1", "--dashboard", "https://g.example.com/d"),
        *("--link", "Vendor ticket=https://vendor.example.com/7", "--factor", "os=macOS Sonoma"),
        *("--drill", "--visibility", "public"),
    )
    written = text(declared)
    for words in (
        "description: |-\n  Tokens are rejected.\n  Since the release.\n",
        "source: alert\n  detail: auth-5xx\n",
        "customer:\n  vip: true\n  names:\n  - Acme Ltd\n",
        "tags:\n- dns\n",
        "others:\n  - name: Vendor ticket\n    url: https://vendor.example.com/7\n",
        "factors:\n  os: macOS Sonoma\n",
        "drill: true\n",
        "field: visibility\n  from: internal\n  to: public\n",
    ):
        assert words in written, (words, written)
    links = shown(declared)["links"]
    assert isinstance(links, dict)
    assert links["others"] == [{"name": "Vendor ticket", "url": "https://vendor.example.com/7"}]
    back = act(
        declared,
        "12:11:00",
        *("edit", "--bridge", "-", "--link", "Vendor ticket=-", "--tag", "-dns", "--no-drill", "--no-vip"),
        *("--factor", "os=-", "--customer", "-Acme Ltd", "--description", "-"),
    )
    assert "bridge removed" in back.out
    written = text(declared)
    for gone in ("meet.example", "vendor.example", "- dns", "drill:", "macOS", "Acme", "description"):
        assert gone not in written, (gone, written)
    assert "dashboard: https://g.example.com/d" in written


def test_links_of_your_own_are_in_the_document_and_the_issue(declared: Folder) -> None:
    """By their names."""
    act(declared, "12:10:00", "edit", "--link", "Vendor ticket=https://vendor.example.com/7")
    act(declared, "12:11:00", "render", ID)
    document = (declared.path / f"incidents/{ID}/incident.md").read_text(encoding="utf-8")
    assert "- Vendor ticket: <https://vendor.example.com/7>" in document
    plan = json.loads(call("plan", "--format", "json", at=declared.path).out)
    bodies = [change["fields"]["body"] for change in plan["changes"] if "body" in (change.get("fields") or {})]
    assert any("[Vendor ticket](<https://vendor.example.com/7>)" in str(body) for body in bodies), bodies


def test_the_same_again_changes_nothing(declared: Folder) -> None:
    """No entry, no undo."""
    before = text(declared)
    done = act(declared, "12:10:00", "edit", "--title", "Login fails", "--service", "+api", "--no-drill")
    assert "nothing changed" in done.out
    assert "undo" not in done.out
    assert text(declared) == before


def test_declare_takes_the_bridge_the_channel_and_tags(folder: Folder) -> None:
    """What is known from the start is written at once."""
    act(
        folder,
        "12:05:00",
        *("declare", "Login fails", "-s", "api", "--severity", "SEV1", "--bridge", "https://meet.example.com/1"),
        *("--channel", "#inc-login", "--tag", "dns"),
    )
    assert 'tags:\n- dns\nlinks:\n  channel: "#inc-login"\n  bridge: https://meet.example.com/1\n' in text(folder)
