"""Who a record says did it: a handle where anything knows one, and never nobody."""

from __future__ import annotations

import getpass
import json
import socket
from unittest import mock

import pytest

from tests.cli.scene import Folder, call
from tests.cli.test_slips import at_terminal

PEOPLE = """extends: sev0-3
contacts:
  "@alice": {git: [Alice Smith, alice@example.org]}
  "@bob": {git: [bob@example.org]}
"""


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither the environment nor the machine's git says who this is."""
    for name in ("INCIDENT_OPS_BY", "GITHUB_ACTOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git_says(folder: Folder, name: str = "", address: str = "") -> None:
    for key, value in (("user.name", name), ("user.email", address)):
        folder.git("config", key, value)


def recorded(folder: Folder) -> str:
    folder.put()
    done = call("ack", "--format", "json", at=folder.path)
    assert done.code == 0, done
    text = (folder.path / "incidents/INC-1/incident.yaml").read_text(encoding="utf-8")
    return text.rpartition("by: ")[2].splitlines()[0].strip('"')


def test_a_name_of_git_stands_for_the_handle_in_contacts(folder: Folder) -> None:
    """What `ack` writes is then the same person as `assign commander @alice`."""
    folder.write("policy.yaml", PEOPLE)
    git_says(folder, "alice smith")
    assert recorded(folder) == "@alice"


def test_an_address_of_git_stands_for_the_handle_in_contacts(folder: Folder) -> None:
    folder.write("policy.yaml", PEOPLE)
    git_says(folder, "Bobby", "Bob@Example.org")
    assert recorded(folder) == "@bob"


def test_a_stranger_is_recorded_by_git_s_name(folder: Folder) -> None:
    folder.write("policy.yaml", PEOPLE)
    git_says(folder, "Carol  Jones", "carol@example.org")
    assert recorded(folder) == "Carol Jones"


def test_init_keeps_a_handle_for_this_clone(folder: Folder) -> None:
    """It counts before git's name; INCIDENT_OPS_BY and --by count before it."""
    git_says(folder, "Alice Smith")
    done = call("init", "--by", "alice", at=folder.path)
    assert "incident-ops.by" in done.out
    assert folder.git("config", "--local", "incident-ops.by").strip() == "@alice"
    assert recorded(folder) == "@alice"
    with mock.patch.dict("os.environ", INCIDENT_OPS_BY="@eve"):
        assert recorded(folder) == "@eve"


def test_init_takes_only_a_handle(folder: Folder) -> None:
    call("init", "--by", "alice@example.org", at=folder.path).told_once(2, "is not a GitHub handle", "@alice")
    call("init", "--by", "@who", at=folder.path).told_once(2, "stands for")


@pytest.mark.slow
def test_init_asks_for_the_handle_at_a_terminal(folder: Folder) -> None:
    """Once: a clone that knows it is not asked again. An answer that is no handle is asked for again."""
    shown, code = at_terminal(folder, "init", typed=("a b\n", "@alice\n"))
    assert code == 0, shown
    assert "'a b' is not a GitHub handle" in shown
    assert folder.git("config", "incident-ops.by").strip() == "@alice"
    shown, code = at_terminal(folder, "init", typed=())
    assert code == 0, shown
    assert "Your GitHub handle" not in shown


def test_where_nobody_is_known_it_is_the_user_of_the_machine(folder: Folder) -> None:
    """Valid in a record, and with a warning that says how to be known."""
    folder.put()
    with (
        mock.patch.object(getpass, "getuser", return_value="al.ice"),
        mock.patch.object(socket, "gethostname", return_value="laptop.example.org"),
    ):
        done = call("ack", at=folder.path)
    assert done.code == 0, done
    assert "acknowledged by al-ice@laptop" in done.out
    assert done.err == (
        "warning: nobody is known here; al-ice@laptop is recorded\n"
        "  fix: incident-ops init --by @who, or INCIDENT_OPS_BY=@who\n"
    )
    assert call("validate", at=folder.path).code == 0


def test_an_address_as_git_s_name_is_not_dropped_in_silence(folder: Folder) -> None:
    folder.put()
    git_says(folder, "alice@example.org")
    done = call("ack", at=folder.path)
    assert done.code == 0, done
    assert "warning: git's user.name 'alice@example.org' does not fit a record; " in done.err
    assert "example.org" not in (folder.path / "incidents/INC-1/incident.yaml").read_text(encoding="utf-8")


def test_who_says_who_they_are_is_not_warned(folder: Folder) -> None:
    folder.put()
    assert "warning" not in call("ack", "--by", "@alice", at=folder.path).err


def test_an_override_needs_somebody(folder: Folder) -> None:
    """A guess takes on nothing."""
    args = ("override", "-s", "api", "--sha", "7be19f2" + "0" * 33, "--reason", "the fix")
    assert call(*args, at=folder.path).code == 2


def test_json_stays_whole(folder: Folder) -> None:
    folder.put()
    assert json.loads(call("ack", "--format", "json", at=folder.path).out)["changed"]
