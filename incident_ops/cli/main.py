"""`incident-ops`: the group of all commands, and the one place where errors become words and exit codes."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import signal
import sys
from collections.abc import Iterable
from typing import Any

import click

from incident_ops import __version__
from incident_ops.cli.terminal import drop_output, page_width, say, say_listed, shows_colour
from incident_ops.extras import demand_zones
from incident_ops.render.text import DEFAULT_WIDTH

COMMANDS = {
    "init": "Write the first files of a repository of records.",
    "declare": "Declare an incident: a record, its id, what to do next.",
    "ack": "Take an incident: the response clock stops.",
    "assign": "Give a role, or the incident itself, to somebody.",
    "update": "Tell people; or change the level, with a reason.",
    "comms": "Draft what to write to customers, management and authorities.",
    "timeline": "Write down what happened.",
    "impact": "Write down the impact: users, revenue, services.",
    "cause": "Write down why it happened, and what ended it.",
    "edit": "Fix what a record says: title, services, links ...",
    "correct": "Put a time of an incident right.",
    "relate": "Say what one incident has to do with another.",
    "undo": "Take back the last edit of an incident.",
    "send": "Commit, push and propose what waits here.",
    "action": "Add action items, start, finish or drop them.",
    "deadline": "What is owed to others by when, and what was reported.",
    "pause": "Wait for a user, a vendor or an approval; or go on.",
    "snooze": "Let reminders and escalations wait for a while.",
    "resolve": "Service is back: resolve it, with its cause.",
    "close": "Close a resolved incident.",
    "postmortem": "Write, lint and review a postmortem.",
    "reopen": "It came back.",
    "withdraw": "It was a false alarm, a duplicate, or no incident.",
    "show": "Show an incident on one screen.",
    "list": "List incidents or action items, the most urgent first.",
    "validate": "Check records: errors on their exact line.",
    "verify": "Replay the history: which changes does nobody answer for?",
    "policy": "Show, lint or import the policy; holidays.",
    "triage": "Answer the triage questions, get the level and the rule that decided.",
    "plan": "Show what the tracker should become, and why.",
    "apply": "Carry out the plan, one change at a time.",
    "run": "Do everything that is due, once, on GitHub.",
    "issues": "Show the issues that the embedded tracker holds.",
    "notify": "Tell people about an incident, once for each mark.",
    "escalate": "Take an incident up the ladder, by hand.",
    "escalations": "Judge escalations afterwards.",
    "sla": "Clocks: what is running, at risk, breached.",
    "watch": "Stay awake while an incident of the worst rank is open.",
    "oncall": "Who is on call, who is next; swaps and schedules.",
    "render": "Write the documents beside each record.",
    "runbook": "What to do when a service fails: show it, run it, write one.",
    "gate": "May this service be deployed now?",
    "override": "Let one commit through what holds deploys, with a reason.",
    "freeze": "Hold deploys for a time.",
    "unfreeze": "Lift a freeze, or take back an override.",
    "doctor": "Is all set up, and what does it cost?",
    "canary": "Judge a new version while it takes a part of the traffic.",
    "merge": "Merge two versions of a record; git calls this by itself.",
    "demo": "Run the whole loop on worked incidents, offline.",
}
"""Every command and what it is for; it is in the module of its name, or see ELSEWHERE, and in one of GROUPS."""

GROUPS = {
    "Respond": (
        "declare",
        "ack",
        "assign",
        "update",
        "comms",
        "timeline",
        "triage",
        "escalate",
        "notify",
        "runbook",
        "pause",
        "snooze",
        "resolve",
        "close",
        "reopen",
        "withdraw",
        "undo",
        "send",
    ),
    "Check": ("show", "list", "validate", "sla", "watch", "oncall", "plan", "issues", "verify"),
    "Follow up": (
        "impact",
        "cause",
        "edit",
        "correct",
        "relate",
        "action",
        "deadline",
        "render",
        "postmortem",
        "escalations",
        "apply",
        "run",
    ),
    "Deploy": ("gate", "canary", "freeze", "unfreeze", "override"),
    "Set up": ("init", "policy", "doctor", "demo"),
}
"""Every command that people type, by what they are about to do, in the order of the help."""

PLUMBING = ("merge",)
"""Commands that other programs call; the help does not list them."""

OTHER_WORDS = {
    **dict.fromkeys(("status", "view", "get"), "show"),
    **dict.fromkeys(("note", "log", "comment"), "timeline"),
    **dict.fromkeys(("new", "create", "open", "start"), "declare"),
    **dict.fromkeys(("acknowledge", "take"), "ack"),
    **dict.fromkeys(("docs", "documents"), "render"),
    **dict.fromkeys(("check", "lint"), "validate"),
    **dict.fromkeys(("pm", "retrospective", "retro"), "postmortem"),
    **dict.fromkeys(("item", "todo", "task"), "action"),
    **dict.fromkeys(("set", "change", "rename"), "edit"),
    "silence": "snooze",
    "rota": "oncall",
    "schedule": "oncall",
    "whoisoncall": "oncall",
    **dict.fromkeys(("runbooks", "playbook"), "runbook"),
    "cancel": "withdraw",
}
"""What people type who know other tools, and the command that does it."""

HELP = "help"
"""The word for `--help`: `incident-ops help`, `incident-ops help sla check`."""

ELSEWHERE = {
    "ack": "resolve:ack",
    "pause": "resolve:pause",
    "close": "resolve:close",
    "reopen": "resolve:reopen",
    "withdraw": "resolve:withdraw",
    "escalate": "assign:escalate",
    "escalations": "assign:escalations",
    "timeline": "update:timeline",
    "notify": "update:notify",
    "triage": "declare:triage",
    "list": "show:list_command",
    "render": "show:render",
    "apply": "plan:apply",
    "override": "freeze:override",
    "unfreeze": "freeze:unfreeze",
}
"""Commands that share the module of another one of their family."""

CRASHED, REFUSED_EXIT = 70, 4
_STAYS = "interrupted: what was done stays, run it again for the rest"


class NarrowFormatter(click.HelpFormatter):
    """Help for a terminal so narrow that names beside their texts would leave these no room."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(rows, min(col_max, self.width // 3), col_spacing)


class LazyGroup(click.Group):
    """Imports a command only when it is used, so that `--help` and every single command start fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        demand_zones()  # modules of commands read them as they are loaded
        module, _, name = ELSEWHERE.get(cmd_name, f"{cmd_name}:{cmd_name}").partition(":")
        command: click.Command = getattr(importlib.import_module(f"incident_ops.cli.{module}"), name)
        take_global_options(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name, COMMANDS[name]) for name in names])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] == HELP and not ctx.resilient_parsing:
            if not args[1:]:
                click.echo(ctx.get_help(), color=ctx.color)
                ctx.exit()
            args = [*args[1:], "--help"]
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from incident_ops.findings import did_you_mean

            meant = OTHER_WORDS.get(args[0])
            way = f"did you mean {meant}?" if meant else did_you_mean(args[0], COMMANDS)
            raise click.UsageError(f"no command {args[0]!r}; {way} (`incident-ops help` lists them)", ctx)
        return super().resolve_command(ctx, args)


EPILOG = """\b
Examples:
  incident-ops demo                          watch the loop on real incidents
  incident-ops validate                      check every record here
  incident-ops --at 2025-10-21T18:00:00Z sla check
  incident-ops gate check --service auth     exit 0: deploy; 3: held
  incident-ops help sla check                the help of a command

\b
Exit codes: 0 fine, 1 findings or gate says fail, 2 usage or configuration,
3 cannot tell or held, 4 an outside service or a permission failed,
5 stopped at a safety limit, 6 the plan no longer fits (plan again),
70 a crash of incident-ops, 130 interrupted, 143 terminated."""


def keep_global(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Keeps what a global option says for `workspace_of`; the one behind the command counts before the other."""
    kept = ctx.ensure_object(dict)
    if value is None:
        kept.setdefault(param.name, None)
    elif param.name == "color":
        kept["color"] = shows_colour(value, os.environ)
        chosen: click.Context | None = ctx
        while chosen is not None:
            chosen.color, chosen = kept["color"], chosen.parent
    else:
        kept[param.name] = value
    return value


GLOBAL_OPTIONS: dict[str, dict[str, Any]] = {
    "--repo": {"metavar": "DIR", "help": "The records' folder. Default: the nearest one upward with policy.yaml."},
    "--rev": {
        "metavar": "REV",
        "help": "Read the records as of this git revision instead of the work tree.",
    },
    "--at": {"metavar": "INSTANT", "help": "The clock, e.g. 2025-01-26T13:00:00Z, 02:56, 10m (ago). Default: now."},
    "--color": {"type": click.Choice(["auto", "always", "never"]), "help": "When to colour. Default: auto."},
    "--verbose": {"is_flag": True, "default": None, "help": "Say more about what is read and kept."},
}
"""What every command takes, before it or behind it."""

SHORT_FORMS = {"--verbose": ["-v"]}


def global_options(*, hidden: bool) -> list[click.Option]:
    """The global options; those behind a command are hidden, for the help of the program has them."""
    return [
        click.Option(
            [*SHORT_FORMS.get(name, ()), name], callback=keep_global, expose_value=False, hidden=hidden, **settings
        )
        for name, settings in GLOBAL_OPTIONS.items()
    ]


def take_global_options(command: click.Command) -> None:
    """Lets a command and those below it take the global options, but for those whose name it uses (`timeline --at`).

    Once is enough: a second time it has all of the names.
    """
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        take_global_options(below)
    own_names = {name for param in command.params for name in param.opts}
    command.params += [one for one in global_options(hidden=True) if own_names.isdisjoint(one.opts)]


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
    params=[*global_options(hidden=False)],
)
@click.version_option(__version__, prog_name="incident-ops")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Incidents as code: records checked like code, plans before applies,
    clocks that stay right, gates that never fail open."""
    if ctx.color is None:
        ctx.color = ctx.obj["color"] = shows_colour(None, os.environ)


def main() -> None:
    """Runs the command line and exits with its code; every error is put into words."""
    signal.signal(signal.SIGTERM, _terminated)
    gc.set_threshold(50_000, 20, 20)  # what commands make stays until they end: looking for garbage often finds none
    _settle_output()
    narrow = page_width() if page_width() < DEFAULT_WIDTH else None
    if narrow is not None:
        click.Context.formatter_class = NarrowFormatter
    options: dict[str, Any] = {}  # filled by the command line; still known when a command has failed
    try:
        code = cli.main(standalone_mode=False, obj=options, terminal_width=narrow)
    except Exception as error:
        code = _worded(error, options.get("color"))
    except KeyboardInterrupt:
        code = _interrupted()
    sys.exit(code if isinstance(code, int) else 0)


def _settle_output() -> None:
    """Output is UTF-8 with plain line ends wherever no terminal says otherwise, and no character in it can fail."""
    if not isinstance(sys.stdout, io.TextIOWrapper):
        return
    if sys.stdout.isatty():
        sys.stdout.reconfigure(errors="backslashreplace")
    else:
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


def _worded(error: Exception, color: bool | None) -> int:
    """Puts an error into words -> its exit code, also where nobody takes the words."""
    try:
        return _tell(error, color)
    except OSError:
        drop_output(sys.stderr)
        of_error: int = getattr(error, "exit_code", REFUSED_EXIT if isinstance(error, OSError) else CRASHED)
        return of_error


def _tell(error: Exception, color: bool | None) -> int:
    from incident_ops.errors import IncidentOpsError

    if isinstance(error, click.Abort):
        return _interrupted(at_question=error.__cause__ is None)
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            click.echo(error.format_message(), err=True, color=color)
            return error.exit_code
        _say_usage(error)
        if isinstance(error, click.NoSuchOption):
            error = _with_nearest(error)
        _say(" ".join(error.format_message().split()), color)
        if isinstance(error, click.NoSuchOption):
            _tell_of_hyphen(error)
        return error.exit_code
    if isinstance(error, IncidentOpsError):
        _say(str(error), color)
        say_listed(error.lines)
        return error.exit_code
    if isinstance(error, OSError):
        return _refused(error, color)
    return _crashed(error, color)


def _say_usage(error: click.ClickException) -> None:
    """How the command is called, where the error knows which one it was."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if ctx is not None:
        click.echo(f"{ctx.get_usage()}\nTry '{ctx.command_path} --help' for help.\n", err=True, color=False)


_NEAR = 0.75
"""How like an option what was typed must be, without hyphens, for that to be what was meant."""


def _with_nearest(error: click.NoSuchOption) -> click.NoSuchOption:
    """The error with the nearest of the options that click offers alone; without those that look little like it."""
    from incident_ops.findings import closest

    offered = {name.lstrip("-"): name for name in error.possibilities or ()}
    near = closest(error.option_name.lstrip("-"), offered, _NEAR)
    return click.NoSuchOption(error.option_name, possibilities=[offered[near]] if near else None, ctx=error.ctx)


def _tell_of_hyphen(error: click.NoSuchOption) -> None:
    """A text that begins with a hyphen is taken for an option; how to say that it is none."""
    word = next((one for one in sys.argv[1:] if one.startswith(error.option_name)), "")
    if error.ctx is None or not (" " in word or not word[1:2].isalpha()) or word.startswith("--"):
        return
    import shlex

    name = " ".join(["incident-ops", *error.ctx.command_path.split()[-1:]])
    advice = f"a text that begins with - goes last, after --: {name} -- {shlex.quote(word)}"
    say(advice, first="  ")


def _say(message: str, color: bool | None) -> None:
    say(message, word="error", colour="red", color=shows_colour(None, os.environ) if color is None else color)


def _refused(error: OSError, color: bool | None) -> int:
    """The system said no: to our output (full disk, reader gone away), or to a read nobody expected to fail."""
    try:
        sys.stdout.flush()
    except OSError:
        drop_output(sys.stdout)
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    where = error.filename or ("the output" if full else "the system refused")
    hint = "check that it is there and that you may use it, then run it again"
    if full:  # an edit comes before the words about it: to run it blindly again would write it twice
        hint = "free some space; what was to be written may be there already: look before you repeat it"
    _say(f"{where}: {error.strerror or error} ({hint})", color)
    return REFUSED_EXIT


def _crashed(error: Exception, color: bool | None) -> int:
    import tempfile
    import traceback

    text = f"incident-ops {__version__}, Python {sys.version}\n{''.join(traceback.format_exception(error))}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="incident-ops-", suffix=".txt", delete=False
        ) as file:
            file.write(text)
        report = f"the report is in {file.name}"
    except OSError as refused:
        report = f"no report could be written: {refused.strerror}"
    _say(f"incident-ops crashed (this is a bug): {type(error).__name__}: {error}", color)
    say(f"Draw no conclusions from this run; {report}.", first="  ")
    _print_report(text)
    return CRASHED


def _print_report(text: str) -> None:
    """In a workflow the report stands in the log, folded up: a file on the runner is gone with it."""
    from incident_ops.adapters.environment import fenced, in_actions
    from incident_ops.render.findings import inert_lines

    if in_actions():
        click.echo(f"::group::The report of the crash\n{fenced(inert_lines(text))}::endgroup::", err=True)


def _interrupted(*, at_question: bool = False) -> int:
    # every question is asked before the first write; the line of the question is still open
    notice = "\ninterrupted: nothing was written" if at_question else _STAYS
    click.echo(notice, err=True)
    return 130


def _terminated(_signal: int, _frame: object) -> None:
    sys.exit(143)
