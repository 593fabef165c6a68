"""Secrets and hidden characters are found wherever a file of the repository has text: comments and settings too."""

from __future__ import annotations

import pytest

from tests.cli.scene import Folder, call, record

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
PATH = "incidents/INC-1/incident.yaml"
FREEZE = """id: year-end
title: Year end
services: [api]
from: 2025-12-20T00:00:00Z
to: 2026-01-02T00:00:00Z
reason: {}
by: "@alice"
"""


def errors(folder: Folder) -> list[str]:
    done = call("validate", at=folder.path)
    assert TOKEN not in done.out + done.err
    return [line for line in done.out.splitlines() if ": error: " in line]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (f"# the token is {TOKEN}\n{record()}", "1:16", "this looks like a GitHub token [secret]"),
        (record() + f"tags: [a] # {TOKEN}\n", "7:13", "this looks like a GitHub token [secret]"),
        (record() + "# see \u202eyaml\n", "7:7", "there is a direction character (U+202E) [text-safety]"),
        (record() + "# see \u200byaml\n", "7:7", "there is an invisible character (U+200B) [text-safety]"),
    ],
)
def test_a_comment_of_a_record(folder: Folder, text: str, place: str, said: str) -> None:
    folder.put(text=text)
    assert errors(folder) == [f"{PATH}:{place}: error: {said}"]


def test_what_looks_like_a_comment_in_a_text_is_found_once(folder: Folder) -> None:
    folder.put(text=record() + f'description: "a # {TOKEN}"\n')
    assert len(errors(folder)) == 1


@pytest.mark.parametrize("code", [0xAD, 0x115F, 0x180E, 0x200B, 0x2060, 0x2063, 0x3164, 0xFFA0, 0xE0041])
def test_characters_that_cannot_be_seen(folder: Folder, code: int) -> None:
    folder.put(text=record(title=f'"Login{chr(code)} fails"'))
    assert errors(folder) == [
        f"{PATH}:2:8: error: there is an invisible character (U+{code:04X}) at position 6 [text-safety]"
    ]


def test_joiners_that_scripts_and_emoji_need_are_fine(folder: Folder) -> None:
    folder.put(text=record(title='"\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f469\u200d\U0001f692"'))
    assert errors(folder) == []


def test_policy_services_freezes_and_windows(folder: Folder) -> None:
    folder.write("policy.yaml", f"extends: sev0-3 # {TOKEN}\n")
    folder.write("services.yaml", f'services:\n  api:\n    owner: "@team"\n    public_name: "a {TOKEN}"\n')
    folder.write("freezes/year-end.yaml", FREEZE.format(f"Sales, see {TOKEN}"))
    folder.write("maintenance/MW-1.yaml", f"# {TOKEN} \u202e\n" + FREEZE.format("x"))
    found = {line.split(": error: ")[0]: line.rpartition("[")[2] for line in errors(folder)}
    assert found["policy.yaml:1:19"] == "secret]"
    assert found["services.yaml:4:18"] == "secret]"
    assert found["freezes/year-end.yaml:6:9"] == "secret]"
    assert found["maintenance/MW-1.yaml:1:3"] == "secret]"
    assert found["maintenance/MW-1.yaml:1:44"] == "text-safety]"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x"])
def test_a_runbook_is_a_path_or_a_web_address(folder: Folder, address: str) -> None:
    folder.write("services.yaml", f'services:\n  api:\n    owner: "@team"\n    runbook: "{address}"\n')
    folder.put(text=record(links=f'{{runbook: "{address}"}}'))
    found = [line for line in errors(folder) if "runbook" in line]
    assert [line.split(":")[0] for line in found] == [PATH, "services.yaml"]
    assert all("which is not a valid runbook" in line for line in found)


@pytest.mark.parametrize("address", ["runbooks/api.md", "https://wiki.example.com/runbook:api", "http://wiki/x"])
def test_a_runbook_that_is_one_is_fine(folder: Folder, address: str) -> None:
    folder.write("services.yaml", f'services:\n  api:\n    owner: "@team"\n    runbook: "{address}"\n')
    assert errors(folder) == []


@pytest.mark.parametrize("address", ["javascript://x", "data://x", "file://x/y", "vbscript://x"])
def test_a_link_does_not_lead_into_a_script(folder: Folder, address: str) -> None:
    folder.put(text=record(links=f'{{dashboard: "{address}"}}'))
    assert len(errors(folder)) == 1


@pytest.mark.parametrize("code", [0x85, 0x2028, 0x2029])
def test_lines_are_counted_as_editors_count_them(folder: Folder, code: int) -> None:
    """YAML 1.1 breaks lines at these characters, YAML 1.2 and editors do not: at a comment's end both read the same."""
    comment = f"# one{chr(code)}\n"
    folder.put(text=comment + record(severity="SEV9"))
    assert errors(folder)[-1].startswith(f"{PATH}:4:11: error: 'SEV9' is not a severity")
    folder.put(text=comment + record() + "title: twice\n")
    assert errors(folder) == [f"{PATH}:8:1: error: key 'title' appears twice; the first is on line 3 [duplicate-key]"]
    folder.put(text=comment + record() + "tags: [0123]\n")
    assert [line.split(" error")[0] for line in errors(folder)] == [f"{PATH}:8:8:"]


@pytest.mark.parametrize("code", [0x85, 0x2028, 0x2029])
def test_such_a_character_in_a_comment_is_named_where_it_is(folder: Folder, code: int) -> None:
    folder.put(text=record() + f"# one{chr(code)}two: [\n")
    assert errors(folder) == [f"{PATH}:7:6: error: there is a control character here (U+{code:04X}) [encoding]"]


def test_a_lone_carriage_return_ends_a_line(folder: Folder) -> None:
    folder.put(text=record(severity="SEV9").replace("\n", "\r", 1))
    assert errors(folder)[0].startswith(f"{PATH}:3:11: error: ")
