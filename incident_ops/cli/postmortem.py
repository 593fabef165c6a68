"""`incident-ops postmortem`: begun, written, linted, reviewed and made final."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from incident_ops.adapters.environment import fenced
from incident_ops.app.edit_record import RecordChange, clean, who
from incident_ops.app.postmortem_lint import LintReport, lint_postmortems
from incident_ops.app.workspace import Workspace, typed_time
from incident_ops.cli.completion import complete_incident
from incident_ops.cli.options import (
    asks,
    by_option,
    edits_record,
    finish,
    format_choice,
    incident_argument,
    inert_unread,
    max_requests_option,
    no_records,
    pick_to_read,
    print_request,
    requests_option,
    run_format_option,
    say_time,
    to_be_asked_about,
    warn,
    with_repository,
)
from incident_ops.cli.running import summarize
from incident_ops.cli.terminal import paint, prompt_text, say
from incident_ops.domain.incident import Postmortem
from incident_ops.domain.time import stamp
from incident_ops.edits.postmortem import (
    PostmortemFacts,
    begin_postmortem,
    finish_postmortem,
    reopen_postmortem,
    review_postmortem,
    write_postmortem,
)
from incident_ops.errors import UserError
from incident_ops.findings import Level
from incident_ops.render.findings import commands, inert
from incident_ops.render.postmortem_lint import PostmortemView, gates_line, lint_docs, lint_json, lint_text
from incident_ops.render.run_log import annotated

_VALUES = ("summary", "public_summary", "conclusion")
_LISTS = {
    "well": ("went_well",),
    "poorly": ("went_poorly",),
    "lucky": ("lucky",),
    "author": ("authors",),
    "attendee": ("attendees",),
}
_LESSONS, _HORIZONS = ("technical", "process", "cultural"), ("short", "medium", "long")


@click.group()
def postmortem() -> None:
    """Write the postmortem of an incident, and bring it to its final form.

    \b
    Examples:
      incident-ops postmortem new --author @ann --meeting "2025-01-28 14:00"
      incident-ops postmortem edit --summary "..." --well "..." --poorly "..."
      incident-ops postmortem lint 120500
      incident-ops postmortem review --reviewer @bob --send
      incident-ops postmortem final --approved-by @cy --send
      incident-ops postmortem open --dry-run
    """


def _written_by(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of what is written."""
    repeated = "repeat it; -TEXT takes one away"
    for option in reversed(
        [
            click.option("--summary", metavar="TEXT", help="What happened, in two or three sentences."),
            click.option("--public-summary", metavar="TEXT", help="The same for the public."),
            click.option(
                "--narrative",
                metavar="FILE",
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                help="The story in Markdown, from a file; pictures are beside the record.",
            ),
            click.option("--well", metavar="TEXT", multiple=True, help=f"What went well; {repeated}."),
            click.option("--poorly", metavar="TEXT", multiple=True, help=f"What went poorly; {repeated}."),
            click.option("--lucky", metavar="TEXT", multiple=True, help=f"Where we were lucky; {repeated}."),
            click.option(
                "--lesson", metavar="KIND=TEXT", multiple=True, help=f"What was learned; KIND is {', '.join(_LESSONS)}."
            ),
            click.option(
                "--prevent",
                metavar="HORIZON=TEXT",
                multiple=True,
                help=f"A measure; HORIZON is {', '.join(_HORIZONS)} (weeks, months, half a year).",
            ),
            click.option("--conclusion", metavar="TEXT", help="Closing words."),
            click.option("--author", metavar="WHO", multiple=True, help=f"Who writes it; {repeated}."),
            click.option("--attendee", metavar="WHO", multiple=True, help=f"Who was at the meeting; {repeated}."),
            click.option("--meeting", metavar="WHEN", help="When the review meeting is or was."),
        ]
    ):
        command = option(command)
    return command


@postmortem.command()
@incident_argument
@_written_by
@edits_record
def new(workspace: Workspace, incident: str | None, **said: Any) -> RecordChange:
    """Begin the postmortem of an incident, as a draft.

    At a terminal, without options, it asks what happened and how it went:
    what and how, not who. Its author is the commander unless you name one, and
    the policy says until when it is due.

    \b
    Examples:
      incident-ops postmortem new
      incident-ops postmortem new 120500 --author @ann
      incident-ops postmortem new --meeting "2025-01-28 14:00"
    """
    incident = pick_to_read(workspace, incident)
    answers = _asked(workspace, incident) if asks() and not any(said.values()) else {}
    facts = _facts(workspace, {**said, **answers})
    policy, now = workspace.judged_by[0], workspace.now
    return incident, lambda current: begin_postmortem(current, policy, now, facts)


@postmortem.command()
@incident_argument
@_written_by
@click.option("--reopen", metavar="WHY", help="Back to draft, from review or from its final form, and why.")
@by_option
@edits_record
def edit(workspace: Workspace, incident: str | None, reopen: str | None, by: str | None, **said: Any) -> RecordChange:
    """Write in a postmortem; what is left out stays as it is.

    At a terminal, without options, it asks for what is not written yet.
    --reopen makes it a draft again, after the comments of a review for
    instance. A final one then needs a new approval; the timeline keeps the
    one before, and the reason.

    \b
    Examples:
      incident-ops postmortem edit --summary "Logins failed for 30 minutes."
      incident-ops postmortem edit --well "Seen at once" --poorly "No canary"
      incident-ops postmortem edit --lesson "technical=Test the rollback"
      incident-ops postmortem edit --prevent "short=Alert on failed logins"
      incident-ops postmortem edit --narrative story.md
      incident-ops postmortem edit --reopen "The review asks for the cause"
    """
    incident = pick_to_read(workspace, incident)
    if reason := clean(reopen):
        author, now = who(workspace, by), workspace.now
        written = _facts(workspace, said)
        return incident, lambda current: reopen_postmortem(current, now, author, reason, written)
    facts = _facts(workspace, said if any(said.values()) else {**said, **_asked(workspace, incident)})
    return incident, lambda current: write_postmortem(current, facts)


@postmortem.command()
@incident_argument
@click.option("--reviewer", metavar="WHO", multiple=True, help="Who reviews it; repeat it.")
@edits_record
def review(workspace: Workspace, incident: str | None, reviewer: tuple[str, ...]) -> RecordChange:
    """Say that a postmortem is ready to be reviewed.

    Its action items need an owner and a due date by then. With --send the
    pull request of the record is where it is reviewed.

    \b
    Examples:
      incident-ops postmortem review --reviewer @bob --reviewer @cy --send
    """
    incident = pick_to_read(workspace, incident)
    return incident, lambda current: review_postmortem(current, reviewer)


@postmortem.command()
@incident_argument
@click.option("--approved-by", metavar="WHO", help="Who approves it; without it --by, or who you are here.")
@click.option("--reviewer", metavar="WHO", multiple=True, help="Who reviewed it; repeat it.")
@by_option
@edits_record
def final(
    workspace: Workspace, incident: str | None, approved_by: str | None, reviewer: tuple[str, ...], by: str | None
) -> RecordChange:
    """Give a postmortem its final form.

    Somebody has reviewed it, and somebody who did not write it alone
    approves it. Where the policy asks for a follow-up review, that becomes an
    action item.

    \b
    Examples:
      incident-ops postmortem final --approved-by @cy --send
    """
    incident = pick_to_read(workspace, incident)
    approver = clean(approved_by) or who(workspace, by)
    policy, now = workspace.judged_by[0], workspace.now
    gates = [gate for one in lint_postmortems(workspace, [incident]).postmortems for gate in one.open_gates]
    return incident, lambda current: finish_postmortem(current, policy, now, approver, reviewer, gates)


@postmortem.command("lint", short_help="Parts that are missing, weak structure, language that blames.")
@click.argument("incidents", nargs=-1, metavar="[INC]...", shell_complete=complete_incident)
@click.option("--strict", is_flag=True, help="End with 1 where there is a warning; notes let it pass.")
@format_choice(
    ["text", "json", "github", "sarif"],
    "Text for people, JSON for scripts, annotations for GitHub Actions, SARIF for code scanning.",
)
@with_repository
def lint(workspace: Workspace, incidents: tuple[str, ...], strict: bool, form: str) -> None:
    """Say what good reviewers say: missing parts, weak structure, language that blames.

    Without ids: every record that has a postmortem, or whose level asks for
    one and that is resolved. Each finding has the sentence, the reason, and a
    way to say it instead; `validate --explain RULE` has the sources. It warns,
    and ends with 0 unless --strict is given. A comment in the record silences
    a rule: `# incident-ops: ignore[blame] the reason`.

    \b
    Examples:
      incident-ops postmortem lint
      incident-ops postmortem lint 120500 --strict
      incident-ops postmortem lint --format json | jq .postmortems[].gates
      incident-ops validate --explain counterfactual
    """
    report = lint_postmortems(workspace, incidents)
    click.echo(_shown(report, form), nl=False)
    for unread in inert_unread(report.unread):
        say(f"{unread.path}: not read, not linted: {unread.reason}", word="error", colour="red")
    if not workspace.catalogue.count():
        finish(no_records(workspace))
    warned = any(finding.level is not Level.NOTE for finding in report.findings)
    finish(3 if report.unread else int(strict and warned))


@postmortem.command("open")
@click.option("--dry-run", is_flag=True, help="Show what would be proposed, and do nothing.")
@max_requests_option
@requests_option
@run_format_option
@with_repository
def open_command(workspace: Workspace, dry_run: bool, max_requests: int | None, show_requests: bool, form: str) -> None:
    """Open the pull request of every postmortem that is asked for and not begun.

    What the workflow `postmortem` runs after each push: for each resolved
    incident whose level asks for one, a branch with the draft and its
    document. Nothing that somebody wrote is overwritten: a branch with
    commits of people is left to them, and one whose pull request was closed
    is not proposed again until the facts change. Pull requests that are due
    get one comment a day before, and one once they are; `run` writes these,
    too.

    Exit code 5: more are left than one run opens (policy tracker.limits.creates).

    \b
    Examples:
      incident-ops postmortem open --dry-run
      incident-ops postmortem open --format github
    """
    from incident_ops.app.postmortem_proposal import exit_code_of, open_postmortems
    from incident_ops.render.postmortem_proposals import (
        proposal_lines,
        proposal_problems,
        proposals_json,
        proposals_summary,
    )

    log = print_request if show_requests else None
    done = open_postmortems(workspace, max_requests, log, is_dry=dry_run)
    lines, wrong = proposal_lines(done), proposal_problems(done)
    if form == "json":
        click.echo(proposals_json(done), nl=False)
    elif form == "text":
        click.echo("\n".join(lines))
    else:
        click.echo(fenced("\n".join([*lines, *wrong])) + annotated(wrong), nl=False)
        summarize(proposals_summary(lines))
    if form != "github":
        for line in wrong:
            click.echo(line, err=True)
    finish(exit_code_of(done))


@postmortem.command("ics")
@incident_argument
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it there.")
@with_repository
def ics(workspace: Workspace, incident: str | None, output: Path | None) -> None:
    """Print the review meeting as an iCalendar file, to be sent to those who come.

    Invited are the authors and attendees, or without attendees those at work
    on the incident, where a contact of the policy has an address under `git`.
    The meeting is set with `postmortem edit --meeting`.

    \b
    Examples:
      incident-ops postmortem ics 120500 --output meeting.ics
    """
    from incident_ops.adapters.files import write_bytes
    from incident_ops.app.postmortem_meeting import meeting_calendar

    text, warnings = meeting_calendar(workspace, pick_to_read(workspace, incident))
    if output is None:
        click.echo(text.decode(), nl=False)
    else:
        write_bytes(output, text)
        click.echo(f"written: {inert(str(output))}")
    warn(warnings)


def _shown(report: LintReport, form: str) -> str:
    views = [
        PostmortemView(one.incident, one.path, one.findings, one.remarks, one.silenced, one.open_gates)
        for one in report.postmortems
    ]
    if form == "json":
        return lint_json(views, inert_unread(report.unread))
    if form == "sarif":
        from incident_ops.render.rule_pages import to_sarif

        return to_sarif(report.findings, report.silenced, report.prefix, lint_docs())
    if form == "github":
        lines = "".join(f"{gates_line(view)}\n" for view in views)
        return commands(report.findings, report.prefix, lambda _finding: False) + lines
    return lint_text(views, paint)


def _facts(workspace: Workspace, said: dict[str, Any]) -> PostmortemFacts:
    values = {name: clean(said[name]) or "" for name in _VALUES if said[name]}
    if said["narrative"]:
        values["narrative"] = _story(said["narrative"])
    if said["meeting"]:
        say_time(workspace, said["meeting"], "--meeting", ahead=True)
        values["meeting"] = stamp(typed_time(said["meeting"], workspace.now, "--meeting", ahead=True).at)
    lists: dict[tuple[str, ...], Sequence[str]] = {route: said[name] for name, route in _LISTS.items() if said[name]}
    lists |= {("lessons", kind): texts for kind, texts in _by_name("--lesson", said["lesson"], _LESSONS).items()}
    return PostmortemFacts(values, lists, _by_name("--prevent", said["prevent"], _HORIZONS))


def _story(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{inert(str(file))} cannot be read as text: {error}") from error


def _by_name(option: str, texts: Sequence[str], names: Sequence[str]) -> dict[str, list[str]]:
    """NAME=TEXT of an option, by name. UserError for another name, and for one without a text."""
    found: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        name, _, words = (part.strip() for part in text.partition("="))
        if name not in names or not words:
            hint = f'one of {", ".join(names)}, then = and the text: {option} "{names[0]}=..."'
            raise UserError(f"{option} {inert(text)!r} does not say of which kind it is", hint=hint)
        found[name].append(words)
    return dict(found)


def _asked(workspace: Workspace, incident: str) -> dict[str, Any]:
    """Asks at a terminal for what is not written yet; an empty answer leaves it so. UserError elsewhere."""
    example = 'e.g. --summary "..." --well "..." --poorly "..."; see `incident-ops postmortem edit --help`'
    paper = to_be_asked_about(workspace, incident, example).postmortem or Postmortem(status="draft")
    questions = {
        "summary": ("What happened, in two or three sentences?", paper.summary),
        "well": ("What went well?", paper.went_well),
        "poorly": ("What made it harder or longer than it had to be?", paper.went_poorly),
        "lucky": ("Where was luck on our side?", paper.lucky),
    }
    answers = {name: prompt_text(question) for name, (question, known) in questions.items() if not known}
    return {name: text if name == "summary" else (text,) for name, text in answers.items() if text}
