"""A process: runs a command of every kind with `--format json` on small repositories, and prints all the outputs.

    python -m tests.cli.json_outputs FOLDER

The order of sets and of hashes must not show, so two runs under two hash seeds must print the same.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import click
import pytest

from incident_ops.cli.main import cli
from tests.cli.canary_scene import POLICY, Clock, Source, gate, rows, stage, write
from tests.cli.scene import AT, CLOSED, ROOT, Folder, call

ITEMS = "\n- {id: AI-1, title: Add an alert, owner: '@a', due: 2025-01-01, status: open}"
ITEMS += "\n- {id: AI-2, title: Write it down, owner: '@b', status: open}"
SCHEDULE = """name: primary
zone: Europe/Berlin
layers:
- name: week
  people: ["@a", "@b", "@c"]
  start: 2025-01-06
  rotate: 1d
"""
CALENDAR = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n" + "".join(
    f"BEGIN:VEVENT\nUID:{day}\nDTSTART:202502{day:02}T080000Z\nDTEND:202502{day + 1:02}T080000Z\nSUMMARY:{who}\n"
    "END:VEVENT\n"
    for day, who in ((1, "@a"), (2, "@b"), (3, "@c"))
)
CALENDAR += "END:VCALENDAR\n"
REASON = ("--reason", "as told")
DEPLOY = ("-s", "api", "--sha", "7be19f2" + "0" * 33, "--by", "@me", *REASON)
COMMANDS: dict[str, tuple[str, ...]] = {
    "ack": ("INC-1",),
    "action add": ("Add another", "INC-1", "--owner", "@c"),
    "action done": ("AI-1", "INC-1"),
    "action drop": ("AI-1", "INC-1", *REASON),
    "action edit": ("AI-1", "INC-1", "--due", "2025-03-01"),
    "action list": (),
    "action start": ("AI-1", "INC-1"),
    "apply": (),
    "assign": ("commander", "@alice", "INC-1"),
    "canary import": ("analysis.yaml",),
    "canary plan": ("--baseline-rate", "0.5%", "--rps", "10"),
    "canary probe": ("-f", "g.yaml"),
    "canary replay": ("x.csv", "-f", "replayed.yaml"),
    "canary run": ("-f", "g.yaml"),
    "canary validate": ("-f", "g.yaml"),
    "cause": ("INC-1", "--what", "It broke", "--contributing", "No canary", "--why-chain", "Why?=Because"),
    "close": ("INC-2",),
    "comms draft": ("INC-1", "--audience", "public"),
    "correct": ("INC-2", "restored", "10m", *REASON),
    "deadline done": ("bank", "INC-1"),
    "deadline list": (),
    "declare": ("x", "-s", "web", "-s", "api", "--severity", "SEV1"),
    "doctor": ("--cost",),
    "edit": ("INC-1", "--service", "-web", "--tag", "-a", "--factor", "os=any", "--factor", "arch=any"),
    "escalate": ("INC-1", "--notify", "@c", *REASON),
    "escalations review": ("INC-1", "--appropriate", "yes"),
    "freeze": ("year-end", *REASON, "-s", "web", "-s", "api", "--until", "4h"),
    "gate check": ("--service", "api"),
    "gate wait": ("--service", "api", "--for", "0s"),
    "impact": ("INC-1", "--users", "60%", "--revenue", "5 USD", "--service", "api:major", "--service", "web:partial"),
    "init": ("--github", "--owner", "@acme/sre"),
    "issues": (),
    "list": (),
    "notify": ("INC-1", "--mark", "declared", "--dry-run"),
    "override": DEPLOY,
    "oncall import": ("rota.ics", "--name", "other"),
    "oncall lint": (),
    "oncall load": ("--month", "2025-01"),
    "oncall next": ("@a",),
    "oncall swap": ("@a", "@b", "--from", "2025-01-28T00:00:00Z", "--to", "2025-01-30T00:00:00Z"),
    "oncall who": (),
    "pause": ("INC-1", "--waiting-for", "vendor", *REASON),
    "snooze": ("INC-1", "--until", "2h", *REASON),
    "plan": (),
    "postmortem lint": (),
    "policy holidays": ("DE", "--year", "2026"),
    "policy lint": (),
    "policy show": (),
    "postmortem edit": ("INC-1", "--summary", "It broke"),
    "postmortem final": ("INC-1", "--approved-by", "@cy", "--reviewer", "@bob"),
    "postmortem open": ("--dry-run",),
    "postmortem new": ("INC-2", "--summary", "It broke"),
    "postmortem review": ("INC-1", "--reviewer", "@bob"),
    "relate": ("INC-1", "INC-2", "--kind", "causes"),
    "reopen": ("INC-2", *REASON),
    "resolve": ("INC-1", "--restored", "now", "--cause", "deploy"),
    "runbook lint": (),
    "runbook list": (),
    "runbook new": ("web", "--from", "capacity"),
    "runbook show": ("api",),
    "send": ("--dry-run",),
    "show": ("INC-1",),
    "sla backtest": ("--policy", "policy.yaml"),
    "sla check": (),
    "sla report": (),
    "run": ("--tracker", "local", "--dry-run"),
    "sla run": ("--tracker", "local", "--dry-run"),
    "timeline": ("Rolled back", "INC-1"),
    "verify": (),
    "triage": ("--users", "60"),
    "undo": ("INC-4",),
    "unfreeze": ("old",),
    "update": ("INC-1", "--internal", "Rolling back"),
    "validate": (),
    "watch": ("--dry-run",),
    "withdraw": ("INC-1", "--as", "false_alarm", *REASON),
}
"""Command -> the rest of a command line that makes it print JSON."""


OWED = "deadlines: [{id: bank, from: declared, within: 5d, to: Example Bank}]\n"


def commands_with_json(command: click.Command = cli, path: tuple[str, ...] = ()) -> list[str]:
    """Every command that has `--format json`."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        inner = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
        return sorted(found for name, one in inner if one for found in commands_with_json(one, (*path, name)))
    formats = [option for option in command.params if "--format" in option.opts]
    return [" ".join(path)] if any("json" in getattr(one.type, "choices", ()) for one in formats) else []


def prepare(path: Path) -> Folder:
    """A repository with records in several states, a freeze, gates and a recording."""
    folder = Folder(path, policy=f"{POLICY}\n{OWED}")
    folder.put("INC-1", services="[web, api]", tags="[b, a, c]", action_items=ITEMS)
    folder.put("INC-2")
    folder.put("INC-3", **CLOSED)
    folder.put("INC-4", services="[nope, neither]", severity="SEV2")
    folder.commit()
    for words in (
        ("freeze", "old", *REASON, "--until", "4h"),
        ("escalate", "INC-1", "--notify", "@b", *REASON),
        ("ack", "INC-2"),
        ("postmortem", "new", "INC-1"),
        ("resolve", "INC-2", "--restored", "now", "--cause", "deploy"),
    ):
        done = call(*words, at=path)
        assert done.code == 0, done
    write(path, gate())
    write(path, gate(provider="{file: {}}"), "replayed.yaml")
    folder.write("x.csv", rows())
    folder.write("analysis.yaml", (ROOT / "tests/cli/foreign/argo_cluster_many.yaml").read_text())
    folder.write("runbooks/api.md", "# The api fails\n\n1. Look\n\n   ```sh\n   uptime\n   ```\n")
    folder.write("oncall/primary.yaml", SCHEDULE)
    folder.write("rota.ics", CALENDAR)
    folder.commit()
    done = call("timeline", "Not committed", "INC-4", at=path)
    assert done.code == 0, done
    return folder


def outputs(at: Path) -> dict[str, dict[str, object]]:
    """Command -> exit code and output, each in a fresh copy of the same repository at the same path."""
    kept, path = at / "kept", at / "repo"
    prepare(kept)
    found: dict[str, dict[str, object]] = {}
    for name, words in COMMANDS.items():
        shutil.copytree(kept, path, symlinks=True)
        with pytest.MonkeyPatch.context() as patch:
            stage(patch, Source())
            patch.setattr("incident_ops.adapters.environment.Ticking", Clock)
            clock = None if name in ("canary run", "canary probe", "gate wait") else AT
            done = call(*name.split(), *words, "--format", "json", at=path, clock=clock)
        found[name] = {"code": done.code, "out": done.out, "err": done.err}
        shutil.rmtree(path)
    return found


if __name__ == "__main__":
    json.dump(outputs(Path(sys.argv[1])), sys.stdout)
