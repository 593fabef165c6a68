"""A `gh` for scripts that people type: what it is asked for happens on the stand-in for GitHub."""

from __future__ import annotations

import sys
from pathlib import Path

PROGRAM = """\
import json, subprocess, sys, urllib.request
from pathlib import Path

URL, TOKEN, ORIGIN, KEPT = {url!r}, {token!r}, {origin!r}, Path({kept!r})


def ask(method, path, body=None):
    headers = {{"Authorization": "token " + TOKEN, "Content-Type": "application/json"}}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers, method=method)) as answer:
        return answer.read()


def after(option):
    return words[words.index(option) + 1]


words = sys.argv[1:]
match words[:2]:
    case ["repo", "create"]:
        owner, _, name = words[2].partition("/")
        made = {{"name": name, "private": "--private" in words, "auto_init": True, "homepage": Path(ORIGIN).as_uri()}}
        ask("POST", f"/orgs/{{owner}}/repos", made)
        address = f"git@localhost:{{words[2]}}.git"
        subprocess.run(["git", "-C", after("--source"), "remote", "add", "origin", address], check=True)
    case ["api", "--method"]:
        ask(words[2], "/" + words[3], json.load(sys.stdin))
    case ["secret", "set"]:
        with KEPT.open("a") as kept:
            kept.write(words[2] + chr(10))
        place = f"/_standin/repos/{{after('--repo')}}/environments/{{after('--env')}}/secrets"
        ask("PUT", place, KEPT.read_text().split())
    case ["label", "create"]:
        label = {{"name": words[-1], "color": after("--color"), "description": after("--description")}}
        ask("POST", f"/repos/{{after('--repo')}}/labels", label)
    case ["workflow", "run"]:
        ask("POST", f"/repos/{{after('--repo')}}/actions/workflows/{{words[2]}}/dispatches", {{"ref": "main"}})
    case ["auth", "token"]:
        print(TOKEN)
    case _:
        sys.exit(f"nobody has written how to do: gh {{words}}")
"""


def lay_gh(folder: Path, url: str, token: str, origin: Path) -> str:
    """Lays it into a folder -> the GIT_SSH_COMMAND that leads to `origin`, a bare repository: what `gh` makes has its
    commits there, and the address that GitHub would give it, over ssh."""
    text = PROGRAM.format(url=url, token=token, origin=str(origin), kept=str(folder / "secrets"))
    way = f"#!/bin/sh\nfor asked; do :; done\nexec ${{asked%% *}} '{origin}'\n"
    for name, source in (("gh", f"#!{sys.executable}\n{text}"), ("ssh-to-origin", way)):
        (folder / name).write_text(source, encoding="utf-8")
        (folder / name).chmod(0o755)
    return str(folder / "ssh-to-origin")
